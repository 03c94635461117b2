"""A decision rests on what was read for it: the append carries every reading, so that none may move unseen (006)."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING

import pytest

from domain.kernel.refusal import CommandRejected
from domain.registers.organisation import BanApplicant
from store.memory import MemoryStore
from store.port import Append, AppendResult, AppendStatus, EntryKind
from tests.keys import KEY, MINUTES
from tests.workflows.bureau import Bureau

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REALM = "reads"


class Overtaken(MemoryStore):
    """Lets somebody else write between a decision and its append, once; and keeps every append that was tried."""

    def __init__(self) -> None:
        super().__init__()
        self.overtake: Callable[[], Awaitable[object]] | None = None
        self.appends: list[tuple[Append, AppendStatus]] = []

    async def append(self, append: Append) -> AppendResult:
        if self.overtake is not None:
            overtake, self.overtake = self.overtake, None
            await overtake()
        appended = await super().append(append)
        self.appends.append((append, appended.status))
        return appended


def test_what_was_read_and_moved_before_the_append_is_decided_again() -> None:
    """The organisation is barred after its award was granted in thought: the award is refused, not recorded."""

    async def scenario() -> None:
        store = Overtaken()
        bureau = Bureau(REALM, store, KEY)
        await bureau.open_base()
        organisation, project = bureau.id("organisation", "ORG-1"), bureau.id("project", "PJ-1")
        ban = BanApplicant(until=date(2090, 1, 1), reason="虛報", attachments=(MINUTES,))
        store.overtake = lambda: bureau.straight(organisation, ban, "CAB-DEC#1")
        with pytest.raises(CommandRejected):
            await bureau.straight(project, bureau.award(1), "CAB-REG#1")
        *_, (_, _barred), (first, conflict), (_, refused) = store.appends
        assert first.reads[organisation] == 1, "the version that it was decided on"
        assert (conflict, refused) == (AppendStatus.CONFLICT, AppendStatus.APPENDED)
        assert not [e async for e in store.read(project)]

    asyncio.run(scenario())


def test_a_refused_command_on_an_unused_name_is_journalled_and_leaves_no_row() -> None:
    """A name that somebody only tried is nobody's: no list shows it, and the first who may begins it."""

    async def scenario() -> None:
        store = MemoryStore()
        bureau = Bureau(REALM, store, KEY)
        await bureau.open_base()
        project = bureau.id("project", "PJ-1")
        with pytest.raises(CommandRejected):
            await bureau.straight(project, bureau.award(1), "CAB-FIN#1")
        assert [e.kind async for e in store.read(project, commands=True)] == [EntryKind.COMMAND]
        assert await store.standing(project) is None
        await bureau.straight(project, bureau.award(1), "CAB-REG#1")
        row = await store.standing(project)
        assert row is not None
        assert row.version > 0

    asyncio.run(scenario())
