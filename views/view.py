"""What a view is: a table's rows of one stream as a pure function of that stream, and of little else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from domain.application import Application
from domain.approval.request import ApprovalRequest
from domain.catalogue import AGGREGATES
from domain.kernel.calendar import Calendar
from domain.kernel.facts import Facts
from domain.kernel.state import State
from domain.round.plan import Round

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from uuid import UUID

    from domain.kernel.message import Awaited, Due
    from views.courses import CourseStep

FAR = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands where a row has no time: what has one is sorted before it."""


@dataclass(frozen=True)
class Moment:
    """A stream after one of its events."""

    state: State
    occurred_at: datetime
    recorded_at: datetime
    position: int
    """Of the event in the log."""


@dataclass(frozen=True)
class RefusedCommand:
    """A command that was refused, without what was unmet: that stands in its journal entry."""

    position: int
    version: int
    command_id: UUID
    command: str
    actor: str
    person: str | None
    """Who asked, where it is known."""
    rules: tuple[str, ...]
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True)
class ViewSource:
    """All that a stream's rows may depend on."""

    state: State
    calendar: Calendar
    """The working days that its dates are reckoned by."""
    moved_at: datetime
    """When its last event was so."""
    district: str = ""
    """The district of the need that a project answers; empty if none is named."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What the organisations behind it are called, as far as they are registered."""
    history: Sequence[Moment] = ()
    """It after each of its events, oldest first; only for kinds whose history is kept."""
    course: Sequence[CourseStep] = ()
    """Of a project, what it added up to from event to event."""
    refusals: Sequence[RefusedCommand] = ()
    """Refused commands that are to be added."""
    facts: Facts = field(default_factory=Facts)
    """The round of a project or panel, which says whose managing agency reads it."""

    @cached_property
    def awaiting(self) -> list[Awaited]:
        """Who is awaited."""
        return AGGREGATES[self.state.stream.kind].awaiting(self.state, self.calendar)

    @cached_property
    def due(self) -> Due | None:
        """The nearest deadline."""
        return AGGREGATES[self.state.stream.kind].due(self.state, self.calendar)

    @property
    def year(self) -> int | None:
        """Of a project, the year of its round."""
        name = self.state.part(Application).round
        return self.facts.of(self.state.stream.sibling("round", name)).part(Round).year if name else None

    @property
    def base(self) -> dict[str, Any]:
        """The columns that nearly every view has."""
        stream = self.state.stream
        return {"stream": str(stream), "realm": stream.realm, "version": self.state.version}


@dataclass(frozen=True)
class View:
    """One table of the read side."""

    name: str
    version: int
    """Raise it with whatever changes a row: the view is then built anew beside the one that is read."""
    zh: str
    en: str
    rows: Callable[[ViewSource], Iterable[dict[str, Any]]]
    """Its rows of that stream."""
    kinds: frozenset[str] | None = None
    """Of which streams it has rows; None for all."""
    replaces: bool = True
    """Whether its rows of a stream take the place of those before; otherwise they are added to them."""

    def rows_of(self, source: ViewSource) -> list[dict[str, Any]]:
        """Its rows of that stream; none of a kind that it has nothing of."""
        kind = source.state.stream.kind
        return list(self.rows(source)) if self.kinds is None or kind in self.kinds else []


def nearest_until(awaiting: Iterable[Awaited]) -> datetime:
    """The earliest time by which somebody is awaited; far away if none has one."""
    return min((a.until for a in awaiting if a.until is not None), default=FAR)


def list_organisations(state: State) -> tuple[str, ...]:
    """The organisations whose business the stream is: the bidders, or the organisation itself."""
    stream = state.stream
    if stream.kind == "organisation":
        return (stream.name,)
    if stream.kind == "approval":
        return tuple(sorted({name for group in state.part(ApprovalRequest).groups for name in group.names}))
    return tuple(sorted(state.part(Application).bidders)) if stream.kind == "project" else ()
