"""Many at once, on the real servers: the last yuan is spent once, a round is decided whole, neighbours hear of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType

import bootstrap
from activities.carry_out import CommandActivities
from application.door import Door
from application.workflow_carrier import WorkflowCarrier
from audit.invariants import check
from audit.verification import verify
from deciding.fold import fold
from domain.kernel.envelope import CarryOut, Ending, Progress
from domain.kernel.facts import Facts
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import CommandRejected
from domain.project.bidding import WithdrawApplication
from domain.registers.calendar import PublishCalendar
from domain.registers.fund import RegisterFundSource, envelope
from domain.registers.organisation import BanApplicant
from domain.round.resolution import Omission, ResolveRound, Selection, digest_preview, preview_ranking
from schemes.calendars import load_published
from store.port import EntryKind
from store.postgres import PostgresStore
from tests.domain.pure_realm import EVIDENCE, scheme
from tests.domain.sentences import on
from tests.domain.written_realm import AWARD, FUNDS, steps
from tests.keys import MINUTES
from tests.workflows.bureau import Bureau
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.kernel.message import Command
    from domain.project.award import ProposeAward
    from store.port import Append, AppendResult, EventStore
    from tests.conftest import Desk

ONE = 1_000_000
OFFICER = Actor("CAB-REG#1")


@pytest.fixture(scope="module")
def desk(own_log: Desk) -> Desk:
    """These tests walk the whole log, again and again."""
    return own_log


@pytest.fixture(scope="module")
def store(desk: Desk) -> PostgresStore:
    return desk.store


def support(bureau: Bureau, number: int, fen: int = ONE) -> ProposeAward:
    """The base's support from the nearly empty fund."""
    return bureau.award(number).model_copy(update={"award": fen, "funds": {"FS-2": fen}})


async def nearly_empty(bureau: Bureau, fen: int, bases: int = 64) -> None:
    """Every register of a base's support, and a fund with only so much."""
    await bureau.open_base(bases)
    await bureau.straight(bureau.id("fund", "FS-2"), RegisterFundSource(name="扶持資金", envelope=fen), "CAB-FIN#1")


async def left(store: EventStore, realm: str) -> int:
    account = envelope(realm, "FS-2")
    return (await store.read_many((), (), (account,))).balances[account]


async def proven(store: EventStore, realm: str) -> None:
    """Every invariant of the realm holds, and guards, ledger and agenda folded again are what the rows say."""
    report = await check(store, realm)
    assert report.ok, report.breaches
    verification = await verify(store)
    assert not [f for f in verification.findings if realm in f"{f.stream} {f.subject} {f.expected} {f.actual}"]


# ---------------------------------------------------------------- one append of many


