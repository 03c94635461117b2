"""The follower of the read side: it folds what the log has grown by into the rows of the views, and builds views anew.

Rows of a stream are a pure function of that stream, and of its organisations' names and its realm's working days; so a
stream that moved is folded and its rows take the place of those before. Rows and cursor are written in one transaction.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, TypeVar

import structlog

from deciding.fold import read_occurrence
from deciding.journal import Journal
from domain.application import Application
from domain.catalogue import AGGREGATES
from domain.kernel.calendar import Calendar
from domain.kernel.facts import Facts
from domain.kernel.identifier import StreamId
from domain.kernel.privacy import describe_error
from domain.kernel.state import State
from domain.need import Need
from domain.registers.calendar import calendar_of, calendar_stream
from domain.registers.organisation import Organisation
from domain.visibility import read_round
from followers.follower import Follower
from store.port import EntryKind, StoreUnavailable
from store.views import LEASE, Equal, Holds, LeaseLost, ViewQuery, ViewRows, ViewWrite
from views.catalogue import VIEWS
from views.courses import extend_course
from views.registers import KEPT
from views.tags import tag
from views.view import Moment, RefusedCommand, ViewSource, list_organisations

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping, Sequence

    from metrics import Metrics
    from store.port import Entry, EventStore
    from store.views import ViewHead, ViewStore
    from views.courses import CourseStep
    from views.view import View

PAGE = 500
"""Entries of the log that are taken at once."""
CHUNK = 200
"""Streams whose rows are written at once."""
IDLE_S = 1.0
"""A poke may be lost: after so many seconds the log is asked how far it reaches."""
MOST = 2_000
"""Streams whose folds are remembered; the one not seen for longest goes first."""

NEVER = datetime.min.replace(tzinfo=UTC)
"""When a stream without events was last moved."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Fold:
    """A stream as far as it was read."""

    state: State
    moved_at: datetime = NEVER
    history: tuple[Moment, ...] = ()
    course: tuple[CourseStep, ...] = ()

    def after(self, entry: Entry) -> Fold:
        """The fold, gone on by that event."""
        state = AGGREGATES[self.state.stream.kind].evolve(self.state, read_occurrence(entry))
        moment = Moment(state, entry.occurred_at, entry.recorded_at, entry.position)
        kept = (*self.history, moment) if state.stream.kind in KEPT else ()
        course = extend_course(self.course, moment) if state.stream.kind == "project" else ()
        return Fold(state, entry.occurred_at, kept, course)


T = TypeVar("T")
_NAMES_A_HOST = frozenset({"CallPublished", "CallAmended"})
"""Events of a round after which another managing agency may read what is in it."""


class Folds:
    """What is remembered of streams, and read from the log where it is not."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._folds: OrderedDict[StreamId, Fold] = OrderedDict()

    def clear(self) -> None:
        """Forget all: what stands in the log may be another's."""
        self._folds.clear()

    def keep(self, fold: Fold) -> None:
        """Remember it, and let go of the one not seen for longest."""
        stream = fold.state.stream
        self._folds[stream] = fold
        self._folds.move_to_end(stream)
        if len(self._folds) > MOST:
            self._folds.popitem(last=False)

    async def read(self, stream: StreamId, new: Sequence[Entry] | None = None) -> Fold:
        """The stream as it stands, or as it stands after those events if they follow on what is remembered."""
        fold = self._folds.get(stream) or Fold(State(stream))
        if new and new[0].version <= fold.state.version + 1:
            for entry in new:
                if entry.version == fold.state.version + 1:
                    fold = fold.after(entry)
        elif new is not None or not fold.state.version:
            async for entry in self._store.read(stream, fold.state.version):
                fold = fold.after(entry)
        self.keep(fold)
        return fold

    async def calendar(self, realm: str) -> Calendar:
        """The newest working days of that realm."""
        return calendar_of((await self.read(calendar_stream(realm))).state)

    async def source(self, fold: Fold, refusals: Sequence[RefusedCommand] = ()) -> ViewSource:
        """All that the stream's rows depend on."""
        state = fold.state
        names: dict[str, str] = {}
        district = ""
        if state.stream.kind == "project":
            need = state.part(Application).need
            if need is not None:  # which district a need is of, it says once and for all
                district = (await self.read(state.stream.sibling("need", need))).state.part(Need).district or ""
            for organisation in list_organisations(state):
                registered = (await self.read(state.stream.sibling("organisation", organisation))).state
                names[organisation] = registered.part(Organisation).name
        around = {stream: (await self.read(stream)).state for stream in read_round(state).streams}
        return ViewSource(
            state=state,
            calendar=await self.calendar(state.stream.realm),
            moved_at=fold.moved_at,
            district=district,
            names={organisation: name for organisation, name in names.items() if name},
            history=fold.history,
            course=fold.course,
            refusals=refusals,
            facts=Facts(streams=around),
        )


