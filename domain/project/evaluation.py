"""評估與審計: mid-term and final evaluation and the audit, by bodies that depend on nobody here (T19, T21; P3, Z1)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.application import Application, ProjectKind
from domain.kernel.attachment import Attachment, Attachments
from domain.kernel.bounds import Keyword
from domain.kernel.calendar import Calendar, day_ends
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts, require_scheme
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Role, Text
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, yuan
from domain.kernel.refusal import Checks
from domain.kernel.relation import ENGINE
from domain.kernel.state import Part, State, Transition
from domain.kernel.words import Words
from domain.project.bidders import require_independent
from domain.project.contract import AUDITOR, EVALUATOR, Contract, Parties
from domain.project.delivery import UNDERWAY, Delivery, ReportKind, require_standing_team
from domain.project.money import Money
from domain.project.stage import Stage, set_gate
from domain.project.tranches import Tranches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from domain.kernel.scheme import Scheme

Mark = Annotated[Decimal, Field(ge=0, le=1000, max_digits=6, decimal_places=2)]
"""Points; with a bonus more than 100 [F17]."""


class Result(Words):
    """How a mid-term evaluation ended."""

    PASS = "PASS", "合格", "pass"
    FAIL = "FAIL", "不合格", "fail"


class Opinion(Words):
    """What the auditor says of the accounts."""

    UNQUALIFIED = "UNQUALIFIED", "無保留意見", "unqualified"
    QUALIFIED = "QUALIFIED", "保留意見", "qualified"
    ADVERSE = "ADVERSE", "否定意見", "adverse"
    DISCLAIMER = "DISCLAIMER", "無法表示意見", "disclaimer"


class ScoreGiven(Particulars):
    """A score with what it rests on. A failing one says what was found, with evidence (V1)."""

    score: Annotated[Mark, Field(title="得分 / score")]
    criteria: dict[Keyword, Mark] = Field(max_length=50, default_factory=dict, title="分項得分 / points by criterion")
    """Criterion and its points; they add up to the score. Empty to give the score alone."""
    finding: Annotated[Text | None, Field(title="查明情況 / finding")] = None
    attachments: Attachments = ()


# ---------------------------------------------------------------- 中期評估


class Midterm(ScoreGiven):
    """How the project stands about halfway."""

    result: Annotated[Result, Field(title="結論 / result")]
    recheck: Annotated[bool, Field(title="複核 / repeated")] = False
    """Whether it looks again after a rectification."""


class MidtermEvaluationConcluded(Midterm, Event):
    """The mid-term evaluation passed or failed; the latest one counts for the tranches that wait for it."""

    zh = "中期評估結論"
    evaluator: Annotated[Text | None, Field(title="第三方評估機構 / independent evaluator")] = None
    """The body that evaluated; None where the report was never handed in, which counts as a fail [F14]."""


class ConcludeMidtermEvaluation(Midterm, Command):
    """Conclude the mid-term evaluation."""

    records = MidtermEvaluationConcluded
    by = (Role.EVAL,)
    acts_for = (EVALUATOR,)
    during = UNDERWAY
    rule = "M2"
    evaluator: Annotated[
        Text | None,
        Otherwise("協議所列", "the one of the contract"),
        Field(title="第三方評估機構 / independent evaluator"),
    ] = None
    """The body that evaluated, by registered id; None for the contract's."""


class FailOverdueMidterm(Command):
    """Count a self-assessment that was never handed in as a fail."""

    records = MidtermEvaluationConcluded
    by = (Role.SYS,)
    acts_for = (ENGINE,)
    during = UNDERWAY
    rule = "M2"


# ---------------------------------------------------------------- 審計意見


class Audit(Particulars):
    """What the auditor found. Any opinion but an unqualified one says why, with evidence (V1)."""

    opinion: Annotated[Opinion, Field(title="審計意見 / audit opinion")]
    eligible: Annotated[Fen, Field(title="審定支出 / eligible expenditure")]
    """Spending that the award may bear, in fen: what was paid beyond it comes back."""
    finding: Annotated[Text | None, Field(title="查明情況 / finding")] = None
    attachments: Attachments = ()


class AuditOpinionIssued(Audit, Event):
    """The accounts were audited."""

    zh = "審計意見"
    auditor: Annotated[Text, Field(title="審計機構 / auditor")]
    """The body that audited, by registered id."""
    moves = (Transition("T19", (Stage.FINAL_REVIEW, Stage.TERMINATING), "SAME", (Role.AUDIT,), "auditor independent"),)


