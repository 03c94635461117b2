"""Senders on the command line: registered, listed, given another secret and withdrawn; and what the door then does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from standardwebhooks import Webhook

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.installation import Installation

ADMIN = ("--as", "ADMIN#1")


def done(venture: Installation, *words: str) -> Any:
    answer = venture.ask("sender", *words, *ADMIN, "-o", "json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def row(venture: Installation, name: str) -> dict[str, Any]:
    (sender,) = [one for one in done(venture, "list") if one["name"] == name]
    return dict(sender)


def is_taken_in(venture: Installation, name: str, secret: str) -> bool:
    """Whether the door reads what is signed so; of a project that there is not, so that nothing is done."""
    now, message = datetime.now(UTC), f"msg_{uuid4().hex}"
    data = {"subject": "PJ-404/T1", "amount": 1, "bound": "0" * 64, "reference": "TR-1"}
    body = json.dumps({"type": "payment.settled", "timestamp": now.isoformat(), "data": data})
    headers = {
        "content-type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, now, body),
    }
    answer = httpx.post(f"{venture.address}/v1/callbacks/{name}", content=body, headers=headers)
    assert answer.status_code in {401, 404}, answer.text
    return answer.status_code == 404


@pytest.mark.full
def test_a_sender_reports_by_its_secret_then_by_either_for_a_day_then_not_at_all(venture: Installation) -> None:
    name = f"bank-{uuid4().hex[:8]}"
    added = done(venture, "add", name, "--seat", "FISCAL#1", "--seat", "CAB-FIN#1")
    assert added["path"] == f"/v1/callbacks/{name}"
    assert row(venture, name) | {"made": ""} == {
        "name": name,
        "seats": "FISCAL#1 CAB-FIN#1",
        "made": "",
        "withdrawn": "",
    }, "the secret is shown once, and never here"
    fresh = done(venture, "rotate", name)["secret"]
    assert fresh != added["secret"]
    assert [is_taken_in(venture, name, secret) for secret in (added["secret"], fresh)] == [True, True]

    withdrawn = venture.ask("sender", "withdraw", name, *ADMIN)
    assert withdrawn.exit_code == 0, withdrawn.output
    assert row(venture, name)["withdrawn"], "it stays in the list"
    assert [is_taken_in(venture, name, secret) for secret in (added["secret"], fresh)] == [False, False]
    for again in ("withdraw", "rotate"):
        assert venture.ask("sender", again, name, *ADMIN).exit_code == 3, again


def test_a_secret_that_was_agreed_on_is_taken_from_its_file_and_not_said_again(
    venture: Installation, tmp_path: Path
) -> None:
    name, agreed = f"esign-{uuid4().hex[:8]}", "whsec_" + "QUJD" * 11
    file = tmp_path / "secret"
    file.write_text(f"{agreed}\n", "ascii")
    for verb, *more in (("add", "--seat", "CAB-REG#1"), ("rotate",)):
        answer = venture.ask("sender", verb, name, *more, "--secret-file", str(file), *ADMIN)
        assert answer.exit_code == 0, answer.output
        assert agreed not in answer.output
    assert is_taken_in(venture, name, agreed)


@pytest.mark.parametrize(
    "content", [None, b"", b"whsec_short", b"\xff\xfe"], ids=["no file", "empty", "short", "bytes"]
)
def test_a_secret_that_is_none_is_refused_before_anything_is_kept(
    venture: Installation, tmp_path: Path, content: bytes | None
) -> None:
    name, file = f"bank-{uuid4().hex[:8]}", tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    words = ("sender", "add", name, "--seat", "FISCAL#1", "--secret-file", str(file), *ADMIN)
    assert venture.ask(*words).exit_code == 2
    assert name not in {one["name"] for one in done(venture, "list")}


@pytest.mark.parametrize(
    ("words", "code", "en"),
    [
        (("list", "--as", "CAB-REG#1"), 2, "no administrator"),
        (("rotate", "bank-none", "--as", "CAB-REG#1"), 2, "no administrator"),
        (("withdraw", "bank-none", "--as", "CAB-REG#1"), 2, "no administrator"),
        (("rotate", "bank-none", *ADMIN), 3, "no such sender"),
        (("withdraw", "bank-none", *ADMIN), 3, "no such sender"),
        (("withdraw", "../bank", *ADMIN), 3, "no such sender"),
        (("add", "Bank", "--seat", "FISCAL#1", *ADMIN), 2, "small letters"),
        (("add", "bank-sys", "--seat", "SYS#1", *ADMIN), 2, "none of them SYS"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else None,
)
def test_what_cannot_be_is_said_with_its_exit_code(
    venture: Installation, words: tuple[str, ...], code: int, en: str
) -> None:
    answer = venture.ask("sender", *words, "--lang", "en")
    assert answer.exit_code == code, answer.output
    assert en in answer.stderr


def test_the_sandbox_is_for_this_machine_never_for_production(venture: Installation) -> None:
    of_an_office = {
        "VENTURE_ENV": "production",
        "VENTURE_POSTGRES_URL": "postgresql://venture@127.0.0.1:1/venture",
        "VENTURE_TEMPORAL_ADDRESS": "127.0.0.1:1",
        "VENTURE_PAYLOAD_KEYS": f"k1:{'5' * 64}",
    }
    answer = venture.ask("sandbox", "bank", "--lang", "en", **of_an_office)
    assert (answer.exit_code, "never for production" in answer.stderr) == (2, True), answer.output
    assert venture.ask("sandbox", "treasury").exit_code == 2
    assert venture.ask("sandbox", "bank", "--port", "80").exit_code == 2
