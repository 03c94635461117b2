"""Bids and awards: in time, eligible, paid for, posted long enough (D1, D2, D5, M1, M5, M6, C2, P5, T01–T09)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from audit.invariants import registers, seals
from audit.invariants.realm import Objection, Project
from audit.invariants.recorded_events import midnight, to_instant, to_number, whole
from audit.invariants.rules import Rules
from audit.invariants.wording import call, call_amount, call_seat, or_else

if TYPE_CHECKING:
    from audit.invariants.realm import Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent


def _take_in(project: Project, event: RecordedEvent) -> None:
    project.organisation, project.partners = event.text("organisation"), tuple(event.texts("partners"))
    project.round = event.text("round")
    project.answer = event.text("need") or f"{event.text('title')}\n{event.text('statement')}"
    project.fields, project.requested = frozenset(event.texts("fields")), event.fen("requested")
    project.match_pledged, project.community = event.fen("match_pledged"), event.text("community")


def note_application_drafted(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """A bid was drafted."""
    _take_in(realm.project(event.name), event)


def check_application_submitted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D1: before the deadline, or completed in time; D5: by eligible bidders; M6: with its match."""
    project = realm.project(event.name)
    if project.returned_on is not None:
        end = midnight(realm.days.nth_after(project.returned_on, project.completion_wd))
        require(event.at < end, "D1", "補正於 {end} 之後", "it was completed after {end}", end=end)
    elif realm.rules_of_round(event.text("round"))["bidding.sealed"]:
        seals.check_unsealed(require, realm, event)
    else:
        deadline = registers.closes_at(realm, event.text("round"))
        require(
            deadline is not None and event.at < deadline,
            "D1",
            "申報於截止 {deadline} 或之後收下",
            "the bid was taken in at or after the deadline {deadline}",
            deadline=deadline,
        )
    _take_in(project, event)
    project.returned_on = None
    rules = realm.rules(project)
    _require_first_answer(require, realm, project, rules)
    require_representative(require, realm, project, event)
    registers.require_eligible(require, realm, project.bidders, event.day, rules)
    _require_match(require, project.match_pledged, project.requested, rules)
    _require_caps(require, project, rules)


def _require_first_answer(require: Conditions, realm: Realm, project: Project, rules: Rules) -> None:
    """AP02: so many bids of an organisation in a round, and one answer of it to a need: nothing is funded twice."""
    most = rules.number("bidding.per_organisation")
    partners_count = rules["bidding.partners_count"] is not False
    for name in sorted(project.bidders if partners_count else {project.organisation}):
        bids = realm.bids[project.round, name]
        bids.add(project.name)
        require(
            len(bids) <= most,
            "AP02",
            "{name} 在 {round} 申報 {bids} 項，限 {most} 項",
            "bids of {name} in {round}: {bids}; at most {most}",
            name=name,
            round=project.round,
            bids=len(bids),
            most=most,
        )
    first = realm.answers.setdefault((project.organisation, project.answer), project.name)
    require(
        first == project.name,
        "AP02",
        "{organisation} 已以 {first} 申報同一需求",
        "{organisation} answers the same need by {first}",
        organisation=project.organisation,
        first=first,
    )


def release_answer(realm: Realm, project: Project) -> None:
    """No money flows for it any more: its need may be answered again."""
    if realm.answers.get((project.organisation, project.answer)) == project.name:
        del realm.answers[project.organisation, project.answer]


