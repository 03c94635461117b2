"""Every command of the catalogue has a form: it shows, it takes what is typed, and what is typed stays text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape, unescape
from typing import TYPE_CHECKING

import pytest

from domain.approval.request import Approvers, OpenApproval
from domain.catalogue import AGGREGATES
from domain.kernel.acting import PersonId
from domain.kernel.identifier import LIVE, Actor, Role, StreamId
from domain.kernel.state import NONE, State
from domain.project.contract import digest_account
from domain.registers.incubation_base import DesignateBase, Tier
from store.port import EventStore, StoreUnavailable
from tests.office import office_of
from tests.tables import each_of
from tests.web.console.conftest import EVERY_SEAT, hidden
from tests.web.console.papers import PaperHouse, open_paper_house

if TYPE_CHECKING:
    import httpx

    from domain.kernel.message import Command

OFFERED = [
    (aggregate.kind, command)
    for aggregate in AGGREGATES.values()
    for command in aggregate.commands
    if command.by != (Role.SYS,)
]
PAPERS = {
    "project": "AP-5",
    "need": "ND-2",
    "round": "R-FZ-2023",
    "panel": "RP-2",
    "organisation": "ORG-3",
    "fund": "FS-FZ",
    "scheme": "fuzhou",
    "base": "BASE-1",
    "approval": "AV-1",
}
"""What the story has of each kind."""
LIVING = {"office": "office", "person": "P-1", "seat": "CAB-REG.1"}
"""What the office on the wall clock has."""
BEGINNING = {"calendar": "cn", "realm": "clock"}
"""What it would begin."""
HOSTILE = "<script>alert('x')</script>\"'{{7*7}}&\u202e"
_NAMES = re.compile(r'<(?:input|textarea|select)[^>]*? name="(p\.[^"]+)"')


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    house = await open_paper_house(tmp_path_factory.mktemp("papers"))
    office = office_of(house.house.store)
    await office.fill("CAB-REG#1")
    base = DesignateBase(name="市級基地", tier=Tier.MUNICIPAL, operator="ORG-3")
    at = (await house.house.store.realm(house.realm)).now
    await house.house.door.send(StreamId.of("base", house.realm, "BASE-1"), base, Actor("CAB-DEC#1"), at=at)
    command = OpenApproval(title="場地租用", groups=(Approvers(seats=(Actor("CAB-DEC#1"),)),))
    await house.house.door.send(StreamId.of("approval", house.realm, "AV-1"), command, Actor("HOST#1"), at=at)
    return house


async def _stream(papers: PaperHouse, kind: str) -> StreamId:
    """One of that kind."""
    if kind in PAPERS:
        return StreamId.of(kind, papers.realm, PAPERS[kind])
    if kind == "door":
        streams = [row.stream async for row in papers.house.store.standings(kind="door")]
        return streams[0]
    return StreamId.of(kind, LIVE, {**LIVING, **BEGINNING}.get(kind, "X-1"))


def _fields(page: str) -> list[str]:
    return [name for name in _NAMES.findall(page) if not name.endswith(".file") and not name.startswith("p.account.")]


@each_of(2, "kind, command", OFFERED, ids=[f"{kind} {command.command_type}" for kind, command in OFFERED])
async def test_its_form_shows_and_takes_what_is_typed_as_text(
    papers: PaperHouse, monkeypatch: pytest.MonkeyPatch, kind: str, command: type[Command]
) -> None:
    path = await _find_form(papers, monkeypatch, kind, command)
    async with papers.person(*EVERY_SEAT) as person:
        typed, names = _fill_in(await _show(person, path))
        answer = await person.post(path, data={**typed, "step": "check"})
    assert answer.status_code in (200, 422), answer.text
    _require_kept_as_text(answer.text, names)


@pytest.mark.parametrize(("kind", "command"), dict(reversed(OFFERED)).items())
async def test_what_was_typed_stays_where_it_cannot_be_taken(
    papers: PaperHouse, monkeypatch: pytest.MonkeyPatch, kind: str, command: type[Command]
) -> None:
    path = await _find_form(papers, monkeypatch, kind, command)
    async with papers.person(*EVERY_SEAT) as person:
        typed, names = _fill_in(await _show(person, path))
        forged = await person.post(path, data={**typed, "token": "another page's", "step": "check"})
        monkeypatch.setattr("web.guard.find_caller", _find_nobody)
        away = await person.post(path, data={**typed, "step": "check"})
    assert (forged.status_code, away.status_code) == (403, 503)
    for page in (forged.text, away.text):
        _require_kept_as_text(page, names)


async def _find_form(papers: PaperHouse, monkeypatch: pytest.MonkeyPatch, kind: str, command: type[Command]) -> str:
    """Its address; whoever looks may give the command."""
    would_begin = kind in BEGINNING and NONE in command.during
    if kind not in {*PAPERS, *LIVING, "door"} and not would_begin:  # its form is shown as if somebody had begun one
        stage = command.during[0] if command.during else "X"

        async def load_begun(_: EventStore, stream: StreamId) -> State:
            return State(stream, stage=stage, version=1)

        monkeypatch.setattr("web.console.command.filling.load_state", load_begun)
    # a reviewer declares their interests before the form is shown: tests/web/console/test_reviews.py
    monkeypatch.setattr("web.console.command.page.find_own_review", lambda _: None)
    return f"/do/{command.command_type}/{await _stream(papers, kind)}"


def _fill_in(page: str) -> tuple[dict[str, str], list[str]]:
    """The form with what is hostile in each field, and the fields' names."""
    names = _fields(page)
    return {**hidden(page), **dict.fromkeys(names, HOSTILE)}, names


