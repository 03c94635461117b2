"""撥款審批單: one tranche, why it is due, what it leaves, and the three who had it in hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from domain.kernel.calendar import local_day
from domain.kernel.money import yuan
from domain.kernel.restriction import WITHHELD, Restriction
from domain.project.award import Award
from domain.project.contract import Contract
from domain.project.disbursement import (
    DisbursementApproved,
    DisbursementChecked,
    DisbursementFailed,
    DisbursementPaid,
    DisbursementRequested,
    DisbursementWithheld,
)
from domain.project.money import Money
from domain.project.tranches import Tranches
from papers.dossier import write_day
from papers.kind import PaperDraft, PaperKind, pair_boxes, write_in_words
from papers.paper import Form, FormBox, Layout

if TYPE_CHECKING:
    from application.folded_stream import Chapter
    from domain.kernel.state import State
    from papers.dossier import Dossier
    from papers.template import Fact

_NUMBERED = re.compile(r"T([0-9]{1,3})")


def name_tranche(tranche: str) -> str:
    """``第1期`` of T1; any other name as the contract has it."""
    numbered = _NUMBERED.fullmatch(tranche)
    return f"第{numbered[1]}期" if numbered else tranche


def _draft(dossier: Dossier, chapter: Chapter, event: DisbursementRequested, before: State) -> PaperDraft:
    paid = before.part(Money).paid
    contract, award = before.part(Contract), dossier.state.part(Award)
    tranche = before.part(Tranches).of[event.tranche]
    say = dossier.say
    blank = "　　　　　　　　　　　　"
    last = _last_acts(dossier, chapter, event.tranche)
    payment = last.get(DisbursementPaid)
    paid_event = payment.occurrence.event if payment is not None else None
    reference = paid_event.reference if isinstance(paid_event, DisbursementPaid) else None
    rows: list[tuple[FormBox, ...]] = [
        pair_boxes(say("項目名稱"), dossier.file.summary["title"], say("項目編號"), dossier.number),
        (FormBox(label=say("實施單位"), text=dossier.organisation),),
        pair_boxes(
            say("撥款期次"),
            name_tranche(event.tranche),
            say("撥付條件"),
            _write_gate(dossier, chapter, tranche.gate),
        ),
        pair_boxes(say("協議金額"), yuan(contract.award), say("此前已撥"), yuan(paid)),
        pair_boxes(say("本次撥付"), yuan(event.amount), say("撥後累計"), yuan(paid + event.amount)),
        pair_boxes(
            say("大寫"),
            write_in_words(dossier, event.amount),
            say("撥後餘額"),
            yuan(contract.award - paid - event.amount),
        ),
        (FormBox(label=say("資金來源"), text="、".join(map(dossier.name_fund, sorted(award.funds)))),),
        pair_boxes(say("收款單位"), dossier.organisation, say("開戶銀行"), blank),
        pair_boxes(
            say("收款賬號"),
            blank,
            say("備案校驗值"),
            _show_account(dossier, contract.account),
        ),
        pair_boxes(
            say("附件"), say(f"{1 if event.invoice else 0}件"), say("付款期限"), say(f"{event.payment_wd}個工作日")
        ),
        (_sign(dossier, "申請意見", "申請撥付", chapter),),
        (_sign(dossier, "財務複核意見", "複核無誤", last.get(DisbursementChecked)),),
        (_sign(dossier, "領導審批意見", "同意撥付", last.get(DisbursementApproved)),),
        pair_boxes(
            say("支付憑證號"),
            reference or blank,
            say("支付日期"),
            write_day(local_day(payment.at)) if payment is not None else blank,
        ),
    ]
    for kind, label in ((DisbursementFailed, "退匯"), (DisbursementWithheld, "暫緩撥付")):
        stopped = last.get(kind)
        if stopped is not None and isinstance(stopped.occurrence.event, DisbursementFailed | DisbursementWithheld):
            day, reason = write_day(local_day(stopped.at)), stopped.occurrence.event.reason
            rows.append((FormBox(label=say(label), text=f"{day}：{reason}", lines=2),))
    facts: dict[str, Fact] = {
        "form_number": f"{dossier.number}/{event.tranche}",
        "request_day": write_day(local_day(chapter.at)),
    }
    return PaperDraft(local_day(chapter.at), facts, {"form": Form(rows=tuple(rows))})


def _show_account(dossier: Dossier, account: str) -> str:
    """The beginning of the account's digest, for those who may see that."""
    if Restriction.ACCOUNT in dossier.file.restrictions:
        return dossier.say(WITHHELD[0])
    return f"{account[:16]}…" if account else dossier.say("未備案")


def _last_acts(dossier: Dossier, request: Chapter, tranche: str) -> dict[type, Chapter]:
    """What became of that request: the last event of each type about its tranche after it."""
    return {
        type(one.occurrence.event): one
        for one in dossier.after(request)
        if getattr(one.occurrence.event, "tranche", None) == tranche and one.stream == request.stream
    }


def _write_gate(dossier: Dossier, request: Chapter, gate: str) -> str:
    """What it waited for, and on which day that was met."""
    head, _, part = gate.partition("/")
    met = [
        one
        for one in dossier.until(request)
        if one.occurrence.event.event_type == head
        and (not part or getattr(one.occurrence.event, "milestone", "") == part)
    ]
    words = dossier.word(gate)
    return words + dossier.say(f"（{write_day(local_day(met[-1].at))}達成）") if met else words


def _sign(dossier: Dossier, label: str, opinion: str, chapter: Chapter | None) -> FormBox:
    """Room to sign by hand, and what stands in the log of it."""
    day = write_day(local_day(chapter.at) if chapter else None)
    stands = f"{dossier.say(opinion)}。{dossier.say('系統登記')}：{dossier.seat(chapter)}" if chapter else ""
    return FormBox(label=dossier.say(label), text=f"{stands}\n\n{dossier.say('簽名')}：　　　　　　{day}", lines=3)


KINDS = (
    PaperKind(
        name="payment",
        zh="撥款審批單",
        en="payment approval form",
        of="project",
        layout=Layout.FORM,
        event=DisbursementRequested,
        draft=_draft,
        key=lambda event, _n: event.tranche,
    ),
)
