"""``/v1/projects``: which projects there are, narrowed and searched, page by page."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from application.projects import ProjectFilter, ProjectLine, list_projects
from domain.catalogue import stage_zh
from domain.kernel.identifier import StreamId
from papers.lists import PROJECTS
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.language import Language
from web.problems import problem_responses
from web.v1.pages import ByPage, FreshnessAnswer, narrow
from web.v1.sheets import SHEET, BySheet, answer_pages

router = APIRouter(route_class=GuardedRoute, tags=["projects"])


class ProjectQuery(ProjectFilter):
    """The conditions of the list as a query has them; what else it says is not theirs."""

    model_config = ConfigDict(extra="ignore", defer_build=False)  # FastAPI reads its fields one by one

    role: Annotated[
        Annotated[str, Field(max_length=64)] | None,
        BeforeValidator(lambda text: text or None),
        Field(alias="awaits", description="A role that is awaited in it, or a seat of it."),
    ] = None


class AwaitedLineAnswer(BaseModel):
    """Who is awaited for what, as a list shows it."""

    roles: tuple[str, ...]
    command: str
    subject: str
    text: str
    until: datetime | None
    provisional: bool


class ProjectAnswer(BaseModel):
    """One project of the list. Money is in fen."""

    stream: StreamId
    version: int
    number: str
    """``PJ-n``; empty before an award is proposed."""
    title: str
    organisation: str
    organisation_name: str
    partners: tuple[str, ...]
    round: str
    need: str
    kind: str
    fields: tuple[str, ...]
    community: str
    base: str
    funds: tuple[str, ...]
    scheme: str
    stage: str
    stage_text: str
    since: datetime | None
    moved_at: datetime
    due: datetime | None
    awaiting: list[AwaitedLineAnswer]
    requested: int
    award: int
    paid: int
    cancelled: int
    returned: int
    clawed_back: int
    net: int
    outstanding: int
    opened_on: date | None
    """When it was taken over by an opening entry; null for one that came by the ordinary way."""

    @classmethod
    def of(cls, line: ProjectLine, language: Language) -> ProjectAnswer:
        """Read from a line of the list."""
        same = {name: getattr(line, name) for name in cls.model_fields if name not in ("awaiting", "stage_text")}
        return cls(
            **same,
            stage_text=language.say(stage_zh("project", line.stage), line.stage),
            awaiting=[
                AwaitedLineAnswer(
                    roles=one.roles,
                    command=one.command,
                    subject=one.subject,
                    text=language.say(one.zh, one.en),
                    until=one.until,
                    provisional=one.provisional,
                )
                for one in line.awaiting
            ],
        )


class ProjectPage(BaseModel):
    """Projects, in the order of their ids."""

    projects: list[ProjectAnswer]
    next: str | None
    """What the next page begins after; null at the end."""
    freshness: FreshnessAnswer


@router.get(
    "/v1/projects", response_model=ProjectPage, responses={**SHEET, **problem_responses(401, 403, 404, 422, 429, 503)}
)
@allow(Policy.READ)
async def get_projects(
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    response: Response,
    page: ByPage,
    as_sheet: BySheet,
    filters: Annotated[ProjectQuery, Query()],
) -> ProjectPage | Response:
    """Projects that meet every condition given; an organisation's own people see its own."""
    request = narrow(page, caller, filters.organisation)
    if as_sheet:
        read = partial(list_projects, house.store, filters)
        return await answer_pages(PROJECTS, read, request, language, **filters.model_dump(exclude_none=True))
    projects = await list_projects(house.store, filters, request)
    return ProjectPage(
        projects=[ProjectAnswer.of(line, language) for line in projects.rows],
        next=projects.next,
        freshness=FreshnessAnswer.of(projects.freshness, response),
    )
