"""``/drafts``: the forms that one has saved, to go on with or to delete."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from application.drafts import MOST, list_drafts
from application.drafts import read_form as read_form_of
from domain.catalogue import AGGREGATES, is_command
from web.components.words import name_command
from web.console.command.held_form import ROWS, draft_path
from web.console.paths import command_path, together_path
from web.console.rendering import render
from web.console.route import PageRoute, read_form
from web.guard import ByCaller, ByHouse, Policy, allow

if TYPE_CHECKING:
    from store.identity import Draft
    from web.console.texts import Texts

router = APIRouter(route_class=PageRoute)

TEXTS: Final[Texts] = {
    "title": ("我的草稿", "My drafts"),
    "lead": (
        "草稿只有您可以看到，提交後或到期即刪除；至多保存 {most} 份。",
        "Only you can see your drafts. They are deleted once sent or when their time is over; at most {most} are kept.",
    ),
    "what": ("事項", "What"),
    "number": ("編號", "Number"),
    "saved": ("保存時間", "Saved"),
    "until": ("保留至", "Kept until"),
    "delete": ("刪除", "Delete"),
    "deletion": ("刪除草稿", "Deletion"),
    "delete_row": ("{what} {number}", "{what} {number}"),
    "held": ("因登錄過期而保留", "kept as the session was over"),
    "empty": ("沒有草稿", "No drafts"),
}


@router.get("/drafts", response_class=Response)
@allow(Policy.COMMAND)
async def show_drafts(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """The page with the reader's drafts."""
    drafts = await list_drafts(house.identity, caller.person, house.now()) if caller.person is not None else ()
    rows = [
        (one, name_command(one.command), draft_path(_form_path(one), one.id))
        for one in drafts
        if is_command(one.command) and one.stream.kind in AGGREGATES
    ]
    return render(request, "console/drafts/drafts.html", TEXTS, rows=rows, most=MOST)


def _form_path(draft: Draft) -> str:
    """The form that it is of: for one file, or for several tasks."""
    is_of_several = ROWS in read_form_of(draft)
    return together_path(draft.command) if is_of_several else command_path(draft.command, draft.stream)


@router.post("/drafts/{draft_id}/delete", response_class=Response)
@allow(Policy.COMMAND)
async def delete_draft(request: Request, draft_id: UUID, house: ByHouse, caller: ByCaller) -> Response:
    """Delete one of the reader's drafts."""
    await read_form(request)
    if caller.person is not None:
        await house.identity.drop_draft(draft_id, caller.person)
    return RedirectResponse("/drafts", HTTPStatus.SEE_OTHER)
