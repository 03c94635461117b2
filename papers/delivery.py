"""督導記錄、評估報告、整改通知: what is seen of a project while it runs, and at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.application import Application
from domain.kernel.calendar import local_day
from domain.kernel.money import yuan
from domain.project.contract import Contract
from domain.project.delivery import Delivery, SupervisionVisitRecorded
from domain.project.evaluation import (
    AuditOpinionIssued,
    FinalEvaluationConcluded,
    MidtermEvaluationConcluded,
)
from domain.project.money import Money
from domain.project.remedy import Rectification, RectificationOrdered
from papers.dossier import write_day
from papers.kind import PaperDraft, PaperKind, draw_receipt, draw_table, list_evidence, pair_boxes, write_amount
from papers.paper import Form, FormBox, Layout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from application.folded_stream import Chapter
    from domain.kernel.state import State
    from papers.dossier import Dossier
    from papers.paper import Table
    from papers.template import Fact


def _draft_visit(dossier: Dossier, chapter: Chapter, event: SupervisionVisitRecorded, before: State) -> PaperDraft:
    say, delivery, contract = dossier.say, before.part(Delivery), before.part(Contract)
    supervisor = delivery.supervisor or contract.parties.supervisor or ""
    blank = "　　　年　月　日"
    evidence = "、".join(one["document"] for one in list_evidence(event.attachments))
    rows = (
        pair_boxes(say("項目名稱"), before.part(Application).title, say("項目編號"), dossier.number),
        pair_boxes(say("實施單位"), dossier.organisation, say("督導機構"), supervisor),
        pair_boxes(say("督導日期"), write_day(local_day(chapter.at)), say("登記"), dossier.seat(chapter)),
        pair_boxes(say("已辦活動"), say(f"{delivery.sessions}場"), say("服務人次"), str(delivery.person_times)),
        pair_boxes(say("已登記支出"), yuan(delivery.spent), say("已撥資金"), yuan(before.part(Money).paid)),
        (FormBox(label=say("督導意見"), text=event.advice or "", lines=8),),
        (FormBox(label=say("附件"), text=evidence or say("無")),),
        (
            FormBox(label=say("督導人員簽名"), text=f"\n{blank}", lines=3),
            FormBox(label=say("實施單位簽名"), text=f"\n{blank}", lines=3),
        ),
    )
    return PaperDraft(local_day(chapter.at), {}, {"form": Form(rows=rows)})


def _draw_criteria(dossier: Dossier, criteria: Mapping[str, Decimal], total: Decimal) -> Table | None:
    rows = [(dossier.word(name), str(mark)) for name, mark in criteria.items()]
    if rows:
        rows.append((dossier.say("合計"), str(total)))
    return draw_table(dossier, (("評分項目", 3, False), ("得分", 1, True)), rows)


def _list_progress(dossier: Dossier, before: State) -> dict[str, Fact]:
    """What was done by then, in the words of a report."""
    delivery, money, contract = before.part(Delivery), before.part(Money), before.part(Contract)
    return {
        "award": write_amount(contract.award),
        "paid": write_amount(money.paid),
        "spent": write_amount(delivery.spent),
        "sessions": str(delivery.sessions),
        "person_times": str(delivery.person_times),
        "teams": "、".join(delivery.teams),
        "started": write_day(delivery.started_on) if delivery.started_on else "",
        "met": "、".join(dossier.milestone(name) for name in delivery.met),
        "match": write_amount(delivery.match_received) if delivery.match_received else "",
    }


def _draft_midterm(dossier: Dossier, chapter: Chapter, event: MidtermEvaluationConcluded, before: State) -> PaperDraft:
    facts: dict[str, Fact] = {
        **_list_progress(dossier, before),
        "evaluator": event.evaluator or "",
        "evaluator_name": event.evaluator or dossier.say("評估機構"),
        "score": str(event.score),
        "result": dossier.value(event.result),
        "finding": dossier.quote(chapter, event.finding),
        "is_repeated": event.recheck,
        "evidence": list_evidence(event.attachments),
    }
    return PaperDraft(local_day(chapter.at), facts, {"criteria": _draw_criteria(dossier, event.criteria, event.score)})


def _draft_final(dossier: Dossier, chapter: Chapter, event: FinalEvaluationConcluded, before: State) -> PaperDraft:
    audits = [one for _, one in dossier.chapters(AuditOpinionIssued)]
    audit = audits[-1] if audits else None
    facts: dict[str, Fact] = {
        **_list_progress(dossier, before),
        "evaluator": event.evaluator or "",
        "evaluator_name": event.evaluator or dossier.say("評估機構"),
        "score": str(event.score),
        "grade": dossier.say(event.grade),
        "finding": dossier.quote(chapter, event.finding),
        "auditor": audit.auditor if audit else "",
        "opinion": dossier.value(audit.opinion) if audit else "",
        "eligible": write_amount(audit.eligible) if audit else "",
        "evidence": list_evidence(event.attachments),
        "is_passed": event.passed,
    }
    return PaperDraft(local_day(chapter.at), facts, {"criteria": _draw_criteria(dossier, event.criteria, event.score)})


def _draft_rectification(dossier: Dossier, chapter: Chapter, event: RectificationOrdered, before: State) -> PaperDraft:
    day = local_day(chapter.at)
    until = event.due or before.part(Rectification).last_day(dossier.calendar)
    facts: dict[str, Fact] = {
        "findings": [{"finding": dossier.quote(chapter, finding)} for finding in event.findings],
        "evidence": list_evidence(event.attachments),
        "rectify_until": write_day(until),
        "rectify_wd": str(event.rectify_wd),
    }
    return PaperDraft(day, facts, {"receipt": draw_receipt(dossier)})


VISIT = PaperKind(
    name="visit",
    zh="督導記錄",
    en="supervision record",
    of="project",
    layout=Layout.FORM,
    event=SupervisionVisitRecorded,
    draft=_draft_visit,
    key=lambda _event, n: str(n),
)
MIDTERM = PaperKind(
    name="midterm",
    zh="中期評估報告",
    en="mid-term evaluation report",
    of="project",
    layout=Layout.PLAIN,
    event=MidtermEvaluationConcluded,
    draft=_draft_midterm,
    key=lambda _event, n: str(n),
)
RECTIFICATION = PaperKind(
    name="rectification",
    zh="整改通知書",
    en="rectification notice",
    of="project",
    layout=Layout.OFFICIAL,
    event=RectificationOrdered,
    draft=_draft_rectification,
    key=lambda _event, n: str(n),
)
FINAL = PaperKind(
    name="final",
    zh="結項評估報告",
    en="final evaluation report",
    of="project",
    layout=Layout.PLAIN,
    event=FinalEvaluationConcluded,
    draft=_draft_final,
    key=lambda _event, n: str(n),
)
KINDS = (VISIT, MIDTERM, RECTIFICATION, FINAL)
