"""An installation by URL, each of its parts wrong in turn: every tool ends with what is wrong and what mends it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

import bootstrap
import temporal_client
from application.door import Door, NotKnown
from application.namespace import LOG_KEY, read_owner, seal_namespace
from application.workflow_carrier import WorkflowCarrier
from domain.kernel.identifier import Actor
from local import binaries, processes, temporal
from local.postgres import APPLICATION, AUDITOR, OWNER, SUPERUSER
from metrics import Metrics
from payload_keys import make_payload_key
from runtime.health import Health
from runtime.runtime import Runtime
from runtime.worker import run_worker
from store.migration import migrate
from store.postgres import PostgresStore, open_pool
from tests.cli.installation import PATIENCE_S, ROOT, in_process
from tests.docs.pages import blocks
from tests.keys import KEY, SEED
from tests.workflows.bureau import Bureau, verification
from tests.workflows.processes import HOUSE, kill
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from temporalio.client import Client

    from local import Servers

PAYLOAD_KEYS = f"k1:{'5' * 64}"


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def namespace(spoilt: Servers) -> str:
    """A namespace of this test's own, with what workflows are searched by."""
    return await _create_namespace(spoilt.temporal_address)


async def _create_namespace(address: str) -> str:
    name = f"n-{uuid4().hex[:8]}"
    words: list[tuple[str, ...]] = [("namespace", "create", "-n", name, "--retention", "8760h")]
    words += [
        ("search-attribute", "create", "-n", name, "--name", attribute, "--type", kind.title())
        for attribute, kind in bootstrap.SEARCH_ATTRIBUTES.items()
    ]
    for each in words:

        async def done(each: tuple[str, ...] = each) -> bool:  # a namespace takes a while to be known
            process = await asyncio.create_subprocess_exec(
                str(binaries.find_temporal()),
                "operator",
                *each,
                "--address",
                address,
                stderr=asyncio.subprocess.DEVNULL,
            )
            return await process.wait() == 0

        await until(done)
    return name


async def _create_log(servers: Servers, *, migrated: bool = True) -> str:
    """Another database on the same server; how the application reaches it."""
    name = f"log_{uuid4().hex[:8]}"
    await _execute(servers.postgres.url(SUPERUSER), f"CREATE DATABASE {name} OWNER {OWNER}")
    if migrated:
        await migrate(_in(servers.owner_url, name), app_role=APPLICATION, auditor_role=AUDITOR)
    return _in(servers.postgres_url, name)


def _in(url: str, database: str) -> str:
    return f"{url.rpartition('/')[0]}/{database}"


def _as_owner(servers: Servers, url: str) -> str:
    return _in(servers.owner_url, url.rpartition("/")[2])


def _environment(servers: Servers, namespace: str, **more: str) -> dict[str, str]:
    return {
        "VENTURE_ENV": "production",
        "VENTURE_POSTGRES_URL": servers.postgres_url,
        "VENTURE_TEMPORAL_ADDRESS": servers.temporal_address,
        "VENTURE_TEMPORAL_NAMESPACE": namespace,
        "VENTURE_DOOR_KEY": SEED,
        "VENTURE_PAYLOAD_KEYS": PAYLOAD_KEYS,
        **more,
    }


async def _examine(environment: dict[str, str], *words: str) -> dict[str, dict[str, Any]]:
    """What doctor finds; that it ends with findings, and with a mend for each."""
    words = words or ("--production",)
    answer = await asyncio.to_thread(in_process, ("doctor", *words, "-o", "json"), environment)
    assert answer.exit_code == 6, answer.output
    rows = {row["part"]: row for row in json.loads(answer.stdout)}
    for row in rows.values():
        assert bool(row["mend"]) == bool(row["mend_zh"]) == (row["ok"] is not True), row["part"]
    return rows


async def _list_probes(address: str, namespace: str) -> list[str]:
    client = await _connect(address, namespace)
    query = "WorkflowType = 'Probe' AND ExecutionStatus = 'Running'"
    return [workflow.id async for workflow in client.list_workflows(query)]


