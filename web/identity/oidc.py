"""``/v1/oidc``: people come in by the installation's provider of identities: code flow with PKCE, and back."""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from web.guard import ByHouse, GuardedRoute, Policy, allow
from web.identity.credentials import cookie_name
from web.identity.provider import OidcProvider, TokenRefused
from web.identity.session import let_in
from web.problems import Refusal, problem_responses

if TYPE_CHECKING:
    from web.house import House

router = APIRouter(route_class=GuardedRoute, tags=["session"])

UNDER_WAY_S: Final = 600
"""Seconds that somebody may take to sign in at the provider."""
_CALLBACK: Final = "/v1/oidc/callback"


@router.get(
    "/v1/oidc/login",
    status_code=HTTPStatus.SEE_OTHER,
    response_class=Response,
    responses=problem_responses(404, 422, 429, 503),
)
@allow(Policy.ANYBODY)
async def go_and_sign_in(
    request: Request,
    house: ByHouse,
    return_to: Annotated[
        str, Query(max_length=500, pattern=r"^/([!-.0-\[\]-~][!-~]*)?$", description="A path of this site.")
    ] = "/v1/session",
    prove: Annotated[bool, Query(description="Show anew who one is, as for a payment.")] = False,  # noqa: FBT002 - a query
) -> Response:
    """Go to the provider and sign in there."""
    provider = _provider(house)
    house.tries.take(f"from {request.client.host if request.client else ''}")
    made = (secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))
    departure = await provider.depart(_redirect_uri(house, request), prove=prove, secrets=made)
    response = Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": departure.url})
    kept = json.dumps([departure.state, departure.nonce, departure.verifier, return_to])
    _set_cookie(response, house, urlsafe_b64encode(kept.encode()).decode(), UNDER_WAY_S)
    return response


@router.get(
    _CALLBACK,
    status_code=HTTPStatus.SEE_OTHER,
    response_class=Response,
    responses=problem_responses(401, 404, 422, 429, 503),
)
@allow(Policy.ANYBODY)
async def come_back(
    request: Request,
    house: ByHouse,
    state: Annotated[str, Query(max_length=200)],
    code: Annotated[str, Query(max_length=2_000)] = "",
) -> Response:
    """Come back from the provider: it is checked that it was this browser that went, and who has signed in."""
    provider = _provider(house)
    kept_state, nonce, verifier, return_to = _read_cookie(request, house)
    if not code or not hmac.compare_digest(kept_state.encode(), state.encode()):
        raise _not_let_in()
    try:
        claims = await provider.arrive(code, _redirect_uri(house, request), nonce, verifier, house.now())
    except TokenRefused:
        raise _not_let_in() from None
    holder = await house.identity.identity(claims["iss"], claims["sub"])
    if holder is None or holder.person is None or holder.service is not None:
        raise Refusal(
            HTTPStatus.UNAUTHORIZED,
            "unauthenticated",
            "身份提供方認得您，但本局沒有登記此登錄；請找系統管理員",
            "the provider knows you, but nobody is registered here by that login: ask an administrator",
        )
    response = await let_in(request, house, holder.person, holder.seats)
    response.status_code = HTTPStatus.SEE_OTHER
    response.headers["Location"] = return_to
    _set_cookie(response, house, "", 0)
    return response


def _provider(house: House) -> OidcProvider:
    if house.provider is None:
        raise Refusal(
            HTTPStatus.NOT_FOUND,
            "not-found",
            "本安裝沒有設身份提供方（VENTURE_OIDC_ISSUER）",
            "this installation has no provider of identities (VENTURE_OIDC_ISSUER)",
        )
    return house.provider


def _redirect_uri(house: House, request: Request) -> str:
    """Where the provider sends people back to: what the settings say, never what a request's host says."""
    return f"{house.public_url or str(request.base_url).rstrip('/')}{_CALLBACK}"


def _not_let_in() -> Refusal:
    return Refusal(
        HTTPStatus.UNAUTHORIZED,
        "unauthenticated",
        "登錄沒有完成，請從頭再來",
        "signing in was not completed: begin again",
    )


def _cookie(house: House) -> str:
    return f"{cookie_name(is_local=house.is_local)}-login"


def _read_cookie(request: Request, house: House) -> tuple[str, str, str, str]:
    try:
        kept: Any = json.loads(urlsafe_b64decode(request.cookies[_cookie(house)]))
        state, nonce, verifier, return_to = (str(part) for part in kept)
    except (KeyError, ValueError, TypeError):
        raise _not_let_in() from None
    return state, nonce, verifier, return_to


def _set_cookie(response: Response, house: House, value: str, age_s: int) -> None:
    response.set_cookie(
        _cookie(house), value, max_age=age_s, path="/", secure=not house.is_local, httponly=True, samesite="lax"
    )
