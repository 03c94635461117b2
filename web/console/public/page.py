"""``/public``: what anybody may see, without coming in. Browsers and caches keep it for a minute.

Lists are answered from ``application.public_projects``, which names what is public column by column; the page of one
project reads its file under the policy for nobody's seat, and shows nothing of it but what is asked for here.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter, Query, Request, Response

from application.listing import StreamFilter, list_streams
from application.money import Dimension, MoneyFilter, list_money, list_realms
from application.pages import PageRequest
from application.public_projects import IN_NOTICE, POSTED, PublicFilter, find_posted, list_posted
from application.queries import NameUnknown, load_file
from domain.application import Application
from domain.catalogue import stage_words
from domain.kernel.calendar import local_day
from domain.kernel.clock import Clock
from domain.kernel.facts import Facts
from domain.kernel.identifier import LIVE, StreamId
from domain.project.contract import Contract
from domain.project.indicators import derive_outputs, list_indicators
from domain.project.publicity import AwardPublicityOpened, Publicity
from domain.project.stage import Stage
from domain.round.clarification import Clarifications
from domain.round.plan import Round
from domain.round.stage import RoundStage
from domain.titles import number_of
from domain.visibility import find_sight
from web.body import fill
from web.console.file.life import draw_life, trace_stages
from web.console.file.page import read_stream
from web.console.paths import command_path
from web.console.public.texts import TEXTS
from web.console.rendering import render
from web.console.route import PageRoute
from web.console.texts import speaker
from web.guard import ByHouse, Policy, allow, language_of

if TYPE_CHECKING:
    from application.listing import StreamLine
    from application.money import Sums
    from application.pages import Page
    from application.public_projects import PublicProject
    from application.queries import File
    from web.house import House

router = APIRouter(route_class=PageRoute)

PAGE: Final = 50
MOST: Final = 1_000
"""Rows of one page of open data."""
KEPT: Final = "public, max-age=60"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_SOON: Final = (RoundStage.SOLICITING, RoundStage.OPEN)
_Realm = Annotated[str, Query(max_length=64)]
_Word = Annotated[str, Query(max_length=200)]
_After = Annotated[str | None, Query(max_length=2_000)]


@dataclass(frozen=True)
class PostedNotice:
    """A public notice as it is shown on the page of its project. The amount is in fen."""

    award: int
    contact: str
    reviewers: tuple[str, ...]
    first: str
    days: int
    last: str
    """Empty while an objection holds it up."""
    is_open: bool


@router.get("/public", response_class=Response)
@allow(Policy.ANYBODY)
async def show_home(request: Request, house: ByHouse, realm: _Realm = "") -> Response:
    """What is open, what is in public notice, what has been published."""
    chosen = await _choose_realm(request, house, realm)
    rounds = await _list_rounds(house, chosen)
    notices = await list_posted(house.store, PublicFilter(realm=chosen), PageRequest(limit=PAGE), in_notice=True)
    return await _show(
        request,
        house,
        "home.html",
        chosen,
        calls=[(one, _round_path(one.stream)) for one in rounds if one.stage in _SOON],
        results=[(one, _round_path(one.stream)) for one in rounds if one.stage == RoundStage.PUBLISHED],
        notices=_lines(notices),
        today=await _today(house, chosen),
        object_path=_object_path,
        years=[
            (year, _money_path(house, chosen, year))
            for year in sorted({one.particulars["year"] for one in rounds if one.particulars.get("year")}, reverse=True)
        ],
        soliciting=RoundStage.SOLICITING.value,
    )


@router.get("/public/notices", response_class=Response)
@allow(Policy.ANYBODY)
async def show_notices(request: Request, house: ByHouse, realm: _Realm = "", after: _After = None) -> Response:
    """Every proposed award that anybody may object to now."""
    chosen = await _choose_realm(request, house, realm)
    page = await list_posted(
        house.store, PublicFilter(realm=chosen), PageRequest(limit=PAGE, after=after), in_notice=True
    )
    return await _show(
        request,
        house,
        "notices.html",
        chosen,
        notices=_lines(page),
        today=await _today(house, chosen),
        object_path=_object_path,
        next=page.next,
        is_first=after is None,
    )


@router.get("/public/projects", response_class=Response)
@allow(Policy.ANYBODY)
async def show_projects(
    request: Request,
    house: ByHouse,
    realm: _Realm = "",
    search: _Word = "",
    round: _Word = "",  # noqa: A002 - the word of the interface
    stage: Annotated[str, Query(max_length=64)] = "",
    after: _After = None,
) -> Response:
    """Posted projects, narrowed and searched."""
    chosen = await _choose_realm(request, house, realm)
    conditions = {"search": search.strip(), "round": round.strip(), "stage": stage}
    filters = _filter(chosen, **conditions)
    page = await list_posted(house.store, filters, PageRequest(limit=PAGE, after=after))
    params = {name: value for name, value in conditions.items() if value}
    return await _show(
        request,
        house,
        "projects.html",
        chosen,
        rows=_lines(page),
        next=page.next,
        is_first=after is None,
        given=conditions,
        filters=params,
        stages=[one for one in Stage if one.value in POSTED],
    )


@router.get("/public/projects/{realm}/{name}", response_class=Response)
@allow(Policy.ANYBODY)
async def show_project(request: Request, realm: str, name: str, house: ByHouse) -> Response:
    """What may be public of one project. One that is not posted is answered like one that is not there."""
    chosen = await _choose_realm(request, house, realm)
    file = await load_file(house.store, read_stream("project", chosen, name))
    if find_sight(None, None, file.state, Facts()).denied is not None:
        raise NameUnknown(name)
    application, contract = file.state.part(Application), file.state.part(Contract)
    line = await find_posted(house.store, file.stream)
    return await _show(
        request,
        house,
        "project.html",
        chosen,
        name=application.title,
        number=number_of(file.state),
        organisation=line.organisation if line is not None else application.organisation,
        stage=stage_words("project", file.state.stage),
        life=draw_life(file.stream, trace_stages(file.changes)),
        facts=_list_facts(file, application, contract),
        amount=file.summary["award"],
        notice=_read_notice(file),
        outputs=[(one, value) for one, value in derive_outputs(file.state).items() if value],
        indicators=list_indicators(file.state),
        object_path=_object_path(file.stream),
    )


@router.get("/public/rounds/{realm}/{name}", response_class=Response)
@allow(Policy.ANYBODY)
async def show_round(request: Request, realm: str, name: str, house: ByHouse, after: _After = None) -> Response:
    """A call: its budget, its days, and its projects as far as they are posted."""
    chosen = await _choose_realm(request, house, realm)
    file = await load_file(house.store, read_stream("round", chosen, name))
    round_ = file.state.part(Round)
    page = await list_posted(house.store, _filter(chosen, round=name), PageRequest(limit=PAGE, after=after))
    return await _show(
        request,
        house,
        "round.html",
        chosen,
        name=name,
        stage=stage_words("round", file.state.stage),
        round_=round_,
        level=(round_.level.zh, round_.level.en) if round_.level else None,
        needs_close=round_.needs_close_at(file.calendar),
        closes=round_.closes_at(file.calendar),
        questions=file.state.part(Clarifications).of.values(),
        rows=_lines(page),
        next=page.next,
        is_first=after is None,
    )


@router.get("/public/money", response_class=Response)
@allow(Policy.ANYBODY)
async def show_money(
    request: Request,
    house: ByHouse,
    realm: _Realm = "",
    year: Annotated[int | None, Query(ge=2000, le=2200)] = None,
) -> Response:
    """What was paid and what came back, by year, round and fund; or of one year (the disclosure that is due yearly)."""
    chosen = await _choose_realm(request, house, realm)
    years = {one.stream.name: one.particulars.get("year") for one in await _list_rounds(house, chosen)}
    by_round = [one for one in await _sum_up(house, chosen, Dimension.ROUND) if one.values["paid"]]
    by_year: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for one in by_round:
        by_year[years.get(one.key) or 0].update(one.values)
    named = await list_streams(house.store, StreamFilter(kind="fund", realm=chosen), PageRequest(limit=MOST))
    names = {one.stream.name: one.name for one in named.rows}
    funds = [
        (key := one.key.rpartition("/")[2], names.get(key, ""), one.values)
        for one in await _sum_up(house, chosen, Dimension.FUND if year is None else Dimension.FUND_YEAR)
        if one.values["net"] and (year is None or one.key.startswith(f"{year}/"))
    ]
    return await _show(
        request,
        house,
        "money.html",
        chosen,
        year=year,
        all_years=_money_path(house, chosen),
        years=[(one, _money_path(house, chosen, one), sums) for one, sums in sorted(by_year.items()) if one],
        rounds=[
            (one.key, years.get(one.key), one.values, _round_path(StreamId.of("round", chosen, one.key)))
            for one in by_round
            if year is None or years.get(one.key) == year
        ],
        funds=funds,
    )


async def _sum_up(house: House, realm: str, by: Dimension) -> tuple[Sums, ...]:
    return (await list_money(house.store, MoneyFilter(by=by, realm=realm), PageRequest(limit=MOST))).rows


def _money_path(house: House, realm: str, year: int | None = None) -> str:
    query = {**({"realm": realm} if house.is_local else {}), **({"year": str(year)} if year else {})}
    return f"/public/money?{urlencode(query)}" if query else "/public/money"


@router.get("/public/projects.{form}", response_class=Response)
@allow(Policy.ANYBODY)
async def export_projects(
    request: Request,
    form: str,
    house: ByHouse,
    realm: _Realm = "",
    round: _Word = "",  # noqa: A002 - the word of the interface
    after: _After = None,
) -> Response:
    """Posted projects for machines: ``json`` with the cursor of the next page, or ``csv`` with it in ``Link``."""
    if form not in ("json", "csv"):
        raise NameUnknown(f"projects.{form}"[:80])
    chosen = await _choose_realm(request, house, realm)
    page = await list_posted(house.store, _filter(chosen, round=round), PageRequest(limit=MOST, after=after))
    rows = [one.as_json() for one in page.rows]
    more = urlencode({"realm": chosen, **({"round": round} if round else {}), "after": page.next}) if page.next else ""
    headers = {"Link": f'</public/projects.{form}?{more}>; rel="next"'} if more else {}
    if form == "csv":
        return _send(request, _write_csv(rows), "text/csv; charset=utf-8", headers)
    content = json.dumps({"projects": rows, "next": page.next}, ensure_ascii=False).encode()
    return _send(request, content, "application/json", headers)


@router.get("/public/feed.atom", response_class=Response)
@allow(Policy.ANYBODY)
async def feed(request: Request, house: ByHouse, realm: _Realm = "") -> Response:
    """Calls and public notices, the newest first."""
    chosen = await _choose_realm(request, house, realm)
    language, site = language_of(request), str(request.base_url).rstrip("/")
    speak, colon = speaker(language, TEXTS), language.say("：", ": ")
    rounds = [one for one in await _list_rounds(house, chosen) if one.stage in (*_SOON, RoundStage.PUBLISHED)]
    notices = await list_posted(house.store, PublicFilter(realm=chosen), PageRequest(limit=MOST), in_notice=True)
    entries = [
        (one.moved_at, f"{one.stream.name} {language.say(*stage_words('round', one.stage))}", _round_path(one.stream))
        for one in rounds
    ]
    entries += [
        (one.since, f"{speak('notice')}{colon}{one.title} {one.organisation}", project_path(one.stream))
        for one in notices.rows
        if one.since is not None
    ]
    entries.sort(reverse=True)
    root = Element("feed", {"xmlns": _ATOM, "xml:lang": language})
    SubElement(root, "title").text = speak("public")
    SubElement(root, "id").text = f"{site}/public"
    SubElement(root, "updated").text = (entries[0][0] if entries else datetime.fromtimestamp(0, UTC)).isoformat()
    SubElement(root, "link", {"rel": "self", "href": f"{site}/public/feed.atom"})
    author = SubElement(root, "author")
    SubElement(author, "name").text = speak("product")
    for at, title, path in entries[:100]:
        entry = SubElement(root, "entry")
        SubElement(entry, "title").text = title
        SubElement(entry, "id").text = f"{site}{path}"
        SubElement(entry, "updated").text = at.isoformat()
        SubElement(entry, "link", {"href": f"{site}{path}"})
    return _send(request, tostring(root, encoding="utf-8", xml_declaration=True), "application/atom+xml", {})


def project_path(stream: StreamId) -> str:
    """The public page of that project."""
    return f"/public/projects/{stream.realm}/{quote(stream.name)}"


def _object_path(stream: StreamId) -> str:
    """The form by which anybody who has come in objects to that award."""
    return command_path("LodgeObjection", stream)


async def _today(house: House, realm: str) -> date:
    """The day that it is there."""
    clock = await house.store.realm(realm)
    return local_day((clock.now if clock.clock is Clock.MANUAL else None) or house.now())


def _round_path(stream: StreamId) -> str:
    return f"/public/rounds/{stream.realm}/{quote(stream.name)}"


async def _choose_realm(request: Request, house: House, name: str) -> str:
    """What is published is the wall clock's; on a machine for trying things out, any. Raises NameUnknown."""
    if not house.is_local:
        if name in ("", LIVE):
            return LIVE
        raise NameUnknown(name)
    request.state.realms = await list_realms(house.store)
    return name or LIVE


