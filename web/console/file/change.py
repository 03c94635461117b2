"""What moved a file's figures, event by event, and what was otherwise on another day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.catalogue import AGGREGATES, stage_words, value_words
from domain.kernel.state import State
from domain.project.aggregate import PROJECT
from domain.project.contract import Contract
from domain.project.derived import derive_outputs
from domain.project.money import Money
from domain.project.stage import MILESTONE, Gates
from domain.project.tranches import Tranches
from web.components.words import tell_event, tell_money

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from application.event_text import Say
    from application.queries import Chapter
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


def list_money(state: State) -> dict[str, int]:
    """By the name of its text, what a project's money comes to, in fen; of another file what stands in its envelope."""
    if state.stream.kind != "project":
        envelope = AGGREGATES[state.stream.kind].summary(state).get("envelope")
        return {"amount": envelope} if isinstance(envelope, int) else {}
    money, summary = state.part(Money), PROJECT.summary(state)
    return {
        "money_requested": int(str(summary["requested"])),
        "money_award": int(str(summary["award"])),
        "money_paid": money.paid,
        "money_unpaid": sum(one.remainder for one in state.part(Tranches).of.values()),
        "money_outstanding": int(str(summary["outstanding"])),
        "money_returned": money.returned + money.clawed_back,
        "money_net": money.net,
    }


def trace_money(states: Iterable[tuple[Chapter, State]]) -> Mapping[str, list[Movement]]:
    """By figure, the events that it is made of: what they moved adds up to it."""
    figures: dict[str, int] = {}
    moved: dict[str, list[Movement]] = {}
    for chapter, state in states:
        now = list_money(state)
        what = tell_event(chapter.occurrence.event.event_type)
        for name, fen in now.items():
            if difference := fen - figures.get(name, 0):
                moved.setdefault(name, []).append(Movement(chapter.at, chapter.position, what, difference))
        figures = now
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
    for name, fen in list_money(state).items():
        if fen:
            yield speak(name), tell_money(fen)
    if state.stream.kind != "project":
        for name, value in AGGREGATES[state.stream.kind].summary(state).items():
            if isinstance(value, str | int) and value and name != "envelope":
                yield say(*value_words(name)), str(value)
        return
    for name, one in state.part(Tranches).of.items():
        text = f"{tell_money(one.planned)} {say(one.status.zh, one.status.en)}"
        yield f"{speak('tranche')} {name}", text
    contract, passed = state.part(Contract), state.part(Gates).passed
    for name, term in contract.milestones.items():
        met = speak("gate_met" if f"{MILESTONE}/{name}" in passed else "gate_unmet")
        yield f"{speak('milestone')} {name}", f"{term.title} {term.due or ''} {met}"
    for line, fen in contract.budget.items():
        yield f"{speak('budget')} {say(*value_words(line))}", tell_money(fen)
    for output, count in derive_outputs(state).items():
        if count:
            yield say(output.zh, output.en), f"{count:,}"
