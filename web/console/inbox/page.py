"""``/``: what waits for the seat that one has chosen, the earliest on top; ``/done`` and ``/begun``: what one did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from application.access import list_open, list_words, may_see_all
from application.drafts import list_drafts
from application.inbox import Waiting, WaitingFilter, count_waiting, list_waiting
from application.money import list_realms
from application.own_commands import ASKING, MOST_COUNTED, OwnCommand, list_own
from application.pages import Freshness, Page, PageRequest
from application.projects import list_lines
from application.queries import load_states
from domain.catalogue import AGGREGATES, command_class, is_command
from domain.kernel.proposal import ConfirmAct
from papers.lists import COMMANDS, WAITING
from store.port import CommandQuery
from web.components.words import name_command, name_event, name_kind
from web.console.command.payment import find_amount
from web.console.command.texts import TEXTS as COMMAND_TEXTS
from web.console.paths import command_path, file_path, write_choice
from web.console.reader import list_organisations, read_seat
from web.console.register.page import TEXTS as REGISTER_TEXTS
from web.console.register.page import list_beginnings
from web.console.rendering import list_ways, render
from web.console.route import PageRoute
from web.console.together.offer import may_be_together
from web.guard import ByCaller, ByHouse, Policy, allow, language_of
from web.v1.pages import shield
from web.v1.sheets import BySheet, answer_pages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from application.caller import Caller
    from application.event_text import Say
    from application.projects import ProjectLine
    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.money import Fen
    from web.console.texts import Texts
    from web.house import House

router = APIRouter(route_class=PageRoute)

NEAR: Final = 100
"""Tasks, each time, that the next one is chosen from."""
PAGE: Final = 50
"""Rows of a page."""
TEXTS: Final[Texts] = {
    "title": ("我的待辦", "My tasks"),
    "done_title": ("我的已辦", "Done by me"),
    "begun_title": ("我發起的", "Started by me"),
    "drafts_title": ("我的草稿", "My drafts"),
    "bulk_title": ("表格批量辦理", "From a spreadsheet"),
    "lists": ("待辦、已辦、發起", "Tasks, done, started"),
    "count_more": ("本頁 {n} 件，其後還有", "{n} on this page, more follow"),
    "begin": REGISTER_TEXTS["begin"],
    "begins": ("可以新建的卷宗", "What you can start"),
    "empty": ("暫無待辦事項", "No tasks"),
    "ways": (
        "輪到您辦理時，事項會列在這裡。現在可以查看：",
        "Tasks appear here when it is your turn. Meanwhile you can look at:",
    ),
    "empty_filtered": ("沒有符合條件的待辦事項", "No tasks match"),
    "task": ("事項", "Task"),
    "subject": ("項目（事項）編號", "Number"),
    "name": ("名稱", "Name"),
    "amount": ("金額（元）", "Amount (yuan)"),
    "of_project": ("項目金額", "Project amount"),
    **{name: COMMAND_TEXTS[name] for name in ("tranche_requested", "tranche_paid", "tranche_left")},
    "until": ("辦理期限", "Due"),
    "state": ("狀態", "Status"),
    "no_due": ("未設期限", "no date"),
    "filter": ("篩選", "Filter"),
    "only_overdue": ("只看逾期", "Overdue only"),
    "organisation": ("單位", "Organisation"),
    "open_file": ("查看卷宗", "Open the file"),
    "kind": ("事項種類", "Kind of task"),
    "choose": ("選取", "Select"),
    "choose_row": ("選取 {what} {number}", "Select {what} {number}"),
    "together": ("一併辦理所選", "Decide the selected together"),
    "together_hint": ("勾選同一種事項，可一併核對、逐件辦理。", "Select tasks of one kind to check them on one page."),
    "at": ("辦理時間", "When"),
    "act": ("辦理事項", "What"),
    "outcome": ("結果", "Outcome"),
    "decision": ("審批情況", "Decision"),
    "receipt": ("回執", "Receipt"),
    "refused_mark": ("未獲辦理", "not carried out"),
    "done_mark": ("已辦理", "Done"),
    "with_refused": ("包括未獲辦理的", "Include what was not carried out"),
    "until_short": ("至 {at}", "until {at}"),
    "by": ("{seat} {at}", "{seat} {at}"),
    "empty_done": ("您辦理過的事項會列在這裡；目前沒有", "What you have done is listed here. There is nothing yet"),
    "empty_begun": (
        "您發起、須他人審批的事項會列在這裡；目前沒有",
        "What you start and others must approve is listed here. There is nothing at the moment",
    ),
}


@dataclass(frozen=True)
class Tab:
    """One of the three lists, and how much is in it."""

    href: str
    name: str
    """Of its text."""
    count: int | None
    """None where it is not counted."""

    def describe_count(self) -> str:
        """``12``, or that there are more than are counted."""
        if self.count is None:
            return ""
        return f"{MOST_COUNTED}+" if self.count > MOST_COUNTED else str(self.count)


@router.get("/", response_class=Response)
@allow(Policy.READ)
async def show_inbox(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    realm: Annotated[str, Query(max_length=64)] = "",
    organisation: Annotated[str, Query(max_length=64)] = "",
    command: Annotated[str, Query(max_length=80)] = "",
    overdue: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query
    after: Annotated[str | None, Query(max_length=2_000)] = None,
    at_least: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    as_sheet: BySheet = False,  # noqa: FBT002 - a query
) -> Response:
    """The page with the reader's tasks."""
    seat = read_seat(request, caller)
    organisations = list_organisations(caller, seat)
    chosen = organisation if organisation in organisations else next(iter(organisations), None)
    filters = filter_tasks(
        caller, seat, realm=realm or None, organisation=chosen, command=command or None, overdue=overdue
    )
    conditions = {
        "realm": realm,
        "organisation": organisation,
        "command": command,
        "overdue": "true" if overdue else "",
    }
    page_request = shield(PageRequest(limit=PAGE, after=after, at_least=at_least), caller)
    if as_sheet:
        read = partial(list_waiting, house.store, filters, now=house.now())
        return await answer_pages(WAITING, read, page_request, language_of(request), **conditions)
    page = await list_waiting(house.store, filters, page_request, now=house.now())
    lines = await list_lines(house.store, [row.stream for row in page.rows if row.stream.kind == "project"])
    tranches = await _find_tranches(house, page.rows)
    commands = {row.command for row in page.rows} | ({command} if command else set())
    count = await count_waiting(house.store, filters, page_request, now=house.now(), most=MOST_COUNTED + 1)
    return render(
        request,
        "console/inbox/inbox.html",
        TEXTS,
        rows=[
            _task(one, lines.get(one.stream), tranches.get((one.stream, one.subject)), language_of(request).say, seat)
            for one in page.rows
        ],
        next=page.next,
        is_first=after is None,
        freshness_of=page.freshness,
        params={name: value for name, value in conditions.items() if value},
        realm=realm,
        realms=await list_realms(house.store),
        organisation=chosen or "",
        organisations=organisations,
        command=command,
        commands=[(one, name_command(one)) for one in sorted(commands) if is_command(one)],
        overdue=overdue,
        begins=[] if after or any(conditions.values()) else list_beginnings(AGGREGATES, seat),
        ways=list_ways(seat),
        tabs=[Tab("/", "title", count), *await _list_tabs(house, caller, seat)],
    )


