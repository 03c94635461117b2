"""What crosses the house: a signed command on its way in, an answer on its way out, and what a workflow waits for."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from domain.kernel.acting import PersonId
from domain.kernel.canonical import canonical, digest
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import Unmet
from domain.kernel.signature import clock_bytes, command_bytes

if TYPE_CHECKING:
    from domain.kernel.signature import Signer


def to_utc(instant: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError without an offset."""
    if instant.tzinfo is None:
        message = "時間須帶時區 / an instant needs its offset"
        raise ValueError(message)
    return instant.astimezone(UTC)


Instant = Annotated[datetime, AfterValidator(to_utc)]
"""A moment, kept in UTC; refused without an offset."""


Session = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,64}$")]
"""The login under which somebody asks, by an opaque id; empty where there is none."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Envelope(_Wire):
    """A command as the door took it in: who asks what of which stream, and when it arrived. Signed at the door."""

    command_id: UUID
    """Chosen by the caller. Asking again with the same id is safe: it is carried out once."""
    subject: StreamId
    actor: Actor
    received_at: Instant
    command: str
    """The command type, e.g. ``StartProject``."""
    body: dict[str, Any]
    """Its particulars as plain JSON, in the form that pydantic writes."""
    derived: Annotated[bool, Field(exclude_if=lambda derived: not derived)] = False
    """Whether the engine derived the id, as for a scenario's step or a file's row: nobody else brings such an id."""
    log: Annotated[str, Field(exclude_if=lambda log: not log)] = ""
    """The log that the door reads, by the chain hash of its first entry in hex: no other is to record the command.
    Empty before there is an entry."""
    person: Annotated[PersonId | None, Field(exclude_if=lambda person: person is None)] = None
    """Who asks, on that seat; None for a bare seat, whom only a paper realm takes in."""
    session: Annotated[Session, Field(exclude_if=lambda session: not session)] = ""
    """The login under which they ask, where there is one."""
    key: Annotated[str, Field(exclude_if=lambda key: not key)] = ""
    """Which door let it in, by the id of its key."""
    signature: str = ""
    """That door's, over everything else: Ed25519 in hex (``domain.kernel.signature``)."""

    @cached_property
    def particulars(self) -> bytes:
        """The body as it is signed and kept. Raises ValueError or RecursionError for what has no canonical form."""
        return canonical(self.body)

    @cached_property
    def digest(self) -> str:
        """What was asked and by whom, in hex: equal for the same request asked again, whenever it arrives.

        Raises as ``particulars`` does.
        """
        request = {"subject": self.subject, "actor": self.actor, "command": self.command, "body": self.body}
        return digest({**request, "person": self.person} if self.person else request)

    def __copy__(self) -> Self:
        """What was derived does not go along: the copy may be given another body."""
        copied = super().__copy__()
        for derived in ("particulars", "digest"):
            copied.__dict__.pop(derived, None)
        return copied

    def signed_bytes(self, key: str | None = None) -> bytes:
        """What the door signs, with that key or its own. Raises as ``particulars`` does."""
        return command_bytes(
            key=self.key if key is None else key,
            log=self.log,
            command_id=self.command_id,
            subject=self.subject,
            command=self.command,
            particulars=self.particulars,
            seat=self.actor,
            person=self.person,
            session=self.session,
            received_at=self.received_at,
            derived=self.derived,
        )

    def sign(self, key: Signer) -> Envelope:
        """The same envelope with the door's signature."""
        signature = key.sign(self.signed_bytes(str(key.id))).hex()
        return self.model_copy(update={"key": str(key.id), "signature": signature})


