"""屆次: one call of one programme, from its budget to its published results; a file for each stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.kernel.decider import PROPOSALS, Aggregate, unpark
from domain.round import call, clarification, custody, plan, resolution, results
from domain.round.plan import Round
from domain.round.stage import RoundStage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.state import State


def _summary(state: State) -> Mapping[str, object]:
    round_ = state.part(Round)
    return {"year": round_.year, "level": round_.level, "route": round_.route, "budget": round_.budget}


_DECIDERS = (plan.DECIDER, call.DECIDER, clarification.DECIDER, custody.DECIDER, resolution.DECIDER, results.DECIDER)

ROUND = Aggregate(
    kind="round",
    zh="屆（年度）",
    en="round",
    en_many="rounds",
    deciders=(*_DECIDERS, PROPOSALS, unpark(_DECIDERS)),
    final=frozenset({RoundStage.NONE, RoundStage.PUBLISHED, RoundStage.CANCELLED}),
    summary=_summary,
)
