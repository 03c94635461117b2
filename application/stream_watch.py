"""Wakes whoever waits for an approval or a payment: one reader of the log for all who wait in this process.

Nobody who waits occupies a place among a workflow's updates, and one who leaves takes nothing along (015).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from deciding.fold import load_state
from domain.kernel.approval import Approval, Verdict
from store.port import StoreUnavailable

if TYPE_CHECKING:
    from uuid import UUID

    from domain.kernel.identifier import StreamId
    from domain.kernel.state import State
    from store.port import EventStore

IDLE_S = 1.0
"""A poke may be lost: after so many seconds the log is asked how far it reaches."""
FAR = 5_000
"""Entries beyond which it costs less to read every stream that is waited for than the log in between."""
_PAGE = 1_000

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class StreamQuestion(Protocol[T_co]):
    """What somebody waits for in a stream: equal questions have one answer. It must be hashable."""

    def answer(self, state: State) -> T_co | None:
        """The answer as the stream stands; None while there is none."""


@dataclass(frozen=True)
class ApprovalEnds:
    """How an approval was decided."""

    id: UUID

    def answer(self, state: State) -> Approval | None:
        """The approval, once it is decided; until then None."""
        return next((a for a in state.approvals if a.id == self.id and a.verdict is not Verdict.OPEN), None)


_Waiting = dict[StreamQuestion[Any], set["asyncio.Future[Any]"]]


class StreamWatch:
    """Reads a stream only when it has grown and somebody waits for an approval in it, and once for all who do."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._waiting: dict[StreamId, _Waiting] = {}
        self._unread: set[StreamId] = set()
        """Streams that have grown since they were last read."""
        self._reader: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return sum(len(futures) for waiting in self._waiting.values() for futures in waiting.values())

    async def wait(self, stream: StreamId, approval_id: UUID) -> Approval:
        """The approval, once it is decided."""
        return await self.ask(stream, ApprovalEnds(approval_id))

    async def ask(self, stream: StreamId, question: StreamQuestion[T]) -> T:
        """The answer to that question of the stream, once there is one."""
        ended: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(stream, {}).setdefault(question, set()).add(ended)
        self._unread.add(stream)
        if self._reader is None:
            self._reader = asyncio.create_task(self._follow())
        try:
            return await ended
        finally:
            self._leave(stream, question, ended)

    def _leave(self, stream: StreamId, question: StreamQuestion[Any], ended: asyncio.Future[Any]) -> None:
        waiting = self._waiting[stream]
        waiting[question].discard(ended)
        if not waiting[question]:
            del waiting[question]
        if not waiting:
            del self._waiting[stream]
        if not self._waiting and self._reader is not None:
            self._reader.cancel()
            self._reader = None

    async def _follow(self) -> None:
        """Read every stream that is waited for and has grown, as long as anybody waits."""
        why: Exception = StoreUnavailable("the store was closed")
        try:
            position: int | None = None
            async for reached in self._store.pokes(IDLE_S):
                with suppress(StoreUnavailable):  # what is unread stays so until the next poke
                    position = await self._note_growth(position, reached)
                    await self._read()
        except Exception as fault:  # noqa: BLE001 - whatever it was, who waits must hear of it
            why = fault
        self._reader = None
        for waiting in self._waiting.values():
            _fail(waiting, why)

    async def _note_growth(self, position: int | None, reached: int) -> int:
        """Which of the streams have entries after that position; the position up to which that is known."""
        if position is None or not position <= reached <= position + FAR:
            self._unread |= self._waiting.keys()
            return reached
        while position < reached:
            entries = await self._store.feed(position, _PAGE)
            if not entries:
                break
            self._unread |= {entry.stream for entry in entries} & self._waiting.keys()
            position = entries[-1].position
        return position

    async def _read(self) -> None:
        for stream in list(self._unread & self._waiting.keys()):
            state = await load_state(self._store, stream)
            self._unread.discard(stream)
            for question, futures in self._waiting.get(stream, {}).items():
                answer = question.answer(state)
                for ended in futures if answer is not None else ():
                    if not ended.done():
                        ended.set_result(answer)
        self._unread &= self._waiting.keys()


def _fail(waiting: _Waiting, why: Exception) -> None:
    for futures in waiting.values():
        for ended in futures:
            if not ended.done():
                ended.set_exception(why)
