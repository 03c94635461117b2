"""What somebody typed is what is taken, by the field's own type, or it is refused with what would do."""

from __future__ import annotations

import json
import typing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ValidationError, create_model
from pydantic_core import core_schema

from domain.catalogue import AGGREGATES, command_class
from domain.kernel.attachment import Attachment
from domain.kernel.canonical import canonical, plain
from domain.kernel.example import write_example
from domain.kernel.explanation import InputFault, InputInvalid, ValueMisread, explain_error
from domain.kernel.field_shape import Kind, Notation, field_shapes
from domain.kernel.input import parse_json, read_fields
from domain.kernel.money import parse_yuan
from domain.registers.organisation import check_character
from tests.tables import every_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.message import Command

PAPER = Attachment(sha256="0" * 64, media_type="application/pdf", name="minutes.pdf")
LIBRARY_WORDS = ("pydantic", "python", "valid", "input", "dict", "str", "NoneType", "Decimal(", "None")


def typed(command: str, **values: str) -> Command:
    return read_fields(command_class(command), values, Notation.TYPED, attach=lambda _path: PAPER)


def read_data(command: str, **values: Any) -> Command:
    return read_fields(command_class(command), values, Notation.DATA)


def value(command: Command, field: str) -> Any:
    return getattr(command, field)


# ---------------------------------------------------------------- money


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("50000", 5_000_000),
        ("50,000.00", 5_000_000),
        ("18000.00", 1_800_000),
        ("0500000", 50_000_000),
        ("5萬", 5_000_000),
        ("1.5万", 1_500_000),
        ("2億", 20_000_000_000),
        ("５００００", 5_000_000),
        ("５０，０００．５", 5_000_050),
        ("¥50,000.5", 5_000_050),
        ("50000元", 5_000_000),
        (" 12.30 ", 1_230),
        ("5000000fen", 5_000_000),
        ("5000000 分", 5_000_000),
    ],
)
def test_money_is_yuan_as_people_write_it(text: str, fen: int) -> None:
    assert value(typed("RegisterFundSource", name="甲", envelope=text), "envelope") == fen


@every_row("text", [
        "12:30", "1_8", "0x10", "0o17", "1.8E+07", "1e3", "1,00", "50,00,000", "1.005", "0.5fen", "5 000", "五萬", "",
        "many", "{[}", "nan", "Infinity", "1/2", "50000 fen yuan", "--5", "5萬億", "9" * 60, "٥٠٠x",
        "50000①", "50000²", "⒈5",
    ])  # fmt: skip
def test_what_is_no_amount_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(InputInvalid) as invalid:
        typed("RegisterFundSource", name="甲", envelope=text)
    (fault,) = invalid.value.faults
    assert fault.place == ("envelope",)
    assert "元" in fault.zh or "科學記數" in fault.zh
    assert "yuan" in fault.en or "scientific" in fault.en


def test_less_than_nothing_is_said_in_yuan() -> None:
    with pytest.raises(InputInvalid) as invalid:
        typed("RegisterFundSource", name="甲", envelope="-5")
    assert invalid.value.faults[0].zh == "須大於 ¥0.00，現為 -¥5.00"


def test_a_movement_may_take_away() -> None:
    assert value(typed("RequestVariation", reason="調整", move="venue:-800,activity:800"), "move") == {
        "venue": -80_000,
        "activity": 80_000,
    }
    assert parse_yuan("-1.5") == -150


def test_data_gives_money_in_whole_fen_and_never_as_text() -> None:
    assert value(read_data("RegisterFundSource", name="甲", envelope=500), "envelope") == 500
    for wrong in ("500", 5.0, Decimal("5.00"), True, "5000fen"):
        with pytest.raises(InputInvalid, match="whole fen"):
            read_data("RegisterFundSource", name="甲", envelope=wrong)


def test_json_that_is_typed_counts_in_yuan_like_all_that_is_typed() -> None:
    command = typed("ApproveRoundBudget", amount="5萬", funds='{"FS-1": 30000, "FS-2": "19,999.50", "FS-3": 0.5}')
    assert value(command, "funds") == {"FS-1": 3_000_000, "FS-2": 1_999_950, "FS-3": 50}