async def _connect(address: str, namespace: str, *payload_keys: str) -> Client:
    keys = ",".join(payload_keys) or PAYLOAD_KEYS
    return await temporal_client.connect_temporal(
        address, bootstrap.settings(temporal_namespace=namespace, payload_keys=keys)
    )


# ------------------------------------------------------------------------------------------------------ doctor


async def test_doctor_with_a_wrong_password_says_so_and_goes_on_with_temporal(spoilt: Servers, namespace: str) -> None:
    wrong = spoilt.postgres_url.replace(spoilt.postgres.passwords[APPLICATION], "wrong")
    rows = await _examine(_environment(spoilt, namespace, VENTURE_POSTGRES_URL=wrong))
    assert "password authentication failed" in rows["log (Postgres)"]["state"]
    assert "password" in rows["log (Postgres)"]["mend"]
    assert rows["Temporal"]["ok"]
    assert rows["retention"]["ok"]


async def test_doctor_at_a_database_that_nobody_migrated_names_the_files_and_the_command(
    spoilt: Servers, namespace: str
) -> None:
    empty = await _create_log(spoilt, migrated=False)
    rows = await _examine(_environment(spoilt, namespace, VENTURE_POSTGRES_URL=empty))
    assert "0001_tables.sql" in rows["schema"]["state"]
    assert rows["schema"]["mend"] == "run venture migrate"
    assert rows["Postgres fsync"]["ok"], "what the schema does not touch is told all the same"


@pytest.mark.full
async def test_doctor_at_a_database_newer_than_the_release_says_which_of_them_is_old(
    spoilt: Servers, namespace: str
) -> None:
    newer = await _create_log(spoilt)
    owner = _as_owner(spoilt, newer)
    await _execute(owner, "INSERT INTO venture.migrations (name, sha256) VALUES ('9999_later.sql', '00')")
    rows = await _examine(_environment(spoilt, namespace, VENTURE_POSTGRES_URL=newer), "--production")
    assert rows["schema"]["state"] == "newer than this release: 9999_later.sql"
    assert "install a newer one" in rows["schema"]["mend"]


async def test_doctor_without_a_namespace_says_how_it_is_made(spoilt: Servers) -> None:
    rows = await _examine(_environment(spoilt, "nowhere"))
    assert rows["namespace"]["ok"] is False
    assert rows["namespace"]["mend"] == "temporal operator namespace create -n nowhere --retention 8760h"
    assert rows["log (Postgres)"]["ok"]


@pytest.mark.full
async def test_doctor_after_the_worker_was_killed_says_that_none_answers_and_leaves_no_probe(
    spoilt: Servers, namespace: str, tmp_path: Path
) -> None:
    environment = _environment(spoilt, namespace)
    with _worker(environment, tmp_path / "worker.log") as worker:
        await _until_ready(tmp_path / "worker.log")
        kill(worker)
        rows = await _examine(environment)
    assert rows["worker answers"]["state"].startswith("no")
    assert "updates in flight" not in rows, "nothing is said of what could not be tried"
    assert rows["workers"]["ok"] is False
    assert await _list_probes(spoilt.temporal_address, namespace) == []


