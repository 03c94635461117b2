"""A finance service of another office pays S1's tranches by a bank, while everything is killed: each is paid once."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import bootstrap
from application.api_keys import issue_key
from application.callbacks import Senders
from application.caller import ScopeName
from domain.kernel.identifier import Actor
from domain.project.disbursement import PayDisbursement
from local import processes
from runtime.identity import open_identity
from runtime.outbox import open_secret_box
from scenarios.format import Scenario
from scenarios.plan import plan
from scenarios.play import SilentPlay, _Play, bundles
from schemes.document import read
from store.identity import SeatGrant
from store.port import EntryKind
from tests.workflows.breakable import Breakable, breakable
from tests.workflows.processes import HOUSE, kill
from tests.workflows.waiting import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator, Sequence

    from scenarios.plan import PlannedCommand

SERVICE = Path(__file__).with_name("finance_service.py")
TREASURY = (SeatGrant(seat=Actor("FISCAL#1")),)
PATIENCE_S = 300.0
KILLED = ["finance", "http", "worker", "temporal", "postgres"]
EVERY_S = (0.3, 1.5)
"""Between two blows."""


@dataclass
class PaymentParties:
    """The house, its HTTP process, and on the other side a finance service and a bank."""

    house: Breakable
    folder: Path
    port: int
    bank_port: int
    secret: str
    key: str
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start that process."""
        words = {
            "http": [str(HOUSE / "http_server.py")],
            "finance": [str(SERVICE)],
            "bank": ["-m", "sandbox", "bank", str(self.bank_port)],
        }[name]
        server, settings = f"http://127.0.0.1:{self.port}", self.house.settings
        environment = {key: value for key, value in os.environ.items() if not key.startswith("VENTURE_")}
        environment |= {
            "PYTHONPATH": os.pathsep.join((str(HOUSE), str(HOUSE / "client"))),
            "VENTURE_HOME": str(settings.home),
            "VENTURE_TASK_QUEUE": settings.task_queue,
            "VENTURE_HTTP_PORT": str(self.port),
            **{f"SANDBOX_{key}": value for key, value in (("SERVER", server), ("SENDER", "bank"))},
            **{f"SANDBOX_{key}": value for key, value in (("SECRET", self.secret), ("KEY", self.key))},
            **{f"FINANCE_{key}": value for key, value in (("FOLDER", str(self.folder)), ("SERVER", server))},
            **{f"FINANCE_{key}": value for key, value in (("BANK", self.bank_address), ("KEY", self.key))},
        }
        log = self.house.settings.home / "logs" / f"{name}.log"
        self.running[name] = processes.spawn(
            [sys.executable, *words], log=log, when_parent_dies=signal.SIGKILL, env=environment
        )

    @property
    def bank_address(self) -> str:
        return f"http://127.0.0.1:{self.bank_port}"

    def keep(self) -> None:
        """Start again what has ended, as whoever keeps a service does."""
        self.house.keep_workers()
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.start(name)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Whatever ends while the block runs is started again."""

        async def keep() -> None:
            while True:
                self.keep()
                await asyncio.sleep(0.2)

        keeping = asyncio.create_task(keep())
        try:
            yield
        finally:
            keeping.cancel()

    def close(self) -> None:
        for process in self.running.values():
            kill(process)

    def find(self, name: str) -> subprocess.Popen[bytes]:
        """The process that is killed under that name."""
        servers = self.house.servers
        kept = {
            "worker": self.house.workers[0],
            "temporal": servers.temporal.process,
            "postgres": servers.postgres.process,
        }
        service = kept.get(name) or self.running[name]
        assert service is not None
        return service

    async def strike(self, times: int, dice: random.Random, struck: Counter[str]) -> None:
        """Kill each so often, at random, one after the other."""
        ahead = KILLED * times
        dice.shuffle(ahead)
        for name in ahead:
            await asyncio.sleep(dice.uniform(*EVERY_S))

            async def lives(name: str = name) -> bool:
                return self.find(name).poll() is None

            await until(lives)
            self.find(name).kill()
            struck[name] += 1

    def answers(self) -> list[dict[str, Any]]:
        """What the finance service has written down."""
        return [json.loads(path.read_text("utf-8")) for path in sorted(self.folder.glob("*.answer"))]


async def _open(stack: AsyncExitStack, home: Path) -> PaymentParties:
    settings = bootstrap.settings(home=home)
    house = await stack.enter_async_context(breakable(settings))
    now = datetime.now(UTC)
    async with open_identity(house.servers.postgres_url) as identity:
        secret = await Senders(identity, open_secret_box(settings)).add(
            "bank", TREASURY, made_by="seat:ADMIN#1", now=now
        )
        key = await issue_key(identity, "finance", TREASURY, [*ScopeName], lasting=timedelta(hours=3), now=now)
    folder = home / "finance"
    folder.mkdir()
    office = PaymentParties(house, folder, processes.free_port(), processes.free_port(), secret, key.text)
    stack.callback(office.close)
    for name in ("http", "bank", "finance"):
        office.start(name)
    return office


async def _pay_while_all_is_killed(home: Path, payments: int | None, times: int) -> Counter[str]:
    """S1 up to so many payments, or to its end; ``times`` for each payment, each is killed. How often it was."""
    document = read(Path(str(files("scenarios").joinpath("s1-hangzhou.yaml"))))
    whole = replace(plan(document.parse(Scenario), document), expectations=())
    dice, struck = random.Random(11), Counter[str]()  # noqa: S311 - where a blow falls, no secret
    async with AsyncExitStack() as stack:
        office = await _open(stack, home)
        await stack.enter_async_context(office.kept())
        player = _Play(whole, office.house.door, office.house.store, SilentPlay())
        await office.house.door.open_realm(whole.realm)
        await player._publish()
        await player._appoint()
        paid = 0
        for part in _split(whole.orders):
            last = part[-1]
            is_payment = isinstance(last.command, PayDisbursement)
            rows = part[:-1] if is_payment else part
            approval = rows[-1:] if is_payment else ()
            await _play(player, rows[: len(rows) - len(approval)])
            if not is_payment:
                continue
            paid += 1
            async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as under_fire:
                under_fire.create_task(office.strike(times, dice, struck))
                under_fire.create_task(_play(player, approval))
                under_fire.create_task(_wait_for_answers(office, paid))
            if paid == payments:
                break
        assert not player._result.deviations, player._result.as_json()
        await _require_once(office, player, paid)
        if payments is None:
            await player._check_projects()
            assert all(one.ok for one in player._result.projects.values()), player._result.as_json()
    return struck


def _split(orders: Sequence[PlannedCommand]) -> list[Sequence[PlannedCommand]]:
    """The rows, each part ending with a payment but the last."""
    parts: list[list[PlannedCommand]] = [[]]
    for row in orders:
        parts[-1].append(row)
        if isinstance(row.command, PayDisbursement):
            parts.append([])
    return [part for part in parts if part]


async def _play(player: _Play, rows: Sequence[PlannedCommand]) -> None:
    for bundle in bundles(rows):
        async for row, answer in player._send(bundle):
            player._judge(row, answer)


async def _wait_for_answers(office: PaymentParties, count: int) -> None:
    async def is_told() -> bool:
        return len(office.answers()) == count

    with suppress(TimeoutError):
        await until(is_told, within_s=PATIENCE_S)


async def _require_once(office: PaymentParties, player: _Play, count: int) -> None:
    """Each tranche was paid once, by the log and by the bank, and each wait ended by the true answer."""
    recorded: Counter[tuple[str, str, int]] = Counter()
    for project in ("PJ-1", "PJ-2"):
        stream = player._plan.stream(project)
        async for entry in office.house.store.read(stream):
            if entry.kind is EntryKind.EVENT and entry.type == "DisbursementPaid":
                data = json.loads(entry.data)
                recorded[stream.name, data["tranche"], data["amount"]] += 1
    async with httpx.AsyncClient(base_url=office.bank_address, trust_env=False) as bank:
        made = (await bank.get("/payments")).json()
        reports = (await bank.get("/reports")).json()
    tellings = office.answers()
    assert recorded == Counter((one["project"], one["tranche"], one["amount"]) for one in tellings)
    assert sorted(one["id"] for one in made) == sorted(one["approval"] for one in tellings)
    assert len(made) == len(tellings) == count
    assert {(one["course"], one["paid"] == one["amount"]) for one in tellings} == {("PAID", True)}
    assert all(201 in answers for answers in reports.values()), reports


@pytest.mark.full
async def test_a_tranche_is_paid_once_by_a_service_of_another_office_while_each_part_is_killed(tmp_path: Path) -> None:
    struck = await _pay_while_all_is_killed(tmp_path, payments=1, times=1)
    assert len(struck) == 5


@pytest.mark.release
@pytest.mark.timeout(1800)  # it ends when all is paid, however busy the machine is
async def test_all_tranches_of_s1_are_paid_once_while_each_part_is_killed_ten_times(tmp_path: Path) -> None:
    struck = await _pay_while_all_is_killed(tmp_path, payments=None, times=2)
    assert set(struck.values()) == {10}
