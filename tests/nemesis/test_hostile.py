"""Those who wish the house ill leave off when they are told to, whatever stands in the way of it."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, cast
from unittest import mock

from temporalio.client import Client, WorkflowUpdateRPCTimeoutOrCancelledError

from application.door import Door
from domain.kernel.identifier import StreamId
from store.memory import MemoryStore
from tests.nemesis.hostile import Attackers
from tests.workflows.bureau import Bureau

if TYPE_CHECKING:
    import pytest


async def test_attackers_leave_off_though_temporals_client_hides_that_they_are_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asking = asyncio.Event()

    async def ask(_stream: StreamId) -> None:
        asking.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as cancelled:  # as the client has it
            raise WorkflowUpdateRPCTimeoutOrCancelledError from cancelled

    store, client, door = MemoryStore(), cast("Client", mock.Mock()), cast("Door", mock.Mock())
    need = StreamId.of("need", "t-hostile", "ND-1")
    attackers = Attackers(cast("Bureau", mock.Mock()), client, store, door, [need], random.Random(1))  # noqa: S311
    monkeypatch.setattr(attackers, "_attempts", lambda: [ask])
    attacking = asyncio.create_task(attackers.attack())
    await asking.wait()
    attacking.cancel()
    ended, _ = await asyncio.wait([attacking], timeout=1)
    attacking.cancel()
    assert ended == {attacking}
