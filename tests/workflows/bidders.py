"""A client process of its own: organisations that hand their bids in before a deadline, and ask until they know.

``python tests/workflows/bidders.py REALM FIRST LAST SEED``, with the servers in the environment. It says ``ready``, is
told the deadline on standard input (``-`` for none: it endorses a need), and answers a line of JSON for each bid.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parents[2]))

import bootstrap
import temporal_client
from application.door import Door, NotKnown
from application.workflow_carrier import WorkflowCarrier
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import CommandRejected
from domain.need import EndorseNeed
from domain.project.bidding import SubmitApplication
from store.postgres import PostgresStore, open_pool

LAST_S = 3.0
"""They come within so many seconds before the deadline, and a few of them after it."""
LATE_S = 0.5


async def _answer(door: Door, stream: StreamId, command: Any, actor: Actor) -> dict[str, Any]:
    """The one answer, asked for under one id until there is one."""
    command_id, attempts = uuid4(), 0
    while True:
        attempts += 1
        row = {"stream": stream, "id": str(command_id), "asked": attempts}
        try:
            receipt = await door.send(stream, command, actor, command_id=command_id)
        except NotKnown:
            await asyncio.sleep(0.2)
        except CommandRejected as refused:
            return {**row, "accepted": False, "rules": [u.rule for u in refused.unmet]}
        else:
            return {**row, "accepted": True, "version": receipt.version, "position": receipt.position}


async def _bid(door: Door, realm: str, number: int, at: datetime) -> dict[str, Any]:
    await asyncio.sleep(max(0.0, (at - datetime.now(at.tzinfo)).total_seconds()))
    bid = SubmitApplication(
        round="R-1", organisation=f"ORG-{number}", title=f"申報 {number}", requested=100_000, statement="社區需求"
    )
    return await _answer(door, StreamId.of("project", realm, f"AP-{number}"), bid, Actor(f"SO-LEGAL#{number}"))


async def _endorse(door: Door, realm: str, number: int) -> dict[str, Any]:
    return await _answer(door, StreamId.of("need", realm, "ND-1"), EndorseNeed(), Actor(f"COMM#{number}"))


async def main(realm: str, first: int, last: int, seed: int) -> None:
    """Everybody at once."""
    settings = bootstrap.settings()
    dice = random.Random(seed)  # noqa: S311 - who comes when, no secret
    pool = await open_pool(settings.postgres_url.get_secret_value() if settings.postgres_url else "")
    client = await temporal_client.connect_temporal(str(settings.temporal_address), settings)
    async with aclosing(PostgresStore(pool)) as store:
        door = Door(WorkflowCarrier(client, settings.task_queue), store, bootstrap.find_door_key(settings))
        numbers = range(first, last)
        print("ready", flush=True)  # noqa: T201 - to the test
        deadline = (await asyncio.to_thread(sys.stdin.readline)).strip()
        if deadline == "-":
            requests = [_endorse(door, realm, n) for n in numbers]
        else:
            end = datetime.fromisoformat(deadline)
            moments = [end + timedelta(seconds=dice.uniform(-LAST_S, LATE_S)) for _ in numbers]
            requests = [_bid(door, realm, n, at) for n, at in zip(numbers, moments, strict=True)]
        for answer in await asyncio.gather(*requests):
            print(json.dumps(answer), flush=True)  # noqa: T201 - to the test
    await temporal_client.breathe()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:5])))
