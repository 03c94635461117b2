"""``/rounds/{realm}/{name}``: a round from plan to results, in order, with what is awaited and where it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from application.access import load_seen_file, may_see_all
from application.possible_commands import list_possible_commands
from application.round_overview import read_overview
from domain.catalogue import stage_words
from domain.kernel.identifier import Role
from domain.need import AbsorbNeed, AdoptNeed, MergeNeed, RejectNeed, SplitNeed, SubmitNeed
from domain.project.award import ProposeAward
from domain.project.bidding import (
    DraftApplication,
    FailPreliminaryReview,
    PassPreliminaryReview,
    ReturnApplication,
    SubmitApplication,
)
from domain.project.publicity import ConfirmAward, OpenAwardPublicity
from domain.project.stage import Stage
from domain.registers.panel import DrawPanel, IssueReviewReport, RecuseReviewer
from domain.round.call import AmendCall, CancelCall, CloseCall, PublishCall
from domain.round.clarification import AnswerClarification, AskClarification
from domain.round.plan import (
    ApproveRoundBudget,
    CloseNeedSolicitation,
    OpenNeedSolicitation,
    PublishNeedCatalogue,
    Round,
)
from domain.round.resolution import ResolveRound
from domain.round.results import PublishResult
from domain.round.stage import NeedStage, RoundStage
from web.asker import find_asker
from web.components.bars import BarRow, draw_bars
from web.components.words import name_command
from web.console.file.life import draw_life, trace_stages
from web.console.file.page import TEXTS as FILE_TEXTS
from web.console.file.page import list_kept, read_stream
from web.console.file.story import list_documents
from web.console.paths import command_path, file_path
from web.console.reader import read_seat
from web.console.rendering import render
from web.console.route import PageRoute
from web.guard import ByCaller, ByHouse, Policy, allow, language_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from application.caller import Caller
    from application.possible_commands import PossibleCommand
    from application.queries import File
    from application.round_overview import RankingRow, SheetCount
    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.message import Awaited, Command
    from web.console.texts import Texts

router = APIRouter(route_class=PageRoute)

MOST_ROWS: Final = 50
"""Of a list on the page, where all of them are listed elsewhere too; and bars of a chart that can still be compared."""
TEXTS: Final[Texts] = {
    "life": ("本屆歷程", "The course of the round"),
    "life_desc": ("已經過：{passed}。目前：{now}。其後：{later}。", "Passed: {passed}. Now: {now}. Ahead: {later}."),
    "whole_file": ("查看卷宗全文", "Open the whole file"),
    "plan": ("一、籌備", "1. Plan"),
    "solicitation": ("二、需求徵集", "2. Needs"),
    "catalogue": ("三、需求清單", "3. List of needs"),
    "call": ("四、申報公告", "4. Call"),
    "bids": ("五、申報與初審", "5. Applications and preliminary review"),
    "review": ("六、專家評審", "6. Expert review"),
    "ranking": ("七、排名與審定", "7. Ranking and decision"),
    "notice": ("八、公示", "8. Public notice"),
    "results": ("九、結果公布", "9. Results"),
    "awaited": ("等候", "Awaited"),
    "until": ("至 {until}", "until {until}"),
    "of_year": ("{year} 年度", "{year}"),
    "year": ("年度", "Year"),
    "level": ("級別", "Level"),
    "ordinal": ("屆次", "Ordinal"),
    "budget": ("年度預算", "Budget"),
    "scheme": ("管理辦法", "Rules"),
    "theme": ("主題", "Theme"),
    "needs_close": ("需求徵集截止", "Needs until"),
    "closes": ("申報截止", "Applications until"),
    "host": ("承辦單位", "Managing agency"),
    "set_aside": ("預留", "Set aside"),
    "number": ("編號", "Number"),
    "group": ("服務對象", "Target group"),
    "stage": ("狀態", "Status"),
    "on_list": ("清單", "List"),
    "in_catalogue": ("在清單內", "on the list"),
    "commands": ("辦理", "Act"),
    "title": ("名稱", "Title"),
    "organisation": ("單位", "Organisation"),
    "requested": ("申請資助金額（元）", "Applied for (yuan)"),
    "award": ("資助金額（元）", "Award (yuan)"),
    "no_needs": ("尚無需求。", "No needs yet."),
    "all_bids": ("列出前 {shown} 件，查看全部 {n} 件", "The first {shown} are listed; see all {n}"),
    "first_rows": ("列出 {n} 件中的前 {shown} 件。", "The first {shown} of {n}."),
    "no_bids": ("尚無申報。", "No applications yet."),
    "no_panel": ("尚未抽取評審專家組。", "No panel has been drawn yet."),
    "no_ranking": ("評審報告出具後，此處按名次列出。", "The ranking appears here once a panel has reported."),
    "hidden": (
        "申報、評審與排名只供經辦人及本屆承辦單位查閱；已公示的項目見信息公開。",
        "Applications, reviews and the ranking are for the office and the managing agency; what was posted is public.",
    ),
    "seats": ("席位", "Seats"),
    "barred": ("回避", "Recused"),
    "sheets": ("評分表 {given} / {wanted}", "{given} of {wanted} sheets are in"),
    "sheets_in": ("已交評分的席位", "Seats whose sheet is in"),
    "reported": ("已出具評審報告", "reported"),
    "rank": ("名次", "Rank"),
    "score": ("得分", "Mark"),
    "bonus": ("加分", "Bonus"),
    "total": ("總分", "Total"),
    "cumulative": ("累計申請（元）", "Cumulative (yuan)"),
    "line_here": ("立項最低分數線 {line} 分", "Line: {line} points"),
    "envelope_here": ("年度預算 {budget} 至此", "Budget of {budget} reaches to here"),
    "chart_note": ("總分；深色者在分數線之上且預算可及", "Totals; dark: above the line and within the budget"),
    "sum": ("合計", "Total"),
    "count": ("{n} 件", "{n}"),
    "posted": ("已公示", "Posted"),
    "last": ("公示至 {last} 24:00", "notice until {last} 24:00"),
    "public": ("信息公開頁", "The public page"),
    "none_posted": ("目前沒有公示中的項目。", "Nothing is in public notice at the moment."),
    "not_yet": ("尚未辦理", "not yet"),
    **{name: FILE_TEXTS[name] for name in ("documents", "digest", "not_kept")},
}
SECTIONS: Final[tuple[tuple[str, tuple[type[Command], ...]], ...]] = (
    ("plan", (ApproveRoundBudget,)),
    ("solicitation", (OpenNeedSolicitation, CloseNeedSolicitation, SubmitNeed)),
    ("catalogue", (PublishNeedCatalogue,)),
    ("call", (PublishCall, AmendCall, AskClarification, AnswerClarification, CloseCall, CancelCall)),
    ("bids", (DraftApplication, SubmitApplication)),
    ("review", (DrawPanel,)),
    ("ranking", (ResolveRound,)),
    ("notice", ()),
    ("results", (PublishResult,)),
)
"""The stages of a round in order, with the commands that belong to each."""
_BEGINS: Final[dict[type[Command], RoundStage]] = {
    SubmitNeed: RoundStage.SOLICITING,
    DraftApplication: RoundStage.OPEN,
    DrawPanel: RoundStage.CLOSED,
}
"""What begins a file of its own, and where the round stands then."""
_OF_NEEDS: Final = (AdoptNeed, RejectNeed, AbsorbNeed, MergeNeed, SplitNeed)
_OF_BIDS: Final = {
    Stage.APPLIED: (PassPreliminaryReview, ReturnApplication, FailPreliminaryReview),
    Stage.SHORTLISTED: (ProposeAward,),
    Stage.PROPOSED: (OpenAwardPublicity,),
    Stage.IN_PUBLICITY: (ConfirmAward,),
}
_POSTED: Final = frozenset({Stage.IN_PUBLICITY, Stage.OBJECTION_HOLD})


@dataclass(frozen=True)
class Section:
    """One stage of the round."""

    name: str
    at: datetime | None
    """When it was first acted on; None before."""
    awaited: tuple[Awaited, ...]
    commands: tuple[tuple[str, tuple[str, str]], ...]
    """Where the reader does something, and what."""


@router.get("/rounds/{realm}/{name}", response_class=Response)
@allow(Policy.READ)
async def show_round(request: Request, realm: str, name: str, house: ByHouse, caller: ByCaller) -> Response:
    """The round, stage by stage. A name that no round bears is answered as not found."""
    file = await load_seen_file(house.store, caller.grants, read_stream("round", realm, name))
    seat = read_seat(request, caller)
    overview = await read_overview(house.store, file, may_see_bids=_may_see_bids(caller, file))
    commands: list[PossibleCommand] = []
    if seat is not None:
        asker = await find_asker(house, caller, realm)
        commands = await list_possible_commands(
            house.store, file.state, seat, asker.person, asker.at, scope=caller.scope_of(seat)
        )
    return render(
        request,
        "console/round/round.html",
        TEXTS,
        overview=overview,
        round_=overview.round_,
        stage=stage_words("round", file.state.stage),
        life=draw_life(file.stream, trace_stages(file.changes)),
        sections={one.name: one for one in _list_sections(file, seat, commands)},
        may_see_bids=_may_see_bids(caller, file),
        needs=[
            (one, file_path(one.stream), stage_words("need", one.stage), _commands_on(one.stream, seat, _OF_NEEDS))
            if one.stage == NeedStage.SUBMITTED
            else (one, file_path(one.stream), stage_words("need", one.stage), [])
            for one in overview.needs
        ],
        bids=[
            (
                one,
                file_path(one.stream),
                stage_words("project", one.stage),
                _commands_on(
                    one.stream, seat, next((commands for at, commands in _OF_BIDS.items() if at == one.stage), ())
                ),
            )
            for one in overview.bids
        ],
        panels=[
            (one, file_path(one.stream), _commands_on(one.stream, seat, _list_panel_commands(one)))
            for one in overview.panels
        ],
        most=MOST_ROWS if may_see_all(caller.grants) else max(MOST_ROWS, len(overview.bids)),
        all_bids=f"/projects?{urlencode({'round': name, 'realm': realm})}",
        chart=draw_bars(_draw_ranking(overview.ranking)),
        line_after=_last(overview.ranking, "reaches_line"),
        envelope_after=_last(overview.ranking, "fits"),
        posted=[one for one in overview.bids if one.stage in _POSTED],
        asides=[((one.by.zh, one.by.en), one.value, one.least) for one in overview.round_.set_asides],
        needs_close=overview.round_.needs_close_at(file.calendar),
        closes=overview.round_.closes_at(file.calendar),
        documents=list_documents(file.story, language_of(request)),
        kept=list_kept(file),
        file_path=file_path,
        own_path=file_path(file.stream),
        public_path=f"/public/rounds/{file.stream.realm}/{file.stream.name}",
        is_public=file.state.stage != RoundStage.PLANNED,
    )


def round_path(stream: StreamId) -> str:
    """The page of that round."""
    return f"/rounds/{stream.realm}/{stream.name}"


def _may_see_bids(caller: Caller, file: File) -> bool:
    """The house, whoever watches it, and the managing agency that the call names."""
    host = file.state.part(Round).host
    return may_see_all(caller.grants) or any(
        grant.seat.role is Role.HOST and grant.scope is not None and host is not None and host in grant.scope.names
        for grant in caller.grants
    )


def _commands_on(
    stream: StreamId, seat: Actor | None, commands: Iterable[type[Command]]
) -> list[tuple[str, tuple[str, str]]]:
    """The forms that this seat's role may fill in there; whether it may now, the form says."""
    return [
        (command_path(one.command_type, stream), name_command(one.command_type))
        for one in commands
        if seat is not None and seat.role in one.by
    ]


