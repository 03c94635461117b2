"""``/together``: several tasks of one kind, filled in once, checked one by one, and each its own command.

Each goes the way of a single one, under an id of its own that was made when the form was shown: sent twice, each has
one answer; what is refused leaves the others be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from application.command_input import list_amounts
from application.door import NotKnown
from application.drafts import keep_draft
from application.drafts import read_form as read_form_of
from application.event_text import describe_event
from application.queries import NameUnknown
from domain.kernel.explanation import InputInvalid
from domain.kernel.failure import Failure
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import CommandRejected, Unmet
from domain.titles import number_of, title_of
from store.port import StoreUnavailable
from web.components.words import name_command, name_event
from web.console.command.answers import list_answers
from web.console.command.filling import (
    Filling,
    begin,
    dry_run,
    find_last,
    find_offered,
    is_proof_needed,
    keep_document,
    prefill,
    read_draft_id,
    read_filled,
    send,
)
from web.console.command.form import list_hidden, read_tree, show_fields
from web.console.command.held_form import FORM, LEFT, ROWS, HoldingRoute, lead_back, read_typed
from web.console.command.page import has_files, link_faults
from web.console.command.payment import TranchePayment, find_payment
from web.console.command.prefill import take_city_terms
from web.console.command.texts import TEXTS as COMMAND_TEXTS
from web.console.command.texts import name_button
from web.console.failure import list_unmet
from web.console.inbox.page import find_next
from web.console.paths import file_path, together_path, write_choice
from web.console.rendering import render
from web.console.route import read_form, send_to_sign_in
from web.console.together.offer import may_be_together
from web.guard import ByCaller, ByHouse, Policy, allow, house_of
from web.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.datastructures import FormData

    from application.caller import Caller
    from domain.kernel.acting import PersonId
    from domain.kernel.explanation import InputFault
    from domain.kernel.message import Command, Occurrence
    from web.console.command.form import Tree
    from web.console.texts import Texts
    from web.house import House


class TogetherRoute(HoldingRoute):
    """A page's route that holds what was typed for several tasks, and which they are."""

    async def hold(self, request: Request, person: PersonId, form: FormData) -> Response:
        """Keep it for that person, and send them to the door."""
        command = _find_command(request.path_params["command"])
        choices = _read_choices(form)
        tree, left = await read_typed(command, form)
        try:
            seat = Actor(str(form.get("seat")))
        except ValueError:
            return send_to_sign_in(request)
        return await _hold(house_of(request), person, command, seat, choices, tree, left)


router = APIRouter(route_class=TogetherRoute)

MOST: Final = 50
"""Tasks that are decided on one page: as many as a page of the list has."""
TEXTS: Final[Texts] = {
    **COMMAND_TEXTS,
    "several": ("{what}（{n} 件）", "{what} ({n})"),
    "nothing": ("尚未選取事項", "Nothing is selected"),
    "nothing_lead": ("請在「我的待辦」勾選同一種事項。", "Select tasks of one kind under “My tasks”."),
    "mixed": ("所選事項不止一種，請分別辦理：", "The tasks selected are of several kinds. Decide each kind by itself:"),
    "check_several": ("請核對：{what}（{n} 件）", "Check: {what} ({n})"),
    "number": ("編號", "Number"),
    "comes_to": ("辦理後將記錄", "This will be recorded"),
    "take": ("辦理", "Include"),
    "take_row": ("辦理 {number}", "Include {number}"),
    "not_now": ("暫不能辦理", "Cannot be done yet"),
    "one_by_one": ("單獨辦理", "Handle by itself"),
    "in_all": ("合計", "In all"),
    "result": ("辦理結果：{what}", "Outcome: {what}"),
    "counted": ("{n} 件已辦理，{m} 件未獲辦理，{k} 件結果未知", "{n} done, {m} not carried out, {k} not known yet"),
    "row_done": ("已辦理", "Done"),
    "row_unknown": ("暫未收到結果", "Not known yet"),
    "unknown_several": (
        "結果未知的，可憑原編號再次查詢，不會重複辦理。",
        "What is not known can be asked again under the same numbers: nothing is done twice.",
    ),
    "none_possible": ("所選事項目前都不能辦理。", "None of these can be done now."),
    "same_for_all": ("以下內容適用於所選的每一件。", "What you enter here holds for each of them."),
}


