"""A scenario becomes a plan, every row a typed command on a stream at an instant; or all that is wrong with it."""

from __future__ import annotations

from collections import defaultdict
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
from domain.kernel.identifier import Actor, Role, StreamId, derive_id
from domain.kernel.input import OPENING_HOUR, at_hour, read_fields
from domain.kernel.relation import scope_kind
from domain.kernel.scope import Scope, is_whole
from domain.registers.person import RegisterPerson, person_stream
from domain.registers.seat import EstablishSeat, GrantSeat, seat_stream
from scenarios.format import (
    COLUMNS,
    LEAST_COLUMNS,
    UNREAD_ACTOR,
    UNREAD_DATA,
    UNREAD_DAY,
    UNREAD_REFUSAL,
    UNREAD_ROW,
    Scenario,
    read_refusal,
    read_row,
)
from schemes import scheme_file
from schemes.document import DocumentFault, DocumentInvalid, YamlDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from domain.kernel.acting import PersonId
    from domain.kernel.explanation import InputFault, Place
    from domain.kernel.input import AttachFile
    from domain.kernel.message import Command
    from domain.kernel.scheme import Scheme
    from scenarios.format import MustRefuse, Row

REFUSAL_HOUR = time(8)
_FROM_PROJECT = frozenset({"bidding", "award", "contract"})
"""The deciders whose commands may take what is known of a project beforehand."""
_FROM_DEFAULTS = frozenset({"round", "need", "panel"})
"""The kinds of stream whose commands may take the scenario's defaults, besides those deciders."""


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
    document: YamlDocument
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


def read_plan(document: YamlDocument, *, fresh: str = "", attach: AttachFile | None = None) -> Plan:
    """The plan of the scenario in a document. Raises DocumentInvalid with every fault, of its form and of its rows.

    ``attach`` reads the file that ``@path`` names; without it no file is read.
    """
    document = _name_columns(document)
    try:
        scenario = document.parse(Scenario)
    except DocumentInvalid as invalid:
        raise DocumentInvalid([*invalid.faults, *_other_faults(document, attach)]) from None
    return plan(scenario, document, fresh=fresh, attach=attach)


def _other_faults(document: YamlDocument, attach: AttachFile | None) -> tuple[DocumentFault, ...]:
    """What is wrong with whatever can be read, where something else of the document cannot."""
    if not isinstance(document.data, dict):
        return ()
    legible, unread = _leave_out_unread(document.data)
    try:
        _PlanBuilder(read_fields(Scenario, legible, Notation.YAML), document, "", attach, unread).plan()
    except DocumentInvalid as invalid:
        return invalid.faults
    return ()


def _leave_out_unread(data: dict[str, object]) -> tuple[dict[str, object], frozenset[str]]:
    """The scenario without what cannot be read, and the sections that lack something for it.

    Of a row, what cannot be read leaves a blank, so that the rest of it is looked at and the others keep their place.
    """
    unread: defaultdict[str, defaultdict[object, set[str]]] = defaultdict(lambda: defaultdict(set))
    try:
        read_fields(Scenario, data, Notation.YAML)
    except InputInvalid as invalid:
        for place in (fault.place for fault in invalid.faults):
            section, member, column, *_ = (*place, "", "", "")
            unread[str(section)][member].add(str(column))
    legible: dict[str, object] = {**_STAND_INS, **data}
    for section, members in unread.items():
        value = data.get(section)
        if isinstance(value, list) and "" not in members and section in _ROWS:
            read = _ROWS[section]
            legible[section] = [read(row, members[i]) if i in members else row for i, row in enumerate(value)]
        elif isinstance(value, dict) and "" not in members:
            legible[section] = {name: member for name, member in value.items() if name not in members}
        elif section in _STAND_INS:
            legible[section] = _STAND_INS[section]
        else:
            legible.pop(section, None)
    return legible, frozenset(unread)


_ROWS: Mapping[str, Callable[[object, set[str]], object]] = {"events": read_row, "must_refuse": read_refusal}
_STAND_INS: Mapping[str, object] = {"id": "X", "scheme": "hangzhou", "events": [UNREAD_ROW]}


def _name_columns(document: YamlDocument) -> YamlDocument:
    """The document with the columns of its rows by their names, however they are written."""
    rows = document.data.get("events") if isinstance(document.data, dict) else None
    if not isinstance(rows, list):
        return document
    listed = {i for i, row in enumerate(rows) if isinstance(row, list) and LEAST_COLUMNS <= len(row) <= len(COLUMNS)}
    named = [dict(zip(COLUMNS, row, strict=False)) if i in listed else row for i, row in enumerate(rows)]
    lines = {
        (*place[:2], COLUMNS[int(place[2])], *place[3:])
        if place[0:1] == ("events",) and place[1:2] and place[1] in listed and place[2:3]
        else place: line
        for place, line in document.lines.items()
    }
    return replace(document, data={**document.data, "events": named}, lines=lines)


