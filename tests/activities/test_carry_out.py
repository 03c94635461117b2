"""What ``carry_out`` says to a worker, a door and a watchman, beside the decision itself: no server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.carry_out import MOST_LAG, CommandActivities
from domain.kernel.envelope import BundleRequest, CarryOut, Ending
from domain.registers.fund import RegisterFundSource
from metrics import Metrics
from store.memory import MemoryStore
from store.port import AppendResult, AppendStatus, StoreUnavailable
from tests.keys import KEY, MINUTES, publish
from tests.workflows.bureau import Bureau, verification

if TYPE_CHECKING:
    from domain.kernel.envelope import Envelope
    from domain.kernel.identifier import StreamId
    from store.port import Append

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


class Moody(MemoryStore):
    """A log whose answers to the appends after the first so many are a test's own."""

    def __init__(self, answers: int, then: Exception | AppendStatus) -> None:
        super().__init__(lambda: NOW)
        self._answers, self._then = answers, then

    async def append(self, append: Append) -> AppendResult:
        if not self._answers and isinstance(self._then, Exception):
            raise self._then
        if not self._answers and isinstance(self._then, AppendStatus):
            return AppendResult(self._then)
        self._answers -= 1
        return await super().append(append)


def bureau_of(store: MemoryStore) -> Bureau:
    return Bureau("activities", store, KEY)


def register(bureau: Bureau, name: str) -> Envelope:
    fund = RegisterFundSource(name="福彩公益金", envelope=100)
    return bureau.envelope(bureau.id("fund", name), fund, "CAB-FIN#1", at=NOW)


def verify(bureau: Bureau, name: str = "宜合公益", organisation: str = "ORG-1") -> Envelope:
    return bureau.envelope(bureau.id("organisation", organisation), verification(name), "HOST#1", at=NOW)


def ask(envelope: Envelope, now: datetime = NOW) -> CarryOut:
    return CarryOut(stream=envelope.subject, now=now, envelope=envelope)


def bundle(*envelopes: Envelope, stream: StreamId | None = None) -> BundleRequest:
    return BundleRequest(stream=stream or envelopes[0].subject, now=NOW, envelopes=envelopes)


async def test_what_was_done_is_counted_by_ending_and_by_entries() -> None:
    store, measures = MemoryStore(lambda: NOW), Metrics()
    await publish(store)
    activities, bureau = CommandActivities(store, measures), bureau_of(store)
    for _ in range(2):
        await activities.carry_out(ask(register(bureau, "FS-1")))

    def read(name: str, **labels: str) -> float | None:
        return measures.registry.get_sample_value(name, labels)

    assert read("venture_commands_total", ending="accepted") == 1
    assert read("venture_commands_total", ending="refused") == 1
    assert read("venture_appends_total", status="appended") == 2
    assert read("venture_entries_appended_total") == 3, "two commands, one event"


async def test_a_command_is_journalled_in_its_first_form_and_its_own_workflow_need_not_be_told() -> None:
    store = MemoryStore(lambda: NOW)
    await publish(store)
    envelope = register(bureau_of(store), "FS-1")
    await CommandActivities(store).carry_out(ask(envelope))
    entry = await store.journalled(envelope.command_id)
    assert entry is not None
    assert entry.schema_version == 1
    assert await store.list_unnotified() == [], "it hears of it from whoever it asked"


async def test_a_look_at_the_time_answers_nobody() -> None:
    store = MemoryStore(lambda: NOW)
    bureau = bureau_of(store)
    opened = await bureau.open_round(at=NOW - timedelta(days=60))
    result = await CommandActivities(store).carry_out(CarryOut(stream=opened, now=NOW, alarm=True))
    assert result.answer is None
    assert result.progress.version > 1, "the window has closed"


async def test_of_a_bundle_with_a_command_of_another_stream_nothing_is_carried_out() -> None:
    store = MemoryStore(lambda: NOW)
    await publish(store)
    bureau = bureau_of(store)
    before = await store.last_position()
    with pytest.raises(ApplicationError) as refused:
        await CommandActivities(store).carry_out_each(bundle(verify(bureau), register(bureau, "FS-1")))
    assert (refused.value.type, refused.value.non_retryable) == ("Malformed", True)
    assert await store.last_position() == before


async def test_a_stranger_on_the_task_queue_carries_nothing_out() -> None:
    store = MemoryStore(lambda: NOW)
    await publish(store)
    request = ask(register(bureau_of(store), "FS-1"))
    with pytest.raises(ApplicationError, match="only a workflow's own worker") as refused:
        await ActivityEnvironment().run(CommandActivities(store).carry_out, request)
    assert (refused.value.type, refused.value.non_retryable) == ("Malformed", True)


