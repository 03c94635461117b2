"""待辦: what waits for whom, one row for each role that is awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.catalogue import command_class
from domain.kernel.identifier import ANY_SEAT, Role
from domain.titles import title_of
from domain.visibility import list_readers
from views.view import FAR, View, list_organisations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.message import Awaited
    from views.view import ViewSource


def _rows(source: ViewSource) -> Iterable[dict[str, Any]]:
    title = title_of(source.state)
    readers = sorted(list_readers(source.state, source.facts)) if source.awaiting else []
    organisations = list_organisations(source.state)
    is_panel = source.state.stream.kind == "panel"
    for ordinal, awaited in enumerate(source.awaiting):
        roles = [str(role) for role in dict.fromkeys(awaited.roles)]
        for role in roles:
            yield {
                **source.base,
                "ordinal": ordinal,
                "role": role,
                "is_first": role == roles[0],
                "roles": roles,
                "command": awaited.command,
                "command_zh": command_class(awaited.command).zh(),
                "subject": awaited.subject,
                "zh": awaited.zh,
                "en": awaited.en,
                "until": awaited.until,
                "until_at": awaited.until or FAR,
                "provisional": awaited.provisional,
                "title": title,
                "organisations": organisations,
                "seats": [str(seat) for seat in awaited.seats] or [ANY_SEAT],
                "readers": [one for one in readers if not is_panel or _may_tell(one, awaited)],
            }


def _may_tell(reader: str, awaited: Awaited) -> bool:
    """SD7: a reviewer is told what waits for them, and not which others it waits for."""
    return not reader.startswith(f"{Role.EXPERT}#") or reader in awaited.seats


WAITING = View("waiting", 7, "待辦", "what waits for whom", _rows)