def plan(scenario: Scenario, document: YamlDocument, *, fresh: str = "", attach: AttachFile | None = None) -> Plan:
    """The plan of a scenario; ``fresh`` makes it another realm than the last time, as another attached file does.

    Raises DocumentInvalid with every fault.
    """
    return _PlanBuilder(scenario, document, fresh, attach).plan()


def _stream_names(scenario: Scenario) -> dict[str, str]:
    return {pj: str(known.get("application", pj)) for pj, known in scenario.projects.items()}


class _PlanBuilder:
    def __init__(
        self,
        scenario: Scenario,
        document: YamlDocument,
        fresh: str,
        attach: AttachFile | None,
        unread: frozenset[str] = frozenset(),
    ) -> None:
        self._scenario = scenario
        self._document = _name_columns(document)
        self._unread = unread
        """The sections that lack something, since it cannot be read."""
        self._attach = None if attach is None else cache(attach)
        content = {"scenario": scenario.model_dump(mode="json"), "fresh": fresh}
        if attached := dict(self._list_attached(content["scenario"])):
            content["attached"] = attached
        self._realm = f"{scenario.id}-{digest(content)[:8]}"
        self._names = _stream_names(scenario)
        self._project_of = {app: pj for pj, app in self._names.items()}
        self._faults: list[DocumentFault] = []
        self._used: set[str] = set()
        self._read: set[Place] = set()
        """What is known beforehand and was read with some row."""
        self._whole = True
        """Whether it can be told of every row what it takes."""
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
        self._pinned = {"scheme": scheme.ref.model_dump() if scheme else {"name": "hangzhou", "version": 1}}
        moments = self._moments()
        orders: list[PlannedCommand] = []
        expectations: list[Expectation] = []
        for i, (row, at) in enumerate(zip(self._scenario.events, moments, strict=True)):
            self._row(i, row, at, orders, expectations)
        orders.extend(self._refusals())
        self._seats()
        self._unread_beforehand()
        self._unused_header()
        self._unknown_projects()
        if self._faults or scheme is None or self._unread:
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
            return scheme_file.vary(scheme_file.load_shipped(self._scenario.scheme), self._scenario.policy)
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
            if row.at == UNREAD_DAY:
                yield last or at_hour(row.at, OPENING_HOUR)
                continue
            at = at_hour(row.at, OPENING_HOUR)
            if last is not None and not isinstance(row.at, datetime) and local_day(last) == row.at:
                at = max(at, last + timedelta(minutes=1))
            if last is not None and at < last:
                self._fault(
                    ("events", i, "at"),
                    f"日期 {row.at} 早於上一行，請按時間排列",
                    f"{row.at} lies before the row above; put the rows in order of time",
                )
            last = at
            yield at

    def _row(
        self, i: int, row: Row, at: datetime, orders: list[PlannedCommand], expectations: list[Expectation]
    ) -> None:
        match = None if row is UNREAD_ROW else self._command(("events", i), "event", row.event, row.subject)
        if match is None:
            self._whole = False
            return
        stream, command_type, subject_part = match
        line = self._document.line(("events", i))
        timer_command = _timer_command(command_type, stream.kind)
        if row.actor is UNREAD_ACTOR and timer_command is not command_type:
            self._whole = False
            return  # a person's or the clock's, and which has other particulars
        if row.actor.role is Role.SYS:
            command_type = timer_command
        if command_type.by == (Role.SYS,):
            data = command_type.about(subject_part, row.data)
            for key in data.keys() - command_type.records.model_fields.keys():
                zh = f"{command_type.records.event_type} 沒有 {key}"
                self._fault(("events", i, "data", key), zh, f"{command_type.records.event_type} has no {key}")
            expectations.append(Expectation(i + 1, line, local_day(at), stream, command_type.records.event_type, data))
            return
        command = self._particulars(("events", i), stream, command_type, subject_part, row.data)
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
        if refusal.code:
            self._require_rule((*place, "code"), refusal.code)
        match = self._command(place, "command", refusal.command, refusal.subject)
        if match is None:
            return None
        stream, command_type, subject_part = match
        command = self._particulars(place, stream, command_type, subject_part, refusal.data)
        if command is None:
            return None
        actor = refusal.actor or Actor(f"{command_type.by[0]}#1")
        command_id = derive_id("scenario", self._realm, "refusal", str(i))
        line = self._document.line(place)
        person = refusal.person or self._holder(actor)
        return PlannedCommand(i + 1, line, at, stream, command, actor, command_id, person, must_refuse=refusal.code)

    def _command(
        self, place: Place, column: str, event: str, subject: str
    ) -> tuple[StreamId, type[Command], str] | None:
        name, part = split_subject(subject)
        try:
            kind = kind_of_subject(name)
            stream = StreamId.of(kind, self._realm, self._names.get(name, name))
        except (KeyError, ValueError):
            self._fault(
                (*place, "subject"),
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
        beforehand = self._list_beforehand(stream, command_type)
        self._used.update(beforehand)
        if data is UNREAD_DATA:
            return None
        fields = dict(data)
        own = {**fields, command_type.subject_field: part} if part else fields
        taken = {name: known for name, known in beforehand.items() if name not in own}
        self._read.update(source for source, _ in taken.values())
        try:
            values = {name: value for name, (_, value) in taken.items()} | fields
            return read_command(command_type, part, values, Notation.YAML, attach=self._attach)
        except InputInvalid as invalid:
            for fault in invalid.faults:
                name = str(fault.place[0]) if fault.place else ""
                if name in taken:
                    self._fault((*taken[name][0], *fault.place[1:]), fault.zh, fault.en)
                elif name in fields or not fault.place or not self._lacks(stream, command_type):
                    texts = _prefix_command(command_type, (fault.zh, fault.en))
                    self._fault((*place, "data", *fault.place) if fault.place else (*place, "subject"), *texts)
            return None

    def _list_beforehand(self, stream: StreamId, command_type: type[Command]) -> dict[str, tuple[Place, object]]:
        """What is known of that command's fields besides its row, and where the file says so."""
        if not _takes_beforehand(stream.kind, command_type):
            return {}
        known: dict[str, tuple[Place, object]] = {name: (("scheme",), ref) for name, ref in self._pinned.items()}
        known |= {name: (("defaults", name), value) for name, value in self._scenario.defaults.items()}
        if (pj := self._project_of.get(stream.name)) is not None:
            known |= {name: (("projects", pj, name), value) for name, value in self._scenario.projects[pj].items()}
            known["project"] = (("projects", pj), pj)
        return {name: one for name, one in known.items() if name in command_type.model_fields}

    def _lacks(self, stream: StreamId, command_type: type[Command]) -> bool:
        """Whether what the command lacks may stand where nothing could be read."""
        return not self._unread.isdisjoint(("projects", "defaults")) and _takes_beforehand(stream.kind, command_type)

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

    def _unread_beforehand(self) -> None:
        """What no row has taken is looked at for itself: by the first command that might."""
        sections: list[tuple[Place, Mapping[str, Any]]] = [(("defaults",), self._scenario.defaults)]
        sections += [(("projects", pj), header) for pj, header in self._scenario.projects.items()]
        for place, values in sections:
            for name, value in values.items():
                takers = [] if (*place, name) in self._read else list(_list_takers(name))
                faults = [self._misread(taker, name, value) for taker in takers]
                if faults and all(faults):
                    self._faults += self._document.locate(faults[0], place)

    def _misread(self, command_type: type[Command], name: str, value: object) -> list[InputFault]:
        try:
            read_fields(command_type, {name: value}, Notation.YAML, attach=self._attach)
        except InputInvalid as invalid:
            return [fault for fault in invalid.faults if fault.place[:1] == (name,)]
        return []

    def _unused_header(self) -> None:
        """A word that no command takes is a spelling mistake, not a decoration."""
        for pj, header in self._scenario.projects.items():
            for name in header.keys() - self._used - {"application", "project"}:
                if self._whole or not any(_list_takers(name)):
                    self._unused(("projects", pj, name))
        for name in self._scenario.defaults.keys() - self._used:
            if not any(_list_takers(name)):
                self._unused(("defaults", name))

    def _unused(self, place: Place) -> None:
        zh = f"沒有命令用到 {place[-1]}，請刪去或改正拼寫"
        self._fault(place, zh, f"no command takes {place[-1]}; remove it or mend its spelling")

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


def _takes_beforehand(kind: str, command_type: type[Command]) -> bool:
    return kind in _FROM_DEFAULTS or AGGREGATES[kind].commands[command_type].name in _FROM_PROJECT


def _list_takers(name: str) -> Iterator[type[Command]]:
    """The commands that might take that field from what is known beforehand."""
    for kind, aggregate in AGGREGATES.items():
        for command_type in aggregate.commands:
            if name in command_type.model_fields and _takes_beforehand(kind, command_type):
                yield command_type


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
