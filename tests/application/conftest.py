"""A bureau of its own for each test, and servers that a test may stop, kill and start again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

import bootstrap
from tests.workflows.bureau import Bureau
from tests.workflows.frail import frail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Desk
    from tests.workflows.frail import Frail


@pytest.fixture
def bureau(desk: Desk) -> Bureau:
    """A bureau behind the worker that serves the whole run."""
    return Bureau(f"b-{uuid4().hex[:8]}", desk.store, bootstrap.door_key(desk.settings))


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Frail]:
    """Servers and a worker of this module's own."""
    async with frail(bootstrap.settings(home=tmp_path_factory.mktemp("frail"))) as found:
        yield found
