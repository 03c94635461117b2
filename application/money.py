"""Sums and counts of projects: by fund, by round, by organisation, of a whole realm.

They are kept with every row that changes, so that no list is added up when it is asked for. Money is in fen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from application.pages import Page, PageRequest, SortOrder, read_page
from application.realms import require_realm
from domain.kernel.identifier import LIVE
from store.views import AnyOf, Equal

if TYPE_CHECKING:
    from store.port import EventStore
    from store.views import Condition, Row


class Dimension(StrEnum):
    """What sums are grouped by."""

    FUND = "fund"
    FUND_YEAR = "fund_year"
    """Of a fund the projects of one year's rounds; the key is ``year/fund``."""
    ROUND = "round"
    ORGANISATION = "organisation"
    ALL = "all"
    """One sum a realm, under the empty key."""


MEASURES: Mapping[Dimension, tuple[str, ...]] = {
    **dict.fromkeys((Dimension.FUND, Dimension.FUND_YEAR), ("award", "committed", "net", "projects")),
    **dict.fromkeys(
        (Dimension.ROUND, Dimension.ORGANISATION, Dimension.ALL),
        ("award", "cancelled", "clawed_back", "net", "outstanding", "paid", "projects", "requested", "returned"),
    ),
}
"""What is summed: ``projects`` is their number, everything else fen. Of a fund ``net`` is what was paid from it and has
not come back, ``committed`` what is set aside and neither paid nor cancelled."""


class MoneyFilter(BaseModel):
    """Which sums are listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Dimension
    key: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    """Of this fund, round or organisation only."""
    realm: Annotated[str | None, Field(min_length=1, max_length=64)] = None


@dataclass(frozen=True)
class Sums:
    """What the projects of one fund, round or organisation add up to."""

    realm: str
    key: str
    values: Mapping[str, int]
    """By measure; every measure of the dimension is there."""

    def as_json(self) -> dict[str, Any]:
        """As JSON: every sum in fen, beside the realm and the key."""
        return {"realm": self.realm, "key": self.key, **self.values}


_ORDER = SortOrder((("realm", str), ("key", str), ("measure", str)))


async def list_realms(store: EventStore) -> list[str]:
    """The live realm, then the others, S2 before S10: those on a manual clock, and a page of those with a project."""
    where = (Equal("dimension", Dimension.ALL.value), Equal("key", ""), Equal("measure", "projects"))
    page = await read_page(store, "tallies", _ORDER, where, PageRequest(limit=500), lambda row: str(row["realm"]))
    return list(dict.fromkeys((LIVE, *sorted({*page.rows, *await store.manual_realms()}, key=sort_naturally))))


def sort_naturally(name: str) -> list[str | int]:
    """A name to sort by: its numbers as numbers."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


async def list_money(store: EventStore, filters: MoneyFilter, request: PageRequest | None = None) -> Page[Sums]:
    """Sums by fund, round or organisation, in order of realm and key. Raises NoSuchRealm, CursorInvalid."""
    await require_realm(store, filters.realm)
    request, measures = request or PageRequest(), MEASURES[filters.by]
    columns = {"dimension": filters.by.value, "key": filters.key, "realm": filters.realm}
    where: list[Condition] = [AnyOf("measure", measures)]
    where += [Equal(name, value) for name, value in columns.items() if value is not None]
    limit = max(request.limit // len(measures), 1)
    wide = request.model_copy(update={"limit": (limit + 1) * len(measures)})
    page = await read_page(store, "tallies", _ORDER, tuple(where), wide, lambda row: row)
    groups = [(at, list(rows)) for at, rows in groupby(page.rows, key=lambda row: (row["realm"], row["key"]))]
    tallies = groups[:limit]
    more = _ORDER.write("tallies", tallies[-1][1][-1]) if len(groups) > limit else None
    rows = tuple(_add_up(realm, key, rows, measures) for (realm, key), rows in tallies)
    return Page(rows, more, page.freshness)


def _add_up(realm: str, key: str, rows: list[Row], measures: tuple[str, ...]) -> Sums:
    values = {row["measure"]: row["value"] for row in rows}
    return Sums(realm, key, {measure: values.get(measure, 0) for measure in measures})
