"""項目: one row a project, with what a list shows, is narrowed and searched by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.application import Application
from domain.kernel.state import NONE
from domain.kernel.summary import AwaitedRow
from domain.project.aggregate import PROJECT
from domain.project.award import Award
from domain.project.opening import Openings
from domain.project.publicity import Publicity
from domain.project.stage import Stage
from views.search import fold_texts, split_grams
from views.tags import tag
from views.view import View, list_organisations, nearest_until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from domain.kernel.message import Awaited
    from views.view import ViewSource


def _rows(source: ViewSource) -> Iterable[dict[str, Any]]:
    state, awaiting, due = source.state, source.awaiting, source.due
    if state.stage == NONE:  # a late bid that was turned away makes no project
        return
    application, award = state.part(Application), state.part(Award)
    organisations = list_organisations(state)
    row = {
        **source.base,
        **PROJECT.summary(state),
        "number": award.project,
        "opened_on": state.part(Openings).opened_on,
        "organisation_name": source.names.get(application.organisation, ""),
        "organisations": organisations,
        "need": application.need or "",
        "fields": sorted(application.fields),
        "district": source.district,
        "panel": award.panel or "",
        "community": application.community or "",
        "base": application.base or "",
        "funds": sorted(award.funds),
        "scheme": str(state.scheme or ""),
        "stage": str(state.stage),
        "since": state.since,
        "moved_at": source.moved_at,
        "due_at": due.at if due else None,
        "until_at": nearest_until(awaiting),
        "awaiting": [AwaitedRow.of(one).as_json() for one in awaiting],
        "notice_last": _find_last_day(source),
    }
    del row["project"]
    texts = (state.stream.name, award.project, application.title, *organisations, *source.names.values())
    words = fold_texts(texts)
    yield {**row, "tags": sorted(_tags(row, awaiting)), "words": words, "grams": sorted(split_grams(words))}


def _tags(row: dict[str, Any], awaiting: Iterable[Awaited]) -> set[str]:
    single = ("realm", "stage", "round", "district", "community", "base", "kind", "organisation")
    tags = {tag(by, row[by]) for by in single if row[by]}
    tags |= {tag("field", value) for value in row["fields"]}
    tags |= {tag("fund", value) for value in row["funds"]}
    tags |= {tag("partner", value) for value in row["organisations"]}
    return tags | {tag("role", role) for awaited in awaiting for role in awaited.roles}


def _find_last_day(source: ViewSource) -> date | None:
    """The last day of the public notice that is running; None while an objection holds it up (D2)."""
    if source.state.stage != Stage.IN_PUBLICITY:
        return None
    return source.state.part(Publicity).last_day(source.calendar)


PROJECTS = View("projects", 5, "項目", "projects", _rows, frozenset({"project"}))