@pytest.mark.full
async def test_doctor_at_a_server_with_its_own_limit_finds_it_and_leaves_no_probe(
    spoilt: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(temporal.DYNAMIC, "history.maxInFlightUpdates")
    (tmp_path / "logs").mkdir()
    server = temporal.start(tmp_path, list(bootstrap.SEARCH_ATTRIBUTES.items()))
    try:
        await temporal.wait_until_ready(server, tmp_path)
        environment = _environment(
            spoilt,
            "default",
            VENTURE_TEMPORAL_ADDRESS=server.address,
            VENTURE_POSTGRES_URL=await _create_log(spoilt),
        )
        with _worker(environment, tmp_path / "worker.log"):
            await _until_ready(tmp_path / "worker.log")
            rows = await _examine(environment)
        assert rows["worker answers"]["ok"]
        assert rows["updates in flight"]["ok"] is False
        assert "maxInFlightUpdates=500" in rows["updates in flight"]["mend"]
        assert await _list_probes(server.address, "default") == []
    finally:
        assert server.process is not None
        await asyncio.to_thread(kill, server.process)


# ------------------------------------------------------------------------------------------------------ two logs


@pytest.mark.full
async def test_a_namespace_belongs_to_the_log_that_came_first_and_a_worker_on_another_refuses_to_serve(
    spoilt: Servers, namespace: str, tmp_path: Path
) -> None:
    first, second = await _create_log(spoilt), await _create_log(spoilt)
    for url in (first, second):
        async with _opened(url) as store:
            await Bureau("live", store, KEY).straight(
                Bureau("live", store, KEY).id("organisation", "ORG-1"), verification(), Actor("HOST#1")
            )
    with _worker(_environment(spoilt, namespace, VENTURE_POSTGRES_URL=first), tmp_path / "first.log"):
        await _until_ready(tmp_path / "first.log")
        environment = _environment(spoilt, namespace, VENTURE_POSTGRES_URL=second)
        refused = await _run_worker(environment)
        assert (refused.returncode, refused.stdout) == (4, "")
        assert len(refused.stderr.splitlines()) == 4, refused.stderr
        assert f"--data {LOG_KEY}=" in refused.stderr
        rows = await _examine(environment)
        assert rows["namespace"]["ok"] is False
        words = ("do", "verify-organisation", "ORG-9", "--as", "HOST#1", "name=甲", "-o", "json")
        answer = await asyncio.to_thread(in_process, words, environment)
        assert answer.exit_code == 4, answer.output
        assert json.loads(answer.stdout)["belongs_to"]


@pytest.mark.full
async def test_a_command_that_reaches_a_worker_on_another_log_is_recorded_in_neither_and_said_to_be_not_known(
    spoilt: Servers, namespace: str
) -> None:
    first, second = await _create_log(spoilt), await _create_log(spoilt)
    client = await _connect(spoilt.temporal_address, namespace)
    settings = bootstrap.settings(
        task_queue="crossed", door_key=SEED, temporal_namespace=namespace, payload_keys=PAYLOAD_KEYS
    )
    async with _opened(first) as ours, _opened(second) as theirs:
        for store in (ours, theirs):
            bureau = Bureau("live", store, KEY)
            await bureau.straight(bureau.id("organisation", "ORG-1"), verification(), Actor("HOST#1"))
        before = (await ours.last_position(), await theirs.last_position())
        async with run_worker(settings, client, theirs):
            door, stream = (
                Door(WorkflowCarrier(client, "crossed"), ours, KEY),
                bureau.id("organisation", "ORG-2"),
            )
            with pytest.raises(NotKnown):
                await door.send(stream, verification(), Actor("HOST#1"))
        assert (await ours.last_position(), await theirs.last_position()) == before


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[PostgresStore]:
    pool = await open_pool(url, largest=2)
    store = PostgresStore(pool)
    try:
        yield store
    finally:
        await store.aclose()
        pool.terminate()


# ------------------------------------------------------------------------------------------------------ the worker


@contextmanager
def _worker(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(HOUSE / "worker.py")]
    worker = processes.spawn(command, log=log, when_parent_dies=signal.SIGKILL, env=_clean(environment))
    try:
        yield worker
    finally:
        kill(worker)


def _clean(environment: dict[str, str]) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("VENTURE_")}
    return {**ours, "PYTHONPATH": str(HOUSE), **environment}


async def _until_ready(log: Path) -> None:
    async def ready() -> bool:
        return b"worker.ready" in await asyncio.to_thread(log.read_bytes)

    await until(ready)


