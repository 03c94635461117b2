"""``venture round``: open a round, list rounds, show one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.reading import File, file_of, listed, new_stream, resolved
from cli import telling
from cli.asking import carried_out, noun, read_settings
from cli.command import actor_named
from cli.project import Realm, show
from cli.speaking import Column, Exit, Fault, Form, Language, Output, Voice
from domain.catalogue import command_named
from domain.kernel.calendar import SHANGHAI
from domain.kernel.identity import LIVE, Actor, StreamId
from domain.kernel.state import NONE
from running.office import opened
from schemes import loading
from schemes.calendars import published

if TYPE_CHECKING:
    from api.door import Receipt
    from api.reading import Listed
    from domain.kernel.scheme import Scheme
    from running.office import Office

app = noun("輪次:一次徵集", "rounds: one call each")


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
    """開一輪:發布辦法與工作日曆,開始需求徵集 / open a round: publish rules and calendar, solicit needs.

    例 example:  venture round open R-FZ-2027 --scheme fuzhou --as CAB-REG#1
    """
    voice = Voice.of(output, lang)
    settings = read_settings()

    async def work() -> Receipt:
        rules, stream, who = loading.named(scheme), _new(name), actor_named(actor)
        particulars = {"scheme": rules.ref.model_dump(), "year": year or _year_of(name)}
        command = command_named("NeedSolicitationOpened", "round").model_validate(particulars)
        async with opened(settings, voice.tell, working=True) as office:
            await _publish(office, rules)
            return await office.door.send(stream, command, who)

    receipt = carried_out(voice, work())
    if voice.for_people:
        voice.tell(
            f"✓ {name} 已開始需求徵集,適用辦法 {scheme}。下一步:venture round show {name}",
            f"✓ {name} solicits needs under {scheme}. Next: venture round show {name}",
            "green",
        )
    else:
        voice.json({"stream": receipt.stream, "version": receipt.version, "events": list(receipt.events)})


def _new(name: str) -> StreamId:
    """The stream of a new round. Raises Fault if the name is no round's."""
    try:
        stream = new_stream(name, LIVE)
        if stream.kind == "round" and "/" not in name:
            return stream
    except (KeyError, ValueError):
        pass
    raise Fault(Exit.USAGE, f"輪次編號 {name}：寫作 R-FZ-2027", f"the round's number {name}: write R-FZ-2027")


def _year_of(name: str) -> int:
    """The year that the number ends in, or else this one."""
    found = re.search(r"-(20\d\d|21\d\d)$", name)
    return int(found[1]) if found else datetime.now(SHANGHAI).year


async def _publish(office: Office, rules: Scheme) -> None:
    """Rules and working days, unless they are published already: published versions never change."""
    this_year = datetime.now(UTC).year
    for year in published(this_year, this_year + 1):
        stream = StreamId.of("calendar", LIVE, "cn")
        particulars = {"year": year.year, "version": year.version, "off": sorted(year.off), "on": sorted(year.on)}
        await _once(office, stream, "CalendarPublished", particulars, f"{year.year}.{year.version}")
    stream = StreamId.of("scheme", LIVE, rules.name)
    await _once(office, stream, "PolicyPackPublished", {"scheme": rules}, str(rules.version))


async def _once(office: Office, stream: StreamId, event: str, particulars: dict[str, Any], key: str) -> None:
    """The command, under an id that makes it one however many rounds are opened."""
    from domain.kernel.identity import derived  # noqa: PLC0415 - used here only

    command_type = command_named(event, stream.kind)
    actor = Actor(f"{command_type.by[0]}#1")
    command_id = derived("published", stream, key)
    await office.door.send(stream, command_type.model_validate(particulars), actor, command_id=command_id)


@app.command("list")
def list_command(output: Output = Form.TABLE, lang: Language = None, realm: Realm = None) -> None:
    """列出輪次 / the rounds.

    例 example:  venture round list -o json
    """
    voice = Voice.of(output, lang)
    settings = read_settings()

    async def work() -> list[Listed]:
        async with opened(settings, voice.tell, working=False) as office:
            return await listed(office.store, "round", realm=realm)

    rows = [
        {
            "round": one.stream.name,
            "stage": telling.stage_name("round", one.stage, voice) if voice.for_people else one.stage,
            "due": (telling.local(one.due) if voice.for_people else one.due.isoformat()) if one.due else None,
            "realm": one.stream.realm,
            **{k: v for k, v in one.summary.items() if k != "awaiting"},
        }
        for one in carried_out(voice, work())
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
    voice = Voice.of(output, lang)
    settings = read_settings()

    async def work() -> File:
        async with opened(settings, voice.tell, working=False) as office:
            return await file_of(office.store, await resolved(office.store, name, realm))

    show(carried_out(voice, work()), voice, datetime.now(UTC))
