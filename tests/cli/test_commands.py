"""What a command takes, told by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from domain.catalogue import list_commands
from tests.cli.installation import in_process

if TYPE_CHECKING:
    from typing import Any


def _fields(name: str) -> dict[str, Any]:
    answer = in_process(("commands", name, "-o", "json"), {})
    assert answer.exit_code == 0, answer.output
    return {field["name"]: field for field in json.loads(answer.stdout)["fields"]}


@pytest.mark.parametrize("name", sorted({row.command for row in list_commands()}))
def test_every_command_says_what_each_of_its_fields_takes(name: str) -> None:
    for field in _fields(name).values():
        assert field["zh"], field
        assert field["en"], field
        assert field["form_zh"], field
        assert field["form_en"], field
        assert field["example"], field


def test_money_is_said_to_be_yuan_and_what_the_subject_gives_is_marked() -> None:
    fields = _fields("request-disbursement")
    assert (fields["amount"]["unit"], fields["amount"]["required"]) == ("yuan", False)
    assert fields["tranche"]["in_subject"]


@pytest.mark.parametrize("name", ["request-disbursement", "RequestDisbursement", "撥款申請", "拨款申请"])
def test_a_command_is_found_by_any_of_its_names(name: str) -> None:
    for lang, word in (("zh", "在對象中"), ("en", "in the subject")):
        shown = in_process(("commands", name, "--lang", lang), {"COLUMNS": "80"})
        assert shown.exit_code == 0, shown.output
        assert word in shown.output
        assert "amount" in shown.output


def test_what_is_neither_a_kind_nor_a_command_is_told_the_kinds() -> None:
    answer = in_process(("commands", "dances"), {})
    assert answer.exit_code == 2
    assert "project" in answer.stderr
