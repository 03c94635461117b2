"""Many commands from one file, each once: what a row says is its id, so that a file is simply run again, mended or not.

Rows of one stream that stand together travel in one update, in their order. Such bundles that are of the same commands
and stand together are a *wave* and go side by side; the next wave begins when it is done.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC
from enum import StrEnum
from itertools import count, groupby
from typing import TYPE_CHECKING, Any

import structlog

from application.command_input import list_amounts
from application.door import CommandRequest, NotKnown
from application.door import receipt as read_receipt
from application.dry_run import DryRun
from deciding.journal import Journal
from domain.kernel.clock import Clock
from domain.kernel.failure import Defect, Failure, FailureKind
from domain.kernel.privacy import describe_error
from domain.kernel.refusal import CommandRejected
from store.port import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from application.bulk_file import BulkOrder
    from application.door import Door
    from domain.kernel.acting import PersonId
    from domain.kernel.envelope import Answer
    from domain.kernel.identifier import StreamId
    from domain.kernel.refusal import Unmet
    from store.port import Entry, EventStore

AT_ONCE = 16
"""Streams that are commanded side by side."""

log = structlog.get_logger()


class RowOutcome(StrEnum):
    """What may become of a row."""

    CARRIED_OUT = "carried_out"
    REPEATED = "repeated"
    """It stands since an earlier run, of this file or another."""
    REFUSED = "refused"
    NOT_KNOWN = "not_known"
    """Run the file again."""
    FAILED = "failed"
    GRANTABLE = "grantable"
    """It would be carried out as things stand now; only in a preview."""

    @property
    def label(self) -> tuple[str, str]:
        """What it is called, in Chinese and English."""
        return _OUTCOMES[self], self.value.replace("_", " ")


_OUTCOMES = {
    RowOutcome.CARRIED_OUT: "已辦理",
    RowOutcome.REPEATED: "此前已辦理",
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
    command_id: UUID
    """Under which it was asked."""
    events: tuple[str, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    why: tuple[str, str] = ("", "")
    """Why it failed or is not known, in Chinese and English."""

    @property
    def ok(self) -> bool:
        """Whether it stands, or would."""
        return self.outcome in (RowOutcome.CARRIED_OUT, RowOutcome.REPEATED, RowOutcome.GRANTABLE)

    def as_json(self) -> dict[str, Any]:
        """As JSON: amounts in fen and in yuan; ``why`` is null where nothing is to be said."""
        return {
            "row": self.order.number,
            "line": self.order.line,
            "stream": self.order.stream,
            "command": self.order.command.command_type,
            "id": str(self.command_id),
            "outcome": self.outcome,
            "events": list(self.events),
            "unmet": [u.as_json() for u in self.unmet],
            "amounts": [amount.as_json() for amount in list_amounts(self.order.command)],
            "why": {"zh": self.why[0], "en": self.why[1]} if any(self.why) else None,
        }


async def preview_rows(
    orders: Iterable[BulkOrder],
    store: EventStore,
    dry_run: DryRun,
    *,
    person: PersonId | None = None,
    on_result: Callable[[BulkResult], None] = lambda _result: None,
) -> AsyncIterator[BulkResult]:
    """What would become of each row now, as it rests on those before it. Records nothing.

    ``person`` is who asks on the wall clock; without one the ``dry_run`` finds them.
    """
    clocks: dict[str, datetime] = {}
    """By realm, where its clock would stand after the rows so far."""
    for order in orders:
        command_id, entry = (await _last_attempts([order], store))[order.number]
        if entry is not None:
            result = _repeat(order, command_id, entry)
        else:
            at = order.at.astimezone(UTC) if order.at else clocks.get(order.stream.realm)
            try:
                who = await _find_asker(store, order.stream, person)
                step = await dry_run.step(order.stream, order.command, order.actor, at, who)
            except Failure as failure:
                result = BulkResult(order, RowOutcome.FAILED, command_id, why=(failure.zh, failure.en))
            else:
                outcome = RowOutcome.REFUSED if step.unmet else RowOutcome.GRANTABLE
                events = tuple(event.event_type for event in step.events)
                result = BulkResult(order, outcome, command_id, events, step.unmet)
                if at is not None:
                    clocks[order.stream.realm] = at
        on_result(result)
        yield result


async def _find_asker(store: EventStore, stream: StreamId, person: PersonId | None) -> PersonId | None:
    """That person on the wall clock; on a manual one the papers name the seat."""
    if person is None or (await store.realm(stream.realm)).clock is Clock.MANUAL:
        return None
    return person


async def _last_attempts(orders: Sequence[BulkOrder], store: EventStore) -> dict[int, tuple[UUID, Entry | None]]:
    """By number, the id to ask a row under and what is journalled under it: a refusal is not, its cause may be gone."""
    attempts: dict[int, tuple[UUID, Entry | None]] = {}
    again = list(orders)
    for attempt in count():
        ids = {order.number: order.command_id(attempt) for order in again}
        entries = (await store.outcomes(list(ids.values()))).commands
        for number, command_id in ids.items():
            attempts[number] = (command_id, entries.get(command_id))
        again = [o for o in again if (entry := attempts[o.number][1]) and Journal.read(entry).outcome.unmet]
        if not again:
            break
    return attempts


def _repeat(order: BulkOrder, command_id: UUID, entry: Entry) -> BulkResult:
    return BulkResult(order, RowOutcome.REPEATED, command_id, Journal.read(entry).outcome.events)


def waves(orders: Iterable[BulkOrder]) -> list[list[list[BulkOrder]]]:
    """The rows as they may go: wave after wave, and in a wave side by side one bundle of rows for each stream.

    Rows of one stream that stand together are a bundle; bundles of the same commands, dated alike, that stand together
    are a wave.
    """
    together = [list(bundle) for _, bundle in groupby(orders, key=lambda o: o.stream)]
    grouped = []
    for _, wave in groupby(together, key=lambda bundle: [(type(o.command), o.at) for o in bundle]):
        by_stream: defaultdict[StreamId, list[BulkOrder]] = defaultdict(list)
        for bundle in wave:
            by_stream[bundle[0].stream] += bundle
        grouped.append(list(by_stream.values()))
    return grouped


async def run_rows(
    orders: Sequence[BulkOrder],
    door: Door,
    store: EventStore,
    *,
    person: PersonId | None = None,
    session: str = "",
    on_result: Callable[[BulkResult], None] = lambda _result: None,
) -> AsyncIterator[BulkResult]:
    """Carry the rows out, wave by wave, with a result for every row whatever becomes of it.

    Run again after an interruption, what was done is only reported again, and what was refused is asked again.
    """
    places = asyncio.Semaphore(AT_ONCE)

    async def one_stream(bundle: list[BulkOrder]) -> list[BulkResult]:
        results = []
        async with places:
            async for result in _send_rows(bundle, door, store, person, session):
                results.append(result)
                on_result(result)
        return results

    for wave in waves(orders):
        done = await asyncio.gather(*map(one_stream, wave))
        for result in sorted((r for results in done for r in results), key=lambda r: r.order.number):
            yield result


async def _send_rows(
    rows: list[BulkOrder], door: Door, store: EventStore, person: PersonId | None, session: str
) -> AsyncIterator[BulkResult]:
    """Rows of one stream, in turn. While it is not known what became of one, none that follows is carried out."""
    left = rows
    while left:
        ids = {row.number: row.command_id() for row in left}
        try:
            ids = {number: command_id for number, (command_id, _) in (await _last_attempts(left, store)).items()}
            who = await _find_asker(store, left[0].stream, person)
            requests = [
                replace(one, person=who, session=session if who else "") for one in await _requests(left, ids, store)
            ]
            async with aclosing(door.send_each(left[0].stream, requests)) as answers:
                async for answer in answers:
                    row, *left = left
                    yield _row_result(row, ids[row.number], answer)
        except (NotKnown, StoreUnavailable) as unknown:
            for row in left:
                yield BulkResult(row, RowOutcome.NOT_KNOWN, ids[row.number], why=(unknown.zh, unknown.en))
            return
        except Exception as error:
            failure = error if isinstance(error, Failure) else Defect(describe_error(error))
            if failure is not error:
                log.debug("bulk.defect", exc_info=error)
            row, *left = left
            yield BulkResult(row, RowOutcome.FAILED, ids[row.number], why=(failure.zh, failure.en))


async def _requests(rows: Sequence[BulkOrder], ids: dict[int, UUID], store: EventStore) -> list[CommandRequest]:
    """The rows as the door takes them: on a manual clock each is dated, by itself or where the clock stands."""
    realm = await store.realm(rows[0].stream.realm)
    manual = realm.clock is Clock.MANUAL
    clock = realm.now if manual else None
    requests = []
    for row in rows:
        at = row.at.astimezone(UTC) if row.at else clock
        if manual and at is None:
            raise RowUndated(row.stream.realm)
        requests.append(CommandRequest(row.command, row.actor, ids[row.number], at, derived=True))
        clock = at if manual else None
    return requests


class RowUndated(Failure):
    """A row without a date, in a realm whose clock has not begun."""

    kind = FailureKind.USAGE

    def __init__(self, realm: str) -> None:
        super().__init__(
            f"{realm} 環境的時鐘尚未開始，此行須填 at",
            f"the clock of the environment {realm} has not begun: the row needs an at",
        )


def _row_result(order: BulkOrder, command_id: UUID, answer: Answer) -> BulkResult:
    try:
        receipt = read_receipt(command_id, answer)
    except CommandRejected as refused:
        return BulkResult(order, RowOutcome.REFUSED, command_id, unmet=refused.unmet)
    except NotKnown as unknown:
        return BulkResult(order, RowOutcome.NOT_KNOWN, command_id, why=(unknown.zh, unknown.en))
    except Failure as failure:
        return BulkResult(order, RowOutcome.FAILED, command_id, why=(failure.zh, failure.en))
    outcome = RowOutcome.REPEATED if receipt.repeated else RowOutcome.CARRIED_OUT
    return BulkResult(order, outcome, command_id, events=receipt.events)
