"""Commands ask, events tell. Both are particulars only: who, when and on which stream stand on the envelope.

Annotations are values here, not text as elsewhere, and what is about the class alone is taken off once it is read: for
each of the hundreds of subclasses of ``Command`` and ``Event`` pydantic would read it again, half of what it costs to
load the rules.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.kernel.acting import Acting, Basis, PersonId
from domain.kernel.effects import Effect
from domain.kernel.ground import Ground
from domain.kernel.identifier import Actor, Role, StreamId
from domain.kernel.relation import Relation, list_idle_relations, list_roles_without, scope_kind
from domain.kernel.restriction import Restriction
from domain.kernel.scope import Scope
from domain.kernel.state import NONE, Transition
from domain.kernel.words import name_code, split_name


class Particulars(BaseModel):
    """Fields that a command and the event it leads to have in common. Unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Event(Particulars):
    """What happened, past tense. History cannot be refused: a recorded event always folds."""

    event_type: ClassVar[str]
    """The name on disk. Classes may be renamed, this may not."""
    schema_version: ClassVar[int] = 1
    zh: ClassVar[str]
    """The field's own term."""
    en: ClassVar[str]
    """The same in English; left out, it is the name of the class in words."""
    moves: ClassVar[tuple[Transition, ...]] = ()
    """The rows of the state machine that this event makes."""
    asks: ClassVar[bool] = False
    """Whether an approval is asked for by it: whoever caused it is told which."""
    anonymous: ClassVar[bool] = False
    """Whether readers are not told who caused it, but for those whose task it is (``domain.visibility``)."""
    actor_restriction: ClassVar[Restriction | None] = None
    """Of what kind who caused it is, as a field that is not for everybody; None where everybody is told."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401 - pydantic's own signature
        """Name the event by its class."""
        super().__pydantic_init_subclass__(**kwargs)
        if "event_type" not in cls.__dict__:
            cls.event_type = cls.__name__
        if "en" not in cls.__dict__:
            cls.en = split_name(cls.event_type)
        if "zh" in cls.__dict__:
            name_code(cls.event_type, cls.zh, cls.en)

    @classmethod
    def of(cls, particulars: Particulars, **computed: object) -> Self:
        """The event with the particulars of its command, and what was computed.

        It is validated when it is granted: what a refusal leaves out need not be sound.
        """
        shared = {
            name: getattr(particulars, name) for name in cls.model_fields if name in type(particulars).model_fields
        }
        return cast("Self", cls.model_construct(None, **{**shared, **computed}))

    def revalidate(self) -> Self:
        """The same event, checked against its own form. Raises pydantic's ValidationError: a defect of the rules."""
        return type(self).model_validate(dict(self), by_name=True)

    def stands_since(self, at: datetime) -> datetime:
        """From when the stage counts that it leads to, UTC: from the event's own instant, unless it takes one over."""
        return at

    def effects(self, stream: StreamId) -> Iterable[Effect]:  # noqa: ARG002 - most events touch nothing shared
        """What this event does to claims and accounts that streams share."""
        return ()


class Command(Particulars):
    """What somebody asks for, imperative. Roles and stages come from the event's transitions unless stated."""

    command_type: ClassVar[str]
    records: ClassVar[type[Event]]
    """The event that it leads to when it is accepted."""
    by: ClassVar[tuple[Role, ...]]
    """Who may ask."""
    acts_for: ClassVar[tuple[Relation, ...]]
    """Of those roles, whose business it is: a relation for each kind of scope that they have."""
    during: ClassVar[tuple[str, ...]]
    """The stages in which it is legal."""
    rule: ClassVar[str]
    """The rule that refuses it in any other stage or from any other role: its transition, or ``S0``."""
    grounds: ClassVar[tuple[Ground, ...]] = ()
    """What must stand in the file, whatever the command says."""
    subject_field: ClassVar[str] = ""
    """The field that a subject's second half fills: in ``PJ-3/T1`` it is ``tranche``."""
    persons_needed: ClassVar[int] = 1
    """2 for a privileged act: wherever persons are known, one proposes it and another confirms (kernel/proposal.py)."""
    en_words: ClassVar[str] = ""
    """What it does, in English, where the name of the class does not say it as the office would."""
    confirmed_by: ClassVar[tuple[Role, ...]] = ()
    """Who may confirm a privileged act; empty for whoever may ask for it."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401 - pydantic's own signature
        """Name the command by its class, and take what is not stated from the transitions of its event."""
        super().__pydantic_init_subclass__(**kwargs)
        cls.command_type = cls.__name__
        if "records" not in cls.__dict__:
            return
        moves = cls.records.moves
        if "by" not in cls.__dict__:
            cls.by = tuple(dict.fromkeys(role for t in moves for role in t.by))
        if "during" not in cls.__dict__:
            cls.during = tuple(dict.fromkeys(stage for t in moves for stage in t.start))
        if "rule" not in cls.__dict__:
            cls.rule = moves[0].id if moves else "S0"
        name_code(cls.command_type, cls.zh(), cls.en())
        _require_relations(cls)

    @classmethod
    def about(cls, part: str, particulars: Mapping[str, Any]) -> dict[str, Any]:
        """The particulars with the subject's second half in its field, unless they say it themselves."""
        return {**({cls.subject_field: part} if part and cls.subject_field else {}), **particulars}

    @classmethod
    def is_always_first(cls) -> bool:
        """Whether it can do nothing but begin a stream."""
        return set(cls.during) == {NONE}

    def is_for_two(self) -> bool:
        """Whether it is a privileged act, with these particulars."""
        return type(self).persons_needed > 1

    def is_judged_live(self) -> bool:
        """Whether the live registers say who may ask, in a paper realm too: what takes it to the wall clock."""
        return False

    @classmethod
    def zh(cls) -> str:
        """The field's term for what it leads to."""
        return cls.records.zh

    @classmethod
    def en(cls) -> str:
        """What it does, in English: the name of the class in words, unless it says otherwise."""
        return cls.en_words or split_name(cls.command_type)


