"""What is kept with an event of who caused it: the meta of its entry, written and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from domain.kernel.acting import Basis, PersonId
from domain.kernel.canonical import canonical
from domain.kernel.identifier import Actor

if TYPE_CHECKING:
    from domain.kernel.message import Order
    from store.port import Entry


class EventMeta(BaseModel):
    """The seat, the persons where they are known, and by what they acted where the seat was another's."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    actor: Actor
    persons: frozenset[PersonId] = frozenset()
    basis: Basis | None = None

    @classmethod
    def of(cls, order: Order) -> EventMeta:
        """Of whoever gave that order."""
        return cls(actor=order.actor, persons=order.persons, basis=order.basis)

    @classmethod
    def read(cls, entry: Entry) -> EventMeta:
        """What that entry's meta says. Raises pydantic's ValidationError, which is a ValueError."""
        return cls.model_validate_json(entry.meta)

    def as_meta(self) -> bytes:
        """The bytes that stand in the log: what is not known is left out."""
        meta: dict[str, object] = {"actor": self.actor}
        if self.persons:
            meta["persons"] = sorted(self.persons)
        if self.basis is not None:
            meta["basis"] = self.basis
        return canonical(meta)
