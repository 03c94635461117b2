"""What the auditors' tests look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from store.memory import MemoryStore
from tests.paper import play_story

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
async def told_by_the_hour() -> MemoryStore:
    """The story, each append recorded an hour after the one before; only read, whoever changes it takes a copy."""
    hours = iter(range(10_000))
    memory = MemoryStore(clock=lambda: BEGAN + timedelta(hours=next(hours)))
    await play_story(memory)
    return memory
