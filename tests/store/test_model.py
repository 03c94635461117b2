"""Postgres does what the store in memory does: any bursts of appends, compared answer by answer and row by row."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from domain.kernel.clock import Clock
from domain.kernel.effects import Claim, Post, Release
from domain.kernel.identifier import StreamId
from store.bytes import GENESIS
from store.memory import MemoryStore
from store.port import Append, Entry, Standing, Write
from store.postgres import PostgresStore, open_pool
from tests.store.appends import DAY, NOON, event, whole
from tests.store.conftest import Database, as_superuser, fresh_database

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from domain.kernel.effects import Effect
    from local.postgres import Postgres
    from store.port import EventStore

STREAMS = [StreamId(s) for s in ("project/live/A", "need/live/A", "project/play/A", "round/play/B", "scheme/play/C")]
OWNERS = [UUID(int=n) for n in (1, 2)]
_KEY, _HOLDER = st.sampled_from(["name/live/X", "name/play/X", "key"]), st.sampled_from([str(s) for s in STREAMS])
_ACCOUNT = st.sampled_from(["world/a", "fund/a", "fund/b"])
_EFFECT: st.SearchStrategy[Effect] = st.one_of(
    st.builds(Claim, _KEY, _HOLDER, st.integers(1, 2)),
    st.builds(Release, _KEY, _HOLDER),
    st.builds(Post, _ACCOUNT, _ACCOUNT, st.integers(0, 3)),
)
_EVENTS = st.lists(st.lists(_EFFECT, max_size=3), max_size=2)
_AT = st.integers(0, 3).map(lambda days: NOON + days * DAY)
_OFF = st.sampled_from([0, 0, 0, 0, 0, 0, 1, -1])
"""Mostly at the right version."""
_WRITE = st.tuples(st.sampled_from(STREAMS), _OFF, st.integers(0, 60), _AT, _EVENTS)
_GROUP = st.tuples(
    st.lists(_WRITE, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(STREAMS), _OFF, max_size=2),
    st.sampled_from([None, NOON, NOON + DAY]),
    st.booleans(),
)


class BothStores(RuleBasedStateMachine):
    """The same is asked of both."""

    server: Postgres

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.database: Database = self.run(fresh_database(self.server))
        self.kept = PostgresStore(self.run(open_pool(self.database.url())))
        self.model = MemoryStore()
        self.versions: dict[StreamId, int] = {}

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def both(self, method: str, *args: object, **named: object) -> Any:
        kept = self.run(getattr(self.kept, method)(*args, **named))
        model = self.run(getattr(self.model, method)(*args, **named))
        assert kept == model, method
        return kept

    @initialize(played=st.booleans())
    def a_realm_is_played(self, played: bool) -> None:  # noqa: FBT001 - drawn
        if played:
            self.both("set_clock", "play", Clock.MANUAL)

    @rule(groups=st.lists(_GROUP, min_size=1, max_size=5))
    def a_burst_of_appends(self, groups: list[Any]) -> None:
        appends = [append for group in groups if (append := self.append(*group)) is not None]

        async def burst(store: EventStore) -> list[Any]:
            return [replace(a, recorded_at=None) for a in await asyncio.gather(*map(store.append, appends))]

        kept, model = self.run(burst(self.kept)), self.run(burst(self.model))
        assert kept == model
        self.versions = {s: len(events) for s, events in self.run(self.model.read_many(STREAMS)).streams.items()}

    def append(
        self,
        drawn: list[Any],
        reads: dict[StreamId, int],
        due: datetime | None,
        is_notified: bool,  # noqa: FBT001 - drawn
    ) -> Append | None:
        """An append that can be made, at or near the versions where the streams stand."""
        versions: dict[StreamId, int] = {}
        writes: dict[int, Write] = {}
        for stream, off, command, at, events in drawn:
            expected = versions.get(stream, max(0, self.versions.get(stream, 0) + off))
            if command in writes:
                continue
            writes[command] = Write(
                stream,
                expected,
                UUID(int=command),
                "Do",
                at,
                b"{}",
                b"{}",
                tuple(event(*effects) for effects in events),
            )
            versions[stream] = expected + len(events)
        standings = tuple(Standing(s, v, "OPEN", due, Clock.MANUAL, b"{}", is_notified) for s, v in versions.items())
        others = {s: max(0, self.versions.get(s, 0) + off) for s, off in reads.items() if s not in versions}
        return Append(tuple(writes.values()), standings, others)

    @rule(name=st.sampled_from("XABC"), realm=st.sampled_from([None, "live", "play"]))
    def a_name_is_looked_up(self, name: str, realm: str | None) -> None:
        self.both("streams_named", name, realm)

    @rule(stream=st.sampled_from(STREAMS), after=st.integers(0, 4), command=st.integers(0, 60))
    def a_stream_is_consulted(self, stream: StreamId, after: int, command: int) -> None:
        (kept, _), (model, _) = (
            self.run(s.consult(stream, UUID(int=command), {stream: after})) for s in (self.kept, self.model)
        )
        assert kept.realm == model.realm
        new = [[e for e in loaded.events if e.version > after] for loaded in (kept, model)]
        assert _undated(new[0]) == _undated(new[1])
        assert _undated([kept.journalled] if kept.journalled else []) == _undated(
            [model.journalled] if model.journalled else []
        )

    @rule(stream=st.sampled_from(STREAMS), off=_OFF, due=st.sampled_from([None, NOON]), is_notified=st.booleans())
    def a_standing_is_written_anew(self, stream: StreamId, off: int, due: datetime | None, is_notified: bool) -> None:  # noqa: FBT001
        version = max(0, self.versions.get(stream, 0) + off)
        self.both("refresh_standing", Standing(stream, version, "AGAIN", due, Clock.WALL, b"[]", is_notified))

    @rule(owner=st.sampled_from(OWNERS), lasting=st.sampled_from([timedelta(0), timedelta(hours=1)]))
    def a_lease_is_asked_for(self, owner: UUID, lasting: timedelta) -> None:
        self.both("lease", "agenda", owner, lasting)

    @rule(generation=st.integers(1, 3), old=st.integers(0, 3), new=st.integers(0, 3))
    def a_cursor_is_moved(self, generation: int, old: int, new: int) -> None:
        self.both("advance", "agenda", generation, old, new)
        self.both("cursor", "agenda")

    @invariant()
    def both_say_the_same(self) -> None:
        self.both("claims")
        self.both("balances")
        for chosen in ({}, {"kind": "project", "realm": "play"}, {"stage": "AGAIN"}):
            kept, model = (self.run(_standings(s, **chosen)) for s in (self.kept, self.model))
            assert kept == model
        self.both("realm", "play")
        self.both("find_next_due", "play", NOON)
        self.both("list_overdue", Clock.MANUAL, NOON + 2 * DAY)
        self.both("list_unnotified")

    def teardown(self) -> None:
        kept, model = self.run(whole(self.kept)), self.run(whole(self.model))
        assert _undated(kept) == _undated(model)
        assert self.run(_ledger(self.kept)) == self.run(_ledger(self.model))
        self.run(self.kept.aclose())
        self.run(as_superuser(self.server, f"DROP DATABASE {self.database.name} WITH (FORCE)"))
        self.loop.close()


async def _standings(store: EventStore, **chosen: str) -> list[Standing]:
    return [standing async for standing in store.standings(**chosen)]


async def _ledger(store: EventStore) -> list[Any]:
    return [posting async for posting in store.postings()]


def _undated(entries: Any) -> list[Entry]:
    """Entries without what the clock of each store said."""
    then = datetime(2026, 1, 1, tzinfo=UTC)
    return [replace(entry, recorded_at=then, chain=GENESIS) for entry in entries]


def _compare(server: Postgres, **chosen: Any) -> None:
    machine = type("Compared", (BothStores,), {"server": server})
    run_state_machine_as_test(
        machine,
        settings=settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, **chosen),
    )


@pytest.mark.full
def test_postgres_and_memory_answer_alike(server: Postgres) -> None:
    _compare(server, max_examples=15, stateful_step_count=14, derandomize=True)


@pytest.mark.release
@pytest.mark.timeout(
    0
)  # what it does is counted, not timed: two minutes of processor time, however busy the machine is
def test_postgres_and_memory_answer_alike_whatever_is_asked(server: Postgres) -> None:
    _compare(server, max_examples=150, stateful_step_count=40)
