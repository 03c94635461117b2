"""Whether a Postgres is set up as the log needs it (``docs/operations.md``), as the application's role sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from store.replication import read_archive, read_replication
from store.sql import QUERIES

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
    """Settings, encryption, rights, replicas and the archive. Raises OSError or PostgresError without a connection.

    What one examination meets keeps no other from being told.
    """
    connection = await asyncpg.connect(app_url)
    try:
        return [await _examine(name, look, connection) for name, look in _list_examinations(app_url)]
    finally:
        await connection.close()


_Look = Callable[["asyncpg.Connection[Any]"], Awaitable[DatabaseExamination]]


def _list_examinations(app_url: str) -> list[tuple[str, _Look]]:
    """Every point by its name. A line more is a row more."""
    return [
        ("server_version", _examine_version),
        ("primary", _examine_primary),
        *((name, partial(_examine_setting, name=name, values=values)) for name, values in _WANTED.items()),
        ("ssl", partial(_examine_encryption, app_url=app_url)),
        ("rights", _examine_rights),
        ("append_only", _examine_triggers),
        ("synchronous_standby", _examine_standbys),
        ("archive", _examine_archive),
        ("clock", _examine_clock),
    ]


async def _examine(name: str, look: _Look, connection: asyncpg.Connection[Any]) -> DatabaseExamination:
    try:
        return await look(connection)
    except asyncpg.PostgresError as wrong:
        return DatabaseExamination(
            name,
            str(wrong),
            ok=False,
            mend_zh="先運行 venture migrate，再核對一次",
            mend_en="run venture migrate first, then look once more",
            state_zh="無法查看",
        )


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
    connection: asyncpg.Connection[Any], *, name: str, values: tuple[str, ...]
) -> DatabaseExamination:
    state = await connection.fetchval("SELECT current_setting($1)", name)
    return DatabaseExamination(
        name, state, state in values, f"在 postgresql.conf 設 {name}={values[0]}", f"set {name}={values[0]}"
    )


async def _examine_encryption(connection: asyncpg.Connection[Any], *, app_url: str) -> DatabaseExamination:
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
        "以遷移所授的應用角色連接，不可是所有者或超級用戶",
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
    """Every standby that is named is attached, and enough of them have what was answered as accepted."""
    replication = read_replication((await connection.fetch(QUERIES["replication"]))[0])
    hidden = replication.confirming is None
    how_zh = f"缺 {'、'.join(replication.missing)}" if replication.missing else f"同步 {replication.confirming}"
    how = (
        f"missing {', '.join(replication.missing)}" if replication.missing else f"{replication.confirming} synchronous"
    )
    enough = (
        bool(replication.confirming) and (replication.confirming or 0) >= replication.needed and not replication.missing
    )
    return DatabaseExamination(
        "synchronous_standby",
        f"synchronous_standby_names={replication.names!r}, {replication.connections} attached, "
        + ("state not shown" if hidden else how),
        None if hidden and replication.names else bool(replication.names) and enough,
        "設 synchronous_standby_names='ANY 1 (…)'，接上所列每一備庫（docs/runbooks）；授 pg_monitor 給應用角色",
        "set synchronous_standby_names='ANY 1 (…)' and attach every standby that it names (docs/runbooks); "
        "grant pg_monitor to the application's role",
        f"synchronous_standby_names={replication.names!r}，已接 {replication.connections}，"
        + ("未顯示狀態" if hidden else how_zh),
    )


async def _examine_archive(connection: asyncpg.Connection[Any]) -> DatabaseExamination:
    """The write-ahead log is archived, often enough, and the last try did not fail; or a receiver streams it."""
    archive = read_archive((await connection.fetch(QUERIES["archive"]))[0])
    receivers = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_replication WHERE application_name LIKE '%receive%wal%'"
    )
    age = "never" if archive.age_s is None else f"{archive.age_s:.0f} s ago"
    age_zh = "從無" if archive.age_s is None else f"{archive.age_s:.0f} 秒前"
    failing, failing_zh = (", failing", "，失敗中") if archive.is_failing else ("", "")
    return DatabaseExamination(
        "archive",
        f"archive_mode {'on' if archive.is_on else 'off'}, last {age}{failing}, every {archive.every_s} s at least, "
        f"{receivers} receivers",
        archive.is_well or receivers > 0,
        "設 archive_mode=on、archive_command 與 archive_timeout=60，或以 pg_receivewal 接收（docs/runbooks）",
        "set archive_mode=on, archive_command and archive_timeout=60, or receive by pg_receivewal (docs/runbooks)",
        f"archive_mode {'on' if archive.is_on else 'off'}，最近 {age_zh}{failing_zh}，至少每 {archive.every_s} 秒，"
        f"接收者 {receivers}",
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
