"""The list of organisations, searched in either Chinese script. Who represents them stays in their files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from application.pages import Page, PageRequest, SortOrder, read_page
from application.projects import search_conditions
from application.realms import require_realm
from domain.kernel.identifier import StreamId
from store.views import Holds
from views.tags import tag

if TYPE_CHECKING:
    from store.port import EventStore
    from store.views import Condition, Row

_ORDER = SortOrder((("stream", str),))


class OrganisationFilter(BaseModel):
    """Which organisations are listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    realm: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    listing: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """On this list now, e.g. ``SERIOUS``."""
    search: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    """Words that occur in its number or its name, in either script."""


@dataclass(frozen=True)
class OrganisationLine:
    """One organisation of the list."""

    stream: StreamId
    version: int
    stage: str
    name: str
    kind: str
    level: str
    """The assessment level recorded last; empty if there is none."""
    level_until: date | None
    listings: tuple[str, ...]
    """What stands against it."""
    banned_until: date | None

    @classmethod
    def of(cls, row: Row) -> OrganisationLine:
        """Read from a row of the view."""
        plain = {name: row[name] for name in _PLAIN}
        return cls(stream=StreamId(row["stream"]), listings=tuple(row["listings"]), **plain)

    def as_json(self) -> dict[str, Any]:
        """As JSON: days as ``2026-03-01``, null where there is none."""
        return {
            "stream": self.stream,
            "organisation": self.stream.name,
            "realm": self.stream.realm,
            **{name: getattr(self, name) for name in _PLAIN if not name.endswith("_until")},
            "level_until": self.level_until.isoformat() if self.level_until else None,
            "listings": list(self.listings),
            "banned_until": self.banned_until.isoformat() if self.banned_until else None,
        }


_PLAIN = ("version", "stage", "name", "kind", "level", "level_until", "banned_until")


async def list_organisations(
    store: EventStore, filters: OrganisationFilter | None = None, request: PageRequest | None = None
) -> Page[OrganisationLine]:
    """Organisations by id. Raises NoSuchRealm, CursorInvalid."""
    filters = filters or OrganisationFilter()
    await require_realm(store, filters.realm)
    named = {"realm": filters.realm, "listing": filters.listing}
    tags = tuple(tag(by, value) for by, value in named.items() if value is not None)
    where: list[Condition] = [Holds("tags", tags)] if tags else []
    if filters.search is not None:
        where += search_conditions(filters.search)
    return await read_page(store, "organisations", _ORDER, tuple(where), request or PageRequest(), OrganisationLine.of)
