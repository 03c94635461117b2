"""Given these events, when this is ordered, then these events happen, or these rules refuse it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from domain.kernel.acting import PersonId
from domain.kernel.facts import Facts
from domain.kernel.identifier import SYSTEM, Actor, StreamId
from domain.kernel.message import Command, Due, Event, Occurrence, Order
from domain.kernel.refusal import CommandRejected
from domain.kernel.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.kernel.decider import Aggregate
    from domain.kernel.scope import Scope

NINE = timedelta(hours=1)
"""09:00 in Shanghai is 01:00 UTC."""


def on(day: str) -> datetime:
    """That day at 09:00 in Shanghai; or the very instant, if the text has a time."""
    instant = datetime.fromisoformat(day)
    return instant.replace(tzinfo=UTC) + NINE if len(day) == len("2024-01-01") else instant.astimezone(UTC)


def who(actor: str) -> Actor:
    """The person."""
    return Actor(actor)


@dataclass(frozen=True)
class StreamStory:
    """A stream's history so far, and the facts around it."""

    aggregate: Aggregate
    state: State
    facts: Facts = field(default_factory=Facts)

    def happened(self, event: Event, *, at: str, by: str = "SYS#1", persons: Iterable[str] = ()) -> StreamStory:
        """The story with one more event."""
        known = frozenset(map(PersonId, persons))
        occurrence = Occurrence(event, on(at), who(by), UUID(int=self.state.version), known)
        return replace(self, state=self.aggregate.evolve(self.state, occurrence))

    def knowing(self, facts: Facts) -> StreamStory:
        """The same story with these facts around it."""
        return replace(self, facts=facts)

    def when(self, command: Command, *, at: str, by: str) -> Judgement:
        """What this order of a bare seat leads to."""
        return self.when_acting(command, at=at, by=by)

    def when_acting(
        self,
        command: Command,
        *,
        at: str,
        by: str,
        scope: Scope | None = None,
        persons: Iterable[str] = (),
        is_live: bool = False,
    ) -> Judgement:
        """What this order leads to, from a seat that acts for somebody, with these persons on it."""
        known = frozenset(map(PersonId, persons))
        order = Order(command, who(by), on(at), known, is_live=is_live, scope=scope)
        try:
            return Judgement(self, order, self.aggregate.decide(self.state, self.facts, order), None)
        except CommandRejected as refusal:
            return Judgement(self, order, [], refusal)

    def ordered(self, command: Command, *, at: str, by: str) -> StreamStory:
        """The story after an order that must be accepted."""
        return self.when(command, at=at, by=by).accepted()

    def due(self) -> Due | None:
        """The nearest deadline."""
        return self.aggregate.due(self.state, self.facts.calendar)

    def lapsed(self) -> StreamStory:
        """The story after the nearest deadline has fallen due."""
        due = self.due()
        assert due is not None, "no deadline is running"
        story = self
        for event in self.aggregate.decide(self.state, self.facts, Order(due.command, SYSTEM, due.at)):
            occurrence = Occurrence(event, due.at, SYSTEM, UUID(int=story.state.version))
            story = replace(story, state=self.aggregate.evolve(story.state, occurrence))
        return story

    def awaited(self) -> set[str]:
        """The commands that somebody is awaited for."""
        return {a.command for a in self.aggregate.awaiting(self.state, self.facts.calendar)}


@dataclass(frozen=True)
class Judgement:
    """What an order led to."""

    story: StreamStory
    order: Order
    events: Sequence[Event]
    refusal: CommandRejected | None

    def then(self, *expected: Event) -> StreamStory:
        """It led to exactly these events."""
        assert self.refusal is None, self.refusal
        assert list(expected) == list(self.events)
        return self.accepted()

    def accepted(self) -> StreamStory:
        """It led to events; the story after them."""
        if self.refusal is not None:
            pytest.fail(f"{self.order.command.command_type} was refused: {self.refusal}")
        story = self.story
        for event in self.events:
            order, command_id = self.order, UUID(int=story.state.version)
            occurrence = Occurrence(event, order.at, order.actor, command_id, order.persons)
            story = replace(story, state=story.aggregate.evolve(story.state, occurrence))
        return story

    def refused(self, *rules: str) -> StreamStory:
        """Exactly these rules refuse it, each named once or more; the story as it was."""
        assert self.refusal is not None, f"{self.order.command.command_type} was accepted"
        assert set(rules) == {u.rule for u in self.refusal.unmet}, self.refusal.unmet
        return self.story


def a(aggregate: Aggregate, name: str, facts: Facts | None = None, realm: str = "test") -> StreamStory:
    """A stream without events."""
    return StreamStory(aggregate, State(StreamId.of(aggregate.kind, realm, name)), facts or Facts())
