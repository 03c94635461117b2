"""``/files/{kind}/{realm}/{name}``: a file as it is, or as it was on a day and was known on another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from application.access import list_open, load_seen_file
from application.attempts import AttemptFilter, list_attempts
from application.command_outcome import find_outcomes
from application.folded_stream import sum_money
from application.pages import PageRequest
from application.possible_commands import PossibleCommand, list_possible_commands
from application.queries import NameUnknown, read_organisation_name
from domain.application import Application
from domain.catalogue import AGGREGATES, stage_words, value_words
from domain.kernel.clock import Clock
from domain.kernel.identifier import StreamId
from domain.kernel.proposal import Proposals
from domain.kernel.state import State
from domain.kernel.words import Words
from domain.project.award import Award
from domain.project.contract import Contract
from domain.project.opening import Openings
from domain.project.stage import MILESTONE, Gates
from domain.project.tranches import Tranches, TrancheStatus
from domain.titles import number_of, title_of
from papers.catalogue import kinds_of
from web.asker import find_asker
from web.components.words import name_command
from web.console.file.change import compare, trace_money
from web.console.file.life import draw_life, trace_stages
from web.console.file.story import build_story, list_documents
from web.console.paths import command_path, file_path, papers_path
from web.console.reader import read_seat
from web.console.rendering import render
from web.console.route import PageRoute
from web.console.texts import speaker
from web.guard import ByCaller, ByHouse, Policy, allow, language_of
from web.v1.files import read_as_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from application.attempts import AttemptLine
    from application.caller import Caller
    from application.queries import File
    from domain.kernel.identifier import Actor
    from domain.kernel.message import Awaited
    from domain.kernel.refusal import Unmet
    from web.console.file.change import Difference
    from web.console.file.story import Story
    from web.console.texts import Texts
    from web.house import House
    from web.language import Language

router = APIRouter(route_class=PageRoute)

MOST_ATTEMPTS: Final = 100
"""Refused attempts that a page shows, the newest."""
MOST_ENTRIES: Final = 100
"""Of the story on one page: a file of years has thousands, and the newest are looked for first."""
WHOLE: Final = "whole"
"""Asks for the story on a single page, for print."""
TEXTS: Final[Texts] = {
    "stands": ("目前階段", "Stage"),
    "since": ("自 {at} 起", "since {at}"),
    "life": ("項目歷程", "Course"),
    "life_desc": ("已經過：{passed}。目前：{now}。其後：{later}。", "Passed: {passed}. Now: {now}. Ahead: {later}."),
    "awaiting": ("當前辦理人及期限", "Who is awaited, and until when"),
    "awaiting_nobody": ("目前沒有待辦事項。", "Nobody is awaited."),
    "until": ("至 {until}", "until {until}"),
    "automatic": ("到期自動辦理：{what}，{at}", "Then automatically: {what}, {at}"),
    "can": ("我現在可以辦理", "What I can do now"),
    "can_nothing": (
        "以「{seat}」的身份，目前沒有可以辦理的事項。",
        "As {seat} you have nothing to do here at the moment.",
    ),
    "cannot": ("暫不能辦理的事項及所缺條件（{n} 項）", "What cannot be done yet, and what is missing ({n})"),
    "past": (
        "這是 {at} 的樣子，不是現在的；在此不能辦理。",
        "This is how it was on {at}, not how it is now. Nothing can be done here.",
    ),
    "past_known": ("只含 {at} 之前記錄的內容。", "Only what was recorded by {at} is shown."),
    "now_link": ("查看現在的卷宗", "View the file as it is now"),
    "opened": (
        "本項目於 {day} 期初登記，依「{source}」（校驗值 {digest}）接手；此前的辦理經過不在本系統。",
        "This project was taken over on {day} from “{source}” (digest {digest}); what came before is not here.",
    ),
    "money": ("資金", "Money"),
    "money_award": ("資助金額", "Award"),
    "money_requested": ("申請資助金額", "Amount applied for"),
    "money_paid": ("已撥付", "Paid"),
    "money_returned": ("已收回", "Returned"),
    "money_net": ("淨撥付額", "Net paid"),
    "money_unpaid": ("未撥付", "Unpaid"),
    "money_outstanding": ("待收回", "Still to be recovered"),
    "made_of": ("由來", "breakdown"),
    "changes": ("自 {since} 以來的變化", "What has changed since {since}"),
    "changes_none": ("沒有變化。", "Nothing has changed."),
    "changes_what": ("項", "Item"),
    "changes_before": ("當時", "Then"),
    "changes_after": ("其後", "After"),
    "since_day": ("與此日比較（日期）", "Compare with (day)"),
    "money_funds": ("資金來源", "Fund sources"),
    "tranche": ("期次", "Tranche"),
    "planned": ("計劃（元）", "Planned (yuan)"),
    "paid": ("已撥付（元）", "Paid (yuan)"),
    "cancelled": ("核減（元）", "Reduced (yuan)"),
    "remainder": ("未撥付（元）", "Unpaid (yuan)"),
    "gate": ("撥付條件", "Payment condition"),
    "gate_met": ("已達成", "met"),
    "gate_unmet": ("未達成", "not met"),
    "status": ("狀態", "Status"),
    "total": ("合計", "Total"),
    "milestones": ("里程碑", "Milestones"),
    "milestone": ("里程碑", "Milestone"),
    "milestone_due": ("期限", "Due"),
    "budget": ("預算", "Budget"),
    "line": ("支出科目", "Budget line"),
    "amount": ("金額（元）", "Amount (yuan)"),
    "documents": ("文件", "Documents"),
    "papers": ("可出具的公文", "Papers that it yields"),
    "digest": ("校驗值", "Digest"),
    "not_kept": ("（原件不在此處）", "(the original is not kept here)"),
    "people": ("經辦人員", "People"),
    "person_times": ("{n} 次", "{n}"),
    "facts": ("基本情況", "Facts"),
    "organisation": ("單位", "Organisation"),
    "partners": ("聯合申報單位", "Joint applicants"),
    "round": ("屆（年度）", "Round"),
    "need": ("需求", "Need"),
    "panel": ("評審專家組", "Review panel"),
    "scheme": ("管理辦法", "Rules"),
    "number": ("編號", "Number"),
    "fact_round": ("屆（年度）", "Round"),
    "fact_level": ("級別", "Level"),
    "fact_route": ("方式", "Route"),
    "fact_tier": ("級別", "Level"),
    "fact_parent": ("上級節點", "Node above"),
    "fact_base": ("基地", "Base"),
    "fact_source": ("出處", "Source"),
    "fact_project": ("項目", "Project"),
    "fact_organisation": ("單位", "Organisation"),
    "fact_outcome": ("決定", "Decision"),
    "fact_kind": ("類別", "Kind"),
    "fact_body": ("授予單位", "Granted by"),
    "fact_since": ("起始日期", "Since"),
    "fact_until": ("截止日期", "Until"),
    "fact_continues": ("承接認定", "Continues"),
    "fact_programme": ("計劃", "Programme"),
    "fact_held_on": ("舉辦日期", "Held on"),
    "fact_implementer": ("實施單位", "Implementer"),
    "fact_city": ("城市", "City"),
    "fact_newest": ("最新版本", "Newest version"),
    "fact_scope": ("權限範圍", "Scope"),
    "version": ("第 {n} 版", "version {n}"),
    "story": ("辦理經過", "History"),
    "refused": ("未獲辦理", "Not carried out"),
    "special": ("更正與干預", "Corrections and interventions"),
    "marked_count": ("{n} 項", "{n}"),
    "story_gap": ("其間 {n} 日無記錄", "no entries for {n} days"),
    "story_refused": ("未獲辦理", "refused"),
    "story_automatic": ("到期自動", "automatic"),
    "story_special": ("更正或干預", "correction or intervention"),
    "story_recorded": ("記錄於 {at}", "recorded {at}"),
    "story_of": ("卷宗", "file"),
    "story_size": ("共 {n} 條，本頁 {shown} 條", "{shown} of {n} entries on this page"),
    "story_pages": ("辦理經過的其他頁", "Other pages of the history"),
    "story_newer": ("較近的", "Newer"),
    "story_older": ("更早的", "Earlier"),
    "story_whole": ("全部列於一頁", "All on one page"),
    "as_of": ("查看某日的卷宗", "View on a past day"),
    "as_of_day": ("截至（日期）", "As of (day)"),
    "known_at": ("當時已記錄（日期）", "As known on (day)"),
    "as_of_button": ("查看", "Show"),
    "proposals": ("待確認的要事", "Acts waiting for a second person"),
    "proposal_line": (
        "第 {n} 項：{what}，由 {who} 提出，{until} 前確認",
        "No. {n}: {what}, proposed by {who}, until {until}",
    ),
    "none": ("無", "none"),
}


@dataclass(frozen=True)
class AwaitedCommand:
    """One thing that is awaited, with where it is done if it is the reader's to do."""

    of: Awaited
    do: str
    """Empty where it is somebody else's."""


