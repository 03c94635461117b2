"""份額: what each project adds to the counts and sums of its round, its funds, its organisation and the whole house."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.application import Application
from domain.kernel.state import NONE
from domain.project.aggregate import PROJECT
from domain.project.award import Award
from domain.project.money import Money
from views.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from views.view import ViewSource

MONEY = ("requested", "award", "paid", "cancelled", "returned", "clawed_back", "net", "outstanding")
"""What is summed, in fen."""


def _rows(source: ViewSource) -> Iterable[dict[str, Any]]:
    state = source.state
    if state.stage == NONE:  # a late bid that was turned away makes no project
        return
    application = state.part(Application)
    measures = dict(_measure(source))
    for dimension, key in (
        ("all", ""),
        ("round", application.round or ""),
        ("organisation", application.organisation),
    ):
        if key or dimension == "all":
            yield from _write(source, dimension, key, measures)
    for fund, of_fund in _by_fund(source).items():
        yield from _write(source, "fund", fund, of_fund)
        if source.year is not None:
            yield from _write(source, "fund_year", f"{source.year}/{fund}", of_fund)


def _measure(source: ViewSource) -> Iterator[tuple[str, int]]:
    summary = PROJECT.summary(source.state)
    yield "projects", 1
    for name in MONEY:
        yield name, int(str(summary[name]))


def _by_fund(source: ViewSource) -> dict[str, dict[str, int]]:
    """What was set aside on each fund, what of it is neither paid nor cancelled, and what is out."""
    award, money = source.state.part(Award), source.state.part(Money)
    funds = sorted({*award.funds, *money.committed, *money.out})
    return {
        fund: {
            "projects": 1,
            "award": award.funds.get(fund, 0),
            "committed": money.committed.get(fund, 0),
            "net": money.out.get(fund, 0),
        }
        for fund in funds
    }


def _write(source: ViewSource, dimension: str, key: str, measures: dict[str, int]) -> Iterator[dict[str, Any]]:
    for measure, value in sorted(measures.items()):
        if value:
            yield {**source.base, "dimension": dimension, "key": key, "measure": measure, "value": value}


SHARES = View("shares", 4, "份額", "counts and sums", _rows, frozenset({"project"}))
