"""What the log says of each realm's clock: which it must be, and where a manual one must stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from audit.finding import NOTHING, Finding, FindingKind
from domain.kernel.clock import Clock
from domain.kernel.identifier import LIVE
from domain.registers.realm import ClockSet, clock_stream
from store.port import RealmStanding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from deciding.journal import Journal
    from domain.kernel.message import Event
    from store.port import Entry, EventStore

DATED: Final = timedelta(days=1)
"""On the wall clock no command is dated so long before it is recorded."""


@dataclass
class RealmTrace:
    """One realm as far as the log was read."""

    name: str
    clock: Clock | None = None
    """The last that was set by an event; None if none was."""
    turned: int = 0
    """The position at which it went over to the wall clock."""
    position: int = 0
    """Of its newest entry."""
    _is_dated: bool = False
    _latest: list[datetime] = field(default_factory=list)
    """The latest business time from each entry on, each once: a clock that was set later saw only later entries."""

    def take_command(self, entry: Entry, journal: Journal | None) -> None:
        """Note when the command was, and whether a manual clock alone can have dated it so."""
        self.position = entry.position
        while self._latest and self._latest[-1] <= entry.occurred_at:
            self._latest.pop()
        self._latest.append(entry.occurred_at)
        if journal is not None and journal.digest and entry.recorded_at - entry.occurred_at > DATED:
            self._is_dated = True

    def take_event(self, entry: Entry, event: Event) -> None:
        """Note a change of the clock."""
        if isinstance(event, ClockSet):
            self.clock = event.clock
            self._is_dated = self._is_dated and event.clock is Clock.MANUAL
            self.turned = entry.position if event.clock is Clock.WALL else 0

    def compare(self, realm: RealmStanding) -> list[Finding]:
        """What differs from how the realm stands beside the log."""
        clock = self._expected_clock()
        if clock is not None and clock is not realm.clock:
            return [self._differ("clock", clock, realm.clock)]
        if realm.clock is Clock.WALL or realm.now in self._latest or (realm.now is None and not self._is_dated):
            return []
        latest = self._latest[0].isoformat() if self._latest else NOTHING
        return [self._differ("now", latest, realm.now.isoformat() if realm.now else NOTHING)]

    def _expected_clock(self) -> Clock | None:
        """None if either may be right: a realm is opened on a manual clock without an event."""
        if self.clock is not None:
            return self.clock
        if self.name == LIVE:
            return Clock.WALL
        return Clock.MANUAL if self._is_dated else None

    def _differ(self, subject: str, expected: str, actual: str) -> Finding:
        stream = clock_stream(self.name)
        return Finding(FindingKind.REALM, expected, actual, self.position, stream, subject)


@dataclass
class Realms:
    """Every realm that the log knows."""

    _traces: dict[str, RealmTrace] = field(default_factory=dict)
    _rows: dict[str, RealmStanding] = field(default_factory=dict)

    def trace(self, name: str) -> RealmTrace:
        """What the walk keeps of the realm of that name; begun if it is new."""
        return self._traces.setdefault(name, RealmTrace(name))

    def clock(self, name: str) -> Clock:
        """The clock that the realm has beside the log, as it was last compared."""
        return self._rows.get(name, RealmStanding()).clock

    async def compare(self, store: EventStore) -> AsyncIterator[Finding]:
        """Realms that do not stand as the log says."""
        for name, trace in sorted(self._traces.items()):
            self._rows[name] = await store.realm(name)
            for finding in trace.compare(self._rows[name]):
                yield finding
