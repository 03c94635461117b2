"""Projects that were taken over: by two, on paper, and with books that balance (OE01–OE04, M1–M6, M9, P3, T21, T22)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from audit.invariants import contracts, reimbursements
from audit.invariants.apportionment import apportion
from audit.invariants.awards import require_sound_award
from audit.invariants.endings import require_nothing_kept
from audit.invariants.offices import LIVE
from audit.invariants.payments import require_accounted, require_sums
from audit.invariants.realm import Rectification, Tranche
from audit.invariants.recorded_events import months_on, to_date, to_number, whole
from audit.invariants.rules import Rules
from audit.invariants.wording import call, call_amount, call_field, call_seat, call_tranche, named, or_else

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit.invariants.realm import Project, Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent

_LINE: Final = ("AWARDED", "CONTRACTED", "ACTIVE", "FINAL_REVIEW", "SETTLEMENT", "CLOSED")
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "AWARDED": ("awarded_on",),
    "CONTRACTED": ("signed_on", "tranches", "budget"),
    "ACTIVE": ("started_on", "end", "account"),
    "FINAL_REVIEW": ("reported_on",),
    "SETTLEMENT": ("audited", "score", "grade"),
    "CLOSED": ("closed_on",),
}
"""By stage, what a project has from then on, and never before but for ``end`` and ``account``, audit and score."""
_EARLIER: Final = {"end", "account", "audited", "score", "grade"}
_ENDING: Final = ("TERMINATING", "TERMINATED")
_ONLY_IN: Final[Mapping[str, tuple[str, ...]]] = {
    "rectify_until": ("RECTIFYING",),
    "ground": _ENDING,
    "hearing_until": _ENDING,
    "clawback": (*_ENDING, "SETTLEMENT", "CLOSED"),
}
_ALWAYS_IN: Final[Mapping[str, tuple[str, ...]]] = {
    "rectify_until": ("RECTIFYING",),
    "ground": _ENDING,
    "hearing_until": ("TERMINATING",),
    "clawback": (),
}
"""Fields, the stages in which alone they are said, and those in which they must be."""
_GATES: Final = (
    ("ContractSigned", "CONTRACTED"),
    ("ProjectStarted", "ACTIVE"),
    ("FinalReportSubmitted", "FINAL_REVIEW"),
    ("FinalEvaluationConcluded", "SETTLEMENT"),
)


def note_clock_set(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Whether the realm has gone live."""
    realm.is_wall = event.text("clock") == "WALL"


