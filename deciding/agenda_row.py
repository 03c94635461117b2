"""A stream's row in the agenda: how it stands after a decision, and the summary that lists read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.kernel.summary import Summary
from store.port import Standing

if TYPE_CHECKING:
    from deciding.decision import Decision


def build_standing(decision: Decision) -> Standing:
    """The stream's row in the agenda."""
    state = decision.state
    summary = Summary.of(decision.aggregate.summary(state), decision.awaiting, decision.calendar.version)
    return Standing(
        stream=state.stream,
        version=state.version,
        stage=state.stage,
        due_at=decision.alarm,
        clock=decision.clock,
        summary=summary.write(),
    )
