"""An auditor with nothing but the log checks every signature, and names what is wrong with one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from activities.carry_out import CommandActivities
from audit.finding import FindingKind
from audit.redecision import redecide
from audit.signatures import LAG
from audit.verification import verify
from domain.kernel.acting import PersonId
from domain.kernel.canonical import canonical, plain
from domain.kernel.envelope import CarryOut, Ending, Envelope
from domain.kernel.identifier import Actor, StreamId
from domain.registers.door_key import RotateDoorKey, WithdrawDoorKey, key_stream
from store.bytes import chain_hash, leaf
from store.memory import MemoryStore
from store.port import EntryKind
from tests.keys import KEY, OTHER, PUBLISHED, make_key, publish
from tests.office import Office, administer, admit
from tests.paper import told_story
from tests.workflows.bureau import verification

if TYPE_CHECKING:
    from collections.abc import Callable

    from deciding.signature import DoorKey
    from store.port import Entry

STREAM = StreamId("organisation/live/ORG-1")
NOW = datetime(2026, 6, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def letter(at: datetime, key: DoorKey, by: str = "CAB-REG#1", **changed: Any) -> Envelope:
    """A command as that door let it in."""
    envelope = Envelope(
        command_id=uuid4(),
        subject=STREAM,
        actor=Actor(by),
        received_at=at,
        command="VerifyOrganisation",
        body=plain(verification()),
        person=PersonId("P-7"),
        session="s-1",
    )
    return envelope.model_copy(update=changed).sign(key)


class TwoDoorLog(MemoryStore):
    """A log of two doors, in which one command of each is recorded; whoever tampers recomputes every hash."""

    def __init__(self) -> None:
        super().__init__(lambda: self.now)
        self.now = NOW

    @classmethod
    async def kept(cls) -> TwoDoorLog:
        log = cls()
        await publish(log)
        await Office(log, at=NOW).seat("CAB-REG#1", "P-7")
        await admit(log, OTHER, "CAB-REG", until=NOW + 9 * DAY)
        for key in (KEY, OTHER):
            log.now += timedelta(minutes=1)
            envelope = letter(log.now, key, log=log._entries[0].chain.hex())
            result = await CommandActivities(log).carry_out(CarryOut(stream=STREAM, now=log.now, envelope=envelope))
            assert result.answer is not None
            assert result.answer.ending is Ending.ACCEPTED, result.answer
        return log

    @property
    def last(self) -> int:
        """The index of the newest command of the stream."""
        return max(i for i, e in enumerate(self._entries) if (e.stream, e.kind) == (STREAM, EntryKind.COMMAND))

    def edit(self, i: int, **changed: Any) -> None:
        self._entries[i] = replace(self._entries[i], **changed)
        chains: dict[StreamId, bytes] = {}
        for at, entry in enumerate(self._entries):
            chains[entry.stream] = chain_hash(chains.get(entry.stream, bytes(32)), leaf(entry))
            self._entries[at] = replace(entry, chain=chains[entry.stream])
        self._streams = {stream: [e for e in self._entries if e.stream == stream] for stream in chains}
        self._events = {s: [e for e in of if e.kind is EntryKind.EVENT] for s, of in self._streams.items()}

    def note(self, **changed: Any) -> None:
        """Another note in the journal of the newest command."""
        meta = {**json.loads(self._entries[self.last].meta), **changed}
        self.edit(self.last, meta=canonical({name: value for name, value in meta.items() if value is not None}))

    def sign_anew(self, key: DoorKey, at: datetime | None = None) -> None:
        """Put another door's good signature on the newest command."""
        entry = self._entries[self.last]
        received_at = at or datetime.fromisoformat(json.loads(entry.meta)["received_at"])
        envelope = letter(received_at, key, command_id=entry.command_id, log=self._entries[0].chain.hex())
        self.note(key=envelope.key, signature=envelope.signature, received_at=received_at.isoformat())


def reverse(log: TwoDoorLog) -> None:
    signature = json.loads(log._entries[log.last].meta)["signature"]
    log.note(signature=signature[::-1])


def record_late(log: TwoDoorLog) -> None:
    """The whole end of the log was recorded long after the key had ended."""
    for i in range(log.last, len(log._entries)):
        log.edit(i, recorded_at=NOW + 9 * DAY + LAG)


def back_date_the_key(log: TwoDoorLog) -> None:
    """The key's own event says that it began only afterwards."""
    i = next(i for i, e in enumerate(log._entries) if e.type == "DoorKeyPublished" and e.stream == key_stream(OTHER.id))
    data = json.loads(log._entries[i].data)
    log.edit(i, data=canonical({**data, "since": (NOW + DAY).isoformat().replace("+00:00", "Z")}))


