"""Reading for people and programs: who is meant by a name, how a stream stands, and a project's whole file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from application.folded_stream import fold_stream
from application.realms import require_realm
from deciding.fold import fold, load_state
from deciding.reader import Reader
from domain.application import Application
from domain.catalogue import AGGREGATES, kind_of_subject, split_subject
from domain.kernel.attachment import find_attachments
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import LIVE, StreamId
from domain.kernel.restriction import Restriction
from domain.project.award import Award
from domain.registers.organisation import Organisation
from domain.registers.panel import RecuseReviewer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from application.folded_stream import Chapter, StateChange
    from domain.kernel.attachment import Attachment
    from domain.kernel.calendar import Calendar
    from domain.kernel.message import Awaited, Due
    from domain.kernel.state import State
    from store.port import Entry, EventStore


class NameUnknown(Failure):
    """No stream bears that name."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, name: str) -> None:
        super().__init__(f"找不到 {name}", f"there is no {name}", name=name)


class NameAmbiguous(Failure):
    """Several realms have a stream of that name."""

    kind = FailureKind.USAGE
    remedy_zh = "請用 --realm 指明環境，或寫全稱"
    remedy_en = "Name the environment by --realm, or write the whole id"

    def __init__(self, name: str, candidates: Sequence[StreamId]) -> None:
        names = "".join(f"\n  {candidate}" for candidate in candidates)
        super().__init__(
            f"{name} 有多個：{names}", f"there are several {name}:{names}", name=name, candidates=list(candidates)
        )
        self.candidates = tuple(candidates)


class RealmUnsaid(Failure):
    """An act on a name that no stream of the live realm bears: where it is to be done must be said."""

    kind = FailureKind.USAGE

    def __init__(self, name: str, realm: str) -> None:
        super().__init__(
            f"live 環境沒有 {name}，{realm} 環境有。要在該處辦理，請加 --realm {realm}（HTTP 為 realm 欄）；"
            "在 live 新立則加 --realm live",
            f"live has no {name}, the environment {realm} has. To act there, say --realm {realm} (HTTP: «realm»); to"
            " begin one in live, say --realm live",
            name=name,
            realm=realm,
        )


@dataclass(frozen=True)
class Meaning:
    """The stream that a name leads to."""

    stream: StreamId
    namesakes: tuple[StreamId, ...] = ()
    """Those of other realms that bear the same name, where none was said."""


async def find_meaning(store: EventStore, name: str, realm: str | None = None) -> Meaning:
    """What a name means: a whole id, or ``PJ-3``, ``AP-5``, ``R-FZ-2023``…; ``PJ-3/T1`` means PJ-3.

    Where no realm is said, the live one's is meant if it has one, else the only one that there is. Raises NameUnknown,
    NameAmbiguous, or NoSuchRealm.
    """
    await require_realm(store, realm)
    short, _ = split_subject(name)
    if "/" in short:
        try:
            return Meaning(StreamId(short))
        except ValueError:
            raise NameUnknown(name) from None
    matches = await store.streams_named(short, realm)
    if not matches:
        raise NameUnknown(short)
    candidates = [one for one in matches if one.realm == LIVE] or matches
    if len(candidates) > 1:
        raise NameAmbiguous(short, candidates)
    return Meaning(candidates[0], tuple(one for one in matches if one != candidates[0]))


async def resolve_name(store: EventStore, name: str, realm: str | None = None) -> StreamId:
    """The stream that a name means. Raises as ``find_meaning``."""
    return (await find_meaning(store, name, realm)).stream


def new_stream(name: str, realm: str) -> StreamId:
    """The id that a new stream of that name gets. Raises KeyError if the name tells no kind."""
    short, _ = split_subject(name)
    return StreamId.of(kind_of_subject(short), realm, short)


async def find_or_begin(store: EventStore, name: str, realm: str | None = None, *, begins: bool = False) -> Meaning:
    """What a name means, or the new stream that it begins; of a command that only ever ``begins`` one, live's.

    Raises NameAmbiguous, NoSuchRealm, or NameUnknown if no stream bears the name and it tells no kind.
    """
    if begins and realm is None and "/" not in split_subject(name)[0]:
        realm = LIVE
    try:
        meaning = await find_meaning(store, name, realm)
    except NameUnknown as unknown:
        try:
            return Meaning(new_stream(name, realm or LIVE))
        except (KeyError, ValueError):
            raise unknown from None
    await require_realm(store, meaning.stream.realm)  # a whole id may name one that is not there
    return meaning


async def find_to_act(store: EventStore, name: str, realm: str | None = None, *, begins: bool = False) -> Meaning:
    """Likewise, of who acts: a name without its realm is never a trial's. Raises RealmUnsaid, too."""
    meaning = await find_or_begin(store, name, realm, begins=begins)
    require_realm_said(meaning, name, realm)
    return meaning


def require_realm_said(meaning: Meaning, name: str, realm: str | None) -> None:
    """Raise RealmUnsaid where a name without its realm turned out to be a trial's."""
    short, _ = split_subject(name)
    if realm is None and "/" not in short and meaning.stream.realm != LIVE:
        raise RealmUnsaid(short, meaning.stream.realm)