class CarryOut(_Wire):
    """What a workflow asks of ``carry_out``: this command, or, without one, to apply what is due."""

    stream: StreamId
    now: Instant
    """The workflow's time, or in a manual realm the time to which it is moved."""
    envelope: Envelope | None = None
    alarm: bool = False
    """Whether the workflow asks by itself, woken by its alarm or by ``look``: that moves no manual clock."""
    key: Annotated[str, Field(exclude_if=lambda key: not key)] = ""
    """Which door signed it, by the id of its key."""
    signature: Annotated[str, Field(exclude_if=lambda signature: not signature)] = ""
    """Without an envelope, the door's own word that a manual clock has come to ``now``: Ed25519 in hex."""

    def signed_bytes(self) -> bytes:
        """What the door signs of it."""
        return clock_bytes(key=self.key, stream=self.stream, now=self.now)

    def sign(self, key: Signer) -> CarryOut:
        """The same with the door's signature."""
        unsigned = self.model_copy(update={"key": str(key.id)})
        return unsigned.model_copy(update={"signature": key.sign(unsigned.signed_bytes()).hex()})


class Bundle(_Wire):
    """Commands on one stream, to be carried out in turn."""

    envelopes: Annotated[tuple[Envelope, ...], Field(min_length=1)]


class BundleRequest(Bundle):
    """What a workflow asks of ``carry_out_each``."""

    stream: StreamId
    now: Instant
    """The workflow's time."""


class Ending(StrEnum):
    """How a command ended."""

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    MISMATCH = "MISMATCH"
    """The id was used before, for another request. Choose a fresh id."""
    UNSIGNED = "UNSIGNED"
    """It did not come through a door that may ask it, or was changed on the way. ``unmet`` says how, and what to do."""
    PARKED = "PARKED"
    """The stream waits for a person: a deadline could not be applied (see ``venture doctor``)."""
    EARLY = "EARLY"
    """Nothing is recorded: on the realm's manual clock a deadline of another stream comes first. Let it fall due, ask
    again."""


UNRECORDED = (Ending.UNSIGNED, Ending.PARKED, Ending.EARLY)
"""Endings that no journal has: nothing was recorded."""


class Answer(_Wire):
    """The one answer to one command id, however often it is asked."""

    ending: Ending
    stream: StreamId
    version: int
    """The stream's version after the command."""
    position: int = 0
    """The position of the last entry that it wrote."""
    events: tuple[str, ...] = ()
    """The types of its events."""
    unmet: tuple[Unmet, ...] = ()
    """Every condition that was not met."""
    repeated: bool = False
    """Whether this is the recorded answer to an earlier asking."""
    command_id: Annotated[UUID | None, Field(exclude_if=lambda command_id: command_id is None)] = None
    """Which command it answers, where no journal says so: given to another, it is not believed."""
    log: Annotated[str, Field(exclude_if=lambda log: not log)] = ""
    """The log in which the door has read it, by the chain hash of its first entry in hex. No worker says it."""

    @classmethod
    def refuse(cls, stream: StreamId, version: int, unmet: tuple[Unmet, ...]) -> Self:
        """The refusal of a command that is not journalled, or not yet."""
        return cls(ending=Ending.REFUSED, stream=stream, version=version, unmet=unmet)


class Progress(_Wire):
    """How a stream stands, in so far as its workflow must know: nothing that could not be read back from the log."""

    version: int
    stage: str
    due: Instant | None = None
    """When to wake up: the nearest deadline, on the wall clock only."""
    final: bool = False
    """Whether nothing more comes by itself."""
    decided: dict[str, str] = {}
    """Approvals that have ended: id and verdict. Only in runs of before decision 015; whoever waits reads the log."""
    shown: str = ""
    """The stage in the office's words, to search by. Empty in histories of before it was shown."""
    alarm: str = ""
    """What is to be seen to at ``due``, for people."""
    details: str = ""
    """How it stands, for people, in Markdown. No personal data."""


class CarryOutResult(_Wire):
    """What ``carry_out`` gives back."""

    progress: Progress
    answer: Answer | None = None


class BundleAnswers(_Wire):
    """The answers to the first commands of a bundle: after one that was not accepted nothing has been carried out."""

    answers: tuple[Answer, ...] = ()


class BundleResult(BundleAnswers):
    """What ``carry_out_each`` gives back."""

    progress: Progress


class WorkflowInput(_Wire):
    """The argument of every stream's workflow."""

    stream: StreamId
    progress: Progress | None = None
    """How it stood when the last run ended; None for a first run."""
    long_history: int | None = None
    """Events after which a run makes way for the next, if another number than usual is wanted."""