class IssueAuditOpinion(Audit, Command):
    """Issue the audit opinion."""

    records = AuditOpinionIssued
    acts_for = (AUDITOR,)
    auditor: Annotated[
        Text | None, Otherwise("協議所列", "the one of the contract"), Field(title="審計機構 / auditor")
    ] = None
    """The body that audited, by registered id; None for the contract's."""


# ---------------------------------------------------------------- 末期評估


class Final(ScoreGiven):
    """How the project ended."""

    grade: Annotated[Text, Field(title="等級 / grade")]
    """The scheme's name for what the score earns, e.g. 良好."""


class FinalEvaluationConcluded(Final, Event):
    """The project is graded; a failing grade leaves it in final review, for rectification or termination."""

    zh = "末期評估結論"
    evaluator: Annotated[Text, Field(title="第三方評估機構 / independent evaluator")]
    """The body that evaluated, by registered id."""
    passed: Annotated[bool, Field(title="合格 / passed")]
    """Whether the score reached the pass mark."""
    moves = (
        Transition(
            "T21",
            (Stage.FINAL_REVIEW,),
            Stage.SETTLEMENT,
            (Role.EVAL,),
            "grade >= pass; audit issued; standing team if policy requires",
            when=lambda e: isinstance(e, FinalEvaluationConcluded) and e.passed,
        ),
    )


class ConcludeFinalEvaluation(Final, Command):
    """Conclude the final evaluation."""

    records = FinalEvaluationConcluded
    acts_for = (EVALUATOR,)
    evaluator: Annotated[
        Text | None,
        Otherwise("協議所列", "the one of the contract"),
        Field(title="第三方評估機構 / independent evaluator"),
    ] = None
    """The body that evaluated, by registered id; None for the contract's."""


Commands = ConcludeMidtermEvaluation | FailOverdueMidterm | IssueAuditOpinion | ConcludeFinalEvaluation
Events = MidtermEvaluationConcluded | AuditOpinionIssued | FinalEvaluationConcluded


# ---------------------------------------------------------------- what the decider remembers


@dataclass(frozen=True)
class Evaluation(Part):
    """The latest conclusions, and who drew them."""

    midterm: Result | None = None
    midterm_score: Decimal | None = None
    final_score: Decimal | None = None
    grade: str = ""
    passed: bool = False
    opinion: Opinion | None = None
    evaluators: frozenset[str] = field(default_factory=frozenset)
    """Bodies that evaluated this project; its auditor is none of them (P3)."""
    auditors: frozenset[str] = field(default_factory=frozenset)


