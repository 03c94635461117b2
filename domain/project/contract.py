"""簽約與收款賬戶: the agreement: tranches, budget, parties; its lapse unsigned; the account paid into (T10, T11)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, assert_never, get_args
from unicodedata import normalize

from pydantic import Field

from domain.application import Application
from domain.kernel.attachment import Attachment
from domain.kernel.bounds import Date, Name
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Role, Text
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, yuan
from domain.kernel.phrase import named
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, ENGINE, Names, Relation
from domain.kernel.restriction import Restricted, Restriction
from domain.kernel.scope import ScopeKind
from domain.kernel.state import Part, SchemeRef, State, Transition
from domain.kernel.words import Named, Words
from domain.project.award import Award, FundsFreed, require_round_standing
from domain.project.bidders import (
    ORGANISATION,
    ROUND_HOST,
    list_applicants,
    name_round_host,
    require_eligible,
    require_independent,
)
from domain.project.bidding import give_places_back, list_answers
from domain.project.money import Money
from domain.project.outputs import Indicator, Site
from domain.project.stage import CONTRACT_LIVE, Stage, set_gate
from domain.project.stay import Challenges, require_no_stay
from domain.project.tranches import (
    Clause,
    Installment,
    Key,
    MilestoneTerm,
    Tranche,
    Tranches,
    require_no_empty_tranche,
    require_sound_tranches,
    void_requests,
)
from domain.registers.designation import Designation, DesignationKind, DesignationStage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.kernel.scheme import Budget, Scheme

LONGEST_YEARS = 5
"""How many years ahead the end of a project may lie: an agreement that never ends could never be settled."""

COOL_DOWN = timedelta(hours=24)
"""How long a changed payee account rests before money may be asked for to it (SD9)."""

PERSONNEL, ADMINISTRATION = "personnel", "admin"
"""The budget lines that have caps of their own (M6)."""

Line = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$"), Named()]
"""A budget line, e.g. ``personnel``."""


class Parties(Clause):
    """Who takes part besides bureau and organisation, by their registered ids (P3, FZ-2)."""

    solicitor: Annotated[Text | None, Field(title="徵集方 / solicitor")] = None
    host: Annotated[Text | None, Field(title="承辦單位 / managing agency")] = None
    supervisor: Annotated[Text | None, Field(title="督導機構 / supervisor")] = None
    community: Annotated[Text | None, Field(title="社區 / community")] = None
    evaluator: Annotated[Text | None, Field(title="第三方評估機構 / independent evaluator")] = None
    auditor: Annotated[Text | None, Field(title="審計機構 / auditor")] = None


class Signatory(Words):
    """Who signs."""

    BUREAU = "BUREAU", "民政局", "bureau"
    ORGANISATION = "ORGANISATION", "實施單位", "organisation"
    COMMUNITY = "COMMUNITY", "社區", "community"


# ---------------------------------------------------------------- whose business a contract makes it


def name_host(state: State, facts: Facts, command: object) -> Names:
    """The host of the contract; where it names none, that of the round."""
    host = state.part(Contract).parties.host
    return name_round_host(state, facts, command) if host is None else frozenset({host})


def _name_evaluator(state: State, _facts: Facts, command: object) -> Names:
    return _agree(state.part(Contract).parties.evaluator, getattr(command, "evaluator", None))


def _name_auditor(state: State, _facts: Facts, command: object) -> Names:
    return _agree(state.part(Contract).parties.auditor, getattr(command, "auditor", None))


def _agree(engaged: str | None, name: str | None) -> Names:
    """Whom the contract names, if the command names no other; where it names none, whom the command names."""
    return frozenset({engaged or name or ""} & {name or engaged or ""}) - {""}


HOST = Relation(
    "host",
    "協議載明的承辦單位；協議未載明者，依屆次",
    "the host that the contract names; where it names none, that of the round",
    ScopeKind.PARTY,
    "AF05",
    name_host,
    ROUND_HOST.reads,
    frozenset({Role.HOST}),
)

EVALUATOR = Relation(
    "evaluator",
    "協議載明的評估機構；協議未載明者，本次所載明者",
    "the evaluator that the contract names; where it names none, the one that the act names",
    ScopeKind.PARTY,
    "AF07",
    _name_evaluator,
    roles=frozenset({Role.EVAL}),
)

AUDITOR = Relation(
    "auditor",
    "協議載明的審計機構；協議未載明者，本次所載明者",
    "the auditor that the contract names; where it names none, the one that the act names",
    ScopeKind.PARTY,
    "AF08",
    _name_auditor,
    roles=frozenset({Role.AUDIT}),
)


# ---------------------------------------------------------------- 簽訂資助協議


class Agreement(Particulars):
    """What bureau and organisation agree on."""

    version: Annotated[int, Field(le=9999, ge=1, title="版本 / version")] = 1
    """1; a later version is a supplementary agreement."""
    award: Annotated[Fen, Field(title="資助金額 / award")]
    tranches: Annotated[dict[Key, Installment], Field(max_length=50, min_length=1, title="撥款計劃 / payment schedule")]
    """Tranche and its terms; the planned amounts add up to the award (M1)."""
    budget: Annotated[dict[Line, Fen], Field(max_length=100, min_length=1, title="預算 / budget")]
    """Line and fen; the lines add up to the award (M6)."""
    signatures: dict[Signatory, Attachment] = Field(default_factory=dict, title="簽署 / signatures")
    """Signatory and the signed document."""
    end: Annotated[Date | None, Field(title="結束日 / end date")] = None
    """The last day of implementation; None if the start fixes it."""
    self_assessment_due: Annotated[Date | None, Field(title="自評截止日 / self-assessment due")] = None
    """The last day for the mid-term self-assessment; None if none is asked for."""
    milestones: dict[Key, MilestoneTerm] = Field(max_length=100, default_factory=dict, title="里程碑 / milestones")
    parties: Parties = Field(default_factory=Parties, title="各方 / parties")
    indicators: Annotated[dict[Key, Indicator] | None, Field(max_length=50, title="指標 / indicators")] = None
    """What is to come of the work, by short name; None where the agreement names none."""
    sites: Annotated[dict[Key, Site] | None, Field(max_length=50, title="點位 / sites")] = None
    """The places at which it works, each with a milestone of its own (HZ-14); None for one place."""
    method: Annotated[Name | None, Field(title="方法模板 / method template")] = None
    """The method whose steps become milestones beside those named here (FZ-9); None for none."""


class ContractSigned(Agreement, Event):
    """The agreement binds; from now on the project keeps the rules under which it was signed (HZ-8)."""

    zh = "簽訂資助協議"
    en = "agreement signed"
    match_pledged: Annotated[Fen, Field(title="承諾配套 / match funding pledged")]
    """Funds that the organisation raises itself."""
    scheme: Annotated[SchemeRef, Field(title="管理辦法 / scheme")]
    midterm_report_wd: Annotated[int, Field(title="自評期限（工作日） / self-assessment period (working days)")]
    """Working days after ``self_assessment_due`` from which the mid-term counts as failed."""
    final_report_months: Annotated[int, Field(title="結項報告期限（月） / final report due (months)")]
    """Months after the end within which the final report is due."""
    reimburses: Annotated[bool | None, Field(title="事後補助 / reimbursed")] = None
    """Whether it is paid only what its checked vouchers come to (M12); None where money goes out before."""
    moves = (
        Transition(
            "T10",
            (Stage.AWARDED,),
            Stage.CONTRACTED,
            (Role.CAB_REG,),
            "both signatures; tranche sum = award; eligibility re-checked",
        ),
    )


class SignContract(Agreement, Command):
    """Sign the contract."""

    records = ContractSigned
    en_words = "sign the agreement"
    acts_for = (BUREAU,)
    match_pledged: Annotated[
        Fen | None, Otherwise("申報所承諾", "what the bid promised"), Field(title="承諾配套 / match funding pledged")
    ] = None
    """Funds that the organisation raises itself; None for what its bid promised."""


class ContractSigningLapsed(FundsFreed, Event):
    """Nobody signed in time; the money is free again."""

    zh = "逾期未簽約"
    en = "signing lapsed"
    moves = (Transition("T11", (Stage.AWARDED,), Stage.REVOKED, (Role.SYS,), "deadline passed"),)


class LapseContractSigning(Command):
    """Let the award lapse unsigned."""

    records = ContractSigningLapsed
    acts_for = (ENGINE,)


# ---------------------------------------------------------------- 收款賬戶備案


class PayeeAccount(Particulars):
    """The account into which the project is paid."""

    account: Annotated[
        str,
        Field(pattern=r"^[0-9a-f]{64}$", title="收款賬戶校驗值 / payee account digest"),
        Restricted(Restriction.ACCOUNT),
    ]
    """SHA-256 in hex of bank, name and number; the number itself stays with finance (PR10)."""


def digest_account(bank: str, holder: str, number: str) -> str:
    """The digest by which the log knows an account (PR10), however its number is spaced and however wide its letters.

    Raises ValueError for a part that is blank, and for a number that is none.
    """
    parts = [" ".join(normalize("NFKC", part).split()) for part in (bank, holder, number)]
    parts[-1] = parts[-1].replace(" ", "").replace("-", "")
    if not all(parts) or not (parts[-1].isascii() and parts[-1].isdigit()):
        message = "bank, holder and a number of digits make an account"
        raise ValueError(message)
    return sha256("\x1f".join(parts).encode()).hexdigest()


class LedgerAccountRegistered(PayeeAccount, Event):
    """The organisation keeps the project's money on an account of its own; another one voids what is being paid."""

    zh = "收款賬戶備案"
    en = "payee account registered"
    changed: Annotated[bool, Field(title="變更賬戶 / account changed")]
    """Whether it takes the place of another account (SD9)."""
    unconfirmed: Annotated[bool | None, Field(title="待核實 / to be confirmed")] = None
    """Whether bureau finance must confirm it though it is the first: so wherever persons are known (SD9)."""