def _require_kept_as_text(page: str, names: list[str]) -> None:
    assert "<script>alert" not in page
    assert "{{7*7}}" in unescape(page) or not names, "it is kept"
    assert escape("<script>alert") in page or not names


async def _find_nobody(*_: object) -> None:
    raise StoreUnavailable("connection refused")


async def test_of_a_bank_account_only_the_digest_goes_on(papers: PaperHouse) -> None:
    path = f"/do/RegisterLedgerAccount/{await _stream(papers, 'project')}"
    number = "6222 0200-1234 5678 901"
    typed = {"p.account.bank": "中國銀行杭州分行", "p.account.holder": "測試社會組織", "p.account.number": number}
    async with papers.person("SO-ACC#1") as person:
        form = hidden((await person.get(path)).text)
        checked = await person.post(path, data={**form, **typed, "step": "edit"})
        saved = await person.post(path, data={**form, **typed, "step": "save"})
        again = await person.get(saved.headers["Location"])
        partial = await person.post(
            path, data={**form, **typed, "p.account": "a" * 64, "p.account.holder": "", "step": "check"}
        )
        letters = await person.post(path, data={**form, **typed, "p.account.number": "我的賬號", "step": "check"})
    digest = digest_account("中國銀行杭州分行", "測試社會組織", "６２２２０２００１２３４５６７８９０１")
    kept = await papers.house.identity.drafts(PersonId("P-1"), datetime.now(UTC), 20)
    assert digest in hidden(checked.text).values()
    assert digest in hidden(again.text).values()
    assert any(digest.encode() in one.form for one in kept)
    for text in (checked.text, again.text, partial.text, letters.text, *(one.form.decode() for one in kept)):
        assert number not in text
        assert "6222020012345678901" not in text
    assert (partial.status_code, letters.status_code) == (422, 422), "no older digest stands for it"
    assert 'value="中國銀行杭州分行"' in letters.text, "what is no secret is not typed again"
    assert "我的賬號" not in letters.text
    assert _FAULT.findall(letters.text) == ["三項都要填寫，賬號只含數字；賬號請重新填寫"]


_FAULT = re.compile(r'<p[^>]* class="govuk-error-message"[^>]*>(?:\s*<span[^>]*>[^<]*</span>)?(.*?)</p>', re.DOTALL)


