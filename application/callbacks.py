"""What bank and e-signature report: who may send it, and whether it is theirs. What it asks is a command like any.

A sender has a secret shared with us, or its public key is registered; either is kept sealed, as an endpoint's is.
"""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from application.caller import Caller, ScopeName
from application.webhook_signature import is_signed_by, read_secret
from application.webhooks import OVERLAP
from domain.kernel.explanation import show
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import Role
from store.identity import Callback, Sender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from application.secret_box import SecretBox
    from domain.kernel.acting import PersonId
    from store.identity import IdentityStore, Seats

TOLERANCE: Final = timedelta(minutes=5)
"""How far a sender's clock may be from ours; a message that is older is signed anew and sent again."""
_ID: Final = re.compile(r"[!-~]{1,200}")
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,31}")
_SECRET_BYTES: Final = 32


class SenderInvalid(Failure):
    """A sender cannot be registered as it was asked for."""

    kind = FailureKind.USAGE


class NoSuchSender(Failure):
    """There is no sender of that name, or it is withdrawn."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, name: str) -> None:
        super().__init__(f"沒有這個發送方：{show(name)}", f"no such sender: {show(name)}")


class MessageForged(Failure):
    """A message is not its sender's, or not of this moment: nothing of it was looked at."""

    kind = FailureKind.REFUSED

    def __init__(self, zh: str, en: str) -> None:
        """Say why, but not whether there is such a sender."""
        super().__init__(zh, en)


class MessageChanged(Failure):
    """Another message came under an id that was used before."""

    kind = FailureKind.USAGE

    def __init__(self, message: str) -> None:
        super().__init__(
            f"webhook-id {show(message)} 已用於內容不同的通知",
            f"the webhook-id {show(message)} was used for a message that says something else",
        )


@dataclass(frozen=True)
class SignedMessage:
    """A message as it came: its three headers and its bytes."""

    id: str
    sent_at: str
    signatures: str
    body: bytes

    @property
    def content(self) -> bytes:
        """The bytes that its signature is over: id, instant and body, joined by dots."""
        return f"{self.id}.{self.sent_at}.".encode() + self.body


@dataclass(frozen=True)
class Senders:
    """Those who may report to an installation."""

    store: IdentityStore
    box: SecretBox

    async def add(
        self,
        name: str,
        seats: Seats,
        *,
        made_by: str,
        now: datetime,
        secret: str | None = None,
        person: PersonId | None = None,
    ) -> str:
        """Take messages of that sender in, for those seats: the secret by which it signs, or its public key.

        ``secret`` is what was agreed on elsewhere, ``whsec_…`` or ``whpk_…``; left out, one is made.
        Raises SenderInvalid.
        """
        if _NAME.fullmatch(name) is None:
            raise SenderInvalid(
                "發送方名稱須為小寫英文字母、數字、連字號，2 至 32 字，如 bank",
                "a sender's name is 2 to 32 small letters, digits and hyphens, e.g. bank",
            )
        if not seats or any(grant.seat.role is Role.SYS for grant in seats):
            raise SenderInvalid("須寫明代表何崗位，且不可為 SYS", "name the seats that it speaks for, none of them SYS")
        sender_id, fresh = uuid4(), _take_secret(secret)
        sealed = self.box.seal(fresh.encode(), sender_id.bytes)
        sender = Sender(name, sender_id, seats, person, sealed, None, None, made_by, now, None)
        if not await self.store.add_sender(sender):
            raise SenderInvalid(f"已有發送方 {name}", f"there is a sender {name} already")
        return fresh

    async def rotate(self, name: str, *, now: datetime, secret: str | None = None) -> str:
        """Take another secret; the one before counts too for a day. Raises NoSuchSender or SenderInvalid."""
        sender, fresh = await self.find(name), _take_secret(secret)
        sealed = self.box.seal(fresh.encode(), sender.id.bytes)
        if not await self.store.rotate_sender(name, sealed, now + OVERLAP):
            raise NoSuchSender(name)
        return fresh

    async def withdraw(self, name: str, *, now: datetime) -> None:
        """Take nothing more of it in. Raises NoSuchSender."""
        if not await self.store.withdraw_sender(name, now):
            raise NoSuchSender(name)

    async def find(self, name: str) -> Sender:
        """That one, withdrawn or not. Raises NoSuchSender."""
        sender = await self.store.sender(name) if _NAME.fullmatch(name) else None
        if sender is None:
            raise NoSuchSender(name)
        return sender

    async def list_received(self, name: str, limit: int) -> Sequence[Callback]:
        """What came from it, the newest first. Raises NoSuchSender."""
        return await self.store.callbacks((await self.find(name)).id, limit)

    async def verify(self, name: str, message: SignedMessage, now: datetime) -> Sender:
        """The sender that signed that message, just now. Raises MessageForged."""
        if _ID.fullmatch(message.id) is None or _SECONDS.fullmatch(message.sent_at) is None:
            raise MessageForged(
                "缺少 Standard Webhooks 的標頭，或寫得不對",
                "a header of Standard Webhooks is missing, or not written as it says",
            )
        sender = await self.store.sender(name) if _NAME.fullmatch(name) else None
        if (
            sender is None
            or sender.withdrawn_at is not None
            or not any(is_signed_by(one, message.content, message.signatures) for one in self._open(sender, now))
        ):
            raise MessageForged("簽名不是此發送方的", "it is not signed by that sender")
        if abs(now - datetime.fromtimestamp(int(message.sent_at), UTC)) > TOLERANCE:
            raise MessageForged("簽名的時間過早或過晚：請重新簽名再送", "it was not signed just now: sign it anew")
        return sender

    async def keep(self, callback: Callback) -> Callback:
        """That message with the id of its command, the same however often it comes. Raises MessageChanged."""
        kept = await self.store.keep_callback(callback)
        if kept.body != callback.body:
            raise MessageChanged(callback.message)
        return kept

    def _open(self, sender: Sender, now: datetime) -> Sequence[str]:
        """What it may sign with now. Raises SealUnknown."""
        sealed = [sender.secret]
        if sender.previous is not None and sender.previous_until is not None and now < sender.previous_until:
            sealed.append(sender.previous)
        return [self.box.open(one, sender.id.bytes).decode() for one in sealed]


def speak_for(sender: Sender) -> Caller:
    """The sender as one who asks: a service on its seats, which may give commands and nothing else."""
    return Caller(
        person=sender.person,
        service=sender.name,
        grants=sender.seats,
        scopes=frozenset({ScopeName.COMMANDS}),
        session=f"sender.{sender.id}",
    )


def digest_body(body: bytes) -> bytes:
    """By which two bodies are known to be the same."""
    return sha256(body).digest()


def _take_secret(secret: str | None) -> str:
    if secret is None:
        return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    try:
        read_secret(secret)
    except ValueError as wrong:
        raise SenderInvalid(
            "密鑰須為 whsec_（共用密鑰，24 至 64 字節）或 whpk_（公鑰，32 字節）加 base64",
            "the secret is whsec_ (shared, 24 to 64 bytes) or whpk_ (a public key, 32 bytes) and base64",
        ) from wrong
    return secret
