"""``/bulk``: a spreadsheet of commands, from the empty one that is filled in to what came of each row.

Between the steps the file travels with the form: what is carried out is what was looked at, and nothing is kept. A row
is known by what it says, so that the same file handed in twice does nothing twice.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import UploadFile

from activities.names import GROUP_DECISIONS
from application.access import may_see
from application.bulk import BulkResult, RowOutcome, preview_rows, run_rows
from application.bulk_file import BulkOrder, parse_rows
from application.bulk_sheet import SUFFIXES
from application.command_input import CommandUnknown, list_amounts, resolve_command
from application.document_content import DocumentRefused
from application.money import list_realms
from application.possible_commands import list_possible_commands
from application.queries import NameUnknown
from deciding.fold import load_state
from domain.catalogue import AGGREGATES
from domain.kernel.attachment import Attachment
from domain.kernel.failure import Failure
from domain.kernel.identifier import LIVE, Role
from domain.kernel.refusal import Unmet
from domain.kernel.state import NONE
from papers.command_template import write_template
from papers.workbook import MEDIA_TYPE
from schemes.document import DocumentFault, DocumentInvalid
from web.asker import find_asker
from web.components.words import name_command
from web.console.command.filling import find_offered, keep_document, name_file
from web.console.command.texts import TEXTS as COMMAND_TEXTS
from web.console.paths import file_path
from web.console.rendering import render
from web.console.route import PageRoute, read_form
from web.guard import ByCaller, ByHouse, ByLanguage, Policy, allow
from web.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fastapi.responses import HTMLResponse
    from starlette.datastructures import FormData

    from application.caller import Caller
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command
    from web.console.texts import Texts
    from web.house import House

router = APIRouter(route_class=PageRoute)

MOST_BYTES: Final = 2**20
"""Of one file."""
MOST_ROWS: Final = 500
"""Of one file, as many as an empty one has ready: they are carried out while somebody waits."""
_AS_TEXT: Final = 2 * MOST_BYTES
"""Bytes of a file that travels as text."""
TEXTS: Final[Texts] = {
    **COMMAND_TEXTS,
    "bulk_title": ("表格批量辦理", "From a spreadsheet"),
    "bulk_lead": (
        "下載空白表格，填好後交來：先逐行試算，有誤的指明單元格；看過之後才辦理，同一行不會重辦。",
        "Fill in an empty spreadsheet and hand it in. Each row is tried first; after a look it is carried out, once.",
    ),
    "template": ("空白表格", "Empty spreadsheet"),
    "template_of": ("事項", "Act"),
    "template_get": ("下載", "Download"),
    "table": ("填好的表格", "Spreadsheet"),
    "table_hint": (
        "Excel（.xlsx、.xls）或 WPS（.et），至多 {rows} 行、1 MB。",
        "Excel (.xlsx, .xls) or WPS (.et), at most {rows} rows and 1 MB.",
    ),
    "papers": ("表中寫到的文件", "Documents that it names"),
    "papers_hint": (
        "表中寫作 @文件名，如 @發票1.pdf；可選多份。",
        "Written in its cells as @name, such as @invoice1.pdf. Choose as many as there are.",
    ),
    "try": ("試算", "Try it"),
    "faulty": ("表格有誤，尚未辦理：", "Nothing was done: the spreadsheet has faults."),
    "cell": ("單元格", "Cell"),
    "fault": ("問題與改法", "What is wrong, and what would do"),
    "row": ("行", "Row"),
    "money": ("金額", "Amount"),
    "outcome": ("結果", "Outcome"),
    "tried": ("試算結果：{file}", "Tried: {file}"),
    "came": ("辦理結果：{file}", "Outcome: {file}"),
    "carry": ("辦理 {n} 行", "Carry out {n} rows"),
    "left_out": ("不可辦的 {n} 行不會辦理；改好表格可再交。", "{n} rows are left out. Mend them and hand it in again."),
    "another": ("另選表格", "Choose another"),
    "unknown_rows": (
        "結果未知的行，憑同一表格再次辦理即可，不會重辦。",
        "Rows whose outcome is not known: carry the same file out again. Nothing is done twice.",
    ),
    "alone": ("此事項請單獨辦理", "this act is given by itself"),
}


@dataclass(frozen=True)
class UploadedTable:
    """A spreadsheet that was handed in, and the documents that it names."""

    name: str
    content: bytes
    realm: str
    papers: dict[str, Attachment] = field(default_factory=dict)

    def attach(self, path: str) -> Attachment:
        """The document of that name. Raises OSError."""
        if path not in self.papers:
            raise FileNotFoundError(None, f"未附文件 {path} / {path} was not handed in")
        return self.papers[path]

    @property
    def hidden(self) -> Iterator[tuple[str, str]]:
        """The hidden fields that send the table again with the next step."""
        yield from (("name", self.name), ("content", b64encode(self.content).decode()), ("realm", self.realm))
        yield from (("paper", f"{one.sha256} {one.media_type} {one.name}") for one in self.papers.values())


@router.get("/bulk", response_class=Response)
@allow(Policy.COMMAND)
async def show_bulk(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """Where an empty spreadsheet is had, and a full one handed in."""
    return await _show_form(request, house, caller)


@router.get("/bulk/template", response_class=Response)
@allow(Policy.COMMAND)
async def give_template(
    caller: ByCaller, language: ByLanguage, command: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """An empty spreadsheet for that command."""
    command_type = find_offered(command)
    if command_type not in {one for _, one in _list_offered(caller)}:
        raise NameUnknown(command)
    kind = next(kind for kind, one in _list_offered(caller) if one is command_type)
    content = await asyncio.to_thread(write_template, command_type, kind, language.say)
    headers = {"Content-Disposition": f"attachment; filename={command_type.command_type}.xlsx"}
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


@router.post("/bulk", response_class=Response)
@allow(Policy.COMMAND)
async def take_bulk(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """Try a spreadsheet, or carry out what was tried."""
    form = await read_form(request, _AS_TEXT)
    try:
        table = await _read_table(house, caller, form)
        orders = await _read_orders(house, caller, table)
    except DocumentInvalid as invalid:
        return await _show_form(request, house, caller, invalid.faults, str(form.get("realm", LIVE)))
    finally:
        await form.close()
    results = await _dry_run_rows(house, caller, orders)
    if form.get("step") != "confirm":
        return _show_results(request, table, results, is_dry_run=True)
    possible = [one.order for one in results if one.outcome is RowOutcome.GRANTABLE]
    run = run_rows(possible, house.door, house.store, person=caller.person, session=caller.session)
    done = {one.order.number: one async for one in run}
    return _show_results(request, table, [done.get(one.order.number, one) for one in results], is_dry_run=False)


# ------------------------------------------------------------------------------------------ what was handed in


async def _read_table(house: House, caller: Caller, form: FormData) -> UploadedTable:
    """The file as it was chosen, or as it was looked at. Raises DocumentInvalid, or what keeps a document out."""
    realm, sent = str(form.get("realm", LIVE))[:64], form.get("table")
    papers = [one for one in form.getlist("papers") if isinstance(one, UploadFile) and one.filename]
    kept = [await _keep_paper(house, caller, one) for one in papers]
    if not isinstance(sent, UploadFile):
        try:
            name, content = str(form.get("name", ""))[:200], b64decode(str(form.get("content", "")), validate=True)
            kept += [_read_paper(str(text)) for text in form.getlist("paper")]
        except ValueError:  # nothing that a page of ours sends
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "表格無法讀取", "it cannot be read") from None
    else:
        name, content = name_file(sent)[:200], await sent.read(MOST_BYTES + 1)
    if not name.lower().endswith(SUFFIXES):
        raise DocumentInvalid.of(name, "請選擇 .xlsx、.xls 或 .et 表格", "choose an .xlsx, .xls or .et spreadsheet")
    if len(content) > MOST_BYTES:
        raise DocumentInvalid.of(name, "表格大於 1 MB，請分成幾份", "it is larger than 1 MB: hand it in by parts")
    return UploadedTable(name, content, realm, {one.name: one for one in kept})


async def _keep_paper(house: House, caller: Caller, upload: UploadFile) -> Attachment:
    """A document that the rows name. Raises DocumentInvalid for one that is not filed."""
    try:
        return Attachment.model_validate(await keep_document(house, caller, upload))
    except DocumentRefused as refused:
        raise DocumentInvalid.of(name_file(upload), refused.zh, refused.en) from refused


def _read_paper(text: str) -> Attachment:
    digest, media_type, name = (*text.split(" ", 2), "", "")[:3]
    return Attachment(sha256=digest, media_type=media_type, name=name)


async def _read_orders(house: House, caller: Caller, table: UploadedTable) -> tuple[BulkOrder, ...]:
    """Its rows as commands, of files that the caller may see. Raises DocumentInvalid."""

    async def may_give(stream: StreamId, row: Mapping[str, Any]) -> bool:
        return await _may_ask(house, caller, stream, str(row.get("command", "")), str(row.get("actor", "")))

    orders = await parse_rows(
        table.name, table.content, house.store, table.realm or None, attach=table.attach, may_give=may_give
    )
    if len(orders) > MOST_ROWS:
        raise DocumentInvalid.of(
            table.name, f"多於 {MOST_ROWS} 行，請分成幾份", f"more than {MOST_ROWS} rows: hand it in by parts"
        )
    return orders


async def _may_ask(house: House, caller: Caller, stream: StreamId, name: str, seat: str) -> bool:
    """Whether the caller may know of that file, as a form of that command would show it."""
    try:
        command = resolve_command(name, stream.kind)
    except CommandUnknown:
        return True  # told where the command is read
    state = await load_state(house.store, stream)
    if state.version == 0:
        return NONE in command.during
    if await may_see(house.store, caller.grants, state):
        return True
    own = next((one for one in caller.seats if one == seat), None)
    if own is None:
        return False
    asker, scope = await find_asker(house, caller, stream.realm), caller.scope_of(own)
    commands = await list_possible_commands(house.store, state, own, asker.person, asker.at, scope=scope, only=command)
    return any(one.is_open for one in commands)


async def _dry_run_rows(house: House, caller: Caller, orders: Sequence[BulkOrder]) -> list[BulkResult]:
    """What would become of each row, in their order; of one that is not the caller's to give, why."""
    refused = {one.order.number: one for order in orders if (one := _find_refusal(house, caller, order)) is not None}
    own = [order for order in orders if order.number not in refused]
    results = {
        one.order.number: one
        async for one in preview_rows(own, house.store, house.prepare_dry_run(), person=caller.person)
    }
    return [refused.get(order.number) or results[order.number] for order in orders]


