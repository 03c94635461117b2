"""How questions travel together: one that is wrong takes nobody along, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from store.batcher import Batcher
from store.port import SchemaUnfit

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Desk:
    """Doubles every number; while ``open`` is clear, it makes wait."""

    def __init__(self) -> None:
        self.statements: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def answer(self, numbers: Sequence[int]) -> list[int]:
        self.statements.append(list(numbers))
        await self.open.wait()
        if 13 in numbers:
            message = "no such number"
            raise ValueError(message)
        if 404 in numbers:
            message = "gone"
            raise SchemaUnfit(message)
        return [2 * number for number in numbers]


async def test_what_is_asked_while_a_statement_is_under_way_travels_in_the_next() -> None:
    desk = _Desk()
    questions = Batcher(desk.answer)
    desk.open.clear()
    first = asyncio.create_task(questions.ask(1))
    while not desk.statements:  # noqa: ASYNC110 - until it is under way
        await asyncio.sleep(0)
    others = [asyncio.create_task(questions.ask(n)) for n in (2, 3, 4)]
    await asyncio.sleep(0)
    desk.open.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert desk.statements == [[1], [2, 3, 4]]
    await questions.end()


async def test_a_question_that_cannot_be_answered_fails_alone() -> None:
    questions = Batcher(_Desk().answer)
    answers = await asyncio.gather(*map(questions.ask, (1, 13, 3)), return_exceptions=True)
    assert (answers[0], answers[2]) == (2, 6)
    assert isinstance(answers[1], ValueError)


async def test_where_the_log_is_gone_everybody_hears_it_at_once_and_nothing_is_asked_again() -> None:
    desk = _Desk()
    questions = Batcher(desk.answer)
    answers = await asyncio.gather(*map(questions.ask, (1, 404, 3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [SchemaUnfit] * 3
    assert len(set(map(id, answers))) == 3, "each its own: a raised exception grows a traceback"
    assert len(desk.statements) == 1
    assert await questions.ask(5) == 10


async def test_what_nobody_awaits_any_more_is_not_asked() -> None:
    desk = _Desk()
    questions = Batcher(desk.answer)
    tasks = [asyncio.create_task(questions.ask(n)) for n in range(6)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers[1::2] == [2, 6, 10]
    assert desk.statements == [[1, 3, 5]]


async def test_whoever_waits_when_the_loop_ends_is_let_go() -> None:
    desk = _Desk()
    questions = Batcher(desk.answer)
    desk.open.clear()
    waiting = asyncio.create_task(questions.ask(1))
    while questions._sender is None or not desk.statements:  # noqa: ASYNC110 - until it is under way
        await asyncio.sleep(0)
    questions._sender.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
