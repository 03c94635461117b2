"""簽約與專賬: the agreement on tranches, budget and parties, its lapse unsigned, the account paid into (T10, T11).

What every later room needs of a contract lives here too: its tranches, the money that moved, and who its parties are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import BaseModel, ConfigDict, Field

from domain.application import Application
from domain.kernel import approval
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.decider import Decider
from domain.kernel.effects import Effect, Post
from domain.kernel.facts import Facts, Reads
from domain.kernel.identity import Actor, Attachment, Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, yuan
from domain.kernel.refusal import Checks
from domain.kernel.state import Part, SchemeRef, State, Transition, Verdict
from domain.kernel.words import Words
from domain.project.award import Award, FundsFreed
from domain.project.bidding import answers, given_back
from domain.project.stage import CONTRACT_LIVE, MILESTONE, Stage, gate
from domain.registers.fund import committed, envelope
from domain.registers.organisation import list_ineligibility

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from domain.kernel.scheme import Budget, Scheme

COOL_DOWN = timedelta(hours=24)
"""How long a changed payee account rests before money may be asked for to it (SD9)."""

PERSONNEL, ADMINISTRATION = "personnel", "admin"
"""The budget lines that have caps of their own (M6)."""

Line = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""A budget line, e.g. ``personnel``."""
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$")]
"""A tranche's or milestone's short name, e.g. ``T1`` or ``MS-2``."""


class Clause(BaseModel):
    """A part of a contract. Unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Installment(Clause):
    """One tranche as agreed."""

    planned: Annotated[Fen, Field(title="計劃金額 / planned")]
    gate: Annotated[Text, Field(title="撥付條件 / payment condition")]
    """The event that must stand positive before it may be asked for (M2)."""


class MilestoneTerm(Clause):
    """One milestone as agreed."""

    title: Annotated[Text, Field(title="名稱 / title")]
    due: Annotated[date | None, Field(title="期限 / due")] = None
    """Its last day; missed at 24:00. None if only its being met matters."""


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
    ORGANISATION = "ORGANISATION", "承接組織", "organisation"
    COMMUNITY = "COMMUNITY", "社區", "community"


# ---------------------------------------------------------------- 協議簽訂


class Agreement(Particulars):
    """What bureau and organisation agree on."""

    version: Annotated[int, Field(ge=1, title="版本 / version")] = 1
    """1; a later version is a supplementary agreement."""
    award: Annotated[Fen, Field(title="資助金額 / award")]
    tranches: Annotated[dict[Key, Installment], Field(min_length=1, title="撥款計劃 / payment schedule")]
    """Tranche and its terms; the planned amounts add up to the award (M1)."""
    budget: Annotated[dict[Line, Fen], Field(min_length=1, title="預算 / budget")]
    """Line and fen; the lines add up to the award (M6)."""
    signatures: dict[Signatory, Attachment] = Field(default_factory=dict, title="簽署 / signatures")
    """Signatory and the signed document."""
    end: Annotated[date | None, Field(title="結束日 / end date")] = None
    """The last day of implementation; None if the start fixes it."""
    self_assessment_due: Annotated[date | None, Field(title="自評截止日 / self-assessment due")] = None
    """The last day for the mid-term self-assessment; None if none is asked for."""
    milestones: dict[Key, MilestoneTerm] = Field(default_factory=dict, title="里程碑 / milestones")
    parties: Parties = Field(default_factory=Parties, title="各方 / parties")


class ContractSigned(Agreement, Event):
    """The agreement binds; from now on the project keeps the rules under which it was signed (HZ-8)."""

    zh = "協議簽訂"
    match_pledged: Annotated[Fen, Field(title="承諾配套 / match funding pledged")]
    """Funds that the organisation raises itself."""
    scheme: Annotated[SchemeRef, Field(title="管理辦法 / scheme")]
    midterm_report_wd: Annotated[int, Field(title="自評期限（工作日） / self-assessment period (working days)")]
    """Working days after ``self_assessment_due`` from which the mid-term counts as failed."""
    final_report_months: Annotated[int, Field(title="結項報告期限（月） / final report due (months)")]
    """Months after the end within which the final report is due."""
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
    match_pledged: Annotated[Fen | None, Field(title="承諾配套 / match funding pledged")] = None
    """Funds that the organisation raises itself; None for what its bid promised."""


class ContractSigningLapsed(FundsFreed, Event):
    """Nobody signed in time; the money is free again."""

    zh = "逾期未簽"
    moves = (Transition("T11", (Stage.AWARDED,), Stage.REVOKED, (Role.SYS,), "deadline passed"),)


class LapseContractSigning(Command):
    """Let the award lapse unsigned."""

    records = ContractSigningLapsed


# ---------------------------------------------------------------- 專賬備案


class PayeeAccount(Particulars):
    """The account into which the project is paid."""

    account: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", title="收款賬戶摘要 / payee account digest")]
    """SHA-256 in hex of bank, name and number; the number itself stays with finance (PR10)."""


class LedgerAccountRegistered(PayeeAccount, Event):
    """The organisation keeps the project's money on an account of its own; another one voids what is being paid."""

    zh = "專賬備案"
    changed: Annotated[bool, Field(title="變更賬戶 / account changed")]
    """Whether it takes the place of another account (SD9)."""


