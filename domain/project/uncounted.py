"""What the files of before 0.2.0 take of accounts and keys that their events say nothing of.

Their bytes are recorded and stay as they are; what they take of a round's budget, of a base's year and of the count of
undecided bids is read off the file instead. Migration 0009 puts it down once for what was recorded before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.application import Application, ProjectKind
from domain.kernel.effects import WORLD, Claim, Effect, Post, Release
from domain.project.award import Award, AwardProposed, FundsFreed
from domain.project.bidding import UNDECIDED, free_place
from domain.project.money import CommitmentsFreed
from domain.project.stage import Stage
from domain.round.budget import awarded, give_back, support_key, undecided

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.message import Event
    from domain.kernel.state import State

WAITING = (
    Stage.APPLIED,
    Stage.RETURNED,
    Stage.SHORTLISTED,
    Stage.PROPOSED,
    Stage.IN_PUBLICITY,
    Stage.OBJECTION_HOLD,
)
"""The stages in which a bid waits for its decision."""

MOST_SUPPORTS = 1_000_000
"""How many supports a base may have had in a year in which nobody counted them: any number."""


def list_uncounted(before: State, event: Event, after: State) -> Iterable[Effect]:
    """What the event does to the round's budget, the base's year and the undecided bids, and does not say itself."""
    yield from _count_bid(before, after)
    if after.part(Award).charge is None:
        yield from _count_award(event, after)


def _count_bid(before: State, after: State) -> Iterable[Effect]:
    was, now = _name_count(before), _name_count(after)
    if was == now:
        return
    for count in was:
        yield free_place(count, after.stream)
    for count in now:
        yield Post(f"{WORLD}{after.stream.realm}/bids", count, 1)


def _name_count(state: State) -> tuple[str, ...]:
    """The account in which the bid is to be counted while it waits and holds no place there; or none."""
    application = state.part(Application)
    is_bid = application.round is not None and application.kind is not ProjectKind.BASE_SUPPORT
    if state.stage not in WAITING or not is_bid or any(key.startswith(UNDECIDED) for key in application.places):
        return ()
    return (undecided(state.stream.realm, application.round or ""),)


def _count_award(event: Event, after: State) -> Iterable[Effect]:
    """The award as the round's budget bears it, and its support as the base's one of that year."""
    stream, round_, proposed_on = after.stream, after.part(Application).round, after.part(Award).proposed_on
    if round_ is None or proposed_on is None:
        return
    base = after.part(Application).base
    place = (support_key(stream.realm, base), f"{proposed_on.year}/{stream}") if base else None
    match event:
        case AwardProposed(award=fen):
            yield Post(f"{WORLD}{stream.realm}/unbudgeted", awarded(stream.realm, round_), fen)
            if place:
                yield Claim(*place, MOST_SUPPORTS)
        case FundsFreed(freed=freed):
            yield from give_back(stream, round_, sum(freed.values()))
            if place and after.stage == Stage.REVOKED:
                yield Release(*place)
        case CommitmentsFreed(split=split):
            yield from give_back(stream, round_, sum(split.values()))
        case _:
            pass
