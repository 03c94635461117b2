"""Names that last, networks, bases, events of a programme, cases (HZ-10, 16, 17, 21, FZ-7, 9, CZ-1…11)."""

from __future__ import annotations

from datetime import date

import pytest

from domain.kernel.acting import PersonId
from domain.kernel.identifier import StreamId
from domain.kernel.message import Order
from domain.project.closeout import ReopeningGround, ReopenProject
from domain.registers.accountability import CASE, Case, CaseOutcome, DecideCase, OpenCase, RecordCaseFinding
from domain.registers.designation import (
    DESIGNATION,
    Designation,
    DesignationKind,
    DesignationStage,
    GrantDesignation,
    MethodStep,
    WithdrawDesignation,
)
from domain.registers.incubation_base import AdmitTenant, Base, DesignateBase, ExitTenant, OfferServices, Tier
from domain.registers.network import CloseNode, EstablishNode, NodeLevel, StateNetwork
from domain.registers.occasion import Occasion, OccasionKind, OccasionStage, RecordOccasion, StrikeOccasion
from tests.domain.pure_realm import EVIDENCE, scheme
from tests.domain.sentences import on, who
from tests.domain.written_realm import WrittenRealm, contract, project, realm_until

REG = {"at": "2024-12-23", "by": "CAB-REG#1"}
DEC = {"at": "2024-12-23", "by": "CAB-DEC#1"}
AGAINST = {"reason": "見附件", "attachments": EVIDENCE}
FOUND = {"finding": "憑證重複", "attachments": EVIDENCE}


def world(last: str = "call") -> WrittenRealm:
    realm = realm_until(last, scheme("hangzhou"))
    base = DesignateBase(name="市級基地", tier=Tier.MUNICIPAL, operator="ORG-1")
    realm.order("base", "BASE-1", base, at="2024-12-20", by="CAB-DEC#1")
    return realm


def brand(*holders: str, **other: object) -> GrantDesignation:
    terms: dict[str, object] = {"kind": "BRAND", "title": "救在身邊", "holders": holders, "body": "市民政局"}
    return GrantDesignation.model_validate(terms | other)


# ---------------------------------------------------------------- designations


def test_a_brand_is_granted_to_what_is_on_record_and_lasts_from_year_to_year() -> None:
    realm = world("archived")
    assert realm.refused("designation", "DG-1", brand("ORG-9"), **REG) == {"DG01"}
    realm.order("designation", "DG-1", brand("ORG-1", "PJ-1", "hangzhou", since=date(2024, 3, 1)), **REG)
    later = brand("ORG-1", continues="DG-1")
    assert realm.refused("designation", "DG-2", later.model_copy(update={"continues": "DG-9"}), **REG) == {"DG01"}
    other = later.model_copy(update={"kind": DesignationKind.HONOUR})
    assert realm.refused("designation", "DG-2", other, **REG) == {"DG01"}
    realm.order("designation", "DG-2", later, **REG)
    assert realm.state("designation", "DG-2").part(Designation).continues == "DG-1"
    assert realm.check().ok


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": date(2025, 1, 1)},
        {"until": date(2024, 1, 1)},
        {"kind": "SERIES"},
        {"steps": {"S-1": {"title": "培訓", "days": 30}}},
        {"kind": "METHOD"},
    ],
    ids=["not yet", "ends before it begins", "of a programme only", "steps of a brand", "a method without steps"],
)
def test_what_makes_no_sense_is_not_granted(wrong: dict[str, object]) -> None:
    assert world().refused("designation", "DG-1", brand("ORG-1", **wrong), **REG) == {"DG01"}


def test_a_batch_loses_some_and_then_all_of_its_holders() -> None:
    realm = world()
    realm.order("designation", "DG-1", brand("ORG-1", "ORG-2", kind="BATCH", batch=1), **REG)
    one, every = WithdrawDesignation(holders=("ORG-2",), **AGAINST), WithdrawDesignation(**AGAINST)
    stranger = one.model_copy(update={"holders": ("ORG-9",)})
    assert realm.refused("designation", "DG-1", stranger, **DEC) == {"DG03"}
    realm.order("designation", "DG-1", one, **DEC)
    known = realm.state("designation", "DG-1")
    assert known.stage == DesignationStage.GRANTED
    assert known.part(Designation).holders == {"ORG-1"}
    realm.order("designation", "DG-1", every, **DEC)
    assert realm.state("designation", "DG-1").stage == DesignationStage.WITHDRAWN
    assert realm.check().ok


