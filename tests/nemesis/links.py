"""The network between two parties of the house: a TCP relay on loopback that can be cut, narrowed or torn.

Whoever is behind it may die and come back on its port: each connection looks for it anew.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from contextlib import asynccontextmanager, suppress
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LATENCY_S = (0.05, 0.4)
"""How long a packet takes over a slow link."""
BYTES_PER_S = 32_000
"""What goes over a slow link."""
PACKET = 16_384
AT_ONCE = struct.pack("ii", 1, 0)
"""Linger not at all: closing is a reset, and what was not sent yet is gone."""


class Direction(Enum):
    """Where bytes go."""

    THERE = "there"
    BACK = "back"


class Link:
    """One link. What a cut holds back is delivered late, when it is mended: nobody is told that it was cut."""

    def __init__(self, to_port: int, dice: random.Random) -> None:
        self._to_port = to_port
        self._dice = dice
        self._open = {way: asyncio.Event() for way in Direction}
        self._slow = False
        self._both: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}
        self.port = 0
        """Where it is entered."""
        self.mend()

    def cut(self, *ways: Direction) -> None:
        """Nothing gets through those ways; connections stay open, and new ones are taken."""
        for way in ways:
            self._open[way].clear()

    def slow_down(self) -> None:
        """Every packet takes its time."""
        self._slow = True

    def mend(self) -> None:
        """Let through everything that was held back, at full speed."""
        self._slow = False
        for gate in self._open.values():
            gate.set()

    def tear(self) -> None:
        """Reset every connection, whatever is on its way."""
        for ends in self._both.values():
            for end in ends:
                _reset(end)

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[Link]:
        """The link as long as the block runs."""
        server = await asyncio.start_server(self._entered, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._both):
                task.cancel()
            await asyncio.gather(*self._both, return_exceptions=True)
            await server.wait_closed()

    async def _entered(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._both[task] = (back,)
        try:
            answers, there = await asyncio.open_connection("127.0.0.1", self._to_port)
            self._both[task] = (back, there)
            ways = [
                asyncio.ensure_future(self._relay(here, there, Direction.THERE)),
                asyncio.ensure_future(self._relay(answers, back, Direction.BACK)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):  # nobody there, or the block has ended: either end hears of it
            pass
        finally:
            for end in self._both.pop(task):
                _reset(end)

    async def _relay(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, way: Direction) -> None:
        while packet := await source.read(PACKET):
            if self._slow:
                await asyncio.sleep(self._dice.uniform(*LATENCY_S) + len(packet) / BYTES_PER_S)
            await self._open[way].wait()
            target.write(packet)
            await target.drain()


def _reset(end: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # closed already
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    end.transport.abort()
