"""Calendars, schemes, funds, organisations, rounds, needs and bases: what they must keep (D1, D5, C1, H1)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from audit.invariants.realm import Fund, Organisation
from audit.invariants.recorded_events import day_of, midnight, to_date, to_instant, whole
from audit.invariants.rules import Rules
from audit.invariants.wording import call, call_amount, call_seat, or_else, word

if TYPE_CHECKING:
    from datetime import datetime

    from audit.invariants.realm import Realm, Round
    from audit.invariants.recorded_events import Conditions, RecordedEvent

_ABOVE = {"MUNICIPAL": None, "DISTRICT": "MUNICIPAL", "STREET_VILLAGE": "DISTRICT"}
"""Tier and the tier of its parent (CZ-8)."""


def check_calendar_published(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D2: a year's working days; a correction says how many days of the notice before it no longer names."""
    dropped = realm.calendars[-1].named(whole(event.data.get("year"))) - {*event.texts("off"), *event.texts("on")}
    require(
        whole(event.data.get("drops")) == len(dropped),
        "D2",
        "更正刪去 {dropped}，記為 {drops} 日",
        "the correction drops {dropped} and says {drops}",
        dropped=or_else(sorted(dropped), "零日", "no day"),
        drops=whole(event.data.get("drops")),
    )
    realm.calendars.append(realm.calendars[-1].with_notice(event))


