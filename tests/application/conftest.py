"""Servers that a test may stop, kill and start again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import bootstrap
from tests.workflows.breakable import breakable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.workflows.breakable import Breakable


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Breakable]:
    """Servers and a worker of this module's own."""
    async with breakable(bootstrap.settings(home=tmp_path_factory.mktemp("frail"))) as house:
        yield house
