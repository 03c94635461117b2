"""What is read for a command: nothing of other streams for somebody who has no business with it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from audit.redecision import redecide
from deciding.journal import Journal
from domain.kernel.identifier import StreamId
from domain.kernel.refusal import CommandRejected
from domain.registers.door_key import key_stream
from domain.registers.office import OFFICE
from store.memory import MemoryStore
from store.port import EntryKind
from tests.keys import KEY
from tests.workflows.bureau import Bureau

if TYPE_CHECKING:
    from store.port import CommandBasis, Readings


class NotingStore(MemoryStore):
    """Notes the streams that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: set[StreamId] = set()

    async def consult(
        self,
        stream: StreamId,
        command_id: UUID | None,
        known: Mapping[StreamId, int],
        claims: Collection[str] = (),
        accounts: Collection[str] = (),
    ) -> tuple[CommandBasis, Readings]:
        self.streams |= {stream, *known}
        return await super().consult(stream, command_id, known, claims, accounts)


def test_whoever_has_no_business_with_it_has_nothing_of_other_streams_read() -> None:
    """The finance seat proposes an award: it is told that it may not, and only who sits there is read for it."""

    async def scenario() -> None:
        store = NotingStore()
        bureau = Bureau("business", store, KEY)
        await bureau.open_base()
        project = bureau.id("project", "AP-1")
        store.streams.clear()
        with pytest.raises(CommandRejected) as refused:
            await bureau.straight(project, bureau.award(1), "CAB-FIN#1")
        assert {u.rule for u in refused.value.unmet} == {"T01"}
        seat = StreamId("seat/live/CAB-FIN.1")
        assert store.streams == {project, bureau.id("calendar", "cn"), seat, OFFICE, key_stream(KEY.id)}
        (entry,) = [e async for e in store.read(project, commands=True)]
        assert entry.kind is EntryKind.COMMAND
        assert Journal.read(entry).reads.keys() == {bureau.id("calendar", "cn"), seat, OFFICE}
        again = await redecide(store, project)
        assert (again.ok, again.refused) == (True, 1), "and the audit agrees"
        await bureau.straight(project, bureau.award(1), "CAB-REG#1")
        assert bureau.id("base", "BASE-1") in store.streams

    asyncio.run(scenario())
