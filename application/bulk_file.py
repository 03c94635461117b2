"""A file of many commands: its rows, read and understood, each known by what it says and not by where it stands.

A ``.csv`` or a spreadsheet is typed text, so money in it is in yuan. A ``.jsonl`` is data, one object a line, its
money whole fen.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field

from application.bulk_sheet import SUFFIXES, SheetTable, read_sheet
from application.command_input import CommandUnknown, is_first_command, read_command, resolve_command
from application.queries import NameAmbiguous, NameUnknown, RealmUnsaid, find_to_act
from application.realms import NoSuchRealm
from domain.catalogue import split_subject
from domain.kernel.canonical import digest
from domain.kernel.explanation import InputFault, InputInvalid, ValueMisread, show
from domain.kernel.field_shape import Notation
from domain.kernel.identifier import Actor, StreamId, Text, derive_id
from domain.kernel.input import OPENING_HOUR, DayOrTime, at_hour, parse_json, read_fields
from schemes.document import DocumentFault, DocumentInvalid, YamlDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from uuid import UUID

    from domain.kernel.input import AttachFile
    from domain.kernel.message import Command
    from store.port import EventStore

_OWN_COLUMNS = ("command", "subject", "actor")
_ROW_COLUMNS = (*_OWN_COLUMNS, "at", "key")
_ROW_IN_CELL = re.compile(r"\n[^\n]*,[A-Z]+(?:-[A-Z]+)?#[0-9]+,")
"""A line within a cell that has an actor between commas: a row, swallowed by a quotation mark that was not closed."""


Admits = Callable[[StreamId, Mapping[str, Any]], Awaitable[bool]]
"""Whether whoever hands the file in may know of that file, for what the row asks of it."""


class BulkRow(BaseModel):
    """One row of a bulk file: the command, of whom it is asked, who asks, and its particulars."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    command: Text
    """``confirm-award``, ``ConfirmAward``, ``AwardConfirmed`` or 立項審批."""
    subject: Text
    """``PJ-3``, ``PJ-3/T1``, ``AP-5``…; a new name begins a new stream."""
    actor: Actor
    at: DayOrTime | None = None
    """When it was so, in a realm on a manual clock; without it, it is dated where that clock stands."""
    key: Text | None = None
    """By which the office knows the row, e.g. a voucher's number: mended, it is still the same row."""
    data: Annotated[dict[str, Any], Field(default_factory=dict)]


@dataclass(frozen=True)
class BulkOrder:
    """A row, read and understood."""

    number: int
    """From 1."""
    line: int
    stream: StreamId
    command: Command
    actor: Actor
    at: datetime | None
    identity: tuple[str, ...]
    """What makes it the same row wherever and whenever it is read again."""

    def command_id(self, attempt: int = 0) -> UUID:
        """The id under which it is asked; a row that was refused is asked again as the next attempt."""
        return derive_id("bulk row", *self.identity, str(attempt))


@dataclass
class _RawRows:
    """What could be read of a file, each with its line, and what could not."""

    rows: list[tuple[int, Any]] = field(default_factory=list)
    faults: list[DocumentFault] = field(default_factory=list)


async def parse_rows(
    file: str,
    content: bytes,
    store: EventStore,
    realm: str | None = None,
    *,
    again: str = "",
    attach: AttachFile | None = None,
    may_give: Admits | None = None,
) -> tuple[BulkOrder, ...]:
    """The rows of a file as commands. Raises DocumentInvalid with every fault of every row; nothing is begun then.

    Rows that were carried out before are the same rows again, unless ``again``, any word, makes them others. A file
    that ``may_give``, shown the row, does not let them know is answered as one that is not there.
    """
    is_sheet = file.lower().endswith(SUFFIXES)
    is_table = is_sheet or file.lower().endswith(".csv")
    table = await asyncio.to_thread(read_sheet, file, content, _OWN_COLUMNS) if is_sheet else None
    if table is not None:
        raw = _sheet_rows(table, file)
    else:
        raw = _csv_rows(_decode(file, content), file) if is_table else _json_rows(_decode(file, content), file)
    if not raw.rows and not raw.faults:
        raise DocumentInvalid([DocumentFault(file, 1, "", "文件中一行也沒有", "the file has no rows")])
    reader = _RowReader(store, realm, Notation.TYPED if is_table else Notation.DATA, attach, again, may_give)
    orders: list[BulkOrder] = []
    for number, (line, row) in enumerate(raw.rows, start=1):
        try:
            orders.append(await reader.read(number, YamlDocument(file, row, {(): line})))
        except DocumentInvalid as invalid:
            raw.faults.extend(_place(invalid.faults, table))
    if raw.faults:
        raise DocumentInvalid(raw.faults)
    return tuple(orders)


