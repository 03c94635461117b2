"""Why a seat may or may not: every condition, met or not."""

from __future__ import annotations

import pytest

from application.why import explain, leave_open
from domain.kernel.identity import Actor, StreamId
from domain.project.bidding import DraftApplication
from domain.project.evaluation import ConcludeMidtermEvaluation
from domain.project.remedy import SuspendProject
from domain.registers.panel import SubmitScore
from store.memory import MemoryStore
from tests.paper import REPORTED, play_story, story


@pytest.fixture
async def file() -> tuple[MemoryStore, str]:
    store = MemoryStore()
    await play_story(store, REPORTED)
    return store, story(REPORTED).realm


async def test_a_role_and_a_stage_that_do_not_fit_are_both_named_and_what_fits_is_said_too(
    file: tuple[MemoryStore, str],
) -> None:
    store, realm = file
    score = leave_open(ConcludeMidtermEvaluation, {})
    told = await explain(store, StreamId.of("project", realm, "AP-5"), score, Actor("COMM#1"))
    assert [(c.rule, c.met) for c in told.conditions] == [("M2", False), ("M2", False), ("M2", True), ("SD14", True)]
    assert not told.judged
    assert not told.allowed


async def test_an_expert_who_was_not_drawn_is_told_so(file: tuple[MemoryStore, str]) -> None:
    store, realm = file
    told = await explain(store, StreamId.of("panel", realm, "RP-2"), SubmitScore(application="AP-5"), Actor("EXPERT#9"))
    assert {c.rule for c in told.conditions if not c.met} == {"RP04"}
    assert told.judged


async def test_with_its_particulars_the_rules_of_the_stage_are_asked_as_well(file: tuple[MemoryStore, str]) -> None:
    store, realm = file
    blank = StreamId.of("project", realm, "AP-99")
    draft = DraftApplication(round="R-FZ-2023", organisation="ORG-3", title="助老", requested=100)
    told = await explain(store, blank, draft, Actor("SO-PM#1"))
    assert told.allowed
    assert told.judged
    told = await explain(store, blank, leave_open(SuspendProject, {}), Actor("CAB-DEC#1"))
    assert not told.judged


async def test_nothing_is_recorded(file: tuple[MemoryStore, str]) -> None:
    store, realm = file
    before = await store.last_position()
    await explain(store, StreamId.of("panel", realm, "RP-2"), SubmitScore(application="AP-5"), Actor("EXPERT#1"))
    assert await store.last_position() == before
