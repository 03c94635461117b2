"""What the nemesis asks afterwards is not asked in vain: what is left behind, told or forged is found."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import bootstrap
from audit.verification import Root
from tests.nemesis import stories
from tests.nemesis.callers import Callers
from tests.nemesis.invariants import Ledger, broken
from tests.nemesis.siege import remains, siege

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.full
async def test_what_is_left_told_or_forged_is_found(tmp_path: Path) -> None:
    settings, now = bootstrap.settings(home=tmp_path), datetime.now(UTC)
    async with siege(settings, 1, affliction="none", workers=1) as house:
        bureau = house.frail.bureau()
        dice = random.Random(1)  # noqa: S311 - no secret
        queue = house.frail.settings.task_queue
        callers = Callers(bureau, house.client, queue, house.store, house.doors, dice)
        await stories.establish(bureau, now, 1)
        await callers.begin(stories.plan(bureau, 1, now, [now]), 0)
        for story in callers.begun:
            await callers.live(story)
        forged = Root(10, bytes(32))
        with (tmp_path / "logs" / "worker-0.log").open("a", encoding="utf-8") as log:
            log.write((settings.home / "door.key").read_text())
        breaches = await broken(Ledger(house, callers, [forged], healed_s=60))
        assert {text.split()[0] for text in breaches} == {"I6", "I15"}, breaches
        left = set(remains(settings, house))
        assert {f"process {house.frail.workers[0].pid}", "lock", "guests", "servers.json"} <= left
        assert f"port {house.frail.servers.postgres.port}" in left
    assert not list(remains(settings, house))
