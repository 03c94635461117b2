"""``/lists/{kind}``: the files of a kind, how each stands and who is awaited in it; and what one may begin."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from application.access import may_see_all
from application.listing import StreamFilter, list_streams
from application.money import list_realms
from application.pages import PageRequest
from application.queries import NameUnknown
from domain.catalogue import AGGREGATES, stage_words
from domain.kernel.identifier import LIVE, Role
from domain.kernel.state import NONE
from domain.project.bidding import RefuseLateSubmission
from domain.project.opening import ConfirmOpening
from domain.registers.seat import read_seat as seat_of
from domain.visibility import OPEN_KINDS, REGISTERS
from papers.lists import FILES
from web.body import fill
from web.components.words import name_command, name_list, name_seat
from web.console.paths import file_path
from web.console.reader import read_seat
from web.console.rendering import render
from web.console.round.page import round_path
from web.console.route import PageRoute
from web.guard import ByCaller, ByHouse, Policy, allow, language_of
from web.problems import Refusal
from web.v1.sheets import BySheet, answer_pages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from application.caller import Caller
    from application.listing import StreamLine
    from domain.kernel.identifier import Actor
    from web.console.texts import Texts
    from web.language import Language

router = APIRouter(route_class=PageRoute)

PAGE: Final = 50
Beginning = tuple[str, str, tuple[str, str]]
"""A command that begins a file, in which realm, and what it is called."""
_ON_WHAT_IS_THERE: Final = frozenset({ConfirmOpening, RefuseLateSubmission})
"""Of a file that has no stage yet, though something was proposed there or came too late."""
_ELSEWHERE: Final = frozenset({"project", "realm"})
"""Kinds that stand in no list of lists: projects have a page of their own, and an environment is what lists are of."""
_KEEPERS: Final = frozenset({Role.ADMIN, Role.CAB_DEC, Role.AUDIT, Role.DISC})
"""Who may read the registers of persons, seats and keys (SD8)."""
TEXTS: Final[Texts] = {
    "registers": ("登記冊", "Registers"),
    "count": ("{n} 件", "{n}"),
    "count_more": ("本頁 {n} 件，其後還有", "{n} on this page, more follow"),
    "empty": ("暫無記錄", "Nothing is recorded"),
    "number": ("編號", "Number"),
    "name": ("名稱", "Name"),
    "stage": ("階段", "Stage"),
    "awaiting": ("當前辦理人", "Awaiting"),
    "moved": ("最近變動", "Last change"),
    "filter": ("篩選", "Filter"),
    "begin": ("新建：{what}", "New: {what}"),
    "kinds": ("類別", "Kinds"),
}


@router.get("/lists", response_class=Response)
@allow(Policy.READ)
async def show_kinds(request: Request, caller: ByCaller) -> Response:
    """Which lists there are for whoever asks."""
    kinds = [(kind, name_list(kind)) for kind in AGGREGATES if kind not in _ELSEWHERE and may_list(caller, kind)]
    return render(request, "console/register/kinds.html", TEXTS, kinds=kinds)


@router.get("/lists/{kind}", response_class=Response)
@allow(Policy.READ)
async def show_list(
    request: Request,
    kind: str,
    house: ByHouse,
    caller: ByCaller,
    realm: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[str | None, Query(max_length=2_000)] = None,
    as_sheet: BySheet = False,  # noqa: FBT002 - a query
) -> Response:
    """The files of that kind."""
    if kind not in AGGREGATES:
        raise NameUnknown(kind[:80])
    if not may_list(caller, kind):
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            "此崗位不可瀏覽此登記冊；您的事項見「我的待辦」",
            "this seat may not list this register; what is yours is under “My tasks”",
        )
    filters = fill(StreamFilter, kind=kind, realm=realm.strip() or None)
    if as_sheet:
        read = partial(list_streams, house.store, filters)
        return await answer_pages(FILES, read, PageRequest(after=after), language_of(request), kind=kind, realm=realm)
    page = await list_streams(house.store, filters, PageRequest(limit=PAGE, after=after))
    return render(
        request,
        "console/register/list.html",
        TEXTS,
        title=name_list(kind),
        rows=[
            (line, _path(line), _name(line, language_of(request)), stage_words(kind, line.stage)) for line in page.rows
        ],
        next=page.next,
        is_first=after is None,
        freshness_of=page.freshness,
        realm=realm,
        realms=dict.fromkeys((*await list_realms(house.store), *filter(None, (realm.strip(),)))),
        params={"realm": realm} if realm else {},
        begins=list_beginnings((kind,), read_seat(request, caller), realm.strip() or LIVE),
    )


def _name(line: StreamLine, language: Language) -> str:
    """What it is called; a seat by its role in words."""
    seat = seat_of(line.stream.name) if line.stream.kind == "seat" else None
    return name_seat(seat, language) if seat is not None else line.name


def _path(line: StreamLine) -> str:
    """Its page: of a round the one with all its stages, else its file."""
    return round_path(line.stream) if line.stream.kind == "round" else file_path(line.stream)


def may_list(caller: Caller, kind: str) -> bool:
    """Whether they may see every file of that kind."""
    if kind in REGISTERS:
        return any(seat.role in _KEEPERS for seat in caller.seats)
    return kind in OPEN_KINDS or may_see_all(caller.grants)


def list_beginnings(kinds: Iterable[str], seat: Actor | None, realm: str = LIVE) -> list[Beginning]:
    """The commands by which that seat begins a file of these kinds, where the realm is asked for with the number."""
    if seat is None:
        return []
    return [
        (command.command_type, realm, name_command(command.command_type))
        for kind in kinds
        for command in AGGREGATES[kind].commands
        if NONE in command.during and seat.role in command.by and command not in _ON_WHAT_IS_THERE
    ]
