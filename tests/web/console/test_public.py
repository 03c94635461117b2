"""What anybody sees without coming in: what was posted, whole and in order; and nothing else of anybody."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

import httpx
import pytest

from application.projects import list_projects
from application.public_projects import POSTED
from domain.project.stage import Stage
from domain.visibility import UNPUBLISHED
from tests.paper import REPORTED
from tests.web.console.papers import SITE, PaperHouse, open_paper_house
from web.app import build
from web.console.public.page import _still

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_PAGES = ("", "/notices", "/projects", "/money", "/projects.json", "/projects.csv", "/feed.atom")


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("public"))


@pytest.fixture
async def anybody(papers: PaperHouse) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Accept-Language": "zh-TW"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(papers.app), base_url=SITE, headers=headers) as client:
        yield client


@pytest.mark.parametrize("page", _PAGES)
async def test_every_public_page_is_kept_for_a_minute_and_sent_once(
    anybody: httpx.AsyncClient, papers: PaperHouse, page: str
) -> None:
    first = await anybody.get(f"/public{page}?realm={papers.realm}")
    again = await anybody.get(f"/public{page}?realm={papers.realm}", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "public, max-age=60")
    assert "Set-Cookie" not in first.headers
    assert (again.status_code, again.content) == (304, b"")


async def test_a_project_shows_its_notice_and_nothing_of_its_account_budget_or_papers(
    anybody: httpx.AsyncClient, papers: PaperHouse
) -> None:
    page = (await anybody.get(f"/public/projects/{papers.realm}/AP-5")).text
    assert "擬立項項目公示" in page
    assert "¥50,000.00" in page
    assert "公示已結束" in page
    for private in ("收款賬戶", "預算</h2>", "人員費", ".pdf", "校驗值", "法定代表人"):
        assert private not in page, private


async def test_a_bid_that_was_not_posted_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    early = await open_paper_house(tmp_path, REPORTED)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(early.app), base_url=SITE) as anybody:
        there, missing = [await anybody.get(f"/public/projects/{early.realm}/{name}") for name in ("AP-5", "AP-404")]
        listed = (await anybody.get(f"/public/projects.json?realm={early.realm}")).json()["projects"]
    assert [line.stream.name for line in (await list_projects(early.house.store)).rows] == ["AP-5"]
    assert (there.status_code, missing.status_code, listed) == (404, 404, [])
    assert there.text.replace("AP-5", "") == missing.text.replace("AP-404", "")


def test_what_is_posted_and_what_is_not_leave_no_stage_out() -> None:
    assert {*POSTED} | {stage.value for stage in UNPUBLISHED} == {stage.value for stage in Stage}
    assert not {*POSTED} & {stage.value for stage in UNPUBLISHED}


async def test_open_data_has_the_same_projects_as_the_page_and_no_column_of_the_office(
    anybody: httpx.AsyncClient, papers: PaperHouse
) -> None:
    rows = (await anybody.get(f"/public/projects.json?realm={papers.realm}")).json()["projects"]
    table = list(
        csv.DictReader(io.StringIO((await anybody.get(f"/public/projects.csv?realm={papers.realm}")).text[1:]))
    )
    page = (await anybody.get(f"/public/projects?realm={papers.realm}")).text
    assert [row["id"] for row in rows] == [row["id"] for row in table] != []
    assert all(row["title"] in page for row in rows)
    assert set(rows[0]) == {
        *("id", "number", "title", "organisation", "round", "district", "community", "fields", "stage", "since"),
        *("award_fen", "notice_last"),
    }
    assert table[0]["award_yuan"] == "50000.00"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_nothing_in_open_data_is_reckoned_by_a_spreadsheet(text: str) -> None:
    assert _still(text) == f"'{text}"
    assert _still("護航") == "護航"


async def test_the_feed_is_one_that_readers_understand(anybody: httpx.AsyncClient, papers: PaperHouse) -> None:
    answer = await anybody.get(f"/public/feed.atom?realm={papers.realm}")
    root = fromstring(answer.content)  # noqa: S314 - our own
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
    assert root.find("{http://www.w3.org/2005/Atom}updated") is not None


async def test_the_calls_page_adds_up(anybody: httpx.AsyncClient, papers: PaperHouse) -> None:
    page = (await anybody.get(f"/public/rounds/{papers.realm}/R-FZ-2023")).text
    assert "申報截止" in page
    assert "AP-5" in page or "PJ-3" in page


async def test_the_page_of_a_call_shows_questions_and_answers_and_nobody_who_asked(tmp_path: Path) -> None:
    paper_house = await open_paper_house(tmp_path, datetime(2024, 6, 1, tzinfo=UTC), "s18-questions")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(paper_house.app), base_url=SITE) as anybody:
        page = (
            await anybody.get(f"/public/rounds/{paper_house.realm}/R-T-2024", headers={"Accept-Language": "zh-TW"})
        ).text
    assert "助餐點租金可否列入預算？" in page
    assert "可列入場地科目，限額見辦法" in page
    assert page.count("尚未答復") == 1
    assert "SO-LEGAL#182" not in page


async def test_an_office_shows_no_realm_but_its_own(papers: PaperHouse) -> None:
    app = build(replace(papers.house, is_local=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=SITE) as client:
        assert (await client.get(f"/public?realm={papers.realm}")).status_code == 404
        assert (await client.get(f"/public/projects/{papers.realm}/AP-5")).status_code == 404


async def test_what_is_in_notice_is_listed_with_its_sum_and_how_to_object(tmp_path: Path) -> None:
    posted = await open_paper_house(tmp_path, datetime(2023, 5, 17, tzinfo=UTC))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(posted.app), base_url=SITE) as anybody:
        pages = [(await anybody.get(f"/public{page}?realm={posted.realm}")).text for page in ("", "/notices")]
        project = (await anybody.get(f"/public/projects/{posted.realm}/AP-5")).text
    assert all("PJ-3" in page and "¥50,000.00" in page and "2023-05-19 24:00" in page for page in pages)
    assert all("/do/LodgeObjection/" in page and "還有 4 日" in page for page in pages)
    assert not any("異議核查中" in page for page in pages)
    assert "公示最後一日：2023-05-19" in project
    assert "/do/LodgeObjection/" in project


async def test_the_yearly_disclosure_is_of_that_year_alone_and_adds_up_to_its_rounds(
    anybody: httpx.AsyncClient, papers: PaperHouse
) -> None:
    whole, year, another = [
        (await anybody.get(f"/public/money?realm={papers.realm}{query}")).text
        for query in ("", "&year=2023", "&year=2022")
    ]
    assert all(page.count("¥35,000.00") >= 6 for page in (whole, year))
    assert "2023 年度資金使用情況" in year
    assert "FS-FZ" in year
    assert "尚無撥付記錄" in another
