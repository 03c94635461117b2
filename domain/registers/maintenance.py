"""運維: what an administrator does to the installation beside the log, with who and why, recorded before it is done.

One stream: ``maintenance/live/maintenance``. What changes the log itself is a command of its own stream (keys, seats,
clocks) and stands there. A work that began and never ended was broken off: whoever comes next sees it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, assert_never, get_args

from pydantic import Field

from domain.kernel.decider import Aggregate, Decider
from domain.kernel.identifier import LIVE, Reason, Role, StreamId, Text
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import NONE, SAME, Part, State, Transition
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.facts import Facts

MAINTENANCE_NAME: Final = "maintenance"
"""The name of the one such stream."""
MAINTENANCE: Final = StreamId.of("maintenance", LIVE, MAINTENANCE_NAME)


class MaintenanceStage(Words):
    """Whether anything was ever done."""

    NONE = NONE, "尚未建立", "not started"
    KEPT = "KEPT", "在記", "kept"


class Work(Words):
    """What is done to the installation."""

    RESURRECT = "RESURRECT", "由日誌重建工作流", "workflows begun anew from the log"
    END_STRAYS = "END_STRAYS", "重建，並結束日誌所無的工作流", "the same, and what the log does not know ended"
    MOVE_BUILD = "MOVE_BUILD", "轉移舊版本的工作流", "workflows moved off a build"
    SET_BUILD = "SET_BUILD", "更換現行版本", "another build made current"
    DESTROY_ORIGINALS = "DESTROY_ORIGINALS", "銷毀檔案原件", "originals of a disposed file destroyed"
    REBUILD_VIEWS = "REBUILD_VIEWS", "重建視圖", "views built anew"


class Undertaking(Particulars):
    """What is to be done, on what, and why."""

    work: Annotated[Work, Field(title="事項 / work")]
    target: Annotated[Text | None, Field(max_length=200, title="對象 / target")] = None
    """The build or the view that it is about; left out for all there is."""
    reason: Reason


class WorkNumber(Particulars):
    """Which work; the engine numbers them from 1."""

    number: Annotated[int, Field(ge=1, le=999_999_999, title="運維編號 / work number")]


class MaintenanceBegun(Undertaking, WorkNumber, Event):
    """It is about to be done."""

    zh = "運維開始"
    moves = (Transition("MT01", (MaintenanceStage.NONE,), MaintenanceStage.KEPT, (Role.ADMIN,), "before it is done"),)


class BeginMaintenance(Undertaking, Command):
    """Say what is about to be done, and why; only then is it done."""

    records = MaintenanceBegun
    acts_for = (BUREAU,)
    during = (MaintenanceStage.NONE, MaintenanceStage.KEPT)


class Result(WorkNumber):
    """What came of it."""

    changed: Annotated[int, Field(ge=0, le=999_999_999, title="已處理數 / changed")]
    """Workflows, schedules or views that were seen to."""
    left: Annotated[int, Field(ge=0, le=999_999_999, title="未成數 / left")]
    """Those that did not answer, or were left for a person."""


class MaintenanceEnded(Result, Event):
    """It is done, as far as it could be."""

    zh = "運維結束"
    moves = (Transition("MT02", (MaintenanceStage.KEPT,), SAME, (Role.ADMIN,), "of a work that has begun, once"),)


class EndMaintenance(Result, Command):
    """Say what came of it."""

    records = MaintenanceEnded
    acts_for = (BUREAU,)
    subject_field: ClassVar[str] = "number"


Commands = BeginMaintenance | EndMaintenance
Events = MaintenanceBegun | MaintenanceEnded


@dataclass(frozen=True)
class Maintenance(Part):
    """How many works there were, and those that have not ended."""

    begun: int = 0
    under_way: Mapping[int, Work] = field(default_factory=dict)


def decide(state: State, _facts: Facts, _order: Order, command: Commands) -> list[Event]:
    """What an order about maintenance makes happen. Raises CommandRejected."""
    check, known = Checks(), state.part(Maintenance)
    match command:
        case BeginMaintenance():
            check(
                state.stream == MAINTENANCE,
                "MT01",
                "運維只記於卷宗 {stream}",
                "maintenance is recorded on the file {stream} only",
                stream=MAINTENANCE,
            )
            return check.grant(MaintenanceBegun.of(command, number=known.begun + 1))
        case EndMaintenance(number=number):
            check(
                number in known.under_way,
                "MT02",
                "沒有進行中的運維 {number}",
                "no work {number} is under way",
                number=number,
            )
            return check.grant(MaintenanceEnded.of(command))
        case _:
            assert_never(command)


def evolve(state: State, _of: Occurrence, event: Events) -> State:
    """Keep how many works there were, and those that have not ended."""
    known = state.part(Maintenance)
    match event:
        case MaintenanceBegun(number=number, work=work):
            return state.with_parts(Maintenance(number, {**known.under_way, number: work}))
        case MaintenanceEnded(number=ended):
            return state.with_parts(Maintenance(known.begun, {n: w for n, w in known.under_way.items() if n != ended}))
        case _:
            assert_never(event)


DECIDER = Decider(
    name="maintenance",
    zh="運維",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
)

MAINTENANCE_AGGREGATE = Aggregate(
    kind="maintenance",
    zh="運維",
    en="maintenance",
    en_many="maintenance",
    deciders=(DECIDER,),
    final=frozenset(MaintenanceStage),
)
