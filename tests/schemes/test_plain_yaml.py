"""An office's files are read as they look: no number that nobody wrote, nothing by reference, every fault at once."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from domain.kernel.scheme import Scheme
from schemes import scheme_file
from schemes.document import DocumentInvalid, read, read_text
from schemes.plain_yaml import YamlInvalid, parse_yaml
from tests.tables import every_row

if TYPE_CHECKING:
    from pathlib import Path


@every_row("word, value", [
        ("0500000", "0500000"), ("12:30", "12:30"), ("1_8", "1_8"), ("0x10", "0x10"), ("0o17", "0o17"), ("+5", "+5"),
        ("1.8E+07", "1.8E+07"), (".5", ".5"), (".inf", ".inf"), ("on", "on"), ("no", "no"), ("True", "True"),
        ("2024-01-01", "2024-01-01"), ("9999999999999999999999", "9999999999999999999999"), ("'365'", "365"),
        ("365", 365), ("-5", -5), ("0", 0), ("18000.00", Decimal("18000.00")), ("true", True), ("~", None), ("", None),
    ])  # fmt: skip
def test_a_number_is_only_what_people_write_as_one(word: str, value: object) -> None:
    content = parse_yaml(f"a: {word}")
    assert not content.faults
    assert (content.data["a"], type(content.data["a"])) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a: &x {b: 1}\nc: *x\n", [1, 2]),
        ("a: {<<: {b: 1}}\n", [1]),
        ("a: 1\nb: 2\na: 3\n", [3]),
        ("a: {b: 1, b: 2}\n", [1]),
        ("a: !!python/object:os.system x\nb: !mine 1\n", [1, 2]),
        ("a: !!int '3'\n", [1]),
    ],
    ids=["anchors and aliases", "merge keys", "a doubled key", "a doubled key within", "tags", "a type"],
)
def test_what_may_not_stand_in_a_file_is_named_with_its_line(text: str, lines: list[int]) -> None:
    assert [fault.line for fault in parse_yaml(text).faults] == lines


@pytest.mark.parametrize(
    ("text", "line", "zh"),
    [
        ("", 1, "空"),
        ("# 只有註釋\n", 1, "空"),
        ("a: 目標: 每週探訪\n", 1, "冒號"),
        ("a: 1\nb: 2\n\tc: 3\n", 3, "Tab"),
        ('a: 1\nb: "未閉合\nc: 2\n', 2, "引號"),
        ("a: 1\nb: [1, 2\n", 3, "括號"),
        ("a: 1\n---\nb: 2\n", 2, "---"),
        ("? [1]\n: 2\n", 1, "鍵"),
        ("a: \x07\n", 1, "字元"),
        ("[" * 100_000, 1, "深"),
        ("a: [" + "1, " * 250_000 + "]", 1, "多"),
        ("a: " + "x" * 2**22, 1, "字"),
    ],
)
def test_what_cannot_be_read_on_is_named_with_its_line(text: str, line: int, zh: str) -> None:
    began = time.process_time()
    with pytest.raises(YamlInvalid) as invalid:
        parse_yaml(text)
    assert invalid.value.line == line
    assert zh in invalid.value.zh
    assert time.process_time() - began < 5


def test_a_small_text_cannot_become_a_large_one() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    content = parse_yaml(bomb)
    assert len(content.lines) < 50
    assert content.faults


def test_all_faults_of_a_scheme_are_told_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    shipped = scheme_file.list_shipped()["hangzhou"].read_text("utf-8")
    broken = (
        shipped.replace("window_wd: 10 ", "window_wd: 0x10 ")
        .replace("panel: 5 ", "panel: 4 ")
        .replace("effective: 2024-01-01", "effective: 1704067200")
        .replace("retention_years: 10 ", "retention_years: ten ")
        + "closing: {}\n"
    )
    path = tmp_path / "mine.yaml"
    path.write_text(broken, "utf-8")
    with pytest.raises(DocumentInvalid) as invalid:
        scheme_file.load(path)
    faults = invalid.value.faults
    assert [f.line for f in faults] == sorted(f.line for f in faults)
    assert {f.where for f in faults} >= {"needs.window_wd", "effective", "closing.retention_years", "closing"}
    assert not [f for f in faults if "valid integer" in f.en or "Input" in f.en]


def test_a_file_of_another_encoding_and_none_at_all_are_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "gbk.yaml"
    path.write_bytes("city: 杭州市".encode("gbk"))
    for broken in (path, tmp_path / "none.yaml", tmp_path):
        with pytest.raises(DocumentInvalid) as invalid:
            read(broken)
        assert "Errno" not in str(invalid.value)
        assert "codec" not in str(invalid.value)


@pytest.mark.parametrize("text", ["[1, 2]", "text", "5"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(DocumentInvalid, match="keys with their values"):
        read_text(text, "x.yaml").parse(Scheme)


def test_a_mark_of_byte_order_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("\ufeff" + scheme_file.list_shipped()["hangzhou"].read_text("utf-8"), "utf-8")
    assert scheme_file.load(path) == scheme_file.load_shipped("hangzhou")
