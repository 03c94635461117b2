"""``/v1/events``: what happened, as CloudEvents 1.0, by pages after a position or as server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from application.access import access_of_house, find_seat, list_hidden_kinds
from deciding.fold import read_occurrence
from domain.kernel.acting import Basis
from domain.kernel.calendar import beginning_of_day
from domain.kernel.identifier import UNNAMED, Actor, StreamId
from domain.kernel.restriction import name_as_written
from store.port import Entry, EntryKind
from web.guard import ByCaller, ByHouse, GuardedRoute, Policy, allow
from web.links import names
from web.problems import Refusal, problem_responses
from web.sse import HEARTBEAT_S, EventStream, event, heartbeat
from web.v1.operations import Wait
from web.v1.streams import require_stream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from application.access import Access
    from web.house import House

router = APIRouter(route_class=GuardedRoute, tags=["events"])

MOST = 500
"""Entries that a page looks through."""
FURTHEST = 2**53
"""A position beyond every log."""

After = Annotated[int, Query(ge=0, le=FURTHEST, description="The position after which to begin.")]
Types = Annotated[
    str | None,
    Query(max_length=1_000, description="Only these types, separated by commas.", examples=["AwardConfirmed"]),
]
Stream = Annotated[str | None, Query(max_length=200, description="Only of this stream, by its whole id.")]


class CloudEvent(BaseModel):
    """An event of the log, as CloudEvents 1.0. Source and id together are unique for ever."""

    specversion: str = "1.0"
    id: str
    """Its position in the log."""
    source: str
    """The log that it stands in, by the chain hash of its first entry."""
    type: Annotated[str, Field(examples=["venture.AwardConfirmed.v1"])]
    subject: Annotated[StreamId, names("stream")]
    time: datetime
    """When it was so; 00:00 of that day in Shanghai where who caused it is withheld."""
    recordedtime: datetime
    """When it was recorded; likewise."""
    sequence: str
    """The position, so that texts sort as positions do."""
    streamversion: int
    seat: Actor | None = None
    """Who caused it; null where the caller's seats are not told."""
    basis: Basis | None = None
    """In what right on a seat that is not theirs, such as break-glass; null for who acted on their own."""
    commandid: str
    datacontenttype: str = "application/json"
    dataschema: str
    withheld: str | None = None
    """The fields that ``data`` lacks since the caller's seats do not see them, separated by commas; null for none."""
    data: dict[str, Any]


class EventPage(BaseModel):
    """Events in the order of the log, none left out, and where to go on."""

    events: list[CloudEvent]
    after: int
    """The position up to which this page has looked: the next request's ``after``."""


@router.get("/v1/events", response_model=EventPage, responses=problem_responses(401, 403, 404, 422, 429, 503))
@allow(Policy.READ)
async def list_events(
    house: ByHouse,
    caller: ByCaller,
    response: Response,
    after: After = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    types: Types = None,
    stream: Stream = None,
    wait: Wait = 0,
) -> EventPage:
    """Events after a position; with ``wait``, as soon as the log goes on, or after so many seconds none."""
    feed = await _open_feed(house, caller, types, stream)
    page = await feed.page(after, limit)
    if not page.events and wait and await house.growth.wait(page.after, wait):
        page = await feed.page(page.after, limit, live=True)
    response.headers["Venture-Position"] = str(page.after)
    return page


@router.get(
    "/v1/events/stream",
    response_class=EventStream,
    response_description="Server-sent events.",
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.READ)
async def stream_events(
    house: ByHouse,
    caller: ByCaller,
    after: Annotated[int | None, Query(ge=0, le=FURTHEST, description="Where to begin; else with what is new.")] = None,
    types: Types = None,
    stream: Stream = None,
    last_event_id: Annotated[
        str | None, Header(pattern=r"^[0-9]{1,16}$", description="Where the last stream broke off.")
    ] = None,
) -> EventStream:
    """Events as they are recorded, each a CloudEvent whose id is its position; taken up again by ``Last-Event-ID``."""
    feed = await _open_feed(house, caller, types, stream)
    begin = int(last_event_id) if last_event_id is not None else after
    position = await house.store.last_position() if begin is None else begin

    async def write_events() -> AsyncIterator[str]:
        at, live = position, False
        while True:
            page = await feed.page(at, MOST, live=live)
            for one in page.events:
                yield event(one.id, one.type, one.model_dump_json())
            is_more, at = page.after > at, page.after
            live = live or len(page.events) < MOST  # the log may grow faster than a stream is read: it is not read anew
            if not is_more and not await house.growth.wait(at, HEARTBEAT_S):
                yield heartbeat()

    return EventStream(write_events())


