"""Whether a Postgres is set up as the log needs it (``docs/operations.md``), as the application's role sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_WANTED = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
    "data_checksums": ("on",),
    "server_encoding": ("UTF8",),
}
"""Settings with the values that will do."""
_OLDEST = 150000
_TRIGGERS = {"append_only", "only_grows", "never_goes"}
"""What keeps the log from being changed, even by its owner (store/migrations)."""
_VERIFIED = ("verify-full", "verify-ca")
_LARGEST_SKEW_S = 5.0


@dataclass(frozen=True)
class DatabaseExamination:
    """One setting or right: what it is, whether it will do (None: this role is not shown it), what would mend it."""

    name: str
    state: str
    ok: bool | None
    mend_zh: str
    mend_en: str
    state_zh: str = ""
    """The state for people who read Chinese, where it is more than a name or a figure."""


async def examine_database(app_url: str) -> list[DatabaseExamination]:
    """Settings, encryption, rights, replicas and the archive. Raises OSError or PostgresError without a connection."""
    connection = await asyncpg.connect(app_url)
    try:
        return [one async for one in _iterate_examinations(connection, app_url)]
    finally:
        await connection.close()


async def _iterate_examinations(
    connection: asyncpg.Connection[Any], app_url: str
) -> AsyncIterator[DatabaseExamination]:
    yield await _examine_version(connection)
    yield await _examine_primary(connection)
    for name, wanted in _WANTED.items():
        yield await _examine_setting(connection, name, wanted)
    yield await _examine_encryption(connection, app_url)
    yield await _examine_rights(connection)
    yield await _examine_triggers(connection)
    yield await _examine_standbys(connection)
    yield await _examine_archive(connection)
    yield await _examine_clock(connection)


async def _examine_version(connection: asyncpg.Connection[Any]) -> DatabaseExamination:
    version = int(await connection.fetchval("SHOW server_version_num"))
    return DatabaseExamination(
        "server_version", str(version), version >= _OLDEST, "升級到 Postgres 15 以上", "use Postgres 15 or newer"
    )


async def _examine_primary(connection: asyncpg.Connection[Any]) -> DatabaseExamination:
    standby = bool(await connection.fetchval("SELECT pg_is_in_recovery()"))
    return DatabaseExamination(
        "primary",
        "standby" if standby else "yes",
        not standby,
        "VENTURE_POSTGRES_URL 須指向主庫",
        "point VENTURE_POSTGRES_URL at the primary",
        "備庫" if standby else "是",
    )


async def _examine_setting(
    connection: asyncpg.Connection[Any], name: str, wanted: tuple[str, ...]
) -> DatabaseExamination:
    state = await connection.fetchval("SELECT current_setting($1)", name)
    return DatabaseExamination(
        name, state, state in wanted, f"在 postgresql.conf 設 {name}={wanted[0]}", f"set {name}={wanted[0]}"
    )


async def _examine_encryption(connection: asyncpg.Connection[Any], app_url: str) -> DatabaseExamination:
    """Encrypted, and the server's certificate checked: the first without the second keeps no forger out."""
    encrypted = await connection.fetchval("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")
    mode = parse_qs(urlsplit(app_url).query).get("sslmode", ["not set"])[0]
    return DatabaseExamination(
        "ssl",
        f"{encrypted or 'off'}, sslmode {mode}",
        bool(encrypted) and mode in _VERIFIED,
        "網址加 sslmode=verify-full 與 sslrootcert",
        "add sslmode=verify-full and sslrootcert to the URL",
        f"{encrypted or '未加密'}，sslmode {mode}",
    )


async def _examine_rights(connection: asyncpg.Connection[Any]) -> DatabaseExamination:
    """The application may append by the function only, and become nobody who may do more."""
    mighty = await connection.fetchval(
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication FROM pg_roles WHERE rolname = current_user"
    )
    changes = await connection.fetchval(
        "SELECT has_table_privilege('venture.entries', 'INSERT, UPDATE, DELETE, TRUNCATE')"
    )
    owner = await connection.fetchval(
        "SELECT pg_has_role(current_user, relowner, 'MEMBER') FROM pg_class WHERE oid = 'venture.entries'::regclass"
    )
    ok = not (mighty or changes or owner)
    return DatabaseExamination(
        "rights",
        "append only" if ok else "too many",
        ok,
        "以遷移所授的應用角色連接，不可是擁有者或超級用戶",
        "connect as the role that migrations grant, neither the owner nor a superuser",
        "只可追加" if ok else "過大",
    )


