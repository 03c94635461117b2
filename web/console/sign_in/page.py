"""``/sign-in``: coming in by an account of this machine or by the provider, and showing anew who one is; leaving."""

from __future__ import annotations

import secrets
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from application.sessions import end_session, find_person
from domain.kernel.explanation import InputInvalid
from domain.kernel.identifier import Actor
from web.body import fill
from web.console.reader import SEAT, keep
from web.console.rendering import GUEST, render
from web.console.route import PageRoute, read_form, read_next
from web.guard import ByHouse, Policy, allow
from web.identity.credentials import cookie_name, require_same_site
from web.identity.session import Login, let_in, open_account, set_cookie
from web.language import COOKIE, Language
from web.problems import Refusal

if TYPE_CHECKING:
    from application.caller import Caller
    from web.console.texts import Texts
    from web.house import House

router = APIRouter(route_class=PageRoute)

TEXTS: Final[Texts] = {
    "title": ("登錄", "Sign in"),
    "again": ("請再次確認身份", "Confirm who you are"),
    "again_lead": (
        "審批撥款前須在 5 分鐘內重新登錄。確認後回到剛才的頁面。",
        "Before approving a payment, sign in again; it holds for 5 minutes. You then return to your page.",
    ),
    "login": ("賬號", "Account"),
    "password": ("密碼", "Password"),
    "wrong": ("賬號或密碼不對", "The account or the password is wrong"),
    "provider": ("以統一身份認證登錄", "Sign in with your organisation's account"),
    "summary": ("未能登錄", "You are not signed in"),
    "forgotten": (
        "本機試用：賬號與密碼在首次啟動時顯示；遺失可用 ./run account password 賬號 換新。",
        "On a trial machine, accounts and passwords are shown once; ./run account password ACCOUNT makes another.",
    ),
}
_GUEST_S: Final = 3_600


@router.get("/sign-in", response_class=Response)
@allow(Policy.ANYBODY)
async def show_sign_in(
    request: Request, house: ByHouse, target: Annotated[str, Query(alias="next", max_length=6_000)] = "/"
) -> Response:
    """The page by which one comes in; who is in already shows anew who they are."""
    return await _show(request, house, read_next(target))


@router.post("/sign-in", response_class=Response)
@allow(Policy.ANYBODY)
async def sign_in(request: Request, house: ByHouse) -> Response:
    """Come in with an account of this machine, and go on to where one wanted to go."""
    if not house.is_local:
        raise Refusal(
            HTTPStatus.NOT_FOUND, "not-found", "本安裝沒有本地賬號", "this installation has no local accounts"
        )
    form = await read_form(request)
    login, password, target = (str(form.get(name, "")) for name in ("login", "password", "next"))
    target = read_next(target)
    account = None
    with suppress(InputInvalid):
        account = await open_account(request, house, fill(Login, login=login, password=password))
    if account is None:
        return await _show(request, house, target, login=login[:64], is_wrong=True)
    response = await let_in(request, house, account.person, account.seats)
    response.status_code = HTTPStatus.SEE_OTHER
    response.headers["Location"] = target
    return response


@router.post("/sign-out", response_class=Response)
@allow(Policy.ANYBODY)
async def sign_out(request: Request, house: ByHouse) -> Response:
    """Leave: the session is over."""
    await read_form(request)
    token = request.cookies.get(cookie_name(is_local=house.is_local))
    if token is not None:
        await end_session(house.identity, token)
    response = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    set_cookie(response, house, "", 0)
    return response


@router.post("/preferences", response_class=Response)
@allow(Policy.ANYBODY)
async def choose(request: Request, house: ByHouse) -> Response:
    """Choose seat and language. Neither is a right: what is not there, or not theirs, is not taken."""
    require_same_site(request)
    form = await request.form(max_files=0, max_fields=10)
    response = RedirectResponse(read_next(str(form.get("next", "/"))), HTTPStatus.SEE_OTHER)
    with suppress(ValueError):
        keep(response, house, COOKIE, Language(str(form.get("language", ""))))
    with suppress(ValueError):
        keep(response, house, SEAT, Actor(str(form.get("seat", ""))))
    return response


async def _show(request: Request, house: House, target: str, *, login: str = "", is_wrong: bool = False) -> Response:
    known = await _find_caller(request, house)
    request.state.caller = known
    guest = request.cookies.get(GUEST) or secrets.token_urlsafe(24)
    request.state.guest = guest
    response = render(
        request,
        "console/sign_in/sign_in.html",
        TEXTS,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK,
        next=target,
        login=login,
        is_wrong=is_wrong,
        is_local=house.is_local,
        is_again=known is not None,
        provider=f"/v1/oidc/login?{urlencode({'return_to': target, 'prove': str(known is not None).lower()})}"
        if house.provider
        else "",
    )
    response.set_cookie(
        GUEST, guest, max_age=_GUEST_S, path="/", secure=not house.is_local, httponly=True, samesite="lax"
    )
    return response


async def _find_caller(request: Request, house: House) -> Caller | None:
    """Whoever has come in already."""
    token = request.cookies.get(cookie_name(is_local=house.is_local))
    return await find_person(house.identity, token, house.now()) if token else None