@dataclass(frozen=True)
class TrancheRow:
    """One tranche as the table has it. Money is in fen."""

    name: str
    planned: int
    paid: int
    cancelled: int
    remainder: int
    gate: tuple[str, str]
    is_met: bool
    status: TrancheStatus


Moment = Annotated[str, Query(max_length=40)]


@router.get("/files/{kind}/{realm}/{name}", response_class=Response)
@allow(Policy.READ)
async def show_file(
    request: Request,
    kind: str,
    realm: str,
    name: str,
    house: ByHouse,
    caller: ByCaller,
    as_of: Moment = "",
    known_at: Moment = "",
    since: Moment = "",
    story: Annotated[str, Query(max_length=20, description="The entry that its page begins with, or ``whole``")] = "",
) -> Response:
    """The file; what may not be seen is answered like what is not there."""
    stream = read_stream(kind, realm, name)
    until, known_until = read_as_of("as_of", as_of or None), read_as_of("known_at", known_at or None)
    file = await load_seen_file(house.store, caller.grants, stream, until=until, known_at=known_until)
    seat, language = read_seat(request, caller), language_of(request)
    is_past = until is not None or known_until is not None
    commands = await _list_commands(house, caller, seat, file.state, is_past=is_past)
    attempts = await _list_attempts(house, stream) if file.is_whole and file.has_panel_named and not is_past else []
    clock = await house.store.realm(realm)
    shown_story = build_story(
        file.story,
        attempts,
        stream,
        language,
        is_manual=clock.clock is Clock.MANUAL,
        begin=int(story) if story.isdecimal() else None,
        most=None if story == WHOLE else MOST_ENTRIES,
    )
    opens = await list_open(house.store, caller.grants, _list_linked(file))
    params = {name: text for name, text in (("as_of", as_of), ("known_at", known_at), ("since", since)) if text}
    return render(
        request,
        "console/file/file.html",
        TEXTS,
        file=file,
        title=title_of(file.state),
        number=number_of(file.state),
        stage=stage_words(kind, file.state.stage),
        life=draw_life(stream, trace_stages(file.changes)),
        awaiting=_list_awaited(file, commands, seat, is_past=is_past),
        due=None if is_past else file.due(),
        open_commands=_list_open(file, commands, seat),
        closed_commands=[(name_command(one.command.command_type), one.unmet) for one in commands if not one.is_open],
        facts=await _list_facts(house, file, language, opens),
        opens=opens,
        opened=_find_opening(file),
        money=[(name, fen) for name, fen in sum_money(file.state).items() if fen],
        made_of=trace_money(file.changes),
        since=since,
        differences=await _compare(house, caller, file, since, language),
        funds=_list_funds(file),
        tranches=_list_tranches(file.state),
        milestones=_list_milestones(file.state),
        budget=[(value_words(line), fen) for line, fen in file.state.part(Contract).budget.items()],
        documents=list_documents(file.story, language),
        kept=list_kept(file),
        people=_list_people(file),
        story=shown_story,
        reasons=await _list_reasons(house, attempts),
        marked=[("refused", shown_story.refused), ("special", shown_story.special)],
        params=params,
        entry_path=_find_entries(shown_story, params),
        proposals=_list_proposals(file.state, house.now()),
        as_of=as_of,
        known_at=known_at,
        until=until,
        known_until=known_until,
        is_past=is_past,
        own_path=file_path(stream),
        papers_path=papers_path(stream) if kinds_of(stream) else "",
        name_command=name_command,
        file_path=file_path,
    )


