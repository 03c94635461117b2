"""Who a request is from: a key, a token of the provider's, or a session's cookie. Nothing else counts."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from application.api_keys import PREFIX, find_service
from application.sessions import find_person
from web.problems import Refusal

if TYPE_CHECKING:
    from fastapi import Request

    from application.caller import Caller
    from web.house import House

LONGEST: Final = 8_192
"""Bytes of a credential."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(*, is_local: bool) -> str:
    """What the session's cookie is called: bound to this very host where there is TLS."""
    return "venture" if is_local else "__Host-venture"


async def find_caller(request: Request, house: House) -> Caller:
    """Whoever the request is from. Raises Refusal for nobody, and for a request that another site has sent."""
    header = request.headers.get("authorization")
    if header is not None:
        return await _by_header(header, house)
    token = request.cookies.get(cookie_name(is_local=house.is_local))
    if token is None:
        raise Refusal(
            HTTPStatus.UNAUTHORIZED,
            "unauthenticated",
            "請出示憑證：Authorization: Bearer …，或先登錄 POST /v1/session",
            "show a credential: Authorization: Bearer …, or sign in by POST /v1/session",
            headers={"WWW-Authenticate": 'Bearer realm="venture"'},
        )
    caller = await find_person(house.identity, token, house.now()) if len(token) <= LONGEST else None
    if caller is None:
        raise _invalid("登錄已失效，請重新登錄", "the session is over: sign in again")
    require_same_site(request)
    return caller


async def _by_header(header: str, house: House) -> Caller:
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer" or not text or len(text) > LONGEST:
        raise _invalid("憑證寫作 Authorization: Bearer …", "write the credential as Authorization: Bearer …")
    if text.startswith(PREFIX):
        caller = await find_service(house.identity, text, house.now())
    else:
        caller = await house.provider.find_caller(text, house.identity, house.now()) if house.provider else None
    if caller is None:
        raise _invalid("憑證無效、已撤銷或已過期", "the credential is wrong, withdrawn or expired")
    return caller


def require_same_site(request: Request) -> None:
    """Refuse what a page of another site has a browser send with this site's cookie."""
    if request.method in _SAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_foreign = site not in (None, "same-origin", "none") or (
        origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    )
    if is_foreign:
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            "請求來自另一網站",
            "the request comes from another site",
        )


def _invalid(zh: str, en: str) -> Refusal:
    challenge = 'Bearer realm="venture", error="invalid_token"'
    return Refusal(HTTPStatus.UNAUTHORIZED, "unauthenticated", zh, en, headers={"WWW-Authenticate": challenge})