class RegisterLedgerAccount(PayeeAccount, Command):
    """Register the payee account."""

    records = LedgerAccountRegistered
    en_words = "register the payee account"
    by = (Role.SO_ACC,)
    acts_for = (ORGANISATION,)
    during = CONTRACT_LIVE
    rule = "T12"


class LedgerAccountConfirmed(PayeeAccount, Event):
    """Bureau finance called back and confirms the account (SD9)."""

    zh = "收款賬戶變更核實"
    en = "account change verified"


class ConfirmLedgerAccount(PayeeAccount, Command):
    """Confirm the account."""

    records = LedgerAccountConfirmed
    en_words = "verify the payee account"
    by = (Role.CAB_FIN,)
    acts_for = (BUREAU,)
    during = CONTRACT_LIVE
    rule = "SD9"


Commands = SignContract | LapseContractSigning | RegisterLedgerAccount | ConfirmLedgerAccount
Events = ContractSigned | ContractSigningLapsed | LedgerAccountRegistered | LedgerAccountConfirmed


# ---------------------------------------------------------------- what the decider remembers


@dataclass(frozen=True)
class Contract(Part):
    """The contract in its current version."""

    version: int = 0
    """0 while unsigned."""
    signed_on: date | None = None
    award: Fen = 0
    budget: dict[str, Fen] = field(default_factory=dict)
    end: date | None = None
    self_assessment_due: date | None = None
    midterm_report_wd: int = 0
    final_report_months: int = 0
    reimburses: bool = False
    """Whether it is paid only what its checked vouchers come to (M12)."""
    milestones: dict[str, MilestoneTerm] = field(default_factory=dict)
    match_pledged: Fen = 0
    parties: Parties = field(default_factory=Parties)
    account: str = ""
    """Digest of the payee account; empty while none is registered."""
    account_changed_at: datetime | None = None
    """When the account last took another's place, or was registered where persons are known, UTC."""
    indicators: dict[str, Indicator] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    account_confirmed: bool = True
    """False from then until finance has confirmed it."""


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The organisation and its partners, whose eligibility is checked again at signing."""
    if not isinstance(command, SignContract):
        return Reads()
    method = {state.stream.sibling("designation", command.method)} if command.method else set()
    return Reads(streams=list_applicants(state) | method)


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the contract makes happen. Raises CommandRejected."""
    check, contract, today = Checks(), state.part(Contract), local_day(order.at)
    match command:
        case SignContract():
            scheme = require_scheme(check, facts)
            command = command.model_copy(update={"milestones": _list_milestones(check, state, facts, command, today)})
            pledged = state.part(Application).match_pledged if command.match_pledged is None else command.match_pledged
            _require_signable(check, state, command, scheme)
            _require_match(check, command.award, pledged, scheme.budget.match_min)
            _require_milestone_a_site(check, command)
            require_reasonable_days(
                check,
                today,
                "T10",
                command.end,
                command.self_assessment_due,
                *(t.due for t in command.milestones.values()),
            )
            require_eligible(check, state, facts, today, "T10")
            require_round_standing(check, state, facts, "T10")
            require_no_stay(check, state, "T10")
            return check.grant(
                ContractSigned.of(
                    command,
                    match_pledged=pledged,
                    scheme=scheme.ref,
                    midterm_report_wd=scheme.evaluation.midterm_report_wd,
                    final_report_months=scheme.evaluation.final_report_months,
                    reimburses=scheme.reimburses,
                )
            )
        case LapseContractSigning():
            award, until = state.part(Award), _signing_ends(state, facts.calendar)
            check(
                until is not None and order.at >= until,
                "T11",
                "簽約期限至 {until}，尚未屆滿",
                "signing is open until {until}",
                until=until,
            )
            return check.grant(
                ContractSigningLapsed(freed=award.funds, freed_places=list_answers(state), charge=award.charge)
            )
        case RegisterLedgerAccount(account=account):
            check(
                account != contract.account,
                "T12",
                "該收款賬戶已備案",
                "this account is registered already",
            )
            changed = bool(contract.account)
            unconfirmed = True if order.persons and not changed else None
            return check.grant(LedgerAccountRegistered.of(command, changed=changed, unconfirmed=unconfirmed))
        case ConfirmLedgerAccount(account=account):
            check(
                account == contract.account and not contract.account_confirmed,
                "SD9",
                "所核實的賬戶不是待核實的賬戶",
                "this is not the account that is waiting to be verified",
            )
            return check.grant(LedgerAccountConfirmed.of(command))
        case _:
            assert_never(command)


