"""The list of projects: narrowed, searched in either Chinese script, page by page; no project is folded for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from application.pages import MOST, Page, PageRequest, SortOrder, read_page
from application.realms import require_realm
from domain.kernel.clock import Clock
from domain.kernel.identifier import StreamId
from domain.kernel.summary import AwaitedRow
from store.views import AnyOf, AtMost, Contains, Holds
from views.search import require_grams, split_words
from views.tags import tag

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from store.port import EventStore
    from store.views import Condition, Row

_ORDER = SortOrder((("stream", str),))
_Word = Annotated[str | None, Field(min_length=1, max_length=200)]


class ProjectFilter(BaseModel):
    """Which projects are listed: those that meet all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    realm: _Word = None
    stage: _Word = None
    """As in the log, e.g. ``ACTIVE``."""
    round: _Word = None
    """E.g. ``R-FZ-2023``."""
    organisation: _Word = None
    """The bidder or a partner of it, e.g. ``ORG-1``."""
    field: _Word = None
    """A field of welfare."""
    fund: _Word = None
    """A fund that it is awarded from, e.g. ``FS-FZ``."""
    role: _Word = None
    """Who is awaited in it: a role, or a seat of it, e.g. ``CAB-REG`` or ``CAB-REG#1``."""
    district: _Word = None
    """The district of the need that it answers."""
    community: _Word = None
    base: _Word = None
    kind: _Word = None
    """``SERVICE`` or ``BASE_SUPPORT``."""
    overdue: bool = False
    """Only those in which a time has passed by which somebody was awaited."""
    search: _Word = None
    """Words that occur in its number, its title or the names of its organisations, in either script."""


@dataclass(frozen=True)
class ProjectLine:
    """One project of the list. Money is in fen."""

    stream: StreamId
    version: int
    number: str
    """``PJ-n`` from the proposal of its award on; empty before."""
    title: str
    organisation: str
    organisation_name: str
    """Empty while the organisation is not registered."""
    partners: tuple[str, ...]
    round: str
    need: str
    kind: str
    fields: tuple[str, ...]
    district: str
    """Of the need that it answers; empty if none is named."""
    community: str
    panel: str
    base: str
    funds: tuple[str, ...]
    scheme: str
    stage: str
    since: datetime | None
    moved_at: datetime
    due: datetime | None
    awaiting: tuple[AwaitedRow, ...]
    requested: int
    award: int
    paid: int
    cancelled: int
    returned: int
    clawed_back: int
    net: int
    outstanding: int
    notice_last: date | None
    """The last day of the public notice that is running; None while an objection holds it up, and of any other."""
    opened_on: date | None
    """When it was taken over by an opening entry; None for one that came by the ordinary way."""

    @classmethod
    def of(cls, row: Row) -> ProjectLine:
        """As the view has it."""
        plain = {name: row[name] for name in _PLAIN}
        return cls(
            stream=StreamId(row["stream"]),
            partners=tuple(name for name in row["organisations"] if name != row["organisation"]),
            due=row["due_at"],
            awaiting=tuple(map(AwaitedRow.model_validate, row["awaiting"])),
            fields=tuple(row["fields"]),
            funds=tuple(row["funds"]),
            notice_last=row["notice_last"],
            **plain,
        )

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "stream": self.stream,
            "application": self.stream.name,
            "project": self.number,
            "realm": self.stream.realm,
            **{name: _json(getattr(self, name)) for name in _PLAIN if name != "number"},
            "partners": list(self.partners),
            "fields": list(self.fields),
            "funds": list(self.funds),
            "due": _json(self.due),
            "notice_last": self.notice_last.isoformat() if self.notice_last else None,
            "awaiting": [one.as_json() for one in self.awaiting],
        }


_PLAIN = (
    *("version", "number", "title", "organisation", "organisation_name", "round", "need", "kind", "district"),
    *("community", "panel", "base", "scheme", "stage", "since", "moved_at", "requested", "award", "paid"),
    *("cancelled", "returned", "clawed_back", "net", "outstanding", "opened_on"),
)


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


async def list_projects(
    store: EventStore, filters: ProjectFilter | None = None, request: PageRequest | None = None
) -> Page[ProjectLine]:
    """Projects by id, in the order of their ids. Raises NoSuchRealm, CursorInvalid."""
    filters, request = filters or ProjectFilter(), request or PageRequest()
    await require_realm(store, filters.realm)
    now = datetime.now(UTC)
    page = await read_page(store, "projects", _ORDER, list_conditions(filters, now), request, ProjectLine.of)
    if not filters.overdue:
        return page
    clocks = {realm: await store.realm(realm) for realm in {line.stream.realm for line in page.rows}}
    manual = {realm: clock.now for realm, clock in clocks.items() if clock.clock is Clock.MANUAL}
    rows = tuple(line for line in page.rows if _is_overdue(line, manual.get(line.stream.realm) or now))
    return Page(rows, page.next, page.freshness)


async def list_lines(store: EventStore, streams: Collection[StreamId]) -> Mapping[StreamId, ProjectLine]:
    """What the list says of these projects, of those that are in it: at most a page of them."""
    if not streams:
        return {}
    where = (AnyOf("stream", tuple(dict.fromkeys(str(stream) for stream in streams))),)
    page = await read_page(store, "projects", _ORDER, where, PageRequest(limit=MOST), ProjectLine.of)
    return {line.stream: line for line in page.rows}


def _is_overdue(line: ProjectLine, now: datetime) -> bool:
    """In a manual realm it is as late as its clock stands, which is never later than the wall clock."""
    return any(one.until is not None and one.until <= now for one in line.awaiting)


def list_conditions(filters: ProjectFilter, now: datetime) -> tuple[Condition, ...]:
    """What a row of the view must meet to be listed at that instant."""
    tags = [tag(by, value) for by, value in _tags(filters).items() if value is not None]
    conditions: list[Condition] = [Holds("tags", tuple(tags))] if tags else []
    if filters.overdue:
        conditions.append(AtMost("until_at", now))
    if filters.search is not None:
        conditions += search_conditions(filters.search)
    return tuple(conditions)


def _tags(filters: ProjectFilter) -> dict[str, str | None]:
    return {
        "realm": filters.realm,
        "stage": filters.stage,
        "round": filters.round,
        "partner": filters.organisation,
        "field": filters.field,
        "fund": filters.fund,
        "role": filters.role.partition("#")[0] if filters.role else None,
        "district": filters.district,
        "community": filters.community,
        "base": filters.base,
        "kind": filters.kind,
    }


def search_conditions(text: str) -> list[Condition]:
    """That each of these words occurs in what a row is searched by."""
    words = split_words(text)
    grams = Holds("grams", tuple(sorted(require_grams(words))))
    return [grams, *(Contains("words", word) for word in words)] if words else []
