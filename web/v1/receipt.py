"""What a command is answered with once it is carried out, wherever it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from pydantic import BaseModel

from application.approvals import list_opened
from domain.kernel.identifier import Role, StreamId
from web.links import names

if TYPE_CHECKING:
    from application.command_outcome import CommandOutcome
    from application.door import Receipt
    from store.port import EventStore


class OpenedApproval(BaseModel):
    """An approval that the command opened: to be waited for at ``/v1/approvals/{id}``."""

    id: Annotated[UUID, names("approval_id")]
    gate: str
    """The command that would grant it."""
    key: str
    """What it is about within the stream, e.g. a tranche."""
    role: Role
    """Who may decide, or the first of those who may."""


class ReceiptAnswer(BaseModel):
    """A command that was carried out. The same for the same id, whenever it is asked."""

    command_id: UUID
    stream: StreamId
    version: int
    """The stream's version after it."""
    position: Annotated[int, names("at_least")]
    """The position of the last entry that it wrote: what reads that must show it are asked for by."""
    events: tuple[str, ...]
    log: str
    """The log in which it stands, by the chain hash of its first entry, in hex."""
    approvals: list[OpenedApproval] = []
    """The approvals that it opened."""

    @classmethod
    async def of(cls, store: EventStore, of: Receipt | CommandOutcome) -> ReceiptAnswer:
        """Of a receipt, with the approvals that its events opened."""
        opened = await list_opened(store, of.stream, of.version, of.events)
        return cls(
            approvals=[OpenedApproval(id=a.id, gate=a.gate, key=a.key, role=a.role) for a in opened],
            command_id=of.command_id,
            stream=of.stream,
            version=of.version,
            position=of.position,
            events=of.events,
            log=of.log,
        )
