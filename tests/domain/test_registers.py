"""Registers: rules, working days, clocks and funds."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from domain.kernel.approval import Verdict
from domain.kernel.canonical import canonical, plain
from domain.kernel.clock import Clock
from domain.kernel.effects import Claim, Post
from domain.kernel.facts import Facts
from domain.kernel.identifier import StreamId
from domain.kernel.scheme import RoundLevel, Scheme
from domain.kernel.state import SchemeRef
from domain.registers.calendar import CALENDAR, CalendarPublished, PublishCalendar, calendar_of
from domain.registers.fund import (
    FUND,
    ConfirmFundAdjustment,
    Fund,
    FundAdjusted,
    FundSourceRegistered,
    ProposeFundAdjustment,
    RegisterFundSource,
    committed,
    envelope,
    paid,
    treasury,
)
from domain.registers.realm import REALM, ClockSet, Realm, SetClock
from domain.registers.scheme import (
    SCHEME,
    AnnualRoundScheduled,
    EstablishProgramme,
    PolicyPackPublished,
    ProgrammeEstablished,
    PublishPolicyPack,
    Register,
    ScheduleAnnualRound,
    UnscheduleAnnualRound,
    scheme_of,
)
from tests.domain.pure_realm import scheme
from tests.domain.sentences import StreamStory, a

DEC = {"by": "CAB-DEC#1", "at": "2023-01-10"}
REG = {"by": "CAB-REG#1", "at": "2023-01-10"}


def second(rules: Scheme) -> Scheme:
    return rules.model_copy(update={"version": 2})


# ---------------------------------------------------------------- rules


def test_a_programme_is_established_and_its_rules_published() -> None:
    brand = EstablishProgramme(city="撫州", brand="幸福社區")
    story = a(SCHEME, "fuzhou").when(brand, **DEC).then(ProgrammeEstablished(city="撫州", brand="幸福社區"))
    story = story.when(PublishPolicyPack(scheme=scheme()), **DEC).then(PolicyPackPublished(scheme=scheme()))
    assert story.state.stage == "PUBLISHED"
    assert story.state.part(Register).brand == "幸福社區"
    assert scheme_of(story.state, SchemeRef(name="fuzhou", version=1)) == scheme()


def test_rules_may_be_published_without_a_programme() -> None:
    story = a(SCHEME, "fuzhou").ordered(PublishPolicyPack(scheme=scheme()), **DEC)
    assert story.state.scheme == SchemeRef(name="fuzhou", version=1)


def test_another_version_leaves_the_first_as_it_was() -> None:
    story = a(SCHEME, "fuzhou").ordered(PublishPolicyPack(scheme=scheme()), **DEC)
    story = story.ordered(PublishPolicyPack(scheme=second(scheme())), **DEC)
    assert scheme_of(story.state, SchemeRef(name="fuzhou", version=1)) == scheme()
    assert scheme_of(story.state, SchemeRef(name="fuzhou", version=2)) == second(scheme())
    assert scheme_of(story.state, SchemeRef(name="fuzhou", version=3)) is None
    assert scheme_of(story.state, SchemeRef(name="hangzhou", version=1)) is None


def test_a_published_version_never_changes() -> None:
    story = a(SCHEME, "fuzhou").ordered(PublishPolicyPack(scheme=scheme()), **DEC)
    story.when(PublishPolicyPack(scheme=scheme(needs={"window_wd": 5})), **DEC).refused("SC03")


def test_versions_leave_no_gap() -> None:
    a(SCHEME, "fuzhou").when(PublishPolicyPack(scheme=second(scheme())), **DEC).refused("SC03")


def test_rules_lie_on_the_stream_of_their_name() -> None:
    a(SCHEME, "fuzhou").when(PublishPolicyPack(scheme=scheme("hangzhou")), **DEC).refused("SC02")


def test_only_the_decision_meeting_publishes_rules() -> None:
    a(SCHEME, "fuzhou").when(PublishPolicyPack(scheme=scheme()), **REG).refused("SC02")


def test_a_programme_is_established_once() -> None:
    brand = EstablishProgramme(city="撫州", brand="幸福社區")
    a(SCHEME, "fuzhou").ordered(brand, **DEC).when(brand, **DEC).refused("SC01")


def test_rules_come_back_whole_from_their_bytes() -> None:
    event = PolicyPackPublished(scheme=scheme())
    assert PolicyPackPublished.model_validate_json(canonical(plain(event))) == event


# ---------------------------------------------------------------- annual rounds


MARCH = ScheduleAnnualRound(programme="FZ", month=3, day=1)
STREAM = StreamId("scheme/test/fuzhou")


def published() -> StreamStory:
    return a(SCHEME, "fuzhou").ordered(PublishPolicyPack(scheme=scheme()), **DEC)


def test_a_round_a_year_is_scheduled_in_the_name_of_who_asks_for_it() -> None:
    story = published().when(MARCH, **REG).then(AnnualRoundScheduled(programme="FZ", month=3, day=1, hour=9))
    alarm = story.state.part(Register).annual["FZ"]
    assert alarm is not None
    assert (alarm.annual.actor, alarm.annual.scheme, alarm.annual.realm) == ("CAB-REG#1", "fuzhou", "test")
    assert alarm.annual.round_of(2027) == "round/test/R-FZ-2027"


def test_rules_come_first_and_the_registrar_schedules() -> None:
    a(SCHEME, "fuzhou").when(MARCH, **REG).refused("SC04")
    published().when(MARCH, **DEC).refused("SC04")


def test_one_schedule_of_a_code_until_it_is_cancelled_by_either_desk() -> None:
    story = published().ordered(MARCH, **REG)
    story.when(MARCH.model_copy(update={"month": 4}), **REG).refused("SC04")
    for by in ("CAB-REG#2", "CAB-DEC#1"):
        cancelled = story.ordered(UnscheduleAnnualRound(programme="FZ"), by=by, at="2023-01-11")
        assert cancelled.state.part(Register).annual == {"FZ": None}
        cancelled.when(UnscheduleAnnualRound(programme="FZ"), **REG).refused("SC05")
        cancelled.ordered(MARCH, **REG)


@pytest.mark.parametrize(("month", "day"), [(2, 29), (2, 30), (4, 31)])
def test_a_day_that_not_every_year_has_is_refused(month: int, day: int) -> None:
    published().when(MARCH.model_copy(update={"month": month, "day": day}), **REG).refused("SC04")


def test_one_programme_opens_the_municipal_round() -> None:
    story = published().ordered(MARCH, **REG)
    other = ScheduleAnnualRound(programme="FZ-2", month=3, day=1)
    story.when(other, **REG).refused("H1")
    story.ordered(other.model_copy(update={"level": RoundLevel.DISTRICT}), **REG)
    story.ordered(UnscheduleAnnualRound(programme="FZ"), **DEC).ordered(other, **REG)


def test_a_code_stays_with_the_programme_that_took_it() -> None:
    event = AnnualRoundScheduled(programme="FZ", month=3, day=1)
    assert list(event.effects(STREAM)) == [Claim("annual/test/FZ", STREAM)]
    taken = Facts(claims={"annual/test/FZ": frozenset({"scheme/test/hangzhou"})})
    published().knowing(taken).when(MARCH, **REG).refused("SC04")
    published().knowing(Facts(claims={"annual/test/FZ": frozenset({STREAM})})).ordered(MARCH, **REG)


def test_all_that_is_wrong_with_a_schedule_is_said_at_once() -> None:
    taken = Facts(claims={"annual/test/FZ": frozenset({"scheme/test/hangzhou"})})
    refusal = published().knowing(taken).when(MARCH.model_copy(update={"month": 2, "day": 30}), **DEC).refusal
    assert refusal is not None
    assert [u.en for u in refusal.unmet] == [
        "“schedule annual round” is for the case officer; you are acting as the bureau leadership",
        "not every year has a 02-30: choose another day",
        "the code FZ belongs to scheme/test/hangzhou",
    ]


# ---------------------------------------------------------------- working days


YEAR = PublishCalendar(year=2023, off=(date(2023, 5, 1),), on=(date(2023, 5, 6),))


def test_a_published_year_says_which_days_are_worked() -> None:
    story = a(CALENDAR, "cn").ordered(YEAR, **REG)
    calendar = calendar_of(story.state)
    assert not calendar.is_working(date(2023, 5, 1))
    assert calendar.is_working(date(2023, 5, 6))
    assert not calendar.is_working(date(2023, 5, 7))
    assert calendar.is_provisional(date(2024, 5, 1))


def test_the_newest_version_of_a_year_counts() -> None:
    story = a(CALENDAR, "cn").ordered(YEAR, **REG)
    corrected = PublishCalendar(year=2023, version=2, off=(date(2023, 5, 2),), drops=2)
    story = story.ordered(corrected, **REG)
    assert calendar_of(story.state).is_working(date(2023, 5, 1))
    assert not calendar_of(story.state).is_working(date(2023, 5, 2))


@pytest.mark.parametrize("drops", [None, 0, 1, 3])
def test_a_correction_that_silently_drops_days_is_refused(drops: int | None) -> None:
    story = a(CALENDAR, "cn").ordered(YEAR, **REG)
    partial = PublishCalendar(year=2023, version=2, off=(date(2023, 5, 2),), drops=drops)
    story.when(partial, **REG).refused("D2")


def test_the_holiday_at_new_year_may_begin_in_december() -> None:
    notice = PublishCalendar(year=2024, off=(date(2023, 12, 29), date(2024, 1, 1)), on=(date(2023, 12, 31),))
    calendar = calendar_of(a(CALENDAR, "cn").ordered(YEAR, **REG).ordered(notice, **REG).state)
    assert [calendar.is_working(date(2023, 12, day)) for day in (28, 29, 30, 31)] == [True, False, False, True]


def test_a_notice_may_say_on_which_weekday_work_begins_again() -> None:
    """As that of 2020, which extended the Spring Festival: work began again on Monday, 3 February."""
    extended = PublishCalendar(year=2020, off=(date(2020, 1, 31),), on=(date(2020, 2, 3),))
    assert calendar_of(a(CALENDAR, "cn").ordered(extended, **REG).state).is_working(date(2020, 2, 3))


def test_fixed_holidays_of_an_unpublished_year_are_off() -> None:
    calendar = calendar_of(a(CALENDAR, "cn").ordered(YEAR, **REG).state)
    holidays = (date(2027, 1, 1), date(2029, 5, 1), date(2027, 10, 1), date(2030, 10, 2), date(2028, 10, 3))
    assert not [day for day in holidays if calendar.is_working(day)]
    assert calendar.is_working(date(2027, 1, 4))


def test_days_are_kept_in_order_and_once() -> None:
    jumbled = PublishCalendar(year=2023, off=(date(2023, 5, 2), date(2023, 5, 1), date(2023, 5, 2)))
    a(CALENDAR, "cn").when(jumbled, **REG).then(
        CalendarPublished(year=2023, version=1, off=(date(2023, 5, 1), date(2023, 5, 2)))
    )


@pytest.mark.parametrize(
    ("notice", "rule"),
    [
        (YEAR.model_copy(update={"version": 2}), "CL02"),
        (YEAR.model_copy(update={"off": (date(2024, 5, 1),)}), "D2"),
        (YEAR.model_copy(update={"off": (date(2022, 11, 30),)}), "D2"),
        (YEAR.model_copy(update={"off": (date(2023, 5, 6),)}), "D2"),
    ],
    ids=[
        "a gap in its versions",
        "a day of another year",
        "a day of November before",
        "off and worked at once",
    ],
)
def test_a_year_is_refused_for(notice: PublishCalendar, rule: str) -> None:
    a(CALENDAR, "cn").when(notice, **REG).refused(rule)


def test_a_version_is_not_published_twice() -> None:
    a(CALENDAR, "cn").ordered(YEAR, **REG).when(YEAR, **REG).refused("CL02")


# ---------------------------------------------------------------- clocks


def test_a_new_realm_takes_its_clock_from_the_system() -> None:
    a(REALM, "clock").when(SetClock(clock=Clock.MANUAL), by="SYS#1", at="2023-01-01").then(ClockSet(clock=Clock.MANUAL))


def test_the_live_realm_is_never_on_a_manual_clock() -> None:
    story = a(REALM, "clock", realm="live")
    story.when(SetClock(clock=Clock.MANUAL), by="SYS#1", at="2023-01-01").refused("CK01")
    story.ordered(SetClock(clock=Clock.WALL, second="CAB-DEC#1"), **REG)


def test_going_live_takes_two_persons() -> None:
    story = a(REALM, "clock").ordered(SetClock(clock=Clock.MANUAL), by="SYS#1", at="2023-01-01")
    live = SetClock(clock=Clock.WALL)
    story.when(live, **REG).refused("CK02")
    story.when(SetClock(clock=Clock.WALL, second="CAB-REG#1"), **REG).refused("CK02")
    story = story.ordered(SetClock(clock=Clock.WALL, second="CAB-DEC#1"), **REG)
    assert story.state.part(Realm).clock is Clock.WALL


@pytest.mark.parametrize("begun", [True, False])
def test_neither_the_system_nor_one_person_takes_a_realm_live(*, begun: bool) -> None:
    story = a(REALM, "clock")
    if begun:
        story = story.ordered(SetClock(clock=Clock.MANUAL), by="SYS#1", at="2023-01-01")
    story.when(SetClock(clock=Clock.WALL, second="CAB-DEC#1"), by="SYS#1", at="2023-01-02").refused("CK02")
    story.when(SetClock(clock=Clock.WALL), **REG).refused("CK02")
    story.when(SetClock(clock=Clock.WALL, second="SO-PM#1"), **REG).refused("CK02")


def test_a_clock_is_not_set_to_what_it_is() -> None:
    story = a(REALM, "clock").ordered(SetClock(clock=Clock.MANUAL), by="SYS#1", at="2023-01-01")
    again = story.when(SetClock(clock=Clock.MANUAL, second="CAB-DEC#1"), **REG).refusal
    assert again is not None
    assert [u.en for u in again.unmet if u.rule == "CK02"] == ["it is the manual clock already"]


def test_a_realm_never_goes_back_to_manual() -> None:
    story = a(REALM, "clock").ordered(SetClock(clock=Clock.WALL, second="CAB-DEC#1"), **REG)
    story.when(SetClock(clock=Clock.MANUAL, second="CAB-DEC#1"), **REG).refused("CK01")


# ---------------------------------------------------------------- funds


LOTTERY = RegisterFundSource(name="福利彩票公益金", purposes=("助老", "助殘"), envelope=25000000)


def test_a_registered_fund_has_its_envelope_filled() -> None:
    story = a(FUND, "FS-LOT").ordered(LOTTERY, by="CAB-FIN#1", at="2023-01-10")
    assert story.state.part(Fund).envelope == 25000000
    event = FundSourceRegistered.of(LOTTERY)
    stream = StreamId("fund/test/FS-LOT")
    assert list(event.effects(stream)) == [Post("world/test/treasury", "envelope/test/FS-LOT", 25000000)]


def test_a_fund_is_registered_once_and_by_finance() -> None:
    story = a(FUND, "FS-LOT").ordered(LOTTERY, by="CAB-FIN#1", at="2023-01-10")
    story.when(LOTTERY, by="CAB-FIN#1", at="2023-01-11").refused("FS01")
    a(FUND, "FS-LOT").when(LOTTERY, **REG).refused("FS01")


@pytest.mark.parametrize(
    ("purposes", "fields", "allowed"),
    [
        (set(), set(), True),
        (set(), {"助老"}, True),
        ({"助老", "助殘"}, {"助老"}, True),
        ({"助老"}, {"助老", "助殘"}, False),
        ({"助老"}, set(), False),
    ],
)
def test_a_fund_allows_what_lies_within_its_purposes(purposes: set[str], fields: set[str], *, allowed: bool) -> None:
    assert Fund(purposes=frozenset(purposes)).may_pay(frozenset(fields)) is allowed


def test_an_envelope_is_whole_fen_and_not_empty() -> None:
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(ValidationError):
            RegisterFundSource(name="資金", envelope=wrong)


def test_accounts_bear_their_realm() -> None:
    project = StreamId("project/test/AP-5")
    assert envelope("test", "FS-LOT") == "envelope/test/FS-LOT"
    assert committed(project, "FS-LOT") == "committed/test/AP-5/FS-LOT"
    assert paid(project, "FS-LOT") == "paid/test/AP-5/FS-LOT"
    assert treasury("test") == "world/test/treasury"


# ---------------------------------------------------------------- an envelope is adjusted by two persons


def _fund(left: int = 1_000) -> StreamStory:
    facts = Facts(balances={"envelope/test/FS-LOT": left})
    story = a(FUND, "FS-LOT", facts).happened(FundSourceRegistered(name="福彩公益金", envelope=5_000), at="2024-01-02")
    return story.ordered(ProposeFundAdjustment(change=-1_000, reason="預算核減"), at="2024-02-01", by="CAB-FIN#1")


def test_an_envelope_is_cut_back_by_another_person_than_proposed_it() -> None:
    confirm = ConfirmFundAdjustment()
    _fund().when(confirm, at="2024-02-02", by="CAB-FIN#1").refused("FS02")
    story = _fund().when(confirm, at="2024-02-02", by="FISCAL#1").then(FundAdjusted(change=-1_000))
    assert story.state.part(Fund).envelope == 4_000
    assert list(FundAdjusted(change=-1_000).effects(story.state.stream)) == [
        Post("envelope/test/FS-LOT", "world/test/treasury", 1_000)
    ]
    story.when(confirm, at="2024-02-03", by="FISCAL#1").refused("FS02")


def test_an_envelope_is_topped_up() -> None:
    story = _fund().ordered(
        ProposeFundAdjustment(adjustment="2", change=500, reason="追加"), at="2024-02-01", by="CAB-FIN#1"
    )
    assert story.awaited() == {"ConfirmFundAdjustment"}
    story.when(ConfirmFundAdjustment(adjustment="2"), at="2024-02-02", by="CAB-FIN#2").then(
        FundAdjusted(adjustment="2", change=500)
    )


def test_an_envelope_is_never_cut_below_what_is_set_aside() -> None:
    """Both when it is proposed and when it is confirmed: an award may have come between."""
    spent = _fund().knowing(Facts(balances={"envelope/test/FS-LOT": 999}))
    spent.when(ConfirmFundAdjustment(), at="2024-02-02", by="FISCAL#1").refused("M5")
    too_much = ProposeFundAdjustment(adjustment="2", change=-1_001, reason="核減")
    _fund().when(too_much, at="2024-02-02", by="CAB-FIN#1").refused("M5")


def test_each_request_for_approval_is_one_of_its_own() -> None:
    """The same change proposed again, after the first was confirmed, is another request with another outcome."""
    story = _fund().ordered(ConfirmFundAdjustment(), at="2024-02-02", by="FISCAL#1")
    again = story.ordered(
        ProposeFundAdjustment(adjustment="2", change=-1_000, reason="預算核減"), at="2024-02-03", by="CAB-FIN#1"
    )
    first, second = again.state.approvals
    assert (first.verdict, second.verdict, first.id != second.id) == (Verdict.GRANTED, Verdict.OPEN, True)
