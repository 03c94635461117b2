"""Seats that act for somebody else, or for nobody, try the streams of others: each is refused by its rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from domain.application import Application
from domain.catalogue import AGGREGATES
from domain.kernel.acting import PersonId
from domain.kernel.facts import Facts
from domain.kernel.identifier import Actor, Role, StreamId
from domain.kernel.message import Occurrence, Order
from domain.kernel.proposal import ConfirmAct, bind, check_confirmable, find_open, propose
from domain.kernel.refusal import Checks
from domain.kernel.state import State
from domain.need import NEED, SubmitNeed
from domain.project.aggregate import PROJECT
from domain.project.award import DeclineAward
from domain.project.bidding import DraftApplication, ReturnApplication, SubmitApplication
from domain.project.closeout import ArchiveProject, SubmitFinalReport
from domain.project.contract import Contract, Parties, RegisterLedgerAccount
from domain.project.delivery import AssignSupervisor, RecordActivity, RecordSupervisionVisit
from domain.project.evaluation import ConcludeMidtermEvaluation, IssueAuditOpinion, Opinion, Result
from domain.project.objection import AcceptObjection, LodgeObjection
from domain.registers.incubation_base import BASE, AdmitTenant
from domain.registers.organisation import ORGANISATION, Organisation, OrganisationStage, VerifyOrganisation
from domain.registers.panel import DeclareConflict, RecuseReviewer
from domain.registers.reviewer import ConflictKind
from domain.round.plan import Round
from domain.round.stage import RoundStage
from tests.domain.project.life import INDEX, OTHER_ACCOUNT, RULES, active, around, awarded, contracted, organisation
from tests.domain.pure_realm import scheme, verification
from tests.domain.sentences import StreamStory, a, on
from tests.domain.test_panel import drawn, sheet
from tests.policy.standings import scope_of

if TYPE_CHECKING:
    from domain.kernel.decider import Aggregate
    from domain.kernel.message import Command
    from domain.kernel.scope import Scope

ORG_1, ORG_2, ORG_9 = (scope_of(Role.SO_LEGAL, name) for name in ("ORG-1", "ORG-2", "ORG-9"))
NOBODY = scope_of(Role.SO_LEGAL)
JUNE = "2024-06-20"
DECLINED = DeclineAward(reason="人手不足")
ACTIVITY = RecordActivity(person_times=12)
BID = DraftApplication(round="R-1", organisation="ORG-1", title="助老", requested=1000000)


def joint(story: StreamStory, *partners: str) -> StreamStory:
    """The same project of ORG-1 together with these partners."""
    bid = replace(story.state.part(Application), partners=partners)
    return replace(story, state=story.state.with_parts(bid))


def engaged(story: StreamStory, **parties: str | None) -> StreamStory:
    """The same project whose contract names these parties."""
    contract = replace(story.state.part(Contract), parties=Parties(**parties))
    return replace(story, state=story.state.with_parts(contract))


# ---------------------------------------------------------------- organisations


@pytest.mark.parametrize("scope", [ORG_9, NOBODY, ORG_2], ids=["of another", "of none", "of a partner"])
def test_an_accountant_of_another_organisation_registers_no_account_for_the_project(scope: Scope) -> None:
    story = joint(contracted(), "ORG-2")
    account = RegisterLedgerAccount(account=OTHER_ACCOUNT)
    story.when_acting(account, at=JUNE, by="SO-ACC#666", scope=scope, persons=["P-6"]).refused("SD10")
    story.when_acting(account, at=JUNE, by="SO-ACC#1", scope=ORG_1, persons=["P-1"]).accepted()


def test_a_manager_of_another_organisation_records_no_activity() -> None:
    active().when_acting(ACTIVITY, at=JUNE, by="SO-PM#9", scope=ORG_9).refused("SD10")


def test_a_partner_delivers_and_a_former_partner_does_not() -> None:
    story = joint(active(), "ORG-2")
    story.when_acting(ACTIVITY, at=JUNE, by="SO-PM#2", scope=ORG_2).accepted()
    joint(story, "ORG-3").when_acting(ACTIVITY, at=JUNE, by="SO-PM#2", scope=ORG_2).refused("SD10")


def test_a_partner_neither_declines_the_award_nor_reports_for_the_applicant() -> None:
    joint(awarded(), "ORG-2").when_acting(DECLINED, at="2024-05-30", by="SO-LEGAL#1", scope=ORG_2).refused("SD10")
    story = joint(active(), "ORG-2")
    assert "SD10" in rules(story, SubmitFinalReport(), at="2024-12-01", by="SO-LEGAL#1", scope=ORG_2)


def rules(
    story: StreamStory, command: Command, *, at: str, by: str, scope: Scope, persons: tuple[str, ...] = ()
) -> set[str]:
    """The rules that refuse it, among others perhaps."""
    judgement = story.when_acting(command, at=at, by=by, scope=scope, persons=persons)
    return {u.rule for u in judgement.refusal.unmet} if judgement.refusal else set()


def test_a_legal_representative_whose_mandate_has_ended_declines_nothing_on_a_seat_of_the_organisation() -> None:
    """The list of the organisation is read at that instant: since yesterday another represents it."""
    story = awarded().knowing(around(RULES, organisation("SO-LEGAL#2")))
    story.when_acting(DECLINED, at="2024-05-30", by="SO-LEGAL#1", scope=ORG_1).refused("SD10")
    story.when_acting(DECLINED, at="2024-05-30", by="SO-LEGAL#2", scope=ORG_1).accepted()


def test_the_representative_of_a_banned_organisation_hands_no_bid_in() -> None:
    banned = organisation().with_parts(
        replace(organisation().part(Organisation), banned_until=date(2030, 1, 1), banned_on=date(2024, 1, 1))
    )
    open_round = replace(State(StreamId("round/test/R-1")), stage=RoundStage.OPEN).with_parts(
        Round(called_on=date(2024, 4, 1), window_wd=60)
    )
    story = a(PROJECT, "AP-1", around(RULES, banned, open_round))
    bid = SubmitApplication(**{**dict(BID), "statement": "空巢"})
    assert "D5" in rules(story, bid, at="2024-04-20", by="SO-LEGAL#1", scope=ORG_1)


def test_nobody_drafts_in_another_organisations_name_nor_takes_over_its_draft() -> None:
    blank = a(PROJECT, "AP-1", Facts(scheme=scheme()))
    blank.when_acting(BID, at=JUNE, by="SO-PM#9", scope=ORG_9).refused("SD10")
    story = blank.ordered(BID, at=JUNE, by="SO-PM#1")
    own_name = BID.model_copy(update={"organisation": "ORG-9"})
    story.when_acting(own_name, at=JUNE, by="SO-PM#9", scope=ORG_9).refused("SD10")
    story.when_acting(own_name, at=JUNE, by="SO-PM#1", scope=ORG_1).refused("SD10")


def test_any_organisation_may_object_to_an_award() -> None:
    posted = replace(awarded(), state=replace(awarded().state, stage="IN_PUBLICITY"))
    objection = LodgeObjection(ground="信息不實")
    posted.when_acting(objection, at="2024-05-20", by="SO-LEGAL#9", scope=ORG_9).accepted()


# ---------------------------------------------------------------- parties to the contract

MIDTERM = ConcludeMidtermEvaluation(score=Decimal(80), result=Result.PASS)
EVAL_1, EVAL_6 = scope_of(Role.EVAL, "EVAL-1"), scope_of(Role.EVAL, "EVAL-666")


def test_an_evaluator_that_the_contract_does_not_name_concludes_nothing_even_by_naming_itself() -> None:
    story = engaged(active(), evaluator="EVAL-1")
    story.when_acting(MIDTERM, at=JUNE, by="EVAL#666", scope=EVAL_6).refused("AF07")
    own_name = MIDTERM.model_copy(update={"evaluator": "EVAL-666"})
    story.when_acting(own_name, at=JUNE, by="EVAL#666", scope=EVAL_6).refused("AF07")
    story.when_acting(own_name, at=JUNE, by="EVAL#1", scope=EVAL_1).refused("AF07")
    story.when_acting(MIDTERM, at=JUNE, by="EVAL#1", scope=EVAL_1).accepted()


def test_where_the_contract_names_no_evaluator_a_seat_concludes_in_its_own_name_only() -> None:
    story = engaged(active())
    named = MIDTERM.model_copy(update={"evaluator": "EVAL-1"})
    story.when_acting(named, at=JUNE, by="EVAL#666", scope=EVAL_6).refused("AF07")
    story.when_acting(MIDTERM, at=JUNE, by="EVAL#666", scope=EVAL_6).refused("AF07", "P3")
    story.when_acting(named, at=JUNE, by="EVAL#1", scope=EVAL_1).accepted()


def test_a_supervisor_who_was_replaced_records_no_visit() -> None:
    first, second = scope_of(Role.SUPV, "SUPV-1"), scope_of(Role.SUPV, "SUPV-2")
    story = active().ordered(AssignSupervisor(supervisor="SUPV-2"), at="2024-06-19", by="CAB-REG#1")
    story.when_acting(RecordSupervisionVisit(), at=JUNE, by="SUPV#1", scope=first).refused("AF06")
    story.when_acting(RecordSupervisionVisit(), at=JUNE, by="SUPV#2", scope=second).accepted()


def test_a_host_of_another_round_archives_nothing() -> None:
    story = engaged(active(), host="HOST-1")
    ended = replace(story, state=replace(story.state, stage="CLOSED"))
    archive = ArchiveProject(index=INDEX)
    ended.when_acting(archive, at="2025-01-06", by="HOST#9", scope=scope_of(Role.HOST, "HOST-9")).refused("AF05")
    ended.when_acting(archive, at="2025-01-06", by="HOST#1", scope=scope_of(Role.HOST, "HOST-1")).accepted()


def test_an_auditor_or_a_district_that_nothing_names_concludes_and_returns_nothing() -> None:
    story = engaged(active(), auditor="AUDIT-1")
    reviewed = replace(story, state=replace(story.state, stage="FINAL_REVIEW"))
    opinion, day = IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=1), "2024-12-05"
    for name, refused in (("AUDIT-9", True), ("AUDIT-1", False)):
        scope = scope_of(Role.AUDIT, name)
        assert ("AF08" in rules(reviewed, opinion, at=day, by="AUDIT#1", scope=scope)) is refused
    bid = Application(organisation="ORG-1", round="R-1", district="DIST-1")
    applied = a(PROJECT, "AP-1", around(RULES))
    applied = replace(applied, state=replace(applied.state, stage="APPLIED").with_parts(bid))
    for name, refused in (("DIST-9", True), ("DIST-1", False)):
        scope = scope_of(Role.DCAB, name)
        assert (
            "AF02" in rules(applied, ReturnApplication(reason="缺件"), at=JUNE, by="DCAB#1", scope=scope)
        ) is refused


# ---------------------------------------------------------------- community, district, base, and who verifies whom


def test_a_community_submits_no_need_for_another() -> None:
    need = SubmitNeed(round="R-1", group="空巢老人", community="COMM-1")
    soliciting = replace(State(StreamId("round/test/R-1")), stage=RoundStage.SOLICITING).with_parts(
        Round(solicited_on=date(2024, 6, 3), needs_wd=30)
    )
    story = a(NEED, "ND-1", around(RULES, soliciting))
    story.when_acting(need, at=JUNE, by="COMM#2", scope=scope_of(Role.COMM, "COMM-2")).refused("AF03")
    story.when_acting(need, at=JUNE, by="COMM#1", scope=scope_of(Role.COMM, "COMM-1")).accepted()


def test_a_base_is_operated_by_its_own_operator() -> None:
    story = a(BASE, "BASE-1", around())
    story = replace(story, state=replace(story.state, stage="DESIGNATED"))
    tenant = AdmitTenant(organisation="ORG-1", until=date(2025, 6, 30))
    story.when_acting(tenant, at=JUNE, by="BASE-OP#2", scope=scope_of(Role.BASE_OP, "BASE-2")).refused("AF04")
    story.when_acting(tenant, at=JUNE, by="BASE-OP#1", scope=scope_of(Role.BASE_OP, "BASE-1")).accepted()


def test_nobody_takes_an_organisation_over_by_verifying_it_anew_with_representatives_of_their_own() -> None:
    """Its district, and the round for whose intake it was verified, stay those of the first time."""
    mine = Round(host="HOST-9")
    around_it = Facts(streams={StreamId("round/test/R-9"): State(StreamId("round/test/R-9")).with_parts(mine)})
    known = Organisation(kind=verification().kind, district="DIST-1", round="R-1")
    state = replace(State(StreamId("organisation/test/ORG-1")), stage=OrganisationStage.VERIFIED).with_parts(known)
    story = StreamStory(ORGANISATION, state, around_it)
    again = VerifyOrganisation(**{**dict(verification("SO-LEGAL#9")), "district": "DIST-9", "round": "R-9"})
    story.when_acting(again, at=JUNE, by="DCAB#9", scope=scope_of(Role.DCAB, "DIST-9")).refused("AF02")
    story.when_acting(again, at=JUNE, by="DCAB#1", scope=scope_of(Role.DCAB, "DIST-1")).accepted()


# ---------------------------------------------------------------- reviewers


def test_an_expert_who_was_not_drawn_neither_scores_nor_declares() -> None:
    drawn().when(sheet(80), at="2023-05-10", by="EXPERT#9").refused("RP04")
    tie = DeclareConflict(organisation="ORG-1", kind=ConflictKind.KIN)
    drawn().when(tie, at="2023-05-10", by="EXPERT#9").refused("RP02")


def test_a_recused_expert_scores_no_more_from_any_seat_of_theirs() -> None:
    tie = DeclareConflict(organisation="ORG-1", kind=ConflictKind.KIN)
    story = drawn().when_acting(tie, at="2023-05-09", by="EXPERT#1", persons=["P-1"]).accepted()
    story = story.ordered(RecuseReviewer.model_validate({"out": "E1", "in": "E6"}), at="2023-05-09", by="CAB-REG#1")
    story.when_acting(sheet(80), at="2023-05-10", by="EXPERT#1", persons=["P-1"]).refused("P1")
    story.when_acting(sheet(80), at="2023-05-10", by="EXPERT#6", persons=["P-1"]).refused("P1")
    story.when_acting(sheet(80), at="2023-05-10", by="EXPERT#6", persons=["P-6"]).accepted()


def test_an_expert_with_two_seats_scores_a_bid_once() -> None:
    story = drawn().when_acting(sheet(80), at="2023-05-10", by="EXPERT#1", persons=["P-1"]).accepted()
    story.when_acting(sheet(100), at="2023-05-10", by="EXPERT#2", persons=["P-1"]).refused("P4")


# ---------------------------------------------------------------- what takes two persons

PRIVILEGED = [
    (aggregate, command)
    for aggregate in AGGREGATES.values()
    for command in aggregate.commands
    if command.persons_needed > 1
]


@pytest.mark.parametrize(
    ("aggregate", "command"), PRIVILEGED, ids=lambda one: getattr(one, "__name__", None) or one.kind
)
def test_nothing_that_takes_two_is_confirmed_by_whoever_proposed_it(
    aggregate: Aggregate, command: type[Command]
) -> None:
    """Of every kind: keys, grants, going live, rules, days, money that comes back; a stand-in counts as the holder."""
    state, first, at = State(StreamId.of(aggregate.kind, "test", "x")), Actor(f"{command.by[0]}#1"), on(JUNE)
    proposal_order = Order(command.model_construct(), first, at, frozenset({PersonId("P-1")}))
    occurrence = Occurrence(propose(state, proposal_order), at, first, UUID(int=1), proposal_order.persons)
    state = aggregate.evolve(state, occurrence)
    for persons, is_same in (({"P-1"}, True), ({"P-2", "P-1"}, True), ({"P-2"}, False)):
        confirmation = ConfirmAct(proposal=1, digest=bind(state.stream, 1, proposal_order.command))
        order = Order(confirmation, Actor("CAB-DEC#9"), at, frozenset(map(PersonId, persons)))
        proposal, check = find_open(state, confirmation), Checks()
        assert proposal is not None
        check_confirmable(check, proposal, order, confirmation)
        assert ({u.rule for u in check.unmet} == {"TP03"}) is is_same


# ---------------------------------------------------------------- one human, one side


def test_one_human_does_not_act_for_the_applicant_and_for_the_bureau_in_one_project() -> None:
    bureau = scope_of(Role.CAB_REG)
    story = active().when_acting(ACTIVITY, at=JUNE, by="SO-PM#1", scope=ORG_1, persons=["P-1"]).accepted()
    assign = AssignSupervisor(supervisor="SUPV-2")
    story.when_acting(assign, at=JUNE, by="CAB-REG#1", scope=bureau, persons=["P-1"]).refused("SD14")
    story.when_acting(assign, at=JUNE, by="CAB-REG#1", scope=bureau, persons=["P-2"]).accepted()


def test_a_stand_in_counts_on_both_sides() -> None:
    story = active().when_acting(ACTIVITY, at=JUNE, by="SO-PM#1", scope=ORG_1, persons=["P-1"]).accepted()
    assign = AssignSupervisor(supervisor="SUPV-2")
    story.when_acting(assign, at=JUNE, by="CAB-REG#1", scope=scope_of(Role.CAB_REG), persons=["P-2", "P-1"]).refused(
        "SD14"
    )


def test_an_officer_who_objects_as_a_citizen_does_not_take_the_objection_up() -> None:
    posted = replace(awarded(), state=replace(awarded().state, stage="IN_PUBLICITY"))
    citizen, bureau = scope_of(Role.PUBLIC), scope_of(Role.CAB_REG)
    lodged = LodgeObjection(ground="信息不實")
    story = posted.when_acting(lodged, at="2024-05-20", by="PUBLIC#1", scope=citizen, persons=["P-1"]).accepted()
    accepted = AcceptObjection()
    assert "SD14" in rules(story, accepted, at="2024-05-20", by="CAB-REG#1", scope=bureau, persons=("P-1",))
    assert "SD14" not in rules(story, accepted, at="2024-05-20", by="CAB-REG#1", scope=bureau, persons=("P-2",))


def test_officers_of_one_house_and_colleagues_of_one_organisation_are_no_two_sides() -> None:
    story = active().when_acting(ACTIVITY, at=JUNE, by="SO-PM#1", scope=ORG_1, persons=["P-1"]).accepted()
    account = RegisterLedgerAccount(account="c" * 64)
    story.when_acting(account, at=JUNE, by="SO-ACC#1", scope=ORG_1, persons=["P-1"]).accepted()


def test_who_is_refused_for_the_relation_is_not_told_whom_the_stream_names() -> None:
    judgement = active().when_acting(ACTIVITY, at=JUNE, by="SO-PM#9", scope=ORG_9)
    assert judgement.refusal is not None
    assert not [u for u in judgement.refusal.unmet if "ORG-1" in u.zh + u.en]
