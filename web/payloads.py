"""``/codec/decode``: Temporal's own pages have what they show opened, for whoever watches, by their own token (025).

Off unless the settings say where those pages are. Who comes in shows a token of the provider's: no cookie counts here,
so that no page can ask in a reader's name. Each time is told to the log: who, and of which workflows. The form of it is
Temporal's and no part of our interface, so that does not describe it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from fastapi import APIRouter, Request, Response

from application.access import may_watch
from runtime.payload_opener import NoPayloads
from web.guard import ByCaller, ByHouse, GuardedRoute, Policy, allow
from web.problems import Refusal

if TYPE_CHECKING:
    from web.house import House

log = structlog.get_logger()
router = APIRouter(route_class=GuardedRoute, tags=["process"])

PATH = "/codec/decode"
_HEADERS = "authorization, authorization-extras, content-type, x-namespace"
"""What Temporal's pages send along; the second, an id token, is nothing to us, but a browser asks leave for it too."""
MOST_TOLD = 20
"""Workflows that the log names of one request; of more it says how many."""


@router.options(PATH, response_class=Response, include_in_schema=False)
@allow(Policy.ANYBODY)
async def say_who_may_ask(request: Request, house: ByHouse) -> Response:
    """The browser's question beforehand: only the pages that the settings name may ask."""
    origin = _require_pages(request, house)
    return Response(
        status_code=HTTPStatus.NO_CONTENT,
        headers={
            **_across(origin),
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": "600",
        },
    )


@router.post(PATH, response_class=Response, include_in_schema=False)
@allow(Policy.KNOWN)
async def open_payloads(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """Open what the pages show, for persons who watch and decide nothing: auditors and discipline (SD11, P6)."""
    origin = _require_pages(request, house)
    reading = house.payloads
    if reading is None or caller.service or not may_watch(caller.grants) or "authorization" not in request.headers:
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            "只有審計、紀檢監察崗位的本人，以登錄所得令牌，可看 Temporal 頁面所示的內容",
            "what these pages show is opened for persons on a seat of audit or discipline, by a token of their own",
        )
    try:
        opened, workflows = reading.open_all(await request.body())
    except NoPayloads:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "這不是載荷", "these are no payloads") from None
    log.info(
        "payloads.opened",
        person=caller.person,
        session=caller.session,
        workflows=sorted(workflows)[:MOST_TOLD],
        count=len(workflows),
    )
    return Response(opened, headers=_across(origin), media_type="application/json")


def _require_pages(request: Request, house: House) -> str:
    """The origin of Temporal's pages. Raises Refusal where there is no such service, and for any other origin."""
    if house.payloads is None or not house.temporal_pages:
        raise Refusal(HTTPStatus.NOT_FOUND, "not-found", "沒有此路徑", "there is no such path")
    if request.headers.get("origin") not in (None, house.temporal_pages):
        raise Refusal(HTTPStatus.FORBIDDEN, "forbidden", "請求來自另一網站", "the request comes from another site")
    return house.temporal_pages


def _across(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", "Cache-Control": "no-store"}
