"""``/v1/documents``: what commands attach by its digest, brought once and read by who may see a file that names it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from application.document_content import EXTENSIONS, TYPES, DocumentRefused
from web.body import answer_with
from web.guard import ByCaller, ByHouse, GuardedRoute, Policy, allow
from web.links import names
from web.problems import problem_responses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from store.documents import Document

router = APIRouter(route_class=GuardedRoute, tags=["documents"])

MOST_AT_ONCE = 8
"""Documents that one process takes in at a time: each may be unpacked to be looked at."""
_semaphore = asyncio.Semaphore(MOST_AT_ONCE)
_CONTENT = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in sorted(TYPES)}
_SUFFIXES = {media_type: suffix for suffix, media_type in reversed(EXTENSIONS.items())}

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the bytes, in hex.")]


class DocumentAnswer(BaseModel):
    """A document that is here. A command attaches it as ``{sha256, media_type, name}``."""

    sha256: Annotated[str, names("digest")]
    size: int
    media_type: str
    kept_at: datetime

    @classmethod
    def of(cls, document: Document) -> DocumentAnswer:
        """Read from the register of documents."""
        return cls(sha256=document.sha256, size=document.size, media_type=document.media_type, kept_at=document.kept_at)


@router.post(
    "/v1/documents",
    response_model=DocumentAnswer,
    status_code=HTTPStatus.CREATED,
    responses=problem_responses(401, 403, 408, 413, 422, 429, 503),
    openapi_extra={
        "requestBody": {"required": True, "content": _CONTENT},
    },
)
@allow(Policy.COMMAND)
async def put_document(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    content_type: Annotated[str, Header(max_length=200)] = "",
    sha256: Annotated[
        str | None, Query(pattern="^[0-9a-f]{64}$", description="What the bytes must come to, if the sender knows it.")
    ] = None,
) -> Response:
    """Bring a document: its bytes as the body, of the type that they are. Brought again, the answer is the same."""
    async with _semaphore:
        try:
            document = await house.documents.take(request.stream(), content_type, caller, expected=sha256)
        except ClientDisconnect:
            raise DocumentRefused("未收到全部內容", "the whole of it did not come") from None
    return answer_with(
        DocumentAnswer.of(document), HTTPStatus.CREATED, {"Location": f"/v1/documents/{document.sha256}"}
    )


@router.get(
    "/v1/documents/{digest}",
    response_class=StreamingResponse,
    responses={
        200: {"content": _CONTENT, "description": "The bytes, to be saved."},
        **problem_responses(401, 403, 404, 422, 429, 503),
    },
)
@allow(Policy.READ)
async def get_document(
    digest: Digest,
    house: ByHouse,
    caller: ByCaller,
    stream: Annotated[
        str | None,
        Query(
            min_length=1, max_length=200, description="The file that names it, as project/live/AP-5; or who brought it."
        ),
    ] = None,
) -> Response:
    """A document of a file that the caller may see, or one that they brought. That they looked is recorded."""
    document = await house.documents.find(digest, caller, caller.grants, stream)
    reading = house.documents.read(document)
    parts = await reading.__aenter__()

    async def send() -> AsyncIterator[bytes]:
        try:
            async for part in parts:
                yield part
        finally:
            await reading.__aexit__(None, None, None)

    name = f"{digest[:16]}{_SUFFIXES.get(document.media_type, '')}"
    headers = {
        "Content-Length": str(document.size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "ETag": f'"{digest}"',
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(send(), media_type=document.media_type, headers=headers)
