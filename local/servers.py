"""Both servers together: one owner holds the folder's lock, others find them through ``servers.json``."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import shutil
import signal
import threading
import time
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import structlog

import bootstrap
from local import postgres, processes, server_account, temporal
from local.failure import LocalServerFailure, ServersHeld
from local.postgres import APPLICATION, OWNER, Postgres
from local.temporal import Temporal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from bootstrap import Settings

_KEEPER: Final = "servers.json"
_SELF_ENDING_S: Final = 5.0
"""How long servers whose keeper has died may take to end by themselves."""
_LEFTOVER_S: Final = 10.0
"""How long an ended process may take to be gone."""
_WANTED: Final = "temporal.wanted"
"""A file by which the processes that use the servers have the keeper start Temporal, if it does not run yet."""
_GUESTS: Final = "guests"
"""A lock that is shared by the processes which use servers that another keeps."""
_TURN_S: Final = 60.0
"""How long to wait for a keeper that is just starting or just ending."""
_ADOPTED_S: Final = 20.0
"""How long servers that another process keeps may take to answer."""
_STOPPING_S: Final = 75.0
"""How long the keeper of the servers may take to end: its worker lets commands finish first."""
_SUPERVISED_S: Final = 0.25
"""How often the keeper looks whether its servers live."""
_AGAIN: Final = 20
"""How often a minute a server that died is started again before it is let rest."""
_REST_S: Final = 10.0
"""For how long; then it is started again, since what kept it down may be gone: nobody else would."""

log = structlog.get_logger()

_Ports = tuple[int | None, int | None]
"""Of Temporal's pages: as its server shows them, and with what they hold opened."""


@dataclass(frozen=True)
class Servers:
    """Where the servers are."""

    postgres: Postgres
    temporal: Temporal
    home: Path
    """The state folder, absolute."""
    ours: bool
    """Whether this process started them, so that they end with it."""
    took_s: float
    """How long it took until both answered, in seconds."""
    cleared: tuple[str, ...] = ()
    """What was found half-dead and cleared away, in words."""

    @property
    def postgres_url(self) -> str:
        """The URL by which the application connects."""
        return self.postgres.url(APPLICATION)

    @property
    def owner_url(self) -> str:
        """The URL by which the schema's owner connects."""
        return self.postgres.url(OWNER)

    @property
    def temporal_address(self) -> str:
        """``host:port``."""
        return self.temporal.address

    async def ensure_temporal(self) -> None:
        """Have Temporal running: whoever only read the log did without. Raises LocalServerFailure."""
        if self.temporal.process is None:
            (self.home / _WANTED).touch()
        await temporal.wait_until_ready(self.temporal, self.home)


@asynccontextmanager
async def servers(
    settings: Settings, *, with_temporal: bool = True, tell: Callable[[str, str], None] = lambda _zh, _en: None
) -> AsyncIterator[Servers]:
    """The embedded servers: those that run already, or new ones that end with the block. Raises LocalServerFailure.

    Unless it is wanted, Temporal need not answer, nor is it started: reading the log goes on without it. Whoever wants
    it after all has it started (``Servers.ensure_temporal``).

    New ones are looked after: one that dies while the block runs is started again on its port. When the block ends,
    they stay until the last process that found them here is done with them, however long it takes, and ``tell`` hears
    it; SIGINT or SIGTERM to this process ends the wait, and them.
    """
    if settings.env is not bootstrap.Environment.LOCAL:
        raise LocalServerFailure("生產環境不使用內置服務", "production uses no embedded servers")
    home = _prepare(settings.home)
    began = time.monotonic()
    while (lock := _try_lock(home)) is None:
        guest = _try_lock(home, _GUESTS, fcntl.LOCK_SH)
        if guest is not None:
            with guest:
                keeper = _read_keeper(home)
                if keeper is not None and _is_itself(keeper):
                    yield await _adopt(home, keeper, began, with_temporal=with_temporal)
                    return
        if time.monotonic() > began + _TURN_S:
            raise LocalServerFailure(
                f"{home} 被另一進程佔用，但其服務沒有啟動：請結束它再試",
                f"another process holds {home} but its servers did not start: end it and try again",
            )
        await asyncio.sleep(0.1)
    with lock:
        cleared = _clear(home)
        ui_ports = _free_ports() if settings.temporal_ui else (None, None)
        both = await _start(home, began, cleared, ui_ports, with_temporal=with_temporal)
        keeping = asyncio.create_task(_supervise(both, home))
        try:
            yield both
        finally:
            with await _wait_for_guests(both, tell) or nullcontext():  # nobody new comes in meanwhile
                (home / _KEEPER).unlink(missing_ok=True)
                keeping.cancel()
                with suppress(asyncio.CancelledError):
                    await keeping
                await _stop_both(both.postgres, both.temporal)


