"""Of a file's figures the page says by which events they came about, and of two days what was otherwise."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from application.folded_stream import sum_money
from application.queries import load_file, resolve_name
from tests.web.console.papers import PaperHouse, open_paper_house
from web.console.file.change import trace_money

if TYPE_CHECKING:
    import httpx

ENDED = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("changes"), ENDED)


async def read(client: httpx.AsyncClient, papers: PaperHouse, query: str = "") -> str:
    answer = await client.get(f"/files/project/{papers.realm}/AP-5{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_figure_is_the_sum_of_the_events_that_it_is_made_of(papers: PaperHouse) -> None:
    store = papers.house.store
    file = await load_file(store, await resolve_name(store, "AP-5", papers.realm))
    moved = trace_money(file.changes)
    for name, fen in sum_money(file.state).items():
        assert sum(one.fen for one in moved.get(name, [])) == fen, name
    assert [one.fen for one in moved["money_paid"]] == [3500000, 1500000]


async def test_every_event_that_a_figure_names_stands_in_the_story(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1") as officer:
        page = await read(officer, papers)
    named = set(re.findall(r'href="#(e\d+)"', page))
    assert named
    assert all(f'id="{one}"' in page for one in named)


async def test_two_days_differ_in_what_moved_between_them_and_in_nothing_else(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1") as officer:
        between = (await read(officer, papers, "?as_of=2023-06-02&since=2023-05-31")).partition('id="changes"')[2]
        same = await read(officer, papers, "?as_of=2023-06-03&since=2023-06-02")
        begun = await read(officer, papers, "?as_of=2023-04-20&since=2023-01-01")
        none = await read(officer, papers)
        unreadable = await officer.get(f"/files/project/{papers.realm}/AP-5?since=yesterday")
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th>', between.partition("</table>")[0])
    assert rows == ["已撥付", "淨撥付額", "未撥付", "期次 T1"] or set(rows) == {
        "已撥付",
        "淨撥付額",
        "未撥付",
        "期次 T1",
    }
    assert "沒有變化。" in same
    assert "尚未建立" in begun
    assert 'id="changes"' not in none
    assert unreadable.status_code == 422


def _list_entries(page: str) -> list[str]:
    return re.findall(r'<li id="e(\d+)"', page)


async def test_a_long_story_is_told_in_pages_and_whatever_is_linked_is_on_one_of_them(
    papers: PaperHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with papers.person("CAB-REG#1") as officer:
        whole = _list_entries(await read(officer, papers))
        monkeypatch.setattr("web.console.file.page.MOST_ENTRIES", 10)
        page = await read(officer, papers)
        pages = [page]
        while older := re.search(r'rel="next" href="(\?story=\d+)#story"', pages[-1]):
            pages.append(await read(officer, papers, older[1]))
        assert [entry for one in pages for entry in _list_entries(one)] == whole
        assert f"共 {len(whole)} 條，本頁 10 條" in page
        newer = re.search(r'rel="prev" href="(\?story=\d+)#story"', pages[1])
        assert newer
        assert _list_entries(await read(officer, papers, newer[1])) == whole[:10]
        assert _list_entries(await read(officer, papers, "?story=whole")) == whole
        assert _list_entries(await read(officer, papers, "?story=../../etc")) == whole[:10]
        linked = re.findall(r'href="(\?[^"]*)#e(\d+)"', page)
        assert linked
        for query, position in linked:
            assert f'id="e{position}"' in await read(officer, papers, query)
        early = await read(officer, papers, "?as_of=2023-06-02")
    assert 'rel="next" href="?as_of=2023-06-02&amp;story=' in early, "a page of the past goes on in the past"
