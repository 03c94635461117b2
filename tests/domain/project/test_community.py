"""What comes of the work: indicators, sites, case work, assets, deliberation, gifts and who joined in (HZ-4, FZ-4)."""

from __future__ import annotations

from datetime import date

import pytest

from domain.kernel.beneficiaries import Beneficiaries, Residence
from domain.project.bidding import ApplicationSubmitted
from domain.project.closeout import ConfirmCorrection, ProposeCorrection
from domain.project.community import (
    Community,
    ConcludeDeliberation,
    DeliberationOutcome,
    HandOverAsset,
    HoldDeliberation,
    MoveAsset,
    ReceiveResource,
    RecruitParticipants,
    ResourceKind,
    ServeClient,
    Standing,
)
from domain.project.contract import Contract
from domain.project.delivery import (
    ActivityForm,
    CountTeam,
    Delivery,
    FormVolunteerTeam,
    MatchConfidence,
    ReceiveMatchFund,
    RecordActivity,
    SubmitReport,
)
from domain.project.indicators import derive_outputs, list_indicators
from domain.project.outputs import Indicator, Output, Site
from domain.project.tranches import MilestoneTerm
from tests.domain.project.life import active, agreement, around, awarded
from tests.domain.pure_realm import EVIDENCE, new_realm, scheme
from tests.domain.sentences import StreamStory
from tests.domain.written_realm import bid, project, realm_until

PM = {"by": "SO-PM#1"}
INDICATORS = {
    "visits": Indicator(title="探訪", output=Output.VISITS, target=2),
    "reach": Indicator(title="受益人數", output=Output.PERSONS, target=20),
}
SITES = {"X": Site(title="下姜村", district="淳安"), "G": Site(title="桂花村", district="建德")}
GUARDED = scheme(
    "hangzhou",
    codelists={
        "groups": [{"name": "社區矯正對象", "en": "corrections"}, {"name": "老漂族", "en": "followers"}],
        "outcomes": [{"name": "促減負", "en": "less burden"}],
    },
    beneficiaries={"required": True, "residences": ["RESIDENT"], "sensitive": ["社區矯正對象"]},
)


def held(story: StreamStory, day: str, **what: object) -> StreamStory:
    return story.ordered(RecordActivity.model_validate({"person_times": 10, **what}), at=day, **PM)


# ---------------------------------------------------------------- outputs and indicators


def test_outputs_are_counted_from_records_each_in_its_own_unit() -> None:
    story = held(active(), "2024-07-01", newcomers=10, service_hours=6)
    story = held(story, "2024-07-08", newcomers=2)
    story = held(story, "2024-07-09", form=ActivityForm.VISIT, person_times=3)
    outputs = derive_outputs(story.state)
    assert outputs[Output.SESSIONS] == 2
    assert outputs[Output.VISITS] == 1
    assert outputs[Output.PERSON_TIMES] == 23
    assert outputs[Output.PERSONS] == 12
    assert outputs[Output.SERVICE_HOURS] == 6
    story.when(SubmitReport.model_validate({"kind": "PROGRESS", "sessions": 3}), at="2024-07-10", **PM).refused("V3")
    story.ordered(SubmitReport.model_validate({"kind": "PROGRESS", "sessions": 2}), at="2024-07-10", **PM)


def test_nobody_comes_for_the_first_time_without_coming() -> None:
    active().when(RecordActivity(person_times=3, newcomers=4), at="2024-07-01", **PM).refused("V3")


def test_a_correction_leaves_no_more_newcomers_than_there_were_attendances() -> None:
    story = held(active(), "2024-07-01", newcomers=9)
    version = next(iter(story.state.part(Delivery).activities))
    fewer = ProposeCorrection(correction="1", corrects=version, person_times=4, reason="重複計數", attachments=EVIDENCE)
    story = story.ordered(fewer, at="2024-07-02", **PM)
    story = story.ordered(ConfirmCorrection(correction="1"), at="2024-07-03", by="CAB-REG#1")
    assert derive_outputs(story.state)[Output.PERSONS] == 4


