"""Contracts and their variations: what adds up, who is independent, what is decided in time (M1, M6, P3, D4, T10)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from audit.invariants import registers, reimbursements
from audit.invariants.apportionment import apportion
from audit.invariants.awards import require_representative, require_round
from audit.invariants.realm import Tranche, Variation
from audit.invariants.recorded_events import to_date, whole
from audit.invariants.rules import USUAL_GATES, Rules
from audit.invariants.wording import call, call_amount, call_seat, call_tranche, named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audit.invariants.realm import Project, Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent


def check_contract_signed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T10, M1, M2, M6, P3."""
    project = realm.project(event.name)
    rules, award = realm.rules(project), event.fen("award")
    require(
        event.data.get("version") == 1 and project.version == 0,
        "T10",
        "首份協議版本為 {version}",
        "the first contract has version {version}",
        version=event.data.get("version"),
    )
    require(
        award == project.award,
        "M1",
        "協議 {award}，立項 {project_award}",
        "the contract is over {award}, the award is {project_award}",
        award=call_amount(award),
        project_award=call_amount(project.award),
    )
    project.milestones = frozenset(map(str, event.part("milestones")))
    terms = {str(name): term for name, term in event.part("tranches").items()}
    require_tranches(require, project, rules, terms, award)
    require_no_empty_tranche(require, terms, ())
    require_reasonable_end(require, event, "T10")
    require_round(require, realm, project, "T10")
    project.tranches = {name: Tranche(whole(t.get("planned")), str(t.get("gate"))) for name, t in terms.items()}
    require_lines(require, event.shares("budget"), award, rules)
    least, pledged = whole(rules["budget.match_min"]), event.fen("match_pledged")
    require(
        100 * pledged >= least * (award + pledged),
        "M6",
        "配套 {pledged}，不足 {least}%",
        "the match of {pledged} is below {least}%",
        pledged=call_amount(pledged),
        least=least,
    )
    _require_signatures(require, event, rules)
    registers.require_eligible(require, realm, project.bidders, event.day, rules)
    require_parties(require, project, event.part("parties"))
    project.version, project.award, project.budget = 1, award, event.shares("budget")
    project.signed_on, project.end = event.day, to_date(event.data.get("end"))
    project.community = project.community or str(event.part("parties").get("community", ""))
    scheme = event.part("scheme")
    project.scheme = (str(scheme.get("name")), whole(scheme.get("version")))
    reimbursements.take_route(require, project, rules, event)
    project.gates["ContractSigned"] = True


def require_no_empty_tranche(require: Conditions, terms: Mapping[str, Mapping[str, Any]], known: Iterable[str]) -> None:
    """M1: a tranche that is not ``known`` from before plans something."""
    empty = sorted({n for n, term in terms.items() if not whole(term.get("planned"))}.difference(known))
    require(not empty, "M1", "{empty} 為零元", "nothing is planned for {empty}", empty=map(call_tranche, empty))


def require_reasonable_end(require: Conditions, event: RecordedEvent, rule: str) -> None:
    """A contract comes to an end: within five years of the day on which it is agreed."""
    end = to_date(event.data.get("end"))
    require(
        end is None or (event.day < end and end.year <= event.day.year + 5),
        rule,
        "截止 {end} 不在 {day} 之後五年以內",
        "the end {end} does not lie within five years after {day}",
        end=end,
        day=event.day,
    )


def require_tranches(
    require: Conditions, project: Project, rules: Rules, terms: Mapping[str, Mapping[str, Any]], award: int
) -> None:
    """M1, M2: the tranches add up to the award, and each waits for a gate that the rules allow."""
    planned = sum(whole(term.get("planned")) for term in terms.values())
    require(
        planned == award,
        "M1",
        "各期合計 {planned}，立項 {award}",
        "the tranches add up to {planned}, the award is {award}",
        planned=call_amount(planned),
        award=call_amount(award),
    )
    known = set(rules["payment.gates"] or USUAL_GATES)
    if "MilestoneMet" in known:
        known |= {f"MilestoneMet/{name}" for name in project.milestones}
    known.discard("MilestoneMet")
    gates = {str(term.get("gate")) for term in terms.values()}
    strangers = sorted(gates - known)
    require(
        gates <= known,
        "M2",
        "無此撥付條件：{strangers}",
        "no such payment conditions: {strangers}",
        strangers=map(named, strangers),
    )


