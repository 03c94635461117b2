"""Everything is broken in turn while people work: nothing is lost, nothing is done twice, and all comes to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.nemesis import __main__ as command_line
from tests.nemesis.raging import Rage, RageReport, run

if TYPE_CHECKING:
    from pathlib import Path


ATTEMPTS = 8
"""An id taken, a forgery, an alteration, too much, a hasty door, a clock moved, rubbish, and a crowd that goes away."""
KINDS = 22
"""Three to kill, three to pause, and four things to do to each of four links."""


async def test_nothing_is_lost_or_done_twice_while_everything_is_broken(tmp_path: Path) -> None:
    rage = Rage(1, projects=3, seconds=9, all_kinds=True, every_s=(0.3, 0.45), lasting_s=1.5, attacked=True)
    outcome = await run(tmp_path, rage)
    assert not outcome.broken
    assert len(outcome.tried) == ATTEMPTS, "everything was tried"
    assert len(outcome.struck) == KINDS, "every kind of blow fell"
    assert outcome.asked["mismatch"]


@pytest.mark.release
@pytest.mark.timeout(1800)  # it ends when all is decided, however busy the machine is
async def test_thirty_projects_come_to_their_end_while_blow_falls_upon_blow(tmp_path: Path) -> None:
    outcome = await run(tmp_path, Rage(2, projects=30, seconds=40, every_s=(0.2, 0.8), attacked=True))
    assert not outcome.broken


def test_a_broken_invariant_is_named_and_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(_home: Path, _rage: Rage) -> RageReport:
        return RageReport(broken=["I3 need/live/ND-1: versions [1, 1]"])

    monkeypatch.setattr(command_line, "run", broken)
    assert command_line.main("7", "30", "60") == 1
    assert "✗ I3 need/live/ND-1: versions [1, 1]" in capsys.readouterr().out
