"""Annual rounds: on its day a schedule fires, and that year's round is opened once.

That it is to fire stands in the programme's stream, what it brought about in the round's own (followers/schedules.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from application.door import Unsigned
from application.schemes import require_published
from deciding.annual_opening import opening_id
from deciding.fold import load_state
from domain.kernel.calendar import SHANGHAI
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import LIVE, Actor, StreamId
from domain.kernel.message import Order
from domain.kernel.refusal import CommandRejected
from domain.registers.annual_round import AnnualOpening, AnnualOpeningResult, RoundSchedule
from domain.registers.scheme import UnscheduleAnnualRound, scheme_stream
from domain.round.plan import OpenNeedSolicitation
from followers.schedules import iterate_programmes, load_schedules, schedule_id
from schemes import scheme_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from application.door import Door
    from domain.registers.scheme import ScheduleAnnualRound
    from followers.schedules import RoundSchedules
    from store.port import EventStore

log = structlog.get_logger()


class NoSuchSchedule(Failure):
    """No programme of that code opens rounds by itself."""

    kind = FailureKind.NOT_FOUND
    remedy_zh = "venture round schedules 列出全部年度安排"
    remedy_en = "venture round schedules shows those that do"

    def __init__(self, programme: str) -> None:
        super().__init__(f"{programme} 沒有年度安排", f"there is no schedule of {programme}", programme=programme)


@dataclass(frozen=True)
class AnnualRoundSchedule:
    """An annual round as the log has it, and when it is opened next."""

    schedule: RoundSchedule
    next_at: datetime | None
    """None if Temporal has no such schedule: ``venture resurrect`` sets it."""
    fired: int

    def as_json(self) -> dict[str, Any]:
        """As JSON: instants in UTC by ISO 8601, ``next_at`` and ``next_round`` null where none is to come."""
        annual = self.schedule.annual
        return {
            "programme": annual.programme,
            "realm": annual.realm,
            "scheme": annual.scheme,
            "level": annual.level,
            "actor": annual.actor,
            "next_at": self.next_at.isoformat() if self.next_at else None,
            "next_round": annual.round_of(self.next_at.astimezone(SHANGHAI).year).name if self.next_at else None,
            "fired": self.fired,
        }


async def open_round(door: Door, store: EventStore, request: AnnualOpening) -> AnnualOpeningResult:
    """Solicit that year's needs, once, by the newest rules that are published, in the name of who scheduled it.

    No door signs it: the programme's own stream bears it out (``deciding.annual_opening``). Raises NotKnown and the
    like where asking again may help.
    """
    annual = request.annual
    stream = annual.round_of(request.year)
    rules = (await load_state(store, scheme_stream(annual.realm, annual.scheme))).scheme
    command = OpenNeedSolicitation(scheme=rules, year=request.year, level=annual.level)
    try:
        receipt = await door.send(
            stream, command, annual.actor, command_id=opening_id(stream), derived=True, person=annual.person
        )
    except (CommandRejected, Unsigned) as refused:
        log.warning("annual.refused", stream=stream, rules=[u.rule for u in refused.unmet])
        return AnnualOpeningResult(stream=stream, refused=tuple(u.rule for u in refused.unmet))
    return AnnualOpeningResult(stream=stream, repeated=receipt.repeated)


async def schedule(
    door: Door,
    store: EventStore,
    schedules: RoundSchedules,
    stream: StreamId,
    command: ScheduleAnnualRound,
    actor: Actor,
) -> AnnualRoundSchedule:
    """Have that programme open a round every year, once its rules are published.

    Raises CommandRejected, SchemeUnpublished, or DocumentInvalid if there are no such rules.
    """
    ref = scheme_file.load_shipped(stream.name).ref
    now = datetime.now(SHANGHAI)
    await require_published(store, ref, now.year, stream.realm, Order(command, actor, now))
    await door.send(stream, command, actor)
    await schedules.keep(store, stream)
    listed = await list_schedules(store, schedules, stream)
    return next(s for s in listed if s.schedule.annual.programme == command.programme)


async def unschedule(
    door: Door, store: EventStore, schedules: RoundSchedules, programme: str, actor: Actor, realm: str = LIVE
) -> None:
    """Have it open no more; rounds that it opened stay. Raises NoSuchSchedule, or CommandRejected."""
    for one in await list_all_schedules(store, schedules):
        annual = one.schedule.annual
        if (annual.programme, annual.realm) == (programme, realm):
            stream = scheme_stream(realm, annual.scheme)
            await door.send(stream, UnscheduleAnnualRound(programme=programme), actor)
            await schedules.keep(store, stream)
            return
    raise NoSuchSchedule(programme)


async def list_all_schedules(store: EventStore, schedules: RoundSchedules) -> Sequence[AnnualRoundSchedule]:
    """Every annual round, programme by programme."""
    return [
        schedule
        async for programme in iterate_programmes(store)
        for schedule in await list_schedules(store, schedules, programme.stream)
    ]


async def list_schedules(
    store: EventStore, schedules: RoundSchedules, stream: StreamId
) -> Sequence[AnnualRoundSchedule]:
    """The schedules of one programme, by code."""
    logged = [schedule for schedule in (await load_schedules(store, stream)).values() if schedule is not None]
    return [await _with_next(schedules, schedule) for schedule in sorted(logged, key=lambda s: s.annual.programme)]


async def _with_next(schedules: RoundSchedules, schedule: RoundSchedule) -> AnnualRoundSchedule:
    description = await schedules.describe(schedule_id(schedule.annual))
    upcoming = min(description.info.next_action_times, default=None) if description else None
    return AnnualRoundSchedule(
        schedule, upcoming.astimezone(UTC) if upcoming else None, description.info.num_actions if description else 0
    )
