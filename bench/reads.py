"""How fast lists answer while the log grows: 1,000 projects in it, then 10,000 of them and 100,000 streams.

Run ``python bench/reads.py``. It starts an embedded Postgres of its own (fsync on). The files are the second scenario
that comes with the product, played up to its project's start within this process and then repeated under other names:
each has a project, a need, a round, a fund, an organisation and a panel of its own, and four more needs; rules and
calendar are shared. The rows of the log, with their hashes, guards, ledger and agenda, are copied in; ``--check`` has
``audit verify`` go over all of it: a command under another name bears the signature of the first, and that is all that
it may find. The views are built by the very follower that a worker runs, and it follows on while the lists are read:
beside the readings commands are appended, so many a second.

A figure is of the query layer: from the call of the function that every door calls to its answer, in this process, over
one pool; or, where a line begins with ``HTTP``, from a request to the last byte of its answer, asked as a service asks
it of ``http_server.py`` in a process of its own (bench/lists.py). The sizes are databases of one server, read by turns;
the ratio is that of the medians at the largest and the smallest size. Another process appends commands and keeps views.

``--home PATH`` reads a house that stands already, such as one that ``./run simulate`` has filled, over HTTP alone, and
appends nothing to it; its views are brought up to the end of its log before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).parent.parent))

import asyncpg
import structlog

import bootstrap
from activities.carry_out import CommandActivities
from application.approvals import ApprovalFilter, find_approval, list_approvals
from application.attempts import AttemptFilter, list_attempts
from application.door import Door
from application.door_keys import build_first_publication
from application.inbox import WaitingFilter, list_waiting
from application.listing import StreamFilter, list_streams
from application.money import Dimension, MoneyFilter, list_money
from application.organisations import OrganisationFilter, list_organisations
from application.pages import PageRequest
from application.portfolio import PortfolioFilter, read_portfolio
from application.process_carrier import ProcessCarrier
from application.projects import ProjectFilter, list_projects
from application.public_projects import PublicFilter, find_posted, list_posted
from application.queries import load_file, resolve_name
from application.registers import RegisterFilter, list_register
from application.view_health import list_views
from audit.verification import verify
from bench.lists import READY_S, find_questions, serve
from bench.meter import cpu_ms, machine_load
from bench.surroundings import own_postgres
from deciding.signature import DoorKey
from domain.kernel.canonical import canonical
from domain.kernel.clock import Clock
from domain.kernel.effects import Claim, Post, Release
from domain.kernel.envelope import CarryOut
from domain.kernel.identifier import StreamId
from domain.registers.door_key import key_stream
from followers.views import ViewFollower
from local import postgres, processes
from runtime.store import open_store
from scenarios.format import Scenario
from scenarios.plan import plan
from scenarios.play import play
from schemes.document import read
from store.bytes import GENESIS, chain_hash, leaf_of
from store.memory import MemoryStore
from store.migration import migrate
from store.port import Append, AppendResult, AppendStatus
from store.postgres import PostgresStore, open_pool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

    from application.carrier import Carrier
    from bench.lists import Question, Served
    from local.postgres import Postgres
    from store.port import Standing

STORY = Path(__file__).parent.parent / "scenarios" / "s2-fuzhou.yaml"
SHARED = ("realm", "calendar", "scheme", "door")
"""Kinds of streams that all files have in common."""
FURTHER = 50
"""Pages that are turned to find where later ones begin."""
MORE_NEEDS = 4
"""Needs a file beside its own: they make 100,000 streams of 10,000 projects."""
NUMBER = "\x00"
"""Where the number of a file stands in what is repeated."""
UNTIL = datetime(2023, 6, 30, tzinfo=UTC)
"""Where the story is broken off: the project is under way, and things wait for people."""


class Recorder(MemoryStore):
    """A store that remembers what was appended to it."""

    def __init__(self) -> None:
        super().__init__()
        self.appends: list[Append] = []

    async def append(self, append: Append) -> AppendResult:
        """Append, and remember it if it was."""
        answer = await super().append(append)
        if answer.status is AppendStatus.APPENDED:
            self.appends.append(append)
        return answer


async def record() -> tuple[str, list[Append]]:
    """The story, as it was appended; and its realm."""
    store = Recorder()
    activities, key = CommandActivities(store), DoorKey.read(sha256(b"the door of this bench").hexdigest())
    now = datetime.now(UTC)
    first = build_first_publication(key, now, since=datetime(1990, 1, 1, tzinfo=UTC))
    await activities.carry_out(CarryOut(stream=key_stream(key.id), now=now, envelope=first))
    carrier = ProcessCarrier(activities, store, cast("Carrier", None))
    document = read(STORY)
    whole = plan(document.parse(Scenario), document)
    begun = replace(whole, orders=tuple(order for order in whole.orders if order.at < UNTIL), expectations=())
    result = await play(begun, Door(carrier, store, key), store)
    if result.deviations:
        raise RuntimeError(result.deviations)
    return store.appends[-1].writes[0].stream.realm, store.appends


# --------------------------------------------------------------------------------------------------------- repeating


@dataclass(frozen=True)
class EntryTemplate:
    """One entry, with a mark where the number of its file belongs."""

    stream: str
    shared: bool
    kind: str
    version: int
    type: str
    schema: int
    occurred_at: datetime
    meta: str
    data: str
    effects: tuple[tuple[str, ...], ...]
    fen: tuple[int, ...]


@dataclass(frozen=True)
class Template:
    """One file, append by append, and how its streams stand at the end."""

    realm: str
    groups: tuple[tuple[EntryTemplate, ...], ...]
    standings: tuple[Standing, ...]
    need: StreamId
    """Of which there are more."""
    need_appends: tuple[Append, ...]
    mark: Callable[[str], str]

    @classmethod
    def of(cls, realm: str, appends: list[Append]) -> Template:
        """Mark every name in what was appended."""
        streams = {write.stream for append in appends for write in append.writes}
        names = {s.name for s in streams if s.kind not in SHARED} | {"PJ-3"}
        pattern = re.compile(rf"\b({'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})\b")
        mark = partial(pattern.sub, rf"\1-{NUMBER}")
        standings = {s.stream: s for append in appends for s in append.standings}
        need = next(s for s in streams if s.kind == "need")
        return cls(
            realm,
            tuple(tuple(_lines(append, mark)) for append in appends),
            tuple(standings.values()),
            need,
            tuple(append for append in appends if {write.stream for write in append.writes} == {need}),
            mark,
        )

    @property
    def ends_at(self) -> datetime:
        """The latest business time in it."""
        inside = f"/{self.realm}/"
        return max(line.occurred_at for group in self.groups for line in group if inside in line.stream)

    def another_need(self) -> Iterator[Append]:
        """What one more need on the wall clock appends, now."""
        stream = StreamId(f"need/live/ND-{uuid4().hex[:12]}")
        for append in self.need_appends:
            (write,) = append.writes
            (standing,) = append.standings
            again = replace(write, stream=stream, command_id=uuid4(), occurred_at=datetime.now(UTC))
            summary = canonical({**json.loads(standing.summary), "calendar": 0})  # nobody has published one there
            stands = replace(standing, stream=stream, clock=Clock.WALL, due_at=None, summary=summary)
            yield Append((again,), (stands,))


def _lines(append: Append, mark: Callable[[str], str]) -> Iterator[EntryTemplate]:
    for write in append.writes:
        shared, stream, version = write.stream.kind in SHARED, mark(write.stream), write.expected
        command = EntryTemplate(
            stream,
            shared,
            "command",
            version,
            write.command_type,
            write.schema_version,
            write.occurred_at,
            mark(write.meta.decode()),
            mark(write.data.decode()),
            (),
            (),
        )
        yield command
        for event in write.events:
            version += 1
            effects = [_effect(effect, mark) for effect in event.effects]
            yield replace(
                command,
                kind="event",
                version=version,
                type=event.type,
                schema=event.schema_version,
                meta=mark(event.meta.decode()),
                data=mark(event.data.decode()),
                effects=tuple(words for words, _ in effects),
                fen=tuple(fen for _, fen in effects),
            )


def _effect(effect: Claim | Release | Post, mark: Callable[[str], str]) -> tuple[tuple[str, str, str], int]:
    match effect:
        case Claim():
            return ("claim", mark(effect.key), mark(effect.holder)), 0
        case Release():
            return ("release", mark(effect.key), mark(effect.holder)), 0
        case Post():
            return ("post", mark(effect.source), mark(effect.target)), effect.fen


class Seed:
    """The log as it grows: what was copied in, and what must stand beside it."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self.position = 0
        self.recorded_at = datetime.now(UTC)
        """When the next entry is said to have been recorded."""
        self._command = uuid4()
        self._chains: dict[str, bytes] = {}
        self._versions: dict[str, int] = {}
        self.claims: set[tuple[str, str]] = set()
        self.balances: dict[str, int] = {}
        self.postings: list[tuple[int, int, str, str, int]] = []

    def entries(self, projects: int) -> Iterator[tuple[Any, ...]]:
        """The rows of so many files, append by append in the order of time."""
        need = self._template.mark(self._template.need)
        for group in self._template.groups:
            shared = group[0].shared
            for number in range(1 if shared else projects):
                yield from (self._row(line, f"{number:05d}") for line in group)
            if group[0].stream == need:
                for number in range(projects):
                    for more in range(MORE_NEEDS):
                        yield from (self._row(line, f"{number:05d}-{more}") for line in group)

    def _row(self, line: EntryTemplate, number: str) -> tuple[Any, ...]:
        stream, meta, data = (text.replace(NUMBER, number) for text in (line.stream, line.meta, line.data))
        self.position += 1
        if line.kind == "command":
            self.recorded_at += timedelta(microseconds=1)
            self._command = uuid4()
        position, recorded_at = self.position, self.recorded_at
        digest = leaf_of(
            stream=stream,
            kind=line.kind,
            version=line.version,
            type=line.type,
            schema_version=line.schema,
            command_id=self._command,
            occurred_at=line.occurred_at,
            recorded_at=recorded_at,
            meta=meta.encode(),
            data=data.encode(),
        )
        chain = chain_hash(self._chains.get(stream, GENESIS), digest)
        self._chains[stream] = chain
        self._versions[stream] = line.version
        for ordinal, ((verb, key, other), fen) in enumerate(zip(line.effects, line.fen, strict=True), 1):
            self._apply(position, ordinal, verb, key.replace(NUMBER, number), other.replace(NUMBER, number), fen)
        return (
            *(position, line.version, line.occurred_at, recorded_at, self._command, line.schema, line.kind),
            *(stream, line.type, meta.encode(), data.encode(), chain),
        )

    def _apply(self, position: int, ordinal: int, verb: str, key: str, other: str, fen: int) -> None:
        match verb:
            case "claim":
                self.claims.add((key, other))
            case "release":
                self.claims.discard((key, other))
            case _:
                self.postings.append((position, ordinal, key, other, fen))
                self.balances[key] = self.balances.get(key, 0) - fen
                self.balances[other] = self.balances.get(other, 0) + fen

    def streams(self) -> list[tuple[str, int, bytes]]:
        """Where each stream ends."""
        return [(stream, self._versions[stream], chain) for stream, chain in self._chains.items()]

    def agenda(self, projects: int) -> Iterator[tuple[Any, ...]]:
        """How the streams of these files stand."""
        mark = self._template.mark
        for standing in self._template.standings:
            shared = standing.stream.kind in SHARED
            for number in range(1 if shared else projects):
                yield _agenda_row(standing, mark, f"{number:05d}")
                if standing.stream == self._template.need:
                    yield from (_agenda_row(standing, mark, f"{number:05d}-{more}") for more in range(MORE_NEEDS))


