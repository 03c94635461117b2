"""What commands would come to, one resting on the other, with nothing recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from application.dry_run import DryRun
from domain.kernel.identifier import Actor
from domain.need import EndorseNeed
from domain.project.award import DeclineAward
from domain.project.bidding import PassPreliminaryReview, WithdrawApplication
from domain.registers.fund import RegisterFundSource
from store.memory import MemoryStore
from tests.keys import KEY
from tests.paper import REPORTED, open_paper_door, play_story, prepare_resolution
from tests.workflows.bureau import FUND_FEN, Bureau, need_submission, verification


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def bureau(store: MemoryStore) -> Bureau:
    return Bureau(f"b-{uuid4().hex[:8]}", store, KEY)


async def test_what_is_tried_rests_on_what_was_tried_before_and_nothing_is_recorded(
    store: MemoryStore, bureau: Bureau
) -> None:
    await bureau.open_round()
    before, need = await store.last_position(), bureau.id("need", "ND-1")
    dry_run = DryRun(store, requires_office=False)
    early = await dry_run.step(need, EndorseNeed(), Actor("COMM#2"))
    assert early.unmet, "there is no such need yet"
    submitted = await dry_run.step(need, need_submission(), Actor("COMM#1"))
    endorsed = await dry_run.step(need, EndorseNeed(), Actor("COMM#2"))
    again = await dry_run.step(need, EndorseNeed(), Actor("COMM#2"))
    assert [len(s.events) for s in (submitted, endorsed, again)] == [1, 1, 0]
    assert again.unmet
    assert await store.last_position() == before


async def test_money_that_one_award_would_take_is_not_there_for_the_next(store: MemoryStore, bureau: Bureau) -> None:
    await bureau.open_base()
    half = FUND_FEN // 2 + 1
    dry_run = DryRun(store, requires_office=False)
    one, two, three = (bureau.id("project", f"AP-{n}") for n in (1, 2, 3))
    dear = bureau.award(1).model_copy(update={"award": half, "funds": {"FS-1": half}})
    also = dear.model_copy(update={"project": "PJ-2"})
    first = await dry_run.step(one, dear, Actor("CAB-REG#1"))
    assert not first.unmet, first.unmet
    second = await dry_run.step(two, also, Actor("CAB-REG#1"))
    assert second.unmet
    small = await dry_run.step(three, bureau.award(3), Actor("CAB-REG#1"))
    assert not small.unmet, small.unmet
    await dry_run.step(one, DeclineAward(reason="人手不足"), Actor("SO-LEGAL#1"))
    freed = await dry_run.step(two, also, Actor("CAB-REG#1"))
    assert not freed.unmet, freed.unmet


async def test_a_name_taken_in_the_dry_run_is_taken(store: MemoryStore, bureau: Bureau) -> None:
    await bureau.open_base()
    dry_run = DryRun(store, requires_office=False)
    first = await dry_run.step(bureau.id("project", "AP-1"), bureau.award(1), Actor("CAB-REG#1"))
    second = await dry_run.step(bureau.id("project", "AP-2"), bureau.award(1), Actor("CAB-REG#1"))
    assert not first.unmet
    assert second.unmet


async def test_registers_are_begun_in_a_dry_run_too(store: MemoryStore, bureau: Bureau) -> None:
    dry_run = DryRun(store, requires_office=False)
    organisation = await dry_run.step(bureau.id("organisation", "ORG-1"), verification(), Actor("HOST#1"))
    fund = RegisterFundSource(name="福彩公益金", envelope=1)
    twice = [await dry_run.step(bureau.id("fund", "FS-1"), fund, Actor("CAB-FIN#1")) for _ in range(2)]
    assert [bool(s.unmet) for s in (organisation, *twice)] == [False, False, True]


async def test_what_a_command_asks_of_others_is_tried_too(store: MemoryStore) -> None:
    story = await play_story(store, REPORTED)
    resolution, dry_run = await prepare_resolution(store, story.plan.realm), DryRun(store, requires_office=False)
    step = await dry_run.step(story.plan.stream("R-FZ-2023"), resolution, Actor("CAB-REG#1"))
    assert not step.unmet, step.unmet
    bid, withdrawal = story.plan.stream("AP-5"), WithdrawApplication()
    awarded = await dry_run.step(bid, withdrawal, Actor("SO-LEGAL#1"))
    assert awarded.unmet, "the resolution proposed its award"
    assert not (await DryRun(store, requires_office=False).step(bid, withdrawal, Actor("SO-LEGAL#1"))).unmet


async def test_what_a_command_tried_dry_asks_of_others_is_posted_once_as_it_will_be(store: MemoryStore) -> None:
    story = await play_story(store, REPORTED)
    resolution, dry_run = await prepare_resolution(store, story.plan.realm), DryRun(store, requires_office=False)
    stream, before = story.plan.stream("R-FZ-2023"), await store.balances()
    await dry_run.step(stream, resolution, Actor("CAB-REG#1"))
    balances = dry_run._reader.balances
    assert balances.items() - before.items(), "the award is committed"
    await open_paper_door(store).send(stream, resolution, Actor("CAB-REG#1"))
    assert balances.items() <= (await store.balances()).items()


async def test_on_a_manual_clock_what_is_due_elsewhere_falls_due_first_and_nothing_is_recorded(
    store: MemoryStore,
) -> None:
    played = await play_story(store, datetime(2023, 4, 20, tzinfo=UTC))
    before, bid = await store.last_position(), played.plan.stream("AP-5")
    dry_run = DryRun(store, requires_office=False)
    review, officer = PassPreliminaryReview(), Actor("DCAB#1")
    early = await dry_run.step(bid, review, officer, datetime(2023, 4, 21, tzinfo=UTC))
    assert {one.rule for one in early.unmet} == {"AP06"}, "the call is open yet"
    assert not (await dry_run.step(bid, review, officer, datetime(2023, 4, 26, tzinfo=UTC))).unmet
    assert await store.last_position() == before
