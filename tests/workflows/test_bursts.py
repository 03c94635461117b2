"""Hundreds ask within seconds, from several processes: each gets a definite and true answer, and none comes in late."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest

import bootstrap
import local.temporal
from domain.kernel.identifier import Actor
from domain.kernel.scheme import RoundLevel
from domain.registers.organisation import OrganisationKind, VerifyOrganisation
from domain.registers.scheme import PublishPolicyPack
from domain.round.call import PublishCall
from local.postgres import DATABASE, SUPERUSER
from store.port import EntryKind
from tests.workflows.bidders import LAST_S
from tests.workflows.breakable import breakable
from tests.workflows.bureau import ROUND, RULES, Bureau, need_submission
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from tests.workflows.breakable import Breakable

BIDDERS = Path(__file__).with_name("bidders.py")
SIZES = [
    pytest.param(10, 30, 2, id="limit-10-of-30", marks=pytest.mark.full),
    pytest.param(10, 300, 4, id="limit-10-of-300", marks=[pytest.mark.release, pytest.mark.timeout(300)]),
    pytest.param(500, 300, 4, id="limit-500-of-300", marks=[pytest.mark.full, pytest.mark.timeout(300)]),
]
"""How many updates of one workflow are let in at once, how many callers come, from how many processes."""


@pytest.fixture(scope="module")
async def house(limit: int, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Breakable]:
    """Servers that let so many updates of one workflow in at once; nobody else asks anything of them."""
    changed = {**local.temporal.DYNAMIC, "history.maxInFlightUpdates": str(limit)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local.temporal, "DYNAMIC", changed)
        async with breakable(bootstrap.settings(home=tmp_path_factory.mktemp("burst")), workers=0) as house:
            yield house


@asynccontextmanager
async def _clients(house: Breakable, realm: str, most: int, count: int) -> AsyncIterator[list[Process]]:
    """So many client processes, each ready with its share of the callers."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VENTURE_")}
    environment |= {
        "VENTURE_HOME": str(house.settings.home),
        "VENTURE_POSTGRES_URL": house.servers.postgres_url,
        "VENTURE_TEMPORAL_ADDRESS": house.servers.temporal_address,
        "VENTURE_TASK_QUEUE": house.settings.task_queue,
    }
    share = most // count
    clients = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            str(BIDDERS),
            *(realm, str(1 + n * share), str(1 + (n + 1) * share), str(n)),
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for n in range(count)
    ]
    try:
        for client in clients:
            assert client.stdout is not None
            assert await client.stdout.readline() == b"ready\n"
        yield clients
    finally:
        for client in clients:
            with suppress(ProcessLookupError):  # done
                client.kill()


async def _answers(clients: list[Process], deadline: str) -> list[dict[str, Any]]:
    """What they hear, once they know the deadline."""
    outputs = await asyncio.gather(*(client.communicate(f"{deadline}\n".encode()) for client in clients))
    assert [client.returncode for client in clients] == [0] * len(clients)
    return [json.loads(line) for out, _ in outputs for line in out.splitlines()]


async def _count_appends(house: Breakable) -> None:
    """From now on, and from nothing."""
    admin = await asyncpg.connect(house.servers.postgres.url(SUPERUSER), database=DATABASE)
    await admin.execute("SELECT pg_stat_reset()")
    await admin.execute("ALTER SYSTEM SET track_functions = 'pl'")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()


async def _appends(house: Breakable) -> int:
    """How often the worker appended to the log since they are counted: a backend that is gone has told all it did."""
    house.kill_worker()
    admin = await asyncpg.connect(house.servers.postgres.url(SUPERUSER), database=DATABASE)
    calls = 0

    async def count() -> int:
        nonlocal calls
        calls = int(
            await admin.fetchval(
                "SELECT COALESCE(sum(calls), 0)::int FROM pg_stat_user_functions"
                " WHERE schemaname = 'venture' AND funcname = 'append'"
            )
        )
        return calls

    await until(count)
    await admin.execute("ALTER SYSTEM RESET track_functions")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()
    return calls


async def _register(bureau: Bureau, most: int) -> None:
    """The rules, and so many organisations that may bid."""
    await bureau.straight(bureau.id("scheme", RULES.name), PublishPolicyPack(scheme=RULES), "CAB-DEC#1")
    await asyncio.gather(
        *(
            bureau.straight(
                bureau.id("organisation", f"ORG-{n}"),
                VerifyOrganisation(
                    name=f"機構 {n}",
                    kind=OrganisationKind.SERVICE_AGENCY,
                    representatives=(Actor(f"SO-LEGAL#{n}"),),
                ),
                "HOST#1",
            )
            for n in range(1, most + 1)
        )
    )


async def _open_call(bureau: Bureau) -> datetime:
    """A call whose deadline is a few seconds away."""
    now = datetime.now(UTC)
    deadline = now + timedelta(seconds=1 + LAST_S)
    call = PublishCall(scheme=RULES.ref, year=now.year, level=RoundLevel.MUNICIPAL, deadline=deadline)
    await bureau.straight(bureau.id("round", ROUND), call, "CAB-REG#1")
    return deadline


IN_EVERY_SIZE = pytest.mark.parametrize(("limit", "most", "count"), SIZES, scope="module")


@pytest.mark.full
@IN_EVERY_SIZE
async def test_bids_in_the_last_seconds_are_answered_truly_and_none_after_the_deadline_is_in(
    most: int, count: int, house: Breakable
) -> None:
    bureau = house.bureau()
    house.start_worker()
    await _register(bureau, most)
    async with _clients(house, bureau.realm, most, count) as clients:
        deadline = await _open_call(bureau)
        await _count_appends(house)
        before = await house.store.last_position()
        answers = await _answers(clients, deadline.isoformat())
    appends = await _appends(house)
    entries = await house.store.feed(before, 10 * most)

    assert len(answers) == len({a["stream"] for a in answers}) == most
    submitted = {e.stream: e for e in entries if e.type == "ApplicationSubmitted"}
    assert submitted.keys() == {a["stream"] for a in answers if a["accepted"]}
    assert all(e.occurred_at < deadline for e in submitted.values())
    assert all("D1" in a["rules"] for a in answers if not a["accepted"])
    assert submitted
    _each_once(answers, [e for e in entries if e.stream.kind == "project"])
    assert appends <= len([e for e in entries if e.kind is EntryKind.COMMAND])


@IN_EVERY_SIZE
async def test_hundreds_at_one_stream_are_answered_truly(most: int, count: int, house: Breakable) -> None:
    bureau = house.bureau()
    house.start_worker()
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await house.door.send(need, need_submission(), Actor("COMM#1000"))
    async with _clients(house, bureau.realm, most, count) as clients:
        await _count_appends(house)
        before = await house.store.last_position()
        answers = await _answers(clients, "-")
    appends = await _appends(house)
    entries = await house.store.feed(before, 10 * most)

    assert all(a["accepted"] for a in answers)
    assert sorted(a["version"] for a in answers) == list(range(2, most + 2))
    _each_once(answers, [e for e in entries if e.stream == need])
    assert appends <= most


def _each_once(answers: list[dict[str, Any]], entries: list[Any]) -> None:
    """Every command is journalled once, and nothing else is."""
    commands = [e.command_id for e in entries if e.kind is EntryKind.COMMAND]
    assert len(commands) == len(set(commands))
    assert set(commands) == {UUID(a["id"]) for a in answers}