def test_what_a_contract_asks_is_held_against_what_was_recorded() -> None:
    story = awarded().ordered(agreement(indicators=INDICATORS), at="2024-06-04", by="CAB-REG#1")
    assert [(i.name, i.target, i.reached, i.is_met) for i in list_indicators(story.state)] == [
        ("visits", 2, 0, False),
        ("reach", 20, 0, False),
    ]
    assert list_indicators(active().state) == ()


def test_money_that_only_the_organisation_reports_is_not_proven() -> None:
    story = active().ordered(ReceiveMatchFund(amount=300), at="2024-07-01", by="SO-ACC#1")
    proven = ReceiveMatchFund(amount=200, confidence=MatchConfidence.PROVEN)
    delivery = story.ordered(proven, at="2024-07-02", by="SO-ACC#1").state.part(Delivery)
    assert (delivery.match_received, delivery.match_proven) == (500, 200)


# ---------------------------------------------------------------- sites and teams


def test_each_site_has_a_milestone_of_its_own() -> None:
    milestones = {"MS-1": MilestoneTerm(title="下姜村駐點", due=date(2024, 7, 31), site="X")}
    sign = {"at": "2024-06-04", "by": "CAB-REG#1"}
    awarded().when(agreement(sites=SITES, milestones=milestones), **sign).refused("T10")
    awarded().when(agreement(sites={}, milestones=milestones), **sign).refused("T10")
    both = {**milestones, "MS-2": MilestoneTerm(title="桂花村駐點", site="G")}
    story = awarded().ordered(agreement(sites=SITES, milestones=both), **sign)
    assert story.state.part(Contract).sites == SITES


def test_a_team_is_for_something_and_is_counted_again() -> None:
    formed = FormVolunteerTeam(team="文化隊", members=18, purpose="社區文化")
    active().when(CountTeam(team="文化隊", members=50), at="2024-07-01", **PM).refused("Z1")
    story = active().ordered(formed, at="2024-07-01", **PM)
    story = story.ordered(CountTeam(team="文化隊", members=50), at="2024-08-01", **PM)
    assert story.state.part(Delivery).teams == {"文化隊": 50}


# ---------------------------------------------------------------- people served


def test_an_application_says_whom_it_serves_by_the_citys_rules() -> None:
    realm = realm_until("call", GUARDED)
    who = {"at": "2024-02-20", "by": "SO-LEGAL#1"}
    followers = Beneficiaries(groups=("老漂族",), residence=Residence.RESIDENT, persons=120)
    assert realm.refused("project", "AP-1", bid("ORG-1"), **who) == {"K2"}
    registered = followers.model_copy(update={"residence": Residence.HUKOU})
    assert realm.refused("project", "AP-1", bid("ORG-1", beneficiaries=registered), **who) == {"K2"}
    unknown = followers.model_copy(update={"groups": ("旅客",)})
    assert realm.refused("project", "AP-1", bid("ORG-1", beneficiaries=unknown), **who) == {"K1"}
    realm.order("project", "AP-1", bid("ORG-1", beneficiaries=followers), **who)
    assert realm.check().ok


def sensitive() -> StreamStory:
    return active().knowing(around(GUARDED))


def test_of_a_sensitive_group_nothing_but_case_work_under_pseudonyms_is_recorded() -> None:
    named = RecordActivity(person_times=4, group="社區矯正對象")
    sensitive().when(named, at="2024-07-01", **PM).refused("K2")
    work = ServeClient(client="C-7", group="社區矯正對象", module="評估", sealed="d" * 64)
    story = sensitive().ordered(work, at="2024-07-01", **PM).ordered(work, at="2024-07-08", **PM)
    assert story.state.part(Community).clients == {"C-7": 2}
    assert derive_outputs(story.state)[Output.CLIENTS] == 1


