"""Servers that a test may stop, kill and start again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import bootstrap
from tests.workflows.frail import frail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.workflows.frail import Frail


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Frail]:
    """Servers and a worker of this module's own."""
    async with frail(bootstrap.settings(home=tmp_path_factory.mktemp("frail"))) as found:
        yield found