def _require_signable(check: Checks, state: State, command: SignContract, scheme: Scheme) -> None:
    """T10: first version, as awarded, tranches and lines complete, signed by both, parties independent."""
    award, parties = state.part(Award), command.parties
    check(
        command.version == 1,
        "T10",
        "首份協議的版本應為 1，現填 {version}",
        "the first contract is version 1, not {version}",
        version=command.version,
    )
    check(
        command.award == award.amount,
        "M1",
        "協議金額 {award} 須等於資助金額 {amount}",
        "the agreement is for {award}; it must equal the award of {amount}",
        award=yuan(command.award),
        amount=yuan(award.amount),
    )
    require_no_empty_tranche(check, command.tranches)
    require_sound_tranches(check, command.tranches, command.award, command.milestones, scheme.payment.allowed_gates)
    require_sound_budget(check, command.budget, command.award, scheme.budget)
    require_signatures(check, command.signatures, scheme)
    require_independent_parties(check, state, parties)


def require_independent_parties(check: Checks, state: State, parties: Parties) -> None:
    """P3: nobody whom the contract names is the bidder, and host, evaluator and auditor are not one another."""
    for party, zh, en in (
        (parties.host, "承辦單位", "host"),
        (parties.supervisor, "督導", "supervisor"),
        (parties.evaluator, "第三方評估", "evaluator"),
        (parties.auditor, "審計機構", "auditor"),
    ):
        require_independent(check, state, party, zh, en)
    check(
        parties.host is None or parties.host not in (parties.auditor, parties.evaluator),
        "P3",
        "承辦單位 {host} 不得兼任評估或審計",
        "the managing agency {host} can be neither evaluator nor auditor",
        host=parties.host,
    )
    check(
        parties.auditor is None or parties.auditor != parties.evaluator,
        "P3",
        "審計機構與評估機構不得為同一家",
        "auditor and evaluator may not be the same body",
    )


