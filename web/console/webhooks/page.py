"""``/administration/webhooks``: who is told of what happens, by which secret, what was said to them and how it went."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from application.access import may_see_all
from application.listing import StreamFilter, each_stream
from application.webhook_address import AddressRefused
from application.webhooks import FURTHEST, FreshSecret, WebhookInvalid
from domain.catalogue import AGGREGATES
from domain.kernel.identifier import LIVE, Actor
from domain.registers.seat import read_seat as seat_of
from store.identity import SeatGrant
from web.components.words import name_event, name_kind
from web.console.administration.page import ADMINISTRATORS
from web.console.reader import require_role
from web.console.rendering import render
from web.console.route import PageRoute, read_form
from web.guard import ByCaller, ByHouse, Policy, allow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from application.caller import Caller
    from domain.kernel.failure import Failure
    from web.console.texts import Texts
    from web.house import House

router = APIRouter(route_class=PageRoute)

PATH: Final = "/administration/webhooks"
FIELDS: Final = ("url", "seat")
"""What an endpoint is asked for by, besides the types of its events."""
PAGE: Final = 50
"""Deliveries of a page."""
TEXTS: Final[Texts] = {
    "title": ("事件通知", "Webhooks"),
    "lead": (
        "其他系統的接收端：有其崗位可見的事件時，以簽名通知（Standard Webhooks）。",
        "Addresses of other systems that are told, signed, of whatever their seat may see (Standard Webhooks).",
    ),
    "endpoint": ("接收端", "Endpoint"),
    "sees_as": ("以何崗位所見為限", "Sees as"),
    "types": ("事件", "Events"),
    "every_type": ("全部", "all"),
    "state": ("狀況", "State"),
    "well": ("正常", "well"),
    "failing": ("自 {at} 起未能送達，正在重試", "failing since {at}; tried again"),
    "disabled": ("已停用（{at}）：{why}", "given up on {at}: {why}"),
    "made": ("設立時間", "Made"),
    "empty": ("沒有接收端", "No endpoints"),
    "add": ("設立接收端", "Add an endpoint"),
    "url": ("地址（https）", "Address (https)"),
    "seat_field": ("崗位", "Seat"),
    "choose": ("請選擇", "Choose one"),
    "seat_hint": (
        "限局內與監督崗位；代表某一單位的崗位請經接口設立。",
        "A seat of the bureau or of those who watch it; one that acts for somebody is added through the interface.",
    ),
    "seat_example": ("如 CAB-FIN#1", "such as CAB-FIN#1"),
    "types_field": ("事件（不選則全部）", "Events; none ticked for all"),
    "types_of": ("{kind}（{n} 種）", "{kind} ({n})"),
    "add_button": ("設立", "Add"),
    "fresh": ("簽名密鑰（只顯示這一次）", "The secret, shown this once"),
    "fresh_lead": (
        "請即抄入接收端。更換者，前一密鑰在 24 小時內仍一併簽名。",
        "Copy it into the endpoint now. After a change the one before signs too for 24 hours.",
    ),
    "shared": ("v1 共享密鑰", "v1, shared"),
    "public": ("v1a 公鑰", "v1a, public key"),
    "rotate": ("更換簽名密鑰", "Change the secret"),
    "enable": ("重新啟用", "Try again"),
    "remove": ("刪除接收端", "Remove the endpoint"),
    "remove_sure": ("確認刪除；未送達的通知一併捨棄", "Yes, remove it, with what is still to be said"),
    "not_sure": ("請先勾選確認", "Tick the box first"),
    "deliveries": ("通知記錄", "Deliveries"),
    "no_deliveries": ("尚無通知", "Nothing was said yet"),
    "position": ("日誌序號", "Position"),
    "file": ("卷宗", "File"),
    "event": ("事件", "Event"),
    "tries": ("次數", "Tries"),
    "last_try": ("最近一次", "Last try"),
    "answer": ("答覆", "Answer"),
    "delivered": ("已送達", "delivered"),
    "next_try": ("下次 {at}", "again at {at}"),
    "given_up": ("不再重試", "not tried again"),
    "again": ("再送", "Say again"),
    "replay": ("補送一段", "Say a range again"),
    "after": ("自此序號之後", "After position"),
    "until": ("至此序號（不填則至末尾）", "Up to position (blank: to the end)"),
    "replay_button": ("補送", "Say again"),
    "replayed": ("將再送 {n} 件。", "{n} will be said again."),
    "range_wrong": ("序號須為不小於 0 的整數", "A position is a whole number of at least 0"),
    "older": ("更早的", "Earlier"),
}


@router.get(PATH, response_class=Response)
@allow(Policy.READ)
async def show_webhooks(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """The page that lists all endpoints."""
    require_role(caller, ADMINISTRATORS)
    return await _show_all(request, house)


async def _show_all(
    request: Request,
    house: House,
    typed: Mapping[str, str] | None = None,
    chosen: Collection[str] = (),
    fault: Failure | None = None,
) -> Response:
    return render(
        request,
        "console/webhooks/webhooks.html",
        TEXTS,
        status=HTTPStatus.OK if fault is None else HTTPStatus.UNPROCESSABLE_ENTITY,
        endpoints=await house.webhooks.list(),
        typed=typed or dict.fromkeys(FIELDS, ""),
        chosen=chosen,
        seats=await _list_seats(house),
        events=[(name_kind(kind), types) for kind, types in _list_types()],
        fault=fault,
        name_event=name_event,
    )


async def _list_seats(house: House) -> list[Actor]:
    """The seats on the register that see all business of the house, and so act for nobody in particular."""
    lines = each_stream(house.store, StreamFilter(kind="seat", realm=LIVE))
    seats = [seat async for line in lines if (seat := seat_of(line.stream.name)) is not None]
    return [seat for seat in seats if may_see_all((SeatGrant(seat=seat, scope=None),))]


@cache
def _list_types() -> list[tuple[str, list[str]]]:
    """The types of events of each kind of file, each once, under the first kind that has it."""
    listed: set[str] = set()
    kinds = []
    for kind, aggregate in AGGREGATES.items():
        types = [one for one in dict.fromkeys(event.event_type for event in aggregate.events) if one not in listed]
        listed.update(types)
        kinds.append((kind, types))
    return kinds


@router.post(PATH, response_class=Response)
@allow(Policy.COMMAND)
async def add(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """Tell an address of what happens from now on; its secret is shown this once."""
    require_role(caller, ADMINISTRATORS)
    form = await read_form(request)
    typed = {name: str(form.get(name, "")).strip() for name in FIELDS}
    types = [one for one in form.getlist("types") if isinstance(one, str)]
    try:
        grants = (SeatGrant(seat=_read_seat(typed["seat"]), scope=None),)
        fresh = await house.webhooks.add(typed["url"], grants, types, made_by=caller.name, now=house.now())
    except (WebhookInvalid, AddressRefused) as fault:
        return await _show_all(request, house, typed, types, fault)
    return await _show_one(request, house, fresh.endpoint, fresh=fresh)


def _read_seat(text: str) -> Actor:
    """The seat that was typed. Raises WebhookInvalid."""
    try:
        return Actor(text)
    except ValueError:
        raise WebhookInvalid("崗位寫作 CAB-FIN#1", "write the seat as CAB-FIN#1") from None


@router.get(f"{PATH}/{{webhook_id}}", response_class=Response)
@allow(Policy.READ)
async def show_webhook(
    request: Request,
    webhook_id: UUID,
    house: ByHouse,
    caller: ByCaller,
    before: Annotated[int, Query(ge=0, le=FURTHEST)] = FURTHEST,
) -> Response:
    """One endpoint, what was said to it and how that went, the newest first."""
    require_role(caller, ADMINISTRATORS)
    return await _show_one(request, house, webhook_id, before=before)


async def _show_one(
    request: Request,
    house: House,
    webhook_id: UUID,
    *,
    before: int = FURTHEST,
    fresh: FreshSecret | None = None,
    replayed: int | None = None,
    fault: str = "",
) -> Response:
    endpoint = await house.webhooks.find(webhook_id)
    lines = await house.webhooks.outbox.deliveries(webhook_id, before, PAGE)
    return render(
        request,
        "console/webhooks/webhook.html",
        TEXTS,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        headers={"Cache-Control": "no-store"} if fresh is not None else None,
        endpoint=endpoint,
        path=f"{PATH}/{webhook_id}",
        lines=lines,
        older=lines[-1].position if len(lines) == PAGE else None,
        fresh=fresh,
        replayed=replayed,
        fault=fault,
        name_event=name_event,
    )


async def _begin(request: Request, caller: Caller) -> dict[str, str]:
    """What an administrator's form sent."""
    require_role(caller, ADMINISTRATORS)
    form = await read_form(request)
    return {name: value for name, value in form.items() if isinstance(value, str)}


