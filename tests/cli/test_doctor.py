"""``venture doctor``: a running installation held against docs/operations.md, on servers that are spoilt and mended."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

import bootstrap
import local
import temporal_client
from application import doctor
from local import binaries, postgres, processes, server_account
from local.postgres import APPLICATION, DATA, OWNER, SUPERUSER
from store.doctor import examine_database
from tests.cli.installation import in_process
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from temporalio.client import Client

    from bootstrap import Settings
    from local import Servers
    from local.postgres import Postgres
    from store.doctor import DatabaseExamination
    from tests.cli.installation import Installation

NOT_HERE = {
    "Postgres ssl",
    "Postgres synchronous_standby",
    "Postgres archive",
    "Temporal store",
    "history shards",
    "workers",
    "TLS to Temporal",
    "strangers at Temporal",
}
"""What embedded servers are not: each is named, and told how to be had."""


# ------------------------------------------------------------------------------------------------------ as a whole


@pytest.fixture
async def by_url(venture: Installation) -> dict[str, str]:
    """The house's own servers, reached as in production: by URL only."""
    settings = bootstrap.settings(home=venture.home)
    servers = await local.find_running(settings)
    assert servers is not None
    return {
        "VENTURE_ENV": "production",
        "VENTURE_POSTGRES_URL": servers.postgres_url,
        "VENTURE_TEMPORAL_ADDRESS": servers.temporal_address,
        "VENTURE_DOOR_KEY": (settings.home / "door.key").read_text(),
        "VENTURE_PAYLOAD_KEYS_FILE": str(venture.home / "payload.key"),
    }


def _rows(words: Sequence[str], environment: dict[str, str]) -> tuple[int, dict[str, dict[str, Any]]]:
    answer = in_process((*words, "-o", "json"), environment)
    return answer.exit_code, {row["part"]: row for row in json.loads(answer.stdout)}


@pytest.mark.full
def test_an_installation_by_url_is_held_against_every_point_and_each_that_fails_says_what_to_do(
    by_url: dict[str, str],
) -> None:
    code, rows = _rows(("doctor", "--production"), by_url)
    assert {part for part, row in rows.items() if not row["ok"]} == NOT_HERE
    assert code == 6
    for row in rows.values():
        assert bool(row["mend"]) == bool(row["mend_zh"]) == (row["ok"] is not True), row["part"]
    well = ("environment", "clocks", "updates in flight", "retention", "Postgres rights", "Postgres clock")
    for part in (*well, "Postgres fsync", "Postgres full_page_writes"):
        assert rows[part]["ok"] is True, part


def test_without_the_question_of_production_a_house_that_is_up_is_well(venture: Installation) -> None:
    answer = venture.ask("doctor")
    assert answer.exit_code == 0, answer.output
    assert "✗" not in answer.stdout


def test_with_a_short_key_at_the_door_nothing_is_begun(by_url: dict[str, str]) -> None:
    answer = in_process(("doctor", "--production"), {**by_url, "VENTURE_DOOR_KEY": "short"})
    assert answer.exit_code == 2
    assert "VENTURE_DOOR_KEY" in answer.stderr


@pytest.mark.full
def test_what_fails_is_told_in_either_language(by_url: dict[str, str]) -> None:
    zh = in_process(("doctor", "--production"), by_url)
    en = in_process(("doctor", "--production", "--lang", "en"), by_url)
    assert zh.exit_code == en.exit_code == 6
    assert "Temporal 匿名者" in zh.stdout
    assert "strangers at Temporal" in en.stdout


# ------------------------------------------------------------------------------------------------------ spoilt


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _examine(servers: Servers, name: str, url: str | None = None) -> DatabaseExamination:
    return next(one for one in await examine_database(url or servers.postgres_url) if one.name == name)


@asynccontextmanager
async def _wrong(servers: Servers, spoil: str, mend: str) -> AsyncIterator[None]:
    """That statement in force, by the superuser in the log's database."""
    url = servers.postgres.url(SUPERUSER).rpartition("/")[0] + f"/{postgres.DATABASE}"
    await _execute(url, spoil, "SELECT pg_reload_conf()")
    try:
        yield
    finally:
        await _execute(url, mend, "SELECT pg_reload_conf()")


