"""Every timer of the field, and credit ageing: what happens when its time is up, to the instant."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.catalogue import AGGREGATES
from domain.kernel.calendar import day_begins, day_ends
from domain.kernel.identifier import Role
from domain.project.bidding import ReturnApplication
from domain.project.objection import DismissObjection
from domain.project.publicity import ConfirmAward
from domain.registers.organisation import LiftCreditListing, Listing, Organisation, RecordCreditListing, RecordRating
from domain.round.plan import OpenNeedSolicitation
from tests.domain.pure_realm import EVIDENCE, scheme
from tests.domain.sentences import on
from tests.domain.test_mutants import CANCELLED, ORDERED_BACK, TERMINATED, TERMINATING, objection, rectified
from tests.domain.written_realm import Step, WrittenRealm, check, contract, project, realm_until, steps

LISTED = RecordCreditListing(listing=Listing.ABNORMAL, reason="未年報", attachments=EVIDENCE, since=date(2024, 2, 2))
TOLD = {"tells_of_late": True}
RULES = scheme("hangzhou", publicity=TOLD, payment=TOLD)


def world(until: str, *orders: Step) -> WrittenRealm:
    """The common story up to that step, and these orders after it."""
    story = realm_until(until, RULES)
    for step in orders:
        step.ordered(story)
    return story


def with_a_contract(**terms: object) -> WrittenRealm:
    """The common story to its start, under a contract of other terms."""
    story = WrittenRealm()
    for name, step in steps(RULES):
        (replace(step, command=contract(**terms)) if name == "signed" else step).ordered(story)
        if name == "started":
            break
    return story


NEEDS = Step("round", "R-9", OpenNeedSolicitation(scheme=RULES.ref, year=2024), "2024-02-01", "CAB-REG#1")
RETURNED = project(ReturnApplication(reason="附件不全"), "2024-03-04", "HOST#1")
OBJECTED = objection("2024-03-13", "2024-03-14")


def listed(story: WrittenRealm) -> WrittenRealm:
    Step("organisation", "ORG-1", LISTED, "2024-02-02", "CAB-REG#1").ordered(story)
    return story


@pytest.mark.parametrize(
    ("story", "last_day", "event"),
    [
        (lambda: world("rules", NEEDS), "2024-02-20", "NeedSolicitationClosed"),
        (lambda: world("call"), "2024-02-26", "CallClosed"),
        (lambda: world("bid 2", RETURNED), "2024-03-07", "PreliminaryReviewFailed"),
        (lambda: world("posted", *OBJECTED), "2024-03-28", "ObjectionEscalated"),
        (lambda: world("confirmed"), "2024-04-10", "ContractSigningLapsed"),
        (lambda: world("approved T1"), "2024-04-16", "DisbursementOverdue"),
        (lambda: with_a_contract(self_assessment_due=date(2024, 6, 28)), "2024-07-05", "MidtermEvaluationConcluded"),
        (lambda: world("midterm", *rectified("ordered")), "2024-07-31", "RectificationFailed"),
        (lambda: world("paid T2"), "2024-12-30", "RectificationOrdered"),
        (
            lambda: world("paid T2", *TERMINATING, CANCELLED, ORDERED_BACK, TERMINATED),
            "2024-08-28",
            "ClawbackEscalated",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value[0].isupper() else None,
)
def test_what_a_timer_says_happens_when_its_last_day_has_ended(story: object, last_day: str, event: str) -> None:
    realm = story() if callable(story) else None
    assert isinstance(realm, WrittenRealm)
    ends = day_ends(date.fromisoformat(last_day))
    before = len(realm.log)
    realm.pass_time(ends - timedelta(seconds=1))
    assert event not in {e.event_type for _, e in realm.log[before:]}
    realm.pass_time(ends)
    entry = next((e for e in realm.entries[before:] if e.type == event), None)
    assert entry is not None, {e.event_type for _, e in realm.log[before:]}
    assert entry.occurred_at >= ends
    assert realm.check().ok, realm.check().breaches


def test_publicity_only_enables_the_confirmation_and_a_hearing_the_end() -> None:
    story = realm_until("posted")
    assert "D2" in story.refused("project", "AP-1", ConfirmAward(), at="2024-03-18", by="CAB-DEC#1")
    story.order("project", "AP-1", ConfirmAward(), at="2024-03-19", by="CAB-DEC#1")
    ending = world("paid T2", *TERMINATING, CANCELLED, ORDERED_BACK)
    early = replace(TERMINATED, at="2024-07-24")
    short = world("paid T2", *TERMINATING)
    assert "T24" in early.refused(short)
    TERMINATED.ordered(ending)


# ---------------------------------------------------------------- in whose inbox it is


def awaited(story: WrittenRealm, name: str) -> dict[str, tuple[Role, ...]]:
    state = story.state("project", name)
    return {one.command: one.roles for one in AGGREGATES["project"].awaiting(state, story.calendar)}


def test_discipline_inspection_sees_an_objection_that_is_late_and_nobody_elses_task() -> None:
    story = world("posted", *OBJECTED)
    assert awaited(story, "AP-1")["DismissObjection"] == (Role.CAB_DEC,)
    story.pass_time(on("2024-03-29"))
    assert awaited(story, "AP-1")["DismissObjection"] == (Role.CAB_DEC, Role.DISC)
    dismissal = DismissObjection(finding="不實")
    assert story.refused("project", "AP-1", dismissal, at="2024-03-29", by="DISC#1")
    story.order("project", "AP-1", dismissal, at="2024-03-29", by="CAB-DEC#1")
    assert story.check().ok


def test_an_objection_that_is_decided_in_time_is_told_to_nobody() -> None:
    story = world("posted", *OBJECTED)
    story.order("project", "AP-1", DismissObjection(finding="不實"), at="2024-03-28", by="CAB-DEC#1")
    story.pass_time(on("2024-04-01"))
    assert "ObjectionEscalated" not in {event.event_type for _, event in story.log}


def test_bureau_finance_sees_a_payment_that_is_late_until_it_is_paid() -> None:
    story = world("approved T1")
    story.pass_time(on("2024-04-17"))
    assert awaited(story, "AP-1")["PayDisbursement"] == (Role.FISCAL, Role.CAB_FIN)
    paid = dict(steps(RULES))["paid T1"]
    replace(paid, at="2024-04-17").ordered(story)
    assert "PayDisbursement" not in awaited(story, "AP-1")
    assert story.check().ok


def test_the_case_officer_sees_a_clawback_that_is_referred_for_enforcement() -> None:
    story = world("paid T2", *TERMINATING, CANCELLED, ORDERED_BACK, TERMINATED)
    assert awaited(story, "AP-1")["ReceiveClawback"] == (Role.CAB_FIN,)
    story.pass_time(day_ends(date(2024, 8, 28)))
    assert awaited(story, "AP-1")["ReceiveClawback"] == (Role.CAB_FIN, Role.CAB_REG)


def test_two_years_on_the_list_of_abnormal_operations_count_as_a_serious_listing() -> None:
    story = listed(realm_until("ORG-2"))
    (one,) = AGGREGATES["organisation"].awaiting(story.state("organisation", "ORG-1"), story.calendar)
    assert (one.roles, one.until) == ((Role.CAB_REG,), day_begins(date(2026, 2, 2)))
    story.pass_time(day_begins(date(2026, 2, 2)) - timedelta(seconds=1))
    assert story.state("organisation", "ORG-1").part(Organisation).listings == {Listing.ABNORMAL}
    story.pass_time(day_begins(date(2026, 2, 2)))
    organisation = story.state("organisation", "ORG-1").part(Organisation)
    assert organisation.listings == {Listing.ABNORMAL, Listing.SERIOUS}
    assert organisation.blacklisted_on == date(2026, 2, 2)
    assert story.check().ok


def test_what_is_recorded_after_its_two_years_follows_at_once() -> None:
    story = realm_until("ORG-2")
    late = LISTED.model_copy(update={"since": date(2020, 2, 29)})
    story.order("organisation", "ORG-1", late, at="2024-02-02", by="CAB-REG#1")
    story.pass_time(on("2024-02-02"))
    assert [entry.occurred_at for entry in story.entries if entry.type == "CreditListingAged"] == [on("2024-02-02")]
    ahead = LISTED.model_copy(update={"listing": Listing.PENALTY, "since": date(2024, 2, 4)})
    assert story.refused("organisation", "ORG-1", ahead, at="2024-02-03", by="CAB-REG#1") == {"D5"}
    assert story.check().ok


def test_whoever_leaves_the_list_in_time_is_never_taken_for_serious() -> None:
    story = listed(realm_until("ORG-2"))
    lift = LiftCreditListing(listing=Listing.ABNORMAL, reason="已補報")
    story.order("organisation", "ORG-1", lift, at="2026-02-01", by="CAB-REG#1")
    story.pass_time(on("2026-03-01"))
    assert story.state("organisation", "ORG-1").part(Organisation).listings == frozenset()
    assert story.check().ok


def test_a_rating_counts_to_the_end_of_its_last_day() -> None:
    story = realm_until("ORG-2")
    rating = RecordRating(level="4A", until=date(2024, 2, 5))
    story.order("organisation", "ORG-1", rating, at="2024-02-02", by="CAB-REG#1")
    organisation = story.state("organisation", "ORG-1").part(Organisation)
    assert [organisation.rating(date(2024, 2, day)) is not None for day in (5, 6)] == [True, False]


# ---------------------------------------------------------------- what the checker finds


@pytest.mark.parametrize("silent", ["ObjectionEscalated", "DisbursementOverdue", "CreditListingAged"])
def test_what_was_late_and_told_to_nobody_is_found(silent: str) -> None:
    """Rules that tell of nothing: the entry is not there."""
    match silent:
        case "ObjectionEscalated":
            story = world("posted", *OBJECTED)
            story.order("project", "AP-1", DismissObjection(finding="不實"), at="2024-04-01", by="CAB-DEC#1")
        case "DisbursementOverdue":
            story = world("approved T1")
            replace(dict(steps(RULES))["paid T1"], at="2024-04-17").ordered(story)
        case _:
            story = listed(realm_until("ORG-2"))
            lift = LiftCreditListing(listing=Listing.ABNORMAL, reason="已補報")
            story.order("organisation", "ORG-1", lift, at="2026-03-02", by="CAB-REG#1")
    assert story.check().ok
    without = [entry for entry in story.entries if entry.type != silent]
    assert len(without) == len(story.entries) - 1
    assert "D6" in {breach.rule for breach in check(without).breaches}


def test_nobody_is_told_before_it_is_late() -> None:
    story = world("approved T1")
    story.pass_time(on("2024-04-17"))
    early = [replace(e, occurred_at=on("2024-04-16")) if e.type == "DisbursementOverdue" else e for e in story.entries]
    assert {breach.rule for breach in check(early).breaches} == {"D6"}
