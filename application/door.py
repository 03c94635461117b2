"""The door: a command comes in, is stamped and signed, and goes to its stream's workflow; one answer comes back.

Asking again with the same id is always safe. What cannot be known is said to be not known.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import TYPE_CHECKING, assert_never
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

import structlog

from application.stream_watch import StreamWatch
from deciding.admission import find_inadmissible
from deciding.decision import StreamParked
from deciding.journal import repeat_answer
from deciding.manual_clock import explain_unrecorded
from deciding.parked import find_parked
from deciding.refresh import read_calendar_version, refresh_standings
from deciding.warrant import find_fault
from domain.kernel.canonical import plain
from domain.kernel.clock import Clock
from domain.kernel.envelope import Answer, CarryOut, Ending, Envelope
from domain.kernel.failure import Defect, Failure, FailureKind
from domain.kernel.refusal import CommandRejected, Unmet
from store.port import EventStore, StoreUnavailable
from tracing import span

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from application.carrier import Carrier
    from application.person_finder import PersonFinder
    from domain.kernel.acting import PersonId
    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.message import Command
    from domain.kernel.signature import Signer
    from store.port import Entry, Standing

log = structlog.get_logger()

MOST_EARLY = 3
"""How often in a row a worker may say that a deadline comes first, of which this log has none: somebody was quicker."""
MOST_COMMANDS = 50
"""Commands that travel in one update."""


class NotKnown(Failure):
    """No answer came. The command may have been carried out or not."""

    kind = FailureKind.UNAVAILABLE

    def __init__(self, command_id: UUID, why: str) -> None:
        super().__init__(f"結果未知（{why}）", f"not known ({why})", command_id=str(command_id), why=why)
        self.remedy_zh = (
            f"請憑原編號查詢，不會重複辦理：--id {command_id}（scenario play 與 bulk 再次運行同一命令即續辦）"
        )
        self.remedy_en = (
            f"Ask again with the same id: --id {command_id}; nothing is done twice"
            " (scenario play and bulk go on when the same command is run again)"
        )
        self.command_id = command_id
        self.why = why


class Mismatch(Failure):
    """The id was used for another request."""

    kind = FailureKind.CONFLICT
    remedy_zh = "請換新編號"
    remedy_en = "Use a fresh id"

    def __init__(self, command_id: UUID) -> None:
        super().__init__(
            f"編號 {command_id} 已用於另一請求",
            f"the id {command_id} was used for another request",
            command_id=str(command_id),
        )


class CommandDefect(Defect):
    """A fault of this product kept the command from being decided."""

    remedy_zh = "未作任何記錄；請連同 worker 日誌報告"
    remedy_en = "Nothing was recorded. Report it with the worker's log"


class CommandInvalid(Failure):
    """What the command holds can never be recorded, by whomever it is asked."""

    kind = FailureKind.USAGE
    remedy_zh = "未作任何記錄；請縮短或改正所填內容，再以新編號提出"
    remedy_en = "Nothing was recorded. Shorten or mend what was filled in, and ask under a new id"

    def __init__(self, why: str) -> None:
        super().__init__(f"命令無法記錄：{why}", f"the command cannot be recorded: {why}", why=why)


class Unsigned(Failure):
    """The log knows no key by which this door may ask that; ``unmet`` says how it is, and what to do."""

    kind = FailureKind.UNAVAILABLE
    remedy_zh = "未作任何記錄；venture key list 列出已公布的密鑰，本入口的密鑰見 venture doctor"
    remedy_en = "Nothing was recorded. venture key list shows what is published, venture doctor this door's key"

    def __init__(self, stream: StreamId, unmet: tuple[Unmet, ...]) -> None:
        zh, en = "；".join(u.zh for u in unmet), "; ".join(u.en for u in unmet)
        super().__init__(
            f"未受理 {stream} 的命令：{zh}",
            f"the command to {stream} was not taken: {en}",
            stream=stream,
            refused=[u.as_json() for u in unmet],
        )
        self.unmet = unmet


@dataclass(frozen=True)
class Receipt:
    """Proof that a command was carried out."""

    command_id: UUID
    stream: StreamId
    version: int
    position: int
    events: tuple[str, ...]
    repeated: bool
    log: str
    """The log in which it stands, by the chain hash of its first entry, in hex."""


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command that somebody asks, under the id that makes asking twice asking once."""

    command: Command
    actor: Actor
    command_id: UUID
    at: datetime | None = None
    """The business time of a command in a realm on a manual clock, UTC; on the wall clock there is none."""
    derived: bool = False
    """Whether the engine derived the id: a step of a scenario, a row of a file. A caller's id is never derived."""
    person: PersonId | None = None
    """Who asks, on that seat; None for a paper realm's bare seat."""
    session: str = ""
    """The login under which they ask, by an opaque id."""


