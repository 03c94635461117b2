"""Rectification, suspension, termination, close, archive, corrections: the guards of T13–T26, and SD12."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.invariants.awards import release_answer, require_representative
from audit.invariants.delivery import check_outputs, require_line, require_standing_team
from audit.invariants.payments import require_accounted
from audit.invariants.realm import Correction, Rectification
from audit.invariants.recorded_events import midnight, to_date, whole
from audit.invariants.wording import call, call_amount, call_seat, call_tranche, or_else

if TYPE_CHECKING:
    from audit.invariants.realm import Project, Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent


def check_rectification_ordered(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T13: something is to be put right by a day, which lies within the rules' period."""
    project, due = realm.project(event.name), to_date(event.data.get("due"))
    longest = realm.days.nth_after(event.day, realm.rules(project).number("remedy.rectify_wd"))
    require(
        due is None or event.day < due <= longest,
        "T13",
        "整改至 {due}，最遲 {longest}",
        "it is to be put right by {due}; {longest} is the latest",
        due=due,
        longest=longest,
    )
    project.rectification = Rectification("OPEN", event.hand, event.day, due, whole(event.data.get("rectify_wd")))


def check_rectification_submitted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T14: while it is owed, by who may."""
    project = realm.project(event.name)
    require_representative(require, realm, project, event)
    rectification = project.rectification
    require(
        rectification.status == "OPEN",
        "T14",
        "整改為 {status}",
        "the rectification is {status}",
        status=call("rectification", rectification.status),
    )
    rectification.status = "SUBMITTED"


def check_rectification_accepted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T14: handed in, looked at by another person, and a failed mid-term repeated."""
    project = realm.project(event.name)
    rectification = project.rectification
    require(
        rectification.status == "SUBMITTED"
        and not (rectification.ordered_by and event.hand.is_same(rectification.ordered_by))
        and project.midterm != "FAIL",
        "T14",
        "整改為 {status}，責令者 {ordered_by}，中期 {midterm}",
        "it is {status}, ordered by {ordered_by}, the mid-term {midterm}",
        status=call("rectification", rectification.status),
        ordered_by=call_seat(rectification.ordered_by),
        midterm=or_else(project.midterm and call("result", project.midterm), "未評", "not held"),
    )
    rectification.status = "ACCEPTED"


def check_rectification_failed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T15: not before the period has passed, unless handed in; extended no more often than the rules say."""
    project = realm.project(event.name)
    rectification = project.rectification
    if event.role == "SYS" and rectification.runs_from is not None:
        end = midnight(rectification.due or realm.days.nth_after(rectification.runs_from, rectification.rectify_wd))
        require(event.at >= end, "T15", "整改期限至 {end}", "it could be put right until {end}", end=end)
    if event.data.get("extended") is not True:
        rectification.status = "FAILED"
        return
    most = realm.rules(project).number("remedy.extensions")
    require(
        rectification.extensions < most,
        "T15",
        "已延期 {extensions} 次，上限 {most}",
        "times extended: {extensions}; at most {most}",
        extensions=rectification.extensions,
        most=most,
    )
    rectification.status, rectification.runs_from, rectification.due = "OPEN", event.day, None
    rectification.rectify_wd, rectification.extensions = (
        whole(event.data.get("rectify_wd")),
        rectification.extensions + 1,
    )


def _begin_anew(project: Project, event: RecordedEvent) -> None:
    """A period that stood still begins again."""
    if project.rectification.status == "OPEN":
        project.rectification.runs_from, project.rectification.due = event.day, None


def note_project_resumed(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The project goes on."""
    _begin_anew(realm.project(event.name), event)


def check_final_report_submitted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T16: the end has come or all milestones are met. V3."""
    project = realm.project(event.name)
    require_representative(require, realm, project, event)
    all_met = bool(project.milestones) and project.milestones <= project.met
    require(
        all_met or (project.end is not None and event.day >= project.end),
        "T16",
        "截止 {end} 未到，里程碑未全部達成",
        "before the end {end}, with milestones not met",
        end=project.end,
    )
    check_outputs(require, realm, event)


# ---------------------------------------------------------------- 終止


def check_termination_initiated(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T20: on a ground, with a hearing long enough."""
    project = realm.project(event.name)
    project.initiated_on, project.hearing_wd = event.day, whole(event.data.get("hearing_wd"))
    project.hearing_until = to_date(event.data.get("hearing_until"))
    least = realm.days.nth_after(event.day, realm.rules(project).number("remedy.hearing_wd"))
    require(
        event.text("ground") and (project.hearing_until is None or project.hearing_until >= least),
        "T20",
        "陳述申辯期至 {hearing_until}，須至 {least}",
        "heard until {hearing_until}; it must be {least} at least",
        hearing_until=project.hearing_until,
        least=least,
    )


