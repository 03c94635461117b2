"""Empties the outbox of webhooks: each delivery tried by the schedule of Standard Webhooks, signed, and logged.

A receiver gets each event at least once, in no promised order, always under the same ``webhook-id``.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlencode

import httpx
import structlog

from domain.kernel.failure import Failure
from domain.kernel.privacy import describe_error
from followers.follower import repeat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from uuid import UUID

    from store.outbox import Endpoint, OutboxStore, WebhookDelivery

SCHEDULE: Final = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""From one try to the next, as the standard has it: some three days in all."""
GIVE_UP: Final = timedelta(days=3)
"""An endpoint that has failed for so long is told nothing more."""
PATIENCE_S: Final = 15.0
"""Seconds that a try may take, from the name to the last header."""
AT_ONCE: Final = 4
"""Tries that one endpoint is given at a time."""
PUT_OFF: Final = timedelta(minutes=2)
"""After how long a try whose worker has died is taken up by another."""
EVERY_S: Final = 1.0
"""Seconds from one look at what is due to the next."""
KEPT: Final = timedelta(days=90)
"""How long what ended, delivered or given up, is kept to be looked at and said again."""
SWEEP_EVERY: Final = timedelta(hours=1)
SWEPT_AT_ONCE: Final = 5_000
"""Rows, so that nobody waits long for a lock."""
MOST_OF_AN_ANSWER: Final = 4096
"""Bytes of an answer that are read, and thrown away."""

log = structlog.get_logger()


class CheckedAddress(Protocol):
    """An address that a webhook was found to be allowed to go to."""

    @property
    def host(self) -> str:
        """The host name of the URL."""

    @property
    def address(self) -> str:
        """The IP address that is connected to."""


class Addressing(Protocol):
    """Which addresses a webhook may go to."""

    async def find_target(self, url: str) -> CheckedAddress:
        """The address to connect to. Raises Failure where it may not go there, OSError where there is none."""


class Secret(Protocol):
    """The keys that sign for one endpoint."""

    def sign(self, content: bytes) -> tuple[str, str]:
        """Both signatures, as the header has them."""