def _require_match(check: Checks, award: Fen, pledged: Fen, least: int) -> None:
    """M6: the organisation raises its share, in percent of the whole budget, itself."""
    check(
        100 * pledged >= least * (award + pledged),
        "M6",
        "配套資金 {pledged} 未達總預算的 {least}%",
        "match funding of {pledged} is below {least}% of the whole budget",
        pledged=yuan(pledged),
        least=least,
    )


def _list_milestones(
    check: Checks, state: State, facts: Facts, agreement: SignContract, today: date
) -> dict[str, MilestoneTerm]:
    """The milestones of the agreement, and the steps of its method that it does not name itself (FZ-9)."""
    if agreement.method is None:
        return agreement.milestones
    method = facts.of(state.stream.sibling("designation", agreement.method))
    designation = method.part(Designation)
    check(
        designation.kind is DesignationKind.METHOD
        and method.stage == DesignationStage.GRANTED
        and designation.is_valid_on(today),
        "T10",
        "{method} 不是有效的方法模板",
        "{method} is no method that holds today",
        method=agreement.method,
    )
    steps = {
        name: MilestoneTerm(title=step.title, due=today + timedelta(days=step.days))
        for name, step in designation.steps.items()
    }
    return {**steps, **agreement.milestones}


def _require_milestone_a_site(check: Checks, agreement: Agreement) -> None:
    """T10: every site has a milestone of its own, and no milestone is of a site that there is not (HZ-14)."""
    sites = set(agreement.sites or ())
    named = {term.site for term in agreement.milestones.values() if term.site is not None}
    check(
        sites <= named,
        "T10",
        "點位 {sites} 沒有里程碑，每個點位至少一項",
        "the sites {sites} have no milestone; each needs one of its own",
        sites=sites - named,
    )
    check(
        named <= sites,
        "T10",
        "里程碑所指點位 {sites} 不在協議點位之列",
        "milestones name the sites {sites}, which the contract has not",
        sites=named - sites,
    )


