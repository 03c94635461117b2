"""``carry_out``: the one way in which anything is recorded. Load, due first, decide, append; again on conflict.

Run it any number of times: a command id has one outcome, and a deadline one event.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import names
from deciding import captions
from deciding.decision import Decision, Reader, Step, decide_consequences, decide_on, parse_command
from deciding.fold_cache import CachedReader, FoldCache
from domain.kernel.calendar import SHANGHAI
from domain.kernel.canonical import canonical, plain
from domain.kernel.clock import Clock
from domain.kernel.envelope import (
    Answer,
    Carried,
    CarriedEach,
    CarryOut,
    CarryOutEach,
    Ending,
    Envelope,
    Progress,
)
from domain.kernel.identity import StreamId
from domain.kernel.message import Order
from domain.kernel.refusal import Unmet
from domain.kernel.state import State, Verdict
from domain.registers.realm import REALM_NAME, ClockSet
from metrics import Metrics
from store.port import (
    Append,
    Appended,
    Entry,
    EventStore,
    Loaded,
    NewEvent,
    Standing,
    Status,
    StoreUnavailable,
    StreamParked,
    Write,
)
from tracing import span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from domain.kernel.message import Awaited

MOST_TRIES = 20
"""Conflicts in a row before the command is given back as not known; each try saw a newer stream."""
SOME_S = 2.0
"""How long, in seconds, commands of a bundle are begun: the workflow's task must end before its ten seconds do."""
RECENT_S = 60
"""How old, in seconds, the door's stamp may be and still be the business time (design.md §5)."""

log = structlog.get_logger()


