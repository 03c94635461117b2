"""Records what ``tests/audit/test_corpus.py`` reads: ``./run record corpus``.

The entries of a whole log, as Postgres keeps them, go into a file of the version in ``pyproject.toml``. A released
version's file is never written again: it stands for what lies in somebody's office, and today's code must read it and
come to the same. Only the file of the version to come, of which ``CHANGELOG.md`` has no heading yet, is overwritten.

What is recorded: every story that is shipped; variants of them, for what none tells (``variants.yaml``); and what no
row can say: a programme established, a round resolved in one append, a realm that goes live.
"""

from __future__ import annotations

import asyncio
import json
import lzma
import sys
import tempfile
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bootstrap
import local
from cli.scenario import list_shipped, plan_scenario
from domain.approval.request import (
    AmendApproval,
    Approvers,
    DeclineApproval,
    GrantApproval,
    Matter,
    OpenApproval,
    ReturnApproval,
    WithdrawApproval,
    bind,
)
from domain.catalogue import AGGREGATES
from domain.kernel.calendar import Calendar
from domain.kernel.clock import Clock
from domain.kernel.envelope import Ending
from domain.kernel.identifier import Actor, StreamId, deadline_command_id, derive_id
from domain.kernel.parked_deadline import SetDeadlineAside
from domain.kernel.scheme import RoundLevel
from domain.registers.door_key import RotateDoorKey, WithdrawDoorKey
from domain.registers.realm import SetClock
from domain.registers.scheme import EstablishProgramme, PublishPolicyPack
from domain.round.plan import OpenNeedSolicitation
from local.postgres import APPLICATION, AUDITOR
from scenarios.format import Scenario
from scenarios.plan import Plan, plan
from scenarios.play import play
from schemes.document import YamlDocument, read
from schemes.scheme_file import load_shipped
from store.migration import migrate
from store.postgres import PostgresStore, open_pool
from tests.keys import OTHER, make_key
from tests.office import Office, administer, admit
from tests.office_story import tell_office
from tests.paper import REPORTED, open_paper_door, prepare_resolution, story
from tests.releases import ROOT, require_unreleased

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from application.door import Door
    from domain.kernel.message import Command
    from store.port import Entry, EventStore

HERE = Path(__file__).parent
BY_HAND = datetime(2023, 1, 9, 1, tzinfo=UTC)


def main() -> None:
    """Record into the file of the version to come."""
    file = HERE / f"{require_unreleased()}.jsonl.xz"
    with tempfile.TemporaryDirectory() as home:
        lines = asyncio.run(_record(Path(home)))
    before = lzma.decompress(file.read_bytes()).decode().splitlines() if file.exists() else []
    file.write_bytes(lzma.compress("".join(lines).encode()))
    sys.stdout.write(f"{len(lines)} entries in {file.relative_to(ROOT)}\n")
    sys.stdout.writelines(f"  {change}\n" for change in describe_changes(before, lines))


