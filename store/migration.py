"""Brings a database to today's form: the files of ``migrations/`` in order, each once, each in a transaction.

Forward only. Run it with the owner's url; the roles that the app and the auditors log in with only get what they need.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from domain.kernel.failure import Failure, FailureKind
from store.postgres_views import READER

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

LOCK_TIMEOUT_S: Final = 10
"""Seconds that a file waits for a lock before it gives up: while it waits, everybody else waits behind it."""
STANDBY_PATIENCE_S: Final = 10.0
"""Seconds that a commit may wait for a standby before it is said that none answers."""
_LOCK: Final = 0x76656E74757265
"""The advisory lock under which one runner works at a time ("venture" in ASCII)."""


class MigrationRefused(Failure):
    """The database cannot be brought to the form of this release; the texts say why and what to do."""

    kind = FailureKind.CONFLICT


class DatabaseUnreachable(Failure):
    """There is no database to migrate at that address, or it does not let this role in."""

    kind = FailureKind.UNAVAILABLE
    remedy_zh = "檢查服務、密碼與 VENTURE_POSTGRES_OWNER_URL"
    remedy_en = "Look at the server, the password and VENTURE_POSTGRES_OWNER_URL"

    def __init__(self, why: str) -> None:
        super().__init__(f"無法連接：{why}", f"cannot connect: {why}", why=why)


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of ``migrations/``."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """The digest by which a later edit is noticed."""
        return sha256(self.text.encode()).hexdigest()


def migrations() -> Sequence[Migration]:
    """The files of this release, in order."""
    paths = [f for f in files("store").joinpath("migrations").iterdir() if f.name.endswith(".sql")]
    return [Migration(f.name, f.read_text(encoding="utf-8")) for f in sorted(paths, key=lambda f: f.name)]


async def migrate(
    owner_url: str,
    *,
    app_role: str | None = None,
    auditor_role: str | None = None,
    release: Sequence[Migration] | None = None,
    who: str | None = None,
    why: str | None = None,
) -> Sequence[str]:
    """Apply what is missing and grant the roles their rights; the names of the files applied now.

    Each is recorded with ``who`` has it done and ``why``, in its own transaction. ``release`` stands in for this
    release's files in tests. Raises MigrationRefused or DatabaseUnreachable.
    """
    connection = await _connect(owner_url)
    working = asyncio.create_task(
        _migrate(connection, migrations() if release is None else release, app_role, auditor_role, (who, why))
    )
    try:
        while not (await asyncio.wait({working}, timeout=STANDBY_PATIENCE_S))[0]:
            await _require_standby(owner_url, connection.get_server_pid())
        return await working
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationRefused(
            f"此角色無權更改結構（{error}）：VENTURE_POSTGRES_OWNER_URL 須為所有者 venture_owner",
            f"this role may not change the schema ({error}): VENTURE_POSTGRES_OWNER_URL names the owner, venture_owner",
        ) from error
    except (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, OSError) as gone:
        raise DatabaseUnreachable(str(gone)) from gone
    finally:
        working.cancel()
        connection.terminate()


async def _migrate(
    connection: asyncpg.Connection[Any],
    release: Sequence[Migration],
    app_role: str | None,
    auditor_role: str | None,
    settings: tuple[str | None, str | None],
) -> Sequence[str]:
    await _check_server(connection)
    await _take_lock(connection)
    applied = await _apply(connection, release, settings)
    await _grant(connection, app_role, auditor_role)
    return applied


async def _connect(url: str) -> asyncpg.Connection[Any]:
    """A connection that runs on UTC. Raises DatabaseUnreachable."""
    try:
        return await asyncpg.connect(url, server_settings={"timezone": "UTC"}, timeout=STANDBY_PATIENCE_S)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as gone:
        raise DatabaseUnreachable(str(gone) or f"no answer within {STANDBY_PATIENCE_S:.0f} s") from gone


async def _take_lock(connection: asyncpg.Connection[Any]) -> None:
    """Be the one runner at a time; the lock ends with the connection. Raises MigrationRefused."""
    try:
        await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'")
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute("SET lock_timeout = DEFAULT")
    except asyncpg.LockNotAvailableError as error:
        raise MigrationRefused(
            f"另一個遷移正在進行，等候逾 {LOCK_TIMEOUT_S} 秒：稍後重試",
            f"another migration is under way, waited {LOCK_TIMEOUT_S} s for it: try again later",
        ) from error


async def _require_standby(url: str, pid: int) -> None:
    """Raise MigrationRefused if that backend waits for a standby: it would wait for as long as none is attached."""
    connection = await _connect(url)
    try:
        waits_for = await connection.fetchval("SELECT wait_event FROM pg_stat_activity WHERE pid = $1", pid)
    finally:
        await connection.close()
    if waits_for == "SyncRep":
        raise MigrationRefused(
            f"已寫入主庫，但 {STANDBY_PATIENCE_S:.0f} 秒內無同步備庫確認：接上（synchronous_standby_names）再運行",
            f"written on the primary, but no synchronous standby confirmed it within {STANDBY_PATIENCE_S:.0f} s: "
            "attach one (synchronous_standby_names), then run this again",
        )


@dataclass(frozen=True, slots=True)
class SchemaComparison:
    """A database's form beside this release's."""

    pending: tuple[str, ...]
    """Files of this release that the database lacks."""
    newer: tuple[str, ...]
    """Files that the database has and this release does not know: it is older than the database."""


async def compare_schema(url: str) -> SchemaComparison:
    """How the database's form stands to this release's; any role may ask. Raises DatabaseUnreachable."""
    connection = await _connect(url)
    try:
        if not await connection.fetchval("SELECT to_regclass('venture.migrations') IS NOT NULL"):
            return SchemaComparison(tuple(migration.name for migration in migrations()), ())
        applied = {row["name"] for row in await connection.fetch("SELECT name FROM venture.migrations")}
    except asyncpg.InsufficientPrivilegeError:  # the schema is there, and nothing of it was granted yet
        applied = set()
    finally:
        await connection.close()
    return SchemaComparison(list_pending(applied), tuple(sorted(applied - {m.name for m in migrations()})))


@dataclass(frozen=True, slots=True)
class MigrationRun:
    """Files that one run applied, and what was said of it."""

    first: str
    last: str
    files: int
    began_at: datetime
    ended_at: datetime
    role: str | None
    """The role of the database that did it; None of before this was recorded."""
    who: str | None
    why: str | None

    def as_json(self) -> dict[str, Any]:
        """For a machine, in the form of a work of maintenance."""
        return {
            "number": None,
            "work": "MIGRATE",
            "target": self.first if self.files == 1 else f"{self.first} … {self.last}",
            "reason": self.why,
            "seat": self.role,
            "persons": [self.who] if self.who else [],
            "begun_at": self.began_at.isoformat(),
            "ended_at": self.ended_at.isoformat(),
            "changed": self.files,
            "left": 0,
        }


async def list_runs(url: str) -> list[MigrationRun]:
    """What brought the database to its form, in order; any role may ask. Raises DatabaseUnreachable."""
    connection = await _connect(url)
    try:
        rows = await connection.fetch(_RUNS)
    finally:
        await connection.close()
    return [MigrationRun(*row.values()) for row in rows]


_RUNS: Final = """
WITH files AS (
  SELECT *, begun_at IS DISTINCT FROM lag(begun_at) OVER told
         OR (role, who, why) IS DISTINCT FROM lag((role, who, why)) OVER told
         OR begun_at IS NULL AND applied_at > lag(applied_at) OVER told + interval '1 minute' AS begins
    FROM venture.migrations WINDOW told AS (ORDER BY name)
), runs AS (
  SELECT *, count(*) FILTER (WHERE begins) OVER (ORDER BY name) AS run FROM files
)
SELECT min(name), max(name), count(*), coalesce(min(begun_at), min(applied_at)), max(applied_at), role, who, why
  FROM runs GROUP BY run, role, who, why ORDER BY run