async def _run_worker(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A worker that ends by itself."""
    command: Sequence[str] = [sys.executable, str(HOUSE / "worker.py")]
    return await asyncio.to_thread(
        subprocess.run,
        command,
        env=_clean(environment),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.full
async def test_a_worker_without_a_namespace_ends_in_words_that_mend_it_before_it_is_ready(spoilt: Servers) -> None:
    ended = await _run_worker(_environment(spoilt, "nowhere", VENTURE_LOG_FORMAT="json"))
    (line,) = ended.stderr.splitlines()
    line_of_log = json.loads(line)
    assert (ended.returncode, line_of_log["event"]) == (5, "worker.refused")
    assert line_of_log["remedy_en"].startswith("temporal operator namespace create -n nowhere")


@pytest.mark.full
async def test_a_worker_whose_port_is_taken_names_the_setting(spoilt: Servers, namespace: str) -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = str(server.sockets[0].getsockname()[1])
    async with server:
        for setting in ("VENTURE_HEALTH_PORT", "VENTURE_SDK_METRICS_PORT"):
            ended = await _run_worker(_environment(spoilt, namespace, **{setting: port}))
            assert ended.returncode == 5, ended.stderr
            assert setting in ended.stderr
            assert "Traceback" not in ended.stderr
            assert "worker.ready" not in ended.stderr


@pytest.mark.full
async def test_a_worker_and_a_command_at_a_database_that_nobody_migrated_say_what_to_run(
    spoilt: Servers, namespace: str
) -> None:
    environment = _environment(spoilt, namespace, VENTURE_POSTGRES_URL=await _create_log(spoilt, migrated=False))
    ended = await _run_worker(environment)
    assert (ended.returncode, "venture migrate" in ended.stderr) == (5, True), ended.stderr
    for words in (("project", "list"), ("do", "verify-organisation", "ORG-9", "--as", "HOST#1", "name=甲")):
        answer = await asyncio.to_thread(in_process, words, environment)
        assert (answer.exit_code, "venture migrate" in answer.stderr) == (5, True), answer.output


# ------------------------------------------------------------------------------------------------------ migrate


async def _migrate(url: str) -> tuple[int, dict[str, str]]:
    answer = await asyncio.to_thread(
        in_process,
        ("migrate", "--reason", "升級", "-o", "json"),
        {"VENTURE_POSTGRES_OWNER_URL": url, "VENTURE_HOME": "/nonexistent"},
    )
    return answer.exit_code, json.loads(answer.stdout)


async def test_migrate_says_who_may_when_another_role_asks(spoilt: Servers) -> None:
    empty = await _create_log(spoilt, migrated=False)
    code, failure = await _migrate(empty)
    assert (code, "venture_owner" in failure["en"]) == (4, True), failure


async def test_migrate_with_a_wrong_password_or_without_a_server_ends_in_one_line(spoilt: Servers) -> None:
    wrong = spoilt.owner_url.replace(spoilt.postgres.passwords[OWNER], "wrong")
    code, failure = await _migrate(wrong)
    assert (code, "password authentication failed" in failure["en"]) == (5, True), failure
    code, failure = await _migrate(f"postgresql://venture_owner:x@127.0.0.1:{processes.free_port()}/venture")
    assert (code, failure["remedy_en"] != "") == (5, True), failure


@pytest.mark.full
async def test_migrate_without_the_standby_that_is_to_confirm_it_does_not_hang(spoilt: Servers) -> None:
    empty = await _create_log(spoilt, migrated=False)
    owner = _as_owner(spoilt, empty)
    superuser, here = spoilt.postgres.url(SUPERUSER), "SET synchronous_commit = local"
    await _execute(superuser, "ALTER SYSTEM SET synchronous_standby_names = 'away'", "SELECT pg_reload_conf()")
    try:
        code, failure = await _migrate(owner)
        assert (code, "no synchronous standby confirmed" in failure["en"]) == (4, True), failure
    finally:
        mends = ("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        await _execute(superuser, here, *mends)
    code, failure = await _migrate(owner)
    assert code == 0, failure


# ------------------------------------------------------------------------------------------------------ readiness


@asynccontextmanager
async def _health(servers: Servers, namespace: str, *payload_keys: str) -> AsyncIterator[Health]:
    """What a worker there says of itself."""
    settings = bootstrap.settings(temporal_namespace=namespace, payload_keys=PAYLOAD_KEYS)
    client = await _connect(servers.temporal_address, namespace, *payload_keys)
    pool = await open_pool(servers.postgres_url)
    store = PostgresStore(pool)
    door = Door(WorkflowCarrier(client, settings.task_queue), store, KEY)
    try:
        yield Health(Runtime(settings, store, None, client, door, door, door), Metrics())
    finally:
        await store.aclose()
        pool.terminate()


async def _ask_health(health: Health) -> tuple[str, str, bool]:
    """Status and words of ``/readyz``, and whether the figure for Prometheus is 1."""
    (status, _, body), (_, _, figures) = await health.answer("GET", "/readyz"), await health.answer("GET", "/metrics")
    return status.partition(" ")[0], body.decode(), b"\nventure_ready 1.0\n" in figures


async def test_ready_is_who_has_the_namespace_and_the_standbys_that_a_command_needs(
    spoilt: Servers, namespace: str
) -> None:
    superuser, here = spoilt.postgres.url(SUPERUSER), "SET synchronous_commit = local"
    async with _health(spoilt, "nowhere") as homeless:
        status, body, figure = await _ask_health(homeless)
        assert (status, "no namespace nowhere" in body, figure) == ("503", True, False), body
    async with _health(spoilt, namespace) as health:
        assert await _ask_health(health) == ("200", "ready\n", True)
        await _execute(superuser, "ALTER SYSTEM SET synchronous_standby_names = 'away'", "SELECT pg_reload_conf()")
        try:

            async def is_refused() -> bool:  # a setting takes a moment to reach every connection
                return (await _ask_health(health))[0] == "503"

            await until(is_refused)
            status, body, figure = await _ask_health(health)
            assert (status, "standby" in body, figure) == ("503", True, False), body
        finally:
            mends = ("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
            await _execute(superuser, here, *mends)


async def test_ready_is_who_opens_what_the_other_workers_seal_while_a_key_is_changed_too(
    spoilt: Servers, namespace: str
) -> None:
    old, new, wrong = make_payload_key(), make_payload_key(), make_payload_key()

    async def start(*keys: str, anew: bool = False) -> tuple[str, str, bool]:
        await seal_namespace(await _connect(spoilt.temporal_address, namespace, *keys), anew=anew)
        async with _health(spoilt, namespace, *keys) as health:
            return await _ask_health(health)

    ready = ("200", "ready\n", True)
    assert await start(old) == ready
    status, body, figure = await start(wrong)
    assert (status, "payload keys: " in body, figure) == ("503", True, False), body
    assert len(body.splitlines()) == 1
    for keys in ((old, new), (new, old), (old, new), (new, old), (new,)):
        assert await start(*keys) == ready, "a worker with yesterday's order may start again between"
    assert (await start(old))[0] == "503", "which was taken off"
    assert await start(wrong, anew=True) == ready, "all keys were lost, and workflows are begun anew"
    assert await read_owner(await _connect(spoilt.temporal_address, namespace)) == "", "the other mark was not touched"


# ------------------------------------------------------------------------------------------------------ first days


@pytest.mark.full
async def test_the_first_days_go_as_the_guide_has_them_typed(spoilt: Servers, namespace: str, tmp_path: Path) -> None:
    environment = _environment(spoilt, namespace, VENTURE_POSTGRES_URL=await _create_log(spoilt))
    (block,) = blocks(ROOT / "docs" / "operations.md", "sh founding")
    digest = ""
    with _worker(environment, tmp_path / "worker.log"):
        await _until_ready(tmp_path / "worker.log")
        for line in block.splitlines():
            words, _, promised = line.replace("DIGEST", digest).partition(" # exit ")
            program, *arguments = shlex.split(words)
            answer = await asyncio.to_thread(in_process, tuple(arguments), environment)
            assert (program, answer.exit_code) == ("venture", int(promised or 0)), f"{line}\n{answer.output}"
            proposed = re.search(r"(?:校驗值|digest)\D*([0-9a-f]{8})", answer.output)
            digest = proposed[1] if proposed else digest
