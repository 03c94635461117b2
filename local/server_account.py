"""As whom Postgres runs where we are root, which it refuses: no account is made and no folder's mode changed."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local import processes
from local.failure import LocalServerFailure

NOBODY = 65534
_IN_A_NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
_PLACES = Path("/var/tmp")  # noqa: S108 - what is there already is used only if it is ours
_HEADERS = shutil.ignore_patterns("include")


@dataclass(frozen=True)
class ServerAccount:
    """Whom Postgres runs as, and what that one can reach."""

    prefix: tuple[str, ...] = ()
    """Words before each of its commands: a user namespace, in which root's own files are nobody's."""
    uid: int = 0
    """The user to become before each of its commands; 0 to stay."""
    place: Path | None = None
    """A folder of that user's own, where it can reach neither the state folder nor the binaries."""

    def data_folder(self, path: Path) -> Path:
        """Where the data goes that is to be found at that path: there, or in the place with a link to it."""
        return path if self.place is None else self.place / path.name

    def own(self, path: Path) -> None:
        """Give a file to the user that must read it."""
        if self.uid:
            os.chown(path, self.uid, self.uid)

    def within_reach(self, bin_folder: Path) -> Path:
        """The folder of binaries, copied if the user cannot run them where they are."""
        if self.place is None or self._runs(bin_folder / "postgres"):
            return bin_folder
        installed, package = bin_folder.parent, bin_folder.parent.parent
        copied = self.place / package.name / installed.name
        if not self._runs(copied / bin_folder.name / "postgres"):
            shutil.copytree(installed, copied, symlinks=True, dirs_exist_ok=True, ignore=_HEADERS)
            libraries = package.with_name(f"{package.name}.libs")  # a wheel's binaries look for their libraries there
            if libraries.exists():
                shutil.copytree(libraries, self.place / libraries.name, symlinks=True, dirs_exist_ok=True)
        return copied / bin_folder.name

    def _runs(self, binary: Path) -> bool:
        command = processes.bind_command([str(binary), "--version"], when_parent_dies=signal.SIGKILL, uid=self.uid)
        return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0  # noqa: S603 - ours


def choose_account(home: Path, data: Path) -> ServerAccount:
    """Whom Postgres runs as on this machine. Raises LocalServerFailure if the data belongs to another arrangement."""
    if os.geteuid() != 0:
        return ServerAccount()
    if data.is_symlink():
        return ServerAccount(uid=NOBODY, place=_place(home))
    if _may_use_namespaces():
        return ServerAccount(prefix=_IN_A_NAMESPACE)
    if data.exists():
        raise LocalServerFailure(
            f"本機現已不允許用戶命名空間，root 無法再打開 {data}：請恢復該設置，或 ./run reset",
            f"user namespaces are no longer allowed, so root cannot open {data}: allow them again, or ./run reset",
        )
    return ServerAccount(uid=NOBODY, place=_place(home))


def forget(home: Path) -> None:
    """Remove what was kept outside the state folder, if anything was."""
    place = _where(home)
    if os.geteuid() == 0 and place.exists():
        shutil.rmtree(_require_ours(place))


def _where(home: Path) -> Path:
    return _PLACES / f"venture-{hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]}"


def _place(home: Path) -> Path:
    place = _where(home)
    if not place.exists():
        place.mkdir(mode=0o700)
        os.chown(place, NOBODY, NOBODY)
    return _require_ours(place)


def _require_ours(place: Path) -> Path:
    """That folder, if it is one and nobody else's. Raises LocalServerFailure if somebody put something else there."""
    status = place.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (0, NOBODY):
        raise LocalServerFailure(f"{place} 屬於他人，請先移走", f"{place} belongs to somebody else: move it away first")
    return place


@functools.cache
def _may_use_namespaces() -> bool:
    trial = subprocess.run([*_IN_A_NAMESPACE, "true"], capture_output=True, check=False)  # noqa: S603 - fixed words
    return trial.returncode == 0
