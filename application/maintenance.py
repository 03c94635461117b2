"""What is done to the installation, recorded with who and why before it is done, and what came of it afterwards."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from deciding.fold import read_occurrence
from domain.registers.maintenance import (
    MAINTENANCE,
    BeginMaintenance,
    EndMaintenance,
    MaintenanceBegun,
    MaintenanceEnded,
    Work,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from datetime import datetime

    from application.door import Door
    from domain.kernel.acting import Acting, PersonId
    from domain.kernel.identifier import Actor
    from store.port import EventStore


@dataclass
class WorkOutcome:
    """What came of a work, told by whoever does it."""

    changed: int = 0
    left: int = 0

    def count(self, successes: Iterable[bool]) -> None:
        """Of each thing that was to be seen to, whether it was."""
        counted = Counter(successes)
        self.changed, self.left = counted[True], counted[False]


@asynccontextmanager
async def record_maintenance(
    store: EventStore,
    door: Door,
    actor: Actor,
    work: Work,
    reason: str,
    target: str | None = None,
    *,
    person: PersonId | None = None,
) -> AsyncIterator[WorkOutcome]:
    """The block does the work: it is entered once the log has who does it and why, and what came of it follows.

    A block that fails leaves the work open in the log. Raises as ``Door.send`` does, before anything is done.
    """
    receipt = await door.send(
        MAINTENANCE, BeginMaintenance(work=work, target=target, reason=reason), actor, person=person
    )
    begun = read_occurrence(await anext(store.read(MAINTENANCE, receipt.version - 1))).event
    outcome = WorkOutcome()
    yield outcome
    if isinstance(begun, MaintenanceBegun):
        ended = EndMaintenance(number=begun.number, changed=outcome.changed, left=outcome.left)
        await door.send(MAINTENANCE, ended, actor, person=person)


@dataclass(frozen=True)
class MaintenanceRecord:
    """One work as the log has it."""

    begun: MaintenanceBegun
    by: Acting
    began_at: datetime
    ended: MaintenanceEnded | None = None
    ended_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """As JSON: instants in UTC by ISO 8601; ``ended_at``, ``changed`` and ``left`` are null while it goes on."""
        return {
            "number": self.begun.number,
            "work": self.begun.work,
            "target": self.begun.target,
            "reason": self.begun.reason,
            "seat": self.by.seat,
            "persons": sorted(self.by.persons),
            "begun_at": self.began_at.isoformat(),
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "changed": self.ended.changed if self.ended else None,
            "left": self.ended.left if self.ended else None,
        }


async def list_maintenance(store: EventStore) -> list[MaintenanceRecord]:
    """Every work that was ever begun, in order."""
    records: dict[int, MaintenanceRecord] = {}
    async for entry in store.read(MAINTENANCE):
        occurrence = read_occurrence(entry)
        match occurrence.event:
            case MaintenanceBegun() as begun:
                records[begun.number] = MaintenanceRecord(begun, occurrence.acting, occurrence.at)
            case MaintenanceEnded() as ended:
                records[ended.number] = replace(records[ended.number], ended=ended, ended_at=occurrence.at)
            case _:
                continue
    return list(records.values())