def _find_entries(story: Story, params: dict[str, str]) -> Callable[[int], str]:
    """Of an entry's position, where it stands: on this page of the story, or at the head of another."""
    here = {entry.position for entry in story.entries}

    def find(position: int) -> str:
        page = "" if position in here else f"?{urlencode({**params, 'story': position})}"
        return f"{page}#e{position}"

    return find


async def _compare(house: House, caller: Caller, file: File, since: str, language: Language) -> list[Difference] | None:
    """What is otherwise than on that day; None where none is asked for. Before it began there was nothing."""
    day = read_as_of("since", since or None)
    if day is None:
        return None
    try:
        before = (await load_seen_file(house.store, caller.grants, file.stream, until=day)).state
    except NameUnknown:
        before = State(file.stream)
    return compare(before, file.state, speaker(language, TEXTS), language.say)


def read_stream(kind: str, realm: str, name: str) -> StreamId:
    """The stream of that path. Raises NameUnknown for what can be none."""
    try:
        stream = StreamId.of(kind, realm, name)
    except ValueError:
        raise NameUnknown(name[:80]) from None
    if kind not in AGGREGATES:
        raise NameUnknown(name)
    return stream


def list_kept(file: File) -> set[str]:
    """The digests of its documents whose originals are here."""
    return {one.attachment.sha256 for one in file.documents if one.is_here}