# ---------------------------------------------------------------- text


TEXTS = (
    "365", "獨居老人 #3 號樓", "目標: 每週探訪", "護航[/二期]", "[a: {b", "0x10", "yes", "null", "~", "'", '"', "- 一",
    "&a *a", " 前後 ", "一\u2028二", "2024-01-01", "1.50", "@不是文件", "{}", "e\u0301", "=1+1",
)  # fmt: skip


@every_row("text", TEXTS)
def test_text_stays_text_to_the_last_character(text: str) -> None:
    assert value(typed("SubmitNeed", round="R-1", group=text), "group") == text


@pytest.mark.parametrize("text", ["\x00", "a\x1b[31m", "\udc80", "a\x85b"])
def test_what_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(InputInvalid, match=r"no text, U\+"):
        typed("SubmitNeed", round="R-1", group=text)


def test_a_credit_code_of_digits_is_a_code_and_a_name_of_digits_a_name() -> None:
    digits = next(f"{n:017}" for n in range(1, 100) if check_character(f"{n:017}").isdigit())
    code = digits + check_character(digits)
    command = typed("VerifyOrganisation", name="365", kind="社會團體", representatives="SO-LEGAL#1", credit_code=code)
    assert (value(command, "credit_code"), value(command, "name")) == (code, "365")


def test_a_number_where_data_should_have_text_is_said_to_need_quotes() -> None:
    with pytest.raises(InputInvalid, match="in quotes"):
        read_data("SubmitNeed", round="R-1", group=365)


# ---------------------------------------------------------------- dates and times


@pytest.mark.parametrize("text", ["2024-03-09", "2024/3/9", "2024.3.9", "2024年3月9日", "２０２４-03-09"])
def test_a_date_is_read_as_people_write_it(text: str) -> None:
    assert value(typed("RecordRating", level="5A", until=text), "until") == date(2024, 3, 9)


@every_row("text", [
        "2024-02-30", "20240309", "24-3-9", "2024-3/9", "1830000000", "1889-01-01", "2201-01-01", "9999-12-31",
        "2024年②月4日", "",
    ])  # fmt: skip
def test_what_is_no_date_of_this_office_is_refused(text: str) -> None:
    with pytest.raises(InputInvalid):
        typed("RecordRating", level="5A", until=text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-04-24T17:00", datetime(2024, 4, 24, 9, tzinfo=UTC)),
        ("2024-04-24 17:00:30", datetime(2024, 4, 24, 9, 0, 30, tzinfo=UTC)),
        ("2024/4/24 9:00", datetime(2024, 4, 24, 1, tzinfo=UTC)),
        ("2024-04-24T17:00:00+09:00", datetime(2024, 4, 24, 8, tzinfo=UTC)),
        ("2024-04-24T17:00Z", datetime(2024, 4, 24, 17, tzinfo=UTC)),
    ],
)
def test_a_time_without_offset_is_in_shanghai(text: str, instant: datetime) -> None:
    assert value(typed("PublishCall", deadline=text), "deadline") == instant


@pytest.mark.parametrize("text", ["1830000000", "2024-04-24", "17:00", "2024-04-24T25:00", "9999-04-24T17:00", "now"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputInvalid):
        typed("PublishCall", deadline=text)


@pytest.mark.parametrize("number", [1_830_000_000, 1.83e9, True, Decimal(5)])
def test_a_number_is_no_time_in_data_either(number: object) -> None:
    with pytest.raises(InputInvalid):
        read_data("PublishCall", deadline=number)
    with pytest.raises(InputInvalid):
        read_data("RecordRating", level="5A", until=number)


# ---------------------------------------------------------------- numbers, yes and no, closed lists


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("１２", 12), ("1,200", 1200), ("007", 7)])
def test_numbers_are_decimal(text: str, number: int) -> None:
    assert value(typed("RecordActivity", person_times=text), "person_times") == number


