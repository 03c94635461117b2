"""Until a tranche is paid is one thing to wait for, whatever is asked of whom meanwhile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from scenarios.play import play
from tests.paper import open_paper_door, story

if TYPE_CHECKING:
    from tests.web.conftest import Counter

REQUESTED = datetime(2023, 5, 30, tzinfo=UTC)
PAID = datetime(2023, 6, 3, tzinfo=UTC)


async def test_who_waits_for_a_tranche_is_told_once_it_is_paid_and_not_before(counter: Counter) -> None:
    store, fresh = counter.house.store, f"pay-{uuid4().hex[:8]}"
    door = open_paper_door(store)
    requested = story(REQUESTED, fresh)
    assert not (await play(requested, door, store)).deviations
    where, params = "/v1/payments/PJ-3/T1", {"realm": requested.realm}
    async with counter.service("FISCAL#1") as service, counter.service("SUPV#9") as stranger:
        before = (await service.get(where, params=params)).json()
        waiting = asyncio.create_task(service.get(where, params={**params, "wait": "30"}))
        streamed = asyncio.create_task(service.get(f"{where}/stream", params=params))
        assert not (await play(story(PAID, fresh), door, store)).deviations
        payment, lines = (await waiting).json(), (await streamed).text
        unknown = [
            (await service.get("/v1/payments/PJ-3/T9", params=params)).status_code,
            (await service.get("/v1/payments/PJ-999/T1", params=params)).status_code,
            (await stranger.get(where, params=params)).status_code,
        ]
    assert (before["done"], before["course"]) == (False, "WAITING")
    assert [step["command"] for step in before["awaiting"]] == ["CheckDisbursement"]
    assert (payment["done"], payment["course"], payment["paid"]) == (True, "PAID", 3_500_000)
    assert [(one["gate"], one["verdict"]) for one in payment["approvals"]] == [
        ("CheckDisbursement", "GRANTED"),
        ("ApproveDisbursement", "GRANTED"),
    ]
    payee = {one["name"]: one["value"] for one in payment["approvals"][0]["summary"]}
    assert (payee["amount"], payee["payee"].rpartition(" ")[2], payee["tranche"]) == ("¥35,000.00", "ORG-3", "T1")
    assert "account" not in payee
    assert lines.count("event: payment") == 2
    assert '"course":"PAID"' in lines
    assert unknown == [404, 404, 404]