@pytest.mark.full
async def test_of_64_in_one_append_the_one_that_overdraws_is_refused_and_journalled_and_63_stand(
    bureau: Bureau, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await nearly_empty(bureau, 63 * ONE)
    all_decided, sent = asyncio.Barrier(64), list[int]()
    append, send = store.append, store._append_batch

    async def once_all_have_decided(what: Append) -> AppendResult:
        if what.writes[0].stream.realm == bureau.realm and not sent:
            await all_decided.wait()
        return await append(what)

    async def counted(taken: Sequence[Append]) -> list[AppendResult]:
        sent.append(sum(a.writes[0].stream.realm == bureau.realm for a in taken))
        return await send(taken)

    monkeypatch.setattr(store, "append", once_all_have_decided)
    monkeypatch.setattr(store, "_append_batch", counted)
    activities = CommandActivities(store)
    envelopes = [bureau.envelope(bureau.id("project", f"PJ-{n}"), support(bureau, n), "CAB-REG#1") for n in range(64)]
    results = await asyncio.gather(
        *(activities.carry_out(CarryOut(stream=e.subject, now=e.received_at, envelope=e)) for e in envelopes)
    )
    assert max(sent) == 64, "one statement"
    answers = [c.answer for c in results if c.answer is not None]
    (refused,) = [a for a in answers if a.ending is Ending.REFUSED]
    assert [a.ending for a in answers].count(Ending.ACCEPTED) == 63
    assert {u.rule for u in refused.unmet} == {"C2"}
    (journalled,) = [e async for e in store.read(refused.stream, commands=True)]
    assert (journalled.kind, b'"C2"' in journalled.meta) == (EntryKind.COMMAND, True)
    assert await left(store, bureau.realm) == 0
    await proven(store, bureau.realm)


@pytest.mark.full
async def test_what_overdraws_by_itself_leaves_its_neighbours_be(bureau: Bureau, store: PostgresStore) -> None:
    await nearly_empty(bureau, 63 * ONE)
    activities = CommandActivities(store)
    amounts = [ONE] * 40 + [64 * ONE] + [ONE] * 23
    envelopes = [
        bureau.envelope(bureau.id("project", f"PJ-{n}"), support(bureau, n, fen), "CAB-REG#1")
        for n, fen in enumerate(amounts)
    ]
    results = await asyncio.gather(
        *(activities.carry_out(CarryOut(stream=e.subject, now=e.received_at, envelope=e)) for e in envelopes)
    )
    endings = [c.answer.ending for c in results if c.answer is not None]
    assert [n for n, ending in enumerate(endings) if ending is Ending.REFUSED] == [40]
    assert await left(store, bureau.realm) == 0


# ---------------------------------------------------------------- a round's resolution


class ManualRealm:
    """A round on a manual clock, told through the door."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.realm = f"t-{uuid4().hex[:8]}"

    def id(self, kind: str, name: str) -> StreamId:
        return StreamId.of(kind, self.realm, name)

    async def play_until(self, last: str) -> None:
        await self.desk.door.open_realm(self.realm)
        for name, step in steps(scheme("hangzhou")):
            await self.send(self.id(step.kind, step.name), step.command, step.by, step.at)
            if name == last:
                return

    async def send(self, stream: StreamId, command: Command, by: str, at: str) -> None:
        await self.desk.door.send(stream, command, Actor(by), at=on(at))

    async def versions(self) -> dict[StreamId, int]:
        rows = [row async for row in self.desk.store.standings(realm=self.realm)]
        return {row.stream: row.version for row in rows}

    async def stage(self, stream: StreamId) -> str:
        """As its workflow knows it."""
        progress: Progress = await self.desk.client.get_workflow_handle(stream).query("progress", result_type=Progress)
        return progress.stage

    async def resolving(self, *, awards: int = 1) -> ResolveRound:
        """The first bid or both are awarded, as it looks now."""
        streams = [self.id("round", "R-1"), self.id("panel", "RP-1"), *(self.id("project", f"AP-{n}") for n in (1, 2))]
        entries = (await self.desk.store.read_many(streams)).streams
        states = {stream: fold(stream, entries[stream]) for stream in streams}
        shares = (FUNDS, {"FS-1": 500_000})
        chosen = tuple(
            Selection(
                application=f"AP-{n + 1}",
                project=f"PJ-{n + 1}",
                award=sum(shares[n].values()),
                funds=shares[n],
                panel="RP-1",
            )
            for n in range(awards)
        )
        return ResolveRound(
            panels=("RP-1",),
            selected=chosen,
            left_out=(Omission(application="AP-2", reason="名次"),) if awards == 1 else (),
            minutes=MINUTES,
            contact="市民政局",
            preview=digest_preview(
                preview_ranking(states[streams[0]], Facts(streams=states), ("RP-1",), chosen), chosen
            ),
        )


@pytest.fixture
async def realm(desk: Desk) -> ManualRealm:
    """Its experts have reported."""
    realm = ManualRealm(desk)
    await realm.play_until("report")
    return realm


async def test_a_round_is_decided_for_all_its_bids_at_once_and_their_workflows_hear_of_it_when_looked_at(
    realm: ManualRealm,
) -> None:
    await realm.send(realm.id("round", "R-1"), await realm.resolving(), "CAB-REG#1", "2024-03-11")
    one, two = realm.id("project", "AP-1"), realm.id("project", "AP-2")
    written = [
        e for e in await realm.desk.store.feed(await _before(realm, "RoundResolved")) if e.stream.realm == realm.realm
    ]
    assert {e.recorded_at for e in written} == {written[0].recorded_at}, "one append"
    assert [(e.stream.name, e.type) for e in written if e.kind is EntryKind.EVENT] == [
        ("R-1", "RoundResolved"),
        ("AP-1", "AwardProposed"),
        ("AP-1", "AwardPublicityOpened"),
        ("AP-2", "ApplicationNotSelected"),
    ]

    stages = ("IN_PUBLICITY", "NOT_SELECTED")
    rows = {row.stream: row async for row in realm.desk.store.standings(realm=realm.realm)}
    assert (rows[one].stage, rows[two].stage) == stages
    assert all(row.notified for row in rows.values()), "on a manual clock no workflow needs to be told (028)"
    for each in (one, two):
        await realm.desk.door.look(each)

    async def have_heard() -> bool:
        return (await realm.stage(one), await realm.stage(two)) == stages

    await until(have_heard)
    await proven(realm.desk.store, realm.realm)


@pytest.mark.full
async def test_a_resolution_may_take_longer_than_a_workflows_task_and_has_one_answer(
    realm: ManualRealm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with 1,300 bids on a busy machine: it is an activity of its own, and the workflow lives on meanwhile."""
    append, tries = realm.desk.store.append, 0

    async def slow(what: Append) -> AppendResult:
        nonlocal tries
        if what.writes[0].stream == realm.id("round", "R-1"):
            tries += 1
            await asyncio.sleep(9)
        return await append(what)

    monkeypatch.setattr(realm.desk.store, "append", slow)
    round_ = realm.id("round", "R-1")
    resolving = asyncio.create_task(realm.send(round_, await realm.resolving(), "CAB-REG#1", "2024-03-11"))
    await asyncio.wait([resolving], timeout=3)
    assert await realm.stage(round_) == "CLOSED", "it answers while the decision is under way"
    await resolving
    assert (await realm.stage(round_), tries) == ("RESOLVED", 1)
    kinds = [e.event_type async for e in realm.desk.client.get_workflow_handle(round_).fetch_history_events()]
    assert kinds.count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) == 1, "and no other command is"


