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
    known, name = state.part(Organisation), state.stream.name
    words = fold_texts((name, known.name))
    listings = sorted(str(listing) for listing in known.listings)
    yield {
        **source.base,
        **describe_organisation(known),
        "stage": str(state.stage),
        "organisations": (name,),
        "tags": sorted({tag("realm", state.stream.realm), *(tag("listing", listing) for listing in listings)}),
        "words": words,
        "grams": sorted(split_grams(words)),
    }


def describe_organisation(known: Organisation) -> dict[str, Any]:
    """What a register says of it: nobody's name, and no number of anybody."""
    rating = known.ratings[-1] if known.ratings else None
    return {
        "name": known.name,
        "kind": str(known.kind or ""),
        "level": rating.level if rating else "",
        "level_until": rating.until if rating else None,
        "listings": sorted(str(listing) for listing in known.listings),
        "banned_until": known.banned_until,
    }


ORGANISATIONS = View("organisations", 1, "組織", "organisations", _rows, frozenset({"organisation"}))
