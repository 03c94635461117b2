"""密封遞交: an organisation commits to a bid before the close, without showing it (SB01)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, assert_never

from pydantic import Field

from domain.application import Application
from domain.kernel.bounds import Name
from domain.kernel.calendar import Calendar, local_day
from domain.kernel.decider import Decider
from domain.kernel.effects import Claim, Effect
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.identifier import Role, StreamId
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.state import State
from domain.project.bidders import BIDDER
from domain.project.bidding import bid_key, require_place
from domain.project.seal import Seal
from domain.project.stage import Stage
from domain.registers.organisation import require_authorised, require_fundable
from domain.round.call import require_open
from domain.round.custody import Custody

if TYPE_CHECKING:
    from collections.abc import Iterable


class Commitment(Particulars):
    """Whose bid in which round it is, and what binds it."""

    round: Annotated[Name, Field(title="屆（年度） / round")]
    organisation: Annotated[Name, Field(title="組織 / organisation")]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", title="校驗值 / digest")]
    """Over the bid and a nonce, as docs/sealed.md says."""


class ApplicationSealed(Commitment, Event):
    """A bid is committed to, for the first time or anew; its content lies with the bidder."""

    zh = "密封遞交"
    en = "sealed application handed in"
    places: Annotated[dict[str, int], Field(title="名額 / places")]
    """The organisation's place in the round and how many there are; none if it is held already."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Take the organisation's place in the round."""
        for key, limit in sorted(self.places.items()):
            yield Claim(key, stream, limit)


class SealApplication(Commitment, Command):
    """Commit to a bid."""

    records = ApplicationSealed
    en_words = "hand in a sealed application"
    by = (Role.SO_LEGAL,)
    acts_for = (BIDDER,)
    during = (Stage.NONE,)
    rule = "SB01"


def reads(state: State, command: SealApplication) -> Reads:
    """The round, the organisation, and who holds its places."""
    streams = {
        state.stream.sibling("round", command.round),
        state.stream.sibling("organisation", command.organisation),
    }
    return Reads(frozenset(streams), frozenset({bid_key(state.stream.realm, command.round, command.organisation)}))


def decide(state: State, facts: Facts, order: Order, command: SealApplication) -> list[Event]:
    """What an order to seal makes happen. Raises CommandRejected."""
    check, before = Checks(), state.part(Application)
    rules = require_scheme(check, facts).bidding
    round_ = facts.of(state.stream.sibling("round", command.round))
    custody = round_.part(Custody)
    check(rules.sealed, "SB01", "本辦法不密封申報，請直接提交", "these rules seal nothing; hand the application in")
    require_open(check, round_, facts.calendar, order.at, "D1")
    check(
        custody.custodians and not custody.released,
        "SB01",
        "本屆尚未指定開標監督人",
        "the custodians of this call have not been appointed yet",
    )
    check(
        before.round in (None, command.round),
        "SB01",
        "本申報屬 {round}",
        "this application is in {round}",
        round=before.round,
    )
    organisation = facts.of(state.stream.sibling("organisation", command.organisation))
    require_authorised(check, organisation, order.actor)
    require_fundable(check, organisation, local_day(order.at), facts.scheme, "D5")
    key, limit = bid_key(state.stream.realm, command.round, command.organisation), rules.per_organisation
    require_place(check, state, facts, key, name=command.organisation, round_=command.round, limit=limit)
    return check.grant(ApplicationSealed.of(command, places={} if key in before.places else {key: limit}))


def evolve(state: State, _of: Occurrence, event: ApplicationSealed) -> State:
    """Keep who bids in which round and the digest of the sealed bid, nothing of what it says."""
    match event:
        case ApplicationSealed():
            application = state.part(Application)
            after = replace(
                application,
                organisation=event.organisation,
                round=event.round,
                places=(*application.places, *sorted(event.places)),
            )
            return state.with_parts(after, Seal(event.digest))
        case _:
            assert_never(event)


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The bid itself, once it may be shown."""
    if state.stage == Stage.NONE and state.part(Seal).digest:
        zh, en = "開標後提交所密封的申報書", "hand in what was sealed, once it is opened"
        yield Awaited((Role.SO_LEGAL,), "SubmitApplication", "", zh, en)


DECIDER = Decider(
    name="sealing",
    zh="密封遞交",
    commands=(SealApplication,),
    events=(ApplicationSealed,),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)