def require_lines(require: Conditions, budget: Mapping[str, int], award: int, rules: Rules) -> None:
    """M6: lines add up, caps hold, nothing forbidden, nothing negative."""
    total = sum(budget.values())
    require(
        total == award and min(budget.values(), default=0) >= 0,
        "M6",
        "預算合計 {total}，立項 {award}",
        "the budget adds up to {total}, the award is {award}",
        total=call_amount(total),
        award=call_amount(award),
    )
    for line, cap in (("personnel", "budget.personnel_max"), ("admin", "budget.administration_max")):
        most = rules.number(cap)
        require(
            100 * budget.get(line, 0) <= most * award,
            "M6",
            "{line} {amount}，超過 {most}%",
            "{line} is {amount}, above {most}%",
            line=named(line),
            amount=call_amount(budget.get(line, 0)),
            most=most,
        )
    forbidden = sorted(set(budget).intersection(rules["budget.forbidden"] or ()))
    require(
        not forbidden,
        "M6",
        "不得列支：{forbidden}",
        "nothing may be spent on {forbidden}",
        forbidden=map(named, forbidden),
    )


def _require_signatures(require: Conditions, event: RecordedEvent, rules: Rules) -> None:
    needed = {"BUREAU", "ORGANISATION"}
    if rules["delivery.community_required"] is True:
        needed.add("COMMUNITY")
    missing = sorted(needed.difference(event.part("signatures")))
    require(
        not missing,
        "T10",
        "缺簽署方 {missing}",
        "signatures missing: {missing}",
        missing=[call("signatory", one) for one in missing],
    )


def require_parties(require: Conditions, project: Project, parties: Mapping[str, Any]) -> None:
    """P3: none of them is the bidder; host, auditor and evaluator are three bodies."""
    for part in ("host", "supervisor", "evaluator", "auditor"):
        require_independent(require, project, str(parties.get(part, "")), part)
    evaluator, auditor = str(parties.get("evaluator", "")), str(parties.get("auditor", ""))
    require(
        not auditor or auditor != evaluator,
        "P3",
        "{auditor} 兼任評估與審計",
        "{auditor} is both evaluator and auditor",
        auditor=auditor,
    )
    project.host = str(parties.get("host", ""))
    require(
        not project.host or project.host not in (auditor, evaluator),
        "P3",
        "承辦單位 {host} 兼任評估或審計",
        "the host {host} evaluates or audits too",
        host=project.host,
    )
    project.evaluators |= {evaluator} - {""}
    project.auditors |= {auditor} - {""}


def require_independent(require: Conditions, project: Project, body: str, part: str) -> None:
    """P3: that body is not among the bidders."""
    require(
        body not in project.bidders,
        "P3",
        "{part} 由申報單位 {body} 擔任",
        "the bidder {body} is the {part}",
        part=call("party", part),
        body=body,
    )


