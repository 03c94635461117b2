"""What was asked without waiting for the answer: kept, carried out in the background, and looked at as often as wanted.

Only what was asked is kept. The outcome is in the log, under the same id; after a crash the command is asked again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog
from pydantic import ValidationError

from application.command_outcome import CommandOutcome, find_outcome, find_outcomes
from application.door import NotKnown, Receipt
from application.pages import SortOrder
from domain.catalogue import command_class
from domain.kernel.canonical import canonical, plain
from domain.kernel.failure import Defect, Failure, FailureKind
from store.identity import Operation
from store.port import StoreUnavailable

if TYPE_CHECKING:
    from application.door import Door
    from application.pages import PageRequest
    from domain.kernel.acting import PersonId
    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.message import Command
    from store.identity import IdentityStore
    from store.port import EventStore

log = structlog.get_logger()

RESUMED: Final = timedelta(days=2)
"""How long after it was asked an operation without an outcome is taken up again."""
AGAIN_S: Final = 2.0
"""Seconds before a command whose outcome is not known is asked again; the double after each time."""
LONGEST_PAUSE_S: Final = 60.0
_MOST_ENDED: Final = 1_000
"""Endings that are in no log, kept for whoever still asks for them."""


class NoSuchOperation(Failure):
    """Nothing was asked under that id, or it was somebody else's."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(f"沒有編號 {operation_id} 的操作", f"there is no operation {operation_id}")


class OperationTaken(Failure):
    """The id is that of another operation."""

    kind = FailureKind.CONFLICT

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(f"編號 {operation_id} 已用於另一請求", f"the id {operation_id} was used for another request")


@dataclass(frozen=True)
class OperationProgress:
    """How an operation stands."""

    operation: Operation
    outcome: CommandOutcome | None = None
    """As the log has it."""
    failure: Failure | None = None
    """Why it came to no outcome, and never will."""

    @property
    def is_done(self) -> bool:
        """Whether nothing more will come."""
        return self.outcome is not None or self.failure is not None


@dataclass(frozen=True)
class OperationList:
    """A page of operations."""

    rows: tuple[OperationProgress, ...]
    next: str | None
    """What the next page begins after; None at the end."""


_ORDER: Final = SortOrder((("asked_at", datetime), ("id", UUID)), descending=True)
_NEWEST: Final = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))


class Operations:
    """Those of this process run here; any process can tell how any of them stands."""

    def __init__(self, store: EventStore, identity: IdentityStore, door: Door) -> None:
        self._store = store
        self._identity = identity
        self._door = door
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._failures: dict[UUID, Failure] = {}

    async def begin(
        self,
        asker: str,
        stream: StreamId,
        command: Command,
        actor: Actor,
        command_id: UUID,
        *,
        at: datetime | None,
        person: PersonId | None,
        session: str,
    ) -> Operation:
        """Keep what is asked and have it carried out; the same asked again is the same. Raises OperationTaken."""
        fresh = Operation(
            id=command_id,
            asker=asker,
            stream=stream,
            actor=actor,
            command=command.command_type,
            body=canonical(plain(command)),
            at=at,
            person=person,
            session=session,
        )
        await self._identity.add_operation(fresh)
        kept = await self._identity.operation(command_id)
        if kept is None or _request(kept) != _request(fresh):
            raise OperationTaken(command_id)
        self._run(kept)
        return kept

    async def look(self, asker: str, operation_id: UUID, wait_s: float = 0) -> OperationProgress:
        """How it stands, if that is the asker's; waits so long for its end. Raises NoSuchOperation."""
        operation = await self._identity.operation(operation_id)
        if operation is None or operation.asker != asker:
            raise NoSuchOperation(operation_id)
        outcome = await find_outcome(self._store, operation_id)
        if outcome is None and operation_id not in self._failures:
            self._run(operation)
            await asyncio.wait({self._running[operation_id]}, timeout=wait_s)
            outcome = await find_outcome(self._store, operation_id)
        return OperationProgress(operation, outcome, None if outcome else self._failures.get(operation_id))

    async def list(self, asker: str, request: PageRequest, *, is_pending: bool = False) -> OperationList:
        """How the asker's stand, the newest first; all, or those that are not done. Raises CursorInvalid."""
        before = _ORDER.read("operations", request.after) if request.after is not None else _NEWEST
        operations = await self._identity.operations(asker, before, request.limit + 1, unanswered=is_pending)
        rows, more = operations[: request.limit], None
        if len(operations) > request.limit:
            more = _ORDER.write("operations", {"asked_at": rows[-1].asked_at, "id": rows[-1].id})
        outcomes = await find_outcomes(self._store, [one.id for one in rows])
        progress = [OperationProgress(one, outcomes.get(one.id), self._failures.get(one.id)) for one in rows]
        return OperationList(tuple(one for one in progress if not (is_pending and one.is_done)), more)

    async def resume(self) -> int:
        """Take up what has no outcome yet; how many there were. For the start of a process."""
        operations = await self._identity.unanswered_operations(datetime.now(UTC) - RESUMED)
        for operation in operations:
            self._run(operation)
        return len(operations)

    async def aclose(self) -> None:
        """Stop here; what is under way is left to the next process."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _run(self, operation: Operation) -> None:
        if operation.id not in self._running and operation.id not in self._failures:
            task = self._running[operation.id] = asyncio.create_task(self._carry_out(operation))
            task.add_done_callback(lambda _: self._running.pop(operation.id, None))

    async def _carry_out(self, operation: Operation) -> None:
        """Ask until it is known what came of it."""
        pause_s = AGAIN_S
        while True:
            try:
                await self._send(operation)
            except (NotKnown, StoreUnavailable):
                await asyncio.sleep(pause_s)
                pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
                continue
            except Failure as failure:
                self._keep(operation.id, failure)
            except ValidationError:
                self._keep(operation.id, Defect(f"{operation.command} of another release"))
            return

    async def _send(self, operation: Operation) -> Receipt:
        command = command_class(operation.command).model_validate_json(operation.body)
        return await self._door.send(
            operation.stream,
            command,
            operation.actor,
            command_id=operation.id,
            at=operation.at,
            person=operation.person,
            session=operation.session,
        )

    def _keep(self, operation_id: UUID, failure: Failure) -> None:
        self._failures[operation_id] = failure
        if len(self._failures) > _MOST_ENDED:
            del self._failures[next(iter(self._failures))]


def _request(operation: Operation) -> tuple[object, ...]:
    """What makes two of them the same."""
    return operation.asker, operation.stream, operation.actor, operation.command, operation.body