def _lines(page: Page[PublicProject]) -> list[tuple[PublicProject, str, tuple[str, str]]]:
    """Each project with its page and what its stage is called."""
    return [(one, project_path(one.stream), stage_words("project", one.stage)) for one in page.rows]


async def _list_rounds(house: House, realm: str) -> list[StreamLine]:
    page = await list_streams(house.store, StreamFilter(kind="round", realm=realm), PageRequest(limit=MOST))
    return sorted(page.rows, key=lambda one: one.moved_at, reverse=True)


def _filter(realm: str, **conditions: str) -> PublicFilter:
    """The filter that the address asks for. Raises InputInvalid."""
    return fill(PublicFilter, realm=realm, **{name: value for name, value in conditions.items() if value})


def _list_facts(file: File, application: Application, contract: Contract) -> list[tuple[str, str, str]]:
    """By the name of its text, what is said, and where it leads; empty for nowhere."""
    round_ = application.round or ""
    facts = [
        ("round", round_, _round_path(file.stream.sibling("round", round_)) if round_ else ""),
        ("need", application.need or "", ""),
        ("community", application.community or "", ""),
        ("signed", str(contract.signed_on or ""), ""),
        ("end", str(contract.end or ""), ""),
    ]
    return [one for one in facts if one[1]]


