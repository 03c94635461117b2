"""Webhooks: each event reaches each receiver at least once under one id, signed, whatever befalls receivers and us."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from venture_client import verify_webhook

from application.access import may_see
from application.webhooks import Webhooks
from domain.kernel.clock import Clock
from domain.need import AdoptNeed
from followers import deliveries
from followers.deliveries import GIVE_UP, KEPT, PUT_OFF, SCHEDULE, Deliverer
from followers.outbox import OutboxFollower
from store.outbox import CursorMoved, OutboxStore
from tests.web.conftest import served
from tests.workflows.bureau import need_submission, verification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from tests.web.conftest import Counter
    from tests.workflows.bureau import Bureau


@dataclass
class Receiver:
    """Somebody who is told, and answers as a test says."""

    address: str = ""
    answers: list[int] = field(default_factory=list)
    """The statuses of the next answers; afterwards 204."""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def take(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.body()))
        await self.may_answer.wait()
        status = self.answers.pop(0) if self.answers else 204
        headers = {"Location": f"{self.address}/elsewhere"} if status == 302 else {}
        return Response(b"x" * 100_000 if status == 200 else b"", status, headers)

    def read(self, secret: str) -> list[dict[str, Any]]:
        """What came, each verified by the official package."""
        verify = Webhook(secret).verify
        return [verify(body, headers) for headers, body in self.got]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    async with served(Starlette(routes=[Route("/{rest:path}", one.take, methods=["POST", "GET"])])) as address:
        one.address = address
        yield one


@dataclass
class WebhookSender:
    """The outbox of the run, with a clock that a test moves."""

    counter: Counter
    bureau: Bureau
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def webhooks(self) -> Webhooks:
        return self.counter.house.webhooks

    @property
    def outbox(self) -> OutboxStore:
        return self.webhooks.outbox

    async def add(self, url: str, *types: str, seat: str = "CAB-REG#1") -> _Fresh:
        async with self.counter.service("ADMIN#1") as admin:
            body = {"url": url, "seat": seat, "types": types}
            answer = await admin.post("/v1/webhooks", json=body)
            assert answer.status_code == 201, answer.text
        content = answer.json()
        return _Fresh(UUID(content["id"]), content["secret"], content["public_key"])

    async def happen(self, name: str, *, adopted: bool = False) -> list[str]:
        """Something that the outside is told of: the ids of the events."""
        stream = self.bureau.id("need", name)
        receipts = [await self.bureau.straight(stream, need_submission(), "COMM#1")]
        if adopted:
            receipts.append(await self.bureau.straight(stream, AdoptNeed(), "CAB-REG#1"))
        return [str(receipt.position) for receipt in receipts]

    async def fill(self) -> None:
        follower = OutboxFollower(self.bureau.store, self.outbox, may_see)
        while await follower.once(self.moment):
            pass
        await follower.release()

    async def deliver(self, endpoint: UUID) -> None:
        await self.deliverer.drain(endpoint)

    @property
    def deliverer(self) -> Deliverer:
        async def source() -> str:
            return "urn:venture:log:tests"

        clock = partial(getattr, self, "moment")
        return Deliverer(
            self.outbox,
            self.webhooks.rules,
            self.webhooks.open_secrets,
            source=source,
            public_url="https://v.example",
            now=clock,
        )


@dataclass
class _Fresh:
    endpoint: UUID
    shared: str
    public: str


@pytest.fixture
async def sender(counter: Counter, bureau: Bureau) -> WebhookSender:
    await bureau.open_round()
    return WebhookSender(counter, bureau)


async def test_each_event_is_told_once_signed_both_ways_and_thin(sender: WebhookSender, receiver: Receiver) -> None:
    before = await sender.happen("ND-0")
    fresh = await sender.add(f"{receiver.address}/hook")
    submitted, adopted = await sender.happen("ND-1", adopted=True)
    for _ in range(2):
        await sender.fill()
        await sender.deliver(fresh.endpoint)
    messages = receiver.read(fresh.shared)
    assert messages == [verify_webhook(fresh.shared, headers, body) for headers, body in receiver.got]
    assert sorted(message["data"]["id"] for message in messages) == [submitted, adopted]
    assert before[0] not in [message["data"]["id"] for message in messages]
    (message,) = [one for one in messages if one["data"]["id"] == submitted]
    stream = sender.bureau.id("need", "ND-1")
    assert message["type"] == "venture.NeedSubmitted.v1"
    assert message["data"] == {
        "id": submitted,
        "source": "urn:venture:log:tests",
        "stream": stream,
        "position": int(submitted),
        "links": {
            "event": "https://v.example/v1/events?"
            f"{httpx.QueryParams({'after': int(submitted) - 1, 'limit': 1, 'stream': stream})}",
            "file": f"https://v.example/v1/files/{stream}",
        },
    }
    for headers, body in receiver.got:
        assert _verify_by_public_key(fresh.public, headers, body)
        assert not _verify_by_public_key(fresh.public, headers, body + b" ")
    assert len(set(receiver.ids)) == 2


def _verify_by_public_key(public: str, headers: dict[str, str], body: bytes) -> bool:
    """As a receiver without the secret would: by the key that anybody may have."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signatures = [one.partition(",") for one in headers["webhook-signature"].split(" ")]
    return any(version == "v1a" and _is_by(key, base64.b64decode(text), content) for version, _, text in signatures)


