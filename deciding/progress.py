"""What a workflow is given of a stream: when to wake, and what Temporal's screens show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deciding import captions
from domain.kernel.clock import Clock
from domain.kernel.envelope import Progress

if TYPE_CHECKING:
    from deciding.decision import Decision
    from domain.kernel.state import State


def build_progress(decision: Decision, *, is_shown: bool = True) -> Progress:
    """What the workflow must know; where none is, nothing need be worded for its page (``is_shown``)."""
    state = decision.state
    due = decision.alarm if decision.clock is Clock.WALL else None
    if not is_shown:
        return Progress(version=state.version, stage=state.stage, due=due)
    return Progress(
        version=state.version,
        stage=state.stage,
        due=due,
        final=state.stage in decision.aggregate.final,
        shown=captions.stage(state),
        alarm=captions.deadline(decision) or "",
        details=captions.details(decision),
    )


def build_parked_progress(state: State, reason: str) -> Progress:
    """No alarm is set for a parked stream: a loop would not mend it."""
    return Progress(
        version=state.version,
        stage=state.stage,
        shown=captions.stage(state),
        details=captions.parked_caption(state, reason),
    )
