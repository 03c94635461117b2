"""A story with persons of its own: who is on which seat from its beginning, and what that keeps them from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from audit.invariants import check
from audit.verification import verify
from deciding.fold import fold
from domain.kernel.acting import PersonId
from domain.registers.person import Person, PersonStage, person_stream
from scenarios.plan import read_plan
from scenarios.play import play
from schemes.document import DocumentInvalid, read_text
from store.memory import MemoryStore
from tests.paper import open_paper_door

if TYPE_CHECKING:
    from domain.kernel.identifier import StreamId
    from scenarios.play import PlayResult
    from store.port import Entry

STORY = """
id: PPL
scheme: fuzhou
defaults: {round: R-T-2023, year: 2023, level: MUNICIPAL}
persons: [P-8]
seats:
  SO-LEGAL#1: {person: P-7, for: [ORG-T1]}
  SO-LEGAL#2: {for: [ORG-T2]}
  DCAB#1: {person: P-7, for: [D-1]}
  CAB-REG#2: {person: P-3}
projects:
  PJ-1: {application: AP-1, organisation: ORG-T1, title: 測試項目, statement: 獨居老人無人探訪, district: D-1}
events:
- [2023-03-06, CallPublished, R-T-2023, CAB-REG#1, {}]
- [2023-03-08, OrganisationVerified, ORG-T1, DCAB#2, {name: 甲, kind: SERVICE_AGENCY, representatives: [SO-LEGAL#1]}]
- [2023-03-09, ApplicationSubmitted, AP-1, SO-LEGAL#1, {requested: 3000000}]

- {at: 2023-03-28, event: PreliminaryReviewPassed, subject: AP-1, actor: DCAB#3, data: {}}
must_refuse:
- {at: 2023-03-10, command: 撤回申報 by SO-LEGAL#1, person: P-8, subject: AP-1, data: {reason: x}, code: SE12}
- {at: 2023-03-10, command: 撤回申報 by SO-LEGAL#2, subject: AP-1, data: {reason: x}, code: SE11}
- {at: 2023-03-28, command: PassPreliminaryReview by DCAB#1, subject: AP-1, code: SD14}
expect:
  PJ-1: {state: SHORTLISTED}
"""


def played(text: str, store: MemoryStore | None = None) -> PlayResult:
    house = store or MemoryStore()
    return asyncio.run(play(read_plan(read_text(text, "x.yaml")), open_paper_door(house), house))


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(DocumentInvalid) as invalid:
        read_plan(read_text(text, "x.yaml"))
    return [(fault.line, fault.where) for fault in invalid.value.faults]


def test_persons_act_on_their_seats_and_one_human_on_two_is_one_human() -> None:
    store = MemoryStore()
    result = played(STORY, store)
    assert result.ok, result.as_json()
    meta = asyncio.run(_events(store, result))
    assert meta["ApplicationSubmitted"] == '{"actor":"SO-LEGAL#1","persons":["P-7"]}'
    assert meta["PreliminaryReviewPassed"] == '{"actor":"DCAB#3"}', "still bare"
    waiting = fold(stream := person_stream(result.plan.realm, PersonId("P-8")), asyncio.run(_read(store, stream)))
    assert (waiting.stage, waiting.part(Person).duties) == (PersonStage.REGISTERED, ())
    assert asyncio.run(verify(store)).findings == ()
    assert asyncio.run(check(store)).ok


async def _read(store: MemoryStore, stream: StreamId) -> list[Entry]:
    return [entry async for entry in store.read(stream)]


async def _events(store: MemoryStore, result: PlayResult) -> dict[str, str]:
    return {e.type: e.meta.decode() async for e in store.read(result.plan.stream("PJ-1"))}


def test_played_again_nobody_is_put_on_a_seat_twice() -> None:
    store = MemoryStore()
    played(STORY, store)
    position = asyncio.run(store.last_position())
    assert played(STORY, store).ok
    assert asyncio.run(store.last_position()) == position


def test_without_their_persons_the_same_seats_are_bare_and_nobody_is_anybody() -> None:
    begin, end = STORY.index("persons:"), STORY.index("projects:")
    result = played(STORY[:begin] + STORY[end:])
    assert [refusal.ok for refusal in result.refusals] == [False]
    assert result.deviations, "an application is withdrawn by whoever the papers name"


@pytest.mark.parametrize(
    ("seat", "where"),
    [
        ("CAB-REG#2: {person: P-3, for: [ORG-1]}", "seats.CAB-REG#2"),
        ("SO-PM#1: {person: P-3}", "seats.SO-PM#1"),
        ("ADMIN#1: {person: P-3}", "seats.ADMIN#1"),
        ("CAB-REG#2: {person: somebody}", "seats.CAB-REG#2.person"),
        ("CAB-REG#2: {persn: P-3}", "seats.CAB-REG#2.persn"),
    ],
)
def test_a_seat_that_cannot_be_is_a_fault_of_its_line(seat: str, where: str) -> None:
    assert faults(STORY.replace("CAB-REG#2: {person: P-3}", seat)) == [(10, where)]
