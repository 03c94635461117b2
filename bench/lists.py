"""Every list, file, inbox and approval over HTTP, asked as a service asks them of a server in a process of its own."""

from __future__ import annotations

import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import httpx

from application.api_keys import issue_key, withdraw_key
from application.caller import ScopeName
from bench.surroundings import surroundings, until_listening
from domain.kernel.identifier import Actor
from local import processes
from runtime.identity import open_identity
from store.identity import SeatGrant

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Ask = Callable[[str], Awaitable[httpx.Response]]
    Question = Callable[[random.Random], str]

ROOT: Final = Path(__file__).resolve().parent.parent
SERVICES: Final = 10
"""Who ask by turns: a server lets nobody ask too much at once."""
FURTHER: Final = 20
"""Pages of 500 that are turned to find what can be asked for."""
SEAT: Final = Actor("CAB-REG#1")
READY_S: Final = 120.0


@dataclass(frozen=True)
class Served:
    """A server, and how it is asked."""

    pid: int
    client: httpx.AsyncClient
    credentials: Iterator[dict[str, str]]

    async def ask(self, path: str) -> httpx.Response:
        """The whole answer. Raises RuntimeError for any but 200."""
        answer = await self.client.get(path, headers=next(self.credentials))
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:500]}")
        return answer


@asynccontextmanager
async def serve(home: Path, database: str, **settings: str) -> AsyncIterator[Served]:
    """``http_server.py`` on that house for as long as the block runs, with keys that are withdrawn at its end."""
    port, log = processes.free_port(), home / "logs" / "reads-web.log"
    log.parent.mkdir(exist_ok=True)
    child = processes.spawn(
        [sys.executable, str(ROOT / "http_server.py")],
        log=log,
        when_parent_dies=signal.SIGTERM,
        env=surroundings(home, http_port=str(port), **settings),
    )
    now, lasting = datetime.now(UTC), timedelta(hours=3)
    try:
        async with open_identity(database) as identity:
            grants = (SeatGrant(seat=SEAT),)
            keys = [
                await issue_key(identity, f"reads-{n}", grants, [ScopeName.READ], lasting=lasting, now=now)
                for n in range(SERVICES)
            ]
            try:
                await until_listening(port, within_s=READY_S)
                base = f"http://127.0.0.1:{port}"
                async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=READY_S) as client:
                    yield Served(child.pid, client, cycle([{"Authorization": f"Bearer {key.text}"} for key in keys]))
            finally:
                for key in keys:
                    await withdraw_key(identity, key.text.split("_")[1], datetime.now(UTC))
    finally:
        processes.stop(child, signal.SIGTERM, patience_s=20)


async def _turn(ask: Ask, path: str, name: str) -> AsyncIterator[tuple[str | None, list[dict[str, Any]]]]:
    """Pages of a list, each with the key after which it begins."""
    after: str | None = None
    for _ in range(FURTHER):
        page = (await ask(f"{path}?{urlencode({'limit': 500, **({'after': after} if after else {})})}")).json()
        yield after, page[name]
        after = page["next"]
        if after is None:
            return


def _any(path: str, **params: list[str] | str) -> Question:
    """That path, each parameter one of its values."""

    def question(dice: random.Random) -> str:
        chosen = {k: v if isinstance(v, str) else dice.choice(v) for k, v in params.items()}
        return f"{path}?{urlencode(chosen)}" if chosen else path

    return question


def _one(path: str, values: list[str]) -> Question:
    return lambda dice: path.format(quote(dice.choice(values)))


async def find_questions(ask: Ask) -> dict[str, Question]:
    """What can be asked of the house as it is: names of whatever lies in it, wherever in its lists that stands."""
    cursors, projects = [], []
    async for after, rows in _turn(ask, "/v1/projects", "projects"):
        cursors.extend([after] if after else [])
        projects.extend(rows)
    approvals = [row async for _, rows in _turn(ask, "/v1/approvals", "approvals") for row in rows]
    of = {name: sorted({row[name] for row in projects if row[name]}) for name in ("round", "organisation", "number")}
    funds = sorted({fund for row in projects for fund in row["funds"]})
    streams = sorted(row["stream"] for row in projects)
    titles = sorted({row["title"][:4] for row in projects if row["title"]})
    stages = sorted({row["stage"] for row in projects})
    named = sorted({f"{quote(row['number'])}?realm={row['stream'].split('/')[1]}" for row in projects if row["number"]})
    day = max(row["since"] for row in projects)[:10]
    return {
        "projects": _any("/v1/projects"),
        "projects, a page further on": _any("/v1/projects", after=cursors) if cursors else _any("/v1/projects"),
        "projects, by stage": _any("/v1/projects", stage=stages),
        "projects, by round": _any("/v1/projects", round=of["round"]),
        "projects, by organisation": _any("/v1/projects", organisation=of["organisation"]),
        "projects, by fund and stage": _any("/v1/projects", fund=funds, stage=stages),
        "projects, awaited role": _any("/v1/projects", awaits="CAB-REG"),
        "projects, overdue": _any("/v1/projects", overdue="true"),
        "projects, search by number": _any("/v1/projects", search=of["number"]),
        "projects, search by title": _any("/v1/projects", search=titles),
        "projects, search that finds nothing": _any("/v1/projects", search="機器人甲乙丙"),
        "file": _one("/v1/files/{}", streams),
        "name": lambda dice: f"/v1/names/{dice.choice(named)}",
        "inbox of a seat": _any("/v1/inbox", **{"as": str(SEAT)}),
        "inbox, overdue": _any("/v1/inbox", overdue="true"),
        "approval by id": _one("/v1/approvals/{}", [row["id"] for row in approvals]),
        "approvals by subject": _any("/v1/approvals", stream=streams),
        "approvals by approver": _any("/v1/approvals", approver="CAB-DEC#1"),
        "money by round": _any("/v1/money", by="round"),
        "money of a fund": _any("/v1/money", by="fund", key=funds),
        "organisations": _any("/v1/organisations"),
        "organisations, search": _any("/v1/organisations", search=of["organisation"]),
        "register as of a day": _any("/v1/registers/organisation", as_of=day),
        "portfolio": _any("/v1/portfolio"),
        "portfolio as of a day": _any("/v1/portfolio", as_of=day),
        "portfolio as known then": _any("/v1/portfolio", as_of=day, known_at=datetime.now(UTC).isoformat()),
        "portfolio's projects as of a day": _any("/v1/portfolio/projects", as_of=day),
        "portfolio of a round": _any("/v1/portfolio", round=of["round"]),
    }
