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
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.door import Asking, Defect, Mismatch, NotKnown, Parked, Unsigned
from api.door import receipt as read_receipt
from api.reading import Ambiguous, Unknown, new_stream, resolved
from domain.catalogue import command_named
from domain.kernel.identity import LIVE, Actor, StreamId, Text, derived
from domain.kernel.refusal import CommandRejected
from schemes.reading import Document, Fault, Faulty, explained, read_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence
    from uuid import UUID

    from api.door import Door
    from domain.kernel.envelope import Answer
    from domain.kernel.message import Command
    from domain.kernel.refusal import Unmet
    from store.port import EventStore

AT_ONCE = 16
"""Streams that are commanded side by side."""
_OWN_COLUMNS = ("command", "subject", "actor")


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


@dataclass(frozen=True)
class BulkResult:
    """What became of a row."""

    order: BulkOrder
    outcome: str
    """``carried_out``, ``repeated``, ``refused``, ``not_known`` or ``failed``."""
    events: tuple[str, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether it stands."""
        return self.outcome in ("carried_out", "repeated")

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


async def understood(file: str, content: bytes, store: EventStore, realm: str | None = None) -> tuple[BulkOrder, ...]:
    """The rows of a file as commands. Raises Faulty with every fault of every row; nothing is begun then."""
    digest = sha256(content).hexdigest()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise Faulty([Fault(file, 1, "", "須以 UTF-8 編碼保存", "save it as UTF-8")]) from wrong
    rows = _csv_rows(text) if file.lower().endswith(".csv") else _json_rows(text, file)
    faults: list[Fault] = []
    orders: list[BulkOrder] = []
    for number, (line, raw) in enumerate(rows, start=1):
        document = Document(file, raw, {(): line})
        try:
            row = document.parsed(BulkRow)
            stream = await _stream(document, store, row.subject, realm)
            command = _command(document, row, stream)
        except Faulty as faulty:
            faults.extend(faulty.faults)
            continue
        orders.append(BulkOrder(number, line, stream, command, row.actor, derived("bulk", digest, str(number))))
    if faults:
        raise Faulty(faults)
    return tuple(orders)


def _json_rows(text: str, file: str) -> list[tuple[int, Any]]:
    rows = []
    for line, one in enumerate(text.splitlines(), start=1):
        if not one.strip():
            continue
        try:
            rows.append((line, json.loads(one)))
        except json.JSONDecodeError as wrong:
            fault = Fault(file, line, "", f"不是 JSON:{wrong.msg}", f"not JSON: {wrong.msg}")
            raise Faulty([fault]) from wrong
    return rows


def _csv_rows(text: str) -> list[tuple[int, Any]]:
    """A column that is not ours is a particular; its value is read as YAML, so lists and mappings may be given."""
    reader = csv.DictReader(io.StringIO(text))
    rows: list[tuple[int, Any]] = []
    for one in reader:
        data = {
            key: read_text(value, key).data
            for key, value in one.items()
            if key not in _OWN_COLUMNS and isinstance(value, str) and value.strip()
        }
        rows.append((reader.line_num, {**{k: one.get(k) or "" for k in _OWN_COLUMNS}, "data": data}))
    return rows


async def _stream(document: Document, store: EventStore, subject: str, realm: str | None) -> StreamId:
    try:
        return await resolved(store, subject, realm)
    except Unknown:
        try:
            return new_stream(subject, realm or LIVE)
        except (KeyError, ValueError):
            raise Faulty([document.fault(("subject",), f"不認識 {subject}", f"unknown subject {subject}")]) from None
    except Ambiguous as several:
        names = " ".join(several.candidates)
        zh, en = f"{subject} 有多個：{names}；請寫全稱", f"there are several {subject}: {names}; write the whole id"
        raise Faulty([document.fault(("subject",), zh, en)]) from None


def _command(document: Document, row: BulkRow, stream: StreamId) -> Command:
    try:
        command_type = command_named(row.command, stream.kind)
    except KeyError:
        zh, en = f"{stream.kind} 沒有命令 {row.command}", f"{stream.kind} has no command {row.command}"
        raise Faulty([document.fault(("command",), zh, en)]) from None
    part = row.subject.partition("/")[2] if row.subject.count("/") == 1 else ""
    data = {**({command_type.subject_field: part} if part and command_type.subject_field else {}), **row.data}
    try:
        return command_type.model_validate(data)
    except ValidationError as wrong:
        raise Faulty(
            [document.fault(("data", *e["loc"]), *explained(e)) for e in wrong.errors(include_url=False)]
        ) from wrong


def waves(orders: Iterable[BulkOrder]) -> list[list[list[BulkOrder]]]:
    """The rows as they may go: wave after wave, and in a wave side by side one bundle of rows for each stream.

    Rows of one stream that stand together are a bundle; bundles of the same commands that stand together, a wave.
    """
    together = [list(bundle) for _, bundle in groupby(orders, key=lambda o: o.stream)]
    found = []
    for _, wave in groupby(together, key=lambda bundle: [type(o.command) for o in bundle]):
        by_stream: defaultdict[StreamId, list[BulkOrder]] = defaultdict(list)
        for bundle in wave:
            by_stream[bundle[0].stream] += bundle
        found.append(list(by_stream.values()))
    return found


async def carried_out(
    orders: Sequence[BulkOrder], door: Door, *, told: Callable[[BulkResult], None] = lambda _result: None
) -> AsyncIterator[BulkResult]:
    """Carry the rows out, wave by wave. Run again after an interruption, what was done is only reported again."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one_stream(bundle: list[BulkOrder]) -> list[BulkResult]:
        results = []
        async with places:
            async for result in _each(bundle, door):
                results.append(result)
                told(result)
        return results

    for wave in waves(orders):
        done = await asyncio.gather(*map(one_stream, wave))
        for result in sorted((r for results in done for r in results), key=lambda r: r.order.number):
            yield result


async def _each(rows: list[BulkOrder], door: Door) -> AsyncIterator[BulkResult]:
    """Rows of one stream, in turn. While it is not known what became of one, none that follows is carried out."""
    left = rows
    while left:
        askings = [Asking(row.command, row.actor, row.command_id) for row in left]
        try:
            async with aclosing(door.send_each(left[0].stream, askings)) as answers:
                async for answer in answers:
                    row, *left = left
                    yield _result(row, answer)
        except NotKnown as unknown:
            for row in left:
                yield BulkResult(row, "not_known", why=unknown.why)
            return
        except (Parked, Defect) as failed:
            row, *left = left
            yield BulkResult(row, "failed", why=f"{type(failed).__name__}: {failed}")


def _result(order: BulkOrder, answer: Answer) -> BulkResult:
    try:
        receipt = read_receipt(order.command_id, answer)
    except CommandRejected as refused:
        return BulkResult(order, "refused", unmet=refused.unmet)
    except (Mismatch, Parked, Unsigned) as failed:
        return BulkResult(order, "failed", why=f"{type(failed).__name__}: {failed}")
    return BulkResult(order, "repeated" if receipt.repeated else "carried_out", events=receipt.events)
