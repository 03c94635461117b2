"""``carry_out``: the one way in which anything is recorded. Load, due first, decide, append; again on conflict.

Run it any number of times: a command id has one outcome, and a deadline one event.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import names
from activities.heartbeat import heartbeat
from deciding import manual_clock
from deciding.admission import find_inadmissible
from deciding.agenda_row import build_standing
from deciding.append import build_answer, build_append
from deciding.business_time import business_time
from deciding.decision import Decision, StreamParked, decide_consequences, decide_on
from deciding.document_presence import find_absent
from deciding.fold import parse_command
from deciding.fold_cache import FoldCache
from deciding.journal import repeat_answer
from deciding.parked import find_taken, require_free_ids
from deciding.progress import build_parked_progress, build_progress
from deciding.reader import CachedReader
from deciding.warrant import Warrant, hold
from domain.kernel.clock import Clock
from domain.kernel.envelope import UNRECORDED, Answer, BundleRequest, BundleResult, CarryOut, CarryOutResult, Ending
from domain.kernel.facts import Reads
from domain.kernel.message import Order
from domain.kernel.privacy import describe_error
from metrics import Metrics
from store.bounds import AppendInvalid
from store.port import AppendStatus, StoreUnavailable
from tracing import span

if TYPE_CHECKING:
    from datetime import datetime

    from domain.kernel.identifier import StreamId
    from domain.kernel.refusal import Unmet
    from domain.kernel.state import State
    from store.port import Append, AppendResult, CommandBasis, EventStore

MOST_TRIES = 20
"""Conflicts in a row before the command is given back as not known; each try saw a newer stream."""
SOME_S = 2.0
"""How long, in seconds, commands of a bundle are begun: the workflow's task must end before its ten seconds do."""

MOST_LAG = timedelta(minutes=5)
"""How far Temporal's clock may lie behind the store's: what a bundle, a retry and a busy worker take, and more."""
CLOCKS_ZH = "時鐘不一致，什麼也沒有記錄：核對 Temporal 與 Postgres 的時鐘（venture doctor、NTP），再以同一編號再問"
CLOCKS_EN = (
    "the clocks disagree and nothing was recorded: set those of Temporal and Postgres right "
    "(venture doctor, NTP), then ask again with the same id"
)

log = structlog.get_logger()


@dataclass(frozen=True)
class _Stream:
    """The stream as one try found it, with the clock of its realm and what is journalled under the command's id."""

    state: State
    basis: CommandBasis
    reader: CachedReader
    fault: Unmet | None
    """Why what came is not taken to be from a door that may ask it; None if it is, or nobody need have asked."""
    inadmissible: tuple[Unmet, ...]
    """Why the command is not even taken in."""


