"""A project that was taken over says so on its page and in the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from application.pages import wait_for_view
from cli.scenario import list_shipped, plan_scenario
from domain.kernel.identifier import StreamId
from scenarios.play import play
from tests.paper import open_paper_door
from tests.web.console.papers import open_paper_house

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.full
async def test_the_page_and_the_list_say_that_it_was_taken_over(tmp_path: Path) -> None:
    papers = await open_paper_house(tmp_path)
    (path,) = (path for path in list_shipped() if path.stem.startswith("s20-"))
    (plan,) = plan_scenario([path])
    assert (await play(plan, open_paper_door(papers.house.store), papers.house.store)).ok
    store = papers.house.store
    await wait_for_view(store, "projects", await store.last_position(), patience_s=30)
    async with papers.person("CAB-REG#1") as officer:
        page = await officer.get(f"/files/{StreamId.of('project', plan.realm, 'PJ-202')}")
        listed = await officer.get("/projects", params={"search": "PJ-202"})
    assert page.status_code == 200
    assert "2024-01-09" in page.text
    assert "在辦項目移交清冊.pdf" in page.text
    assert "2024-01-09 期初登記" in listed.text
