"""The rows of the read side, held against the rows that folding the log again gives.

A view follows the log, so what it has not come to yet is not compared: a stream that moved after its position, and
in its realm everything that shows a name or a date that did. A view that is being built is not compared either.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from audit.finding import NOTHING, Finding, FindingKind
from audit.time_slice import TimeSlice
from domain.application import Application
from domain.kernel.calendar import Calendar
from domain.kernel.facts import Facts
from domain.kernel.identifier import StreamId
from domain.kernel.state import State
from domain.need import Need
from domain.registers.calendar import calendar_of, calendar_stream
from domain.registers.organisation import Organisation
from domain.visibility import read_round
from followers.views import NEVER, build_rows, read_refusal
from store.port import EntryKind
from store.views import ViewQuery
from views.catalogue import VIEWS
from views.courses import extend_course
from views.registers import KEPT
from views.view import Moment, ViewSource, list_organisations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from audit.leaves import Thread
    from store.port import Entry, EventStore
    from store.views import Row, ViewHead
    from views.courses import CourseStep
    from views.view import RefusedCommand

PAGE: Final = 1_000
"""Rows that are compared at once."""
_ORDERS: Final = {
    "waiting": ("stream", "ordinal", "role"),
    "approvals": ("stream", "ordinal"),
    "registers": ("stream", "version"),
    "courses": ("stream", "version"),
    "attempts": ("stream", "position"),
    "shares": ("stream", "dimension", "key", "measure"),
}
"""How the rows of a view are told apart, stream by stream; those of the others by their stream alone."""
TALLY: Final = ("realm", "dimension", "key", "measure")
"""What a sum is kept by."""
_WORDING: Final = {"zh", "en"}
"""Sentences about who is awaited: their wording is no fact."""


@dataclass
class _Seen:
    """What rows say of a stream besides its state."""

    moved_at: datetime = NEVER
    history: list[Moment] = field(default_factory=list)
    course: tuple[CourseStep, ...] = ()
    refusals: list[RefusedCommand] = field(default_factory=list)


class ViewRowsCheck:
    """Takes the log's entries in order, with what each stream adds up to, and keeps what rows must say."""

    def __init__(self, threads: Mapping[StreamId, Thread]) -> None:
        """``threads`` are kept up by the caller, each entry before it comes here."""
        self._threads = threads
        self._seen: defaultdict[StreamId, _Seen] = defaultdict(_Seen)
        self._touched: dict[str, int] = {}
        """By realm, the position of the last event that other streams' rows may show."""

    def take(self, entry: Entry) -> None:
        """Note the entry, after its thread has taken it."""
        seen, thread = self._seen[entry.stream], self._threads[entry.stream]
        if entry.kind is EntryKind.COMMAND:
            refusal = read_refusal(entry)
            if refusal is not None:
                seen.refusals.append(refusal)
        elif thread.folds:
            seen.moved_at = entry.occurred_at
            moment = Moment(thread.state, entry.occurred_at, entry.recorded_at, entry.position)
            if entry.stream.kind in KEPT:
                seen.history.append(moment)
            if entry.stream.kind == "project":
                seen.course = extend_course(seen.course, moment)
            if entry.stream.kind in ("organisation", "calendar", "round"):
                self._touched[entry.stream.realm] = entry.position

    async def compare(self, store: EventStore) -> AsyncIterator[Finding]:
        """Rows of the views that are read which are not what folding gives: at most one finding a view and stream."""
        for head in await store.views.heads():
            view = VIEWS.get(head.name)
            if head.live and head.walked is None and view is not None and head.version == view.version:
                async for finding in self._compare_view(store, head):
                    yield finding

    async def _compare_view(self, store: EventStore, head: ViewHead) -> AsyncIterator[Finding]:
        missing = {stream for stream, thread in self._threads.items() if self._is_settled(thread, head)}
        time_slice = TimeSlice()
        async for stream, rows in _iterate_streams(store, head):
            await time_slice.give_way()
            missing.discard(stream)
            thread = self._threads.get(stream)
            if thread is None:
                yield Finding(FindingKind.VIEW, NOTHING, _format(rows), None, stream, head.name)
            elif self._is_settled(thread, head):
                expected = self._rows(head, stream)
                differences = _differ(expected, rows)
                if differences is not None:
                    yield Finding(FindingKind.VIEW, *differences, thread.position, stream, head.name)
        for stream in sorted(missing):
            await time_slice.give_way()
            expected = self._rows(head, stream)
            if expected:
                position = self._threads[stream].position
                yield Finding(FindingKind.VIEW, _format(expected), NOTHING, position, stream, head.name)
        if head.name == "shares":
            for finding in await _compare_tallies(store, head):
                yield finding

    def _is_settled(self, thread: Thread, head: ViewHead) -> bool:
        """Whether the view has come to all that the stream's rows depend on."""
        last = max(thread.position, self._touched.get(thread.state.stream.realm, 0))
        return thread.folds and last <= head.position

    def _rows(self, head: ViewHead, stream: StreamId) -> list[dict[str, Any]]:
        thread, seen = self._threads[stream], self._seen[stream]
        state = thread.state
        source = ViewSource(
            state=state,
            calendar=self._calendar(stream.realm),
            moved_at=seen.moved_at,
            district=self._district(state),
            names=dict(self._names(state)),
            history=seen.history,
            course=seen.course,
            refusals=seen.refusals,
            facts=self._round(state),
        )
        return build_rows(VIEWS[head.name], [source])

    def _calendar(self, realm: str) -> Calendar:
        thread = self._threads.get(calendar_stream(realm))
        return calendar_of(thread.state) if thread else Calendar()

    def _round(self, state: State) -> Facts:
        threads = ((stream, self._threads.get(stream)) for stream in read_round(state).streams)
        return Facts(streams={stream: thread.state if thread else State(stream) for stream, thread in threads})

    def _district(self, state: State) -> str:
        need = state.part(Application).need
        thread = self._threads.get(state.stream.sibling("need", need)) if need else None
        return (thread.state.part(Need).district or "") if thread else ""

    def _names(self, state: State) -> Iterator[tuple[str, str]]:
        for organisation in list_organisations(state) if state.stream.kind == "project" else ():
            thread = self._threads.get(state.stream.sibling("organisation", organisation))
            if thread is not None and (name := thread.state.part(Organisation).name):
                yield organisation, name