# ---------------------------------------------------------------- decide


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about evaluation or audit makes happen. Raises CommandRejected."""
    check = Checks()
    match command:
        case ConcludeMidtermEvaluation():
            scheme = require_scheme(check, facts)
            evaluator = _require_evaluator(check, state, command.evaluator)
            _require_sound_midterm(check, state, command, scheme)
            return check.grant(MidtermEvaluationConcluded.of(command, evaluator=evaluator))
        case FailOverdueMidterm():
            until = _self_assessment_ends(state, facts.calendar)
            check(
                until is not None and order.at >= until,
                "M2",
                "自評期限至 {until}，尚未逾期",
                "the self-assessment is due by {until}; that has not passed",
                until=until,
            )
            return check.grant(
                MidtermEvaluationConcluded(score=Decimal(0), result=Result.FAIL, finding="自評報告逾期未交")
            )
        case IssueAuditOpinion():
            auditor = _require_auditor(check, state, command)
            return check.grant(AuditOpinionIssued.of(command, auditor=auditor))
        case ConcludeFinalEvaluation(score=score):
            scheme = require_scheme(check, facts)
            evaluator = _require_evaluator(check, state, command.evaluator)
            passed = score >= scheme.evaluation.pass_mark
            _require_sound_final(check, state, command, scheme, passed=passed)
            return check.grant(FinalEvaluationConcluded.of(command, evaluator=evaluator, passed=passed))
        case _:
            assert_never(command)


def _require_evaluator(check: Checks, state: State, named: str | None) -> str:
    """P3: who evaluates is known, and is neither the bidder nor the auditor."""
    parties = state.part(Contract).parties
    evaluator = named or parties.evaluator
    check(evaluator, "P3", "未載明評估機構", "name the evaluator: the agreement does not")
    require_independent(check, state, evaluator, "第三方評估", "evaluator")
    _require_not_host(check, parties, evaluator)
    check(
        evaluator is None or evaluator not in state.part(Evaluation).auditors | {parties.auditor},
        "P3",
        "{evaluator} 是本項目的審計機構，不得兼任評估",
        "{evaluator} is the auditor of this project and cannot evaluate it too",
        evaluator=evaluator,
    )
    return evaluator or ""


def _require_not_host(check: Checks, parties: Parties, body: str | None) -> None:
    check(
        body is None or body != parties.host,
        "P3",
        "{body} 是本項目的承辦單位，不得兼任評估或審計",
        "{body} is the managing agency of this project and can neither evaluate nor audit it",
        body=body,
    )


def _require_auditor(check: Checks, state: State, audit: IssueAuditOpinion) -> str:
    """T19, P3: who audits is known, and is neither the bidder nor an evaluator; what it found is within the award."""
    contract = state.part(Contract)
    auditor = audit.auditor or contract.parties.auditor
    check(auditor, "P3", "未載明審計機構", "name the auditor: the agreement does not")
    require_independent(check, state, auditor, "審計機構", "auditor")
    _require_not_host(check, contract.parties, auditor)
    check(
        auditor is None or auditor not in state.part(Evaluation).evaluators | {contract.parties.evaluator},
        "P3",
        "{auditor} 是本項目的評估機構，不得兼任審計",
        "{auditor} evaluated this project and cannot audit it too",
        auditor=auditor,
    )
    check(
        audit.eligible <= contract.award,
        "M3",
        "審定支出 {eligible} 不得超過資助金額 {award}",
        "eligible expenditure of {eligible} exceeds the award of {award}",
        eligible=yuan(audit.eligible),
        award=yuan(contract.award),
    )
    if audit.opinion is not Opinion.UNQUALIFIED:
        _require_evidence(check, audit.finding, audit.attachments)
    return auditor or ""


def _require_evidence(check: Checks, finding: str | None, attachments: tuple[Attachment, ...]) -> None:
    """V1: an adverse conclusion says what was found, and shows it."""
    check(finding, "V1", "不利結論須寫明發現的問題", "an adverse conclusion must say what was found")
    check(attachments, "V1", "不利結論須附佐證材料", "an adverse conclusion must have evidence attached")


def _require_sound_midterm(check: Checks, state: State, command: ConcludeMidtermEvaluation, scheme: Scheme) -> None:
    policy, last = scheme.evaluation, state.part(Evaluation).midterm
    earned = Result.PASS if command.score >= policy.pass_mark else Result.FAIL
    check(
        command.result is earned,
        "M2",
        "{score} 分的結論應為 {earned}（合格分數線 {pass_mark}）",
        "with {score} points the result is {earned} (pass mark {pass_mark})",
        score=command.score,
        earned=earned,
        pass_mark=policy.pass_mark,
    )
    check(
        command.recheck == (last is Result.FAIL),
        "M2",
        "中期評估不合格後才能複評" if command.recheck else "前次中期評估不合格，本次須註明為複評（recheck）",
        "there is no failed mid-term to look at again" if command.recheck else "the last one failed: this is a recheck",
    )
    check(
        last is not Result.PASS or command.recheck,
        "M2",
        "中期評估已合格",
        "the mid-term evaluation has passed already",
    )
    _require_sound_criteria(check, command.criteria, policy.midterm_rubric)
    _require_sum(check, command, "M2")
    if command.result is Result.FAIL:
        _require_evidence(check, command.finding, command.attachments)


def _require_sound_criteria(check: Checks, criteria: Mapping[str, Decimal], rubric: Mapping[str, int]) -> None:
    unknown = sorted(set(criteria) - set(rubric) - {"bonus"})
    check(
        not unknown,
        "M2",
        "評分項 {unknown} 不在評分表",
        "the rubric has no criterion {unknown}",
        unknown=unknown,
    )
    for name in sorted(set(criteria) & set(rubric)):
        check(
            criteria[name] <= rubric[name],
            "M2",
            "{name} 滿分 {rubric}，所評 {criteria}",
            "{name} is worth {rubric} points at most, not {criteria}",
            name=name,
            rubric=rubric[name],
            criteria=criteria[name],
        )


def _require_sum(check: Checks, scored: ScoreGiven, rule: str) -> None:
    total = sum(scored.criteria.values())
    check(
        not scored.criteria or total == scored.score,
        rule,
        "各項合計 {total}，與總分 {score} 不符",
        "the criteria add up to {total}, which is not the total of {score}",
        total=total,
        score=scored.score,
    )


def _require_sound_final(
    check: Checks, state: State, command: ConcludeFinalEvaluation, scheme: Scheme, *, passed: bool
) -> None:
    """T21: the grade is what the score earns; a passing one needs the audit and the standing team."""
    policy = scheme.evaluation
    check(
        command.grade == policy.grade(command.score),
        "T21",
        "{score} 分的等級應為「{grade}」",
        "with {score} points the grade is {grade}",
        score=command.score,
        grade=policy.grade(command.score),
    )
    _require_sum(check, command, "T21")
    if not passed:
        _require_evidence(check, command.finding, command.attachments)
        return
    check(state.part(Money).audited is not None, "T21", "審計意見尚未出具", "the audit opinion has not been issued")
    if policy.standing_team_months and state.part(Application).kind is ProjectKind.SERVICE:
        require_standing_team(check, state.part(Delivery), policy.standing_team_months)


# ---------------------------------------------------------------- evolve


def evolve(state: State, _of: Occurrence, event: Events) -> State:
    """Keep the newest conclusions and who drew them; the eligible sum (fen) is ``Money``'s."""
    evaluation = state.part(Evaluation)
    match event:
        case MidtermEvaluationConcluded(evaluator=evaluator, result=result):
            evaluators = evaluation.evaluators | ({evaluator} if evaluator else set())
            concluded = replace(evaluation, midterm=result, midterm_score=event.score, evaluators=evaluators)
            return set_gate(state.with_parts(concluded), event.event_type, positive=result is Result.PASS)
        case AuditOpinionIssued(auditor=auditor, opinion=opinion):
            audited = replace(evaluation, opinion=opinion, auditors=evaluation.auditors | {auditor})
            money = replace(state.part(Money), audited=event.eligible)
            return set_gate(state.with_parts(audited, money), event.event_type, positive=opinion is Opinion.UNQUALIFIED)
        case FinalEvaluationConcluded(evaluator=evaluator, passed=passed):
            graded = replace(
                evaluation,
                final_score=event.score,
                grade=event.grade,
                passed=passed,
                evaluators=evaluation.evaluators | {evaluator},
            )
            return set_gate(state.with_parts(graded), event.event_type, positive=passed)
        case _:
            assert_never(event)


