"""Many commands from one file, each once: ids come from the file's content, so an interrupted run is simply run again.

Rows of one stream that stand together travel in one update, in their order. Such bundles that are of the same commands
and stand together are a *wave* and go side by side; the next wave begins when it is done.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections import defaultdict
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from application.door import CommandDefect, CommandRequest, Mismatch, NotKnown, Unsigned
from application.door import receipt as read_receipt
from application.dry_run import DryRun
from application.queries import NameAmbiguous, NameUnknown, resolve_or_begin
from deciding.decision import StreamParked
from domain.catalogue import find_command, split_subject
from domain.kernel.identity import Actor, StreamId, Text, derive_id
from domain.kernel.refusal import CommandRejected
from schemes.document import Document, DocumentFault, DocumentInvalid, explain_error, parse_value

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence
    from uuid import UUID

    from application.door import Door
    from domain.kernel.envelope import Answer
    from domain.kernel.message import Command
    from domain.kernel.refusal import Unmet
    from store.port import EventStore

AT_ONCE = 16
"""Streams that are commanded side by side."""
_OWN_COLUMNS = ("command", "subject", "actor")
_BEYOND = ""
"""Under which a line has what stands beyond its columns."""


class BulkRow(BaseModel):
    """One row of a bulk file: the command, of whom it is asked, who asks, and its particulars."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    command: Text
    """``confirm-award``, ``ConfirmAward``, ``AwardConfirmed`` or 立項批復."""
    subject: Text
    """``PJ-3``, ``PJ-3/T1``, ``AP-5``…; a new name begins a new stream."""
    actor: Actor
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
    command_id: UUID


class RowOutcome(StrEnum):
    """What may become of a row."""

    CARRIED_OUT = "carried_out"
    REPEATED = "repeated"
    """It stands since an earlier run."""
    REFUSED = "refused"
    NOT_KNOWN = "not_known"
    """Run the file again."""
    FAILED = "failed"
    GRANTABLE = "grantable"
    """It would be carried out as things stand now; only in a preview."""

    @property
    def label(self) -> tuple[str, str]:
        """In Chinese and English."""
        return _OUTCOMES[self], self.value.replace("_", " ")


_OUTCOMES = {
    RowOutcome.CARRIED_OUT: "已辦理",
    RowOutcome.REPEATED: "此前已辦",
    RowOutcome.REFUSED: "不予辦理",
    RowOutcome.NOT_KNOWN: "結果未知",
    RowOutcome.FAILED: "未能辦理",
    RowOutcome.GRANTABLE: "可予辦理",
}


