"""What a command that comes in rests on: a door's signature by a key that the log published, or a schedule in the log.

No secret is needed to judge it, today or years later: the log says which keys counted when it took the command in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from deciding.annual_opening import find_programme, is_scheduled
from deciding.fold import fold
from deciding.signature import is_genuine
from domain.kernel.clock import Clock
from domain.kernel.identifier import Role
from domain.kernel.refusal import Unmet
from domain.kernel.signature import KeyId, command_bytes
from domain.registers.door_key import AppointDoorKey, DoorKeyRecord, key_stream

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from deciding.journal import Journal
    from domain.kernel.acting import PersonId
    from domain.kernel.envelope import CarryOut, Envelope
    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.state import State
    from store.port import Entry, EventStore

UNKNOWN: Final = "SG01"
FORGED: Final = "SG02"
DATED: Final = "SG03"
WITHDRAWN: Final = "SG04"
FOREIGN_SEAT: Final = "SG05"
MISSING: Final = "SG06"


@dataclass(frozen=True)
class Warrant:
    """What stands under a signature, as it arrived or as the log keeps it."""

    key: str
    signature: str
    content: bytes | None
    """The bytes that are signed; None if it has none that a door would sign."""
    seat: Actor | None
    """For whom the door speaks; None where it moves a manual clock."""
    received_at: datetime
    realm: str
    """In which it is asked."""
    stream: StreamId | None
    """The stream by which it is judged: the key's, or without a signature the programme's. None if there is neither."""
    own: str = ""
    """The public key that the command itself brings to a log without any; empty for every other command."""
    opening: tuple[StreamId, Mapping[str, Any]] | None = None
    """The round and the particulars of an annual opening, which no door signs."""
    person: PersonId | None = None
    """In whose name that is opened."""

    @classmethod
    def of(cls, request: CarryOut) -> Warrant | None:
        """That of a request; None where a workflow asks by itself, which changes nothing but what is due."""
        if request.envelope is not None:
            return cls.of_envelope(request.envelope)
        if request.alarm:
            return None
        content, stream = request.signed_bytes(), _find_key_stream(request.key)
        return cls(request.key, request.signature, content, None, request.now, request.stream.realm, stream)

    @classmethod
    def of_envelope(cls, envelope: Envelope) -> Warrant:
        """The warrant of a command on its way in."""
        actor, key, signature = envelope.actor, envelope.key, envelope.signature
        received_at, realm = envelope.received_at, envelope.subject.realm
        try:
            content = envelope.signed_bytes()
        except (ValueError, RecursionError):  # no door signs what has no canonical form
            return cls(key, signature, None, actor, received_at, realm, _find_key_stream(key))
        if envelope.derived and not signature:
            programme = find_programme(envelope.subject, envelope.command, envelope.body, envelope.command_id)
            opening, person = (envelope.subject, envelope.body), envelope.person
            judged = (key, signature, content, actor, received_at, realm, programme)
            return cls(*judged, opening=opening, person=person)
        is_appointment = envelope.command == AppointDoorKey.command_type
        own = _find_own(envelope.command, envelope.particulars, actor) if is_appointment else ""
        return cls(key, signature, content, actor, received_at, realm, _find_key_stream(key), own)

    @classmethod
    def of_entry(cls, entry: Entry, journal: Journal, genesis: bytes) -> Warrant:
        """That of a command as the log keeps it; everything that was signed is rebuilt from the entry.

        ``genesis`` is the chain hash of the log's first entry, by which a door names the log.
        """
        key, signature = journal.key or "", journal.signature or ""
        received_at, realm = journal.received_at or entry.occurred_at, entry.stream.realm
        if journal.derived and not signature:
            body = _read_object(entry.data)
            programme = find_programme(entry.stream, entry.type, body, entry.command_id)
            opening, person = (entry.stream, body), journal.person
            return cls(
                *(key, signature, None, journal.actor, received_at, realm, programme), opening=opening, person=person
            )
        try:
            content = command_bytes(
                key=key,
                log=genesis.hex() if journal.log is None else journal.log,
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
        return cls(key, signature, content, journal.actor, received_at, realm, _find_key_stream(key), own)

    def is_hopeless(self, remembered: State) -> bool:
        """Whether no later state of that stream can bear it out: what was published of a key never changes."""
        if not self.signature:
            return self.opening is None
        key = remembered.part(DoorKeyRecord)
        public = key.public or self.own
        if not public or not self._is_by(public):
            return True
        may_speak = not key.public or self.seat is None or bool(self.own) or key.may_speak(self.seat, self.realm)
        return key.withdrawn_at is not None or not may_speak

    def find_fault(
        self, state: State | None, taken_at: datetime, *, is_dated: bool, lag: timedelta = timedelta(0)
    ) -> Unmet | None:
        """Why it does not hold, by its stream as the log had it when it was taken in, at that instant; None if it does.

        On the wall clock the key must have counted when the door took it in, too; a manual clock's dates (``is_dated``)
        say nothing of when that was. ``lag`` is how much earlier than that instant it may have been judged.
        """
        if not self.signature or not self.key:
            return None if self._is_scheduled(state, taken_at) else build_unmet(MISSING, self.key)
        key = state.part(DoorKeyRecord) if state is not None else DoorKeyRecord()
        public = key.public or self.own
        if not public or self.key != KeyId.of(bytes.fromhex(public)):
            return build_unmet(UNKNOWN, self.key)
        if not self._is_by(public):
            return build_unmet(FORGED, self.key)
        if not key.public:
            return None  # it publishes itself: whether the log has no key yet, its rules say
        if key.withdrawn_at is not None:
            return build_unmet(WITHDRAWN, self.key)
        if self.seat is not None and not self.own and not key.may_speak(self.seat, self.realm):
            return build_unmet(FOREIGN_SEAT, self.key, self.seat)
        if not key.has_begun(taken_at) or key.has_ended(taken_at - lag):
            return build_unmet(DATED, self.key)
        if not is_dated and (not key.has_begun(self.received_at) or key.has_ended(self.received_at)):
            return build_unmet(DATED, self.key)
        return None

    def _is_by(self, public: str) -> bool:
        return self.content is not None and is_genuine(public, self.signature, self.content)

    def _is_scheduled(self, programme: State | None, at: datetime) -> bool:
        if self.opening is None or self.seat is None or programme is None or programme.stream != self.stream:
            return False
        round_, body = self.opening
        return is_scheduled(programme, round_, self.seat, self.person, body, at)


async def find_fault(store: EventStore, envelope: Envelope) -> Unmet | None:
    """Why the log as it stands bears out no such command; None if it does, whatever a worker says of it."""
    warrant = Warrant.of_envelope(envelope)
    realm = await store.realm(envelope.subject.realm)
    basis, _ = await store.consult(warrant.stream or envelope.subject, None, {})
    state = fold(warrant.stream, basis.events) if warrant.stream else None
    return warrant.find_fault(state, basis.read_at, is_dated=realm.clock is Clock.MANUAL)


def hold(warrant_state: State | None) -> dict[StreamId, int]:
    """What came in stands only while its key, or its programme, stands as it was read."""
    return {} if warrant_state is None else {warrant_state.stream: warrant_state.version}


def _find_key_stream(key: str) -> StreamId | None:
    try:
        return key_stream(key)
    except ValueError:
        return None


def _read_object(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _find_own(command: str, data: bytes, seat: Actor) -> str:
    """The public key that this command publishes by its own signature, as a log's first is; empty for any other."""
    if command != AppointDoorKey.command_type or seat.role is not Role.SYS:
        return ""
    try:
        appointment = AppointDoorKey.model_validate_json(data)
    except ValidationError:
        return ""
    return "" if appointment.follows else appointment.public


def build_unmet(rule: str, key: str, seat: Actor | None = None) -> Unmet:
    """That rule's no, with what to do about it."""
    zh, en = _WORDS[rule]
    return Unmet.of(rule, zh, en, key=key[:40] or "—", seat=seat or "")


_WORDS: Final = {
    UNKNOWN: (
        "日誌不認得密鑰 {key}：由兩名系統管理員公布（venture key publish），或改用已公布的密鑰",
        "the log does not know the key {key}: have two administrators publish it (venture key publish), or use another",
    ),
    FORGED: (
        "簽名與內容不符：途中被改動，或不是密鑰 {key} 所簽；請由入口以同一編號再問",
        "the signature does not fit: changed on the way, or not signed by {key}; ask again, at the door, by that id",
    ),
    DATED: (
        "密鑰 {key} 此時不在有效期內：更換（venture key rotate）後再問，並核對入口的時鐘",
        "the key {key} is not valid at that time: rotate it (venture key rotate), see to the clocks, and ask again",
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
        "沒有入口的簽名：入口須有密鑰（VENTURE_DOOR_KEY_FILE），請由有密鑰的入口提出",
        "there is no door's signature: ask at a door that has a key (VENTURE_DOOR_KEY_FILE)",
    ),
}