async def find_running(settings: Settings) -> Servers | None:
    """The servers that another process keeps running, or None.

    Raises LocalServerFailure if they should answer and do not.
    """
    home = settings.home.absolute()
    keeper = _read_keeper(home)
    return (
        await _adopt(home, keeper, time.monotonic(), with_temporal=True)
        if keeper is not None and _is_itself(keeper)
        else None
    )


async def stop(settings: Settings) -> bool:
    """Have the process that keeps the servers end, and them with it; whether there was one.

    Others that use them are let finish. Raises LocalServerFailure if that takes longer than a minute.
    """
    home = settings.home.absolute()
    deadline = time.monotonic() + _STOPPING_S
    is_told = False
    while home.exists() and (lock := _try_lock(home)) is None:
        keeper = _read_keeper(home)
        if keeper is not None and not is_told and not keeper.get("leaving") and _is_itself(keeper):
            os.kill(keeper["pid"], signal.SIGTERM)
            is_told = True
        if time.monotonic() > deadline:
            who = keeper["pid"] if keeper else "?"
            raise ServersHeld(
                f"進程 {who} 仍佔用 {home}，請先結束它", f"process {who} still holds {home}: end it first"
            )
        await asyncio.sleep(0.1)
    if home.exists() and lock is not None:
        lock.close()
    return is_told


async def reset(settings: Settings) -> bool:
    """Stop what lives in the state folder and remove it; whether there was one. May raise LocalServerFailure."""
    home = settings.home.absolute()
    if not home.exists():
        return False
    await stop(settings)
    lock = _try_lock(home)
    if lock is None:
        raise ServersHeld(f"另一進程剛剛佔用了 {home}，請再試", f"another process has just taken {home}: try again")
    with lock:
        _clear(home)
        server_account.forget(home)
        shutil.rmtree(home)
    return True


def _prepare(home: Path) -> Path:
    home = home.absolute()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.chmod(0o700)
        (home / "logs").mkdir(mode=0o700, exist_ok=True)
    except PermissionError as not_ours:
        raise LocalServerFailure(
            f"{home} 屬於另一用戶：請以該用戶運行，或設 VENTURE_HOME",
            f"{home} belongs to another user: run as that user, or set VENTURE_HOME",
        ) from not_ours
    except OSError as wrong:
        zh, en = _WHY.get(wrong.errno or 0, (wrong.strerror or "", wrong.strerror or ""))
        raise LocalServerFailure(f"{home} 無法寫入：{zh}", f"{home} cannot be written: {en}") from wrong
    return home


_WHY: Final = {
    errno.ENOTDIR: ("上級路徑中有文件，不是文件夾", "part of that path is a file, not a folder"),
    errno.EEXIST: ("該處是文件，不是文件夾", "there is a file, not a folder"),
    errno.ENAMETOOLONG: ("路徑過長", "the path is too long"),
    errno.ENOSPC: ("磁盤已滿", "the disk is full"),
    errno.EROFS: ("磁盤只讀", "the disk is read-only"),
}
"""Why a folder cannot be had, by the system's number for it."""


def _try_lock(home: Path, name: str = "lock", how: int = fcntl.LOCK_EX) -> IO[str] | None:
    """A lock in the folder, or None while another process has it; the kernel frees it when that process ends."""
    file = (home / name).open("w")
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


async def _wait_for_guests(both: Servers, tell: Callable[[str, str], None]) -> IO[str] | None:
    """Wait until nobody uses our servers any more: the lock by which nobody comes in; None if told to end at once.

    Whoever comes meanwhile is a guest like the others.
    """
    alone = _try_lock(both.home, _GUESTS)
    if alone is not None:
        return alone
    _publish(both.home, both.postgres, both.temporal, leaving=True)
    tell(
        "本機服務尚有其他命令在用，用畢即停（Ctrl-C 則立即停止）",
        "other commands still use this machine's servers, which stop with the last of them (Ctrl-C: at once)",
    )
    with _watch_signals() as end:
        while not end.is_set():
            if (alone := _try_lock(both.home, _GUESTS)) is not None:
                return alone
            await asyncio.sleep(0.05)
    log.warning("local.guests_left_behind")
    return None