async def _examine_triggers(connection: asyncpg.Connection[Any]) -> DatabaseExamination:
    """They are always in force, in a session that replicates too."""
    rows = await connection.fetch(
        "SELECT tgname FROM pg_trigger WHERE tgenabled = 'A'"
        " AND tgrelid IN ('venture.entries'::regclass, 'venture.streams'::regclass)"
    )
    lacking = sorted(_TRIGGERS - {row["tgname"] for row in rows})
    return DatabaseExamination(
        "append_only",
        f"off: {', '.join(lacking)}" if lacking else "in force",
        not lacking,
        "ALTER TABLE … ENABLE ALWAYS TRIGGER …，並運行 venture audit verify",
        "ALTER TABLE … ENABLE ALWAYS TRIGGER …, then run venture audit verify",
        f"未生效：{'、'.join(lacking)}" if lacking else "生效",
    )


async def _examine_standbys(connection: asyncpg.Connection[Any]) -> DatabaseExamination:
    """At least one standby has what was answered as accepted."""
    names = await connection.fetchval("SHOW synchronous_standby_names")
    rows = await connection.fetch("SELECT state, sync_state FROM pg_stat_replication")
    streaming = sum(row["sync_state"] in {"sync", "quorum"} and row["state"] == "streaming" for row in rows)
    hidden = bool(rows) and all(row["sync_state"] is None for row in rows)
    return DatabaseExamination(
        "synchronous_standby",
        f"synchronous_standby_names={names!r}, {len(rows)} attached, "
        + ("state not shown" if hidden else f"{streaming} synchronous"),
        None if hidden and names else bool(names) and streaming > 0,
        "設 synchronous_standby_names='ANY 1 (…)' 並接上備庫；GRANT pg_monitor 給應用角色以便核對",
        "set synchronous_standby_names='ANY 1 (…)' and attach standbys; grant pg_monitor to the application's role",
        f"synchronous_standby_names={names!r}，已接 {len(rows)}，" + ("未顯示狀態" if hidden else f"同步 {streaming}"),
    )


async def _examine_archive(connection: asyncpg.Connection[Any]) -> DatabaseExamination:
    """The write-ahead log is archived and the last try did not fail, or something like pg_receivewal streams it."""
    mode = await connection.fetchval("SHOW archive_mode")
    row = await connection.fetchrow(
        "SELECT last_archived_time, coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)"
        " AS failing FROM pg_stat_archiver"
    )
    receivers = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_replication WHERE application_name LIKE '%receive%wal%'"
    )
    last = f"{row['last_archived_time']:%Y-%m-%d %H:%M}" if row and row["last_archived_time"] else ""
    failing = bool(row and row["failing"])
    return DatabaseExamination(
        "archive",
        f"archive_mode {mode}, last {last or 'never'}{', failing' if failing else ''}, {receivers} receivers",
        (mode in {"on", "always"} and not failing) or receivers > 0,
        "設 archive_mode=on 與 archive_command，或以 pg_receivewal 接收（見備份一節）",
        "set archive_mode=on and archive_command, or receive by pg_receivewal (see Backups)",
        f"archive_mode {mode}，最近 {last or '從無'}{'，失敗中' if failing else ''}，接收者 {receivers}",
    )


async def _examine_clock(connection: asyncpg.Connection[Any]) -> DatabaseExamination:
    """The database's clock and this machine's agree: commands are stamped here and recorded there."""
    before = datetime.now(UTC)
    theirs: datetime = await connection.fetchval("SELECT clock_timestamp()")
    after = datetime.now(UTC)
    skew = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
    return DatabaseExamination(
        "clock",
        f"{skew:.1f} s apart",
        skew <= _LARGEST_SKEW_S,
        "兩機皆以 NTP 校時",
        "keep both machines' clocks by NTP",
    )
