"""What an orchestrator is told: that the process lives, and whether it can serve; soon, whatever stands still."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from runtime.health import LONGEST_LOOK_S
from tests.runtime.http_probe import http_get
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tests.runtime.conftest import WatchedWorker

SOON_S = LONGEST_LOOK_S + 8
"""A bound for busy machines; an orchestrator's own patience is a few seconds."""
MORE_THAN_THE_POOL = 12


async def test_a_worker_with_both_servers_lives_and_is_ready(watched: WatchedWorker) -> None:
    alive, ready = await http_get(watched.health_port, "/healthz"), await http_get(watched.health_port, "/readyz")
    assert (alive.status, alive.text) == (200, "alive\n")
    assert (ready.status, ready.text) == (200, "ready\n")
    assert (await http_get(watched.health_port, "/nothing")).status == 404


@pytest.mark.full
@pytest.mark.parametrize("server", ["postgres", "temporal"])
async def test_while_a_server_stands_still_the_worker_lives_and_says_soon_that_it_is_not_ready(
    watched: WatchedWorker, server: str
) -> None:
    stopped: AbstractContextManager[None] = (
        watched.house.postgres_stopped() if server == "postgres" else watched.house.temporal_stopped()
    )
    with stopped:
        for _ in range(2):  # the second comes when connections hang already
            probes = [http_get(watched.health_port, "/readyz", patience_s=SOON_S) for _ in range(MORE_THAN_THE_POOL)]
            for probe in await asyncio.gather(*probes):
                assert probe.status == 503
                assert server in probe.text
        assert (await http_get(watched.health_port, "/healthz")).status == 200
        figures = await http_get(watched.health_port, "/metrics", patience_s=SOON_S)
        assert "\nventure_ready 0.0\n" in figures.text
        assert "venture_log_position" not in figures.text, "what cannot be read is not made up"

    async def again() -> bool:
        return (await http_get(watched.health_port, "/readyz")).status == 200

    await until(again)


async def test_somebody_who_never_finishes_asking_keeps_nobody_waiting(watched: WatchedWorker) -> None:
    _, idle = await asyncio.open_connection("127.0.0.1", watched.health_port)
    idle.write(b"GET /rea")
    assert (await http_get(watched.health_port, "/readyz")).status == 200
    idle.close()