@router.post(f"{PATH}/{{webhook_id}}/rotate", response_class=Response)
@allow(Policy.COMMAND)
async def rotate(request: Request, webhook_id: UUID, house: ByHouse, caller: ByCaller) -> Response:
    """Sign with another secret, shown this once; the one before signs too for a day."""
    await _begin(request, caller)
    fresh = await house.webhooks.rotate(webhook_id, now=house.now())
    return await _show_one(request, house, webhook_id, fresh=fresh)


@router.post(f"{PATH}/{{webhook_id}}/enable", response_class=Response)
@allow(Policy.COMMAND)
async def enable(request: Request, webhook_id: UUID, house: ByHouse, caller: ByCaller) -> Response:
    """Try again with one that was given up."""
    await _begin(request, caller)
    await house.webhooks.enable(webhook_id)
    return RedirectResponse(f"{PATH}/{webhook_id}", HTTPStatus.SEE_OTHER)


@router.post(f"{PATH}/{{webhook_id}}/remove", response_class=Response)
@allow(Policy.COMMAND)
async def remove(request: Request, webhook_id: UUID, house: ByHouse, caller: ByCaller) -> Response:
    """Forget it, if that was said twice."""
    sent = await _begin(request, caller)
    if sent.get("sure") != "yes":
        return await _show_one(request, house, webhook_id, fault="not_sure")
    await house.webhooks.remove(webhook_id)
    return RedirectResponse(PATH, HTTPStatus.SEE_OTHER)