TAMPERED: dict[str, tuple[Callable[[TwoDoorLog], object], FindingKind]] = {
    "another body": (lambda log: log.edit(log.last, data=canonical(plain(verification("另一家")))), FindingKind.FORGED),
    "another seat": (lambda log: log.note(actor="CAB-REG#9"), FindingKind.FORGED),
    "another person": (lambda log: log.note(person="P-9"), FindingKind.FORGED),
    "another login": (lambda log: log.note(session="s-2"), FindingKind.FORGED),
    "another time of receipt": (lambda log: log.note(received_at="2026-06-01T01:01:59+00:00"), FindingKind.FORGED),
    "another command": (lambda log: log.edit(log.last, type="BanOrganisation"), FindingKind.FORGED),
    "said to be of an empty log": (lambda log: log.note(log=""), FindingKind.FORGED),
    "another id": (lambda log: log.edit(log.last, command_id=uuid4()), FindingKind.FORGED),
    "said to be derived": (lambda log: log.note(derived=True), FindingKind.FORGED),
    "a signature read backwards": (reverse, FindingKind.FORGED),
    "a signature of the old kind": (lambda log: log.note(signature="5d" * 32), FindingKind.FORGED),
    "no signature": (lambda log: log.note(signature=None), FindingKind.UNSIGNED),
    "no signature and no key": (lambda log: log.note(signature=None, key=None), FindingKind.UNSIGNED),
    "nobody asked": (lambda log: log.note(signature=None, digest=None, received_at=None), FindingKind.UNSIGNED),
    "a door that the log never knew": (lambda log: log.sign_anew(make_key("a stranger")), FindingKind.FOREIGN_KEY),
    "a key that has not begun": (back_date_the_key, FindingKind.EXPIRED_KEY),
    "received after the key's end": (lambda log: log.sign_anew(OTHER, NOW + 9 * DAY), FindingKind.EXPIRED_KEY),
    "recorded after the key's end": (record_late, FindingKind.EXPIRED_KEY),
}  # fmt: skip


@pytest.mark.parametrize("case", TAMPERED)
async def test_what_somebody_with_all_rights_did_to_a_signed_command_is_named(case: str) -> None:
    tamper, kind = TAMPERED[case]
    log = await TwoDoorLog.kept()
    assert (await verify(log)).ok
    position = log.last + 1
    tamper(log)
    findings = [(f.kind, f.position) for f in (await verify(log)).findings if f.kind in _SIGNATURES]
    assert findings == [(kind, position)]
    again = (await redecide(log, STREAM)).first
    assert again is not None
    assert (again.what, again.position) == ("form" if case == "another command" else "signature", position)


_SIGNATURES = {
    FindingKind.UNSIGNED,
    FindingKind.FORGED,
    FindingKind.FOREIGN_KEY,
    FindingKind.EXPIRED_KEY,
    FindingKind.WITHDRAWN_KEY,
    FindingKind.WRONG_SEAT,
}


async def test_a_command_put_in_behind_the_withdrawal_of_its_key_is_found() -> None:
    log = await TwoDoorLog.kept()
    await administer(log, key_stream(OTHER.id), WithdrawDoorKey(reason="密鑰遺失"))
    assert (await verify(log)).ok, "what was taken in before stays good"
    envelope = letter(log.now, KEY, log=log._entries[0].chain.hex())
    await CommandActivities(log).carry_out(CarryOut(stream=STREAM, now=log.now, envelope=envelope))
    log.sign_anew(OTHER)
    assert [(f.kind, f.position) for f in (await verify(log)).findings] == [(FindingKind.WITHDRAWN_KEY, log.last + 1)]
    again = await redecide(log, STREAM)
    assert again.first is not None
    assert again.first.what == "signature"


async def test_a_command_of_a_seat_for_which_its_door_may_not_speak_is_found() -> None:
    log = await TwoDoorLog.kept()
    entry = log._entries[log.last]
    at = datetime.fromisoformat(json.loads(entry.meta)["received_at"])
    envelope = letter(at, OTHER, "HOST#1", command_id=entry.command_id, log=log._entries[0].chain.hex())
    log.note(actor="HOST#1", signature=envelope.signature)
    assert (FindingKind.WRONG_SEAT, log.last + 1) in [(f.kind, f.position) for f in (await verify(log)).findings]


async def test_a_replaced_key_and_its_next_both_verify() -> None:
    log, next_key = await TwoDoorLog.kept(), make_key("the next")
    await administer(log, key_stream(OTHER.id), RotateDoorKey(successor=next_key.public))
    for key in (OTHER, next_key):
        log.now += timedelta(minutes=1)
        result = await CommandActivities(log).carry_out(
            CarryOut(stream=STREAM, now=log.now, envelope=letter(log.now, key))
        )
        assert result.answer is not None
        assert result.answer.ending is Ending.ACCEPTED
    assert (await verify(log)).ok
    assert (await redecide(log, STREAM)).ok


async def test_a_log_of_before_the_first_key_verifies_as_what_it_was_and_from_then_on_signatures_are_wanted() -> None:
    store = await told_story()
    old = MemoryStore()
    for entry in store._entries[PUBLISHED:]:  # as logs were before doors had keys
        meta = json.loads(entry.meta)
        bare = {name: value for name, value in meta.items() if name not in {"key", "signature", "derived"}}
        old._add(replace(entry, meta=canonical(bare)))
    old._guards, old._agenda, old._realms = store._guards, store._agenda, store._realms
    old._postings = [replace(p, position=p.position - PUBLISHED) for p in store._postings]
    old._guards.claims = {key: holders for key, holders in old._guards.claims.items() if key != "door/first"}
    old._agenda = {stream: row for stream, row in old._agenda.items() if stream.kind != "door"}
    assert (await verify(old)).ok
    await publish(old)
    assert (await verify(old)).ok
    for number, entry in enumerate(_commands(store)):
        assert await _signature_is_wanted(store, entry), number


def _commands(store: MemoryStore) -> list[Entry]:
    commands = [e for e in store._entries if e.kind is EntryKind.COMMAND and b'"signature"' in e.meta]
    return commands[PUBLISHED:][:5]


async def _signature_is_wanted(store: MemoryStore, entry: Entry) -> bool:
    """Without it, the verification names that very entry."""
    honest = store._entries[:]
    meta = {name: value for name, value in json.loads(entry.meta).items() if name not in {"key", "signature"}}
    store._entries[entry.position - 1] = replace(entry, meta=canonical(meta))
    findings = {(f.kind, f.position) for f in (await verify(store)).findings}
    store._entries = honest
    return (FindingKind.UNSIGNED, entry.position) in findings
