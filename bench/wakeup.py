"""A thousand who wait for one approval over HTTP: how long from the commit of its decision to each one's answer.

Run ``python bench/wakeup.py``. It starts an embedded Postgres and ``http_server.py`` in a process of its own; this
process is the callers, and commits the decision. A figure is the ratio to the least that could be done, in the same run
and on the same machine: another process that LISTENs and, when told, answers as many connections with a constant.
Each is measured from the moment at which the commit was answered. Afterwards nobody may be left waiting.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import statistics
import sys
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).parent.parent))

import asyncpg

import bootstrap
import temporal_client
from activities.carry_out import CommandActivities
from application.api_keys import issue_key
from application.approvals import find_approval
from application.caller import ScopeName
from application.door import Door
from application.door_keys import build_first_publication
from application.process_carrier import ProcessCarrier
from application.workflow_carrier import WorkflowCarrier
from bench.meter import cpu_ms, machine_load
from bench.own_servers import own_servers
from bench.surroundings import surroundings, until_listening
from deciding.fold import load_state
from domain.kernel.attachment import Attachment
from domain.kernel.clock import Clock
from domain.kernel.envelope import CarryOut
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.scheme import RoundLevel
from domain.project.award import DeclineAward, ProposeAward
from domain.project.bidding import BaseSupport
from domain.project.publicity import OpenAwardPublicity
from domain.registers.fund import RegisterFundSource
from domain.registers.incubation_base import AssessBase, DesignateBase, Tier
from domain.registers.organisation import OrganisationKind, VerifyOrganisation
from domain.registers.scheme import PublishPolicyPack
from domain.round.plan import OpenNeedSolicitation
from local import processes
from runtime.identity import open_identity
from schemes import scheme_file
from store.identity import SeatGrant
from store.postgres import PostgresStore, open_pool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bootstrap import Settings
    from domain.kernel.message import Command
    from local import Servers
    from store.identity import IdentityStore

ROOT = Path(__file__).resolve().parent.parent
BEGINS = datetime(2026, 3, 2, 1, tzinfo=UTC)
CHANNEL = "wakeup_bench"
READY_S = 60.0
IDLE_MS = 50.0
"""Milliseconds of processor time in a second below which a server is idle."""
EACH = 100
"""Who wait as one service: a server lets nobody ask too much at once."""
MINUTES = Attachment(sha256="0" * 64, media_type="application/pdf", name="minutes.pdf")


# ------------------------------------------------------------------------------------------------ the least there is


async def echo(url: str, port: int) -> None:
    """Answer every connection that is open when the database says so, with a constant."""
    waiting: list[asyncio.StreamWriter] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        waiting.append(writer)

    def answer(*_: object) -> None:
        for writer in waiting:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            writer.close()
        waiting.clear()

    connection: asyncpg.Connection[Any] = await asyncpg.connect(url)
    await connection.add_listener(CHANNEL, answer)
    server = await asyncio.start_server(take, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


# ------------------------------------------------------------------------------------------------ who waits


async def wait_for_answer(port: int, request: bytes, connected: asyncio.Semaphore) -> float:
    """When the answer came, by the clock of this process."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    connected.release()
    line = await reader.readline()
    at = time.perf_counter()
    if b"200" not in line:
        raise RuntimeError(line.decode() or "the connection was closed without an answer")
    writer.close()
    return at


async def until_idle(pid: int) -> None:
    """Come back once that process has nothing to do."""
    before, spent_ms = 0.0, IDLE_MS + 1
    async with asyncio.timeout(READY_S):
        while spent_ms > IDLE_MS:
            await asyncio.sleep(1)
            before, spent_ms = cpu_ms(pid), cpu_ms(pid) - before


