"""What ``deploy/postgres`` makes, made: servers, standbys, archive, promotion, re-attachment, restore to a second."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit.verification import verify
from domain.kernel.identifier import Actor
from local import processes
from local.postgres import APPLICATION, AUDITOR
from store.doctor import examine_database
from store.migration import MigrationRefused, migrate
from store.port import StoreUnavailable
from store.postgres import PostgresStore, open_pool
from tests.keys import KEY
from tests.packaging.deployment import Deployment, Flavour, Node, list_flavours
from tests.workflows.bureau import Bureau, verification
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANSWERED_S = 60
"""A bound, in seconds, from the primary's death to the first append that is answered; what it was is printed."""


@asynccontextmanager
async def _store(url: str) -> AsyncIterator[PostgresStore]:
    pool = await open_pool(url, largest=2)
    store = PostgresStore(pool)
    try:
        yield store
    finally:
        await store.aclose()
        pool.terminate()


async def _enter(store: PostgresStore, number: int) -> int:
    """One organisation more; the log's end."""
    bureau = Bureau("live", store, KEY)
    await bureau.straight(bureau.id("organisation", f"ORG-{number}"), verification(), Actor("HOST#1"))
    return await store.last_position()


@pytest.mark.full
async def test_a_standby_starts_from_what_it_inherits_and_confirms(tmp_path: Path) -> None:
    flavour, *_ = list_flavours()
    deployment = Deployment.at(tmp_path / "d", flavour)
    with closing(deployment):
        first, second = await deployment.begin(), deployment.node("log_2")
        await deployment.attach(second, first)
        for setting in (
            "max_connections",
            "archive_mode",
            "archive_timeout",
            "synchronous_standby_names",
            "wal_log_hints",
        ):
            here, there = [await deployment.ask(node, f"SHOW {setting}") for node in (first, second)]
            assert here == there, setting
        assert await deployment.ask(second, "SHOW cluster_name") == "log_2"
        async with asyncio.timeout(30):  # it would wait for ever if nobody confirmed
            await migrate(deployment.url(first), app_role=APPLICATION, auditor_role=AUDITOR)
            with pytest.raises(MigrationRefused, match="this is a standby"):
                await migrate(deployment.url(second), app_role=APPLICATION, auditor_role=AUDITOR)
        async with _store(deployment.url(first, APPLICATION)) as store:
            replication = await store.replication()
            assert (replication.confirming, replication.missing) == (1, ("log_3",))
            assert await _enter(store, 1) > 0


@pytest.mark.full
@pytest.mark.timeout(420)
@pytest.mark.parametrize("flavour", list_flavours(), ids=str)
async def test_a_primary_that_dies_is_replaced_rejoins_and_the_log_is_restored_to_a_second(
    tmp_path: Path, flavour: Flavour
) -> None:
    deployment = Deployment.at(tmp_path / "d", flavour)
    with closing(deployment):
        first = await deployment.begin()
        others = [deployment.node(name) for name in ("log_2", "log_3")]
        for standby in others:
            await deployment.attach(standby, first)
        await migrate(deployment.url(first), app_role=APPLICATION, auditor_role=AUDITOR)
        await deployment.ask(first, "SELECT pg_switch_wal()")
        await _until_well(deployment, first)

        async with _store(deployment.url_of_all(APPLICATION)) as store:  # as workers reach it: whoever is primary
            answered = [await _enter(store, number) for number in range(1, 6)]
            died = time.monotonic()
            deployment.kill(first)
            promoted = await deployment.promote_newest(others)
            await _until_entered(store, 6)
            answered_again_s = time.monotonic() - died
            sys.stderr.write(f"answered again after {answered_again_s:.1f} s\n")
            assert answered_again_s < ANSWERED_S
            entries = await store.feed(0)
            assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
            assert len(entries) > answered[-1], "what was answered is there: nothing is lost with one machine"
        (follower,) = [node for node in others if node is not promoted]
        for setting in ("ssl", "archive_mode", "synchronous_standby_names"):
            assert await deployment.ask(promoted, f"SHOW {setting}") == await deployment.ask(
                follower, f"SHOW {setting}"
            )

        await deployment.rejoin(first, promoted)
        await deployment.ask(promoted, "SELECT pg_switch_wal()")
        await _until_well(deployment, promoted)

        backup = deployment.home / "backups" / "tonight"
        await deployment.run("backup", promoted, deployment.primary(promoted), str(backup))
        async with _store(deployment.url(promoted, APPLICATION)) as store:
            kept = await _enter(store, 7)
            await asyncio.sleep(1.1)
            instant = datetime.now(UTC).isoformat(sep=" ", timespec="milliseconds")
            await asyncio.sleep(1.1)
            lost = await _enter(store, 8)
        await deployment.until_archived(promoted)
        restored = deployment.node("restored")
        began = time.monotonic()
        await deployment.run("restore", restored, str(backup), instant)
        await deployment.serve(restored)
        async with _store(deployment.url(restored, APPLICATION)) as store:

            async def writable() -> bool:
                return (await store.replication()).trouble is None

            await until(writable)
            sys.stderr.write(f"restored in {time.monotonic() - began:.1f} s\n")
            assert await store.last_position() == kept < lost
            assert (await verify(store)).ok
            assert await _enter(store, 9) > kept


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_a_log_goes_over_to_the_next_major_version_entry_by_entry(tmp_path: Path) -> None:
    newest, *_ = list_flavours()
    older = newest.folder.parent.with_name("pginstall") / "bin"
    deployment = Deployment.at(tmp_path / "d", Flavour(older, tls=False))
    with closing(deployment):
        old = await deployment.begin()
        await deployment.ask(old, "ALTER SYSTEM SET synchronous_standby_names = ''")
        await deployment.ask(old, "SELECT pg_reload_conf()")
        await migrate(deployment.url(old), app_role=APPLICATION, auditor_role=AUDITOR)
        async with _store(deployment.url(old, APPLICATION)) as store:
            last, before = await _enter(store, 1), await verify(store)
        assert (await deployment.ask(old, "SHOW server_version")).startswith("16.")
        assert old.process is not None
        await asyncio.to_thread(processes.stop, old.process, signal.SIGINT)
        deployment.flavour = Flavour(deployment.account.within_reach(newest.folder), tls=False)
        new = deployment.node("log_1", "log_1_new")
        await deployment.run("upgrade", new, str(deployment.account.within_reach(older)), str(old.data))
        await deployment.serve(new)
        assert (await deployment.ask(new, "SHOW server_version")).startswith("18.")
        await deployment.ask(new, "ALTER SYSTEM SET synchronous_standby_names = ''")
        await deployment.ask(new, "SELECT pg_reload_conf()")
        async with _store(deployment.url(new, APPLICATION)) as store:
            after = await verify(store)
            assert (after.ok, after.root, after.entries) == (True, before.root, before.entries)
            assert await _enter(store, 2) > last


