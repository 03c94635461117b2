"""A scenario becomes a plan, every row a typed command on a stream at an instant; or all that is wrong with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from uuid import UUID

from application.command_input import CommandUnknown, read_command, resolve_command
from domain.catalogue import AGGREGATES, kind_of_subject, list_stages, split_subject
from domain.kernel.calendar import day_ends, local_day
from domain.kernel.canonical import digest
from domain.kernel.explanation import InputInvalid
from domain.kernel.field_shape import Notation
from domain.kernel.identity import Actor, Role, StreamId, derive_id
from domain.kernel.input import at_hour, read_fields
from domain.kernel.relation import scope_kind
from domain.kernel.scope import Scope, is_whole
from domain.registers.person import RegisterPerson, person_stream
from domain.registers.seat import EstablishSeat, GrantSeat, seat_stream
from scenarios.format import UNREAD_REFUSAL, UNREAD_ROW, Scenario
from schemes import packs
from schemes.document import Document, DocumentFault, DocumentInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from domain.kernel.acting import PersonId
    from domain.kernel.explanation import Place
    from domain.kernel.input import AttachFile
    from domain.kernel.message import Command
    from domain.kernel.scheme import Scheme
    from scenarios.format import MustRefuse, Row

ROW_HOUR = time(9)
REFUSAL_HOUR = time(8)
_FROM_PROJECT = frozenset({"bidding", "award", "contract"})
"""The rooms whose commands may take what is known of a project beforehand."""
_FROM_DEFAULTS = frozenset({"round", "need", "panel"})
"""The kinds of stream whose commands may take the scenario's defaults, besides those rooms."""


@dataclass(frozen=True)
class PlannedCommand:
    """One command to be given, and what must come of it."""

    number: int
    """Of the row or refusal, from 1."""
    line: int
    at: datetime
    stream: StreamId
    command: Command
    actor: Actor
    command_id: UUID
    person: PersonId | None = None
    """Who asks on that seat; None where it is bare, or whoever it belongs to by then."""
    must_refuse: str | None = None
    """The rule that must refuse it."""
    why: str = ""