async def measure(port: int, pid: int, requests: list[bytes], commit: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds from the commit to each answer."""
    connected = asyncio.Semaphore(0)
    waiting = [asyncio.create_task(wait_for_answer(port, request, connected)) for request in requests]
    for _ in waiting:
        await connected.acquire()
    await until_idle(pid)  # all that was sent is read, and everybody waits
    await commit()
    committed = time.perf_counter()
    answered = await asyncio.gather(*waiting)
    return [max(0.0, at - committed) * 1_000 for at in answered]


# ------------------------------------------------------------------------------------------------ what is waited for


class PaperRealm:
    """A paper realm whose commands this process carries out itself."""

    def __init__(self, store: PostgresStore, door: Door) -> None:
        self.realm = f"wakeup-{uuid4().hex[:8]}"
        self._store = store
        self._door = door
        self._at = BEGINS

    def id(self, kind: str, name: str) -> StreamId:
        """The stream of that name in this realm."""
        return StreamId.of(kind, self.realm, name)

    async def do(self, stream: StreamId, command: Command, seat: str) -> None:
        """Have a command carried out, a minute after the one before."""
        self._at += timedelta(minutes=1)
        await self._door.send(stream, command, Actor(seat), at=self._at)

    async def ask_approval(self) -> tuple[StreamId, str]:
        """A project whose award waits to be confirmed, and that approval's id."""
        await self._store.set_clock(self.realm, Clock.MANUAL)
        rules = scheme_file.load_shipped("fuzhou")
        await self.do(self.id("scheme", rules.name), PublishPolicyPack(scheme=rules), "CAB-DEC#1")
        opening = OpenNeedSolicitation(scheme=rules.ref, year=BEGINS.year, level=RoundLevel.MUNICIPAL)
        await self.do(self.id("round", "R-1"), opening, "CAB-REG#1")
        known = VerifyOrganisation(
            name="ORG", kind=OrganisationKind.SERVICE_AGENCY, representatives=(Actor("SO-LEGAL#1"),)
        )
        await self.do(self.id("organisation", "ORG-1"), known, "HOST#1")
        await self.do(self.id("fund", "FS-1"), RegisterFundSource(name="FS", envelope=1_000_000_000), "CAB-FIN#1")
        base = self.id("base", "BASE-1")
        await self.do(base, DesignateBase(name="BASE", tier=Tier.MUNICIPAL, operator="ORG-1"), "CAB-DEC#1")
        await self.do(base, AssessBase(score=Decimal(90), grade="優秀"), "EVAL#1")
        project = self.id("project", "AP-1")
        support = BaseSupport(base="BASE-1", organisation="ORG-1", round="R-1", title="基地扶持")
        award = ProposeAward(
            project="PJ-1", award=1_000_000, funds={"FS-1": 1_000_000}, minutes=MINUTES, support=support
        )
        await self.do(project, award, "CAB-REG#1")
        await self.do(project, OpenAwardPublicity(contact="市民政局"), "CAB-REG#1")
        (approval,) = (await load_state(self._store, project)).approvals
        return project, str(approval.id)


async def run(number: int, home: Path, servers: Servers) -> None:
    """Measure both, and print."""
    settings = bootstrap.settings(home=home)
    echo_port, web_port = processes.free_port(), processes.free_port()
    environment = surroundings(home, http_port=str(web_port))
    url = servers.postgres_url
    commands = [
        [sys.executable, __file__, "--echo", url, str(echo_port)],
        [sys.executable, str(ROOT / "http_server.py")],
    ]
    children = [
        processes.spawn(command, log=home / "logs" / f"{name}.log", when_parent_dies=signal.SIGTERM, env=environment)
        for name, command in zip(("echo", "web"), commands, strict=True)
    ]
    pids = (children[0].pid, children[1].pid)
    pool = await open_pool(url)
    try:
        async with aclosing(PostgresStore(pool)) as store, open_identity(url) as identity:
            await compare(number, servers, settings, store, identity, (echo_port, web_port), pids)
    finally:
        pool.terminate()
        for child in children:
            processes.stop(child, signal.SIGTERM, patience_s=20)


async def compare(
    number: int,
    servers: Servers,
    settings: Settings,
    store: PostgresStore,
    identity: IdentityStore,
    ports: tuple[int, int],
    pids: tuple[int, int],
) -> None:
    """Measure both against one database, the least first."""
    key = bootstrap.ensure_door_key(settings)
    activities = CommandActivities(store)
    first = build_first_publication(key, datetime.now(UTC))
    await activities.carry_out(CarryOut(stream=first.subject, now=first.received_at, envelope=first))
    client = await temporal_client.connect_temporal(servers.temporal_address, settings, lazily=True)
    workflows = WorkflowCarrier(client, settings.task_queue)
    office = PaperRealm(store, Door(ProcessCarrier(activities, store, otherwise=workflows), store, key))
    project, approval = await office.ask_approval()
    await find_approval(store, UUID(approval), patience_s=30)  # no worker keeps the views here
    keys = [await make_key(identity, f"bench-{n}") for n in range(0, number, EACH)]
    for port in ports:
        await until_listening(port, within_s=READY_S)
    plain = [b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"] * number
    arguments = [
        f"GET /v1/approvals/{approval}?wait=60 HTTP/1.1\r\nHost: here\r\n"  # kept open, as clients do
        f"Authorization: Bearer {keys[n // EACH]}\r\n\r\n".encode()
        for n in range(number)
    ]
    notifying: asyncpg.Connection[Any] = await asyncpg.connect(servers.postgres_url)
    least = await measure(ports[0], pids[0], plain, lambda: notifying.execute(f"NOTIFY {CHANNEL}, 'now'"))
    await notifying.close()
    decline = DeclineAward(reason="人手不足")
    ours = await measure(ports[1], pids[1], arguments, lambda: office.do(project, decline, "SO-LEGAL#1"))
    print(f"{number} who wait, load {machine_load()[0]:.1f}")
    for name, figures in (("NOTIFY and echo", least), ("an approval", ours)):
        print(f"{name:<16} p50 {quantile(figures, 50):7.1f} ms  p99 {quantile(figures, 99):7.1f} ms")
    ratios = [quantile(ours, q) / quantile(least, q) for q in (50, 99)]
    print(f"ratio            p50 {ratios[0]:7.2f}     p99 {ratios[1]:7.2f}")


async def make_key(identity: IdentityStore, service: str) -> str:
    """The key of a service that reads."""
    grants, now = (SeatGrant(seat=Actor("CAB-REG#1")),), datetime.now(UTC)
    fresh = await issue_key(identity, service, grants, [ScopeName.READ], lasting=timedelta(hours=1), now=now)
    return fresh.text


def quantile(figures: list[float], percent: int) -> float:
    """That percentile."""
    return statistics.quantiles(figures, n=100)[percent - 1]


async def main() -> None:
    """Keep servers up and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=1_000)
    parser.add_argument("--echo", nargs=2, metavar=("URL", "PORT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.echo:
        await echo(arguments.echo[0], int(arguments.echo[1]))
        return
    async with own_servers("info") as (settings, servers):
        await run(arguments.number, settings.home, servers)


if __name__ == "__main__":
    asyncio.run(main())
