"""Every number of the portfolio is the length or the sum of a list."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from application.outputs import read_outputs
from application.pages import PageRequest
from application.portfolio import MONEY, read_portfolio
from application.projects import ProjectFilter, list_projects
from application.queries import load_file, resolve_name
from domain.project.outputs import Output
from store.memory import MemoryStore
from tests.paper import play_story

FUZHOU = {"round": "R-FZ-2023"}
ENDED = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("filters", [{}, FUZHOU, {"field": "助老扶幼"}, {"fund": "FS-FZ"}, {"fund": "FS-9"}], ids=str)
async def test_the_figures_are_those_of_the_list_under_the_same_filter(filters: dict[str, str]) -> None:
    store = MemoryStore()
    await play_story(store, ENDED)
    chosen = ProjectFilter.model_validate(filters)
    portfolio = await read_portfolio(store, chosen)
    lines = (await list_projects(store, chosen, PageRequest(limit=500, at_least=await store.last_position()))).rows
    assert portfolio.projects == len(lines) == (0 if filters.get("fund") == "FS-9" else 1)
    assert portfolio.money == {name: sum(getattr(line, name) for line in lines) for name in MONEY}
    for stage, count in portfolio.standing.items():
        assert count == sum(line.stage == stage for line in lines)


async def test_a_year_is_that_of_its_rounds() -> None:
    store = MemoryStore()
    await play_story(store, ENDED)
    assert [(await read_portfolio(store, ProjectFilter(), year)).projects for year in (2022, 2023)] == [0, 1]


async def test_outputs_are_read_from_the_records_of_a_file() -> None:
    store = MemoryStore()
    realm = (await play_story(store, ENDED)).plan.realm
    sheet = read_outputs(await load_file(store, await resolve_name(store, "PJ-3", realm)))
    assert sheet.outputs[Output.SESSIONS] == 4
    assert sheet.outputs[Output.PERSON_TIMES] == 46 + 52 + 61 + 58
    assert not sheet.is_match_incomplete
