"""Approvals at the command line: asked for, read, decided by whoever is asked, and never by who asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from domain.kernel.approval import Verdict

if TYPE_CHECKING:
    from tests.cli.installation import Installation


def opened(venture: Installation, *words: str) -> dict[str, Any]:
    answer = venture.ask("approval", "open", "年度採購", "--as", "CAB-REG#1", *words, "-o", "json")
    assert answer.exit_code == 0, answer.output
    approval: dict[str, Any] = json.loads(answer.stdout)["approval"]
    return approval


def test_a_decision_is_asked_for_read_and_given(venture: Installation) -> None:
    one = opened(venture, "--of", "all:CAB-DEC#1", "amount=12000", "payee=ORG-3", "within_wd=5")
    answer = venture.ask("approval", "show", one["id"])
    assert "金額 ¥12,000.00" in answer.stdout
    assert "收款方 ORG-3" in answer.stdout
    own = venture.ask("approval", "approve", one["id"], "--as", "CAB-REG#1")
    assert (own.exit_code, "AV26" in own.stderr) == (1, True), own.output
    done = venture.ask("approval", "approve", one["id"], "--as", "CAB-DEC#1", "-o", "json")
    assert (done.exit_code, json.loads(done.stdout)["approval"]["verdict"]) == (0, "GRANTED"), done.output
    assert venture.ask("approval", "wait", one["id"]).exit_code == 0
    assert "CAB-DEC#1 同意" in venture.ask("approval", "show", one["id"]).stdout
    again = venture.ask("approval", "decline", one["id"], "--as", "CAB-DEC#1", "--reason", "x")
    assert (again.exit_code, Verdict.GRANTED.zh in again.stderr) == (1, True)


@pytest.mark.full
def test_one_is_sent_back_with_a_reason(venture: Installation) -> None:
    one = opened(venture, "--of", "any:CAB-DEC")
    back = venture.ask("approval", "return", one["id"], "--as", "CAB-DEC#1", "--reason", "請補報價")
    assert back.exit_code == 0, back.output
    waited = venture.ask("approval", "wait", one["id"], "-o", "json")
    assert (waited.exit_code, json.loads(waited.stdout)["reason"]) == (1, "請補報價")
    wrong = venture.ask("approval", "open", "x", "--as", "CAB-REG#1", "--of", "CAB-DEC#1")
    assert wrong.exit_code == 2