def test_where_persons_are_known_one_proposes_and_another_grants() -> None:
    realm, stream = world(), StreamId("designation/test/DG-1")
    facts = realm.facts(stream, brand("ORG-1"))
    order = Order(brand("ORG-1"), who("CAB-REG#1"), on("2024-12-23"), frozenset({PersonId("P-1")}))
    assert [e.event_type for e in DESIGNATION.decide(realm.state("designation", "DG-1"), facts, order)] == [
        "ActProposed"
    ]


def test_the_steps_of_a_method_become_milestones_of_a_contract() -> None:
    realm = realm_until("confirmed", scheme("hangzhou"))
    steps = {"S-1": MethodStep(title="培訓", days=30), "S-2": MethodStep(title="實踐", days=60)}
    method = brand("ORG-1", kind="METHOD", title="培訓—實踐—激勵—互動", steps=steps)
    signing = contract(method="DG-1", milestones={"S-2": {"title": "實踐（改）"}})
    assert "T10" in project(signing, "2024-03-21", "CAB-REG#1").refused(realm)
    realm.order("designation", "DG-1", method, at="2024-03-20", by="CAB-REG#1")
    (signed,) = realm.order("project", "AP-1", signing, at="2024-03-21", by="CAB-REG#1")
    assert {name: (term["title"], term["due"]) for name, term in signed.model_dump()["milestones"].items()} == {
        "S-1": ("培訓", date(2024, 4, 20)),
        "S-2": ("實踐（改）", None),
    }
    assert realm.check().ok


# ---------------------------------------------------------------- events of a programme


def salon(**other: object) -> RecordOccasion:
    terms: dict[str, object] = {"programme": "hangzhou", "kind": "SALON", "title": "萃聚資源", "person_times": 70}
    return RecordOccasion.model_validate(terms | other)


def test_a_salon_counts_for_its_programme_until_it_is_struck_out() -> None:
    realm = world()
    visit = salon(kind=OccasionKind.PEER_VISIT, base="BASE-1", implementer="ORG-1", guests=("ORG-2",))
    for wrong in ({"programme": "nowhere"}, {"base": "BASE-9"}, {"guests": ("ORG-9",)}, {"held_on": date(2025, 1, 1)}):
        assert realm.refused("occasion", "EV-1", visit.model_copy(update=wrong), **REG) == {"EV01"}
    realm.order("occasion", "EV-1", visit, at="2024-12-23", by="BASE-OP#1")
    assert realm.state("occasion", "EV-1").part(Occasion).person_times == 70
    realm.order("occasion", "EV-1", StrikeOccasion(**AGAINST), **REG)
    assert realm.state("occasion", "EV-1").stage == OccasionStage.STRUCK
    assert realm.check().ok


# ---------------------------------------------------------------- networks and bases


def node(level: NodeLevel, parent: str | None = None, **other: object) -> EstablishNode:
    return EstablishNode.model_validate({"name": level.zh, "level": level, "parent": parent, **other})


def test_a_network_hangs_together_in_four_levels() -> None:
    realm = world()
    realm.order("node", "NODE-1", node(NodeLevel.COMMITTEE, base="BASE-1"), **DEC)
    assert realm.refused("node", "NODE-2", node(NodeLevel.STATION), **DEC) == {"NW01"}
    realm.order("node", "NODE-2", node(NodeLevel.STATION, "NODE-1"), **DEC)
    assert realm.refused("node", "NODE-3", node(NodeLevel.GUIDANCE, "NODE-1"), **DEC) == {"NW01"}
    realm.order("node", "NODE-3", node(NodeLevel.GUIDANCE, "NODE-2"), **DEC)
    realm.order("node", "NODE-4", node(NodeLevel.SECTOR, "NODE-1"), **DEC)
    realm.order("node", "NODE-2", CloseNode(reason="合併"), **DEC)
    assert realm.refused("node", "NODE-5", node(NodeLevel.GUIDANCE, "NODE-2"), **DEC) == {"NW01"}
    assert realm.check().ok


def stated(total: int = 1, **bases: int) -> StateNetwork:
    return StateNetwork.model_validate({"bases": bases, "total": total, "source": "市民政局通報"})