def _list_panel_commands(panel: SheetCount) -> Iterable[type[Command]]:
    """What the office may do there now: recusal before any sheet (P1), the report after all or none."""
    if panel.is_reported or not panel.seated:
        return
    if not panel.sheets_in:
        yield RecuseReviewer
    if panel.sheets_in in (0, panel.sheets_due):
        yield IssueReviewReport


def _list_sections(file: File, seat: Actor | None, possible: list[PossibleCommand]) -> list[Section]:
    awaiting = file.awaiting()
    open_ = {one.command.command_type for one in possible if one.is_open}
    sections = []
    for name, commands in SECTIONS:
        types = {one.command_type for one in commands}
        events = {one.records.event_type for one in commands}
        at = [one.at for one in file.story if one.occurrence.event.event_type in events]
        mine = [
            (command_path(one.command_type, file.stream), name_command(one.command_type))
            for one in commands
            if one.command_type in open_
        ]
        begun = [
            (f"/do/{one.command_type}?realm={file.stream.realm}", name_command(one.command_type))
            for one in commands
            if seat is not None and seat.role in one.by and _BEGINS.get(one) == file.state.stage
        ]
        awaited = tuple(one for one in awaiting if one.command in types)
        sections.append(Section(name, min(at, default=None), awaited, (*mine, *begun)))
    return sections


def _draw_ranking(ranking: tuple[RankingRow, ...]) -> list[BarRow]:
    """Totals by rank; those that would be awarded are dark."""
    return [
        BarRow(
            one.of.application,
            round(one.of.total * 100),
            round(one.of.total * 100) if one.fits else 0,
            f"{one.of.total}",
        )
        for one in ranking
    ]


def _last(ranking: tuple[RankingRow, ...], name: str) -> str:
    """The last bid of which that is so, where another comes after it; else empty."""
    held = [one.of.application for one in ranking if getattr(one, name)]
    return held[-1] if held and len(held) < len(ranking) else ""