@pytest.mark.release
@pytest.mark.timeout(300)
async def test_a_minor_version_is_taken_up_standbys_first_with_nothing_that_was_answered_lost(tmp_path: Path) -> None:
    """``NEXT_POSTGRES`` names the programs of the next minor version; left out, the same ones are started again."""
    *_, before = list_flavours()
    deployment = Deployment.at(tmp_path / "d", before)
    following = Path(os.environ.get("NEXT_POSTGRES", before.folder))
    with closing(deployment):
        first = await deployment.begin()
        standbys = [deployment.node(name) for name in ("log_2", "log_3")]
        for standby in standbys:
            await deployment.attach(standby, first)
        await migrate(deployment.url(first), app_role=APPLICATION, auditor_role=AUDITOR)
        await deployment.until_archived(first)
        older = await deployment.ask(first, "SHOW server_version")
        deployment.flavour = replace(before, folder=deployment.account.within_reach(following))
        async with _store(deployment.url_of_all(APPLICATION)) as store:
            for number, node in enumerate((*standbys, first), start=1):
                answered = await _enter(store, number)
                stopped = time.monotonic()
                assert node.process is not None
                await asyncio.to_thread(processes.stop, node.process, signal.SIGINT)
                if node is not first:
                    assert await _enter(store, number + 10) > answered, "one standby of two may be away"
                await deployment.serve(node)
                await _until_entered(store, number + 20)
                sys.stderr.write(f"{node.name} again after {time.monotonic() - stopped:.1f} s\n")
                await _until_well(deployment, first)
            entries = await store.feed(0)
            assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
            assert len(entries) > answered
            assert (await verify(store)).ok
        newer = [await deployment.ask(node, "SHOW server_version") for node in (first, *standbys)]
        sys.stderr.write(f"from {older} to {newer}\n")
        assert newer == [newer[0]] * 3
        assert (newer[0] == older) == (following == before.folder)


async def _until_entered(store: PostgresStore, number: int) -> None:
    async def entered() -> bool:
        try:
            async with asyncio.timeout(5):
                return await _enter(store, number) > 0
        except (StoreUnavailable, TimeoutError):
            return False

    await until(entered)


async def _until_well(deployment: Deployment, node: Node) -> None:
    """Wait until doctor finds standbys, archive and, where there is any, encryption as they should be."""
    points = {"synchronous_standby", "archive", "primary", "fsync", "data_checksums", "append_only", "rights"}
    points |= {"ssl"} if deployment.flavour.tls else set()

    async def well() -> bool:
        points_by_name = {one.name: one for one in await examine_database(deployment.url(node, APPLICATION))}
        return all(points_by_name[name].ok for name in points)

    await until(well)
