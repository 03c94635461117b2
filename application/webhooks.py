"""Endpoints of webhooks: registered and seen to by an administrator, told what a seat may see."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from application.webhook_signature import WebhookSecret
from domain.catalogue import event_class
from domain.kernel.explanation import show
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from application.secret_box import SecretBox
    from application.webhook_address import AddressRules
    from store.identity import Seats
    from store.outbox import Endpoint, OutboxStore

OVERLAP: Final = timedelta(hours=24)
"""How long the secret before signs too."""
MOST: Final = 100
"""Endpoints of an installation: each is looked at for every event."""
FURTHEST: Final = 2**53
_TYPE: Final = re.compile(r"[A-Za-z]{1,80}")


class WebhookInvalid(Failure):
    """An endpoint cannot be made as it was asked for."""

    kind = FailureKind.USAGE


class NoSuchEndpoint(Failure):
    """There is no endpoint of that id, or nothing of that id was said to it."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, name: str) -> None:
        super().__init__(f"沒有這個接收端或通知：{show(name)}", f"no such endpoint or delivery: {show(name)}")


@dataclass(frozen=True)
class FreshSecret:
    """A secret as it is shown, once."""

    endpoint: UUID
    shared: str = field(repr=False)
    """``whsec_…``: verifies ``v1``."""
    public: str
    """``whpk_…``: verifies ``v1a``."""


@dataclass(frozen=True)
class Webhooks:
    """The endpoints of an installation."""

    outbox: OutboxStore
    box: SecretBox
    rules: AddressRules

    async def add(self, url: str, seats: Seats, types: Iterable[str], *, made_by: str, now: datetime) -> FreshSecret:
        """Tell that address of what happens from now on and those seats may see.

        Raises WebhookInvalid or AddressRefused.
        """
        await self.rules.check(url)
        names = sorted(set(types))
        if unknown := [name for name in names if not _is_event(name)]:
            raise WebhookInvalid(f"沒有這種事件：{show(unknown[0])}", f"there is no such event: {show(unknown[0])}")
        if not seats or any(grant.seat.role is Role.SYS for grant in seats):
            raise WebhookInvalid(
                "須寫明以何崗位所見為限，且不可為 SYS", "name the seats that it may see as, none of them SYS"
            )
        if len(await self.outbox.endpoints()) >= MOST:
            raise WebhookInvalid(f"接收端至多 {MOST} 個", f"at most {MOST} endpoints")
        endpoint_id, secret = uuid4(), WebhookSecret.make()
        sealed = self.box.seal(secret.content, endpoint_id.bytes)
        await self.outbox.add_endpoint(endpoint_id, url, seats, names, sealed, made_by, now)
        return FreshSecret(endpoint_id, secret.shared, secret.public)

    async def list(self) -> Sequence[Endpoint]:
        """All endpoints, the oldest first."""
        return await self.outbox.endpoints()

    async def find(self, endpoint_id: UUID) -> Endpoint:
        """The endpoint of that id. Raises NoSuchEndpoint."""
        for endpoint in await self.outbox.endpoints():
            if endpoint.id == endpoint_id:
                return endpoint
        raise NoSuchEndpoint(str(endpoint_id))

    async def rotate(self, endpoint_id: UUID, *, now: datetime) -> FreshSecret:
        """Sign with another secret; the one before signs too for a day. Raises NoSuchEndpoint."""
        secret = WebhookSecret.make()
        sealed = self.box.seal(secret.content, endpoint_id.bytes)
        if not await self.outbox.rotate_endpoint(endpoint_id, sealed, now + OVERLAP):
            raise NoSuchEndpoint(str(endpoint_id))
        return FreshSecret(endpoint_id, secret.shared, secret.public)

    async def enable(self, endpoint_id: UUID) -> None:
        """Try again with one that was given up. Raises NoSuchEndpoint."""
        if not await self.outbox.enable_endpoint(endpoint_id):
            raise NoSuchEndpoint(str(endpoint_id))

    async def remove(self, endpoint_id: UUID) -> None:
        """Forget it. Raises NoSuchEndpoint."""
        if not await self.outbox.remove_endpoint(endpoint_id):
            raise NoSuchEndpoint(str(endpoint_id))

    async def replay(self, endpoint_id: UUID, *, after: int, until: int | None, now: datetime) -> int:
        """Say once more, under the same ids, what lies between; how much that is. Raises NoSuchEndpoint."""
        await self.find(endpoint_id)
        return await self.outbox.replay(endpoint_id, after, FURTHEST if until is None else until, now)

    async def replay_one(self, endpoint_id: UUID, delivery_id: UUID, *, now: datetime) -> None:
        """Say that once more. Raises NoSuchEndpoint."""
        if not await self.outbox.replay_one(endpoint_id, delivery_id, now):
            raise NoSuchEndpoint(str(delivery_id))

    def open_secrets(self, endpoint: Endpoint, now: datetime) -> tuple[WebhookSecret, ...]:
        """What signs now: the secret, and for a while the one before. Raises SealUnknown."""
        sealed = [endpoint.secret]
        if endpoint.previous is not None and endpoint.previous_until is not None and now < endpoint.previous_until:
            sealed.append(endpoint.previous)
        return tuple(WebhookSecret(self.box.open(one, endpoint.id.bytes)) for one in sealed)


def _is_event(name: str) -> bool:
    if _TYPE.fullmatch(name) is None:
        return False
    for version in range(1, _MOST_VERSIONS):
        with suppress(KeyError):
            event_class(name, version)
            return True
    return False


_MOST_VERSIONS: Final = 10