"""
"""A run is what began at one instant. Files of before that was recorded are one run's if no minute lay between them."""


def list_pending(applied: Collection[str]) -> tuple[str, ...]:
    """Name the files of this release that are not among those that a database has."""
    return tuple(migration.name for migration in migrations() if migration.name not in applied)


async def _check_server(connection: asyncpg.Connection[Any]) -> None:
    if await connection.fetchval("SELECT pg_is_in_recovery()"):
        raise MigrationRefused(
            "這是備庫，不可遷移：VENTURE_POSTGRES_OWNER_URL 須指向主庫",
            "this is a standby: point VENTURE_POSTGRES_OWNER_URL at the primary",
        )
    encoding = await connection.fetchval("SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        raise MigrationRefused(
            f"數據庫編碼須為 UTF8,現為 {encoding}：請重新建立",
            f"the database must be UTF8, it is {encoding}: create it anew",
        )


_REGISTER: Final = """
CREATE SCHEMA IF NOT EXISTS venture;
CREATE TABLE IF NOT EXISTS venture.migrations (
  name       text        NOT NULL PRIMARY KEY,
  sha256     text        NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE venture.migrations
  ADD COLUMN IF NOT EXISTS role     text,
  ADD COLUMN IF NOT EXISTS who      text,
  ADD COLUMN IF NOT EXISTS why      text,
  ADD COLUMN IF NOT EXISTS begun_at timestamptz;
"""
"""There before the first file, so that the very first is recorded like the others.

Files of before lack a ``begun_at``, or a ``role`` too."""


async def _apply(
    connection: asyncpg.Connection[Any], release: Sequence[Migration], settings: tuple[str | None, str | None]
) -> Sequence[str]:
    await connection.execute(_REGISTER)
    rows = await connection.fetch("SELECT name, sha256 FROM venture.migrations ORDER BY name")
    recorded = {row["name"]: row["sha256"] for row in rows}
    _check_release(recorded, release)
    missing = [migration for migration in release if migration.name not in recorded]
    begun_at = await connection.fetchval("SELECT clock_timestamp()")
    for migration in missing:
        await _apply_one(connection, migration, (*settings, begun_at))
    return [migration.name for migration in missing]


