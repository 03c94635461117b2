"""Lists as spreadsheets over HTTP: ``?format=xlsx``, or an Accept that asks for one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

from fastapi import Depends, Header, Query, Response

from papers.lists import collect, write_list
from papers.workbook import MEDIA_TYPE

if TYPE_CHECKING:
    from application.pages import Page, PageRequest
    from papers.lists import Collection, SheetList
    from web.language import Language

T = TypeVar("T")


class ListForm(StrEnum):
    """How a list is given out."""

    JSON = "json"
    XLSX = "xlsx"


def _is_sheet_asked(
    form: Annotated[
        ListForm | None, Query(alias="format", description="xlsx for all pages as a spreadsheet; else as Accept says.")
    ] = None,
    accept: Annotated[str | None, Header(max_length=1_000)] = None,
) -> bool:
    if form is not None:
        return form is ListForm.XLSX
    return MEDIA_TYPE in [part.partition(";")[0].strip() for part in (accept or "").split(",")]


BySheet = Annotated[bool, Depends(_is_sheet_asked)]
"""Whether the list is wanted as a spreadsheet."""

SHEET: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {MEDIA_TYPE: {}}}}
"""What a route that gives one out says of it."""


async def answer_pages(
    of: SheetList[T],
    read: Callable[[PageRequest], Awaitable[Page[T]]],
    request: PageRequest,
    language: Language,
    **conditions: object,
) -> Response:
    """All pages of a list, from that one on, as a spreadsheet."""
    return await answer_sheet(of, await collect(read, request), language, **conditions)


async def answer_sheet(of: SheetList[T], rows: Collection[T], language: Language, **conditions: object) -> Response:
    """What was found, as a spreadsheet."""
    content = await asyncio.to_thread(write_list, of, rows, conditions, language.say)  # others are answered meanwhile
    headers = {
        "Content-Disposition": f"attachment; filename={of.en}.xlsx",
        "Cache-Control": "private, no-cache",
        "Vary": "Accept, Accept-Language",
        "Venture-Position": str(rows.position),
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=MEDIA_TYPE, headers=headers)