async def test_a_line_that_stands_twice_is_told_of_once(papers: PaperHouse) -> None:
    path = f"/do/SignContract/{await _stream(papers, 'project')}"
    typed = {f"p.budget.{row}.{part}": text for row in (0, 1) for part, text in (("key", "人員費"), ("value", "5"))}
    async with papers.person("CAB-REG#1") as person:
        form = hidden((await person.get(path)).text)
        answer = await person.post(path, data={**form, **typed, "step": "check"})
    assert answer.status_code == 422
    assert [text for text in _FAULT.findall(answer.text) if "人員費" in text] == ["「人員費」 重複"]
    assert "FEFF" not in answer.text


async def test_several_faults_of_one_field_stand_one_a_line(papers: PaperHouse) -> None:
    path = f"/do/PublishCalendar/{await _stream(papers, 'calendar')}"
    async with papers.person("CAB-REG#1") as person:
        form = hidden((await person.get(path)).text)
        answer = await person.post(path, data={**form, "p.off": "<b>\n2024-13-01", "step": "check"})
    assert answer.status_code == 422
    (fault,) = (text for text in _FAULT.findall(answer.text) if "2024-13-01" in text)
    first, second = fault.split("<br>")
    assert "&lt;b&gt;" in first
    assert "2024-13-01" in second


async def _show(person: httpx.AsyncClient, path: str) -> str:
    page = await person.get(path)
    if page.status_code == 303:  # for a payment one shows anew who one is; one has, just now
        raise AssertionError(page.headers["Location"])
    assert page.status_code == 200, page.text
    return page.text


async def test_what_is_wrong_is_told_in_the_readers_language_and_signs(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1", lang="zh-CN") as reader:
        wrong = (await reader.get("/do/SubmitNeed", params={"name": "需求 甲"})).text
    async with papers.person("CAB-REG#1", lang="en") as reader:
        file = (await reader.get(f"/files/project/{papers.realm}/AP-5")).text
    assert '<span class="govuk-visually-hidden">错误:</span>' in wrong
    assert "Error" not in wrong
    assert "：" not in file


@pytest.mark.parametrize(
    ("typed", "told"),
    [("", "請填編號"), ("AP-5", "這是另一類卷宗的編號：需求的編號如 ND-101")],
    ids=["nothing", "another kind's"],
)
async def test_a_number_that_cannot_be_meant_is_told_at_once(papers: PaperHouse, typed: str, told: str) -> None:
    async with papers.person("COMM#1") as reader:
        asked = await reader.get("/do/SubmitNeed")
        answer = await reader.get("/do/SubmitNeed", params={"name": typed, "realm": papers.realm})
    assert "需求提交：新編號" in asked.text
    assert answer.status_code == 422
    assert told in answer.text
    assert f'<option value="{papers.realm}" selected>' in answer.text


async def test_what_is_looked_for_and_not_there_is_named(papers: PaperHouse) -> None:
    async with papers.person("COMM#1") as community:
        answer = await community.get("/find", params={"name": "AP-404"}, follow_redirects=True)
    assert answer.status_code == 404
    assert "找不到 AP-404" in answer.text
    async with papers.person("CAB-REG#1") as officer:
        answer = await officer.get("/find", params={"name": "AP-404"}, follow_redirects=True)
    assert "沒有編號、名稱或單位含「AP-404」的項目" in answer.text


async def test_what_holds_if_a_choice_is_left_out_is_told_by_its_word(papers: PaperHouse) -> None:
    async with papers.person("CAB-FIN#1") as finance:
        page = (await finance.get(f"/do/RegisterFundSource/fund/{papers.realm}/FS-9")).text
    assert "不填則為其他" in page
    assert "不填則為 OTHER" not in page


async def test_a_list_that_must_be_said_may_be_empty_where_its_model_lets_it(papers: PaperHouse) -> None:
    pages = {}
    for kind, command in (("organisation", "ClassifyOrganisation"), ("round", "PublishNeedCatalogue")):
        path = f"/do/{command}/{await _stream(papers, kind)}"
        async with papers.person("CAB-REG#1") as person:
            form = hidden((await person.get(path)).text)
            typed = {"p.scheme": "fuzhou@1"} if kind == "organisation" else {}
            pages[kind] = (await person.post(path, data={**form, **typed, "step": "check"})).status_code
    assert pages == {"organisation": 200, "round": 422}
