"""The HTTP process: ``venture-web``, or ``python http_server.py``."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import structlog
import uvicorn

import bootstrap
from application.callbacks import Senders
from application.doctor import examine_schema
from application.growth import Growth
from application.operations import Operations
from application.webhooks import Webhooks
from domain.kernel.failure import Failure, FailureKind
from payload_codec import SealingCodec
from runtime.documents import open_documents
from runtime.identity import open_identity
from runtime.outbox import find_address_rules, open_outbox, open_secret_box
from runtime.payload_opener import PayloadOpener
from runtime.runtime import open_runtime
from web.app import build
from web.house import House, Workers
from web.identity.provider import OidcProvider
from web.limits import MOST_AT_ONCE, Allowance
from web.protocol import StrictProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

    from bootstrap import Settings
    from runtime.runtime import Runtime
    from store.identity import IdentityStore
    from store.outbox import OutboxStore

HELP = """\
提供頁面與 HTTP 接口（/v1），直到收到 SIGTERM 或 SIGINT。設置取自環境變量 VENTURE_…，見 docs/operations.md。
不設地址時，服務於本機已運行的內嵌 Postgres 與 Temporal（./run up 已為你起一個）。

serves the pages and the HTTP interface (/v1) until SIGTERM or SIGINT. It is set up by the environment, VENTURE_…:
docs/operations.md. Without addresses it serves the embedded servers of this machine (./run up keeps one running).

  venture-web
  VENTURE_POSTGRES_URL_FILE=/etc/venture/secrets/postgres-url VENTURE_TEMPORAL_ADDRESS=temporal:7233 venture-web"""

log = structlog.get_logger()

GRACE_S = 10
"""Seconds that requests under way may take when the process is told to stop."""
MOST_CONNECTIONS = MOST_AT_ONCE + 1_000
"""Beyond what the application turns away with a reason: further ones are turned away without one."""


class AddressTaken(Failure):
    """Another program listens there already."""

    kind = FailureKind.CONFLICT

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"{host}:{port} 已被另一程序佔用：請設 VENTURE_HTTP_PORT 為另一埠",
            f"another program listens on {host}:{port}: set VENTURE_HTTP_PORT to another port",
        )


class LocalOnly(Failure):
    """Local accounts are for this machine alone."""

    kind = FailureKind.USAGE

    def __init__(self, host: str) -> None:
        super().__init__(
            f"內置服務與本地賬號只限本機：VENTURE_LISTEN_HOST 不可為 {host}",
            f"embedded servers and local accounts are for this machine alone: VENTURE_LISTEN_HOST may not be {host}",
        )


class Server(uvicorn.Server):
    """One that leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def find_provider(settings: Settings) -> OidcProvider | None:
    """The provider of identities that the settings name."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    secret = settings.oidc_client_secret
    return OidcProvider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        secret.get_secret_value() if secret else None,
        settings.oidc_audience,
    )


def furnish(runtime: Runtime, identity: IdentityStore, outbox: OutboxStore) -> House:
    """What the routes are answered from."""
    settings = runtime.settings
    return House(
        store=runtime.store,
        door=runtime.door,
        identity=identity,
        growth=Growth(runtime.store),
        documents=open_documents(settings, runtime.store),
        webhooks=Webhooks(outbox, open_secret_box(settings), find_address_rules(settings)),
        senders=Senders(identity, open_secret_box(settings)),
        operations=Operations(runtime.store, identity, runtime.door),
        language=settings.lang,
        allowance=Allowance(burst=200, per_s=50),
        tries=Allowance(burst=5, per_s=1 / 30),
        is_local=settings.env is bootstrap.Environment.LOCAL,
        provider=find_provider(settings),
        public_url=settings.public_url or "",
        payloads=PayloadOpener(SealingCodec(bootstrap.load_payload_keys(settings)), settings.temporal_namespace)
        if settings.temporal_pages
        else None,
        temporal_pages=settings.temporal_pages or "",
        workers=Workers(
            runtime.client,
            settings.task_queue,
            runtime.register_door,
            partial(examine_schema, runtime.postgres_url),
        ),
        device_issuer=(settings.oidc_issuer or "") if settings.oidc_device_client_id else "",
        device_client=settings.oidc_device_client_id or "",
    )


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises AddressTaken or LocalOnly."""
    host = str(settings.listen_host)
    if settings.env is bootstrap.Environment.LOCAL and not settings.listen_host.is_loopback:
        raise LocalOnly(host)
    with listen(host, settings.http_port) as listening:
        async with (
            open_runtime(settings, bootstrap.log_cleared, working=False) as runtime,
            open_identity(runtime.postgres_url) as identity,
            open_outbox(runtime.postgres_url) as outbox,
        ):
            await _serve(build(furnish(runtime, identity, outbox)), listening)


async def _serve(app: ASGIApp, listening: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        http=StrictProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    host, port, *_ = listening.getsockname()
    gc.collect()
    gc.freeze()  # what is loaded stays: to look through it for garbage held up one page in twenty
    log.info("web.ready", address=f"http://{host}:{port}")
    await server.serve(sockets=[listening])
    log.info("web.stopped")


def listen(host: str, port: int) -> socket.socket:
    """A socket there, whose connections send each answer at once. Raises AddressTaken.

    asyncio sees to that only where the protocol is named: without it the second packet of an answer waits for the
    acknowledgement of the first, which comes 40 ms late.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as taken:
        listening.close()
        raise AddressTaken(host, port) from taken
    return listening


def main() -> None:
    """Serve with the settings of the environment."""
    bootstrap.run_service("venture-web", HELP, run)


if __name__ == "__main__":
    main()