def _find_refusal(house: House, caller: Caller, order: BulkOrder) -> BulkResult | None:
    command = type(order.command)
    if command.command_type in GROUP_DECISIONS:
        return BulkResult(order, RowOutcome.FAILED, order.command_id(), why=TEXTS["alone"])
    try:
        caller.choose_seat(command, order.actor, house.now())
    except Failure as failure:
        unmet = (Unmet(rule=getattr(failure, "rule", "ID03"), zh=failure.zh, en=failure.en),)
        return BulkResult(order, RowOutcome.REFUSED, order.command_id(), unmet=unmet)
    return None


def _list_offered(caller: Caller) -> list[tuple[str, type[Command]]]:
    """What the caller's seats may give by rows, each with the kind of file that it is about."""
    roles = {seat.role for seat in caller.seats} - {Role.SYS}
    known = [
        (aggregate.kind, command)
        for aggregate in AGGREGATES.values()
        for command in aggregate.commands
        if not roles.isdisjoint(command.by) and command.command_type not in GROUP_DECISIONS
    ]
    several = Counter(command for _, command in known)
    return [(kind, command) for kind, command in known if several[command] == 1]


def _group_offered(caller: Caller) -> list[tuple[tuple[str, str], list[tuple[str, tuple[str, str]]]]]:
    """The commands that the caller may give in bulk, by kind of file, with their words."""
    return [
        ((AGGREGATES[kind].zh, AGGREGATES[kind].en), [(one, name_command(one)) for _, one in some])
        for kind, some in groupby(((kind, one.command_type) for kind, one in _list_offered(caller)), key=itemgetter(0))
    ]


