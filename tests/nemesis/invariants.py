"""What must hold once everything is healed, one function an invariant, by the ids of the fault matrix.

I10 and I11 are of an outbox, which this house does not have; I12 is Postgres's own (``pg_amcheck``, checksums). I13 is
asked of a house that is closed (``house.remains``).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from application.door import CommandDefect, Mismatch
from application.reconcile import reconcile, resurrect
from audit.finding import FindingKind
from audit.histories import Answers, JournalledAnswers, ReplaySettings, _iterate_histories, replay_histories
from audit.invariants import check
from audit.verification import Root, verify
from deciding.decision import StreamParked
from domain.catalogue import AGGREGATES
from domain.kernel.identifier import SYSTEM
from runtime.worker import WORKFLOWS
from runtime.workflow_sandbox import sandbox
from store.bytes import Frontier
from store.port import EntryKind, StoreUnavailable
from tests.nemesis import stories
from tests.nemesis.afflicted import TRIED
from tests.nemesis.callers import together
from tests.workflows.waiting import until
from workflows.stream import MOST_TRIES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
    from uuid import UUID

    from domain.kernel.identifier import StreamId
    from store.port import Entry, EventStore
    from tests.nemesis.callers import Callers
    from tests.nemesis.hostile import Attackers
    from tests.nemesis.siege import Siege
    from tests.nemesis.stories import LifeStory

AT_ONCE: Final = 8
A_MOMENT: Final = timedelta(seconds=5)
"""By which the clocks of a door, a worker and Postgres may differ."""
ROOT_EVERY_S: Final = 0.5
"""How often the root of the log is noted while it grows."""
IN_THE_LOG: Final = {
    FindingKind.POSITION: "I3",
    FindingKind.VERSION: "I3",
    FindingKind.COMMAND_ID: "I4",
    FindingKind.ORPHAN: "I2",
    FindingKind.OUTCOME: "I2",
    FindingKind.GROUP: "I2",
    FindingKind.ROOT: "I6",
    FindingKind.CLAIM: "I7",
    FindingKind.BALANCE: "I7",
    FindingKind.POSTING: "I7",
    FindingKind.AGENDA: "I7",
    FindingKind.HEAD: "I7",
}
"""Which invariant a finding of ``audit verify`` breaks; the others are about content and chain, I5."""


@dataclass
class Ledger:
    """What is known of one run when it is over."""

    house: Siege
    callers: Callers
    roots: list[Root]
    healed_s: float
    """Within which all must be well once nothing is broken any more."""
    entries: dict[StreamId, list[Entry]] = field(default_factory=dict)
    """Of each stream that has a story, the journal's entries among them."""
    attackers: Attackers | None = None
    """Those who wished it ill, if there were any."""

    async def read(self) -> None:
        """Read the log of every stream that has a story."""
        for story in self.callers.begun:
            entries = self.house.frail.store.read(story.stream, commands=True)
            self.entries[story.stream] = [entry async for entry in entries]

    def events(self, stream: StreamId) -> list[Entry]:
        """The stream's events."""
        return [entry for entry in self.entries[stream] if entry.kind is EntryKind.EVENT]

    def is_short_of(self, story: LifeStory) -> bool:
        """Whether something of that story has not happened yet."""
        return len(self.events(story.stream)) < len(story.comes_to())


async def broken(ledger: Ledger) -> list[str]:
    """Every invariant that is broken, with where; empty if all is well."""
    await ledger.read()
    breaches = [f"{name} {what}" for name, look in _OF_THE_JOURNAL.items() for what in look(ledger)]
    for name, ask in _OF_THE_HOUSE.items():
        breaches += [f"{name} {what}" async for what in ask(ledger)]
    breaches += [text async for text in _verified(ledger)]
    return sorted(breaches)


def _acknowledged(ledger: Ledger) -> Iterator[str]:
    """I1: what was acknowledged is in the log, with the events, version and position that were told."""
    for command_id, answer in ledger.callers.told.items():
        of = [e for e in ledger.entries[answer.stream] if e.command_id == command_id]
        events = [e for e in of if e.kind is EntryKind.EVENT]
        if not of:
            yield f"{answer.stream}: {answer.command.command_type} was answered and is not in the log"
        elif answer.receipt is None:
            if events:
                yield f"{answer.stream}: {answer.command.command_type} was refused and has {_types(events)}"
        elif (_types(events), events[-1].version, events[-1].position) != (
            list(answer.receipt.events),
            answer.receipt.version,
            answer.receipt.position,
        ):
            what = f"{answer.stream}: {answer.command.command_type}"
            yield f"{what} was told {answer.receipt}, the log has {_types(events)}"


