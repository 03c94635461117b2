"""Why a seat may or may not: every condition, met or not."""

from __future__ import annotations

import pytest

from application.policy_explanation import explain, leave_open, list_seats
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor, StreamId
from domain.need import SubmitNeed
from domain.policy import Condition
from domain.project.bidding import DraftApplication
from domain.project.evaluation import ConcludeMidtermEvaluation
from domain.project.remedy import SuspendProject
from domain.registers.panel import SubmitScore
from store.memory import MemoryStore
from tests.office import Office, person_on, scope_of
from tests.paper import REPORTED, story, told_story


@pytest.fixture
async def file() -> tuple[MemoryStore, str]:
    return await told_story(REPORTED), story(REPORTED).realm


async def test_a_role_and_a_stage_that_do_not_fit_are_both_named_and_what_fits_is_said_too(
    file: tuple[MemoryStore, str],
) -> None:
    store, realm = file
    score = leave_open(ConcludeMidtermEvaluation, {})
    explanation = await explain(store, StreamId.of("project", realm, "AP-5"), score, Actor("COMM#1"))
    assert [(c.rule, c.met) for c in explanation.conditions] == [
        ("M2", False),
        ("M2", False),
        ("M2", True),
        ("SD14", True),
    ]
    assert not explanation.judged
    assert not explanation.is_allowed


async def test_an_expert_who_was_not_drawn_is_told_so(file: tuple[MemoryStore, str]) -> None:
    store, realm = file
    explanation = await explain(
        store, StreamId.of("panel", realm, "RP-2"), SubmitScore(application="AP-5"), Actor("EXPERT#9")
    )
    assert {c.rule for c in explanation.conditions if not c.met} == {"RP04"}
    assert explanation.judged


async def test_with_its_particulars_the_rules_of_the_stage_are_asked_as_well(file: tuple[MemoryStore, str]) -> None:
    store, realm = file
    blank = StreamId.of("project", realm, "AP-99")
    draft = DraftApplication(round="R-FZ-2023", organisation="ORG-3", title="助老", requested=100)
    explanation = await explain(store, blank, draft, Actor("SO-PM#1"))
    assert explanation.is_allowed
    assert explanation.judged
    explanation = await explain(store, blank, leave_open(SuspendProject, {}), Actor("CAB-DEC#1"))
    assert not explanation.judged


async def test_nothing_is_recorded(file: tuple[MemoryStore, str]) -> None:
    store, realm = file
    before = await store.last_position()
    await explain(store, StreamId.of("panel", realm, "RP-2"), SubmitScore(application="AP-5"), Actor("EXPERT#1"))
    assert await store.last_position() == before


# ---------------------------------------------------------------- on the wall clock, by persons on seats


NEED = StreamId("need/live/ND-1")


async def test_who_is_on_the_seat_is_the_first_condition_and_a_person_is_told_of_each_of_their_seats() -> None:
    office = Office(MemoryStore())
    await office.seat("CAB-REG#1")
    await office.seat("EVAL#1", "P-70", scope=scope_of(Actor("EVAL#1")))
    await office.seat("COMM#1", "P-70")
    adopt, person = leave_open(SuspendProject, {}), PersonId("P-70")
    project = StreamId("project/live/AP-1")
    assert set(await list_seats(office.store, person, "live", adopt)) == {"EVAL#1", "COMM#1"}
    explanation = await explain(office.store, project, adopt, Actor("EVAL#1"), person=person)
    assert explanation.conditions[0] == Condition("SE12", "P-70 在崗位 EVAL#1", "P-70 on the seat EVAL#1", met=True)
    stranger = await explain(office.store, project, adopt, Actor("EVAL#1"), person=PersonId("P-71"))
    assert (stranger.conditions[0].rule, stranger.conditions[0].met) == ("SE12", False)


async def test_a_community_is_told_that_anothers_need_is_none_of_its_business() -> None:
    office = Office(MemoryStore())
    await office.seat("COMM#1")
    need = SubmitNeed(round="R-1", group="空巢老人", community="COMM-9")
    explanation = await explain(office.store, NEED, need, Actor("COMM#1"), person=person_on(Actor("COMM#1")))
    assert "AF03" in {c.rule for c in explanation.conditions if not c.met}
