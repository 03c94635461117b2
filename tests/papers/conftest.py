"""The shipped stories, each played once into a log of its own, and the papers that they yield."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from application.queries import resolve_name
from cli.scenario import list_shipped, plan_scenario
from domain.kernel.identifier import StreamId
from papers.catalogue import KINDS, list_papers, make_paper, open_file
from scenarios.play import play
from store.memory import MemoryStore
from store.port import EntryKind
from tests.paper import open_paper_door

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import date

    from papers.catalogue import PaperLine
    from papers.paper import Paper
    from store.port import EventStore


@dataclass(frozen=True)
class StoryPapers:
    """A story that was played, and the papers of its files."""

    store: EventStore

    async def _stream(self, name: StreamId | str) -> StreamId:
        return name if isinstance(name, StreamId) else await resolve_name(self.store, name)

    async def list(self, name: StreamId | str, as_of: date | None = None) -> list[PaperLine]:
        return list_papers(await open_file(self.store, await self._stream(name), as_of))

    async def make(self, name: StreamId | str, paper: str, as_of: date | None = None) -> Paper:
        return await make_paper(self.store, await open_file(self.store, await self._stream(name), as_of), paper)

    async def streams(self) -> tuple[StreamId, ...]:
        """The files that may yield papers."""
        entries = await self.store.feed(0, 100_000)
        kinds = {kind.of for kind in KINDS}
        return tuple(sorted({e.stream for e in entries if e.kind == EntryKind.EVENT and e.stream.kind in kinds}))


_PLAYED: dict[str, StoryPapers] = {}


async def play_shipped(story: str) -> StoryPapers:
    """The story ``s2``, played to its end."""
    if story not in _PLAYED:
        (path,) = (path for path in list_shipped() if path.stem.startswith(f"{story}-"))
        (plan,) = plan_scenario([path])
        store = MemoryStore()
        came_of_it = await play(plan, open_paper_door(store), store)
        assert came_of_it.ok, came_of_it.as_json()
        _PLAYED[story] = StoryPapers(store)
    return _PLAYED[story]


@pytest.fixture(scope="session")
def archive() -> Callable[[str], Awaitable[StoryPapers]]:
    return play_shipped