def test_whoever_states_how_many_bases_there_are_is_held_to_the_sum_and_to_the_register() -> None:
    wrong = stated(63, MUNICIPAL=1, DISTRICT=7, STREET_VILLAGE=54)
    assert world().refused("network", "NET-1", wrong, **REG) == {"C1"}
    for bases, ok in (({"MUNICIPAL": 1}, True), ({"MUNICIPAL": 1, "DISTRICT": 7}, False)):
        realm = world()
        realm.order("network", "NET-1", stated(sum(bases.values()), **bases), **REG)
        checker = realm.invariants()
        checker.reconcile_stated()
        assert checker.report().ok is ok


CATALOGUE = scheme("hangzhou", bases={"services": [{"tier": "MUNICIPAL", "services": ["資源鏈接"]}]})


def test_a_base_offers_what_is_in_the_catalogue_of_its_tier() -> None:
    realm = realm_until("call", CATALOGUE)
    base = DesignateBase(name="市級基地", tier=Tier.MUNICIPAL, operator="ORG-1")
    realm.order("base", "BASE-1", base, at="2024-12-20", by="CAB-DEC#1")
    offer = OfferServices(scheme=CATALOGUE.ref, services=("資源鏈接",))
    strange = offer.model_copy(update={"services": ("餐飲",)})
    assert realm.refused("base", "BASE-1", strange, at="2024-12-23", by="BASE-OP#1") == {"BS06"}
    realm.order("base", "BASE-1", offer, at="2024-12-23", by="BASE-OP#1")
    assert realm.state("base", "BASE-1").part(Base).services == ("資源鏈接",)
    assert realm.check().ok


def test_a_tenant_that_leaves_early_says_why() -> None:
    realm, operator = world(), {"at": "2024-12-23", "by": "BASE-OP#1"}
    leaving = ExitTenant(organisation="ORG-T5", reason="遷址")
    assert realm.refused("base", "BASE-1", leaving, **operator) == {"BS05"}
    realm.order("base", "BASE-1", AdmitTenant(organisation="ORG-T5", until=date(2026, 3, 10)), **operator)
    realm.order("base", "BASE-1", leaving, **operator)
    assert not realm.state("base", "BASE-1").part(Base).tenants


# ---------------------------------------------------------------- accountability


def case(outcome: CaseOutcome = CaseOutcome.REOPEN) -> DecideCase:
    return DecideCase(outcome=outcome, **FOUND)


def test_a_case_is_decided_on_what_was_found_and_by_others() -> None:
    realm = world("archived")
    opening = OpenCase(project="AP-1", **AGAINST)
    assert realm.refused("case", "AC-1", OpenCase(project="AP-9", **AGAINST), **REG) == {"AC01"}
    assert realm.refused("case", "AC-1", OpenCase(**AGAINST), **REG) == {"AC01"}
    assert realm.refused("case", "AC-1", opening, at="2024-12-23", by="DISC#1") == {"AC01"}, "P6: it only reads"
    realm.order("case", "AC-1", opening, **REG)
    assert realm.refused("case", "AC-1", case(), **DEC) == {"AC03"}
    realm.order("case", "AC-1", RecordCaseFinding(**FOUND), at="2024-12-24", by="CAB-FIN#1")
    assert [a.command for a in CASE.awaiting(realm.state("case", "AC-1"), realm.calendar)][-1] == "DecideCase"
    realm.order("case", "AC-1", case(), at="2024-12-25", by="CAB-DEC#1")
    assert realm.state("case", "AC-1").part(Case).outcome is CaseOutcome.REOPEN
    assert realm.check().ok


def test_a_decided_case_has_its_own_project_settled_again_and_no_other() -> None:
    realm = world("archived")
    reopening = ReopenProject(ground=ReopeningGround.DISCIPLINE, case="AC-1", **FOUND)
    assert realm.refused("project", "AP-1", reopening, **DEC) == {"T26"}
    realm.order("case", "AC-1", OpenCase(project="AP-1", **AGAINST), **REG)
    realm.order("case", "AC-1", RecordCaseFinding(**FOUND), **REG)
    realm.order("case", "AC-1", case(), at="2024-12-25", by="CAB-DEC#1")
    realm.order("project", "AP-1", reopening, at="2024-12-26", by="CAB-DEC#1")
    assert realm.state("project", "AP-1").stage == "SETTLEMENT"
    assert realm.check().ok
