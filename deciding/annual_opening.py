"""The one command that nobody signs when it is asked: a year's round, whose programme says in the log that it opens.

Whoever scheduled it asked for every year's round in advance, through a door. On its day the worker, which has no key,
may open that round, so and no otherwise.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from domain.kernel.calendar import SHANGHAI
from domain.kernel.identifier import StreamId, derive_id
from domain.registers.scheme import SCHEME, Register
from domain.round.plan import OpenNeedSolicitation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any
    from uuid import UUID

    from domain.kernel.acting import PersonId
    from domain.kernel.identifier import Actor
    from domain.kernel.state import State
    from domain.registers.annual_round import RoundSchedule

COMMAND: Final = OpenNeedSolicitation.command_type


def opening_id(round_: StreamId) -> UUID:
    """The id of the command that opens it: however often the calendar asks, it is once."""
    return derive_id("annual", round_)


def find_programme(round_: StreamId, command: str, body: Mapping[str, Any], command_id: UUID) -> StreamId | None:
    """The programme that must have scheduled this; None if it is no annual opening at all."""
    if command != COMMAND or command_id != opening_id(round_):
        return None
    try:
        opening = OpenNeedSolicitation.model_validate(body)
    except ValidationError:
        return None
    return round_.sibling(SCHEME.kind, opening.scheme.name) if opening.scheme else None


def is_scheduled(
    programme: State,
    round_: StreamId,
    seat: Actor,
    person: PersonId | None,
    body: Mapping[str, Any],
    at: datetime,
) -> bool:
    """Whether that programme, as it stands, opens just this round by then, in the name of who scheduled it."""
    opening = OpenNeedSolicitation.model_validate(body)
    schedules = (schedule for schedule in programme.part(Register).annual.values() if schedule is not None)
    return any(
        schedule.annual.round_of(opening.year) == round_
        and (schedule.annual.actor, schedule.annual.person, schedule.annual.level) == (seat, person, opening.level)
        and _opens_at(schedule, opening.year) <= at
        for schedule in schedules
        if opening.year is not None
    )


def _opens_at(schedule: RoundSchedule, year: int) -> datetime:
    return datetime(year, schedule.month, schedule.day, schedule.hour, tzinfo=SHANGHAI)
