"""``/do/{command}``: the form of a command, its check page, and ``/receipts/{id}``: what came of it.

A form carries the command's id, made when it was shown: pressing twice, going back and losing the line are all asking
again with the same id, which has one answer.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from activities.names import GROUP_DECISIONS
from application.access import access_of, find_access, may_see
from application.command_input import list_amounts
from application.command_outcome import find_outcome
from application.door import NotKnown
from application.drafts import DraftTooLarge
from application.drafts import read_form as read_form_of
from application.event_text import describe_event
from application.money import list_realms
from application.operations import NoSuchOperation
from application.queries import NameUnknown
from deciding.fold import fold, read_occurrence
from domain.catalogue import AGGREGATES, find_only_name, find_prefix, kind_of_subject, stage_words
from domain.kernel.explanation import InputFault, InputInvalid
from domain.kernel.field_shape import field_shapes
from domain.kernel.identifier import LIVE, Role, StreamId
from domain.kernel.proposal import ActProposed
from domain.kernel.refusal import CommandRejected
from domain.kernel.state import SAME
from domain.kernel.summary import title_in
from domain.registers.seat import SEAT
from domain.registers.seat import read_seat as read_seat_name
from domain.titles import number_of
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
    read_filled,
    send,
)
from web.console.command.form import FormField, show_fields
from web.console.command.held_form import (
    LEFT,
    HoldingRoute,
    draft_path,
    drop_draft,
    find_draft,
    save,
    send_to_prove,
    take_up,
)
from web.console.command.meeting import PREVIEW, fill_preview, find_meeting
from web.console.command.payment import find_payment
from web.console.command.prefill import begin_with, fill_in, list_known, offer
from web.console.command.seal import (
    ENVELOPE,
    NONCE,
    describe_bid,
    is_sealed,
    list_limits,
    list_sealed_fields,
    read_envelope,
)
from web.console.command.sheet import find_own_review, find_sheet, lay_out, set_out
from web.console.command.texts import TEXTS, name_button
from web.console.failure import list_unmet
from web.console.file.page import read_stream
from web.console.inbox.page import find_next
from web.console.paths import command_path, file_path, review_path
from web.console.reader import read_seat
from web.console.rendering import render
from web.console.route import read_form
from web.console.texts import speaker
from web.guard import ByCaller, ByHouse, Policy, allow, language_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi.responses import HTMLResponse
    from starlette.datastructures import FormData

    from application.access import Access
    from application.caller import Caller
    from application.command_outcome import CommandOutcome
    from domain.kernel.message import Command
    from store.identity import Draft
    from web.house import House

router = APIRouter(route_class=HoldingRoute)

MOST_ADDED: Final = 5
"""Blank rows that one press adds to a table."""


@router.get("/do/{command}", response_class=Response)
@allow(Policy.COMMAND)
async def ask_for_subject(
    request: Request,
    command: str,
    house: ByHouse,
    caller: ByCaller,
    kind: Annotated[str, Query(max_length=32)] = "",
    name: Annotated[str | None, Query(max_length=64)] = None,
    realm: Annotated[str, Query(max_length=64)] = LIVE,
) -> Response:
    """Ask which file it is about; for what begins one, what its number is to be."""
    command_type = find_offered(command)
    kinds = [aggregate for aggregate in AGGREGATES.values() if command_type in aggregate.commands]
    chosen = kind if kind in {one.kind for one in kinds} else kinds[0].kind
    only_name = find_only_name(chosen) if len(kinds) == 1 else ""
    if name is not None and chosen == SEAT.kind:
        name = name.strip().replace("#", ".")  # as people write a seat; a file's name has no such mark
    fault = _find_fault(chosen, realm.strip(), name.strip()) if name is not None else ""
    if name is not None and not fault:
        stream = StreamId.of(chosen, realm.strip(), name.strip())
        return RedirectResponse(command_path(command, stream), HTTPStatus.SEE_OTHER)
    is_fresh = name is None and command_type.is_always_first()
    return render(
        request,
        "console/command/subject.html",
        TEXTS,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        words=name_command(command),
        command=command,
        kinds=kinds,
        kind=chosen,
        kind_words=(AGGREGATES[chosen].zh, AGGREGATES[chosen].en),
        prefix=find_prefix(chosen),
        is_always_first=command_type.is_always_first(),
        only_name=only_name,
        known=[] if only_name else await _list_numbers(request, house, caller, command_type, chosen),
        is_seat=chosen == SEAT.kind,
        name=await _find_free_name(house, chosen, realm.strip()) if is_fresh else name or "",
        realm=realm,
        realms=dict.fromkeys((*await list_realms(house.store), realm)),
        fault=fault,
        is_local=house.is_local,
    )


async def _find_free_name(house: House, kind: str, realm: str) -> str:
    """A number that no file of that kind bears, one after a number that is taken; empty where names are no numbers."""
    prefix = find_prefix(kind)
    if not prefix:
        return ""
    taken, free = 0, 1
    while await house.store.standing(StreamId.of(kind, realm, f"{prefix}-{free}")) is not None:
        taken, free = free, 2 * free
    while free - taken > 1:
        half = (taken + free) // 2
        is_taken = await house.store.standing(StreamId.of(kind, realm, f"{prefix}-{half}")) is not None
        taken, free = (half, free) if is_taken else (taken, half)
    return f"{prefix}-{free}"


async def _list_numbers(
    request: Request, house: House, caller: Caller, command: type[Command], kind: str
) -> list[tuple[str, str]]:
    """The files that it may be about; for what establishes a seat, the next one of each role."""
    begins = command.is_always_first()
    if begins and kind != SEAT.kind:
        return []
    listed = await list_known(house, caller, kind, request.query_params.get("realm", LIVE).strip())
    if not begins:
        return listed
    last = Counter[Role]()
    for seat in filter(None, (read_seat_name(name) for name, _ in listed)):
        last[seat.role] = max(last[seat.role], seat.number)
    say = language_of(request).say
    return [(f"{role}#{last[role] + 1}", say(role.zh, role.en)) for role in Role if role is not Role.SYS]


def _find_fault(kind: str, realm: str, name: str) -> str:
    """The text that says why no file of that kind can bear the name; empty for one that can."""
    if not name:
        return "subject_unsaid"
    try:
        StreamId.of(kind, realm, name)
    except ValueError:
        return "subject_wrong"
    with suppress(KeyError):
        return "" if kind_of_subject(name) == kind else "subject_other"
    return ""


@router.get("/do/{command}/{kind}/{realm}/{name}", response_class=Response)
@allow(Policy.COMMAND)
async def show_form(
    request: Request,
    command: str,
    kind: str,
    realm: str,
    name: str,
    house: ByHouse,
    caller: ByCaller,
    part: Annotated[str, Query(max_length=64)] = "",
    draft: Annotated[str, Query(max_length=36)] = "",
) -> Response:
    """The form, under an id of its own; with what was typed into it before, if that was kept for the reader."""
    filling = await begin(request, house, caller, command, read_stream(kind, realm, name))
    review = find_own_review(filling)
    if review is not None and not review.is_cleared:
        return RedirectResponse(review_path(filling.stream), HTTPStatus.SEE_OTHER)
    if is_proof_needed(filling):
        return await send_to_prove(filling)
    kept = await find_draft(filling, draft)
    if kept is not None:
        filling = await take_up(filling, kept)
        left = read_form_of(kept).get(LEFT, ())
        return await _show_form(filling, kept=kept, left=left, missing=await _list_missing(filling))
    tree = await begin_with(filling, part)
    return await _show_form(replace(filling, tree=tree), instead=list_instead(filling) if filling.is_seen else ())


@router.post("/do/{command}/{kind}/{realm}/{name}", response_class=Response)
@allow(Policy.COMMAND)
async def take_form(
    request: Request, command: str, kind: str, realm: str, name: str, house: ByHouse, caller: ByCaller
) -> Response:
    """A step: check what was typed, add a row, mend it, or have it carried out."""
    form = await read_form(request)
    try:
        return await _take(request, house, caller, command, read_stream(kind, realm, name), form)
    finally:
        await form.close()


async def _take(
    request: Request, house: House, caller: Caller, command: str, stream: StreamId, form: FormData
) -> Response:
    filling = await begin(request, house, caller, command, stream, form)
    filling, refused = await fill_in(filling, form, lambda upload: keep_document(house, caller, upload))
    if refused:
        return await _show_form(filling, refused)
    step = str(form.get("step", "check"))
    if step.startswith("add."):
        return await _show_form(filling, more={step.removeprefix("add."): MOST_ADDED})
    if step == "edit":
        return await _show_form(filling)
    if step == ENVELOPE and is_sealed(filling):
        try:
            return await _show_form(replace(filling, tree=await read_envelope(form)))
        except InputInvalid as invalid:
            return await _show_form(filling, invalid.faults)
    if step == "save" and caller.person is not None:
        await save(filling, caller.person)
        return RedirectResponse(draft_path(filling.path, filling.command_id), HTTPStatus.SEE_OTHER)
    if is_proof_needed(filling):
        return await send_to_prove(filling)
    if step == "check":
        filling = await fill_preview(filling)
    try:
        order, at = read_filled(filling)
    except InputInvalid as invalid:
        return await _show_form(filling, invalid.faults)
    if step == "confirm":
        return await _carry_out(filling, order, at)
    return await _check(filling, order, at)


# ------------------------------------------------------------------------------------------ pages


async def _list_missing(filling: Filling) -> list[tuple[str, str]]:
    """What is still missing before it can be sent, in both languages. Nothing is recorded."""
    try:
        command, at = read_filled(filling)
    except InputInvalid as invalid:
        known = field_shapes(filling.command)
        return [
            (f"{field.zh}：{fault.zh}", f"{field.en}: {fault.en}") if field else (fault.zh, fault.en)
            for fault in invalid.faults
            for field in (known.get(str(fault.place[0])) if fault.place else None,)
        ]
    step = await dry_run(filling, command, at)
    return [(one.zh, one.en) for one in step.unmet]


async def _show_form(
    filling: Filling,
    faults: Sequence[InputFault] = (),
    *,
    more: dict[str, int] | None = None,
    kept: Draft | None = None,
    left: Sequence[str] = (),
    missing: Sequence[tuple[str, str]] = (),
    instead: Sequence[type[Command]] = (),
) -> HTMLResponse:
    sheet, limits = await find_sheet(filling), await list_limits(filling)
    tree = lay_out(filling, sheet)
    left_out = {PREVIEW} if is_sealed(filling) else {PREVIEW, NONCE}
    fields = [one for one in show_fields(filling.command, tree, faults, more) if one.place not in left_out]
    fields, choices = await offer(filling, set_out(fields, sheet))
    known = set(field_shapes(filling.command))
    loose = [fault for fault in faults if not fault.place or fault.place[0] not in known | {"at"}]
    return await _render(
        filling,
        "console/command/form.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK,
        fields=fields,
        choices=choices,
        errors=[*link_faults(fields), *((fault, "") for fault in loose)],
        at_faults=[fault for fault in faults if fault.place == ("at",)],
        has_files=any(has_files(one) for one in fields),
        sealed_fields=list_sealed_fields(filling),
        sealed_bid=describe_bid(limits, speaker(filling.language, TEXTS)),
        limits=limits,
        is_sealed=is_sealed(filling),
        meeting=await find_meeting(filling, None),
        sheet=sheet,
        kept=kept,
        left=left,
        missing=missing,
        instead=[(command_path(one.command_type, filling.stream), name_command(one.command_type)) for one in instead],
        may_save=filling.caller.person is not None,
    )


def list_instead(filling: Filling) -> list[type[Command]]:
    """What the same seat may decide at this stage instead: the other ways on, as failing a bid is to passing it."""
    command, stage = filling.command, filling.state.stage
    if not _may_lead_on(command, stage):
        return []
    return [
        one
        for one in AGGREGATES[filling.stream.kind].commands
        if one is not command
        and filling.seat.role in one.by
        and set(one.during) == set(command.during)
        and _may_lead_on(one, stage)
    ]


def _may_lead_on(command: type[Command], stage: str) -> bool:
    """Whether it may take a file from that stage to another."""
    return any(stage in move.start and move.to not in (stage, SAME) for move in command.records.moves)


def has_files(one: FormField) -> bool:
    """Whether a document may come with it."""
    return one.widget in ("document", "documents") or any(map(has_files, (*one.columns, *one.fields)))


def link_faults(fields: Sequence[FormField]) -> list[tuple[InputFault, FormField]]:
    """Each fault with the field that it is about, the innermost that has it."""
    pairs: list[tuple[InputFault, FormField]] = []
    for one in fields:
        inner = link_faults([*one.fields, *(cell for row in one.rows for cell in row)])
        pairs.extend(inner)
        faults = [fault for fault, _ in inner]
        pairs.extend((fault, one) for fault in one.faults if fault not in faults)
    return pairs


async def _check(filling: Filling, command: Command, at: datetime | None) -> HTMLResponse:
    """What it would come to now: the check page, or what is missing. Nothing is recorded."""
    step = await dry_run(filling, command, at)
    if step.unmet:
        return await _show_refusal(filling, CommandRejected(step.unmet), is_dry_run=True)
    say = filling.language.say
    return await _render(
        filling,
        "console/command/check.html",
        answers=list_answers(filling.command, filling.tree, filling.language),
        amounts=list(list_amounts(command)),
        consequences=[(name_event(event.event_type), describe_event(event, say)) for event in step.events],
        is_for_two=command.is_for_two(),
        meeting=await find_meeting(filling, command),
        sheet=await find_sheet(filling),
    )


async def _show_refusal(filling: Filling, refusal: CommandRejected, *, is_dry_run: bool) -> HTMLResponse:
    """Every condition that is not met, with what was typed kept, and what happened last if it may be seen."""
    fresh = filling if is_dry_run else replace(filling, command_id=uuid4())
    last = await find_last(filling)
    return await _render(
        fresh,
        "console/command/refused.html",
        status=HTTPStatus.OK if is_dry_run else HTTPStatus.CONFLICT,
        answers=list_answers(filling.command, filling.tree, filling.language),
        unmet=list_unmet(refusal),
        is_dry_run=is_dry_run,
        last=last,
        last_words=name_event(last.event.event_type) if last else ("", ""),
    )


async def _carry_out(filling: Filling, command: Command, at: datetime | None) -> Response:
    """Have it carried out, and go on to its receipt."""
    house, caller = filling.house, filling.caller
    receipt_path = f"/receipts/{filling.command_id}"
    if filling.command.command_type in GROUP_DECISIONS:
        seat = caller.choose_seat(filling.command, filling.seat, house.now())
        person, session = filling.asker.person, caller.session
        if caller.person is not None:  # till it is known what came of it
            with suppress(DraftTooLarge):
                await save(filling, caller.person, is_held=True)
        await house.operations.begin(
            caller.name, filling.stream, command, seat, filling.command_id, at=at, person=person, session=session
        )
        return RedirectResponse(receipt_path, HTTPStatus.SEE_OTHER)
    try:
        await send(filling, command, at)
    except CommandRejected as refusal:
        return await _show_refusal(filling, refusal, is_dry_run=False)
    except NotKnown:
        return await _render(
            filling,
            "console/command/unknown.html",
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            answers=list_answers(filling.command, filling.tree, filling.language),
        )
    await drop_draft(filling)
    return RedirectResponse(receipt_path, HTTPStatus.SEE_OTHER)


async def _render(
    filling: Filling,
    template: str,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    **values: Any,  # noqa: ANN401 - what that template shows
) -> HTMLResponse:
    state = filling.state
    summary = dict(AGGREGATES[filling.stream.kind].summary(state)) if filling.is_seen else {}
    tranche = filling.tree.get("tranche") if filling.is_seen else None
    return render(
        filling.request,
        template,
        TEXTS,
        status=status,
        words=name_command(filling.command.command_type),
        button=name_button(filling.command.command_type),
        action=filling.path,
        hidden=filling.hidden,
        own=filling.hidden[: 2 if filling.draft_id is None else 3],
        seat=filling.seat,
        stream=filling.stream,
        file=file_path(filling.stream) if filling.is_seen else "",
        number=number_of(state) if filling.is_seen else filling.stream.name,
        title=title_in(summary),
        stage=stage_words(filling.stream.kind, state.stage) if filling.is_seen else None,
        award=summary.get("award") or summary.get("requested") or 0,
        payment=await find_payment(filling.house.store, state, tranche),
        is_manual=filling.asker.at is not None,
        file_of=lambda kind, name: file_path(filling.stream.sibling(kind, name)),
        at_text=filling.at_text,
        **values,
    )


# ------------------------------------------------------------------------------------------ what came of it


@router.get("/receipts/{command_id}", response_class=Response)
@allow(Policy.READ)
async def show_receipt(request: Request, command_id: UUID, house: ByHouse, caller: ByCaller) -> Response:
    """What came of a command, whenever it is asked for; and what waits next."""
    outcome = await find_outcome(house.store, command_id)
    if outcome is None:
        return await _show_pending(request, command_id, house, caller)
    entries = [entry async for entry in house.store.read(outcome.stream)]
    state = fold(outcome.stream, entries)
    access: Access | None = access_of(outcome.actor)
    if outcome.actor not in caller.seats:
        access = await find_access(house.store, caller.grants, state)
    if access is None or not access.is_whole:
        raise NameUnknown(str(command_id))
    language, seat = language_of(request), read_seat(request, caller)
    events = [
        access.reveal(read_occurrence(entry))
        for entry in entries[max(0, outcome.version - len(outcome.events)) :]
        if entry.command_id == command_id
    ]
    then = fold(outcome.stream, entries[: outcome.version])
    tranche = next((getattr(one.event, "tranche", None) for one in events), None)
    return render(
        request,
        "console/command/receipt.html",
        TEXTS,
        outcome=outcome,
        words=name_command(outcome.command),
        came_to=name_end(outcome),
        events=[(name_event(one.event.event_type), describe_event(one.event, language.say)) for one in events],
        file=file_path(outcome.stream) if await may_see(house.store, caller.grants, state) else "",
        number=number_of(state),
        payment=await find_payment(house.store, then, tranche),
        next=await find_next(house, caller, seat, outcome.position, outcome.command, outcome.stream),
        stage=stage_words(outcome.stream.kind, state.stage),
        again=await _find_typed(house, caller, outcome),
    )


def name_end(outcome: CommandOutcome) -> str:
    """The name of the text that heads the receipt: of what takes two persons, only the second has it done."""
    if outcome.unmet:
        return "not_done"
    return "proposed" if ActProposed.event_type in outcome.events else "done"


async def _find_typed(house: House, caller: Caller, outcome: CommandOutcome) -> str:
    """The form with what was typed for it, if it was refused and that was kept; what was carried out is forgotten."""
    if caller.person is None:
        return ""
    if not outcome.unmet:
        await house.identity.drop_draft(outcome.command_id, caller.person)
        return ""
    kept = await house.identity.draft(outcome.command_id, caller.person, house.now())
    return draft_path(command_path(outcome.command, outcome.stream), outcome.command_id) if kept is not None else ""


async def _show_pending(request: Request, command_id: UUID, house: House, caller: Caller) -> Response:
    """One that was asked without waiting and has no outcome yet. Raises NameUnknown if nobody asked it."""
    try:
        progress = await house.operations.look(caller.name, command_id)
    except NoSuchOperation:
        raise NameUnknown(str(command_id)) from None
    if progress.failure is not None:
        raise progress.failure
    return render(
        request,
        "console/command/pending.html",
        TEXTS,
        status=HTTPStatus.ACCEPTED,
        headers={"Refresh": "3"},
        id=command_id,
    )
