"""檔案處置: an archived file whose keeping period has ended, disposed of by two persons, or held as long as it must.

What is destroyed are the originals of its documents, never the record of them: events and digests stay in the log.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel.attachment import Attachments
from domain.kernel.calendar import local_day
from domain.kernel.decider import Decider
from domain.kernel.ground import Ground, require_grounds
from domain.kernel.identifier import Reason, Role
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.phrase import or_else
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import Part, State
from domain.kernel.words import Words
from domain.project.closeout import Closeout
from domain.project.contract import HOST
from domain.project.stage import Stage

if TYPE_CHECKING:
    from domain.kernel.facts import Facts

KEEPERS = (Role.CAB_REG, Role.CAB_DEC)
"""Who may have a file held, and let go of: discipline inspection reads only, and asks them (P6)."""


class HoldGround(Words):
    """Why a file is needed beyond its keeping period."""

    CASE = "CASE", "問責案件", "accountability case"
    AUDIT = "AUDIT", "審計", "audit"
    LITIGATION = "LITIGATION", "訴訟或仲裁", "litigation or arbitration"


class Hold(Particulars):
    """Who needs it, and for what."""

    ground: Annotated[HoldGround, Field(title="事由 / ground")]
    reason: Reason
    attachments: Attachments = ()


class FileHeld(Hold, Event):
    """Nothing of the file may be destroyed until it is let go of."""

    zh = "留存"
    en = "file held"


class HoldFile(Hold, Command):
    """Have an archived file held, whatever its keeping period."""

    records = FileHeld
    by = KEEPERS
    acts_for = (BUREAU,)
    during = (Stage.ARCHIVED,)
    rule = "DS01"


class Letting(Particulars):
    """Why it is needed no longer."""

    reason: Reason
    attachments: Attachments = ()


class FileReleased(Letting, Event):
    """The file is needed no longer: its keeping period counts again."""

    zh = "解除留存"
    en = "hold lifted"


class ReleaseFile(Letting, Command):
    """Let a held file go."""

    records = FileReleased
    by = KEEPERS
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = (Role.CAB_DEC,)
    during = (Stage.ARCHIVED,)
    rule = "DS01"
    grounds = (Ground("DS01", "卷宗並未留存", "the file is not held", lambda state: state.part(Keeping).held),)


class Disposal(Particulars):
    """Why nothing of it is worth keeping longer."""

    reason: Reason
    attachments: Attachments = ()
    """The appraisal (鑒定意見); what is attached here belongs to the file and is kept."""


class FileDisposed(Disposal, Event):
    """The originals of all documents that the file named before are to be destroyed; their digests stay."""

    zh = "銷毀檔案原件"
    en = "originals disposed of"


class DisposeFile(Disposal, Command):
    """Have the originals of an archived file's documents destroyed."""

    records = FileDisposed
    by = (Role.HOST,)
    acts_for = (HOST, BUREAU)
    persons_needed = 2
    confirmed_by = (Role.CAB_REG,)
    during = (Stage.ARCHIVED,)
    rule = "DS02"


Commands = HoldFile | ReleaseFile | DisposeFile
Events = FileHeld | FileReleased | FileDisposed


@dataclass(frozen=True)
class Keeping(Part):
    """Whether the file is held, and when its originals were last disposed of."""

    held: HoldGround | None = None
    disposed_on: date | None = None


def retention_end(closeout: Closeout) -> date | None:
    """The first day on which the file need not be kept any longer; None if it is not archived.

    A period in years counts from the first of January after the file was put away (保管期限, GK 14).
    """
    archived = closeout.archived_on
    return archived and date(archived.year + 1 + closeout.retention_years, 1, 1)


def decide(state: State, _facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the keeping of a file makes happen. Raises CommandRejected."""
    check, keeping = Checks(), state.part(Keeping)
    match command:
        case HoldFile():
            check(
                keeping.held is None,
                "DS01",
                "卷宗已留存（{ground}）",
                "the file is held already ({ground})",
                ground=keeping.held,
            )
            return check.grant(FileHeld.of(command))
        case ReleaseFile():
            require_grounds(check, state, command)
            return check.grant(FileReleased.of(command))
        case DisposeFile():
            _require_disposable(check, state, local_day(order.at))
            return check.grant(FileDisposed.of(command))
        case _:
            assert_never(command)


def _require_disposable(check: Checks, state: State, today: date) -> None:
    """DS02: its period is over, and it was not disposed of since it was put away; DS03: nobody needs it."""
    keeping, closeout = state.part(Keeping), state.part(Closeout)
    until, archived = retention_end(closeout), closeout.archived_on
    check(
        until is not None and today >= until,
        "DS02",
        "保管期限（{years} 年）至 {until} 方滿",
        "it is to be kept {years} years, until {until}",
        years=closeout.retention_years,
        until=or_else(until, "(未歸檔)", "not archived"),
    )
    check(
        keeping.disposed_on is None or (archived is not None and keeping.disposed_on < archived),
        "DS02",
        "原件已於 {day} 銷毀",
        "its originals were disposed of on {day}",
        day=or_else(keeping.disposed_on, "(未)", "never"),
    )
    check(
        keeping.held is None,
        "DS03",
        "卷宗因{ground}留存，解除前不得銷毀",
        "the file is held ({ground}); nothing of it is destroyed until it is let go of",
        ground=keeping.held,
    )


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep on what ground the file is held, and when its originals were last disposed of."""
    keeping = state.part(Keeping)
    match event:
        case FileHeld(ground=ground):
            return state.with_parts(replace(keeping, held=ground))
        case FileReleased():
            return state.with_parts(replace(keeping, held=None))
        case FileDisposed():
            return state.with_parts(replace(keeping, disposed_on=local_day(of.at)))
        case _:
            assert_never(event)


DECIDER = Decider(
    name="disposal",
    zh="檔案處置",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
)
