"""Reviewers: interests before anything is shown, sheets by the rubric, and nobody else's marks before one's own."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.web.console.conftest import hidden
from tests.web.console.papers import PaperHouse, open_paper_house

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

SCORING = datetime(2023, 5, 9, tzinfo=UTC)
POINTS = {
    "need": "19",
    "design": "18",
    "capacity": "12.5",
    "innovation": "8",
    "budget": "13",
    "sustainability": "8",
    "beneficiaries": "9",
}


async def declare(expert: httpx.AsyncClient, papers: PaperHouse) -> httpx.Response:
    page = (await expert.get(f"/reviews/{papers.realm}/RP-2")).text
    sent = {**hidden(page, "/do/DeclareImpartiality"), "step": "confirm"}
    return await expert.post(f"/do/DeclareImpartiality/panel/{papers.realm}/RP-2", data=sent)


async def fill(expert: httpx.AsyncClient, papers: PaperHouse, points: dict[str, str]) -> httpx.Response:
    """The sheet as it was shown, with those points, checked."""
    path = f"/do/SubmitScore/panel/{papers.realm}/RP-2"
    form = (await expert.get(f"{path}?part=AP-5")).text
    sent = hidden(form, '<form action="/do/SubmitScore')
    rows = {sent[f"p.criteria.{row}.key"]: row for row in range(len(POINTS))}
    for name, row in rows.items():
        sent[f"p.criteria.{row}.value"] = points[name]
    return await expert.post(path, data={**sent, "step": "check"})


async def confirm(expert: httpx.AsyncClient, papers: PaperHouse, checked: str) -> httpx.Response:
    sent = {**hidden(checked, '<form action="/do/SubmitScore'), "step": "confirm"}
    return await expert.post(f"/do/SubmitScore/panel/{papers.realm}/RP-2", data=sent)


async def test_who_bids_is_told_and_nothing_else_before_interests_are_declared(tmp_path: Path) -> None:
    papers = await open_paper_house(tmp_path, SCORING)
    bid = f"/files/project/{papers.realm}/AP-5"
    async with papers.person("EXPERT#1") as expert:
        mine = (await expert.get("/reviews")).text
        assert "RP-2" in mine
        assert "申報或聲明利害關係" in mine
        assert "/lists/need" not in mine, "a reviewer's own menu"
        before = (await expert.get(f"/reviews/{papers.realm}/RP-2")).text
        assert "申報單位" in before
        assert "申請資助金額" not in before
        assert (await expert.get(bid)).status_code == 404
        sent_on = await expert.get(f"/do/SubmitScore/panel/{papers.realm}/RP-2?part=AP-5")
        assert sent_on.headers["location"] == f"/reviews/{papers.realm}/RP-2"
        done = await declare(expert, papers)
        assert done.headers["location"].startswith("/receipts/"), done.text
        after = (await expert.get(f"/reviews/{papers.realm}/RP-2")).text
        assert "申請資助金額" in after
        assert "評審 AP-5" in after
        assert (await expert.get(bid)).status_code == 200
        assert "/do/DeclareImpartiality" not in after, "it is asked once"
    async with papers.person("EXPERT#9") as stranger:
        assert (await stranger.get(f"/reviews/{papers.realm}/RP-2")).status_code == 404
        assert "RP-2" not in (await stranger.get("/reviews")).text
    async with papers.person("CAB-REG#1") as officer:
        assert (await officer.get(f"/reviews/{papers.realm}/RP-2")).status_code == 404
        assert "/reviews" not in (await officer.get("/")).text


async def test_whoever_declares_an_interest_sees_no_more_of_the_panel(tmp_path: Path) -> None:
    papers = await open_paper_house(tmp_path, SCORING)
    async with papers.person("EXPERT#2") as expert:
        path = f"/do/DeclareConflict/panel/{papers.realm}/RP-2"
        form = (await expert.get(path)).text
        sent = {**hidden(form, f'<form action="{path}'), "p.organisation": "ORG-3", "p.kind": "KIN"}
        checked = (await expert.post(path, data={**sent, "step": "check"})).text
        await expert.post(path, data={**hidden(checked, f'<form action="{path}'), "step": "confirm"})
        assert (await expert.get(f"/reviews/{papers.realm}/RP-2")).status_code == 404
        assert "RP-2" not in (await expert.get("/reviews")).text


async def test_a_sheet_follows_the_rubric_and_others_marks_come_after_ones_own(tmp_path: Path) -> None:
    papers = await open_paper_house(tmp_path, SCORING)
    page = f"/reviews/{papers.realm}/RP-2"
    async with papers.person("EXPERT#2", person="P-2") as other:
        await declare(other, papers)
        checked = await fill(other, papers, {**POINTS, "need": "20"})
        await confirm(other, papers, checked.text)
        assert "88.5" in (await other.get(page)).text
    async with papers.person("EXPERT#1") as expert:
        await declare(expert, papers)
        assert "88.5" not in (await expert.get(page)).text
        short = await fill(expert, papers, {**POINTS, "budget": ""})
        assert short.status_code == 422
        assert 'value="12.5"' in short.text, "what was typed is kept"
        above = await fill(expert, papers, {**POINTS, "innovation": "11"})
        assert "超過該項滿分" in above.text
        checked = await fill(expert, papers, POINTS)
        assert "87.5" in checked.text, "what the points come to"
        done = await confirm(expert, papers, checked.text)
        assert done.status_code == 303, done.text
        after = (await expert.get(page)).text
        assert "87.5" in after
        assert "88.5" in after
        assert "已交 1 / 1 份" in after


async def test_the_panels_own_page_names_nobody_else_before_the_report(tmp_path: Path) -> None:
    papers = await open_paper_house(tmp_path, SCORING)
    async with papers.person("EXPERT#2", person="P-2") as other:
        await declare(other, papers)
        await confirm(other, papers, (await fill(other, papers, POINTS)).text)
        done = await other.get(f"/files/panel/{papers.realm}/RP-2")
    async with papers.person("EXPERT#1") as expert:
        page = await expert.get(f"/files/panel/{papers.realm}/RP-2")
    assert page.status_code == 200
    assert ["/do/SubmitScore" in one.text for one in (page, done)] == [True, False], (
        "whose sheet is in has none to give"
    )
    assert "不予顯示" in page.text
    assert set(re.findall(r"\bE[0-9]+\b|專家#[0-9]+", re.sub(r"<[^>]+>", " ", page.text))) <= {"專家#1"}


async def test_a_sheet_may_have_one_mark_and_a_draft_of_it_goes_on_from_the_panel(tmp_path: Path) -> None:
    papers = await open_paper_house(tmp_path, SCORING)
    path = f"/do/SubmitScore/panel/{papers.realm}/RP-2"
    async with papers.person("EXPERT#3", person="P-3") as expert:
        await declare(expert, papers)
        sent = hidden((await expert.get(f"{path}?part=AP-5")).text, f'<form action="{path}')
        saved = await expert.post(path, data={**sent, "p.mark": "86", "step": "save"})
        assert saved.headers["location"] in (await expert.get(f"/reviews/{papers.realm}/RP-2")).text
        kept = (await expert.get(saved.headers["location"])).text
        assert 'value="86"' in kept
        again = {**hidden(kept, f'<form action="{path}'), "p.mark": "86", "step": "check"}
        done = await confirm(expert, papers, (await expert.post(path, data=again)).text)
        assert done.status_code == 303, done.text
