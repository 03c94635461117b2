"""Ending what the log does not know is asked about first, since a newer copy may know it; and who does it is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from domain.kernel.failure import FailureKind

if TYPE_CHECKING:
    from tests.cli.installation import Installation

BY = ("--as", "ADMIN#1", "--reason", "還原自昨夜備份")


def test_strays_are_ended_only_after_somebody_has_said_yes(venture: Installation) -> None:
    answer = venture.ask("resurrect", "--strays", *BY)  # nobody is at the keyboard
    assert answer.exit_code == FailureKind.INTERRUPTED
    assert "結束日誌中沒有的工作流" in answer.stderr
    assert venture.ask("resurrect", "--strays", *BY, "--yes", "-o", "json").exit_code == 0
    kept = json.loads(venture.ask("audit", "maintenance", "-o", "json").stdout)
    assert [(one["work"], one["persons"], one["reason"]) for one in kept if one["work"] == "END_STRAYS"] == [
        ("END_STRAYS", ["P-1"], "還原自昨夜備份")
    ], "the one that somebody said yes to, with who and why"


def test_nothing_is_done_to_the_installation_by_nobody_for_no_reason(venture: Installation) -> None:
    verbs = (("resurrect",), ("builds", "current", "none"), ("builds", "move"), ("views", "rebuild"))
    assert [venture.ask(*words).exit_code for words in verbs] == [2] * 4
    assert venture.ask("restore-check", "--resurrect").exit_code == 2
    assert venture.ask("resurrect", "--as", "CAB-REG#1", "--reason", "想試試").exit_code == 1


@pytest.mark.full
def test_views_are_built_anew_by_somebody_who_says_why(venture: Installation) -> None:
    built = venture.ask("views", "rebuild", "projects", "--as", "ADMIN#2", "--reason", "核驗不符", "-o", "json")
    assert (built.exit_code, [row["view"] for row in json.loads(built.stdout)]) == (0, ["projects"])
    answer = venture.ask("audit", "maintenance", "--lang", "en")
    assert "views built anew" in answer.stdout
    assert "ADMIN#2" in answer.stdout
