"""``/audit``: verify, recompute and replay with progress; who did, tried and read what; what was done to the house."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from application.attempts import AttemptFilter, list_attempts
from application.maintenance import list_maintenance
from application.money import list_realms
from application.own_commands import list_own
from application.pages import PageRequest
from application.queries import resolve_name
from application.realms import require_realm
from audit.invariants import INVARIANTS, Report, check
from audit.replay import Replay, replay
from audit.verification import Root, Verification, verify
from domain.catalogue import is_command, stage_words
from domain.kernel.acting import PersonId
from domain.kernel.explanation import InputFault, InputInvalid
from domain.kernel.identifier import Actor, Role
from papers.lists import ATTEMPTS, COMMANDS, READS, collect_reads
from store.port import CommandQuery
from web.components.words import name_command, name_event
from web.console.audit.run import AuditRun, RunKind
from web.console.audit.texts import TEXTS
from web.console.paths import file_path
from web.console.reader import require_role
from web.console.rendering import render
from web.console.route import PageRoute, read_form
from web.guard import ByCaller, ByHouse, Policy, allow, language_of
from web.v1.sheets import BySheet, answer_pages, answer_sheet

if TYPE_CHECKING:
    from starlette.datastructures import FormData

    from application.caller import Caller
    from application.own_commands import OwnCommand
    from web.house import House

router = APIRouter(route_class=PageRoute)

AUDITORS: Final = frozenset({Role.AUDIT, Role.DISC})
"""Whose business it is to look at everything: audit, and discipline inspection."""
PAGE: Final = 50
MOST_ROOTS: Final = 100
MOST_SHOWN: Final = 200
"""Findings that one page shows."""


@router.get("/audit", response_class=Response)
@allow(Policy.READ)
async def show_audit(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """What may be run, and what was."""
    require_role(caller, AUDITORS)
    return await _show(request, house)


@router.post("/audit/runs", response_class=Response)
@allow(Policy.READ)
async def begin_run(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """Begin one; its page tells how far it is."""
    require_role(caller, AUDITORS)
    form = await read_form(request)
    try:
        run = await _begin(house, caller, form)
    except InputInvalid as invalid:
        return await _show(request, house, invalid)
    return RedirectResponse(f"/audit/runs/{run.id}", HTTPStatus.SEE_OTHER)


async def _begin(house: House, caller: Caller, form: FormData) -> AuditRun:
    """Raises InputInvalid for roots that are none, NameUnknown for a file that is not there, RunsBusy."""
    text = {name: str(form.get(name, "")).strip()[:8_000] for name in ("kind", "roots", "realm", "subject")}
    store, who = house.store, caller.person or caller.service
    match text["kind"]:
        case RunKind.VERIFY.value:
            roots = _read_roots(text["roots"])

            async def verify_all(run: AuditRun) -> Verification:
                return await verify(store, progress=run, roots=roots, documents=house.documents)

            return house.runs.begin(AuditRun(RunKind.VERIFY, who), verify_all)
        case RunKind.INVARIANTS.value:
            realm = text["realm"] or None
            await require_realm(store, realm)

            async def recompute(run: AuditRun) -> Report:
                run.begin(await store.last_position())
                return await check(store, realm, onlooker=run.advance)

            return house.runs.begin(AuditRun(RunKind.INVARIANTS, who, realm or ""), recompute)
        case RunKind.REPLAY.value:
            stream = await resolve_name(store, text["subject"][:200], text["realm"][:64] or None)
            again = partial(replay, store, None, stream)
            return house.runs.begin(AuditRun(RunKind.REPLAY, who, stream), lambda _: again())
        case _:
            raise InputInvalid([InputFault(("kind",), "請選擇一項", "choose one")])


def _read_roots(text: str) -> list[Root]:
    lines = [line for line in text.splitlines() if line.strip()][:MOST_ROOTS]
    try:
        return [Root.read(line) for line in lines]
    except ValueError:
        raise InputInvalid([InputFault(("roots",), *TEXTS["roots_wrong"])]) from None


async def _show(request: Request, house: House, invalid: InputInvalid | None = None) -> Response:
    return render(
        request,
        "console/audit/audit.html",
        TEXTS,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if invalid else HTTPStatus.OK,
        faults=invalid.faults if invalid else (),
        runs=house.runs.list(),
        realms=await list_realms(house.store),
        kinds=RunKind,
    )


@router.get("/audit/runs/{run_id}", response_class=Response)
@allow(Policy.READ)
async def show_run(request: Request, run_id: UUID, house: ByHouse, caller: ByCaller) -> Response:
    """How far it has come, and what came of it."""
    require_role(caller, AUDITORS)
    run = house.runs.find(run_id)
    values: dict[str, Any] = {"run": run, "most": MOST_SHOWN, "file_of": file_path}
    if run.ended_at is None:
        return render(request, "console/audit/running.html", TEXTS, headers={"Refresh": "2"}, **values)
    match run.result:
        case Verification():
            return render(request, "console/audit/verification.html", TEXTS, **values)
        case Report():
            return render(request, "console/audit/invariants.html", TEXTS, invariants=INVARIANTS, **values)
        case Replay(stream=stream, refold=refold):
            stage = stage_words(stream.kind, refold.stage)
            return render(request, "console/audit/replay.html", TEXTS, stage=stage, words=_name_any, **values)
        case _:
            return render(request, "console/audit/running.html", TEXTS, **values)


def _name_any(command: str) -> tuple[str, str]:
    """What the office calls a command; one of another release by its name."""
    return name_command(command) if is_command(command) else (command, command)


@router.get("/audit/attempts", response_class=Response)
@allow(Policy.READ)
async def show_attempts(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    realm: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[str | None, Query(max_length=2_000)] = None,
    *,
    as_sheet: BySheet,
) -> Response:
    """What was asked and refused, the newest first."""
    require_role(caller, AUDITORS)
    filters = AttemptFilter(realm=realm or None, newest_first=True)
    if as_sheet:
        read = partial(list_attempts, house.store, filters)
        return await answer_pages(ATTEMPTS, read, PageRequest(), language_of(request), realm=realm)
    page = await list_attempts(house.store, filters, PageRequest(limit=PAGE, after=after))
    return render(
        request,
        "console/audit/attempts.html",
        TEXTS,
        rows=page.rows,
        next=page.next,
        is_first=after is None,
        freshness_of=page.freshness,
        params={"realm": realm} if realm else {},
        realm=realm,
        realms=await list_realms(house.store),
        words=_name_any,
        file_of=file_path,
    )


@router.get("/audit/commands", response_class=Response)
@allow(Policy.READ)
async def show_commands(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    seat: Annotated[str, Query(max_length=40)] = "",
    person: Annotated[str, Query(max_length=40)] = "",
    after: Annotated[str | None, Query(max_length=2_000)] = None,
    *,
    as_sheet: BySheet,
) -> Response:
    """What was done and tried on a seat, by whomever or by one person."""
    require_role(caller, AUDITORS)
    rows: tuple[OwnCommand, ...] = ()
    more, is_wrong = None, False
    if seat.strip():
        try:
            query = CommandQuery(
                Actor(seat.strip()), PersonId(person.strip()) if person.strip() else None, is_accepted=None
            )
        except ValueError:
            is_wrong = True
        else:
            if as_sheet:
                read = partial(list_own, house.store, query)
                return await answer_pages(COMMANDS, read, PageRequest(), language_of(request), seat=seat, person=person)
            page = await list_own(house.store, query, PageRequest(limit=PAGE, after=after))
            rows, more = page.rows, page.next
    return render(
        request,
        "console/audit/commands.html",
        TEXTS,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK,
        rows=rows,
        next=more,
        is_first=after is None,
        params={"seat": seat, "person": person},
        seat=seat,
        person=person,
        is_wrong=is_wrong,
        words=_name_any,
        happened=name_event,
        file_of=file_path,
    )


@router.get("/audit/reads", response_class=Response)
@allow(Policy.READ)
async def show_reads(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    *,
    as_sheet: BySheet,
) -> Response:
    """Who looked at which document, in order."""
    require_role(caller, AUDITORS)
    if as_sheet:
        found_all = await collect_reads(house.store.documents, await house.store.last_position())
        return await answer_sheet(READS, found_all, language_of(request))
    reads = await house.store.documents.reads(after, PAGE + 1)
    return render(
        request,
        "console/audit/reads.html",
        TEXTS,
        rows=reads[:PAGE],
        next=str(reads[PAGE - 1].id) if len(reads) > PAGE else None,
        is_first=after == 0,
        params={},
    )


@router.get("/audit/maintenance", response_class=Response)
@allow(Policy.READ)
async def show_maintenance(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """What was done to the installation: who, when, why, and what came of it."""
    require_role(caller, AUDITORS | {Role.ADMIN})
    rows = list(reversed(await list_maintenance(house.store)))
    return render(request, "console/audit/maintenance.html", TEXTS, rows=rows)
