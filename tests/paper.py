"""A door without Temporal: what belongs to a manual clock is carried out here, and stories are played so."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, cast

from activities.carry_out import CommandActivities
from application.door import Door
from application.process_carrier import ProcessCarrier
from deciding.fold import fold
from domain.kernel.attachment import Attachment
from domain.kernel.facts import Facts
from domain.kernel.identifier import StreamId
from domain.round.resolution import ResolveRound, Selection, digest_preview, preview_ranking
from scenarios.format import Scenario
from scenarios.plan import Plan, plan
from scenarios.play import PlayResult, play
from schemes.document import read
from store.memory import MemoryStore
from tests.keys import KEY, publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from application.carrier import Carrier
    from deciding.signature import DoorKey
    from domain.kernel.envelope import CarryOut, CarryOutResult
    from store.port import EventStore


class _NoWorkflows:
    """No way but this process: whatever is not on a manual clock is a mistake of the test."""

    def __getattr__(self, name: str) -> object:
        message = f"{name}: nothing here is on the wall clock"
        raise AssertionError(message)


class _Published(CommandActivities):
    """Publishes the tests' key before anything else is carried out."""

    def __init__(self, store: EventStore, key: DoorKey) -> None:
        super().__init__(store)
        self._key = key
        self._is_published = False

    async def carry_out(self, request: CarryOut) -> CarryOutResult:
        if not self._is_published:
            await publish(self._store, self._key)
            self._is_published = True
        return await super().carry_out(request)


def open_paper_door(store: EventStore, key: DoorKey = KEY) -> Door:
    """A door without Temporal, for manual realms, whose key the log has."""
    return Door(ProcessCarrier(_Published(store, key), store, cast("Carrier", _NoWorkflows())), store, key)


CUT = datetime(2023, 6, 30, tzinfo=UTC)
"""The story is told until here: need, call, bid, award, contract, first tranche, start; one refusal among it."""


@cache
def story(until: datetime = CUT, fresh: str = "", name: str = "s2-fuzhou") -> Plan:
    """The beginning of a story, S2 unless another is named, as it comes with the product."""
    document = read(Path(str(files("scenarios").joinpath(f"{name}.yaml"))))
    whole = plan(document.parse(Scenario), document, fresh=fresh)
    return replace(whole, orders=tuple(o for o in whole.orders if o.at < until), expectations=())


async def play_story(
    store: EventStore, until: datetime = CUT, name: str = "s2-fuzhou", tell: Callable[[Plan], Plan] | None = None
) -> PlayResult:
    """The story, or what ``tell`` makes of it, played into that store."""
    told = story(until, name=name)
    came_of_it = await play(tell(told) if tell is not None else told, open_paper_door(store), store)
    assert not came_of_it.deviations, came_of_it.as_json()
    return came_of_it


_TOLD: dict[tuple[datetime, str], MemoryStore] = {}


async def told_story(until: datetime = CUT, name: str = "s2-fuzhou") -> MemoryStore:
    """The story in memory. It is played once until each such moment, and whoever asks has a copy."""
    if (until, name) not in _TOLD:
        store = MemoryStore()
        await play_story(store, until, name)
        _TOLD[until, name] = store
    return copied(_TOLD[until, name])


def copied(store: MemoryStore) -> MemoryStore:
    """Another that holds the same; entries, which nobody can change, are shared."""
    return deepcopy(store, {id(entry): entry for entry in store._entries})


REPORTED = datetime(2023, 5, 11, tzinfo=UTC)
"""The experts have reported, nothing is decided yet."""


async def prepare_resolution(store: EventStore, realm: str) -> ResolveRound:
    """The round's resolution, which awards the story's bid: it asks two commands of the project."""
    selected = Selection(application="AP-5", project="PJ-3", award=5000000, funds={"FS-FZ": 5000000}, panel="RP-2")
    names = (("round", "R-FZ-2023"), ("panel", "RP-2"), ("project", "AP-5"))
    streams = [StreamId.of(kind, realm, name) for kind, name in names]
    events = (await store.read_many(streams)).streams
    states = {stream: fold(stream, events[stream]) for stream in streams}
    looked_at = preview_ranking(states[streams[0]], Facts(streams=states), ("RP-2",), (selected,))
    return ResolveRound(
        panels=("RP-2",),
        selected=(selected,),
        minutes=Attachment(sha256="0" * 64, media_type="application/pdf", name="會議紀要.pdf"),
        contact="市民政局",
        preview=digest_preview(looked_at, (selected,)),
    )
