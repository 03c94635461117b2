"""What one has to do, did, and set going; and several tasks of one kind on one page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from application.attempts import list_attempts
from application.command_outcome import CommandOutcome
from application.inbox import Urgency, Waiting, WaitingFilter, list_waiting
from application.pages import wait_for_view
from domain.approval.request import Approvers, OpenApproval
from domain.catalogue import command_class
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.state import State
from domain.need import SubmitNeed
from domain.project.opening import ConfirmOpening, Openings
from domain.registers.incubation_base import DesignateBase, Tier
from tests.web.console.conftest import hidden
from tests.web.console.papers import PaperHouse, open_paper_house
from web.console.act.filling import prefill
from web.console.act.page import name_end
from web.console.inbox.page import choose_next
from web.console.together.offer import may_be_together

if TYPE_CHECKING:
    from pathlib import Path

    from domain.project.opening import OpeningProposed
    from tests.web.console.conftest import Desks
    from tests.workflows.bureau import Bureau

_COUNT = re.compile(r'aria-current="page"[^<]*?>[^<]*<span class="office-tabs__count">(\d+)</span>')
_CHOICE = re.compile(r'name="on" value="([^"]+)"')


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("papers"))


def _rows(page: str) -> int:
    return page.partition("<tbody")[2].count("<tr ")


@pytest.mark.parametrize("seat", ["CAB-REG#1", "CAB-FIN#1", "CAB-DEC#1", "SO-PM#1", "COMM#1"])
@pytest.mark.parametrize("path", ["/", "/done", "/done?refused=true", "/begun"])
async def test_each_list_has_as_many_rows_as_it_says(papers: PaperHouse, seat: str, path: str) -> None:
    async with papers.person(seat) as person:
        page = (await person.get(path)).text
        counts = [int(n) for n in _COUNT.findall(page)]
        rows = _rows(page)
        while after := re.search(r'rel="next" href="([^"]+)"', page):
            page = (await person.get(f"{path.partition('?')[0]}{unescape(after[1])}")).text
            rows += _rows(page)
    assert counts == [rows]


async def test_what_one_did_is_there_and_nobody_elses(papers: PaperHouse) -> None:
    refused = (await list_attempts(papers.house.store)).rows[0].actor
    async with papers.person(refused) as mine, papers.person("CAB-REG#9") as other:
        done, none = (await mine.get("/done")).text, (await other.get("/done")).text
        with_refused = (await mine.get("/done?refused=true")).text
    assert "/receipts/" in done
    assert "未獲辦理" not in done.partition("<tbody")[2]
    assert "未獲辦理" in with_refused.partition("<tbody")[2]
    assert "您辦理過的事項會列在這裡；目前沒有" in none


async def test_what_one_set_going_says_how_the_decision_stands(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1") as person:
        page = (await person.get("/begun")).text.partition("<tbody")[2]
    assert "已批准" in page or "待審批" in page
    assert 'href="/files/project/' in page


async def test_several_are_checked_on_one_page_and_each_is_its_own_command(desks: Desks, bureau: Bureau) -> None:
    await bureau.open_round()
    for name in ("ND-1", "ND-2", "ND-3"):
        await bureau.straight(bureau.id("need", name), SubmitNeed(round="R-1", group="空巢老人"), "COMM#1")
    after = await bureau.store.last_position()
    async with desks.person("CAB-REG#1") as person, desks.person("CAB-REG#2") as quick:
        inbox = (await person.get("/", params={"realm": bureau.realm, "at_least": after})).text
        chosen = [unescape(one) for one in _CHOICE.findall(inbox)]
        assert len(chosen) == 3
        page = (await person.get("/together", params={"on": chosen})).text
        rows = re.findall(r'name="row" value="([^"]+)"', page)
        form = {**hidden(page), "row": rows}
        checked = (await person.post("/together/AdoptNeed", data={**form, "step": "check"})).text
        assert "採納需求（3 件）" in checked
        first = f"/do/RejectNeed/{bureau.id('need', 'ND-2')}"
        theirs = hidden((await quick.get(first)).text)
        await quick.post(first, data={**theirs, "p.reason": "重複", "step": "confirm"})
        ids = [row.partition(" ")[0] for row in rows]
        answers = [
            await person.post("/together/AdoptNeed", data={**form, "take": ids, "step": "confirm"}) for _ in range(2)
        ]
    for answer in answers:
        assert "2 件已辦理，1 件未獲辦理，0 件結果未知" in answer.text
        assert "社會組織科經辦人#2" in answer.text, "who was first"
        assert f'action="/do/AdoptNeed/{bureau.id("need", "ND-2")}"' in answer.text
    for name in ("ND-1", "ND-2", "ND-3"):
        assert len([entry async for entry in bureau.store.read(bureau.id("need", name))]) == 2


async def test_what_is_awaited_begins_in_english_as_the_buttons_beside_it_do(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1", lang="en") as officer:
        inbox = (await officer.get("/")).text.partition("<tbody")[2]
        file = (await officer.get(f"/files/round/{papers.realm}/R-FZ-2023")).text
    awaited = re.findall(r'<td[^>]*><a class="govuk-link" href="/do/[^"]+">([^<]+)', inbox)
    awaited += re.findall(r'<li><a (?:class="office-act--awaited" )?href="/do/[^"]+">([^<]+)', file)
    assert awaited
    assert [one for one in awaited if not one[0].isupper()] == []


def test_what_is_of_one_file_alone_is_not_decided_for_several() -> None:
    of_one = {"SubmitScore", "PayDisbursement", "RequestDisbursement", "ConfirmLedgerAccount", "ProposeAward"}
    shared = {"AdoptNeed", "RejectNeed", "CheckDisbursement", "ApproveDisbursement", "ConfirmAct", "ConfirmAward"}
    offered = {name for name in of_one | shared if may_be_together(command_class(name))}
    assert offered == shared


async def test_several_approvals_are_given_on_one_page_each_bound_to_its_own_content(papers: PaperHouse) -> None:
    streams = [StreamId.of("approval", papers.realm, name) for name in ("AV-21", "AV-22")]
    for stream in streams:
        command = OpenApproval(title=f"場地租用 {stream.name}", groups=(Approvers(seats=(Actor("CAB-DEC#1"),)),))
        at = (await papers.house.store.realm(papers.realm)).now
        await papers.house.door.send(stream, command, Actor("HOST#1"), at=at)
    async with papers.person("CAB-DEC#1") as leader:
        on = [f"GrantApproval {stream}" for stream in streams]
        page = (await leader.get("/together", params={"on": on})).text
        rows = re.findall(r'name="row" value="([^"]+)"', page)
        form = {**hidden(page), "row": rows, "take": [row.partition(" ")[0] for row in rows], "step": "confirm"}
        done = (await leader.post("/together/GrantApproval", data=form)).text
    assert "p.digest" not in page, "nobody types what binds them"
    assert "2 件已辦理，0 件未獲辦理，0 件結果未知" in done


def test_an_opening_entry_is_confirmed_by_what_was_proposed_without_typing_its_digest() -> None:
    state = State(StreamId.of("project", "live", "AP-1"))
    entry = Openings(proposed=cast("OpeningProposed", SimpleNamespace(digest="a" * 64)))
    assert prefill(ConfirmOpening, state.with_parts(entry), "") == {"digest": "a" * 64}
    assert prefill(ConfirmOpening, state, "") == {}


async def test_whoever_has_nothing_to_do_is_told_what_there_is_to_begin(papers: PaperHouse) -> None:
    async with papers.person("SO-LEGAL#9") as applicant, papers.person("EVAL#9") as evaluator:
        pages = [(await one.get("/")).text for one in (applicant, evaluator)]
    form = 'href="/do/SubmitApplication?realm=live"'
    assert [form in page for page in pages] == [True, False]
    assert "/do/ConfirmOpening?" not in pages[0]


@pytest.mark.full
async def test_what_is_late_leads_who_is_only_told_of_it_to_the_file_and_is_not_theirs_to_tick(tmp_path: Path) -> None:
    approved = await open_paper_house(tmp_path, datetime(2023, 6, 1, tzinfo=UTC))
    base = DesignateBase(name="市級基地", tier=Tier.MUNICIPAL, operator="ORG-3")
    later = StreamId.of("base", approved.realm, "BASE-1")  # whatever is dated so late makes the payment late
    await approved.house.door.send(later, base, Actor("CAB-DEC#1"), at=datetime(2023, 8, 1, 4, tzinfo=UTC))
    position = await approved.house.store.last_position()
    pages = {}
    for seat in ("CAB-FIN#1", "FISCAL#1"):
        async with approved.person(seat) as person:
            pages[seat] = (await person.get("/", params={"at_least": position})).text.partition("<tbody")[2]
    assert all("撥付資金" in page for page in pages.values())
    form = f'href="/do/PayDisbursement/project/{approved.realm}/AP-5?part=T1"'
    assert form in pages["FISCAL#1"]
    assert "/do/PayDisbursement" not in pages["CAB-FIN#1"]
    assert 'value="PayDisbursement' not in pages["CAB-FIN#1"]
    assert f'href="/files/project/{approved.realm}/AP-5"' in pages["CAB-FIN#1"]


async def test_what_is_of_several_kinds_is_taken_kind_by_kind(papers: PaperHouse) -> None:
    one, other = (f"project/{papers.realm}/{name}" for name in ("AP-5", "AP-6"))
    async with papers.person("CAB-REG#1") as person:
        none = await person.get("/together")
        token = hidden(none.text, "office-menu__body")["token"]
        mixed = await person.get("/together", params={"on": [f"CloseProject {one}", f"ArchiveProject {other}"]})
        single = await person.get("/together", params={"on": [f"RequestDisbursement {one} T1"]})
        wrong = await person.get("/together", params={"on": ["CheckDisbursement x", "CheckDisbursement ../y"]})
        nothing = await person.post("/together/CheckDisbursement", data={"token": token})
        of_one = await person.get("/together", params={"on": [f"SubmitScore {one} AP-5", f"SubmitScore {one} AP-6"]})
    assert of_one.status_code == 404
    assert "尚未選取事項" in none.text
    links = [
        parse_qs(urlsplit(unescape(href)).query)["on"] for href in re.findall(r'href="(/together[^"]+)"', mixed.text)
    ]
    assert links == [[f"CloseProject {one}"], [f"ArchiveProject {other}"]]
    assert single.headers["Location"] == f"/do/RequestDisbursement/{one}?part=T1"
    assert (mixed.status_code, wrong.status_code, nothing.status_code) == (422, 422, 422)


async def test_a_round_decided_award_by_award_waits_for_its_results_to_be_published(papers: PaperHouse) -> None:
    await wait_for_view(papers.house.store, "waiting", await papers.house.store.last_position(), patience_s=30)
    page = await list_waiting(papers.house.store, WaitingFilter(realm=papers.realm, role="CAB-REG"))
    of_rounds = [(one.stream.name, one.command, one.zh) for one in page.rows if one.stream.kind == "round"]
    assert of_rounds == [("R-FZ-2023", "PublishResult", "公布結果")]


def _wait(stream: str) -> Waiting:
    return Waiting(StreamId(stream), ("CAB-REG",), "ConfirmAward", "", "", "", "", None, Urgency.OPEN)


def test_the_next_task_is_of_the_same_file_then_of_its_round_then_of_its_realm() -> None:
    done = StreamId.of("project", "live", "AP-1")
    rounds = {done: "R-1", StreamId.of("project", "live", "AP-2"): "R-1", StreamId.of("project", "old", "AP-2"): "R-1"}
    rows = [
        _wait(str(StreamId.of(*one)))
        for one in (
            ("project", "old", "AP-2"),
            ("project", "live", "AP-9"),
            ("project", "live", "AP-2"),
            ("round", "live", "R-1"),
            ("project", "live", "AP-1"),
        )
    ]
    chosen = []
    while (one := choose_next(rows, done, rounds)) is not None:
        chosen.append(one.stream)
        rows.remove(one)
    names = [f"{stream.realm} {stream.name}" for stream in chosen]
    assert names == ["live AP-1", "live AP-2", "live R-1", "live AP-9", "old AP-2"]


@pytest.mark.parametrize(
    ("events", "name"),
    [(("ActProposed",), "proposed"), (("ActConfirmed", "SeatGranted"), "done"), (("SeatGranted",), "done")],
)
def test_what_waits_for_a_second_person_is_not_called_done(events: tuple[str, ...], name: str) -> None:
    at, stream = datetime(2026, 5, 29, tzinfo=UTC), StreamId.of("seat", "live", "CAB-REG.3")
    outcome = CommandOutcome(uuid4(), stream, "GrantSeat", Actor("ADMIN#1"), 3, 9, events, (), at, at, "00")
    assert name_end(outcome) == name
