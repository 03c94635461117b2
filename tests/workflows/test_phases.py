"""The phases of a workflow's file and the final stages name every stage between them: no stage is a blind alley."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.catalogue import AGGREGATES
from domain.project.stage import Stage
from domain.round.stage import NeedStage, RoundStage
from runtime.worker import WORKFLOWS
from workflows import need, project
from workflows import round as round_
from workflows.kinds import workflow_type

if TYPE_CHECKING:
    from enum import StrEnum

PHASES = {
    "need": (need.SOLICITATION,),
    "round": (round_.PLANNING, round_.SOLICITATION, round_.CALL, round_.SELECTION),
    "project": (
        project.APPLICATION,
        project.AWARD,
        project.IMPLEMENTATION,
        project.SETTLEMENT,
        project.AFTERWARDS,
    ),
}
STAGES: dict[str, type[StrEnum]] = {"need": NeedStage, "round": RoundStage, "project": Stage}


@pytest.mark.parametrize("kind", STAGES)
def test_every_stage_is_in_a_phase_or_final(kind: str) -> None:
    stages = {str(stage) for phase in PHASES[kind] for stage in phase}
    assert stages | AGGREGATES[kind].final == set(STAGES[kind])


@pytest.mark.parametrize("kind", STAGES)
def test_no_stage_is_in_two_phases(kind: str) -> None:
    stages = [stage for phase in PHASES[kind] for stage in phase]
    assert len(stages) == len(set(stages))


def test_every_kind_of_stream_has_a_workflow_that_the_worker_serves() -> None:
    served = {workflow.__temporal_workflow_definition.name for workflow in WORKFLOWS}  # type: ignore[attr-defined]
    assert {workflow_type(kind) for kind in AGGREGATES} | {"AnnualRound", "Probe"} == served
