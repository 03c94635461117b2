"""Hundreds ask within seconds, from several processes: each gets a definite and true answer, and none comes in late."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest

import bootstrap
import local.temporal
from domain.kernel.identity import Actor
from domain.kernel.scheme import RoundLevel
from domain.registers.organisation import OrganisationKind, VerifyOrganisation
from domain.registers.scheme import PublishPolicyPack
from domain.round.call import PublishCall
from local.postgres import SUPERUSER
from store.port import EntryKind
from tests.workflows.bidders import LAST_S
from tests.workflows.breakable import breakable
from tests.workflows.bureau import ROUND, RULES, Bureau, need_submission

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.workflows.breakable import Breakable

BIDDERS = Path(__file__).with_name("bidders.py")
CLIENTS = 4
READY = timedelta(seconds=15)
"""What client processes may take to be ready before the first bid comes."""
SIZES = [
    pytest.param(10, 60, id="limit-10-of-60"),
    pytest.param(10, 300, id="limit-10-of-300", marks=[pytest.mark.full, pytest.mark.timeout(300)]),
    pytest.param(500, 300, id="limit-500-of-300", marks=[pytest.mark.full, pytest.mark.timeout(300)]),
]


@asynccontextmanager
async def _house(home: Path, limit: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Breakable]:
    """Servers of its own, which let so many updates of one workflow in at once."""
    changed = {**local.temporal.DYNAMIC, "history.maxInFlightUpdates": str(limit)}
    monkeypatch.setattr(local.temporal, "DYNAMIC", changed)
    async with breakable(bootstrap.settings(home=home)) as house:
        yield house


async def _answers(house: Breakable, realm: str, deadline: str, most: int) -> list[dict[str, Any]]:
    """What four client processes hear, each with its share of the callers."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VENTURE_")}
    environment |= {
        "VENTURE_HOME": str(house.settings.home),
        "VENTURE_POSTGRES_URL": house.servers.postgres_url,
        "VENTURE_TEMPORAL_ADDRESS": house.servers.temporal_address,
        "VENTURE_TASK_QUEUE": house.settings.task_queue,
    }
    share = most // CLIENTS
    clients = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            str(BIDDERS),
            *(realm, deadline, str(1 + n * share), str(1 + (n + 1) * share), str(n)),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
        )
        for n in range(CLIENTS)
    ]
    outputs = await asyncio.gather(*(client.communicate() for client in clients))
    assert [client.returncode for client in clients] == [0] * CLIENTS
    return [json.loads(line) for out, _ in outputs for line in out.splitlines()]


async def _count_appends(house: Breakable) -> None:
    admin = await asyncpg.connect(house.servers.postgres.url(SUPERUSER))
    await admin.execute("ALTER SYSTEM SET track_functions = 'pl'")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()


async def _appends(house: Breakable) -> int:
    """How often the log was appended to, as Postgres counted."""
    await asyncio.sleep(1.5)  # a backend tells what it did at most once a second
    admin = await asyncpg.connect(house.servers.postgres.url(SUPERUSER))
    calls = await admin.fetchval(
        "SELECT COALESCE(sum(calls), 0)::int FROM pg_stat_user_functions"
        " WHERE schemaname = 'venture' AND funcname = 'append'"
    )
    await admin.close()
    return int(calls)


async def _opened(bureau: Bureau, most: int) -> datetime:
    """A call whose deadline is some seconds away, and so many organisations that may bid."""
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
    now = datetime.now(UTC)
    deadline = now + READY + timedelta(seconds=LAST_S)
    call = PublishCall(scheme=RULES.ref, year=now.year, level=RoundLevel.MUNICIPAL, deadline=deadline)
    await bureau.straight(bureau.id("round", ROUND), call, "CAB-REG#1")
    return deadline


@pytest.mark.parametrize(("limit", "most"), SIZES)
async def test_bids_in_the_last_seconds_are_answered_truly_and_none_after_the_deadline_is_in(
    limit: int, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _house(tmp_path, limit, monkeypatch) as house:
        bureau = house.bureau()
        deadline = await _opened(bureau, most)
        await _count_appends(house)
        before, appended = await house.store.last_position(), await _appends(house)
        answers = await _answers(house, bureau.realm, deadline.isoformat(), most)
        appends = await _appends(house) - appended
        entries = await house.store.feed(before, 10 * most)

    assert len(answers) == len({a["stream"] for a in answers}) == most
    submitted = {e.stream: e for e in entries if e.type == "ApplicationSubmitted"}
    assert submitted.keys() == {a["stream"] for a in answers if a["accepted"]}
    assert all(e.occurred_at < deadline for e in submitted.values())
    assert all("D1" in a["rules"] for a in answers if not a["accepted"])
    assert len(submitted) > most / 2
    _each_once(answers, [e for e in entries if e.stream.kind == "project"])
    assert appends <= len([e for e in entries if e.kind is EntryKind.COMMAND])


@pytest.mark.parametrize(("limit", "most"), SIZES)
async def test_hundreds_at_one_stream_are_answered_truly(
    limit: int, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _house(tmp_path, limit, monkeypatch) as house:
        bureau = house.bureau()
        await bureau.open_round()
        need = bureau.id("need", "ND-1")
        await house.door.send(need, need_submission(), Actor("COMM#1000"))
        await _count_appends(house)
        before, appended = await house.store.last_position(), await _appends(house)
        answers = await _answers(house, bureau.realm, "-", most)
        appends = await _appends(house) - appended
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
