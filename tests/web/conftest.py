"""A bureau's house behind real HTTP: a server in this process, over the run's own Postgres, Temporal and worker."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import httpx
import pytest
import uvicorn

from application.accounts import FreshAccount, make_accounts
from application.api_keys import issue_key
from application.callbacks import Senders
from application.caller import ScopeName
from application.doctor import examine_schema
from application.growth import Growth
from application.operations import Operations
from application.webhooks import Webhooks
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor
from http_server import listen
from runtime.documents import open_documents
from runtime.outbox import find_address_rules, open_outbox, open_secret_box
from store.identity import IdentityStore, SeatGrant
from store.postgres import open_pool
from tests.workflows.waiting import until
from web.app import build
from web.house import House, Workers
from web.language import Language
from web.limits import Allowance
from web.protocol import StrictProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp

    from domain.kernel.scope import Scope
    from local import Servers
    from store.outbox import OutboxStore
    from tests.conftest import Desk

PLENTY = 100_000
UNLOADED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""To load the authorities' certificates, which nobody here needs, costs more than most tests."""


@pytest.fixture(scope="session")
async def identity(servers: Servers) -> AsyncIterator[IdentityStore]:
    pool = await open_pool(servers.postgres_url, largest=4)
    yield IdentityStore(pool)
    pool.terminate()


@pytest.fixture(scope="session")
async def outbox(servers: Servers) -> AsyncIterator[OutboxStore]:
    async with open_outbox(servers.postgres_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def house(desk: Desk, servers: Servers, identity: IdentityStore, outbox: OutboxStore) -> House:
    return House(
        store=desk.store,
        door=desk.door,
        identity=identity,
        growth=Growth(desk.store),
        documents=open_documents(desk.settings, desk.store),
        webhooks=Webhooks(outbox, open_secret_box(desk.settings), find_address_rules(desk.settings)),
        senders=Senders(identity, open_secret_box(desk.settings)),
        operations=Operations(desk.store, identity, desk.door),
        language=Language.HANT,
        allowance=Allowance(PLENTY, PLENTY),
        tries=Allowance(PLENTY, PLENTY),
        workers=Workers(
            desk.client, desk.settings.task_queue, desk.door, partial(examine_schema, servers.postgres_url)
        ),
    )


@pytest.fixture(scope="session")
async def accounts(identity: IdentityStore) -> dict[str, FreshAccount]:
    made = await make_accounts(identity)
    assert await make_accounts(identity) == [], "they are made once"
    return {account.login: account for account in made}


@asynccontextmanager
async def served(app: ASGIApp, *, lifespan: Literal["auto", "off"] = "auto") -> AsyncIterator[str]:
    """That application on a port of its own: its address."""
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        config = uvicorn.Config(
            app,
            http=StrictProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
            lifespan=lifespan,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))

        async def is_started() -> bool:
            return server.started

        await until(is_started)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await serving


@pytest.fixture(scope="session")
async def address(house: House) -> AsyncIterator[str]:
    async with served(build(house)) as address:
        yield address


@dataclass(frozen=True)
class Counter:
    """Where callers of a test come to."""

    address: str
    house: House

    @asynccontextmanager
    async def service(
        self,
        *seats: str,
        scopes: tuple[ScopeName, ...] = tuple(ScopeName),
        scope: Scope | None = None,
        lang: str = "en",
    ) -> AsyncIterator[httpx.AsyncClient]:
        """A service with a key of its own for those seats."""
        grants = tuple(SeatGrant(seat=Actor(seat), scope=scope) for seat in seats)
        key = await issue_key(
            self.house.identity,
            f"test-{uuid4().hex[:8]}",
            grants,
            scopes,
            lasting=timedelta(hours=1),
            now=datetime.now(UTC),
            person=PersonId("P-1"),
        )
        headers = {"Authorization": f"Bearer {key.text}", "Accept-Language": lang}
        async with httpx.AsyncClient(
            base_url=self.address, headers=headers, timeout=30, trust_env=False, verify=UNLOADED
        ) as client:
            yield client

    @asynccontextmanager
    async def stranger(self) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who shows nothing."""
        async with httpx.AsyncClient(base_url=self.address, timeout=30, trust_env=False, verify=UNLOADED) as client:
            yield client


@pytest.fixture(scope="session")
def counter(address: str, house: House) -> Counter:
    return Counter(address, house)


def with_key(**headers: str) -> dict[str, str]:
    """A fresh Idempotency-Key."""
    return {"Idempotency-Key": str(uuid4()), **headers}