def _agenda_row(standing: Standing, mark: Callable[[str], str], number: str) -> tuple[Any, ...]:
    stream, summary = (mark(t).replace(NUMBER, number) for t in (standing.stream, standing.summary.decode()))
    kind, realm, _ = stream.split("/")
    clock = "manual" if standing.clock is Clock.MANUAL else "wall"
    return (stream, standing.version, standing.stage, standing.due_at, clock, summary.encode(), True, kind, realm, 0)


_ENTRY = (
    *("position", "version", "occurred_at", "recorded_at", "command_id", "schema_version", "kind", "stream", "type"),
    *("meta", "data", "chain"),
)
_AGENDA = ("stream", "version", "stage", "due_at", "clock", "summary", "told", "kind", "realm", "rank")


async def copy(owner: asyncpg.Connection[Any], template: Template, projects: int) -> int:
    """Copy so many files into an empty log, and what stands beside it; how many entries."""
    seed = Seed(template)
    async with owner.transaction():
        await owner.execute("LOCK TABLE venture.turn IN EXCLUSIVE MODE")

        async def put(table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
            await owner.copy_records_to_table(table, schema_name="venture", columns=columns, records=rows)

        await put("entries", _ENTRY, seed.entries(projects))
        await put("streams", ["stream", "version", "chain"], seed.streams())
        await put("agenda", _AGENDA, seed.agenda(projects))
        await put("claims", ["key", "holder"], sorted(seed.claims))
        await put("accounts", ["account", "balance"], list(seed.balances.items()))
        await put("postings", ["position", "ordinal", "source", "target", "fen"], seed.postings)
        await owner.execute(
            "INSERT INTO venture.realms (realm, clock, now) VALUES ($1, 'manual', $2)",
            template.realm,
            template.ends_at,
        )
    await owner.execute("ANALYZE")
    return seed.position


# --------------------------------------------------------------------------------------------------------- measuring


@dataclass(frozen=True)
class Reading:
    """One thing that is asked."""

    name: str
    ask: Callable[[random.Random], Awaitable[object]]


def readings(
    store: PostgresStore, realm: str, files: int, approvals: list[UUID], cursors: list[str | None]
) -> list[Reading]:
    """Everything that is asked, of any of the files."""

    def some(dice: random.Random) -> str:
        return f"{dice.randrange(files):05d}"

    def projects(**filters: str | bool) -> Callable[[random.Random], Awaitable[object]]:
        def ask(dice: random.Random) -> Awaitable[object]:
            number = some(dice)
            conditions = {k: v.replace("#", number) if isinstance(v, str) else v for k, v in filters.items()}
            return list_projects(store, ProjectFilter(**conditions))

        return ask

    async def file(dice: random.Random) -> object:
        return await load_file(store, await resolve_name(store, f"PJ-3-{some(dice)}", realm))

    def stream(dice: random.Random, kind: str = "project", name: str = "AP-5") -> StreamId:
        return StreamId.of(kind, realm, f"{name}-{some(dice)}")

    return [
        Reading("projects", projects()),
        Reading(
            "projects, a page further on", lambda d: list_projects(store, None, PageRequest(after=d.choice(cursors)))
        ),
        Reading("projects, by stage", projects(stage="ACTIVE")),
        Reading("projects, by round", projects(round="R-FZ-2023-#")),
        Reading("projects, by organisation", projects(organisation="ORG-3-#")),
        Reading("projects, by fund and stage", projects(fund="FS-FZ-#", stage="ACTIVE")),
        Reading("projects, awaited role", projects(role="CAB-REG")),
        Reading("projects, overdue", projects(overdue=True)),
        Reading("projects, search by number", projects(search="PJ-3-#")),
        Reading("projects, search by title, simplified", projects(search="守护夕阳")),
        Reading("projects, search that finds nothing", projects(search="機器人")),
        Reading("public: projects", lambda _: list_posted(store, PublicFilter(realm=realm))),
        Reading("public: in notice", lambda _: list_posted(store, PublicFilter(realm=realm), in_notice=True)),
        Reading(
            "public: of a round",
            lambda d: list_posted(store, PublicFilter(realm=realm, round=f"R-FZ-2023-{some(d)}", stage="ACTIVE")),
        ),
        Reading("public: one project", lambda d: find_posted(store, stream(d))),
        Reading("inbox of a role", lambda _: list_waiting(store, WaitingFilter(role="CAB-REG"))),
        Reading("inbox of all", lambda _: list_waiting(store)),
        Reading("approval by id", lambda d: find_approval(store, d.choice(approvals))),
        Reading("approvals by subject", lambda d: list_approvals(store, ApprovalFilter(stream=stream(d)))),
        Reading("approvals by approver", lambda _: list_approvals(store, ApprovalFilter(decided_by="CAB-DEC#1"))),
        Reading("rounds", lambda _: list_streams(store, StreamFilter(kind="round", realm=realm))),
        Reading("money by round", lambda _: list_money(store, MoneyFilter(by=Dimension.ROUND, realm=realm))),
        Reading("money of a fund", lambda d: list_money(store, MoneyFilter(by=Dimension.FUND, key=f"FS-FZ-{some(d)}"))),
        Reading(
            "organisations, search", lambda d: list_organisations(store, OrganisationFilter(search=f"ORG-3-{some(d)}"))
        ),
        Reading(
            "register as of a day",
            lambda _: list_register(store, RegisterFilter(kind="organisation", as_of=datetime(2023, 6, 1, tzinfo=UTC))),
        ),
        Reading("portfolio", lambda _: read_portfolio(store, PortfolioFilter(realm=realm))),
        Reading(
            "portfolio as of a day",
            lambda _: read_portfolio(store, PortfolioFilter(realm=realm, as_of=datetime(2023, 6, 1, tzinfo=UTC))),
        ),
        Reading(
            "portfolio as of a position",
            lambda d: read_portfolio(store, PortfolioFilter(realm=realm, position=d.randrange(files * 60))),
        ),
        Reading("portfolio of a round", lambda d: read_portfolio(store, PortfolioFilter(round=f"R-FZ-2023-{some(d)}"))),
        Reading("attempts", lambda _: list_attempts(store, AttemptFilter(newest_first=True))),
        Reading("name", lambda d: resolve_name(store, f"PJ-3-{some(d)}", realm)),
        Reading("file", file),
        Reading("health", lambda _: list_views(store)),
    ]


async def time_readings(
    sizes: Mapping[int, list[Reading]], times: int, dice: random.Random
) -> dict[int, dict[str, list[float]]]:
    """Milliseconds of each in each of the logs, in shuffled order: what slows the machine slows all of them."""
    spans: dict[int, dict[str, list[float]]] = {size: {r.name: [] for r in all_} for size, all_ in sizes.items()}
    everything = [(size, reading) for size, all_ in sizes.items() for reading in all_]
    for _, reading in everything:  # once without a watch: a process that has just begun has nothing at hand
        await reading.ask(dice)
    order = everything * times
    dice.shuffle(order)
    for projects, reading in order:
        begun = time.perf_counter()
        await reading.ask(dice)
        spans[projects][reading.name].append((time.perf_counter() - begun) * 1000)
    return spans


async def append_beside(urls: list[str], per_s: float) -> None:
    """Append commands to each on the wall clock until killed: needs submitted, then adopted; and keep its views."""
    template = Template.of(*await record())

    async def append(store: PostgresStore) -> None:
        while True:
            for append in template.another_need():
                answer = await store.append(append)
                if answer.status is not AppendStatus.APPENDED:
                    raise RuntimeError(answer)
                await asyncio.sleep(len(urls) / per_s)

    async with asyncio.TaskGroup() as beside:
        for url in urls:
            store = PostgresStore(await open_pool(url, largest=4))
            beside.create_task(append(store))
            beside.create_task(ViewFollower(store).run())


@contextmanager
def appending(urls: list[str], per_s: float) -> Iterator[None]:
    """Such a process for as long as the block runs."""
    child = subprocess.Popen([sys.executable, __file__, "--append", *urls, "--beside", str(per_s)])  # noqa: S603 - ours
    try:
        yield
    finally:
        if child.poll() is not None:
            raise RuntimeError(f"nothing was appended beside: {child.returncode}")
        processes.stop(child, signal.SIGTERM)


async def build_views(store: PostgresStore) -> None:
    """Fold until there is nothing more to fold."""
    follower = ViewFollower(store)
    while await follower.once(datetime.now(UTC)):
        pass
    await follower.release()


@dataclass(frozen=True)
class Filled:
    """A log of so many projects, its views built."""

    projects: int
    url: str
    store: PostgresStore
    readings: list[Reading]


async def ask_over_http(served: Served) -> list[Reading]:
    """The same and more as a service asks it."""

    def reading(name: str, question: Question) -> Reading:
        return Reading(f"HTTP {name}", lambda dice: served.ask(question(dice)))

    return [reading(name, question) for name, question in (await find_questions(served.ask)).items()]


async def open_database(server: Postgres, name: str) -> tuple[str, asyncpg.Connection[Any]]:
    """A migrated database of that name: the application's address of it, and its owner's connection to fill it by."""
    superuser = await asyncpg.connect(server.url(postgres.SUPERUSER))
    await superuser.execute(f"CREATE DATABASE {name} OWNER {postgres.OWNER}")
    await superuser.close()
    app, owner_url = (
        server.url(role).rpartition("/")[0] + f"/{name}" for role in (postgres.APPLICATION, postgres.OWNER)
    )
    await migrate(owner_url, app_role=postgres.APPLICATION)
    owner = await asyncpg.connect(owner_url, server_settings={"timezone": "UTC"})
    await owner.set_type_codec("json", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")
    return app, owner


async def fill(server: Postgres, template: Template, projects: int) -> Filled:
    """A database of its own with that many projects."""
    app, owner = await open_database(server, f"reads{projects}")
    begun = time.perf_counter()
    entries = await copy(owner, template, projects)
    copied, store = time.perf_counter(), PostgresStore(await open_pool(app, largest=8))
    own = time.process_time()
    await build_views(store)
    built, own = time.perf_counter(), time.process_time() - own
    await owner.execute("ANALYZE")
    streams = await owner.fetchval("SELECT count(*) FROM venture.streams")
    await owner.close()
    print(
        f"{projects} projects: {streams} streams, {entries} entries copied in {copied - begun:.0f} s, views built in"
        f" {built - copied:.0f} s, {own:.0f} s of it this process's own CPU",
        flush=True,
    )
    page = await list_projects(store, None, PageRequest(limit=100))
    cursors: list[str | None] = [None]
    while page.next is not None and len(cursors) < FURTHER:
        cursors.append(page.next)
        page = await list_projects(store, None, PageRequest(limit=100, after=page.next))
    ids = [one.approval.id for one in (await list_approvals(store, None, PageRequest(limit=1000))).rows]
    return Filled(projects, app, store, readings(store, template.realm, projects, ids, cursors))


async def measure(server: Postgres, args: argparse.Namespace) -> dict[str, Any]:
    """Fill a database for each size, then read them by turns while commands go on in all of them."""
    template, dice = Template.of(*await record()), random.Random(1)
    sizes = [await fill(server, template, projects) for projects in args.projects]
    before = [await size.store.last_position() for size in sizes]
    async with AsyncExitStack() as stack:
        homes = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="venture-reads-")))
        for size in sizes:
            (home := homes / str(size.projects)).mkdir()
            served = await stack.enter_async_context(serve(home, size.url, postgres_url=size.url))
            size.readings.extend(await ask_over_http(served))
        stack.enter_context(appending([size.url for size in sizes], args.beside))
        await until_appended(sizes[-1].store)
        spans = await time_readings({one.projects: one.readings for one in sizes}, args.times, dice)
    appended = [await size.store.last_position() - position for size, position in zip(sizes, before, strict=True)]
    print(f"beside the readings {appended} entries were appended")
    result: dict[str, Any] = {"bench": "reads", "commands_per_s": args.beside, "sizes": spans}
    for size in sizes:
        if args.check:
            verification = await verify(size.store)
            kinds = Counter(finding.kind.value for finding in verification.findings)
            signatures = kinds.pop("forged", 0) + kinds.pop("unsigned", 0)
            print(f"audit verify: {verification.entries} entries, {signatures} by their signature, else {dict(kinds)}")
            result[f"findings of {size.projects}"] = kinds
        await size.store.aclose()
    report(result, args.projects)
    return result