def _check_release(recorded: dict[str, str], release: Sequence[Migration]) -> None:
    """Refuse a history that is not a beginning of this release's."""
    ours = {migration.name: migration for migration in release}
    for name, digest in recorded.items():
        if name not in ours:
            raise MigrationRefused(
                f"{name} 已套用於數據庫，本版本卻沒有：程序比數據庫舊，請升級",
                f"the database has {name}, this release has not: it is older than the database, install a newer one",
            )
        if ours[name].sha256 != digest:
            raise MigrationRefused(
                f"{name} 套用後被改動，遷移檔只可新增",
                f"{name} was edited after it was applied (was {digest[:12]}, is {ours[name].sha256[:12]}): "
                "restore it and put the change into a new file",
            )
    late = [name for name in ours if name not in recorded and recorded and name < max(recorded)]
    if late:
        raise MigrationRefused(
            f"{late[0]} 排在已套用的 {max(recorded)} 之前",
            f"{late[0]} sorts before {max(recorded)}, which is applied: give it a later number",
        )


async def _apply_one(
    connection: asyncpg.Connection[Any], migration: Migration, run: tuple[str | None, str | None, datetime]
) -> None:
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
            await connection.execute(migration.text)
            await connection.execute(
                "INSERT INTO venture.migrations (name, sha256, role, who, why, begun_at) "
                "VALUES ($1, $2, session_user, $3, $4, $5)",
                migration.name,
                migration.sha256,
                *run,
            )
    except asyncpg.LockNotAvailableError as error:
        raise MigrationRefused(
            f"{migration.name} 等待鎖逾 {LOCK_TIMEOUT_S} 秒，未作任何更改，請稍後重試",
            f"{migration.name} waited {LOCK_TIMEOUT_S} s for a lock; nothing was changed, try again later",
        ) from error


async def _grant(connection: asyncpg.Connection[Any], app_role: str | None, auditor_role: str | None) -> None:
    """Both may read the log; the app may also call its functions, the only way to write it, and keep who comes in."""
    for role, grants in ((app_role, _APP), (auditor_role, _AUDITOR)):
        if role is None:
            continue
        quoted = await connection.fetchval("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname = $1", role)
        if quoted is None:
            raise MigrationRefused(
                f"沒有角色 {role}：先 CREATE ROLE {role} LOGIN",
                f"there is no role {role}: CREATE ROLE {role} LOGIN first",
            )
        async with connection.transaction():
            for grant in grants:
                await connection.execute(grant.format(role=quoted))
            for table in await _list_policed(connection):
                await connection.execute(f"DROP POLICY IF EXISTS {quoted} ON {table}")
                await connection.execute(f"CREATE POLICY {quoted} ON {table} FOR SELECT TO {quoted} USING (true)")
        if role == app_role:
            await _grant_reader(connection, quoted)


async def _grant_reader(connection: asyncpg.Connection[Any], app: str) -> None:
    """For whoever reads for one organisation: a role that the app may become, and that sees its rows only."""
    tables = await _list_policed(connection)
    if not tables:
        return  # an earlier form, for tests
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", READER):
        with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):  # by another database's runner
            await connection.execute(f"CREATE ROLE {READER} NOLOGIN")
    if not await connection.fetchval("SELECT pg_has_role($1, $2, 'member')", app.strip('"'), READER):
        await connection.execute(f"GRANT {READER} TO {app}")
    async with connection.transaction():
        await connection.execute(f"GRANT USAGE ON SCHEMA venture TO {READER}")
        for table in tables:
            await connection.execute(f"GRANT SELECT ON {table} TO {READER}")
            await connection.execute(f"DROP POLICY IF EXISTS of_organisation ON {table}")
            await connection.execute(
                f"CREATE POLICY of_organisation ON {table} FOR SELECT TO {READER} "
                "USING (current_setting('venture.organisation', true) = ANY (organisations))"
            )


async def _list_policed(connection: asyncpg.Connection[Any]) -> Sequence[str]:
    """The view tables that are read under policies."""
    rows = await connection.fetch(
        "SELECT format('venture.%I', relname) AS name FROM pg_class"
        " WHERE relnamespace = 'venture'::regnamespace AND relkind = 'r' AND relrowsecurity ORDER BY relname"
    )
    return [row["name"] for row in rows]


_AUDITOR: Final = (
    "REVOKE ALL ON ALL TABLES IN SCHEMA venture FROM {role}",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA venture FROM {role}",
    "REVOKE ALL ON SCHEMA venture FROM {role}",
    "GRANT USAGE ON SCHEMA venture TO {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA venture TO {role}",
)
_APP: Final = (
    *_AUDITOR,
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA venture TO {role}",
    "GRANT USAGE ON SCHEMA web TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA web TO {role}",
)
"""The tables of ``web`` hold digests of secrets and nothing to be proved: auditors have no business there."""
