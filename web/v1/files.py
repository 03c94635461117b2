"""``/v1/names`` and ``/v1/files``: who is meant by a name, and a file as it is, or as it was and was known."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel

from application.access import find_access, find_seat, load_seen_file
from application.queries import File, NameUnknown, load_file
from audit.as_of import instant_of
from domain.catalogue import AGGREGATES, stage_zh
from domain.kernel.acting import Basis, PersonId
from domain.kernel.canonical import canonical, plain
from domain.kernel.explanation import InputFault, InputInvalid, ValueMisread
from domain.kernel.identifier import Actor, Role, StreamId
from domain.kernel.input import read_day_or_time
from domain.kernel.restriction import name_as_written
from papers.lists import STORY, list_story
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.links import names
from web.problems import problem_responses
from web.v1.sheets import SHEET, BySheet, answer_sheet

if TYPE_CHECKING:
    from application.caller import Caller
    from application.event_text import Say
    from web.house import House
    from web.language import Language

router = APIRouter(route_class=GuardedRoute, tags=["files"])

Kind = Annotated[str, "of a stream, as project"]
Moment = Annotated[
    str | None,
    Query(
        max_length=40,
        description="A day, which counts to its end in Shanghai, or a time: in Shanghai unless it has an offset.",
        examples=["2024-03-04", "2024-03-04T09:00:00+08:00"],
    ),
]


class NameAnswer(BaseModel):
    """The streams that bear a name."""

    streams: Annotated[list[StreamId], names("stream")]


class AwaitedAnswer(BaseModel):
    """Who is awaited, for what, and until when."""

    roles: tuple[Role, ...]
    command: str
    subject: str
    text: str
    until: datetime | None
    provisional: bool
    """Whether a notice of working days may still move that."""


class DueAnswer(BaseModel):
    """What falls due next, and when."""

    at: datetime
    command: str
    key: str
    provisional: bool


class ChapterAnswer(BaseModel):
    """One event of a story."""

    position: int
    stream: StreamId
    event: str
    text: str
    """What the office calls it."""
    seat: Actor | None
    """Which acted; null where the caller's seats are not told who did, and then ``persons`` is empty."""
    persons: list[PersonId]
    basis: Basis | None
    """In what right on a seat that is not theirs, such as break-glass; null for who acted on their own."""
    at: datetime
    """When it was so; 00:00 of that day in Shanghai where who acted is withheld."""
    recorded_at: datetime
    """When it was known; likewise."""
    data: dict[str, Any]
    withheld: list[str]
    """The fields of the event that ``data`` lacks since the caller's seats do not see them."""


class FiledDocumentAnswer(BaseModel):
    """A document that an event of the story attaches."""

    stream: StreamId
    """By which it may be asked for: ``/v1/documents/{sha256}?stream=…``."""
    sha256: Annotated[str, names("digest")]
    media_type: str
    name: str
    is_here: bool
    """Whether its bytes are here; of papers that were taken in they need not be."""


class FileAnswer(BaseModel):
    """A stream as it stands, and its story; of a project also its need's, its round's and its panel's."""

    stream: StreamId
    version: int
    stage: str
    stage_text: str
    since: datetime | None
    summary: dict[str, Any]
    due: DueAnswer | None
    awaiting: list[AwaitedAnswer]
    story: list[ChapterAnswer]
    documents: list[FiledDocumentAnswer]
    as_of: datetime | None
    """Up to when events count; null for now."""
    known_at: datetime | None
    """Up to when they were recorded; null for now."""
    position: int
    """The position of the log that it was read at, at least."""


@router.get("/v1/names/{name}", response_model=NameAnswer, responses=problem_responses(401, 403, 404, 422, 429, 503))
@allow(Policy.READ)
async def find_name(
    name: str, house: ByHouse, caller: ByCaller, realm: Annotated[str | None, Query(max_length=64)] = None
) -> NameAnswer:
    """The streams that bear a name, e.g. ``PJ-3``, of those that the caller may see; in one realm, or in all."""
    streams = await house.store.streams_named(name, realm)
    seen = [stream for stream in streams if await _is_seen(house, caller, stream)]
    if not seen:
        raise NameUnknown(name)
    return NameAnswer(streams=seen)