@contextmanager
def _watch_signals() -> Iterator[asyncio.Event]:
    """Set by SIGINT and SIGTERM; never where somebody else's thread hears of them."""
    end, loop = asyncio.Event(), asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        yield end
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    for number in numbers:
        loop.add_signal_handler(number, end.set)
    try:
        yield end
    finally:
        for number, handler in zip(numbers, before, strict=True):
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


async def _start(
    home: Path, began: float, cleared: tuple[str, ...], ui_ports: _Ports, *, with_temporal: bool
) -> Servers:
    """Start them on the ports of the last time, so that whoever waits finds them again; else on others."""
    last = _last_ports(home)
    for attempt in (1, 2):
        pg_port, tl_port = last if attempt == 1 else (None, None)
        pg = postgres.start(home, pg_port)
        tl = _temporal(home, tl_port, ui_ports) if with_temporal else Temporal(None, tl_port or processes.free_port())
        try:
            await asyncio.gather(
                postgres.wait_until_ready(pg, home), *([temporal.wait_until_ready(tl, home)] if with_temporal else [])
            )
        except LocalServerFailure:
            await _stop_both(pg, tl)
            if attempt == 1:
                continue
            raise
        except BaseException:
            await _stop_both(pg, tl)
            raise
        (home / "ports.json").write_text(json.dumps([pg.port, tl.port]))
        _publish(home, pg, tl)
        return Servers(pg, tl, home, ours=True, took_s=time.monotonic() - began, cleared=cleared)
    raise AssertionError


def _last_ports(home: Path) -> tuple[int | None, int | None]:
    """The ports of the last time where nobody has taken them since; none on a first start."""
    try:
        pg_port, tl_port = json.loads((home / "ports.json").read_text())
    except (FileNotFoundError, ValueError):
        return None, None
    return tuple(port if isinstance(port, int) and processes.is_free(port) else None for port in (pg_port, tl_port))  # type: ignore[return-value] # two in, two out


def _free_ports() -> _Ports:
    return processes.free_port(), processes.free_port()


def _temporal(home: Path, port: int | None, ui_ports: _Ports) -> Temporal:
    attributes = list(bootstrap.SEARCH_ATTRIBUTES.items())
    return temporal.start(home, attributes, port, *ui_ports)


async def _supervise(both: Servers, home: Path) -> None:
    """Start a server again on its port when it has died, and Temporal when it is first wanted.

    One that keeps dying is let rest in between: of a Postgres that was killed while it recovered, a child may hold
    its memory for many seconds.
    """
    pg, tl = both.postgres, both.temporal
    deaths: dict[str, list[float]] = {"Postgres": [], "Temporal": []}
    rests: dict[str, float] = {}
    while deaths:
        await asyncio.sleep(_SUPERVISED_S)
        for name in list(deaths):
            server = pg if name == "Postgres" else tl
            is_first = server.process is None
            if server.process is None:
                if not (home / _WANTED).exists():
                    continue
            elif time.monotonic() < rests.get(name, 0) or (code := server.process.poll()) is None:
                continue
            elif _is_dying_too_often(deaths[name]):
                log.error("local.server_given_up", server=name, rests_s=_REST_S, logs=str(home / "logs"))
                rests[name] = time.monotonic() + _REST_S
                deaths[name].clear()
                continue
            else:
                log.warning("local.server_started_again", server=name, exit_code=code)
            try:
                # a new Postgres may be refused at first: the old one's children hold its memory until they notice
                successor = (
                    postgres.start(home, pg.port)
                    if server is pg
                    else _temporal(home, tl.port, (tl.ui_port, tl.front_port))
                )
                server.process = successor.process
                if is_first:
                    await temporal.wait_until_ready(tl, home)
            except LocalServerFailure as trouble:
                log.error("local.server_given_up", server=name, why=str(trouble))  # noqa: TRY400 - said, not traced
                del deaths[name]


def _is_dying_too_often(deaths: list[float]) -> bool:
    """Note one more death; whether there were too many within a minute."""
    now = time.monotonic()
    deaths[:] = [then for then in deaths if then > now - 60] + [now]
    return len(deaths) > _AGAIN