def note_ledger_account_registered(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Another account voids what is being paid (SD3)."""
    project = realm.project(event.name)
    if project.account and project.account != event.text("account"):
        void_requests(project.tranches.values())
    if project.account or event.persons:
        project.account_since, project.account_confirmed = event.at, False
    project.account = event.text("account")


def note_ledger_account_confirmed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """SD9: by finance, of the account that is there."""
    project = realm.project(event.name)
    require(
        event.role == "CAB-FIN" and event.text("account") == project.account,
        "SD9",
        "{actor} 核實了並未備案的收款賬戶",
        "{actor} confirmed an account that is not the project's",
        actor=call_seat(event.actor),
    )
    project.account_confirmed = True


def void_requests(tranches: Iterable[Tranche]) -> None:
    """Requests in flight begin anew."""
    for tranche in tranches:
        if tranche.status in ("REQUESTED", "CHECKED", "APPROVED"):
            tranche.status = "PLANNED"


# ---------------------------------------------------------------- 變更


def check_variation_requested(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D4: before the end; the award is only ever lowered."""
    project = realm.project(event.name)
    require_representative(require, realm, project, event)
    award = event.data.get("award")
    require(
        project.end is None or event.day <= project.end,
        "D4",
        "截止 {end} 之後申請變更",
        "a variation was asked for after the end {end}",
        end=project.end,
    )
    require(
        award is None or whole(award) <= project.award,
        "M1",
        "變更提高資助金額至 {award}",
        "the variation raises the award to {award}",
        award=call_amount(award),
    )
    variation = Variation(
        to_date(event.data.get("end")), to_date(event.data.get("effective")), None if award is None else whole(award)
    )
    share = _moved(event, project.award)
    before = sum(
        (
            round(v.minor_percent, 2)
            for v in project.variations.values()
            if v.minor_percent is not None and v.status in ("REQUESTED", "APPROVED", "EFFECTIVE")
        ),
        Decimal(0),
    )
    most = realm.rules(project).number("delivery.minor_variation_percent")
    lines_only = variation.end is None and award is None and not event.part("milestones")
    variation.minor_percent = share if lines_only and before + share <= most else None
    require(
        event.data.get("minor") is (variation.minor_percent is not None),
        "D4",
        "科目調整 {share}%，此前輕微變更合計 {before}%，上限 {most}%",
        "it moves {share}% between lines, after minor ones of {before}%; {most}% is the most",
        share=format(share, ".2f"),
        before=before,
        most=most,
    )
    project.variations[event.text("variation")] = variation


def _moved(event: RecordedEvent, award: int) -> Decimal:
    """What moves between lines, in percent of the award."""
    moves = event.shares("move").values()
    moved = max(sum(fen for fen in moves if fen > 0), -sum(fen for fen in moves if fen < 0))
    return Decimal(100 * moved) / award if award else Decimal(0)


def check_variation_approved(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D4: decided before it takes effect and before the end."""
    project = realm.project(event.name)
    variation = project.variations.setdefault(event.text("variation"), Variation(None, None, None, "UNKNOWN"))
    last = min(project.end or date.max, variation.effective or date.max)
    require(
        variation.status == "REQUESTED" and event.day <= last,
        "D4",
        "變更為 {status}，須在 {last} 前決定",
        "the variation is {status}; it had to be decided by {last}",
        status=call("variation", variation.status),
        last=last,
    )
    require(
        variation.minor_percent is not None or event.role == "CAB-DEC",
        "D4",
        "重大變更由 {actor} 批准",
        "a major variation was approved by {actor}",
        actor=call_seat(event.actor),
    )
    variation.status = "APPROVED"


def note_variation_rejected(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The contract stays as it is."""
    variation = realm.project(event.name).variations.get(event.text("variation"))
    if variation is not None:
        variation.status = "REJECTED"


def check_contract_amended(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M1, M5, M6, M8, D4: as approved, in the next version; what is settled stays; what is cut goes back."""
    project = realm.project(event.name)
    variation = project.variations.setdefault(event.text("variation"), Variation(None, None, None, "UNKNOWN"))
    require(
        variation.status == "APPROVED",
        "D4",
        "變更為 {status}，未經批准即生效",
        "the variation is {status} and took effect",
        status=call("variation", variation.status),
    )
    require(
        event.data.get("version") == project.version + 1,
        "T10",
        "版本 {version}，前為 {project_version}",
        "version {version} follows {project_version}",
        version=event.data.get("version"),
        project_version=project.version,
    )
    award = event.fen("award")
    require(
        award == (project.award if variation.award is None else variation.award),
        "M1",
        "協議 {award}，批准 {known_award}",
        "the agreement is over {award}; {known_award} was approved",
        award=call_amount(award),
        known_award=call_amount(variation.award),
    )
    rules = realm.rules(project)
    _require_signatures(require, event, rules)
    require_lines(require, event.shares("budget"), award, rules)
    _replan(require, project, rules, event, award)
    budget = event.shares("budget")
    short = sorted(line for line in budget if project.spent_on(line) > budget[line] < project.budget.get(line, 0))
    require(
        not short,
        "M6",
        "{short} 已列支超過變更後的預算",
        "more is spent on {short} than the varied budget has",
        short=map(named, short),
    )
    cut = apportion(project.award - award, project.live)
    require(
        event.shares("split") == cut,
        "M9",
        "核減分攤 {split}，應為 {cut}",
        "it is split {split}; it must be {cut}",
        split=event.shares("split"),
        cut=cut,
    )
    for name, fen in event.shares("split").items():
        project.live[name] = project.live.get(name, 0) - fen
    realm.free(project, event.shares("split"))
    project.version, project.award, project.budget = project.version + 1, award, event.shares("budget")
    project.end, variation.status = to_date(event.data.get("end")), "EFFECTIVE"
    for other in project.variations.values():
        if other.status in ("REQUESTED", "APPROVED"):
            other.status = "VOID"


def _replan(require: Conditions, project: Project, rules: Rules, event: RecordedEvent, award: int) -> None:
    terms = {str(name): term for name, term in event.part("tranches").items()}
    require_tranches(require, project, rules, terms, award)
    require_no_empty_tranche(require, terms, project.tranches)
    for name, tranche in project.tranches.items():
        planned = whole(terms.get(name, {}).get("planned"))
        require(
            planned == tranche.planned if tranche.is_settled else planned >= tranche.paid + tranche.cancelled,
            "M8",
            "{name} 已撥付或核減 {settled}，改為 {planned}",
            "{settled} of {name} is settled; it became {planned}",
            name=call_tranche(name),
            settled=call_amount(tranche.paid + tranche.cancelled),
            planned=call_amount(planned),
        )
    void_requests(project.tranches.values())
    for name, term in terms.items():
        tranche = project.tranches.setdefault(name, Tranche(0, ""))
        tranche.planned, tranche.gate = whole(term.get("planned")), str(term.get("gate"))
        if not tranche.is_settled and not tranche.left:
            tranche.status = "CANCELLED"
    project.tranches = {name: tranche for name, tranche in project.tranches.items() if name in terms}


CHECKS = {
    "ContractSigned": check_contract_signed,
    "LedgerAccountRegistered": note_ledger_account_registered,
    "LedgerAccountConfirmed": note_ledger_account_confirmed,
    "VariationRequested": check_variation_requested,
    "VariationApproved": check_variation_approved,
    "VariationRejected": note_variation_rejected,
    "ContractAmended": check_contract_amended,
}
