"""What the journal keeps of a command: the meta of its entry, read back (activities/carry_out.py writes it)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.kernel.identity import Actor, StreamId
from domain.kernel.refusal import Unmet

if TYPE_CHECKING:
    from store.port import Entry


class Outcome(BaseModel):
    """How the command ended: the types of its events, or every unmet condition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accepted: tuple[str, ...] | None = None
    refused: Annotated[tuple[Unmet, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> Self:
        if (self.accepted is None) is (self.refused is None):
            message = "an outcome is either accepted or refused"
            raise ValueError(message)
        return self

    @property
    def events(self) -> tuple[str, ...]:
        """The types of the events that must follow."""
        return self.accepted or ()

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that refused it, each once, in order of name."""
        return tuple(sorted({u.rule for u in self.refused or ()}))


class Journal(BaseModel):
    """Who asked, what it came to, under which rules, and everything that was read for it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    actor: Actor
    outcome: Outcome
    reads: dict[StreamId, int] = {}
    """Other streams, with the version at which they were read."""
    claims: dict[str, frozenset[str]] = {}
    balances: dict[str, int] = {}
    """Fen."""
    edition: int = 1
    scheme: str | None = None
    """``name@version``."""
    digest: str | None = None
    """Of what was asked; None for a deadline, which nobody asked for."""

    @classmethod
    def of(cls, entry: Entry) -> Journal:
        """What that entry's meta says. Raises pydantic's ValidationError."""
        return cls.model_validate_json(entry.meta)
