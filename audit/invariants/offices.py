"""Persons, seats and acts of two: who was on which seat, read from the registers' own events (SD8, SE12, TP03).

Registers of the realm ``live`` judge every realm on the wall clock; a paper realm may have registers of its own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from audit.invariants.recorded_events import midnight, to_date, to_instant
from audit.invariants.wording import call_event, call_seat

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from audit.invariants.recorded_events import Conditions, RecordedEvent

LIVE: Final = "live"
"""The realm whose registers judge who acts on the wall clock."""

KINDS: Final = frozenset({"office", "person", "seat"})
"""The kinds of streams that are registers of persons and seats."""
TYPES: Final = frozenset(
    {"OfficeFounded", "PersonRegistered", "PersonRetired", "ActProposed", "ActConfirmed", "ActDropped"}
    | {"SeatGranted", "SeatLent", "GlassBroken", "SeatWithdrawn"}
)
"""What the registers learn from."""

PRIVILEGED: Final[Mapping[str, str]] = {
    "AbandonDraw": "DrawAbandoned",
    "DecideCase": "CaseDecided",
    "EnterExperts": "ExpertsEntered",
    "ReinstateExpert": "ExpertReinstated",
    "RemoveExpert": "ExpertRemoved",
    "SuspendExpert": "ExpertSuspended",
    "GrantDesignation": "DesignationGranted",
    "WithdrawDesignation": "DesignationWithdrawn",
    "GrantSeat": "SeatGranted",
    "WithdrawSeat": "SeatWithdrawn",
    "LendSeat": "SeatLent",
    "BreakGlass": "GlassBroken",
    "BindLogin": "LoginBound",
    "RetirePerson": "PersonRetired",
    "PublishPolicyPack": "PolicyPackPublished",
    "PublishCalendar": "CalendarPublished",
    "SetClock": "ClockSet",
    "ReturnSurplus": "SurplusReturned",
    "ReleaseFile": "FileReleased",
    "DisposeFile": "FileDisposed",
    "ReceiveClawback": "ClawbackReceived",
    "FailDisbursement": "DisbursementFailed",
    "SetDeadlineAside": "DeadlineSetAside",
}
"""What takes two persons, and the event that it leads to."""


@dataclass(frozen=True)
class Stay:
    """One person's time on one seat, as the log tells it."""

    person: str
    begins: datetime
    ends: datetime | None
    basis: str = ""
    """Empty for whose seat it is."""

    def is_at(self, instant: datetime) -> bool:
        """Whether the person is on it then."""
        return self.begins <= instant and (self.ends is None or instant < self.ends)

    def meets(self, other: Stay) -> bool:
        """Whether any instant lies in both."""
        begins = max(self.begins, other.begins)
        ends = min((e for e in (self.ends, other.ends) if e is not None), default=None)
        return ends is None or begins < ends


@dataclass
class Proposed:
    """An act that waits for its second person."""

    command: str
    digest: str
    persons: frozenset[str]


