"""The work and its evaluation: in its time, counted from records, judged by others (D3, M7, P3, V3, Z1, T12, T21)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit.invariants.contracts import independent
from audit.invariants.realm import Activity
from audit.invariants.records import to_date, to_number, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit.invariants.realm import Project, Realm
    from audit.invariants.records import Happened, Judge


def supervisor(judge: Judge, realm: Realm, event: Happened) -> None:
    """P3: not the bidder."""
    project = realm.project(event.name)
    project.supervisor = event.text("supervisor")
    independent(judge, project, project.supervisor, "supervisor")


def started(judge: Judge, realm: Realm, event: Happened) -> None:
    """T12: an account, and supervisor and community where the rules ask for them. D4: within the contract."""
    project = realm.project(event.name)
    policy = realm.rules(project).get("delivery", {})
    judge(
        project.account
        and (project.supervisor or policy.get("supervisor_required") is not True)
        and (project.community or policy.get("community_required") is not True),
        "T12",
        f"啟動時專賬「{project.account}」督導「{project.supervisor}」社區「{project.community}」",
        f"started with account {project.account!r}, supervisor {project.supervisor!r}, community {project.community!r}",
    )
    end = to_date(event.data.get("end"))
    judge(
        end is not None and (project.end is None or end <= project.end),
        "D4",
        f"啟動定截止 {end}，協議為 {project.end}",
        f"the start ends it on {end}, the contract on {project.end}",
    )
    project.started_on, project.end = event.day, end
    project.gates["ProjectStarted"] = True


def activity(judge: Judge, realm: Realm, event: Happened) -> None:
    """D3: not before the start, not ahead of its time. V3: by a team that is on record."""
    project, team = realm.project(event.name), event.text("team") or None
    held_on = to_date(event.data.get("held_on")) or event.day
    judge(
        project.started_on is not None and project.started_on <= held_on <= event.day,
        "D3",
        f"活動日 {held_on}，啟動日 {project.started_on}",
        f"held on {held_on}; the project started on {project.started_on}",
    )
    judge(team is None or team in project.teams, "V3", f"{team} 未登記", f"the team {team} is not on record")
    project.activities[event.version] = Activity(held_on, whole(event.data.get("person_times")), team)


def expenditure(judge: Judge, realm: Realm, event: Happened) -> None:
    """D3: inside the contract. M6: on a line of the budget. M7: on a voucher that nobody claims."""
    project, spent_on = realm.project(event.name), to_date(event.data.get("spent_on")) or event.day
    first, last = project.signed_on, project.end
    before = first is None or spent_on < first
    judge(
        (not before or realm.rules(project).get("route") == "REIMBURSE")
        and (last is None or spent_on <= last)
        and spent_on <= event.day,
        "D3",
        f"支出日 {spent_on}，協議期 {first} 至 {last}",
        f"spent on {spent_on}; the contract runs from {first} to {last}",
    )
    line, voucher = event.text("line"), event.text("voucher")
    judge(line in project.budget, "M6", f"預算無科目 {line}", f"the budget has no line {line}")
    holder = realm.vouchers.get(voucher)
    judge(holder is None, "M7", f"憑證 {voucher} 已由 {holder} 列支", f"the voucher {voucher} is claimed by {holder}")
    realm.vouchers.setdefault(voucher, event.name)
    project.vouchers[event.version] = voucher


def team(_judge: Judge, realm: Realm, event: Happened) -> None:
    """A volunteer team."""
    realm.project(event.name).teams.add(event.text("team"))


def report(judge: Judge, realm: Realm, event: Happened) -> None:
    """V3: what a report claims is what the activity records add up to."""
    project = realm.project(event.name)
    for key, found in (("sessions", len(project.held)), ("person_times", project.person_times)):
        said = event.data.get(key)
        judge(
            said is None or said == found, "V3", f"{key} 報 {said}，記錄為 {found}", f"{key}: {said}, records: {found}"
        )


def milestone(judge: Judge, realm: Realm, event: Happened) -> None:
    """Z1, V3: a standing team is one by the records. T16: the milestone is the contract's."""
    project, name = realm.project(event.name), event.text("milestone")
    judge(
        (name in project.milestones or name == "standing-team") and name not in project.met,
        "T16",
        f"里程碑 {name} 不在協議或已達成",
        f"the milestone {name} is not the contract's, or was reached before",
    )
    if name == "standing-team":
        least = max(whole(realm.rules(project).get("evaluation", {}).get("standing_team_months")), 1)
        _stands(judge, project, least)
        said = event.data.get("months")
        judge(
            said is None or said == project.standing_months,
            "V3",
            f"所報 {said} 個月，記錄為 {project.standing_months}",
            f"{said} months are claimed; the records say {project.standing_months}",
        )
    project.met.add(name)
    project.gates[f"MilestoneMet/{name}"] = True


