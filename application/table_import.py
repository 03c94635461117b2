"""A table of another register as commands of ours: by a mapping file, each case taken over where it is first seen.

A *case* is what the table tells of by rows, each with a day and a state. Its first row becomes an opening entry, which
two seats attest; every later one the commands that lead from the state before to its own. What the mapping does not
know is left out and said so, never guessed. The commands are rows of a bulk file: previewed, resumed, never twice.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from application.bulk_file import BulkOrder, parse_rows
from application.bulk_sheet import SUFFIXES, read_sheet
from domain.kernel.explanation import show
from domain.kernel.identifier import Actor, Text
from domain.project.contract import digest_account
from domain.project.opening import ConfirmOpening, ProposeOpening, bind
from schemes.document import DocumentFault, DocumentInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from store.port import EventStore

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_OF_AN_ACCOUNT = ("bank", "holder", "number")
"""The columns of an account, in this order."""
SOURCE = "source"
"""The value that every mapping has: the row with the table's headings as an attachment, by its digest."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class TableValue(_Part):
    """What one or several columns say, in the form in which our commands take it."""

    columns: Annotated[tuple[Text, ...], Field(min_length=1, max_length=20)]
    """Headings of the table; several are joined."""
    form: Literal["text", "money", "day", "name", "digest", "account"] = "text"
    """``money``: decimal units become hundredths; ``name``: the columns' digest after ``prefix``, the name of a stream;
    ``digest``: SHA-256 in hex; ``account``: of bank, holder and number, in that order, as a form digests it (PR10)."""
    prefix: Annotated[str, Field(max_length=40)] = ""
    pattern: Annotated[str, Field(max_length=40)] = "%Y-%m-%d"
    """How a day is written, as strptime has it."""
    codes: dict[str, str] | None = None
    """The table's words and ours; a word that is not here is unknown, and left out."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.form == "account" and len(self.columns) != len(_OF_AN_ACCOUNT):
            message = f"account：須為開戶行、戶名、賬號三欄 / account wants three columns: {', '.join(_OF_AN_ACCOUNT)}"
            raise ValueError(message)
        return self


class CommandTemplate(_Part):
    """A command whose particulars name values as ``{name}``."""

    command: Text
    subject: Text
    actor: Actor
    data: dict[str, Any] = {}


class OpeningTemplate(_Part):
    """How a case is taken over, whatever its state; the state adds its own particulars."""

    proposes: Actor
    confirms: Actor
    data: dict[str, Any]


class StateMapping(_Part):
    """What a state of the table means here."""

    opening: dict[str, Any] | None = None
    """Particulars of the opening entry of a case that is first seen in it; None where none can be taken over."""
    nothing: bool = False
    """Whether a case in it is not ours yet: it is taken over when it has moved on."""
    after: dict[str, tuple[Text, ...]] = {}
    """State before, and the names of the commands that lead here; an empty list where nothing is to be recorded."""


class TableMapping(_Part):
    """The mapping file."""

    name: Text
    """Of the register that the table is of: what entries are said to be taken from."""
    case: Text
    """The value that tells one case from another, e.g. ``project``."""
    day: Text
    """The value that says when a row was so."""
    state: Text
    """The column with the state."""
    values: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], TableValue]
    once: Annotated[tuple[CommandTemplate, ...], Field(max_length=50)] = ()
    """What must stand before a row, each with its values once: funds, rounds, organisations."""
    opening: OpeningTemplate
    commands: dict[Text, Annotated[tuple[CommandTemplate, ...], Field(max_length=50)]] = {}
    states: dict[Text, StateMapping]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        known = {*self.values, SOURCE}
        wrong = sorted({name for name in _list_places(self.model_dump(mode="json")) if name not in known})
        wrong += sorted({self.case, self.day} - set(self.values))
        wrong += sorted({n for s in self.states.values() for way in s.after.values() for n in way} - set(self.commands))
        if wrong:
            message = f"未定義：{'、'.join(wrong)} / not defined: {', '.join(wrong)}"
            raise ValueError(message)
        return self


def _list_places(value: object) -> Iterator[str]:
    match value:
        case str():
            yield from _PLACE.findall(value)
        case dict():
            for inner in value.values():
                yield from _list_places(inner)
        case list() | tuple():
            for inner in value:
                yield from _list_places(inner)
        case _:
            return


@dataclass(frozen=True)
class LeftOut:
    """A row of the table of which nothing is recorded, and why."""

    line: int
    case: str
    zh: str
    en: str

    def as_json(self) -> dict[str, Any]:
        """As JSON: the line of the table, and in both languages why nothing is recorded."""
        return {"line": self.line, "case": self.case, "zh": self.zh, "en": self.en}


@dataclass
class Import:
    """What becomes of a table."""

    orders: tuple[BulkOrder, ...] = ()
    lines: tuple[int, ...] = ()
    """Of every order, the line of the table that it comes from."""
    left_out: list[LeftOut] = field(default_factory=list)
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Column and word for which the mapping has no code, and how often: left unknown."""
    cases: dict[str, str] = field(default_factory=dict)
    """Case and the state of the last row of it that was understood."""