def _asked_for(ledger: Ledger) -> Iterator[str]:
    """I2: no event without a command, no command that nobody gave, and each stream came to what its story says."""
    for story in ledger.callers.begun:
        entries = ledger.entries[story.stream]
        requests = Counter(c for c, answer in ledger.callers.told.items() if answer.stream == story.stream)
        requests += Counter({c for e in entries if (c := e.command_id) in _attempts(ledger)})  # H1 looks at those
        journalled = Counter(e.command_id for e in entries if e.kind is EntryKind.COMMAND and not _by_itself(e))
        for command_id, times in (journalled - requests).items():
            yield f"{story.stream}: {times} × {command_id} that nobody gave"
        commands = {e.command_id for e in entries if e.kind is EntryKind.COMMAND}
        events = ledger.events(story.stream)
        if not {e.command_id for e in events} <= commands:
            yield f"{story.stream}: events of no command"
        if _types(events) != story.comes_to():
            yield f"{story.stream}: {_types(events)}, not {story.comes_to()}"


def _attempts(ledger: Ledger) -> Mapping[UUID, str]:
    return ledger.attackers.ids if ledger.attackers else {}


def _nothing_false(ledger: Ledger) -> Iterator[str]:
    """H1: what was forged, altered, oversized or asked under an id of the engine's is not in the log, nor let in."""
    yield from ledger.attackers.let_in if ledger.attackers else ()
    for stream, entries in ledger.entries.items():
        for entry in entries:
            if entry.kind is EntryKind.COMMAND and (what := _attempts(ledger).get(entry.command_id)):
                yield f"{stream}: {what} at position {entry.position}"


async def _nothing_to_come(ledger: Ledger) -> AsyncIterator[str]:
    """H2: nothing has happened later than it was recorded, whatever a door's clock or a caller said."""
    async for entry in _whole(ledger.house.frail.store):
        if entry.occurred_at > entry.recorded_at + A_MOMENT:
            yield f"{entry.stream}: {entry.type} at {entry.occurred_at}, recorded at {entry.recorded_at}"


async def _whole(store: EventStore) -> AsyncIterator[Entry]:
    position = 0
    while page := await store.feed(position):
        for entry in page:
            yield entry
        position = page[-1].position


def _counted(ledger: Ledger) -> Iterator[str]:
    """I3: each stream's versions are 1…n, each once."""
    for story in ledger.callers.begun:
        versions = [e.version for e in ledger.events(story.stream)]
        if versions != list(range(1, len(versions) + 1)):
            yield f"{story.stream}: versions {versions}"


def _once(ledger: Ledger) -> Iterator[str]:
    """I4: each command id is journalled once."""
    ids = Counter(e.command_id for of in ledger.entries.values() for e in of if e.kind is EntryKind.COMMAND)
    yield from (f"{command_id}: journalled {times} times" for command_id, times in ids.items() if times > 1)


async def _answered_alike(ledger: Ledger) -> AsyncIterator[str]:
    """I4: asked again, every id has the answer that it had, and nothing is recorded for it."""
    store = ledger.house.frail.store
    before = await store.last_position()
    places = asyncio.Semaphore(AT_ONCE)

    async def differs(command_id: UUID) -> str | None:
        async with places:
            was = ledger.callers.told[command_id]
            try:
                again = await ledger.callers.told_again(command_id)
            except (CommandDefect, Mismatch, StreamParked) as wrong:
                return f"{was.stream}: {was} and then {wrong!r}"
            return None if was.says(again) else f"{was.stream}: {was} and then {again}"

    for difference in await together(*map(differs, ledger.callers.told)):
        if difference is not None:
            yield difference
    if await store.last_position() != before:
        yield "asking again wrote to the log"


async def _verified(ledger: Ledger) -> AsyncIterator[str]:
    """I5 content and chain, I6 the tree's root and those noted on the way, I7 the rows beside the log: all refolded."""
    for finding in (await verify(ledger.house.frail.store, roots=ledger.roots)).findings:
        if finding.kind is FindingKind.REALM:
            continue  # the stories' past is dated by hand, which a realm on the wall clock never is
        yield f"{IN_THE_LOG.get(finding.kind, 'I5')} {finding.stream} @{finding.position}: {finding.en}"
    if not ledger.roots:
        yield "I6 no root was noted"