@dataclass(frozen=True)
class FiledDocument:
    """A document that an event attaches."""

    stream: StreamId
    """Of the event."""
    attachment: Attachment
    is_here: bool
    """Whether its bytes are: papers that were taken in may lack them."""


@dataclass(frozen=True)
class File:
    """A stream as people read it: how it stands, who is awaited, and the story so far."""

    stream: StreamId
    state: State
    calendar: Calendar
    story: tuple[Chapter, ...]
    head: bytes
    """The stream's chain hash at its last event that is in it."""
    documents: tuple[FiledDocument, ...] = ()
    """What its events attach, each once a stream, in order."""
    is_whole: bool = True
    """Whether every event is in it; a reviewer's is what was handed in, and nothing that came of it."""
    restrictions: frozenset[Restriction] = frozenset()
    """Of what kind marked fields are withheld from whoever reads it (``domain.visibility``)."""
    changes: tuple[StateChange, ...] = ()
    """Where it came to another stage, or its money to another figure."""

    @property
    def summary(self) -> dict[str, Any]:
        """What a list shows of the file."""
        return dict(AGGREGATES[self.stream.kind].summary(self.state))

    def awaiting(self) -> list[Awaited]:
        """Who is awaited now, but for a recusal that would name one of the panel to whom its seats are withheld."""
        awaited = AGGREGATES[self.stream.kind].awaiting(self.state, self.calendar)
        return [one for one in awaited if self.has_panel_named or one.command != RecuseReviewer.command_type]

    @property
    def has_panel_named(self) -> bool:
        """Whether its reader is told who sits on it, where it is a panel (SD7)."""
        return self.stream.kind != "panel" or Restriction.PANELIST not in self.restrictions

    def due(self) -> Due | None:
        """The file's nearest deadline, if it has any."""
        return AGGREGATES[self.stream.kind].due(self.state, self.calendar)


def _is_anything(_event_type: str) -> bool:
    return True


async def load_file(
    store: EventStore,
    stream: StreamId,
    *,
    until: datetime | None = None,
    known_at: datetime | None = None,
    may_show: Callable[[str], bool] = _is_anything,
) -> File:
    """The whole file of a stream; of a project also its need, its round and its panel, in one story.

    ``until`` cuts the story after that instant (UTC), ``known_at`` leaves out what was recorded after that one; of the
    stream itself only events of types that it ``shows`` count, for how it stands too. Raises NameUnknown if there are
    none.
    """
    entries = [entry for entry in await _read_events(store, stream, until, known_at) if may_show(entry.type)]
    if not entries:
        raise NameUnknown(stream.name)
    own = fold_stream(stream, entries)
    chapters = [*own.chapters]
    for other in _cited_streams(own.state):
        chapters.extend(fold_stream(other, await _read_events(store, other, until, known_at)).chapters)
    chapters.sort(key=lambda c: (c.at, c.position))
    calendar = await Reader(store).calendar(stream.realm)
    documents = await _list_documents(store, chapters)
    return File(stream, own.state, calendar, tuple(chapters), own.head, documents, changes=own.changes)


async def _list_documents(store: EventStore, chapters: Iterable[Chapter]) -> tuple[FiledDocument, ...]:
    named = dict.fromkeys(
        (chapter.stream, attachment)
        for chapter in chapters
        for attachment in find_attachments(chapter.occurrence.event)
    )
    kept = await store.documents.list_kept({one.sha256 for _, one in named}) if named else {}
    return tuple(FiledDocument(stream, one, one.sha256 in kept) for stream, one in named)


async def load_states(
    store: EventStore, streams: Iterable[StreamId], *, until: datetime | None = None
) -> dict[StreamId, State]:
    """How several streams stand, or stood at that instant (UTC), read in one go; those without events are left out."""
    entries = (await store.read_many(list(streams))).streams
    kept = {stream: [e for e in entries[stream] if until is None or e.occurred_at <= until] for stream in entries}
    return {stream: fold(stream, entries) for stream, entries in kept.items() if entries}


async def now_in(store: EventStore, stream: StreamId) -> datetime:
    """What the clock says where that stream lives: the realm's own, or the wall's."""
    return (await store.realm(stream.realm)).now or datetime.now(UTC)


async def read_organisation_name(store: EventStore, stream: StreamId, number: str) -> str:
    """What the organisation of that number, in the realm of the stream, is called; nothing if it was never verified."""
    return (await load_state(store, stream.sibling("organisation", number))).part(Organisation).name


async def _read_events(
    store: EventStore, stream: StreamId, until: datetime | None, known_at: datetime | None
) -> list[Entry]:
    return [
        e
        async for e in store.read(stream)
        if (until is None or e.occurred_at <= until) and (known_at is None or e.recorded_at <= known_at)
    ]


def _cited_streams(state: State) -> Iterable[StreamId]:
    """The streams whose story belongs to a project's file."""
    if state.stream.kind != "project":
        return
    application, award = state.part(Application), state.part(Award)
    for kind, name in (("round", application.round), ("need", application.need), ("panel", award.panel)):
        if name:
            yield state.stream.sibling(kind, name)
