"""Keys of doors on the command line: listed, published, replaced and taken back by two, and looked after by doctor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import bootstrap
from tests.keys import make_key, make_seed

if TYPE_CHECKING:
    from typer.testing import Result

    from tests.cli.installation import Installation

FINANCE, NEXT, LOST = (make_key(name) for name in ("finance", "finance, the next", "lost"))


def rows(answer: Result) -> list[dict[str, Any]]:
    assert answer.exit_code == 0, answer.output
    lines: list[dict[str, Any]] = json.loads(answer.stdout)
    return lines


def listed(venture: Installation) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in rows(venture.ask("key", "list", "-o", "json"))}


def agree(venture: Installation, *words: str) -> None:
    """One administrator asks, and where that is a proposal the other confirms it."""
    proposal = venture.ask("key", *words, "--as", "ADMIN#1", "-o", "json")
    assert proposal.exit_code == 0, proposal.output
    if json.loads(proposal.stdout)["events"] == ["ActProposed"]:
        key = next(word for word in (*words, FINANCE.id) if word.startswith("DK-"))
        confirmed = venture.ask("key", "confirm", key, "--as", "ADMIN#2", "-o", "json")
        assert confirmed.exit_code == 0, confirmed.output


def test_the_first_key_of_embedded_servers_is_there_before_the_first_command_and_is_this_doors(
    venture: Installation,
) -> None:
    own = bootstrap.ensure_door_key(bootstrap.settings(home=venture.home))
    (first,) = [row for row in listed(venture).values() if row["door"] == "local"]
    assert (first["key"], first["valid"], first["speaks_for"]) == (own.id, True, ["*"])
    answer = venture.ask("key", "show", own.id)
    assert own.public in answer.stdout
    assert venture.ask("key", "show", "DK-0000000000000000").exit_code == 3
    assert venture.ask("key", "show", "DK-").exit_code == 2


@pytest.mark.full
def test_a_key_is_published_replaced_and_taken_back_and_its_door_is_told_what_it_may(venture: Installation) -> None:
    ask_as_finance = {"VENTURE_DOOR_KEY": make_seed("finance")}
    words = ("do", "submit-need", "ND-77", "--as", "COMM#1", "round=R-77", "group=空巢老人", "-o", "json")
    answer = venture.ask(*words, **ask_as_finance)
    assert answer.exit_code == 5
    assert [u["rule"] for u in json.loads(answer.stdout)["refused"]] == ["SG01"]

    agree(venture, "publish", FINANCE.public, "--door", "finance", "--for", "CAB-FIN", "--for", "FISCAL")
    assert listed(venture)[FINANCE.id]["speaks_for"] == ["CAB-FIN", "FISCAL"]
    answer = venture.ask(*words, **ask_as_finance)
    assert [u["rule"] for u in json.loads(answer.stdout)["refused"]] == ["SG05"]

    agree(venture, "rotate", FINANCE.id, NEXT.public)
    keys = listed(venture)
    assert (keys[FINANCE.id]["successor"], keys[FINANCE.id]["valid"]) == (NEXT.id, True)
    assert (keys[NEXT.id]["door"], keys[NEXT.id]["speaks_for"]) == ("finance", ["CAB-FIN", "FISCAL"])

    agree(venture, "withdraw", FINANCE.id, "--reason", "密鑰遺失")
    answer = venture.ask(*words, **ask_as_finance)
    assert [u["rule"] for u in json.loads(answer.stdout)["refused"]] == ["SG04"]
    assert listed(venture)[FINANCE.id]["valid"] is False
    again = venture.ask("key", "publish", FINANCE.public, "--as", "ADMIN#1")
    assert again.exit_code == 1, "a key that was withdrawn never counts again"


@pytest.mark.full
def test_doctor_has_a_line_for_a_key_that_counts_and_for_one_that_does_not(venture: Installation) -> None:
    def line(**more: str) -> dict[str, Any]:
        answer = venture.ask("doctor", "-o", "json", **more)
        return next(row for row in json.loads(answer.stdout) if row["part"] == "door's key")

    assert line()["ok"] is True
    unknown = line(VENTURE_DOOR_KEY=make_seed("lost"))
    assert (unknown["ok"], LOST.id in unknown["state"]) == (False, True)
    assert "venture key publish" in unknown["mend"]
    assert "venture key publish" in unknown["mend_zh"]


def test_what_is_no_key_is_told_before_anything_is_asked(venture: Installation) -> None:
    for words in (
        ("publish", "abc", "--as", "ADMIN#1"),
        ("publish", FINANCE.public.upper(), "--as", "ADMIN#1"),
        ("publish", LOST.public, "--for", "NOBODY", "--as", "ADMIN#1"),
        ("publish", LOST.public, "--for", "CAB-FIN"),
        ("rotate", FINANCE.id, "--as", "ADMIN#1"),
        ("withdraw", "DK-", "--reason", "x", "--as", "ADMIN#1"),
    ):
        answer = venture.ask("key", *words)
        assert answer.exit_code == 2, (words, answer.output)
