"""``/v1/session``: coming in with a local account, showing anew who one is, who one is, and leaving."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from application.accounts import find_account
from application.caller import PROOF_LASTS, ScopeName
from application.sessions import ABSOLUTE, begin_session, end_session, find_person, renew_session
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor
from web.body import describe_body, read_body, refer_to
from web.guard import ByCaller, ByHouse, GuardedRoute, Policy, allow
from web.identity.credentials import cookie_name, require_same_site
from web.links import names
from web.problems import Refusal, problem_responses

if TYPE_CHECKING:
    from application.caller import Caller
    from store.identity import Account, Seats
    from web.house import House

router = APIRouter(route_class=GuardedRoute, tags=["session"])


class Login(BaseModel):
    """The name and the password of an account of this machine."""

    model_config = ConfigDict(extra="forbid")

    login: Annotated[str, Field(max_length=64, pattern=r"^[!-~]+$")]
    password: Annotated[str, Field(min_length=1, max_length=200)]


class CallerAnswer(BaseModel):
    """Who the caller is."""

    person: PersonId | None
    service: str
    seats: Annotated[list[Actor], names("as")]
    scopes: list[ScopeName]
    proved_until: datetime | None
    """Until when a payment may be approved without showing anew who one is."""

    @classmethod
    def of(cls, caller: Caller) -> CallerAnswer:
        """What is known of them."""
        return cls(
            person=caller.person,
            service=caller.service,
            seats=list(caller.seats),
            scopes=sorted(caller.scopes),
            proved_until=caller.proved_at + PROOF_LASTS if caller.proved_at else None,
        )


class WaysAnswer(BaseModel):
    """How a person comes in here from a program of their own."""

    local: bool
    """By an account of this machine, at ``/v1/session``."""
    issuer: str | None
    """Or at this provider of identities, whose device grant (RFC 8628) a command line uses; null if there is none."""
    client_id: str | None
    """As whom it asks there: a client without a secret."""


@router.get("/v1/login", response_model=WaysAnswer, responses=problem_responses(429))
@allow(Policy.ANYBODY)
async def list_ways(house: ByHouse) -> WaysAnswer:
    """How a person comes in: told to anybody, before they do."""
    return WaysAnswer(local=house.is_local, issuer=house.device_issuer or None, client_id=house.device_client or None)


@router.post(
    "/v1/session",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=problem_responses(401, 403, 404, 408, 413, 415, 422, 429, 503),
    openapi_extra=describe_body(refer_to(Login)),
)
@allow(Policy.ANYBODY)
async def sign_in(request: Request, house: ByHouse) -> Response:
    """Come in with a local account; where one has come in already, show anew who one is. The cookie is the session."""
    if not house.is_local:
        raise Refusal(
            HTTPStatus.NOT_FOUND,
            "not-found",
            "本安裝沒有本地賬號，請經身份提供方登錄 /v1/oidc/login",
            "this installation has no local accounts: sign in by its provider, /v1/oidc/login",
        )
    require_same_site(request)
    login = await read_body(request, Login)
    account = await open_account(request, house, login)
    if account is None:
        raise Refusal(
            HTTPStatus.UNAUTHORIZED,
            "unauthenticated",
            "賬號或密碼不對",
            "the login or the password is wrong",
            headers={"WWW-Authenticate": 'Bearer realm="venture"'},
        )
    return await let_in(request, house, account.person, account.seats)


async def open_account(request: Request, house: House, login: Login) -> Account | None:
    """Whose those are. A wrong guess is one of few, from there and at that account; what is right counts for none.

    A whole office may come in from one address at nine.
    """
    tries = (f"from {request.client.host if request.client else ''}", f"to {login.login}")
    for name in tries:
        house.tries.take(name)
    account = await find_account(house.identity, login.login, login.password)
    if account is not None:
        for name in tries:
            house.tries.give_back(name)
    return account


async def let_in(request: Request, house: House, person: PersonId, seats: Seats) -> Response:
    """The answer that lets somebody in who has just shown who they are: the same session for the same person."""
    now = house.now()
    old = request.cookies.get(cookie_name(is_local=house.is_local))
    token = None
    if old is not None:
        before = await find_person(house.identity, old, now)
        if before is not None and before.person == person:
            token = await renew_session(house.identity, old, now)
        else:
            await end_session(house.identity, old)
    token = token or await begin_session(house.identity, person, seats, now)
    response = Response(status_code=HTTPStatus.NO_CONTENT)
    set_cookie(response, house, token, int(ABSOLUTE.total_seconds()))
    return response


def set_cookie(response: Response, house: House, token: str, age_s: int) -> None:
    """Have the browser keep the session's token, for this site alone and out of every script's reach."""
    response.set_cookie(
        cookie_name(is_local=house.is_local),
        token,
        max_age=age_s,
        path="/",
        secure=not house.is_local,
        httponly=True,
        samesite="lax",
    )


@router.get("/v1/session", response_model=CallerAnswer, responses=problem_responses(401, 429, 503))
@allow(Policy.KNOWN)
async def get_session(caller: ByCaller) -> CallerAnswer:
    """Who the caller is, and the seats that they may act for."""
    return CallerAnswer.of(caller)


@router.delete(
    "/v1/session",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=problem_responses(401, 403, 429, 503),
)
@allow(Policy.KNOWN)
async def sign_out(request: Request, house: ByHouse, caller: ByCaller) -> Response:  # noqa: ARG001 - who leaves was known
    """Leave: the session is over. A key stays as it is."""
    token = request.cookies.get(cookie_name(is_local=house.is_local))
    if token is not None:
        await end_session(house.identity, token)
    response = Response(status_code=HTTPStatus.NO_CONTENT)
    set_cookie(response, house, "", 0)
    return response
