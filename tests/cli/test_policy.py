"""The policy as it is printed: every cell for machines, what is allowed for people."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser

import pytest

from domain.catalogue import AGGREGATES, list_stages
from domain.kernel.identifier import Role
from tests.cli.installation import in_process
from tests.tables import mostly


def ask(*words: str) -> str:
    answer = in_process(("policy", "matrix", *words), {})
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.mark.full
def test_the_matrix_has_every_command_role_and_stage() -> None:
    rows = list(csv.DictReader(io.StringIO(ask("-o", "csv"))))
    assert len(rows) == sum(len(a.commands) * len(Role) * len(list_stages(a.kind)) for a in AGGREGATES.values())
    for row in rows:
        assert bool(row["allowed"]) is not bool(row["refused_by"]), row
        assert not row["allowed"] or row["relations"], row


@pytest.mark.full
@mostly(1, "form", ["json", "jsonl"])
def test_machines_get_the_same_rows_in_either_form(form: str) -> None:
    out = ask("need", "--role", "COMM", "-o", form)
    rows = json.loads(out) if form == "json" else [json.loads(line) for line in out.splitlines()]
    allowed = [(r["command"], r["stage"], r["relations"]) for r in rows if r["allowed"]]
    assert allowed == [("SubmitNeed", "NONE", "need.community"), ("EndorseNeed", "SUBMITTED", "anybody")]


def test_people_see_what_is_allowed_and_for_whom_a_seat_must_act() -> None:
    out = ask("project", "--role", "EVAL")
    assert "ConcludeMidtermEvaluation" in out
    assert "協議載明的評估機構" in out
    assert "StartProject" not in out


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tables = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the library's own signature
        self.tables += tag == "table"
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_has_a_table_for_each_kind_of_stream() -> None:
    page = _Page()
    page.feed(ask("-o", "html"))
    page.close()
    assert page.tables == len(AGGREGATES)
    assert page.open == []


@pytest.mark.parametrize("words", [("dances",), ("--role", "DANCER")])
def test_what_there_is_not_is_answered_with_what_there_is(words: tuple[str, ...]) -> None:
    answer = in_process(("policy", "matrix", *words), {})
    assert answer.exit_code == 2
    assert "project" in answer.stderr or "EVAL" in answer.stderr