# ---------------------------------------------------------------- deadlines and who is awaited


def _self_assessment_ends(state: State, calendar: Calendar) -> datetime | None:
    """From when a missing self-assessment is a failed mid-term; None while nothing is owed.

    The days run from the start at the earliest, and after a suspension anew from the day of resumption.
    """
    contract, delivery = state.part(Contract), state.part(Delivery)
    owed_on = contract.self_assessment_due
    active = state.stage == Stage.ACTIVE or (state.stage == Stage.RECTIFYING and state.stack[-1:] == (Stage.ACTIVE,))
    if owed_on is None or delivery.started_on is None or not active:
        return None
    if state.part(Evaluation).midterm is not None or ReportKind.SELF_ASSESSMENT in delivery.reports:
        return None
    runs_from = max(owed_on, delivery.started_on, delivery.resumed_on or owed_on)
    return day_ends(calendar.after(runs_from, contract.midterm_report_wd))


def due(state: State, calendar: Calendar) -> Iterable[Due]:
    """The mid-term report."""
    until = _self_assessment_ends(state, calendar)
    if until is not None:
        yield Due(until, FailOverdueMidterm())


def _is_midterm_wanted(state: State) -> bool:
    """Whether money waits for the mid-term, the organisation has reported for it, or it must be repeated."""
    waits = any(t.gate == MidtermEvaluationConcluded.event_type for t in state.part(Tranches).of.values())
    reported = ReportKind.SELF_ASSESSMENT in state.part(Delivery).reports
    return waits or reported or state.part(Evaluation).midterm is Result.FAIL


def awaiting(state: State, calendar: Calendar) -> Iterable[Awaited]:
    """Self-assessment, mid-term where a tranche waits for it, audit, final evaluation."""
    until = _self_assessment_ends(state, calendar)
    if until is not None:
        yield Awaited((Role.SO_PM,), "SubmitReport", "", "提交中期自評", "submit the self-assessment", until)
    evaluation, money = state.part(Evaluation), state.part(Money)
    if state.stage in UNDERWAY and evaluation.midterm is not Result.PASS and _is_midterm_wanted(state):
        yield Awaited((Role.EVAL,), "ConcludeMidtermEvaluation", "", "中期評估", "conclude the mid-term evaluation")
    if state.stage in (Stage.FINAL_REVIEW, Stage.TERMINATING) and money.audited is None:
        yield Awaited((Role.AUDIT,), "IssueAuditOpinion", "", "出具審計意見", "issue the audit opinion")
    if state.stage == Stage.FINAL_REVIEW and not evaluation.passed:
        yield Awaited((Role.EVAL,), "ConcludeFinalEvaluation", "", "末期評估", "conclude the final evaluation")


DECIDER = Decider(
    name="evaluation",
    zh="評估與審計",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    due=due,
    awaiting=awaiting,
)
