"""組織: each organisation as it stands. Its representatives and its credit code stay in its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.registers.organisation import Organisation
from views.search import fold_texts, split_grams
from views.tags import tag
from views.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from views.view import ViewSource


def _rows(source: ViewSource) -> Iterable[dict[str, Any]]:
    state = source.state
    organisation, name = state.part(Organisation), state.stream.name
    words = fold_texts((name, organisation.name))
    listings = sorted(str(listing) for listing in organisation.listings)
    yield {
        **source.base,
        **describe_organisation(organisation),
        "stage": str(state.stage),
        "organisations": (name,),
        "tags": sorted({tag("realm", state.stream.realm), *(tag("listing", listing) for listing in listings)}),
        "words": words,
        "grams": sorted(split_grams(words)),
    }


def describe_organisation(organisation: Organisation) -> dict[str, Any]:
    """What a register says of it: nobody's name, and no number of anybody."""
    rating = organisation.ratings[-1] if organisation.ratings else None
    return {
        "name": organisation.name,
        "kind": str(organisation.kind or ""),
        "level": rating.level if rating else "",
        "level_until": rating.until if rating else None,
        "listings": sorted(str(listing) for listing in organisation.listings),
        "banned_until": organisation.banned_until,
    }


ORGANISATIONS = View("organisations", 1, "組織", "organisations", _rows, frozenset({"organisation"}))