def _stands(judge: Judge, project: Project, least: int) -> None:
    judge(
        project.standing_months >= least,
        "Z1",
        f"志願隊活動 {project.standing_months} 個月，須 {least} 個月",
        f"a team was active in {project.standing_months} months; {least} are needed",
    )


def standing_team(judge: Judge, project: Project, rules: Mapping[str, Any]) -> None:
    """Z1: where the rules ask for it, a team with activity in that many distinct months."""
    least = whole(rules.get("evaluation", {}).get("standing_team_months"))
    if least and not project.supports_base:
        _stands(judge, project, least)


# ---------------------------------------------------------------- 評估與審計


def midterm(judge: Judge, realm: Realm, event: Happened) -> None:
    """M2: the result is what the score earns. P3."""
    project = realm.project(event.name)
    least = to_number(realm.rules(project).get("evaluation", {}).get("pass_mark", 0))
    earned = "PASS" if to_number(event.data.get("score")) >= least else "FAIL"
    judge(
        event.text("result") == earned,
        "M2",
        f"{event.data.get('score')} 分記為 {event.text('result')}",
        f"{event.data.get('score')} points are recorded as {event.text('result')}",
    )
    _evaluator(judge, project, event)
    project.midterm = event.text("result")
    project.gates[event.type] = project.midterm == "PASS"


def _evaluator(judge: Judge, project: Project, event: Happened) -> None:
    body = event.text("evaluator")
    if event.role == "SYS":
        return
    independent(judge, project, body, "evaluator")
    judge(body and body not in project.auditors, "P3", f"評估 {body} 兼任審計", f"the evaluator {body} audits too")
    project.evaluators.add(body)


def audit(judge: Judge, realm: Realm, event: Happened) -> None:
    """T19, P3: by a body that neither bids nor evaluates. M3: no more is eligible than was awarded."""
    project, body = realm.project(event.name), event.text("auditor")
    independent(judge, project, body, "auditor")
    judge(body and body not in project.evaluators, "P3", f"審計 {body} 兼任評估", f"the auditor {body} evaluates too")
    project.auditors.add(body)
    project.eligible = event.fen("eligible")
    judge(
        project.eligible <= project.award,
        "M3",
        f"核定 {project.eligible} 分，立項 {project.award} 分",
        f"{project.eligible} fen are eligible; the award is {project.award}",
    )
    project.gates[event.type] = event.text("opinion") == "UNQUALIFIED"


def final(judge: Judge, realm: Realm, event: Happened) -> None:
    """T21, Z1, P3: it passes with the marks, the audit and the team that the rules ask for."""
    project = realm.project(event.name)
    rules = realm.rules(project)
    policy, score = rules.get("evaluation", {}), to_number(event.data.get("score"))
    passed = score >= to_number(policy.get("pass_mark", 0))
    grades = [(to_number(g["least"]), str(g["name"])) for g in policy.get("grades", ())]
    grade = max((g for g in grades if score >= g[0]), default=(score, ""))[1]
    judge(
        event.data.get("passed") is passed and event.text("grade") == grade,
        "T21",
        f"{score} 分記為「{event.text('grade')}」",
        f"{score} points are recorded as {event.text('grade')}",
    )
    _evaluator(judge, project, event)
    if event.data.get("passed") is True:
        judge(project.eligible is not None, "T21", "未經審計即評估合格", "it passed without an audit")
        standing_team(judge, project, rules)
    project.gates[event.type] = event.data.get("passed") is True


LOOKS = {
    "SupervisorAssigned": supervisor,
    "ProjectStarted": started,
    "ActivityRecorded": activity,
    "ExpenditureRecorded": expenditure,
    "VolunteerTeamFormed": team,
    "ReportSubmitted": report,
    "MilestoneMet": milestone,
    "MidtermEvaluationConcluded": midterm,
    "AuditOpinionIssued": audit,
    "FinalEvaluationConcluded": final,
}
