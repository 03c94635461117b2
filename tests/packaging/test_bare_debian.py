"""The installation without containers of docs/operations.md, typed in a Debian that has nothing, run by its systemd."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local import processes
from tests.docs.pages import ROOT, blocks
from tests.packaging.deployment import certify
from tests.packaging.test_deploy import UNITS
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDED = ("debootstrap", "systemd-nspawn", "nsenter")
PACKAGES = "systemd-sysv,dbus,ca-certificates"
"""What every Debian has that boots and reaches https."""
SECOND = """
sed -e 's#/venture$#/second#; s#log_1#log_2#' /etc/venture/log.env > /etc/venture/second.env
cd /opt/venture/postgres/bin
runuser -u postgres -- env $(cat /etc/venture/second.env) ./standby.sh log_2 "host=127.0.0.1 port=5432"
systemd-run -q -p User=postgres -p EnvironmentFile=/etc/venture/second.env \\
  /usr/bin/env postgres -D /var/lib/postgresql/second -p 5433
systemd-run -q /opt/venture/bin/temporal server start-dev --headless --namespace venture \\
  --search-attribute VentureStage=Keyword --search-attribute VentureDueAt=Datetime
asked="/opt/venture/bin/temporal operator namespace describe --address 127.0.0.1:7233 -n venture"
until $asked > /dev/null 2>&1; do sleep 0.5; done
"""
"""What stands on other machines: a standby, for without one nothing is answered, and Temporal."""
BEYOND = {
    *("Postgres synchronous_standby", "retention", "updates in flight", "Temporal store", "history shards"),
    *("TLS to Temporal", "strangers at Temporal"),
}
"""What doctor finds of one standby instead of two, and of a development server of Temporal."""


class Machine:
    """A folder with a Debian in it: first without its own systemd, then booted with a loopback of its own."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        subprocess.run(  # noqa: S603 - ours
            ["/usr/sbin/debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(tree)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        self._booted: subprocess.Popen[bytes] | None = None

    def install(self, script: str) -> None:
        """Type it before the machine is up, on this machine's network and by its certificates."""
        outward = [f"--bind-ro={path}" for path in ("/etc/hosts", "/etc/ssl/certs/ca-certificates.crt")]
        command = ["systemd-nspawn", "-q", "--register=no", "--keep-unit", "-D", str(self.tree), *outward]
        shell = ["--chdir=/srv/release", "--setenv=DEBIAN_FRONTEND=noninteractive", "bash", "-euc", script]
        subprocess.run([*command, *shell], check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - ours

    def boot(self, log: Path) -> None:
        """Start its systemd; it ends with this process."""
        unified = Path("/sys/fs/cgroup/cgroup.controllers").exists()
        self._booted = processes.spawn(
            ["systemd-nspawn", "--register=no", "--keep-unit", "--private-network", "-D", str(self.tree), "--boot"],
            log=log,
            when_parent_dies=signal.SIGTERM,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1" if unified else "0"},
        )

    def type(self, script: str, exits: tuple[int, ...] = (0,)) -> str:
        """What it printed, as root there."""
        assert self._booted is not None
        children = Path(f"/proc/{self._booted.pid}/task/{self._booted.pid}/children").read_text()
        inside = ["nsenter", "-t", children.split()[0], "-a", "env", "-i", "PATH=/usr/sbin:/usr/bin", "HOME=/root"]
        done = subprocess.run([*inside, "bash", "-euc", script], capture_output=True, text=True, check=False)  # noqa: S603 - ours
        assert done.returncode in exits, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    async def until_up(self) -> None:
        """Wait until its systemd has started everything."""

        async def up() -> bool:
            try:
                return "running" in self.type("systemctl is-system-running", exits=(0, 1))
            except (AssertionError, IndexError):
                return False

        await until(up)

    def close(self) -> None:
        """Turn it off and leave nothing."""
        if self._booted is not None:
            processes.stop(self._booted, signal.SIGTERM)
        # never into what is mounted there: a debootstrap that was broken off leaves /proc and /sys
        subprocess.run(["/bin/rm", "-rf", "--one-file-system", str(self.tree)], check=False)  # noqa: S603 - ours


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A Debian with nothing in it but the unpacked release."""
    if os.geteuid() != 0 or not all(map(shutil.which, NEEDED)):
        pytest.skip(f"wants root and {', '.join(NEEDED)}")
    bare = Machine(tmp_path / "tree")
    try:
        tracked = subprocess.run(["/usr/bin/git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
        with tarfile.open(tmp_path / "release.tar", "w") as release:
            for name in tracked.stdout.splitlines():
                release.add(ROOT / name, name)
        with tarfile.open(tmp_path / "release.tar") as release:
            release.extractall(bare.tree / "srv" / "release", filter="data")
        yield bare
    finally:
        bare.close()


def _read(block: str) -> str:
    (text,) = blocks(ROOT / "docs" / "operations.md", f"sh debian-{block}")
    return text.replace("log-1,log-2,log-3:5432", "127.0.0.1:5432").replace("temporal:7233", "127.0.0.1:7233")


@pytest.mark.release
@pytest.mark.timeout(1800)
async def test_what_the_page_says_installs_on_a_bare_debian_and_serves(machine: Machine, tmp_path: Path) -> None:
    machine.install(_read("programs"))
    certs = machine.tree / "etc" / "venture" / "certs"
    certs.mkdir(parents=True)
    certify(certs)
    machine.boot(tmp_path / "boot.log")
    await machine.until_up()
    machine.type(_read("log"))
    machine.type(SECOND)
    machine.type(_read("venture"))
    units = " ".join(f"/etc/systemd/system/{unit.name}" for unit in UNITS)
    machine.type(f"systemd-analyze verify --man=no {units}")

    async def wrong() -> set[str]:
        setting = _read("venture").splitlines()[-4:-2]
        asked = "\n".join([*setting, "/opt/venture/bin/venture doctor --production -o json"])
        rows: list[dict[str, Any]] = json.loads(machine.type(asked, exits=(0, 6)))
        return {row["part"] for row in rows if row["ok"] is False}

    async def well() -> bool:
        return await wrong() <= BEYOND

    await until(well, within_s=120)
    for port in (8081, 8082):
        machine.type(f"python3 -c 'import urllib.request as r; r.urlopen(\"http://127.0.0.1:{port}/readyz\")'")
    machine.type("systemctl start venture-verify && systemctl reload venture-log")
    assert machine.type("systemctl is-active venture-log venture-worker@1 venture-worker@2 venture-verify.timer") == (
        "active\n" * 4
    )
