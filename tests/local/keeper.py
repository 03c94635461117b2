"""A process that keeps the servers of a folder: says where they are, waits to be told, or to be killed."""

import asyncio
import json
import sys
from pathlib import Path

import bootstrap
import local


async def _keep(home: Path) -> None:
    async with local.servers(bootstrap.settings(home=home)) as servers:
        answer = {
            "owner_url": servers.owner_url,
            "ours": servers.ours,
            "cleared": servers.cleared,
            "postgres_pid": servers.postgres.process and servers.postgres.process.pid,
            "temporal_pid": servers.temporal.process and servers.temporal.process.pid,
        }
        print(json.dumps(answer), flush=True)  # noqa: T201 - this is how it answers
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(_keep(Path(sys.argv[1])))
