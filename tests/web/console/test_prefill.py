"""What is known is not typed again: forms begin with it, and numbers are chosen from lists of what one may see."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from application.inbox import WaitingFilter, list_waiting
from application.pages import wait_for_view
from deciding.fold import fold
from domain.approval.request import Approvers, OpenApproval
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.relation import scope_kind
from domain.kernel.scope import Scope, ScopeKind
from domain.need import Need
from domain.registers.seat import EstablishSeat, seat_stream
from languages.script import simplify
from schemes.scheme_file import load_shipped
from tests.paper import REPORTED
from tests.web.console.conftest import hidden
from tests.web.console.papers import PaperHouse, open_paper_house

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

SOLICITING = datetime(2023, 3, 16, tzinfo=UTC)
"""Needs are collected."""
OURS = Scope(kind=ScopeKind.ORGANISATION, names=("ORG-3",))


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    house = await open_paper_house(tmp_path_factory.mktemp("papers"), until=REPORTED)
    await wait_for_view(house.house.store, "streams", await house.house.store.last_position(), patience_s=30)
    return house


async def _form(person: httpx.AsyncClient, path: str) -> str:
    answer = await person.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def _value(page: str, name: str) -> str:
    field = re.search(rf'name="p\.{re.escape(name)}"[^>]*? value="([^"]*)"', page)
    return field[1] if field else ""


def _offered(page: str, name: str) -> list[str]:
    listed = re.search(rf'<datalist id="known-{name}">(.*?)</datalist>', page)
    return re.findall(r'value="([^"]+)"', listed[1]) if listed else []


def _typed(page: str, name: str) -> list[str]:
    area = re.search(rf'name="p\.{name}"[^>]*>([^<]*)</textarea>', page)
    return area[1].split() if area else []


async def test_an_award_begins_with_what_was_applied_for_and_offers_panels_and_funds(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1") as person:
        page = await _form(person, f"/do/ProposeAward/project/{papers.realm}/AP-5")
    assert _value(page, "award") == "50000"
    assert _offered(page, "panel") == ["RP-2"]
    assert _value(page, "panel") == "RP-2", "the one that reported on it"
    assert "FS-FZ" in _offered(page, "funds")
    assert 'list="known-funds"' in page
    assert '<span class="office-spell">人民幣伍萬元整</span>' in page, "money is spelt beside it"


async def test_a_round_with_bids_still_to_be_decided_waits_for_its_resolution(papers: PaperHouse) -> None:
    await wait_for_view(papers.house.store, "waiting", await papers.house.store.last_position(), patience_s=30)
    page = await list_waiting(papers.house.store, WaitingFilter(realm=papers.realm, role="CAB-REG"))
    assert [one.command for one in page.rows if one.stream.kind == "round"] == ["ResolveRound"]


async def test_parties_of_an_agreement_are_offered_to_the_bureau_by_whom_seats_act_for(papers: PaperHouse) -> None:
    register = Actor("ADMIN#1")
    at = (await papers.house.store.realm(papers.realm)).now
    for seat, names in (("HOST#7", ("HOST-10", "HOST-2")), ("AUDIT#7", ("AUDIT-7",)), ("COMM#7", ("COMM-7",))):
        scope = Scope(kind=scope_kind(Actor(seat).role), names=names)
        stream = seat_stream(papers.realm, Actor(seat))
        await papers.house.door.send(stream, EstablishSeat(scope=scope), register, at=at)
    await wait_for_view(papers.house.store, "streams", await papers.house.store.last_position(), patience_s=30)
    async with papers.person("CAB-REG#1") as officer, papers.person("SO-LEGAL#1", scope=OURS) as organisation:
        page = await _form(officer, f"/do/SignContract/project/{papers.realm}/AP-5")
        bid = await _form(organisation, f"/do/SubmitApplication/project/{papers.realm}/AP-99")
    assert _offered(page, "host") == ["HOST-2", "HOST-10"]
    assert _offered(page, "auditor") == ["AUDIT-7"]
    assert _offered(page, "community") == ["COMM-7"]
    assert 'list="known-host"' in page
    assert not _offered(bid, "community"), "the register of seats is the house's"


async def test_in_english_an_amount_is_in_figures_alone(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1", lang="en") as person:
        page = await _form(person, f"/do/ProposeAward/project/{papers.realm}/AP-5")
    assert _value(page, "award") == "50000"
    assert "元整" not in page


async def test_an_application_begins_with_ones_own_organisation_and_offers_nobody_elses(papers: PaperHouse) -> None:
    async with papers.person("SO-LEGAL#1", scope=OURS) as person, papers.person("CAB-REG#1") as officer:
        page = await _form(person, f"/do/SubmitApplication/project/{papers.realm}/AP-99")
        needs = await _form(officer, f"/do/MergeNeed/need/{papers.realm}/ND-2")
    assert _value(page, "organisation") == "ORG-3"
    assert _offered(page, "organisation") == ["ORG-3"]
    assert _offered(page, "need") == ["ND-2"], "what was adopted"
    assert not _offered(page, "panel")
    assert "ND-2" in {one for name in ("into", "other") for one in _offered(needs, name)}


async def test_what_is_said_in_words_of_the_city_is_offered_from_its_lists(papers: PaperHouse) -> None:
    lists = load_shipped("fuzhou").codelists
    assert lists is not None
    fields, groups = ([term.name for term in terms or ()] for terms in (lists.fields, lists.groups))
    assert fields
    assert groups
    async with papers.person("SO-LEGAL#1", scope=OURS) as person, papers.person("SO-PM#1", scope=OURS) as manager:
        bid = await _form(person, f"/do/SubmitApplication/project/{papers.realm}/AP-99")
        activity = await _form(manager, f"/do/RecordActivity/project/{papers.realm}/AP-5")
    assert f"：{'、'.join(fields)}" in bid, "as it is recorded, in whichever characters the page is"
    assert _offered(activity, "group") == groups
    assert _offered(activity, "field") == fields


async def test_a_need_begins_with_the_round_that_collects_needs(tmp_path: Path) -> None:
    papers = await open_paper_house(tmp_path, until=SOLICITING)
    await wait_for_view(papers.house.store, "streams", await papers.house.store.last_position(), patience_s=30)
    async with papers.person("COMM#1") as person:
        page = await _form(person, f"/do/SubmitNeed/need/{papers.realm}/ND-99")
    async with papers.person("CAB-REG#1") as officer:
        adoption = await _form(officer, f"/do/AdoptNeed/need/{papers.realm}/ND-2")
        call = await _form(officer, f"/do/PublishCall/round/{papers.realm}/R-FZ-2023")
    assert f'href="/do/RejectNeed/need/{papers.realm}/ND-2"' in adoption, "what may be decided instead"
    assert _offered(call, "scheme") == ["fuzhou@1"]
    assert _value(page, "round") == "R-FZ-2023"
    assert _offered(page, "round") == ["R-FZ-2023"]


async def test_a_decision_is_bound_to_what_waits_without_typing_its_digest(papers: PaperHouse) -> None:
    at = (await papers.house.store.realm(papers.realm)).now
    stream = StreamId.of("approval", papers.realm, "AV-1")
    command = OpenApproval(title="場地租用", groups=(Approvers(seats=(Actor("CAB-DEC#1"),)),))
    await papers.house.door.send(stream, command, Actor("HOST#1"), at=at)
    async with papers.person("CAB-DEC#1") as person:
        page = await _form(person, f"/do/GrantApproval/{stream}")
    assert re.fullmatch("[0-9a-f]{64}", _value(page, "digest"))


async def test_what_a_panel_scores_and_a_list_of_needs_holds_is_filled_in(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1") as person:
        panel = await _form(person, f"/do/DrawPanel/panel/{papers.realm}/RP-9")
        needs = await _form(person, f"/do/PublishNeedCatalogue/round/{papers.realm}/R-FZ-2023")
    assert _value(panel, "round") == "R-FZ-2023"
    assert "AP-5" in _typed(panel, "applications"), "what passed the preliminary review"
    assert _typed(needs, "needs") == ["ND-2"], "what was adopted"
    assert "可填：ND-2（" in needs


async def test_a_round_is_decided_as_its_ranking_would_have_it_until_somebody_changes_that(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1") as person:
        page = await _form(person, f"/do/ResolveRound/round/{papers.realm}/R-FZ-2023")
    row = [_value(page, f"selected.0.{name}") for name in ("application", "project", "award", "panel")]
    assert row == ["AP-5", "PJ-5", "50000", "RP-2"]
    assert _typed(page, "panels") == ["RP-2"]


async def test_a_number_that_is_free_is_proposed_and_the_one_calendar_of_a_realm_needs_none(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1", "COMM#1") as person:
        need = await _form(person, f"/do/SubmitNeed?realm={papers.realm}")
        calendar = await _form(person, f"/do/PublishCalendar?realm={papers.realm}")
        adoption = await _form(person, f"/do/AdoptNeed?realm={papers.realm}")
        went = await person.get(f"/do/PublishCalendar?name=cn&realm={papers.realm}")
    (number,) = re.findall(r'id="name" name="name"[^>]*? value="([^"]*)"', need)
    assert re.fullmatch(r"ND-\d+", number)
    assert await papers.house.store.standing(StreamId.of("need", papers.realm, number)) is None
    assert '<input type="hidden" name="name" value="cn">' in calendar
    assert '<option value="ND-2">' in adoption
    assert went.headers["Location"] == f"/do/PublishCalendar/calendar/{papers.realm}/cn"


async def test_a_bid_that_was_never_sealed_is_not_asked_for_the_key_of_its_seal(papers: PaperHouse) -> None:
    async with papers.person("SO-LEGAL#1", scope=OURS) as person:
        page = await _form(person, f"/do/SubmitApplication/project/{papers.realm}/AP-99")
    assert 'name="p.nonce"' not in page


async def test_an_agreement_is_filled_in_from_lists_and_asks_for_its_documents(papers: PaperHouse) -> None:
    path = f"/do/SignContract/project/{papers.realm}/AP-5"
    async with papers.person("CAB-REG#1") as person:
        page = await _form(person, path)
        sent = {**hidden(page), "step": "check", "p.signatures.0.key": "BUREAU", "p.award": "50000"}
        answer = await person.post(path, data=sent)
    assert {"ContractSigned", "MilestoneMet"} < set(_offered(page, "gate"))
    assert "personnel" in _offered(page, "budget")
    assert '<select class="govuk-select" id="p-signatures-0-key"' in page
    assert "督導機構（選填）" in page
    assert "如 EVAL-1" in page
    assert "請附文件" in answer.text
    assert "sha256、" not in answer.text, "how a command line names a document"


async def test_words_of_the_city_are_taken_in_either_script_and_recorded_as_its_rules_write_them(
    papers: PaperHouse,
) -> None:
    lists = load_shipped("fuzhou").codelists
    assert lists is not None
    field = next(term.name for term in lists.fields or () if simplify(term.name) != term.name)
    path = f"/do/RecordActivity/project/{papers.realm}/AP-5"
    async with papers.person("SO-PM#1", scope=OURS) as manager:
        page = await _form(manager, path)
        sent = {**hidden(page), "step": "edit", "p.person_times": "3", "p.field": simplify(field)}
        answer = await manager.post(path, data=sent)
    assert _value(answer.text, "field") == field


@pytest.mark.full
async def test_for_several_at_once_they_are_taken_so_too_each_by_the_rules_of_its_own_round(tmp_path: Path) -> None:
    lists = load_shipped("fuzhou").codelists
    assert lists is not None
    field = next(term.name for term in lists.fields or () if simplify(term.name) != term.name)
    house = await open_paper_house(tmp_path, datetime(2023, 3, 27, tzinfo=UTC))
    need = f"need/{house.realm}/ND-2"
    async with house.person("CAB-REG#1") as officer:
        page = await _form(officer, f"/do/AdoptNeed/{need}")
        row = f"{uuid4()} {need}"
        sent = {"token": hidden(page)["token"], "seat": "CAB-REG#1", "row": [row], "p.fields": [simplify(field)]}
        checked = (await officer.post("/together/AdoptNeed", data={**sent, "step": "check"})).text
        done = {**sent, "step": "confirm", "take": [row.partition(" ")[0]]}
        assert (await officer.post("/together/AdoptNeed", data=done)).status_code == 200
    assert "暫不能辦理" not in checked
    entries = [entry async for entry in house.house.store.read(StreamId(need))]
    assert fold(StreamId(need), entries).part(Need).fields == {field}
