"""Whether a Postgres is set up as the log needs it (``docs/operations.md``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg

_WANTED = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "data_checksums": "on",
}
_OLDEST = 150000


@dataclass(frozen=True)
class Examined:
    """One setting or right: what it is, whether it will do, and what would mend it."""

    name: str
    state: str
    ok: bool
    mend_zh: str
    mend_en: str


async def examined(app_url: str) -> list[Examined]:
    """Settings, encryption, rights and replicas, as the application's role sees them."""
    connection = await asyncpg.connect(app_url)
    try:
        found = [await _setting(connection, name, wanted) for name, wanted in _WANTED.items()]
        version = int(await connection.fetchval("SHOW server_version_num"))
        found.append(
            Examined(
                "server_version",
                str(version),
                version >= _OLDEST,
                "升級到 Postgres 15 以上",
                "use Postgres 15 or newer",
            )
        )
        encrypted = await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        found.append(
            Examined(
                "ssl",
                str(encrypted),
                bool(encrypted),
                "網址加 sslmode=verify-full",
                "add sslmode=verify-full to the URL",
            )
        )
        found.append(await _rights(connection))
        found.append(await _replicas(connection))
    finally:
        await connection.close()
    return found


async def _setting(connection: asyncpg.Connection[Any], name: str, wanted: str) -> Examined:
    state = await connection.fetchval("SELECT current_setting($1)", name)
    ok = state == wanted or (name == "synchronous_commit" and state in {"on", "remote_apply", "remote_write"})
    return Examined(
        name, state, ok, f"在 postgresql.conf 設 {name}={wanted}", f"set {name}={wanted} in postgresql.conf"
    )


async def _rights(connection: asyncpg.Connection[Any]) -> Examined:
    """The application may append by the function only."""
    mighty = await connection.fetchval(
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    )
    changes = await connection.fetchval(
        "SELECT has_table_privilege('venture.entries', 'INSERT, UPDATE, DELETE, TRUNCATE')"
    )
    ok = not mighty and not changes
    return Examined(
        "rights",
        "append only" if ok else "too many",
        ok,
        "以遷移所授的應用角色連接",
        "connect as the role that migrations grant",
    )


async def _replicas(connection: asyncpg.Connection[Any]) -> Examined:
    count = await connection.fetchval("SELECT count(*) FROM pg_stat_replication")
    return Examined(
        "replicas",
        str(count),
        count > 0,
        "建立流複製備庫,並授 pg_monitor 以便核對",
        "set up a streaming replica; grant pg_monitor to see it",
    )
