"""Appends and questions of one process that meet on the way travel in one statement, each kind by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from store.port import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

Q = TypeVar("Q")
A = TypeVar("A")

MOST: Final = 256
"""Questions, or appends, in one statement."""


class Batcher(Generic[Q, A]):
    """One kind of question. While a statement is under way, the next one gathers; a lone question waits for nobody."""

    def __init__(
        self,
        answer_all: Callable[[Sequence[Q]], Awaitable[Sequence[A]]],
        *,
        measure: Callable[[Q], int] = lambda _: 0,
        largest: int = 0,
    ) -> None:
        """Have them answered by that, in their order, as of one moment after the last of them was asked.

        A statement that has grown beyond ``largest``, as they ``measure``, takes no more.
        """
        self._answer_all = answer_all
        self._measure = measure
        self._largest = largest
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """Its answer. Raises what answering it alone would raise."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all())
        return await future

    async def end(self) -> None:
        """Wait until nothing is under way."""
        if self._sender is not None:
            await asyncio.wait([self._sender])

    async def _send_all(self) -> None:
        batch: list[tuple[Q, asyncio.Future[A]]] = []
        try:
            while batch := self._take():
                await self._send(batch)
        except BaseException:
            for _, future in (*batch, *self._waiting):
                future.cancel()
            self._waiting.clear()
            raise
        finally:
            self._sender = None

    def _take(self) -> list[tuple[Q, asyncio.Future[A]]]:
        """The oldest, as many as go into one statement; those that nobody awaits any more are left."""
        batch: list[tuple[Q, asyncio.Future[A]]] = []
        seen, size = 0, 0
        for question, future in self._waiting:
            if len(batch) == MOST or size > self._largest:
                break
            seen += 1
            if not future.done():
                batch.append((question, future))
                size += self._measure(question)
        del self._waiting[:seen]
        return batch

    async def _send(self, batch: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        """One statement; every future of it gets an answer."""
        try:
            answers = await self._answer_all([question for question, _ in batch])
        except StoreUnavailable as gone:
            for _, future in batch:
                _fail(future, type(gone)(gone.why))  # each its own, of the same kind: SchemaUnfit says what to do
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever awaits hears of it
            if len(batch) == 1:
                _fail(batch[0][1], error)
                return
            for one in batch:  # all of it is undone: find out whose it was, and let the others through
                await self._send([one])
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


def _fail(future: asyncio.Future[A], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
