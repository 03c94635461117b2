"""From a task to a recorded decision: checked first, done once, refused with all that is missing and nothing lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote
from uuid import UUID, uuid4

import pytest

from domain.kernel.identifier import StreamId
from domain.need import SubmitNeed
from tests.paper import REPORTED
from tests.web.console.conftest import hidden
from tests.web.console.papers import PaperHouse, open_paper_house

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.web.console.conftest import Desks
    from tests.web.console.papers import Sessions
    from tests.workflows.bureau import Bureau


async def _submitted(bureau: Bureau, name: str = "ND-1") -> str:
    """A need that waits to be adopted: the path of that act."""
    await bureau.open_round()
    stream = bureau.id("need", name)
    await bureau.straight(stream, SubmitNeed(round="R-1", group="空巢老人"), "COMM#1")
    return f"/do/AdoptNeed/{stream}"


async def _check(person: httpx.AsyncClient, path: str, **typed: str) -> httpx.Response:
    """Open the form, fill it in, and have it checked."""
    form = hidden((await person.get(path)).text)
    return await person.post(path, data={**form, **typed, "step": "check"})


async def test_a_task_is_decided_from_the_inbox_and_the_receipt_leads_on(desks: Desks, bureau: Bureau) -> None:
    path = await _submitted(bureau)
    after = await bureau.store.last_position()
    async with desks.person("CAB-REG#1") as person:
        inbox = await person.get("/", params={"realm": bureau.realm, "at_least": after})
        assert f'href="{path}"' in inbox.text
        checked = await _check(person, path)
        assert "採納需求" in checked.text
        assert await bureau.store.journalled(UUID(hidden(checked.text)["id"])) is None
        done = await person.post(path, data={**hidden(checked.text), "step": "confirm"})
        assert done.status_code == 303
        receipt = await person.get(done.headers["Location"])
        assert "已辦理" in receipt.text
        rest = await person.get("/", params={"realm": bureau.realm, "at_least": await bureau.store.last_position()})
    assert f'href="{path}"' not in rest.text


async def test_pressing_twice_and_going_back_is_asking_again_and_has_one_answer(desks: Desks, bureau: Bureau) -> None:
    path = await _submitted(bureau)
    async with desks.person("CAB-REG#1") as person:
        form = {**hidden((await _check(person, path)).text), "step": "confirm"}
        answers = await asyncio.gather(*(person.post(path, data=form) for _ in range(5)))
        late = await person.post(path, data=form)
        pages = [await person.get(answer.headers["Location"]) for answer in (answers[0], late)]
    assert {answer.headers["Location"] for answer in (*answers, late)} == {f"/receipts/{form['id']}"}
    assert len({one.text.partition("<main")[2] for one in pages}) == 1
    assert len([entry async for entry in bureau.store.read(bureau.id("need", "ND-1"))]) == 2


async def test_who_comes_second_is_told_who_was_first_and_keeps_their_text(desks: Desks, bureau: Bureau) -> None:
    path = await _submitted(bureau)
    other = path.replace("AdoptNeed", "RejectNeed")
    async with desks.person("CAB-REG#1") as first, desks.person("CAB-REG#2") as second:
        mine = hidden((await _check(first, path)).text)
        theirs = hidden((await _check(second, other, **{"p.reason": "與本屆主題<不>符"})).text)
        await first.post(path, data={**mine, "step": "confirm"})
        lost = await second.post(other, data={**theirs, "step": "confirm"})
    assert lost.status_code == 409
    assert "社會組織科經辦人#1" in lost.text
    kept = hidden(lost.text)
    assert kept["p.reason"] == "與本屆主題<不>符"
    assert kept["id"] != theirs["id"], "what was refused is recorded: another try is another command"


async def test_what_cannot_be_read_is_said_beside_its_field_and_at_the_top(desks: Desks, bureau: Bureau) -> None:
    await bureau.open_round()
    path = f"/do/SubmitNeed/{bureau.id('need', 'ND-7')}"
    async with desks.person("COMM#1") as person:
        answer = await _check(person, path, **{"p.head_count": "許多", "p.group": "殘障兒童"})
    assert answer.status_code == 422
    assert "<title>錯誤：" in answer.text
    for field in ("p-round", "p-head_count"):
        assert f'href="#{field}"' in answer.text
        assert f'id="{field}-error"' in answer.text
    assert 'value="殘障兒童"' in answer.text
    assert 'value="許多"' in answer.text


async def test_what_is_not_met_is_told_before_anything_is_recorded(desks: Desks, bureau: Bureau) -> None:
    await bureau.open_round()
    path = f"/do/SubmitNeed/{bureau.id('need', 'ND-8')}"
    async with desks.person("COMM#1") as person:
        answer = await _check(person, path, **{"p.round": "R-404", "p.group": "殘障兒童"})
    assert answer.status_code == 200
    assert "暫不能辦理，還須滿足以下條件" in answer.text
    assert hidden(answer.text)["p.group"] == "殘障兒童"
    assert await bureau.store.standing(bureau.id("need", "ND-8")) is None


async def test_a_form_for_another_role_says_whose_it_is(desks: Desks, bureau: Bureau) -> None:
    path = await _submitted(bureau)
    async with desks.person("CAB-FIN#1") as person:
        answer = await person.get(path)
    assert answer.status_code == 403
    assert "由社會組織科經辦人辦理" in answer.text


async def test_a_seat_that_is_not_ones_own_cannot_be_put_on_a_form(desks: Desks, bureau: Bureau) -> None:
    path = await _submitted(bureau)
    async with desks.person("CAB-REG#1") as person:
        form = hidden((await _check(person, path)).text)
        done = await person.post(path, data={**form, "seat": "CAB-REG#2", "step": "confirm"})
        receipt = await person.get(done.headers["Location"])
    assert "社會組織科經辦人#1" in receipt.text
    assert "#2" not in receipt.text


@pytest.mark.parametrize("command_id", ["", "nonsense", "886313e1-3b8a-5372-9b90-0c9aee199e5d"])
async def test_an_id_that_the_form_did_not_make_does_nothing(desks: Desks, bureau: Bureau, command_id: str) -> None:
    path = await _submitted(bureau)
    async with desks.person("CAB-REG#1") as person:
        form = hidden((await _check(person, path)).text)
        answer = await person.post(path, data={**form, "id": command_id, "step": "confirm"})
    assert answer.status_code in (409, 422)
    assert len([entry async for entry in bureau.store.read(bureau.id("need", "ND-1"))]) == 1


async def test_the_receipt_of_nobody_is_not_there(desks: Desks) -> None:
    async with desks.person("CAB-REG#1") as person:
        assert (await person.get(f"/receipts/{uuid4()}")).status_code == 404
        assert (await person.get("/receipts/nonsense")).status_code == 422


async def test_before_a_payment_is_approved_one_shows_anew_who_one_is(tmp_path: Path) -> None:
    papers: PaperHouse = await open_paper_house(tmp_path)
    path = f"/do/ApproveDisbursement/project/{papers.realm}/AP-5?part=T1"
    async with papers.person("CAB-DEC#1") as person:
        form = hidden((await person.get(path)).text)
        sessions: Sessions = papers.house.identity  # type: ignore[assignment] # as this house has it
        sessions.of = {
            token: replace(one, proved_at=one.proved_at - timedelta(minutes=6)) for token, one in sessions.of.items()
        }
        answer = await person.get(path)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/sign-in?next=%2Fdo%2FApproveDisbursement")
        door = await person.get(answer.headers["Location"])
        sent = await person.post(path.partition("?")[0], data={**form, "p.tranche": "T1", "step": "confirm"})
        rows = [f"{uuid4()} project/{papers.realm}/AP-5 T1" for _ in range(2)]
        several = await person.post(
            "/together/ApproveDisbursement", data={"token": form["token"], "seat": "CAB-DEC#1", "row": rows}
        )
        back = unquote(sent.headers["Location"].partition("next=")[2])
        back_to_several = unquote(several.headers["Location"].partition("next=")[2])
        sessions.of = {token: replace(one, proved_at=datetime.now(UTC)) for token, one in sessions.of.items()}
        again = await person.get(back)
        selected = await person.get(back_to_several)
    assert "請再次確認身份" in door.text
    assert back == f"{path.partition('?')[0]}?draft={form['id']}"
    assert hidden(again.text)["id"] == form["id"]
    assert 'value="T1"' in again.text
    assert all(f'name="row" value="{row}"' in selected.text for row in rows)


async def test_who_checks_a_tranche_has_its_amount_and_payee_before_them(tmp_path: Path) -> None:
    papers = await open_paper_house(tmp_path, datetime(2023, 5, 29, 12, tzinfo=UTC))
    project = StreamId.of("project", papers.realm, "AP-5")
    entries = [entry async for entry in papers.house.store.read(project)]
    command_id = next(one.command_id for one in entries if one.type == "DisbursementRequested")
    async with papers.person("CAB-FIN#1") as person, papers.person("CAB-REG#1") as officer:
        form = (await person.get(f"/do/CheckDisbursement/{project}?part=T1")).text
        typed = {**hidden(form), "p.tranche": "T1", "step": "check"}
        checked = (await person.post(f"/do/CheckDisbursement/{project}", data=typed)).text
        receipt = (await officer.get(f"/receipts/{command_id}")).text
        inbox = (await person.get("/")).text
        rows = [f"{uuid4()} {project} T1" for _ in range(2)]
        several = {"token": typed["token"], "seat": "CAB-FIN#1", "row": rows, "step": "check"}
        together = (await person.post("/together/CheckDisbursement", data=several)).text
    assert together.count("本期申請金額 ¥35,000.00 人民幣叁萬伍仟元整") == len(rows)
    assert '¥35,000.00<br><span class="office-small">本期申請金額</span>' in inbox
    assert ">PJ-3</a>" in receipt, "by the number that the office knows"
    for page in (form, checked, receipt):
        assert '¥35,000.00 <span class="office-spell">人民幣叁萬伍仟元整</span>' in page
        assert "<dt>收款方</dt>" in page
        assert "<dt>收款賬戶</dt><dd>已備案</dd>" in page
        assert "<dt>金額</dt>" not in page


async def test_a_document_is_kept_when_it_comes_and_goes_on_by_its_digest(desks: Desks, bureau: Bureau) -> None:
    await bureau.open_round()
    stream = bureau.id("need", "ND-9")
    path = f"/do/SubmitNeed/{stream}"
    typed = {"p.round": "R-1", "p.group": "殘障兒童", "step": "check"}
    async with desks.person("COMM#1") as person:
        form = {**hidden((await person.get(path)).text), **typed}
        wrong = await person.post(path, data=form, files={"p.attachments.file": ("x.exe", b"MZ", "text/plain")})
        assert wrong.status_code == 422
        assert 'href="#p-attachments"' in wrong.text
        right = await person.post(path, data=form, files={"p.attachments.file": ("說明.txt", "照片三張".encode())})
        assert right.status_code == 200
        assert "說明.txt" in right.text
        mended = await person.post(path, data={**hidden(right.text), "step": "edit"})
        assert "已附：說明.txt" in mended.text
        done = await person.post(path, data={**hidden(right.text), "step": "confirm"})
        assert done.status_code == 303
        digest = hidden(right.text)["p.attachments.0.sha256"]
        kept = await person.get(f"/v1/documents/{digest}", params={"stream": stream})
        assert f'href="/v1/documents/{digest}?' in (await person.get(f"/files/{stream}")).text
    assert kept.content == "照片三張".encode()


async def test_a_round_is_resolved_on_what_was_looked_at(tmp_path: Path) -> None:
    papers = await open_paper_house(tmp_path, until=REPORTED)
    path = f"/do/ResolveRound/round/{papers.realm}/R-FZ-2023"
    async with papers.person("CAB-REG#1") as person:
        page = await person.get(path)
        assert "85.33" in page.text, "the ranking stands beside the form"
        assert '<div class="office-scroll" role="region" aria-label="排名"' in page.text, "and scrolls on a telephone"
        assert "p.preview" not in page.text
        typed = {
            "p.panels": "RP-2",
            "p.selected.0.application": "AP-5",
            "p.selected.0.project": "PJ-3",
            "p.selected.0.award": "50,000",
            "p.selected.0.funds": "FS-FZ:50000",
            "p.selected.0.panel": "RP-2",
        }
        form = {**hidden(page.text), **typed, "step": "check"}
        minutes = {"p.minutes.file": ("會議紀要.txt", "擬資助一項".encode())}
        checked = await person.post(path, data=form, files=minutes)
    assert checked.status_code == 200
    assert len(hidden(checked.text)["p.preview"].strip("0")) > 10, "what was looked at is bound to what is confirmed"
    assert "入選" in checked.text
    assert "審定評審結果" in checked.text


@pytest.mark.full
async def test_a_resolution_that_was_refused_meanwhile_leads_back_to_what_was_typed(tmp_path: Path) -> None:
    papers = await open_paper_house(tmp_path, until=REPORTED)
    path = f"/do/ResolveRound/round/{papers.realm}/R-FZ-2023"
    selected = {"application": "AP-5", "project": "PJ-3", "award": "50,000", "funds": "FS-FZ:50000", "panel": "RP-2"}
    typed = {"p.panels": "RP-2", **{f"p.selected.0.{name}": text for name, text in selected.items()}}
    async with papers.person("CAB-REG#1") as person:
        form = hidden((await person.get(path)).text)
        minutes = {"p.minutes.file": ("會議紀要.txt", "擬資助一項".encode())}
        checked = await person.post(path, data={**form, **typed, "step": "check"}, files=minutes)
        sent = {**hidden(checked.text), "p.preview": "0" * 64, "step": "confirm"}
        receipt = await person.get((await person.post(path, data=sent)).headers["Location"])
        while receipt.status_code == 202:
            await asyncio.sleep(0)
            receipt = await person.get(receipt.url)
        again = await person.get(f"{path}?draft={sent['id']}")
    assert f'href="{path}?draft={sent["id"]}"' in receipt.text
    assert 'value="FS-FZ:50000"' in again.text
    assert hidden(again.text)["id"] != sent["id"], "what was refused is recorded: another try is another command"
