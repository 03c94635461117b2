"""The tables of who comes in over HTTP, on connections of their own: nobody waits there behind an append."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from store.identity import IdentityStore
from store.postgres import open_pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LARGEST: Final = 4
"""Connections."""


@asynccontextmanager
async def open_identity(postgres_url: str) -> AsyncIterator[IdentityStore]:
    """Those tables for as long as the block runs. Raises StoreUnavailable if there is no server."""
    pool = await open_pool(postgres_url, largest=LARGEST)
    try:
        yield IdentityStore(pool)
    finally:
        pool.terminate()
