"""What the journal keeps of a command: the meta of its entry, written and read, and the answer that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer, model_validator

from domain.kernel.acting import Basis, PersonId
from domain.kernel.canonical import canonical, plain
from domain.kernel.envelope import Answer, Ending, Instant, Session
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import Unmet

if TYPE_CHECKING:
    from deciding.decision import Step
    from domain.kernel.envelope import Envelope
    from store.port import Entry


class Outcome(BaseModel):
    """How the command ended: the types of its events, or every unmet condition."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

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
    def unmet(self) -> tuple[Unmet, ...]:
        """Every condition that was not met."""
        return self.refused or ()

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that refused it, each once, in order of name."""
        return tuple(sorted({u.rule for u in self.unmet}))


class Journal(BaseModel):
    """Who asked, what it came to, under which rules, and everything that was read for it."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

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
    received_at: Instant | None = None
    """When the door took it in; None for a deadline."""
    person: PersonId | None = None
    """Who asked; None for a bare seat, for what followed from another command, and for a deadline."""
    persons: Annotated[frozenset[PersonId], Field(exclude_if=lambda persons: not persons)] = frozenset()
    """Who counts as acting: whoever asked, and the holder for whom they stood in."""
    basis: Basis | None = None
    """By what the person acted on a seat that was not theirs."""
    session: Session | None = None
    """The login under which they asked, where there was one."""
    derived: bool | None = None
    """Whether the engine derived the id, as the door said; left out where it did not."""
    log: Literal[""] | None = None
    """Empty where the door knew of no entry yet when it signed; left out where it named this log."""
    key: str | None = None
    """Which door let it in, by the id of its key; None for what nobody asked for, and of before doors had keys."""
    signature: str | None = None
    """That door's, in hex: with ``key`` and this entry, all that it takes to check it (``domain.kernel.signature``)."""

    @classmethod
    def read(cls, entry: Entry) -> Journal:
        """What that entry's meta says. Raises pydantic's ValidationError."""
        return cls.model_validate_json(entry.meta)

    @classmethod
    def read_refused(cls, entry: Entry) -> Journal | None:
        """What that entry says of a refused command; None of an accepted one, and of one that says nothing.

        The latter is the verification's affair.
        """
        try:
            journal = cls.read(entry)
        except ValidationError:
            return None
        return journal if journal.outcome.unmet else None

    @classmethod
    def of(cls, step: Step, envelope: Envelope | None) -> Journal:
        """What is to be kept of a step that was decided; of one that somebody asked for, with its envelope."""
        return cls(
            actor=step.order.actor,
            outcome=Outcome(refused=step.unmet)
            if step.unmet
            else Outcome(accepted=tuple(e.event_type for e in step.events)),
            reads=dict(step.reads),
            claims=dict(step.claims),
            balances=dict(step.balances),
            edition=step.edition,
            scheme=step.scheme,
            digest=envelope.digest if envelope else None,
            received_at=envelope.received_at if envelope else None,
            person=envelope.person if envelope else None,
            persons=step.order.persons,
            basis=step.order.basis,
            session=(envelope.session or None) if envelope else None,
            derived=(envelope.derived or None) if envelope else None,
            log="" if envelope and envelope.signature and not envelope.log else None,
            key=(envelope.key or None) if envelope else None,
            signature=(envelope.signature or None) if envelope else None,
        )

    def as_meta(self) -> bytes:
        """The journal as canonical JSON, which is what the entry stores."""
        return canonical(plain(self))

    @field_serializer("claims")
    def _sort(self, claims: dict[str, frozenset[str]]) -> dict[str, list[str]]:
        return {key: sorted(holders) for key, holders in claims.items()}

    @field_serializer("persons")
    def _in_order(self, persons: frozenset[PersonId]) -> list[PersonId]:
        return sorted(persons)

    @field_serializer("received_at")
    def _with_offset(self, instant: Instant | None) -> str | None:
        return instant.isoformat() if instant else None


def repeat_answer(envelope: Envelope, entry: Entry) -> Answer:
    """The answer to an id that is journalled: the recorded one, or that it belongs to another request."""
    journal = Journal.read(entry)
    try:
        is_same = journal.digest == envelope.digest
    except (ValueError, RecursionError):  # what has no canonical form was never journalled
        is_same = False
    if not is_same:
        return Answer(ending=Ending.MISMATCH, stream=envelope.subject, version=entry.version)
    return read_answer(entry, journal)


def read_answer(entry: Entry, journal: Journal | None = None) -> Answer:
    """The answer that a journal entry stands for."""
    outcome = (journal or Journal.read(entry)).outcome
    return Answer(
        ending=Ending.REFUSED if outcome.unmet else Ending.ACCEPTED,
        stream=entry.stream,
        version=entry.version + len(outcome.events),
        position=entry.position + len(outcome.events),
        events=outcome.events,
        unmet=outcome.unmet,
        repeated=True,
    )
