"""Routes of pages: what goes wrong becomes a page of its kind, and who has not come in is sent to the door first."""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from domain.kernel.explanation import InputFault, InputInvalid
from domain.kernel.failure import Defect, Failure
from domain.kernel.privacy import describe_trace
from web.body import explain
from web.console.failure import show_failure
from web.console.rendering import here, is_ours
from web.guard import SAFE, GuardedRoute
from web.identity.credentials import require_same_site
from web.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pydantic_core import ErrorDetails
    from starlette.datastructures import FormData
    from starlette.responses import Response

log = structlog.get_logger()

MOST_FIELDS: Final = 2_000
_PATH: Final = re.compile(r"/(?:[!-.0-\[\]-~][!-~]*)?")
"""A path of this site: it begins with one slash, which neither a slash nor a backslash follows."""


class PageRoute(GuardedRoute):
    """A guarded route whose answers are pages, failures too. The OpenAPI document leaves it out."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 - FastAPI's own
        super().__init__(path, endpoint, **{**options, "include_in_schema": False})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The guarded handler, with what it raises shown as a page."""
        handler = super().get_route_handler()

        async def let_in(request: Request) -> Response:
            try:
                return await handler(request)
            except Refusal as refusal:
                if refusal.code != "unauthenticated":
                    raise
                return await self.send_away(request)

        async def handle(request: Request) -> Response:
            try:
                return await let_in(request)
            except Failure as failure:
                return await self.answer_failure(request, failure)
            except RequestValidationError as invalid:
                return await self.answer_failure(request, InputInvalid([_explain(error) for error in invalid.errors()]))
            except HTTPException:
                raise
            except Exception as fault:  # noqa: BLE001 - told to the log without its words, and to the reader as a page
                request_id = request.scope["venture"]["request_id"]
                log.error("web.defect", request_id=request_id, trace=describe_trace(fault))  # noqa: TRY400
                return await self.answer_failure(request, Defect(type(fault).__name__))

        return handle

    async def answer_failure(self, request: Request, failure: Failure) -> Response:
        """The page that tells of a failure."""
        return show_failure(request, failure)

    async def send_away(self, request: Request) -> Response:
        """To the door, whoever has not come in."""
        return send_to_sign_in(request)


def _explain(error: ErrorDetails) -> InputFault:
    """The same without whether the path or the query has it: a reader of pages has written neither."""
    fault = explain(error)
    return replace(fault, place=fault.place[1:])


def send_to_sign_in(request: Request) -> Response:
    """To the door, and back to this page afterwards; what was to be sent is not sent by itself."""
    target = here(request) if request.method in SAFE else "/"
    query = f"?{urlencode({'next': target})}" if target != "/" else ""
    return RedirectResponse(f"/sign-in{query}", HTTPStatus.SEE_OTHER)


def read_next(text: str | None) -> str:
    """Where to go on: a path of this site, or its first page."""
    return text if text and _PATH.fullmatch(text) else "/"


async def read_form(request: Request, most_bytes: int = 2**20) -> FormData:
    """What a form of ours sent; whoever reads it closes it if files may be in it.

    Raises Refusal for one of another site's, and for one that is out of date.
    """
    form = await read_sent(request, most_bytes)
    token = form.get("token")
    if not isinstance(token, str) or not is_ours(request, token):
        await form.close()
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "precondition",
            "此頁打開已久，請返回重新打開後再提交",
            "this page was opened too long ago: open it again, then send it",
        )
    return form


async def read_sent(request: Request, most_bytes: int = 2**20) -> FormData:
    """What a page of this site sent, in date or not; a field of it has at most so many bytes, documents apart.

    Raises Refusal for another site's, and for what is no form.
    """
    require_same_site(request)
    try:
        return await request.form(max_files=100, max_fields=MOST_FIELDS, max_part_size=most_bytes)
    except HTTPException as unreadable:
        raise Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "表單內容無法讀取", "the form cannot be read"
        ) from unreadable
    except ClientDisconnect:
        raise Refusal(HTTPStatus.BAD_REQUEST, "invalid", "未收到全部內容", "the whole of it did not come") from None