async def _stop_both(pg: Postgres, tl: Temporal) -> None:
    """End both at once: neither asks anything of the other."""
    children = [(child, how) for child, how in ((tl.process, signal.SIGTERM), (pg.process, signal.SIGINT)) if child]
    await asyncio.gather(*(asyncio.to_thread(processes.stop, child, politely) for child, politely in children))


def _publish(home: Path, pg: Postgres, tl: Temporal, *, leaving: bool = False) -> None:
    """Say who keeps the servers and where they are, for other processes to find.

    ``leaving``: it has done its own work, and only waits for its guests.
    """
    keeper = {
        "pid": os.getpid(),
        "born": processes.start_ticks(os.getpid()),
        "boot_id": _boot_id(),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "postgres_port": pg.port,
        "temporal_port": tl.port,
        "leaving": leaving,
    }
    unfinished = home / f"{_KEEPER}.new"
    unfinished.write_text(json.dumps(keeper), encoding="utf-8")
    unfinished.replace(home / _KEEPER)


def _read_keeper(home: Path) -> dict[str, Any] | None:
    """What the keeper has published about itself; None if nothing is there yet, or not all of it."""
    with suppress(FileNotFoundError, json.JSONDecodeError):
        keeper = json.loads((home / _KEEPER).read_text(encoding="utf-8"))
        if isinstance(keeper, dict) and keeper.keys() >= {"pid", "born", "boot_id", "postgres_port", "temporal_port"}:
            return keeper
    return None


def _is_itself(keeper: dict[str, Any]) -> bool:
    """Whether the process of that id is still the one that wrote it: ids are used again, and machines restart."""
    is_same_boot = keeper["boot_id"] == _boot_id()
    return bool(is_same_boot and keeper["born"] and keeper["born"] == processes.start_ticks(keeper["pid"]))


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


async def _adopt(home: Path, keeper: dict[str, Any], began: float, *, with_temporal: bool) -> Servers:
    """Servers that another process keeps, once they answer. Raises LocalServerFailure if they do not."""
    pg = Postgres(None, keeper["postgres_port"], postgres.load_passwords(home))
    tl = Temporal(None, keeper["temporal_port"])
    try:
        async with asyncio.timeout(_ADOPTED_S):
            await postgres.wait_until_ready(pg, home)
            if with_temporal:
                (home / _WANTED).touch()
                await temporal.wait_until_ready(tl, home)
    except TimeoutError as silent:
        raise LocalServerFailure(
            f"服務沒有回應，什麼也沒有送出：稍後再試；若一直如此，重新啟動進程 {keeper['pid']}（日誌 {home}/logs）",
            f"the servers do not answer; nothing was sent. Try again in a while; "
            f"if it stays so, restart process {keeper['pid']} (logs in {home}/logs)",
        ) from silent
    return Servers(pg, tl, home, ours=False, took_s=time.monotonic() - began)


def _clear(home: Path) -> tuple[str, ...]:
    """Clear what a dead keeper left behind, and say in words what it was. The data stays."""
    notices = []
    (home / _WANTED).unlink(missing_ok=True)
    if (home / _KEEPER).exists():
        (home / _KEEPER).unlink()
        notices.append("上次沒有正常停止，已清理 / the last run did not stop cleanly; cleared")
    data = (home / postgres.DATA).resolve()
    for name, pid in (("Postgres", _postmaster(data)), ("Temporal", _holder(home / "temporal.db"))):
        if pid is not None and not processes.wait_for_end(pid, _SELF_ENDING_S):
            os.kill(pid, signal.SIGKILL)
            processes.wait_for_end(pid, _LEFTOVER_S)
            notices.append(f"結束了遺留的 {name} 進程 {pid} / ended a leftover {name} process {pid}")
    # its number may be another process's by now, and Postgres would then refuse to start
    (data / "postmaster.pid").unlink(missing_ok=True)
    return tuple(notices)


def _postmaster(data: Path) -> int | None:
    """The process that holds the data folder, if it lives: Postgres works inside the folder that it holds."""
    with suppress(OSError, IndexError, ValueError):
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        return pid if Path(f"/proc/{pid}/cwd").resolve(strict=True) == data else None
    return None


def _holder(database: Path) -> int | None:
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):  # noqa: PTH208 - names, not paths
        if _mentions(pid, str(database)):
            return pid
    return None


def _mentions(pid: int, text: str) -> bool:
    """Whether that word stands alone in the process's command line."""
    with suppress(OSError):
        return os.fsencode(text) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return False
