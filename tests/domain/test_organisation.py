"""Who an organisation is, and what stands against its being funded."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from domain.kernel.effects import Claim, Release
from domain.kernel.facts import Facts
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import Checks
from domain.kernel.scheme import Scheme
from domain.registers.organisation import (
    ORGANISATION,
    ApplicantBanned,
    ApplyRatingBonus,
    BanApplicant,
    CreditListingRecorded,
    LiftCreditListing,
    Listing,
    Organisation,
    OrganisationVerified,
    RatingBonusApplied,
    RatingRecorded,
    RecordCreditListing,
    RecordRating,
    VerifyOrganisation,
    check_character,
    require_authorised,
    require_fundable,
)
from tests.domain.pure_realm import EVIDENCE, scheme, verification
from tests.domain.sentences import StreamStory, a

REG = {"by": "CAB-REG#1", "at": "2024-01-10"}
TODAY = date(2024, 1, 10)
CODE = "51330000MJ87654325"
LISTED = RecordCreditListing(listing=Listing.ABNORMAL, reason="未年報", attachments=EVIDENCE)
BANNED = BanApplicant(until="2027-01-10", reason="重複列支", attachments=EVIDENCE)


def code() -> str:
    return CODE[:17] + check_character(CODE[:17])


def organisation(rules: Scheme | None = None) -> StreamStory:
    return a(ORGANISATION, "ORG-1", Facts(scheme=rules)).ordered(verification(), **REG)


def refusing(story: StreamStory, day: date = TODAY, rules: Scheme | None = None) -> set[str]:
    check = Checks()
    require_fundable(check, story.state, day, rules, "D5")
    return {u.en for u in check.unmet}


# ---------------------------------------------------------------- identity


def test_an_organisation_is_verified() -> None:
    story = organisation()
    assert story.state.part(Organisation).name == "測試組織"
    assert story.state.stage == "VERIFIED"


def test_the_check_character_is_that_of_the_standard() -> None:
    """Two codes that anybody can look up, of large companies."""
    assert check_character("91330100799655058") == "B"
    assert check_character("91110000802100433") == "B"


@pytest.mark.parametrize(
    "wrong", ["51330000MJ8765432", "51330000MJ876543IO", "91330100799655058C", "91330100799655058b"]
)
def test_a_wrong_credit_code_is_refused_at_the_door(wrong: str) -> None:
    with pytest.raises(ValidationError):
        VerifyOrganisation.model_validate({**verification().model_dump(), "credit_code": wrong})


def test_one_credit_code_stands_on_one_file() -> None:
    command = VerifyOrganisation.model_validate({**verification().model_dump(), "credit_code": code()})
    key = f"credit-code/test/{code()}"
    taken = Facts(claims={key: frozenset({"organisation/test/ORG-2"})})
    a(ORGANISATION, "ORG-1", taken).when(command, **REG).refused("OG01")
    own = Facts(claims={key: frozenset({"organisation/test/ORG-1"})})
    story = a(ORGANISATION, "ORG-1", own).ordered(command, **REG)
    stream = StreamId("organisation/test/ORG-1")
    assert list(OrganisationVerified.of(command).effects(stream)) == [Claim(key, stream)]
    (changed,) = story.when(verification(), **REG).events
    assert list(changed.effects(stream)) == [Release(key, stream)]


def test_only_legal_representatives_are_listed_as_such() -> None:
    a(ORGANISATION, "ORG-1").when(verification("SO-PM#1"), **REG).refused("SD10")


def test_a_listed_representative_may_act_for_it_and_nobody_else() -> None:
    check = Checks()
    require_authorised(check, organisation().state, Actor("SO-LEGAL#1"))
    assert not check.unmet
    require_authorised(check, organisation().state, Actor("SO-LEGAL#2"))
    assert [u.rule for u in check.unmet] == ["SD10"]


# ---------------------------------------------------------------- who may be funded


def test_a_verified_organisation_is_eligible() -> None:
    assert not refusing(organisation())


def test_one_that_was_never_verified_is_not() -> None:
    assert refusing(a(ORGANISATION, "ORG-1")) == {"ORG-1 has not been verified; verify it first"}


@pytest.mark.parametrize("listing", list(Listing))
def test_a_listed_one_is_not_until_it_is_lifted(listing: Listing) -> None:
    listed = LISTED.model_copy(update={"listing": listing})
    story = organisation().when(listed, **REG).then(CreditListingRecorded.of(listed))
    assert refusing(story)
    story = story.ordered(LiftCreditListing(listing=listing, reason="已補報"), **REG)
    assert not refusing(story)


def test_a_barred_one_is_not_through_its_last_day() -> None:
    story = organisation().when(BANNED, by="CAB-DEC#1", at="2024-01-10").then(ApplicantBanned.of(BANNED))
    assert refusing(story, date(2027, 1, 10))
    assert not refusing(story, date(2027, 1, 11))


def test_a_shorter_bar_does_not_end_a_longer_one() -> None:
    story = organisation().ordered(BANNED, by="CAB-DEC#1", at="2024-01-10")
    shorter = BANNED.model_copy(update={"until": date(2025, 1, 1)})
    story = story.ordered(shorter, by="CAB-DEC#1", at="2024-01-11")
    assert refusing(story, date(2026, 1, 1))


def test_every_reason_is_named_at_once() -> None:
    negligent = verification().model_copy(update={"annual_report_filed": False, "own_accounts": False})
    story = organisation().ordered(negligent, **REG).ordered(LISTED, **REG)
    story = story.ordered(BANNED, by="CAB-DEC#1", at="2024-01-10")
    assert len(refusing(story, rules=scheme(bidding={"minimum_rating": "3A"}))) == 5


def test_a_rating_below_the_schemes_minimum_is_not_enough() -> None:
    rules = scheme(bidding={"minimum_rating": "3A"})
    story = organisation()
    assert refusing(story, rules=rules)
    assert refusing(story.ordered(RecordRating(level="2A", until="2028-01-01"), **REG), rules=rules)
    rated = story.ordered(RecordRating(level="4A", until="2028-01-01"), **REG)
    assert not refusing(rated, rules=rules)
    assert refusing(rated, date(2028, 1, 2), rules)


# ---------------------------------------------------------------- ratings and their bonus


BONUS = scheme(bidding={"rating_bonus": {"5A": 3, "4A": 2}})


def test_a_rating_counts_through_its_last_day() -> None:
    story = organisation().when(RecordRating(level="4A", until="2028-12-31"), **REG)
    rated = story.then(RatingRecorded(level="4A", until="2028-12-31")).state.part(Organisation)
    assert rated.rating(date(2024, 1, 9)) is None
    assert rated.rating(date(2028, 12, 31)) is not None
    assert rated.rating(date(2029, 1, 1)) is None


def test_a_rating_that_has_ended_is_not_recorded() -> None:
    organisation().when(RecordRating(level="4A", until="2024-01-09"), **REG).refused("D5")


def test_a_valid_rating_adds_its_points_once_a_round() -> None:
    story = organisation(BONUS).ordered(RecordRating(level="4A", until="2024-12-31"), **REG)
    bonus = ApplyRatingBonus(round="R-1")
    story = story.when(bonus, **REG).then(RatingBonusApplied(round="R-1", level="4A", points=2))
    story.when(bonus, **REG).refused("D5")
    story.when(ApplyRatingBonus(round="R-2"), by="CAB-REG#1", at="2025-01-01").refused("D5")


def test_no_bonus_without_a_rating_or_without_points_for_it() -> None:
    bonus = ApplyRatingBonus(round="R-1")
    organisation(BONUS).when(bonus, **REG).refused("D5")
    lower = organisation(BONUS).ordered(RecordRating(level="3A", until="2024-12-31"), **REG)
    lower.when(bonus, **REG).refused("D5")


def test_no_bonus_without_rules() -> None:
    story = organisation().ordered(RecordRating(level="4A", until="2024-12-31"), **REG)
    story.when(ApplyRatingBonus(round="R-1"), **REG).refused("S1")


# ---------------------------------------------------------------- lists and bars


def test_it_is_not_listed_twice_nor_lifted_unlisted() -> None:
    organisation().ordered(LISTED, **REG).when(LISTED, **REG).refused("D5")
    organisation().when(LiftCreditListing(listing=Listing.ABNORMAL, reason="誤列"), **REG).refused("D5")


def test_a_bar_ends_in_the_future_and_comes_from_the_decision_meeting() -> None:
    past = BANNED.model_copy(update={"until": TODAY})
    organisation().when(past, by="CAB-DEC#1", at="2024-01-10").refused("D5")
    organisation().when(BANNED, **REG).refused("OG01")


@pytest.mark.parametrize("command", [BanApplicant, RecordCreditListing])
def test_what_is_adverse_comes_with_its_evidence(command: type[BanApplicant | RecordCreditListing]) -> None:
    with pytest.raises(ValidationError):
        command.model_validate({"until": "2027-01-10", "listing": "ABNORMAL", "reason": "無"})


def test_nothing_is_recorded_of_one_that_was_never_verified() -> None:
    a(ORGANISATION, "ORG-1").when(LISTED, **REG).refused("OG01")