@dataclass(frozen=True)
class _Row:
    line: int
    cells: Mapping[str, str]
    values: Mapping[str, Any]
    day: date
    state: str

    def case(self, mapping: TableMapping) -> str:
        return str(self.values[mapping.case])


async def read_import(
    file: str, content: bytes, mapping: TableMapping, store: EventStore, realm: str | None = None
) -> Import:
    """The table as commands, in the order of its days. Raises DocumentInvalid with every cell that cannot be read."""
    result = Import()
    rows = _read_rows(file, content, mapping, result)
    lines, written = [], []
    for row, content_of_order in _write_rows(rows, mapping, result):
        lines.append(row.line)
        written.append(json.dumps(content_of_order, ensure_ascii=False))
    if not written:
        return result
    try:
        result.orders = await parse_rows(f"{file}.jsonl", "\n".join(written).encode(), store, realm)
    except DocumentInvalid as invalid:
        raise DocumentInvalid([replace(f, file=file, line=lines[f.line - 1]) for f in invalid.faults]) from invalid
    result.orders = tuple(replace(order, line=lines[order.number - 1]) for order in result.orders)
    result.lines = tuple(lines)
    return result


# ---------------------------------------------------------------- the table


def _read_rows(file: str, content: bytes, mapping: TableMapping, result: Import) -> list[_Row]:
    names = {mapping.state, *(column for value in mapping.values.values() for column in value.columns)}
    rows, faults = list[_Row](), list[DocumentFault]()
    for line, cells in _read_table(file, content, names):
        values: dict[str, Any] = {SOURCE: _attach(mapping.name, cells)}
        for name, value in mapping.values.items():
            try:
                values[name] = _read_value(value, cells, result)
            except ValueError as wrong:
                zh, en = wrong.args
                faults.append(DocumentFault(file, line, "、".join(value.columns), zh, en))
        day = values.get(mapping.day)
        if day is not None and values.get(mapping.case):
            rows.append(_Row(line, cells, values, date.fromisoformat(day), cells[mapping.state].strip()))
        elif not faults:
            faults.append(DocumentFault(file, line, mapping.day, "缺日期或編號", "the day or the case is missing"))
    if faults:
        raise DocumentInvalid(faults)
    return sorted(rows, key=lambda row: row.day)


def _attach(name: str, cells: Mapping[str, str]) -> dict[str, str]:
    """The row as a document: a CSV of the headings and itself, the same however long the table grows."""
    text = io.StringIO()
    csv.writer(text).writerows([list(cells), list(cells.values())])
    return {"sha256": sha256(text.getvalue().encode()).hexdigest(), "media_type": "text/csv", "name": name}