class RegisterLedgerAccount(PayeeAccount, Command):
    """Register the ledger account."""

    records = LedgerAccountRegistered
    by = (Role.SO_ACC,)
    during = CONTRACT_LIVE
    rule = "T12"


class LedgerAccountConfirmed(PayeeAccount, Event):
    """Bureau finance called back and confirms the changed account (SD9)."""

    zh = "專賬變更核實"


class ConfirmLedgerAccount(PayeeAccount, Command):
    """Confirm the changed account."""

    records = LedgerAccountConfirmed
    by = (Role.CAB_FIN,)
    during = CONTRACT_LIVE
    rule = "SD9"


Commands = SignContract | LapseContractSigning | RegisterLedgerAccount | ConfirmLedgerAccount
Events = ContractSigned | ContractSigningLapsed | LedgerAccountRegistered | LedgerAccountConfirmed


# ---------------------------------------------------------------- what the room remembers


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
    milestones: dict[str, MilestoneTerm] = field(default_factory=dict)
    match_pledged: Fen = 0
    parties: Parties = field(default_factory=Parties)
    account: str = ""
    """Digest of the payee account; empty while none is registered."""
    account_changed_at: datetime | None = None
    """When the account last took another's place, UTC."""
    account_confirmed: bool = True
    """False from a change of account until finance has confirmed it."""


class TrancheStatus(Words):
    """Where a tranche stands (domain.md §3.1)."""

    PLANNED = "PLANNED", "待申請", "planned"
    REQUESTED = "REQUESTED", "已申請", "requested"
    CHECKED = "CHECKED", "已複核", "checked"
    APPROVED = "APPROVED", "已審批", "approved"
    PAID = "PAID", "已撥付", "paid"
    FAILED = "FAILED", "退匯", "returned by bank"
    WITHHELD = "WITHHELD", "暫緩撥付", "withheld"
    CANCELLED = "CANCELLED", "已取消", "cancelled"


IN_FLIGHT = (TrancheStatus.REQUESTED, TrancheStatus.CHECKED, TrancheStatus.APPROVED)
"""Asked for and not yet paid: what a change of content voids (SD3)."""


@dataclass(frozen=True)
class Tranche:
    """One tranche: what was planned, what became of it, and which three people had it in hand (P2)."""

    planned: Fen
    gate: str
    status: TrancheStatus = TrancheStatus.PLANNED
    paid: Fen = 0
    cancelled: Fen = 0
    requested: Fen = 0
    requests: int = 0
    """How often it was asked for."""
    requested_on: date | None = None
    payment_wd: int = 0
    """Working days from the request to the payment."""
    bound: str = ""
    """Digest of what was asked for: the approvals are for this and nothing else (SD3)."""
    maker: Actor | None = None
    checker: Actor | None = None
    approver: Actor | None = None
    voided: str = ""
    """Why the last request became void; empty if it did not."""

    @property
    def remainder(self) -> Fen:
        """What is neither paid nor cancelled, in fen."""
        return self.planned - self.paid - self.cancelled

    @property
    def settled(self) -> bool:
        """Whether nothing more will be paid of it (M4)."""
        return self.status in (TrancheStatus.PAID, TrancheStatus.CANCELLED)


@dataclass(frozen=True)
class Tranches(Part):
    """The tranches of the contract, by name."""

    of: dict[str, Tranche] = field(default_factory=dict)

    def having(self, name: str, tranche: Tranche) -> Tranches:
        """The same tranches with that one so."""
        return Tranches({**self.of, name: tranche})

    def unsettled(self) -> tuple[str, ...]:
        """Those that are neither paid nor cancelled."""
        return tuple(name for name, tranche in self.of.items() if not tranche.settled)