class CommandActivities:
    """Carries commands out against one store."""

    def __init__(self, store: EventStore, door_key: bytes, measures: Metrics | None = None) -> None:
        """Use that store, and let in only what the door with that key has signed; count in those measures."""
        self._store = store
        self._door_key = door_key
        self._folds = FoldCache()
        self._measures = measures or Metrics()

    @activity.defn(name=names.CARRY_OUT)
    async def carry_out(self, asked: CarryOut) -> Carried:
        """Carry the command out, or without one apply what is due.

        Raises StoreUnavailable where the outcome is not known; asking again is safe. A fault of ours is an
        ApplicationError of type ``Defect``: no retry would mend it.
        """
        envelope = asked.envelope
        said = {"command": envelope.command if envelope else "due", "stream_kind": asked.stream.kind}
        with self._measures.carry_out_s.time(), span("carry_out", said, anew=envelope is None):
            carried = await self._until_answered(asked)
            if carried.answer is not None:
                said["ending"] = carried.answer.ending.lower()
                self._measures.commands.labels(carried.answer.ending.lower()).inc()
        return carried

    async def _until_answered(self, asked: CarryOut) -> Carried:
        """Try, and try again where somebody else was quicker."""
        for attempt in range(MOST_TRIES):
            try:
                carried = await self._tried(asked)
            except (StoreUnavailable, ApplicationError):
                raise
            except Exception as defect:
                log.exception("command.defect", stream=asked.stream)
                self._measures.defects.inc()
                message = f"{type(defect).__name__}: {defect}"
                raise ApplicationError(message, type="Defect", non_retryable=True) from defect
            if carried is not None:
                return carried
            await asyncio.sleep(random.uniform(0, 0.002 * 2 ** min(attempt, 6)))  # noqa: S311 - spreads rivals, no secret
        message = f"{asked.stream}: {MOST_TRIES} conflicts in a row; ask again with the same id"
        raise StoreUnavailable(message)

    @activity.defn(name=names.CARRY_OUT_EACH)
    async def carry_out_each(self, asked: CarryOutEach) -> CarriedEach:
        """Carry the commands out in turn, until one is not accepted or ``SOME_S`` are over; at least the first.

        Raises as ``carry_out`` does where not even the first has an outcome.
        """
        until = asyncio.get_running_loop().time() + SOME_S
        done: list[Carried] = []
        for envelope in asked.envelopes:
            try:
                done.append(await self.carry_out(CarryOut(stream=asked.stream, now=asked.now, envelope=envelope)))
            except (StoreUnavailable, ApplicationError):
                if not done:
                    raise
                break
            answer = done[-1].answer
            if answer is None or answer.ending is not Ending.ACCEPTED or asyncio.get_running_loop().time() > until:
                break
        return CarriedEach(progress=done[-1].progress, answers=tuple(c.answer for c in done if c.answer is not None))

    async def _tried(self, asked: CarryOut) -> Carried | None:
        """One try; None if somebody else moved what it rested on."""
        envelope = asked.envelope
        reader = CachedReader(self._store, folds=self._folds)
        loaded, state = await reader.begin(asked)
        if envelope is not None:
            known = self._known(envelope, loaded, state)
            if known is not None:
                as_it_stands = await self._as_it_stands(state, loaded.realm.clock)
                return Carried(progress=build_progress(as_it_stands), answer=known)
        elif asked.alarm is not (loaded.realm.clock is Clock.WALL):
            return await self._adopted(state, loaded.realm.clock)
        at = _business_time(asked, loaded)
        order = _order(envelope, at)
        if order is not None and loaded.realm.now is not None and at < loaded.realm.now:
            behind = build_progress(await self._as_it_stands(state, loaded.realm.clock))
            return Carried(progress=behind, answer=_behind(state, at, loaded.realm.now))
        try:
            decision = await decide_on(
                self._store,
                state,
                loaded.realm.clock,
                at=at,
                order=order,
                command_id=envelope.command_id if envelope else None,
                reader=reader,
            )
            if not decision.steps:
                await self._store.refresh_standing(build_standing(decision))
                return Carried(progress=build_progress(decision))
            decision, others = await decide_consequences(self._store, decision, reader)
        except StreamParked as parked:
            log.exception("stream.parked", stream=asked.stream)
            self._measures.parked.inc()
            return Carried(progress=_parked(state, str(parked)), answer=_ended(state, Ending.PARKED))
        turn, against = _clock_set(decision), None
        if turn is not None and (unmet := await self._against(turn, loaded.realm.clock, asked.stream.realm, at)):
            against = _unrecorded(state, unmet)
        elif turn is None and order is not None and loaded.realm.earliest is not None and loaded.realm.earliest <= at:
            against = _ended(state, Ending.EARLY)
        if against is not None:
            return Carried(progress=build_progress(await self._as_it_stands(state, loaded.realm.clock)), answer=against)
        append = build_append(decision, others, envelope)
        if loaded.realm.clock is Clock.MANUAL:
            append = _while_manual(append, asked.stream.realm, loaded.realm.version)
        goes_live = turn is Clock.WALL and loaded.realm.clock is Clock.MANUAL
        return self._recorded(asked, decision, await self._append(append, goes_live=goes_live))

    async def _append(self, append: Append, *, goes_live: bool) -> Appended:
        """Ask the log, and count what it says."""
        said: dict[str, str] = {}
        with self._measures.append_s.time(), span("append", said):
            appended = await (self._store.go_live(append) if goes_live else self._store.append(append))
            said["status"] = appended.status
        self._measures.appends.labels(appended.status).inc()
        if appended.status is Status.APPENDED:
            self._measures.entries.inc(appended.last_position - appended.first_position + 1)
        return appended

    async def _against(self, turn: Clock, clock: Clock, realm: str, at: datetime) -> tuple[Unmet, ...]:
        """What the rules of the realm's stream cannot know: which clock the realm has, and what lies in its past."""
        if turn is Clock.MANUAL:
            return () if clock is Clock.MANUAL else (_WALL_FROM_THE_BEGINNING,)
        return tuple([_in_the_past(s) async for s in self._late(realm, at)]) if clock is Clock.MANUAL else ()

    async def _late(self, realm: str, at: datetime) -> AsyncIterator[Standing]:
        """The streams of that realm with a deadline at or before that instant."""
        async for standing in self._store.standings(realm=realm):
            if standing.due_at is not None and standing.due_at <= at:
                yield standing

    def _known(self, envelope: Envelope, loaded: Loaded, state: State) -> Answer | None:
        """The answer that needs no decision: recorded already, another request under this id, or not from the door."""
        if not envelope.is_signed(self._door_key):
            return _ended(state, Ending.UNSIGNED)
        if loaded.journalled is None:
            return None
        return repeat_answer(envelope, loaded.journalled)

    def _recorded(self, asked: CarryOut, decision: Decision, appended: Appended) -> Carried | None:
        if appended.status is not Status.APPENDED:
            log.info("command.decided_again", stream=asked.stream, status=appended.status, what=appended.what)
            return None
        answer = None
        if asked.envelope is not None:
            step = decision.steps[-1]
            answer = Answer(
                ending=Ending.REFUSED if step.unmet else Ending.ACCEPTED,
                stream=asked.stream,
                version=decision.state.version,
                position=appended.first_position + sum(1 + len(s.events) for s in decision.steps) - 1,
                events=tuple(e.event_type for e in step.events),
                unmet=step.unmet,
            )
        for step in decision.steps:
            log.info(
                "command.carried_out",
                stream=asked.stream,
                command=step.order.command.command_type,
                refused=[u.rule for u in step.unmet],
                version=decision.state.version,
            )
        return Carried(progress=build_progress(decision), answer=answer)

    async def _adopted(self, state: State, clock: Clock) -> Carried:
        """Only what the log says. The wall clock moves by itself, and a manual one by no alarm: nothing falls due."""
        decision = await self._as_it_stands(state, clock)
        await self._store.refresh_standing(build_standing(decision))
        return Carried(progress=build_progress(decision))

    async def _as_it_stands(self, state: State, clock: Clock) -> Decision:
        """The stream as it is recorded; what is due stays for its alarm."""
        return Decision((), state, await Reader(self._store).calendar(state.stream.realm), clock, {}, state)


