"""How a signed command comes to ``carry_out``: through its stream's workflow, or within this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.kernel.envelope import Answer, CarryOut, Envelope, Progress
    from domain.kernel.identifier import StreamId


class Carrier(Protocol):
    """One way to ``carry_out``. Every method raises NotKnown, CommandInvalid or CommandDefect where no answer comes."""

    async def carry_out(self, envelope: Envelope) -> Answer:
        """The answer to a signed command, as the worker gives it: the door confirms it in the log."""

    async def carry_out_each(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        """The answers to the first of these commands on one stream, at least one; after a no, no more is done."""

    async def fall_due(self, deadline: CarryOut) -> Progress:
        """Let what is due on that stream at that instant fall due, on the door's signed word."""

    async def look(self, stream: StreamId) -> None:
        """Have whoever waits for the stream's deadlines read the log again."""