@dataclass(frozen=True)
class Money(Part):
    """What moved, in fen, and where it lies, fund by fund (M3, M9)."""

    paid: Fen = 0
    cancelled: Fen = 0
    returned: Fen = 0
    clawed_back: Fen = 0
    audited: Fen | None = None
    """What the latest audit found eligible; None before one."""
    committed: dict[str, Fen] = field(default_factory=dict)
    """Fund and what is set aside on it for this project, neither paid nor cancelled."""
    out: dict[str, Fen] = field(default_factory=dict)
    """Fund and what was paid from it and has not come back."""

    @property
    def net(self) -> int:
        """Paid less returned less clawed back (M3)."""
        return self.paid - self.returned - self.clawed_back

    def after_payment(self, split: Mapping[str, Fen]) -> Money:
        """The same money with that paid out."""
        return replace(
            self,
            paid=self.paid + sum(split.values()),
            committed=_moved(self.committed, split, -1),
            out=_moved(self.out, split, 1),
        )

    def after_cancelling(self, split: Mapping[str, Fen]) -> Money:
        """The same money with that given back to the envelopes unpaid."""
        total = sum(split.values())
        return replace(self, cancelled=self.cancelled + total, committed=_moved(self.committed, split, -1))

    def after_return(self, split: Mapping[str, Fen]) -> Money:
        """The same money with that come back by itself."""
        return replace(self, returned=self.returned + sum(split.values()), out=_moved(self.out, split, -1))

    def after_clawback(self, split: Mapping[str, Fen]) -> Money:
        """The same money with that clawed back."""
        return replace(self, clawed_back=self.clawed_back + sum(split.values()), out=_moved(self.out, split, -1))


def _moved(funds: Mapping[str, Fen], split: Mapping[str, Fen], sign: int) -> dict[str, Fen]:
    return {name: funds.get(name, 0) + sign * split.get(name, 0) for name in {**funds, **split}}


