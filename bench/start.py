"""What a query from the command line costs: processor time of lists and of a whole file, against running servers.

Run ``python bench/start.py``. It starts embedded servers of its own and plays the stories into them. A figure is the
median of the ratios to ``python -c 'import pydantic.main, asyncpg, temporalio.client'`` and to ``python -c 'import
pydantic.main'``, run in turn with it, the first with its quartiles: a ratio holds on another machine and beside other
work, seconds do not. Lists read views and load no rules; ``project show`` folds a file and loads those of every kind.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.own_servers import own_servers

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ["-c", "import pydantic.main, asyncpg, temporalio.client"]
SMALLEST = ["-c", "import pydantic.main"]
QUERIES = {
    "--help": ["starter.py", "--help"],
    "project list": ["starter.py", "project", "list"],
    "inbox": ["starter.py", "inbox"],
    "approval list": ["starter.py", "approval", "list"],
    "commands": ["starter.py", "commands"],
    "project show": ["starter.py", "project", "show", "PJ-1"],
}


def measure(arguments: list[str], environment: dict[str, str]) -> float:
    """Seconds of processor time, ours and the system's, of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S603 - our own words
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(rounds: int, environment: dict[str, str]) -> None:
    """Run each in turn, and print the ratios."""
    for arguments in (REFERENCE, SMALLEST, *QUERIES.values()):
        measure(arguments, environment)  # bytecode is written once
    for name, arguments in QUERIES.items():
        turns = [[measure(one, environment) for one in (REFERENCE, SMALLEST, arguments)] for _ in range(rounds)]
        low, middle, high = statistics.quantiles([cost / reference for reference, _, cost in turns], n=4)
        smallest = statistics.median(cost / smallest for _, smallest, cost in turns)
        seconds = statistics.median(cost for *_, cost in turns)
        spread = f"{middle:.2f} ({low:.2f}–{high:.2f})"
        print(f"{name:<14} {spread} of the reference, {smallest:.1f} of pydantic, {seconds:.2f} s")


async def main() -> None:
    """Keep servers up and ask them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    async with own_servers("info") as (settings, _):
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        bytecode = str(settings.home / "bytecode")
        environment = {**inherited, "VENTURE_HOME": str(settings.home), "PYTHONPYCACHEPREFIX": bytecode}
        await asyncio.to_thread(measure, ["starter.py", "demo"], environment)
        await asyncio.to_thread(compare, rounds, environment)


if __name__ == "__main__":
    asyncio.run(main())
