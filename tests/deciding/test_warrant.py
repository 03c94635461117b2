"""Who may ask: what a door signed, by a key that counts, for a seat that it may speak for; nothing else is taken in."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from activities.carry_out import CommandActivities
from application.door import Door, Unsigned
from application.door_keys import build_first_publication
from application.process_carrier import ProcessCarrier
from deciding.journal import Journal
from deciding.signature import is_genuine
from deciding.warrant import Warrant, find_fault
from domain.kernel.acting import PersonId
from domain.kernel.canonical import plain
from domain.kernel.clock import Clock
from domain.kernel.envelope import Answer, CarryOut, Ending, Envelope
from domain.kernel.identifier import LIVE, Actor, StreamId
from domain.kernel.signature import KeyId, command_bytes
from domain.registers.door_key import AppointDoorKey, PublishDoorKey, RotateDoorKey, WithdrawDoorKey, key_stream
from store.memory import MemoryStore
from store.port import AppendStatus
from tests.keys import KEY, OTHER, PUBLISHED, make_key, publish
from tests.office import Office, administer, admit
from tests.tables import every_row
from tests.workflows.bureau import verification

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from deciding.signature import DoorKey
    from store.port import Append, AppendResult, CommandBasis, Readings

STREAM = StreamId("organisation/seals/ORG-1")
OFFICER = Actor("CAB-REG#1")
DAY = timedelta(days=1)
NOW = datetime(2026, 6, 1, 1, tzinfo=UTC)
WITHDRAWN, ENDED, NOT_YET, OF_OTHERS, UNKNOWN = map(make_key, ("withdrawn", "ended", "not yet", "of others", "unknown"))


def letter(**changed: object) -> Envelope:
    """A rightful command, not signed yet."""
    envelope = Envelope(
        command_id=uuid4(),
        subject=STREAM,
        actor=OFFICER,
        received_at=NOW,
        command="VerifyOrganisation",
        body=plain(verification()),
        person=PersonId("P-7"),
        session="s-1",
    )
    return envelope.model_copy(update=changed)


class Timed(MemoryStore):
    """A log whose clock is set by hand."""

    def __init__(self, now: datetime = NOW) -> None:
        super().__init__(lambda: self.now)
        self.now = now


async def carry_out(store: Timed, envelope: Envelope, now: datetime | None = None) -> Answer:
    request = CarryOut(stream=envelope.subject, now=now or store.now, envelope=envelope)
    answer = (await CommandActivities(store).carry_out(request)).answer
    assert answer is not None
    return answer


async def realm() -> Timed:
    """A log that knows the tests' door, and four others that may not ask this; one person is on the seats that ask."""
    store = Timed(NOW - 9 * DAY)
    await publish(store)
    for seat in ("CAB-REG#1", "CAB-REG#2", "SO-LEGAL#9"):
        await Office(store, at=NOW - 9 * DAY).seat(seat, "P-7")
    lost = await admit(store, WITHDRAWN)
    await administer(store, lost, WithdrawDoorKey(reason="密鑰遺失"))
    await admit(store, ENDED, "*", until=NOW - 2 * DAY)
    await admit(store, NOT_YET, "*", since=NOW + DAY)
    await admit(store, OF_OTHERS, "CAB-FIN", "CAB-REG#2", "SO-LEGAL")
    store.now = NOW
    return store