def note_termination_appeal_upheld(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The organisation was right: nothing is ordered back any more."""
    project = realm.project(event.name)
    project.ordered, project.initiated_on = project.clawed_back, None
    _begin_anew(project, event)


def check_project_terminated(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T24: heard, audited, nothing left to be paid, and what may not be kept ordered back."""
    project = realm.project(event.name)
    if project.initiated_on is not None:
        last = project.hearing_until or realm.days.nth_after(project.initiated_on, project.hearing_wd)
        require(event.day > last, "T24", "陳述申辯期至 {last}", "it was to be heard until {last}", last=last)
    require_nothing_kept(require, project)
    if not project.net:
        release_answer(realm, project)


def require_nothing_kept(require: Conditions, project: Project) -> None:
    """T24: audited, nothing left to be paid, and what may not be kept ordered back."""
    unsettled = sorted(n for n, t in project.tranches.items() if not t.is_settled)
    require(
        not unsettled,
        "T24",
        "{unsettled} 未取消",
        "not cancelled: {unsettled}",
        unsettled=map(call_tranche, unsettled),
    )
    require(project.eligible is not None, "T24", "未經審計", "there was no audit")
    unjustified = max(project.net - (project.eligible or 0), 0)
    left = project.ordered - project.clawed_back
    require(
        left >= unjustified,
        "T24",
        "應收回 {unjustified}，決定 {left}",
        "{unjustified} may not be kept; {left} is ordered back",
        unjustified=call_amount(unjustified),
        left=call_amount(left),
    )


# ---------------------------------------------------------------- 結項、歸檔、重新核查


def check_project_closed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T22, M4, Z1: all tranches settled to the fen, nothing kept that is not eligible, the team stands."""
    project = realm.project(event.name)
    unsettled = sorted(n for n, t in project.tranches.items() if not t.is_settled)
    require(
        not unsettled,
        "T22",
        "{unsettled} 未了結",
        "neither paid nor cancelled: {unsettled}",
        unsettled=map(call_tranche, unsettled),
    )
    for name, tranche in project.tranches.items():
        require_accounted(require, name, tranche, held=tranche.left == 0)
    handed_on = project.ordered - project.clawed_back if project.escalated else 0
    surplus = project.net - (project.eligible or 0) - handed_on
    require(
        surplus <= 0,
        "T22",
        "結餘 {surplus} 未繳回",
        "a surplus of {surplus} was not returned",
        surplus=call_amount(surplus),
    )
    require_standing_team(require, project, realm.rules(project))


def check_project_archived(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T25: what was ordered back has come, or was handed on."""
    project = realm.project(event.name)
    years = whole(event.data.get("retention_years"))
    project.archived_on, project.kept_through = event.day, event.day.year + years
    left = project.ordered - project.clawed_back
    require(
        left <= 0 or project.escalated, "T25", "待收回 {left}", "{left} is still to come back", left=call_amount(left)
    )


def check_project_reopened(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T26: there was a contract; M3: no more is eligible than was awarded."""
    project = realm.project(event.name)
    require(project.version > 0, "T26", "從未簽約", "there never was a contract")
    if event.data.get("eligible") is not None:
        project.eligible = event.fen("eligible")
        require(
            project.eligible <= project.award,
            "M3",
            "核定 {eligible}，立項 {award}",
            "{eligible} is eligible; the award is {award}",
            eligible=call_amount(project.eligible),
            award=call_amount(project.award),
        )


# ---------------------------------------------------------------- 處置


def check_file_held(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """DS01: it was not held before."""
    project = realm.project(event.name)
    require(not project.held, "DS01", "已留存", "it was held already")
    project.held = True


def check_file_released(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """DS01: it was held."""
    project = realm.project(event.name)
    require(project.held, "DS01", "並未留存", "it was not held")
    project.held = False


def check_file_disposed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """DS02: its last year has gone by, once since it was put away; DS03: nobody had it held."""
    project = realm.project(event.name)
    before, archived = project.disposed_on, project.archived_on
    require(
        event.day.year > project.kept_through and (before is None or archived is None or before < archived),
        "DS02",
        "保管至 {year} 年底，前次銷毀 {before}",
        "it is kept through {year}, disposed of before on {before}",
        year=project.kept_through,
        before=or_else(before, "(未)", "never"),
    )
    require(not project.held, "DS03", "尚在留存", "it is held")
    project.disposed_on = event.day


# ---------------------------------------------------------------- 更正


def check_correction_proposed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """SD12: it points to a record that is there, says why, and shows it."""
    project, version = realm.project(event.name), whole(event.data.get("corrects"))
    number = event.text("correction")
    amount, times = event.data.get("amount"), event.data.get("person_times")
    require(
        number not in project.corrections
        and 1 <= version < event.version
        and (times is None or version in project.activities)
        and (amount is None or version in project.vouchers)
        and event.text("reason")
        and event.data.get("attachments"),
        "SD12",
        "更正 {number} 所指第 {version} 條不合",
        "the correction {number} of record {version} does not fit it",
        number=number,
        version=version,
    )
    project.corrections[number] = Correction(
        version, event.hand, event.data.get("strike") is True, times, None if amount is None else whole(amount)
    )


def check_correction_confirmed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """SD12: by a second person, once, about the record that was named; a struck voucher is free again."""
    project = realm.project(event.name)
    correction = project.corrections.get(event.text("correction"))
    require(
        correction is not None
        and not correction.confirmed
        and not event.hand.is_same(correction.by)
        and event.data.get("corrects") == correction.corrects,
        "SD12",
        "更正由 {actor} 確認，提出者 {proposer}",
        "confirmed by {actor}, proposed by {proposer}",
        actor=call_seat(event.actor),
        proposer=correction and call_seat(correction.by),
    )
    if correction is None:
        return
    correction.confirmed = True
    number, issuer = project.vouchers.get(correction.corrects, ("", "")) if correction.strike else ("", "")
    voucher = "/".join(filter(None, (issuer, number))) or None
    require(
        event.data.get("voucher") == voucher,
        "M7",
        "釋放憑證 {voucher}，應為 {due}",
        "the voucher {voucher} was freed; it must be {due}",
        voucher=event.data.get("voucher"),
        due=voucher,
    )
    if voucher is not None:
        realm.vouchers[number].pop(issuer, None)
        del project.vouchers[correction.corrects]
        project.spending.pop(correction.corrects, None)
        project.allowed.pop(correction.corrects, None)
    if correction.corrects in project.spending and correction.amount is not None:
        line, before = project.spending[correction.corrects]
        project.spending[correction.corrects] = (line, correction.amount)
        project.allowed.pop(correction.corrects, None)
        if correction.amount > before:
            require_line(require, project, line)
    activity = project.activities.get(correction.corrects)
    if activity is not None:
        activity.struck = correction.strike or (activity.struck and correction.person_times is None)
        activity.person_times = activity.person_times if correction.person_times is None else correction.person_times


CHECKS = {
    "RectificationOrdered": check_rectification_ordered,
    "RectificationSubmitted": check_rectification_submitted,
    "RectificationAccepted": check_rectification_accepted,
    "RectificationFailed": check_rectification_failed,
    "ProjectResumed": note_project_resumed,
    "FinalReportSubmitted": check_final_report_submitted,
    "TerminationInitiated": check_termination_initiated,
    "TerminationAppealUpheld": note_termination_appeal_upheld,
    "ProjectTerminated": check_project_terminated,
    "ProjectClosed": check_project_closed,
    "ProjectArchived": check_project_archived,
    "ProjectReopened": check_project_reopened,
    "FileHeld": check_file_held,
    "FileReleased": check_file_released,
    "FileDisposed": check_file_disposed,
    "CorrectionProposed": check_correction_proposed,
    "CorrectionConfirmed": check_correction_confirmed,
}
