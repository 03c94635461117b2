"""Auditors verify, recompute and replay on pages, and see who did, tried and read what; nobody else does."""

from __future__ import annotations

import asyncio
import io
import re
from typing import TYPE_CHECKING

import pytest
from python_calamine import CalamineWorkbook

from application.attempts import list_attempts
from application.own_commands import list_own
from application.pages import PageRequest
from audit.turns import Turns
from audit.verification import verify
from domain.kernel.identifier import Actor
from store.port import CommandQuery
from tests.web.console.conftest import hidden
from tests.web.console.papers import PaperHouse, open_paper_house
from tests.workflows.waiting import until
from web.console.audit.run import MOST_KEPT, AuditRun, RunKind, Runs, RunsBusy

if TYPE_CHECKING:
    import httpx

    from audit.verification import Verification

FEW = 20
"""At least so many commands has the file that is replayed."""
PATHS = ("/audit", "/audit/attempts", "/audit/commands?seat=CAB-REG%231", "/audit/reads", "/audit/maintenance")


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("papers"))


async def _run(papers: PaperHouse, person: httpx.AsyncClient, **fields: str) -> str:
    """Begin it, and read its page when it has ended."""
    token = hidden((await person.get("/audit")).text)["token"]
    begun = await person.post("/audit/runs", data={"token": token, **fields})
    assert begun.status_code == 303, begun.text

    async def is_over() -> bool:
        return papers.house.runs.list()[0].ended_at is not None

    await until(is_over)
    return (await person.get(begun.headers["Location"])).text


async def test_a_run_reports_what_it_came_to(papers: PaperHouse) -> None:
    async with papers.person("AUDIT#1") as auditor:
        verified = await _run(papers, auditor, kind="verify")
        root = re.search(r"<code>(\d+:[0-9a-f]{64})</code>", verified)
        assert root is not None
        expected = await verify(papers.house.store)
        assert root[1] == f"{expected.entries}:{expected.root}"
        kept = await _run(papers, auditor, kind="verify", roots=root[1])
        assert f"至第 {expected.entries} 條未改" in kept
        other = await _run(papers, auditor, kind="verify", roots=f"5:{'0' * 64}")
        assert "曾被改動或截短" in other
        assert "有不符" in other
        invariants = await _run(papers, auditor, kind="invariants", realm=papers.realm)
        assert "相符" in invariants
        again = await _run(papers, auditor, kind="replay", subject="PJ-3", realm=papers.realm)
        assert "逐項重判" in again
        listed = (await auditor.get("/audit")).text
    assert listed.count('href="/audit/runs/') == 5


@pytest.mark.parametrize("kind", list(RunKind))
async def test_others_have_their_turns_while_a_run_goes_through_the_log(
    papers: PaperHouse, monkeypatch: pytest.MonkeyPatch, kind: RunKind
) -> None:
    turns = 0

    async def give_way(_of: Turns) -> None:
        nonlocal turns
        turns += 1
        await asyncio.sleep(0)

    monkeypatch.setattr(Turns, "give_way", give_way)  # how long an entry takes is the machine's affair
    async with papers.person("AUDIT#1") as auditor:
        await _run(papers, auditor, kind=kind, subject="PJ-3")
    (run, *_) = papers.house.runs.list()
    assert run.failure is None
    assert turns > (run.entries or FEW) / 2


async def test_what_cannot_be_run_is_said(papers: PaperHouse) -> None:
    async with papers.person("AUDIT#1") as auditor:
        token = hidden((await auditor.get("/audit")).text)["token"]
        wrong = await auditor.post("/audit/runs", data={"token": token, "kind": "verify", "roots": "許多"})
        nothing = await auditor.post("/audit/runs", data={"token": token, "kind": "replay", "subject": "PJ-404"})
        none = await auditor.post("/audit/runs", data={"token": token, "kind": "else"})
        gone = await auditor.get("/audit/runs/3f0c7a52-5d1e-4a6b-9c55-0e4f2f6f1a10")
    assert [one.status_code for one in (wrong, nothing, none, gone)] == [422, 404, 422, 404]
    assert "根校驗值寫作" in wrong.text


@pytest.mark.parametrize("seat", ["CAB-REG#1", "CAB-DEC#1", "SO-PM#1", "EXPERT#1", "PUBLIC#1"])
async def test_nobody_else_has_these_pages(papers: PaperHouse, seat: str) -> None:
    async with papers.person(seat) as other:
        answers = [await other.get(path) for path in PATHS]
        begun = await other.post("/audit/runs", data={**hidden((await other.get("/")).text, "<body"), "kind": "verify"})
        assert 'href="/audit"' not in (await other.get("/")).text
    assert {one.status_code for one in (*answers, begun)} == {403}


async def test_who_did_and_who_tried_is_told_with_the_receipt(papers: PaperHouse) -> None:
    (attempt, *_) = (await list_attempts(papers.house.store)).rows
    async with papers.person("DISC#1") as inspector:
        pages = [(await inspector.get(path)).text for path in PATHS]
        done = await inspector.get("/audit/commands", params={"seat": str(attempt.actor)})
        wrong = await inspector.get("/audit/commands", params={"seat": "張三"})
        receipt = await inspector.get(f"/receipts/{attempt.command_id}")
    assert f"/receipts/{attempt.command_id}" in pages[1]
    assert f"/receipts/{attempt.command_id}" in done.text
    assert receipt.status_code == 200
    assert "未獲辦理" in receipt.text
    assert wrong.status_code == 422
    assert 'href="/audit"' in pages[0]


@pytest.mark.full
async def test_one_runs_at_a_time_and_only_so_many_are_kept(papers: PaperHouse) -> None:
    runs = Runs()

    async def work(run: AuditRun) -> Verification:
        return await verify(papers.house.store, progress=run)

    for _ in range(MOST_KEPT + 2):
        run = runs.begin(AuditRun(RunKind.VERIFY, "person:P-1"), work)
        with pytest.raises(RunsBusy):
            runs.begin(AuditRun(RunKind.VERIFY, "person:P-2"), work)

        async def is_over(run: AuditRun = run) -> bool:
            return run.ended_at is not None

        await until(is_over)
        assert run.reached == run.entries > 0
    assert len(runs.list()) == MOST_KEPT
    await runs.aclose()


async def test_what_auditors_look_at_is_had_as_spreadsheets_with_as_many_rows(papers: PaperHouse) -> None:
    everything = await list_attempts(papers.house.store)
    theirs = await list_own(papers.house.store, CommandQuery(Actor("CAB-REG#1"), None, is_accepted=None), PageRequest())
    async with papers.person("AUDIT#1") as auditor, papers.person("CAB-REG#1") as officer:
        for path, head, rows in (
            ("/audit/attempts", "規則", len(everything.rows)),
            ("/audit/commands?seat=CAB-REG%231", "未獲辦理的原因", len(theirs.rows)),
            ("/audit/reads", "登錄", 0),
        ):
            mark = "&" if "?" in path else "?"
            sheet = await auditor.get(f"{path}{mark}format=xlsx")
            sheet_rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet.content)).get_sheet_by_index(0).to_python()
            assert head in sheet_rows[0]
            assert len(sheet_rows) - 1 == rows
            assert (await officer.get(f"{path}{mark}format=xlsx")).status_code == 403
        assert "format=xlsx" in (await auditor.get("/audit/attempts")).text