def describe_changes(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """Which realms say something else now: a story that somebody changed meanwhile is recorded with what was meant."""
    was, now = _group_by_realm(before), _group_by_realm(after)
    return [
        f"{realm}: {len(was.get(realm, ()))} entries before, {len(now.get(realm, ()))} now"
        for realm in sorted(was.keys() | now.keys())
        if was.get(realm) != now.get(realm)
    ]


def _group_by_realm(lines: Iterable[str]) -> dict[str, list[object]]:
    """What each realm's entries say, but for what is another at each recording."""
    realms: dict[str, list[object]] = {}
    for line in lines:
        row = json.loads(line)
        said = row["stream"], row["version"], row["type"], row["occurred_at"], row["data"]
        realms.setdefault(StreamId(row["stream"]).realm, []).append(said)
    return realms


async def _record(home: Path) -> list[str]:
    settings = bootstrap.settings(home=home, log_level="error")
    bootstrap.configure_logging(settings)
    async with local.servers(settings) as servers:
        await migrate(servers.owner_url, app_role=APPLICATION, auditor_role=AUDITOR)
        async with aclosing(PostgresStore(await open_pool(servers.postgres_url))) as store:
            await play_all(store)
            return [_line(entry) async for entry in _log(store)]


async def play_all(store: EventStore) -> None:
    """Every story, every variant, and what is done by hand."""
    await tell_all(open_paper_door(store), store)
    await tell_office(Office(store, at=BY_HAND), off=date(2023, 1, 2), until=date(2023, 1, 31))
    await _unpark(store)
    await _exchange_keys(store)


async def tell_all(door: Door, store: EventStore) -> None:
    """Every story and every variant, and what no row can say, through that door."""
    for each in [*plan_scenario(list_shipped()), *_variants()]:
        await _play(each, door, store)
    undecided = story(REPORTED, fresh="resolved")
    await _play(undecided, door, store)
    resolution = await prepare_resolution(store, undecided.realm)
    await _send(door, StreamId.of("round", undecided.realm, "R-FZ-2023"), resolution, "CAB-REG#1", REPORTED)
    await door.open_realm("by-hand")
    programme = EstablishProgramme(city="撫州", brand="幸福社區")
    await _send(door, StreamId("scheme/by-hand/fuzhou"), programme, "CAB-DEC#1", BY_HAND)
    await _ask_approvals(door)
    live = SetClock(clock=Clock.WALL, second=Actor("CAB-DEC#1"))
    await _send(door, StreamId("realm/by-hand/clock"), live, "CAB-REG#1", BY_HAND + timedelta(days=26))


async def _ask_approvals(door: Door) -> None:
    """Decisions that a service asks for: granted by two of three, declined, returned, withdrawn, expired."""
    three = (Approvers(seats=tuple(map(Actor, ("CAB-DEC#1", "CAB-DEC#2", "CAB-FIN#1"))), needed=2),)
    leader = (Approvers(seats=(Actor("CAB-DEC#1"),)),)

    async def ask(number: int, command: Command, by: str, days: int) -> None:
        stream, at = StreamId(f"approval/by-hand/AV-{number}"), BY_HAND + timedelta(days=days)
        command_id = derive_id("corpus", stream, command.command_type, by)
        await door.send(stream, command, Actor(by), command_id=command_id, at=at, derived=True)

    def bound(number: int, matter: Matter) -> str:
        return bind(StreamId(f"approval/by-hand/AV-{number}"), matter)

    bulk = OpenApproval(title="年度採購", amount=12_000_000, payee="ORG-3", groups=three)
    await ask(1, bulk, "CAB-REG#1", 1)
    await ask(1, GrantApproval(digest=bound(1, bulk)), "CAB-DEC#1", 2)
    await ask(1, GrantApproval(digest=bound(1, bulk), reason="同意"), "CAB-FIN#1", 3)
    course = OpenApproval(title="培訓方案", groups=leader, within_wd=20, remind_after_wd=2, escalate_after_wd=4)
    course = course.model_copy(update={"escalate_to": (Actor("FISCAL#1"),)})
    await ask(2, course, "HOST#1", 4)
    await ask(2, AmendApproval(title="培訓方案（修訂）", within_wd=20), "HOST#1", 14)
    await ask(2, ReturnApproval(digest=bound(2, Matter(title="培訓方案（修訂）")), reason="請補預算"), "CAB-DEC#1", 15)
    await ask(2, WithdrawApproval(reason="不再舉辦"), "HOST#1", 16)
    site = OpenApproval(title="場地租用", groups=leader, within_wd=1)
    await ask(3, site, "HOST#1", 17)
    plan_ = OpenApproval(title="宣傳方案", groups=leader)
    await ask(4, plan_, "HOST#1", 24)
    await ask(4, DeclineApproval(digest=bound(4, plan_), reason="與預算不符"), "CAB-DEC#1", 25)


async def _unpark(store: EventStore) -> None:
    """A round under whose next deadline's id somebody's command stands: two persons set that deadline aside."""
    office, stream, rules = Office(store, at=BY_HAND), StreamId("round/parked/R-1"), load_shipped("fuzhou")
    await office.fill("CAB-REG#2", "CAB-DEC#2")
    scheme = StreamId("scheme/parked/fuzhou")
    await office.privileged(scheme, PublishPolicyPack(scheme=rules), "CAB-DEC#2", "CAB-REG#2")
    opened = OpenNeedSolicitation(scheme=rules.ref, year=2023, level=RoundLevel.DISTRICT)
    await office.ask(stream, opened, "CAB-REG#2")
    due = AGGREGATES[stream.kind].due(await office.state(stream), Calendar())
    if due is None:
        sys.exit(f"{stream} waits for nothing")
    name = due.command.command_type
    taken = deadline_command_id(stream, name, due.key, due.at)
    await office.answer(stream, due.command, "CAB-REG#2", command_id=taken)
    aside = SetDeadlineAside(deadline=name, key=due.key, falls_at=due.at, reason="編號被佔用")
    await office.privileged(stream, aside, "CAB-REG#2", "CAB-DEC#2", at=due.at + timedelta(hours=1))


async def _exchange_keys(store: EventStore) -> None:
    """Two more doors: the key of one is replaced, that of the other taken back."""
    rotated, lost = await admit(store, OTHER, "CAB-FIN"), await admit(store, make_key("a lost door"), "SO-PM#1", "HOST")
    for stream, command in (
        (rotated, RotateDoorKey(successor=make_key("its next").public)),
        (lost, WithdrawDoorKey(reason="密鑰遺失")),
    ):
        answer = await administer(store, stream, command)
        if answer.ending is not Ending.ACCEPTED:
            sys.exit(answer.model_dump_json())


async def _play(plan: Plan, door: Door, store: EventStore) -> None:
    came_of_it = await play(plan, door, store)
    if came_of_it.deviations:
        sys.exit(json.dumps(came_of_it.as_json(), ensure_ascii=False, indent=1))


async def _send(door: Door, stream: StreamId, command: Command, by: str, at: datetime) -> None:
    await door.send(
        stream, command, Actor(by), command_id=derive_id("corpus", stream, command.command_type), at=at, derived=True
    )


def _variants() -> Iterator[Plan]:
    stories = {path.stem: path for path in list_shipped()}
    for name, variant in read(HERE / "variants.yaml").data.items():
        told: dict[str, Any] = read(stories[variant["of"]]).data
        kinds = [row[1] for row in told["events"]]
        taken = {
            pj: {k: v for k, v in of.items() if k not in variant.get("without", ())}
            for pj, of in told["projects"].items()
        }
        varied = {
            "id": name,
            "projects": taken,
            "events": [*told["events"][: kinds.index(variant["until"])], *variant["then"]],
            "must_refuse": [],
            "expect": {},
        }
        document = YamlDocument(f"{name} of {variant['of']}", {**told, **varied})
        yield plan(document.parse(Scenario), document)


async def _log(store: EventStore) -> AsyncIterator[Entry]:
    position = 0
    while page := await store.feed(position):
        for entry in page:
            yield entry
        position = page[-1].position


def _line(entry: Entry) -> str:
    """The entry as the auditor's export has it: texts as they are kept, hashes in hex."""
    row = {
        "stream": entry.stream,
        "version": entry.version,
        "kind": entry.kind,
        "type": entry.type,
        "schema_version": entry.schema_version,
        "command_id": str(entry.command_id),
        "occurred_at": entry.occurred_at.isoformat(),
        "recorded_at": entry.recorded_at.isoformat(),
        "meta": entry.meta.decode(),
        "data": entry.data.decode(),
        "chain": entry.chain.hex(),
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