async def until_appended(store: PostgresStore) -> None:
    """Come back once commands go on."""
    position = await store.last_position()
    async with asyncio.timeout(READY_S):
        while await store.last_position() == position:  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.1)


async def measure_house(home: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Read a house that stands already, over HTTP, and leave it as it is."""
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_store(bootstrap.settings(home=home), lambda _zh, en: print(en)))
        await build_views(opened.store)
        served = await stack.enter_async_context(serve(home, opened.postgres_url))
        house = await ask_over_http(served)
        page = (await served.ask("/v1/money?by=round&limit=500")).json()
        projects = sum(one["values"]["projects"] for one in page["sums"])
        print(f"{len(page['sums'])} rounds, the log at {page['freshness']['position']}")
        spent_ms = cpu_ms(served.pid)
        spans = await time_readings({projects: house}, args.times, random.Random(1))
        spent_ms = (cpu_ms(served.pid) - spent_ms) / len(house) / (args.times + 1)
    print(f"the server's own CPU for each: {spent_ms:.1f} ms on average")
    result: dict[str, Any] = {"bench": "reads", "home": str(home), "sizes": spans}
    report(result, [projects])
    return result


def report(result: dict[str, Any], sizes: list[int]) -> None:
    """Print the table, and put medians and 95th percentiles in place of the spans."""
    smallest, largest = result["sizes"][sizes[0]], result["sizes"][sizes[-1]]
    print(f"{'ms, p50 / p95':<44}" + "".join(f"{size:>9} projects  " for size in sizes) + "   ratio")
    for name in largest:
        cells = []
        for size in sizes:
            spans = result["sizes"][size][name]
            cells.append(f"{statistics.median(spans):>8.1f} /{_p95(spans):>7.1f}  ")
        ratio = statistics.median(largest[name]) / statistics.median(smallest[name])
        print(f"{name:<44}" + "".join(cells) + f"   {ratio:>5.2f}")
    for size in sizes:
        spans = result["sizes"][size]
        result["sizes"][size] = {n: [round(statistics.median(s), 2), round(_p95(s), 2)] for n, s in spans.items()}


def _p95(spans: list[float]) -> float:
    return sorted(spans)[int(len(spans) * 0.95)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, nargs="+", default=[1_000, 10_000], help="how many, size after size")
    parser.add_argument("--times", type=int, default=40, help="of each reading at each size")
    parser.add_argument("--beside", type=float, default=20.0, help="commands a second that go on meanwhile")
    parser.add_argument("--home", type=Path, help="a house that stands already, as VENTURE_HOME names it")
    parser.add_argument("--append", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help="let audit verify go over all of it at the end")
    args = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    if args.append:
        asyncio.run(append_beside(args.append, args.beside))
    if args.home is not None:
        result = asyncio.run(measure_house(args.home, args))
    else:
        with own_postgres() as server:
            result = asyncio.run(measure(server, args))
    print(json.dumps({**result, "load": machine_load()}))


if __name__ == "__main__":
    main()