def note_policy_pack_published(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """A version of the rules was published."""
    scheme = event.part("scheme")
    realm.schemes[str(scheme["name"]), int(scheme["version"])] = Rules(scheme)


def note_fund_source_registered(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """A fund's envelope, in fen, and what it may be spent on."""
    taken = realm.funds[event.name].taken
    realm.funds[event.name] = Fund(event.fen("envelope"), frozenset(event.texts("purposes")), taken)


def note_fund_adjustment_proposed(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """What a first person proposes."""
    realm.funds[event.name].adjustments[event.text("adjustment")] = (event.fen("change"), event.hand)


def check_fund_adjusted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M5: what is set aside stays within an envelope that was cut back."""
    fund = realm.funds[event.name]
    change, proposer = fund.adjustments.pop(event.text("adjustment"), (None, None))
    require(
        change == event.fen("change") and proposer is not None and not event.hand.is_same(proposer),
        "FS02",
        "調整由 {actor} 確認，提出者 {proposer}",
        "the adjustment was confirmed by {actor} and proposed by {proposer}",
        actor=call_seat(event.actor),
        proposer=proposer and call_seat(proposer),
    )
    fund.envelope += event.fen("change")
    require(
        fund.taken <= fund.envelope,
        "M5",
        "額度核減為 {envelope}，立項合計 {taken}",
        "the envelope was cut to {envelope}; live awards come to {taken}",
        envelope=call_amount(fund.envelope),
        taken=call_amount(fund.taken),
    )


# ---------------------------------------------------------------- organisations


def note_organisation_verified(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """What is known of a verified organisation."""
    organisation = realm.organisations[event.name]
    organisation.verified = True
    organisation.representatives = frozenset(event.texts("representatives"))
    organisation.annual_report = event.data.get("annual_report_filed") is True
    organisation.own_accounts = event.data.get("own_accounts") is True


def note_rating_recorded(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """A level with its last day."""
    until = to_date(event.data.get("until"))
    if until is not None:
        realm.organisations[event.name].ratings.append((event.text("level"), event.day, until))


def check_rating_bonus_applied(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D5: a rating adds its points only while it is valid."""
    organisation, round_ = realm.organisations[event.name], event.text("round")
    level = organisation.level(event.day)
    bonuses = realm.rules_of_round(round_)["bidding.rating_bonus"] or {}
    points = whole(bonuses.get(level or "", 0))
    figure = whole(event.data.get("points"))
    require(
        level is not None and level == event.text("level") and figure == points,
        "D5",
        "當日有效等級為 {level}，應加 {points} 分，所加 {said} 分",
        "the level valid on the day is {level}, worth {points} points; {said} were given",
        level=level,
        points=points,
        said=figure,
    )
    organisation.bonuses[round_] = figure


def note_credit_listing_recorded(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The organisation stands on a credit list."""
    organisation = realm.organisations[event.name]
    organisation.listings.add(event.text("listing"))
    if event.text("listing") == "SERIOUS":
        organisation.blacklisted_on = event.day


def note_credit_listing_lifted(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The organisation was taken off a credit list."""
    realm.organisations[event.name].listings.discard(event.text("listing"))


def note_applicant_banned(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The organisation may not bid until a day."""
    organisation, until = realm.organisations[event.name], to_date(event.data.get("until"))
    if until is not None and (organisation.banned_until is None or until > organisation.banned_until):
        organisation.banned_until = until
    organisation.banned_on = event.day


def require_eligible(require: Conditions, realm: Realm, names: frozenset[str], day: date, rules: Rules) -> None:
    """D5: verified, on no list, not barred, in order, and rated enough on that very day."""
    least = rules["bidding.minimum_rating"]
    for name in sorted(names):
        organisation = realm.organisations[name]
        barred = _barred_until(organisation, rules)
        against = [
            *([] if organisation.verified else [word("未經核驗", "not verified")]),
            *(call("listing", one) for one in sorted(organisation.listings)),
            *([word(f"{barred} 以前不得申報", f"barred until {barred}")] if barred and day <= barred else []),
            *([] if organisation.annual_report else [word("未按時年報", "no annual report")]),
            *([] if organisation.own_accounts else [word("無獨立賬戶", "no accounts of its own")]),
            *(
                []
                if least is None or (organisation.level(day) or "") >= least
                else [word(f"等級低於 {least}", f"rated below {least}")]
            ),
        ]
        require(
            not against,
            "D5",
            "{name} 在 {day} 不合資格：{against}",
            "{name} was not eligible on {day}: {against}",
            name=name,
            day=day,
            against=against,
        )


def _barred_until(organisation: Organisation, rules: Rules) -> date | None:
    """The last day of a ban as stated, or by the rules' years; and of the years that a serious listing counts."""
    days = [organisation.banned_until] if organisation.banned_until else []
    if organisation.banned_on and rules:
        days.append(_years_on(organisation.banned_on, rules.number("remedy.ban_years")))
    if organisation.blacklisted_on and rules:
        days.append(_years_on(organisation.blacklisted_on, rules.number("bidding.blacklist_years")))
    return max(days, default=None)


def _years_on(day: date, years: int) -> date:
    leap = (day.month, day.day) == (2, 29)
    return date(day.year + years, day.month, 28 if leap else day.day)


# ---------------------------------------------------------------- rounds and needs


def _set_up_round(require: Conditions, realm: Realm, event: RecordedEvent) -> Round:
    """H1: one municipal round of a city and year; year and level never change."""
    round_ = realm.rounds[event.name]
    scheme = event.part("scheme")
    if scheme:
        round_.scheme = (str(scheme["name"]), int(scheme["version"]))
    year, level = event.data.get("year"), event.text("level")
    require(
        (year is None or round_.year in (None, year)) and (not level or round_.level in ("", level)),
        "H1",
        "年度或級別由 {year} {level} 改為 {new_year} {new_level}",
        "year or level changed from {year} {level} to {new_year} {new_level}",
        year=round_.year,
        level=call("round", round_.level),
        new_year=year,
        new_level=call("round", level),
    )
    round_.year, round_.level = round_.year or year, round_.level or level
    if round_.level == "MUNICIPAL" and round_.year is not None and round_.scheme is not None:
        holder = realm.municipal.setdefault((round_.scheme[0], round_.year), event.name)
        require(
            holder == event.name,
            "H1",
            "{year} 年的市級屆次已有 {holder}",
            "the municipal round of {year} is {holder}",
            year=round_.year,
            holder=holder,
        )
    return round_


def check_round_budget_approved(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M5: the year's money; its shares add up, and it covers what is awarded already."""
    round_, shares = _set_up_round(require, realm, event), event.shares("funds")
    round_.budget = event.fen("amount")
    require(
        round_.awarded <= round_.budget,
        "M5",
        "預算 {budget}，已立項 {awarded}",
        "the budget is {budget}; {awarded} is awarded already",
        budget=call_amount(round_.budget),
        awarded=call_amount(round_.awarded),
    )
    require(
        not shares or sum(shares.values()) == round_.budget,
        "M5",
        "各資金份額合計 {total}，預算 {budget}",
        "the shares add up to {total}, the budget is {budget}",
        total=call_amount(sum(shares.values())),
        budget=call_amount(round_.budget),
    )


def check_need_solicitation_opened(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The need window opens."""
    round_ = _set_up_round(require, realm, event)
    _require_window(require, realm, event, "needs.window_wd")
    round_.solicited_on, round_.needs_wd = event.day, whole(event.data.get("window_wd"))


def check_call_published(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The bid window opens."""
    round_ = _set_up_round(require, realm, event)
    _require_window(require, realm, event, "bidding.window_wd")
    round_.called_on, round_.window_wd = event.day, whole(event.data.get("window_wd"))
    round_.deadline, round_.cancelled = to_instant(event.data.get("deadline")), False
    rules = realm.rules_of_round(event.name)
    least = realm.days.nth_from(event.day, round_.window_wd, lambda _day: True)
    require(
        round_.deadline is None or rules["bidding.shorter_call"] is True or day_of(round_.deadline) >= least,
        "RD06",
        "申報截止 {deadline}，至少須至 {least}",
        "bids are taken until {deadline}; {least} is the earliest",
        deadline=round_.deadline,
        least=least,
    )


def _require_window(require: Conditions, realm: Realm, event: RecordedEvent, parameter: str) -> None:
    cited, rules = event.data.get("window_wd"), realm.rules_of_round(event.name)
    require(
        not rules or cited == rules[parameter],
        "S1",
        "期限記為 {cited} 個工作日，管理辦法為 {rule_days}",
        "the window is {cited} working days; the rules say {rule_days}",
        cited=cited,
        rule_days=rules[parameter],
    )


def check_call_amended(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The call is corrected, before its deadline only."""
    round_, end = realm.rounds[event.name], closes_at(realm, event.name)
    require(
        end is not None and event.at < end,
        "D1",
        "公告更正於截止 {end} 之後",
        "the call was amended after its deadline {end}",
        end=end,
    )
    round_.deadline = to_instant(event.data.get("deadline")) or round_.deadline
    require(
        end is None or round_.deadline is None or round_.deadline >= end,
        "RD07",
        "更正使截止由 {end} 提前至 {deadline}",
        "the amendment moved the deadline from {end} to {deadline}",
        end=end,
        deadline=round_.deadline,
    )
    scheme = event.part("scheme")
    if scheme:
        round_.scheme = (str(scheme["name"]), int(scheme["version"]))


def check_call_closed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D1: the window ends at its deadline, to the instant."""
    end = closes_at(realm, event.name)
    require(
        end is not None and event.at >= end, "D1", "截止於 {end} 之前", "it closed before its deadline {end}", end=end
    )


def check_call_cancelled(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """RD09: no award stands in a round that is given up."""
    round_ = realm.rounds[event.name]
    require(
        not round_.awarded,
        "RD09",
        "尚有立項 {awarded} 即終止徵集",
        "given up while awards of {awarded} stand",
        awarded=call_amount(round_.awarded),
    )
    round_.cancelled = True


_UNDECIDED = ("APPLIED", "RETURNED", "SHORTLISTED", "PROPOSED", "IN_PUBLICITY", "OBJECTION_HOLD")


def check_result_published(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """RD11: every bid of the round is decided."""
    bids = (p for p in realm.projects.values() if p.round == event.name and not p.supports_base)
    undecided = sorted(p.name for p in bids if p.stage in _UNDECIDED)
    require(
        not undecided,
        "RD11",
        "{undecided} 未決定即公布結果",
        "results were published with {undecided} undecided",
        undecided=undecided,
    )


def check_need_solicitation_closed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D1: likewise for needs."""
    end = needs_close_at(realm, event.name)
    require(end is not None and event.at >= end, "D1", "截止於 {end} 之前", "it closed before its end {end}", end=end)


def check_need_submitted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D1: a need comes inside the window, unless it is a part of one that did."""
    realm.need_hands[event.name].append(event.hand)
    if event.text("split_from"):
        return
    end = needs_close_at(realm, event.text("round"))
    require(
        end is not None and event.at < end,
        "D1",
        "需求提交於徵集截止 {end} 或之後",
        "the need came at or after the end of the window, {end}",
        end=end,
    )


def check_need_endorsed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """ND02: another person than whoever submitted it, and each once."""
    hands = realm.need_hands[event.name]
    require(
        not any(event.hand.is_same(one) for one in hands),
        "ND02",
        "{actor} 的經辦人已提出或附議過 {file}",
        "whoever acts as {actor} has submitted or endorsed {file} already",
        actor=call_seat(event.actor),
        file=event.name,
    )
    hands.append(event.hand)


def closes_at(realm: Realm, name: str) -> datetime | None:
    """The deadline for bids: as the call names it, or by working days."""
    round_ = realm.rounds[name]
    if round_.deadline is not None or round_.called_on is None:
        return round_.deadline
    return midnight(realm.days.nth_after(round_.called_on, round_.window_wd))


def needs_close_at(realm: Realm, name: str) -> datetime | None:
    """The end of the need window."""
    round_ = realm.rounds[name]
    if round_.solicited_on is None:
        return None
    return midnight(realm.days.nth_after(round_.solicited_on, round_.needs_wd))


def check_round_resolved(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M5: all awards of the resolution together keep to the round's budget."""
    awards = [line for line in event.data.get("selected", ()) if isinstance(line, dict)]
    round_, total = realm.rounds[event.name], sum(whole(line.get("award")) for line in awards)
    most = round_.budget
    require(
        most is None or round_.awarded + total <= most,
        "M5",
        "立項合計 {total}，預算 {most}",
        "the awards add up to {total}, the budget is {most}",
        total=call_amount(total),
        most=call_amount(most),
    )


# ---------------------------------------------------------------- bases


def check_base_designated(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """C1: every base hangs from one a tier above; the municipal one from none, and there is one."""
    tier, parent = event.text("tier"), event.text("parent")
    above = realm.bases.get(parent) if parent else None
    require(
        tier in _ABOVE and above == _ABOVE[tier],
        "C1",
        "{tier} 基地的上級為 {above}，應為 {right}",
        "a base of tier {tier} hangs from {above}; it must be {right}",
        tier=call("tier", tier),
        above=above,
        right=call("tier", _ABOVE.get(tier) or ""),
    )
    realm.bases[event.name] = tier


def check_tenant_admitted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D5: an organisation that is known and barred does not move in."""
    name = event.text("organisation")
    if realm.organisations[name].verified:
        require_eligible(require, realm, frozenset({name}), event.day, Rules())


# ---------------------------------------------------------------- maintenance


def note_maintenance_begun(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """A work that somebody is about to do."""
    realm.works.add(whole(event.data.get("number")))


def check_maintenance_ended(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """MT02: only what has begun ends, and once."""
    number = whole(event.data.get("number"))
    require(
        number in realm.works,
        "MT02",
        "運維 {number} 未曾開始，或已結束",
        "work {number} never began, or has ended already",
        number=number,
    )
    realm.works.discard(number)


# ---------------------------------------------------------------- of every kind of stream


def check_deadline_set_aside(require: Conditions, _realm: Realm, event: RecordedEvent) -> None:
    """PK01: only what has passed is set aside; that it took two persons is judged with all such acts."""
    fell = to_instant(event.data.get("falls_at"))
    require(
        fell is not None and fell <= event.at,
        "PK01",
        "期限 {deadline} 於 {fell} 屆滿，擱置在其前",
        "the deadline {deadline} falls at {fell}; it was set aside before",
        deadline=event.text("deadline"),
        fell=fell,
    )


CHECKS = {
    "DeadlineSetAside": check_deadline_set_aside,
    "MaintenanceBegun": note_maintenance_begun,
    "MaintenanceEnded": check_maintenance_ended,
    "CalendarPublished": check_calendar_published,
    "PolicyPackPublished": note_policy_pack_published,
    "FundSourceRegistered": note_fund_source_registered,
    "FundAdjustmentProposed": note_fund_adjustment_proposed,
    "FundAdjusted": check_fund_adjusted,
    "OrganisationVerified": note_organisation_verified,
    "RatingRecorded": note_rating_recorded,
    "RatingBonusApplied": check_rating_bonus_applied,
    "CreditListingRecorded": note_credit_listing_recorded,
    "CreditListingLifted": note_credit_listing_lifted,
    "ApplicantBanned": note_applicant_banned,
    "RoundBudgetApproved": check_round_budget_approved,
    "NeedSolicitationOpened": check_need_solicitation_opened,
    "NeedSolicitationClosed": check_need_solicitation_closed,
    "NeedSubmitted": check_need_submitted,
    "NeedEndorsed": check_need_endorsed,
    "CallPublished": check_call_published,
    "CallAmended": check_call_amended,
    "CallCancelled": check_call_cancelled,
    "ResultPublished": check_result_published,
    "CallClosed": check_call_closed,
    "RoundResolved": check_round_resolved,
    "BaseDesignated": check_base_designated,
    "TenantAdmitted": check_tenant_admitted,
}
