"""A log that nobody touched verifies; every way of touching it is found, and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from audit import verification
from audit.finding import NOTHING, FindingKind
from audit.verification import Root, Verification, verify
from domain.kernel.clock import Clock
from domain.kernel.identifier import Actor, StreamId
from domain.project.bidding import WithdrawApplication
from domain.registers.fund import RegisterFundSource
from store.bytes import chain_hash, leaf, root
from store.memory import MemoryStore
from store.port import EntryKind, Posting
from tests.paper import open_paper_door, told_story
from tests.store.appends import group, write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from store.port import Entry

ANOTHER_DAY = datetime(2031, 1, 1, tzinfo=UTC)


@pytest.fixture
async def store() -> MemoryStore:
    return await told_story()


def log(store: MemoryStore) -> list[Entry]:
    return store._entries


def at(store: MemoryStore, event_type: str, kind: EntryKind = EntryKind.EVENT) -> int:
    """The index in the log of the first event, or command, of that type."""
    return next(i for i, e in enumerate(log(store)) if (e.type, e.kind) == (event_type, kind))


def edit(store: MemoryStore, i: int, **changed: Any) -> Entry:
    """Change an entry in the log, its hash left as it was."""
    log(store)[i] = replace(log(store)[i], **changed)
    return log(store)[i]


def forge(store: MemoryStore) -> None:
    """Recompute every chain hash and the rows that remember the ends, as somebody with all rights could."""
    chains: dict[StreamId, bytes] = {}
    for i, entry in enumerate(log(store)):
        chains[entry.stream] = chain_hash(chains.get(entry.stream, bytes(32)), leaf(entry))
        edit(store, i, chain=chains[entry.stream])
    store._streams = {stream: [e for e in log(store) if e.stream == stream] for stream in chains}


def located(verification: Verification, what: FindingKind) -> list[tuple[int | None, StreamId | None]]:
    return [(f.position, f.stream) for f in verification.findings if f.kind is what]


def kinds(verification: Verification) -> set[FindingKind]:
    return {f.kind for f in verification.findings}


async def test_a_log_that_nobody_touched_verifies(store: MemoryStore) -> None:
    report = await verify(store)
    assert report.ok, report.findings
    assert report.entries == await store.last_position() == report.events + report.commands
    assert report.streams == len([row async for row in store.standings()])


async def test_an_empty_log_verifies_with_the_root_of_the_empty_tree() -> None:
    report = await verify(MemoryStore())
    assert (report.ok, report.entries) == (True, 0)
    assert report.root == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


async def test_an_edited_payload_is_found_where_it_is_and_in_what_follows_from_it(store: MemoryStore) -> None:
    i = at(store, "FundSourceRegistered")
    entry = log(store)[i]
    edit(store, i, data=entry.data.replace(b"10000000", b"90000000"))
    report = await verify(store)
    assert located(report, FindingKind.CHAIN) == [(i + 1, entry.stream)]
    assert located(report, FindingKind.POSTING) == [(i + 1, entry.stream)]
    assert {FindingKind.CHAIN, FindingKind.POSTING, FindingKind.BALANCE, FindingKind.AGENDA} == kinds(report)


async def test_an_edited_payload_with_its_chain_recomputed_is_found_by_the_ledger(store: MemoryStore) -> None:
    i = at(store, "FundSourceRegistered")
    edit(store, i, data=log(store)[i].data.replace(b"10000000", b"90000000"))
    forge(store)
    report = await verify(store)
    assert kinds(report) == {FindingKind.POSTING, FindingKind.BALANCE, FindingKind.AGENDA}
    balance = next(f for f in report.findings if f.kind is FindingKind.BALANCE and f.subject.startswith("world/"))
    assert (balance.expected, balance.actual) == ("-90000000 fen", "-10000000 fen")


async def test_a_rewritten_history_is_found_by_the_root_that_was_kept_outside(store: MemoryStore) -> None:
    kept = Root((first := await verify(store)).entries, bytes.fromhex(first.root))
    assert (await verify(store, roots=[kept])).ok
    i = at(store, "AwardPublicityOpened")
    edit(store, i, data=log(store)[i].data.replace("科".encode(), "處".encode()))
    forge(store)
    assert (await verify(store)).ok, "nothing inside the database shows it"
    report = await verify(store, roots=[kept])
    assert located(report, FindingKind.ROOT) == [(kept.size, None)]


async def test_a_log_shorter_than_the_root_that_was_kept_is_found(store: MemoryStore) -> None:
    kept = Root((await verify(store)).entries + 3, bytes(32))
    report = await verify(store, roots=[kept])
    assert located(report, FindingKind.CUT) == [(kept.size - 3, None)]
    assert kinds(report) == {FindingKind.CUT}


async def test_roots_kept_at_several_times_bracket_a_rewrite(store: MemoryStore) -> None:
    roots = [Root(size, root(entry.chain for entry in log(store)[:size])) for size in (5, 20, 40, 50)]
    edit(store, 29, schema_version=7)
    forge(store)
    report = await verify(store, roots=[roots[2], roots[0], roots[3], roots[1]])
    assert located(report, FindingKind.ROOT) == [(40, None), (50, None)]
    assert (report.unchanged_to, report.changed_by) == (20, 40)
    assert (report.as_json()["unchanged_to"], report.as_json()["changed_by"]) == (20, 40)


def test_a_root_is_read_as_it_is_printed() -> None:
    assert Root.read(str(Root(7, bytes(range(32))))) == Root(7, bytes(range(32)))
    for wrong in ("7", "7:00", "x:" + "0" * 64, "-1:" + "0" * 64):
        with pytest.raises(ValueError):  # noqa: PT011 - any of its makers' words will do
            Root.read(wrong)


async def test_another_person_in_the_meta_of_an_event_is_found(store: MemoryStore) -> None:
    i = at(store, "AwardConfirmed")
    entry = edit(store, i, meta=b'{"actor":"CAB-DEC#9"}')
    report = await verify(store)
    assert located(report, FindingKind.CHAIN) == located(report, FindingKind.GROUP) == [(i + 1, entry.stream)]
    actor = next(f for f in report.findings if f.kind is FindingKind.GROUP)
    assert (actor.subject, actor.expected, actor.actual) == ("actor", "CAB-DEC#1", "CAB-DEC#9")


async def test_persons_that_an_event_has_and_its_command_has_not_are_found(store: MemoryStore) -> None:
    i = at(store, "AwardConfirmed")
    edit(store, i, meta=b'{"actor":"CAB-DEC#1","persons":["P-9"]}')
    persons = next(f for f in (await verify(store)).findings if f.kind is FindingKind.GROUP)
    assert (persons.subject, persons.expected, persons.actual) == ("persons", NOTHING, "P-9")


async def test_a_backdated_event_is_found_even_with_its_chain_recomputed(store: MemoryStore) -> None:
    i = at(store, "AwardConfirmed")
    entry = edit(store, i, occurred_at=log(store)[i].occurred_at - timedelta(days=3))
    assert located(await verify(store), FindingKind.CHAIN) == [(i + 1, entry.stream)]
    forge(store)
    report = await verify(store)
    assert (i + 1, entry.stream) in located(report, FindingKind.GROUP)
    assert FindingKind.CHAIN not in kinds(report)


async def test_a_recording_time_that_goes_back_is_found(store: MemoryStore) -> None:
    i = at(store, "AwardConfirmed")
    entry = edit(store, i, recorded_at=log(store)[i].recorded_at - timedelta(hours=1))
    forge(store)
    report = await verify(store)
    assert located(report, FindingKind.RECORDED_AT) == [(i + 1, entry.stream)]
    assert located(report, FindingKind.GROUP) == [(i + 1, entry.stream)]


async def test_an_event_deleted_in_the_middle_is_found(store: MemoryStore) -> None:
    i = at(store, "PreliminaryReviewPassed")
    gone = log(store).pop(i)
    report = await verify(store)
    assert located(report, FindingKind.POSITION)[0][0] == gone.position + 1
    assert located(report, FindingKind.OUTCOME) == [(gone.position - 1, gone.stream)]
    following = next(e for e in log(store)[i:] if e.stream == gone.stream)
    assert (
        located(report, FindingKind.CHAIN)
        == located(report, FindingKind.VERSION)[:1]
        == [(following.position, gone.stream)]
    )


async def test_a_tail_cut_off_is_found_by_the_agenda(store: MemoryStore) -> None:
    stream = log(store)[-1].stream
    while log(store)[-1].kind is EntryKind.EVENT:
        log(store).pop()
    log(store).pop()
    report = await verify(store)
    assert {f.stream for f in report.findings if f.kind is FindingKind.AGENDA} == {stream}


async def test_a_stream_deleted_whole_is_found_by_the_agenda(store: MemoryStore) -> None:
    need = log(store)[at(store, "NeedSubmitted")].stream
    store._entries = [e for e in log(store) if e.stream != need]
    report = await verify(store)
    assert (None, need) in located(report, FindingKind.AGENDA)
    assert FindingKind.POSITION in kinds(report)


async def test_a_cut_refusal_is_found_by_the_row_that_remembers_the_end(store: MemoryStore) -> None:
    stream = log(store)[-1].stream
    version = log(store)[-1].version
    await store.append(group(write(stream, version), stage=(await anext(store.standings())).stage))
    store._entries.pop()
    assert located(await verify(store), FindingKind.HEAD) == [(log(store)[-1].position, stream)]


async def test_two_events_swapped_are_found(store: MemoryStore) -> None:
    i, j = at(store, "AwardProposed"), at(store, "AwardPublicityOpened")
    a, b = log(store)[i], log(store)[j]
    log(store)[i], log(store)[j] = replace(b, position=a.position), replace(a, position=b.position)
    report = await verify(store)
    assert located(report, FindingKind.VERSION)[0] == located(report, FindingKind.CHAIN)[0] == (i + 1, a.stream)
    assert (i + 1, a.stream) in located(report, FindingKind.ORPHAN)
    assert FindingKind.OUTCOME in kinds(report)


async def test_an_outcome_changed_in_the_journal_is_found(store: MemoryStore) -> None:
    i = at(store, "ConfirmAward", EntryKind.COMMAND)
    changed = log(store)[i].meta.replace(b'{"accepted":["AwardConfirmed"]}', b'{"accepted":[]}')
    entry = edit(store, i, meta=changed)
    forge(store)
    report = await verify(store)
    assert [f.kind for f in report.findings] == [FindingKind.OUTCOME]
    assert (report.findings[0].position, report.findings[0].stream) == (i + 1, entry.stream)
    assert (report.findings[0].expected, report.findings[0].actual) == ("∅", "AwardConfirmed")


async def test_a_refusal_turned_into_an_acceptance_is_found(store: MemoryStore) -> None:
    i = next(i for i, e in enumerate(log(store)) if b'"refused"' in e.meta)
    meta = log(store)[i].meta
    refused = meta[meta.index(b'{"refused"') : meta.index(b',"reads"')]
    edit(store, i, meta=meta.replace(refused, b'{"accepted":["ProjectStarted"]}'))
    forge(store)
    assert located(await verify(store), FindingKind.OUTCOME) == [(i + 1, log(store)[i].stream)]


async def test_a_journal_entry_that_says_nothing_is_found(store: MemoryStore) -> None:
    i = at(store, "ConfirmAward", EntryKind.COMMAND)
    edit(store, i, meta=b'{"actor":"CAB-DEC#1"}')
    forge(store)
    assert [(f.kind, f.position) for f in (await verify(store)).findings] == [(FindingKind.JOURNAL, i + 1)]


async def test_a_command_journalled_twice_is_found(store: MemoryStore) -> None:
    i, j = at(store, "ProposeAward", EntryKind.COMMAND), at(store, "ConfirmAward", EntryKind.COMMAND)
    for k in (j, j + 1):
        edit(store, k, command_id=log(store)[i].command_id)
    forge(store)
    findings = [(f.kind, f.position) for f in (await verify(store)).findings]
    assert findings == [(FindingKind.COMMAND_ID, j + 1), (FindingKind.FORGED, j + 1)], "the id is signed, too"


async def test_two_ids_that_only_look_alike_are_no_finding(store: MemoryStore) -> None:
    i, j = at(store, "ProposeAward", EntryKind.COMMAND), at(store, "ConfirmAward", EntryKind.COMMAND)
    other = type(log(store)[i].command_id)(int=log(store)[i].command_id.int ^ (1 << 100))
    for k in (j, j + 1):
        edit(store, k, command_id=other)
    forge(store)
    assert kinds(await verify(store)) == {FindingKind.FORGED}, "another id than the door signed, and no doubled one"


async def test_an_event_that_does_not_decode_is_found_and_the_rest_is_looked_at(store: MemoryStore) -> None:
    i = at(store, "NeedAdopted")
    entry = edit(store, i, type="NeedEmbraced")
    log(store)[-1] = replace(log(store)[-1], data=b'{"unheard":1}')
    report = await verify(store)
    assert located(report, FindingKind.DECODE) == [(i + 1, entry.stream), (len(log(store)), log(store)[-1].stream)]


async def test_an_entry_that_cannot_be_read_is_found_and_the_next_is_read(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    i = at(store, "NeedAdopted")
    honest = store.feed

    async def feed(after: int, limit: int = 1000) -> Sequence[Entry]:
        page = await honest(after, limit)
        if any(e.position == i + 1 for e in page):
            message = "'PROJECT': kind/realm/name"
            raise ValueError(message)
        return page

    monkeypatch.setattr(store, "feed", feed)
    report = await verify(store)
    assert located(report, FindingKind.UNREADABLE) == [(i + 1, None)]
    assert report.entries == len(log(store)) - 1


async def test_a_claim_that_was_removed_or_made_up_is_found(store: MemoryStore) -> None:
    (key,) = [k for k in store._guards.claims if k.startswith("name/")]
    (holder,) = store._guards.claims.pop(key)
    store._guards.claims["voucher/made-up"] = {"project/live/AP-9"}
    report = await verify(store)
    assert kinds(report) == {FindingKind.CLAIM}
    assert {(f.subject, f.expected, f.actual) for f in report.findings} == {
        (key, holder, "∅"),
        ("voucher/made-up", "∅", "project/live/AP-9"),
    }
    missing = next(f for f in report.findings if f.actual == "∅")
    assert missing.position == at(store, "AwardProposed") + 1


async def test_a_claim_that_was_given_back_is_not_missed() -> None:
    store = await told_story(datetime(2023, 4, 20, tzinfo=UTC))
    held = await store.claims()
    (bid,) = await store.streams_named("AP-5")
    at = log(store)[-1].occurred_at + timedelta(hours=1)
    await open_paper_door(store).send(bid, WithdrawApplication(), Actor("SO-LEGAL#1"), at=at)
    assert len(await store.claims()) < len(held)
    assert (await verify(store)).ok


async def test_a_changed_balance_is_found_at_the_event_that_moved_it_last(store: MemoryStore) -> None:
    account = next(a for a in store._guards.balances if a.startswith("envelope/"))
    store._guards.balances[account] += 1
    report = await verify(store)
    assert [(f.kind, f.subject) for f in report.findings] == [(FindingKind.BALANCE, account)]
    assert report.findings[0].position is not None
    assert log(store)[report.findings[0].position - 1].kind is EntryKind.EVENT


async def test_a_posting_removed_added_or_changed_is_found(store: MemoryStore) -> None:
    honest = list(store._postings)
    made_up = Posting(honest[-1].position + 1, "world/x/treasury", "paid/x/AP-1/FS", 5)
    tampered: tuple[tuple[list[Posting], int], ...] = (
        (honest[1:], honest[0].position),
        ([*honest[:-1], replace(honest[-1], fen=honest[-1].fen + 1)], honest[-1].position),
        ([*honest, made_up], made_up.position),
        ([*honest, replace(made_up, position=len(log(store)))], len(log(store))),
        ([*honest, replace(made_up, position=len(log(store)) + 5)], len(log(store)) + 5),
    )
    for postings, position in tampered:
        store._postings = postings
        report = await verify(store)
        assert [at for at, _ in located(report, FindingKind.POSTING)] == [position]
        assert kinds(report) - {FindingKind.CUT} == {FindingKind.POSTING}
        assert (FindingKind.CUT in kinds(report)) == (position > len(log(store)))


@pytest.mark.parametrize(
    ("subject", "change"),
    [
        ("stage", lambda s: replace(s, stage="ARCHIVED")),
        ("version", lambda s: replace(s, version=s.version + 1)),
        ("due_at", lambda s: replace(s, due_at=ANOTHER_DAY)),
        ("clock", lambda s: replace(s, clock=Clock.WALL)),
        ("summary", lambda s: replace(s, summary=s.summary.replace(b"5000000", b"5000001"))),
        ("summary", lambda s: replace(s, summary=b'"nothing of ours"')),
        ("notified", lambda s: replace(s, notified=False)),
    ],
)
async def test_a_changed_row_of_the_agenda_is_found(
    store: MemoryStore, subject: str, change: Callable[[Any], Any]
) -> None:
    stream = log(store)[at(store, "AwardProposed")].stream
    store._agenda[stream] = change(store._agenda[stream])
    report = await verify(store)
    assert [(f.kind, f.stream, f.subject) for f in report.findings] == [(FindingKind.AGENDA, stream, subject)]


async def test_a_missing_row_of_the_agenda_is_found(store: MemoryStore) -> None:
    stream = log(store)[at(store, "AwardProposed")].stream
    del store._agenda[stream]
    assert located(await verify(store), FindingKind.AGENDA) == [
        (max(e.position for e in log(store) if e.stream == stream), stream)
    ]


async def test_rows_are_compared_at_one_position_while_the_log_grows(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fund = StreamId.of("fund", log(store)[-1].stream.realm, "FS-NEW")
    honest = store.balances
    times = 0

    async def balances() -> Mapping[str, int]:
        nonlocal times
        times += 1
        if times == 1:
            registration = RegisterFundSource(name="新增資金", envelope=500)
            await open_paper_door(store).send(fund, registration, Actor("CAB-FIN#1"), at=log(store)[-1].occurred_at)
        return await honest()

    monkeypatch.setattr(store, "balances", balances)
    monkeypatch.setattr(verification, "PAUSE_S", 0)
    before = len(log(store))
    report = await verify(store)
    assert report.ok, report.findings
    assert (report.entries, times) == (before + 2, 2)


async def test_every_finding_says_what_is_wrong_in_both_languages(store: MemoryStore) -> None:
    edit(store, at(store, "AwardConfirmed"), command_id=uuid4())
    report = await verify(store)
    for finding in report.findings:
        assert "應為" in finding.zh
        assert "must be" in finding.en
        assert finding.as_json()["what"] == finding.kind
