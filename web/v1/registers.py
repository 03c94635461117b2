"""``/v1/organisations``, ``/v1/money``, ``/v1/registers``: who and what is registered, on any day; for the house."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from application.access import may_see_all
from application.money import Dimension, MoneyFilter, list_money
from application.organisations import OrganisationFilter, OrganisationLine, list_organisations
from application.registers import RegisterFilter, RegisterKind, list_register
from domain.catalogue import stage_zh
from domain.kernel.identifier import StreamId
from papers.lists import MONEY, ORGANISATIONS
from web.body import fill
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.language import Language
from web.problems import Refusal, problem_responses
from web.v1.files import Moment, read_as_of
from web.v1.pages import ByPageRequest, FreshnessAnswer
from web.v1.sheets import SHEET, BySheet, answer_pages

if TYPE_CHECKING:
    from application.caller import Caller

router = APIRouter(route_class=GuardedRoute, tags=["registers"])

Word = Annotated[str | None, Query(min_length=1, max_length=64)]


class OrganisationAnswer(BaseModel):
    """One organisation of the list. Who represents it stays in its file."""

    stream: StreamId
    version: int
    stage: str
    stage_text: str
    name: str
    kind: str
    level: str
    """The assessment level recorded last; empty if there is none."""
    level_until: date | None
    listings: tuple[str, ...]
    """What stands against it."""
    banned_until: date | None

    @classmethod
    def of(cls, line: OrganisationLine, language: Language) -> OrganisationAnswer:
        """Read from a line of the list."""
        same = {name: getattr(line, name) for name in cls.model_fields if name != "stage_text"}
        return cls(**same, stage_text=language.say(stage_zh("organisation", line.stage), line.stage))


class OrganisationPage(BaseModel):
    """Organisations by their ids."""

    organisations: list[OrganisationAnswer]
    next: str | None
    freshness: FreshnessAnswer


class SumsAnswer(BaseModel):
    """What the projects of one fund, round or organisation add up to."""

    realm: str
    key: str
    values: dict[str, int]
    """By measure: ``projects`` is their number, everything else fen."""


class MoneyPage(BaseModel):
    """Sums in order of realm and key."""

    sums: list[SumsAnswer]
    next: str | None
    freshness: FreshnessAnswer


def _require_house(caller: Caller) -> None:
    if not may_see_all(caller.grants):
        zh, en = "此名冊只供本局內部查閱", "this list is for the house"
        raise Refusal(HTTPStatus.FORBIDDEN, "forbidden", zh, en)


@router.get(
    "/v1/organisations",
    response_model=OrganisationPage,
    responses={**SHEET, **problem_responses(401, 403, 404, 422, 429, 503)},
)
@allow(Policy.READ)
async def get_organisations(
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    response: Response,
    page_request: ByPageRequest,
    as_sheet: BySheet,
    realm: Word = None,
    listing: Word = None,
    search: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
) -> OrganisationPage | Response:
    """Organisations that meet every condition given, searched in either Chinese script."""
    _require_house(caller)
    filters = fill(OrganisationFilter, realm=realm, listing=listing, search=search)
    if as_sheet:
        read = partial(list_organisations, house.store, filters)
        return await answer_pages(ORGANISATIONS, read, page_request, language, **filters.model_dump(exclude_none=True))
    organisations = await list_organisations(house.store, filters, page_request)
    return OrganisationPage(
        organisations=[OrganisationAnswer.of(line, language) for line in organisations.rows],
        next=organisations.next,
        freshness=FreshnessAnswer.of(organisations.freshness, response),
    )


@router.get(
    "/v1/money",
    response_model=MoneyPage,
    responses={**SHEET, **problem_responses(401, 403, 404, 422, 429, 503)},
)
@allow(Policy.READ)
async def get_money(
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    response: Response,
    page_request: ByPageRequest,
    as_sheet: BySheet,
    by: Annotated[Dimension, Query(description="By what is added up.")] = Dimension.ROUND,
    key: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    realm: Word = None,
) -> MoneyPage | Response:
    """What was applied for, awarded, paid, reduced and returned, by fund, round or organisation."""
    _require_house(caller)
    filters = fill(MoneyFilter, by=by, key=key, realm=realm)
    if as_sheet:
        read = partial(list_money, house.store, filters)
        return await answer_pages(
            MONEY, read, page_request, language, **filters.model_dump(mode="json", exclude_none=True)
        )
    money = await list_money(house.store, filters, page_request)
    return MoneyPage(
        sums=[SumsAnswer(realm=one.realm, key=one.key, values=dict(one.values)) for one in money.rows],
        next=money.next,
        freshness=FreshnessAnswer.of(money.freshness, response),
    )


class EntryAnswer(BaseModel):
    """One entry of a register, as it stood. Money is in fen."""

    stream: StreamId
    version: int
    stage: str
    stage_text: str
    since: datetime
    """From when it stood so."""
    recorded_at: datetime
    particulars: dict[str, Any]
    """What its kind shows of itself: name, listings, envelope, tier…"""


class RegisterPage(BaseModel):
    """Entries by their ids."""

    entries: list[EntryAnswer]
    next: str | None
    freshness: FreshnessAnswer


@router.get(
    "/v1/registers/{kind}",
    response_model=RegisterPage,
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.READ)
async def get_register(
    kind: RegisterKind,
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    response: Response,
    page_request: ByPageRequest,
    realm: Word = None,
    as_of: Moment = None,
    known_at: Moment = None,
) -> RegisterPage:
    """A register as it stands, or stood: up to ``as_of`` by when it was so, up to ``known_at`` by when recorded."""
    _require_house(caller)
    moments = {"as_of": read_as_of("as_of", as_of), "known_at": read_as_of("known_at", known_at)}
    lines = await list_register(house.store, fill(RegisterFilter, kind=kind, realm=realm, **moments), page_request)
    return RegisterPage(
        entries=[
            EntryAnswer(
                stream=one.stream,
                version=one.version,
                stage=one.stage,
                stage_text=language.say(stage_zh(kind, one.stage), one.stage),
                since=one.since,
                recorded_at=one.recorded_at,
                particulars=one.particulars,
            )
            for one in lines.rows
        ],
        next=lines.next,
        freshness=FreshnessAnswer.of(lines.freshness, response),
    )
