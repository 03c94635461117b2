"""``venture round``: open a round, now or every year; list rounds, show one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from application import annual_round
from application.listing import StreamFilter, StreamLine, list_streams
from application.queries import load_file, new_stream, resolve_name
from application.rules import require_published
from cli.adapter import Invocation, verb
from cli.command import read_actor
from cli.help import Typer
from cli.options import After, Limit, Realm
from cli.output import ArgumentInvalid, Column
from cli.paging import ask_page, read_filter, tell_page
from cli.project import now_in, show
from cli.times import deadline_time
from domain.catalogue import find_command, stage_zh
from domain.kernel.calendar import SHANGHAI, local_time
from domain.kernel.identity import LIVE, StreamId
from domain.kernel.message import Order
from domain.kernel.scheme import RoundLevel
from domain.registers.scheme import ScheduleAnnualRound
from followers.schedules import RoundSchedules
from schemes import packs

if TYPE_CHECKING:
    from cli.output import Printer
    from runtime.runtime import Runtime

app = Typer()


@app.command("open")
@verb
async def open_command(
    name: Annotated[str, typer.Argument(help="屆次編號 its number, e.g. R-FZ-2027", show_default=False)],
    scheme: Annotated[str, typer.Option("--scheme", help="管理辦法 the city's rules, e.g. fuzhou", show_default=False)],
    actor: Annotated[str, typer.Option("--as", help="經辦人 who opens it: ROLE#n", show_default=False)],
    year: Annotated[
        int | None, typer.Option("--year", min=2000, max=2200, help="年度，不填則取編號末四位 / its year")
    ] = None,
    *,
    invocation: Invocation,
) -> None:
    """啟動一屆，開始需求徵集；辦法與工作日曆須先發布 / open a round: solicit needs. Rules and working days come first.

    未發布時列出所缺、該給的命令與可辦之人，什麼也不記錄。
    What is not published is named with the command to give and who may; nothing is recorded then.

    例 example:  venture round open R-FZ-2027 --scheme fuzhou --as CAB-REG#1
    """
    printer = invocation.printer
    rules, stream, who = packs.load_shipped(scheme), _read_round(name), read_actor(actor)
    particulars = {"scheme": rules.ref.model_dump(), "year": year or _year_of(name)}
    command = find_command("NeedSolicitationOpened", "round").model_validate(particulars)
    async with invocation.open_runtime(working=True) as runtime:
        now = datetime.now(SHANGHAI)
        await require_published(runtime.store, rules.ref, now.year, stream.realm, Order(command, who, now))
        receipt = await runtime.door.send(stream, command, who)
    if printer.for_people:
        printer.tell(
            f"✓ {name} 已開始需求徵集，適用辦法 {scheme}。下一步:venture round show {name}",
            f"✓ {name} solicits needs under {scheme}. Next: venture round show {name}",
            "green",
        )
    else:
        printer.json({"stream": receipt.stream, "version": receipt.version, "events": list(receipt.events)})


def _read_round(name: str) -> StreamId:
    """The stream of a new round. Raises ArgumentInvalid if the name is no round's."""
    invalid = ArgumentInvalid(f"屆次編號 {name}：寫作 R-FZ-2027", f"the round's number {name}: write R-FZ-2027")
    try:
        stream = new_stream(name, LIVE)
    except (KeyError, ValueError):
        raise invalid from None
    if stream.kind != "round" or "/" in name:
        raise invalid
    return stream


def _year_of(name: str) -> int:
    """The year that the number ends in, or else this one."""
    year = re.search(r"-(20\d\d|21\d\d)$", name)
    return int(year[1]) if year else datetime.now(SHANGHAI).year


@app.command("list")
@verb
async def list_command(*, invocation: Invocation, realm: Realm = None, limit: Limit = 100, after: After = None) -> None:
    """列出屆次 / the rounds.

    例 example:  venture round list -o json
    """
    printer = invocation.printer
    async with invocation.open_store() as store:
        page = await list_streams(
            store, read_filter(StreamFilter, kind="round", realm=realm), await ask_page(store, limit, after)
        )
    rows = [
        {
            "round": one.stream.name,
            "stage": printer.say(stage_zh("round", one.stage), one.stage) if printer.for_people else one.stage,
            "due": _show_due(one, printer),
            "provisional": one.provisional,
            "realm": one.stream.realm,
            **one.particulars,
            "calendar": one.calendar,
        }
        for one in page.rows
    ]
    columns = (
        Column("round", "屆次", "round"),
        Column("stage", "階段", "stage"),
        Column("due", "期限", "deadline"),
        Column("realm", "環境", "realm"),
    )
    printer.rows(rows, columns, ("還沒有屆次", "no rounds yet"))
    tell_page(page, printer)


def _show_due(one: StreamLine, printer: Printer) -> str | None:
    """The nearest deadline, for people with the mark that a notice may still move it."""
    if one.due is None:
        return None
    if not printer.for_people:
        return one.due.isoformat()
    return deadline_time(one.due, printer, provisional=one.provisional)


@app.command("show")
@verb
async def show_command(
    name: Annotated[str, typer.Argument(help="R-FZ-2023", show_default=False)],
    *,
    invocation: Invocation,
    realm: Realm = None,
) -> None:
    """一屆的現狀與經過 / where a round stands, and its story.

    例 example:  venture round show R-FZ-2023
    """
    async with invocation.open_store() as store:
        file = await load_file(store, await resolve_name(store, name, realm))
        now = await now_in(store, file.stream)
    show(file, invocation.printer, now)


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
    stream = StreamId.of("scheme", LIVE, packs.load_shipped(scheme).name)
    async with invocation.open_runtime(working=True) as runtime:
        schedules = _temporal_schedules(runtime)
        scheduled = await annual_round.schedule(runtime.door, runtime.store, schedules, stream, command, who)
    if not printer.for_people:
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
            **({"next_at": local_time(one.next_at) if one.next_at else unset} if printer.for_people else {}),
        }
        for one in schedules
    ]
    columns = (
        Column("programme", "計劃", "programme"),
        Column("scheme", "辦法", "rules"),
        Column("next_at", "下一次", "next"),
        Column("next_round", "屆次", "round"),
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
    if printer.for_people:
        printer.tell(f"✓ 已取消 {programme} 的年度安排", f"✓ the schedule of {programme} is gone", "green")
    else:
        printer.json({"programme": programme, "unscheduled": True})
