"""A Postgres that does not wait for the disk: no test pulls the plug, and a killed process leaves its writes behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

from local.postgres import SUPERUSER

if TYPE_CHECKING:
    from local import Servers


async def forgo_durability(servers: Servers) -> None:
    """Let commits end without the disk, for as long as these servers' folder is kept."""
    connection = await asyncpg.connect(servers.postgres.url(SUPERUSER))
    try:
        for setting in ("fsync", "full_page_writes"):
            await connection.execute(f"ALTER SYSTEM SET {setting} = off")
        await connection.fetchval("SELECT pg_reload_conf()")
    finally:
        await connection.close()
