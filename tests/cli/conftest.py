"""The house that every test of the command line asks, and servers that a test may set wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import bootstrap
import local
from local.postgres import APPLICATION, AUDITOR
from store.migration import migrate
from tests.cli.installation import Installation, shared_installation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from local import Servers


@pytest.fixture(scope="session")
def venture(request: pytest.FixtureRequest) -> Installation:
    """Up for the whole run."""
    return shared_installation(request)


@pytest.fixture(scope="session")
async def spoilt(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """Servers to be set wrong, and right again."""
    async with local.servers(bootstrap.settings(home=tmp_path_factory.mktemp("spoilt"))) as servers:
        await migrate(servers.owner_url, app_role=APPLICATION, auditor_role=AUDITOR)
        yield servers
