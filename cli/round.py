"""``venture round``: open a round, now or every year; list rounds, show one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from application import annual_round
from application.queries import File, list_streams, load_file, new_stream, resolve_name
from cli import rendering
from cli.adapter import noun, read_settings, run_work
from cli.command import actor_named
from cli.output import ArgumentInvalid, Column, Form, Language, Output, Printer
from cli.project import Realm, now_in, show
from domain.catalogue import command_named, stage_zh
from domain.kernel.calendar import SHANGHAI
from domain.kernel.identity import LIVE, StreamId
from domain.kernel.scheme import RoundLevel
from domain.kernel.state import NONE
from domain.registers.scheme import ScheduleAnnualRound
from followers.schedules import RoundSchedules
from runtime.runtime import open_runtime
from schemes import packs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from application.annual_round import AnnualRoundSchedule
    from application.door import Receipt
    from application.queries import StreamRow
    from runtime.runtime import Runtime

app = noun("輪次：一次徵集", "rounds: one call each")


@app.command("open")
def open_command(
    name: Annotated[str, typer.Argument(help="輪次編號 its number, e.g. R-FZ-2027", show_default=False)],
    scheme: Annotated[str, typer.Option("--scheme", help="管理辦法 the city's rules, e.g. fuzhou", show_default=False)],
    actor: Annotated[str, typer.Option("--as", help="經辦人 who opens it: ROLE#n")] = "CAB-REG#1",
    year: Annotated[
        int | None, typer.Option("--year", min=2000, max=2200, help="年度，不填則取編號末四位 / its year")
    ] = None,
    output: Output = Form.TABLE,
    lang: Language = None,
) -> None:
    """開一輪：發布辦法與工作日曆，開始需求徵集 / open a round: publish rules and calendar, solicit needs.

    例 example:  venture round open R-FZ-2027 --scheme fuzhou --as CAB-REG#1
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> Receipt:
        rules, stream, who = packs.load_shipped(scheme), _new(name), actor_named(actor)
        particulars = {"scheme": rules.ref.model_dump(), "year": year or _year_of(name)}
        command = command_named("NeedSolicitationOpened", "round").model_validate(particulars)
        async with open_runtime(settings, voice.tell, working=True) as office:
            await annual_round.publish_rules(office.door, office.store, rules, datetime.now(UTC).year)
            return await office.door.send(stream, command, who)

    receipt = run_work(voice, work())
    if voice.for_people:
        voice.tell(
            f"✓ {name} 已開始需求徵集，適用辦法 {scheme}。下一步:venture round show {name}",
            f"✓ {name} solicits needs under {scheme}. Next: venture round show {name}",
            "green",
        )
    else:
        voice.json({"stream": receipt.stream, "version": receipt.version, "events": list(receipt.events)})


def _new(name: str) -> StreamId:
    """The stream of a new round. Raises ArgumentInvalid if the name is no round's."""
    try:
        stream = new_stream(name, LIVE)
        if stream.kind == "round" and "/" not in name:
            return stream
    except (KeyError, ValueError):
        pass
    raise ArgumentInvalid(f"輪次編號 {name}：寫作 R-FZ-2027", f"the round's number {name}: write R-FZ-2027")


def _year_of(name: str) -> int:
    """The year that the number ends in, or else this one."""
    found = re.search(r"-(20\d\d|21\d\d)$", name)
    return int(found[1]) if found else datetime.now(SHANGHAI).year


@app.command("list")
def list_command(output: Output = Form.TABLE, lang: Language = None, realm: Realm = None) -> None:
    """列出輪次 / the rounds.

    例 example:  venture round list -o json
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> list[StreamRow]:
        async with open_runtime(settings, voice.tell, working=False) as office:
            return await list_streams(office.store, "round", realm=realm)

    rows = [
        {
            "round": one.stream.name,
            "stage": voice.say(stage_zh("round", one.stage), one.stage) if voice.for_people else one.stage,
            "due": (rendering.local(one.due) if voice.for_people else one.due.isoformat()) if one.due else None,
            "realm": one.stream.realm,
            **one.summary.particulars,
            "calendar": one.summary.calendar,
        }
        for one in run_work(voice, work())
        if one.stage != NONE
    ]
    columns = (
        Column("round", "輪次", "round"),
        Column("stage", "階段", "stage"),
        Column("due", "期限", "deadline"),
        Column("realm", "時鐘域", "realm"),
    )
    voice.rows(rows, columns, ("還沒有輪次", "no rounds yet"))


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="R-FZ-2023", show_default=False)],
    output: Output = Form.TABLE,
    lang: Language = None,
    realm: Realm = None,
) -> None:
    """一輪的現狀與經過 / where a round stands, and its story.

    例 example:  venture round show R-FZ-2023
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> tuple[File, datetime]:
        async with open_runtime(settings, voice.tell, working=False) as office:
            file = await load_file(office.store, await resolve_name(office.store, name, realm))
            return file, await now_in(office.store, file.stream)

    file, now = run_work(voice, work())
    show(file, voice, now)


