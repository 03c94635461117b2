"""What is kept beside the events: the row of the agenda, the journal, and who caused what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import ValidationError

from deciding.decision import Decision, Step
from deciding.event_meta import EventMeta
from deciding.journal import Journal, Outcome, repeat_answer
from deciding.manual_clock import explain_unrecorded, find_clock_refusal, may_be_unrecorded
from deciding.reader import Reader
from domain.kernel.acting import PersonId
from domain.kernel.calendar import Calendar, local_day
from domain.kernel.canonical import canonical, plain
from domain.kernel.clock import Clock
from domain.kernel.effects import Claim, Release
from domain.kernel.envelope import Answer, Ending
from domain.kernel.identifier import Actor, Role, StreamId
from domain.kernel.message import Order
from domain.kernel.refusal import Unmet
from domain.kernel.state import State
from domain.kernel.summary import AwaitedRow, Summary
from domain.need import AdoptNeed
from domain.registers.realm import SetClock
from store.memory import MemoryStore
from store.port import CommandBasis, Entry, EntryKind, RealmStanding
from tests.keys import KEY
from tests.workflows.bureau import RULES, Bureau, need_submission

AT = datetime(2026, 3, 2, 2, tzinfo=UTC)
NEED = StreamId("need/live/ND-1")
AWAITED = AwaitedRow(roles=(Role.CAB_REG,), command="AdoptNeed", subject="", zh="待入庫", en="to be adopted")


def read(summary: dict[str, object]) -> Summary:
    return Summary.read(canonical(summary))


def adoption(reads: dict[StreamId, int]) -> Decision:
    """What came to nothing, on a manual clock, and rests on that."""
    order = Order(AdoptNeed(), Actor("CAB-REG#1"), AT)
    step = Step(uuid4(), order, 0, (), (), reads=reads, claims={}, balances={}, scheme=None, edition=1)
    return Decision((step,), State(NEED), Calendar(), Clock.MANUAL, reads, State(NEED))


async def first_command(bureau: Bureau, stream: StreamId) -> Entry:
    entries = bureau.store.read(stream, commands=True)
    return await anext(entry async for entry in entries if entry.kind is EntryKind.COMMAND)


# ---------------------------------------------------------------- the row


def test_a_row_of_before_rows_knew_their_calendar_counts_as_of_none() -> None:
    assert read({"awaiting": []}).calendar == 0


def test_a_row_keeps_its_kinds_own_particulars_beside_what_every_row_has() -> None:
    assert read({"awaiting": [], "calendar": 2, "title": "護航"}).particulars == {"title": "護航"}


def test_who_is_awaited_is_told_in_the_fields_that_there_are_and_no_others() -> None:
    with pytest.raises(ValidationError):
        read({"awaiting": [{**AWAITED.as_json(), "whom": "P-1"}]})


@pytest.mark.parametrize(("until", "written"), [(None, None), (AT, "2026-03-02T02:00:00+00:00")])
def test_until_when_somebody_is_awaited_is_kept_with_its_offset(until: datetime | None, written: str | None) -> None:
    assert AWAITED.model_copy(update={"until": until}).as_json().get("until") == written


def test_two_rows_that_differ_in_wording_alone_state_the_same_facts() -> None:
    old = Summary(awaiting=(AWAITED,), calendar=3)
    new = Summary(awaiting=(AWAITED.model_copy(update={"zh": "待審核", "en": "to be looked at"}),), calendar=3)
    other = Summary(awaiting=(AWAITED.model_copy(update={"command": "RejectNeed"}),), calendar=3)
    assert old.facts == new.facts
    assert old.facts != other.facts


# ---------------------------------------------------------------- the journal and the events


async def test_the_journal_keeps_what_was_asked_and_when_it_came_in_and_says_so_again() -> None:
    bureau = Bureau("kept", MemoryStore(), KEY)
    await bureau.open_round(at=AT)
    need = bureau.id("need", "ND-1")
    await bureau.straight(need, need_submission(), "COMM#1", at=AT)
    entry = await first_command(bureau, need)
    journal = Journal.read(entry)
    assert (journal.received_at, entry.data) == (AT, canonical(plain(need_submission())))
    assert Journal.read_refused(entry) is None, "it was accepted"
    other = bureau.envelope(need, need_submission("殘障兒童"), "COMM#1", at=AT)
    assert repeat_answer(other, entry).ending is Ending.MISMATCH
    same = bureau.envelope(need, need_submission(), "COMM#1", at=AT)
    assert repeat_answer(same, entry).ending is Ending.ACCEPTED


async def test_what_no_scheme_governs_is_of_the_first_edition_and_names_none() -> None:
    bureau = Bureau("kept", MemoryStore(), KEY)
    await bureau.open_round(at=AT)
    scheme = await first_command(bureau, bureau.id("scheme", RULES.name))
    journal = Journal.read(scheme)
    assert (journal.scheme, journal.edition) == (None, 1)
    assert Journal(actor=Actor("SYS#1"), outcome=Outcome(accepted=())).edition == 1, "journals of before editions"


def test_an_outcome_says_nothing_beside_itself() -> None:
    with pytest.raises(ValidationError):
        Outcome.model_validate({"accepted": [], "perhaps": True})


def test_of_a_bare_seat_no_persons_are_kept_not_even_none() -> None:
    bare = Order(AdoptNeed(), Actor("CAB-REG#1"), AT)
    assert EventMeta.of(bare).as_meta() == canonical({"actor": "CAB-REG#1"})
    known = Order(AdoptNeed(), Actor("CAB-REG#1"), AT, frozenset({PersonId("P-2"), PersonId("P-1")}))
    assert EventMeta.of(known).as_meta() == canonical({"actor": "CAB-REG#1", "persons": ["P-1", "P-2"]})


def test_what_was_released_before_is_no_longer_held_for_what_rests_on_it() -> None:
    reader = Reader(MemoryStore())
    reader.claims["base/1"] = frozenset()
    reader.rest_on([Claim("base/1", "PJ-1"), Claim("base/1", "PJ-2"), Release("base/1", "PJ-1")])
    assert reader.claims["base/1"] == {"PJ-2"}


def test_two_decisions_in_one_rest_on_all_that_either_read_as_it_was_read_first() -> None:
    round_, panel = StreamId("round/live/R-1"), StreamId("panel/live/PN-1")
    both = adoption({round_: 3}).then(adoption({round_: 4, panel: 1}))
    assert (len(both.steps), both.reads) == (2, {round_: 3, panel: 1})


# ---------------------------------------------------------------- the manual clock


@pytest.mark.parametrize(
    ("ending", "position", "rules", "may"),
    [
        (Ending.REFUSED, 0, ("CLOCK",), True),
        (Ending.REFUSED, 0, ("CK01", "V4"), True),
        (Ending.REFUSED, 0, ("CLOCK", "M8"), False),
        (Ending.REFUSED, 7, ("CLOCK",), False),
        (Ending.ACCEPTED, 0, (), False),
    ],
)
def test_only_a_refusal_by_the_clock_or_at_the_door_may_be_in_no_journal(
    ending: Ending, position: int, rules: tuple[str, ...], *, may: bool
) -> None:
    unmet = tuple(Unmet(rule=rule, zh="否", en="no") for rule in rules)
    answer = Answer(ending=ending, stream=NEED, version=0, position=position, unmet=unmet)
    assert may_be_unrecorded(answer) is may


async def test_a_realm_does_not_go_live_past_a_deadline_at_that_very_instant() -> None:
    bureau = Bureau(f"kept-{uuid4().hex[:4]}", MemoryStore(), KEY)
    call = await bureau.open_round(at=AT)
    standing = await bureau.store.standing(call)
    assert standing is not None
    assert standing.due_at is not None
    live = SetClock(clock=Clock.WALL, second=Actor("CAB-DEC#1"))
    for late, at in ((False, standing.due_at - timedelta(seconds=1)), (True, standing.due_at)):
        envelope = bureau.envelope(bureau.id("realm", "realm"), live, "CAB-REG#1", at=at)
        unmet = await explain_unrecorded(bureau.store, envelope, ["CK02"])
        assert [one.rule for one in unmet] == ["CK02"] * late
    last = local_day(standing.due_at - timedelta(minutes=2))
    assert f"{last} 24:00" in unmet[0].en


@pytest.mark.parametrize(
    ("earliest", "for_command", "waits"),
    [(AT, True, True), (AT + timedelta(microseconds=1), True, False), (AT, False, False), (None, True, False)],
)
async def test_a_command_waits_for_a_deadline_at_its_very_instant_and_a_deadline_waits_for_none(
    earliest: datetime | None, *, for_command: bool, waits: bool
) -> None:
    basis = CommandBasis(None, (), RealmStanding(Clock.MANUAL, AT, earliest=earliest), AT)
    answer = await find_clock_refusal(MemoryStore(), adoption({}), basis, State(NEED), for_command=for_command)
    assert (answer is not None and answer.ending is Ending.EARLY) is waits
