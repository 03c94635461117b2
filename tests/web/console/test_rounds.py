"""The page of a round: its stages in order, what is awaited in each, and nobody's marks before the report."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from application.listing import StreamFilter, list_streams
from application.queries import load_file, resolve_name
from application.round_overview import RankingRow, read_overview
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.scope import Scope, ScopeKind
from domain.round.resolution import RankedBid
from tests.paper import REPORTED, prepare_resolution
from tests.web.console.papers import PaperHouse, open_paper_house
from web.console.round.page import SECTIONS, _last

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

SCORING = datetime(2023, 5, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("rounds"), REPORTED)


async def read(client: httpx.AsyncClient, papers: PaperHouse) -> str:
    answer = await client.get(f"/rounds/{papers.realm}/R-FZ-2023")
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_the_stages_of_a_round_stand_in_order_with_the_act_that_is_due(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1") as officer:
        page = await read(officer, papers)
        listed = (await officer.get(f"/lists/round?realm={papers.realm}")).text
    places = [page.index(f'id="{name}"') for name, _ in SECTIONS]
    assert places == sorted(places)
    assert "85.33" in page
    assert f"/do/ResolveRound/round/{papers.realm}/R-FZ-2023" in page.partition('id="ranking"')[2]
    assert "ND-2" in page.partition('id="solicitation"')[2].partition('id="catalogue"')[0]
    assert f"/rounds/{papers.realm}/R-FZ-2023" in listed


async def test_a_round_lists_the_documents_that_its_file_lists(tmp_path: Path) -> None:
    paper_house = await open_paper_house(tmp_path, REPORTED)
    resolution = await prepare_resolution(paper_house.house.store, paper_house.realm)
    stream = StreamId.of("round", paper_house.realm, "R-FZ-2023")
    await paper_house.house.door.send(stream, resolution, Actor("CAB-REG#1"), at=REPORTED)
    async with paper_house.person("CAB-REG#1") as officer:
        page = await read(officer, paper_house)
        file = (await officer.get(f"/files/round/{paper_house.realm}/R-FZ-2023")).text
    listed = [one.partition('aria-labelledby="documents"')[2].partition("</section>")[0] for one in (page, file)]
    assert "會議紀要.pdf" in listed[0]
    assert listed[0] == listed[1]


async def test_before_the_report_there_are_sheets_and_no_marks(tmp_path: Path) -> None:
    early = await open_paper_house(tmp_path, SCORING)
    async with early.person("CAB-REG#1") as officer:
        page = await read(officer, early)
    assert "評審報告出具後，此處按名次列出。" in page
    assert "評分表 0 / 5" in page
    assert "85.33" not in page


async def test_who_has_no_business_with_the_bids_sees_the_call_and_no_bid(papers: PaperHouse) -> None:
    scope = Scope(kind=ScopeKind.COMMUNITY, names=("COMM-1",))
    async with papers.person("COMM#1", scope=scope) as community:
        page = await read(community, papers)
    assert "只供經辦人及本屆承辦單位查閱" in page
    assert "AP-5" not in page
    assert "85.33" not in page


async def test_needs_and_panels_are_listed_by_their_round(papers: PaperHouse) -> None:
    store = papers.house.store
    for kind, names in (("need", ["ND-2"]), ("panel", ["RP-2"])):
        page = await list_streams(store, StreamFilter(kind=kind, realm=papers.realm, round="R-FZ-2023"))
        assert [one.stream.name for one in page.rows] == names
        assert (await list_streams(store, StreamFilter(kind=kind, round="R-404"))).rows == ()


async def test_the_ranking_draws_the_line_and_the_budget(papers: PaperHouse) -> None:
    store = papers.house.store
    file = await load_file(store, await resolve_name(store, "R-FZ-2023", papers.realm))
    (one,) = (await read_overview(store, file, may_see_bids=True)).ranking
    assert (one.of.application, one.cumulative, one.reaches_line, one.fits) == ("AP-5", 5000000, True, True)


def test_a_line_is_drawn_where_something_comes_after_it() -> None:
    def ranked(name: str, *, fits: bool) -> RankingRow:
        mark = Decimal(70)
        bid = RankedBid(application=name, rank=1, score=mark, bonus=0, total=mark, version=1, selected=False)
        return RankingRow(bid, None, 0, reaches_line=True, fits=fits)

    some = (ranked("AP-1", fits=True), ranked("AP-2", fits=False))
    assert (_last(some, "fits"), _last(some, "reaches_line"), _last((), "fits")) == ("AP-1", "", "")


async def test_of_a_large_round_the_page_lists_the_first_and_leads_to_all(
    papers: PaperHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with papers.person("CAB-REG#1") as officer:
        whole = await read(officer, papers)
        monkeypatch.setattr("web.console.round.page.MOST_ROWS", 0)
        folded = await read(officer, papers)
    path = f"/projects?round=R-FZ-2023&amp;realm={papers.realm}"
    assert path not in whole
    assert path in folded
    assert "ranking-chart" in whole
    assert "ranking-chart" not in folded
    assert "85.33" in folded, "the ranking itself is whole"