def note_opening_proposed(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """What is to be attested, and who says so."""
    terms = {name: value for name, value in event.data.items() if name != "digest"}
    realm.project(event.name).proposed = (event.hand, terms)


def check_project_opened(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """OE01–OE04, and whatever an award and a contract must meet."""
    project = realm.project(event.name)
    require(
        event.realm != LIVE and not realm.is_wall,
        "OE01",
        "{realm} 為實時環境，又有期初登記",
        "{realm} is live, and a project was taken over into it",
        realm=event.realm,
    )
    by, terms = project.proposed or (None, {})
    require(
        by is not None
        and not event.hand.is_same(by)
        and terms == {name: value for name, value in event.data.items() if name in terms},
        "OE02",
        "期初登記由 {by} 提出、{actor} 確認，或內容不一",
        "the entry was proposed by {by} and confirmed by {actor}, or says something else",
        by=or_else(by and call_seat(by), "無人", "nobody"),
        actor=call_seat(event.actor),
    )
    project.organisation, project.partners = event.text("organisation"), tuple(event.texts("partners"))
    project.round, project.fields = event.text("round"), frozenset(event.texts("fields"))
    project.supports_base = event.text("base")
    project.community, project.district = event.text("community"), event.text("district")
    project.number, project.award = event.text("project"), event.fen("award")
    project.requested, project.live = project.award, event.shares("funds")
    project.match_pledged, project.signing_wd = event.fen("match_pledged"), whole(event.data.get("signing_wd"))
    project.confirmed_on = to_date(event.data.get("awarded_on"))
    require_sound_award(require, realm, project, event.name)
    strangers = sorted(name for name in project.bidders if not realm.organisations[name].verified)
    require(not strangers, "OE03", "{strangers} 未經核驗", "never verified: {strangers}", strangers=strangers)
    rules, rank = realm.rules(project), _rank(event)
    _require_whole(require, event, rank)
    if rank:
        _take_contract(require, project, rules, event)
        _take_money(require, realm, project, event)
        _take_work(project, event)
        _require_judged(require, realm, project, event, rank)
        scheme = event.part("scheme")
        project.scheme = (str(scheme.get("name")), whole(scheme.get("version")))
    _require_nothing_overdue(require, realm, project, event)


def _rank(event: RecordedEvent) -> int:
    return _LINE.index(_origin(event) or event.text("stage"))


def _origin(event: RecordedEvent) -> str:
    """Where it was on its way, of one that has left it."""
    match event.text("stage"):
        case "RECTIFYING" | "TERMINATING" | "TERMINATED" if event.data.get("reported_on"):
            return "FINAL_REVIEW"
        case "TERMINATING" | "TERMINATED" if not event.data.get("started_on"):
            return "CONTRACTED"
        case "RECTIFYING" | "SUSPENDED" | "TERMINATING" | "TERMINATED":
            return "ACTIVE"
        case _:
            return ""


def _require_whole(require: Conditions, event: RecordedEvent, rank: int) -> None:
    """OE03: it says what a project of its stage has, nothing that comes later, and days that follow on each other."""
    there = {name for name, value in event.data.items() if value not in (None, {}, [])}
    wrong = [
        name
        for stage, names in _NEEDS.items()
        for name in names
        if (name not in there) == (rank >= _LINE.index(stage)) and not (name in _EARLIER and name in there)
    ]
    days = [
        day
        for name in ("awarded_on", "signed_on", "started_on", "reported_on", "closed_on", "since")
        if (day := to_date(event.data.get(name))) is not None
    ]
    stage = event.text("stage")
    wrong += [name for name, may in _ONLY_IN.items() if name in there and stage not in may]
    wrong += [name for name, must in _ALWAYS_IN.items() if name not in there and stage in must]
    wrong += ["clawback"] * (("clawback" in there) != ("clawback_until" in there))
    wrong += ["enforced"] * (event.data.get("enforced") is True and "clawback" not in there)
    require(
        not wrong and days == sorted(days) and days[-1] <= event.day,
        "OE03",
        "{stage}：{wrong}",
        "{stage}: {wrong}",
        stage=call("project", stage),
        wrong=or_else([call_field(event.type, name) for name in wrong], "日期先後不合", "the days are not in order"),
    )


def _take_contract(require: Conditions, project: Project, rules: Rules, event: RecordedEvent) -> None:
    terms = {str(name): term for name, term in event.part("tranches").items()}
    project.milestones = frozenset(map(str, event.part("milestones")))
    contracts.require_tranches(require, project, rules, terms, project.award)
    contracts.require_no_empty_tranche(require, terms, ())
    contracts.require_lines(require, event.shares("budget"), project.award, rules)
    contracts.require_parties(require, project, event.part("parties"))
    project.engaged = {name: str(body) for name, body in event.part("parties").items()}
    project.community = project.community or project.engaged.get("community", "")
    project.version, project.budget = whole(event.data.get("version")), event.shares("budget")
    project.signed_on, project.end = to_date(event.data.get("signed_on")), to_date(event.data.get("end"))
    project.account = event.text("account")
    reimbursements.take_route(require, project, rules, event)
    project.tranches = {
        name: Tranche(
            whole(term.get("planned")),
            str(term.get("gate")),
            paid=whole(term.get("paid")),
            cancelled=whole(term.get("cancelled")),
        )
        for name, term in terms.items()
    }
    strays = sorted({*event.part("met"), *event.part("missed")} - project.milestones - {"standing-team"})
    require(not strays, "T16", "協議無里程碑 {strays}", "not milestones of the contract: {strays}", strays=strays)
    rank = _rank(event)
    for gate, least in _GATES:
        if rank >= _LINE.index(least):
            project.gates[gate] = True
    project.gates["MidtermEvaluationConcluded"] = event.text("midterm") == "PASS"
    project.gates["AuditOpinionIssued"] = event.text("opinion") == "UNQUALIFIED"
    project.gates["ReportSubmitted"] = bool(event.part("reports"))
    project.gates["VolunteerTeamFormed"] = bool(event.data.get("teams"))
    project.gates["LedgerAccountRegistered"] = bool(project.account)
    project.gates |= {f"MilestoneMet/{name}": True for name in event.part("met")}


def _take_money(require: Conditions, realm: Realm, project: Project, event: RecordedEvent) -> None:
    """M2, M4, M9, OE03: each tranche is unpaid, paid to the fen or cancelled; its funds bear it in proportion."""
    payments = event.part("payments")
    for name, tranche in project.tranches.items():
        held = (not tranche.paid and tranche.left >= 0) or not tranche.left
        require_accounted(require, name, tranche, held=held)
        if not tranche.paid:
            tranche.status = "CANCELLED" if not tranche.left else "PLANNED"
            continue
        require(
            project.gates.get(tranche.gate) is True,
            "M2",
            "撥付條件 {gate} 未達成而 {name} 已撥付",
            "{name} was paid, and the payment condition {gate} is not met",
            gate=named(tranche.gate),
            name=call_tranche(name),
        )
        tranche.status, tranche.split = "PAID", {str(k): whole(v) for k, v in dict(payments.get(name, {})).items()}
        due = apportion(tranche.paid, project.live)
        require(
            tranche.split == due,
            "M9",
            "{name} 分攤 {split}，應為 {due}",
            "{name} is split {split}; it must be {due}",
            name=call_tranche(name),
            split=tranche.split,
            due=due,
        )
        for fund, fen in tranche.split.items():
            project.live[fund] = project.live.get(fund, 0) - fen
            project.out[fund] = project.out.get(fund, 0) + fen
    project.paid = sum(tranche.paid for tranche in project.tranches.values())
    cut, came_back = event.shares("cut"), event.shares("came_back")
    project.returned = event.fen("returned")
    booked = sum(sum(tranche.split.values()) for tranche in project.tranches.values())
    require(
        set(payments) <= set(project.tranches)
        and booked == project.paid
        and cut == apportion(sum(tranche.cancelled for tranche in project.tranches.values()), project.live)
        and came_back == apportion(project.returned, project.out)
        and sum(came_back.values()) == project.returned,
        "OE03",
        "賬目不平：撥付 {booked}，核減 {cut}，繳回 {came_back}",
        "the books do not balance: paid {booked}, cut {cut}, returned {came_back}",
        booked=call_amount(booked),
        cut=cut,
        came_back=came_back,
    )
    for fund, fen in cut.items():
        project.live[fund] = project.live.get(fund, 0) - fen
    realm.free(project, cut)
    for fund, fen in came_back.items():
        project.out[fund] = project.out.get(fund, 0) - fen
    require_sums(require, project)


def _take_work(project: Project, event: RecordedEvent) -> None:
    project.supervisor = project.engaged.get("supervisor", "")
    project.started_on = to_date(event.data.get("started_on"))
    project.met, project.midterm = set(map(str, event.part("met"))), event.text("midterm")
    teams: list[Mapping[str, Any]] = list(event.data.get("teams") or ())
    project.teams = {str(team.get("team")) for team in teams}
    project.carried = {
        str(team.get("team")): frozenset(
            (day.year, day.month) for text in team.get("active", ()) if (day := to_date(text)) is not None
        )
        for team in teams
    }
    if origin := _origin(event):
        project.stack = [origin]
    if event.text("stage") == "RECTIFYING":
        by = project.proposed[0] if project.proposed else None
        since, until = to_date(event.data.get("since")), to_date(event.data.get("rectify_until"))
        extensions = whole(event.data.get("rectify_extended"))
        project.rectification = Rectification("OPEN", by, since, until, whole(event.data.get("rectify_wd")), extensions)


def _require_judged(require: Conditions, realm: Realm, project: Project, event: RecordedEvent, rank: int) -> None:
    """M3, T12, T21, T22: parties where the rules want them, audited within the award, graded by the score."""
    rules = realm.rules(project)
    require(
        rank < _LINE.index("ACTIVE")
        or (
            (project.supervisor or rules["delivery.supervisor_required"] is not True)
            and (project.community or rules["delivery.community_required"] is not True)
        ),
        "T12",
        "督導「{supervisor}」社區「{community}」",
        "supervisor {supervisor}, community {community}",
        supervisor=project.supervisor,
        community=project.community,
    )
    project.eligible = event.fen("audited") if event.data.get("audited") is not None else None
    require(
        (project.eligible or 0) <= project.award,
        "M3",
        "核定 {eligible}，立項 {award}",
        "{eligible} is eligible; the award is {award}",
        eligible=call_amount(project.eligible),
        award=call_amount(project.award),
    )
    if event.data.get("score") is not None:
        score = to_number(event.data.get("score"))
        grades = [(to_number(g["least"]), str(g["name"])) for g in rules["evaluation.grades"] or ()]
        grade = max((g for g in grades if score >= g[0]), default=(score, ""))[1]
        passed = score >= to_number(rules["evaluation.pass_mark"] or 0)
        require(
            event.text("grade") == grade and passed == (rank >= _LINE.index("SETTLEMENT")),
            "T21",
            "{score} 分記為「{grade}」，階段 {stage}",
            "{score} points are recorded as {grade}, in {stage}",
            score=score,
            grade=event.text("grade"),
            stage=call("project", event.text("stage")),
        )
    _require_ended(require, realm, project, event)
    least = rules.number("evaluation.standing_team_months")
    require(
        rank < _LINE.index("SETTLEMENT") or project.standing_months >= least,
        "Z1",
        "志願隊活動 {months} 個月，須 {least} 個月",
        "a team was active in {months} months; {least} are needed",
        months=project.standing_months,
        least=least,
    )
    if event.text("stage") == "CLOSED":
        unsettled = sorted(n for n, t in project.tranches.items() if not t.is_settled)
        surplus = project.net - (project.eligible or 0) - (project.ordered if project.escalated else 0)
        require(
            not unsettled and surplus <= 0,
            "T22",
            "未了結 {unsettled}，結餘 {surplus}",
            "unsettled: {unsettled}; a surplus of {surplus}",
            unsettled=map(call_tranche, unsettled),
            surplus=call_amount(surplus),
        )


def _require_ended(require: Conditions, realm: Realm, project: Project, event: RecordedEvent) -> None:
    """T20, T24, M10: heard long enough, nothing kept that may not be, no more to come back than is out."""
    project.ordered, project.escalated = event.fen("clawback"), event.data.get("enforced") is True
    project.hearing_until, since = to_date(event.data.get("hearing_until")), to_date(event.data.get("since"))
    require(
        not project.ordered or (project.ordered <= project.net and project.eligible is not None),
        "M10",
        "待收回 {ordered}，已撥未退 {net}",
        "{ordered} is to come back; only {net} is out",
        ordered=call_amount(project.ordered),
        net=call_amount(project.net),
    )
    if event.text("stage") == "TERMINATED":
        require_nothing_kept(require, project)
    if event.text("stage") != "TERMINATING" or since is None:
        return
    project.initiated_on = since
    least = realm.days.nth_after(since, realm.rules(project).number("remedy.hearing_wd"))
    require(
        project.hearing_until is None or project.hearing_until >= least,
        "T20",
        "陳述申辯期至 {hearing_until}，須至 {least}",
        "heard until {hearing_until}; it must be {least} at least",
        hearing_until=project.hearing_until,
        least=least,
    )


def _require_nothing_overdue(require: Conditions, realm: Realm, project: Project, event: RecordedEvent) -> None:
    """OE04: signing, final report, milestones and rectification have time left."""
    stage, ends = event.text("stage"), list[date | None]()
    if stage == "AWARDED" and project.confirmed_on is not None:
        ends.append(realm.days.nth_after(project.confirmed_on, project.signing_wd))
    if stage == "RECTIFYING":
        ends.append(project.rectification.due)
    since, owed = to_date(event.data.get("since")), to_date(event.data.get("clawback_until"))
    if owed is not None and not project.escalated:
        ends.append(realm.days.nth_after(owed, 1) - timedelta(days=1))
    if stage == "ACTIVE" and project.end is not None and since is not None:
        ends.append(months_on(max(project.end, since), whole(event.data.get("final_report_months"))))
    if stage in ("CONTRACTED", "ACTIVE", "RECTIFYING", "FINAL_REVIEW"):
        reports = {*event.part("met"), *event.part("missed")}
        ends += [to_date(term.get("due")) for name, term in event.part("milestones").items() if name not in reports]
    passed = [end for end in ends if end is not None and end < event.day]
    require(not passed, "OE04", "期限 {passed} 已過", "deadlines had passed: {passed}", passed=passed)


CHECKS: Final = {
    "ClockSet": note_clock_set,
    "OpeningProposed": note_opening_proposed,
    "ProjectOpened": check_project_opened,
}
