"""One installation, one log: a database that was put in its place is noticed before anything is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import bootstrap
from runtime.known_log import FILE, AnotherLog, know_log
from store.memory import MemoryStore
from store.port import StoreUnavailable
from tests.store.appends import appended, one, project

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_log_is_known_again_by_the_next_process(tmp_path: Path) -> None:
    settings, store = bootstrap.settings(home=tmp_path), MemoryStore()
    assert await know_log(settings, store) == ""
    await appended(store, one(project("AP-1")))
    genesis = (await store.genesis() or b"").hex()
    assert await know_log(settings, store) == genesis
    assert (tmp_path / FILE).read_text() == genesis
    assert await know_log(settings, store) == genesis


async def test_a_database_in_its_place_is_refused_empty_or_not(tmp_path: Path) -> None:
    settings, store, other = bootstrap.settings(home=tmp_path), MemoryStore(), MemoryStore()
    await appended(store, one(project("AP-1")))
    await know_log(settings, store)
    with pytest.raises(AnotherLog, match=FILE):
        await know_log(settings, other)
    await appended(other, one(project("AP-2")))
    with pytest.raises(AnotherLog, match=FILE):
        await know_log(settings, other)


async def test_a_database_that_does_not_answer_is_not_taken_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, store = bootstrap.settings(home=tmp_path), MemoryStore()
    await appended(store, one(project("AP-1")))
    genesis = await know_log(settings, store)

    async def genesis_of_nothing() -> bytes:
        raise StoreUnavailable("away")

    monkeypatch.setattr(store, "genesis", genesis_of_nothing)
    assert await know_log(settings, store) == genesis
