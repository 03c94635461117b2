"""What was typed survives signing in again: held for the person whose session it came with, and nobody else."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

from fastapi.responses import RedirectResponse

from application.door import Mismatch
from application.drafts import keep_draft
from application.drafts import read_form as read_form_of
from application.sessions import find_former
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import Actor
from web.console.command.answers import list_answers
from web.console.command.filling import find_offered, name_file, read_draft_id
from web.console.command.form import list_hidden, read_tree
from web.console.failure import FormInput, show_failure
from web.console.file.page import read_stream
from web.console.paths import command_path
from web.console.route import PageRoute, read_form, read_sent, send_to_sign_in
from web.guard import SAFE, house_of, language_of
from web.identity.credentials import LONGEST, cookie_name

if TYPE_CHECKING:
    from fastapi import Request, Response
    from starlette.datastructures import FormData, UploadFile

    from domain.kernel.acting import PersonId
    from domain.kernel.message import Command
    from store.identity import Draft
    from web.console.command.filling import Filling
    from web.console.command.form import Tree

_OWN: Final = frozenset({"id", "seat", "draft", "at", "row", "take"})
"""What a form sends beside its fields."""
LEFT = "left"
"""Beside them too: the names of documents that were chosen and could not be kept."""
AT = "at"
"""Beside the fields, in what is kept: the business time as it was typed; the name is none of a field's."""
FORM = "form"
ROWS = "rows"
"""Of several tasks that are filled in once: which, each with its id."""


class HoldingRoute(PageRoute):
    """A page's route that holds what was typed by somebody whose session is over."""

    async def send_away(self, request: Request) -> Response:
        """To the door, and back to the form with what was typed."""
        if request.method in SAFE:
            return send_to_sign_in(request)
        house = house_of(request)
        token = request.cookies.get(cookie_name(is_local=house.is_local), "")
        person = await find_former(house.identity, token, house.now()) if 0 < len(token) <= LONGEST else None
        if person is None:
            return send_to_sign_in(request)
        house.allowance.take(f"person:{person}")
        form = await read_form(request)
        try:
            return await self.hold(request, person, form)
        finally:
            await form.close()

    async def hold(self, request: Request, person: PersonId, form: FormData) -> Response:
        """Keep what was typed for that person, and send them to the door."""
        return await _hold_form(request, person, form)

    async def answer_failure(self, request: Request, failure: Failure) -> Response:
        """Say what went wrong beside what was typed, which goes back into the form."""
        form_input = None
        if request.method not in SAFE:
            with suppress(Failure, RuntimeError):  # RuntimeError: of what came only half, and cannot be read again
                form_input = await _read_form_input(request, keeps_id=not isinstance(failure, Mismatch))
        return show_failure(request, failure, form_input)


async def _read_form_input(request: Request, *, keeps_id: bool) -> FormInput | None:
    """What the form sent; None for one that asked nothing. Raises Failure, or RuntimeError for half a body."""
    form = await read_sent(request)
    try:
        command = find_offered(request.path_params["command"])
        tree, left = await read_typed(command, form)
    finally:
        await form.close()
    fields = ((name, value) for name, value in form.multi_items() if name in _OWN and isinstance(value, str))
    own = [(name, value) for name, value in fields if name != "id" or (keeps_id and read_draft_id(value) is not None)]
    hidden = [*own, *list_hidden(command, tree)]
    answers = list_answers(command, tree, language_of(request))
    return FormInput(quote(request.url.path), hidden, answers, left) if hidden or left else None


async def read_typed(command: type[Command], form: FormData) -> tuple[Tree, list[str]]:
    """What was typed, and the names of the documents that were chosen with it: none is kept."""
    left: list[str] = []

    async def leave(upload: UploadFile) -> Tree:
        left.append(name_file(upload))
        raise NotIn

    tree, _ = await read_tree(command, form, leave)
    return tree, left


class NotIn(Failure):
    """Who has not come in leaves no documents."""

    kind = FailureKind.USAGE

    def __init__(self) -> None:
        super().__init__("請登錄後重新選擇文件", "choose the document again after signing in")


async def _hold_form(request: Request, person: PersonId, form: FormData) -> Response:
    path = request.path_params
    command, stream = find_offered(path["command"]), read_stream(path["kind"], path["realm"], path["name"])
    tree, left = await read_typed(command, form)
    try:
        draft_id, seat = UUID(str(form.get("id"))), Actor(str(form.get("seat")))
    except ValueError:
        return send_to_sign_in(request)
    house = house_of(request)
    kept = {FORM: tree, AT: str(form.get(AT, "")), LEFT: left}
    await keep_draft(
        house.identity, draft_id, person, command.command_type, stream, seat, kept, house.now(), is_held=True
    )
    return lead_back(command_path(command.command_type, stream), draft_id)


async def send_to_prove(filling: Filling) -> Response:
    """To show anew who one is, and back to the form with what was typed; what was not typed yet is not held."""
    if not filling.tree or filling.caller.person is None:
        query = f"?{filling.request.url.query}" if filling.request.url.query else ""
        return RedirectResponse(f"/sign-in?{urlencode({'next': f'{filling.path}{query}'})}", HTTPStatus.SEE_OTHER)
    await save(filling, filling.caller.person, is_held=True)
    return lead_back(filling.path, filling.command_id)


async def save(filling: Filling, person: PersonId, *, is_held: bool = False) -> None:
    """Keep what was typed so far. Raises DraftsFull, or DraftTooLarge."""
    await keep_draft(
        filling.house.identity,
        filling.command_id,
        person,
        filling.command.command_type,
        filling.stream,
        filling.seat,
        {FORM: filling.tree, AT: filling.at_text},
        filling.house.now(),
        is_held=is_held,
    )


async def find_draft(filling: Filling, text: str) -> Draft | None:
    """What was kept of that form for the reader, if it still is."""
    draft_id, person = read_draft_id(text), filling.caller.person
    if draft_id is None or person is None:
        return None
    draft = await filling.house.identity.draft(draft_id, person, filling.house.now())
    if draft is None or ROWS in read_form_of(draft):
        return None
    return draft if (draft.command, draft.stream) == (filling.command.command_type, filling.stream) else None


async def take_up(filling: Filling, draft: Draft) -> Filling:
    """The form with what was kept; under another id if that command was given since."""
    form = read_form_of(draft)
    is_theirs = draft.seat in filling.caller.seats and draft.seat.role in filling.command.by
    is_given = await filling.house.store.journalled(draft.id) is not None
    return replace(
        filling,
        tree=form.get(FORM, {}),
        at_text=form.get(AT, "") or filling.at_text,
        seat=draft.seat if is_theirs else filling.seat,
        command_id=uuid4() if is_given else draft.id,
        draft_id=draft.id,
    )


async def drop_draft(filling: Filling) -> None:
    """Forget what was kept of a form that has been sent."""
    person = filling.caller.person
    if person is not None:
        for draft_id in {filling.command_id, filling.draft_id or filling.command_id}:
            await filling.house.identity.drop_draft(draft_id, person)


def draft_path(path: str, draft_id: UUID) -> str:
    """The form with what was kept."""
    return f"{path}?{urlencode({'draft': str(draft_id)})}"


def lead_back(path: str, draft_id: UUID) -> Response:
    """To the door, and from there to the form with what was kept."""
    return RedirectResponse(f"/sign-in?{urlencode({'next': draft_path(path, draft_id)})}", HTTPStatus.SEE_OTHER)