class Deliverer:
    """Any number of workers may run it: a delivery is taken by one at a time."""

    def __init__(
        self,
        outbox: OutboxStore,
        addressing: Addressing,
        open_secrets: Callable[[Endpoint, datetime], Sequence[Secret]],
        *,
        source: Callable[[], Awaitable[str]],
        public_url: str = "",
        notify_disabled: Callable[[Endpoint, str, datetime], Awaitable[None]] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Deliver what is in that outbox; ``source`` says which log it is of, ``public_url`` where links begin.

        ``notify_disabled`` has people told that an endpoint is told nothing more, and why.
        """
        self._outbox = outbox
        self._addressing = addressing
        self._open_secrets = open_secrets
        self._source = source
        self._public_url = public_url
        self._notify_disabled = notify_disabled
        self._now = now
        self._sweep_at = now()
        self._draining: dict[UUID, asyncio.Task[None]] = {}
        self._trust: ssl.SSLContext | None = None

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            await repeat(self.look, EVERY_S, _log_failure)
        finally:
            for task in self._draining.values():
                task.cancel()
            await asyncio.gather(*self._draining.values(), return_exceptions=True)

    async def look(self) -> None:
        """See to every endpoint that something is due to; each in a task of its own: none keeps another back."""
        self._draining = {name: task for name, task in self._draining.items() if not task.done()}
        for endpoint_id in await self._outbox.due_endpoints(self._now()):
            if endpoint_id not in self._draining:
                self._draining[endpoint_id] = asyncio.create_task(self.drain(endpoint_id))
        await self._sweep()

    async def _sweep(self) -> None:
        """Forget what ended long ago; what is left over at once is for the next time."""
        now = self._now()
        if now < self._sweep_at:
            return
        swept = await self._outbox.sweep_deliveries(now - KEPT, SWEPT_AT_ONCE)
        self._sweep_at = now if swept == SWEPT_AT_ONCE else now + SWEEP_EVERY

    async def drain(self, endpoint_id: UUID) -> None:
        """Try all that is due to that endpoint, until nothing is."""
        source = await self._source()
        while True:
            endpoint = next((one for one in await self._outbox.endpoints() if one.id == endpoint_id), None)
            if endpoint is None or endpoint.disabled_at is not None:
                return
            now = self._now()
            claimed = await self._outbox.claim_deliveries(endpoint_id, now, now + PUT_OFF, AT_ONCE)
            if not claimed:
                return
            await asyncio.gather(*(self._try(endpoint, delivery, source) for delivery in claimed))

    async def _try(self, endpoint: Endpoint, delivery: WebhookDelivery, source: str) -> None:
        """One try, and what follows from it."""
        began, now = time.perf_counter(), self._now()
        status, answer = await self._send(endpoint, delivery, source, now)
        took_ms = int((time.perf_counter() - began) * 1000)
        await self._outbox.end_try(delivery, now, status, answer, took_ms)
        if status is not None and HTTPStatus(200) <= status < HTTPStatus.MULTIPLE_CHOICES:
            await self._outbox.note_delivery(delivery, now)
            return
        wait = SCHEDULE[delivery.tries] if delivery.tries < len(SCHEDULE) else None
        await self._outbox.put_off(delivery, now + wait if wait is not None else None)
        since = await self._outbox.note_failure(endpoint.id, now)
        if status == HTTPStatus.GONE:
            await self._give_up(endpoint, now, "410 Gone")
        elif now - since >= GIVE_UP:
            await self._give_up(endpoint, now, f"{GIVE_UP.days} days without success, last: {answer}")

    async def _give_up(self, endpoint: Endpoint, now: datetime, why: str) -> None:
        if await self._outbox.disable_endpoint(endpoint.id, now, why):
            log.error("webhook.disabled", endpoint=str(endpoint.id), why=why)
            if self._notify_disabled is not None:
                await self._notify_disabled(endpoint, why, now)

    async def _send(
        self, endpoint: Endpoint, delivery: WebhookDelivery, source: str, now: datetime
    ) -> tuple[int | None, str]:
        """The status that was answered, or None; and in a few words what happened."""
        body = self._build_body(delivery, source)
        try:
            headers = self._sign(endpoint, delivery, body, now)
            async with asyncio.timeout(PATIENCE_S):
                target = await self._addressing.find_target(endpoint.url)
                status = await self._post(endpoint.url, target, body, headers)
        except TimeoutError:
            return None, f"no answer within {PATIENCE_S:.0f} s"
        except Failure as refused:
            return None, refused.en[:200]
        except (httpx.HTTPError, OSError, ValueError) as gone:
            return None, type(gone).__name__
        return status, str(status)

    def _build_body(self, delivery: WebhookDelivery, source: str) -> bytes:
        """The same at every try: thin, what it is about, and where to read it."""
        event = {"after": delivery.position - 1, "limit": 1, "stream": delivery.stream}
        content = {
            "type": f"venture.{delivery.type}.v{delivery.schema_version}",
            "timestamp": delivery.occurred_at.isoformat(),
            "data": {
                "id": str(delivery.position),
                "source": source,
                "stream": delivery.stream,
                "position": delivery.position,
                "links": {
                    "event": f"{self._public_url}/v1/events?{urlencode(event)}",
                    "file": f"{self._public_url}/v1/files/{delivery.stream}",
                },
            },
        }
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

    def _sign(self, endpoint: Endpoint, delivery: WebhookDelivery, body: bytes, now: datetime) -> Mapping[str, str]:
        message_id, sent_at = f"msg_{delivery.id.hex}", str(int(now.timestamp()))
        content = f"{message_id}.{sent_at}.".encode() + body
        signatures = [one for secret in self._open_secrets(endpoint, now) for one in secret.sign(content)]
        return {
            "content-type": "application/json",
            "user-agent": "venture-webhooks/1",
            "webhook-id": message_id,
            "webhook-timestamp": sent_at,
            "webhook-signature": " ".join(signatures),
        }

    async def _post(self, text: str, target: CheckedAddress, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer from that very address, under the name in the URL; no redirect is followed."""
        url = httpx.URL(text)
        host = url.netloc.decode()
        if self._trust is None and url.scheme == "https":
            self._trust = ssl.create_default_context()
        async with (
            httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False, verify=self._trust or False) as client,
            client.stream(
                "POST",
                url.copy_with(host=target.address),
                content=body,
                headers={**headers, "host": host},
                extensions={"sni_hostname": target.host},
            ) as answer,
        ):
            read = 0
            async for part in answer.aiter_raw(MOST_OF_AN_ANSWER):
                read += len(part)
                if read >= MOST_OF_AN_ANSWER:
                    break
            return answer.status_code


def _log_failure(failed: Exception) -> None:
    log.warning("webhook.round_failed", reason=describe_error(failed))
