"""各卷宗: how every stream stands, with what its kind shows of itself in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.catalogue import AGGREGATES
from domain.kernel.summary import AwaitedRow
from views.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from views.view import ViewSource


def _rows(source: ViewSource) -> Iterable[dict[str, Any]]:
    state, due, awaiting = source.state, source.due, source.awaiting
    is_waiting = due is not None or bool(awaiting)
    reckoned_by = source.calendar.version if is_waiting else 0  # a notice moves no date of what waits for nothing
    summary = AGGREGATES[state.stream.kind].summary(state) if state.stream.kind != "project" else {}
    yield {
        **source.base,
        "kind": state.stream.kind,
        "stage": str(state.stage),
        "round": str(summary.get("round") or ""),
        "due_at": due.at if due else None,
        "moved_at": source.moved_at,
        "calendar": reckoned_by,
        "is_waiting": is_waiting,
        "summary": {
            **summary,
            "awaiting": [AwaitedRow.of(one).as_json() for one in awaiting],
            "provisional": due is not None and due.provisional,
        },
    }


STREAMS = View("streams", 5, "各卷宗", "streams", _rows)