async def _compare_tallies(store: EventStore, head: ViewHead) -> list[Finding]:
    """Sums and counts that are not what the shares add up to."""
    sums: Counter[tuple[str, ...]] = Counter()
    async for _, rows in _iterate_streams(store, head):
        for row in rows:
            sums[tuple(row[column] for column in TALLY)] += row["value"]
    kept: dict[tuple[str, ...], int] = {}
    query = ViewQuery("tallies", TALLY, limit=PAGE)
    while page := await store.views.page_of(head.generation, query):
        kept |= {tuple(row[column] for column in TALLY): row["value"] for row in page}
        query = replace(query, after=tuple(page[-1][column] for column in TALLY))
    return [
        Finding(FindingKind.VIEW, str(sums[key]), str(kept.get(key, 0)), None, None, f"tallies {'/'.join(key)}")
        for key in sorted(sums.keys() | kept.keys())
        if sums[key] != kept.get(key, 0)
    ]


async def _iterate_streams(store: EventStore, head: ViewHead) -> AsyncIterator[tuple[StreamId, list[Row]]]:
    """The view's rows of each stream that it has any of, in order of id."""
    rest: list[Row] = []
    query = ViewQuery(head.name, _ORDERS.get(head.name, ("stream",)), limit=PAGE)
    while True:
        rows = await store.views.page_of(head.generation, query)
        rest += rows
        whole = [(stream, list(group)) for stream, group in groupby(rest, key=lambda row: row["stream"])]
        ended = len(rows) < PAGE
        for stream, group in whole if ended else whole[:-1]:
            yield StreamId(stream), group
        if ended:
            return
        rest = whole[-1][1]
        after = tuple(rows[-1][column] for column in query.order)
        query = ViewQuery(head.name, query.order, after=after, limit=PAGE)


def _differ(expected: list[dict[str, Any]], actual: list[Row]) -> tuple[str, str] | None:
    """What rows must be and are, of the first that differs and only where it does; None if all agree."""
    ours, theirs = sorted(map(read_facts, expected), key=_key), sorted(map(read_facts, actual), key=_key)
    if ours == theirs:
        return None
    if len(ours) != len(theirs):
        return f"{len(ours)} rows", f"{len(theirs)} rows"
    wrong = next((mine, other) for mine, other in zip(ours, theirs, strict=True) if mine != other)
    columns = [c for c in wrong[0].keys() | wrong[1].keys() if wrong[0].get(c) != wrong[1].get(c)]
    one, another = ({c: row.get(c) for c in sorted(columns)} for row in wrong)
    return _format(one), _format(another)


def _key(row: dict[str, Any]) -> str:
    return json.dumps(row, sort_keys=True)


def read_facts(row: dict[str, Any]) -> dict[str, Any]:
    """The row as plain JSON, without the sentences about who is awaited."""
    plain: dict[str, Any] = json.loads(json.dumps(row, default=_plain))
    return {name: _drop_wording(value) for name, value in plain.items() if name not in _WORDING}


def _drop_wording(value: Any) -> Any:  # noqa: ANN401 - any JSON
    match value:
        case dict():
            return {name: _drop_wording(inner) for name, inner in value.items() if name not in _WORDING}
        case list():
            return [_drop_wording(inner) for inner in value]
        case _:
            return value


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def _format(value: object) -> str:
    return json.dumps(value, default=_plain, sort_keys=True, ensure_ascii=False)[:500]