@router.get("/done", response_class=Response)
@allow(Policy.READ)
async def show_done(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    realm: Annotated[str, Query(max_length=64)] = "",
    refused: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query
    after: Annotated[str | None, Query(max_length=2_000)] = None,
    as_sheet: BySheet = False,  # noqa: FBT002 - a query
) -> Response:
    """The page with what the reader has done."""
    return await _show_own(request, house, caller, "/done", realm, after, refused=refused, as_sheet=as_sheet)


@router.get("/begun", response_class=Response)
@allow(Policy.READ)
async def show_begun(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    realm: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[str | None, Query(max_length=2_000)] = None,
    as_sheet: BySheet = False,  # noqa: FBT002 - a query
) -> Response:
    """What I set going that others decide."""
    return await _show_own(request, house, caller, "/begun", realm, after, as_sheet=as_sheet)


async def _show_own(
    request: Request,
    house: House,
    caller: Caller,
    path: str,
    realm: str,
    after: str | None,
    *,
    refused: bool = False,
    as_sheet: bool = False,
) -> Response:
    seat, is_begun = read_seat(request, caller), path == "/begun"
    page: Page[OwnCommand] = Page((), None, Freshness(0, 0, None))
    own = []
    if seat is not None:
        query = CommandQuery(seat, caller.person, realm or None, is_accepted=None if refused else True)
        query = replace(query, events=ASKING) if is_begun else query
        if as_sheet:
            read = partial(list_own, house.store, query)
            return await answer_pages(COMMANDS, read, PageRequest(after=after), language_of(request), realm=realm)
        page = await list_own(house.store, query, PageRequest(limit=PAGE, after=after))
        own = await _list_tabs(house, caller, seat, counted=query)
    filters = filter_tasks(caller, seat, realm=realm or None, organisation=_first(list_organisations(caller, seat)))
    count = await count_waiting(
        house.store, filters, shield(PageRequest(), caller), now=house.now(), most=MOST_COUNTED + 1
    )
    lines = await list_lines(house.store, [row.stream for row in page.rows if row.stream.kind == "project"])
    knows = may_see_all(caller.grants)
    return render(
        request,
        "console/inbox/own.html",
        TEXTS,
        path=path,
        rows=[(one, _name(one.stream, lines.get(one.stream), is_told=knows)) for one in page.rows],
        words=name_command,
        happened=name_event,
        opens=await list_open(house.store, caller.grants, {one.stream for one in page.rows}),
        next=page.next,
        is_first=after is None,
        params={name: value for name, value in (("realm", realm), ("refused", "true" if refused else "")) if value},
        realm=realm,
        realms=await list_realms(house.store),
        refused=refused,
        is_begun=is_begun,
        tabs=[Tab("/", "title", count), *own],
    )


