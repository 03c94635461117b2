"""審批: every approval that was ever asked for, open or ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.application import Application
from views.view import View, list_organisations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from views.view import Source


def _rows(source: Source) -> Iterable[dict[str, Any]]:
    title = source.state.part(Application).title
    organisations = list_organisations(source.state)
    for ordinal, approval in enumerate(source.state.approvals):
        yield {
            **source.base,
            "id": approval.id,
            "ordinal": ordinal,
            "gate": approval.gate,
            "key": approval.key,
            "role": str(approval.role),
            "asked_at": approval.asked_at,
            "until": approval.until,
            "content": approval.content,
            "verdict": str(approval.verdict),
            "decided_by": str(approval.decided_by) if approval.decided_by else None,
            "decided_at": approval.decided_at,
            "title": title,
            "organisations": organisations,
        }


APPROVALS = View("approvals", 1, "審批", "approvals", _rows)