@dataclass(frozen=True)
class ChosenTask:
    """One task, with the id under which it is carried out."""

    stream: StreamId
    part: str
    command_id: UUID

    def __str__(self) -> str:
        """The choice as a form's hidden field carries it."""
        return f"{self.command_id} {self.stream} {self.part}".rstrip()


@dataclass(frozen=True)
class TaskRow:
    """One task on the page."""

    choice: ChosenTask
    filling: Filling
    unmet: tuple[Unmet, ...] = ()
    events: tuple[tuple[tuple[str, str], str], ...] = ()
    """What it would come to, in words."""
    payment: TranchePayment | None = None
    """The tranche that it is about, if the reader may see the file."""
    fen: int | None = None
    """Its amount, where it has exactly one."""
    is_done: bool = False
    last: Occurrence | None = None
    """Of one that was refused, what happened last."""

    @property
    def number(self) -> str:
        """What the office calls it."""
        number = number_of(self.filling.state) if self.filling.is_seen else self.choice.stream.name
        return f"{number}/{self.choice.part}" if self.choice.part else number

    @property
    def title(self) -> str:
        """What the file is called, if the reader may see it."""
        return title_of(self.filling.state) if self.filling.is_seen else ""

    @property
    def file(self) -> str:
        """The task's file, if the reader may see it."""
        return file_path(self.choice.stream) if self.filling.is_seen else ""


