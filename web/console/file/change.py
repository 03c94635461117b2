"""What moved a file's figures, event by event, and what was otherwise on another day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from application.folded_stream import sum_money
from domain.catalogue import AGGREGATES, stage_words, value_words
from domain.kernel.state import State
from domain.project.contract import Contract
from domain.project.indicators import derive_outputs
from domain.project.stage import MILESTONE, Gates
from domain.project.tranches import Tranches
from web.components.words import format_money, name_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from application.event_text import Say
    from application.folded_stream import StateChange
    from web.console.texts import Speak


@dataclass(frozen=True)
class Movement:
    """One event by which a figure became another."""

    at: datetime
    position: int
    what: tuple[str, str]
    fen: int
    """By how much, negative where it fell."""


@dataclass(frozen=True)
class Difference:
    """One line of what was otherwise; empty where there was nothing."""

    what: str
    before: str
    after: str


def trace_money(changes: Iterable[StateChange]) -> Mapping[str, list[Movement]]:
    """By figure, the events that it is made of: what they moved adds up to it."""
    figures: Mapping[str, int] = {}
    moved: dict[str, list[Movement]] = {}
    for change in changes:
        what = name_event(change.event_type)
        for name, fen in change.figures.items():
            if difference := fen - figures.get(name, 0):
                moved.setdefault(name, []).append(Movement(change.at, change.position, what, difference))
        figures = change.figures
    return moved


def compare(before: State, after: State, speak: Speak, say: Say) -> list[Difference]:
    """Only what differs, in the order of the page."""
    was, now = dict(_describe(before, speak, say)), dict(_describe(after, speak, say))
    return [
        Difference(name, was.get(name, ""), now.get(name, ""))
        for name in dict.fromkeys((*was, *now))
        if was.get(name) != now.get(name)
    ]


def _describe(state: State, speak: Speak, say: Say) -> Iterator[tuple[str, str]]:
    """Everything of the file that a page shows as a value, by what it is called."""
    yield speak("stands"), say(*stage_words(state.stream.kind, state.stage))
    for name, fen in sum_money(state).items():
        if fen:
            yield speak(name), format_money(fen)
    if state.stream.kind != "project":
        for name, value in AGGREGATES[state.stream.kind].summary(state).items():
            if isinstance(value, str | int) and value and name != "envelope":
                yield say(*value_words(name)), str(value)
        return
    for name, one in state.part(Tranches).of.items():
        text = f"{format_money(one.planned)} {say(one.status.zh, one.status.en)}"
        yield f"{speak('tranche')} {name}", text
    contract, passed = state.part(Contract), state.part(Gates).passed
    for name, term in contract.milestones.items():
        met = speak("gate_met" if f"{MILESTONE}/{name}" in passed else "gate_unmet")
        yield f"{speak('milestone')} {name}", f"{term.title} {term.due or ''} {met}"
    for line, fen in contract.budget.items():
        yield f"{speak('budget')} {say(*value_words(line))}", format_money(fen)
    for output, count in derive_outputs(state).items():
        if count:
            yield say(output.zh, output.en), f"{count:,}"
