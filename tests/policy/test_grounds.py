"""What no filling of a form could satisfy stands among what cannot be done yet, with what is missing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from application.acts import list_acts
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.state import State
from domain.project.contract import Contract
from domain.project.delivery import Delivery, RecordSupervisionVisit
from domain.project.reimbursement import CheckExpenditures
from domain.project.stage import Stage
from store.memory import MemoryStore

AT = datetime(2026, 5, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("command", "seat", "part", "missing"),
    [
        (RecordSupervisionVisit, "SUPV#1", Delivery(supervisor="SUPV-1"), ("T12", "尚未指派督導")),
        (CheckExpenditures, "CAB-FIN#1", Contract(reimburses=True), ("M12", "只有事後補助的項目逐張核對支出憑證")),
    ],
)
async def test_what_its_file_does_not_bear_is_not_offered(
    command: type[RecordSupervisionVisit | CheckExpenditures],
    seat: str,
    part: Delivery | Contract,
    missing: tuple[str, str],
) -> None:
    state = State(StreamId.of("project", "live", "AP-1"), stage=Stage.ACTIVE, version=1)
    (before,) = await list_acts(MemoryStore(), state, Actor(seat), None, AT, only=command)
    (after,) = await list_acts(MemoryStore(), state.with_parts(part), Actor(seat), None, AT, only=command)
    assert missing in {(one.rule, one.zh) for one in before.unmet}
    assert missing not in {(one.rule, one.zh) for one in after.unmet}