@pytest.mark.parametrize("text", ["1e3", "0x10", "1_8", "12:30", "1.0", "", "十二", "-0x1", "2²", "⑩"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InputInvalid, match="whole number"):
        typed("RecordActivity", person_times=text)


def test_a_mark_keeps_its_decimals() -> None:
    command = typed("SubmitScore", application="AP-1", mark="88.50", criteria="需求:20，設計：17.5")
    assert value(command, "mark") == Decimal("88.50")
    assert value(command, "criteria") == {"need": Decimal(20), "design": Decimal("17.5")}
    with pytest.raises(InputInvalid, match="at most 2 decimals"):
        typed("SubmitScore", application="AP-1", mark="88.505")


@pytest.mark.parametrize(("text", "held"), [("是", True), ("否", False), ("yes", True), ("False", False)])
def test_yes_and_no_are_words(text: str, held: bool) -> None:  # noqa: FBT001 - it is the value that is read
    command = typed("VerifyOrganisation", name="甲", kind="FOUNDATION", representatives="SO-LEGAL#1", own_accounts=text)
    assert value(command, "own_accounts") is held


def _choices() -> list[tuple[str, str, str, str]]:
    return [
        (command.command_type, shape.name, choice.value, word)
        for aggregate in AGGREGATES.values()
        for command in aggregate.commands
        for shape in field_shapes(command).values()
        if shape.shape.kind is Kind.CHOICE
        for choice in shape.shape.choices
        for word in sorted({choice.value, choice.zh, choice.en} - {""})
    ]


@every_row("command, field, expected, word", _choices())
def test_every_word_that_the_office_is_shown_is_taken(command: str, field: str, expected: str, word: str) -> None:
    with pytest.raises(InputInvalid) as invalid:
        typed(command, **{field: word}, nonsense="1")
    assert ("nonsense",) in [f.place for f in invalid.value.faults]
    assert (field,) not in [f.place for f in invalid.value.faults], expected


@pytest.mark.parametrize("word", ["社會團體", "社会团体", "SOCIAL_GROUP", "social-group"])
def test_either_script_and_the_recorded_value_do(word: str) -> None:
    command = typed("VerifyOrganisation", name="甲", kind=word, representatives="SO-LEGAL#1")
    assert value(command, "kind") == "SOCIAL_GROUP"


@pytest.mark.parametrize(("word", "line"), [("人員費", "personnel"), ("管理费", "admin"), ("venue", "venue")])
def test_a_budget_line_may_be_given_by_its_word(word: str, line: str) -> None:
    command = typed("RecordExpenditure", voucher="FP-1", amount="5", line=word)
    assert value(command, "line") == line
    assert value(typed("RequestVariation", reason="調整", move=f"{word}:-5,activity:5"), "move")[line] == -500


def test_a_word_that_is_none_is_refused_with_all_there_are() -> None:
    with pytest.raises(InputInvalid) as invalid:
        typed("VerifyOrganisation", name="甲", kind="公司", representatives="SO-LEGAL#1")
    assert "SOCIAL_GROUP（社會團體）" in invalid.value.faults[0].zh


# ---------------------------------------------------------------- lists, pairs, documents


@pytest.mark.parametrize("text", ["ND-1,ND-2", "ND-1，ND-2", "ND-1、ND-2", " ND-1 , ND-2 ", '["ND-1", "ND-2"]'])
def test_a_list_needs_no_json(text: str) -> None:
    assert value(typed("PublishNeedCatalogue", needs=text), "needs") == ("ND-1", "ND-2")


@pytest.mark.parametrize("text", ['["ND-1"', '{"ND-1": 1}', '["ND-1", NaN]', "[" * 40, "[]"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(InputInvalid):
        typed("SplitNeed", into=text)


def test_pairs_need_no_json_and_may_not_say_a_name_twice() -> None:
    command = typed("ApproveRoundBudget", amount="5萬", funds="FS-1:30,000.00,FS-2：2萬")
    assert value(command, "funds") == {"FS-1": 3_000_000, "FS-2": 2_000_000}
    for doubled in ("FS-1:1,FS-1:2", '{"FS-1": 1, "FS-1": 2}'):
        with pytest.raises(InputInvalid, match="stands twice"):
            typed("ApproveRoundBudget", amount="3", funds=doubled)


@pytest.mark.parametrize("other", ["personnel", "人员费"])
def test_a_line_may_not_be_given_by_its_word_and_again_otherwise(other: str) -> None:
    moved = {"人員費": -500, other: -300, "activity": 800}
    pairs = f"人員費:-5,{other}:-3,activity:8"
    for text in (pairs, json.dumps(moved)):
        with pytest.raises(InputInvalid, match="given already"):
            typed("RequestVariation", reason="調整", move=text)
    with pytest.raises(InputInvalid, match="given already"):
        read_data("RequestVariation", reason="調整", move=moved)


def test_a_document_is_the_file_at_a_path() -> None:
    command = typed("ArchiveProject", index="@minutes.pdf")
    assert value(command, "index") == PAPER
    several = typed("RecordSupervisionVisit", attachments="@a.pdf,@b.pdf")
    assert value(several, "attachments") == (PAPER, PAPER)
    one = typed("RecordSupervisionVisit", attachments=PAPER.model_dump_json())
    assert value(one, "attachments") == (PAPER,), "as the command line elsewhere sends it"
    as_json = typed("ArchiveProject", index=json.dumps(PAPER.model_dump()))
    assert value(as_json, "index") == PAPER


def test_no_file_is_read_where_none_can_be() -> None:
    with pytest.raises(InputInvalid, match="no file can be read here"):
        read_data("ArchiveProject", index="@/etc/passwd")


def test_a_scheme_is_cited_as_it_is_shown() -> None:
    assert str(value(typed("PublishCall", scheme="hangzhou@1"), "scheme")) == "hangzhou@1"
    with pytest.raises(InputInvalid):
        typed("PublishCall", scheme="hangzhou@one")


def test_a_field_may_be_given_by_the_office_s_word_but_not_twice() -> None:
    assert value(typed("RejectNeed", 理由="重複"), "reason") == "重複"
    with pytest.raises(InputInvalid, match="given already"):
        typed("RejectNeed", reason="重複", 理由="重複")


def test_every_fault_is_named_at_once_and_in_the_order_of_the_fields() -> None:
    with pytest.raises(InputInvalid) as invalid:
        typed("SubmitScore", application="AP-1", mark="x", criteria="a:b", nonsense="1")
    assert [f.place for f in invalid.value.faults] == [("nonsense",), ("mark",), ("criteria", "a")]


# ---------------------------------------------------------------- JSON, and words of libraries


def test_json_has_every_key_once_and_no_numbers_that_are_none_or_that_nothing_holds() -> None:
    assert parse_json('{"a": 1.50}') == {"a": Decimal("1.50")}
    doubled = ('{"a": 1, "a": 2}', '{"a": {"b": 1, "b": 1}}')
    too_long = ("9" * 5000, "1e99999999999999999999", "1E-9999", "0." + "1" * 5000)
    for text in (*doubled, *too_long, "NaN", "[Infinity]", "[" * 1000, "{", "[1,]"):
        with pytest.raises(ValueMisread):
            parse_json(text)


@every_row("kind", typing.get_args(core_schema.ErrorType))
def test_no_word_of_a_library_reaches_a_reader(kind: str) -> None:
    bounds = ("min_length", "max_length", "max_digits", "decimal_places", "whole_digits", "ge", "gt", "le", "lt")
    context = {"error": "Input should be a valid dict", "expected": "'a' or 'b'"} | dict.fromkeys(bounds, 2)
    error: Any = {"type": kind, "loc": (), "msg": context["error"], "input": None, "ctx": context}
    for text in explain_error(error):
        assert not [word for word in LIBRARY_WORDS if word in text], text


HOSTILE_TEXTS = (
    "", " ", "\x00", "\udcff", "9" * 18, "9" * 5000, "-1", "1e400", "NaN", "[", "{", "[[]]", "{}", "[]", '{"a": {}}',
    '{"a": [1]}', "null", "[null]", "a:b", "a:1", "@", "@x", "x@y", "2024-02-30", "0000-00-00", "2024-01-01T24:00",
    "2024-01-01T23:59:60", "١٢", "²", "１e５", "½", "a" * 10_000, '{"sha256": 1, "media_type": "", "name": ""}',
    '[{"sha256": "x"}]', "true", ",", ":", ":::", ",,,", '{"name": "hangzhou", "version": 1e3}', "0" * 30 + "1",
)  # fmt: skip
HOSTILE_DATA: tuple[Any, ...] = (
    *HOSTILE_TEXTS, None, True, 0, -1, 2**53, 2**63, 10**400, 1.5, float("nan"), float("inf"), Decimal("NaN"),
    Decimal("1E+5000"), [], {}, [None], [[]], {"a": None}, {"": 1}, {1: 2}, b"x", [1] * 50, {"a": {"b": {"c": 1}}},
)  # fmt: skip


def _each_form_of_field() -> Iterable[Any]:
    """A model of one field for each form that fields of commands have."""
    forms = {
        f"{field.annotation} {field.metadata}": (f"{command.__name__}.{name}", field)
        for aggregate in AGGREGATES.values()
        for command in aggregate.commands
        for name, field in command.model_fields.items()
    }
    for where, field in forms.values():
        definition: Any = {"value": (field.annotation, field)}
        yield create_model(where, **definition)


@every_row("model", list(_each_form_of_field()))
def test_whatever_is_given_a_field_is_taken_and_can_be_kept_or_is_refused_in_few_words(model: type[BaseModel]) -> None:
    (name,) = field_shapes(model)
    for notation, values in ((Notation.TYPED, HOSTILE_TEXTS), (Notation.DATA, HOSTILE_DATA)):
        for hostile in values:
            faults: tuple[InputFault, ...] = ()
            try:
                taken = read_fields(model, {name: hostile}, notation, attach=lambda _path: PAPER)
            except InputInvalid as invalid:
                faults = invalid.faults
            else:
                canonical(plain(taken))
            assert all(len(f.zh) < 1000 and len(f.en) < 1500 for f in faults), repr(hostile)[:60]


NO_EXAMPLE = "its example cannot be typed: put one for this field into domain/kernel/example.py"


def test_every_field_of_every_command_says_what_it_takes_and_gives_an_example_that_can_be_typed() -> None:
    for aggregate in AGGREGATES.values():
        for command in aggregate.commands:
            for shape in field_shapes(command).values():
                assert all(shape.shape.texts(notation) for notation in Notation)
                faults = _faults_of(command, shape.name, write_example(shape))
                assert not [f for f in faults if f[:1] == (shape.name,)], f"{command} {shape.name}: {NO_EXAMPLE}"


def test_the_examples_of_what_a_command_needs_make_a_command() -> None:
    for aggregate in AGGREGATES.values():
        for command in aggregate.commands:
            needed = {name: write_example(shape) for name, shape in field_shapes(command).items() if shape.required}
            read = read_fields(command, needed, Notation.TYPED, attach=lambda _path: PAPER)
            assert read.model_fields_set >= {s.attribute for n, s in field_shapes(command).items() if n in needed}


def _faults_of(command: type[Command], field: str, text: str) -> list[tuple[str | int, ...]]:
    try:
        read_fields(command, {field: text}, Notation.TYPED, attach=lambda _path: PAPER)
    except InputInvalid as invalid:
        return [f.place for f in invalid.faults]
    except ValidationError as leaked:
        pytest.fail(str(leaked))
    return []


def test_brackets_within_a_text_are_no_depth() -> None:
    for text in ("[" * 100, '"' + "{" * 100, "「[」" * 100, "\\", "[" * 100 + "\\"):
        assert parse_json(json.dumps({"note": text})) == {"note": text}
    for deep in ("[" * 100, '{"a":' * 100, r'["\"\\",' + "[" * 100):
        with pytest.raises(ValueMisread, match="層次過深"):
            parse_json(deep)
    with pytest.raises(ValueMisread, match="不是 JSON"):
        parse_json('["' + "[" * 100)


@pytest.mark.parametrize("amount", ["x", "-5"])
def test_a_fault_of_a_line_is_told_once_under_the_word_that_was_written(amount: str) -> None:
    with pytest.raises(InputInvalid) as refused:
        read_fields(command_class("SignContract"), {"budget": {"人員費": amount}}, Notation.TYPED)
    (fault,) = (one for one in refused.value.faults if one.place[0] == "budget")
    assert fault.place == ("budget", "人員費")
