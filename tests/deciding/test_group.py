"""A decision over many streams: one append or none, and a refusal that a person can read."""

from __future__ import annotations

import asyncio
import gc
import time
from datetime import timedelta

import pytest

from activities.carry_out import CommandActivities
from audit.redecision import redecide
from bench.resolution import MINUTES, Round
from domain.kernel.canonical import plain
from domain.kernel.envelope import Answer, CarryOut, Ending, Envelope
from domain.kernel.identifier import Actor, derive_id
from domain.round.resolution import ResolveRound
from schemes import scheme_file
from store.memory import MemoryStore
from tests.keys import KEY

MOST_NAMED = 50
"""Less than in earnest, where the round would have to be as large: to fill it takes longer than the tests."""
BIDS = 2 * MOST_NAMED + 10
"""Half of them are selected: more than a refusal names."""


async def resolve(store: MemoryStore, round_: Round, command: ResolveRound) -> Answer:
    round_.now += timedelta(minutes=1)
    envelope = Envelope(
        command_id=derive_id("group", str(round_.now)),
        derived=True,
        subject=round_.id("round", "R-1"),
        actor=Actor("CAB-REG#1"),
        received_at=round_.now,
        command=command.command_type,
        body=plain(command),
    ).sign(KEY)
    request = CarryOut(stream=envelope.subject, now=round_.now, envelope=envelope)
    result = await CommandActivities(store).carry_out(request)
    assert result.answer is not None
    return result.answer


@pytest.fixture(scope="module")
def reported() -> tuple[MemoryStore, Round]:
    """A round whose bids are all scored."""
    store = MemoryStore()
    round_ = Round(store, KEY, BIDS)
    asyncio.run(round_.fill(scheme_file.load_shipped("hangzhou")))
    return store, round_


def test_of_very_many_that_refuse_so_many_are_named_and_the_rest_are_counted(
    reported: tuple[MemoryStore, Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every award is more than its bid asked for; the whole round is refused, in a text of bounded length."""
    monkeypatch.setattr("deciding.decision.MOST_UNMET", MOST_NAMED)
    store, round_ = reported

    async def scenario() -> None:
        draft = await round_.preview(more_fen=1)
        reasons = dict.fromkeys(draft.left_out, "名次")
        refused = await resolve(store, round_, draft.command(MINUTES, reasons))
        assert refused.ending is Ending.REFUSED
        *named, rest = refused.unmet
        assert len(named) >= MOST_NAMED
        assert rest.en == f"and {BIDS // 2 - MOST_NAMED} more that are not listed"
        assert (await store.standing(round_.id("project", "AP-1"))) is not None
        assert (await redecide(store, round_.id("round", "R-1"))).ok, "and the audit agrees"

    asyncio.run(scenario())


def test_while_a_round_is_resolved_for_all_others_of_the_worker_have_their_turn(
    reported: tuple[MemoryStore, Round],
) -> None:
    """No stretch of the act in which nobody else is served takes a fifth of it; measured by the processor's time."""
    store, round_ = reported

    async def scenario() -> None:
        draft = await round_.preview()
        command = draft.command(MINUTES, dict.fromkeys(draft.left_out, "名次"), "市民政局")
        stretches: list[float] = []
        gc.collect()
        gc.disable()  # a pause of the collector's is as long as everything that this process has imported
        acting = asyncio.create_task(resolve(store, round_, command))
        while not acting.done():
            began = time.thread_time()
            await asyncio.sleep(0)
            stretches.append(time.thread_time() - began)
        gc.enable()
        assert (await acting).ending is Ending.ACCEPTED
        assert max(stretches) < sum(stretches) / 5, sorted(stretches)[-3:]
        stages = [row.stage async for row in store.standings(kind="project", realm=round_.realm)]
        assert (stages.count("IN_PUBLICITY"), stages.count("NOT_SELECTED")) == (BIDS // 2, BIDS // 2)

    asyncio.run(scenario())
