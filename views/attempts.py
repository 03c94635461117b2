"""嘗試: commands that were refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from views.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from views.view import ViewSource


def _rows(source: ViewSource) -> Iterable[dict[str, Any]]:
    stream = source.state.stream
    for refusal in source.refusals:
        yield {
            "position": refusal.position,
            "stream": str(stream),
            "realm": stream.realm,
            "version": refusal.version,
            "command_id": refusal.command_id,
            "command": refusal.command,
            "actor": refusal.actor,
            "person": refusal.person,
            "rules": refusal.rules,
            "occurred_at": refusal.occurred_at,
            "recorded_at": refusal.recorded_at,
        }


ATTEMPTS = View("attempts", 2, "嘗試", "attempts", _rows, replaces=False)