def test_case_work_is_with_whom_the_application_is_for() -> None:
    served = Beneficiaries(groups=("老漂族",), residence=Residence.RESIDENT)
    event = ApplicationSubmitted.model_validate({**bid("ORG-1").model_dump(), "beneficiaries": served, "places": {}})
    story = active().happened(event, at="2024-06-20")
    stranger = ServeClient(client="C-1", group="居民", sealed="d" * 64)
    story.when(stranger, at="2024-07-01", **PM).refused("K2")
    active().when(stranger.model_copy(update={"served_on": date(2024, 6, 1)}), at="2024-07-01", **PM).refused("D3")


@pytest.mark.parametrize("client", ["王某", "C-王", "13912345678", "C-"])
def test_a_client_is_a_pseudonym(client: str) -> None:
    with pytest.raises(ValueError, match="client"):
        ServeClient(client=client, group="居民", sealed="d" * 64)


# ---------------------------------------------------------------- what stays


def test_an_asset_is_handed_over_once_and_is_always_kept_by_somebody() -> None:
    bench = HandOverAsset(asset="A-1", title="長椅", quantity=4, keeper="COMM-1")
    moved = MoveAsset(asset="A-1", keeper="COMM-2", reason="合併")
    active().when(moved, at="2024-07-01", **PM).refused("V3")
    story = active().ordered(bench, at="2024-07-01", **PM)
    story.when(bench, at="2024-07-02", **PM).refused("V3")
    story.when(bench.model_copy(update={"asset": "A-2", "site": "Z"}), at="2024-07-02", **PM).refused("V3")
    assert story.ordered(moved, at="2024-07-03", **PM).state.part(Community).keepers == {"A-1": "COMM-2"}


def test_a_deliberation_is_awaited_until_it_comes_to_something() -> None:
    talk = HoldDeliberation(deliberation="D-1", topic="停車", persons=12, sides=("物業",))
    done = ConcludeDeliberation.model_validate({"deliberation": "D-1", "outcome": "DONE", "finding": "劃線二十個"})
    active().when(done, at="2024-07-01", **PM).refused("V3")
    story = active().ordered(talk, at="2024-07-01", **PM)
    story.when(talk, at="2024-07-02", **PM).refused("V3")
    assert "ConcludeDeliberation" in story.awaited()
    story = story.ordered(done, at="2024-08-01", **PM)
    assert story.state.part(Community).deliberations == {"D-1": DeliberationOutcome.DONE}
    assert "ConcludeDeliberation" not in story.awaited()


def test_gifts_in_kind_are_no_money_and_people_are_counted_by_what_they_are() -> None:
    gift = ReceiveResource(kind=ResourceKind.DISCOUNT, title="理髮半價", provider="測試商戶")
    story = active().ordered(gift, at="2024-07-01", **PM)
    for standing, persons in ((Standing.NOTABLE, 2), (Standing.VOLUNTEER, 18), (Standing.VOLUNTEER, 2)):
        story = story.ordered(RecruitParticipants(standing=standing, persons=persons), at="2024-07-02", **PM)
    community = story.state.part(Community)
    assert (community.gifts, community.participants) == (1, {Standing.NOTABLE: 2, Standing.VOLUNTEER: 20})
    assert story.state.part(Delivery).match_received == 0


def test_the_checker_counts_as_the_rules_do() -> None:
    realm = realm_until("held 2024-06-20")
    for command in (
        RecordActivity(person_times=3, form=ActivityForm.VISIT, newcomers=3),
        HandOverAsset(asset="A-1", title="長椅", keeper="COMM-1"),
        HoldDeliberation(deliberation="D-1", topic="停車", persons=12),
        ServeClient(client="C-1", group="居民", sealed="d" * 64),
        SubmitReport.model_validate({"kind": "PROGRESS", "sessions": 3, "person_times": 93}),
    ):
        project(command, "2024-06-21", "SO-PM#1").ordered(realm)
    assert realm.check().ok
    assert new_realm().refused("project", "AP-1", RecordActivity(person_times=1), at="2024-06-21", by="SO-PM#1")
