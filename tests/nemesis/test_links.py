"""The links of the nemesis do what they are struck for."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.nemesis.links import LATENCY_S, Direction, Link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def _echoing() -> AsyncIterator[tuple[Link, list[bytes], Ends]]:
    """A link to somebody who says everything again; what was heard there; and a connection over the link."""
    heard: list[bytes] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):  # torn
            while chunk := await reader.read(100):
                heard.append(chunk)
                writer.write(chunk)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Link(server.sockets[0].getsockname()[1], random.Random(1)).standing() as link:  # noqa: S311 - latency
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        yield link, heard, (reader, writer)
        writer.close()


async def _comes(reader: asyncio.StreamReader, within_s: float) -> bytes | None:
    try:
        async with asyncio.timeout(within_s):
            return await reader.read(100)
    except TimeoutError:
        return None


async def test_what_a_cut_link_holds_back_comes_when_it_is_mended() -> None:
    async with _echoing() as (link, heard, (reader, writer)):
        link.cut(*Direction)
        writer.write(b"append")
        assert await _comes(reader, 0.1) is None
        assert not heard
        link.mend()
        assert await _comes(reader, 10) == b"append"


async def test_over_a_mute_link_the_word_gets_there_and_the_answer_does_not_come() -> None:
    async with _echoing() as (link, heard, (reader, writer)):
        link.cut(Direction.BACK)
        writer.write(b"append")
        assert await _comes(reader, 0.2) is None
        assert heard == [b"append"]
        link.mend()
        assert await _comes(reader, 10) == b"append"


async def test_a_torn_link_resets_who_is_on_it_and_takes_the_next() -> None:
    async with _echoing() as (link, _, (reader, writer)):
        writer.write(b"append")
        assert await _comes(reader, 10) == b"append"
        link.tear()
        with pytest.raises(ConnectionResetError):
            await _comes(reader, 10)
        answers, words = await asyncio.open_connection("127.0.0.1", link.port)
        words.write(b"again")
        assert await _comes(answers, 10) == b"again"
        words.close()


async def test_a_slow_link_takes_its_time_there_and_back() -> None:
    async with _echoing() as (link, _, (reader, writer)):
        link.slow_down()
        writer.write(b"append")
        assert await _comes(reader, 1.9 * LATENCY_S[0]) is None, "there and back at the very least"
        assert await _comes(reader, 10) == b"append"
