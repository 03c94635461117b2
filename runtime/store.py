"""The log for whoever reads it: Postgres found, or embedded servers found or started. Temporal need not answer."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bootstrap
import local
from domain.kernel.failure import Failure, FailureKind
from local.postgres import APPLICATION, AUDITOR
from store.migration import MigrationRefused, migrate
from store.port import StoreUnavailable
from store.postgres import PostgresStore, open_pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bootstrap import Settings
    from local import Servers


class OutOfService(Failure):
    """A server or a worker cannot be had. The texts say which, and what to do."""

    kind = FailureKind.UNAVAILABLE


@dataclass(frozen=True)
class OpenStore:
    """The store, and where it came from."""

    settings: Settings
    store: PostgresStore
    servers: Servers | None
    """The embedded servers; None in production."""

    @property
    def postgres_url(self) -> str:
        """Where the database is. Raises OutOfService if nobody says so."""
        return _postgres_url(self.settings, self.servers)


@asynccontextmanager
async def open_store(
    settings: Settings, tell: Callable[[str, str], None], *, with_temporal: bool = False, lazily: bool = False
) -> AsyncIterator[OpenStore]:
    """The store for as long as the block runs. Raises OutOfService where its server cannot be had.

    Embedded servers that run already are used; otherwise they are started for this one command. Unless it is wanted
    Temporal need not answer and is not started: reading the log goes on without it. ``lazily`` Postgres need not
    answer either: whatever is asked of the store says so.
    """
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(_open_servers(settings, tell, with_temporal=with_temporal))
        try:
            pool = await open_pool(_postgres_url(settings, servers), largest=settings.pool_size, lazily=lazily)
        except (OSError, StoreUnavailable) as gone:
            raise OutOfService(
                f"Postgres 無法連接：{_reason(gone)}。檢查服務與 VENTURE_POSTGRES_URL",
                f"no connection to Postgres: {_reason(gone)}. Look at the server and at VENTURE_POSTGRES_URL",
            ) from gone
        stack.callback(pool.terminate)
        store = PostgresStore(pool)
        stack.push_async_callback(store.aclose)
        yield OpenStore(settings, store, servers)


def _reason(gone: OSError | StoreUnavailable) -> str:
    return gone.why if isinstance(gone, StoreUnavailable) else str(gone)


@asynccontextmanager
async def _open_servers(
    settings: Settings, tell: Callable[[str, str], None], *, with_temporal: bool
) -> AsyncIterator[Servers | None]:
    if settings.env is bootstrap.Environment.PRODUCTION:
        yield None
        return
    try:
        async with local.servers(settings, with_temporal=with_temporal, tell=tell) as servers:
            for notice in servers.cleared:
                tell(notice, notice)
            if servers.ours:
                await migrate(servers.owner_url, app_role=APPLICATION, auditor_role=AUDITOR)
            yield servers
    except MigrationRefused as refused:
        raise OutOfService(
            f"{refused.zh}。演示數據可用 ./run reset 清除重來",
            f"{refused.en}. Demo data may be cleared by ./run reset",
        ) from refused


def _postgres_url(settings: Settings, servers: Servers | None) -> str:
    if settings.postgres_url is not None:
        return settings.postgres_url.get_secret_value()
    if servers is None:
        raise OutOfService("未設 VENTURE_POSTGRES_URL", "VENTURE_POSTGRES_URL is not set")
    return servers.postgres_url
