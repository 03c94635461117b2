"""A decision as one append: every step journalled, its events behind it, and how each stream then stands."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from deciding.agenda_row import build_standing
from deciding.event_meta import EventMeta
from deciding.journal import Journal
from domain.kernel.canonical import canonical, plain
from domain.kernel.clock import Clock
from domain.kernel.envelope import Answer, Ending
from store.port import Append, NewEvent, Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deciding.decision import Decision, Step
    from domain.kernel.envelope import Envelope
    from domain.kernel.identifier import StreamId
    from store.port import AppendResult


def build_append(
    decision: Decision,
    others: tuple[Decision, ...],
    envelope: Envelope | None,
    held: Mapping[StreamId, int] = MappingProxyType({}),
) -> Append:
    """All writes in order, and every stream that was read with its version: each must still stand there (006).

    So must those in ``held``, on which its being asked rests, unless it writes to them itself.
    """
    last = len(decision.steps) - 1
    writes = [_write(decision, step, envelope if i == last else None) for i, step in enumerate(decision.steps)]
    writes.extend(_write(other, step, None) for other in others for step in other.steps)
    streams = {d.state.stream for d in (decision, *others)}
    reads = {
        stream: version
        for d in (decision, *others)
        for stream, version in d.reads.items()
        if stream not in streams and stream.kind != "scheme"
    }
    reads |= {stream: version for stream, version in held.items() if stream not in streams}
    waits = decision.clock is Clock.WALL  # on a manual clock no workflow waits for an alarm: going live sets them all
    standings = (build_standing(decision), *(replace(build_standing(other), notified=not waits) for other in others))
    begun = tuple(standing for standing in standings if standing.version)  # a refused name stays free, and has no row
    return Append(tuple(writes), begun, reads)


def build_answer(decision: Decision, appended: AppendResult) -> Answer:
    """The answer to the command that the decision ends with."""
    step = decision.steps[-1]
    return Answer(
        ending=Ending.REFUSED if step.unmet else Ending.ACCEPTED,
        stream=decision.state.stream,
        version=decision.state.version,
        position=appended.first_position + sum(1 + len(s.events) for s in decision.steps) - 1,
        events=tuple(e.event_type for e in step.events),
        unmet=step.unmet,
    )


def _write(decision: Decision, step: Step, envelope: Envelope | None) -> Write:
    stream = decision.state.stream
    return Write(
        stream=stream,
        expected=step.version,
        command_id=step.command_id,
        command_type=step.order.command.command_type,
        occurred_at=step.order.at,
        meta=Journal.of(step, envelope).as_meta(),
        data=envelope.particulars if envelope else canonical(plain(step.order.command)),
        events=tuple(
            NewEvent(
                type=event.event_type,
                schema_version=event.schema_version,
                meta=EventMeta.of(step.order).as_meta(),
                data=canonical(plain(event)),
                effects=effects,
            )
            for event, effects in zip(step.events, step.effects, strict=True)
        ),
    )
