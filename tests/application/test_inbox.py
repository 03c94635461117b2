"""What waits for whom: sorted by its time, said to be soon before it and overdue after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from application.inbox import Urgency, WaitingFilter, list_waiting
from application.pages import Page, PageRequest
from domain.kernel.clock import Clock
from domain.kernel.identifier import StreamId
from store.memory import MemoryStore
from store.views import LEASE, ViewRows, ViewWrite
from views.view import FAR

if TYPE_CHECKING:
    from application.inbox import Waiting

FRIDAY = datetime(2026, 5, 29, 1, tzinfo=UTC)
"""09:00 in Shanghai, a Friday; no calendar is published, so Saturdays and Sundays are off."""
DAY = timedelta(days=1)


async def _awaits(store: MemoryStore, name: str, until: datetime | None, *roles: str, realm: str = "live") -> None:
    """A row as the view has it."""
    stream = StreamId.of("project", realm, name)
    lease = await store.lease(LEASE, uuid4(), timedelta(0))
    if not await store.views.heads():
        await store.views.begin("waiting", 1, 0)
    (head,) = await store.views.heads()
    rows = [
        {
            "stream": str(stream),
            "realm": realm,
            "version": 1,
            "ordinal": 0,
            "role": role,
            "is_first": role == roles[0],
            "roles": roles,
            "command": "SignContract",
            "command_zh": "簽訂協議",
            "subject": "",
            "zh": "簽",
            "en": "sign",
            "until": until,
            "until_at": until or FAR,
            "provisional": False,
            "title": "",
            "organisations": ("ORG-1",),
            "seats": ("*",),
            "readers": (),
        }
        for role in roles
    ]
    assert lease is not None
    assert await store.views.write(lease, ViewWrite((ViewRows(head, rows),), (stream,), 0, 0))


def _urgencies(page: Page[Waiting]) -> list[tuple[str, Urgency]]:
    return [(w.stream.name, w.urgency) for w in page.rows]


def _names(page: Page[Waiting]) -> list[str]:
    return [w.stream.name for w in page.rows]


async def test_what_has_a_time_comes_first_and_the_earliest_on_top() -> None:
    store = MemoryStore()
    for name, until in (("AP-1", None), ("AP-2", FRIDAY + 40 * DAY), ("AP-3", FRIDAY - DAY), ("AP-4", FRIDAY + DAY)):
        await _awaits(store, name, until, "CAB-REG")
    page = await list_waiting(store, WaitingFilter(role="CAB-REG"), now=FRIDAY)
    assert _urgencies(page) == [
        ("AP-3", Urgency.OVERDUE),
        ("AP-4", Urgency.SOON),
        ("AP-2", Urgency.OPEN),
        ("AP-1", Urgency.OPEN),
    ]
    assert _names(await list_waiting(store, WaitingFilter(overdue=True), now=FRIDAY)) == ["AP-3"]


async def test_page_by_page_everything_comes_once() -> None:
    store = MemoryStore()
    for number in range(7):
        await _awaits(store, f"AP-{number}", FRIDAY + number // 2 * DAY if number < 5 else None, "CAB-REG", "HOST")
    seen: list[str] = []
    request = PageRequest(limit=2)
    while True:
        page = await list_waiting(store, None, request, now=FRIDAY)
        seen += _names(page)
        if page.next is None:
            break
        request = PageRequest(limit=2, after=page.next)
    assert seen == [f"AP-{number}" for number in range(7)]


async def test_a_reminder_is_counted_in_working_days_and_a_day_ends_at_midnight() -> None:
    store = MemoryStore()
    midnight = datetime(2026, 5, 29, 16, tzinfo=UTC)
    for days in range(6):
        await _awaits(store, f"AP-{days}", midnight + days * DAY, "CAB-REG")
    page = await list_waiting(store, WaitingFilter(role="CAB-REG", within_wd=1), now=FRIDAY)
    soon = [w.stream.name for w in page.rows if w.urgency is Urgency.SOON]
    assert soon == ["AP-0", "AP-1", "AP-2", "AP-3"], "to Monday"
    late = await list_waiting(store, WaitingFilter(role="CAB-REG", within_wd=1), now=midnight)
    assert late.rows[0].urgency is Urgency.OVERDUE, "the very instant at which it ends"


async def test_each_sees_what_waits_for_them_and_nobody_named_sees_all() -> None:
    store = MemoryStore()
    await _awaits(store, "AP-1", None, "CAB-REG", "CAB-DEC")
    await _awaits(store, "AP-2", None, "CAB-FIN")
    await _awaits(store, "AP-3", None, "CAB-FIN", realm="other")
    assert _names(await list_waiting(store, WaitingFilter(role="CAB-DEC"))) == ["AP-1"]
    assert _names(await list_waiting(store, WaitingFilter(role="CAB-DEC#3"))) == ["AP-1"], "a seat of that role"
    assert _names(await list_waiting(store, WaitingFilter(role="CAB-FIN", realm="live"))) == ["AP-2"]
    assert _names(await list_waiting(store)) == ["AP-1", "AP-2", "AP-3"], "each once, however many roles"


async def test_in_a_manual_realm_it_is_as_late_as_its_clock_stands() -> None:
    store = MemoryStore()
    await store.set_clock("play", Clock.MANUAL)
    await _awaits(store, "AP-1", FRIDAY, "CAB-REG", realm="play")
    (one,) = (await list_waiting(store, WaitingFilter(role="CAB-REG"), now=FRIDAY - DAY)).rows
    assert one.urgency is Urgency.SOON
    assert one.as_json()["overdue"] is False
