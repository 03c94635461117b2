"""A stream's row in the agenda, held against the row that folding the log gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from audit.finding import NOTHING
from deciding.agenda_row import build_standing
from deciding.decision import Decision
from domain.kernel.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.kernel.calendar import Calendar
    from domain.kernel.clock import Clock
    from domain.kernel.state import State
    from store.port import Standing


def compare_standing(
    state: State, calendars: Sequence[Calendar], clock: Clock, row: Standing
) -> list[tuple[str, str, str]]:
    """Field, what folding gives, what the row says; empty if it is right by any of those calendars.

    A newer calendar moves a row by and by, so any published since the stream's last command may be what it was made by.
    What differs from the newest is told.
    """
    differences: list[tuple[str, str, str]] = []
    for calendar in calendars:
        expected = build_standing(Decision((), state, calendar, clock, {}, state))
        differences = [(field, was, now) for field, was, now in _iterate_fields(expected, row) if was != now]
        if not differences:
            break
    return differences


def _iterate_fields(expected: Standing, row: Standing) -> Iterator[tuple[str, str, str]]:
    yield "version", str(expected.version), str(row.version)
    yield "stage", expected.stage, row.stage
    yield "due_at", _format_due(expected), _format_due(row)
    yield "clock", expected.clock, row.clock
    yield "summary", _format_summary(expected), _format_summary(row)


def _format_due(row: Standing) -> str:
    return row.due_at.isoformat() if row.due_at else NOTHING


def _format_summary(row: Standing) -> str:
    """As JSON with sorted keys; without the sentences about who is awaited, whose wording is no fact."""
    try:
        facts = Summary.read(row.summary).facts
    except ValidationError:  # not of our making: to be shown as it is
        return row.summary.decode(errors="replace")
    return json.dumps(facts, sort_keys=True, ensure_ascii=False)