def note_application_withdrawn(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """A withdrawn bid gives its place in the round back too."""
    project = realm.project(event.name)
    release_answer(realm, project)
    for name in project.bidders:
        realm.bids[project.round, name].discard(project.name)


def note_application_not_selected(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The bid is out: its organisation may answer the need by another."""
    release_answer(realm, realm.project(event.name))


def _require_caps(require: Conditions, project: Project, rules: Rules) -> None:
    """AP02: no more is asked for than one bid may, and bidders join only where the rules let them."""
    cap = rules["bidding.cap_fen"]
    require(
        cap is None or project.requested <= cap,
        "AP02",
        "申報 {requested}，上限 {cap}",
        "{requested} is asked for; {cap} is the most",
        requested=call_amount(project.requested),
        cap=call_amount(cap),
    )
    require(
        not project.partners or rules["bidding.joint"] is not False,
        "AP02",
        "不得聯合申報：{partners}",
        "no joint bids are taken, and {partners} join in",
        partners=project.partners,
    )


def _require_match(require: Conditions, pledged: int, requested: int, rules: Rules) -> None:
    least = whole(rules["budget.match_min"])
    require(
        100 * pledged >= least * (requested + pledged),
        "M6",
        "自籌 {pledged}，不足總預算的 {least}%",
        "{pledged} is self-raised, less than {least}% of the whole",
        pledged=call_amount(pledged),
        least=least,
    )


def check_late_submission_refused(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D1: what was refused as late was late."""
    deadline, received = registers.closes_at(realm, event.text("round")), to_instant(event.data.get("received"))
    require(
        deadline is not None and received is not None and deadline <= received <= event.at,
        "D1",
        "收件 {received}，截止 {deadline}，並未逾期",
        "received {received}, the deadline was {deadline}: it was not late",
        received=received,
        deadline=deadline,
    )


def note_application_returned(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Sent back to be completed."""
    project = realm.project(event.name)
    project.returned_on, project.completion_wd = event.day, whole(event.data.get("completion_wd"))


def check_preliminary_review_passed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D5: every bidder is eligible on the day of the preliminary review."""
    project = realm.project(event.name)
    registers.require_eligible(require, realm, project.bidders, event.day, realm.rules(project))


def check_preliminary_review_failed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """AP08: the clock lets a bid out only when its completion is late."""
    project = realm.project(event.name)
    if event.role == "SYS" and project.returned_on is not None:
        end = midnight(realm.days.nth_after(project.returned_on, project.completion_wd))
        require(event.at >= end, "AP08", "補正期限至 {end}，尚未屆滿", "it could be completed until {end}", end=end)
    project.returned_on = None
    release_answer(realm, project)


# ---------------------------------------------------------------- 擬立項


def check_award_proposed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M1, M5, C2, D5, T01."""
    project, support = realm.project(event.name), event.part("support")
    if support:
        project.organisation, project.round = str(support.get("organisation", "")), str(support.get("round", ""))
        project.fields, project.supports_base = frozenset(map(str, support.get("fields", ()))), str(support.get("base"))
    project.number, project.award, project.panel = event.text("project"), event.fen("award"), event.text("panel")
    project.live = event.shares("funds")
    rules = realm.rules(project)
    registers.require_eligible(require, realm, project.bidders, event.day, rules)
    require_sound_award(require, realm, project, event.name)
    if not support:
        require(
            project.award <= project.requested,
            "T01",
            "立項 {award}，超過申報 {requested}",
            "{award} is awarded, {requested} was applied for",
            award=call_amount(project.award),
            requested=call_amount(project.requested),
        )
        _require_line(require, realm, project, project.panel, "T01")


def require_sound_award(require: Conditions, realm: Realm, project: Project, name: str) -> None:
    """M1, T01: its shares are the award, its number is nobody else's, and round, funds and budget bear it."""
    total = sum(project.live.values())
    require(
        total == project.award,
        "M1",
        "各資金份額合計 {total}，立項 {award}",
        "the shares add up to {total}, the award is {award}",
        total=call_amount(total),
        award=call_amount(project.award),
    )
    bearer = realm.numbers.setdefault(project.number, name)
    require(
        bearer == name,
        "T01",
        "項目編號 {number} 屬 {bearer}",
        "the number {number} is {bearer}'s",
        number=project.number,
        bearer=bearer,
    )
    require_round(require, realm, project, "T01")
    require_envelopes(require, realm, project)
    require_round_budget(require, realm, project)


def require_envelopes(require: Conditions, realm: Realm, project: Project) -> None:
    """M5, and C2 where it is a base's support: what live awards take of a fund is within its envelope and purposes."""
    for name, share in sorted(project.live.items()):
        fund = realm.funds[name]
        fund.taken += share
        require(
            fund.taken <= fund.envelope,
            "C2" if project.supports_base else "M5",
            "{name} 額度 {envelope}，立項合計 {taken}",
            "{name} has an envelope of {envelope}; live awards come to {taken}",
            name=name,
            envelope=call_amount(fund.envelope),
            taken=call_amount(fund.taken),
        )
        require(
            not fund.purposes or (project.fields and project.fields <= fund.purposes),
            "M5",
            "{name} 用途 {purposes}，不含 {fields}",
            "{name} is for {purposes}, not {fields}",
            name=name,
            purposes=sorted(fund.purposes),
            fields=or_else(sorted(project.fields), "無", "nothing"),
        )


def require_round(require: Conditions, realm: Realm, project: Project, rule: str) -> None:
    """Nothing is awarded or signed in a round that was given up."""
    require(
        not realm.rounds[project.round].cancelled,
        rule,
        "{round} 已終止徵集",
        "{round} was given up",
        round=project.round,
    )


def require_round_budget(require: Conditions, realm: Realm, project: Project) -> None:
    """M5, C2: the live awards of a round keep to its approved budget. C3: a base has one support a year."""
    round_ = realm.rounds[project.round]
    round_.awarded += project.award
    require(
        round_.budget is None or round_.awarded <= round_.budget,
        "C2" if project.supports_base else "M5",
        "{round} 預算 {budget}，立項合計 {awarded}",
        "{round} has a budget of {budget}; its live awards come to {awarded}",
        round=project.round,
        budget=call_amount(round_.budget),
        awarded=call_amount(round_.awarded),
    )
    if project.supports_base:
        require(round_.year is not None, "T01", "{round} 未設立即扶持", "{round} was never set up", round=project.round)
        holder = realm.supports.setdefault((project.supports_base, round_.year), project.name)
        require(
            holder == project.name,
            "C3",
            "{supports_base} 在 {year} 年已由 {holder} 扶持",
            "{supports_base} has its support of {year} by {holder}",
            supports_base=project.supports_base,
            year=round_.year,
            holder=holder,
        )


def _require_line(require: Conditions, realm: Realm, project: Project, name: str, rule: str) -> None:
    panel = realm.panels[name]
    line = to_number(realm.rules(project)["review.line"] or 0)
    mark = panel.results.get(project.name)
    require(
        panel.reported and mark is not None and mark >= line,
        rule,
        "評審得分 {mark}，分數線 {line}",
        "the mark is {mark}, the line is {line}",
        mark=mark,
        line=line,
    )


def check_funds_freed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M5: what is set aside goes back to its envelopes whole, and no more."""
    project, back = realm.project(event.name), event.shares("freed")
    require(
        {k: v for k, v in back.items() if v} == {k: v for k, v in project.live.items() if v},
        "M5",
        "退回額度 {back}，應為 {set_aside}",
        "{back} went back to the envelopes; {set_aside} was set aside",
        back=back,
        set_aside=project.live,
    )
    realm.free(project, back)
    year = realm.rounds[project.round].year
    if realm.supports.get((project.supports_base, year)) == project.name:
        del realm.supports[project.supports_base, year]
    project.live = {}
    release_answer(realm, project)


# ---------------------------------------------------------------- 公示、異議、批復


def check_award_publicity_opened(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T02, T06: the award as proposed, with its reviewers; scored again first where that was asked for."""
    project = realm.project(event.name)
    require(
        not project.rescoring,
        "T06",
        "複評未完成即公示",
        "it was posted before it was scored again",
    )
    reviewers = set(realm.panels[project.panel].seated) if project.panel else set()
    require(
        event.fen("award") == project.award and set(event.texts("reviewers")) == reviewers and event.text("contact"),
        "T02",
        "公示的金額、評審人員或聯繫方式與卷宗不符",
        "the notice's amount, reviewers or contact are not the file's",
    )
    least = realm.rules(project).number("publicity.working_days")
    project.posted_on, project.objections = event.day, {}
    project.publicity_wd = whole(event.data.get("working_days"))
    require(
        project.publicity_wd == least,
        "D2",
        "公示 {days} 個工作日，辦法為 {least}",
        "it is posted for {days} working days; the rules say {least}",
        days=project.publicity_wd,
        least=least,
    )


def check_objection_lodged(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T03: inside the window."""
    project = realm.project(event.name)
    held = any(o.status == "ACCEPTED" for o in project.objections.values())
    if not held and project.posted_on is not None:
        last = _last_day(realm, project)
        require(
            event.day <= last,
            "T03",
            "公示至 {last}，異議在後",
            "publicity ended on {last}, before it was lodged",
            last=last,
        )
    project.objections[event.text("objection")] = Objection("LODGED")


def _last_day(realm: Realm, project: Project) -> date:
    """D2: the last working day of publicity; days on which an objection stopped the clock do not count."""
    first = project.posted_on or date.max
    objections = list(project.objections.values())
    return realm.days.nth_from(first, project.publicity_wd, lambda day: not any(o.stops(day) for o in objections))


def check_objection_accepted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T03, P5: it was lodged, and is taken up by somebody who took no part in the review."""
    project = realm.project(event.name)
    objection = project.objections.setdefault(event.text("objection"), Objection("UNKNOWN"))
    require(
        objection.status == "LODGED",
        "T03",
        "異議為 {status}",
        "the objection is {status}",
        status=call("objection", objection.status),
    )
    _require_outsider(require, realm, project, event)
    objection.status, objection.accepted_on = "ACCEPTED", event.day


def _require_outsider(require: Conditions, realm: Realm, project: Project, event: RecordedEvent) -> None:
    require(
        not any(event.hand.is_same(one) for one in realm.panels[project.panel].took_part),
        "P5",
        "{actor} 參與過評審，又辦理異議",
        "{actor} took part in the review and dealt with the objection",
        actor=call_seat(event.actor),
    )


def check_objection_dismissed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T04: it was open: investigated, after which the clock resumes when it was the last, or never taken up."""
    project = _decide_objection(require, realm, event, "DISMISSED")
    held = sum(o.status == "ACCEPTED" for o in project.objections.values())
    require(
        event.data.get("still_open") == held,
        "T04",
        "所記未決 {still_open} 件，實為 {held} 件",
        "{still_open} are said to remain; there are {held}",
        still_open=event.data.get("still_open"),
        held=held,
    )


def _decide_objection(require: Conditions, realm: Realm, event: RecordedEvent, status: str) -> Project:
    project = realm.project(event.name)
    objection = project.objections.setdefault(event.text("objection"), Objection("UNKNOWN"))
    open_ = ("ACCEPTED", "LODGED") if status == "DISMISSED" else ("ACCEPTED",)
    require(
        objection.status in open_,
        "T04",
        "異議為 {status}",
        "the objection is {status}",
        status=call("objection", objection.status),
    )
    _require_outsider(require, realm, project, event)
    objection.status, objection.decided_on = status, event.day
    return project


def check_objection_upheld(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T05: out, and its money is free; T06: to be scored again."""
    project = _decide_objection(require, realm, event, "UPHELD")
    if event.text("remedy") == "DISQUALIFY":
        check_funds_freed(require, realm, event)
        return
    require(not any(event.shares("freed").values()), "M5", "複評不釋放額度", "scoring again frees no money")
    project.rescoring = bool(project.panel)
    project.posted_on = None


def check_award_rescored(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T06: by another panel, and again at or above the line."""
    project, panel = realm.project(event.name), event.text("panel")
    require(
        project.rescoring and panel != project.panel,
        "T06",
        "複評由 {panel}，原為 {project_panel}",
        "scored again by {panel}; it was {project_panel}",
        panel=panel,
        project_panel=project.panel,
    )
    _require_line(require, realm, project, panel, "T06")
    project.panel, project.rescoring = panel, False


def check_award_confirmed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T07: no objection is open. D2: every working day of publicity is over."""
    project = realm.project(event.name)
    undecided = sorted(n for n, o in project.objections.items() if o.status in ("LODGED", "ACCEPTED"))
    require(
        not undecided,
        "T07",
        "異議 {undecided} 未決即批復",
        "confirmed with objections {undecided} open",
        undecided=undecided,
    )
    if project.posted_on is not None and not undecided:
        last = _last_day(realm, project)
        require(
            event.day > last,
            "D2",
            "公示至 {last}，批復於 {day}",
            "posted until {last}, confirmed {day}",
            last=last,
            day=event.day,
        )
    require(project.posted_on is not None, "D2", "未經公示即批復", "confirmed without publicity")
    require_round(require, realm, project, "T07")
    project.confirmed_on, project.signing_wd = event.day, whole(event.data.get("signing_wd"))


def check_award_declined(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """SD10: by a representative of the organisation; its money is free."""
    project = realm.project(event.name)
    require_representative(require, realm, project, event)
    check_funds_freed(require, realm, event)


def require_representative(require: Conditions, realm: Realm, project: Project, event: RecordedEvent) -> None:
    """SD10: who acts for an organisation is on its list at that time."""
    require(
        not project.organisation or event.actor in realm.organisations[project.organisation].representatives,
        "SD10",
        "{actor} 不是 {organisation} 的代表",
        "{actor} may not act for {organisation}",
        actor=call_seat(event.actor),
        organisation=project.organisation,
    )


def check_contract_signing_lapsed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T11: the signing period has passed, to the instant."""
    project = realm.project(event.name)
    if project.confirmed_on is not None:
        end = midnight(realm.days.nth_after(project.confirmed_on, project.signing_wd))
        require(event.at >= end, "T11", "簽約期限至 {end}，尚未屆滿", "it could be signed until {end}", end=end)
    check_funds_freed(require, realm, event)


CHECKS = {
    "ApplicationDrafted": note_application_drafted,
    "ApplicationSubmitted": check_application_submitted,
    "ApplicationWithdrawn": note_application_withdrawn,
    "ApplicationNotSelected": note_application_not_selected,
    "LateSubmissionRefused": check_late_submission_refused,
    "ApplicationReturned": note_application_returned,
    "PreliminaryReviewPassed": check_preliminary_review_passed,
    "PreliminaryReviewFailed": check_preliminary_review_failed,
    "AwardProposed": check_award_proposed,
    "AwardPublicityOpened": check_award_publicity_opened,
    "ObjectionLodged": check_objection_lodged,
    "ObjectionAccepted": check_objection_accepted,
    "ObjectionDismissed": check_objection_dismissed,
    "ObjectionUpheld": check_objection_upheld,
    "AwardRescored": check_award_rescored,
    "AwardConfirmed": check_award_confirmed,
    "AwardDeclined": check_award_declined,
    "AwardRevoked": check_funds_freed,
    "ContractSigningLapsed": check_contract_signing_lapsed,
}