class CommandActivities:
    """Carries commands out against one store."""

    def __init__(
        self,
        store: EventStore,
        measures: Metrics | None = None,
        *,
        checks_clocks: bool = False,
        requires_office: bool = False,
        requires_documents: bool = False,
        has_workflows: bool = True,
    ) -> None:
        """Use that store, and let in only what is signed by a key that it has published; count in those measures.

        A worker ``checks_clocks``: that of Temporal against the store's. That none is ahead, the store sees to itself.
        In production it ``requires_office``: nobody acts on the wall clock before the office is founded. It
        ``requires_documents``: on the wall clock nothing is taken in whose attachments are not here. Where it
        ``has_workflows``, their pages are told how each stream stands.
        """
        self._store = store
        self._checks_clocks = checks_clocks
        self._requires_office = requires_office
        self._requires_documents = requires_documents
        self._has_workflows = has_workflows
        self._folds = FoldCache()
        self._measures = measures or Metrics()

    @activity.defn(name=names.CARRY_OUT)
    async def carry_out(self, request: CarryOut) -> CarryOutResult:
        """Carry the command out, or without one apply what is due.

        Raises StoreUnavailable where the outcome is not known; asking again is safe. A fault of ours is an
        ApplicationError of type ``Defect``: no retry would mend it.
        """
        require_own_way(request)
        envelope = request.envelope
        labels = {"command": envelope.command if envelope else "due", "stream_kind": request.stream.kind}
        with self._measures.carry_out_s.time(), span("carry_out", labels, anew=envelope is None):
            async with heartbeat():
                result = await self._retry_conflicts(request)
            if result.answer is not None:
                labels["ending"] = result.answer.ending.lower()
                self._measures.commands.labels(result.answer.ending.lower()).inc()
        if envelope is not None and result.answer is not None and result.answer.ending in UNRECORDED:
            named = result.answer.model_copy(update={"command_id": envelope.command_id})
            return result.model_copy(update={"answer": named})
        return result

    @activity.defn(name=names.CARRY_OUT_EACH)
    async def carry_out_each(self, request: BundleRequest) -> BundleResult:
        """Carry the commands out in turn, until one is not accepted or ``SOME_S`` are over; at least the first.

        Raises as ``carry_out`` does where not even the first has an outcome.
        """
        require_own_way(request)
        until = asyncio.get_running_loop().time() + SOME_S
        done: list[CarryOutResult] = []
        for envelope in request.envelopes:
            try:
                done.append(await self.carry_out(CarryOut(stream=request.stream, now=request.now, envelope=envelope)))
            except (StoreUnavailable, ApplicationError):
                if not done:
                    raise
                break
            answer = done[-1].answer
            if answer is None or answer.ending is not Ending.ACCEPTED or asyncio.get_running_loop().time() > until:
                break
        return BundleResult(progress=done[-1].progress, answers=tuple(c.answer for c in done if c.answer is not None))

    async def _retry_conflicts(self, request: CarryOut) -> CarryOutResult:
        """Try, and try again where somebody else was quicker."""
        for attempt in range(MOST_TRIES):
            try:
                result = await self._try(request)
            except (StoreUnavailable, ApplicationError):
                raise
            except AppendInvalid as invalid:
                raise ApplicationError(invalid.why, type="Invalid", non_retryable=True) from None
            except Exception as defect:
                log.exception("command.defect", stream=request.stream)
                self._measures.defects.inc()
                raise ApplicationError(describe_error(defect), type="Defect", non_retryable=True) from None
            if result is not None:
                return result
            await asyncio.sleep(random.uniform(0, 0.002 * 2 ** min(attempt, 6)))  # noqa: S311 - spreads rivals, no secret
        message = f"{request.stream}: {MOST_TRIES} conflicts in a row; ask again with the same id"
        raise StoreUnavailable(message)

    async def _try(self, request: CarryOut) -> CarryOutResult | None:
        """One try; None if somebody else moved what it rested on."""
        stream = await self._load(request)
        try:
            return await self._carry_out_on(stream, request)
        except StreamParked as parked:
            return await self._park(stream, parked)

    async def _carry_out_on(self, stream: _Stream, request: CarryOut) -> CarryOutResult | None:
        """As docs/architecture.md draws it: journal? due first, decide, append, answer."""
        self._require_own_log(request, stream)
        if (answer := self._find_answer(request, stream)) is not None or not self._may_move_time(request, stream):
            return await self._leave(stream, answer)
        decision, others = await self._decide(request, stream)
        if not decision.steps or (answer := await self._find_clock_refusal(request, decision, stream)) is not None:
            return await self._leave(stream, answer)
        append = await self._build_append(request, stream, decision, others)
        appended = await self._append(append, is_going_live=manual_clock.is_going_live(decision, stream.basis))
        if appended.status is AppendStatus.DUPLICATE and (answer := await self._find_taken(request, decision, others)):
            return await self._leave(stream, answer)
        return self._conclude(request, decision, appended)

    async def _build_append(
        self, request: CarryOut, stream: _Stream, decision: Decision, others: tuple[Decision, ...]
    ) -> Append:
        """What is to be recorded; of a group in a thread: writing thousands of entries would keep others waiting."""

        def build() -> Append:
            held = {**manual_clock.hold_realm(request.stream.realm, stream.basis), **hold(stream.reader.warrant_state)}
            return build_append(decision, others, request.envelope, held)

        return await asyncio.to_thread(build) if others else build()

    def _open_reader(self) -> CachedReader:
        return CachedReader(self._store, folds=self._folds, requires_office=self._requires_office)

    async def _load(self, request: CarryOut) -> _Stream:
        """The stream, and with it what deciding will want: nothing for what is not even taken in."""
        envelope, reader = request.envelope, self._open_reader()
        warrant = Warrant.of(request)
        on = warrant.stream if warrant else None
        hopeless = warrant is not None and (on is None or warrant.is_hopeless(await self._remember(on)))
        unmet = find_inadmissible(envelope) if envelope is not None else ()
        basis, state = await reader.begin(request, warrant_stream=on, alone=hopeless or bool(unmet))
        is_dated = basis.realm.clock is Clock.MANUAL
        if envelope is not None and self._requires_documents and not (is_dated or hopeless or basis.journalled):
            unmet += await find_absent(self._store, envelope.body)
        fault = warrant.find_fault(reader.warrant_state, basis.read_at, is_dated=is_dated) if warrant else None
        return _Stream(state, basis, reader, fault=fault, inadmissible=unmet)

    async def _remember(self, stream: StreamId) -> State:
        """A key or a programme as this worker saw it last: read now if it never did, before anything else is."""
        state = self._folds.recall(stream).state
        if state.version:
            return state
        reader = self._open_reader()
        await reader.fetch(Reads(streams=frozenset({stream})))
        return reader.states[stream]

    def _require_own_log(self, request: CarryOut, stream: _Stream) -> None:
        """Raise ``AnotherLog`` for a command that was meant for another log than this worker's."""
        addressee, ours = request.envelope.log if request.envelope else "", (stream.basis.genesis or b"").hex()
        if addressee and addressee != ours and stream.fault is None:
            log.error("worker.another_log", stream=request.stream, log=ours, wanted=addressee)
            self._measures.another_log.inc()
            message = f"this worker serves the log {ours[:16] or '-'}, not {addressee[:16]}"
            raise ApplicationError(message, type="AnotherLog", non_retryable=True)

    def _find_answer(self, request: CarryOut, stream: _Stream) -> Answer | None:
        """The answer that needs no decision: not signed, journalled already, inadmissible, dated before the clock."""
        envelope = request.envelope
        if envelope is None:
            return None
        state = stream.state
        if stream.fault is not None:
            return Answer(ending=Ending.UNSIGNED, stream=state.stream, version=state.version, unmet=(stream.fault,))
        if stream.basis.journalled is not None:
            return repeat_answer(envelope, stream.basis.journalled)
        if stream.inadmissible:
            return Answer.refuse(state.stream, state.version, stream.inadmissible)
        return manual_clock.refuse_past(state, business_time(request, stream.basis), stream.basis)

    async def _decide(self, request: CarryOut, stream: _Stream) -> tuple[Decision, tuple[Decision, ...]]:
        """What is due first, then the command with its consequences. Raises StreamParked."""
        lag = stream.basis.read_at - request.now
        if self._checks_clocks and stream.basis.realm.clock is Clock.WALL and lag > MOST_LAG:
            raise self._clocks_disagree(request, "behind", request.stream)
        at = business_time(request, stream.basis)
        decision = await decide_on(
            self._store,
            stream.state,
            stream.basis.realm.clock,
            at=at,
            order=_read_order(request, at),
            command_id=request.envelope.command_id if request.envelope else None,
            reader=stream.reader,
        )
        return await decide_consequences(self._store, decision, stream.reader) if decision.steps else (decision, ())

    async def _find_clock_refusal(self, request: CarryOut, decision: Decision, stream: _Stream) -> Answer | None:
        return await manual_clock.find_clock_refusal(
            self._store, decision, stream.basis, stream.state, for_command=request.envelope is not None
        )

    def _may_move_time(self, request: CarryOut, stream: _Stream) -> bool:
        """Whether the request may move time: the wall clock moves by itself, a manual one only by the door's word."""
        if request.envelope is not None:
            return True
        if stream.basis.realm.clock is Clock.WALL:
            return request.alarm
        return not request.alarm and stream.fault is None

    async def _find_taken(self, request: CarryOut, decision: Decision, others: tuple[Decision, ...]) -> Answer | None:
        """The refusal of a command whose consequence's id is taken; None if another worker was merely quicker.

        Raises StreamParked where it is a deadline's.
        """
        for one in (decision, *others):
            await require_free_ids(self._store, one)
        unmet = await find_taken(self._store, others)
        if unmet is None:
            return None
        return Answer.refuse(request.stream, decision.before.version, (unmet,))

    async def _append(self, append: Append, *, is_going_live: bool) -> AppendResult:
        """Ask the log, and count what it says."""
        labels: dict[str, str] = {}
        with self._measures.append_s.time(), span("append", labels):
            appended = await (self._store.go_live(append) if is_going_live else self._store.append(append))
            labels["status"] = appended.status
        self._measures.appends.labels(appended.status).inc()
        if appended.status is AppendStatus.APPENDED:
            self._measures.entries.inc(appended.last_position - appended.first_position + 1)
        return appended

    def _conclude(self, request: CarryOut, decision: Decision, appended: AppendResult) -> CarryOutResult | None:
        """The answer to what was recorded; None if the log said no, and all is to be decided again."""
        if appended.status is AppendStatus.AHEAD:
            raise self._clocks_disagree(request, "ahead", appended.what)
        if appended.status is not AppendStatus.APPENDED:
            log.info("command.decided_again", stream=request.stream, status=appended.status, what=appended.what)
            return None
        for step in decision.steps:
            log.info(
                "command.carried_out",
                stream=request.stream,
                command=step.order.command.command_type,
                refused=[u.rule for u in step.unmet],
                version=decision.state.version,
            )
        answer = build_answer(decision, appended) if request.envelope is not None else None
        return CarryOutResult(progress=build_progress(decision, is_shown=self._has_workflows), answer=answer)

    def _clocks_disagree(self, request: CarryOut, how: str, what: str) -> ApplicationError:
        """Nothing is recorded: what a wrong clock closed would be closed for good. A person sets it right."""
        log.error("clock.disagrees", stream=what, how=how, now=request.now.isoformat())
        self._measures.clocks_disagree.inc()
        message = f"{CLOCKS_ZH} / {CLOCKS_EN}"
        return ApplicationError(message, type="ClocksDisagree", non_retryable=True)

    async def _leave(self, stream: _Stream, answer: Answer | None) -> CarryOutResult:
        """Record nothing: the stream as the log has it, its row made right where nobody is answered."""
        calendar = await stream.reader.calendar(stream.state.stream.realm)
        decision = Decision((), stream.state, calendar, stream.basis.realm.clock, {}, stream.state)
        if answer is None:
            await self._store.refresh_standing(build_standing(decision))
        return CarryOutResult(progress=build_progress(decision, is_shown=self._has_workflows), answer=answer)

    async def _park(self, stream: _Stream, parked: StreamParked) -> CarryOutResult:
        """Say so aloud, and answer so. Only the stream that is parked itself sets no alarm any more."""
        log.error("stream.parked", stream=parked.stream, why=parked.why)
        self._measures.parked.inc()
        answer = Answer(ending=Ending.PARKED, stream=parked.stream, version=stream.state.version)
        if parked.stream != stream.state.stream:
            return await self._leave(stream, answer)
        progress = build_parked_progress(stream.state, f"{parked.stream}: {parked.why}")
        return CarryOutResult(progress=progress, answer=answer)


