"""Approvals as a service: what is bound can be read, a service asks for its own, people decide, one answer is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from application.approvals import find_approval
from deciding.fold import load_state
from domain.approval.request import OpenApproval
from domain.kernel.scope import Scope, ScopeKind
from domain.project.publicity import OpenAwardPublicity
from tests.web.conftest import with_key
from tests.workflows.waiting import until

if TYPE_CHECKING:
    import httpx

    from tests.web.conftest import Counter
    from tests.workflows.bureau import Bureau

ORG9 = Scope(kind=ScopeKind.ORGANISATION, names=("ORG-9",))


def request(bureau: Bureau, **more: Any) -> dict[str, Any]:
    groups = [{"seats": ["CAB-DEC#1", "CAB-FIN#1"]}]
    matter = {"title": "年度採購", "amount": 1_200_000, "payee": "ORG-9", "groups": groups, **more}
    return {"realm": bureau.realm, "as": "CAB-REG#1", "request": matter}


async def opened(service: httpx.AsyncClient, bureau: Bureau, **more: Any) -> str:
    """The address of a new approval."""
    await bureau.open_round()
    answer = await service.post("/v1/approvals", json=request(bureau, **more), headers=with_key())
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


async def test_a_service_asks_people_and_is_told_once_all_have_consented(counter: Counter, bureau: Bureau) -> None:
    await bureau.open_round()
    key = with_key()
    async with counter.service("CAB-REG#1", "CAB-DEC#1", "CAB-FIN#1") as service:
        first = await service.post("/v1/approvals", json=request(bureau), headers=key)
        again = await service.post("/v1/approvals", json=request(bureau), headers=key)
        where = first.headers["Location"]
        waiting = asyncio.create_task(service.get(where, params={"wait": 30}))
        answers = [
            await service.post(f"{where}/decision", json={"decision": "approve", "as": seat}, headers=with_key())
            for seat in ("CAB-DEC#1", "CAB-FIN#1")
        ]
        body = (await waiting).json()
        late = await service.post(
            f"{where}/decision", json={"decision": "decline", "as": "CAB-FIN#1", "reason": "遲"}, headers=with_key()
        )
    assert (first.status_code, first.json()["approvals"][0]["gate"]) == (201, "GrantApproval")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert [answer.status_code for answer in answers] == [201, 201]
    assert (body["verdict"], body["status"], [vote["seat"] for vote in body["votes"]]) == (
        "GRANTED",
        "approved",
        ["CAB-DEC#1", "CAB-FIN#1"],
    )
    assert body["groups"][0] | {"needed": 2, "consented": 2} == body["groups"][0]
    assert {one["name"]: one["value"] for one in body["summary"]} == {
        "title": "年度採購",
        "amount": "¥12,000.00",
        "payee": "ORG-9",
    }
    assert (late.status_code, "approved" in late.json()["detail"]) == (409, True)
    assert [one["rule"] for one in late.json()["unmet"]] == ["AV05"]


@pytest.mark.full
async def test_who_has_waited_in_vain_is_told_how_it_stands_by_then(counter: Counter, bureau: Bureau) -> None:
    async with counter.service("CAB-REG#1", "CAB-DEC#1") as service:
        where = await opened(service, bureau)
        waiting = asyncio.create_task(service.get(where, params={"wait": 5}))

        async def is_waiting() -> bool:
            return len(counter.house.door.watch) > 0

        await until(is_waiting)
        body = {"decision": "approve", "as": "CAB-DEC#1"}
        assert (await service.post(f"{where}/decision", json=body, headers=with_key())).status_code == 201
        told = (await waiting).json()
    assert (told["verdict"], told["groups"][0]["consented"]) == ("OPEN", 1)


@pytest.mark.parametrize(
    ("decision", "verdict", "status", "why"),
    [("decline", "REFUSED", "denied", None), ("return", "RETURNED", "denied", "returned")],
)
async def test_a_no_says_why_and_one_sent_back_says_so(
    counter: Counter, bureau: Bureau, decision: str, verdict: str, status: str, why: str | None
) -> None:
    async with counter.service("CAB-REG#1", "CAB-DEC#1") as service:
        where = await opened(service, bureau)
        body = {"decision": decision, "as": "CAB-DEC#1", "reason": "請補報價"}
        assert (await service.post(f"{where}/decision", json=body, headers=with_key())).status_code == 201
        approval = (await service.get(where)).json()
    assert (approval["verdict"], approval["status"], approval["status_reason"], approval["reason"]) == (
        verdict,
        status,
        why,
        "請補報價",
    )


async def long_asked(bureau: Bureau, **terms: Any) -> str:
    """The address of an approval that was asked for two weeks ago, and which nobody has looked at since."""
    await bureau.open_round()
    groups = [{"seats": ["CAB-DEC#1", "CAB-FIN#1"]}]
    command = OpenApproval.model_validate({"title": "年度採購", "amount": 1_200_000, "groups": groups, **terms})
    stream = bureau.id("approval", f"AV-{uuid4()}")
    await bureau.straight(stream, command, "CAB-REG#1", at=datetime.now(UTC) - timedelta(days=14))
    (approval,) = (await load_state(bureau.store, stream)).approvals
    await find_approval(bureau.store, approval.id, patience_s=30)
    return f"/v1/approvals/{approval.id}"


async def test_one_that_nobody_decided_in_time_is_expired_and_a_late_decision_says_so(
    counter: Counter, bureau: Bureau
) -> None:
    where = await long_asked(bureau, within_wd=2, remind_after_wd=1)
    async with counter.service("CAB-REG#1", "CAB-DEC#1") as service:
        before = (await service.get(where)).json()
        late = await service.post(
            f"{where}/decision", json={"decision": "approve", "as": "CAB-DEC#1"}, headers=with_key()
        )
        approval = (await service.get(where)).json()
    assert before["remind_at"] < before["until"] < datetime.now(UTC).isoformat()
    assert (late.status_code, {one["rule"] for one in late.json()["unmet"]}) == (409, {"AV03"})
    assert "expired" in late.text
    assert (approval["verdict"], approval["status"], approval["status_reason"], approval["votes"]) == (
        "EXPIRED",
        "expired",
        None,
        [],
    )


async def test_after_the_working_days_whoever_is_above_decides_alone(counter: Counter, bureau: Bureau) -> None:
    where = await long_asked(bureau, within_wd=200, escalate_after_wd=2, escalate_to=["CAB-DEC#2"])
    async with counter.service("CAB-REG#1", "CAB-DEC#2") as service:
        body = {"decision": "approve", "as": "CAB-DEC#2"}
        assert (await service.post(f"{where}/decision", json=body, headers=with_key())).status_code == 201
        approval = (await service.get(where)).json()
    assert (approval["escalated"], approval["verdict"], approval["decided_by"]) == (True, "GRANTED", "CAB-DEC#2")


@pytest.mark.parametrize(
    ("needed", "consents"), [(1, 1), (2, 2), (3, 3)], ids=["any one 或簽", "two of three", "all 會簽"]
)
async def test_so_many_of_those_who_are_asked_grant_it_and_no_fewer(
    counter: Counter, bureau: Bureau, needed: int, consents: int
) -> None:
    seats = ["CAB-DEC#1", "CAB-DEC#2", "CAB-FIN#1"]
    async with counter.service("CAB-REG#1", *seats) as service:
        where = await opened(service, bureau, groups=[{"seats": seats, "needed": needed}])
        verdicts = []
        for seat in seats[:consents]:
            verdicts.append((await service.get(where)).json()["verdict"])
            body = {"decision": "approve", "as": seat}
            assert (await service.post(f"{where}/decision", json=body, headers=with_key())).status_code == 201
        told = (await service.get(where)).json()
    assert verdicts == ["OPEN"] * consents
    assert (told["verdict"], told["groups"][0]["consented"]) == ("GRANTED", consents)


async def test_of_any_two_of_three_two_who_decline_end_it_and_one_does_not(counter: Counter, bureau: Bureau) -> None:
    seats = ["CAB-DEC#1", "CAB-DEC#2", "CAB-FIN#1"]
    async with counter.service("CAB-REG#1", *seats) as service:
        where = await opened(service, bureau, groups=[{"seats": seats, "needed": 2}])
        verdicts = []
        for seat in seats[:2]:
            body = {"decision": "decline", "as": seat, "reason": "不宜"}
            assert (await service.post(f"{where}/decision", json=body, headers=with_key())).status_code == 201
            verdicts.append((await service.get(where)).json()["verdict"])
    assert verdicts == ["OPEN", "REFUSED"]


async def test_nobody_decides_what_they_asked_for_themselves(counter: Counter, bureau: Bureau) -> None:
    async with counter.service("CAB-REG#1", "CAB-DEC#1") as service:
        where = await opened(service, bureau, groups=[{"seats": ["CAB-REG#1", "CAB-DEC#1"], "needed": 1}])
        body = {"decision": "approve", "as": "CAB-REG#1"}
        own = await service.post(f"{where}/decision", json=body, headers=with_key())
        approval = (await service.get(where)).json()
    assert (own.status_code, {one["rule"] for one in own.json()["unmet"]}) == (409, {"AV23"})
    assert (approval["verdict"], approval["votes"]) == ("OPEN", [])


@pytest.mark.parametrize(
    ("command", "particulars", "why"),
    [
        ("AmendApproval", {"title": "年度採購", "amount": 1_300_000, "payee": "ORG-9"}, "content_changed"),
        ("WithdrawApproval", {"reason": "不買了"}, "withdrawn"),
    ],
)
async def test_one_whose_content_moved_is_void_and_its_votes_with_it(
    counter: Counter, bureau: Bureau, command: str, particulars: dict[str, Any], why: str
) -> None:
    async with counter.service("CAB-REG#1", "CAB-DEC#1", "CAB-FIN#1") as service:
        where = await opened(service, bureau)
        body = {"decision": "approve", "as": "CAB-DEC#1"}
        assert (await service.post(f"{where}/decision", json=body, headers=with_key())).status_code == 201
        stream = (await service.get(where)).json()["stream"]
        order = {"subject": stream, "as": "CAB-REG#1", "particulars": particulars}
        moved = await service.post(f"/v1/commands/{command}", json=order, headers=with_key())
        approval = (await service.get(where)).json()
        body = {"decision": "approve", "as": "CAB-FIN#1"}
        late = await service.post(f"{where}/decision", json=body, headers=with_key())
    assert (approval["verdict"], approval["status"], approval["status_reason"]) == ("VOID", "cancelled", why)
    assert late.status_code == 409
    assert [one["gate"] for one in moved.json()["approvals"]] == ["GrantApproval"] * (why == "content_changed")


async def test_a_waiting_point_of_a_project_is_one_too_and_the_receipt_names_it(
    counter: Counter, bureau: Bureau
) -> None:
    await bureau.open_base()
    project = bureau.id("project", "AP-1")
    await bureau.straight(project, bureau.award(1), "CAB-REG#1")
    body = {"subject": str(project), "as": "CAB-REG#1", "particulars": {"contact": "市民政局"}}
    key = with_key()
    async with counter.service("CAB-REG#1") as service:
        receipt = await service.post(f"/v1/commands/{OpenAwardPublicity.command_type}", json=body, headers=key)
        again = await service.post(f"/v1/commands/{OpenAwardPublicity.command_type}", json=body, headers=key)
        (named,) = receipt.json()["approvals"]
        approval = (await service.get(f"/v1/approvals/{named['id']}")).json()
        back = {"decision": "return", "as": "CAB-REG#1", "reason": "x"}
        unknown = await service.post(f"/v1/approvals/{named['id']}/decision", json=back, headers=with_key())
    assert again.json() == receipt.json()
    assert (named["gate"], named["role"], approval["verdict"]) == ("ConfirmAward", "CAB-DEC", "OPEN")
    summary = {one["name"]: one["value"] for one in approval["summary"]}
    assert (summary["project"], summary["title"], summary["award"]) == ("PJ-1", "基地扶持", "¥10,000.00")
    assert (unknown.status_code, unknown.json()["type"]) == (409, "urn:venture:problem:refused")


async def test_who_is_neither_asked_nor_asking_finds_nothing(counter: Counter, bureau: Bureau) -> None:
    async with counter.service("CAB-REG#1") as service:
        groups = [{"roles": ["SO-LEGAL"], "acts_for": ["ORG-3"], "needed": 1}]
        where = await opened(service, bureau, groups=groups)
    here = await bureau.store.last_position()
    async with counter.service("SO-LEGAL#1", scope=ORG9) as stranger:
        hidden = await stranger.get(where)
        missing = await stranger.get(f"/v1/approvals/{uuid4()}")
        listed = (await stranger.get("/v1/approvals", params={"realm": bureau.realm, "at_least": here})).json()
        inbox = (await stranger.get("/v1/inbox", params={"realm": bureau.realm, "at_least": here})).json()
        body = {"decision": "approve", "as": "SO-LEGAL#1"}
        decision = await stranger.post(f"{where}/decision", json=body, headers=with_key())
    assert (hidden.status_code, missing.status_code, decision.status_code) == (404, 404, 404)
    assert listed["approvals"] == inbox["waiting"] == []


async def test_an_organisation_that_is_asked_sees_it_and_decides(counter: Counter, bureau: Bureau) -> None:
    async with counter.service("CAB-REG#1") as service:
        groups = [{"roles": ["SO-LEGAL"], "acts_for": ["ORG-9"], "needed": 1}]
        where = await opened(service, bureau, groups=groups)
    here = await bureau.store.last_position()
    async with counter.service("SO-LEGAL#1", scope=ORG9) as organisation:
        listed = (await organisation.get("/v1/approvals", params={"realm": bureau.realm, "at_least": here})).json()
        inbox = (await organisation.get("/v1/inbox", params={"realm": bureau.realm, "at_least": here})).json()
        body = {"decision": "approve"}
        done = await organisation.post(f"{where}/decision", json=body, headers=with_key())
        approval = (await organisation.get(where)).json()
    assert [one["id"] for one in listed["approvals"]] == [where.rpartition("/")[2]]
    assert [(one["command"], one["seats"]) for one in inbox["waiting"]] == [("GrantApproval", ["SO-LEGAL#1"])]
    assert (done.status_code, approval["verdict"]) == (201, "GRANTED")


async def test_an_inbox_is_for_the_very_seats_that_are_asked(counter: Counter, bureau: Bureau) -> None:
    async with counter.service("CAB-REG#1") as service:
        await opened(service, bureau)
    params: dict[str, Any] = {"realm": bureau.realm, "at_least": await bureau.store.last_position()}
    async with counter.service("CAB-DEC#1", "CAB-FIN#1") as decider, counter.service("CAB-DEC#2") as other:
        mine = (await decider.get("/v1/inbox", params=params)).json()["waiting"]
        theirs = (await other.get("/v1/inbox", params=params)).json()["waiting"]
        of_one = (await decider.get("/v1/inbox", params={**params, "as": "CAB-FIN#1"})).json()["waiting"]
        by_seat = (await decider.get("/v1/approvals", params={**params, "approver": "CAB-FIN#1"})).json()["approvals"]
        by_other = (await decider.get("/v1/approvals", params={**params, "approver": "CAB-DEC#2"})).json()["approvals"]
    assert [one["seats"] for one in mine] == [["CAB-DEC#1", "CAB-FIN#1"]], "one thing, however many seats"
    assert theirs == []
    assert [one["seats"] for one in of_one] == [["CAB-FIN#1"]]
    assert (len(by_seat), by_other) == (1, [])


@pytest.mark.parametrize(
    ("wrong", "status", "where"),
    [
        ({"request": {"title": "x"}}, 422, "/request/groups"),
        ({"request": {"title": "x", "groups": [{"seats": ["CAB-DEC#01"]}]}}, 422, "/request/groups/0/seats/0"),
        ({"realm": "no realm"}, 404, ""),
        ({"as": "CAB-DEC#1"}, 403, ""),
    ],
)
async def test_what_cannot_be_asked_is_refused_at_the_door(
    counter: Counter, bureau: Bureau, wrong: dict[str, Any], status: int, where: str
) -> None:
    await bureau.open_round()
    async with counter.service("CAB-REG#1") as service:
        answer = await service.post("/v1/approvals", json={**request(bureau), **wrong}, headers=with_key())
    assert answer.status_code == status, answer.text
    assert where in {*(error["pointer"] for error in answer.json().get("errors", [])), ""}
