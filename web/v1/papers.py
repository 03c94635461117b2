"""``/v1/papers``: the papers that a file yields, for whoever may see that file; as DOCX, PDF or data."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import BaseModel

from application.access import leave_out_others, may_see_now
from application.queries import NameUnknown
from domain.kernel.bounds import Date
from domain.kernel.canonical import canonical
from domain.kernel.identifier import StreamId
from papers import pdf_file, word_file
from papers.catalogue import list_papers, make_paper, open_file
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.links import names
from web.problems import problem_responses

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from application.caller import Caller
    from papers.dossier import Dossier
    from papers.paper import Paper
    from web.house import House

router = APIRouter(route_class=GuardedRoute, tags=["papers"])


class PaperForm(StrEnum):
    """How a paper is given out."""

    DOCX = "docx"
    PDF = "pdf"
    JSON = "json"


def _write_json(paper: Paper) -> bytes:
    return canonical(paper.model_dump(mode="json"))


_WRITERS: Final[dict[PaperForm, tuple[str, Callable[[Paper], bytes]]]] = {
    PaperForm.DOCX: (word_file.MEDIA_TYPE, word_file.write_docx),
    PaperForm.PDF: (pdf_file.MEDIA_TYPE, pdf_file.write_pdf),
    PaperForm.JSON: ("application/json", _write_json),
}
AsOf = Annotated[Date | None, Query(description="As the file stood at the end of that day in Shanghai.")]


class PaperLineAnswer(BaseModel):
    """A paper that a file yields, or one that it does not yet."""

    name: Annotated[str, names("paper")]
    text: str
    """What the office calls it."""
    date: Date | None
    """When it was decided; null while the file does not yield it."""
    missing: str
    """What has to happen first; empty if nothing."""


class PapersAnswer(BaseModel):
    """The papers of a file, in the order of its life."""

    stream: StreamId
    papers: list[PaperLineAnswer]


@router.get(
    "/v1/papers/{kind}/{realm}/{name}",
    response_model=PapersAnswer,
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.READ)
async def get_papers(
    kind: str, realm: str, name: str, house: ByHouse, caller: ByCaller, language: ByLanguage, as_of: AsOf = None
) -> PapersAnswer:
    """The papers that a file yields, and what the others wait for."""
    dossier = await open_seen_dossier(house, caller, (kind, realm, name), as_of)
    return PapersAnswer(
        stream=dossier.file.stream,
        papers=[
            PaperLineAnswer(
                name=line.name,
                text=language.say(line.zh, line.en),
                date=line.day,
                missing=language.say(line.missing_zh, line.missing_en),
            )
            for line in list_papers(dossier)
        ],
    )


@router.get(
    "/v1/papers/{kind}/{realm}/{name}/{paper}",
    response_class=Response,
    responses={
        200: {"content": {media_type: {} for media_type, _ in _WRITERS.values()}, "description": "The paper."},
        **problem_responses(401, 403, 404, 409, 422, 429, 503),
    },
)
@allow(Policy.READ)
async def get_paper(
    kind: str,
    realm: str,
    name: str,
    paper: Annotated[str, Path(max_length=100)],
    house: ByHouse,
    caller: ByCaller,
    form: Annotated[PaperForm | None, Query(alias="format", description="Else as Accept says; else docx.")] = None,
    as_of: AsOf = None,
    accept: Annotated[str | None, Header(max_length=1_000)] = None,
) -> Response:
    """A paper, e.g. ``award`` or ``payment.T1``: DOCX to be stamped, PDF for the file, or what it says as data."""
    dossier = await open_seen_dossier(house, caller, (kind, realm, name), as_of)
    made = await make_paper(house.store, dossier, paper)
    form = form or _choose(accept)
    media_type, write = _WRITERS[form]
    content = await asyncio.to_thread(write, made)  # setting type takes a while; others are answered meanwhile
    file_name = f"{name}-{paper}.{form}"
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file_name)}",
        "Cache-Control": "private, no-cache",
        "Vary": "Accept",
        "Venture-Position": str(made.source.position),
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, headers=headers, media_type=media_type)


def _choose(accept: str | None) -> PaperForm:
    """The first form that is asked for by its media type; docx for whoever takes anything."""
    wishes = [part.partition(";")[0].strip() for part in (accept or "").split(",")]
    forms = {media_type: form for form, (media_type, _) in _WRITERS.items()}
    return next((forms[wish] for wish in wishes if wish in forms), PaperForm.DOCX)


async def open_seen_dossier(house: House, caller: Caller, parts: tuple[str, str, str], as_of: date | None) -> Dossier:
    """The file, if the caller may see it; else it is as if it were not there. Raises NameUnknown."""
    try:
        stream = StreamId.of(*parts)
    except ValueError:
        raise NameUnknown(parts[2]) from None
    dossier = await open_file(house.store, stream, as_of)
    if not await may_see_now(house.store, caller.grants, stream):
        raise NameUnknown(parts[2])
    return replace(dossier, file=await leave_out_others(house.store, caller.grants, dossier.file))