class ViewFollower(Follower):
    """Keeps every view that this code knows; one that newer code has taken over is left to that."""

    name = LEASE
    lease: ClassVar[timedelta] = timedelta(seconds=5)

    def __init__(self, store: EventStore, measures: Metrics | None = None) -> None:
        super().__init__(store, measures)
        self._folds = Folds(store)
        self._position = 0
        self._swept: set[str] = set()
        self._is_current = False
        """Whether the round before left nothing to do until the log grows."""
        self._is_outdated = False
        """Whether newer code has taken a view over: that code is to have the lease, as soon as it asks."""

    async def run(self) -> None:
        """Follow until cancelled, as soon as the log grows; then let go of the lease."""
        try:
            async for _ in self._store.pokes(IDLE_S):
                await self._follow_until_current()
        finally:
            await asyncio.shield(self.release())

    async def _follow_until_current(self) -> None:
        try:
            while await self.once(datetime.now(UTC)):
                if self._is_current:
                    break
                await asyncio.sleep(0)
            if self._is_outdated:
                await self.release()
        except LeaseLost:
            self.forget()
            await self.release()
        except Exception as failed:  # noqa: BLE001 - whatever it was, the next poke tries again
            self.log_failure(failed)
            self.forget()
            await self.release()

    def forget(self) -> None:
        """Start from nothing: the log may be another one by now."""
        self._folds.clear()
        self._position = 0
        self._swept.clear()

    async def follow(self, now: datetime) -> int:  # noqa: ARG002 - what is to be written depends on the log alone
        """Take the next page of the log into the views, and a step of whatever is being built; streams written."""
        views = self._store.views
        heads = await self._ensure(views)
        written = 0
        self._is_current = True
        for cohort in _split_cohorts(heads):
            if cohort[0].walked is None:
                taken = await self._take_page(cohort)
                self._is_current &= taken < PAGE
            else:
                taken = await self._walk(cohort)
                self._is_current = False
            written += taken
        if any(not head.live or head.name not in self._swept for head in heads):
            await self._switch(views)
        return written

    async def _ensure(self, views: ViewStore) -> list[ViewHead]:
        """The generations that are ours to keep; begun where there is none, or none of this version."""
        heads = await views.heads()
        begun = False
        live = [head.position for head in heads if head.live and head.walked is None]
        position = min(live) if live else await self._store.last_position()  # nothing later is remembered of any stream
        for view in VIEWS.values():
            versions = {head.version for head in heads if head.name == view.name}
            stale = [h for h in heads if h.name == view.name and not h.live and h.version < view.version]
            for head in stale:
                begun |= await views.abandon(head.name, head.generation)
            if not versions or max(versions) < view.version:
                await views.begin(view.name, view.version, position)
                begun = True
        if begun:
            heads = await views.heads()
        ours = [head for head in heads if head.name in VIEWS and head.version <= VIEWS[head.name].version]
        self._is_outdated = any(head.live and head.name in VIEWS and head not in ours for head in heads)
        position = max((head.position for head in ours if head.walked is None), default=0)
        if position < self._position:  # the database was set back: what is remembered may be of another log
            self.forget()
        self._position = position
        return ours

    async def _switch(self, views: ViewStore) -> None:
        """Read from now on what is built and has caught up with the one before it; sweep what was left."""
        heads = await views.heads()
        live = {head.name: head for head in heads if head.live}
        for head in heads:
            before = live.get(head.name)
            if head.live or head.walked is not None or before is None or head.position < before.position:
                continue
            if await views.switch(head.name, head.generation):
                log.info("views.switched", view=head.name, generation=head.generation, version=head.version)
                self._swept.discard(head.name)
        for name in live.keys() - self._swept:
            if await views.sweep(name) == 0:
                self._swept.add(name)

    # ------------------------------------------------------------------------------------------------ following

    async def _take_page(self, heads: Sequence[ViewHead]) -> int:
        """Fold what the log has grown by into those generations, which stand at one position."""
        old = heads[0].position
        entries = await self._store.feed(old, PAGE)
        if not entries:
            return 0
        events: dict[StreamId, list[Entry]] = {}
        refusals: dict[StreamId, list[RefusedCommand]] = {}
        for entry in entries:
            if entry.kind is EntryKind.EVENT:
                events.setdefault(entry.stream, []).append(entry)
            elif (refusal := read_refusal(entry)) is not None:
                refusals.setdefault(entry.stream, []).append(refusal)
        moved = await self._sources({stream: tuple(new) for stream, new in events.items()})
        dependents = [stream for stream in await self._list_dependents(events) if stream not in events]
        for start in range(0, len(dependents), CHUNK):
            chunk = await self._sources(dict.fromkeys(dependents[start : start + CHUNK]))
            await self._write(heads, ViewWrite((), (), old, old), chunk)
        last = entries[-1]
        refused = [_source_of_refusals(stream, some) for stream, some in refusals.items()]
        await self._write(heads, ViewWrite((), (), old, last.position, last.recorded_at), moved, refused)
        self._position = max(self._position, last.position)
        return len(entries)

    async def _sources(self, streams: Mapping[StreamId, Sequence[Entry] | None]) -> list[ViewSource]:
        """What these streams' rows depend on; of each its new events, or None to take it as it stands.

        One that this code cannot fold is left out: its rows stay as they are, and the audit says what is wrong.
        """
        folds = {s: fold for s, new in streams.items() if (fold := await _try(s, self._folds.read(s, new)))}
        # only when all have moved: what one shows of another is then what that has become
        return [source for s, fold in folds.items() if (source := await _try(s, self._folds.source(fold)))]

    async def _list_dependents(self, events: Mapping[StreamId, Sequence[Entry]]) -> list[StreamId]:
        """Streams that did not move, but show a name or a date that did."""
        moved: dict[StreamId, None] = {}
        for stream, entries in events.items():
            if stream.kind == "organisation" and any(entry.type == "OrganisationVerified" for entry in entries):
                where = (Holds("tags", (tag("realm", stream.realm), tag("partner", stream.name))),)
                moved.update(dict.fromkeys(await self._find("projects", where)))
            elif stream.kind == "round" and any(entry.type in _NAMES_A_HOST for entry in entries):
                of_the_round = (Holds("tags", (tag("realm", stream.realm), tag("round", stream.name))),)
                moved.update(dict.fromkeys(await self._find("projects", of_the_round)))
            elif stream.kind == "calendar":
                waiting = (Equal("is_waiting", value=True), Equal("realm", stream.realm))
                moved.update(dict.fromkeys(await self._find("streams", waiting)))
        return list(moved)

    async def _find(self, view: str, where: tuple[Equal | Holds, ...]) -> list[StreamId]:
        """The streams of all rows that meet these conditions."""
        streams: list[StreamId] = []
        query = ViewQuery(view, ("stream",), where, limit=1_000)
        while rows := (await self._store.views.page(query)).rows:
            streams += [StreamId(row["stream"]) for row in rows]
            query = replace(query, after=(rows[-1]["stream"],))
        return streams

    # ------------------------------------------------------------------------------------------------- building

    async def _walk(self, heads: Sequence[ViewHead]) -> int:
        """Fold the next streams, in order of id, into generations that are being built."""
        streams = await self._store.views.streams(heads[0].walked or "", CHUNK)
        kinds = [VIEWS[head.name].kinds for head in heads]
        names = None if None in kinds else frozenset[str]().union(*(k for k in kinds if k is not None))
        sources, refused = [], []
        wanted_streams = [stream for stream in streams if names is None or stream.kind in names]
        for stream, entries in (await self._store.views.histories(wanted_streams)).items():
            source = await self._fold_whole(stream, entries)
            if source is not None:
                sources.append(source)
                refused.append(source)
        done = streams[-1] if len(streams) == CHUNK else None
        position = heads[0].position
        step = ViewWrite((), (), position, position, walked=done, passed=len(streams))
        await self._write(heads, step, sources, refused)
        return len(streams) or 1

    async def _fold_whole(self, stream: StreamId, entries: Sequence[Entry]) -> ViewSource | None:
        """The stream with all that was ever refused on it; None for one that this code cannot fold."""
        refusals: list[RefusedCommand] = []
        fold = Fold(State(stream))
        try:
            for entry in entries:
                if entry.kind is EntryKind.EVENT:
                    fold = fold.after(entry)
                elif (refusal := read_refusal(entry)) is not None:
                    refusals.append(refusal)
            return await self._folds.source(fold, refusals)
        except StoreUnavailable:
            raise
        except Exception as failed:  # noqa: BLE001 - likewise
            log.warning("views.stream_failed", stream=stream, reason=describe_error(failed))
            return None

    async def _write(
        self,
        heads: Sequence[ViewHead],
        step: ViewWrite,
        moved: Sequence[ViewSource],
        refused: Sequence[ViewSource] = (),
    ) -> None:
        """Write the rows of the streams that moved, and what was refused. Raises LeaseLost."""
        generation = await self.hold()
        views = []
        for head in heads:
            view = VIEWS[head.name]
            views.append(ViewRows(head, build_rows(view, moved if view.replaces else refused), view.replaces))
        streams = tuple(source.state.stream for source in moved)
        write = replace(step, views=tuple(views), streams=streams)
        if generation is None or not await self._store.views.write(generation, write):
            raise LeaseLost


