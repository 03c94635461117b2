"""``venture round schedule``: a round every year by itself; it loads the client of Temporal, which keeps the alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from application import annual_round
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import read_actor
from cli.output import ArgumentInvalid, Column
from domain.kernel.calendar import local_time
from domain.kernel.identifier import LIVE
from domain.kernel.scheme import RoundLevel
from domain.registers.scheme import ScheduleAnnualRound, scheme_stream
from followers.schedules import RoundSchedules
from schemes import scheme_file

if TYPE_CHECKING:
    from runtime.runtime import Runtime

app = Typer()

Programme = Annotated[str, typer.Argument(help="計劃代號 its code, e.g. FZ: 每年一屆 R-FZ-年度", show_default=False)]


@app.command("schedule")
@verb
async def schedule_command(
    programme: Programme,
    scheme: Annotated[str, typer.Option("--scheme", help="管理辦法 the city's rules, e.g. fuzhou", show_default=False)],
    month: Annotated[int, typer.Option("--month", min=1, max=12, help="月 month", show_default=False)],
    day: Annotated[int, typer.Option("--day", min=1, max=31, help="日 day", show_default=False)],
    actor: Annotated[str, typer.Option("--as", help="經辦人，屆次以其名義開啟 / in whose name: ROLE#n")],
    hour: Annotated[int, typer.Option("--hour", min=0, max=23, help="時，北京時間 / hour, Shanghai time")] = 9,
    level: Annotated[RoundLevel, typer.Option("--level", help="級別 whose round it is")] = RoundLevel.MUNICIPAL,
    *,
    invocation: Invocation,
) -> None:
    """每年此日此時自動啟動一屆；停機一週之內仍會補開 / open a round every year at that hour, even a week late.

    例 example:  venture round schedule FZ --scheme fuzhou --month 3 --day 1 --as CAB-REG#1
    """
    printer = invocation.printer
    command, who = _read_schedule(programme, level, month, day, hour), read_actor(actor)
    stream = scheme_stream(LIVE, scheme_file.load_shipped(scheme).name)
    async with invocation.open_runtime(working=True) as runtime:
        schedules = _temporal_schedules(runtime)
        scheduled = await annual_round.schedule(runtime.door, runtime.store, schedules, stream, command, who)
    if not printer.is_for_people:
        printer.json(scheduled.as_json())
        return
    upcoming = local_time(scheduled.next_at) if scheduled.next_at else ""
    printer.tell(
        f"✓ 已記錄，{programme} 每年自動啟動一屆，下一次 {upcoming}",
        f"✓ recorded: {programme} opens a round every year, next at {upcoming}",
        "green",
    )


def _read_schedule(programme: str, level: RoundLevel, month: int, day: int, hour: int) -> ScheduleAnnualRound:
    """The command that schedules it. Raises ArgumentInvalid."""
    try:
        return ScheduleAnnualRound(programme=programme, level=level, month=month, day=day, hour=hour)
    except ValidationError as wrong:
        raise ArgumentInvalid(
            f"計劃代號 {programme}：只用字母與數字，如 FZ",
            f"the code {programme}: letters and figures, e.g. FZ",
        ) from wrong


def _temporal_schedules(runtime: Runtime) -> RoundSchedules:
    return RoundSchedules(runtime.client, runtime.settings.task_queue)


@app.command("schedules")
@verb
async def schedules_command(*, invocation: Invocation) -> None:
    """列出年度安排及下一次 / the annual schedules, and when each fires next.

    例 example:  venture round schedules -o json
    """
    printer = invocation.printer
    async with invocation.open_runtime(with_temporal=True) as runtime:
        schedules = await annual_round.list_all_schedules(runtime.store, _temporal_schedules(runtime))
    unset = printer.say("未設：venture resurrect", "not set: venture resurrect")
    rows = [
        {
            **one.as_json(),
            **({"next_at": local_time(one.next_at) if one.next_at else unset} if printer.is_for_people else {}),
        }
        for one in schedules
    ]
    columns = (
        Column("programme", "計劃", "programme"),
        Column("scheme", "辦法", "rules"),
        Column("next_at", "下一次", "next"),
        Column("next_round", "屆（年度）", "round"),
        Column("actor", "經辦", "by"),
        Column("fired", "已開次數", "fired", right=True),
    )
    printer.rows(rows, columns, ("沒有年度安排", "no annual schedules"))


@app.command("unschedule")
@verb
async def unschedule_command(
    programme: Programme,
    actor: Annotated[str, typer.Option("--as", help="經辦人 who cancels it: ROLE#n", show_default=False)],
    *,
    invocation: Invocation,
) -> None:
    """取消年度安排；已開的屆次不受影響 / take the schedule away; rounds that it opened stay.

    例 example:  venture round unschedule FZ --as CAB-DEC#1
    """
    printer = invocation.printer
    who = read_actor(actor)
    async with invocation.open_runtime(working=True) as runtime:
        await annual_round.unschedule(runtime.door, runtime.store, _temporal_schedules(runtime), programme, who)
    if printer.is_for_people:
        printer.tell(f"✓ 已取消 {programme} 的年度安排", f"✓ the schedule of {programme} is gone", "green")
    else:
        printer.json({"programme": programme, "unscheduled": True})
