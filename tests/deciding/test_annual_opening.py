"""A worker has no key: it opens a year's round because the log has scheduled that, so and no otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from activities.carry_out import CommandActivities
from audit.finding import FindingKind
from audit.redecision import redecide
from audit.verification import verify
from deciding.annual_opening import opening_id
from domain.kernel.canonical import plain
from domain.kernel.envelope import Answer, CarryOut, Ending, Envelope
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.scheme import RoundLevel
from domain.registers.scheme import PublishPolicyPack, ScheduleAnnualRound, UnscheduleAnnualRound
from domain.round.plan import OpenNeedSolicitation
from store.memory import MemoryStore
from tests.keys import KEY
from tests.workflows.bureau import RULES, Bureau

BEFORE = datetime(2026, 1, 5, 1, tzinfo=UTC)
THE_DAY = datetime(2026, 3, 1, 1, tzinfo=UTC)
"""Nine in the morning in Shanghai."""
REALM = "annual"
ROUND = StreamId.of("round", REALM, "R-FZ-2026")


class AnnualProgramme(MemoryStore):
    """A programme of Fuzhou that opens a district round on the first of every March."""

    def __init__(self) -> None:
        super().__init__(lambda: self.now)
        self.now = BEFORE
        self.bureau = Bureau(REALM, self, KEY)
        self.programme = self.bureau.id("scheme", RULES.name)

    @classmethod
    async def scheduled(cls) -> AnnualProgramme:
        realm = cls()
        await realm.bureau.straight(realm.programme, PublishPolicyPack(scheme=RULES), "CAB-DEC#1", at=BEFORE)
        every_march = ScheduleAnnualRound(programme="FZ", level=RoundLevel.DISTRICT, month=3, day=1)
        await realm.bureau.straight(realm.programme, every_march, "CAB-REG#1", at=BEFORE)
        realm.now = THE_DAY
        return realm

    async def open_unsigned(self, **changed: Any) -> Answer:
        """As the worker asks it, or anybody who has come to Temporal's port."""
        command = OpenNeedSolicitation(scheme=RULES.ref, year=2026, level=RoundLevel.DISTRICT)
        envelope = Envelope(
            command_id=opening_id(ROUND),
            derived=True,
            subject=ROUND,
            actor=Actor("CAB-REG#1"),
            received_at=self.now,
            command=command.command_type,
            body=plain(command),
        ).model_copy(update=changed)
        request = CarryOut(stream=envelope.subject, now=self.now, envelope=envelope)
        answer = (await CommandActivities(self).carry_out(request)).answer
        assert answer is not None
        return answer


async def test_on_its_day_the_round_that_the_log_has_scheduled_is_opened_without_a_key_and_the_audit_agrees() -> None:
    realm = await AnnualProgramme.scheduled()
    first, again = await realm.open_unsigned(), await realm.open_unsigned()
    assert (first.ending, again.ending, again.repeated) == (Ending.ACCEPTED, Ending.ACCEPTED, True)
    assert (await verify(realm)).ok
    assert (await redecide(realm, ROUND)).ok


OTHER_BODY = plain(OpenNeedSolicitation(scheme=RULES.ref, year=2026, level=RoundLevel.MUNICIPAL))
OTHER_ROUND = StreamId.of("round", REALM, "R-HZ-2026")
NOT_SCHEDULED: dict[str, dict[str, Any]] = {
    "in another's name": {"actor": Actor("CAB-REG#2")},
    "of another level": {"body": OTHER_BODY},
    "of another year": {"body": {**OTHER_BODY, "year": 2027, "level": "DISTRICT"}},
    "of another programme": {"subject": OTHER_ROUND, "command_id": opening_id(OTHER_ROUND)},
    "under another id": {"command_id": uuid4()},
    "another command": {"command": "PublishCall"},
    "not as the engine asks": {"derived": False, "command_id": uuid4()},
    "with what is no form": {"body": {"year": "never"}},
}


@pytest.mark.parametrize("case", NOT_SCHEDULED)
async def test_nothing_else_is_opened_without_a_key(case: str) -> None:
    realm = await AnnualProgramme.scheduled()
    before = await realm.last_position()
    answer = await realm.open_unsigned(**NOT_SCHEDULED[case])
    assert (answer.ending, [u.rule for u in answer.unmet]) == (Ending.UNSIGNED, ["SG06"])
    assert await realm.last_position() == before


async def test_it_is_not_opened_before_its_day_nor_once_it_is_no_longer_scheduled() -> None:
    realm = await AnnualProgramme.scheduled()
    realm.now = THE_DAY - timedelta(seconds=1)
    assert (await realm.open_unsigned()).ending is Ending.UNSIGNED
    await realm.bureau.straight(realm.programme, UnscheduleAnnualRound(programme="FZ"), "CAB-REG#1", at=realm.now)
    realm.now = THE_DAY
    assert (await realm.open_unsigned()).ending is Ending.UNSIGNED


async def test_an_opening_that_was_never_scheduled_is_found_by_whoever_verifies_the_log() -> None:
    realm = await AnnualProgramme.scheduled()
    await realm.open_unsigned()
    unscheduled = MemoryStore()
    for entry in realm._entries:
        if entry.type not in {"ScheduleAnnualRound", "AnnualRoundScheduled"}:
            unscheduled._add(entry)
    kinds = {f.kind for f in (await verify(unscheduled)).findings if f.stream == ROUND}
    assert FindingKind.UNSIGNED in kinds
