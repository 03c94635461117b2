"""Many callers at once: each gets an answer that is true, and none overwhelms a workflow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

import bootstrap
from application.door import Door, Receipt
from application.workflow_carrier import AT_ONCE, WorkflowCarrier
from domain.kernel.identifier import Actor
from domain.kernel.refusal import CommandRejected
from domain.need import AdoptNeed, EndorseNeed, RejectNeed
from tests.workflows.bureau import need_submission

if TYPE_CHECKING:
    from tests.conftest import Desk
    from tests.workflows.bureau import Bureau


def _second_door(desk: Desk) -> Door:
    return _door_by(desk, WorkflowCarrier(desk.client, desk.settings.task_queue))


def _door_by(desk: Desk, carrier: WorkflowCarrier) -> Door:
    return Door(carrier, desk.store, bootstrap.find_door_key(desk.settings))


@pytest.mark.full
async def test_of_two_doors_that_ask_against_each_other_one_is_heard_and_one_told_why_not(
    desk: Desk, bureau: Bureau
) -> None:
    await bureau.open_round()
    other = _second_door(desk)
    for n in range(8):
        need = bureau.id("need", f"ND-{n}")
        await desk.door.send(need, need_submission(), Actor("COMM#1"))
        answers = await asyncio.gather(
            desk.door.send(need, AdoptNeed(), Actor("CAB-REG#1")),
            other.send(need, RejectNeed(reason="重複"), Actor("CAB-REG#2")),
            return_exceptions=True,
        )
        (accepted,) = [a for a in answers if isinstance(a, Receipt)]
        (refused,) = [a for a in answers if isinstance(a, CommandRejected)]
        assert refused.unmet
        types = [entry.type async for entry in desk.store.read(need)]
        assert types == ["NeedSubmitted", *accepted.events]


async def test_a_writer_from_outside_conflicts_and_both_are_answered_truly(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await desk.door.send(need, need_submission(), Actor("COMM#1"))
    doors = [desk.door.send(need, EndorseNeed(), Actor(f"COMM#{n}")) for n in range(2, 22)]
    outside = [bureau.straight(need, EndorseNeed(), f"PUBLIC#{n}") for n in range(1, 6)]
    receipts = await asyncio.gather(*doors, *outside)
    assert sorted(r.version for r in receipts) == list(range(2, 27))
    assert [e.version async for e in desk.store.read(need)] == list(range(1, 27))


async def test_one_id_asked_by_two_doors_at_once_is_carried_out_once(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need, command_id, other = bureau.id("need", "ND-1"), uuid4(), _second_door(desk)
    receipts = await asyncio.gather(
        *(
            door.send(need, need_submission(), Actor("COMM#1"), command_id=command_id)
            for door in (desk.door, other)
            for _ in range(5)
        )
    )
    assert len({(r.version, r.position) for r in receipts}) == 1
    assert [e.type async for e in desk.store.read(need)] == ["NeedSubmitted"]


@pytest.mark.full
@pytest.mark.parametrize("count", [100, 300])
async def test_hundreds_of_callers_at_once_never_exceed_the_cap(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    await bureau.open_round()
    need, carrier = bureau.id("need", "ND-1"), WorkflowCarrier(desk.client, desk.settings.task_queue)
    door = _door_by(desk, carrier)
    await door.send(need, need_submission(), Actor("COMM#1"))
    once, under_way, most = carrier._update_once, 0, 0

    async def counted(*words: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await once(*words)
        finally:
            under_way -= 1

    monkeypatch.setattr(carrier, "_update_once", counted)
    callers = range(2, count + 2)
    receipts = await asyncio.gather(*(door.send(need, EndorseNeed(), Actor(f"COMM#{n}")) for n in callers))
    assert most == AT_ONCE
    assert sorted(r.version for r in receipts) == list(callers)
    assert not any(r.repeated for r in receipts)
