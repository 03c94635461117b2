"""Everything that can be asked and everything that can have happened, by name; and the tables that the docs print."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from domain.approval.request import APPROVAL, ApprovalStage
from domain.kernel.identifier import Role
from domain.kernel.words import FORMER, NAMED, Words
from domain.need import NEED
from domain.project import selection
from domain.project.aggregate import PROJECT
from domain.project.stage import Stage
from domain.registers.accountability import CASE, CaseStage
from domain.registers.calendar import CALENDAR, CALENDAR_NAME, CalendarStage
from domain.registers.designation import DESIGNATION, DesignationStage
from domain.registers.door_key import DOOR_KEY, DoorKeyStage
from domain.registers.draw import PANEL
from domain.registers.fund import FUND, FundStage
from domain.registers.incubation_base import BASE, BaseStage
from domain.registers.maintenance import MAINTENANCE_AGGREGATE, MAINTENANCE_NAME, MaintenanceStage
from domain.registers.network import NETWORK, NODE, NetworkStage, NodeStage
from domain.registers.occasion import OCCASION, OccasionStage
from domain.registers.office import OFFICE_AGGREGATE, OFFICE_NAME, OfficeStage
from domain.registers.organisation import ORGANISATION, OrganisationStage
from domain.registers.panel import PanelStage
from domain.registers.person import PERSON, PersonStage
from domain.registers.realm import REALM, REALM_NAME, RealmStage
from domain.registers.roster import ROSTER, RosterStage
from domain.registers.scheme import SCHEME, SchemeStage
from domain.registers.seat import SEAT, SeatStage, read_seat
from domain.round.aggregate import ROUND
from domain.round.resolution import RoundResolved
from domain.round.stage import NeedStage, RoundStage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.kernel.decider import Aggregate
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command, Event
    from domain.kernel.state import Transition


def _list_resolution_consequences(stream: StreamId, event: Event) -> Iterable[tuple[StreamId, Command]]:
    """What a round's resolution asks of its projects: here, since a round knows nothing of what a project is."""
    if isinstance(event, RoundResolved):
        for application, commands in selection.list_consequences(event).items():
            for command in commands:
                yield stream.sibling("project", application), command


_ROUND = replace(ROUND, consequences=_list_resolution_consequences)

AGGREGATES: Mapping[str, Aggregate] = MappingProxyType(
    {
        a.kind: a
        for a in (
            SCHEME,
            FUND,
            ORGANISATION,
            _ROUND,
            NEED,
            PANEL,
            ROSTER,
            PROJECT,
            BASE,
            DESIGNATION,
            OCCASION,
            NODE,
            NETWORK,
            CASE,
            CALENDAR,
            REALM,
            OFFICE_AGGREGATE,
            PERSON,
            SEAT,
            DOOR_KEY,
            MAINTENANCE_AGGREGATE,
            APPROVAL,
        )
    }
)
"""Every kind of stream with its rules."""

_PREFIXES: Mapping[str, str] = {
    "AP": PROJECT.kind,
    "PJ": PROJECT.kind,
    "ND": NEED.kind,
    "R": ROUND.kind,
    "RP": PANEL.kind,
    "ER": ROSTER.kind,
    "ORG": ORGANISATION.kind,
    "BASE": BASE.kind,
    "DG": DESIGNATION.kind,
    "EV": OCCASION.kind,
    "NODE": NODE.kind,
    "NET": NETWORK.kind,
    "AC": CASE.kind,
    "FS": FUND.kind,
    "DK": DOOR_KEY.kind,
    "P": PERSON.kind,
    "AV": APPROVAL.kind,
}
_ONLY_NAMES: Mapping[str, str] = {
    OFFICE_AGGREGATE.kind: OFFICE_NAME,
    MAINTENANCE_AGGREGATE.kind: MAINTENANCE_NAME,
    CALENDAR.kind: CALENDAR_NAME,
    REALM.kind: REALM_NAME,
}
"""Of the kinds of which a realm has one file, its name."""
_SCHEME_NAME = re.compile(r"[a-z][a-z0-9-]{1,31}")


