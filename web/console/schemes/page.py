"""``/schemes``: the rules that are published; a city's file looked at, compared in words, and handed on."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from application.access import may_see_all
from application.listing import StreamFilter, list_streams
from application.money import list_realms
from application.pages import PageRequest
from application.queries import NameUnknown
from application.realms import require_realm
from deciding.fold import load_state
from domain.kernel.explanation import InputInvalid
from domain.kernel.identifier import LIVE, Role, StreamId
from domain.kernel.scheme import Scheme
from domain.registers.scheme import PublishPolicyPack, Register, scheme_stream
from schemes.differences import compare_schemes
from schemes.document import DocumentFault, DocumentInvalid, read_text
from web.console.paths import command_path, file_path
from web.console.rendering import render
from web.console.route import PageRoute, read_form
from web.guard import ByCaller, ByHouse, Policy, allow

if TYPE_CHECKING:
    from starlette.datastructures import FormData

    from application.caller import Caller
    from web.console.texts import Texts
    from web.house import House

router = APIRouter(route_class=PageRoute)

LARGEST: Final = 200_000
"""Bytes of a city's file: what a command may have, with room for the rest of the form."""
MOST: Final = 500
TEXTS: Final[Texts] = {
    "title": ("管理辦法", "Rules"),
    "published": ("已發布的辦法", "Rules published"),
    "name": ("名稱", "Name"),
    "city": ("城市", "City"),
    "version": ("版本", "Version"),
    "effective": ("施行日", "In force from"),
    "heading": ("標題", "Title"),
    "none": ("尚未發布辦法", "No rules are published"),
    "upload": ("核對一個辦法文件", "Look at a city's file"),
    "upload_lead": (
        "選擇一個城市的管理辦法文件：下一頁逐行指出有誤之處；無誤的，與已發布的最新版本逐項比較，由該頁發布。",
        "Choose a city's file. The next page tells its faults by line, or what it changes; publish from there.",
    ),
    "file": (
        "管理辦法文件（YAML，.yaml 或 .yml，至多 200 kB）",
        "File of rules (YAML: .yaml or .yml, at most 200 kB)",
    ),
    "check": ("核對", "Check"),
    "no_file": ("請選擇文件", "Choose a file"),
    "too_large": ("文件不可超過 200 kB", "A file may have at most 200 kB"),
    "not_text": ("文件須為 UTF-8 文字", "The file must be text in UTF-8"),
    "faults": ("文件有誤，請改正後再核對", "The file has faults. Mend them, then look again"),
    "line": ("行", "Line"),
    "where": ("位置", "Where"),
    "what": ("改法", "What to mend"),
    "is_sound": ("文件無誤：{scheme}", "The file is sound: {scheme}"),
    "first": ("此辦法尚未發布過。", "No version of it has been published."),
    "same": ("與已發布的 {scheme} 完全相同。", "It is the same as {scheme}, which is published."),
    "differences": ("與已發布的 {scheme} 相比，以下各項不同：", "These differ from {scheme}, which is published:"),
    "parameter": ("參數", "Parameter"),
    "before": ("原為", "Before"),
    "after": ("改為", "After"),
    "publish": ("核對並發布", "Check and publish"),
    "publish_lead": (
        "辦法發布須兩人：局領導提出，另一人確認；已發布的版本不再改變。",
        "Rules are published by two persons, one of the bureau's leadership; a published version never changes.",
    ),
    "not_yours": ("由局領導發布。", "They are published by the bureau's leadership."),
    "back": ("返回管理辦法", "Back to the rules"),
}


@router.get("/schemes", response_class=Response)
@allow(Policy.READ)
async def show_schemes(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """The rules that are published."""
    _require_house(caller)
    return await _show(request, house)


@router.post("/schemes", response_class=Response)
@allow(Policy.READ)
async def check_scheme(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """Look at a file: its faults, or what it would change. Nothing is recorded."""
    _require_house(caller)
    form = await read_form(request)
    try:
        return await _check(request, house, caller, form)
    finally:
        await form.close()


def _require_house(caller: Caller) -> None:
    """Raise NameUnknown unless they see all business of the house, or keep its registers."""
    if not may_see_all(caller.grants) and not any(seat.role is Role.ADMIN for seat in caller.seats):
        raise NameUnknown("schemes")


async def _check(request: Request, house: House, caller: Caller, form: FormData) -> Response:
    upload, realm = form.get("file"), str(form.get("realm", "") or LIVE)[:64]
    await require_realm(house.store, realm)
    if not isinstance(upload, UploadFile) or not upload.filename:
        return await _show(request, house, "no_file")
    content = await upload.read(LARGEST + 1)
    if len(content) > LARGEST:
        return await _show(request, house, "too_large")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return await _show(request, house, "not_text")
    name = upload.filename.replace("\\", "/").rpartition("/")[2][:80]
    try:
        scheme = read_text(text, name).parse(Scheme)
    except DocumentInvalid as invalid:
        return _show_faults(request, name, invalid.faults)
    except InputInvalid as invalid:
        faults = tuple(DocumentFault(name, 0, ".".join(map(str, one.place)), one.zh, one.en) for one in invalid.faults)
        return _show_faults(request, name, faults)
    newest = await _find_newest(house, scheme_stream(realm, scheme.name))
    return render(
        request,
        "console/schemes/difference.html",
        TEXTS,
        scheme=scheme,
        newest=newest,
        differences=compare_schemes(newest, scheme) if newest is not None else (),
        action=command_path(PublishPolicyPack.command_type, scheme_stream(realm, scheme.name)),
        command_id=uuid4(),
        pack=json.dumps(scheme.model_dump(mode="json"), ensure_ascii=False),
        may_publish=any(seat.role in PublishPolicyPack.by for seat in caller.seats),
    )


def _show_faults(request: Request, name: str, faults: tuple[DocumentFault, ...]) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "console/schemes/faults.html", TEXTS, status=status, name=name, faults=faults)


async def _find_newest(house: House, stream: StreamId) -> Scheme | None:
    """The newest version that is published under that name."""
    packs = (await load_state(house.store, stream)).part(Register).packs
    return packs[max(packs)] if packs else None


async def _show(request: Request, house: House, fault: str = "") -> Response:
    page = await list_streams(house.store, StreamFilter(kind="scheme"), PageRequest(limit=MOST))
    newest = [(line, await _find_newest(house, line.stream)) for line in page.rows]
    return render(
        request,
        "console/schemes/schemes.html",
        TEXTS,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        rows=[(scheme, line.stream, file_path(line.stream)) for line, scheme in newest if scheme is not None],
        realms=await list_realms(house.store),
        fault=fault,
    )
