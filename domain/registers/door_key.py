"""入口密鑰: the public keys by which doors are known, for which seats each may speak, and from when until when.

One stream a key, in the live realm: ``door/live/DK-…``. A key is published and withdrawn once; a signature counts only
if its key stood here when the log took the command in. What is signed is ``domain.kernel.signature``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, assert_never, get_args

from pydantic import AfterValidator, Field

from domain.kernel.bounds import Moment
from domain.kernel.decider import PROPOSALS, Aggregate, Decider
from domain.kernel.effects import Claim, Effect
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import LIVE, Actor, Reason, Role, StreamId
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, ENGINE
from domain.kernel.signature import KeyId
from domain.kernel.state import NONE, Part, State, Transition
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable

KIND: Final = "door"
FIRST: Final = "door/first"
"""The claim that a log's first key takes, for good: it alone is published by its own signature."""
EVERYONE: Final = "*"
"""Every seat, those of roles to come too: for the bureau's own doors."""
CONFIRMERS: Final = (Role.ADMIN, Role.CAB_DEC)
"""Who may be the second person."""
OVERLAP: Final = timedelta(days=1)
"""How long a key that is replaced still counts, unless said otherwise: until every door has the next."""

SKEW: Final = timedelta(seconds=5)
"""How far the clocks of a door and of the log may be apart (store/port.py)."""

_PUBLIC = re.compile(r"[0-9a-f]{64}")
_WEAK: Final = frozenset(
    {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    }
)
"""Points of small order, their sign left out: under such a "key" anybody's signature can be made to hold."""
_SIGN: Final = 0x7F


def _hex(text: str) -> str:
    if _PUBLIC.fullmatch(text) is None:
        message = "公鑰須為 64 位小寫十六進制 / a public key is 64 lower-case hex digits"
        raise ValueError(message)
    return text


def _speaker(text: str) -> str:
    if text == EVERYONE or text in set(Role):
        return text
    return str(Actor(text))


PublicKey = Annotated[str, Field(max_length=64), AfterValidator(_hex)]
"""An Ed25519 public key: 32 raw bytes in hex."""
Speaker = Annotated[str, Field(max_length=40), AfterValidator(_speaker)]
"""A role, e.g. ``CAB-FIN``; one seat, e.g. ``CAB-FIN#1``; or ``*``, every seat."""
Speakers = Annotated[tuple[Speaker, ...], Field(min_length=1, max_length=100, title="可代言之崗位 / speaks for")]


class DoorKeyStage(Words):
    """Whether a key counts, apart from its dates."""

    NONE = NONE, "未公布", "not published"
    PUBLISHED = "PUBLISHED", "已公布", "published"
    ROTATED = "ROTATED", "已更換", "replaced"
    WITHDRAWN = "WITHDRAWN", "已撤回", "withdrawn"


class Publication(Particulars):
    """A key, and what it is for."""

    public: Annotated[PublicKey, Field(title="公鑰 / public key")]
    door: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$", title="入口 / door")]
    """Which door holds it, e.g. ``console``; several keys of one door may follow one another."""
    speaks_for: Speakers
    until: Annotated[Moment | None, Field(title="至 / until")] = None
    """When it ends by itself; left out, it counts until it is withdrawn."""


class DoorKeyPublished(Publication, Event):
    """What is signed by this key counts, within its dates and for its seats."""

    zh = "入口密鑰公布"
    moves = (
        Transition(
            "DK01",
            (DoorKeyStage.NONE,),
            DoorKeyStage.PUBLISHED,
            (Role.ADMIN, Role.SYS),
            "the stream bears the key's id; the log's first key, or two persons",
        ),
    )
    since: Annotated[Moment, Field(title="自 / since")]
    first: Annotated[bool | None, Field(title="首個 / first")] = None
    """Whether it is the log's first key; left out otherwise."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Only one key is ever the first."""
        return (Claim(FIRST, stream.name),) if self.first else ()


