"""The form of a scenario file (docs/scenarios.md): dated rows of event, subject, actor, data; what must result."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.kernel.acting import PersonId
from domain.kernel.bounds import Name
from domain.kernel.identifier import SYSTEM, Actor, Text
from domain.kernel.input import DayOrTime
from domain.kernel.money import Fen

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

COLUMNS = ("at", "event", "subject", "actor", "data", "why")
LEAST_COLUMNS = 4


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, coerce_numbers_to_str=True)


class Row(_Part):
    """``[date, event, subject, actor, data, why]``: what was ordered, and that it must be accepted.

    A row whose event is a deadline's own is an expectation: the clock must have brought it about on that day.
    """

    at: DayOrTime
    """A day (then 09:00 Asia/Shanghai, one minute after the row before it on the same day), or a time."""
    event: Text
    """The event, e.g. ``ProjectStarted``; the command's name or the Chinese term do as well."""
    subject: Text
    """``PJ-3``, or a part of it, ``PJ-3/T1``."""
    actor: Actor
    person: Annotated[PersonId | None, Field(exclude_if=lambda person: person is None)] = None
    """Who asks on that seat; whom ``seats`` puts there, if left out. Rows that are lists have no such column."""
    data: dict[str, Any] = {}
    """The particulars."""
    why: str = ""
    """Why this row was added to the story."""

    @model_validator(mode="before")
    @classmethod
    def _from_columns(cls, value: object) -> object:
        if isinstance(value, list):
            if not LEAST_COLUMNS <= len(value) <= len(COLUMNS):
                message = (
                    f"一行須為 [日期， 事件， 對象， 角色， 數據， 說明]，現有 {len(value)} 欄"
                    f" / a row is [date, event, subject, actor, data, why]; this one has {len(value)} columns"
                )
                raise ValueError(message)
            return dict(zip(COLUMNS, value, strict=False))
        return value


class MustRefuse(_Part):
    """A command that must be refused, with the rule that refuses it."""

    at: DayOrTime
    """A day (then 08:00 Asia/Shanghai, before the day's rows), or a time."""
    command: Text
    """The event or command; ``… by ROLE#n`` names who asks."""
    subject: Text
    actor: Actor | None = None
    """Who asks; the first role that may, if left out."""
    person: Annotated[PersonId | None, Field(exclude_if=lambda person: person is None)] = None
    """Who asks on that seat; whom ``seats`` puts there, if left out."""
    data: dict[str, Any] = {}
    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")]
    """The rule that must be among those named, e.g. ``T12``."""

    @model_validator(mode="before")
    @classmethod
    def _who_asks(cls, value: object) -> object:
        if isinstance(value, dict) and isinstance(value.get("command"), str):
            command, by, actor = value["command"].partition(" by ")
            if by and "actor" not in value:
                return {**value, "command": command.strip(), "actor": actor.strip()}
        return value


class ExpectedEnd(_Part):
    """How a project must end."""

    state: Text
    net: Fen | None = None
    """Paid less returned and clawed back, in fen."""


class DeclaredSeat(_Part):
    """A seat of the story that is no bare one: for whom it acts, and who is on it from the beginning."""

    person: PersonId | None = None
    """Whose it is; nobody's, if left out."""
    names: Annotated[tuple[Name, ...], Field(alias="for", max_length=50)] = ()
    """For whom it acts, as the streams spell them: ``[ORG-3]``. The bureau's seats and reviewers name nobody."""


class Scenario(_Part):
    """One story on one manual clock."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$")]
    title: str = ""
    scheme: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")]
    """A city's rules that come with the product, e.g. ``fuzhou``."""
    policy: dict[str, Any] = {}
    """Parameters that differ in this story, by section: ``{publicity: {working_days: 7}}``."""
    defaults: dict[str, Any] = {}
    """Particulars of applications, awards and contracts that no row and no project states, e.g. ``round``."""
    projects: dict[Annotated[str, Field(pattern=r"^PJ-[A-Za-z0-9-]{1,32}$")], dict[str, Any]] = {}
    """What is known of each project beforehand: its rows of application, award and contract take it from here."""
    persons: Annotated[tuple[PersonId, ...], Field(max_length=1000, exclude_if=lambda persons: not persons)] = ()
    """Persons of the story who are on no seat at its beginning."""
    seats: Annotated[dict[Actor, DeclaredSeat], Field(max_length=1000, exclude_if=lambda seats: not seats)] = {}
    """Seats with their persons. Those that are not named stay bare: on paper, whoever took it in vouches for them."""
    events: Annotated[list[Row], Field(min_length=1)]
    must_refuse: list[MustRefuse] = []
    expect: dict[str, ExpectedEnd] = {}
    notes: str = ""


UNREAD_DAY = date.min
"""Stands where a day could not be read: none of this office's."""
UNREAD_ACTOR = Actor("ADMIN#1")
"""This very object stands where an actor could not be read."""
UNREAD_DATA: dict[str, Any] = {}
"""And this one where particulars could not."""
UNREAD_ROW = Row.model_construct(
    None, at=UNREAD_DAY, event="", subject="", actor=SYSTEM, person=None, data=UNREAD_DATA, why=""
)
"""Stands where a row could not be read, so that the others keep their numbers."""
UNREAD_REFUSAL = MustRefuse.model_construct(
    None, at=UNREAD_DAY, command="", subject="", actor=None, person=None, data=UNREAD_DATA, code=""
)


def read_row(value: object, unread: AbstractSet[str]) -> Row:
    """The row but for those columns, in whose place something of the above stands."""
    if not isinstance(value, dict) or not unread.isdisjoint(("", "event", "subject")):
        return UNREAD_ROW
    blanks = {"at": UNREAD_DAY, "actor": UNREAD_ACTOR, "person": None, "data": UNREAD_DATA, "why": ""}
    legible = {name: content for name, content in value.items() if name not in unread}
    row = Row.model_validate({"at": "2000-01-01", "actor": UNREAD_ACTOR, **legible})
    return row.model_copy(update={name: blank for name, blank in blanks.items() if name in unread})


def read_refusal(value: object, unread: AbstractSet[str]) -> MustRefuse:
    """The refusal but for those keys, in whose place something of the above stands."""
    if not isinstance(value, dict) or not unread.isdisjoint(("", "command", "subject")):
        return UNREAD_REFUSAL
    blanks = {"at": UNREAD_DAY, "actor": None, "person": None, "data": UNREAD_DATA, "code": ""}
    legible = {name: content for name, content in value.items() if name not in unread}
    if "actor" in unread:
        legible["command"] = legible["command"].partition(" by ")[0]
    refusal = MustRefuse.model_validate({"at": "2000-01-01", "code": "X", **legible})
    return refusal.model_copy(update={name: blank for name, blank in blanks.items() if name in unread})