async def _try(stream: StreamId, work: Awaitable[T]) -> T | None:
    """What comes of it; None of a stream that this code cannot fold: that keeps no other from being read."""
    try:
        return await work
    except StoreUnavailable:
        raise
    except Exception as failed:  # noqa: BLE001 - likewise
        log.warning("views.stream_failed", stream=stream, reason=describe_error(failed))
        return None


def build_rows(view: View, sources: Iterable[ViewSource]) -> list[dict[str, object]]:
    """The view's rows of these streams. Of a stream without events there is nothing but what was refused on it."""
    return [row for source in sources if source.state.version or not view.replaces for row in view.rows_of(source)]


def read_refusal(entry: Entry) -> RefusedCommand | None:
    """The refused command of a journal entry; None for one that was accepted, or says nothing (the audit's affair)."""
    journal = Journal.read_refused(entry)
    if journal is None:
        return None
    return RefusedCommand(
        position=entry.position,
        version=entry.version,
        command_id=entry.command_id,
        command=entry.type,
        actor=str(journal.actor),
        person=str(journal.person) if journal.person else None,
        rules=journal.outcome.rules,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
    )


def _source_of_refusals(stream: StreamId, refusals: Sequence[RefusedCommand]) -> ViewSource:
    """Only what was refused: nothing else of the stream is known, or asked for."""
    return ViewSource(State(stream), Calendar(), refusals[0].occurred_at, refusals=refusals)


def _split_cohorts(heads: Iterable[ViewHead]) -> list[list[ViewHead]]:
    """Generations that stand at one place and go on together; those that are read first."""
    cohorts: dict[tuple[str | None, int], list[ViewHead]] = {}
    for head in heads:
        cohorts.setdefault((head.walked, head.position), []).append(head)
    return sorted(cohorts.values(), key=lambda cohort: (not any(h.live for h in cohort), cohort[0].position))
