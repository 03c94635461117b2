"""The nemesis on demand: ``python -m tests.nemesis SEED PROJECTS SECONDS``; exit code 1 if an invariant is broken."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from pathlib import Path

import structlog

from tests.nemesis.raging import Rage, RageReport, run


def _tell(rage: Rage, outcome: RageReport) -> str:
    """What was done, and what it came to."""
    requests, missed, other = (outcome.asked[what] for what in ("asked", "not known", "mismatch"))
    return "\n".join(
        [
            f"種子 seed {rage.seed} · 項目 projects {rage.projects} · 秒 seconds {rage.seconds:g}",
            *(f"  {times} × {blow}" for blow, times in sorted(outcome.struck.items())),
            f"詢問 asked {requests} · 未得答覆 not known {missed} · 同號異文 mismatch {other}",
            f"日誌 entries {outcome.entries} · 復原 healed in {outcome.healed_s:.1f} s",
            *(f"✗ {what}" for what in outcome.broken),
            "✗ 有不變量被破壞 an invariant is broken" if outcome.broken else "✓ 全部成立 everything holds",
        ]
    )


def main(seed: str, projects: str, seconds: str) -> int:
    """Rage, and say what came of it."""
    rage = Rage(int(seed), int(projects), float(seconds))
    with tempfile.TemporaryDirectory(prefix="nemesis-") as folder:
        outcome = asyncio.run(run(Path(folder), rage))
    print(_tell(rage, outcome))  # noqa: T201 - a command
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # the house cries out all the time
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.exit(main(*sys.argv[1:4]))