async def _list_tabs(
    house: House, caller: Caller, seat: Actor | None, *, counted: CommandQuery | None = None
) -> list[Tab]:
    """The other tabs; of what one did, only the list that is shown is counted: it walks the journal."""
    drafts = await list_drafts(house.identity, caller.person, house.now()) if caller.person is not None else ()
    saved = [Tab("/drafts", "drafts_title", len(drafts))] if drafts else []
    if seat is None:
        return saved
    count = await house.store.count_commands(replace(counted, limit=MOST_COUNTED + 1)) if counted is not None else None
    is_begun = counted is not None and bool(counted.events)
    return [
        Tab("/done", "done_title", None if is_begun else count),
        Tab("/begun", "begun_title", count if is_begun else None),
        *saved,
        Tab("/bulk", "bulk_title", None),
    ]


def _first(names: tuple[str, ...]) -> str | None:
    return next(iter(names), None)


def _name(stream: StreamId, line: ProjectLine | None, *, is_told: bool) -> tuple[str, str]:
    """Its number, and what it is called if that may be told whatever has become of it since."""
    return (line.number or stream.name, line.title if is_told else "") if line is not None else (stream.name, "")


@dataclass(frozen=True)
class Task:
    """One row of the list."""

    waiting: Waiting
    do: str
    """Where it is done; the file where the reader's seat is only told of it."""
    may_tick: bool
    """Whether the reader's seat may give the command, and to several at once."""
    file: str
    number: str
    kind: str
    """What the office calls such files."""
    amount: int | None
    """Fen, of what it is about; None where no money is."""
    of: str
    """By the name of its text, what the amount is."""

    @property
    def on(self) -> str:
        """What a tick beside it sends."""
        return write_choice(self.waiting.command, self.waiting.stream, self.waiting.subject)


