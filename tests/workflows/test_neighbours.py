"""The trouble of one stream or realm delays no other: whoever comes later elsewhere is answered first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

import bootstrap
from activities.carry_out import CommandActivities
from deciding.decision import StreamParked
from domain.kernel.envelope import CarryOut
from domain.kernel.identifier import Actor, StreamId, deadline_command_id
from domain.kernel.refusal import CommandRejected
from domain.need import EndorseNeed
from domain.round.resolution import Omission, ResolveRound
from tests.keys import MINUTES
from tests.workflows.bureau import Bureau, need_submission, verification
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from tests.conftest import Desk

HOST, COMMUNITY, OFFICER = Actor("HOST#1"), Actor("COMM#1"), Actor("CAB-REG#1")
LARGE = ResolveRound(
    panels=("RP-1",),
    selected=(),
    left_out=tuple(Omission(application=f"AP-{n}", reason="名次") for n in range(600)),
    minutes=MINUTES,
    preview="0" * 64,
)
"""A round's decision of 600 bids that are not there: much to read, and refused."""


async def answer_the_neighbour_first(
    desk: Desk, crowd: list[Coroutine[Any, Any, object]], refusal: type[Exception]
) -> None:
    """A crowd is at one stream; once it is being answered, somebody asks another stream and has not to wait for it."""
    tasks = [asyncio.create_task(one) for one in crowd]

    async def is_begun() -> bool:
        return any(task.done() for task in tasks)

    await until(is_begun)
    other = StreamId.of("organisation", f"n-{uuid4().hex[:8]}", "ORG-1")
    receipt = await desk.door.send(other, verification(), HOST)
    waiting = sum(not task.done() for task in tasks)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert receipt.version == 1
    assert {type(outcome) for outcome in outcomes} == {refusal}
    assert waiting > len(tasks) / 2, f"only {waiting} of {len(tasks)} still waited"


@pytest.mark.full
async def test_a_crowd_that_is_refused_at_one_stream_delays_no_other(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await bureau.straight(need, need_submission(), "COMM#1")
    await answer_the_neighbour_first(
        desk, [desk.door.send(need, EndorseNeed(), COMMUNITY) for _ in range(80)], CommandRejected
    )


@pytest.mark.full
async def test_large_commands_that_are_refused_at_one_stream_delay_no_other(desk: Desk, bureau: Bureau) -> None:
    round_ = await bureau.open_round()
    await answer_the_neighbour_first(desk, [desk.door.send(round_, LARGE, OFFICER) for _ in range(12)], CommandRejected)


async def test_a_realm_whose_clock_cannot_go_on_delays_no_other(desk: Desk) -> None:
    """The id of its round's next deadline is taken, in a log of before ids were kept apart: the clock stands there."""
    realm, then = f"stuck-{uuid4().hex[:8]}", datetime(2024, 3, 4, 1, tzinfo=UTC)
    await desk.door.open_realm(realm)
    key = bootstrap.ensure_door_key(desk.settings)
    stuck = Bureau(realm, desk.store, key)
    round_ = await stuck.open_round(at=then)
    row = await desk.store.standing(round_)
    assert row is not None
    assert row.due_at is not None
    taken = deadline_command_id(round_, "CloseNeedSolicitation", "", row.due_at)
    refused = stuck.envelope(stuck.id("need", "ND-9"), EndorseNeed(), "COMM#9", at=then + timedelta(hours=1))
    forged = refused.model_copy(update={"command_id": taken, "derived": True}).sign(key)
    request = CarryOut(stream=forged.subject, now=forged.received_at, envelope=forged)
    await CommandActivities(desk.store).carry_out(request)
    need, late = stuck.id("need", "ND-1"), row.due_at + timedelta(days=1)
    crowd = [desk.door.send(need, need_submission(), COMMUNITY, at=late) for _ in range(24)]
    await answer_the_neighbour_first(desk, [*crowd], StreamParked)
