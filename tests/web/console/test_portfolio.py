"""The portfolio on pages, over HTTP and on paper: each number leads to the list that it counts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

import pytest

from domain.kernel.scope import Scope, ScopeKind
from tests.web.console.papers import PaperHouse, open_paper_house
from web.components.bars import BarRow, draw_bars

if TYPE_CHECKING:
    import httpx

ENDED = datetime(2024, 3, 1, tzinfo=UTC)
_LINK = re.compile(r'<a class="govuk-link govuk-link--no-visited-state" href="(/portfolio/projects[^"]*)">([^<]*)</a>')
_TOTAL = re.compile(r'<tfoot>.*?class="office-number">([^<]*)<', re.DOTALL)
_COUNT = re.compile(r'office-count">(\d+) 個<')
_PATHS = ("", "?by=field", "?by=fund", "?as_of=2023-06-10", "?as_of=2023-06-10&by=round&position=60")


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("portfolio"), ENDED)


async def read(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize("query", _PATHS)
async def test_every_number_on_the_page_leads_to_a_list_of_as_many_or_as_much(papers: PaperHouse, query: str) -> None:
    async with papers.person("CAB-REG#1") as officer:
        page = await read(officer, f"/portfolio{query or '?'}&realm={papers.realm}")
        links = [(unescape(href), figure) for href, figure in _LINK.findall(page)]
        assert len(links) > 10
        for href, figure in links:
            listed = await read(officer, href)
            counted, total = _COUNT.search(listed), _TOTAL.search(listed)
            assert counted, href
            assert total, href
            assert figure.replace(",", "") in (counted.group(1), total.group(1).replace(",", "")), href


async def test_pictures_have_a_title_and_say_in_words_what_they_show(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1") as officer:
        page = await read(officer, f"/portfolio?realm={papers.realm}")
    pictures = re.findall(r'<svg class="office-bars.*?</svg>', page, re.DOTALL)
    assert len(pictures) == 3
    for picture in pictures:
        title, description = list(fromstring(picture))[:2]  # noqa: S314 - our own
        assert title.text
        assert description.text


async def test_a_page_of_the_past_says_so_and_leads_to_files_of_that_day(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1") as officer:
        page = await read(officer, f"/portfolio?as_of=2023-05-13&realm={papers.realm}")
        listed = await read(officer, "/portfolio/projects?as_of=2023-05-13&stage=PROPOSED")
    assert "這是過去的樣子：截至（日期） 2023-05-13。" in page
    assert "過去的日期不計逾期" in page
    assert "as_of=2023-05-13" in listed.partition("<table")[2]


async def test_who_acts_for_an_organisation_sees_its_own_and_who_for_none_nothing(papers: PaperHouse) -> None:
    async with papers.person("SO-LEGAL#1", scope=Scope(kind=ScopeKind.ORGANISATION, names=("ORG-404",))) as stranger:
        assert "沒有符合條件的項目" in await read(stranger, f"/portfolio?realm={papers.realm}")
    async with papers.person("EXPERT#1") as expert:
        assert (await expert.get("/portfolio")).status_code == 403


async def test_the_menu_leads_nobody_where_the_seat_may_not_look(papers: PaperHouse) -> None:
    both = Scope(kind=ScopeKind.ORGANISATION, names=("ORG-404", "ORG-3"))
    async with papers.person("SO-PM#1", scope=both) as own:
        first = await read(own, f"/portfolio?realm={papers.realm}")
        second = await read(own, f"/portfolio?realm={papers.realm}&organisation=ORG-3")
        listed = await read(own, unescape(_LINK.findall(second)[0][0]))
    async with papers.person("EXPERT#1") as expert:
        tasks = await read(expert, "/")
        refused = [await expert.get(path) for path in ("/projects", "/portfolio", "/portfolio/projects")]
    assert "沒有符合條件的項目" in first
    assert "PJ-3" in listed or "AP-5" in listed
    assert all(
        f'<a href="{path}"' in first and f'<a href="{path}"' not in tasks for path in ("/projects", "/portfolio")
    )
    assert all(one.status_code == 403 and "organisation" not in one.text for one in refused)


@pytest.mark.parametrize("query", ["as_of=yesterday", "year=1", "position=-1", "as_of=2023-05-13T25:00"])
async def test_what_cannot_be_read_is_refused(papers: PaperHouse, query: str) -> None:
    async with papers.person("CAB-REG#1") as officer:
        assert (await officer.get(f"/portfolio?{query}")).status_code == 422
        assert (await officer.get(f"/v1/portfolio?{query}")).status_code == 422


async def test_machines_are_told_the_same_figures(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1") as officer:
        answer = (await officer.get("/v1/portfolio?by=scheme&as_of=2023-06-10")).json()
        listed = (await officer.get("/v1/portfolio/projects?scheme=fuzhou&as_of=2023-06-10")).json()
    assert answer["projects"] == answer["groups"]["fuzhou"]["projects"] == 1
    assert listed["sums"] == answer["groups"]["fuzhou"]
    assert [one["number"] for one in listed["projects"]] == ["PJ-3"]
    assert answer["money"]["paid"] == 3500000


def test_bars_are_on_one_scale_and_what_there_is_any_of_is_seen() -> None:
    picture = draw_bars([BarRow("a", 1000, 500, "500 / 1000"), BarRow("b", 1, 0, "0 / 1")])
    assert [(bar.whole, bar.part) for bar in picture.bars] == [(300, 150), (2, 0)]
    assert picture.words() == "a 500 / 1000；b 0 / 1"
    assert draw_bars([]).bars == ()


@pytest.mark.parametrize("path", ["/", "/done", "/begun", "/projects", "/portfolio", "/public"])
async def test_the_live_realm_is_offered_first_though_it_has_no_project(papers: PaperHouse, path: str) -> None:
    async with papers.person("CAB-REG#1") as officer:
        page = await read(officer, path)
    offered = re.findall(
        r'<option value="([^"]*)"( selected)?>', page.partition('name="realm"')[2].partition("</select>")[0]
    )
    assert [realm for realm, _ in offered if realm] == ["live", papers.realm]
    if path in ("/portfolio", "/public"):
        assert ("live", " selected") in offered


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/portfolio?year=x", "Year: "),
        ("/portfolio?position=-1", "Log position: "),
        ("/portfolio?as_of=yesterday", "As of (day): "),
        ("/receipts/none", "Command number: "),
    ],
)
async def test_what_cannot_be_read_is_named_in_words(papers: PaperHouse, path: str, text: str) -> None:
    async with papers.person("CAB-REG#1", lang="en") as officer:
        page = (await officer.get(path)).text
    assert f'<p class="govuk-body">{text}' in page
    assert not re.search(r"query\.|path\.|as_of:|：", page)