async def test_where_the_log_goes_away_within_a_bundle_what_was_recorded_is_answered() -> None:
    store = Moody(2, StoreUnavailable("away"))
    await publish(store)
    bureau = bureau_of(store)
    activities = CommandActivities(store)
    result = await activities.carry_out_each(bundle(*(verify(bureau, name) for name in ("甲", "乙", "丙"))))
    assert [answer.ending for answer in result.answers] == [Ending.ACCEPTED]
    with pytest.raises(StoreUnavailable, match="did not answer: away"):
        await activities.carry_out_each(bundle(verify(bureau, "丁")))


async def test_a_bundle_ends_with_the_first_that_is_refused() -> None:
    store = MemoryStore(lambda: NOW)
    await publish(store)
    bureau = bureau_of(store)
    thrice = (register(bureau, "FS-1") for _ in range(3))
    result = await CommandActivities(store).carry_out_each(bundle(*thrice))
    assert [answer.ending for answer in result.answers] == [Ending.ACCEPTED, Ending.REFUSED]


async def test_a_fault_of_ours_is_no_refusal_and_is_not_tried_again() -> None:
    store, measures = Moody(1, RuntimeError("of 張三")), Metrics()
    await publish(store)
    with pytest.raises(ApplicationError) as defect:
        await CommandActivities(store, measures).carry_out(ask(register(bureau_of(store), "FS-1")))
    assert (defect.value.type, defect.value.non_retryable) == ("Defect", True)
    assert "張三" not in str(defect.value), "what it says of itself may be of somebody"
    assert measures.registry.get_sample_value("venture_defects_total") == 1


async def test_a_form_that_no_command_has_is_malformed() -> None:
    store = MemoryStore(lambda: NOW)
    await publish(store)
    envelope = register(bureau_of(store), "FS-1")
    bent = envelope.model_copy(update={"body": {**envelope.body, "envelope": "much"}}).sign(KEY)
    with pytest.raises(ApplicationError) as malformed:
        await CommandActivities(store).carry_out(ask(bent))
    assert (malformed.value.type, malformed.value.non_retryable) == ("Malformed", True)


async def test_five_minutes_behind_are_borne_and_not_a_moment_more() -> None:
    store, measures = MemoryStore(lambda: NOW), Metrics()
    await publish(store)
    activities, bureau = CommandActivities(store, measures, checks_clocks=True), bureau_of(store)
    late = NOW - MOST_LAG
    with capture_logs() as lines, pytest.raises(ApplicationError) as behind:
        await activities.carry_out(ask(register(bureau, "FS-1"), late - timedelta.resolution))
    assert (behind.value.type, behind.value.non_retryable) == ("ClocksDisagree", True)
    assert [line["how"] for line in lines if line["event"] == "clock.disagrees"] == ["behind"]
    assert measures.registry.get_sample_value("venture_clocks_disagree_total") == 1
    answer = (await activities.carry_out(ask(register(bureau, "FS-1"), late))).answer
    assert answer is not None
    assert answer.ending is Ending.ACCEPTED


async def test_a_log_that_finds_it_ahead_records_nothing_and_says_so() -> None:
    store = Moody(1, AppendStatus.AHEAD)
    await publish(store)
    with pytest.raises(ApplicationError) as ahead:
        await CommandActivities(store).carry_out(ask(register(bureau_of(store), "FS-1")))
    assert ahead.value.type == "ClocksDisagree"


async def test_a_command_for_another_log_is_carried_out_in_none() -> None:
    store = MemoryStore(lambda: NOW)
    await publish(store)
    activities, envelope = CommandActivities(store), register(bureau_of(store), "FS-1")

    def addressed(log: str) -> CarryOut:
        return ask(envelope.model_copy(update={"log": log}).sign(KEY))

    with pytest.raises(ApplicationError) as elsewhere:
        await activities.carry_out(addressed("ab" * 32))
    assert (elsewhere.value.type, elsewhere.value.non_retryable) == ("AnotherLog", True)
    answer = (await activities.carry_out(addressed((await store.genesis() or b"").hex()))).answer
    assert answer is not None
    assert answer.ending is Ending.ACCEPTED


async def test_on_the_wall_clock_nothing_is_decided_by_a_paper_that_is_not_here() -> None:
    store = MemoryStore(lambda: NOW)
    bureau = bureau_of(store)
    await bureau.open_base(1, at=NOW)
    minutes = MINUTES.model_copy(update={"sha256": "ab" * 32})
    award = bureau.award(0).model_copy(update={"minutes": minutes})
    envelope = bureau.envelope(bureau.id("project", "AP-1"), award, "CAB-REG#1", at=NOW)
    activities = CommandActivities(store, requires_documents=True)
    refused = (await activities.carry_out(ask(envelope))).answer
    assert refused is not None
    assert [one.rule for one in refused.unmet] == ["DC01"]
    await store.documents.keep(minutes.sha256, 1, minutes.media_type, "CAB-REG#1", "")
    taken = (await activities.carry_out(ask(envelope))).answer
    assert taken is not None
    assert taken.ending is Ending.ACCEPTED