async def _list_commands(
    house: House, caller: Caller, seat: Actor | None, state: State, *, is_past: bool
) -> list[PossibleCommand]:
    """What the reader's seat may do, and may not yet; nothing on a page of the past."""
    if seat is None or is_past:
        return []
    asker = await find_asker(house, caller, state.stream.realm)
    return await list_possible_commands(house.store, state, seat, asker.person, asker.at, scope=caller.scope_of(seat))


async def _list_reasons(house: House, attempts: Collection[AttemptLine]) -> dict[int, tuple[Unmet, ...]]:
    """By the position of each attempt, what was not met: whoever sees the whole file may read its receipts."""
    outcomes = await find_outcomes(house.store, [one.command_id for one in attempts]) if attempts else {}
    return {one.position: outcomes[one.command_id].unmet for one in attempts if one.command_id in outcomes}


async def _list_attempts(house: House, stream: StreamId) -> list[AttemptLine]:
    filters = AttemptFilter(stream=stream, newest_first=True)
    return list((await list_attempts(house.store, filters, PageRequest(limit=MOST_ATTEMPTS))).rows)


def _list_awaited(
    file: File, commands: list[PossibleCommand], seat: Actor | None, *, is_past: bool
) -> list[AwaitedCommand]:
    mine = {one.command.command_type for one in commands if one.is_open}
    return [
        AwaitedCommand(
            one,
            command_path(one.command, file.stream, one.subject)
            if not is_past and one.command in mine and seat is not None and _is_awaited(one, seat)
            else "",
        )
        for one in file.awaiting()
    ]


def _is_awaited(one: Awaited, seat: Actor) -> bool:
    """Whether that seat is awaited: where seats are named, as of a panel whose others have scored, no other is."""
    return seat.role in one.roles and (not one.seats or seat in one.seats)


def _list_open(file: File, commands: list[PossibleCommand], seat: Actor | None) -> list[tuple[str, tuple[str, str]]]:
    """What may be done besides what is awaited of this seat."""
    awaited = {one.command for one in file.awaiting() if seat is not None and seat.role in one.roles}
    return [
        (command_path(one.command.command_type, file.stream), name_command(one.command.command_type))
        for one in commands
        if one.is_open and one.command.command_type not in awaited
    ]


def _list_linked(file: File) -> set[StreamId]:
    """The files that its facts and its funds name."""
    state, own = file.state, file.stream
    application, award = state.part(Application), state.part(Award)
    named = [
        *(("organisation", name) for name in (application.organisation, *application.partners)),
        *(("round", application.round), ("need", application.need), ("panel", award.panel)),
        *(("fund", name) for name, _ in _list_funds(file)),
        ("scheme", state.scheme.name if state.scheme is not None else ""),
        *((kind, name) for kind, name in file.summary.items() if kind in AGGREGATES and isinstance(name, str)),
    ]
    return {own.sibling(kind, name) for kind, name in named if name}