def flipped(envelope: Envelope, bit: int) -> Envelope:
    signature = bytearray.fromhex(envelope.signature)
    signature[bit // 8] ^= 1 << bit % 8
    return envelope.model_copy(update={"signature": signature.hex()})


def altered(**changed: object) -> Callable[[], Envelope]:
    return lambda: letter().sign(KEY).model_copy(update=changed)


FORGED: dict[str, tuple[Callable[[], Envelope], str]] = {
    "another id": (altered(command_id=UUID(int=7, version=4)), "SG02"),
    "another organisation": (altered(subject=StreamId("organisation/seals/ORG-2")), "SG02"),
    "another realm": (altered(subject=StreamId("organisation/live/ORG-1")), "SG02"),
    "another command": (altered(command="BanOrganisation"), "SG02"),
    "another body": (altered(body=plain(verification("另一家"))), "SG02"),
    "another seat": (altered(actor=Actor("CAB-REG#2")), "SG02"),
    "another person": (altered(person=PersonId("P-8")), "SG02"),
    "no person": (altered(person=None), "SG02"),
    "another log": (altered(log="00" * 32), "SG02"),
    "another login": (altered(session="s-2"), "SG02"),
    "another time": (altered(received_at=NOW + timedelta(microseconds=1)), "SG02"),
    "marked as derived": (altered(derived=True), "SG02"),
    "said to be of another door": (altered(key=OF_OTHERS.id), "SG02"),
    "the signature of another letter": (altered(signature=letter().sign(KEY).signature), "SG02"),
    "its first bit flipped": (lambda: flipped(letter().sign(KEY), 0), "SG02"),
    "its last bit flipped": (lambda: flipped(letter().sign(KEY), 511), "SG02"),
    "in capitals": (lambda: (e := letter().sign(KEY)).model_copy(update={"signature": e.signature.upper()}), "SG02"),
    "cut off": (lambda: (e := letter().sign(KEY)).model_copy(update={"signature": e.signature[:-2]}), "SG02"),
    "of the days of one shared secret": (altered(signature="5d" * 32), "SG02"),
    "empty": (altered(signature=""), "SG06"),
    "of no door": (altered(key=""), "SG06"),
    "never signed": (letter, "SG06"),
    "a key that the log does not know": (lambda: letter().sign(UNKNOWN), "SG01"),
    "a key's id that is none": (altered(key="../live/DK-1"), "SG01"),
    "a key that was withdrawn": (lambda: letter().sign(WITHDRAWN), "SG04"),
    "a key that has ended": (lambda: letter().sign(ENDED), "SG03"),
    "a key that has ended, dated back": (lambda: letter(received_at=NOW - 3 * DAY).sign(ENDED), "SG03"),
    "a key that does not count yet": (lambda: letter().sign(NOT_YET), "SG03"),
    "the same, dated on": (lambda: letter(received_at=NOW + 2 * DAY).sign(NOT_YET), "SG03"),
    "a key for other seats": (lambda: letter().sign(OF_OTHERS), "SG05"),
}  # fmt: skip


def test_what_no_door_may_ask_is_turned_away_with_what_to_do_and_leaves_no_trace() -> None:
    async def scenario() -> None:
        store = await realm()
        before = await store.last_position()
        for case, (build, rule) in FORGED.items():
            envelope = build()
            for _ in range(2):
                answer = await carry_out(store, envelope)
                assert (answer.ending, [u.rule for u in answer.unmet]) == (Ending.UNSIGNED, [rule]), case
                assert answer.events == (), case
                assert answer.unmet == ((await find_fault(store, envelope)),), f"{case}: the door finds the same"
            assert await store.last_position() == before, case
        assert (await carry_out(store, letter().sign(KEY))).ending is Ending.ACCEPTED, "the rightful one is taken in"

    asyncio.run(scenario())


def test_a_signature_is_good_once_under_its_own_id() -> None:
    """Copied and sent again it brings nothing but the answer that it had."""

    async def scenario() -> None:
        store = await realm()
        envelope = letter().sign(KEY)
        first, again = await carry_out(store, envelope), await carry_out(store, envelope)
        assert (first.version, again.version, again.repeated) == (1, 1, True)

    asyncio.run(scenario())


def test_a_door_speaks_for_roles_and_for_single_seats() -> None:
    async def scenario() -> None:
        store = await realm()
        refused = {"CAB-REG#1": Ending.UNSIGNED, "SO-LEGAL#9": Ending.REFUSED}
        for seat, ending in {"CAB-REG#2": Ending.ACCEPTED, **refused}.items():
            answer = await carry_out(store, letter(actor=Actor(seat)).sign(OF_OTHERS))
            assert answer.ending is ending, seat

    asyncio.run(scenario())


def test_a_forger_has_nothing_read_but_the_stream_and_the_key() -> None:
    class ConsultedStore(Timed):
        asked: tuple[StreamId, ...] = ()

        async def consult(
            self,
            stream: StreamId,
            command_id: UUID | None,
            known: Mapping[StreamId, int],
            claims: Collection[str] = (),
            accounts: Collection[str] = (),
        ) -> tuple[CommandBasis, Readings]:
            self.asked += (stream, *known)
            return await super().consult(stream, command_id, known, claims, accounts)

    async def scenario() -> None:
        store = ConsultedStore()
        await publish(store)
        await admit(store, OF_OTHERS, "CAB-FIN")
        store.asked = ()
        for envelope in (altered(actor=Actor("CAB-REG#2"))(), letter().sign(OF_OTHERS)):
            await carry_out(store, envelope)
        days = STREAM.sibling("calendar", "cn")
        assert set(store.asked) == {STREAM, days, key_stream(KEY.id), key_stream(OF_OTHERS.id)}

    asyncio.run(scenario())


def test_a_key_that_is_withdrawn_while_its_command_is_decided_is_caught_in_the_append() -> None:
    class Between(Timed):
        """Somebody withdraws the key between the reading and the append."""

        is_armed = False
        conflicts: tuple[str, ...] = ()

        async def append(self, append: Append) -> AppendResult:
            if self.is_armed:
                self.is_armed = False
                await administer(self, key_stream(OTHER.id), WithdrawDoorKey(reason="密鑰遺失"))
            result = await super().append(append)
            if result.status is AppendStatus.CONFLICT:
                self.conflicts += (result.what,)
            return result

    async def scenario() -> None:
        store = Between()
        stream = await admit(store, OTHER)
        store.is_armed = True
        answer = await carry_out(store, letter().sign(OTHER))
        assert store.conflicts == (stream,)
        assert (answer.ending, [u.rule for u in answer.unmet]) == (Ending.UNSIGNED, ["SG04"])

    asyncio.run(scenario())


def test_a_key_that_is_replaced_counts_for_a_while_beside_the_next() -> None:
    async def scenario() -> None:
        store, next_key = Timed(), make_key("the next")
        stream = await admit(store, OTHER, "CAB-REG")
        await Office(store, at=NOW).seat("CAB-REG#1", "P-7")
        assert (await carry_out(store, letter().sign(next_key))).ending is Ending.UNSIGNED
        answer = await administer(store, stream, RotateDoorKey(successor=next_key.public, until=NOW + DAY))
        assert answer.ending is Ending.ACCEPTED, answer
        for key in (OTHER, next_key):
            assert (await carry_out(store, letter().sign(key))).ending is Ending.ACCEPTED
        store.now = NOW + DAY
        endings = [
            (await carry_out(store, letter(received_at=store.now).sign(key))).ending for key in (OTHER, next_key)
        ]
        assert endings == [Ending.UNSIGNED, Ending.ACCEPTED]
        wrong_seat = await carry_out(store, letter(actor=Actor("CAB-FIN#1")).sign(next_key))
        assert [u.rule for u in wrong_seat.unmet] == ["SG05"], "it speaks for those for whom its forerunner did"

    asyncio.run(scenario())


def test_past_papers_are_judged_by_the_day_on_which_they_are_taken_in() -> None:
    """On a manual clock a command is dated years before any key: what counts is when the log took it in."""

    async def scenario() -> None:
        store, then = Timed(NOW - 2 * DAY), datetime(2019, 3, 1, tzinfo=UTC)
        await store.set_clock(STREAM.realm, Clock.MANUAL)
        await publish(store)
        await admit(store, OTHER)
        await admit(store, ENDED, "*", since=then - DAY, until=NOW - DAY)
        store.now = NOW
        endings = [(await carry_out(store, letter(received_at=then).sign(key), then)).ending for key in (ENDED, OTHER)]
        assert endings == [Ending.UNSIGNED, Ending.ACCEPTED]

    asyncio.run(scenario())


# ---------------------------------------------------------------- the first key


def test_the_first_key_of_a_log_publishes_itself_once_and_no_other_does() -> None:
    async def scenario() -> None:
        store, now = Timed(), NOW
        endings = [
            (await carry_out(store, build_first_publication(key, now))).ending for key in (OTHER, OTHER, UNKNOWN)
        ]
        assert endings == [Ending.ACCEPTED, Ending.ACCEPTED, Ending.REFUSED]
        assert (await carry_out(store, letter().sign(UNKNOWN))).ending is Ending.UNSIGNED

    asyncio.run(scenario())


def test_a_first_key_signed_by_somebody_else_or_on_anothers_stream_is_turned_away() -> None:
    async def scenario() -> None:
        store = Timed()
        rightful = build_first_publication(OTHER, NOW)
        body = plain(AppointDoorKey(public=UNKNOWN.public, door="stolen", speaks_for=("*",)))
        next_body = {**rightful.body, "follows": KEY.id}
        for forged in (
            rightful.sign(UNKNOWN),
            rightful.model_copy(update={"body": body}).sign(OTHER),
            rightful.model_copy(update={"body": body}),
            rightful.model_copy(update={"actor": Actor("ADMIN#1")}).sign(OTHER),
            rightful.model_copy(update={"body": next_body}).sign(OTHER),
            rightful.model_copy(update={"command": "PublishDoorKey"}).sign(OTHER),
        ):
            assert (await carry_out(store, forged)).ending is Ending.UNSIGNED
        elsewhere = rightful.model_copy(update={"subject": key_stream(UNKNOWN.id)}).sign(OTHER)
        answer = await carry_out(store, elsewhere)
        assert (answer.ending, {u.rule for u in answer.unmet}) == (Ending.REFUSED, {"DK01"})
        assert not [e async for e in store.read(key_stream(UNKNOWN.id))]

    asyncio.run(scenario())


@every_row(
    "two, endings", [((OTHER, UNKNOWN), [Ending.ACCEPTED, Ending.REFUSED]), ((OTHER, OTHER), [Ending.ACCEPTED] * 2)]
)
def test_two_first_keys_at_one_moment_are_one_and_a_refusal_and_of_one_key_the_same_twice(
    two: tuple[DoorKey, DoorKey], endings: list[Ending]
) -> None:
    class YieldingStore(Timed):
        async def append(self, append: Append) -> AppendResult:
            await asyncio.sleep(0)
            return await super().append(append)

    async def scenario() -> None:
        store, now = YieldingStore(), NOW
        answers = await asyncio.gather(*(carry_out(store, build_first_publication(key, now)) for key in two))
        assert sorted(a.ending for a in answers) == endings

    asyncio.run(scenario())


# ---------------------------------------------------------------- the bytes


def test_the_journal_holds_what_was_signed_and_an_auditor_rebuilds_it() -> None:
    async def scenario() -> None:
        store = await realm()
        envelope = letter().sign(KEY)
        answer = await carry_out(store, envelope)
        (entry,) = await store.feed(answer.position - 2, 1)
        journal = Journal.read(entry)
        assert (journal.key, journal.signature, journal.session) == (KEY.id, envelope.signature, "s-1")
        rebuilt = Warrant.of_entry(entry, journal, await store.genesis() or b"").content
        assert rebuilt == envelope.signed_bytes()
        assert rebuilt is not None
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(KEY.public)).verify(
            bytes.fromhex(journal.signature or ""), rebuilt
        )

    asyncio.run(scenario())