def _read_notice(file: File) -> PostedNotice | None:
    """The newest notice of the file; None where it was never posted."""
    posted = [
        one.occurrence.event
        for one in file.story
        if one.stream == file.stream and isinstance(one.occurrence.event, AwardPublicityOpened)
    ]
    publicity = file.state.part(Publicity)
    if not posted or publicity.posted_on is None:
        return None
    last, event = publicity.last_day(file.calendar), posted[-1]
    return PostedNotice(
        award=event.award,
        contact=event.contact,
        reviewers=event.reviewers,
        first=str(publicity.posted_on),
        days=event.working_days,
        last=str(last) if last is not None else "",
        is_open=file.state.stage in IN_NOTICE,
    )


async def _show(request: Request, house: House, template: str, realm: str, **values: Any) -> Response:  # noqa: ANN401 - what that template shows
    """A public page."""
    query = f"?{urlencode({'realm': realm})}" if house.is_local else ""
    response = render(
        request,
        f"console/public/{template}",
        TEXTS,
        headers={"Cache-Control": KEPT},
        realm=realm,
        realms=getattr(request.state, "realms", []),
        is_local=house.is_local,
        query=query,
        **values,
    )
    return _tag(request, response)


def _send(request: Request, content: bytes, media_type: str, headers: dict[str, str]) -> Response:
    return _tag(request, Response(content, media_type=media_type, headers={"Cache-Control": KEPT, **headers}))


def _tag(request: Request, response: Response) -> Response:
    """The same with a tag of its bytes; without them for whoever has them."""
    etag = f'"{sha256(bytes(response.body)).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == etag:
        kept = {name: value for name, value in response.headers.items() if name.lower() in _KEPT_HEADERS}
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={**kept, "ETag": etag})
    response.headers["ETag"] = etag
    return response


_KEPT_HEADERS: Final = frozenset({"cache-control", "vary", "content-language", "content-security-policy", "link"})


def _write_csv(rows: list[dict[str, Any]]) -> bytes:
    """With a mark of its encoding, for spreadsheets; nothing in it is a formula."""
    text = io.StringIO()
    names = ["id", "number", "title", "organisation", "round", "district", "community", "fields", "stage", "since"]
    writer = csv.writer(text)
    writer.writerow([*names, "award_yuan"])
    for row in rows:
        plain = [" ".join(row[name]) if name == "fields" else str(row[name] or "") for name in names]
        writer.writerow([*map(_still, plain), f"{row['award_fen'] // 100}.{row['award_fen'] % 100:02}"])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _still(text: str) -> str:
    """The same, behind a mark that keeps a spreadsheet from reckoning it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