def _read_table(file: str, content: bytes, required: set[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line. Raises DocumentInvalid."""
    if file.lower().endswith(SUFFIXES):
        table = read_sheet(file, content, sorted(required))
        for sheet_row in table.rows:
            yield sheet_row.line, dict(zip(table.columns, sheet_row.cells, strict=False))
        return
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        columns = [column.strip() for column in next(reader, [])]
        missing = sorted(required - set(columns)) + [name for name, n in Counter(columns).items() if n > 1]
        if missing:
            names = "、".join(map(show, missing))
            raise DocumentInvalid.of(file, f"首行缺少或重複：{names}", f"missing or doubled in the first line: {names}")
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(columns):
                    zh = f"此行有 {len(cells)} 欄，首行有 {len(columns)} 欄"
                    raise DocumentInvalid.of(file, zh, f"{len(cells)} cells, but {len(columns)} columns", line=line)
                yield line, dict(zip(columns, cells, strict=True))
            line = reader.line_num + 1
    except (UnicodeDecodeError, csv.Error) as error:
        zh, en = "不是 UTF-8 的 CSV，或引號未閉合", "no CSV in UTF-8, or a quotation mark is not closed"
        raise DocumentInvalid.of(file, zh, en) from error


def _read_value(value: TableValue, cells: Mapping[str, str], result: Import) -> Any:  # noqa: ANN401 - a JSON value
    """The value in our form; None for what is unknown. Raises ValueError with both texts."""
    texts = [cells[column].strip() for column in value.columns]
    text = " ".join(filter(None, texts))
    if value.codes is not None:
        if text and text not in value.codes:
            result.unknown["、".join(value.columns), text] += 1
        text = value.codes.get(text, "")
    if not text:
        return None
    match value.form:
        case "money":
            return _read_money(text)
        case "day":
            try:
                return datetime.strptime(text, value.pattern).date().isoformat()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                zh, en = f"{show(text)} 不是日期 {value.pattern}", f"{show(text)} is no day as {value.pattern}"
                raise ValueError(zh, en) from None
        case "name":
            return value.prefix + sha256("\x1f".join(texts).encode()).hexdigest()[:10]
        case "digest":
            return sha256("\x1f".join(texts).encode()).hexdigest()
        case "account":
            try:
                return digest_account(*texts)
            except ValueError:
                zh, en = "須有開戶行、戶名與數字賬號", "bank, holder and a number of digits make an account"
                raise ValueError(zh, en) from None
        case "text":
            return value.prefix + text


def _read_money(text: str) -> int:
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{show(text)} 不是金額，寫作 1234.50", f"{show(text)} is no amount: write 1234.50")
    return int(Decimal(text) * 100)


_AMOUNT = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,2}0*)?")
"""Decimal units: a comma divides thousands in one country and decimals in another, and 1.8E+07 has lost its digits."""


# ---------------------------------------------------------------- commands


def _write_rows(rows: Iterable[_Row], mapping: TableMapping, result: Import) -> Iterator[tuple[_Row, dict[str, Any]]]:
    """The rows of a bulk file, each with the row of the table that it comes from."""
    orders, stopped = set[tuple[str, str]](), set[str]()
    for row in rows:
        case, before = row.case(mapping), result.cases.get(row.case(mapping))
        templates = None if case in stopped else _find_way(row, before, mapping)
        if templates is None:
            why = _say_why(row, before, stopped=case in stopped)
            result.left_out.append(LeftOut(row.line, case, *why))
            if not (before is None and mapping.states.get(row.state, StateMapping()).nothing):
                stopped.add(case)
            continue
        for once in mapping.once:
            order = _write(once, row)
            if (key := (order["command"], order["subject"])) not in orders:
                orders.add(key)
                yield row, order | {"key": f"once {key[1]}"}
        result.cases[case] = row.state
        for number, template in enumerate(templates):
            yield row, _write(template, row) | {"key": f"{case} {before or ''}>{row.state} {row.day} {number}"}


def _find_way(row: _Row, before: str | None, mapping: TableMapping) -> list[CommandTemplate] | None:
    """The commands by which the case comes to the row's state; None if the mapping knows none."""
    meaning = mapping.states.get(row.state)
    if meaning is None:
        return None
    if before is not None:
        names = meaning.after.get(before)
        return None if names is None else [template for name in names for template in mapping.commands[name]]
    if meaning.opening is None:
        return None
    data = {**mapping.opening.data, **meaning.opening}
    subject = str(row.values[mapping.case])
    proposed = CommandTemplate(
        command=ProposeOpening.command_type, subject=subject, actor=mapping.opening.proposes, data=data
    )
    confirmed = CommandTemplate(
        command=ConfirmOpening.command_type,
        subject=subject,
        actor=mapping.opening.confirms,
        data={"digest": _bind(_fill(data, row.values))},
    )
    return [proposed, confirmed]


def _bind(data: object) -> str:
    """The digest of the entry; any, where it has not its form, which is told when it is read."""
    try:
        return bind(ProposeOpening.model_validate(data))
    except ValidationError:
        return "0" * 64


def _say_why(row: _Row, before: str | None, *, stopped: bool) -> tuple[str, str]:
    if stopped:
        return "該案前面已有一行未列入", "an earlier row of the case was left out"
    if before is None:
        return (
            f"首次見於「{row.state}」，對照文件未載明如何登記",
            f"first seen as {row.state}; the mapping does not say how that is taken over",
        )
    return (
        f"由「{before}」至「{row.state}」，對照文件未載明如何辦理",
        f"from {before} to {row.state}; the mapping knows no way",
    )


def _write(template: CommandTemplate, row: _Row) -> dict[str, Any]:
    return {
        "command": template.command,
        "subject": _fill(template.subject, row.values),
        "actor": template.actor,
        "at": row.day.isoformat(),
        "data": _fill(template.data, row.values),
    }


def _fill(template: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """The template with its values; what is unknown is left out."""
    match template:
        case str():
            whole = _PLACE.fullmatch(template)
            return values[whole[1]] if whole else _PLACE.sub(lambda m: str(values[m[1]] or ""), template)
        case dict():
            filled = {name: _fill(inner, values) for name, inner in template.items()}
            return {name: inner for name, inner in filled.items() if inner is not None}
        case list() | tuple():
            return [filled for inner in template if (filled := _fill(inner, values)) is not None]
        case _:
            return template
