"""What a command takes, told by itself."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from domain.catalogue import command_class, list_commands
from domain.kernel.field_shape import field_shapes
from schemes.scheme_file import list_shipped, load_shipped
from tests.cli.installation import in_process
from tests.tables import every_row

if TYPE_CHECKING:
    from typing import Any


def _fields(name: str) -> dict[str, Any]:
    answer = in_process(("commands", name, "-o", "json"), {})
    assert answer.exit_code == 0, answer.output
    return {field["name"]: field for field in json.loads(answer.stdout)["fields"]}


@pytest.mark.full
@every_row("name", sorted({row.command for row in list_commands()}))
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
    for lang, word in (("zh-Hant", "在對象中"), ("en", "in the subject")):
        answer = in_process(("commands", name, "--lang", lang), {"COLUMNS": "80"})
        assert answer.exit_code == 0, answer.output
        assert word in answer.output
        assert "amount" in answer.output


def test_what_holds_where_a_field_is_left_out_is_said_with_what_each_city_has() -> None:
    """The model's own default says nothing of it: the scheme, the contract or the day does."""
    hearing = _fields("initiate-termination")["hearing_until"]
    assert (hearing["default"], hearing["parameter"]) == (None, "remedy.hearing_wd")
    assert hearing["by_scheme"] == {city: load_shipped(city).remedy.hearing_wd for city in list_shipped()}
    text = in_process(("commands", "initiate-termination", "--lang", "en"), {"COLUMNS": "250"}).output
    assert f"(remedy.hearing_wd: changzhou {hearing['by_scheme']['changzhou']}" in " ".join(text.split())
    text = in_process(("commands", "record-activity", "--lang", "en"), {"COLUMNS": "250"}).output
    assert "if left out, today" in " ".join(text.split())


def test_every_parameter_that_a_field_names_is_one_of_the_scheme() -> None:
    named = {
        shape.otherwise.parameter
        for row in list_commands()
        for shape in field_shapes(command_class(row.command)).values()
        if shape.otherwise and shape.otherwise.parameter
    }
    rules = load_shipped("fuzhou")
    assert named
    assert all(getattr(getattr(rules, section), name) for section, name in (one.split(".") for one in named))


def test_the_example_names_every_particular_that_is_required() -> None:
    words = shlex.split(json.loads(in_process(("commands", "sign-contract", "-o", "json"), {}).stdout)["example"])
    assert [word.partition("=")[0] for word in words if "=" in word] == ["award", "tranches", "budget"]
    assert json.loads(next(w for w in words if w.startswith("tranches=")).partition("=")[2])["T1"]["gate"]


def test_what_is_neither_a_kind_nor_a_command_is_told_the_kinds() -> None:
    answer = in_process(("commands", "dances"), {})
    assert answer.exit_code == 2
    assert "project" in answer.stderr
