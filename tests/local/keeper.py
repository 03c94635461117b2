"""A process that keeps the servers of a folder, or as many as readers need: says where, waits to be told or killed."""

import asyncio
import json
import sys
from pathlib import Path

import bootstrap
import local


async def _keep(home: Path, *, with_temporal: bool) -> None:
    def tell(_zh: str, en: str) -> None:
        print(json.dumps({"told": en}), flush=True)  # noqa: T201 - this is how it answers

    async with local.servers(bootstrap.settings(home=home), with_temporal=with_temporal, tell=tell) as servers:
        answer = {
            "owner_url": servers.owner_url,
            "ours": servers.ours,
            "cleared": servers.cleared,
            "postgres_pid": servers.postgres.process and servers.postgres.process.pid,
            "temporal_pid": servers.temporal.process and servers.temporal.process.pid,
        }
        print(json.dumps(answer), flush=True)  # noqa: T201 - this is how it answers
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(_keep(Path(sys.argv[1]), with_temporal="log" not in sys.argv[2:]))