SPOILS = [
    ("fsync", "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM RESET fsync"),
    ("full_page_writes", "ALTER SYSTEM SET full_page_writes = off", "ALTER SYSTEM RESET full_page_writes"),
    (
        "synchronous_commit",
        f"ALTER ROLE {APPLICATION} SET synchronous_commit = off",
        f"ALTER ROLE {APPLICATION} RESET synchronous_commit",
    ),
    (
        "rights",
        f"GRANT INSERT ON venture.entries TO {APPLICATION}",
        f"REVOKE INSERT ON venture.entries FROM {APPLICATION}",
    ),
    ("rights", f"GRANT {OWNER} TO {APPLICATION}", f"REVOKE {OWNER} FROM {APPLICATION}"),
    (
        "append_only",
        "ALTER TABLE venture.entries DISABLE TRIGGER append_only",
        "ALTER TABLE venture.entries ENABLE ALWAYS TRIGGER append_only",
    ),
]


@pytest.mark.parametrize(("name", "spoil", "mend"), SPOILS, ids=[spoil[1] for spoil in SPOILS])
async def test_a_postgres_that_is_set_wrong_is_found_and_mended_it_is_well(
    spoilt: Servers, name: str, spoil: str, mend: str
) -> None:
    async with _wrong(spoilt, spoil, mend):

        async def is_wrong() -> bool:  # settings are reloaded when each process comes to it
            return (await _examine(spoilt, name)).ok is False

        await until(is_wrong)

    async def well() -> bool:
        return (await _examine(spoilt, name)).ok is True

    await until(well)


async def test_the_owner_of_the_schema_is_not_who_should_append(spoilt: Servers) -> None:
    assert (await _examine(spoilt, "rights", spoilt.owner_url)).ok is False
    assert (await _examine(spoilt, "rights")).ok is True


async def test_a_receiver_that_streams_the_log_is_as_good_as_an_archive(spoilt: Servers, tmp_path: Path) -> None:
    superuser = spoilt.postgres.url(SUPERUSER)
    received = [str(binaries.find_postgres() / "pg_receivewal"), "-d", superuser, "-D", str(tmp_path)]
    receiver = processes.spawn(received, log=tmp_path / "receiver.log", when_parent_dies=signal.SIGKILL)
    await _execute(superuser, f"GRANT pg_monitor TO {APPLICATION}")

    async def seen() -> bool:
        return (await _examine(spoilt, "archive")).ok is True

    try:
        await until(seen)
    finally:
        await asyncio.to_thread(processes.stop, receiver, signal.SIGINT)
        await _execute(superuser, f"REVOKE pg_monitor FROM {APPLICATION}")


@pytest.mark.full
async def test_an_archive_that_fails_is_told_from_one_that_works(spoilt: Servers) -> None:
    assert (await _examine(spoilt, "archive")).ok is False
    superuser = spoilt.postgres.url(SUPERUSER)
    await _execute(superuser, "ALTER SYSTEM SET archive_mode = on", "ALTER SYSTEM SET archive_command = 'false'")
    assert spoilt.postgres.process is not None
    spoilt.postgres.process.kill()  # whoever keeps the servers starts it again; this setting wants a start

    async def state(*, ok: bool, text: str) -> bool:
        try:
            await _execute(superuser, "SELECT pg_switch_wal()")
            examination = await _examine(spoilt, "archive")
        except (OSError, asyncpg.PostgresError):
            return False
        return examination.ok is ok and text in examination.state

    await until(lambda: state(ok=False, text="failing"))
    await _execute(superuser, "ALTER SYSTEM SET archive_command = 'true'", "SELECT pg_reload_conf()")
    await until(lambda: state(ok=False, text="every 0 s"))  # a segment that is never closed holds a day's work
    await _execute(superuser, "ALTER SYSTEM SET archive_timeout = 60", "SELECT pg_reload_conf()")
    await until(lambda: state(ok=True, text="every 60 s"))


def _standby(primary: Postgres, home: Path) -> Postgres:
    """A standby as deploy/compose.yaml makes it, without encryption."""
    home.mkdir()
    (home / "logs").mkdir()
    account = server_account.choose_account(home, home / DATA)
    folder = account.within_reach(binaries.find_postgres())
    data = account.data_folder(home / DATA)
    url = f"{primary.url(SUPERUSER)}?application_name=log_standby_1"
    copied = [str(folder / "pg_basebackup"), "-d", url, "-D", str(data), "-R", "-X", "stream", "--checkpoint=fast"]
    command = processes.bind_command([*account.prefix, *copied], when_parent_dies=signal.SIGKILL, uid=account.uid)
    subprocess.run(command, cwd="/", check=True, capture_output=True)  # noqa: S603 - our own words, no shell
    if data != home / DATA:
        (home / DATA).symlink_to(data)
    return postgres.start(home)


