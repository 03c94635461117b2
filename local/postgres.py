"""An embedded Postgres: SCRAM passwords, 127.0.0.1 only, checksums on, its own folder."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

import bootstrap
from local import binaries, processes, server_account
from local.failure import LocalServerFailure

if TYPE_CHECKING:
    from local.server_account import ServerAccount

DATABASE = "venture"
OWNER, APPLICATION, AUDITOR = "venture_owner", "venture_app", "venture_auditor"
SUPERUSER = "postgres"
DATA = "pgdata"
"""The folder of its data, in the state folder; a link to another place where ``nobody`` must be able to reach it."""
_READY_S = 30.0
_SHORTEST_PASSWORD = 32


@dataclass
class Postgres:
    """A running embedded Postgres."""

    process: subprocess.Popen[bytes] | None
    """None if another process owns it."""
    port: int
    passwords: dict[str, str] = field(repr=False)

    def url(self, role: str) -> str:
        """The URL by which that role connects, its password included."""
        database = SUPERUSER if role == SUPERUSER else DATABASE
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"


def start(home: Path, port: int | None = None) -> Postgres:
    """Start it, on a free port if none is named; make its folder first if there is none. Raises LocalServerFailure."""
    passwords = load_passwords(home)
    account = server_account.choose_account(home, home / DATA)
    bin_folder = account.within_reach(binaries.find_postgres())
    if not (home / DATA / "PG_VERSION").exists():
        _initialise(account, bin_folder, home)
    port = port or processes.free_port()
    process = processes.spawn(
        [
            *account.prefix,
            str(bin_folder / "postgres"),
            *("-D", str((home / DATA).resolve()), "-p", str(port)),
            *_settings(),
        ],
        log=home / "logs" / "postgres.log",
        when_parent_dies=signal.SIGINT,
        uid=account.uid,
    )
    return Postgres(process, port, passwords)


def _settings() -> list[str]:
    chosen = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "jit": "off",
        "max_wal_size": "2GB",
    }
    return [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]


async def wait_until_ready(postgres: Postgres, home: Path) -> None:
    """Wait for an answer to a real query, then make database and roles if they are missing.

    Raises LocalServerFailure.
    """
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            connection = await asyncpg.connect(postgres.url(SUPERUSER), timeout=5)
            break
        except (OSError, asyncpg.PostgresError, TimeoutError) as not_yet:
            ended = postgres.process is not None and postgres.process.poll() is not None
            if ended or time.monotonic() > deadline:
                log = processes.tail(home / "logs" / "postgres.log")
                raise LocalServerFailure(f"Postgres 未能啟動：\n{log}", f"Postgres did not start:\n{log}") from not_yet
        await asyncio.sleep(0.05)
    try:
        await _furnish(connection, postgres.passwords)
    finally:
        await connection.close()


async def _furnish(connection: asyncpg.Connection[Any], passwords: dict[str, str]) -> None:
    """The owner may create roles and the database's objects; the other two may only connect until granted more."""
    roles = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    for role in (OWNER, APPLICATION, AUDITOR):
        if role not in roles:
            more = " CREATEROLE" if role == OWNER else ""
            await connection.execute(f"CREATE ROLE {role} LOGIN{more} PASSWORD '{passwords[role]}'")
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
        await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")


def load_passwords(home: Path) -> dict[str, str]:
    """One random password a role, made once, readable by the owner of the folder only."""
    folder = home / "passwords"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    passwords = {}
    for role in (SUPERUSER, OWNER, APPLICATION, AUDITOR):
        passwords[role] = bootstrap.load_secret(folder / role, secrets.token_urlsafe(24), shortest=_SHORTEST_PASSWORD)
    return passwords


def _initialise(account: ServerAccount, bin_folder: Path, home: Path) -> None:
    """Make the data folder: whole, or not at all. Raises LocalServerFailure."""
    data = account.data_folder(home / DATA)
    unfinished = data.with_name(f"{DATA}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    complaint = _initdb(account, bin_folder, unfinished, load_passwords(home)[SUPERUSER])
    if complaint is not None:
        raise LocalServerFailure(
            f"Postgres 文件夾無法建立（磁盤空間？{data.parent}）：\n{complaint}",
            f"initdb failed; is the disk full? {data.parent}:\n{complaint}",
        )
    if account.place is not None:
        shutil.rmtree(data, ignore_errors=True)  # of a state folder that was removed by hand, its passwords with it
        unfinished.rename(data)
        (home / DATA).unlink(missing_ok=True)
        (home / DATA).symlink_to(data)
    else:
        unfinished.rename(data)


def _initdb(account: ServerAccount, bin_folder: Path, data: Path, password: str) -> str | None:
    """What initdb had to say against it, or None. The password passes through a file that is gone afterwards."""
    with tempfile.NamedTemporaryFile("w", dir=data.parent) as password_file:
        password_file.write(password)
        password_file.flush()
        account.own(Path(password_file.name))
        command = [
            *account.prefix,
            str(bin_folder / "initdb"),
            *("-D", str(data), "-U", SUPERUSER, "--pwfile", password_file.name),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"),
            *_locale(bin_folder),
        ]
        process = subprocess.run(  # noqa: S603 - our own binary, no shell
            processes.bind_command(command, when_parent_dies=signal.SIGKILL, uid=account.uid),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    return process.stderr if process.returncode else None


def _locale(bin_folder: Path) -> list[str]:
    """The builtin provider needs no locale of the system; Postgres has it since 17."""
    version = subprocess.run(  # noqa: S603 - our own binary, no shell
        [str(bin_folder / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[2]
    if int(version.split(".")[0]) >= 17:  # noqa: PLR2004 - the version that brought it
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C"]