@dataclass(frozen=True)
class BulkResult:
    """What became of a row, or would become of it."""

    order: BulkOrder
    outcome: RowOutcome
    events: tuple[str, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether it stands, or would."""
        return self.outcome in (RowOutcome.CARRIED_OUT, RowOutcome.REPEATED, RowOutcome.GRANTABLE)

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "row": self.order.number,
            "line": self.order.line,
            "stream": self.order.stream,
            "command": self.order.command.command_type,
            "id": str(self.order.command_id),
            "outcome": self.outcome,
            "events": list(self.events),
            "unmet": [u.model_dump() for u in self.unmet],
            "why": self.why,
        }


async def parse_rows(file: str, content: bytes, store: EventStore, realm: str | None = None) -> tuple[BulkOrder, ...]:
    """The rows of a file as commands. Raises DocumentInvalid with every fault of every row; nothing is begun then."""
    digest = sha256(content).hexdigest()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        zh, en = "不是 UTF-8 文字：試算表請另存為「CSV UTF-8」", 'not text in UTF-8: save a spreadsheet as "CSV UTF-8"'
        raise DocumentInvalid([DocumentFault(file, 1, "", zh, en)]) from wrong
    rows, faults = _csv_rows(text, file) if file.lower().endswith(".csv") else _json_rows(text, file)
    if not rows and not faults:
        raise DocumentInvalid([DocumentFault(file, 1, "", "文件中一行也沒有", "the file has no rows")])
    orders: list[BulkOrder] = []
    for number, (line, raw) in enumerate(rows, start=1):
        document = Document(file, raw, {(): line})
        try:
            row = document.parse(BulkRow)
            stream = await _resolve_subject(document, store, row.subject, realm)
            command = _build_command(document, row, stream)
        except DocumentInvalid as faulty:
            faults.extend(faulty.faults)
            continue
        orders.append(BulkOrder(number, line, stream, command, row.actor, derive_id("bulk", digest, str(number))))
    if faults:
        raise DocumentInvalid(faults)
    return tuple(orders)


_Rows = tuple[list[tuple[int, Any]], list[DocumentFault]]
"""What could be read, each with its line; and what could not."""


def _json_rows(text: str, file: str) -> _Rows:
    rows: list[tuple[int, Any]] = []
    faults: list[DocumentFault] = []
    for line, one in enumerate(text.splitlines(), start=1):
        if not one.strip():
            continue
        try:
            rows.append((line, json.loads(one)))
        except json.JSONDecodeError as wrong:
            faults.append(DocumentFault(file, line, "", f"不是 JSON：{wrong.msg}", f"not JSON: {wrong.msg}"))
    return rows, faults


def _csv_rows(text: str, file: str) -> _Rows:
    """A column that is not ours is a particular."""
    reader = csv.DictReader(io.StringIO(text), restkey=_BEYOND)
    rows: list[tuple[int, Any]] = []
    faults: list[DocumentFault] = []
    missing = [name for name in _OWN_COLUMNS if name not in (reader.fieldnames or _OWN_COLUMNS)]
    if missing:
        zh = f"首行缺少欄 {'、'.join(missing)}；各欄以逗號分隔"
        return [], [
            DocumentFault(file, 1, "", zh, f"the first line lacks {', '.join(missing)}; separate columns by commas")
        ]
    for one in reader:
        beyond = one.pop(_BEYOND, [])
        if beyond:
            zh, en = f"比首行多出 {len(beyond)} 欄", f"{len(beyond)} more columns than the first line has"
            faults.append(DocumentFault(file, reader.line_num, "", zh, en))
            continue
        data = {k: parse_value(v) for k, v in one.items() if k not in _OWN_COLUMNS and v is not None and v.strip()}
        rows.append((reader.line_num, {**{k: one[k] or "" for k in _OWN_COLUMNS}, "data": data}))
    return rows, faults


async def _resolve_subject(document: Document, store: EventStore, subject: str, realm: str | None) -> StreamId:
    try:
        return await resolve_or_begin(store, subject, realm)
    except NameUnknown:
        raise DocumentInvalid(
            [document.fault(("subject",), f"不認識 {subject}", f"unknown subject {subject}")]
        ) from None
    except NameAmbiguous as several:
        names = " ".join(several.candidates)
        zh, en = f"{subject} 有多個：{names}；請寫全稱", f"there are several {subject}: {names}; write the whole id"
        raise DocumentInvalid([document.fault(("subject",), zh, en)]) from None


def _build_command(document: Document, row: BulkRow, stream: StreamId) -> Command:
    try:
        command_type = find_command(row.command, stream.kind)
    except KeyError:
        zh, en = f"{stream.kind} 沒有命令 {row.command}", f"{stream.kind} has no command {row.command}"
        raise DocumentInvalid([document.fault(("command",), zh, en)]) from None
    _, part = split_subject(row.subject)
    try:
        return command_type.model_validate(command_type.about(part, row.data))
    except ValidationError as wrong:
        raise DocumentInvalid(
            [document.fault(("data", *e["loc"]), *explain_error(e)) for e in wrong.errors(include_url=False)]
        ) from wrong


async def preview_rows(
    orders: Iterable[BulkOrder], store: EventStore, *, on_result: Callable[[BulkResult], None] = lambda _result: None
) -> AsyncIterator[BulkResult]:
    """What would become of each row now, as it rests on those before it. Records nothing."""
    rehearsal = DryRun(store)
    for order in orders:
        if await store.journalled(order.command_id) is not None:
            result = BulkResult(order, RowOutcome.REPEATED)
        else:
            step = await rehearsal.step(order.stream, order.command, order.actor)
            events = tuple(event.event_type for event in step.events)
            result = BulkResult(order, RowOutcome.REFUSED if step.unmet else RowOutcome.GRANTABLE, events, step.unmet)
        on_result(result)
        yield result


def waves(orders: Iterable[BulkOrder]) -> list[list[list[BulkOrder]]]:
    """The rows as they may go: wave after wave, and in a wave side by side one bundle of rows for each stream.

    Rows of one stream that stand together are a bundle; bundles of the same commands that stand together, a wave.
    """
    together = [list(bundle) for _, bundle in groupby(orders, key=lambda o: o.stream)]
    grouped = []
    for _, wave in groupby(together, key=lambda bundle: [type(o.command) for o in bundle]):
        by_stream: defaultdict[StreamId, list[BulkOrder]] = defaultdict(list)
        for bundle in wave:
            by_stream[bundle[0].stream] += bundle
        grouped.append(list(by_stream.values()))
    return grouped


async def run_rows(
    orders: Sequence[BulkOrder], door: Door, *, on_result: Callable[[BulkResult], None] = lambda _result: None
) -> AsyncIterator[BulkResult]:
    """Carry the rows out, wave by wave. Run again after an interruption, what was done is only reported again."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one_stream(bundle: list[BulkOrder]) -> list[BulkResult]:
        results = []
        async with places:
            async for result in _send_each(bundle, door):
                results.append(result)
                on_result(result)
        return results

    for wave in waves(orders):
        done = await asyncio.gather(*map(one_stream, wave))
        for result in sorted((r for results in done for r in results), key=lambda r: r.order.number):
            yield result


async def _send_each(rows: list[BulkOrder], door: Door) -> AsyncIterator[BulkResult]:
    """Rows of one stream, in turn. While it is not known what became of one, none that follows is carried out."""
    left = rows
    while left:
        requests = [CommandRequest(row.command, row.actor, row.command_id) for row in left]
        try:
            async with aclosing(door.send_each(left[0].stream, requests)) as answers:
                async for answer in answers:
                    row, *left = left
                    yield _row_result(row, answer)
        except NotKnown as unknown:
            for row in left:
                yield BulkResult(row, RowOutcome.NOT_KNOWN, why=unknown.why)
            return
        except (StreamParked, CommandDefect) as failed:
            row, *left = left
            yield BulkResult(row, RowOutcome.FAILED, why=f"{type(failed).__name__}: {failed.en}")


def _row_result(order: BulkOrder, answer: Answer) -> BulkResult:
    try:
        receipt = read_receipt(order.command_id, answer)
    except CommandRejected as refused:
        return BulkResult(order, RowOutcome.REFUSED, unmet=refused.unmet)
    except (Mismatch, StreamParked, Unsigned) as failed:
        return BulkResult(order, RowOutcome.FAILED, why=f"{type(failed).__name__}: {failed.en}")
    return BulkResult(order, RowOutcome.REPEATED if receipt.repeated else RowOutcome.CARRIED_OUT, events=receipt.events)