class AppointDoorKey(Publication, Command):
    """Publish a log's first key, or the next of a door; nobody asks for it but that first key itself."""

    records = DoorKeyPublished
    by = (Role.SYS,)
    acts_for = (ENGINE,)
    since: Annotated[Moment | None, Field(title="自 / since")] = None
    """From when it counts; left out, from now on."""
    follows: Annotated[str | None, Field(max_length=24, title="接替 / follows")] = None
    """The key whose place it takes; left out of the first."""


class PublishDoorKey(Publication, Command):
    """Let what is signed by this key count."""

    records = DoorKeyPublished
    by = (Role.ADMIN,)
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = CONFIRMERS
    since: Annotated[Moment | None, Field(title="自 / since")] = None
    """From when it counts; left out, from now on."""


class Replacement(Particulars):
    """The key that takes a key's place."""

    successor: Annotated[PublicKey, Field(title="新公鑰 / successor")]


class DoorKeyRotated(Replacement, Event):
    """Another key takes this one's place; for a while both count."""

    zh = "入口密鑰更換"
    moves = (
        Transition(
            "DK02",
            (DoorKeyStage.PUBLISHED,),
            DoorKeyStage.ROTATED,
            (Role.ADMIN,),
            "two persons; the next key is published with it",
        ),
    )
    until: Annotated[Moment, Field(title="至 / until")]
    """When this key ends."""
    door: Annotated[str, Field(max_length=32, title="入口 / door")]
    speaks_for: Speakers


class RotateDoorKey(Replacement, Command):
    """Put another key, for the same door and seats, in this one's place."""

    records = DoorKeyRotated
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = CONFIRMERS
    until: Annotated[Moment | None, Field(title="至 / until")] = None
    """When this key ends; left out, a day from now."""


class Withdrawal(Particulars):
    """Why a key counts no longer."""

    reason: Reason


class DoorKeyWithdrawn(Withdrawal, Event):
    """Nothing more is taken in that is signed by this key. What was taken in before stays."""

    zh = "入口密鑰撤回"
    moves = (
        Transition(
            "DK03",
            (DoorKeyStage.PUBLISHED, DoorKeyStage.ROTATED),
            DoorKeyStage.WITHDRAWN,
            (Role.ADMIN,),
            "two persons",
        ),
    )


class WithdrawDoorKey(Withdrawal, Command):
    """Take the key back, at once and for good: it was lost, or its door is closed."""

    records = DoorKeyWithdrawn
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = CONFIRMERS


Commands = AppointDoorKey | PublishDoorKey | RotateDoorKey | WithdrawDoorKey
Events = DoorKeyPublished | DoorKeyRotated | DoorKeyWithdrawn


@dataclass(frozen=True)
class DoorKeyRecord(Part):
    """A key as its stream stands; blank before it is published."""

    public: str = ""
    door: str = ""
    speaks_for: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    withdrawn_at: datetime | None = None
    successor: str = ""
    """The id of the key that takes its place."""

    def may_speak(self, seat: Actor, realm: str) -> bool:
        """Whether it was published for that seat. In the live realm no door speaks for the engine."""
        if seat.role is Role.SYS and realm == LIVE:
            return False
        return not {EVERYONE, seat, str(seat.role)}.isdisjoint(self.speaks_for)

    def has_begun(self, instant: datetime) -> bool:
        """Whether it counts at that instant already, as far as the clocks of two machines can tell."""
        return self.since is not None and self.since - SKEW <= instant

    def has_ended(self, instant: datetime) -> bool:
        """Whether its end has come by that instant."""
        return self.until is not None and self.until <= instant


def key_stream(key: str) -> StreamId:
    """The stream of that key. Raises ValueError if it is no key's id."""
    return StreamId.of(KIND, LIVE, KeyId(key))


