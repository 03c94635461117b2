"""終止、收回、結項、案卷目錄、銷毀清冊: how a project ends, well or early, what its file holds, and what goes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from domain.kernel.attachment import find_attachments
from domain.kernel.calendar import local_day
from domain.kernel.message import Event
from domain.kernel.money import yuan
from domain.project.closeout import Closeout, ProjectArchived, ProjectClosed
from domain.project.contract import Contract
from domain.project.delivery import Delivery
from domain.project.disposal import FileDisposed, retention_end
from domain.project.evaluation import AuditOpinionIssued, Evaluation
from domain.project.money import Money
from domain.project.termination import ClawbackOrdered, ProjectTerminated, Termination, TerminationInitiated
from domain.registers.panel import PanelDrawn, ReviewReportIssued
from papers.dossier import write_day
from papers.kind import PaperDraft, PaperKind, draw_receipt, draw_table, list_evidence, write_amount, write_in_words
from papers.paper import Form, FormBox, Layout

if TYPE_CHECKING:
    from application.folded_stream import Chapter
    from domain.kernel.attachment import Attachment
    from domain.kernel.state import State
    from papers.dossier import Dossier
    from papers.template import Fact


def _draft_notice(dossier: Dossier, chapter: Chapter, event: TerminationInitiated, before: State) -> PaperDraft:
    until = before.part(Termination).last_day(dossier.calendar)
    facts: dict[str, Fact] = {
        "ground": event.ground,
        "evidence": list_evidence(event.attachments),
        "hearing_until": write_day(until),
        "hearing_wd": str(event.hearing_wd),
    }
    return PaperDraft(local_day(chapter.at), facts, {"receipt": draw_receipt(dossier)})


def _draft_termination(dossier: Dossier, chapter: Chapter, event: ProjectTerminated, before: State) -> PaperDraft:
    ended, money, scheme = before.part(Termination), before.part(Money), dossier.scheme
    audits = [one for _, one in dossier.chapters(AuditOpinionIssued)]
    ordered = sum(one.amount for other, one in dossier.chapters(ClawbackOrdered) if other.position < chapter.position)
    facts: dict[str, Fact] = {
        "ground": ended.ground,
        "initiated": write_day(ended.initiated_on),
        "heard_until": write_day(ended.last_day(dossier.calendar)),
        "reason": event.reason,
        "evidence": list_evidence(event.attachments),
        "auditor": audits[-1].auditor if audits else "",
        "opinion": dossier.value(audits[-1].opinion) if audits else "",
        "eligible": write_amount(audits[-1].eligible) if audits else "",
        "paid": write_amount(money.paid),
        "cancelled": write_amount(money.cancelled) if money.cancelled else "",
        "ordered": write_amount(ordered) if ordered else "",
        "ban_years": str(scheme.remedy.ban_years) if scheme else "",
    }
    return PaperDraft(local_day(chapter.at), facts, {"receipt": draw_receipt(dossier)})


def _draft_clawback(dossier: Dossier, chapter: Chapter, event: ClawbackOrdered, before: State) -> PaperDraft:
    day, money = local_day(chapter.at), before.part(Money)
    until = event.due or day + timedelta(days=event.clawback_days)
    rows = [
        (dossier.say("已撥付"), yuan(money.paid)),
        (dossier.say("審定支出"), yuan(money.audited or 0)),
        (dossier.say("此前已收回和繳回"), yuan(money.returned + money.clawed_back)),
        (dossier.say("應退回"), yuan(event.amount)),
    ]
    facts: dict[str, Fact] = {
        "amount": write_amount(event.amount),
        "amount_words": write_in_words(dossier, event.amount),
        "reason": event.reason,
        "evidence": list_evidence(event.attachments),
        "due": write_day(until),
        "days": str((until - day).days),
    }
    table = draw_table(dossier, (("事項", 3, False), ("金額", 2, True)), rows)
    return PaperDraft(day, facts, {"sums": table, "receipt": draw_receipt(dossier)})


def _draft_certificate(dossier: Dossier, chapter: Chapter, _event: ProjectClosed, before: State) -> PaperDraft:
    contract, delivery, evaluation = before.part(Contract), before.part(Delivery), before.part(Evaluation)
    facts: dict[str, Fact] = {
        "started": write_day(delivery.started_on),
        "ended": write_day(contract.end),
        "award": write_amount(contract.award),
        "award_words": write_in_words(dossier, contract.award),
        "grade": dossier.say(evaluation.grade),
        "score": str(evaluation.final_score) if evaluation.final_score is not None else "",
        "eligible": write_amount(before.part(Money).audited or 0),
    }
    return PaperDraft(local_day(chapter.at), facts)


def _draft_index(dossier: Dossier, chapter: Chapter, _event: Event, _before: State) -> PaperDraft:
    archived = [event.retention_years for _, event in dossier.chapters(ProjectArchived)]
    years = archived[-1] if archived else dossier.scheme.closing.retention_years if dossier.scheme else 0
    rows = [
        (
            str(n),
            dossier.say(one.occurrence.event.zh),
            dossier.say(one.occurrence.actor.role.zh),
            local_day(one.at).strftime("%Y%m%d"),
            "、".join(document.name for document in find_attachments(one.occurrence.event)),
            str(one.position),
        )
        for n, one in enumerate(filter(_is_filed, dossier.file.story), start=1)
    ]
    columns = (
        ("序號", 2, True),
        ("題名", 6, False),
        ("責任者", 5, False),
        ("日期", 4, False),
        ("附件", 6, False),
        ("日誌", 2, True),
    )
    facts: dict[str, Fact] = {"retention": str(years), "count": str(len(rows))}
    return PaperDraft(local_day(chapter.at), facts, {"contents": draw_table(dossier, columns, rows)})


def _draft_disposal(dossier: Dossier, chapter: Chapter, event: FileDisposed, before: State) -> PaperDraft:
    closeout, until = before.part(Closeout), retention_end(before.part(Closeout))
    named: dict[str, tuple[Attachment, Chapter]] = {}
    for one in dossier.until(chapter):
        if one.stream == chapter.stream:
            named.update({each.sha256: (each, one) for each in find_attachments(one.occurrence.event)})
    rows = [
        (str(n), each.name, each.sha256[:16], local_day(one.at).strftime("%Y%m%d"), str(one.position))
        for n, (each, one) in enumerate(named.values(), start=1)
    ]
    columns = (("序號", 2, True), ("文件", 6, False), ("摘要", 7, False), ("日期", 4, False), ("日誌", 2, True))
    facts: dict[str, Fact] = {
        "archived": write_day(closeout.archived_on),
        "retention": str(closeout.retention_years),
        "kept_until": write_day(until and until - timedelta(days=1)),
        "reason": event.reason,
        "evidence": list_evidence(event.attachments),
        "approver": dossier.seat(chapter),
        "position": str(chapter.position),
        "count": str(len(rows)),
    }
    blocks = {"contents": draw_table(dossier, columns, rows), "form": _draw_destruction(dossier)}
    return PaperDraft(local_day(chapter.at), facts, blocks)


def _draw_destruction(dossier: Dossier) -> Form:
    """Who destroyed them and who watched, filled in by hand: with it the list is the certificate."""
    blank = "\n　　　年　月　日"
    boxes = [("銷毀方式", ""), ("銷毀地點", ""), ("銷毀人簽名", blank), ("監銷人簽名", blank), ("監銷人簽名", blank)]
    entries = [FormBox(label=dossier.say(label), text=text, lines=2 if text else 1) for label, text in boxes]
    return Form(rows=((entries[0], entries[1]), (entries[2],), (entries[3], entries[4])))


def _is_filed(chapter: Chapter) -> bool:
    """Whether it goes into the file: of the panel that it was drawn and what it reported, not who scored how."""
    event = chapter.occurrence.event
    return chapter.stream.kind != "panel" or isinstance(event, PanelDrawn | ReviewReportIssued)


NOTICE = PaperKind(
    name="termination-notice",
    zh="擬終止項目告知書",
    en="notice of intended termination",
    of="project",
    layout=Layout.OFFICIAL,
    event=TerminationInitiated,
    draft=_draft_notice,
    key=lambda _event, n: str(n),
)
CLAWBACK = PaperKind(
    name="clawback",
    zh="收回資金通知書",
    en="recovery notice",
    of="project",
    layout=Layout.OFFICIAL,
    event=ClawbackOrdered,
    draft=_draft_clawback,
    key=lambda _event, n: str(n),
)
TERMINATION = PaperKind(
    name="termination",
    zh="終止項目決定書",
    en="decision of termination",
    of="project",
    layout=Layout.OFFICIAL,
    event=ProjectTerminated,
    draft=_draft_termination,
)
CERTIFICATE = PaperKind(
    name="certificate",
    zh="結項證書",
    en="closure certificate",
    of="project",
    layout=Layout.CERTIFICATE,
    event=ProjectClosed,
    draft=_draft_certificate,
)
INDEX: PaperKind[Event] = PaperKind(
    name="index",
    zh="案卷目錄",
    en="index of the file",
    of="project",
    layout=Layout.PLAIN,
    event=Event,
    draft=_draft_index,
)
DISPOSAL = PaperKind(
    name="disposal",
    zh="檔案銷毀清冊",
    en="list of destroyed originals",
    of="project",
    layout=Layout.PLAIN,
    event=FileDisposed,
    draft=_draft_disposal,
)
KINDS = (NOTICE, CLAWBACK, TERMINATION, CERTIFICATE, INDEX, DISPOSAL)
