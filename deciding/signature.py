"""Whether a door let it in, unchanged, and might: signatures made, and judged by the keys that the log has published.

No secret is needed to judge. What is signed is ``domain.kernel.signature``, whose keys are ``domain.registers.door_key``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import ValidationError

from domain.kernel.canonical import canonical
from domain.kernel.identity import Role
from domain.kernel.refusal import Unmet
from domain.kernel.signature import KeyId, command_bytes
from domain.registers.door_key import DoorKeyRecord, PublishDoorKey, key_stream

if TYPE_CHECKING:
    from datetime import datetime

    from deciding.journal import Journal
    from domain.kernel.envelope import CarryOut, Envelope
    from domain.kernel.identity import Actor, StreamId
    from store.port import Entry

_SEED = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


class KeyMalformed(ValueError):
    """What is given as a private key is none."""


@dataclass(frozen=True)
class DoorKey:
    """A door's private key. Only doors have one."""

    _private: Ed25519PrivateKey = field(repr=False)
    id: KeyId
    public: str
    """Its public half, in hex."""

    @classmethod
    def read(cls, text: str) -> Self:
        """The key in that text: 64 hex digits, or PEM (PKCS 8) without a password. Raises KeyMalformed."""
        text = text.strip()
        if _SEED.fullmatch(text):
            return cls._of(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text)))
        try:
            private = load_pem_private_key(text.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):  # its words may hold a part of the key
            private = None
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyMalformed
        return cls._of(private)

    @classmethod
    def _of(cls, private: Ed25519PrivateKey) -> Self:
        public = private.public_key().public_bytes_raw()
        return cls(private, KeyId.of(public), public.hex())

    def sign(self, content: bytes) -> bytes:
        """The 64 bytes of its signature over these."""
        return self._private.sign(content)


def is_genuine(public: str, signature: str, content: bytes) -> bool:
    """Whether whoever has the private half of that public key signed just this."""
    if not _SIGNATURE.fullmatch(signature):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


UNKNOWN: Final = "SG01"
FORGED: Final = "SG02"
DATED: Final = "SG03"
WITHDRAWN: Final = "SG04"
FOREIGN_SEAT: Final = "SG05"
MISSING: Final = "SG06"


@dataclass(frozen=True)
class SignedAct:
    """What stands under a signature, as it arrived or as the log keeps it."""

    key: str
    signature: str
    content: bytes | None
    """The bytes that are signed; None if it has none that a door would sign."""
    seat: Actor | None
    """For whom the door speaks; None where it moves a manual clock."""
    received_at: datetime
    own: str = ""
    """The public key that the command itself brings to a log without any; empty for every other command."""

    @classmethod
    def of_envelope(cls, envelope: Envelope) -> SignedAct:
        """A command on its way in."""
        try:
            content = envelope.signed_bytes()
        except (ValueError, RecursionError):  # no door signs what has no canonical form
            content = None
        own = _find_own(envelope.command, canonical(envelope.body) if content else b"", envelope.actor)
        return cls(envelope.key, envelope.signature, content, envelope.actor, envelope.received_at, own)

    @classmethod
    def of_clock(cls, request: CarryOut) -> SignedAct:
        """A door's word that a manual clock has come so far."""
        return cls(request.key, request.signature, request.signed_bytes(), None, request.now)

    @classmethod
    def of_entry(cls, entry: Entry, journal: Journal) -> SignedAct:
        """A command as the log keeps it; everything that was signed is rebuilt from the entry."""
        received_at = journal.received_at or entry.occurred_at
        try:
            content = command_bytes(
                key=journal.key or "",
                command_id=entry.command_id,
                subject=entry.stream,
                command=entry.type,
                particulars=entry.data,
                seat=journal.actor,
                person=journal.person,
                session=journal.session,
                received_at=received_at,
                derived=bool(journal.derived),
            )
        except ValueError:
            content = None
        own = _find_own(entry.type, entry.data, journal.actor)
        return cls(journal.key or "", journal.signature or "", content, journal.actor, received_at, own)

    @property
    def key_stream(self) -> StreamId | None:
        """The stream of the key that it is signed by; None if that is no key's id."""
        try:
            return key_stream(self.key)
        except ValueError:
            return None

    def find_fault(
        self, key: DoorKeyRecord, taken_at: datetime, *, is_dated: bool, lag: timedelta = timedelta(0)
    ) -> Unmet | None:
        """Why it does not count, by the key as the log had it when it was taken in, at that instant; None if it does.

        On the wall clock the key must have counted when the door took it in, too; a manual clock's dates (``is_dated``)
        say nothing of when that was. ``lag`` is how much earlier than that instant it may have been judged.
        """
        if not self.signature or not self.key:
            return _unmet(MISSING, self.key)
        public = key.public or self.own
        if not public or self.key != KeyId.of(bytes.fromhex(public)):
            return _unmet(UNKNOWN, self.key)
        if self.content is None or not is_genuine(public, self.signature, self.content):
            return _unmet(FORGED, self.key)
        if not key.public:
            return None  # it publishes itself: whether the log has no key yet, its rules say
        if key.withdrawn_at is not None:
            return _unmet(WITHDRAWN, self.key)
        if self.seat is not None and not key.speaks(self.seat):
            return _unmet(FOREIGN_SEAT, self.key, self.seat)
        if not (key.has_begun(taken_at) and not key.has_ended(taken_at - lag)):
            return _unmet(DATED, self.key)
        if not is_dated and not (key.has_begun(self.received_at) and not key.has_ended(self.received_at)):
            return _unmet(DATED, self.key)
        return None


def _find_own(command: str, data: bytes, seat: Actor) -> str:
    """The public key that this command publishes by its own signature, as a log's first is; empty for any other."""
    if command != PublishDoorKey.__name__ or seat.role is not Role.SYS:
        return ""
    try:
        return PublishDoorKey.model_validate_json(data).public
    except ValidationError:
        return ""


def _unmet(rule: str, key: str, seat: Actor | None = None) -> Unmet:
    zh, en = _WORDS[rule]
    about = {"key": key[:40] or "—", "seat": seat or ""}
    return Unmet(rule=rule, zh=zh.format_map(about), en=en.format_map(about))


_WORDS: Final = {
    UNKNOWN: (
        "日誌不認得密鑰 {key}：由兩名系統管理員公布（venture key publish），或改用已公布的密鑰",
        "the log does not know the key {key}: have two administrators publish it (venture key publish), or use one that is",
    ),
    FORGED: (
        "簽名與內容不符：途中被改動，或不是密鑰 {key} 所簽；請由入口以同一編號再問",
        "the signature does not fit: it was changed on the way, or not signed by {key}; ask again, at the door, by that id",
    ),
    DATED: (
        "密鑰 {key} 此時不在有效期內：更換（venture key rotate）後再問，並核對入口的時鐘",
        "the key {key} is not valid at that time: rotate it (venture key rotate), see to the door's clock, and ask again",
    ),
    WITHDRAWN: (
        "密鑰 {key} 已撤回：入口須換用另一把已公布的密鑰",
        "the key {key} was withdrawn: give the door another one that is published",
    ),
    FOREIGN_SEAT: (
        "密鑰 {key} 不得為 {seat} 代言：由該崗位自己的入口辦理，或公布一把可代言的密鑰",
        "the key {key} may not speak for {seat}: ask at that seat's own door, or publish a key that may",
    ),
    MISSING: (
        "沒有入口的簽名：請由入口提出（venture do）",
        "there is no door's signature: ask at a door (venture do)",
    ),
}