Programme = Annotated[str, typer.Argument(help="計劃代號 its code, e.g. FZ: 每年一輪 R-FZ-年度", show_default=False)]


@app.command("schedule")
def schedule_command(
    programme: Programme,
    scheme: Annotated[str, typer.Option("--scheme", help="管理辦法 the city's rules, e.g. fuzhou", show_default=False)],
    month: Annotated[int, typer.Option("--month", min=1, max=12, help="月 month", show_default=False)],
    day: Annotated[int, typer.Option("--day", min=1, max=31, help="日 day", show_default=False)],
    hour: Annotated[int, typer.Option("--hour", min=0, max=23, help="時，上海時間 / hour, Shanghai time")] = 9,
    actor: Annotated[str, typer.Option("--as", help="經辦人，輪次以其名義開啟 / in whose name: ROLE#n")] = "CAB-REG#1",
    level: Annotated[RoundLevel, typer.Option("--level", help="級別 whose round it is")] = RoundLevel.MUNICIPAL,
    output: Output = Form.TABLE,
    lang: Language = None,
) -> None:
    """每年此日此時自動開一輪；停機一週之內仍會補開 / open a round every year at that hour, even a week late.

    例 example:  venture round schedule FZ --scheme fuzhou --month 3 --day 1 --hour 9
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> AnnualRoundSchedule:
        asked, who = _yearly(programme, level, month, day, hour), actor_named(actor)
        stream = StreamId.of("scheme", LIVE, packs.load_shipped(scheme).name)
        async with open_runtime(settings, voice.tell, working=True) as office:
            return await annual_round.schedule(office.door, office.store, _alarms(office), stream, asked, who)

    scheduled = run_work(voice, work())
    if not voice.for_people:
        voice.json(scheduled.as_json())
        return
    upcoming = rendering.local(scheduled.next_at) if scheduled.next_at else ""
    voice.tell(
        f"✓ 已記錄，{programme} 每年自動開輪，下一次 {upcoming}",
        f"✓ recorded: {programme} opens a round every year, next at {upcoming}",
        "green",
    )


def _yearly(programme: str, level: RoundLevel, month: int, day: int, hour: int) -> ScheduleAnnualRound:
    """What is asked for. Raises ArgumentInvalid."""
    try:
        return ScheduleAnnualRound(programme=programme, level=level, month=month, day=day, hour=hour)
    except ValidationError as wrong:
        raise ArgumentInvalid(
            f"計劃代號 {programme}：只用字母與數字，如 FZ",
            f"the code {programme}: letters and figures, e.g. FZ",
        ) from wrong


def _alarms(office: Runtime) -> RoundSchedules:
    return RoundSchedules(office.client, office.settings.task_queue)


@app.command("schedules")
def schedules_command(output: Output = Form.TABLE, lang: Language = None) -> None:
    """列出年度安排及下一次 / the annual schedules, and when each fires next.

    例 example:  venture round schedules -o json
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> Sequence[AnnualRoundSchedule]:
        async with open_runtime(settings, voice.tell, working=False, with_temporal=True) as office:
            return await annual_round.list_all_schedules(office.store, _alarms(office))

    unset = voice.say("未設：venture resurrect", "not set: venture resurrect")
    rows = [
        {
            **one.as_json(),
            **({"next_at": rendering.local(one.next_at) if one.next_at else unset} if voice.for_people else {}),
        }
        for one in run_work(voice, work())
    ]
    columns = (
        Column("programme", "計劃", "programme"),
        Column("scheme", "辦法", "rules"),
        Column("next_at", "下一次", "next"),
        Column("next_round", "輪次", "round"),
        Column("actor", "經辦", "by"),
        Column("fired", "已開次數", "fired", right=True),
    )
    voice.rows(rows, columns, ("沒有年度安排", "no annual schedules"))


@app.command("unschedule")
def unschedule_command(
    programme: Programme,
    actor: Annotated[str, typer.Option("--as", help="經辦人 who cancels it: ROLE#n")] = "CAB-REG#1",
    output: Output = Form.TABLE,
    lang: Language = None,
) -> None:
    """取消年度安排；已開的輪次不受影響 / take the schedule away; rounds that it opened stay.

    例 example:  venture round unschedule FZ --as CAB-DEC#1
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> None:
        who = actor_named(actor)
        async with open_runtime(settings, voice.tell, working=True) as office:
            await annual_round.unschedule(office.door, office.store, _alarms(office), programme, who)

    run_work(voice, work())
    if voice.for_people:
        voice.tell(f"✓ 已取消 {programme} 的年度安排", f"✓ the schedule of {programme} is gone", "green")
    else:
        voice.json({"programme": programme, "unscheduled": True})