@router.get("/together", response_class=Response)
@allow(Policy.COMMAND)
async def show_together(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    on: Annotated[list[Annotated[str, Query(max_length=400)]], Query(max_length=MOST)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """One form for all that was selected, if it is of one kind."""
    kinds: dict[str, list[str]] = {}
    for text in dict.fromkeys(on):
        kinds.setdefault(text.partition(" ")[0], []).append(text)
    if len(kinds) != 1:
        listed = [
            (name_command(find_offered(name).command_type), len(some), _together_path(some))
            for name, some in kinds.items()
        ]
        return render(
            request, "console/together/kinds.html", TEXTS, status=HTTPStatus.UNPROCESSABLE_ENTITY, kinds=listed
        )
    ((name, some),) = kinds.items()
    choices = [_read_choice(f"{uuid4()} {text.partition(' ')[2]}") for text in some]
    if len(choices) == 1:
        (only,) = choices
        query = f"?{urlencode({'part': only.part})}" if only.part else ""
        return RedirectResponse(f"/do/{name}/{only.stream}{query}", HTTPStatus.SEE_OTHER)
    command = _find_command(name)
    rows = [await _begin(request, house, caller, command, one) for one in choices]
    if any(is_proof_needed(row.filling) for row in rows):
        target = f"{request.url.path}?{request.url.query}"
        return RedirectResponse(f"/sign-in?{urlencode({'next': target})}", HTTPStatus.SEE_OTHER)
    return _show_form(request, command, rows, {})


@router.get("/together/{command}", response_class=Response)
@allow(Policy.COMMAND)
async def resume_together(
    request: Request,
    command: str,
    house: ByHouse,
    caller: ByCaller,
    draft: Annotated[str, Query(max_length=36)] = "",
) -> Response:
    """The form with what was held for the reader."""
    command_type, draft_id = _find_command(command), read_draft_id(draft)
    kept = None
    if draft_id is not None and caller.person is not None:
        kept = await house.identity.draft(draft_id, caller.person, house.now())
    held = read_form_of(kept) if kept is not None and kept.command == command else {}
    if ROWS not in held:
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)
    choices = [await _renew(house, _read_choice(text)) for text in held[ROWS]]
    rows = [await _begin(request, house, caller, command_type, one) for one in choices]
    if any(is_proof_needed(row.filling) for row in rows):
        target = f"{request.url.path}?{request.url.query}"
        return RedirectResponse(f"/sign-in?{urlencode({'next': target})}", HTTPStatus.SEE_OTHER)
    return _show_form(request, command_type, rows, held[FORM], left=held.get(LEFT, ()))


@router.post("/together/{command}", response_class=Response)
@allow(Policy.COMMAND)
async def take_together(request: Request, command: str, house: ByHouse, caller: ByCaller) -> Response:
    """A step: check what was typed for each of them, mend it, or have those carried out that are ticked."""
    form = await read_form(request)
    try:
        return await _take(request, house, caller, _find_command(command), form)
    finally:
        await form.close()


async def _take(request: Request, house: House, caller: Caller, command: type[Command], form: FormData) -> Response:
    rows = [await _begin(request, house, caller, command, choice) for choice in _read_choices(form)]
    tree, refused = await read_tree(command, form, lambda upload: keep_document(house, caller, upload))
    step = str(form.get("step", "check"))
    if refused or step == "edit":
        return _show_form(request, command, rows, tree, refused)
    rows = [await _fill(row, tree) for row in rows]
    if any(is_proof_needed(row.filling) for row in rows):
        choices = [row.choice for row in rows]
        if caller.person is None:
            on = [write_choice(command.command_type, one.stream, one.part) for one in choices]
            return RedirectResponse(f"/sign-in?{urlencode({'next': _together_path(on)})}", HTTPStatus.SEE_OTHER)
        return await _hold(house, caller.person, command, rows[0].filling.seat, choices, tree)
    try:
        for row in rows:
            read_filled(row.filling)
    except InputInvalid as invalid:
        return _show_form(request, command, rows, tree, invalid.faults)
    if step == "confirm":
        taken = {text for text in form.getlist("take") if isinstance(text, str)}
        results = [await _carry_out(row) for row in rows if str(row.choice.command_id) in taken]
        if results:
            await _drop(house, caller, rows)
            return await _show_results(request, house, caller, results, tree)
    return await _check(request, command, rows, tree)


async def _hold(
    house: House,
    person: PersonId,
    command: type[Command],
    seat: Actor,
    choices: Sequence[ChosenTask],
    tree: Tree,
    left: Sequence[str] = (),
) -> Response:
    """Keep what was typed and what was selected under the id of the first. Raises DraftTooLarge."""
    (first, *_) = choices
    kept = {FORM: tree, LEFT: list(left), ROWS: [str(one) for one in choices]}
    await keep_draft(
        house.identity,
        first.command_id,
        person,
        command.command_type,
        first.stream,
        seat,
        kept,
        house.now(),
        is_held=True,
    )
    return lead_back(together_path(command.command_type), first.command_id)


async def _drop(house: House, caller: Caller, rows: Sequence[TaskRow]) -> None:
    """Forget what was held of a form that has been sent."""
    if caller.person is not None:
        for row in rows:
            await house.identity.drop_draft(row.choice.command_id, caller.person)


async def _renew(house: House, choice: ChosenTask) -> ChosenTask:
    """Under another id if that command was given since."""
    is_given = await house.store.journalled(choice.command_id) is not None
    return replace(choice, command_id=uuid4()) if is_given else choice


def _together_path(on: Sequence[str]) -> str:
    """The page for those tasks."""
    return f"/together?{urlencode({'on': list(on)}, doseq=True)}"


def _find_command(name: str) -> type[Command]:
    """The command, if several of it may be given on one page. Raises NameUnknown."""
    command = find_offered(name)
    if not may_be_together(command):
        raise NameUnknown(name)
    return command


def _read_choices(form: FormData) -> list[ChosenTask]:
    """Those that the form carries. Raises Refusal."""
    texts = [text for text in form.getlist("row") if isinstance(text, str)]
    if not 0 < len(texts) <= MOST:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "事項件數有誤", "the number of tasks is wrong")
    return [_read_choice(text[:400]) for text in texts]


def _read_choice(text: str) -> ChosenTask:
    """What the form carries. Raises Refusal for what is none of it."""
    command_id, _, rest = text.partition(" ")
    stream, _, part = rest.partition(" ")
    try:
        return ChosenTask(StreamId(stream), part, UUID(command_id))
    except ValueError:
        raise Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "所選事項有誤", "what was selected cannot be read"
        ) from None


