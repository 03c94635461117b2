"""Life on the wall clock, its time skipped one workflow at a time: deadlines fire by themselves, once, on their day."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.testing import TimeSkipper

from application.door import Door
from application.workflow_carrier import WorkflowCarrier
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import CommandRejected
from domain.project.award import DeclineAward
from domain.project.publicity import ConfirmAward, OpenAwardPublicity
from runtime.worker import run_worker
from store.port import EntryKind
from tests.workflows.bureau import RULES, Bureau
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from datetime import datetime

    from domain.kernel.message import Command
    from store.port import Entry
    from tests.conftest import Desk

PUBLICITY = timedelta(days=12)
"""More than five working days, wherever they begin."""


class TimeSkippingRealm:
    """A bureau whose projects live in time that can be skipped."""

    def __init__(self, desk: Desk, bureau: Bureau, task_queue: str) -> None:
        self.bureau = bureau
        self.store = desk.store
        self._skipper = TimeSkipper(desk.client)
        self.door = Door(WorkflowCarrier(self._skipper.client, task_queue), desk.store, bureau.key)

    async def send(self, stream: StreamId, command: Command, by: str) -> None:
        """Workflows begin in real time, and leave it only when they are moved."""
        with self._skipper.with_time_skipping_disabled():
            await self.door.send(stream, command, Actor(by))

    async def pass_time(self, stream: StreamId, span: timedelta) -> None:
        """Let that much time pass for this stream's workflow, and what falls due meanwhile fall due."""
        handle = self._skipper.client.get_workflow_handle(stream)
        assert await self._skipper.fast_forward(handle, span)

    async def pass_time_until_due(self, stream: StreamId) -> None:
        """Let time pass up to the very instant at which the stream's alarm rings."""
        rows = [row async for row in self.store.standings(kind=stream.kind, realm=stream.realm)]
        due = next(row.due_at for row in rows if row.stream == stream)
        assert due is not None
        now = await self._skipper.get_current_time(self._skipper.client.get_workflow_handle(stream))
        await self.pass_time(stream, due - now)

    async def awarded(self, number: int) -> StreamId:
        """A project whose award is confirmed; its contract is to be signed within fifteen working days."""
        stream = self.bureau.id("project", f"AP-{number}")
        await self.send(stream, self.bureau.award(number), "CAB-REG#1")
        await self.send(stream, OpenAwardPublicity(contact="市民政局"), "CAB-REG#1")
        await self.pass_time(stream, PUBLICITY)
        await self.send(stream, ConfirmAward(), "CAB-DEC#1")
        return stream

    async def ended(self, stream: StreamId) -> None:
        """Wait until its workflow has nothing more to do."""
        await self._skipper.client.get_workflow_handle(stream).result()

    async def whole(self, stream: StreamId) -> list[Entry]:
        return [entry async for entry in self.store.read(stream, commands=True)]

    async def types(self, stream: StreamId) -> list[str]:
        return [entry.type async for entry in self.store.read(stream)]


@pytest.fixture
async def realm(desk: Desk, bureau: Bureau) -> TimeSkippingRealm:
    await bureau.open_base()
    return TimeSkippingRealm(desk, bureau, desk.settings.task_queue)


async def until_waiting(desk: Desk, task_queue: str, updates: int) -> None:
    """Wait until so many workflow tasks lie on the queue, each with an alarm that rang or a command that came."""

    async def waiting() -> bool:
        request = DescribeTaskQueueRequest(
            namespace=desk.client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            report_stats=True,
        )
        described = await desk.client.workflow_service.describe_task_queue(request, retry=True)
        return described.stats.approximate_backlog_count >= updates

    await until(waiting)


def signing_ends(confirmed: Entry) -> datetime:
    """24:00 of the fifteenth working day, no calendar being published."""
    return day_ends(Calendar().after(local_day(confirmed.occurred_at), RULES.contract.signing_wd))


async def test_a_contract_that_nobody_signs_lapses_by_itself_once_on_its_day(realm: TimeSkippingRealm) -> None:
    stream = await realm.awarded(1)
    *_, confirmed = [e async for e in realm.store.read(stream)]
    until_then = signing_ends(confirmed) - confirmed.occurred_at
    await realm.pass_time(stream, until_then - timedelta(hours=1))
    assert (await realm.types(stream))[-1] == "AwardConfirmed", "not an hour before"
    await realm.pass_time_until_due(stream)

    async def lapsed() -> bool:
        return (await realm.types(stream))[-1] == "ContractSigningLapsed"

    await until(lapsed)
    await realm.door.look(stream)
    await realm.ended(stream)
    *_, last = [e async for e in realm.store.read(stream)]
    assert (last.type, last.occurred_at) == ("ContractSigningLapsed", signing_ends(confirmed))
    assert (await realm.types(stream)).count("ContractSigningLapsed") == 1
    accounts = await realm.store.balances()
    assert accounts[f"envelope/{realm.bureau.realm}/FS-1"] == 1_000_000_000, "the money is back in its envelope"


async def _across_a_deadline(desk: Desk, bureau: Bureau, times: int) -> None:
    """The worker is away when the deadline comes, and when it is back a command waits beside the alarm."""
    of = desk.settings.model_copy(update={"task_queue": f"away-{uuid4().hex[:8]}"})
    await bureau.open_base(times)
    realm = TimeSkippingRealm(desk, bureau, of.task_queue)
    async with run_worker(of, desk.client, desk.store):
        streams = [await realm.awarded(n) for n in range(times)]
    for stream in streams:
        await realm.pass_time_until_due(stream)
    requests = [
        asyncio.create_task(realm.send(stream, DeclineAward(reason="放棄"), "SO-LEGAL#1")) for stream in streams
    ]
    await until_waiting(desk, of.task_queue, times)
    async with run_worker(of, desk.client, desk.store):
        answers = await asyncio.gather(*requests, return_exceptions=True)
    for stream, answer in zip(streams, answers, strict=True):
        assert isinstance(answer, CommandRejected), answer
        entries = await realm.whole(stream)
        assert [(e.kind, e.type) for e in entries[-3:]] == [
            (EntryKind.COMMAND, "LapseContractSigning"),
            (EntryKind.EVENT, "ContractSigningLapsed"),
            (EntryKind.COMMAND, "DeclineAward"),
        ]


@pytest.mark.full
async def test_with_the_worker_away_the_deadline_comes_before_the_command_that_waited(
    desk: Desk, bureau: Bureau
) -> None:
    await _across_a_deadline(desk, bureau, 20)
