"""A command over HTTP: asked once however often it is sent, refused with all that is missing, never half-known."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from domain.kernel.canonical import canonical
from domain.kernel.identifier import Actor
from domain.need import SubmitNeed
from store.identity import Operation
from tests.web.conftest import with_key
from web.v1.commands import CommandBody

if TYPE_CHECKING:
    from tests.web.conftest import Counter
    from tests.workflows.bureau import Bureau

SUBMIT = "/v1/commands/SubmitNeed"
ADOPT = "/v1/commands/AdoptNeed"


async def solicited(bureau: Bureau, name: str = "ND-1") -> dict[str, Any]:
    """A round that asks for needs, and the body of a command that submits one."""
    await bureau.open_round()
    return {
        "subject": f"need/{bureau.realm}/{name}",
        "as": "COMM#1",
        "particulars": {"round": "R-1", "group": "空巢老人"},
    }


async def test_a_command_is_carried_out_and_its_outcome_can_be_asked_for(counter: Counter, bureau: Bureau) -> None:
    body = await solicited(bureau)
    async with counter.service("COMM#1") as service:
        done = await service.post(SUBMIT, json=body, headers=with_key())
        assert (done.status_code, done.json()["events"]) == (201, ["NeedSubmitted"])
        outcome = (await service.get(done.headers["Location"])).json()
    assert (outcome["ending"], outcome["seat"], outcome["position"]) == ("accepted", "COMM#1", done.json()["position"])
    assert outcome["log"] == done.json()["log"] != ""


@pytest.mark.parametrize(
    "at", [1_830_000_000, "1830000000", 1.5, True, "yesterday", "2023-13-01", "9999-12-31T00:00:00Z"]
)
def test_a_number_or_a_year_beyond_all_is_no_time(at: object) -> None:
    with pytest.raises(ValueError, match="2024-03-04T09:00"):
        CommandBody.model_validate({"subject": "ND-1", "at": at})


@pytest.mark.parametrize("at", ["2023-05-22", "2023-05-22T09:00", "2023-05-22T01:00:00Z"])
def test_a_time_without_offset_is_in_shanghai_and_a_day_begins_at_nine(at: str) -> None:
    assert CommandBody.model_validate({"subject": "ND-1", "at": at}).at == datetime(2023, 5, 22, 1, tzinfo=UTC)


async def test_fifty_who_post_one_key_at_once_make_one_event_and_get_one_answer(
    counter: Counter, bureau: Bureau
) -> None:
    body, key = await solicited(bureau), with_key()
    async with counter.service("COMM#1") as service:
        answers = await asyncio.gather(*(service.post(SUBMIT, json=body, headers=key) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    stream = bureau.id("need", "ND-1")
    assert len([entry async for entry in bureau.store.read(stream, commands=True)]) == 2, "one command, one event"


async def test_the_same_key_with_another_body_is_a_mismatch_and_changes_nothing(
    counter: Counter, bureau: Bureau
) -> None:
    body, key = await solicited(bureau), with_key()
    async with counter.service("COMM#1") as service:
        first = await service.post(SUBMIT, json=body, headers=key)
        other = {**body, "particulars": {"round": "R-1", "group": "殘障兒童"}}
        second = await service.post(SUBMIT, json=other, headers=key)
        third = await service.post(SUBMIT, json=body, headers=key)
    assert (second.status_code, second.json()["type"]) == (422, "urn:venture:problem:mismatch")
    assert (third.status_code, third.json()) == (201, first.json())
    assert third.headers["Idempotency-Replayed"] == "true"


async def test_a_refusal_names_every_unmet_condition_in_the_readers_language_and_is_recorded(
    counter: Counter, bureau: Bureau
) -> None:
    await bureau.open_round()
    await bureau.straight(bureau.id("need", "ND-1"), SubmitNeed(round="R-1", group="空巢老人"), "COMM#1")
    body = {"subject": f"need/{bureau.realm}/ND-1", "as": "COMM#2", "particulars": {}}
    key = with_key()
    async with counter.service("COMM#2", "CAB-REG#1") as service:
        english = await service.post(ADOPT, json=body, headers=key)
        chinese = await service.post(ADOPT, json=body, headers={**key, "Accept-Language": "zh-TW, en;q=0.5"})
        outcome = (await service.get(f"/v1/outcomes/{key['Idempotency-Key']}")).json()
    assert (english.status_code, english.headers["Content-Type"]) == (409, "application/problem+json")
    rules = [one["rule"] for one in english.json()["unmet"]]
    assert rules
    assert rules == [one["rule"] for one in chinese.json()["unmet"]] == [one["rule"] for one in outcome["unmet"]]
    assert english.json()["unmet"] != chinese.json()["unmet"]
    assert (english.headers["Content-Language"], chinese.headers["Content-Language"]) == ("en", "zh-Hant")
    assert outcome["ending"] == "refused"


async def test_a_seat_that_is_not_the_callers_is_refused_and_leaves_no_trace(counter: Counter, bureau: Bureau) -> None:
    body, key = await solicited(bureau), with_key()
    async with counter.service("COMM#2") as service:
        answer = await service.post(SUBMIT, json=body, headers=key)
        outcome = await service.get(f"/v1/outcomes/{key['Idempotency-Key']}")
    assert (answer.status_code, answer.json()["unmet"][0]["rule"]) == (403, "ID03")
    assert outcome.status_code == 404


async def test_without_naming_a_seat_the_one_that_may_acts(counter: Counter, bureau: Bureau) -> None:
    body = await solicited(bureau)
    del body["as"]
    async with counter.service("COMM#1", "CAB-FIN#1") as service:
        assert (await service.post(SUBMIT, json=body, headers=with_key())).status_code == 201
    async with counter.service("COMM#1", "COMM#2") as service:
        unclear = await service.post(SUBMIT, json=body, headers=with_key())
    assert unclear.status_code == 422
    assert "COMM#1" in unclear.json()["detail"]


@pytest.mark.parametrize("key", [None, "", "no-uuid", "3f0c7a52"])
async def test_without_a_key_nothing_is_asked(counter: Counter, bureau: Bureau, key: str | None) -> None:
    body = await solicited(bureau)
    async with counter.service("COMM#1") as service:
        answer = await service.post(SUBMIT, json=body, headers={} if key is None else {"Idempotency-Key": key})
    assert answer.status_code == 400
    assert await bureau.store.standing(bureau.id("need", "ND-1")) is None


async def test_a_key_of_the_kind_that_the_engine_derives_is_refused(counter: Counter, bureau: Bureau) -> None:
    body = await solicited(bureau)
    key = {"Idempotency-Key": "886313e1-3b8a-5372-9b90-0c9aee199e5d"}
    async with counter.service("COMM#1") as service:
        answer = await service.post(SUBMIT, json=body, headers=key)
    assert (answer.status_code, answer.json()["unmet"][0]["rule"]) == (409, "ID01")


async def test_trying_records_nothing_and_says_what_it_would_come_to(counter: Counter, bureau: Bureau) -> None:
    body = await solicited(bureau)
    before = await bureau.store.last_position()
    async with counter.service("COMM#1") as service:
        would = await service.post(SUBMIT, json=body, params={"dry_run": "true"})
        late = {**body, "particulars": {"round": "R-404", "group": "空巢老人"}}
        why_not = await service.post("/v1/why-not/SubmitNeed", json=late)
    assert (would.status_code, would.json()["would_be"], would.json()["events"]) == (200, "accepted", ["NeedSubmitted"])
    assert (why_not.status_code, why_not.json()["would_be"]) == (200, "refused")
    assert why_not.json()["unmet"]
    assert await bureau.store.standing(bureau.id("need", "ND-1")) is None
    assert before <= await bureau.store.last_position()


async def test_a_name_that_only_a_trial_has_is_acted_on_where_its_realm_is_said(
    counter: Counter, bureau: Bureau
) -> None:
    need = f"ND-{uuid4().hex[:8]}"
    body = {**await solicited(bureau), "subject": bureau.id("need", need), "as": "COMM#1"}
    adopt = {"subject": need, "particulars": {}}
    async with counter.service("COMM#1", "CAB-REG#1") as service:
        await service.post(SUBMIT, json=body, headers={"Idempotency-Key": str(uuid4())})
        unsaid = [
            await service.post(
                "/v1/commands/AdoptNeed", json=adopt, params=query, headers={"Idempotency-Key": str(uuid4())}
            )
            for query in ({}, {"dry_run": "true"})
        ]
        question = await service.post("/v1/why-not/AdoptNeed", json=adopt)
        exact = await service.post(
            "/v1/commands/AdoptNeed", json={**adopt, "realm": bureau.realm}, params={"dry_run": 1}
        )
    for answer in unsaid:
        assert (answer.status_code, bureau.realm in answer.json()["detail"]) == (422, True), answer.json()
    assert question.json()["stream"] == exact.json()["stream"] == body["subject"]


async def test_every_fault_of_a_body_is_named_where_it_stands(counter: Counter, bureau: Bureau) -> None:
    body = {
        "subject": f"need/{bureau.realm}/ND-1",
        "as": "COMM#1",
        "particulars": {"round": 7, "group": "", "no/such": True},
    }
    async with counter.service("COMM#1") as service:
        answer = await service.post(SUBMIT, json=body, headers=with_key())
    assert answer.status_code == 422
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert pointers == {"/particulars/round", "/particulars/group", "/particulars/no~1such"}


async def test_a_command_on_a_file_that_has_moved_on_is_refused_to_who_has_not_seen_it(
    counter: Counter, bureau: Bureau
) -> None:
    body = await solicited(bureau)
    adopt = {"subject": body["subject"], "as": "CAB-REG#1", "particulars": {}}
    async with counter.service("COMM#1", "CAB-REG#1") as service:
        await service.post(SUBMIT, json=body, headers=with_key())
        seen = (await service.get(f"/v1/files/{body['subject']}")).headers["ETag"]
        stale = await service.post(ADOPT, json=adopt, headers=with_key(**{"If-Match": '"7.0123456789abcdef"'}))
        fresh = await service.post(ADOPT, json=adopt, headers=with_key(**{"If-Match": seen}))
        again = await service.post(ADOPT, json=adopt, headers=with_key(**{"If-Match": seen}))
    assert (stale.status_code, fresh.status_code, again.status_code) == (412, 201, 412)


async def test_what_is_asked_without_waiting_ends_in_the_same_receipt(counter: Counter, bureau: Bureau) -> None:
    body, key = await solicited(bureau), with_key(Prefer="respond-async")
    async with counter.service("COMM#1") as service:
        taken = await service.post(SUBMIT, json=body, headers=key)
        assert taken.status_code == 202
        done = (await service.get(taken.headers["Location"], params={"wait": 30})).json()
        receipt = await service.post(SUBMIT, json=body, headers={"Idempotency-Key": key["Idempotency-Key"]})
    async with counter.service("COMM#1") as another:
        hidden = await another.get(taken.headers["Location"])
    assert (done["done"], done["response"]) == (True, receipt.json())
    assert "error" not in done
    assert hidden.status_code == 404


async def test_a_service_finds_all_it_asked_without_waiting_page_by_page_and_nobody_elses(
    counter: Counter, bureau: Bureau
) -> None:
    first = await solicited(bureau)
    second = {**first, "subject": bureau.id("need", "ND-2")}
    async with counter.service("COMM#1") as service, counter.service("COMM#1") as another:
        for body in (first, second):
            taken = await service.post(SUBMIT, json=body, headers=with_key(Prefer="respond-async"))
            await service.get(taken.headers["Location"], params={"wait": 30})
        page = (await service.get("/v1/operations", params={"limit": 1})).json()
        rest = (await service.get("/v1/operations", params={"limit": 1, "after": page["next"]})).json()
        pending = (await service.get("/v1/operations", params={"pending": True})).json()
        forged = await service.get("/v1/operations", params={"after": "WzFd"})
        theirs = (await another.get("/v1/operations")).json()
    streams = [one["metadata"]["stream"] for one in (*page["operations"], *rest["operations"])]
    assert streams == [bureau.id("need", "ND-2"), bureau.id("need", "ND-1")]
    assert all(one["done"] and one["response"] for one in (*page["operations"], *rest["operations"]))
    assert "next" not in rest
    assert (pending, theirs) == ({"operations": []}, {"operations": []})
    assert forged.status_code == 422


async def test_an_operation_whose_process_died_is_taken_up_again(counter: Counter, bureau: Bureau) -> None:
    body, key = await solicited(bureau), uuid4()
    async with counter.service("COMM#1") as service:
        session = (await service.get("/v1/session")).json()
        operations = counter.house.operations
        await counter.house.identity.add_operation(
            _operation(f"service:{session['service']}", bureau, key, body["particulars"])
        )
        assert await operations.resume() >= 1
        done = (await service.get(f"/v1/operations/{key}", params={"wait": 30})).json()
    assert done["response"]["events"] == ["NeedSubmitted"]


def _operation(asker: str, bureau: Bureau, key: UUID, particulars: dict[str, str]) -> Operation:
    return Operation(
        id=key,
        asker=asker,
        stream=bureau.id("need", "ND-1"),
        actor=Actor("COMM#1"),
        command="SubmitNeed",
        body=canonical(particulars),
        at=None,
    )