async def _list_facts(
    house: House, file: File, language: Language, opens: Collection[StreamId]
) -> list[tuple[str, str, str]]:
    """By the name of its text, what is said, and where it leads; empty for nowhere."""
    stream, facts = file.stream, list[tuple[str, str, str]]()

    def lead(kind: str, name: str) -> str:
        named = stream.sibling(kind, name)
        return file_path(named) if named in opens else ""

    if stream.kind == "project":
        application, award = file.state.part(Application), file.state.part(Award)
        if application.organisation:
            organisation_name = await read_organisation_name(house.store, stream, application.organisation)
            facts.append(
                (
                    "organisation",
                    f"{organisation_name} {application.organisation}".strip(),
                    lead("organisation", application.organisation),
                )
            )
        facts.extend(("partners", partner, lead("organisation", partner)) for partner in application.partners)
        for key, kind, name in (
            ("round", "round", application.round),
            ("need", "need", application.need),
            ("panel", "panel", award.panel),
        ):
            if name:
                facts.append((key, name, lead(kind, name)))
        facts.append(("number", stream.name, ""))
    else:
        facts.extend(
            (
                f"fact_{name}" if f"fact_{name}" in TEXTS else "",
                language.say(value.zh, value.en) if isinstance(value, Words) else value,
                lead(name, value) if name in AGGREGATES else "",
            )
            for name, value in file.summary.items()
            if isinstance(value, str) and value and name not in ("name", "title", "group")
        )
    if file.state.scheme is not None:
        ref = file.state.scheme
        facts.append(("scheme", str(ref), lead("scheme", ref.name)))
    return facts


def _find_opening(file: File) -> Openings | None:
    """By which entry the project was taken over; None for one that came by the ordinary way."""
    opened = file.state.part(Openings)
    return opened if opened.opened_on is not None else None


def _list_funds(file: File) -> list[tuple[str, int]]:
    return list(file.state.part(Award).funds.items()) if file.stream.kind == "project" else []


def _list_tranches(state: State) -> list[TrancheRow]:
    if state.stream.kind != "project":
        return []
    passed = state.part(Gates).passed
    return [
        TrancheRow(
            name,
            one.planned,
            one.paid,
            one.cancelled,
            one.remainder,
            _name_gate(state, one.gate),
            one.gate in passed,
            one.status,
        )
        for name, one in state.part(Tranches).of.items()
    ]


def _name_gate(state: State, gate: str) -> tuple[str, str]:
    """What must be before a tranche may be asked for."""
    event, slash, milestone = gate.partition("/")
    if event == MILESTONE and slash:
        term = state.part(Contract).milestones.get(milestone)
        zh, en = (term.title, term.title) if term is not None else value_words(milestone)
        return f"里程碑「{zh}」", f"milestone “{en}”"
    return value_words(event)


def _list_milestones(state: State) -> list[tuple[str, str, Any, bool]]:
    if state.stream.kind != "project":
        return []
    passed = state.part(Gates).passed
    return [
        (name, one.title, one.due, f"{MILESTONE}/{name}" in passed)
        for name, one in state.part(Contract).milestones.items()
    ]


def _list_people(file: File) -> list[tuple[str, tuple[str, ...], int]]:
    """Each seat that has acted in it, with its persons, and how often."""
    seats: dict[str, tuple[set[str], int]] = {}
    for chapter in file.story:
        persons, times = seats.get(chapter.occurrence.actor, (set(), 0))
        seats[chapter.occurrence.actor] = persons | set(chapter.occurrence.persons), times + 1
    return [(seat, tuple(sorted(persons)), times) for seat, (persons, times) in sorted(seats.items())]


def _list_proposals(state: State, now: datetime) -> list[tuple[int, tuple[str, str], str, datetime]]:
    """Acts that wait for a second person."""
    return [
        (number, name_command(one.command), one.by.seat, one.lapses_at)
        for number, one in state.part(Proposals).of.items()
        if one.is_open(now)
    ]