def _is_by(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


async def test_a_receiver_that_fails_is_tried_by_the_schedule_of_the_standard_and_given_up_after_three_days(
    sender: WebhookSender, receiver: Receiver
) -> None:
    fresh = await sender.add(f"{receiver.address}/hook", "NeedSubmitted")
    await sender.happen("ND-1")
    await sender.fill()
    begin, tries = sender.moment, list[timedelta]()
    receiver.answers = [500, 503, 302, 404, 429, *[500] * 20]
    for wait in SCHEDULE:
        sender.moment += wait - timedelta(seconds=1)
        if wait:
            await sender.deliver(fresh.endpoint)  # too early
        sender.moment += timedelta(seconds=1)
        await sender.deliver(fresh.endpoint)
        tries += [sender.moment - begin] * (len(receiver.got) - len(tries))
    assert tries == [sum(SCHEDULE[: number + 1], timedelta(0)) for number in range(len(SCHEDULE))]
    assert tries[-1] > GIVE_UP
    assert len(set(receiver.ids)) == 1
    endpoint = await sender.webhooks.find(fresh.endpoint)
    assert endpoint.disabled_at == sender.moment
    assert "3 days" in endpoint.disabled_why
    async with sender.counter.service("ADMIN#1") as admin:
        (listed,) = [w for w in (await admin.get("/v1/webhooks")).json()["webhooks"] if w["id"] == str(fresh.endpoint)]
        log = (await admin.get(f"/v1/webhooks/{fresh.endpoint}/deliveries")).json()["deliveries"]
        assert listed["disabled_why"] == endpoint.disabled_why
        assert [(line["tries"], line["status"], line["next_at"]) for line in log] == [(len(SCHEDULE), 500, None)]
        receiver.answers = []
        assert (await admin.post(f"/v1/webhooks/{fresh.endpoint}/enable")).status_code == 204
        again = await admin.post(f"/v1/webhooks/{fresh.endpoint}/replay", json={"delivery": log[0]["id"]})
        assert (again.status_code, again.json()) == (202, {"deliveries": 1})
    await sender.deliver(fresh.endpoint)
    assert len(receiver.got) == len(SCHEDULE) + 1
    assert (await sender.webhooks.find(fresh.endpoint)).failing_since is None


async def test_who_says_410_is_told_nothing_more(sender: WebhookSender, receiver: Receiver) -> None:
    fresh = await sender.add(f"{receiver.address}/hook", "NeedSubmitted")
    await sender.happen("ND-1")
    await sender.fill()
    receiver.answers = [410]
    await sender.deliver(fresh.endpoint)
    await sender.happen("ND-2")
    await sender.fill()
    sender.moment += timedelta(days=1)
    await sender.deliver(fresh.endpoint)
    assert len(receiver.got) == 1
    assert (await sender.webhooks.find(fresh.endpoint)).disabled_why == "410 Gone"


async def test_what_ended_long_ago_is_forgotten_and_what_is_still_to_be_said_is_not(
    sender: WebhookSender, receiver: Receiver
) -> None:
    fresh = await sender.add(f"{receiver.address}/hook", "NeedSubmitted")
    await sender.happen("ND-1")
    await sender.fill()
    await sender.deliver(fresh.endpoint)
    await sender.happen("ND-2")
    await sender.fill()

    async def left() -> int:
        return len(await sender.outbox.deliveries(fresh.endpoint, 2**53, 10))

    assert await left() == 2
    sender.moment += KEPT + timedelta(hours=1)
    await sender.outbox.disable_endpoint(fresh.endpoint, sender.moment, "a test's own")
    await sender.deliverer.look()
    assert await left() == 1, "the one that nobody has said yet"


@pytest.mark.full
async def test_one_that_is_down_or_slow_keeps_no_other_back(
    sender: WebhookSender, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Receiver()
    slow.may_answer.clear()
    async with served(Starlette(routes=[Route("/", slow.take, methods=["POST"])])) as slow.address:
        down, late, good = [
            await sender.add(url, "NeedSubmitted") for url in ("http://127.0.0.1:9/", slow.address, receiver.address)
        ]
        events = [await sender.happen(f"ND-{number}") for number in range(6)]
        await sender.fill()
        deliverer = sender.deliverer
        await deliverer.look()
        draining = dict(deliverer._draining)
        await asyncio.gather(draining.pop(down.endpoint), draining.pop(good.endpoint))
        assert not draining[late.endpoint].done(), "it is still waited for"
        slow.may_answer.set()
        await draining[late.endpoint]

        slow.may_answer.clear()
        monkeypatch.setattr(deliveries, "PATIENCE_S", 0.3)
        await sender.happen("ND-6")
        await sender.fill()
        await sender.deliver(late.endpoint)
        slow.may_answer.set()  # its server waits for it to end
    assert sorted(m["data"]["id"] for m in receiver.read(good.shared)) == sorted(one for (one,) in events)
    failed = await sender.outbox.deliveries(down.endpoint, 2**53, 10)
    assert {(line.said, line.delivered_at) for line in failed if line.tries} == {("ConnectError", None)}
    newest, *before = await sender.outbox.deliveries(late.endpoint, 2**53, 10)
    assert (newest.status, newest.said, newest.delivered_at) == (None, "no answer within 0 s", None)
    assert {line.status for line in before} == {204}


async def test_what_a_dead_worker_had_taken_up_is_told_by_another_under_the_same_id(
    sender: WebhookSender, receiver: Receiver
) -> None:
    fresh = await sender.add(f"{receiver.address}/hook", "NeedSubmitted")
    await sender.happen("ND-1")
    await sender.fill()
    (taken,) = await sender.outbox.claim_deliveries(
        fresh.endpoint, sender.moment, sender.moment + PUT_OFF, 9
    )  # and dies
    await sender.deliver(fresh.endpoint)
    assert receiver.got == []
    sender.moment += PUT_OFF
    await asyncio.gather(*(sender.deliver(fresh.endpoint) for _ in range(5)))
    assert receiver.ids == [f"msg_{taken.id.hex}"]


async def test_filling_twice_makes_nothing_twice(sender: WebhookSender, receiver: Receiver) -> None:
    fresh = await sender.add(f"{receiver.address}/hook", "NeedSubmitted")
    await sender.happen("ND-1")
    await sender.fill()
    name, store = OutboxFollower.name, sender.bureau.store
    cursor, line = await store.cursor(name), (await sender.outbox.deliveries(fresh.endpoint, 2**53, 10))[0]
    taken = await sender.outbox.claim_deliveries(fresh.endpoint, sender.moment, sender.moment, 9)
    follower = OutboxFollower(store, sender.outbox, may_see)
    generation = await store.lease(name, follower._owner, timedelta(seconds=5))
    assert generation is not None
    await sender.outbox.fill((name, generation, cursor, cursor), taken, [], sender.moment)
    with pytest.raises(CursorMoved):
        await sender.outbox.fill((name, generation, cursor - 1, cursor), taken, [], sender.moment)
    await follower.release()
    await store.lease(name, follower._owner, timedelta(0))
    assert [one.id for one in await sender.outbox.deliveries(fresh.endpoint, 2**53, 10)] == [line.id]


async def test_for_a_day_after_a_rotation_both_secrets_sign(sender: WebhookSender, receiver: Receiver) -> None:
    first = await sender.add(f"{receiver.address}/hook", "NeedSubmitted")
    async with sender.counter.service("ADMIN#1") as admin:
        second = (await admin.post(f"/v1/webhooks/{first.endpoint}/rotate")).json()
    await sender.happen("ND-1")
    await sender.fill()
    await sender.deliver(first.endpoint)
    assert receiver.read(first.shared) == receiver.read(second["secret"])
    headers, body = receiver.got[0]
    assert _verify_by_public_key(first.public, headers, body)
    assert _verify_by_public_key(second["public_key"], headers, body)
    endpoint = await sender.webhooks.find(first.endpoint)
    assert len(sender.webhooks.open_secrets(endpoint, datetime.now(UTC) + timedelta(hours=25))) == 1


async def test_a_range_is_said_once_more_under_the_same_ids(sender: WebhookSender, receiver: Receiver) -> None:
    fresh = await sender.add(f"{receiver.address}/hook", "NeedSubmitted")
    events = [(await sender.happen(f"ND-{number}"))[0] for number in range(4)]
    await sender.fill()
    await sender.deliver(fresh.endpoint)
    first = dict(zip(receiver.ids, (json.loads(body) for _, body in receiver.got), strict=True))
    receiver.got.clear()
    async with sender.counter.service("ADMIN#1") as admin:
        body = {"after": int(events[0]), "until": int(events[2])}
        answer = await admin.post(f"/v1/webhooks/{fresh.endpoint}/replay", json=body)
    assert answer.json() == {"deliveries": 2}
    sender.moment = datetime.now(UTC)
    await sender.deliver(fresh.endpoint)
    assert sorted(json.loads(body)["data"]["id"] for _, body in receiver.got) == sorted(events[1:3])
    assert all(first[name] == json.loads(body) for name, (_, body) in zip(receiver.ids, receiver.got, strict=True))


async def test_nobody_is_told_what_their_seat_may_not_see_nor_of_papers(
    sender: WebhookSender, receiver: Receiver
) -> None:
    admin_seat = await sender.add(f"{receiver.address}/hook", "OrganisationVerified", seat="ADMIN#1")
    office = await sender.add(f"{receiver.address}/hook", "OrganisationVerified")
    await sender.bureau.straight(sender.bureau.id("organisation", "ORG-1"), verification(), "HOST#1")
    papers = replace(sender.bureau, realm=f"{sender.bureau.realm}-papers")
    assert await papers.store.set_clock(papers.realm, Clock.MANUAL) is Clock.MANUAL
    await papers.straight(papers.id("organisation", "ORG-1"), verification(), "HOST#1")
    await sender.fill()
    lines = {one.endpoint: await sender.outbox.deliveries(one.endpoint, 2**53, 10) for one in (admin_seat, office)}
    assert [len(lines[one.endpoint]) for one in (admin_seat, office)] == [0, 1]


async def test_endpoints_are_an_administrators_affair(sender: WebhookSender) -> None:
    paths = [
        ("POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/", "seat": "CAB-REG#1"}),
        ("GET", "/v1/webhooks", None),
        ("DELETE", f"/v1/webhooks/{UUID(int=0)}", None),
        ("POST", f"/v1/webhooks/{UUID(int=0)}/rotate", None),
        ("POST", f"/v1/webhooks/{UUID(int=0)}/enable", None),
        ("GET", f"/v1/webhooks/{UUID(int=0)}/deliveries", None),
        ("POST", f"/v1/webhooks/{UUID(int=0)}/replay", {}),
    ]
    async with (
        sender.counter.service("CAB-REG#1", "CAB-DEC#1") as others,
        sender.counter.service("ADMIN#1") as admin,
    ):
        assert {(await others.request(m, path, json=body)).status_code for m, path, body in paths} == {403}
        assert {(await admin.request(m, path, json=body)).status_code for m, path, body in paths[2:]} == {404}
        wrong = [
            {"url": "http://user:x@127.0.0.1/", "seat": "CAB-REG#1"},
            {"url": "http://169.254.169.254/latest/", "seat": "CAB-REG#1"},
            {"url": "https://2852039166/", "seat": "CAB-REG#1"},
            {"url": "http://127.0.0.1:9/", "seat": "SYS#1"},
            {"url": "http://127.0.0.1:9/", "seat": "CAB-REG#1", "types": ["NoSuchEvent"]},
            {"url": "http://127.0.0.1:9/", "seat": "CAB-REG#1", "secret": "mine"},
        ]
        assert {(await admin.post("/v1/webhooks", json=body)).status_code for body in wrong} == {422}
        fresh = await sender.add("http://127.0.0.1:9/")
        text = (await admin.get("/v1/webhooks")).text
        assert fresh.shared not in text
        assert (await admin.delete(f"/v1/webhooks/{fresh.endpoint}")).status_code == 204
    rows = await sender.outbox.endpoints()
    assert fresh.endpoint not in {row.id for row in rows}
    for row in rows:
        assert base64.b64decode(fresh.shared.removeprefix("whsec_")) not in row.secret
