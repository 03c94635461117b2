"""What waits for whom: sorted by its time, said to be soon before it and overdue after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from application.inbox import Urgency, Waiting, list_waiting
from domain.kernel.canonical import canonical
from domain.kernel.clock import Clock
from domain.kernel.identity import Role, StreamId
from store.memory import MemoryStore
from store.port import Append, NewEvent, Standing, Write

FRIDAY = datetime(2026, 5, 29, 1, tzinfo=UTC)
"""09:00 in Shanghai, a Friday; no calendar is published, so Saturdays and Sundays are off."""
DAY = timedelta(days=1)


async def _awaits(store: MemoryStore, name: str, until: datetime | None, *roles: str, realm: str = "live") -> None:
    stream = StreamId.of("project", realm, name)
    row: dict[str, object] = {"roles": list(roles), "command": "SignContract", "subject": "", "zh": "簽", "en": "sign"}
    if until is not None:
        row["until"] = until.isoformat()
    event = NewEvent("Happened", 1, canonical({"actor": "SYS#1"}), canonical({}))
    write = Write(stream, 0, uuid4(), "Happen", FRIDAY - 30 * DAY, canonical({}), canonical({}), (event,))
    standing = Standing(stream, 1, "AWARDED", None, Clock.WALL, canonical({"awaiting": [row]}))
    await store.append(Append((write,), (standing,)))


def _urgencies(rows: list[Waiting]) -> list[tuple[str, Urgency]]:
    return [(w.stream.name, w.urgency) for w in rows]


async def test_what_has_a_time_comes_first_and_the_earliest_on_top() -> None:
    store = MemoryStore()
    for name, until in (("AP-1", None), ("AP-2", FRIDAY + 40 * DAY), ("AP-3", FRIDAY - DAY), ("AP-4", FRIDAY + DAY)):
        await _awaits(store, name, until, "CAB-REG")
    assert _urgencies(await list_waiting(store, Role.CAB_REG, now=FRIDAY)) == [
        ("AP-3", Urgency.OVERDUE),
        ("AP-4", Urgency.SOON),
        ("AP-2", Urgency.OPEN),
        ("AP-1", Urgency.OPEN),
    ]


async def test_a_reminder_is_counted_in_working_days_and_a_day_ends_at_midnight() -> None:
    store = MemoryStore()
    midnight = datetime(2026, 5, 29, 16, tzinfo=UTC)
    for days in range(6):
        await _awaits(store, f"AP-{days}", midnight + days * DAY, "CAB-REG")
    rows = await list_waiting(store, Role.CAB_REG, within_wd=1, now=FRIDAY)
    assert [w.stream.name for w in rows if w.urgency is Urgency.SOON] == ["AP-0", "AP-1", "AP-2", "AP-3"], "to Monday"
    late = await list_waiting(store, Role.CAB_REG, within_wd=1, now=midnight)
    assert late[0].urgency is Urgency.OVERDUE, "the very instant at which it ends"


async def test_each_sees_what_waits_for_them_and_nobody_named_sees_all() -> None:
    store = MemoryStore()
    await _awaits(store, "AP-1", None, "CAB-REG", "CAB-DEC")
    await _awaits(store, "AP-2", None, "CAB-FIN")
    await _awaits(store, "AP-3", None, "CAB-FIN", realm="other")
    assert [w.stream.name for w in await list_waiting(store, Role.CAB_DEC)] == ["AP-1"]
    assert [w.stream.name for w in await list_waiting(store, Role.CAB_FIN, realm="live")] == ["AP-2"]
    assert [w.stream.name for w in await list_waiting(store)] == ["AP-1", "AP-2", "AP-3"]


async def test_in_a_manual_realm_it_is_as_late_as_its_clock_stands() -> None:
    store = MemoryStore()
    await store.set_clock("play", Clock.MANUAL)
    await _awaits(store, "AP-1", FRIDAY, "CAB-REG", realm="play")
    (one,) = await list_waiting(store, Role.CAB_REG, now=FRIDAY + 365 * DAY)
    assert one.urgency is Urgency.OPEN
    assert one.as_json()["overdue"] is False