def test_the_signed_bytes_are_what_they_have_been() -> None:
    """A signature must be checked years later: these bytes, and the ids of keys, never change."""
    signed = command_bytes(
        key=KEY.id,
        log="00" * 32,
        command_id=UUID("3f0c7a52-5d1e-4a6b-9c55-0e4f2f6f1a10"),
        subject="project/live/AP-5",
        command="StartProject",
        particulars=b'{"end":"2023-11-30"}',
        seat="SO-PM#1",
        person="P-7",
        session="s-81f0",
        received_at=datetime(2023, 6, 4, 17, tzinfo=UTC),
        derived=False,
    )
    assert signed.decode().splitlines() == [
        "venture command 1",
        "DK-39301570a3f2474a",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "3f0c7a52-5d1e-4a6b-9c55-0e4f2f6f1a10",
        "project/live/AP-5",
        "StartProject",
        "9514f1ea3b09f9e052221f7a05250d71d9415b2180d6f489ee1225a4f4fa0427",
        "SO-PM#1",
        "P-7",
        "s-81f0",
        "1685898000000000",
        "asked",
    ]


def test_nothing_that_holds_a_line_feed_is_ever_signed() -> None:
    with pytest.raises(ValueError, match="line feed"):
        letter(command="VerifyOrganisation\nSO-PM#1").sign(KEY)
    clock = CarryOut(stream=STREAM, now=NOW).sign(KEY)
    assert not is_genuine(KEY.public, clock.signature, letter().signed_bytes())