@dataclass
class Offices:
    """All registers of a log."""

    founded: bool = False
    stays: defaultdict[tuple[str, str], list[Stay]] = field(default_factory=lambda: defaultdict(list))
    """By realm and seat, ``CAB-REG#1``."""
    registered: set[tuple[str, str]] = field(default_factory=set)
    """Realm and person."""
    proposals: dict[tuple[str, int], Proposed] = field(default_factory=dict)
    """By stream and number, as long as they wait."""
    confirmed: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By stream, the version of its last confirmation and the event that must follow."""
    last: Proposed | None = None
    """What was confirmed last: whose grant that is, is judged with who proposed it."""

    def judge(self, require: Conditions, event: RecordedEvent) -> None:
        """Who acted, then what the registers learn of it."""
        self._require_on_seat(require, event)
        self._require_second(require, event)
        match event.type:
            case "OfficeFounded":
                self.founded = True
            case "PersonRegistered":
                self.registered.add((event.realm, event.name))
            case "PersonRetired":
                self.registered.discard((event.realm, event.name))
            case "ActProposed":
                number = event.data.get("proposal")
                proposed = Proposed(event.text("command"), event.text("digest"), event.persons)
                self.proposals[event.stream, int(number or 0)] = proposed
            case "ActConfirmed":
                self._confirm(require, event)
            case "ActDropped":
                self.proposals.pop((event.stream, int(event.data.get("proposal") or 0)), None)
            case "SeatGranted" | "SeatLent" | "GlassBroken":
                self._seat(require, event)
            case "SeatWithdrawn":
                self._unseat(event)
            case _:
                return

    def _require_on_seat(self, require: Conditions, event: RecordedEvent) -> None:
        """SE12: somebody among those who count was on the seat; SE10: on the wall clock, nobody is unknown."""
        if event.role == "SYS" or event.type == "OfficeFounded":
            return
        if not event.persons:
            require(
                not (self.founded and event.realm == LIVE),
                "SE10",
                "{actor} 在實時鐘上經辦，不知何人",
                "{actor} acted on the wall clock, and nobody is known",
                actor=call_seat(event.actor),
            )
            return
        stays = [*self.stays[LIVE, event.actor], *self.stays[event.realm, event.actor]]
        present = {stay.person for stay in stays if stay.is_at(event.at)}
        require(
            event.persons <= present,
            "SE12",
            "{persons} 當時不在崗位 {actor}",
            "{persons} was not on the seat {actor} then",
            persons=sorted(event.persons - present),
            actor=call_seat(event.actor),
        )

    def _require_second(self, require: Conditions, event: RecordedEvent) -> None:
        """TP03: where persons are known, what takes two follows on its confirmation."""
        if not event.persons or event.role == "SYS" or event.type not in PRIVILEGED.values():
            return
        if event.type == "ClockSet" and event.text("clock") != "WALL":
            return
        require(
            self.confirmed.get(event.stream) == (event.version - 1, event.type),
            "TP03",
            "{type} 須兩人，未經另一人確認",
            "{type} takes two persons; no other has confirmed it",
            type=call_event(event.type),
        )

    def _confirm(self, require: Conditions, event: RecordedEvent) -> None:
        number = int(event.data.get("proposal") or 0)
        proposed = self.proposals.pop((event.stream, number), None)
        require(
            proposed is not None
            and proposed.digest.startswith(event.text("digest") or "-")
            and proposed.persons.isdisjoint(event.persons),
            "TP03",
            "提案 {number} 由同一人確認，或所確認並非所提",
            "proposal {number} was confirmed by who proposed it, or is not what was confirmed",
            number=number,
        )
        if proposed is not None:
            self.confirmed[event.stream] = event.version, PRIVILEGED.get(proposed.command, "")
            self.last = proposed

    def _seat(self, require: Conditions, event: RecordedEvent) -> None:
        """SD8: on the register, not by oneself, one holder at a time, and no administrator on a seat of business."""
        seat, stay = _seat_of(event), _stay(event)
        deciders = event.persons | (self.last.persons if self.last is not None and event.persons else frozenset())
        rivals = [s for s in self.stays[event.realm, seat] if s.meets(stay) and not s.basis and not stay.basis]
        others = {
            other
            for (realm, other), stays in self.stays.items()
            if realm == event.realm and any(s.person == stay.person and s.meets(stay) for s in stays)
        }
        mixed = [other for other in others if other.startswith("ADMIN#") is not seat.startswith("ADMIN#")]
        require(
            (event.realm, stay.person) in self.registered and stay.person not in deciders and not rivals and not mixed,
            "SD8",
            "{person} 到崗 {seat} 不合規：未登記、自授、重複或兼任",
            "{person} may not be on {seat}: not registered, by themselves, taken, or on the other side too",
            person=stay.person,
            seat=call_seat(seat),
        )
        self.stays[event.realm, seat].append(stay)

    def _unseat(self, event: RecordedEvent) -> None:
        key, person = (event.realm, _seat_of(event)), event.text("person")
        self.stays[key] = [
            replace(s, ends=event.at if s.ends is None else min(s.ends, event.at)) if s.person == person else s
            for s in self.stays[key]
        ]


def _seat_of(event: RecordedEvent) -> str:
    role, _, number = event.name.rpartition(".")
    return f"{role}#{number}"


def _stay(event: RecordedEvent) -> Stay:
    since, until = to_date(event.data.get("since")), event.data.get("until")
    begins = event.at if since is None else max(event.at, midnight(since - timedelta(days=1)))
    match event.type:
        case "GlassBroken":
            return Stay(event.text("person"), event.at, to_instant(until), "BREAK_GLASS")
        case _:
            last = to_date(until)
            ends = None if last is None else midnight(last)
            return Stay(event.text("person"), begins, ends, "STAND_IN" if event.type == "SeatLent" else "")
