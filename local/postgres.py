"""An embedded Postgres: SCRAM passwords, 127.0.0.1 only, checksums on, its own folder."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from local import binaries, children
from local.trouble import LocalTrouble

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = "venture"
OWNER, APPLICATION, AUDITOR = "venture_owner", "venture_app", "venture_auditor"
SUPERUSER = "postgres"
_READY_S = 30.0
_NOBODY = 65534


@dataclass(frozen=True)
class Postgres:
    """A running embedded Postgres."""

    process: subprocess.Popen[bytes] | None
    """None if another process owns it."""
    port: int
    passwords: dict[str, str]

    def url(self, role: str) -> str:
        """How that role connects."""
        database = SUPERUSER if role == SUPERUSER else DATABASE
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"


def start(home: Path) -> Postgres:
    """Start it on a free port; make its folder first if there is none. Raises LocalTrouble."""
    bin_folder, data, port = binaries.postgres(), home / "pgdata", children.free_port()
    known = passwords(home)
    if not (data / "PG_VERSION").exists():
        _initialise(bin_folder, data, home)
    process = children.spawn(
        [
            *_as_somebody(),
            str(bin_folder / "postgres"),
            *("-D", str(data), "-p", str(port)),
            *_settings(),
        ],
        log=home / "logs" / "postgres.log",
        when_parent_dies=signal.SIGINT,
    )
    return Postgres(process, port, known)


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
    """Wait for an answer to a real query, then make database and roles if they are missing. Raises LocalTrouble."""
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            connection = await asyncpg.connect(postgres.url(SUPERUSER), timeout=5)
            break
        except (OSError, asyncpg.PostgresError, TimeoutError) as not_yet:
            ended = postgres.process is not None and postgres.process.poll() is not None
            if ended or time.monotonic() > deadline:
                log = children.tail(home / "logs" / "postgres.log")
                raise LocalTrouble(f"Postgres 未能啟動:\n{log}", f"Postgres did not start:\n{log}") from not_yet
        await asyncio.sleep(0.05)
    try:
        await _furnish(connection, postgres.passwords)
    finally:
        await connection.close()


async def _furnish(connection: asyncpg.Connection, passwords: dict[str, str]) -> None:
    """The owner may create roles and the database's objects; the other two may only connect until granted more."""
    known = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    for role in (OWNER, APPLICATION, AUDITOR):
        if role not in known:
            more = " CREATEROLE" if role == OWNER else ""
            await connection.execute(f"CREATE ROLE {role} LOGIN{more} PASSWORD '{passwords[role]}'")
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
        await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")


def passwords(home: Path) -> dict[str, str]:
    """One random password a role, made once, readable by the owner of the folder only."""
    folder = home / "passwords"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = {}
    for role in (SUPERUSER, OWNER, APPLICATION, AUDITOR):
        path = folder / role
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(24))
        found[role] = path.read_text()
    return found


def _initialise(bin_folder: Path, data: Path, home: Path) -> None:
    password_file = home / "passwords" / SUPERUSER
    made = subprocess.run(  # noqa: S603 - our own binary, no shell
        [
            *_as_somebody(),
            str(bin_folder / "initdb"),
            *("-D", str(data), "-U", SUPERUSER, "--pwfile", str(password_file)),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"),
            *_locale(bin_folder),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise LocalTrouble(f"Postgres 資料夾無法建立:\n{made.stderr}", f"initdb failed:\n{made.stderr}")


def _locale(bin_folder: Path) -> list[str]:
    """The builtin provider needs no locale of the system; Postgres has it since 17."""
    version = subprocess.run(  # noqa: S603 - our own binary, no shell
        [str(bin_folder / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[2]
    if int(version.split(".")[0]) >= 17:  # noqa: PLR2004 - the version that brought it
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C"]


def _as_somebody() -> list[str]:
    """Postgres will not run as root: in a user namespace, root is nobody to it and needs no account on the machine."""
    if os.geteuid() != 0:
        return []
    prefix = ["unshare", "-U", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}"]
    tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)  # noqa: S603 - fixed words, no shell
    if tried.returncode != 0:
        raise LocalTrouble(
            "Postgres 不能以 root 運行,而本機不允許用戶命名空間:請以普通用戶運行",
            "Postgres will not run as root and this machine allows no user namespaces: run as an ordinary user",
        )
    return prefix
