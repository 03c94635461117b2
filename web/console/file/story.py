"""The story of a file as pages tell it: what happened, what was refused, and how long nothing did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from application.attempts import AttemptLine
from application.event_text import describe_event
from domain.kernel.attachment import find_attachments
from domain.kernel.identifier import SYSTEM
from web.components.words import name_command, name_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from application.course import Chapter
    from domain.kernel.identifier import StreamId
    from web.language import Language

IDLE: Final = timedelta(days=30)
"""A stretch without anything that is longer is folded."""
_INTERVENTIONS: Final = frozenset(
    {"CorrectionProposed", "CorrectionConfirmed", "ProjectReopened", "ProjectOpened", "GlassBroken"}
)
"""Events by which somebody changed what was recorded, or acted out of turn: marked as such."""


@dataclass(frozen=True)
class StoryEntry:
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
    position: int = 0
    by_day: bool = False
    """Whether of ``at`` only the day is told."""


@dataclass(frozen=True)
class Story:
    """A page of a story, and what of the whole is marked."""

    entries: tuple[StoryEntry, ...]
    """The newest first, with idle stretches folded."""
    refused: tuple[StoryEntry, ...]
    """All of them, wherever in the story they stand; so of the special ones."""
    special: tuple[StoryEntry, ...]
    size: int
    """Entries of the whole story."""
    newer: int | None
    """The position of the entry with which the page before this one begins; None if this is the first."""
    older: int | None
    """Likewise of the page after it."""


def build_story(
    chapters: Sequence[Chapter],
    attempts: Sequence[AttemptLine],
    own: StreamId,
    language: Language,
    *,
    is_manual: bool,
    begin: int | None = None,
    most: int | None = None,
) -> Story:
    """The story, the newest first: at ``most`` so many entries, from the one at that position on, else the newest.

    In a realm on a manual clock everything is recorded later than it was so, and nothing is said of that.
    """

    def build_entry(one: Chapter | AttemptLine) -> StoryEntry:
        return (
            _refused(one, language) if isinstance(one, AttemptLine) else _event(one, own, language, is_manual=is_manual)
        )

    both: list[Chapter | AttemptLine] = [*chapters, *attempts]
    whole = sorted(both, key=lambda one: (_when(one), one.position), reverse=True)
    start = next((index for index, one in enumerate(whole) if one.position == begin), 0)
    end = len(whole) if most is None else start + most
    return Story(
        entries=tuple(_fold_gaps(map(build_entry, whole[start:end]), whole[start - 1 : start])),
        refused=tuple(build_entry(one) for one in whole if isinstance(one, AttemptLine)),
        special=tuple(build_entry(one) for one in whole if not isinstance(one, AttemptLine) and _is_special(one)),
        size=len(whole),
        newer=whole[max(0, start - (most or start))].position if start else None,
        older=whole[end].position if end < len(whole) else None,
    )


def _when(one: Chapter | AttemptLine) -> datetime:
    return one.occurred_at if isinstance(one, AttemptLine) else one.at


def _is_special(chapter: Chapter) -> bool:
    of = chapter.occurrence
    return of.actor != SYSTEM and of.event.event_type in _INTERVENTIONS


def _fold_gaps(entries: Iterable[StoryEntry], before: Sequence[Chapter | AttemptLine]) -> Iterator[StoryEntry]:
    """``before`` is the last of the page before, if there is one."""
    later = next(map(_when, before), None)
    for entry in entries:
        if later is not None and entry.at is not None and later - entry.at > IDLE:
            yield StoryEntry("gap", days=(later - entry.at).days)
        yield entry
        later = entry.at


def _event(chapter: Chapter, own: StreamId, language: Language, *, is_manual: bool) -> StoryEntry:
    of = chapter.occurrence
    is_late = not is_manual and abs(chapter.recorded_at - chapter.at) > timedelta(days=1)
    mark = "automatic" if of.actor == SYSTEM else ("special" if _is_special(chapter) else "")
    return StoryEntry(
        "event",
        at=chapter.at,
        recorded_at=chapter.recorded_at if is_late else None,
        what=language.say(*name_event(of.event.event_type)),
        text=describe_event(of.event, language.say),
        who=of.actor,
        persons=tuple(sorted(of.persons)),
        basis=(of.basis.zh, of.basis.en) if of.basis is not None else None,
        stream=None if chapter.stream == own else chapter.stream,
        mark=mark,
        position=chapter.position,
        by_day=chapter.by_day,
    )


def _refused(attempt: AttemptLine, language: Language) -> StoryEntry:
    return StoryEntry(
        "refused",
        at=attempt.occurred_at,
        what=language.say(*name_command(attempt.command)),
        who=attempt.actor,
        persons=(attempt.person,) if attempt.person else (),
        position=attempt.position,
    )


@dataclass(frozen=True)
class StoryDocument:
    """One document that an event names."""

    name: str
    digest: str
    at: datetime
    what: str
    stream: StreamId
    """The file that names it."""


def list_documents(chapters: Iterable[Chapter], language: Language) -> list[StoryDocument]:
    """Every document that is named in the story, each once, in the order in which they came."""
    documents: dict[str, StoryDocument] = {}
    for chapter in chapters:
        event = chapter.occurrence.event
        for one in find_attachments(event):
            what = language.say(*name_event(event.event_type))
            documents.setdefault(one.sha256, StoryDocument(one.name, one.sha256, chapter.at, what, chapter.stream))
    return list(documents.values())