def require_own_way(request: CarryOut | BundleRequest) -> None:
    """Raise ``Malformed`` for what none of our workflows asks in this way, or of this stream.

    They have it carried out as a local activity, whose arguments nobody but the worker itself can make; only a group's
    decision is an activity of its own. Otherwise a stranger on the task queue could name any time and any stream.
    """
    envelopes = request.envelopes if isinstance(request, BundleRequest) else (request.envelope,)
    is_own = not activity.in_activity() or activity.info().is_local
    is_group = any(envelope is not None and envelope.command in names.GROUP_DECISIONS for envelope in envelopes)
    if any(envelope is not None and envelope.subject != request.stream for envelope in envelopes):
        message = f"not a command of {request.stream}"
        raise ApplicationError(message, type="Malformed", non_retryable=True)
    if not (is_own or is_group):
        message = "only a workflow's own worker asks so"
        raise ApplicationError(message, type="Malformed", non_retryable=True)


def _read_order(request: CarryOut, at: datetime) -> Order | None:
    """The order in the envelope. The door parsed it already, so a form that fails here is a defect, said as such."""
    envelope = request.envelope
    if envelope is None:
        return None
    try:
        command = parse_command(envelope.command, envelope.body)
    except (KeyError, ValidationError) as wrong:
        message = f"{envelope.command}: {describe_error(wrong)}"
        raise ApplicationError(message, type="Malformed", non_retryable=True) from None
    return Order(command, envelope.actor, at, person=envelope.person)
