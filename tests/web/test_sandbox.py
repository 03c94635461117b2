"""The bank and the signature service to try things on: what they report comes to the same however they misbehave."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from application.api_keys import issue_key
from application.caller import ScopeName
from domain.project.tranches import TrancheStatus
from sandbox.desk import build_bank, build_signature_service
from sandbox.report import Reporter
from store.identity import SeatGrant
from tests.paper import story
from tests.tables import mostly
from tests.web.conftest import UNLOADED, served
from tests.web.test_callbacks import APPROVED, AWARDED, PAID_FEN, Bank, open_bank
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from domain.kernel.identifier import Actor
    from scenarios.plan import Plan
    from tests.web.conftest import Counter


async def _open(counter: Counter, plan: Plan, seat: Actor | str) -> tuple[Bank, Reporter]:
    """A sender of that seat, and the other side that speaks under its name."""
    sender = await open_bank(counter, plan, seat)
    known = await counter.house.senders.find(sender.name)
    grants = (SeatGrant(seat=known.seats[0].seat),)
    lasting, now = timedelta(hours=1), datetime.now(UTC)
    key = await issue_key(counter.house.identity, sender.name, grants, [ScopeName.COMMANDS], lasting=lasting, now=now)
    return sender, Reporter(counter.address, sender.name, sender.secret, key.text)


@mostly(
    1,
    "ending, reordered, status",
    [
        ("settled-then-returned", True, TrancheStatus.FAILED),
        ("settled", False, TrancheStatus.PAID),
        ("settled-then-returned", False, TrancheStatus.FAILED),
        ("returned", False, TrancheStatus.FAILED),
    ],
)
async def test_a_bank_that_repeats_itself_and_speaks_out_of_order_is_understood(
    counter: Counter,
    ending: str,
    status: TrancheStatus,
    *,
    reordered: bool,
) -> None:
    sender, reporter = await _open(counter, story(APPROVED, f"sb-{uuid4().hex[:8]}"), "FISCAL#1")
    _, bound, _ = await sender.tranche()
    how: dict[str, Any] = {"ending": ending, "times": 3, "reordered": reordered}
    payment = {"id": "P-1", "subject": "PJ-3/T1", "realm": sender.realm, "amount": PAID_FEN, "bound": bound, **how}
    async with (
        served(build_bank(reporter)) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, verify=UNLOADED) as bank,
    ):
        taken = [(await bank.post("/payments", json=payment)).status_code for _ in range(2)]
        other = (await bank.post("/payments", json={**payment, "amount": 1})).status_code
        assert (*taken, other) == (202, 202, 409)

        async def is_said() -> bool:
            reports = (await bank.get("/reports")).json()
            expected = 2 if ending == "settled-then-returned" else 1
            return len(reports) == expected and all(len(answers) == 3 for answers in reports.values())

        await until(is_said)
        assert len((await bank.get("/payments")).json()) == 1
    assert (await sender.tranche())[0] is status
    assert all(len(set(answers)) == 1 for answers in reporter.said.values()), reporter.said


@pytest.mark.full
async def test_an_agreement_is_signed_elsewhere_and_comes_back_with_its_papers(counter: Counter) -> None:
    whole = story(datetime(2023, 5, 27, tzinfo=UTC), f"sb-{uuid4().hex[:8]}")
    contract = next(o for o in whole.orders if o.command.command_type == "SignContract")
    agreement = json.loads(contract.command.model_dump_json(exclude_none=True))
    del agreement["signatures"]
    plan = replace(whole, orders=tuple(o for o in whole.orders if o.at < AWARDED))
    sender, reporter = await _open(counter, plan, "CAB-REG#1")
    signatories = ["BUREAU", "ORGANISATION", "COMMUNITY"]
    envelope = {"id": "E-1", "subject": "PJ-3", "realm": sender.realm, "agreement": agreement}
    async with (
        served(build_signature_service(reporter)) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, verify=UNLOADED) as service,
    ):
        refused = {**envelope, "id": "E-0", "ending": "refused"}
        for one in (refused, {**envelope, "signatories": signatories, "times": 2}):
            assert (await service.post("/envelopes", json=one)).status_code == 202

        async def is_said() -> bool:
            return sum(map(len, (await service.get("/reports")).json().values())) == 3

        await until(is_said)
    assert reporter.said == {"E-0.refused": [200], "E-1.signed": [201, 201]}