def _place(faults: Iterable[DocumentFault], table: SheetTable | None) -> Iterator[DocumentFault]:
    """The faults of a row, in a spreadsheet each with the address of its cell."""
    for fault in faults:
        address = ""
        if table is not None:
            places = (table.address(fault.line, name) for name in (fault.where, fault.where.partition(".")[0]))
            address = next(filter(None, places), "")
        yield replace(fault, where=f"{address} {fault.where}") if address else fault


def _sheet_rows(table: SheetTable, file: str) -> _RawRows:
    """As those of a table of text; a row that says no more than its command has not been filled in."""
    columns = list(table.columns)
    raw = _RawRows(faults=[DocumentFault(file, 1, "", zh, en) for zh, en in _faulty_columns(columns)])
    for row in table.rows if not raw.faults else ():
        fields = _csv_row(columns, list(row.cells))
        if fields.keys() != {"command", "data"} or fields["data"]:
            raw.rows.append((row.line, fields))
    return raw


def _decode(file: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as invalid:
        zh, en = (
            "不是 UTF-8 文字：電子表格請以 .xlsx 交來，或另存為「CSV UTF-8」",
            'not text in UTF-8: hand a spreadsheet in as .xlsx, or save it as "CSV UTF-8"',
        )
        raise DocumentInvalid([DocumentFault(file, 1, "", zh, en)]) from invalid


def _json_rows(text: str, file: str) -> _RawRows:
    """A line ends at a line feed and nowhere else: other breaks may stand within a text of JSON."""
    raw = _RawRows()
    for line, one in enumerate(text.split("\n"), start=1):
        if not one.strip():
            continue
        try:
            raw.rows.append((line, parse_json(one)))
        except ValueMisread as invalid:
            raw.faults.append(DocumentFault(file, line, "", invalid.zh, invalid.en))
    return raw


def _csv_rows(text: str, file: str) -> _RawRows:
    """A column that is not ours is a particular. A row without any text is no row."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    raw = _RawRows()
    columns: list[str] = []
    line = 1
    try:
        columns = [column.strip() for column in next(reader, [])]
        raw.faults += [DocumentFault(file, 1, "", zh, en) for zh, en in _faulty_columns(columns)]
        if raw.faults:
            return raw
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if any(_ROW_IN_CELL.search(cell) for cell in cells):
                    zh, en = (
                        "某欄內含有另一整行，似漏了引號",
                        "a cell holds another whole row: a quotation mark is missing",
                    )
                    raw.faults.append(DocumentFault(file, line, "", zh, en))
                elif len(cells) == len(columns):
                    raw.rows.append((line, _csv_row(columns, cells)))
                else:
                    zh = f"此行有 {len(cells)} 欄，首行有 {len(columns)} 欄；請檢查引號與逗號"
                    en = f"this row has {len(cells)} columns, the first line {len(columns)}: look at quotes and commas"
                    raw.faults.append(DocumentFault(file, line, "", zh, en))
            line = reader.line_num + 1
    except csv.Error:
        zh, en = "引號未閉合，或引號後另有文字", "a quotation mark is not closed, or is followed by more text"
        raw.faults.append(DocumentFault(file, line, "", zh, en))
    return raw


def _faulty_columns(columns: list[str]) -> Iterator[tuple[str, str]]:
    missing = [name for name in _OWN_COLUMNS if name not in columns]
    if missing and columns:
        zh = f"首行缺少欄 {'、'.join(missing)}；各欄以逗號分隔"
        yield zh, f"the first line lacks {', '.join(missing)}; separate columns by commas"
    counts = Counter(c if c in _ROW_COLUMNS else name_column(c.removeprefix(_OF_COMMAND)) for c in columns)
    for column, count in counts.items():
        if column and count > 1:
            yield f"首行的欄 {show(column)} 重複", f"the column {show(column)} stands twice in the first line"


def _csv_row(columns: list[str], cells: list[str]) -> dict[str, Any]:
    pairs = [(column, cell) for column, cell in zip(columns, cells, strict=True) if cell.strip()]
    own = {column: cell.strip() for column, cell in pairs if column in _ROW_COLUMNS}
    return own | {"data": {column.removeprefix(_OF_COMMAND): cell for column, cell in pairs if column not in own}}


_OF_COMMAND = "data."


def name_column(field: str) -> str:
    """The column of a command's field: ``data.key`` where a row has a ``key`` of its own."""
    return f"{_OF_COMMAND}{field}" if field in _ROW_COLUMNS else field


@dataclass
class _RowReader:
    store: EventStore
    realm: str | None
    notation: Notation
    attach: AttachFile | None
    again: str
    may_give: Admits | None
    seen: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """How often each row has occurred so far."""
    streams: dict[str, StreamId] = field(default_factory=dict)
    """What each name means: it is looked up once a file."""

    async def read(self, number: int, document: YamlDocument) -> BulkOrder:
        """The row as a command. Raises DocumentInvalid with every fault."""
        faults: list[DocumentFault] = []
        row = command = None
        try:
            row = read_fields(BulkRow, _as_object(document.data), self.notation)
        except InputInvalid as invalid:
            faults += document.locate(invalid.faults)
        stream = await self._stream(document, faults)
        if stream is not None:
            command = self._command(document, stream, faults)
        if faults or row is None or stream is None or command is None:
            raise DocumentInvalid(faults)
        at = at_hour(row.at, OPENING_HOUR) if row.at else None
        identity = self._identity(document, row, stream, command)
        return BulkOrder(number, document.line(()), stream, command, row.actor, at, identity)

    async def _stream(self, document: YamlDocument, faults: list[DocumentFault]) -> StreamId | None:
        """The stream that is meant, if its name can be read."""
        subject = document.data.get("subject") if isinstance(document.data, dict) else None
        if not isinstance(subject, str) or not subject or any(fault.where == "subject" for fault in faults):
            return None
        if subject in self.streams:
            return self.streams[subject]
        try:
            begins = is_first_command(str(document.data.get("command", "")), subject)
        except CommandUnknown:
            begins = False  # told where the command is read
        try:
            stream = (await find_to_act(self.store, subject, self.realm, begins=begins)).stream
            if self.may_give is not None and not await self.may_give(stream, document.data):
                raise NameUnknown(subject)  # noqa: TRY301 - answered alike
        except (NoSuchRealm, RealmUnsaid) as failure:
            zh, en = failure.zh, failure.en
        except NameUnknown:
            zh, en = f"不認識 {show(subject)}", f"unknown subject {show(subject)}"
        except NameAmbiguous as several:
            names = " ".join(several.candidates)
            zh, en = f"{subject} 有多個：{names}；請寫全稱", f"there are several {subject}: {names}; write the whole id"
        else:
            self.streams[subject] = stream
            return stream
        faults.append(document.fault(("subject",), zh, en))
        return None

    def _command(self, document: YamlDocument, stream: StreamId, faults: list[DocumentFault]) -> Command | None:
        """The command, if its name and particulars can be read, whatever else is wrong with the row."""
        name, data = document.data.get("command"), document.data.get("data", {})
        if not isinstance(name, str) or not isinstance(data, dict):
            return None
        _, part = split_subject(document.data["subject"])
        try:
            return read_command(resolve_command(name, stream.kind), part, data, self.notation, attach=self.attach)
        except CommandUnknown as unknown:
            faults.append(document.fault(("command",), unknown.zh, unknown.en))
        except InputInvalid as invalid:
            for one in invalid.faults:
                is_inside = self.notation is Notation.DATA or (bool(one.place) and one.place[0] in _ROW_COLUMNS)
                faults += document.locate([one], ("data",) if is_inside else ())
        return None

    def _identity(self, document: YamlDocument, row: BulkRow, stream: StreamId, command: Command) -> tuple[str, ...]:
        """The stream and the command with the row's key; without one, with all it says, and the how manieth it is."""
        if row.key is None:
            says = command.model_dump(mode="json", exclude_unset=True)
            content = {"actor": row.actor, "says": says, "at": row.at.isoformat() if row.at else None}
            identity = (stream, command.command_type, self.again, "content", digest(content))
            self.seen[identity] += 1
            return (*identity, str(self.seen[identity]))
        identity = (stream, command.command_type, self.again, "key", row.key)
        self.seen[identity] += 1
        if self.seen[identity] > 1:
            zh, en = f"編號 {show(row.key)} 重複", f"the key {show(row.key)} stands twice"
            raise DocumentInvalid([document.fault(("key",), zh, en)])
        return identity


def _as_object(row: object) -> Mapping[str, object]:
    if isinstance(row, dict):
        return cast("Mapping[str, object]", row)
    raise InputInvalid([InputFault((), "每行須為一個 JSON 物件", "each line must be a JSON object")])
