"""What a server says when something did not succeed (RFC 9457), as exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class Unmet:
    """One condition that does not hold, and its rule."""

    rule: str
    detail: str


class Problem(Exception):
    """Something did not succeed. ``kind`` says what sort of problem it is, e.g. ``refused``."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.kind = str(body.get("type", "")).rpartition(":")[2]
        self.detail = str(body.get("detail", ""))
        self.unmet = tuple(Unmet(one["rule"], one["detail"]) for one in body.get("unmet", ()))
        self.errors = tuple((one["pointer"], one["detail"]) for one in body.get("errors", ()))
        texts = [body.get("title", ""), self.detail, *(f"[{one.rule}] {one.detail}" for one in self.unmet)]
        texts += [f"{pointer} {detail}" for pointer, detail in self.errors]
        super().__init__("; ".join(filter(None, map(str, texts))) or f"HTTP {status}")


class Refused(Problem):
    """The rules do not allow it as things stand; ``unmet`` is all that is missing. Ask again under a new id."""


class Invalid(Problem):
    """What was sent cannot be read; ``errors`` names every value that will not do."""


class Mismatch(Problem):
    """The id was used for another request."""


class Forbidden(Problem):
    """The credential is not for this, or it is not good any more."""


class NotFound(Problem):
    """It is not there, or not the caller's to see."""


class NotKnown(Problem):
    """No answer came. It may have been done or not: ask again under ``command_id``, and nothing is done twice."""

    def __init__(self, command_id: UUID | None, why: str) -> None:
        super().__init__(503, {"type": "urn:venture:problem:not-known", "title": "not known", "detail": why})
        self.command_id = command_id


_BY_KIND: dict[str, type[Problem]] = {"refused": Refused, "mismatch": Mismatch, "invalid": Invalid}
_BY_STATUS: dict[int, type[Problem]] = {401: Forbidden, 403: Forbidden, 404: NotFound, 422: Invalid}


def read_problem(response: httpx.Response) -> Problem:
    """The exception that an answer stands for."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    kind = str(body.get("type", "")).rpartition(":")[2]
    sort = _BY_KIND.get(kind) or _BY_STATUS.get(response.status_code, Problem)
    return sort(response.status_code, body)
