"""Ending what the log does not know is asked about first: a newer copy of the log may know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.installation import Installation


def test_strays_are_ended_only_after_somebody_has_said_yes(venture: Installation) -> None:
    asked = venture.ask("resurrect", "--strays")  # nobody is at the keyboard
    assert asked.exit_code == 5
    assert "結束日誌中沒有的工作流" in asked.stderr
    assert venture.ask("resurrect", "--strays", "--yes", "-o", "json").exit_code == 0