@pytest.mark.full
async def test_a_synchronous_standby_is_asked_for_and_seen_by_a_role_that_may_see_it(
    spoilt: Servers, tmp_path: Path
) -> None:
    assert (await _examine(spoilt, "synchronous_standby")).ok is False
    superuser = spoilt.postgres.url(SUPERUSER)
    standby = _standby(spoilt.postgres, tmp_path / "standby")
    try:
        await _execute(superuser, "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (log_standby_1)'")
        await _execute(superuser, "SELECT pg_reload_conf()")

        async def state(ok: bool | None) -> bool:  # noqa: FBT001 - what is awaited
            return (await _examine(spoilt, "synchronous_standby")).ok is ok

        await until(lambda: state(None))  # it is there, and the application's role is not shown how it is
        await _execute(superuser, f"GRANT pg_monitor TO {APPLICATION}")
        await until(lambda: state(True))
        assert (await _examine(spoilt, "primary", _through(standby, spoilt))).ok is False
        await asyncio.to_thread(_ended, standby)
        await until(lambda: state(False))
    finally:
        await asyncio.to_thread(_ended, standby)
        local_only = "SET synchronous_commit = local"  # no standby answers any more
        await _execute(superuser, local_only, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        await _execute(superuser, local_only, f"REVOKE pg_monitor FROM {APPLICATION}")
        server_account.forget(tmp_path / "standby")
        shutil.rmtree(tmp_path / "standby", ignore_errors=True)


def _through(standby: Postgres, primary: Servers) -> str:
    return primary.postgres_url.replace(f":{primary.postgres.port}/", f":{standby.port}/")


def _ended(standby: Postgres) -> None:
    if standby.process is not None:
        processes.stop(standby.process, signal.SIGINT)


# ------------------------------------------------------------------------------------------------------ Temporal


async def _operator(servers: Servers, *words: str) -> None:
    process = await asyncio.create_subprocess_exec(
        str(binaries.find_temporal()), "operator", *words, "--address", servers.temporal_address
    )
    assert await process.wait() == 0


@pytest.fixture(scope="module")
async def bare(spoilt: Servers, settings: Settings) -> Client:
    """A namespace as Temporal makes one: a day's memory, nothing to search by."""
    name = f"bare-{uuid4().hex[:8]}"
    await _operator(spoilt, "namespace", "create", "-n", name, "--retention", "24h")
    address = spoilt.temporal_address
    settings = settings.model_copy(update={"temporal_namespace": name})

    async def there() -> bool:
        try:
            return (
                await doctor.examine_retention(await temporal_client.connect_temporal(address, settings))
            ).state == "1 days"
        except Exception:  # noqa: BLE001 - a namespace takes a while to be known
            return False

    await until(there)
    return await temporal_client.connect_temporal(address, settings)


async def test_a_namespace_that_forgets_after_a_day_is_found(bare: Client) -> None:
    examination = await doctor.examine_retention(bare)
    assert (examination.ok, examination.state) == (False, "1 days")
    assert f"-n {bare.namespace} --retention 720h" in examination.mend_en


async def test_a_search_attribute_that_nobody_registered_is_found_and_the_command_that_is_told_mends_it(
    spoilt: Servers, bare: Client
) -> None:
    examination = await doctor.examine_search_attributes(bare)
    assert (examination.ok, examination.state) == (False, "missing: VentureStage, VentureDueAt")
    for command in examination.mend_en.split(" && "):
        program, operator, *words = command.split()
        assert (program, operator) == ("temporal", "operator")
        await _operator(spoilt, *words)

    async def registered() -> bool:
        return (await doctor.examine_search_attributes(bare)).ok is True

    await until(registered)


async def test_a_queue_that_nobody_serves_has_no_workers(bare: Client) -> None:
    assert (await doctor.examine_workers(bare, "venture")).state == "0"


async def test_a_stranger_who_gets_no_connection_is_turned_away_and_one_who_is_answered_is_not(
    spoilt: Servers, settings: Settings
) -> None:
    async def refused() -> Client:
        return await temporal_client.connect_temporal(f"127.0.0.1:{processes.free_port()}", settings)

    async def let_in() -> Client:
        return await temporal_client.connect_temporal(spoilt.temporal_address, settings)

    assert (await doctor.examine_anonymous_access(refused)).ok is True
    assert (await doctor.examine_anonymous_access(let_in)).ok is False
