"""The door says only what it has read in its own log: whoever answers, on whatever database."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from application.door import MOST_EARLY, Door, NotKnown
from application.workflow_carrier import WorkflowCarrier
from deciding.manual_clock import explain_unrecorded
from domain.kernel.clock import Clock
from domain.kernel.envelope import Answer, Ending
from domain.kernel.identifier import Actor
from domain.kernel.refusal import CommandRejected, Unmet
from domain.need import EndorseNeed
from store.memory import MemoryStore
from tests.tables import each_of
from tests.workflows.bureau import need_submission, verification

if TYPE_CHECKING:
    from domain.kernel.envelope import Envelope
    from tests.conftest import Desk
    from tests.workflows.bureau import Bureau

HOST = Actor("HOST#1")


def elsewhere(desk: Desk, bureau: Bureau) -> Door:
    """A door on another log than the worker that serves its task queue."""
    return Door(WorkflowCarrier(desk.client, desk.settings.task_queue), MemoryStore(), bureau.key)


async def test_accepted_on_another_database_is_not_said_to_be_accepted(desk: Desk, bureau: Bureau) -> None:
    stream, command_id = bureau.id("organisation", "ORG-1"), uuid4()
    with pytest.raises(NotKnown, match="not in this log"):
        await elsewhere(desk, bureau).send(stream, verification(), HOST, command_id=command_id)
    assert await desk.store.journalled(command_id) is not None, "the worker did record it, elsewhere"


async def test_refused_on_another_database_is_not_said_to_be_refused(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await bureau.straight(need, need_submission(), "COMM#1")
    with pytest.raises(CommandRejected):
        await desk.door.send(need, EndorseNeed(), Actor("COMM#1"))
    with pytest.raises(NotKnown, match="not in this log"):
        await elsewhere(desk, bureau).send(need, EndorseNeed(), Actor("COMM#1"))


LIES = [(ending, rule) for ending in Ending for rule in ("CLOCK", "CK01", "CK02", "ID03", "SG04", "M2")]


@each_of(5, "ending, rule", LIES)  # every ending and every rule, but not each with each
async def test_a_stranger_who_serves_the_queue_can_say_nothing(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch, ending: Ending, rule: str
) -> None:
    """A worker of somebody else's answers as it likes, with rules of the product's own and under the command's id."""
    stream = bureau.id("organisation", "ORG-1")
    await bureau.straight(bureau.id("organisation", "ORG-2"), verification(), HOST)
    await desk.store.set_clock(bureau.realm, Clock.MANUAL)
    carrier = WorkflowCarrier(desk.client, desk.settings.task_queue)
    envelopes = []

    async def answer(envelope: Envelope) -> Answer:
        envelopes.append(envelope)
        return Answer(
            ending=ending,
            stream=stream,
            version=7,
            position=9,
            events=("OrganisationVerified",),
            unmet=(Unmet(rule=rule, zh="謊言", en="a lie"),),
            command_id=envelope.command_id,
        )

    monkeypatch.setattr(carrier, "carry_out", answer)
    with pytest.raises(NotKnown, match="not in this log"):
        await Door(carrier, desk.store, bureau.key).send(stream, verification(), HOST)
    assert 1 <= len(envelopes) <= MOST_EARLY + 2, "and nobody is kept asking for ever"


async def test_a_rightful_no_that_is_in_no_journal_is_told_in_our_own_words(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the log bears a refusal out, a stranger's words are not passed on."""
    stream = bureau.id("organisation", "ORG-1")
    carrier = WorkflowCarrier(desk.client, desk.settings.task_queue)

    async def answer(envelope: Envelope) -> Answer:
        unmet = (Unmet(rule="CK01", zh="請匯款至……", en="please pay to ..."),)
        return Answer(ending=Ending.REFUSED, stream=stream, version=7, unmet=unmet, command_id=envelope.command_id)

    monkeypatch.setattr(carrier, "carry_out", answer)
    with pytest.raises(CommandRejected) as refused:
        await Door(carrier, desk.store, bureau.key).send(stream, verification(), HOST)
    assert "pay" not in str(refused.value)
    assert "wall clock" in str(refused.value)


async def test_a_receipt_names_the_log_that_it_was_read_in(desk: Desk, bureau: Bureau) -> None:
    stream, command_id = bureau.id("organisation", "ORG-1"), uuid4()
    first = await desk.door.send(stream, verification(), HOST, command_id=command_id)
    again = await desk.door.send(stream, verification(), HOST, command_id=command_id)
    (entry,) = await desk.store.feed(0, 1)
    assert {first.log, again.log} == {entry.chain.hex()}
    assert (first.repeated, again.repeated) == (False, True)


async def test_a_refusal_that_is_not_journalled_is_borne_out_by_the_log_itself(bureau: Bureau) -> None:
    """Where the clock stands and what lies in its past the door reads for itself."""
    store = MemoryStore()
    stream = bureau.id("organisation", "ORG-1")
    envelope = bureau.envelope(stream, verification(), HOST)

    assert [u.rule for u in await explain_unrecorded(store, envelope, ("CK01",))] == ["CK01"]
    await store.set_clock(bureau.realm, Clock.MANUAL)
    for rules in ((), ("CK01",), ("CLOCK",), ("CK02",), ("M2",), ("ID03",), ("ID03", "M2")):
        assert not await explain_unrecorded(store, envelope, rules), rules