def test_a_key_under_which_anybody_can_sign_is_never_published() -> None:
    """A point of small order is a "public key" for which signatures need no private one."""
    weak = "0100000000000000000000000000000000000000000000000000000000000000"
    assert is_genuine(weak, weak + "00" * 32, b"whatever anybody wants")

    async def scenario() -> None:
        store = MemoryStore()
        await publish(store)
        for public in (weak, weak[:-2] + "80"):
            stream = key_stream(KeyId.of(bytes.fromhex(public)))
            command = PublishDoorKey(public=public, door="anybody", speaks_for=("*",))
            answer = await administer(store, stream, command)
            assert [u.rule for u in answer.unmet] == ["DK01"]

    asyncio.run(scenario())


# ---------------------------------------------------------------- doors without a key


async def test_a_door_without_a_key_is_told_what_it_needs() -> None:
    store = MemoryStore()
    await store.set_clock(STREAM.realm, Clock.MANUAL)
    await publish(store)
    door = Door(ProcessCarrier(CommandActivities(store), store, None), store, None)
    with pytest.raises(Unsigned, match="VENTURE_DOOR_KEY_FILE"):
        await door.send(STREAM, verification(), OFFICER, at=datetime(2024, 1, 2, tzinfo=UTC))
    assert await store.last_position() == PUBLISHED
    assert key_stream(KEY.id).realm == LIVE
