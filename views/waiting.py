"""待辦: what waits for whom, one row for each role that is awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.application import Application
from domain.catalogue import command_class
from views.view import FAR, View, list_organisations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from views.view import Source


def _rows(source: Source) -> Iterable[dict[str, Any]]:
    title = source.state.part(Application).title
    organisations = list_organisations(source.state)
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
            }


WAITING = View("waiting", 2, "待辦", "what waits for whom", _rows)