# ------------------------------------------------------------------------------------------ pages


async def _show_form(
    request: Request, house: House, caller: Caller, faults: Sequence[DocumentFault] = (), realm: str = LIVE
) -> HTMLResponse:
    return render(
        request,
        "console/bulk/form.html",
        TEXTS,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK,
        kinds=_group_offered(caller),
        faults=faults,
        realm=realm,
        realms=dict.fromkeys((*await list_realms(house.store), realm)),
        rows=MOST_ROWS,
    )


def _show_results(
    request: Request, table: UploadedTable, results: Sequence[BulkResult], *, is_dry_run: bool
) -> HTMLResponse:
    sums = Counter[tuple[str, str]]()
    for one in results:
        if one.ok:
            for amount in list_amounts(one.order.command):
                sums[amount.zh, amount.en] += amount.fen
    return render(
        request,
        "console/bulk/results.html",
        TEXTS,
        table=table,
        results=results,
        is_dry_run=is_dry_run,
        possible=sum(one.outcome is RowOutcome.GRANTABLE for one in results),
        left=sum(not one.ok for one in results),
        unknown=sum(one.outcome is RowOutcome.NOT_KNOWN for one in results),
        counted=Counter(one.outcome for one in results).items(),
        sums=sums.items(),
        words=name_command,
        amounts=list_amounts,
        file_of=file_path,
        done=(RowOutcome.CARRIED_OUT, RowOutcome.REPEATED),
    )
