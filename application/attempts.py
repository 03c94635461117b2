"""What was asked and refused, page by page, over all streams or of one; why is read from the journal entry itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from application.pages import Page, PageRequest, SortOrder, read_page
from application.realms import require_realm
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor, StreamId
from store.views import Equal

if TYPE_CHECKING:
    from store.port import EventStore
    from store.views import Row

_ORDER = SortOrder((("position", int),))


class AttemptFilter(BaseModel):
    """Which attempts are listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stream: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    """The whole id of the stream that it was asked of."""
    realm: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    newest_first: bool = False


@dataclass(frozen=True)
class AttemptLine:
    """One refused command; ``audit attempts`` says what was unmet."""

    position: int
    stream: StreamId
    version: int
    """At which it was judged; 0 if the stream had no events: nothing but its attempts bears that name."""
    command_id: UUID
    command: str
    actor: Actor
    person: PersonId | None
    """Who asked, where it is known."""
    rules: tuple[str, ...]
    """The rules that refused it, each once, in order of name."""
    occurred_at: datetime
    recorded_at: datetime

    @classmethod
    def of(cls, row: Row) -> AttemptLine:
        """Read from a row of the view."""
        plain = {name: row[name] for name in _PLAIN}
        person = PersonId(row["person"]) if row["person"] else None
        return cls(
            stream=StreamId(row["stream"]), actor=Actor(row["actor"]), person=person, rules=tuple(row["rules"]), **plain
        )

    def as_json(self) -> dict[str, Any]:
        """As JSON: instants in UTC by ISO 8601; ``person`` is left out where nobody is named."""
        return {
            "position": self.position,
            "stream": self.stream,
            "version": self.version,
            "command_id": str(self.command_id),
            "command": self.command,
            "actor": self.actor,
            **({"person": self.person} if self.person else {}),
            "rules": list(self.rules),
            "occurred_at": self.occurred_at.isoformat(),
            "recorded_at": self.recorded_at.isoformat(),
        }


_PLAIN = ("position", "version", "command_id", "command", "occurred_at", "recorded_at")


async def list_attempts(
    store: EventStore, filters: AttemptFilter | None = None, request: PageRequest | None = None
) -> Page[AttemptLine]:
    """Refused commands in the order in which they were recorded. Raises NoSuchRealm, CursorInvalid."""
    filters = filters or AttemptFilter()
    await require_realm(store, filters.realm)
    columns = {"stream": filters.stream, "realm": filters.realm}
    where = tuple(Equal(name, value) for name, value in columns.items() if value is not None)
    order = SortOrder(_ORDER.columns, descending=filters.newest_first)
    return await read_page(store, "attempts", order, where, request or PageRequest(), AttemptLine.of)
