"""``/``: what waits for the seat that one has chosen, what has a time first, the earliest on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from application.inbox import Waiting, WaitingFilter, list_waiting
from application.money import list_realms
from application.pages import Page, PageRequest
from application.projects import list_lines
from application.reading import list_words, sees_all
from domain.catalogue import AGGREGATES
from domain.kernel.scope import ScopeKind
from web.console.paths import act_path, file_path
from web.console.reader import read_seat
from web.console.rendering import render
from web.console.route import PageRoute
from web.guard import ByCaller, ByHouse, Policy, allow, language_of
from web.v1.pages import shield

if TYPE_CHECKING:
    from application.caller import Caller
    from application.event_text import Say
    from application.projects import ProjectLine
    from domain.kernel.identity import Actor
    from web.console.texts import Texts
    from web.house import House

router = APIRouter(route_class=PageRoute)

PAGE: Final = 50
"""Rows of a page."""
TEXTS: Final[Texts] = {
    "title": ("我的待辦", "My tasks"),
    "count": ("{n} 件", "{n}"),
    "count_more": ("本頁 {n} 件，其後還有", "{n} on this page, more follow"),
    "empty": ("暫無待辦事項", "No tasks"),
    "empty_filtered": ("沒有符合條件的待辦事項", "No tasks match"),
    "task": ("事項", "Task"),
    "subject": ("項目（事項）編號", "Number"),
    "name": ("名稱", "Name"),
    "amount": ("金額（元）", "Amount (yuan)"),
    "until": ("辦理期限", "Due"),
    "state": ("狀態", "Status"),
    "no_due": ("未設期限", "no date"),
    "filter": ("篩選", "Filter"),
    "realm": ("環境", "Environment"),
    "all": ("全部", "All"),
    "only_overdue": ("只看逾期", "Overdue only"),
    "organisation": ("單位", "Organisation"),
    "open_file": ("查看卷宗", "Open the file"),
    "live": ("正式", "live"),
}


@router.get("/", response_class=Response)
@allow(Policy.READ)
async def show_inbox(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    realm: Annotated[str, Query(max_length=64)] = "",
    organisation: Annotated[str, Query(max_length=64)] = "",
    overdue: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query
    after: Annotated[str | None, Query(max_length=2_000)] = None,
    at_least: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    """My tasks."""
    seat = read_seat(request, caller)
    organisations = list_organisations(caller, seat)
    chosen = organisation if organisation in organisations else next(iter(organisations), None)
    page = await list_tasks(
        house,
        caller,
        seat,
        realm=realm or None,
        organisation=chosen,
        overdue=overdue,
        request=PageRequest(limit=PAGE, after=after, at_least=at_least),
    )
    lines = await list_lines(house.store, [row.stream for row in page.rows if row.stream.kind == "project"])
    realms = await list_realms(house.store)
    params = {
        name: value
        for name, value in (("realm", realm), ("organisation", organisation), ("overdue", "true" if overdue else ""))
        if value
    }
    return render(
        request,
        "console/inbox/inbox.html",
        TEXTS,
        rows=[_task(one, lines.get(one.stream), language_of(request).say) for one in page.rows],
        next=page.next,
        is_first=after is None,
        freshness_of=page.freshness,
        params=params,
        realm=realm,
        realms=realms,
        organisation=chosen or "",
        organisations=organisations,
        overdue=overdue,
    )


@dataclass(frozen=True)
class Task:
    """One row of the list."""

    waiting: Waiting
    do: str
    """Where it is done."""
    file: str
    number: str
    kind: str
    """What the office calls such files."""
    amount: int | None
    """Fen, of what it is about; None where no money is."""


def _task(waiting: Waiting, line: ProjectLine | None, say: Say) -> Task:
    stream = waiting.stream
    number = (line.number if line is not None else "") or stream.name
    return Task(
        waiting,
        act_path(waiting.command, stream, waiting.subject),
        file_path(stream),
        f"{number}/{waiting.subject}" if waiting.subject else number,
        say(AGGREGATES[stream.kind].zh, stream.kind),
        (line.award or line.requested) if line is not None else None,
    )


async def list_tasks(
    house: House,
    caller: Caller,
    seat: Actor | None,
    *,
    realm: str | None = None,
    organisation: str | None = None,
    overdue: bool = False,
    request: PageRequest,
) -> Page[Waiting]:
    """What waits for that seat, of what the caller may see: for who acts for an organisation, its own alone."""
    filters = WaitingFilter(
        seats=(seat,) if seat is not None else (),
        realm=realm,
        organisation=organisation,
        overdue=overdue,
        readers=None if sees_all(caller.grants) else list_words(caller.grants),
    )
    return await list_waiting(house.store, filters, shield(request, caller), now=house.now())


def list_organisations(caller: Caller, seat: Actor | None) -> tuple[str, ...]:
    """The organisations that the seat acts for; none for the house, and for whoever acts for something else."""
    scope = caller.scope_of(seat) if seat is not None else None
    return scope.names if scope is not None and scope.kind is ScopeKind.ORGANISATION else ()
