"""What bank and e-signature report: believed for their signature alone, carried out once, held to the rules."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from standardwebhooks import Webhook

from application.callbacks import TOLERANCE
from application.queries import resolve_name
from application.webhook_signature import is_signed_by, read_secret
from deciding.fold import load_state
from domain.catalogue import command_class
from domain.kernel.identifier import Actor
from domain.project.money import Money
from domain.project.tranches import Tranches, TrancheStatus
from scenarios.play import play
from store.identity import SeatGrant
from tests.paper import open_paper_door, story
from web.v1.callbacks import CallbackMessage

if TYPE_CHECKING:
    from domain.kernel.scope import Scope
    from scenarios.plan import Plan
    from tests.web.conftest import Counter

APPROVED, AWARDED = datetime(2023, 6, 1, tzinfo=UTC), datetime(2023, 5, 25, tzinfo=UTC)
PAID_FEN = 3_500_000
SHARED = "whsec_" + base64.b64encode(b"s" * 32).decode()


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Bank:
    """A sender, whose signature is made by the official package."""

    counter: Counter
    realm: str
    name: str
    secret: str
    sent: list[str] = field(default_factory=list)

    def sign(self, body: bytes, message: str, at: datetime, secret: str = "") -> dict[str, str]:
        signature = Webhook(secret or self.secret).sign(message, at, body.decode())
        return {
            "content-type": "application/json",
            "webhook-id": message,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }

    async def post(self, body: bytes, headers: dict[str, str], name: str = "") -> httpx.Response:
        raw = {key.encode(): value.encode("latin-1") for key, value in headers.items()}
        async with self.counter.stranger() as line:
            line.headers["Accept-Language"] = "en"
            return await line.post(f"/v1/callbacks/{name or self.name}", content=body, headers=raw)

    async def say(self, kind: str, message: str = "", **data: Any) -> httpx.Response:
        """Report it, signed now."""
        body = write(kind, realm=self.realm, **data)
        return await self.post(body, self.sign(body, message or f"msg_{uuid4().hex}", _now()))

    async def tranche(self) -> tuple[TrancheStatus, str, int]:
        """How T1 stands, the digest of its approval, and what was paid of the project."""
        store = self.counter.house.store
        stream = await resolve_name(store, "PJ-3", self.realm)
        state = await load_state(store, stream)
        one = state.part(Tranches).of["T1"]
        return one.status, one.bound, state.part(Money).paid


def write(kind: str, **data: Any) -> bytes:
    content = {"type": kind, "timestamp": "2023-06-02T09:00:00+08:00", "data": data}
    return json.dumps(content, ensure_ascii=False).encode()


async def open_bank(
    counter: Counter, plan: Plan, *seats: str, secret: str | None = None, scope: Scope | None = None
) -> Bank:
    assert not (await play(plan, open_paper_door(counter.house.store), counter.house.store)).deviations
    name = f"bank-{secrets.token_hex(4)}"
    grants = tuple(SeatGrant(seat=Actor(seat), scope=scope) for seat in seats)
    shared = await counter.house.senders.add(name, grants, made_by="seat:ADMIN#1", now=_now(), secret=secret)
    return Bank(counter, plan.realm, name, shared)


def _fresh(until: datetime) -> Plan:
    return story(until, f"cb-{uuid4().hex[:8]}")


async def test_a_payment_is_recorded_once_and_comes_back_once_however_often_the_bank_says_so(counter: Counter) -> None:
    bank = await open_bank(counter, _fresh(APPROVED), "FISCAL#1")
    _, bound, _ = await bank.tranche()
    settled = {"subject": "PJ-3/T1", "amount": PAID_FEN, "bound": bound, "reference": "TR-1"}
    first = await bank.say("payment.settled", "msg_1", **settled)
    again = await bank.say("payment.settled", "msg_1", **settled)
    assert [(one.status_code, one.json()["events"]) for one in (first, again)] == [(201, ["DisbursementPaid"])] * 2
    assert first.json() == again.json()
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert (await bank.tranche())[::2] == (TrancheStatus.PAID, PAID_FEN)

    changed = await bank.say("payment.settled", "msg_1", **{**settled, "amount": 1})
    anew = await bank.say("payment.settled", "msg_2", **settled)
    assert changed.status_code == 422, "another message under an id that was used"
    assert (anew.status_code, {one["rule"] for one in anew.json()["unmet"]}) == (409, {"M2"})

    returned = {"subject": "PJ-3/T1", "bound": bound, "reason": "賬號有誤"}
    back = [await bank.say("payment.returned", "msg_3", **returned) for _ in range(2)]
    assert [one.json()["events"] for one in back] == [["DisbursementFailed"]] * 2
    assert (await bank.tranche())[::2] == (TrancheStatus.FAILED, 0)
    late = await bank.say("payment.settled", "msg_4", **settled)
    assert late.status_code == 409, "what was returned is not paid by a late word"
    assert (await bank.tranche())[::2] == (TrancheStatus.FAILED, 0)


@pytest.mark.full
async def test_a_word_of_an_earlier_request_changes_nothing_of_the_present_one(counter: Counter) -> None:
    bank = await open_bank(counter, _fresh(APPROVED), "FISCAL#1")
    _, first, _ = await bank.tranche()
    returned = {"subject": "PJ-3/T1", "bound": first, "reason": "賬號有誤"}
    before = await bank.say("payment.returned", **returned)
    assert before.json()["events"] == ["DisbursementFailed"], "returned before it was ever said to be paid"
    door = open_paper_door(counter.house.store)
    moved = replace(_fresh(APPROVED), realm=bank.realm)
    for name, seat in (("Request", "CAB-REG#1"), ("Check", "CAB-FIN#1"), ("Approve", "CAB-DEC#1")):
        await _ask(counter, door, moved.realm, f"{name}Disbursement", seat)
    status, second, _ = await bank.tranche()
    assert (status, second == first) == (TrancheStatus.APPROVED, False)
    answers = [
        await bank.say("payment.settled", subject="PJ-3/T1", amount=PAID_FEN, bound=first, reference="TR-1"),
        await bank.say("payment.returned", **returned),
    ]
    assert [{one["rule"] for one in answer.json()["unmet"]} for answer in answers] == [{"SD3"}, {"SD3"}]
    assert (await bank.tranche())[0] is TrancheStatus.APPROVED
    paid = await bank.say("payment.settled", subject="PJ-3/T1", amount=PAID_FEN, bound=second, reference="TR-2")
    assert paid.status_code == 201


async def _ask(counter: Counter, door: Any, realm: str, command: str, seat: str) -> None:
    stream = await resolve_name(counter.house.store, "PJ-3", realm)
    at = datetime(2023, 6, 2, 1, tzinfo=UTC)
    await door.send(stream, command_class(command).model_validate({"tranche": "T1"}), Actor(seat), at=at)


FORGERIES = (
    "another secret",
    "another body",
    "another id",
    "too old",
    "too early",
    "no signature",
    "no id",
    "an id with a line feed",
    "no number",
    "an asymmetric mark",
    "not base64",
    "another sender",
    "a sender of no name",
    "unknown sender",
)


async def test_what_is_not_signed_by_the_sender_just_now_is_not_even_read(counter: Counter) -> None:
    bank = await open_bank(counter, _fresh(APPROVED), "FISCAL#1")
    other = f"other-{secrets.token_hex(4)}"
    seats = (SeatGrant(seat=Actor("FISCAL#1")),)
    await counter.house.senders.add(other, seats, made_by="seat:ADMIN#1", now=_now())
    _, bound, _ = await bank.tranche()
    settled = {"subject": "PJ-3/T1", "amount": PAID_FEN, "bound": bound, "reference": "TR-1", "realm": bank.realm}
    body = write("payment.settled", **settled)
    for forgery in FORGERIES:
        headers, name, sent = bank.sign(body, "msg_f", _now()), bank.name, body
        match forgery:
            case "another secret":
                headers = bank.sign(body, "msg_f", _now(), SHARED)
            case "another body":
                sent = body.replace(b"3500000", b"3500001")
            case "another id":
                headers["webhook-id"] = "msg_g"
            case "too old":
                headers = bank.sign(body, "msg_f", _now() - TOLERANCE - timedelta(seconds=5))
            case "too early":
                headers = bank.sign(body, "msg_f", _now() + TOLERANCE + timedelta(seconds=5))
            case "no signature":
                del headers["webhook-signature"]
            case "no id":
                del headers["webhook-id"]
            case "an id with a line feed":
                headers["webhook-id"] = "msg f"
            case "no number":
                headers["webhook-timestamp"] = "now"
            case "an asymmetric mark":
                headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v1a,")
            case "not base64":
                headers["webhook-signature"] = "v1,%%% v1,é".encode().decode("latin-1")
            case "another sender":
                name = other
            case "a sender of no name":
                name = "Bank%20'; --"
            case _:
                assert forgery == "unknown sender"
                name = "nobody"
        answer = await bank.post(sent, headers, name)
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:venture:problem:unauthenticated"), forgery
    for seat in ("CAB-FIN#1", "CAB-DEC#1", "SO-LEGAL#1"):  # genuine, but no business of that seat's
        honest = replace(bank, name=f"bank-{secrets.token_hex(4)}", secret=SHARED)
        grants = (SeatGrant(seat=Actor(seat)),)
        await counter.house.senders.add(honest.name, grants, made_by="seat:ADMIN#1", now=_now(), secret=SHARED)
        answer = await honest.post(body, honest.sign(body, "msg_h", _now()))
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:venture:problem:invalid"), seat
    assert (await bank.tranche())[0] is TrancheStatus.APPROVED
    assert await counter.house.senders.list_received(bank.name, 10) == []


async def test_what_cannot_be_read_is_told_where_and_nothing_is_kept(counter: Counter) -> None:
    bank = Bank(counter, "live", f"bank-{secrets.token_hex(4)}", SHARED)
    grants = (SeatGrant(seat=Actor("FISCAL#1")),)
    await counter.house.senders.add(bank.name, grants, made_by="seat:ADMIN#1", now=_now(), secret=SHARED)
    good: dict[str, Any] = {"subject": "PJ-404/T1", "amount": 1, "bound": "0" * 64, "reference": "TR-1"}
    for change, status in (
        ({"amount": 1.5}, 422),
        ({"amount": 0}, 422),
        ({"amount": "1_8"}, 422),
        ({"amount": True}, 422),
        ({"bound": "x"}, 422),
        ({"more": 1}, 422),
        ({"reference": ""}, 422),
        ({}, 404),
    ):
        answer = await bank.say("payment.settled", **{**good, **change})
        assert answer.status_code == status, (change, answer.text)
    for body in (b"", b"[]", b'{"type":"payment.other","timestamp":"2023-06-02T09:00:00Z","data":{}}', b"\xff"):
        headers = {**bank.sign(b"", "msg_x", _now()), "webhook-signature": _sign(body, "msg_x")}
        assert (await bank.post(body, headers)).status_code == 422, body
    assert await counter.house.senders.list_received(bank.name, 10) == []


@pytest.mark.parametrize("kind", CallbackMessage.model_json_schema()["discriminator"]["mapping"])
@pytest.mark.parametrize("at", [1830000000, 1830000000.5, "1830000000", "2023-06-02", "2023-06-02T09:00:00", True, ""])
def test_a_bare_number_a_day_or_a_time_without_its_offset_is_no_timestamp(kind: str, at: object) -> None:
    with pytest.raises(ValidationError) as refusal:
        CallbackMessage.model_validate({"type": kind, "timestamp": at, "data": {}})
    (fault,) = (error for error in refusal.value.errors() if error["loc"][-1] == "timestamp")
    assert fault["type"] == "value_error"


async def test_a_fault_is_told_where_it_stands_in_what_was_sent(counter: Counter) -> None:
    bank = Bank(counter, "live", f"bank-{secrets.token_hex(4)}", SHARED)
    grants = (SeatGrant(seat=Actor("FISCAL#1")),)
    await counter.house.senders.add(bank.name, grants, made_by="seat:ADMIN#1", now=_now(), secret=SHARED)
    short = await bank.say("payment.settled", subject="PJ-404/T1", amount=0, bound="0" * 64)
    assert [one["pointer"] for one in short.json()["errors"]] == ["/data/amount", "/data/reference"]
    (other,) = (await bank.say("payment.other")).json()["errors"]
    assert other["pointer"] == "/type"
    assert "payment.settled, payment.returned" in other["detail"]
    unsaid = b'{"data":{}}'
    (kind,) = (await bank.post(unsaid, bank.sign(unsaid, "msg_y", _now()))).json()["errors"]
    assert (kind["pointer"], kind["detail"]) == ("/type", "is required")


def _sign(body: bytes, message: str) -> str:
    """As the package does, for bytes that are no text."""
    content = f"{message}.{int(_now().timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(b"s" * 32, content, "sha256")).decode()


async def test_a_contract_is_signed_by_word_of_the_signature_service_and_a_refusal_is_kept_for_the_office(
    counter: Counter,
) -> None:
    whole = _fresh(datetime(2023, 5, 27, tzinfo=UTC))
    contract = next(o for o in whole.orders if o.command.command_type == "SignContract")
    private = Ed25519PrivateKey.generate()
    public = "whpk_" + base64.b64encode(private.public_key().public_bytes_raw()).decode()
    plan = replace(whole, orders=tuple(o for o in whole.orders if o.at < AWARDED))
    desk = await open_bank(counter, plan, "CAB-REG#1", secret=public)

    async def say(kind: str, message: str, **data: Any) -> httpx.Response:
        body, at = write(kind, realm=plan.realm, **data), str(int(_now().timestamp()))
        signature = base64.b64encode(private.sign(f"{message}.{at}.".encode() + body)).decode()
        headers = {
            "content-type": "application/json",
            "webhook-id": message,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,AAAA v1a,{signature}",
        }
        return await desk.post(body, headers)

    refused = [await say("signature.refused", "msg_r", subject="PJ-3", reason="法定代表人出差") for _ in range(2)]
    assert [one.status_code for one in refused] == [200, 200]
    foreign = await say("signature.refused", "msg_f", subject="PJ-999", reason="不明")
    assert foreign.status_code == 404
    agreement = json.loads(contract.command.model_dump_json(exclude_none=True))
    unsigned = await say("contract.signed", "msg_u", subject="PJ-3", agreement={**agreement, "signatures": {}})
    assert unsigned.status_code == 409
    signed = await say("contract.signed", "msg_s", subject="PJ-3", agreement=agreement)
    assert (signed.status_code, signed.json()["events"]) == (201, ["ContractSigned"]), signed.text
    received = await counter.house.senders.list_received(desk.name, 10)
    assert [(one.message, one.reason) for one in received if one.type == "signature.refused"] == [
        ("msg_r", "法定代表人出差")
    ]
    outcome = signed.headers["Location"].rpartition("/")[2]
    assert UUID(outcome) in {one.command_id for one in received}


async def test_a_secret_is_rotated_without_a_gap_and_a_withdrawn_sender_says_nothing_more(counter: Counter) -> None:
    bank = Bank(counter, "live", f"bank-{secrets.token_hex(4)}", SHARED)
    senders, before = counter.house.senders, SHARED
    grants = (SeatGrant(seat=Actor("FISCAL#1")),)
    await senders.add(bank.name, grants, made_by="seat:ADMIN#1", now=_now(), secret=before)
    after = await senders.rotate(bank.name, now=_now())
    unknown: dict[str, Any] = {"subject": "PJ-404/T1", "amount": 1, "bound": "0" * 64, "reference": "TR-1"}
    for secret in (before, after):
        bank.secret = secret
        assert (await bank.say("payment.settled", **unknown)).status_code == 404
    await senders.rotate(bank.name, now=_now() - timedelta(days=2))
    assert (await bank.say("payment.settled", **unknown)).status_code == 401, "a day later the one before is over"
    bank.secret = await senders.rotate(bank.name, now=_now())
    assert (await bank.say("payment.settled", **unknown)).status_code == 404
    await senders.withdraw(bank.name, now=_now())
    assert (await bank.say("payment.settled", **unknown)).status_code == 401


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", f"whpk_{base64.b64encode(b'k' * 31).decode()}", "whsec_%%%", "sk_1"]
)
def test_what_is_no_secret_of_the_standard_is_not_taken_for_one(secret: str) -> None:
    with pytest.raises(ValueError, match=r"whsec_|bytes|base64|padding|character"):
        read_secret(secret)


def test_only_so_many_signatures_are_looked_at() -> None:
    good = Webhook(SHARED).sign("m", _now(), "{}")
    at = str(int(_now().timestamp()))
    assert is_signed_by(SHARED, f"m.{at}.{{}}".encode(), f"v1,AAAA {good}")
    assert not is_signed_by(SHARED, f"m.{at}.{{}}".encode(), "v1,AAAA " * 8 + good)