@router.get(
    "/v1/files/{kind}/{realm}/{name}",
    response_model=FileAnswer,
    responses={**SHEET, 304: {"description": "Not modified."}, **problem_responses(401, 403, 404, 422, 429, 503)},
)
@allow(Policy.READ)
async def get_file(
    kind: str,
    realm: str,
    name: str,
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    as_sheet: BySheet,
    as_of: Moment = None,
    known_at: Moment = None,
    if_none_match: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """A file as it is, or as it was: up to ``as_of`` by when it was so, up to ``known_at`` by when it was recorded."""
    try:
        stream = StreamId.of(kind, realm, name)
    except ValueError:
        raise NameUnknown(name) from None
    if kind not in AGGREGATES:
        raise NameUnknown(name)
    until, known = read_as_of("as_of", as_of), read_as_of("known_at", known_at)
    position = await house.store.last_position()
    file = await load_seen_file(house.store, caller.grants, stream, until=until, known=known)
    if as_sheet:
        conditions = {"stream": stream, "as_of": as_of, "known_at": known_at}
        return await answer_sheet(STORY, list_story(file, language.say), language, **conditions)
    answer = _file(file, language, until, known, position)
    content = canonical(plain_answer(answer))
    body = answer.model_copy(update={"position": 0})
    tag = f'"{file.state.version}.{sha256(canonical(plain_answer(body))).hexdigest()[:16]}"'
    headers = {
        "ETag": tag,
        "Vary": "Accept, Accept-Language",
        "Content-Language": language,
        "Cache-Control": "private, no-cache",
    }
    if if_none_match is not None and tag in {one.strip().removeprefix("W/") for one in if_none_match.split(",")}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(content, headers={**headers, "Venture-Position": str(position)}, media_type="application/json")


def read_as_of(name: str, text: str | None) -> datetime | None:
    """The end of a day, or an instant: in Shanghai unless it has an offset, as in bodies. Raises InputInvalid."""
    if text is None:
        return None
    try:
        return instant_of(read_day_or_time(text))
    except ValueMisread as misread:
        raise InputInvalid([InputFault((name,), misread.zh, misread.en)]) from misread


def plain_answer(answer: BaseModel) -> dict[str, Any]:
    """An answer as plain JSON values, nulls included."""
    return answer.model_dump(mode="json")


async def _is_seen(house: House, caller: Caller, stream: StreamId) -> bool:
    try:
        state = (await load_file(house.store, stream)).state
        return await find_access(house.store, caller.grants, state) is not None
    except NameUnknown:
        return False


def _file(file: File, language: Language, until: datetime | None, known: datetime | None, position: int) -> FileAnswer:
    due = file.due()
    return FileAnswer(
        stream=file.stream,
        version=file.state.version,
        stage=file.state.stage,
        stage_text=language.say(stage_zh(file.stream.kind, file.state.stage), file.state.stage),
        since=file.state.since,
        summary=file.summary,
        due=DueAnswer(at=due.at, command=due.command.command_type, key=due.key, provisional=due.provisional)
        if due
        else None,
        awaiting=[
            AwaitedAnswer(
                roles=one.roles,
                command=one.command,
                subject=one.subject,
                text=language.say(one.zh, one.en),
                until=one.until,
                provisional=one.provisional,
            )
            for one in file.awaiting()
        ],
        story=build_chapters(file, language.say),
        documents=[
            FiledDocumentAnswer(stream=one.stream, is_here=one.is_here, **one.attachment.model_dump())
            for one in file.documents
        ],
        as_of=until,
        known_at=known,
        position=position,
    )


def build_chapters(file: File, say: Say) -> list[ChapterAnswer]:
    """The events of the story as whoever reads it sees them, and which of their fields they do not."""
    return [
        ChapterAnswer(
            position=chapter.position,
            stream=chapter.stream,
            event=chapter.occurrence.event.event_type,
            text=say(chapter.occurrence.event.zh, chapter.occurrence.event.en),
            seat=find_seat(chapter.occurrence),
            persons=sorted(chapter.occurrence.persons),
            basis=chapter.occurrence.basis,
            at=chapter.at,
            recorded_at=chapter.recorded_at,
            data=plain(chapter.occurrence.event),
            withheld=sorted(name_as_written(chapter.occurrence.event, chapter.withheld)),
        )
        for chapter in file.story
    ]
