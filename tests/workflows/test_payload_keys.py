"""Keys of payloads are changed with everything running, lost, and found to differ; the log has all that it takes."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import bootstrap
from application.doctor import examine_clocks, examine_payload_keys
from application.door import Door, NotKnown
from application.reconcile import Discrepancy, resurrect
from application.workflow_carrier import WorkflowCarrier
from domain.kernel.identifier import Actor, StreamId
from domain.need import EndorseNeed
from payload_codec import KEY_ID, sealing_converter
from payload_keys import PayloadKeys, make_payload_key
from runtime.worker import run_worker
from tests.workflows.breakable import Breakable, breakable
from tests.workflows.bureau import Bureau, need_submission
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import tzinfo

    from bootstrap import Settings

PATIENT = timedelta(seconds=4)


@dataclass
class RekeyedQueue:
    """A door and a worker on a queue of their own, each started again with whatever keys it is given."""

    house: Breakable
    bureau: Bureau
    of: Settings
    need: StreamId
    endorsements: int = 1

    def client(self, *keys: str) -> Client:
        config = self.house.client.config()
        config["data_converter"] = sealing_converter(PayloadKeys.parse(",".join(keys)))
        return Client(**config)

    @asynccontextmanager
    async def working(self, *keys: str) -> AsyncIterator[None]:
        async with run_worker(self.of, self.client(*keys), self.house.store):
            yield

    def door(self, *keys: str) -> Door:
        return Door(WorkflowCarrier(self.client(*keys), self.of.task_queue), self.house.store, self.bureau.key)

    async def endorse(self, *keys: str) -> None:
        """One more command, by a door with these keys."""
        self.endorsements += 1
        await self.door(*keys).send(self.need, EndorseNeed(), Actor(f"COMM#{self.endorsements}"))

    async def resurrect(self, *keys: str) -> list[tuple[Discrepancy, bool]]:
        """What reconciling finds of the need, and mends."""
        client, door = self.client(*keys), self.door(*keys)
        result = await resurrect(self.house.store, client, self.of.task_queue, door)
        return [(f.difference, f.mended) for f in result.findings if f.stream == self.need]

    async def run_id(self) -> str | None:
        return (await self.house.client.get_workflow_handle(self.need).describe()).run_id

    async def newest_key(self) -> str:
        """The key by which the last answer was sealed."""
        history = await self.house.client.get_workflow_handle(self.need).fetch_history()
        answered = [event.workflow_execution_update_completed_event_attributes.outcome for event in history.events]
        payloads = [payload for outcome in answered for payload in outcome.success.payloads]
        return payloads[-1].metadata[KEY_ID].decode()


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Breakable]:
    """Servers without a worker, and nobody else's streams to reconcile."""
    async with breakable(bootstrap.settings(home=tmp_path_factory.mktemp("keys")), workers=0) as house:
        yield house


@pytest.fixture
async def office(house: Breakable) -> RekeyedQueue:
    bureau = house.bureau()
    await bureau.open_round()
    of = house.settings.model_copy(update={"task_queue": f"keys-{uuid4().hex[:8]}"})
    return RekeyedQueue(house, bureau, of, bureau.id("need", "ND-1"))


@pytest.mark.full
async def test_a_key_is_changed_in_three_steps_and_no_run_ends_before_the_last(office: RekeyedQueue) -> None:
    old, new = make_payload_key(), make_payload_key()
    async with office.working(old):
        await office.door(old).send(office.need, need_submission(), Actor("COMM#1"))
    begun = await office.run_id()
    async with office.working(old, new):  # workers first, doors after them
        await office.endorse(old)
        await office.endorse(old, new)
    async with office.working(old, new):  # a door is ahead of a worker, and a worker of a door
        await office.endorse(new, old)
    async with office.working(new, old):
        await office.endorse(old, new)
        await office.endorse(new, old)
    assert await office.run_id() == begun, "a run ended while both keys were there"
    assert await office.newest_key() == PayloadKeys.parse(new).newest
    async with office.working(new):
        assert await office.resurrect(new) == [(Discrepancy.STUCK, True)], "the run was sealed by a key that is gone"
        await office.endorse(new)
    assert await office.run_id() != begun
    events = [entry.type async for entry in office.house.store.read(office.need)]
    assert events == ["NeedSubmitted", *["NeedEndorsed"] * 6]


