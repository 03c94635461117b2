"""What a form tells while it is typed into: the server reckons, and nothing is recorded or kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.web.console.conftest import EVERY_SEAT, hidden
from tests.web.console.papers import PaperHouse, open_paper_house

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("papers"))


async def reckon(
    papers: PaperHouse, command: str, file: str, tell: Sequence[str] = (), language: str = "zh-Hant", **typed: str
) -> dict[str, Any]:
    path = f"/do/{command}/{file.format(realm=papers.realm)}"
    async with papers.person(*EVERY_SEAT) as person:
        person.headers["Accept-Language"] = language
        page = (await person.get(path)).text
        assert f'data-reckoning="{path}/reckoning"' in page
        named = {f"p.{name.replace('__', '.')}": text for name, text in typed.items()}
        answer = await person.post(f"{path}/reckoning", data={**hidden(page), **named, "tell": list(tell)})
    assert answer.status_code == 200, answer.text
    reckoning: dict[str, Any] = answer.json()
    return reckoning


@pytest.mark.parametrize(
    ("told", "language", "note"),
    [
        ("money:a:5萬", "zh-Hant", "人民幣伍萬元整"),
        ("money:a:5万", "zh-Hans", "人民币伍万元整"),
        ("money:a:50,000", "en", ""),
        ("date:a:2023-05-25", "zh-Hant", "星期四，工作日"),
        ("date:a:2023-05-27", "en", "Saturday, not a working day"),
        ("date:a:2031-05-26", "zh-Hant", "星期一，工作日（2031 年放假安排尚未公佈）"),
        ("days:a:3", "zh-Hant", "自今日起算，至 "),
    ],
)
async def test_beside_a_field_stands_what_is_typed_into_it(
    papers: PaperHouse, told: str, language: str, note: str
) -> None:
    notes = (await reckon(papers, "SignContract", "project/{realm}/AP-5", [told], language))["notes"]
    assert notes["a"].startswith(note) if note else notes["a"] == ""


@pytest.mark.parametrize("told", ["", ":", "money:a:abc", "date:a:明天", "days:a:10000000", "days:a:x", "other:a:1"])
async def test_what_cannot_be_read_yet_is_passed_over(papers: PaperHouse, told: str) -> None:
    notes = (await reckon(papers, "SignContract", "project/{realm}/AP-5", [told]))["notes"]
    assert not notes.get("a")


async def test_a_table_is_summed_while_it_is_filled_in(papers: PaperHouse) -> None:
    rows = {
        "budget__0__key": "activity",
        "budget__0__value": "3萬",
        "budget__4__key": "admin",
        "budget__4__value": "2,500.5",
    }
    notes = (await reckon(papers, "SignContract", "project/{realm}/AP-5", **rows))["notes"]
    assert notes == {"p-budget": "合計 ¥32,500.50（人民幣叁萬貳仟伍佰元伍角整）"}


async def test_what_would_refuse_it_is_told_before_it_is_checked(papers: PaperHouse) -> None:
    whole = await reckon(papers, "ApproveRoundBudget", "round/{realm}/R-FZ-2023", amount="1")
    half = await reckon(papers, "ApproveRoundBudget", "round/{realm}/R-FZ-2023", amount="")
    assert whole["unmet"]
    assert half["unmet"] == []


async def test_nothing_is_recorded(papers: PaperHouse) -> None:
    before = await papers.house.store.last_position()
    await reckon(papers, "ApproveRoundBudget", "round/{realm}/R-FZ-2023", amount="500000000")
    assert await papers.house.store.last_position() == before


async def test_no_page_of_another_reckons(papers: PaperHouse) -> None:
    path = f"/do/ApproveRoundBudget/round/{papers.realm}/R-FZ-2023"
    async with papers.person(*EVERY_SEAT) as person:
        own = hidden((await person.get(path)).text)
        forged = await person.post(f"{path}/reckoning", data={**own, "token": "another page's"})
        foreign = await person.post(f"{path}/reckoning", data=own, headers={"Origin": "https://evil.example"})
    assert (forged.status_code, foreign.status_code) == (403, 403)