@dataclass(frozen=True)
class Expectation:
    """An event that the clock must bring about by itself on that day."""

    number: int
    line: int
    day: date
    stream: StreamId
    event_type: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """A scenario, ready to be played in a realm of its own."""

    scenario: Scenario
    document: Document
    realm: str
    """The scenario's id and the digest of its content: the same file goes on where it stopped, another starts anew."""
    scheme: Scheme
    orders: tuple[PlannedCommand, ...]
    expectations: tuple[Expectation, ...]
    appointments: tuple[PlannedCommand, ...] = ()
    """What puts the story's persons on their seats before its first row."""

    @property
    def begins(self) -> datetime:
        """Midnight before the first row: when calendars and scheme are published."""
        first = min(o.at for o in self.orders)
        return day_ends(local_day(first) - timedelta(days=1))

    @property
    def ends(self) -> datetime:
        """The end of the last row's day."""
        days = [local_day(o.at) for o in self.orders] + [e.day for e in self.expectations]
        return day_ends(max(days))

    def stream(self, subject: str) -> StreamId:
        """The stream that a subject of this scenario names."""
        return StreamId.of(kind_of_subject(subject), self.realm, self.names.get(subject, subject))

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Project numbers and the application numbers that their streams bear."""
        return _stream_names(self.scenario)


def read_plan(document: Document, *, fresh: str = "", attach: AttachFile | None = None) -> Plan:
    """The plan of the scenario in a document. Raises DocumentInvalid with every fault, of its form and of its rows.

    ``attach`` reads the file that ``@path`` names; without it no file is read.
    """
    try:
        scenario = document.parse(Scenario)
    except DocumentInvalid as invalid:
        raise DocumentInvalid([*invalid.faults, *_other_faults(document, attach)]) from None
    return plan(scenario, document, fresh=fresh, attach=attach)


def _other_faults(document: Document, attach: AttachFile | None) -> tuple[DocumentFault, ...]:
    """What is wrong with the rows that can be read, where others of the document cannot."""
    try:
        readable = read_fields(Scenario, _readable(document.data), Notation.DATA)
        plan(readable, document, attach=attach)
    except DocumentInvalid as invalid:
        return invalid.faults
    except InputInvalid:
        pass  # told already, with the faults of the form
    return ()


def _readable(data: object) -> dict[str, object]:
    """The scenario without what cannot be read; rows that cannot leave a blank, so that the others keep their place."""
    if not isinstance(data, dict):
        return {}
    try:
        read_fields(Scenario, data, Notation.DATA)
    except InputInvalid as invalid:
        places = [f.place for f in invalid.faults if f.place]
    else:
        return data
    stand_ins: dict[str, object] = {"id": "X", "scheme": "hangzhou"}
    readable: dict[str, object] = stand_ins | data
    blanks = {"events": UNREAD_ROW, "must_refuse": UNREAD_REFUSAL}
    for name in {place[0] for place in places}:
        rows = [place[1] for place in places if place[0] == name and len(place) > 1]
        if name in blanks and rows and isinstance(data[name], list):
            readable[name] = [blanks[name] if i in rows else row for i, row in enumerate(data[name])]
        else:
            readable.pop(str(name), None)
            readable = stand_ins | readable
    return readable


def plan(scenario: Scenario, document: Document, *, fresh: str = "", attach: AttachFile | None = None) -> Plan:
    """The plan of a scenario; ``fresh`` makes it another realm than the last time, as another attached file does.

    Raises DocumentInvalid with every fault.
    """
    return _PlanBuilder(scenario, document, fresh, attach).plan()


def _stream_names(scenario: Scenario) -> dict[str, str]:
    return {pj: str(known.get("application", pj)) for pj, known in scenario.projects.items()}


class _PlanBuilder:
    def __init__(self, scenario: Scenario, document: Document, fresh: str, attach: AttachFile | None) -> None:
        self._scenario = scenario
        self._document = document
        self._attach = None if attach is None else cache(attach)
        content = {"scenario": scenario.model_dump(mode="json"), "fresh": fresh}
        if attached := dict(self._list_attached(content["scenario"])):
            content["attached"] = attached
        self._realm = f"{scenario.id}-{digest(content)[:8]}"
        self._names = _stream_names(scenario)
        self._header = {app: scenario.projects[pj] | {"project": pj} for pj, app in self._names.items()}
        self._faults: list[DocumentFault] = []
        self._used: set[str] = set()
        self._pinned: dict[str, Any] = {}

    def _list_attached(self, value: object) -> Iterator[tuple[str, str]]:
        """Every ``@path`` that names a file, with its digest; what else begins so is text, or told with its row."""
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for each in value:
                yield from self._list_attached(each)
        elif isinstance(value, str) and value.startswith("@") and self._attach is not None:
            with suppress(OSError):
                yield value, self._attach(value[1:]).sha256

    def plan(self) -> Plan:
        scheme = self._scheme()
        if scheme is not None:
            self._pinned = {"scheme": scheme.ref.model_dump()}
        moments = self._moments()
        orders: list[PlannedCommand] = []
        expectations: list[Expectation] = []
        for i, (row, at) in enumerate(zip(self._scenario.events, moments, strict=True)):
            self._row(i, row, at, orders, expectations)
        orders.extend(self._refusals())
        self._seats()
        self._unused_header()
        self._unknown_projects()
        if self._faults or scheme is None:
            raise DocumentInvalid(self._faults)
        orders.sort(key=lambda o: o.at)
        whole = Plan(self._scenario, self._document, self._realm, scheme, tuple(orders), tuple(expectations))
        return replace(whole, appointments=tuple(self._appointments(whole.begins)))

    def _appointments(self, at: datetime) -> Iterator[PlannedCommand]:
        """Persons on the realm's own register and on its seats, by its administrators, who are bare themselves."""
        holders = (seat.person for seat in self._scenario.seats.values() if seat.person is not None)
        for person in dict.fromkeys((*self._scenario.persons, *holders)):
            yield self._appointment(at, person_stream(self._realm, person), RegisterPerson(), ("persons",))
        for actor, seat in self._scenario.seats.items():
            stream, place = seat_stream(self._realm, actor), ("seats", str(actor))
            scope = Scope(kind=scope_kind(actor.role), names=seat.names)
            yield self._appointment(at, stream, EstablishSeat(scope=scope), place)
            if seat.person is not None:
                yield self._appointment(at, stream, GrantSeat(person=seat.person), place)

    def _appointment(self, at: datetime, stream: StreamId, command: Command, place: Place) -> PlannedCommand:
        command_id = derive_id("scenario", self._realm, "appointment", stream, command.command_type)
        return PlannedCommand(0, self._document.line(place), at, stream, command, Actor("ADMIN#1"), command_id)

    def _seats(self) -> None:
        """A seat that acts for somebody says for whom; the others name nobody."""
        for actor, seat in self._scenario.seats.items():
            kind = scope_kind(actor.role)
            if actor.role in (Role.SYS, Role.ADMIN):
                zh, en = f"{actor} 不在情景中設立", f"{actor} is not set up in a scenario"
                self._fault(("seats", str(actor)), zh, en)
            elif is_whole(kind) is bool(seat.names):
                self._fault(
                    ("seats", str(actor)),
                    f"{kind.zh}的崗位{'不列名稱' if seat.names else '須列所代表者，如 for: [ORG-3]'}",
                    f"a seat for a {kind} {'names nobody' if seat.names else 'says for whom it acts: for: [ORG-3]'}",
                )

    def _holder(self, actor: Actor) -> PersonId | None:
        """Who is on that seat from the beginning."""
        seat = self._scenario.seats.get(actor)
        return None if seat is None else seat.person

    def _scheme(self) -> Scheme | None:
        try:
            return packs.vary(packs.load_shipped(self._scenario.scheme), self._scenario.policy)
        except DocumentInvalid as faulty:
            self._faults.extend(self._document.fault(("scheme",), f.zh, f.en) for f in faulty.faults)
        except InputInvalid as invalid:
            self._faults.extend(self._document.locate(invalid.faults, ("policy",)))
        return None

    def _fault(self, place: Place, zh: str, en: str) -> None:
        self._faults.append(self._document.fault(place, zh, en))

    def _moments(self) -> Iterator[datetime]:
        """The instant of each row; rows stand in the order of time."""
        last: datetime | None = None
        for i, row in enumerate(self._scenario.events):
            if row is UNREAD_ROW:
                yield last or at_hour(row.at, ROW_HOUR)
                continue
            at = at_hour(row.at, ROW_HOUR)
            if last is not None and not isinstance(row.at, datetime) and local_day(last) == row.at:
                at = max(at, last + timedelta(minutes=1))
            if last is not None and at < last:
                self._fault(
                    ("events", i),
                    f"日期 {row.at} 早於上一行，請按時間排列",
                    f"{row.at} lies before the row above; put the rows in order of time",
                )
            last = at
            yield at

    def _row(
        self, i: int, row: Row, at: datetime, orders: list[PlannedCommand], expectations: list[Expectation]
    ) -> None:
        match = None if row is UNREAD_ROW else self._command(("events", i), 1, row.event, row.subject)
        if match is None:
            return
        stream, command_type, subject_part = match
        line = self._document.line(("events", i))
        if row.actor.role is Role.SYS:
            command_type = _timer_command(command_type, stream.kind)
        if command_type.by == (Role.SYS,):
            data = command_type.about(subject_part, row.data)
            for key in data.keys() - command_type.records.model_fields.keys():
                zh = f"{command_type.records.event_type} 沒有 {key}"
                self._fault(("events", i, 4, key), zh, f"{command_type.records.event_type} has no {key}")
            expectations.append(Expectation(i + 1, line, local_day(at), stream, command_type.records.event_type, data))
            return
        command = self._particulars(("events", i, 4), stream, command_type, subject_part, row.data)
        if command is not None:
            command_id = derive_id("scenario", self._realm, "event", str(i))
            person = row.person or self._holder(row.actor)
            orders.append(PlannedCommand(i + 1, line, at, stream, command, row.actor, command_id, person, why=row.why))

    def _refusals(self) -> Iterator[PlannedCommand]:
        minutes: dict[date, int] = {}
        for i, refusal in enumerate(self._scenario.must_refuse):
            if refusal is UNREAD_REFUSAL:
                continue
            at = at_hour(refusal.at, REFUSAL_HOUR)
            if not isinstance(refusal.at, datetime):
                at += timedelta(minutes=minutes.setdefault(refusal.at, 0))
                minutes[refusal.at] += 1
            command = self._refusal(i, refusal, at)
            if command is not None:
                yield command

    def _refusal(self, i: int, refusal: MustRefuse, at: datetime) -> PlannedCommand | None:
        place: Place = ("must_refuse", i)
        self._require_rule((*place, "code"), refusal.code)
        match = self._command(place, "command", refusal.command, refusal.subject)
        if match is None:
            return None
        stream, command_type, subject_part = match
        command = self._particulars((*place, "data"), stream, command_type, subject_part, refusal.data)
        if command is None:
            return None
        actor = refusal.actor or Actor(f"{command_type.by[0]}#1")
        command_id = derive_id("scenario", self._realm, "refusal", str(i))
        line = self._document.line(place)
        person = refusal.person or self._holder(actor)
        return PlannedCommand(i + 1, line, at, stream, command, actor, command_id, person, must_refuse=refusal.code)

    def _command(
        self, place: Place, column: int | str, event: str, subject: str
    ) -> tuple[StreamId, type[Command], str] | None:
        name, part = split_subject(subject)
        try:
            kind = kind_of_subject(name)
            stream = StreamId.of(kind, self._realm, self._names.get(name, name))
        except (KeyError, ValueError):
            self._fault(
                place,
                f"不認識對象 {subject}；以 PJ- AP- ND- R- RP- ORG- BASE- FS- 開頭",
                f"unknown subject {subject}; it begins with PJ- AP- ND- R- RP- ORG- BASE- FS-",
            )
            return None
        try:
            return stream, resolve_command(event, kind), part
        except CommandUnknown as unknown:
            self._fault((*place, column), unknown.zh, unknown.en)
            return None

    def _particulars(
        self, place: Place, stream: StreamId, command_type: type[Command], part: str, data: Mapping[str, Any]
    ) -> Command | None:
        given = dict(data)
        room = AGGREGATES[stream.kind].commands[command_type].name
        if room in _FROM_PROJECT or stream.kind in _FROM_DEFAULTS:
            known = {**self._pinned, **self._scenario.defaults, **self._header.get(stream.name, {})}
            self._used.update(known.keys() & command_type.model_fields.keys())
            own = {**given, command_type.subject_field: part} if part else given
            given = {k: v for k, v in known.items() if k in command_type.model_fields and k not in own} | given
        try:
            return read_command(command_type, part, given, Notation.DATA, attach=self._attach)
        except InputInvalid as invalid:
            for fault in invalid.faults:
                texts = _prefix_command(command_type, (fault.zh, fault.en))
                self._fault((*place, *fault.place), *texts)
            return None

    def _require_rule(self, place: Place, code: str) -> None:
        """A rule that no code refuses by would be waited for in vain."""
        rules = known_rules()
        if code not in rules:
            near = get_close_matches(code, rules, n=3, cutoff=0.5)
            zh, en = f"沒有規則 {code}", f"there is no rule {code}"
            texts = (
                (f"{zh}；相近者：{'、'.join(near)}", f"{en}; resembling it: {', '.join(near)}") if near else (zh, en)
            )
            self._fault(place, *texts)

    def _unused_header(self) -> None:
        """A header's word that no command takes is a spelling mistake, not a decoration."""
        known = self._used | {"application", "project"}
        for pj, header in self._scenario.projects.items():
            for key in header.keys() - known:
                self._fault(
                    ("projects", pj, key),
                    f"沒有命令用到 {key}，請刪去或改正拼寫",
                    f"no command takes {key}; remove it or mend its spelling",
                )

    def _unknown_projects(self) -> None:
        """How a project must end can be said of those only that occur."""
        stages = list_stages("project")
        for name, end in self._scenario.expect.items():
            if end.state not in stages:
                near = "、".join(get_close_matches(end.state, stages, n=3)) or "—"
                self._fault(
                    ("expect", name, "state"),
                    f"沒有階段 {end.state}，相近者：{near}",
                    f"there is no stage {end.state}; resembling it: {near}",
                )
        names = {split_subject(row.subject)[0] for row in self._scenario.events} | set(self._scenario.projects)
        if not any(row is UNREAD_ROW for row in self._scenario.events):
            for name in self._scenario.expect.keys() - names:
                self._fault(("expect", name), f"沒有項目 {name}", f"there is no project {name}")


@cache
def known_rules() -> frozenset[str]:
    """Every rule that can refuse a command; ``./run generate`` writes the list from the code."""
    return frozenset(files("scenarios").joinpath("rules.txt").read_text(encoding="utf-8").split())


def _timer_command(command_type: type[Command], kind: str) -> type[Command]:
    """The deadline's command, where a person's and the timer's lead to one event; the same where there is none."""
    of_the_event = (c for c in AGGREGATES[kind].commands if c.records is command_type.records)
    return next((c for c in of_the_event if c.by == (Role.SYS,)), command_type)


def _prefix_command(command_type: type[Command], texts: tuple[str, str]) -> tuple[str, str]:
    zh, en = texts
    return f"{command_type.zh()}：{zh}", f"{command_type.command_type}: {en}"
