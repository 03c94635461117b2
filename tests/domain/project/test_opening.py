"""A running project taken over as books are opened: by two, at its state, and from then on like any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from domain.application import Application, ProjectKind
from domain.kernel.approval import Verdict
from domain.kernel.attachment import Attachment
from domain.kernel.clock import Clock
from domain.kernel.effects import WORLD
from domain.kernel.identifier import Role, StreamId
from domain.kernel.scheme import RoundLevel
from domain.project.aggregate import PROJECT
from domain.project.closeout import Closeout, CloseProject, ReturnSurplus, SubmitFinalReport
from domain.project.contract import Contract
from domain.project.delivery import Delivery, MeetMilestone
from domain.project.disbursement import (
    ApproveDisbursement,
    CheckDisbursement,
    PayDisbursement,
    RequestDisbursement,
)
from domain.project.evaluation import Evaluation, Opinion, Result
from domain.project.money import Money
from domain.project.opening import ConfirmOpening, OpeningProposed, Openings, OpeningStage, ProposeOpening
from domain.project.remedy import Rectification, RectificationStatus
from domain.project.stage import Gates, Stage
from domain.project.termination import (
    Clawback,
    ReceiveClawback,
    TerminateProject,
    Termination,
    UpholdTerminationAppeal,
    outstanding,
)
from domain.project.tranches import Tranches, TrancheStatus
from domain.project.variation import Variations
from domain.registers.incubation_base import AssessBase, DesignateBase, Tier
from domain.registers.realm import SetClock
from domain.round.plan import ApproveRoundBudget
from tests.domain.project.life import ACCOUNT, BUDGET, FUNDS, MILESTONES, PARTIES, RULES, TRANCHES, around
from tests.domain.project.test_any_order import LedgerWalk, some_command, walked
from tests.domain.pure_realm import PureRealm, furnish, scheme, verification
from tests.domain.sentences import StreamStory, on, who
from tests.domain.test_mutants import broke, mute
from tests.domain.written_realm import WrittenRealm
from tests.tables import every_row, mostly

if TYPE_CHECKING:
    from domain.kernel.message import Command
    from domain.kernel.scheme import Scheme
    from domain.kernel.state import State

SOURCE = Attachment(sha256="7" * 64, media_type="application/pdf", name="移交清冊.pdf")
OPENED = "2024-08-01"
ENDING = (Stage.TERMINATING, Stage.TERMINATED)


def taken_terms(**paid: int) -> dict[str, dict[str, object]]:
    """The tranches of the contract, of which these were paid."""
    return {
        name: {"planned": term.planned, "gate": term.gate, "paid": paid.get(name, 0)} for name, term in TRANCHES.items()
    }


def entry(**other: object) -> ProposeOpening:
    """PJ-2 of ORG-1 as it stands in work, half of it paid; with these particulars otherwise."""
    terms: dict[str, object] = {
        "project": "PJ-2",
        "stage": OpeningStage.ACTIVE,
        "since": date(2024, 6, 10),
        "source": SOURCE,
        "round": "R-HZ-2024",
        "organisation": "ORG-1",
        "title": "老漂族社區融入",
        "fields": ("助老扶幼",),
        "award": 15000000,
        "funds": FUNDS,
        "awarded_on": date(2024, 5, 29),
        "signed_on": date(2024, 6, 4),
        "started_on": date(2024, 6, 10),
        "end": date(2024, 11, 30),
        "tranches": taken_terms(T1=7500000),
        "budget": BUDGET,
        "milestones": MILESTONES,
        "met": {"MS-1": date(2024, 7, 20)},
        "parties": PARTIES,
        "account": ACCOUNT,
        "match_pledged": 2000000,
    }
    return ProposeOpening.model_validate({k: v for k, v in {**terms, **other}.items() if v is not None})


def world(rules: Scheme = RULES, *, budget: int = 20000000, into: PureRealm | None = None) -> PureRealm:
    """A paper realm with the round and the funds of the project."""
    realm = furnish(into or PureRealm(), rules, FS_LOT=10000000, FS_CSF=10000000)
    year = ApproveRoundBudget(amount=budget, scheme=rules.ref, year=2024, level=RoundLevel.MUNICIPAL)
    realm.order("round", "R-HZ-2024", year, at="2024-01-05", by="FISCAL#1")
    return realm


def taken_in(realm: PureRealm, opening: ProposeOpening, *, at: str = OPENED, by: str = "CAB-REG#1") -> State:
    """The project after both have attested it."""
    (proposed,) = realm.order("project", "AP-2", opening, at=at, by=by)
    assert isinstance(proposed, OpeningProposed)
    confirmed = ConfirmOpening(digest=proposed.digest)
    realm.order("project", "AP-2", confirmed, at=(on(at) + timedelta(hours=1)).isoformat(), by="CAB-FIN#1")
    return realm.state("project", "AP-2")


def test_two_persons_take_a_project_in_where_it_stands() -> None:
    realm = world()
    state = taken_in(realm, entry())
    assert state.stage == Stage.ACTIVE
    assert state.since == on("2024-06-10") - timedelta(hours=9)
    assert state.part(Openings).opened_on == date(2024, 8, 1)
    assert state.part(Money).net == 7500000
    assert state.part(Tranches).of["T1"].status is TrancheStatus.PAID
    assert {"ContractSigned", "ProjectStarted", "MilestoneMet/MS-1"} <= state.part(Gates).passed


def test_its_money_lies_in_the_ledger_where_an_award_would_have_left_it() -> None:
    realm = world()
    taken_in(realm, entry())
    balance = realm.balances
    assert balance["envelope/test/FS-LOT"] == 10000000 - 7000000
    assert balance["committed/test/AP-2/FS-LOT"] + balance["committed/test/AP-2/FS-CSF"] == 7500000
    assert balance["paid/test/AP-2/FS-LOT"] + balance["paid/test/AP-2/FS-CSF"] == 7500000
    assert balance["awarded/test/R-HZ-2024"] == 15000000
    assert balance["budget/test/R-HZ-2024"] == 5000000


def test_whoever_proposed_it_does_not_confirm_it() -> None:
    realm = world()
    (proposed,) = realm.order("project", "AP-2", entry(), at=OPENED, by="CAB-REG#1")
    assert isinstance(proposed, OpeningProposed)
    confirmed = ConfirmOpening(digest=proposed.digest[:8])
    assert realm.refused("project", "AP-2", confirmed, at=OPENED, by="CAB-REG#1") == {"OE02"}
    other = ConfirmOpening(digest="0" * 64)
    assert realm.refused("project", "AP-2", other, at=OPENED, by="CAB-DEC#1") == {"OE02"}
    assert realm.refused("project", "AP-2", confirmed, at="2024-09-02", by="CAB-DEC#1") >= {"OE02"}


def test_a_later_proposal_takes_the_place_of_the_one_before() -> None:
    realm = world()
    (first,) = realm.order("project", "AP-2", entry(), at=OPENED, by="CAB-REG#1")
    (second,) = realm.order("project", "AP-2", entry(title="老漂族融入社區"), at=OPENED, by="CAB-REG#1")
    assert isinstance(first, OpeningProposed)
    assert isinstance(second, OpeningProposed)
    stale = ConfirmOpening(digest=first.digest)
    assert realm.refused("project", "AP-2", stale, at=OPENED, by="CAB-FIN#1") == {"OE02"}
    realm.order("project", "AP-2", ConfirmOpening(digest=second.digest), at=OPENED, by="CAB-FIN#1")
    assert realm.refused("project", "AP-2", ConfirmOpening(digest=second.digest), at=OPENED, by="CAB-FIN#1") >= {"OE01"}


def test_nothing_is_confirmed_that_nobody_proposed() -> None:
    assert world().refused("project", "AP-2", ConfirmOpening(digest="0" * 64), at=OPENED, by="CAB-FIN#1") == {"OE02"}


@pytest.mark.parametrize("realm_name", ["live", "test"])
def test_it_is_for_a_paper_realm_before_it_goes_live(realm_name: str) -> None:
    realm = world()
    if realm_name == "live":
        realm.states = {
            StreamId.of(s.kind, "live", s.name): replace(state, stream=StreamId.of(s.kind, "live", s.name))
            for s, state in realm.states.items()
        }
        realm.balances = {k.replace("/test", "/live", 1): v for k, v in realm.balances.items()}
        realm.realm = "live"
    else:
        realm.order("realm", "clock", SetClock(clock=Clock.MANUAL), at="2024-01-02", by="CAB-REG#1")
        gone = SetClock(clock=Clock.WALL, second=who("CAB-DEC#1"))
        realm.order("realm", "clock", gone, at="2024-07-31", by="CAB-REG#1")
    assert "OE01" in realm.refused("project", "AP-2", entry(), at=OPENED, by="CAB-REG#1")


def ending(**other: object) -> dict[str, object]:
    """It is to be ended, and may be heard."""
    terms: dict[str, object] = {
        "stage": OpeningStage.TERMINATING,
        "since": date(2024, 7, 22),
        "ground": "挪用資金",
        "hearing_until": date(2024, 8, 9),
    }
    return {**terms, **other}


def ended(**other: object) -> dict[str, object]:
    """It was ended, and of what was paid five million fen may not be kept."""
    cut = {name: {**term, "cancelled": term["planned"]} for name, term in taken_terms().items() if name != "T1"}
    terms: dict[str, object] = {
        "stage": OpeningStage.TERMINATED,
        "since": date(2024, 7, 22),
        "tranches": {"T1": taken_terms(T1=7500000)["T1"], **cut},
        "ground": "挪用資金",
        "opinion": Opinion.QUALIFIED,
        "audited": 2500000,
        "clawback": 5000000,
        "clawback_until": date(2024, 8, 21),
    }
    return {**terms, **other}


WRONG: dict[str, tuple[dict[str, Any], set[str]]] = {
    "the shares do not add up": ({"funds": {"FS-LOT": 7000000}}, {"M1"}),
    "more than the envelope has": ({"funds": {"FS-LOT": 15000000}}, {"M5"}),
    "the tranches do not add up": ({"tranches": {"T1": {"planned": 7500000, "gate": "ContractSigned"}}}, {"M1"}),
    "a gate that there is not": (
        {"tranches": {"T1": {"planned": 15000000, "gate": "Nothing"}}},
        {"M2"},
    ),
    "paid before its gate": ({"tranches": taken_terms(T1=7500000, T2=4500000)}, {"M2"}),
    "paid in part": ({"tranches": taken_terms(T1=7499999)}, {"M4"}),
    "the budget does not add up": ({"budget": {"activity": 1}}, {"M6"}),
    "the bidder audits": ({"parties": {"auditor": "ORG-1"}}, {"P3"}),
    "one body evaluates and audits": ({"parties": {"auditor": "ORG-A1", "evaluator": "ORG-A1"}}, {"P3"}),
    "an organisation that nobody verified": ({"organisation": "ORG-9"}, {"OE03"}),
    "no contract": ({"signed_on": None, "tranches": None, "budget": None}, {"OE03", "M1", "M6"}),
    "graded before it was reviewed": ({"score": Decimal(90), "grade": "優秀"}, {"OE03", "T21"}),
    "in the future": ({"since": date(2024, 8, 2)}, {"OE03"}),
    "started before it was signed": ({"started_on": date(2024, 6, 1)}, {"OE03"}),
    "a milestone of no contract": ({"met": {"MS-1": date(2024, 7, 20), "MS-9": date(2024, 7, 1)}}, {"T16"}),
    "a milestone whose day has passed": ({"met": None}, {"OE04"}),
    "a final report that is overdue": ({"end": date(2024, 6, 20)}, {"OE04"}),
    "under rectification until when": ({"stage": OpeningStage.RECTIFYING, "since": date(2024, 7, 20)}, {"OE03"}),
    "a rectification that is overdue": (
        {"stage": OpeningStage.RECTIFYING, "since": date(2024, 7, 20), "rectify_until": date(2024, 7, 30)},
        {"OE04"},
    ),
    "being ended on no ground": ({"stage": OpeningStage.TERMINATING, "hearing_until": date(2024, 8, 30)}, {"OE03"}),
    "a ground, and it goes on": ({"ground": "挪用資金"}, {"OE03"}),
    "heard for a day": (ending(hearing_until=date(2024, 7, 23)), {"T20"}),
    "ended without an audit": (ended(audited=None, opinion=None), {"T24", "M10"}),
    "ended, and something is still to be paid": (ended(tranches=taken_terms(T1=7500000)), {"T24"}),
    "ended, and what may not be kept is not ordered back": (ended(clawback=4500000), {"T24"}),
    "more to come back than was paid": (ended(clawback=7500001), {"M10"}),
    "to come back by no day": (ended(clawback_until=None), {"OE03"}),
    "to come back long ago": (ended(clawback_until=date(2024, 7, 26)), {"OE04"}),
    "handed on, and nothing is owed": (
        ended(audited=7500000, clawback=None, clawback_until=None, enforced=True),
        {"OE03"},
    ),
    "settled without an audit": ({"stage": OpeningStage.SETTLEMENT, "since": date(2024, 7, 20)}, {"OE03"}),
}


@pytest.mark.parametrize("what", WRONG)
def test_rules_that_let_it_pass_are_caught_by_the_checker(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terms, rules = WRONG[what]
    realm = WrittenRealm(guarded=False)
    world(into=realm)
    mute(monkeypatch, *rules)
    taken_in(realm, entry(**terms))
    assert broke(realm) & rules


def test_an_entry_by_one_person_or_in_a_live_realm_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("OE01", "OE02"):
        realm = WrittenRealm()
        world(into=realm)
        (proposed,) = realm.order("project", "AP-2", entry(), at=OPENED, by="CAB-REG#1")
        assert isinstance(proposed, OpeningProposed)
        if wrong == "OE01":
            gone = SetClock(clock=Clock.WALL, second=who("CAB-DEC#1"))
            realm.order("realm", "clock", gone, at=OPENED, by="CAB-REG#1")
        by = "CAB-FIN#1" if wrong == "OE01" else "CAB-REG#1"
        confirmed = ConfirmOpening(digest=proposed.digest)
        assert realm.refused("project", "AP-2", confirmed, at=OPENED, by=by) == {wrong}
        with monkeypatch.context() as lenient:
            mute(lenient, wrong)
            realm.order("project", "AP-2", confirmed, at=OPENED, by=by)
        assert broke(realm) == {wrong}


def test_books_that_do_not_balance_are_caught() -> None:
    realm = WrittenRealm()
    world(into=realm)
    taken_in(realm, entry())
    opened = realm.entries[-1]
    for forged in (b'"came_back":{"FS-LOT":1}', b'"cut":{"FS-LOT":1}'):
        name = forged.partition(b":")[0]
        data = opened.data.replace(name + b":{}", forged)
        assert data != opened.data
        realm.entries[-1] = replace(opened, data=data)
        assert broke(realm) == {"OE03"}


def test_the_checker_agrees_with_what_the_rules_let_pass() -> None:
    realm = WrittenRealm()
    world(into=realm)
    taken_in(
        realm, entry(midterm=Result.PASS, teams=({"team": "銀齡隊", "members": 5, "active": (date(2024, 7, 1),)},))
    )
    assert not broke(realm), realm.check().breaches
    realm.order("project", "AP-2", RequestDisbursement(tranche="T2"), at="2024-08-05", by="CAB-REG#1")
    assert not broke(realm), realm.check().breaches


@every_row("what", WRONG)
def test_what_does_not_hold_together_is_refused(what: str) -> None:
    terms, rules = WRONG[what]
    assert world().refused("project", "AP-2", entry(**terms), at=OPENED, by="CAB-REG#1") == rules


def test_a_number_is_taken_once_and_the_budget_of_the_round_holds() -> None:
    realm = world()
    taken_in(realm, entry())
    rules = realm.refused("project", "AP-3", entry(), at=OPENED, by="CAB-REG#1")
    assert rules == {"T01", "M5"}


def test_an_award_without_a_contract_lapses_when_its_time_to_sign_is_over() -> None:
    bare = dict.fromkeys(
        ("signed_on", "started_on", "end", "tranches", "budget", "milestones", "met", "parties", "account")
    )
    awarded = entry(**bare, stage=OpeningStage.AWARDED, since=date(2024, 7, 29), awarded_on=date(2024, 7, 29))
    realm = world()
    assert taken_in(realm, awarded).stage == Stage.AWARDED
    realm.pass_time(on("2024-09-30"))
    assert realm.state("project", "AP-2").stage == Stage.REVOKED
    assert realm.balances["envelope/test/FS-LOT"] == 10000000
    late = entry(**bare, stage=OpeningStage.AWARDED, since=date(2024, 5, 29))
    assert world().refused("project", "AP-2", late, at=OPENED, by="CAB-REG#1") == {"OE04"}


def test_money_that_came_back_before_is_in_the_sums_and_the_project_is_closed_with_it() -> None:
    closed = {
        "stage": OpeningStage.CLOSED,
        "since": date(2024, 7, 30),
        "reported_on": date(2024, 7, 10),
        "closed_on": date(2024, 7, 30),
        "met": {"MS-1": date(2024, 7, 20), "MS-2": date(2024, 7, 20)},
        "tranches": {
            "T1": {"planned": 7500000, "gate": "ContractSigned", "paid": 7500000},
            "T2": {"planned": 7500000, "gate": "MidtermEvaluationConcluded", "cancelled": 7500000},
        },
        "opinion": Opinion.QUALIFIED,
        "audited": 0,
        "score": Decimal(60),
        "grade": "合格",
    }
    assert world().refused("project", "AP-2", entry(**closed), at=OPENED, by="CAB-REG#1") == {"T22"}
    realm = world()
    state = taken_in(realm, entry(**closed, returned=7500000))
    assert (state.stage, state.part(Money).net) == (Stage.CLOSED, 0)
    assert realm.balances["budget/test/R-HZ-2024"] == 20000000 - 7500000
    more = {**closed, "returned": 7500001}
    assert "M3" in world().refused("project", "AP-2", entry(**more), at=OPENED, by="CAB-REG#1")


def test_months_of_a_standing_team_are_taken_over() -> None:
    rules = scheme("hangzhou", evaluation={"standing_team_months": 3})
    closing = {
        "stage": OpeningStage.SETTLEMENT,
        "since": date(2024, 7, 30),
        "reported_on": date(2024, 7, 10),
        "met": {"MS-1": date(2024, 7, 1), "MS-2": date(2024, 7, 1)},
        "tranches": {"T1": {"planned": 15000000, "gate": "ContractSigned", "paid": 15000000}},
        "opinion": Opinion.UNQUALIFIED,
        "audited": 15000000,
        "score": Decimal(90),
        "grade": "優秀",
    }
    active = (date(2024, 6, 20), date(2024, 7, 2), date(2024, 7, 9))
    team = {"team": "銀齡志願服務隊", "members": 18, "active": active}
    short = entry(**closing, teams=(team,))
    assert world(rules).refused("project", "AP-2", short, at=OPENED, by="CAB-REG#1") == {"Z1"}
    realm = world(rules)
    taken_in(realm, entry(**closing, teams=({**team, "active": (*active, date(2024, 8, 1))},)))
    realm.order("project", "AP-2", CloseProject(), at="2024-08-05", by="CAB-REG#1")


def test_it_goes_on_to_its_end_like_any_other() -> None:
    realm = world()
    taken_in(realm, entry(midterm=Result.PASS))
    hands = ("CAB-REG#1", "CAB-FIN#1", "CAB-DEC#1", "FISCAL#1")
    steps: tuple[Command, ...] = (
        RequestDisbursement(tranche="T2"),
        CheckDisbursement(tranche="T2"),
        ApproveDisbursement(tranche="T2"),
        PayDisbursement(tranche="T2", amount=4500000),
    )
    for minute, (step, by) in enumerate(zip(steps, hands, strict=True)):
        realm.order("project", "AP-2", step, at=(on("2024-08-05") + timedelta(minutes=minute)).isoformat(), by=by)
    realm.order("project", "AP-2", MeetMilestone(milestone="MS-2"), at="2024-09-20", by="SUPV#1")
    realm.order("project", "AP-2", SubmitFinalReport(), at="2024-09-23", by="SO-LEGAL#1")
    assert realm.refused("project", "AP-2", ReturnSurplus(amount=12000001), at="2024-09-24", by="SO-ACC#1") == {"M3"}


def test_one_that_is_being_ended_is_heard_and_ended_or_goes_on_where_it_was() -> None:
    realm = WrittenRealm()
    world(into=realm)
    state = taken_in(realm, entry(**ending(opinion=Opinion.QUALIFIED, audited=2500000)))
    (request,) = [one for one in state.approvals if one.verdict is Verdict.OPEN]
    assert (request.gate, request.role) == ("TerminateProject", Role.CAB_DEC)
    early = realm.refused("project", "AP-2", terminate(), at="2024-08-09", by="CAB-DEC#1")
    assert early == {"T24"}, "still to be heard; and tranches are unpaid, and nothing is ordered back"
    upheld = UpholdTerminationAppeal(finding="查無實據", record=SOURCE)
    realm.order("project", "AP-2", upheld, at="2024-08-08", by="CAB-DEC#1")
    assert realm.state("project", "AP-2").stage == Stage.ACTIVE
    assert not broke(realm), realm.check().breaches


def test_of_one_that_was_ended_money_comes_back_or_is_handed_on_when_its_time_is_up() -> None:
    realm = WrittenRealm()
    world(into=realm)
    taken_in(realm, entry(**ended()))
    part = ReceiveClawback(amount=2000000)
    realm.order("project", "AP-2", part, at="2024-08-10", by="CAB-FIN#1")
    realm.pass_time(on("2024-08-23"))
    state = realm.state("project", "AP-2")
    assert (state.part(Clawback).escalated, outstanding(state)) == (True, 3000000)
    assert not broke(realm), realm.check().breaches
    handed_on = ended(clawback_until=date(2024, 7, 1), enforced=True)
    assert taken_in(world(), entry(**handed_on)).part(Clawback).escalated


def terminate() -> TerminateProject:
    return TerminateProject(reason="挪用資金", attachments=(SOURCE,))


# ---------------------------------------------------------------- the same as by the ordinary way


def tell(state: State) -> dict[str, Any] | None:
    """What an entry would say of a project that came here by the ordinary way; None where it cannot say all of it."""
    contract, delivery, money = state.part(Contract), state.part(Delivery), state.part(Money)
    judged, remedy, ended = state.part(Evaluation), state.part(Rectification), state.part(Closeout)
    tranches = state.part(Tranches).of
    if (
        state.stage not in OpeningStage.__members__
        or not contract.version
        or state.part(Variations).of
        or any(
            t.status not in (TrancheStatus.PLANNED, TrancheStatus.PAID, TrancheStatus.CANCELLED)
            for t in tranches.values()
        )
        or any(t.voided for t in tranches.values())
        or money.clawed_back
        or delivery.resumed_on
        or ended.reopened
        or not contract.account_confirmed
        or contract.account_changed_at
        or (state.stage == Stage.RECTIFYING and remedy.status is not RectificationStatus.OPEN)
        or (state.stage == Stage.SUSPENDED and state.stack != (Stage.ACTIVE,))
        or (state.stage in ENDING and state.stack[-1:] == (Stage.SUSPENDED,))
        or (state.stage != Stage.RECTIFYING and remedy.times)
    ):
        return None
    assert state.since is not None
    termination, clawback, owed = state.part(Termination), state.part(Clawback), outstanding(state)
    reviewed = state.stage in (Stage.FINAL_REVIEW, Stage.SETTLEMENT, Stage.CLOSED) or Stage.FINAL_REVIEW in state.stack
    return {
        "stage": state.stage,
        "since": (state.since + timedelta(hours=8)).date(),
        "tranches": {
            n: {"planned": t.planned, "gate": t.gate, "paid": t.paid, "cancelled": t.cancelled}
            for n, t in tranches.items()
        },
        "milestones": contract.milestones,
        "self_assessment_due": contract.self_assessment_due,
        "end": contract.end,
        "account": contract.account or None,
        "signed_on": contract.signed_on,
        "started_on": delivery.started_on,
        "met": delivery.met or None,
        "missed": delivery.missed or None,
        "midterm": judged.midterm,
        "reported_on": ended.reported_on if reviewed else None,
        "opinion": judged.opinion,
        "audited": money.audited,
        "score": judged.final_score,
        "grade": judged.grade or None,
        "returned": money.returned,
        "rectify_until": remedy.last_day(around().calendar),
        "rectify_extended": remedy.extensions,
        "closed_on": ended.closed_on,
        "ground": termination.ground if state.stage in ENDING else None,
        "hearing_until": termination.last_day(around().calendar) if state.stage in ENDING else None,
        "clawback": owed or None,
        "clawback_until": clawback.last_day if owed else None,
        "enforced": clawback.escalated or None if owed else None,
    }


@mostly(1, "first", range(0, 400, 40))
def test_what_was_taken_over_may_do_what_came_by_the_ordinary_way_and_nothing_more(first: int) -> None:
    """Two projects alike, one told by an entry: the same orders are granted and refused, and the same money moves."""
    stages = set()
    for seed in range(first, first + 40):
        ordinary = walked(seed, orders=seed % 30, after=0)
        assert ordinary.last is not None
        at = ordinary.last + timedelta(minutes=1)
        ordinary.pass_time(at + timedelta(hours=1))
        particulars = tell(ordinary.state)
        if particulars is None:
            continue
        realm = world()
        by = ordinary.state.part(Rectification).ordered_by
        proposer = f"CAB-REG#{by.seat.number}" if by and particulars["rectify_until"] else "CAB-REG#1"
        state = taken_in(realm, entry(**particulars), at=at.isoformat(), by=proposer)
        twin = LedgerWalk(StreamStory(PROJECT, state, around()))
        twin.ledger = {k: v for k, v in realm.balances.items() if k.startswith(("awarded/", "committed/", "paid/"))}
        twin.ledger[WORLD] = 15000000 - sum(twin.ledger.values())
        if state.part(Money) != ordinary.state.part(Money):
            continue  # returns that came in several times may fall on funds otherwise by a fen
        stages.add(state.stage)
        rng = Random(seed)  # noqa: S311 - nothing secret
        for _ in range(40):
            at += timedelta(days=rng.choice((0, 0, 1, 3)), minutes=61)
            number = rng.choice((1, 2))
            command = some_command(rng, ordinary.state)
            results = []
            for walk in (ordinary, twin):
                before = walk.state.version
                walk.take(command, number if command.by[0] != "SO-LEGAL" else 1, at)
                results.append((walk.state.version - before, walk.state.stage, walk.state.part(Money)))
            assert results[0] == results[1], (seed, command)
            assert ordinary.state.part(Application).organisation == twin.state.part(Application).organisation
    assert Stage.TERMINATING in stages
    assert len(stages) >= 3


# ---------------------------------------------------------------- a base's support


def realm_with_base(into: PureRealm | None = None, operator: str = "ORG-1") -> PureRealm:
    """The world, and a base that is assessed."""
    realm = world(into=into)
    realm.order("organisation", "ORG-2", verification("SO-LEGAL#2"), at="2024-01-08", by="HOST#1")
    base = DesignateBase(name="基地", tier=Tier.MUNICIPAL, operator=operator)
    realm.order("base", "BASE-1", base, at="2024-02-05", by="CAB-DEC#1")
    realm.order("base", "BASE-1", AssessBase(score=Decimal(90), grade="A"), at="2024-02-08", by="EVAL#1")
    return realm


def second_support() -> ProposeOpening:
    """Another project of the same base and year, only awarded so far."""
    later = ("signed_on", "started_on", "end", "tranches", "budget", "milestones", "met", "parties", "account")
    return entry(
        **dict.fromkeys(later),
        base="BASE-1",
        project="PJ-3",
        funds={"FS-LOT": 1000000},
        award=1000000,
        stage=OpeningStage.AWARDED,
        since=date(2024, 7, 30),
        awarded_on=date(2024, 7, 30),
    )


def test_the_support_of_a_base_is_taken_over_once_a_year() -> None:
    realm = realm_with_base(WrittenRealm())
    state = taken_in(realm, entry(base="BASE-1"))
    assert (state.part(Application).kind, state.part(Application).base) == (ProjectKind.BASE_SUPPORT, "BASE-1")
    assert isinstance(realm, WrittenRealm)
    assert realm.check().ok
    assert realm.refused("project", "AP-3", second_support(), at=OPENED, by="CAB-REG#1") == {"C3"}


def test_the_support_of_a_base_goes_to_who_runs_it_and_is_nobodys_joint_bid() -> None:
    by_another = realm_with_base(operator="ORG-2")
    assert by_another.refused("project", "AP-2", entry(base="BASE-1"), at=OPENED, by="CAB-REG#1") == {"T01"}
    joint = entry(base="BASE-1", partners=("ORG-1",))
    assert realm_with_base().refused("project", "AP-2", joint, at=OPENED, by="CAB-REG#1") == {"OE03"}


def test_a_second_support_in_a_year_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    mute(monkeypatch, "C3")
    realm = realm_with_base(WrittenRealm(guarded=False))
    taken_in(realm, entry(base="BASE-1"))
    (proposed,) = realm.order("project", "AP-3", second_support(), at="2024-08-02", by="CAB-REG#1")
    assert isinstance(proposed, OpeningProposed)
    realm.order("project", "AP-3", ConfirmOpening(digest=proposed.digest), at="2024-08-05", by="CAB-FIN#1")
    assert isinstance(realm, WrittenRealm)
    assert broke(realm) == {"C3"}