def split_subject(subject: str) -> tuple[str, str]:
    """A stream's name, and what of it is meant: ``PJ-3/T1`` is T1 of PJ-3. A whole stream id means the whole."""
    if subject.count("/") == 2:  # noqa: PLR2004 - kind/realm/name
        return subject, ""
    name, _, part = subject.partition("/")
    return name, part


def find_prefix(kind: str) -> str:
    """With what the numbers of that kind begin, as ``ND``; empty where its names have no such letters."""
    return next((prefix for prefix, of in _PREFIXES.items() if of == kind), "")


def find_only_name(kind: str) -> str:
    """The name of the one file of that kind that a realm has; empty for a kind of which there may be many."""
    return _ONLY_NAMES.get(kind, "")


def kind_of_subject(subject: str) -> str:
    """Which kind of stream a name such as ``AP-5`` or ``fuzhou`` is of. Raises KeyError if it is none."""
    prefix, dash, _ = subject.partition("-")
    kind = _PREFIXES.get(prefix) if dash else None
    if kind is not None:
        return kind
    if read_seat(subject) is not None:
        return SEAT.kind
    only = next((kind for kind, name in _ONLY_NAMES.items() if subject == name), None)
    if only is not None:
        return only
    if _SCHEME_NAME.fullmatch(subject):
        return SCHEME.kind
    raise KeyError(subject)


# ---------------------------------------------------------------- by name


@cache
def _command_classes() -> Mapping[str, type[Command]]:
    return {c.command_type: c for a in AGGREGATES.values() for c in a.commands}


@cache
def _event_classes() -> Mapping[tuple[str, int], type[Event]]:
    return {(e.event_type, e.schema_version): e for a in AGGREGATES.values() for e in a.events}


def command_class(command_type: str) -> type[Command]:
    """The command of that type, e.g. ``StartProject``. Raises KeyError if there is none."""
    return _command_classes()[command_type]


def is_command(command_type: str) -> bool:
    """Whether there is a command of that type."""
    return command_type in _command_classes()


def event_class(event_type: str, schema_version: int = 1) -> type[Event]:
    """The event of that name on disk. Raises KeyError if there is none."""
    return _event_classes()[event_type, schema_version]


def decode(event_type: str, schema_version: int, data: bytes) -> Event:
    """A recorded event from its bytes. Raises KeyError for an unknown name, ValidationError for another shape."""
    return event_class(event_type, schema_version).model_validate_json(data)


def find_command(name: str, kind: str | None = None) -> type[Command]:
    """The command that somebody means by ``StartProject``, ``start-project``, ``ProjectStarted`` or ``項目啟動``.

    Where a person's command and the timer's lead to one event, its name means the person's. Raises KeyError.
    """
    return _commands_by_name(kind)[name]


@cache
def _commands_by_name(kind: str | None) -> Mapping[str, type[Command]]:
    """A command's own names come before those of the event that it leads to; of equals, the first and a person's."""
    commands = [c for a in AGGREGATES.values() if kind in (None, a.kind) for c in a.commands]
    names: dict[str, type[Command]] = {}
    for command in commands:
        names.setdefault(command.command_type, command)
        names.setdefault(_to_kebab(command.command_type), command)
    for command in sorted(commands, key=lambda c: c.by == (Role.SYS,)):
        for name in (command.records.event_type, _to_kebab(command.records.event_type), command.records.zh):
            names.setdefault(name, command)
    for former, word in FORMER.items():
        if word in names:
            names.setdefault(former, names[word])
    return names


def _to_kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


# ---------------------------------------------------------------- the tables of the docs


@dataclass(frozen=True)
class CommandRow:
    """One command as the docs list it: who may ask for it, when in the life of its stream, and what it records."""

    kind: str
    room: str
    command: str
    event: str
    zh: str
    roles: tuple[str, ...]
    stages: tuple[str, ...]
    """None means any stage."""
    rule: str