class Door:
    """Lets commands in. One door may serve many callers at once."""

    def __init__(
        self,
        carrier: Carrier,
        store: EventStore,
        key: Signer | None,
        persons: PersonFinder | None = None,
        prepare: Callable[[], Awaitable[None]] | None = None,
        log_id: str = "",
    ) -> None:
        """Sign with that key, and have what was signed carried out that way.

        A door without a key, as a worker's own, asks for nothing but what the log itself has scheduled. ``persons``
        says who asks where a request names a seat alone; without one, nobody is known. ``prepare`` is done before the
        first command. ``log_id`` is the log that it has known before (``Receipt.log``): nothing is asked of another.
        """
        self._carrier = carrier
        self.persons = persons
        self._store = store
        self.key = key
        """By which it signs; None where it asks for nothing of its own."""
        self._prepare = prepare
        self._preparing = asyncio.Lock()
        self._log = log_id
        """The chain hash of the log's first entry, once there is one."""
        self.watch = StreamWatch(store)
        """Whoever waits for an approval behind this door."""
        self._clock_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By realm, who moves its clock: whoever waited finds it moved."""
        self._calendars: dict[str, int] = {}
        """Realm and the version of its working days by which this door has seen all its deadlines computed."""

    async def send(
        self,
        subject: StreamId,
        command: Command,
        actor: Actor,
        *,
        command_id: UUID | None = None,
        at: datetime | None = None,
        derived: bool = False,
        person: PersonId | None = None,
        session: str = "",
    ) -> Receipt:
        """Have the command carried out, as that person on the actor's seat.

        ``at`` is the business time of a command in a realm on a manual clock (UTC); all that falls due until then comes
        first. On the wall clock it must be left out. ``derived`` says that the engine derived the id (014).

        Raises CommandRejected with every unmet condition, Mismatch, StreamParked, CommandInvalid, CommandDefect, or
        NotKnown.
        """
        request = CommandRequest(command, actor, command_id or uuid4(), at, derived, person, session)
        await self._begin(request.command_id)
        envelope = await self._build_envelope(subject, request)
        fresh = command_id is None and at is None  # in no journal: nothing need be looked up before it is asked
        answer = await self.ask(envelope) if fresh and not _find_unmet(envelope) else None
        if answer is None or answer.ending is Ending.EARLY:
            (answer,) = [answer async for answer in self.send_each(subject, [request])]
        return receipt(request.command_id, answer)

    async def send_each(self, subject: StreamId, requests: Sequence[CommandRequest]) -> AsyncGenerator[Answer, None]:
        """Have the commands carried out in turn, many in one update; the answers one by one, as ``receipt`` reads them.

        Nothing that follows on a command which was not accepted has been carried out when its answer comes, so that
        whoever breaks off there has asked for no more. Raises NotKnown of the command to go on with,
        CommandInvalid, CommandDefect, or StreamParked.
        """
        if requests:
            await self._begin(requests[0].command_id)
        envelopes = [await self._build_envelope(subject, request) for request in requests]
        done, early = 0, 0
        while done < len(envelopes):
            envelope, at = envelopes[done], requests[done].at
            try:
                journalled = (await self._read_journal([envelope])).get(envelope.command_id)
                realm = await self._store.realm(subject.realm)
                if journalled is not None:  # straight from the log, which needs no Temporal (PR7)
                    answers = [self._read_answer(envelope, journalled)]
                elif unmet := _find_unmet(envelope):
                    answers = [Answer.refuse(subject, 0, unmet)]
                elif at is not None and realm.clock is Clock.WALL:
                    answers = [_refuse_dated(subject)]
                else:
                    await self._refresh_standings(subject.realm, realm.calendar)
                    following = islice(envelopes, done + 1, done + MOST_COMMANDS)
                    admitted = takewhile(lambda e: not _find_unmet(e), following)
                    answers = await self._ask_each([envelope, *admitted])
                early = early + 1 if [a.ending for a in answers] == [Ending.EARLY] else 0
                if answers[-1].ending is Ending.EARLY:
                    *answers, _ = answers
                    if (
                        early > MOST_EARLY
                        and await self._store.find_next_due(subject.realm, envelope.received_at) is None
                    ):
                        raise self._refuse_answer(envelope, Ending.EARLY)
                    await self.move_clock(subject.realm, envelopes[done + len(answers)].received_at)
            except StoreUnavailable as gone:
                raise NotKnown(envelope.command_id, gone.why) from gone
            except NotKnown as gone:  # of a deadline that comes first: it is this command that is to be asked again
                raise NotKnown(envelope.command_id, gone.why) from gone
            for answer in answers:
                yield answer
            done += len(answers)

    async def _build_envelope(self, subject: StreamId, request: CommandRequest) -> Envelope:
        """The request as it is sent, signed; where it names no person, in the name of whom this door takes them for."""
        if request.person is None and self.persons is not None:
            try:
                person = await self.persons.find_person(subject, request.command, request.actor, request.at)
            except StoreUnavailable as gone:
                raise NotKnown(request.command_id, gone.why) from gone
            request = replace(request, person=person)
        return self._sign(subject, request)

    def _sign(self, subject: StreamId, request: CommandRequest) -> Envelope:
        """The request with this door's signature; what is inadmissible gets none."""
        envelope = Envelope(
            command_id=request.command_id,
            derived=request.derived,
            subject=subject,
            actor=request.actor,
            received_at=request.at or datetime.now(UTC),
            command=request.command.command_type,
            body=plain(request.command),
            log=self._log,
            person=request.person,
            session=request.session,
        )
        unmet = find_inadmissible(envelope)
        if not unmet:
            return envelope if self.key is None else envelope.sign(self.key)
        log.info(
            "command.turned_away", command=envelope.command, rules=[u.rule for u in unmet], digest=_digest(envelope)
        )
        return envelope

    async def ask(self, envelope: Envelope) -> Answer:
        """The one answer to a signed envelope. Raises NotKnown."""
        try:
            (answer,) = await self._ask_each([envelope])
        except StoreUnavailable as gone:
            raise NotKnown(envelope.command_id, gone.why) from gone
        return answer

    async def _ask_each(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        """The answers to the first of these: at least one, or NotKnown."""
        first, *others = envelopes
        attributes = {"command": first.command, "stream_kind": first.subject.kind}
        with span("command", attributes):
            if others:
                answers = await self._carrier.carry_out_each(envelopes)
            else:
                answers = [await self._carrier.carry_out(first)]
            attributes["ending"] = answers[-1].ending.lower()
        answered = envelopes[: len(answers)]
        journal = await self._read_journal(answered)
        return [
            await self._confirm(envelope, answer, journal.get(envelope.command_id))
            for envelope, answer in zip(answered, answers, strict=True)
        ]

    async def _confirm(self, envelope: Envelope, answer: Answer, entry: Entry | None) -> Answer:
        """The answer as the log has it: a worker on another database, or a stranger's, can say nothing (017)."""
        if entry is not None:
            return self._read_answer(envelope, entry).model_copy(update={"repeated": answer.repeated})
        match answer.ending:
            case Ending.UNSIGNED | Ending.PARKED | Ending.EARLY if answer.command_id != envelope.command_id:
                raise self._refuse_answer(envelope, answer.ending)  # an answer to another, copied
            case Ending.UNSIGNED if (fault := await find_fault(self._store, envelope)) is not None:
                return Answer(ending=Ending.UNSIGNED, stream=envelope.subject, version=0, unmet=(fault,))
            case Ending.PARKED if await find_parked(self._store, answer.stream, envelope.received_at) is not None:
                return Answer(ending=Ending.PARKED, stream=answer.stream, version=0)
            case Ending.EARLY:
                return Answer(ending=Ending.EARLY, stream=envelope.subject, version=0)  # asked again, but not for ever
            case Ending.REFUSED if unmet := await explain_unrecorded(
                self._store, envelope, [u.rule for u in answer.unmet]
            ):
                return Answer.refuse(envelope.subject, 0, unmet)
            case Ending.ACCEPTED | Ending.REFUSED | Ending.MISMATCH | Ending.UNSIGNED | Ending.PARKED:
                raise self._refuse_answer(envelope, answer.ending)
            case _:
                assert_never(answer.ending)

    def _refuse_answer(self, envelope: Envelope, ending: Ending) -> NotKnown:
        """What a worker says and this log does not: it serves another one, or is a stranger."""
        log.error("door.unfounded_answer", stream=envelope.subject, ending=ending)
        return NotKnown(envelope.command_id, "what a worker answered is not in this log")

    async def _begin(self, command_id: UUID) -> None:
        """Prepare, and know the log behind this door before anything is asked, so that no other records it.

        Raises NotKnown.
        """
        async with self._preparing:
            if self._prepare is not None:
                try:
                    await self._prepare()
                except StoreUnavailable as gone:
                    raise NotKnown(command_id, gone.why) from gone
                self._prepare = None
        if not self._log:
            try:
                self._log = (await self._store.genesis() or b"").hex()
            except StoreUnavailable as gone:
                raise NotKnown(command_id, gone.why) from gone

    async def _read_journal(self, envelopes: Sequence[Envelope]) -> Mapping[UUID, Entry]:
        """What is journalled of them, in the log that this door has known from the beginning. Raises NotKnown."""
        outcomes = await self._store.outcomes([envelope.command_id for envelope in envelopes])
        genesis = outcomes.genesis.hex() if outcomes.genesis else ""
        self._log = self._log or genesis
        if genesis != self._log:
            log.error("door.another_log", genesis=genesis, expected=self._log)
            raise NotKnown(envelopes[0].command_id, "the log behind this door is not the one that it knew")
        return outcomes.commands

    def _read_answer(self, envelope: Envelope, entry: Entry) -> Answer:
        """The recorded answer, with the log that it was read in."""
        return repeat_answer(envelope, entry).model_copy(update={"log": self._log})

    async def move_clock(self, realm: str, to: datetime) -> None:
        """Let everything in a manual realm that is due at or before ``to`` fall due, in order.

        If working days were published since, deadlines are computed by them first. Raises NotKnown, or
        StreamParked if a deadline stays in its place.
        """
        await self._refresh_standings(realm, await read_calendar_version(self._store, realm))
        lock = self._clock_locks.get(realm)
        if lock is None:
            lock = self._clock_locks[realm] = asyncio.Lock()
        before: Standing | None = None
        async with lock:
            while (standing := await self._store.find_next_due(realm, to)) is not None and standing.due_at is not None:
                if standing == before:
                    raise StreamParked(standing.stream)
                before = standing
                deadline = CarryOut(stream=standing.stream, now=standing.due_at)
                await self._carrier.fall_due(deadline if self.key is None else deadline.sign(self.key))

    async def _refresh_standings(self, realm: str, version: int) -> None:
        """See that the realm's deadlines are computed by that version of its working days."""
        if self._calendars.get(realm, 0) < version:
            await refresh_standings(self._store, realm, version)
            self._calendars[realm] = version

    async def look(self, stream: StreamId) -> None:
        """Have whoever waits for the stream's deadlines read the log again."""
        await self._carrier.look(stream)

    async def open_realm(self, realm: str) -> Clock:
        """Make sure of a realm on a manual clock; the clock that it has."""
        return await self._store.set_clock(realm, Clock.MANUAL)


def _find_unmet(envelope: Envelope) -> tuple[Unmet, ...]:
    """Why it is not even asked; what this door has signed was looked at before."""
    return () if envelope.signature else find_inadmissible(envelope)


def _refuse_dated(subject: StreamId) -> Answer:
    realm = subject.realm
    unmet = Unmet.of(
        "CLOCK",
        "{realm} 環境用實時時鐘，命令不可自定時間；文件上的日期請填在內容中",
        "the environment {realm} lives on the wall clock: leave the time out; dates on paper belong in the particulars",
        realm=realm,
    )
    return Answer.refuse(subject, 0, (unmet,))


def _digest(envelope: Envelope) -> str:
    """What was asked, in hex; empty where it has no form that could be recorded."""
    try:
        return envelope.digest
    except (ValueError, RecursionError):
        return ""


def receipt(command_id: UUID, answer: Answer) -> Receipt:
    """The receipt of an accepted command. Raises what the answer says otherwise."""
    match answer.ending:
        case Ending.ACCEPTED:
            return Receipt(
                command_id,
                answer.stream,
                answer.version,
                answer.position,
                answer.events,
                repeated=answer.repeated,
                log=answer.log,
            )
        case Ending.REFUSED:
            raise CommandRejected(answer.unmet)
        case Ending.MISMATCH:
            raise Mismatch(command_id)
        case Ending.PARKED:
            raise StreamParked(answer.stream)
        case Ending.UNSIGNED:
            raise Unsigned(answer.stream, answer.unmet)
        case Ending.EARLY:
            raise NotKnown(command_id, "a deadline of another stream comes first")
        case _:
            assert_never(answer.ending)
