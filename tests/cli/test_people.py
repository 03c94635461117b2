"""Persons and seats on the command line: registered, given, lent and taken back by two, and asked as by --person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.test_help import COMMANDS

if TYPE_CHECKING:
    from tests.cli.installation import Installation

READS = {"project show", "project watch", "audit as-of", "paper make", "inbox"}
"""What narrows a list by a seat, and asks nothing from it."""


def done(venture: Installation, *words: str) -> Any:
    answer = venture.ask(*words, "-o", "json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def refused(venture: Installation, *words: str) -> set[str]:
    """The rules that refuse it."""
    answer = venture.ask(*words, "-o", "json")
    assert answer.exit_code == 1, answer.output
    return {unmet["rule"] for unmet in json.loads(answer.stdout)["refused"]}


def registered(venture: Installation) -> str:
    """A new person's number."""
    stream: str = done(venture, "person", "register", "--as", "ADMIN#1")["stream"]
    return stream.rpartition("/")[2]


def granted(venture: Installation, seat: str, person: str) -> None:
    """Put on the seat by both administrators."""
    proposed = done(venture, "seat", "grant", seat, person, "--as", "ADMIN#1")["proposed"]
    done(venture, "seat", "confirm", seat, proposed, "--as", "ADMIN#2")


def test_whatever_asks_from_a_seat_may_say_who_asks() -> None:
    options = {" ".join(path): {o for p in command.params for o in p.opts} for path, command in COMMANDS}
    seats = {path for path, names in options.items() if "--as" in names} - READS
    assert {path for path in seats if "--person" not in options[path]} == set()
    assert "--person" in options["bulk"], "its rows name the seats"


@pytest.mark.full
def test_a_person_is_put_on_a_seat_by_two_neither_of_them_that_person(venture: Installation) -> None:
    who, seat = registered(venture), "EVAL#71"
    done(venture, "seat", "establish", seat, "--for", "EVAL-71", "--as", "ADMIN#1")
    assert refused(venture, "seat", "grant", seat, "P-999", "--as", "ADMIN#1") == {"PN01"}
    proposed = done(venture, "seat", "grant", seat, who, "--as", "ADMIN#1")["proposed"]
    assert venture.ask("seat", "confirm", seat, "00000000", "--as", "ADMIN#2").exit_code == 3
    confirm = ("seat", "confirm", seat, proposed[:8])
    assert refused(venture, *confirm, "--as", "ADMIN#1") == {"TP03"}, "nobody confirms what they proposed themselves"
    assert refused(venture, *confirm, "--as", "ADMIN#2", "--person", "P-1") == {"SE12"}, "nor from another's seat"
    assert done(venture, *confirm, "--as", "ADMIN#2", "--person", "P-2")["events"][-1] == "SeatGranted"

    (row,) = [one for one in done(venture, "seat", "list") if one["seat"] == seat]
    assert [tenure["person"] for tenure in row["tenures"]] == [who]
    (row,) = [one for one in done(venture, "person", "list") if one["person"] == who]
    assert [duty["seat"] for duty in row["seats"]] == [seat]
    assert who not in venture.ask("seat", "list", "--as-of", "2020-01-01").stdout
    assert f"{seat}  20" in venture.ask("person", "show", who).stdout
    assert who in venture.ask("seat", "show", seat).stdout


def test_whoever_asks_is_on_the_seat_or_it_is_refused(venture: Installation) -> None:
    words = ("do", "register-fund-source", "FS-71", "--as", "CAB-FIN#1", "name=市級資金", "envelope=100")
    assert refused(venture, *words, "--person", "P-3") == {"SE12"}
    assert refused(venture, *words, "--person", "P-3", "--dry-run") == {"SE12"}
    assert venture.ask(*words, "--person", "somebody").exit_code == 2
    assert done(venture, *words, "--dry-run")["events"] == ["FundSourceRegistered"]


@pytest.mark.full
def test_a_seat_is_lent_for_dates_and_taken_back_and_who_is_on_none_may_retire(venture: Installation) -> None:
    holder, other, seat = registered(venture), registered(venture), "SUPV#71"
    done(venture, "seat", "establish", seat, "--for", "SUPV-71", "--as", "ADMIN#1")
    granted(venture, seat, holder)
    lend = ("seat", "lend", seat, other, "--until", "2199-12-31", "--reason", "出差", "--as", "ADMIN#1")
    proposed = done(venture, *lend)["proposed"]
    done(venture, "act", "confirm", "SUPV.71", proposed, "--as", "ADMIN#2")
    assert "代行" in venture.ask("seat", "show", seat).stdout
    assert "代行" in venture.ask("person", "show", other).stdout
    retire = ("person", "retire", other, "--reason", "離任", "--as", "ADMIN#1")
    assert refused(venture, *retire) == {"PN03"}, "still on a seat"
    back = done(venture, "seat", "withdraw", seat, other, "--reason", "回任", "--as", "ADMIN#1")["proposed"]
    done(venture, "seat", "confirm", seat, back, "--as", "ADMIN#2")
    proposed = done(venture, *retire)["proposed"]
    done(venture, "act", "confirm", other, proposed, "--as", "ADMIN#2")
    (row,) = [one for one in done(venture, "person", "list") if one["person"] == other]
    assert row["stage"] == "RETIRED"
    assert [bool(duty["ends"]) for duty in row["seats"]] == [True], "that day it was lent, and given back"


@pytest.mark.full
def test_what_is_proposed_is_shown_with_its_digest_and_may_be_dropped(venture: Installation) -> None:
    who, seat = registered(venture), "AUDIT#71"
    done(venture, "seat", "establish", seat, "--for", "AUDIT-71", "--as", "ADMIN#1")
    proposed = done(venture, "seat", "grant", seat, who, "--as", "ADMIN#1")["proposed"]
    (act,) = done(venture, "act", "show", "AUDIT.71")
    assert (act["digest"], act["status"], json.loads(act["particulars"])["person"]) == (proposed, "OPEN", who)
    done(venture, "act", "drop", "AUDIT.71", "1", "有誤", "--as", "ADMIN#2", "--person", "P-2")
    (act,) = done(venture, "act", "show", "AUDIT.71")
    assert act["status"] == "DROPPED"
    assert venture.ask("act", "confirm", "AUDIT.71", proposed, "--as", "ADMIN#2").exit_code == 3
    assert "沒有待確認者" in venture.ask("act", "confirm", "AUDIT.71", "--as", "ADMIN#2").output


def test_of_a_person_each_seat_is_explained_and_of_nobody_it_is_said_when(venture: Installation) -> None:
    words = ("policy", "why", "P-5", "register-fund-source", "FS-72")
    explained = done(venture, *words)
    assert (explained["seat"], explained["allowed"]) == ("CAB-FIN#1", True)
    assert venture.ask("policy", "why", "P-9999", *words[3:]).exit_code == 2
    mistyped = venture.ask("policy", "why", "CAB-FIN#1", *words[3:], "--person", "somebody")
    assert mistyped.exit_code == 2, "a mistyped person is not nobody"
    paper = venture.ask("policy", "why", "P-5", "confirm-award", "PJ-3", "--lang", "en")
    assert "is on no seat at 20" in paper.stderr
