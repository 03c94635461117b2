"""How soon a page begins to come: the inbox of a large office, and a file of 500 events, while commands go on.

Run ``python bench/pages.py``; ``--projects 100 --events 20 --times 5`` is the smallest that says anything. The house is
that of bench/reads.py, on an embedded Postgres of its own; one file in it is made long by so many activities, recorded
through the same deciding as any. Pages are asked of ``http_server.py`` in a process of its own, over loopback, as a
browser asks once it has come in. A figure is from the request to the first byte of the answer's body.
Wanted (p95): 100 ms of the inbox at 10,000 projects, 150 ms of the file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, cast

sys.path.insert(0, str(Path(__file__).parent.parent))

import structlog

from activities.carry_out import CommandActivities
from application.door import Door
from application.pages import PageRequest
from application.process_carrier import ProcessCarrier
from application.projects import list_projects
from bench.lists import serve
from bench.meter import machine_load
from bench.reads import Template, appending, build_views, fill, record, until_appended
from bench.surroundings import own_postgres
from deciding.signature import DoorKey
from domain.kernel.identifier import Actor, StreamId
from domain.project.delivery import RecordActivity

if TYPE_CHECKING:
    from application.carrier import Carrier
    from bench.lists import Served
    from bench.reads import Filled
    from local.postgres import Postgres


async def lengthen(filled: Filled, template: Template, events: int) -> StreamId:
    """Record activities in one file until it has so many events: which file it is."""
    store, at = filled.store, template.ends_at
    key = DoorKey.read(sha256(b"the door of this bench").hexdigest())
    door = Door(ProcessCarrier(CommandActivities(store), store, cast("Carrier", None)), store, key)
    stream = (await list_projects(store, None, PageRequest(limit=1))).rows[0].stream
    standing = await store.standing(stream)
    for number in range(events - (standing.version if standing is not None else 0)):
        activity = RecordActivity(person_times=20 + number % 7, title=f"陪伴活動 {number}", held_on=at.date())
        await door.send(stream, activity, Actor("SO-PM#1"), at=at + timedelta(minutes=number))
    return stream


async def begin_to_read(served: Served, path: str) -> float:
    """Milliseconds until the first byte of that page. Raises RuntimeError for any answer but 200."""
    headers = {**next(served.credentials), "Accept": "text/html"}
    begun = time.perf_counter()
    async with served.client.stream("GET", path, headers=headers) as answer:
        async for _ in answer.aiter_raw():
            span = (time.perf_counter() - begun) * 1000
            break
        else:
            raise RuntimeError(path)
        if answer.status_code != 200:  # noqa: PLR2004 - OK
            raise RuntimeError(f"{path}: {answer.status_code}")
    return span


async def measure(server: Postgres, args: argparse.Namespace) -> dict[str, list[float]]:
    """Fill a house, then ask for its pages by turns while commands go on."""
    template = Template.of(*await record())
    filled = await fill(server, template, args.projects)
    stream = await lengthen(filled, template, args.events)
    await build_views(filled.store)
    paths = {"inbox": "/", f"file of {args.events} events": f"/files/{stream}"}
    spans: dict[str, list[float]] = {name: [] for name in paths}
    with tempfile.TemporaryDirectory(prefix="venture-pages-") as home:
        async with serve(Path(home), filled.url, postgres_url=filled.url) as served:
            for path in paths.values():  # once without a watch: a process that has just begun has nothing at hand
                await begin_to_read(served, path)
            with appending([filled.url], args.beside):
                await until_appended(filled.store)
                order = [*paths] * args.times
                random.Random(1).shuffle(order)
                for name in order:
                    spans[name].append(await begin_to_read(served, paths[name]))
    await filled.store.aclose()
    return spans


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=500, help="of the one file that is long")
    parser.add_argument("--times", type=int, default=100, help="each page is asked for")
    parser.add_argument("--beside", type=float, default=20.0, help="commands a second that go on meanwhile")
    args = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with own_postgres() as server:
        spans = asyncio.run(measure(server, args))
    figures = {
        name: [round(statistics.median(each), 1), round(sorted(each)[int(len(each) * 0.95)], 1)]
        for name, each in spans.items()
    }
    print(json.dumps({"bench": "pages", "projects": args.projects, "p50, p95 in ms": figures, "load": machine_load()}))


if __name__ == "__main__":
    main()