async def _begin(request: Request, house: House, caller: Caller, command: type[Command], choice: ChosenTask) -> TaskRow:
    filling = await begin(request, house, caller, command.command_type, choice.stream)
    own = prefill(command, filling.state, choice.part)
    payment = await find_payment(house.store, filling.state, own.get("tranche")) if filling.is_seen else None
    return TaskRow(choice, replace(filling, command_id=choice.command_id, tree=own), payment=payment)


async def _fill(row: TaskRow, tree: Tree) -> TaskRow:
    """With what was typed for all of them, as its own round's rules write it; what it has of its own stays."""
    return replace(row, filling=await take_city_terms(replace(row.filling, tree={**tree, **row.filling.tree})))


async def _dry_run_row(row: TaskRow) -> TaskRow:
    """What it would come to now. Nothing is recorded."""
    of = row.filling
    command, at = read_filled(of)
    step = await dry_run(of, command, at)
    if step.unmet:
        return replace(row, unmet=list_unmet(CommandRejected(step.unmet)))
    amounts = list(list_amounts(command))
    say = of.language.say
    return replace(
        row,
        events=tuple((name_event(event.event_type), describe_event(event, say)) for event in step.events),
        fen=amounts[0].fen if len(amounts) == 1 else None,
    )


async def _carry_out(row: TaskRow) -> TaskRow:
    """What came of it; not done and nothing unmet is not known."""
    command, at = read_filled(row.filling)
    try:
        await send(row.filling, command, at)
    except (NotKnown, StoreUnavailable):
        return row
    except Failure as failure:
        unmet = list_unmet(failure) or (Unmet(rule=failure.kind.name, zh=failure.zh, en=failure.en),)
        # what was refused is recorded: another try is another command
        mended = replace(row.filling, command_id=uuid4())
        return replace(row, filling=mended, unmet=unmet, last=await find_last(row.filling))
    return replace(row, is_done=True)


# ------------------------------------------------------------------------------------------ pages


def _show_form(
    request: Request,
    command: type[Command],
    rows: Sequence[TaskRow],
    tree: Tree,
    faults: Sequence[InputFault] = (),
    *,
    left: Sequence[str] = (),
) -> Response:
    own = {name for row in rows for name in prefill(command, row.filling.state, row.choice.part)}
    fields = [one for one in show_fields(command, tree, faults) if one.place[0] not in own]
    return _render(
        request,
        "form",
        command,
        rows,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK,
        fields=fields,
        left=left,
        errors=link_faults(fields),
        has_files=any(has_files(one) for one in fields),
    )


async def _check(request: Request, command: type[Command], rows: Sequence[TaskRow], tree: Tree) -> Response:
    rows = [await _dry_run_row(row) for row in rows]
    possible = [row for row in rows if not row.unmet]
    amounts = [row.fen for row in possible if row.fen is not None]
    return _render(
        request,
        "check",
        command,
        rows,
        hidden=list_hidden(command, tree),
        answers=list_answers(command, tree, rows[0].filling.language),
        possible=len(possible),
        total=sum(amounts) if len(amounts) == len(possible) else None,
    )


async def _show_results(
    request: Request, house: House, caller: Caller, rows: Sequence[TaskRow], tree: Tree
) -> Response:
    command, position = rows[0].filling.command, await house.store.last_position()
    return _render(
        request,
        "result",
        command,
        rows,
        hidden=list_hidden(command, tree),
        position=position,
        next=await find_next(
            house, caller, rows[0].filling.seat, position, command.command_type, rows[0].filling.stream
        ),
    )


def _render(
    request: Request,
    template: str,
    command: type[Command],
    rows: Sequence[TaskRow],
    *,
    status: HTTPStatus = HTTPStatus.OK,
    **values: Any,  # noqa: ANN401 - what that template shows
) -> Response:
    return render(
        request,
        f"console/together/{template}.html",
        TEXTS,
        status=status,
        words=name_command(command.command_type),
        button=name_button(command.command_type),
        action=f"/together/{command.command_type}",
        rows=rows,
        seat=rows[0].filling.seat,
        happened=name_event,
        **values,
    )