@dataclass(frozen=True)
class TransitionRow:
    """One row of a state machine as the docs list it (domain.md §3.3)."""

    kind: str
    id: str
    event: str
    zh: str
    start: tuple[str, ...]
    to: str
    roles: tuple[str, ...]
    guard: str
    pushes: bool


_STAGES: Mapping[str, Mapping[str, Words]] = {
    kind: {stage.value: stage for stage in stages}
    for kind, stages in (
        (PROJECT.kind, Stage),
        (ROUND.kind, RoundStage),
        (NEED.kind, NeedStage),
        (PANEL.kind, PanelStage),
        (ROSTER.kind, RosterStage),
        (ORGANISATION.kind, OrganisationStage),
        (BASE.kind, BaseStage),
        (DESIGNATION.kind, DesignationStage),
        (OCCASION.kind, OccasionStage),
        (NODE.kind, NodeStage),
        (NETWORK.kind, NetworkStage),
        (CASE.kind, CaseStage),
        (FUND.kind, FundStage),
        (SCHEME.kind, SchemeStage),
        (CALENDAR.kind, CalendarStage),
        (REALM.kind, RealmStage),
        (DOOR_KEY.kind, DoorKeyStage),
        (MAINTENANCE_AGGREGATE.kind, MaintenanceStage),
        (OFFICE_AGGREGATE.kind, OfficeStage),
        (PERSON.kind, PersonStage),
        (SEAT.kind, SeatStage),
        (APPROVAL.kind, ApprovalStage),
    )
}


def stage_zh(kind: str, stage: str) -> str:
    """What the office calls that stage of that kind of stream; an unknown one is called by its name."""
    return stage_words(kind, stage)[0]


def stage_words(kind: str, stage: str) -> tuple[str, str]:
    """What that stage is called in Chinese and English; an unknown one by its name."""
    known = _STAGES.get(kind, {}).get(stage)
    return (known.zh, known.en) if known is not None else (stage, stage)


def list_stages(kind: str) -> tuple[str, ...]:
    """Every stage that a stream of that kind can be in, in the order of its life."""
    return tuple(_STAGES[kind])


def value_words(value: str) -> tuple[str, str]:
    """What a budget line, a criterion, a gate or a command is called, in both languages; anything else is itself."""
    if value in NAMED:
        return NAMED[value]
    if is_command(value):
        return command_class(value).zh(), command_class(value).en()
    event = _event_classes().get((value, 1))
    return (event.zh, event.en) if event else (value, value)


@cache
def list_commands() -> tuple[CommandRow, ...]:
    """Commands × roles × stages, kind by kind and room by room."""
    return tuple(
        CommandRow(
            kind=aggregate.kind,
            room=room.name,
            command=command.command_type,
            event=command.records.event_type,
            zh=command.records.zh,
            roles=tuple(str(role) for role in command.by),
            stages=tuple(str(stage) for stage in command.during),
            rule=command.rule,
        )
        for aggregate in AGGREGATES.values()
        for room in aggregate.deciders
        for command in room.commands
    )


def list_transitions() -> tuple[TransitionRow, ...]:
    """Every change of stage, by id within its kind."""
    return tuple(
        _to_row(aggregate.kind, event, move)
        for aggregate in AGGREGATES.values()
        for event, move in sorted(_list_moves(aggregate), key=lambda pair: pair[1].id)
    )


def _list_moves(aggregate: Aggregate) -> Iterable[tuple[type[Event], Transition]]:
    return ((event, move) for event in aggregate.events for move in event.moves)


def _to_row(kind: str, event: type[Event], move: Transition) -> TransitionRow:
    return TransitionRow(
        kind=kind,
        id=move.id,
        event=event.event_type,
        zh=event.zh,
        start=tuple(str(stage) for stage in move.start),
        to=str(move.to),
        roles=tuple(str(role) for role in move.by),
        guard=move.guard,
        pushes=move.push,
    )