@pytest.mark.full
async def test_when_all_keys_are_lost_the_open_workflows_wait_and_are_begun_anew_from_the_log(
    office: RekeyedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.workflow_carrier.PATIENCE", PATIENT)
    lost, fresh = make_payload_key(), make_payload_key()
    async with office.working(lost):
        await office.door(lost).send(office.need, need_submission(), Actor("COMM#1"))
    async with office.working(fresh):
        with pytest.raises(NotKnown):
            await office.endorse(fresh)
        assert await office.resurrect(fresh) == [(Discrepancy.STUCK, True)]
        assert await office.resurrect(fresh) == []
        await office.endorse(fresh)
    async with office.working(lost):  # had the key been found again, too: nothing was lost meanwhile
        assert await office.resurrect(lost) == [(Discrepancy.STUCK, True)]
    assert [entry.type async for entry in office.house.store.read(office.need)] == ["NeedSubmitted", "NeedEndorsed"]


@pytest.mark.full
async def test_workflows_of_before_payloads_were_sealed_are_begun_anew_from_the_log(office: RekeyedQueue) -> None:
    key = make_payload_key()
    config = office.house.client.config()
    config["data_converter"] = pydantic_data_converter
    before = Client(**config)
    async with run_worker(office.of, before, office.house.store):
        carrier = WorkflowCarrier(before, office.of.task_queue)
        await Door(carrier, office.house.store, office.bureau.key).send(office.need, need_submission(), Actor("COMM#1"))
    async with office.working(key):
        assert await office.resurrect(key) == [(Discrepancy.STUCK, True)]
        await office.endorse(key)
    assert await office.newest_key() == PayloadKeys.parse(key).newest


@pytest.mark.full
async def test_with_a_key_that_the_worker_does_not_have_nothing_is_known_and_nothing_recorded(
    office: RekeyedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.workflow_carrier.PATIENCE", PATIENT)
    old, new = make_payload_key(), make_payload_key()
    async with office.working(old):
        with pytest.raises(NotKnown):
            await office.door(new, old).send(office.need, need_submission(), Actor("COMM#1"))
        assert [entry async for entry in office.house.store.read(office.need)] == []
        await office.door(old).send(office.need, need_submission(), Actor("COMM#1"))


@pytest.mark.full
async def test_a_strangers_workflow_under_our_id_is_ended_and_ours_begun_from_the_log(office: RekeyedQueue) -> None:
    key = make_payload_key()
    async with office.working(key):
        await office.door(key).send(office.need, need_submission(), Actor("COMM#1"))
        await office.house.client.get_workflow_handle(office.need).terminate()
        await office.house.client.start_workflow("Nobody", id=office.need, task_queue="nobody")
        findings: list[tuple[Discrepancy, bool]] = []

        async def is_listed() -> bool:
            findings.extend(await office.resurrect(key))
            return bool(findings)

        await until(is_listed)
        assert findings == [(Discrepancy.STUCK, True)]
        await office.endorse(key)


@pytest.mark.full
async def test_doctor_says_by_which_keys_door_and_worker_seal_and_whether_they_understand_each_other(
    office: RekeyedQueue,
) -> None:
    old, new = make_payload_key(), make_payload_key()
    ids = [PayloadKeys.parse(key).newest for key in (old, new)]
    async with office.working(old, new):
        queue = office.of.task_queue

        async def polls() -> bool:
            return (await examine_payload_keys(office.client(old), queue)).ok is not None

        await until(polls)
        agreed = await examine_payload_keys(office.client(new, old), queue)
        assert (agreed.ok, agreed.state) == (True, f"{ids[1]}; workers {ids[0]}; 6 of 6 exchanges understood")
        unlike = await examine_payload_keys(office.client(make_payload_key()), queue)
        one_way = await examine_payload_keys(office.client(new), queue)
    assert [row.ok for row in (unlike, one_way)] == [False, False]
    assert "workers none; 0 of 6" in unlike.state
    assert "workers none; 0 of 6" in one_way.state, "the worker understood, and this door did not"
    assert "VENTURE_PAYLOAD_KEYS" in one_way.mend_en


@pytest.mark.full
async def test_doctor_tells_the_clock_of_each_worker(office: RekeyedQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_payload_key()
    client, queue, store = office.client(key), office.of.task_queue, office.house.store
    async with office.working(key):

        async def is_heard() -> bool:
            return client.identity in (await examine_clocks(store, client, queue)).state

        await until(is_heard)
        right = await examine_clocks(store, client, queue)
        monkeypatch.setattr("activities.clock.datetime", _AnHourAhead)
        wrong = await examine_clocks(store, client, queue)
    assert (right.ok, wrong.ok) == (True, False), right.state
    assert f"{client.identity} +0.0 s" in right.state
    assert re.search(rf"{client.identity} \+3\d\d\d\.\d s", wrong.state), wrong.state


class _AnHourAhead(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + timedelta(hours=1)


@pytest.mark.full
async def test_where_nobody_polls_doctor_does_not_say_that_keys_differ(office: RekeyedQueue) -> None:
    row = await examine_payload_keys(office.house.client, f"nobody-{uuid4().hex[:8]}")
    assert row.ok is None