def apportioned(amount: Fen, over: Mapping[str, Fen]) -> dict[str, Fen]:
    """The amount split over what lies on the funds, in proportion; the last fund absorbs the rounding (M9).

    No fund gives more than it has: where the last could not bear all of the rounding, the one before it helps.
    More than all funds have is split as if it were all they have; the rules refuse it before.
    """
    total = sum(over.values())
    amount = min(amount, total)
    names = sorted(over)
    split = {name: amount * over[name] // total for name in names} if total else {}
    left = amount - sum(split.values())
    for name in reversed(names):
        absorbed = min(left, over[name] - split.get(name, 0))
        if absorbed:
            split[name] += absorbed
            left -= absorbed
    return {name: share for name, share in split.items() if share}


class Cancelling(Particulars):
    """Committed money that goes back to its envelopes."""

    split: Annotated[dict[str, Fen], Field(title="資金來源分攤 / split by fund")]
    """Fund and fen (M9)."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Give each fund's share back to its envelope."""
        for fund, share in sorted(self.split.items()):
            yield Post(committed(stream, fund), envelope(stream.realm, fund), share)


def voided(state: State, of: Occurrence, why: str) -> State:
    """The state with every request in flight void: its content is no longer what was approved (SD3)."""
    tranches = state.part(Tranches)
    for name, tranche in tranches.of.items():
        if tranche.status in IN_FLIGHT:
            tranches = tranches.having(name, replace(tranche, status=TrancheStatus.PLANNED, voided=why))
            state = without_approvals(state, of, name)
    return state.having(tranches)


def without_approvals(state: State, of: Occurrence, tranche: str) -> State:
    """The state with the open approvals of that tranche void."""
    for decision in ("CheckDisbursement", "ApproveDisbursement"):
        state = approval.end_approval(state, of, gate=decision, key=tranche, verdict=Verdict.VOID)
    return state


def independent(check: Checks, state: State, party: str | None, zh: str, en: str) -> None:
    """P3: whoever supervises, evaluates, audits or hosts is not the bidder."""
    check(
        party not in state.part(Application).bidders,
        "P3",
        f"{zh}不得由申報方 {party} 擔任，須另行委託",
        f"the bidder {party} may not be the {en}; commission somebody else",
    )


# ---------------------------------------------------------------- decide


def applicants(state: State) -> frozenset[StreamId]:
    """The organisation and its partners, as streams."""
    return frozenset(state.stream.sibling("organisation", name) for name in state.part(Application).bidders)


def eligible(check: Checks, state: State, facts: Facts, today: date, rule: str) -> None:
    """Note why the organisation or a partner may not be funded on that day (D5)."""
    for stream in sorted(applicants(state)):
        list_ineligibility(check, facts.of(stream), today, facts.scheme, rule)


def reads(state: State, command: Commands) -> Reads:
    """The organisation and its partners, whose eligibility is checked again at signing."""
    return Reads(streams=applicants(state)) if isinstance(command, SignContract) else Reads()


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the contract makes happen. Raises CommandRejected."""
    check, contract, today = Checks(), state.part(Contract), local_day(order.at)
    match command:
        case SignContract():
            scheme = pinned(check, facts)
            pledged = state.part(Application).match_pledged if command.match_pledged is None else command.match_pledged
            _may_be_signed(check, state, command, scheme)
            _matched(check, command.award, pledged, scheme.budget.match_min)
            check(
                command.end is None or command.end > today,
                "T10",
                f"實施截止日 {command.end} 須在簽約日之後",
                f"the end {command.end} must lie after the day of signing",
            )
            eligible(check, state, facts, today, "T10")
            return check.grant(
                ContractSigned.of(
                    command,
                    match_pledged=pledged,
                    scheme=scheme.ref,
                    midterm_report_wd=scheme.evaluation.midterm_report_wd,
                    final_report_months=scheme.evaluation.final_report_months,
                )
            )
        case LapseContractSigning():
            until = _signing_ends(state, facts.calendar)
            check(
                until is not None and order.at >= until,
                "T11",
                f"簽約期限至 {until}，尚未屆滿",
                f"signing is open until {until}",
            )
            return check.grant(ContractSigningLapsed(freed=state.part(Award).funds, freed_places=answers(state)))
        case RegisterLedgerAccount(account=account):
            check(
                account != contract.account,
                "T12",
                "該專賬已備案",
                "this account is registered already",
            )
            return check.grant(LedgerAccountRegistered.of(command, changed=bool(contract.account)))
        case ConfirmLedgerAccount(account=account):
            check(
                account == contract.account and not contract.account_confirmed,
                "SD9",
                "所核實的賬戶不是待核實的變更賬戶",
                "there is no change to this account that waits for confirmation",
            )
            return check.grant(LedgerAccountConfirmed.of(command))
        case _:
            assert_never(command)


def pinned(check: Checks, facts: Facts) -> Scheme:
    """The rules that hold. Raises CommandRejected if none are pinned, since nothing can be judged then."""
    if (
        not check(facts.scheme, "S1", "輪次尚未選定管理辦法", "no scheme is pinned to the round yet")
        or not facts.scheme
    ):
        raise check.refuse()
    return facts.scheme


def _may_be_signed(check: Checks, state: State, asked: SignContract, scheme: Scheme) -> None:
    """T10: first version, as awarded, tranches and lines complete, signed by both, parties independent."""
    award, parties = state.part(Award), asked.parties
    check(
        asked.version == 1,
        "T10",
        f"首份協議的版本為 1，而非 {asked.version}",
        f"the first contract is version 1, not {asked.version}",
    )
    check(
        asked.award == award.amount,
        "M1",
        f"協議金額 {yuan(asked.award)} 須等於立項金額 {yuan(award.amount)}",
        f"the contract is over {yuan(asked.award)}; it must equal the award {yuan(award.amount)}",
    )
    sound_tranches(check, asked.tranches, asked.award, asked.milestones, scheme.payment.allowed_gates)
    sound_budget(check, asked.budget, asked.award, scheme.budget)
    both_signed(check, asked.signatures, scheme)
    for party, zh, en in (
        (parties.host, "承辦機構", "host"),
        (parties.supervisor, "督導", "supervisor"),
        (parties.evaluator, "第三方評估", "evaluator"),
        (parties.auditor, "審計機構", "auditor"),
    ):
        independent(check, state, party, zh, en)
    check(
        parties.auditor is None or parties.auditor != parties.evaluator,
        "P3",
        "審計機構與評估機構不得為同一家",
        "auditor and evaluator may not be the same body",
    )


def _matched(check: Checks, award: Fen, pledged: Fen, least: int) -> None:
    """M6: the organisation raises its share, in percent of the whole budget, itself."""
    check(
        100 * pledged >= least * (award + pledged),
        "M6",
        f"配套資金 {yuan(pledged)} 未達總預算的 {least}%",
        f"the match of {yuan(pledged)} is below {least}% of the whole budget",
    )


def both_signed(check: Checks, signatures: Mapping[Signatory, Attachment], scheme: Scheme) -> None:
    """T10: bureau and organisation signed, and the community where the scheme makes it a party."""
    needed = [Signatory.BUREAU, Signatory.ORGANISATION]
    if scheme.delivery.community_required:
        needed.append(Signatory.COMMUNITY)
    missing = [str(s) for s in needed if s not in signatures]
    check(not missing, "T10", f"缺簽署方 {'、'.join(missing)}", f"signatures of {', '.join(missing)} are missing")


def sound_tranches(
    check: Checks,
    tranches: Mapping[str, Installment],
    award: Fen,
    milestones: Mapping[str, MilestoneTerm],
    allowed: Sequence[str],
) -> None:
    """M1 and M2: the planned amounts add up to the award, and each waits for a gate that the scheme allows."""
    planned = sum(t.planned for t in tranches.values())
    check(
        planned == award,
        "M1",
        f"各期撥款合計 {yuan(planned)}，須等於立項金額 {yuan(award)}",
        f"the tranches add up to {yuan(planned)}; they must equal the award {yuan(award)}",
    )
    gates = set(allowed) - {MILESTONE}
    if MILESTONE in allowed:
        gates |= {f"{MILESTONE}/{name}" for name in milestones}
    for name, tranche in tranches.items():
        check(
            tranche.gate in gates,
            "M2",
            f"{name} 的撥付條件 {tranche.gate} 不存在，可用 {'、'.join(sorted(gates))}",
            f"{name} waits for {tranche.gate}, which is no gate; use one of {', '.join(sorted(gates))}",
        )


def sound_budget(check: Checks, budget: Mapping[str, Fen], award: Fen, caps: Budget) -> None:
    """M6: the lines add up to the award, none is forbidden, the capped ones keep below their caps."""
    total = sum(budget.values())
    check(
        total == award,
        "M6",
        f"預算各科目合計 {yuan(total)}，須等於立項金額 {yuan(award)}",
        f"the budget lines add up to {yuan(total)}; they must equal the award {yuan(award)}",
    )
    for line, share in ((PERSONNEL, caps.personnel_max), (ADMINISTRATION, caps.administration_max)):
        planned = budget.get(line, 0)
        check(
            100 * planned <= share * award,
            "M6",
            f"科目 {line} {yuan(planned)} 超過立項金額的 {share}%",
            f"the line {line} of {yuan(planned)} exceeds {share}% of the award",
        )
    forbidden = sorted(set(budget) & set(caps.forbidden))
    check(
        not forbidden,
        "M6",
        f"科目 {'、'.join(forbidden)} 不得列支",
        f"nothing may be spent on {', '.join(forbidden)}",
    )


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """What the room remembers after the event."""
    contract = state.part(Contract)
    match event:
        case ContractSigned():
            return gate(_signed(state, of, event), "ContractSigned", positive=True)
        case ContractSigningLapsed():
            return given_back(state, event.freed_places)
        case LedgerAccountRegistered(account=account, changed=changed):
            registered = replace(contract, account=account)
            if not changed:
                return state.having(registered)
            registered = replace(registered, account_changed_at=of.at, account_confirmed=False)
            return voided(state.having(registered), of, "專賬變更 / the payee account changed")
        case LedgerAccountConfirmed():
            return state.having(replace(contract, account_confirmed=True))
        case _:
            assert_never(event)


def _signed(state: State, of: Occurrence, event: ContractSigned) -> State:
    contract = Contract(
        version=event.version,
        signed_on=local_day(of.at),
        award=event.award,
        budget=event.budget,
        end=event.end,
        self_assessment_due=event.self_assessment_due,
        midterm_report_wd=event.midterm_report_wd,
        final_report_months=event.final_report_months,
        milestones=event.milestones,
        match_pledged=event.match_pledged,
        parties=event.parties,
    )
    tranches = Tranches({name: Tranche(t.planned, t.gate) for name, t in event.tranches.items()})
    money = Money(committed=state.part(Award).funds)
    return replace(state, scheme=event.scheme).having(contract, tranches, money)


# ---------------------------------------------------------------- deadlines and who is awaited


def _signing_ends(state: State, calendar: Calendar) -> datetime | None:
    award = state.part(Award)
    if state.stage != Stage.AWARDED or award.confirmed_on is None:
        return None
    return day_ends(calendar.after(award.confirmed_on, award.signing_wd))


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
        yield Awaited((Role.SO_ACC,), "RegisterLedgerAccount", "", "專賬備案", "register the ledger account")
    elif not contract.account_confirmed:
        yield Awaited((Role.CAB_FIN,), "ConfirmLedgerAccount", "", "核實變更後的專賬", "confirm the changed account")


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