def reads(_state: State, command: Commands) -> Reads:
    """Whether the log has a key yet."""
    return Reads(claims=frozenset({FIRST})) if isinstance(command, AppointDoorKey | PublishDoorKey) else Reads()


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about a key makes happen. Raises CommandRejected."""
    check, key = Checks(), state.part(DoorKeyRecord)
    match command:
        case (
            AppointDoorKey(public=public, since=since, until=until)
            | PublishDoorKey(public=public, since=since, until=until)
        ):
            first = not facts.holders(FIRST)
            is_first_or_next = first or not isinstance(command, AppointDoorKey) or command.follows is not None
            check(
                state.stream.realm == LIVE and state.stream.name == KeyId.of(bytes.fromhex(public)),
                "DK01",
                "此公鑰的卷宗為 {kind}/{live}/{public}",
                "the file of this public key is {kind}/{live}/{public}",
                kind=KIND,
                live=LIVE,
                public=KeyId.of(bytes.fromhex(public)),
            )
            _require_strong(check, "DK01", public)
            check(
                is_first_or_next,
                "DK01",
                "此日誌已有密鑰：其後的密鑰由兩名系統管理員公布",
                "the log has a key already: any other is published by two administrators",
            )
            start = since or order.at
            check(
                until is None or max(start, order.at) < until,
                "DK01",
                "截止時間須在起始時間與現在之後",
                "it must end after it begins, and after now",
            )
            return check.grant(DoorKeyPublished.of(command, since=start, first=first or None))
        case RotateDoorKey(successor=successor, until=until):
            _require_strong(check, "DK02", successor)
            check(
                successor != key.public,
                "DK02",
                "新公鑰與現用者相同",
                "the successor is the key itself",
            )
            end = min(until or order.at + OVERLAP, key.until or datetime.max.replace(tzinfo=order.at.tzinfo))
            check(order.at < end, "DK02", "截止時間須在現在之後", "it must end after now")
            return check.grant(
                DoorKeyRotated.of(command, until=end, door=key.door, speaks_for=key.speaks_for),
            )
        case WithdrawDoorKey():
            return check.grant(DoorKeyWithdrawn.of(command))
        case _:
            assert_never(command)


def _require_strong(check: Checks, rule: str, public: str) -> None:
    raw = bytes.fromhex(public)
    bare = raw[:-1] + bytes([raw[-1] & _SIGN])
    check(
        bare.hex() not in _WEAK,
        rule,
        "這個公鑰是低階點，任何人都能偽造其簽名",
        "that key is a point of small order: anybody could make its signatures",
    )


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the key, for whom it speaks and until when; a successor or a withdrawal ends it."""
    key = state.part(DoorKeyRecord)
    match event:
        case DoorKeyPublished():
            return state.with_parts(
                DoorKeyRecord(event.public, event.door, event.speaks_for, event.since, event.until),
            )
        case DoorKeyRotated(successor=successor, until=until):
            return state.with_parts(replace(key, until=until, successor=KeyId.of(bytes.fromhex(successor))))
        case DoorKeyWithdrawn():
            return state.with_parts(replace(key, withdrawn_at=of.at))
        case _:
            assert_never(event)


def consequences(stream: StreamId, event: Event) -> Iterable[tuple[StreamId, Command]]:
    """The next key is published in the same append, for the same door and seats."""
    if isinstance(event, DoorKeyRotated):
        successor = KeyId.of(bytes.fromhex(event.successor))
        yield (
            stream.sibling(KIND, successor),
            AppointDoorKey(public=event.successor, door=event.door, speaks_for=event.speaks_for, follows=stream.name),
        )


DECIDER = Decider(
    name="door",
    zh="入口密鑰",
    commands=get_args(Commands),
    events=get_args(Events),
    reads=reads,
    decide=decide,
    evolve=evolve,
)

DOOR_KEY = Aggregate(
    kind=KIND,
    zh="入口密鑰",
    en="door key",
    en_many="door keys",
    deciders=(DECIDER, PROPOSALS),
    final=frozenset(DoorKeyStage),
    consequences=consequences,
)
