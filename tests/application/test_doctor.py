"""What doctor sees in the log itself: streams whose deadline cannot be applied, by name and rule."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest import mock
from uuid import uuid4

import pytest
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError

from application import doctor
from application.doctor import examine_parked, measure_skew
from deciding.decision import decide_on
from deciding.reader import Reader
from domain.kernel.clock import Clock
from domain.kernel.decider import Aggregate
from domain.kernel.facts import Reads
from domain.kernel.refusal import CommandRejected, Unmet
from domain.round.plan import CloseNeedSolicitation
from store.memory import MemoryStore
from tests.keys import KEY
from tests.store.appends import group, write
from tests.workflows.bureau import Bureau

if TYPE_CHECKING:
    from domain.kernel.facts import Facts
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Event, Order
    from domain.kernel.state import State

A_YEAR_AGO = datetime.now(UTC) - timedelta(days=365)


async def _late_round(store: MemoryStore) -> StreamId:
    """A round whose window for needs ended long ago, and nobody has applied it."""
    return await Bureau(f"b-{uuid4().hex[:8]}", store, KEY).open_round(at=A_YEAR_AGO)


@pytest.mark.parametrize(("theirs_s", "skew_s"), [(0.5, 0.0), (0.0, 0.0), (11.0, 10.0), (-86_400.0, -86_400.0)])
def test_a_clock_is_apart_by_what_no_way_there_and_back_explains(theirs_s: float, skew_s: float) -> None:
    before, after = A_YEAR_AGO, A_YEAR_AGO + timedelta(seconds=1)
    assert measure_skew(before, before + timedelta(seconds=theirs_s), after) == skew_s


async def test_a_stream_that_is_only_late_is_not_parked() -> None:
    store = MemoryStore()
    await _late_round(store)
    row = await examine_parked(store)
    assert (row.ok, row.state) == (True, "none")


async def test_a_parked_stream_is_named_with_the_rule_that_refuses_its_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide = Aggregate.decide

    def refuse(self: Aggregate, state: State, facts: Facts, order: Order) -> list[Event]:
        if isinstance(order.command, CloseNeedSolicitation):
            raise CommandRejected((Unmet(rule="RD99", zh="不可", en="it may not"),))
        return decide(self, state, facts, order)

    store = MemoryStore()
    stream = await _late_round(store)
    monkeypatch.setattr(Aggregate, "decide", refuse)
    row = await examine_parked(store)
    assert row.ok is False
    assert stream in row.state
    assert "RD99" in row.state
    assert row.mend_zh
    assert row.mend_en


async def test_a_stream_whose_deadlines_id_somebody_has_taken_is_parked_too() -> None:
    store = MemoryStore()
    stream = await _late_round(store)
    reader = Reader(store)
    await reader.fetch(Reads(streams=frozenset({stream})))
    decision = await decide_on(
        store, reader.states[stream], Clock.WALL, at=datetime.now(UTC), order=None, command_id=None, reader=reader
    )
    taken = write(stream.sibling("project", "AP-9"), command_id=decision.steps[0].command_id)
    await store.append(group(taken))
    row = await examine_parked(store)
    assert row.ok is False
    assert f"{stream} (CloseNeedSolicitation at " in row.state
    assert ": its id is taken on " in row.state


@pytest.mark.parametrize("update", ["execute_update", "start_update"])
async def test_whoever_stops_doctor_while_a_worker_is_asked_has_it_stopped(
    monkeypatch: pytest.MonkeyPatch, update: str
) -> None:
    asking = asyncio.Event()

    async def ask(*_given: object, **_more: object) -> None:
        asking.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as cancelled:  # as Temporal's client has it
            raise WorkflowUpdateRPCTimeoutOrCancelledError from cancelled

    handle = mock.AsyncMock(**{update: ask})
    client = mock.AsyncMock(**{"start_workflow.return_value": handle})
    monkeypatch.setattr(doctor, "list_pollers", mock.AsyncMock(return_value=["a worker"]))
    look = doctor.probe_updates_in_flight if update == "start_update" else doctor._exchange_word
    looking = asyncio.create_task(look(client, "queue"))
    await asking.wait()
    looking.cancel()
    await asyncio.wait([looking])
    assert looking.cancelled()
