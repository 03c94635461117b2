"""Both servers together: one owner holds the folder's lock, others find them through ``servers.json``."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import signal
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import bootstrap
from local import children, postgres, temporal
from local.postgres import APPLICATION, AUDITOR, OWNER, Postgres
from local.temporal import Temporal
from local.trouble import LocalTrouble

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bootstrap import Settings

_LEFTOVER_S = 10.0
_ADOPTED_S = 20.0
"""How long to wait for servers that another process is just starting."""


@dataclass(frozen=True)
class Servers:
    """Where the servers are."""

    postgres: Postgres
    temporal: Temporal
    ours: bool
    """Whether this process started them, so that they end with it."""
    took_s: float
    """How long it took until both answered, in seconds."""
    cleared: tuple[str, ...] = ()
    """What was found half-dead and cleared away, in words."""

    @property
    def postgres_url(self) -> str:
        """As the application's role."""
        return self.postgres.url(APPLICATION)

    @property
    def owner_url(self) -> str:
        """As the owner of the schema."""
        return self.postgres.url(OWNER)

    @property
    def auditor_url(self) -> str:
        """As the role that may only read."""
        return self.postgres.url(AUDITOR)

    @property
    def temporal_address(self) -> str:
        """``host:port``."""
        return self.temporal.address


@asynccontextmanager
async def servers(settings: Settings) -> AsyncIterator[Servers]:
    """The embedded servers: those that run already, or new ones that end with the block. Raises LocalTrouble."""
    if settings.env is not bootstrap.Environment.LOCAL:
        raise LocalTrouble("生產環境不使用內置服務", "production uses no embedded servers")
    home = _prepared(settings.home)
    began = time.monotonic()
    lock = _locked(home)
    if lock is None:
        yield await _found(home, began)
        return
    with lock:
        cleared = _cleared(home)
        started = await _started(home, began, cleared)
        try:
            yield started
        finally:
            (home / "servers.json").unlink(missing_ok=True)
            _stop(started.postgres, started.temporal)


async def running(settings: Settings) -> Servers | None:
    """The servers that another process keeps running, if they answer."""
    home = settings.home.absolute()
    if not (home / "servers.json").exists():
        return None
    lock = _locked(home)
    if lock is not None:
        lock.close()
        return None
    return await _found(home, time.monotonic())


async def reset(settings: Settings) -> bool:
    """Remove the state folder; whether there was one. Raises LocalTrouble while servers run in it."""
    home = settings.home.absolute()
    if not home.exists():
        return False
    lock = _locked(home)
    if lock is None:
        raise LocalTrouble("服務正在運行,請先停止 ./run up", "servers are running in it: stop ./run up first")
    with lock:
        _cleared(home)
        shutil.rmtree(home)
    return True


def _prepared(home: Path) -> Path:
    home = home.absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    (home / "logs").mkdir(mode=0o700, exist_ok=True)
    return home


def _locked(home: Path) -> IO[str] | None:
    """The folder's lock, or None while another process holds it; the kernel frees it when that process ends."""
    file = (home / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


async def _started(home: Path, began: float, cleared: tuple[str, ...]) -> Servers:
    """Start both; once more on other ports if a port was taken meanwhile."""
    for attempt in (1, 2):
        pg, tl = postgres.start(home), _temporal(home)
        try:
            await asyncio.gather(postgres.wait_until_ready(pg, home), temporal.wait_until_ready(tl, home))
        except LocalTrouble:
            _stop(pg, tl)
            if attempt == 1:
                continue
            raise
        except BaseException:
            _stop(pg, tl)
            raise
        _publish(home, pg, tl)
        return Servers(pg, tl, ours=True, took_s=time.monotonic() - began, cleared=cleared)
    raise AssertionError


def _temporal(home: Path) -> Temporal:
    return temporal.start(home, [(key.name, key.indexed_value_type.name) for key in bootstrap.SEARCH_ATTRIBUTES])


def _stop(pg: Postgres, tl: Temporal) -> None:
    """Temporal first: it may be asking nothing of Postgres, but its worker is."""
    for child, politely in ((tl.process, signal.SIGTERM), (pg.process, signal.SIGINT)):
        if child is not None:
            children.stop(child, politely)


def _publish(home: Path, pg: Postgres, tl: Temporal) -> None:
    found = {"owner_pid": os.getpid(), "postgres_port": pg.port, "temporal_port": tl.port}
    unfinished = home / "servers.json.new"
    unfinished.write_text(json.dumps(found))
    unfinished.replace(home / "servers.json")


async def _found(home: Path, began: float) -> Servers:
    """Servers that another process owns, once they answer. Raises LocalTrouble if they do not."""
    deadline = began + _ADOPTED_S
    while True:
        try:
            found = json.loads((home / "servers.json").read_text())
            break
        except (FileNotFoundError, json.JSONDecodeError) as not_yet:
            if time.monotonic() > deadline:
                raise LocalTrouble(
                    f"{home} 被另一進程佔用,但其服務沒有啟動", f"another process holds {home} but its servers did not start"
                ) from not_yet
        await asyncio.sleep(0.1)
    pg = Postgres(None, found["postgres_port"], postgres.passwords(home))
    tl = Temporal(None, found["temporal_port"])
    await asyncio.gather(postgres.wait_until_ready(pg, home), temporal.wait_until_ready(tl, home))
    return Servers(pg, tl, ours=False, took_s=time.monotonic() - began)


def _cleared(home: Path) -> tuple[str, ...]:
    """What a dead owner left behind: said in words, then cleared. The data stays."""
    said = []
    if (home / "servers.json").exists():
        (home / "servers.json").unlink()
        said.append("上次沒有正常停止,已清理 / the last run did not stop cleanly; cleared")
    for name, pid in (("Postgres", _postmaster(home)), ("Temporal", _holder(home / "temporal.db"))):
        if pid is not None and not children.gone_within(pid, _LEFTOVER_S):
            os.kill(pid, signal.SIGKILL)
            children.gone_within(pid, _LEFTOVER_S)
            said.append(f"結束了遺留的 {name} 進程 {pid} / ended a leftover {name} process {pid}")
    return tuple(said)


def _postmaster(home: Path) -> int | None:
    """The process that holds the data folder, if it is indeed one of ours and alive."""
    pid_file = home / "pgdata" / "postmaster.pid"
    if not pid_file.exists():
        return None
    pid = int(pid_file.read_text().split()[0])
    return pid if children.alive(pid) and _mentions(pid, str(home / "pgdata")) else None


def _holder(database: Path) -> int | None:
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):  # noqa: PTH208 - names, not paths
        if _mentions(pid, str(database)):
            return pid
    return None


def _mentions(pid: int, text: str) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123 - a kernel file
            return text.encode() in file.read().split(b"\0")
    except OSError:
        return False
