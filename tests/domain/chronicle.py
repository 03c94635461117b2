"""A town whose every order is written down as the store would: raw entries, for those who read nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID

from audit.invariants import Invariants, Report
from domain.kernel.canonical import canonical, plain
from store.port import Entry, EntryKind
from tests.domain.town import Town

if TYPE_CHECKING:
    from domain.kernel.identity import StreamId
    from domain.kernel.message import Event, Order

_RECORDED = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass
class Chronicle(Town):
    """A town with its log."""

    entries: list[Entry] = field(default_factory=list)
    positions: count[int] = field(default_factory=lambda: count(1))

    def _carried_out(self, stream: StreamId, order: Order) -> list[Event]:
        before = self.state(stream.kind, stream.name).version
        events = super()._carried_out(stream, order)
        for version, event in enumerate(events, before + 1):
            self.wrote(stream, version, event, order)
        return events

    def wrote(self, stream: StreamId, version: int, event: Event, order: Order) -> None:
        """Put the event down."""
        self.entries.append(
            Entry(
                position=next(self.positions),
                stream=stream,
                version=version,
                kind=EntryKind.EVENT,
                type=event.event_type,
                schema_version=event.schema_version,
                command_id=UUID(int=0),
                occurred_at=order.at,
                recorded_at=_RECORDED,
                meta=canonical({"actor": order.actor}),
                data=canonical(plain(event)),
                chain=b"",
            )
        )

    def checked(self) -> Report:
        """What the independent checker says of it."""
        return checked(self.entries)


def checked(entries: list[Entry]) -> Report:
    """What the independent checker says of these entries."""
    invariants = Invariants()
    for entry in entries:
        invariants.take(entry)
    return invariants.report()