def require_reasonable_days(check: Checks, today: date, rule: str, *days: date | None) -> None:
    """Days that a contract fixes lie ahead, and within the years that a project may take: it must come to an end."""
    last = today.replace(year=today.year + LONGEST_YEARS, day=min(today.day, 28))
    for day in days:
        check(
            day is None or today < day <= last,
            rule,
            "日期 {day} 須在今日（{today}）之後且不晚於 {last}（最長 {longest_years} 年）",
            "{day} must lie after today ({today}) and not after {last} ({longest_years} years at most)",
            day=day,
            today=today,
            last=last,
            longest_years=LONGEST_YEARS,
        )


def require_signatures(check: Checks, signatures: Mapping[Signatory, Attachment], scheme: Scheme) -> None:
    """T10: bureau and organisation signed, and the community where the scheme makes it a party."""
    needed = [Signatory.BUREAU, Signatory.ORGANISATION]
    if scheme.delivery.community_required:
        needed.append(Signatory.COMMUNITY)
    missing = [str(s) for s in needed if s not in signatures]
    check(not missing, "T10", "缺簽署方 {missing}", "signatures of {missing} are missing", missing=missing)


def require_sound_budget(check: Checks, budget: Mapping[str, Fen], award: Fen, caps: Budget) -> None:
    """M6: the lines add up to the award, none is forbidden, the capped ones keep below their caps."""
    total = sum(budget.values())
    check(
        total == award,
        "M6",
        "預算各科目合計 {total}，須等於資助金額 {award}",
        "the budget lines add up to {total}; they must equal the award {award}",
        total=yuan(total),
        award=yuan(award),
    )
    for line, share in ((PERSONNEL, caps.personnel_max), (ADMINISTRATION, caps.administration_max)):
        planned = budget.get(line, 0)
        check(
            100 * planned <= share * award,
            "M6",
            "{line} {planned} 超過資助金額的 {share}%",
            "{line} of {planned} exceeds {share}% of the award",
            line=named(line),
            planned=yuan(planned),
            share=share,
        )
    forbidden = sorted(set(budget) & set(caps.forbidden))
    check(
        not forbidden,
        "M6",
        "資助資金不得用於{forbidden}",
        "grant money cannot be spent on {forbidden}",
        forbidden=[named(line) for line in forbidden],
    )


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the contract in its newest version, sums in fen."""
    contract = state.part(Contract)
    match event:
        case ContractSigned():
            return set_gate(_sign(state, of, event), "ContractSigned", positive=True)
        case ContractSigningLapsed():
            return give_places_back(state, event.freed_places)
        case LedgerAccountRegistered(account=account, changed=changed):
            registered = replace(contract, account=account)
            if changed or event.unconfirmed:
                registered = replace(registered, account_changed_at=of.at, account_confirmed=False)
            if not changed:
                return state.with_parts(registered)
            return void_requests(state.with_parts(registered), of, "專賬變更 / the payee account changed")
        case LedgerAccountConfirmed():
            return state.with_parts(replace(contract, account_confirmed=True))
        case _:
            assert_never(event)


def read_contract(event: Event) -> Contract:
    """What an event says of the contract, in fields of the same names; what it leaves out stays blank."""
    terms = {of.name: value for of in fields(Contract) if (value := getattr(event, of.name, None)) is not None}
    return replace(Contract(), **terms)


def _sign(state: State, of: Occurrence, event: ContractSigned) -> State:
    contract = replace(read_contract(event), signed_on=local_day(of.at))
    tranches = Tranches({name: Tranche(t.planned, t.gate) for name, t in event.tranches.items()})
    money = Money(committed=state.part(Award).funds)
    return replace(state, scheme=event.scheme).with_parts(contract, tranches, money)


# ---------------------------------------------------------------- deadlines and who is awaited


def _signing_ends(state: State, calendar: Calendar) -> datetime | None:
    award = state.part(Award)
    challenges = state.part(Challenges)
    if state.stage != Stage.AWARDED or award.confirmed_on is None or challenges.staying:
        return None
    runs_from = max(award.confirmed_on, challenges.stayed_until or award.confirmed_on)
    return day_ends(calendar.after(runs_from, award.signing_wd))


def due(state: State, calendar: Calendar) -> Iterable[Due]:
    """The signing period (T11)."""
    until = _signing_ends(state, calendar)
    if until is not None:
        yield Due(until, LapseContractSigning())


def awaiting(state: State, calendar: Calendar) -> Iterable[Awaited]:
    """Signature, account, confirmation of a changed account."""
    contract = state.part(Contract)
    until = _signing_ends(state, calendar)
    if until is not None:
        yield Awaited((Role.CAB_REG,), "SignContract", "", "簽訂協議", "sign the contract", until)
    if state.stage not in CONTRACT_LIVE:
        return
    if not contract.account:
        yield Awaited((Role.SO_ACC,), "RegisterLedgerAccount", "", "備案收款賬戶", "register the payee account")
    elif not contract.account_confirmed:
        yield Awaited((Role.CAB_FIN,), "ConfirmLedgerAccount", "", "核實收款賬戶", "confirm the payee account")


DECIDER = Decider(
    name="contract",
    zh="簽約",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    due=due,
    awaiting=awaiting,
)
