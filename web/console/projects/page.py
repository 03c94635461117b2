"""``/projects``: which projects there are, narrowed and searched, page by page; and ``/find``, by number or name."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from application.money import list_realms
from application.pages import PageRequest
from application.projects import ProjectFilter, list_projects
from application.queries import NameAmbiguous, NameUnknown, resolve_name
from domain.project.stage import Stage
from papers.lists import PROJECTS
from web.body import fill
from web.console.paths import file_path
from web.console.reader import choose_organisation, list_organisations, may_list, read_seat
from web.console.register.page import TEXTS as REGISTER_TEXTS
from web.console.register.page import list_beginnings
from web.console.rendering import render
from web.console.route import PageRoute
from web.console.texts import Texts
from web.guard import ByCaller, ByHouse, Policy, allow, language_of
from web.v1.sheets import BySheet, answer_pages

if TYPE_CHECKING:
    from application.projects import ProjectLine

router = APIRouter(route_class=PageRoute)

PAGE: Final = 50
TEXTS: Final[Texts] = {
    "begin": REGISTER_TEXTS["begin"],
    "title": ("項目", "Projects"),
    "count": ("{n} 個", "{n}"),
    "count_more": ("本頁 {n} 個，其後還有", "{n} on this page, more follow"),
    "empty": ("暫無項目", "No projects"),
    "empty_filtered": ("沒有符合條件的項目", "No projects match"),
    "empty_search": (
        "沒有編號、名稱或單位含「{text}」的項目",
        "No project has “{text}” in its number, title or organisation",
    ),
    "search": ("編號、名稱或單位", "Number, title or organisation"),
    "stage": ("階段", "Stage"),
    "round": ("屆（年度）", "Round"),
    "only_overdue": ("只看逾期", "Overdue only"),
    "organisation": ("單位", "Organisation"),
    "filter": ("篩選", "Filter"),
    "number": ("編號", "Number"),
    "name": ("名稱", "Title"),
    "award": ("資助金額（元）", "Award (yuan)"),
    "paid": ("已撥付（元）", "Paid (yuan)"),
    "awaiting": ("當前辦理人", "Awaiting"),
    "until": ("辦理期限", "Due"),
    "opened_on": ("{day} 期初登記", "taken over {day}"),
    "applied_for": ("申請 {amount}", "applied for {amount}"),
}


@router.get("/projects", response_class=Response)
@allow(Policy.READ)
async def show_projects(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    search: Annotated[str, Query(max_length=200)] = "",
    stage: Annotated[str, Query(max_length=64)] = "",
    realm: Annotated[str, Query(max_length=64)] = "",
    round: Annotated[str, Query(max_length=64)] = "",  # noqa: A002 - the word of the interface
    organisation: Annotated[str, Query(max_length=64)] = "",
    overdue: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query
    after: Annotated[str | None, Query(max_length=2_000)] = None,
    as_sheet: BySheet = False,  # noqa: FBT002 - a query
) -> Response:
    """The page that lists projects."""
    seat = read_seat(request, caller)
    organisations = list_organisations(caller, seat)
    mine = choose_organisation(caller, seat, organisation)
    conditions = {
        "search": search.strip(),
        "stage": stage,
        "realm": realm,
        "round": round,
        "organisation": organisation,
    }
    params = {name: value for name, value in {**conditions, "overdue": "true" if overdue else ""}.items() if value}
    filters = fill(ProjectFilter, overdue=overdue, **{name: params[name] for name in conditions if name in params})
    page_request = PageRequest(limit=PAGE, after=after, organisation=mine)
    if as_sheet:
        read = partial(list_projects, house.store, filters)
        return await answer_pages(PROJECTS, read, page_request, language_of(request), **params)
    page = await list_projects(house.store, filters, page_request)
    return render(
        request,
        "console/projects/projects.html",
        TEXTS,
        rows=[(line, file_path(line.stream), _stage(line)) for line in page.rows],
        next=page.next,
        is_first=after is None,
        freshness_of=page.freshness,
        params=params,
        given=conditions,
        stages=[one for one in Stage if one is not Stage.NONE],
        realms=await list_realms(house.store),
        organisations=organisations,
        organisation=mine or "",
        overdue=overdue,
        begins=list_beginnings(("project",), seat),
    )


def _stage(line: ProjectLine) -> tuple[str, str]:
    known = next((one for one in Stage if one == line.stage), None)
    return (known.zh, known.en) if known is not None else (line.stage, line.stage)


@router.get("/find", response_class=Response)
@allow(Policy.READ)
async def find(
    request: Request, house: ByHouse, caller: ByCaller, name: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """The file of that number; of anything else, the projects in which it occurs, for whoever has a list of them."""
    text, has_list = name.strip(), may_list(caller, read_seat(request, caller))
    try:
        stream = await resolve_name(house.store, text)
    except NameAmbiguous as several:
        stream = several.candidates[0]
        if has_list and any(one.kind == "project" for one in several.candidates):
            return RedirectResponse(f"/projects?{urlencode({'search': text})}", HTTPStatus.SEE_OTHER)
    except (NameUnknown, ValueError):
        if text and not has_list:
            raise NameUnknown(text) from None
        return RedirectResponse(
            f"/projects?{urlencode({'search': text})}" if text else "/projects", HTTPStatus.SEE_OTHER
        )
    return RedirectResponse(file_path(stream), HTTPStatus.SEE_OTHER)