def _order(envelope: Envelope | None, at: datetime) -> Order | None:
    """The order in the envelope. The door parsed it already, so a form that fails here is a defect, said as such."""
    if envelope is None:
        return None
    try:
        command = parse_command(envelope.command, envelope.body)
    except (KeyError, ValidationError) as wrong:
        message = f"{envelope.command}: {wrong}"
        raise ApplicationError(message, type="Malformed", non_retryable=True) from wrong
    return Order(command, envelope.actor, at)


def _business_time(asked: CarryOut, loaded: Loaded) -> datetime:
    """The time at which the command is judged; the same on every try, since all of it comes in the asking."""
    received = asked.envelope.received_at if asked.envelope else asked.now
    if loaded.realm.clock is Clock.MANUAL:
        return received
    at = received if 0 <= (asked.now - received).total_seconds() <= RECENT_S else asked.now
    return max(at, loaded.events[-1].occurred_at) if loaded.events else at


def build_append(decision: Decision, others: tuple[Decision, ...], envelope: Envelope | None) -> Append:
    """Decisions as one append: every step journalled, its events behind it, and how each stream then stands."""
    asked = len(decision.steps) - 1 if envelope is not None else -1
    writes = [_write(decision, step, envelope if i == asked else None) for i, step in enumerate(decision.steps)]
    writes.extend(_write(other, step, None) for other in others for step in other.steps)
    written = {d.state.stream for d in (decision, *others)}
    reads = {
        stream: version
        for d in (decision, *others)
        for stream, version in d.reads.items()
        if stream not in written and stream.kind != "scheme"
    }
    standings = (build_standing(decision), *(replace(build_standing(other), notified=False) for other in others))
    return Append(tuple(writes), standings, reads)


def _while_manual(append: Append, realm: str, version: int) -> Append:
    """What is dated by a manual clock stands only while the realm has it: the realm's own stream must not move."""
    stream = StreamId.of("realm", realm, REALM_NAME)
    if any(write.stream == stream for write in append.writes):
        return append
    return replace(append, reads={**append.reads, stream: version})


def _clock_set(decision: Decision) -> Clock | None:
    """The clock that the last step sets, if that is what it does."""
    return next((e.clock for e in decision.steps[-1].events if isinstance(e, ClockSet)), None)


def _write(decision: Decision, step: Step, envelope: Envelope | None) -> Write:
    stream = decision.state.stream
    actor = step.order.actor
    return Write(
        stream=stream,
        expected=step.version,
        command_id=step.command_id,
        command_type=step.order.command.command_type,
        occurred_at=step.order.at,
        meta=canonical(_journal(step, envelope)),
        data=canonical(plain(step.order.command)),
        events=tuple(
            NewEvent(
                type=event.event_type,
                schema_version=event.schema_version,
                meta=canonical({"actor": actor}),
                data=canonical(plain(event)),
                effects=tuple(event.effects(stream)),
            )
            for event in step.events
        ),
    )


