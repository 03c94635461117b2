"""A worker of this room's own, with its ports open, on servers that a test may stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

import bootstrap
from local import processes
from tests.runtime.http_probe import http_get
from tests.workflows.breakable import breakable
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.workflows.breakable import Breakable


@dataclass(frozen=True)
class WatchedWorker:
    """The house, and where its worker may be asked how it fares."""

    house: Breakable
    health_port: int
    sdk_port: int


@pytest.fixture(scope="package")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WatchedWorker]:
    """Up, the worker ready."""
    health, sdk = processes.free_port(), processes.free_port()
    settings = bootstrap.settings(home=tmp_path_factory.mktemp("watched"))
    async with breakable(settings, VENTURE_HEALTH_PORT=str(health), VENTURE_SDK_METRICS_PORT=str(sdk)) as house:

        async def ready() -> bool:
            try:
                return (await http_get(health, "/readyz")).status == 200
            except OSError:
                return False

        await until(ready)
        yield WatchedWorker(house, health, sdk)
