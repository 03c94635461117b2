"""``/papers/{kind}/{realm}/{name}``: the papers that a file yields, as DOCX to be stamped and as PDF to be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response

from domain.titles import number_of, title_of
from papers.catalogue import list_papers
from web.console.file.page import read_stream
from web.console.paths import file_path
from web.console.rendering import render
from web.console.route import PageRoute
from web.guard import ByCaller, ByHouse, Policy, allow
from web.v1.papers import open_seen_dossier

if TYPE_CHECKING:
    from web.console.texts import Texts

router = APIRouter(route_class=PageRoute)

TEXTS: Final[Texts] = {
    "papers": ("公文", "Papers"),
    "lead": (
        "由卷宗製成，各載明所據的日誌序號：DOCX 供用印，PDF 存檔。",
        "Made from the file; each names the record that it rests on. DOCX to edit and stamp, PDF for filing.",
    ),
    "file": ("卷宗", "File"),
    "paper": ("文書", "Paper"),
    "day": ("日期", "Date"),
    "take": ("下載", "Download"),
    "none_yet": ("目前沒有可出具的公文。", "The file yields no paper yet."),
    "not_yet": ("尚不能出具的（{n} 種）", "Not available yet ({n})"),
}


@router.get("/papers/{kind}/{realm}/{name}", response_class=Response)
@allow(Policy.READ)
async def show_papers(request: Request, kind: str, realm: str, name: str, house: ByHouse, caller: ByCaller) -> Response:
    """The papers of that file. A file that may not be seen, and one of a kind that yields none, is not found."""
    stream = read_stream(kind, realm, name)
    dossier = await open_seen_dossier(house, caller, (kind, realm, name), None)
    state, lines = dossier.file.state, list_papers(dossier)
    return render(
        request,
        "console/paper/papers.html",
        TEXTS,
        number=number_of(state),
        title=title_of(state),
        file=file_path(stream),
        stream=stream,
        papers=[one for one in lines if one.day is not None],
        missing=[one for one in lines if one.day is None],
    )
