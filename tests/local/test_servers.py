from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

import bootstrap
import local
import temporal_client
from local import binaries, postgres, processes, server_account, temporal
from local.postgres import APPLICATION, AUDITOR, OWNER, SUPERUSER
from payload_keys import make_payload_key
from tests.local import process_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bootstrap import Settings
    from local import Servers

ROOT = Path(__file__).parents[2]
LOOPBACK = "0100007F"
ROLES = (SUPERUSER, OWNER, APPLICATION, AUDITOR)


def own_pids(servers: Servers) -> list[int]:
    assert servers.postgres.process is not None
    assert servers.temporal.process is not None
    return [*process_table.family(servers.postgres.process.pid), *process_table.family(servers.temporal.process.pid)]


async def query_value(url: str, query: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@contextmanager
def keeping(home: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that is about to keep the servers of that folder."""
    command = [sys.executable, str(Path(__file__).with_name("keeper.py")), str(home), *more]
    process = subprocess.Popen(  # noqa: S603 - our own
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


def read_answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What it says when the servers are there."""
    assert process.stdout is not None
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


@contextmanager
def keeper(home: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Another process that keeps the servers of that folder, ``log`` without Temporal, and what it said then."""
    with keeping(home, *more) as process:
        yield process, read_answer(process)


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(5)


def none_left(home: Path, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while process_table.named(str(home)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def somebody() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us."""
    with subprocess.Popen(["sleep", "60"]) as stranger:  # noqa: S607 - any will do
        yield stranger
        stranger.kill()


def owner_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


async def until(so: Callable[[], bool]) -> None:
    for _ in range(200):
        if so():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it did not come to that within ten seconds")


# What they are


async def test_both_servers_answer(servers: Servers, settings: Settings) -> None:
    assert await query_value(servers.postgres_url, "SELECT current_user") == APPLICATION
    client = await temporal_client.connect_temporal(servers.temporal_address, settings)
    assert await client.service_client.check_health()


async def test_they_listen_on_the_loopback_address_only(servers: Servers) -> None:
    listeners = process_table.listeners(own_pids(servers))
    assert {one.port for one in listeners} >= {servers.postgres.port, servers.temporal.port}
    assert {one.address for one in listeners} == {LOOPBACK}


@pytest.mark.full
async def test_temporals_pages_are_shown_if_asked_for_and_on_the_loopback_address_only(tmp_path: Path) -> None:
    async with local.servers(bootstrap.settings(home=tmp_path / "home", temporal_ui=True)) as servers:
        assert servers.temporal.ui_port is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", servers.temporal.ui_port)
        writer.write(b"GET /namespaces/default/workflows HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        answer = await reader.read()
        writer.close()
        assert b" 200 " in answer.splitlines()[0]
        assert b"<html" in answer
        assert {one.address for one in process_table.listeners(own_pids(servers))} == {LOOPBACK}


async def test_postgres_opens_no_socket_file(servers: Servers) -> None:
    assert process_table.unix_sockets(own_pids(servers)) == []


@pytest.mark.parametrize("role", ROLES)
async def test_a_wrong_password_is_refused(servers: Servers, role: str) -> None:
    url = servers.postgres.url(role)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url, password="guessed")


async def test_no_password_is_refused(servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    bare = servers.owner_url.replace(f":{servers.postgres.passwords[OWNER]}@", "@")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(bare)


async def test_every_door_asks_for_scram(servers: Servers) -> None:
    rules = "SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules"
    kept = "SELECT count(*) FROM pg_authid WHERE rolcanlogin AND rolpassword NOT LIKE 'SCRAM-SHA-256$%'"
    superuser = servers.postgres.url(SUPERUSER)
    assert await query_value(superuser, rules) == "scram-sha-256"
    assert await query_value(superuser, kept) == 0


async def test_only_the_superuser_is_one(servers: Servers) -> None:
    query = "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper OR rolbypassrls OR rolreplication"
    assert await query_value(servers.postgres.url(SUPERUSER), query) == SUPERUSER


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("data_checksums", "on"),
        ("synchronous_commit", "on"),  # fsync and full_page_writes, which these servers forgo: tests/cli/test_doctor.py
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ],
)
async def test_postgres_loses_nothing_that_it_accepted(servers: Servers, setting: str, value: str) -> None:
    assert await query_value(servers.postgres_url, f"SHOW {setting}") == value


async def test_order_of_text_does_not_depend_on_the_machine(servers: Servers) -> None:
    names = await query_value(
        servers.postgres_url, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,B,a,Z,𠮷,一}'::text[]) x"
    )
    assert names == "BZab一𠮷"


async def test_temporal_remembers_closed_workflows_for_a_year(servers: Servers, settings: Settings) -> None:
    client = await temporal_client.connect_temporal(servers.temporal_address, settings)
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert f"{described.config.workflow_execution_retention_ttl.seconds // 3600}h" == temporal.RETENTION


async def test_temporal_knows_our_search_attributes(servers: Servers, settings: Settings) -> None:
    client = await temporal_client.connect_temporal(servers.temporal_address, settings)
    known = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    for name, kind in bootstrap.SEARCH_ATTRIBUTES.items():
        assert known.custom_attributes[name] == IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{kind}")


# The folder


async def test_the_folder_is_for_its_owner_only(servers: Servers, settings: Settings) -> None:
    assert servers.ours
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700
    for secret in (settings.home / "passwords").iterdir():
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


async def test_every_role_has_a_password_of_its_own(servers: Servers) -> None:
    passwords = [servers.postgres.passwords[role] for role in ROLES]
    assert len(set(passwords)) == len(ROLES)
    assert all(len(password) >= 32 for password in passwords)


async def test_the_folder_says_where_the_servers_are_and_no_secret(servers: Servers, settings: Settings) -> None:
    keeper = json.loads((settings.home / "servers.json").read_text())
    assert (keeper["pid"], keeper["postgres_port"], keeper["temporal_port"]) == (
        os.getpid(),
        servers.postgres.port,
        servers.temporal.port,
    )
    assert not any(password in json.dumps(keeper) for password in servers.postgres.passwords.values())


@pytest.mark.full
async def test_the_next_start_finds_the_data(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    async with local.servers(settings) as first:
        await query_value(first.owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
        ports = {first.postgres.port, first.temporal.port}
    assert none_left(settings.home, 0)
    assert not (settings.home / "servers.json").exists()
    async with local.servers(settings) as second:
        assert await query_value(second.owner_url, "SELECT n FROM kept") == 7
        assert second.cleared == ()
        assert ports == {second.postgres.port, second.temporal.port}, "whoever waits finds them again"


async def test_an_empty_folder_takes_part_in_nothing(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    assert await local.find_running(settings) is None
    assert await local.stop(settings) is False
    assert await local.reset(settings) is False
    assert not settings.home.exists()


async def test_somebody_elses_folder_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(local.LocalServerFailure, match="home"):
        async with local.servers(bootstrap.settings(home=tmp_path / "home")):
            pass


# Two processes


@pytest.mark.full
async def test_a_second_process_uses_the_servers_of_the_first(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    with keeper(settings.home) as (_, answer):
        async with local.servers(settings) as servers:
            assert not servers.ours
            assert servers.owner_url == answer["owner_url"]
        running = await local.find_running(settings)
        assert running is not None
        assert await query_value(running.owner_url, "SELECT 1") == 1
    assert none_left(settings.home, 5)


def released(process: subprocess.Popen[str]) -> None:
    """The keeper has done its own work, and has said that others have not."""
    assert process.stdin is not None
    process.stdin.close()
    assert "stop with the last of them" in read_answer(process)["told"]


@pytest.mark.full
async def test_the_last_one_to_leave_stops_the_servers_whoever_started_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    with keeper(settings.home, "log") as (process, _):
        async with local.servers(settings, with_temporal=False) as servers:
            released(process)
            async with local.servers(settings, with_temporal=False) as newcomer:
                assert (newcomer.ours, newcomer.owner_url) == (False, servers.owner_url)
            with monkeypatch.context() as at_once:
                at_once.setattr(import_module("local.servers"), "_STOPPING_S", 0.3)
                with pytest.raises(local.ServersHeld, match=str(process.pid)):
                    await local.reset(settings)
            assert await query_value(servers.owner_url, "SELECT 1") == 1, "nobody is cut off, by a reset neither"
            assert process.poll() is None
        assert process.wait(10) == 0
    assert none_left(settings.home, 0)
    assert not (settings.home / "servers.json").exists()


@pytest.mark.full
@pytest.mark.parametrize("blow", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda blow: blow.name)
async def test_a_keeper_that_waits_for_others_ends_at_once_when_told_and_leaves_nothing(
    tmp_path: Path, blow: signal.Signals
) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    with keeper(settings.home, "log") as (process, _):
        async with local.servers(settings, with_temporal=False) as servers:
            await query_value(servers.owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
            released(process)
            process.send_signal(blow)
            process.wait(10)
            assert none_left(settings.home, 5)
    async with local.servers(settings, with_temporal=False) as again:
        assert await query_value(again.owner_url, "SELECT n FROM kept") == 7


@pytest.mark.full
async def test_a_guest_that_is_killed_keeps_nothing_up(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with keeper(home, "log") as (process, _), keeper(home, "log") as (guest, answer):
        assert not answer["ours"]
        released(process)
        killed(guest)
        assert process.wait(10) == 0
    assert none_left(home, 0)


@pytest.mark.full
async def test_whoever_only_reads_starts_no_temporal_until_somebody_wants_it(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    async with local.servers(settings, with_temporal=False) as servers:
        assert await query_value(servers.owner_url, "SELECT 1") == 1
        await asyncio.sleep(1)
        assert servers.temporal.process is None
        await servers.ensure_temporal()
        client = await temporal_client.connect_temporal(servers.temporal_address, settings)
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        assert f"{described.config.workflow_execution_retention_ttl.seconds // 3600}h" == temporal.RETENTION
    assert none_left(settings.home, 5)


@pytest.mark.full
async def test_a_guest_that_wants_temporal_has_the_keeper_start_it(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    with keeper(settings.home, "log") as (_, answer):
        assert answer["temporal_pid"] is None
        async with local.servers(settings, with_temporal=False) as reader:
            assert await query_value(reader.owner_url, "SELECT 1") == 1
            assert not processes.is_free(reader.postgres.port)
            assert processes.is_free(reader.temporal.port)
        async with local.servers(settings) as worker:
            assert not worker.ours
            assert not processes.is_free(worker.temporal.port)
    assert none_left(settings.home, 5)


@pytest.mark.full
def test_two_that_start_at_once_share_what_one_of_them_starts(tmp_path: Path) -> None:
    with keeping(tmp_path / "home") as one, keeping(tmp_path / "home") as other:
        answers = [read_answer(one), read_answer(other)]
        for process in (one, other):
            assert process.stdin is not None
            process.stdin.close()
    assert sorted(answer["ours"] for answer in answers) == [False, True]
    assert answers[0]["owner_url"] == answers[1]["owner_url"]


@pytest.mark.full
async def test_no_listener_outlives_a_killed_keeper(tmp_path: Path) -> None:
    with keeper(tmp_path / "home") as (process, answer):
        family = process_table.family(process.pid)
        assert {answer["postgres_pid"], answer["temporal_pid"]} <= set(family)
        killed(process)
        assert none_left(tmp_path / "home", 5)
        assert process_table.listeners(family) == []


@pytest.mark.full
async def test_what_a_killed_keeper_left_is_cleared_in_words_and_the_data_stays(tmp_path: Path) -> None:
    with keeper(tmp_path / "home") as (process, answer):
        await query_value(answer["owner_url"], "CREATE TABLE kept AS SELECT 7 AS n")
        killed(process)
    async with local.servers(bootstrap.settings(home=tmp_path / "home")) as servers:
        assert servers.ours
        assert any("上次沒有正常停止" in words for words in servers.cleared)
        assert await query_value(servers.owner_url, "SELECT n FROM kept") == 7


@pytest.mark.full
async def test_an_orphan_that_holds_the_data_is_ended_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("local.servers"), "_SELF_ENDING_S", 0.2)
    settings = bootstrap.settings(home=tmp_path / "home")
    async with local.servers(settings):
        pass
    data = settings.home / postgres.DATA
    account = server_account.choose_account(settings.home, data)
    orphan = processes.spawn(
        [
            *account.prefix,
            str(binaries.find_postgres() / "postgres"),
            "-D",
            str(data),
            "-p",
            str(processes.free_port()),
            "-k",
            "",
        ],
        log=settings.home / "logs" / "orphan.log",
        when_parent_dies=signal.SIGINT,
        uid=account.uid,
    )
    await until((data / "postmaster.pid").exists)
    async with local.servers(settings) as servers:
        assert any(str(orphan.pid) in words for words in servers.cleared)
    assert orphan.wait(5) == -signal.SIGKILL


@pytest.mark.full
async def test_a_stale_pid_file_never_ends_a_stranger(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    async with local.servers(settings):
        pass
    with somebody() as stranger:
        (settings.home / postgres.DATA / "postmaster.pid").write_text(
            f"{stranger.pid}\n{settings.home}\n1\n1\n\n127.0.0.1\n"
        )
        async with local.servers(settings) as servers:
            assert await query_value(servers.owner_url, "SELECT 1") == 1
        assert stranger.poll() is None


@pytest.mark.full
async def test_a_keeper_can_be_asked_to_stop(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    with keeper(settings.home) as (process, _):
        assert await local.stop(settings) is True
        process.wait(5)
        assert none_left(settings.home, 5)
    assert await local.stop(settings) is False


@pytest.mark.full
async def test_a_reset_stops_the_servers_and_removes_the_folder(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    with keeper(settings.home):
        assert await local.reset(settings) is True
        assert not settings.home.exists()
        assert none_left(settings.home, 1)


# Bad days


@pytest.mark.full
async def test_a_taken_port_is_tried_once_more_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free, taken = processes.free_port, [0]

    def first_taken() -> int:
        return taken.pop() if taken else free()

    with keeper(tmp_path / "other") as (_, answer):
        taken[0] = int(answer["owner_url"].rpartition(":")[2].partition("/")[0])
        monkeypatch.setattr(processes, "free_port", first_taken)
        async with local.servers(bootstrap.settings(home=tmp_path / "home")) as servers:
            assert await query_value(servers.owner_url, "SELECT 1") == 1
            assert str(servers.postgres.port) not in answer["owner_url"]


@pytest.mark.full
@pytest.mark.parametrize("server", ["postgres", "temporal"])
async def test_a_server_that_dies_is_started_again_on_its_port(tmp_path: Path, server: str) -> None:
    async with local.servers(bootstrap.settings(home=tmp_path / "home")) as servers:
        process = getattr(servers, server).process
        process.kill()
        await until(lambda: getattr(servers, server).process is not process)
        await postgres.wait_until_ready(servers.postgres, tmp_path / "home")
        await temporal.wait_until_ready(servers.temporal, tmp_path / "home")
    assert none_left(tmp_path / "home", 5)


@pytest.mark.full
async def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    async with local.servers(settings):
        pass
    (settings.home / postgres.DATA / "PG_VERSION").write_text("9\n")
    with pytest.raises(local.LocalServerFailure, match=r"version 9|PG_VERSION|not compatible"):
        async with local.servers(settings):
            pass
    assert none_left(settings.home, 5)


@pytest.mark.full
async def test_a_first_start_that_was_cut_short_does_no_harm(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    half = settings.home / f"{postgres.DATA}.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    async with local.servers(settings) as servers:
        assert await query_value(servers.owner_url, "SELECT 1") == 1


async def test_a_folder_without_postgres_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENTURE_PG_BIN", str(tmp_path))
    with pytest.raises(local.LocalServerFailure, match="VENTURE_PG_BIN"):
        async with local.servers(bootstrap.settings(home=tmp_path / "home")):
            pass


async def test_production_has_no_embedded_servers(tmp_path: Path) -> None:
    production = bootstrap.settings(
        env="production",
        home=tmp_path / "home",
        postgres_url="x",
        temporal_address="x:1",
        door_key="7" * 64,
        payload_keys=make_payload_key(),
    )
    with pytest.raises(local.LocalServerFailure, match="production"):
        async with local.servers(production):
            pass
    assert not (tmp_path / "home").exists()


@pytest.mark.full
@pytest.mark.skipif(os.geteuid() != 0, reason="only root must become somebody else")
async def test_root_becomes_nobody_where_namespaces_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_account, "_may_use_namespaces", lambda: False)
    settings = bootstrap.settings(home=tmp_path / "home")
    async with local.servers(settings) as servers:
        assert servers.postgres.process is not None
        assert owner_of(servers.postgres.process.pid) == server_account.NOBODY
        assert await query_value(servers.owner_url, "SELECT 1") == 1
        place = (settings.home / postgres.DATA).resolve().parent
        await query_value(servers.owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
    monkeypatch.undo()
    async with local.servers(settings) as again:
        assert await query_value(again.owner_url, "SELECT n FROM kept") == 7
    monkeypatch.setattr(server_account, "_may_use_namespaces", lambda: False)
    shutil.rmtree(settings.home)
    async with local.servers(settings) as anew:
        assert await query_value(anew.owner_url, "SELECT to_regclass('kept')") is None
    assert await local.reset(settings) is True
    assert not place.exists()
