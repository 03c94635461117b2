"""The work and its evaluation: in its time, counted from records, judged by others (D3, M7, P3, V3, Z1, T12, T21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.invariants.contracts import require_independent
from audit.invariants.realm import Activity
from audit.invariants.recorded_events import to_date, to_number, whole
from audit.invariants.rules import Rules, require_criteria
from audit.invariants.wording import call, call_amount, call_field, named

if TYPE_CHECKING:
    from audit.invariants.realm import Project, Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent


def check_supervisor_assigned(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """P3: not the bidder."""
    project = realm.project(event.name)
    project.supervisor = event.text("supervisor")
    require_independent(require, project, project.supervisor, "supervisor")


def check_project_started(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T12: an account, and supervisor and community where the rules ask for them. D4: within the contract."""
    project = realm.project(event.name)
    rules = realm.rules(project)
    require(
        project.account
        and (project.supervisor or rules["delivery.supervisor_required"] is not True)
        and (project.community or rules["delivery.community_required"] is not True),
        "T12",
        "啟動時收款賬戶「{account}」督導「{supervisor}」社區「{community}」",
        "started with account {account}, supervisor {supervisor}, community {community}",
        account=project.account,
        supervisor=project.supervisor,
        community=project.community,
    )
    end = to_date(event.data.get("end"))
    require(
        end is not None and (project.end is None or end <= project.end),
        "D4",
        "啟動定截止 {end}，協議為 {project_end}",
        "the start ends it on {end}, the contract on {project_end}",
        end=end,
        project_end=project.end,
    )
    project.started_on, project.end = event.day, end
    project.gates["ProjectStarted"] = True