class _Feed:
    """The log, narrowed to what was asked for."""

    def __init__(
        self,
        house: House,
        source: str,
        types: frozenset[str] | None,
        stream: StreamId | None,
        access: Access,
        hidden_kinds: Collection[str],
    ) -> None:
        self._house = house
        self._access = access
        self._source = source
        self._types = types
        self._stream = stream
        self._hidden_kinds = hidden_kinds

    async def page(self, after: int, limit: int, *, live: bool = False) -> EventPage:
        """The next so many entries; those of them that are events and asked for. ``live`` once the end was come to."""
        if self._stream is not None and not live:
            return await self._page_of(self._stream, after, limit)
        source = self._house.growth if live else self._house.store
        entries = await source.feed(after, limit)
        reached = entries[-1].position if entries else after
        return EventPage(events=[self._convert(entry) for entry in self._choose(entries)], after=reached)

    async def _page_of(self, stream: StreamId, after: int, limit: int) -> EventPage:
        """The next so many entries of one stream: nobody looks through a whole log for the few that are its own."""
        end = await self._house.store.last_position()
        entries = [entry async for entry in self._house.store.read(stream) if entry.position > after]
        reached = max(after, end) if len(entries) <= limit else entries[limit - 1].position
        return EventPage(events=[self._convert(entry) for entry in self._choose(entries[:limit])], after=reached)

    def _choose(self, entries: Iterable[Entry]) -> Iterable[Entry]:
        for entry in entries:
            if entry.kind is not EntryKind.EVENT:
                continue
            if entry.stream.kind in self._hidden_kinds or self._stream not in (None, entry.stream):
                continue
            if (self._types is None or entry.type in self._types) and self._access.may_show(entry.type):
                yield entry

    def _convert(self, entry: Entry) -> CloudEvent:
        return as_cloud_event(entry, self._source, self._access)


async def _open_feed(house: House, caller: ByCaller, types: str | None, stream: str | None) -> _Feed:
    """The feed of what the caller may see. Raises NameUnknown, or Refusal for the whole log to whom it is not open."""
    stream_id, access = await require_stream(house, caller, stream) if stream is not None else (None, None)
    access = access or access_of_house(caller.grants)
    if access is None:
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            "您的崗位不可讀全部事件；請以 stream 指明一個卷宗",
            "your seats may not read all events: name a stream",
        )
    names = frozenset(name.strip() for name in types.split(",")) if types else None
    hidden = list_hidden_kinds(caller.grants) if stream_id is None else ()
    genesis = (await house.store.outcomes([])).genesis
    return _Feed(house, f"urn:venture:log:{genesis.hex() if genesis else ''}", names, stream_id, access, hidden)


def as_cloud_event(entry: Entry, source: str, access: Access) -> CloudEvent:
    """An event of the log as they are told of it who have that access to its stream."""
    occurrence = read_occurrence(entry)
    withheld = name_as_written(occurrence.event, access.list_withheld(occurrence))
    view = access.reveal(occurrence)
    return CloudEvent(
        id=str(entry.position),
        source=source,
        type=f"venture.{entry.type}.v{entry.schema_version}",
        subject=entry.stream,
        time=view.at,
        recordedtime=beginning_of_day(entry.recorded_at) if view.actor == UNNAMED else entry.recorded_at,
        sequence=f"{entry.position:016d}",
        streamversion=entry.version,
        seat=find_seat(view),
        basis=view.basis,
        commandid=str(entry.command_id),
        dataschema=f"/v1/schemas/events/{entry.type}/{entry.schema_version}",
        withheld=",".join(sorted(withheld)) or None,
        data={name: value for name, value in json.loads(entry.data).items() if name not in withheld},
    )
