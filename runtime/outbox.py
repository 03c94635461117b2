"""The outbox of an installation, on connections of its own: nobody waits there behind an append."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import bootstrap
from application.secret_box import SecretBox
from application.webhook_address import AddressRules
from store.outbox import OutboxStore
from store.postgres import open_pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bootstrap import Settings

LARGEST: Final = 4
"""Connections."""


@asynccontextmanager
async def open_outbox(postgres_url: str) -> AsyncIterator[OutboxStore]:
    """Those tables for as long as the block runs. Raises StoreUnavailable if there is no server."""
    pool = await open_pool(postgres_url, largest=LARGEST)
    try:
        yield OutboxStore(pool)
    finally:
        pool.terminate()


def open_secret_box(settings: Settings) -> SecretBox:
    """What seals the secrets of endpoints: the keys by which everything is encrypted that others are given to hold."""
    return SecretBox(bootstrap.load_payload_keys(settings).by_id)


def find_address_rules(settings: Settings) -> AddressRules:
    """Where webhooks may go: on embedded servers anywhere, elsewhere to public addresses and the networks named."""
    return AddressRules(is_local=settings.env is bootstrap.Environment.LOCAL, networks=tuple(settings.webhook_networks))