def check_activity_recorded(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D3: not before the start, not ahead of its time. V3: by a team that is on record."""
    project, team = realm.project(event.name), event.text("team") or None
    held_on = to_date(event.data.get("held_on")) or event.day
    require(
        project.started_on is not None
        and (project.reimburses or project.started_on <= held_on)
        and held_on <= event.day,
        "D3",
        "活動日 {held_on}，啟動日 {started_on}",
        "held on {held_on}; the project started on {started_on}",
        held_on=held_on,
        started_on=project.started_on,
    )
    require(team is None or team in project.teams, "V3", "{team} 未登記", "the team {team} is not on record", team=team)
    project.activities[event.version] = Activity(
        held_on, whole(event.data.get("person_times")), team, event.text("form") == "VISIT"
    )


def check_expenditure_recorded(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D3: inside the contract. M6: on a line of the budget. M7: on a voucher that nobody claims."""
    project, spent_on = realm.project(event.name), to_date(event.data.get("spent_on")) or event.day
    first, last = project.signed_on, project.end
    before = first is None or spent_on < first
    require(
        (not before or realm.rules(project)["route"] == "REIMBURSE")
        and (last is None or spent_on <= last)
        and spent_on <= event.day,
        "D3",
        "支出日 {spent_on}，協議期 {first} 至 {last}",
        "spent on {spent_on}; the contract runs from {first} to {last}",
        spent_on=spent_on,
        first=first,
        last=last,
    )
    line = event.text("line")
    require(line in project.budget, "M6", "預算無科目 {line}", "the budget has no line {line}", line=named(line))
    project.spending[event.version] = (line, event.fen("amount"))
    require_line(require, project, line)
    _require_unclaimed(require, realm, event)
    project.vouchers[event.version] = (event.text("voucher"), event.text("issuer"))


def require_line(require: Conditions, project: Project, line: str) -> None:
    """M6: what is spent on a line keeps within it."""
    spent, planned = project.spent_on(line), project.budget.get(line, 0)
    require(
        spent <= planned,
        "M6",
        "{line} 預算 {planned}，已列支 {spent}",
        "the line {line} has {planned}; {spent} is spent on it",
        line=named(line),
        planned=call_amount(planned),
        spent=call_amount(spent),
    )


def _require_unclaimed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M7: a voucher is known by issuer and number; one without an issuer stands for all of its number."""
    number, issuer = event.text("voucher"), event.text("issuer")
    claims = realm.vouchers[number]
    holder = claims.get(issuer) or claims.get("") if issuer else next(iter(claims.values()), None)
    require(
        holder is None,
        "M7",
        "憑證 {number} 已由 {holder} 列支",
        "the voucher {number} is claimed by {holder}",
        number=number,
        holder=holder,
    )
    claims.setdefault(issuer, event.name)


def note_volunteer_team_formed(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """A volunteer team was formed."""
    realm.project(event.name).teams.add(event.text("team"))


def check_outputs(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """V3: what a report claims is what the activity records add up to."""
    project = realm.project(event.name)
    for key, derived in (("sessions", project.sessions), ("person_times", project.person_times)):
        figure = event.data.get(key)
        require(
            figure is None or figure == derived,
            "V3",
            "{key} 報 {said}，記錄為 {derived}",
            "{key}: {said}, records: {derived}",
            key=call_field(event.type, key),
            said=figure,
            derived=derived,
        )


def check_milestone_met(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Z1, V3: a standing team is one by the records. T16: the milestone is the contract's."""
    project, name = realm.project(event.name), event.text("milestone")
    require(
        (name in project.milestones or name == "standing-team") and name not in project.met,
        "T16",
        "里程碑 {name} 不在協議或已達成",
        "the milestone {name} is not the contract's, or was reached before",
        name=name,
    )
    if name == "standing-team":
        least = max(realm.rules(project).number("evaluation.standing_team_months"), 1)
        _require_months(require, project, least)
        months = event.data.get("months")
        require(
            months is None or months == project.standing_months,
            "V3",
            "所報 {said} 個月，記錄為 {months}",
            "{said} months are claimed; the records say {months}",
            said=months,
            months=project.standing_months,
        )
    project.met.add(name)
    project.gates[f"MilestoneMet/{name}"] = True


def _require_months(require: Conditions, project: Project, least: int) -> None:
    require(
        project.standing_months >= least,
        "Z1",
        "志願隊活動 {months} 個月，須 {least} 個月",
        "a team was active in {months} months; {least} are needed",
        months=project.standing_months,
        least=least,
    )


def require_standing_team(require: Conditions, project: Project, rules: Rules) -> None:
    """Z1: where the rules ask for it, a team with activity in that many distinct months."""
    least = rules.number("evaluation.standing_team_months")
    if least and not project.supports_base:
        _require_months(require, project, least)


# ---------------------------------------------------------------- 評估與審計


def check_midterm_evaluation_concluded(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M2: the result is what the score earns. P3."""
    project = realm.project(event.name)
    least = to_number(realm.rules(project)["evaluation.pass_mark"] or 0)
    earned = "PASS" if to_number(event.data.get("score")) >= least else "FAIL"
    require(
        event.text("result") == earned,
        "M2",
        "{score} 分記為 {result}",
        "{score} points are recorded as {result}",
        score=event.data.get("score"),
        result=call("result", event.text("result")),
    )
    rubric = realm.rules(project)["evaluation.midterm_rubric"] or {}
    require_criteria(require, "M2", event, to_number(event.data.get("score")), rubric)
    _require_evaluator(require, project, event)
    project.midterm = event.text("result")
    project.gates[event.type] = project.midterm == "PASS"


def check_milestone_missed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T17: no milestone falls while the project stands still."""
    stage = realm.project(event.name).stage
    require(stage != "SUSPENDED", "T17", "中止期間里程碑逾期", "a milestone fell while the project stood still")


def _require_evaluator(require: Conditions, project: Project, event: RecordedEvent) -> None:
    body = event.text("evaluator")
    if event.role == "SYS":
        return
    require_independent(require, project, body, "evaluator")
    require(
        body and body not in project.auditors,
        "P3",
        "評估 {body} 兼任審計",
        "the evaluator {body} audits too",
        body=body,
    )
    _require_not_host(require, project, body)
    project.evaluators.add(body)


def _require_not_host(require: Conditions, project: Project, body: str) -> None:
    require(
        not body or body != project.host,
        "P3",
        "承辦單位 {body} 兼任評估或審計",
        "the host {body} evaluates or audits",
        body=body,
    )


def check_audit_opinion_issued(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T19, P3: by a body that neither bids nor evaluates. M3: no more is eligible than was awarded."""
    project, body = realm.project(event.name), event.text("auditor")
    require_independent(require, project, body, "auditor")
    require(
        body and body not in project.evaluators,
        "P3",
        "審計 {body} 兼任評估",
        "the auditor {body} evaluates too",
        body=body,
    )
    _require_not_host(require, project, body)
    project.auditors.add(body)
    project.eligible = event.fen("eligible")
    require(
        project.eligible <= project.award,
        "M3",
        "核定 {eligible}，立項 {award}",
        "{eligible} is eligible; the award is {award}",
        eligible=call_amount(project.eligible),
        award=call_amount(project.award),
    )
    project.gates[event.type] = event.text("opinion") == "UNQUALIFIED"


def check_final_evaluation_concluded(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T21, Z1, P3: it passes with the marks, the audit and the team that the rules ask for."""
    project = realm.project(event.name)
    rules = realm.rules(project)
    score = to_number(event.data.get("score"))
    passed = score >= to_number(rules["evaluation.pass_mark"] or 0)
    grades = [(to_number(g["least"]), str(g["name"])) for g in rules["evaluation.grades"] or ()]
    grade = max((g for g in grades if score >= g[0]), default=(score, ""))[1]
    require(
        event.data.get("passed") is passed and event.text("grade") == grade,
        "T21",
        "{score} 分記為「{grade}」",
        "{score} points are recorded as {grade}",
        score=score,
        grade=event.text("grade"),
    )
    _require_evaluator(require, project, event)
    if event.data.get("passed") is True:
        require(project.eligible is not None, "T21", "未經審計即評估合格", "it passed without an audit")
        require_standing_team(require, project, rules)
    project.gates[event.type] = event.data.get("passed") is True


CHECKS = {
    "SupervisorAssigned": check_supervisor_assigned,
    "ProjectStarted": check_project_started,
    "ActivityRecorded": check_activity_recorded,
    "ExpenditureRecorded": check_expenditure_recorded,
    "VolunteerTeamFormed": note_volunteer_team_formed,
    "ReportSubmitted": check_outputs,
    "MilestoneMissed": check_milestone_missed,
    "MilestoneMet": check_milestone_met,
    "MidtermEvaluationConcluded": check_midterm_evaluation_concluded,
    "AuditOpinionIssued": check_audit_opinion_issued,
    "FinalEvaluationConcluded": check_final_evaluation_concluded,
}
