"""A stream's history gone through again, three ways: folded, decided, and as its workflow ran."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from audit.finding import NOTHING
from audit.historical_facts import HistoricalFacts
from audit.histories import Histories, ReplaySettings, replay_histories
from audit.redecision import Redecision, read_recorded_commands, redecide
from audit.standings import compare_standing
from deciding.fold import load_state
from deciding.journal import Journal
from domain.registers.calendar import calendar_of, calendar_stream

if TYPE_CHECKING:
    from temporalio.client import Client

    from domain.kernel.calendar import Calendar
    from domain.kernel.identifier import StreamId
    from store.port import EventStore


@dataclass(frozen=True)
class Refold:
    """Whether the agenda shows what the events add up to."""

    version: int
    stage: str
    differences: tuple[tuple[str, str, str], ...] = ()
    """Field, what the fold says, what the agenda says."""

    @property
    def ok(self) -> bool:
        """Whether they agree."""
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """As JSON: each field that differs, as folded and as the agenda has it."""
        return {
            "ok": self.ok,
            "version": self.version,
            "stage": self.stage,
            "differences": [{"field": f, "fold": a, "agenda": b} for f, a, b in self.differences],
        }


@dataclass(frozen=True)
class Replay:
    """What going through it again came to."""

    stream: StreamId
    refold: Refold
    redecision: Redecision
    histories: Histories

    @property
    def ok(self) -> bool:
        """Whether nothing differs. A history that the server no longer keeps is no difference."""
        return self.refold.ok and self.redecision.ok and self.histories.ok

    def as_json(self) -> dict[str, Any]:
        """As JSON: ``ok`` only where nothing differs in any of the three."""
        return {
            "ok": self.ok,
            "stream": self.stream,
            "refold": self.refold.as_json(),
            "decided": self.redecision.as_json(),
            "histories": self.histories.as_json(),
        }


async def replay(
    store: EventStore, client: Client | None, stream: StreamId, replay_settings: ReplaySettings | None = None
) -> Replay:
    """Go through the stream's history again. Without a client or replay_settings the workflow's part is left out.

    Raises StoreUnavailable; RPCError if Temporal does not answer.
    """
    refolded = await refold(store, stream)
    redecision = await redecide(store, stream)
    if client is None or replay_settings is None:
        histories = Histories(temporal_answered=False)
    else:
        histories = await replay_histories(store, client, stream, replay_settings)
    return Replay(stream, refolded, redecision, histories)


async def refold(store: EventStore, stream: StreamId) -> Refold:
    """Fold all events, and compare with the stream's row in the agenda: stage, version, deadline, and the summary."""
    row = await store.standing(stream)
    realm = await store.realm(stream.realm)
    state = await load_state(store, stream)
    if row is None:
        missing = () if state.version == 0 else (("agenda", state.stage, NOTHING),)
        return Refold(state.version, state.stage, missing)
    calendars = await _list_calendars(store, stream)
    return Refold(state.version, state.stage, tuple(compare_standing(state, calendars, realm.clock, row)))


async def _list_calendars(store: EventStore, stream: StreamId) -> list[Calendar]:
    """The calendars since the stream's last command: a newer one moves the row by and by, so any of them may hold."""
    register = calendar_stream(stream.realm)
    since = 0
    async for group in read_recorded_commands(store, stream):
        with suppress(ValidationError):  # an entry that says nothing is the verification's affair
            since = Journal.read(group.command).reads.get(register, 0)
    past = HistoricalFacts(store)
    newest = (await past.newest_state(register)).version
    return [calendar_of(await past.state_at(register, v)) for v in range(min(since, newest), newest + 1)]
