"""Registers as they stood at a moment: who was listed, rated, designated, as far as was known by another moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from application.pages import Page, PageRequest, SortOrder, read_page
from application.realms import require_realm
from domain.kernel.identifier import StreamId
from store.views import AtMost, Equal, Unless

if TYPE_CHECKING:
    from store.port import EventStore
    from store.views import Condition, Row

_ORDER = SortOrder((("stream", str), ("version", int)))


RegisterKind = Literal["organisation", "base", "fund", "scheme", "designation"]
"""Those whose history is kept (``views.registers.KEPT``)."""


class RegisterFilter(BaseModel):
    """Which register is asked for, and as of when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: RegisterKind
    realm: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    as_of: AwareDatetime | None = None
    """As it was at this moment; None for how each stands after its last event."""
    known_at: AwareDatetime | None = None
    """As far as it was recorded by this moment; None for all that is recorded."""


@dataclass(frozen=True)
class RegisterLine:
    """One entry of a register, as it stood."""

    stream: StreamId
    version: int
    stage: str
    since: datetime
    """From when it stood so."""
    recorded_at: datetime
    particulars: dict[str, Any]

    @classmethod
    def of(cls, row: Row) -> RegisterLine:
        """Read from a row of the view."""
        return cls(
            StreamId(row["stream"]),
            row["version"],
            row["stage"],
            row["from_at"],
            row["recorded_at"],
            row["particulars"],
        )

    def as_json(self) -> dict[str, Any]:
        """As JSON: instants in UTC by ISO 8601; the particulars stand among the rest."""
        return {
            "stream": self.stream,
            "name": self.stream.name,
            "realm": self.stream.realm,
            "version": self.version,
            "stage": self.stage,
            "since": self.since.isoformat(),
            "recorded_at": self.recorded_at.isoformat(),
            **self.particulars,
        }


async def list_register(
    store: EventStore, filters: RegisterFilter, request: PageRequest | None = None
) -> Page[RegisterLine]:
    """The register's entries by id, each as it stood. Raises NoSuchRealm, CursorInvalid."""
    await require_realm(store, filters.realm)
    where: list[Condition] = [Equal("kind", filters.kind)]
    if filters.realm is not None:
        where.append(Equal("realm", filters.realm))
    where += _moments(filters)
    return await read_page(store, "registers", _ORDER, tuple(where), request or PageRequest(), RegisterLine.of)


def _moments(filters: RegisterFilter) -> list[Condition]:
    """One version of each: the last that was so by then, of those that were recorded by then."""
    as_of, known_at = filters.as_of or _LAST, filters.known_at or _LAST
    given_way = Unless((AtMost("to_at", as_of), AtMost("to_recorded_at", known_at)))
    return [AtMost("from_at", as_of), AtMost("recorded_at", known_at), given_way]


_LAST = datetime.fromisoformat("9998-01-01T00:00:00+00:00")
"""Before the end of what still holds, and after everything else."""
