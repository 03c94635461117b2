"""Bids and awards: in time, eligible, paid for, posted long enough (D1, D2, D5, M1, M5, M6, C2, P5, T01–T09)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from audit.invariants import registers
from audit.invariants.realm import Objection, Project
from audit.invariants.recorded_events import midnight, to_instant, to_number, whole
from audit.invariants.rules import Rules

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
    """A bid is being written."""
    _take_in(realm.project(event.name), event)


def check_application_submitted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D1: before the deadline, or completed in time; D5: by eligible bidders; M6: with its match."""
    project = realm.project(event.name)
    if project.returned_on is not None:
        end = midnight(realm.days.nth_after(project.returned_on, project.completion_wd))
        require(event.at < end, "D1", f"補正於 {end} 之後", f"it was completed after {end}")
    else:
        deadline = registers.closes_at(realm, event.text("round"))
        require(
            deadline is not None and event.at < deadline,
            "D1",
            f"申報於截止 {deadline} 或之後收下",
            f"the bid was taken in at or after the deadline {deadline}",
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
            f"{name} 在 {project.round} 申報 {len(bids)} 項，限 {most} 項",
            f"{name} has {len(bids)} bids in {project.round}; {most} are allowed",
        )
    first = realm.answers.setdefault((project.organisation, project.answer), project.name)
    require(
        first == project.name,
        "AP02",
        f"{project.organisation} 已以 {first} 申報同一需求",
        f"{project.organisation} answers the same need by {first}",
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
    """Out."""
    release_answer(realm, realm.project(event.name))


def _require_caps(require: Conditions, project: Project, rules: Rules) -> None:
    """AP02: no more is asked for than one bid may, and bidders join only where the rules let them."""
    cap = rules["bidding.cap_fen"]
    require(
        cap is None or project.requested <= cap,
        "AP02",
        f"申報 {project.requested} 分，上限 {cap} 分",
        f"{project.requested} fen are asked for; {cap} is the most",
    )
    require(
        not project.partners or rules["bidding.joint"] is not False,
        "AP02",
        f"不得聯合申報：{'、'.join(project.partners)}",
        f"no joint bids are taken, and {', '.join(project.partners)} join in",
    )


def _require_match(require: Conditions, pledged: int, requested: int, rules: Rules) -> None:
    least = whole(rules["budget.match_min"])
    require(
        100 * pledged >= least * (requested + pledged),
        "M6",
        f"自籌 {pledged} 分，不足總預算的 {least}%",
        f"{pledged} fen are self-raised, less than {least}% of the whole",
    )


def check_late_submission_refused(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D1: what was refused as late was late."""
    deadline, received = registers.closes_at(realm, event.text("round")), to_instant(event.data.get("received"))
    require(
        deadline is not None and received is not None and deadline <= received <= event.at,
        "D1",
        f"收件 {received}，截止 {deadline}，並未逾期",
        f"received {received}, the deadline was {deadline}: it was not late",
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
        require(event.at >= end, "AP08", f"補正期限至 {end}，尚未屆滿", f"it could be completed until {end}")
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
    total = sum(project.live.values())
    require(
        total == project.award,
        "M1",
        f"各資金份額合計 {total} 分，立項 {project.award} 分",
        f"the shares add up to {total} fen, the award is {project.award}",
    )
    registers.require_eligible(require, realm, project.bidders, event.day, rules)
    bearer = realm.numbers.setdefault(project.number, event.name)
    require(
        bearer == event.name,
        "T01",
        f"項目編號 {project.number} 屬 {bearer}",
        f"the number {project.number} is {bearer}'s",
    )
    require_envelopes(require, realm, project)
    require_round_budget(require, realm, project)
    require_round(require, realm, project, "T01")
    if not support:
        require(
            project.award <= project.requested,
            "T01",
            f"立項 {project.award} 分，超過申報 {project.requested} 分",
            f"{project.award} fen are awarded, {project.requested} were applied for",
        )
        _require_line(require, realm, project, project.panel, "T01")


def require_envelopes(require: Conditions, realm: Realm, project: Project) -> None:
    """M5, and C2 where it is a base's support: what live awards take of a fund is within its envelope and purposes."""
    for name, share in sorted(project.live.items()):
        fund = realm.funds[name]
        fund.taken += share
        require(
            fund.taken <= fund.envelope,
            "C2" if project.supports_base else "M5",
            f"{name} 額度 {fund.envelope} 分，立項合計 {fund.taken} 分",
            f"{name} has an envelope of {fund.envelope} fen; live awards come to {fund.taken}",
        )
        require(
            not fund.purposes or (project.fields and project.fields <= fund.purposes),
            "M5",
            f"{name} 用途 {'、'.join(sorted(fund.purposes))}，不含 {'、'.join(sorted(project.fields)) or '(無)'}",
            f"{name} is for {', '.join(sorted(fund.purposes))}, not {', '.join(sorted(project.fields)) or 'nothing'}",
        )


def require_round(require: Conditions, realm: Realm, project: Project, rule: str) -> None:
    """Nothing is awarded or signed in a round that was given up."""
    require(
        not realm.rounds[project.round].cancelled,
        rule,
        f"{project.round} 已終止徵集",
        f"{project.round} was given up",
    )


def require_round_budget(require: Conditions, realm: Realm, project: Project) -> None:
    """M5, C2: the live awards of a round keep to its approved budget. C3: a base has one support a year."""
    known = realm.rounds[project.round]
    known.awarded += project.award
    require(
        known.budget is None or known.awarded <= known.budget,
        "C2" if project.supports_base else "M5",
        f"{project.round} 預算 {known.budget} 分，立項合計 {known.awarded} 分",
        f"{project.round} has a budget of {known.budget} fen; its live awards come to {known.awarded}",
    )
    if project.supports_base:
        require(known.year is not None, "T01", f"{project.round} 未設立即扶持", f"{project.round} was never set up")
        holder = realm.supports.setdefault((project.supports_base, known.year), project.name)
        require(
            holder == project.name,
            "C3",
            f"{project.supports_base} 在 {known.year} 年已由 {holder} 扶持",
            f"{project.supports_base} has its support of {known.year} by {holder}",
        )


def _require_line(require: Conditions, realm: Realm, project: Project, name: str, rule: str) -> None:
    panel = realm.panels[name]
    line = to_number(realm.rules(project)["review.line"] or 0)
    mark = panel.results.get(project.name)
    require(
        panel.reported and mark is not None and mark >= line,
        rule,
        f"評審得分 {mark}，分數線 {line}",
        f"the mark is {mark}, the line is {line}",
    )


def check_funds_freed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M5: what is set aside goes back to its envelopes whole, and no more."""
    project, back = realm.project(event.name), event.shares("freed")
    require(
        {k: v for k, v in back.items() if v} == {k: v for k, v in project.live.items() if v},
        "M5",
        f"退回額度 {back}，應為 {project.live}",
        f"{back} went back to the envelopes; {project.live} was set aside",
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
        f"公示 {project.publicity_wd} 個工作日，辦法為 {least}",
        f"it is posted for {project.publicity_wd} working days; the rules say {least}",
    )


def check_objection_lodged(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T03: inside the window."""
    project = realm.project(event.name)
    held = any(o.status == "ACCEPTED" for o in project.objections.values())
    if not held and project.posted_on is not None:
        last = _last_day(realm, project)
        require(
            event.day <= last, "T03", f"公示至 {last}，異議在後", f"publicity ended on {last}, before it was lodged"
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
    known = project.objections.setdefault(event.text("objection"), Objection("UNKNOWN"))
    require(known.status == "LODGED", "T03", f"異議為 {known.status}", f"the objection is {known.status}")
    _require_outsider(require, realm, project, event)
    known.status, known.accepted_on = "ACCEPTED", event.day


def _require_outsider(require: Conditions, realm: Realm, project: Project, event: RecordedEvent) -> None:
    require(
        not any(event.hand.is_same(one) for one in realm.panels[project.panel].took_part),
        "P5",
        f"{event.actor} 參與過評審，又辦理異議",
        f"{event.actor} took part in the review and dealt with the objection",
    )


def check_objection_dismissed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T04: it was open: investigated, after which the clock resumes when it was the last, or never taken up."""
    project = _decide_objection(require, realm, event, "DISMISSED")
    held = sum(o.status == "ACCEPTED" for o in project.objections.values())
    require(
        event.data.get("still_open") == held,
        "T04",
        f"所記未決 {event.data.get('still_open')} 件，實為 {held} 件",
        f"{event.data.get('still_open')} are said to remain; there are {held}",
    )


def _decide_objection(require: Conditions, realm: Realm, event: RecordedEvent, status: str) -> Project:
    project = realm.project(event.name)
    known = project.objections.setdefault(event.text("objection"), Objection("UNKNOWN"))
    open_ = ("ACCEPTED", "LODGED") if status == "DISMISSED" else ("ACCEPTED",)
    require(known.status in open_, "T04", f"異議為 {known.status}", f"the objection is {known.status}")
    _require_outsider(require, realm, project, event)
    known.status, known.decided_on = status, event.day
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
        f"複評由 {panel}，原為 {project.panel}",
        f"scored again by {panel}; it was {project.panel}",
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
        f"異議 {'、'.join(undecided)} 未決即批復",
        f"confirmed with objections {', '.join(undecided)} open",
    )
    if project.posted_on is not None and not undecided:
        last = _last_day(realm, project)
        require(
            event.day > last, "D2", f"公示至 {last}，批復於 {event.day}", f"posted until {last}, confirmed {event.day}"
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
        f"{event.actor} 不是 {project.organisation} 的代表",
        f"{event.actor} may not act for {project.organisation}",
    )


def check_contract_signing_lapsed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T11: the signing period has passed, to the instant."""
    project = realm.project(event.name)
    if project.confirmed_on is not None:
        end = midnight(realm.days.nth_after(project.confirmed_on, project.signing_wd))
        require(event.at >= end, "T11", f"簽約期限至 {end}，尚未屆滿", f"it could be signed until {end}")
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
