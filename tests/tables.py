"""A rule that holds of every row of a table, as one test: a test for each row would cost more than asking the rule."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TRACED = 5
"""Rows of which the traceback is shown; every row that fails is named."""


def mostly(count: int, names: str, table: Iterable[Any], **more: Any) -> pytest.MarkDecorator:
    """``parametrize``, where a row is dear: the first so many in every run, the others in the fuller ones."""
    return _parametrize(names, list(table), range(count), more)


def each_of(step: int, names: str, table: Iterable[Any], **more: Any) -> pytest.MarkDecorator:
    """``parametrize``, where a row is like the next: each so-manyth in every run, the others in the fuller ones."""
    every = list(table)
    return _parametrize(names, every, range(0, len(every), step), more)


def _parametrize(names: str, every: list[Any], always: range, more: dict[str, Any]) -> pytest.MarkDecorator:
    assert 0 < len(always) < len(every), "else there is nothing to choose"
    several = "," in names
    rows = [
        pytest.param(*(row if several else (row,)), marks=() if number in always else pytest.mark.full)
        for number, row in enumerate(every)
    ]
    return pytest.mark.parametrize(names, rows, **more)


def every_row(names: str, table: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Hold the test against every row, written as for ``parametrize``, and name each that fails.

    Rows share the test's fixtures, so it is for rules that leave nothing behind. Tables may stand over one another. A
    table that is dear to make is a generator: nothing is asked of it until the test runs.
    """
    columns = [name.strip() for name in names.split(",")]

    @functools.cache
    def own() -> list[dict[str, Any]]:
        rows = [dict(zip(columns, row if len(columns) > 1 else (row,), strict=True)) for row in table]
        assert rows, "a rule without a row holds of nothing"
        return rows

    def hold(rule: Callable[..., None]) -> Callable[..., None]:
        below: Callable[[], list[dict[str, Any]]] = getattr(rule, "rows", lambda: [{}])
        given = {*columns, *getattr(rule, "columns", ())}
        rule = getattr(rule, "rule", rule)

        def rows() -> list[dict[str, Any]]:
            return [row | beneath for row in own() for beneath in below()]

        @functools.wraps(rule)
        def test(**fixtures: Any) -> None:
            every = rows()
            failures = [fault for row in every if (fault := _try(rule, row, fixtures))]
            if failures:
                named = "".join(f"\n  {name}" for name, _ in failures)
                raise ExceptionGroup(
                    f"{len(failures)} of {len(every)} rows fail:{named}", [fault for _, fault in failures[:_TRACED]]
                )

        signature = inspect.signature(rule)
        fixtures = [parameter for name, parameter in signature.parameters.items() if name not in given]
        vars(test).update(__signature__=signature.replace(parameters=fixtures), rule=rule, rows=rows, columns=given)
        return test

    return hold


def _try(rule: Callable[..., None], row: dict[str, Any], fixtures: dict[str, Any]) -> tuple[str, Exception] | None:
    """The row's name and what is wrong with it, or None if the rule holds of it."""
    try:
        rule(**row, **fixtures)
    except Exception as fault:  # noqa: BLE001 - the next rows are tried all the same
        return _named(row), fault
    except pytest.fail.Exception as missed:  # what should have been raised was not; it is no Exception of Python's
        return _named(row), AssertionError(str(missed))
    return None


def _named(row: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!s:.80}" for name, value in row.items())
