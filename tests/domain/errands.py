"""What an office would sensibly do next: the awaited command with particulars that fit, by who may do it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.application import Application
from domain.catalogue import command_class
from domain.kernel.calendar import day_ends, local_day
from domain.kernel.facts import Facts
from domain.kernel.identifier import Actor
from domain.project.award import Award
from domain.project.contract import Contract
from domain.project.delivery import Delivery
from domain.project.disbursement import PAYABLE
from domain.project.evaluation import Evaluation, Result
from domain.project.money import Money
from domain.project.publicity import Publicity
from domain.project.stage import Gates
from domain.project.termination import Termination, outstanding, unjustified
from domain.project.tranches import Tranches
from domain.project.variation import Variations
from domain.registers.fund import envelope
from domain.registers.panel import Panel
from domain.round.resolution import Omission, Selection, digest_preview, preview_ranking
from tests.domain.guesses import BIDS, KINDS, guess
from tests.domain.memory_realm import StreamCommand
from tests.domain.pure_realm import EVIDENCE
from tests.domain.written_realm import SIGNED

if TYPE_CHECKING:
    from random import Random

    from domain.kernel.message import Awaited
    from tests.domain.memory_realm import MemoryRealm

AGAINST = {"reason": "見附件", "attachments": EVIDENCE}
GATES = ("ContractSigned", "MidtermEvaluationConcluded", "FinalEvaluationConcluded")


def representative(office: MemoryRealm, name: str) -> str:
    """Who acts for the organisation of that project."""
    organisation = office.part("project", name, Application).organisation
    return f"SO-LEGAL#{organisation[4:] or 1}"


def next_command(dice: Random, office: MemoryRealm, kind: str, name: str) -> StreamCommand | None:
    """One of the awaited commands of that stream, ready to be asked; None if nobody is awaited."""
    awaited = [a for a in office.awaited(kind, name) if a.roles]
    if not awaited:
        return None
    what = dice.choice(awaited)
    errand = _errand(dice, office, name, what)
    if errand is None:
        return None
    command, fields, actor = errand
    made = guess(dice, office, command_class(command), fields)
    if made is None:
        return None
    return StreamCommand(office.id(kind, name), made, Actor(actor or f"{what.roles[0]}#1"))


Errand = tuple[str, dict[str, Any], str]


def _errand(dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand | None:
    """The command, what it must say, and by whom if not by the first that is awaited."""
    command = what.command
    make = _MAKERS.get(command)
    if make is not None:
        return make(dice, office, name, what)
    field = command_class(command).subject_field
    return command, ({field: what.subject} if field and what.subject else {}), ""


# ---------------------------------------------------------------- round, panel


def _catalogue(_dice: Random, office: MemoryRealm, _name: str, what: Awaited) -> Errand | None:
    needs = office.names("need", "ADOPTED")
    return (what.command, {"needs": tuple(needs)}, "") if needs else None


def _call(_dice: Random, _office: MemoryRealm, _name: str, what: Awaited) -> Errand:
    return what.command, {"deadline": None, "scheme": None, "year": None, "level": None, "ordinal": None}, ""


def _resolution(dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand | None:
    """The first panel of the round that reported: its best bid is selected, where the envelope has as much."""
    for panel in office.names("panel", "REPORTED"):
        known: Panel = office.part("panel", panel, Panel)
        if known.round != name or any(office.state("project", a).stage != "SHORTLISTED" for a in known.applications):
            continue
        best, *others = sorted(known.results, key=lambda a: -known.results[a])
        award = office.part("project", best, Application).requested
        chosen = Selection(
            application=best, project=f"PJ-{best[3:]}", award=award, funds=_shares(office, award), panel=panel
        )
        streams = {office.id("panel", panel): office.state("panel", panel)}
        streams |= {office.id("project", a): office.state("project", a) for a in known.applications}
        ranked = preview_ranking(office.state("round", name), Facts(streams=streams), (panel,), (chosen,))
        fields = {
            "panels": (panel,),
            "selected": (chosen,),
            "left_out": tuple(Omission(application=a, reason="名次") for a in others),
            "preview": digest_preview(ranked, (chosen,)),
            "contact": dice.choice((None, "市民政局")),
        }
        return what.command, fields, ""
    return None


def _shares(office: MemoryRealm, amount: int) -> dict[str, int]:
    """From the first fund what it has, the rest from the second."""
    first = min(amount, max(office.balance(envelope("office", "FS-1")), 0))
    return {name: share for name, share in (("FS-1", first), ("FS-2", amount - first)) if share}


def _score(_dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    panel: Panel = office.part("panel", name, Panel)
    missing = [s for s in panel.seated if s not in panel.sheets.get(what.subject, {}) and s not in panel.barred]
    by = f"EXPERT#{missing[0][1:]}" if missing else "EXPERT#1"
    return what.command, {"application": what.subject, "mark": Decimal(80), "criteria": {}}, by


def _report(_dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    panel: Panel = office.part("panel", name, Panel)
    marks = {} if panel.is_scored else {a: Decimal(90 - i) for i, a in enumerate(panel.applications)}
    return what.command, {"results": marks}, ""


def _recusal(_dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    panel: Panel = office.part("panel", name, Panel)
    free = next(f"E{n}" for n in range(1, 30) if f"E{n}" not in (*panel.seated, *panel.barred))
    return what.command, {"out": what.subject, "in_": free}, ""


# ---------------------------------------------------------------- award, contract


def _proposal(dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand | None:
    """The panel's report first: one is drawn where there is none, scores are entered on paper."""
    return _on_a_report(dice, office, name, what, former=None)


