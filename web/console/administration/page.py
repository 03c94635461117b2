"""``/administration``: how the installation is, what is parked and what to do about it, keys of services, registers.

Whatever gives somebody a right is an act of two persons, with forms of its own; a key can be withdrawn here, not made.
"""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from application.api_keys import NoSuchApiKey, withdraw_key
from application.doctor import Examination, examine_each, examine_log, examine_parked, examine_unnotified
from application.realms import RealmExists, RealmMisnamed, open_realm
from application.view_health import list_views
from domain.kernel.identifier import Role
from runtime.health import read_release
from views.catalogue import VIEWS
from web.components.words import name_list
from web.console.reader import require_role
from web.console.rendering import render
from web.console.route import PageRoute, read_form
from web.guard import ByCaller, ByHouse, Policy, allow

if TYPE_CHECKING:
    from domain.kernel.failure import Failure
    from web.console.texts import Texts
    from web.house import House

router = APIRouter(route_class=PageRoute)

ADMINISTRATORS: Final = frozenset({Role.ADMIN})
KEPT: Final = ("person", "seat", "door", "office", "calendar")
"""The registers that administrators keep; environments stand on the page itself."""
TEXTS: Final[Texts] = {
    "title": ("系統管理", "Administration"),
    "state": ("運行狀況", "How it is"),
    "state_lead": ("辦理程序與數據庫結構", "Workers and the database's form"),
    "part": ("項目", "Part"),
    "verdict": ("結論", "Verdict"),
    "found": ("狀況", "State"),
    "mend": ("處理", "What to do"),
    "well": ("正常", "well"),
    "not_well": ("須處理", "needs attention"),
    "not_shown": ("看不到", "not shown"),
    "release": ("程序版本", "Release"),
    "views": ("視圖", "Views"),
    "view": ("視圖", "View"),
    "version": ("版本", "Version"),
    "behind": ("落後條數", "Behind by"),
    "building": ("正在重建", "being built"),
    "registers": ("登記冊", "Registers"),
    "registers_lead": (
        "人員、崗位、代行與密鑰的登記須兩人：一人提出，另一人確認。",
        "Persons, seats, stand-ins and keys are entered by two persons: one proposes, another confirms.",
    ),
    "keys": ("服務密鑰", "Keys of services"),
    "keys_lead": (
        "密鑰只可在本機以 venture apikey issue 發出，只顯示一次；在此可撤銷。",
        "Keys are made on the machine, by venture apikey issue, and shown once. Here they can be withdrawn.",
    ),
    "key": ("編號", "Id"),
    "service": ("服務", "Service"),
    "seats": ("崗位", "Seats"),
    "person": ("負責人", "Answers for it"),
    "until": ("有效至", "Until"),
    "used": ("最近使用", "Last used"),
    "never": ("未使用", "never"),
    "withdraw": ("撤銷", "Withdraw"),
    "withdrawal": ("撤銷", "Withdrawal"),
    "withdrawn": ("已撤銷", "withdrawn"),
    "over": ("已過期", "expired"),
    "no_keys": ("沒有密鑰", "No keys"),
    "rules": ("管理辦法", "Rules"),
    "builds": ("程序版本", "Builds"),
    "webhooks": ("事件通知", "Webhooks"),
    "realms": ("補錄與試用的環境", "Environments for past papers and trials"),
    "realms_lead": (
        "各有其鐘：所辦事項自載過去的時間，不影響正式環境。",
        "Each has a clock of its own: what is done there carries a time that is past, and touches nothing live.",
    ),
    "realm_name": ("新環境的名稱，如 paper-2025", "The name of a new one, such as paper-2025"),
    "realm_open": ("開設", "Open"),
    "maintenance": ("運維記錄", "What was done to the installation"),
}


@router.get("/administration", response_class=Response)
@allow(Policy.READ)
async def show_administration(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """How the installation is, and what there is to do."""
    require_role(caller, ADMINISTRATORS)
    return await _show(request, house)


async def _show(request: Request, house: House, name: str = "", fault: Failure | None = None) -> Response:
    store = house.store
    examinations = [
        Examination("事件日誌", "event log", partial(examine_log, store)),
        Examination("未通知的卷宗", "files not yet notified", partial(examine_unnotified, store)),
        Examination("轉人工處理的卷宗", "files handed to a person", partial(examine_parked, store)),
    ]
    now = house.now()
    return render(
        request,
        "console/administration/administration.html",
        TEXTS,
        diagnoses=[one async for one in examine_each(examinations)],
        views=[(one, VIEWS[one.head.name]) for one in await list_views(store) if one.head.name in VIEWS],
        registers=[(kind, name_list(kind)) for kind in KEPT],
        keys=[(key, key.expires_at <= now) for key in await house.identity.keys()],
        release=read_release(),
        manual_realms=await store.manual_realms(),
        realm_name=name,
        fault=fault,
        status=HTTPStatus.OK if fault is None else HTTPStatus.UNPROCESSABLE_ENTITY,
    )


@router.post("/administration/realms", response_class=Response)
@allow(Policy.COMMAND)
async def open_another(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """An environment on a manual clock."""
    require_role(caller, ADMINISTRATORS)
    name = str((await read_form(request)).get("name", "")).strip()
    try:
        await open_realm(house.store, house.door, name)
    except (RealmMisnamed, RealmExists) as fault:
        return await _show(request, house, name, fault)
    return RedirectResponse("/administration#realms", HTTPStatus.SEE_OTHER)


@router.post("/administration/keys/{key_id}/withdraw", response_class=Response)
@allow(Policy.COMMAND)
async def withdraw(
    request: Request, key_id: Annotated[str, Path(max_length=64)], house: ByHouse, caller: ByCaller
) -> Response:
    """From now on that key opens nothing."""
    require_role(caller, ADMINISTRATORS)
    await read_form(request)
    if not await withdraw_key(house.identity, key_id, house.now()):
        raise NoSuchApiKey(key_id)
    return RedirectResponse("/administration", HTTPStatus.SEE_OTHER)