@router.post(f"{PATH}/{{webhook_id}}/replay", response_class=Response)
@allow(Policy.COMMAND)
async def replay(request: Request, webhook_id: UUID, house: ByHouse, caller: ByCaller) -> Response:
    """Say all of a range once more, under the same ids."""
    sent = await _begin(request, caller)
    after, until = (_read_position(sent.get(name, "")) for name in ("after", "until"))
    if after is None or (until is None and sent.get("until", "").strip()):
        return await _show_one(request, house, webhook_id, fault="range_wrong")
    count = await house.webhooks.replay(webhook_id, after=after, until=until, now=house.now())
    return await _show_one(request, house, webhook_id, replayed=count)


def _read_position(text: str) -> int | None:
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < len(str(FURTHEST)) else None


@router.post(f"{PATH}/{{webhook_id}}/deliveries/{{delivery_id}}/replay", response_class=Response)
@allow(Policy.COMMAND)
async def replay_one(
    request: Request, webhook_id: UUID, delivery_id: UUID, house: ByHouse, caller: ByCaller
) -> Response:
    """Have one delivery sent once more."""
    await _begin(request, caller)
    await house.webhooks.replay_one(webhook_id, delivery_id, now=house.now())
    return await _show_one(request, house, webhook_id, replayed=1)