for _root in (Event, Command):  # pydantic has read them, and would again for each of hundreds of subclasses
    _root.__annotations__.clear()


def _require_relations(command: type[Command]) -> None:
    """Raises TypeError, saying what to write, unless ``acts_for`` is about each role in ``by``, and about no other."""
    stated = getattr(command, "acts_for", ())
    roles = (*command.by, *command.confirmed_by)
    for role in list_roles_without(roles, stated):
        kind = "ENGINE" if role is Role.SYS else scope_kind(role)
        message = (
            f"{command.__name__}.acts_for 未載明 {role} 因何經辦：by 旁須有 {kind} 的關係，如 BUREAU 之於局內各崗位 / "
            f"{command.__name__}.acts_for does not say what makes it the business of {role}: "
            f"beside ``by`` write a relation of scope {kind}, as BUREAU is for the bureau's own seats; "
            "the general ones are in domain/kernel/relation.py, the others in the modules that name somebody"
        )
        raise TypeError(message)
    for relation in list_idle_relations(roles, stated):
        message = (
            f"{command.__name__}.acts_for 中的 {relation.id} 不涉及任何可辦的角色，請刪去 / "
            f"take {relation.id} out of {command.__name__}.acts_for: it is about none of {', '.join(roles)}"
        )
        raise TypeError(message)


@dataclass(frozen=True)
class Order:
    """A command with who asks and the business time at which it is judged."""

    command: Command
    actor: Actor
    at: datetime
    """UTC."""
    persons: frozenset[PersonId] = frozenset()
    """Who counts as acting: whoever asks, and the holder for whom they stand in; empty for a bare seat."""
    basis: Basis | None = None
    """By what the person acts on a seat that is not theirs."""
    is_live: bool = False
    """Whether the live registers judged who asks: on the wall clock they do."""
    scope: Scope | None = None
    """For whom the seat acts, as its register says at that moment; None for a bare seat."""
    person: PersonId | None = None
    """Who asks, as the door has it; whether the seat is theirs, its register says (deciding/authority.py)."""

    @property
    def acting(self) -> Acting:
        """Seat and persons, to be compared with others'."""
        return Acting(self.actor, self.persons, self.is_live)


@dataclass(frozen=True)
class Occurrence:
    """An event with when it was so and who caused it: what ``evolve`` sees."""

    event: Event
    at: datetime
    """When it was so, UTC."""
    actor: Actor
    command_id: UUID
    persons: frozenset[PersonId] = frozenset()
    """Who counts as having acted; empty for a bare seat, the timer, and whatever was recorded before persons were."""
    basis: Basis | None = None
    """By what the person acted on a seat that was not theirs."""

    @property
    def acting(self) -> Acting:
        """Seat and persons, to be compared with others'."""
        return Acting(self.actor, self.persons)


@dataclass(frozen=True)
class Due:
    """A deadline: at that instant that command falls due, asked by the timer."""

    at: datetime
    command: Command
    key: str = ""
    """Tells two deadlines of one kind apart, e.g. the tranche."""
    grace: timedelta = timedelta(0)
    """How long after its instant the wall clock sees to it, so that what the door took in time comes first."""
    provisional: bool = False
    """Whether it counts working days of a year that is not published yet: a notice may still move it."""


@dataclass(frozen=True)
class Awaited:
    """Who is awaited, for what, and until when; ``until`` past and nothing done is *overdue*."""

    roles: tuple[Role, ...]
    command: str
    """The command type that would satisfy it."""
    subject: str
    """What it is about within the stream, e.g. ``T1``; empty for the whole."""
    zh: str
    en: str
    until: datetime | None = None
    provisional: bool = False
    """Whether ``until`` counts working days of a year that is not published yet."""
    seats: tuple[Actor, ...] = ()
    """Of these roles only these very seats; empty for any."""