async def _before(realm: ManualRealm, event: str) -> int:
    """The position in front of the command that led to that event."""
    async for entry in realm.desk.store.read(realm.id("round", "R-1")):
        if entry.type == event:
            return entry.position - 2
    raise AssertionError(event)


@pytest.mark.full
async def test_where_one_bid_refuses_nothing_of_the_round_is_decided(realm: ManualRealm) -> None:
    resolving = await realm.resolving(awards=2)
    ban = BanApplicant(until=date(2030, 1, 1), reason="虛報", attachments=EVIDENCE)
    await realm.send(realm.id("organisation", "ORG-2"), ban, "CAB-DEC#1", "2024-03-11")
    before = await realm.versions()
    with pytest.raises(CommandRejected) as refused:
        await realm.send(realm.id("round", "R-1"), resolving, "CAB-REG#1", "2024-03-12")
    assert [(u.rule, u.en.startswith("AP-2: ")) for u in refused.value.unmet] == [("D5", True)], "and it says whose"
    assert await realm.versions() == before
    assert await left_of(realm, "FS-1") == 1_500_000


async def left_of(realm: ManualRealm, fund: str) -> int:
    account = envelope(realm.realm, fund)
    return (await realm.desk.store.read_many((), (), (account,))).balances[account]


@pytest.mark.full
async def test_a_preview_is_void_once_something_has_moved_and_the_refusal_says_so(realm: ManualRealm) -> None:
    resolving = await realm.resolving()
    await realm.send(realm.id("project", "AP-2"), WithdrawApplication(), "SO-LEGAL#2", "2024-03-11")
    before = await realm.versions()
    with pytest.raises(CommandRejected) as refused:
        await realm.send(realm.id("round", "R-1"), resolving, "CAB-REG#1", "2024-03-12")
    assert {u.rule for u in refused.value.unmet} == {"RD10"}
    texts = " ".join(u.en for u in refused.value.unmet)
    assert "AP-2 is withdrawn" in texts
    assert "changed since the preview" in texts
    assert await realm.versions() == before


async def test_two_resolutions_race_and_one_stands(realm: ManualRealm) -> None:
    resolving = await realm.resolving()
    doors = [
        Door(
            WorkflowCarrier(realm.desk.client, realm.desk.settings.task_queue),
            realm.desk.store,
            bootstrap.find_door_key(realm.desk.settings),
        )
    ]
    doors.append(realm.desk.door)
    stream = realm.id("round", "R-1")
    outcomes = await asyncio.gather(
        *(door.send(stream, resolving, OFFICER, at=on("2024-03-12")) for door in doors), return_exceptions=True
    )
    assert sum(isinstance(f, CommandRejected) for f in outcomes) == 1, outcomes
    assert await left_of(realm, "FS-1") == 1_500_000 - FUNDS["FS-1"]
    assert sum(FUNDS.values()) == AWARD
    await proven(realm.desk.store, realm.realm)


# ---------------------------------------------------------------- working days published late


@pytest.mark.full
async def test_on_a_manual_clock_a_late_calendar_moves_what_runs_before_the_next_sweep(desk: Desk) -> None:
    realm = ManualRealm(desk)
    await realm.play_until("confirmed")
    (year,) = load_published(2024, 2024)
    worked = set(year.off) - {date(2024, 4, 4), date(2024, 4, 5)}
    notice = PublishCalendar(year=2024, version=2, off=tuple(worked), on=tuple(year.on), drops=2)
    await realm.send(realm.id("calendar", "cn"), notice, "CAB-REG#1", "2024-04-01")
    await desk.door.move_clock(realm.realm, on("2024-04-30"))
    (lapsed,) = [e async for e in desk.store.read(realm.id("project", "AP-1")) if e.type == "ContractSigningLapsed"]
    assert lapsed.occurred_at == datetime(2024, 4, 8, 16, tzinfo=UTC), "two working days sooner than first published"
    await proven(desk.store, realm.realm)


@pytest.mark.full
async def test_on_the_wall_clock_a_late_calendar_rearms_the_alarms_that_run(desk: Desk, bureau: Bureau) -> None:
    stream = await bureau.open_round()
    await desk.door.look(stream)
    handle = desk.client.get_workflow_handle(stream)

    async def alarm() -> datetime | None:
        progress: Progress | None = await handle.query("progress", result_type=Progress)
        return progress.due if progress else None

    await until(alarm)
    before = await alarm()
    assert before is not None
    today = datetime.now(UTC).date()
    soon = [today + timedelta(days=n) for n in range(2, 9)]
    off = tuple(d for d in soon if d.weekday() < 5 and d.year == soon[0].year)
    notice = PublishCalendar(year=soon[0].year, off=off)
    await desk.door.send(bureau.id("calendar", "cn"), notice, OFFICER)

    async def moved() -> bool:
        return await alarm() != before

    await until(moved)
    after = await alarm()
    assert after is not None
    assert after > before
    (row,) = [row async for row in desk.store.standings(kind="round", realm=bureau.realm)]
    assert row.due_at == after
    await proven(desk.store, bureau.realm)