def _rescoring(dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand | None:
    return _on_a_report(dice, office, name, what, former=office.part("project", name, Award).panel)


def _on_a_report(_dice: Random, office: MemoryRealm, name: str, what: Awaited, former: str | None) -> Errand | None:
    scored = [
        p for p in office.names("panel", "REPORTED") if p != former and name in office.part("panel", p, Panel).results
    ]
    if not scored:
        return None
    application: Application = office.part("project", name, Application)
    fields = {
        "project": f"PJ-{name[3:]}",
        "award": application.requested,
        "funds": _shares(office, application.requested),
        "panel": scored[-1],
        "support": None,
    }
    return what.command, fields, ""


def draw_for(office: MemoryRealm, panel: str) -> StreamCommand | None:
    """A panel for everything that waits to be scored."""
    waiting = [
        n
        for n in BIDS
        if office.state("project", n).stage == "SHORTLISTED" or office.part("project", n, Application).rescoring
    ]
    rounds = {office.part("project", n, Application).round for n in waiting}
    if not waiting or len(rounds) != 1 or office.state("panel", panel).version:
        return None
    command = command_class("DrawPanel").model_validate(
        {"round": rounds.pop(), "applications": waiting, "seats": ["E1", "E2", "E3", "E4", "E5"]}
    )
    return StreamCommand(office.id("panel", panel), command, Actor("CAB-REG#1"))


def _confirmation(_dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    """After the last day of publicity."""
    last = office.part("project", name, Publicity).last_day(office.calendar)
    if last is not None:
        office.pass_time(day_ends(last) + timedelta(hours=9))
    return what.command, {}, ""


def _objection(dice: Random, _office: MemoryRealm, _name: str, what: Awaited) -> Errand:
    return what.command, {"objection": what.subject}, f"{what.roles[0]}#{dice.choice((2, 2, 1))}"


def _contract(dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    award: int = office.part("project", name, Award).amount
    parts = (award // 2, award // 3, award - award // 2 - award // 3)
    fields = {
        "version": 1,
        "award": award,
        "tranches": {f"T{n}": {"planned": p, "gate": g} for n, (p, g) in enumerate(zip(parts, GATES, strict=True), 1)},
        "budget": {"activity": award - award // 25, "admin": award // 25},
        "signatures": SIGNED,
        "end": local_day(office.now) + timedelta(days=dice.choice((60, 150))),
        "milestones": dice.choice(({}, {"MS-1": {"title": "調查", "due": local_day(office.now) + timedelta(days=30)}})),
        "parties": {"evaluator": "ORG-E", "auditor": "ORG-A", "supervisor": "ORG-S"},
        "self_assessment_due": dice.choice((None, local_day(office.now) + timedelta(days=40))),
        "match_pledged": 1_000_000,
    }
    return what.command, fields, ""


def _account(_dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    return what.command, {"account": office.part("project", name, Contract).account or "a" * 64}, ""


# ---------------------------------------------------------------- money, work


def _payment(dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    tranche = office.part("project", name, Tranches).of[what.subject]
    if what.command == "PayDisbursement" and dice.randint(0, 9) == 0:
        return "FailDisbursement", {"tranche": what.subject}, ""
    amount = tranche.requested if what.command == "PayDisbursement" else None
    return what.command, {"tranche": what.subject, "amount": amount}, ""


def _start(_dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    if not office.part("project", name, Delivery).supervisor:
        return "AssignSupervisor", {"supervisor": "ORG-S"}, "CAB-REG#1"
    if not office.part("project", name, Contract).account:
        return "RegisterLedgerAccount", {"account": "a" * 64}, "SO-ACC#1"
    return what.command, {"end": None}, ""


def _midterm(dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    score = dice.choice((Decimal(85), Decimal(85), Decimal(41)))
    fields: dict[str, Any] = {
        "score": score,
        "result": "PASS" if score > 60 else "FAIL",
        "recheck": office.part("project", name, Evaluation).midterm is Result.FAIL,
        "criteria": {},
        "finding": "屬實",
        "attachments": EVIDENCE,
        "evaluator": None,
    }
    return what.command, fields, ""


def _audit(dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    contract: Contract = office.part("project", name, Contract)
    fields = {
        "opinion": "UNQUALIFIED",
        "eligible": dice.choice((contract.award, contract.award * 9 // 10)),
        "auditor": None,
    }
    return what.command, fields, ""


def _final(dice: Random, _office: MemoryRealm, _name: str, what: Awaited) -> Errand:
    score, grade = dice.choice(((Decimal(85), "良好"), (Decimal(41), "不合格"), (Decimal(95), "優秀")))
    fields = {"score": score, "grade": grade, "criteria": {}, "finding": "屬實", "attachments": EVIDENCE}
    return what.command, {**fields, "evaluator": None}, ""


def _final_report(dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand | None:
    """Money first, if it can be had; work and a midterm; and the report when the end has come."""
    contract, delivery = office.part("project", name, Contract), office.part("project", name, Delivery)
    if not delivery.teams:
        return "FormVolunteerTeam", {"team": "銀齡隊"}, "SO-PM#1"
    if dice.randint(0, 2) == 0:
        held = {"held_on": None, "team": "銀齡隊", "title": "探訪", "site": None}
        return "RecordActivity", held, "SO-PM#1"
    if dice.randint(0, 3) == 0:
        spent = {"voucher": f"V-{office.asked}", "amount": 1000, "line": "activity", "spent_on": None}
        return "RecordExpenditure", spent, "SO-ACC#1"
    if contract.end is not None and local_day(office.now) < contract.end:
        office.pass_time(office.now + timedelta(days=dice.choice((5, 30))))
        return None
    return what.command, {"sessions": None, "person_times": None}, representative(office, name)


def _surplus(_dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    state = office.state("project", name)
    return what.command, {"amount": unjustified(state) - outstanding(state)}, ""


def _as_represented(_dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    return what.command, {}, representative(office, name)


def _by_another(_dice: Random, _office: MemoryRealm, _name: str, what: Awaited) -> Errand:
    return what.command, {}, "CAB-REG#2"


def _termination(_dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand | None:
    """Audit, cancel, order back; then the end, after the hearing."""
    state = office.state("project", name)
    money: Money = state.part(Money)
    for tranche, known in state.part(Tranches).of.items():
        if not known.is_settled:
            return "CancelTranche", {"tranche": tranche, "amount": known.remainder}, "CAB-DEC#1"
    if money.audited is None:
        return None
    missing = unjustified(state) - outstanding(state)
    if missing > 0:
        return "OrderClawback", {"amount": missing, "due": None}, "CAB-DEC#1"
    last = state.part(Termination).last_day(office.calendar)
    if last is not None:
        office.pass_time(day_ends(last) + timedelta(hours=9))
    return what.command, {}, ""


def _clawback(dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    left = outstanding(office.state("project", name))
    return what.command, {"amount": dice.choice((left, max(left // 2, 1)))}, ""


def _supplement(_dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    contract = office.part("project", name, Contract)
    known = office.part("project", name, Variations).of[what.subject]
    award = contract.award if known.award is None else known.award
    fields = {
        "variation": what.subject,
        "version": contract.version + 1,
        "award": award,
        "signatures": SIGNED,
        "tranches": None,
    }
    return what.command, fields, ""


def _variation(_dice: Random, _office: MemoryRealm, _name: str, what: Awaited) -> Errand:
    return what.command, {"variation": what.subject, "share": None}, "CAB-DEC#1"


def _closing(_dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    """What is unpaid above what is eligible is cancelled first."""
    state = office.state("project", name)
    money: Money = state.part(Money)
    for tranche, known in state.part(Tranches).of.items():
        stands = known.gate in state.part(Gates).passed
        if not known.is_settled and (not stands or money.net + known.remainder > (money.audited or 0)):
            over = money.net + known.remainder - (money.audited or 0) if stands else known.remainder
            fields = {"tranche": tranche, "amount": min(max(over, 1), known.remainder)}
            return "CancelTranche", fields, "CAB-DEC#1"
    return what.command, {}, ""


def _request(dice: Random, office: MemoryRealm, name: str, what: Awaited) -> Errand:
    state = office.state("project", name)
    known, money = state.part(Tranches).of[what.subject], state.part(Money)
    over = money.net + known.remainder - (money.audited or 0)
    if money.audited is not None and over > 0:
        amount = min(over, known.remainder)
        return "CancelTranche", {"tranche": what.subject, "amount": amount}, "CAB-DEC#1"
    if state.stage in PAYABLE:
        return what.command, {"tranche": what.subject, "amount": None}, ""
    return _closing(dice, office, name, what)


_MAKERS = {
    "PublishNeedCatalogue": _catalogue,
    "PublishCall": _call,
    "ResolveRound": _resolution,
    "SubmitScore": _score,
    "IssueReviewReport": _report,
    "RecuseReviewer": _recusal,
    "ProposeAward": _proposal,
    "RescoreAward": _rescoring,
    "ConfirmAward": _confirmation,
    "AcceptObjection": _objection,
    "DismissObjection": _objection,
    "SignContract": _contract,
    "RegisterLedgerAccount": _account,
    "ConfirmLedgerAccount": _account,
    "RequestDisbursement": _request,
    "CheckDisbursement": _payment,
    "ApproveDisbursement": _payment,
    "PayDisbursement": _payment,
    "StartProject": _start,
    "ConcludeMidtermEvaluation": _midterm,
    "IssueAuditOpinion": _audit,
    "ConcludeFinalEvaluation": _final,
    "SubmitFinalReport": _final_report,
    "ReturnSurplus": _surplus,
    "SubmitRectification": _as_represented,
    "AcceptRectification": _by_another,
    "TerminateProject": _termination,
    "ReceiveClawback": _clawback,
    "AmendContract": _supplement,
    "ApproveVariation": _variation,
    "CloseProject": _closing,
}
assert set(_MAKERS) <= {c.command_type for c in KINDS}, "every errand is a command"


def opening(dice: Random, office: MemoryRealm) -> list[StreamCommand]:
    """A call and the bids of several organisations that answer it."""
    budgets = ((1_000_001, 999_999), (1_000_000, 950_000), (600_001, 250_000))
    return [
        StreamCommand(
            office.id("project", f"AP-{n}"),
            command_class("SubmitApplication").model_validate(
                {
                    "round": "R-1",
                    "organisation": f"ORG-{n}",
                    "title": f"助老之{n}",
                    "requested": dice.choice(budgets[n - 1]),
                    "match_pledged": 1_000_000,
                    "statement": "獨居老人無人探訪",
                    "fields": ("助老",),
                    "community": "COMM-1",
                }
            ),
            Actor(f"SO-LEGAL#{n}"),
        )
        for n in (1, 2, 3)
    ]