async def _temporal_agrees(ledger: Ledger) -> AsyncIterator[str]:
    """I8: no workflow is missing, stale, ahead or stray, none outlives its stream, each history says what the log says.

    A command that was answered from the log while its workflow was away leaves that workflow behind until its next
    command or deadline (design.md §4). ``resurrect`` is what mends it, and must leave nothing to mend.
    """
    house = ledger.house.frail
    await resurrect(house.store, house.client, house.settings.task_queue, house.door)

    async def differences() -> list[str]:
        findings = [
            f"{f.stream}: {f.difference}"
            for f in (await reconcile(house.store, house.client, house.settings.task_queue)).findings
        ]
        running = {w.id async for w in house.client.list_workflows("ExecutionStatus = 'Running'")}
        rows = [row async for row in house.store.standings(realm=ledger.callers.bureau.realm)]
        over = {row.stream for row in rows if row.stage in AGGREGATES[row.stream.kind].final}
        return [*findings, *(f"{stream}: over, and its workflow runs" for stream in sorted(over & running))]

    for difference in await soon_none(differences, ledger.healed_s):
        yield difference
    for story in ledger.callers.begun:
        journal = await JournalledAnswers.read(house.store, story.stream)
        async for history in _iterate_histories(house.client, story.stream):
            answers = await Answers.read(history, house.client.data_converter, house.client.namespace)
            for difference in journal.differences(answers):
                yield f"{story.stream}: {difference}"
            first = [a.position for a in answers.from_activities if a.position and not a.repeated]
            if first != sorted(first):
                yield f"{story.stream}: answers out of order: {first}"
    for story in {story.stream.kind: story for story in ledger.callers.begun}.values():
        replay_settings = ReplaySettings(WORKFLOWS, sandbox(house.client.data_converter), house.client.data_converter)
        for run in (await replay_histories(house.store, house.client, story.stream, replay_settings)).runs:
            if run.failure:
                yield f"{story.stream}: {run.failure}"


async def _money_adds_up(ledger: Ledger) -> AsyncIterator[str]:
    """I9: accounts hold what the stories come to, the ledger adds up to 0, and each rule of domain.md §3.4 holds."""
    store, realm = ledger.house.frail.store, ledger.callers.bureau.realm
    held: Counter[str] = Counter()
    for account, fen in (await store.balances()).items():
        kind, of, *_ = account.split("/")
        if of == realm:
            held[kind] += fen
    expected = stories.money(sum(story.stream.kind == "project" for story in ledger.callers.begun))
    if held != Counter(expected):
        yield f"{dict(held)}, not {expected}"
    if sum(held.values()):
        yield f"the ledger adds up to {sum(held.values())} fen"
    for breach in (await check(store)).breaches:
        yield f"{breach}"


async def _nothing_stormed(ledger: Ledger) -> AsyncIterator[str]:
    """I14: appends were tried no oftener than so many times an asking. (That all ends in time, the run sees to.)"""
    tries = sum(text.count(TRIED) for _, text in _logs(ledger))
    requests = ledger.callers.asked["asked"] + len(ledger.callers.begun)
    if not 0 < tries <= MOST_TRIES * requests:
        yield f"{tries} appends were tried for {requests} askings"


async def _no_secret_is_told(ledger: Ledger) -> AsyncIterator[str]:
    """I15: no log has the door's key or a password."""
    house = ledger.house.frail
    secrets = {"the door's key": (house.settings.home / "door.key").read_text(), **house.servers.postgres.passwords}
    for name, text in _logs(ledger):
        for what, secret in secrets.items():
            if secret in text:
                yield f"{name} has {what}"


def _logs(ledger: Ledger) -> Iterator[tuple[str, str]]:
    for log in sorted((ledger.house.frail.settings.home / "logs").iterdir()):
        yield log.name, log.read_text(encoding="utf-8", errors="replace")


async def soon_none(differences: Callable[[], Awaitable[list[str]]], within_s: float) -> list[str]:
    """Nothing, as soon as there is nothing; or what there still is when the time is up."""
    breaches: list[str] = []

    async def none() -> bool:
        breaches[:] = await differences()
        return not breaches

    with suppress(TimeoutError):
        await until(none, within_s=within_s)
    return breaches


async def note_roots(store: EventStore, roots: list[Root]) -> None:
    """Follow the log while it grows, and note its root every now and then; the tree is only ever appended to."""
    tree = Frontier()
    while True:
        with suppress(StoreUnavailable):  # down just now, as it is meant to be
            for entry in await store.feed(tree.size):
                tree.add(entry.chain)
            roots.append(Root(tree.size, tree.root()))
        await asyncio.sleep(ROOT_EVERY_S)


def _types(events: Iterable[Entry]) -> list[str]:
    return [event.type for event in events]


def _by_itself(entry: Entry) -> bool:
    """Whether it is a deadline's own command."""
    return bool(json.loads(entry.meta)["actor"] == SYSTEM)


_OF_THE_JOURNAL: Final[Mapping[str, Callable[[Ledger], Iterator[str]]]] = {
    "I1": _acknowledged,
    "I2": _asked_for,
    "I3": _counted,
    "I4": _once,
    "H1": _nothing_false,
}
_OF_THE_HOUSE: Final[Mapping[str, Callable[[Ledger], AsyncIterator[str]]]] = {
    "I4": _answered_alike,
    "I8": _temporal_agrees,
    "I9": _money_adds_up,
    "I14": _nothing_stormed,
    "I15": _no_secret_is_told,
    "H2": _nothing_to_come,
}
