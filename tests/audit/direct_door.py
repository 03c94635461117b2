"""A door without Temporal: commands go straight to ``carry_out`` on a manual clock, and stories are played so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

from activities.carry_out import CommandActivities
from application.door import CommandRequest, Door, Receipt, receipt
from deciding.fold import fold
from domain.kernel.canonical import plain
from domain.kernel.clock import Clock
from domain.kernel.envelope import Answer, CarryOut, Envelope
from domain.kernel.facts import Facts
from domain.kernel.identity import Actor, Attachment, StreamId
from domain.round.resolution import ResolveRound, Selection, digest_preview, preview_ranking
from scenarios.format import Scenario
from scenarios.plan import Plan, plan
from scenarios.play import PlayResult, play
from schemes.document import read

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from domain.kernel.message import Command
    from store.port import EventStore

KEY = b"the door's key, for tests"


class DirectDoor:
    """What a play needs of a door, without workflows in between."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._registrar = CommandActivities(store, KEY)

    async def open_realm(self, realm: str) -> Clock:
        return await self._store.set_clock(realm, Clock.MANUAL)

    async def move_clock(self, realm: str, to: datetime) -> None:
        while (standing := await self._store.falling_due(realm, to)) is not None and standing.due_at is not None:
            await self._registrar.carry_out(CarryOut(stream=standing.stream, now=standing.due_at).signed(KEY))

    async def send(
        self,
        subject: StreamId,
        command: Command,
        actor: Actor,
        *,
        command_id: UUID | None = None,
        at: datetime | None = None,
        derived: bool = False,
    ) -> Receipt:
        asking = CommandRequest(command, actor, command_id or uuid4(), at, derived)
        return receipt(asking.command_id, await self._answer(subject, asking))

    async def send_each(self, subject: StreamId, askings: Sequence[CommandRequest]) -> AsyncGenerator[Answer, None]:
        for asking in askings:
            yield await self._answer(subject, asking)

    async def _answer(self, subject: StreamId, asking: CommandRequest) -> Answer:
        now = asking.at or datetime.now(UTC)
        envelope = Envelope(
            command_id=asking.command_id,
            derived=asking.derived,
            subject=subject,
            actor=asking.actor,
            received_at=now,
            command=asking.command.command_type,
            body=plain(asking.command),
        ).signed(KEY)
        if asking.at is not None:
            await self.move_clock(subject.realm, asking.at)
        carried = await self._registrar.carry_out(CarryOut(stream=subject, now=now, envelope=envelope))
        assert carried.answer is not None
        return carried.answer


CUT = datetime(2023, 6, 30, tzinfo=UTC)
"""The story is told until here: need, call, bid, award, contract, first tranche, start; one refusal among it."""


def story(until: datetime = CUT, fresh: str = "") -> Plan:
    """The beginning of S2, as it comes with the product."""
    document = read(Path(str(files("scenarios").joinpath("s2-fuzhou.yaml"))))
    whole = plan(document.parse(Scenario), document, fresh=fresh)
    return replace(whole, orders=tuple(o for o in whole.orders if o.at < until), expectations=())


async def play_story(store: EventStore, until: datetime = CUT) -> PlayResult:
    """The story, played into that store."""
    came_of_it = await play(story(until), cast("Door", DirectDoor(store)), store)
    assert not came_of_it.deviations, came_of_it.as_json()
    return came_of_it


REPORTED = datetime(2023, 5, 11, tzinfo=UTC)
"""The experts have reported, nothing is decided yet."""


async def prepare_resolution(store: EventStore, realm: str) -> ResolveRound:
    """The round's resolution, which awards the story's bid: it asks two commands of the project."""
    selected = Selection(application="AP-5", project="PJ-3", award=5000000, funds={"FS-FZ": 5000000}, panel="RP-2")
    names = (("round", "R-FZ-2023"), ("panel", "RP-2"), ("project", "AP-5"))
    streams = [StreamId.of(kind, realm, name) for kind, name in names]
    found = (await store.read_many(streams)).streams
    states = {stream: fold(stream, found[stream]) for stream in streams}
    looked_at = preview_ranking(states[streams[0]], Facts(streams=states), ("RP-2",), (selected,))
    return ResolveRound(
        panels=("RP-2",),
        selected=(selected,),
        minutes=Attachment(sha256="0" * 64, media_type="application/pdf", name="會議紀要.pdf"),
        contact="市民政局",
        preview=digest_preview(looked_at, (selected,)),
    )
