"""The story of a file as pages tell it: what happened, what was refused, and how long nothing did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from application.event_text import describe_event
from domain.kernel.identity import SYSTEM, Attachment
from web.components.words import tell_command, tell_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from application.attempts import AttemptLine
    from application.queries import Chapter
    from domain.kernel.identity import StreamId
    from web.language import Language

IDLE: Final = timedelta(days=30)
"""A stretch without anything that is longer is folded."""
_INTERVENTIONS: Final = frozenset(
    {"CorrectionProposed", "CorrectionConfirmed", "ProjectReopened", "ProjectOpened", "GlassBroken"}
)
"""Events by which somebody changed what was recorded, or acted out of turn: marked as such."""


@dataclass(frozen=True)
class Entry:
    """One entry of a story."""

    kind: str
    """``event``, ``refused`` or ``gap``."""
    at: datetime | None = None
    recorded_at: datetime | None = None
    """Only where it was recorded on another day than it was so."""
    what: str = ""
    text: str = ""
    who: str = ""
    persons: tuple[str, ...] = ()
    basis: tuple[str, str] | None = None
    """By what somebody acted on a seat that was not theirs."""
    stream: StreamId | None = None
    """The other file that it happened in; None for this one."""
    mark: str = ""
    """``automatic`` or ``special``; empty for an ordinary act."""
    days: int = 0
    """Of a gap."""
    rules: tuple[str, ...] = ()
    position: int = 0
    by_day: bool = False
    """Whether of ``at`` only the day is told."""


def tell_story(
    chapters: Sequence[Chapter],
    attempts: Sequence[AttemptLine],
    own: StreamId,
    language: Language,
    *,
    is_manual: bool,
) -> list[Entry]:
    """The whole story, the newest first, with idle stretches folded.

    In a realm on a manual clock everything is recorded later than it was so, and nothing is said of that.
    """
    entries = [_event(one, own, language, is_manual=is_manual) for one in chapters]
    entries += [_refused(one, language) for one in attempts]
    entries.sort(key=lambda entry: (entry.at, entry.position), reverse=True)
    return list(_fold_gaps(entries))


def _fold_gaps(entries: Iterable[Entry]) -> Iterator[Entry]:
    later: datetime | None = None
    for entry in entries:
        if later is not None and entry.at is not None and later - entry.at > IDLE:
            yield Entry("gap", days=(later - entry.at).days)
        yield entry
        later = entry.at


def _event(chapter: Chapter, own: StreamId, language: Language, *, is_manual: bool) -> Entry:
    of = chapter.occurrence
    is_late = not is_manual and abs(chapter.recorded_at - chapter.at) > timedelta(days=1)
    mark = "automatic" if of.actor == SYSTEM else ("special" if of.event.event_type in _INTERVENTIONS else "")
    return Entry(
        "event",
        at=chapter.at,
        recorded_at=chapter.recorded_at if is_late else None,
        what=language.say(*tell_event(of.event.event_type)),
        text=describe_event(of.event, language.say),
        who=of.actor,
        persons=tuple(sorted(of.persons)),
        basis=(of.basis.zh, of.basis.en) if of.basis is not None else None,
        stream=None if chapter.stream == own else chapter.stream,
        mark=mark,
        position=chapter.position,
        by_day=chapter.by_day,
    )


def _refused(attempt: AttemptLine, language: Language) -> Entry:
    return Entry(
        "refused",
        at=attempt.occurred_at,
        what=language.say(*tell_command(attempt.command)),
        who=attempt.actor,
        persons=(attempt.person,) if attempt.person else (),
        rules=attempt.rules,
        position=attempt.position,
    )


@dataclass(frozen=True)
class Document:
    """One document that an event names."""

    name: str
    digest: str
    at: datetime
    what: str
    stream: StreamId
    """The file that names it."""


def list_documents(chapters: Iterable[Chapter], language: Language) -> list[Document]:
    """Every document that is named in the story, each once, in the order in which they came."""
    documents: dict[str, Document] = {}
    for chapter in chapters:
        event = chapter.occurrence.event
        for one in _attachments(event):
            what = language.say(*tell_event(event.event_type))
            documents.setdefault(one.sha256, Document(one.name, one.sha256, chapter.at, what, chapter.stream))
    return list(documents.values())


def _attachments(value: object) -> Iterator[Attachment]:
    match value:
        case Attachment():
            yield value
        case BaseModel():
            for name in type(value).model_fields:
                yield from _attachments(getattr(value, name, None))
        case tuple() | list():
            for one in value:
                yield from _attachments(one)
        case dict():
            for one in value.values():
                yield from _attachments(one)
        case _:
            pass
