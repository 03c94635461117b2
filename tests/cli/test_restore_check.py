"""After a restore one command says what the log is, what is lost of it, and begins Temporal anew from it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.installation import Installation


@pytest.mark.full
def test_a_log_that_is_whole_is_said_to_be_and_temporal_follows_it(venture: Installation) -> None:
    for _ in range(60):  # until views have followed what the installation has just been given
        answer = venture.ask("restore-check", "--resurrect", "--as", "ADMIN#1", "--reason", "演練", "-o", "json")
        if answer.exit_code == 0:
            break
        time.sleep(1)
    report = json.loads(answer.stdout)
    assert (report["log"]["ok"], report["lost_at_least"]) == (True, 0)
    assert report["last_recorded_at"]
    people = venture.ask("restore-check", "--lang", "en")
    entries = report["log"]["entries"] + 4  # who began it anew and why, and what came of it, as commands and events
    assert f"the log ends at position {entries}" in people.stdout


def test_a_log_that_was_cut_says_where_and_how_much_is_lost_at_least(venture: Installation) -> None:
    whole = json.loads(venture.ask("restore-check", "-o", "json").stdout)["log"]
    kept = (f"{whole['entries']}:{whole['root']}", f"{whole['entries'] + 5}:{'00' * 32}")
    answer = venture.ask("restore-check", "--root", kept[0], "--root", kept[1], "--lang", "en")
    assert answer.exit_code == 6
    assert f"at least 5 entries from position {whole['entries'] + 1} on are lost" in answer.stdout
    assert f"as kept up to position {whole['entries']}" in answer.stdout