async def _find_tranches(house: House, rows: Sequence[Waiting]) -> dict[tuple[StreamId, str], tuple[str, Fen]]:
    """Of what is about one tranche, what is told of it and how much; whole files are read for these rows alone."""
    about = [(one.stream, one.subject) for one in rows if _is_about_tranche(one.command)]
    states = await load_states(house.store, {stream for stream, _ in about}) if about else {}
    amounts = {(stream, name): find_amount(states[stream], name) for stream, name in about if stream in states}
    return {key: amount for key, amount in amounts.items() if amount is not None}


def _is_about_tranche(command: str) -> bool:
    return is_command(command) and command_class(command).subject_field == "tranche"


def _task(
    waiting: Waiting, line: ProjectLine | None, tranche: tuple[str, Fen] | None, say: Say, seat: Actor | None
) -> Task:
    stream = waiting.stream
    number = (line.number if line is not None else "") or stream.name
    of, amount = tranche or ("of_project", (line.award or line.requested) if line is not None else None)
    return Task(
        waiting,
        _find_place(waiting, seat),
        _may_give(waiting, seat) and _may_be_ticked(waiting.command),
        file_path(stream),
        f"{number}/{waiting.subject}" if waiting.subject else number,
        say(*name_kind(stream.kind)),
        amount,
        of,
    )


def _may_give(waiting: Waiting, seat: Actor | None) -> bool:
    """Whether what is awaited is that seat's to do: of what is late, others are told who only look into it."""
    return seat is None or not is_command(waiting.command) or seat.role in command_class(waiting.command).by


def _may_be_ticked(command: str) -> bool:
    return is_command(command) and may_be_together(command_class(command))


def _find_place(waiting: Waiting, seat: Actor | None) -> str:
    """The form of what is awaited, or the file for a seat that may not send it."""
    if _may_give(waiting, seat):
        return command_path(waiting.command, waiting.stream, waiting.subject)
    return file_path(waiting.stream)


def filter_tasks(
    caller: Caller,
    seat: Actor | None,
    *,
    realm: str | None = None,
    organisation: str | None = None,
    command: str | None = None,
    overdue: bool = False,
) -> WaitingFilter:
    """What waits for that seat, of what the caller may see: for who acts for an organisation, its own alone."""
    return WaitingFilter(
        seats=(seat,) if seat is not None else (),
        realm=realm,
        organisation=organisation,
        command=command,
        overdue=overdue,
        readers=None if may_see_all(caller.grants) else list_words(caller.grants),
    )


async def find_next(
    house: House, caller: Caller, seat: Actor | None, position: int, command: str, done: StreamId
) -> tuple[str, Waiting] | None:
    """What waits next for that seat, nearest to the file of what was just done, once the list has that."""
    if seat is None:
        return None
    filters = filter_tasks(caller, seat, organisation=_first(list_organisations(caller, seat)))
    request = shield(PageRequest(limit=NEAR, at_least=position), caller)
    rows: list[Waiting] = []
    for near in ({"stream": done}, {"command": command}, {}):
        page = await list_waiting(house.store, filters.model_copy(update=near), request, now=house.now())
        rows += [one for one in page.rows if one.stream != done or command == one.command or not _is_of_two(one)]
    streams = [done, *(one.stream for one in rows)]
    lines = await list_lines(house.store, {one for one in streams if one.kind == "project"})
    one = choose_next(rows, done, {stream: line.round for stream, line in lines.items()})
    return (_find_place(one, seat), one) if one is not None else None


def _is_of_two(waiting: Waiting) -> bool:
    """Whether it waits for a second person, which nobody is who has just proposed it."""
    return waiting.command == ConfirmAct.command_type


def choose_next(rows: Sequence[Waiting], done: StreamId, rounds: Mapping[StreamId, str]) -> Waiting | None:
    """Of the same file first, then of the same round, then of the same realm; of equals the first.

    ``rounds`` says of which round a project is.
    """

    def find_round(stream: StreamId) -> str:
        return stream.name if stream.kind == "round" else rounds.get(stream, "")

    def measure(one: Waiting) -> tuple[bool, bool, bool]:
        is_elsewhere = one.stream.realm != done.realm
        return one.stream != done, is_elsewhere or find_round(one.stream) != find_round(done), is_elsewhere

    return min(rows, key=measure, default=None)