def _journal(step: Step, envelope: Envelope | None) -> dict[str, Any]:
    """Who asked what, what it came to, under which rules, and everything that was read for it."""
    outcome: dict[str, Any] = (
        {"refused": [u.model_dump() for u in step.unmet]}
        if step.unmet
        else {"accepted": [e.event_type for e in step.events]}
    )
    journal: dict[str, Any] = {
        "actor": step.order.actor,
        "outcome": outcome,
        "reads": {str(s): v for s, v in step.reads.items()},
        "claims": {key: sorted(holders) for key, holders in step.claims.items()},
        "balances": dict(step.balances),
        "edition": step.edition,
    }
    if step.scheme is not None:
        journal["scheme"] = step.scheme
    if envelope is not None:
        journal["digest"] = envelope.digest()
        journal["received_at"] = envelope.received_at.isoformat()
    return journal


def repeat_answer(envelope: Envelope, journalled: Entry) -> Answer:
    """The answer to an id that is journalled: the recorded one, or that it belongs to another request."""
    if json.loads(journalled.meta).get("digest") != envelope.digest():
        return Answer(ending=Ending.MISMATCH, stream=envelope.subject, version=journalled.version)
    return read_answer(journalled)


def read_answer(entry: Entry) -> Answer:
    """The answer that a journal entry stands for."""
    outcome = json.loads(entry.meta)["outcome"]
    events = tuple(outcome.get("accepted", ()))
    return Answer(
        ending=Ending.ACCEPTED if "accepted" in outcome else Ending.REFUSED,
        stream=entry.stream,
        version=entry.version + len(events),
        position=entry.position + len(events),
        events=events,
        unmet=tuple(Unmet.model_validate(u) for u in outcome.get("refused", ())),
        repeated=True,
    )


def _behind(state: State, at: datetime, now: datetime) -> Answer:
    """Not journalled: nothing is recorded before the manual clock, which never goes back."""
    then, reached = (f"{instant.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" for instant in (at, now))
    unmet = Unmet(
        rule="CLOCK",
        zh=f"此時鐘域已到 {reached},不能再辦理 {then} 的事項",
        en=f"the realm's clock stands at {reached}; nothing more can be dated {then}",
    )
    return _unrecorded(state, (unmet,))


def _unrecorded(state: State, unmet: tuple[Unmet, ...]) -> Answer:
    """A refusal for how the clock and the agenda stand, which no stream's version tells: asked again, judged again."""
    return Answer(ending=Ending.REFUSED, stream=state.stream, version=state.version, unmet=unmet)


_WALL_FROM_THE_BEGINNING = Unmet(
    rule="CK01",
    zh="此域已用實時鐘，不能改為手動",
    en="the realm lives on the wall clock; it cannot be put on a manual one",
)


def _in_the_past(standing: Standing) -> Unmet:
    until = f"{standing.due_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if standing.due_at else ""
    name = f"{standing.stream.kind}/{standing.stream.name}"
    return Unmet(
        rule="CK02",
        zh=f"{name} 的期限 {until} 已過：先以註明日期的命令辦結",
        en=f"{name} has a deadline in the past, {until}: settle it first by a dated command",
    )


def _ended(state: State, ending: Ending) -> Answer:
    return Answer(ending=ending, stream=state.stream, version=state.version)


def build_standing(decision: Decision) -> Standing:
    """The stream's row in the agenda."""
    state = decision.state
    summary = {
        **decision.aggregate.summary(state),
        "awaiting": [_awaited(a) for a in decision.awaiting],
        "calendar": decision.calendar.version,
    }
    return Standing(
        stream=state.stream,
        version=state.version,
        stage=state.stage,
        due_at=decision.alarm,
        clock=decision.clock,
        summary=canonical(summary),
    )


def _awaited(awaited: Awaited) -> dict[str, Any]:
    row: dict[str, Any] = {
        "roles": list(awaited.roles),
        "command": awaited.command,
        "subject": awaited.subject,
        "zh": awaited.zh,
        "en": awaited.en,
    }
    if awaited.until is not None:
        row["until"] = awaited.until.isoformat()
    return row


def build_progress(decision: Decision) -> Progress:
    """What the workflow must know."""
    state = decision.state
    return Progress(
        version=state.version,
        stage=state.stage,
        due=decision.alarm if decision.clock is Clock.WALL else None,
        final=state.stage in decision.aggregate.final,
        decided={str(a.id): a.verdict for a in state.approvals if a.verdict is not Verdict.OPEN},
        shown=captions.stage(state),
        alarm=captions.deadline(decision) or "",
        details=captions.details(decision),
    )


def _parked(state: State, reason: str) -> Progress:
    """No alarm is set for a parked stream: a loop would not mend it."""
    return Progress(
        version=state.version, stage=state.stage, shown=captions.stage(state), details=captions.parked(state, reason)
    )
