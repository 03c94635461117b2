"""變更: lines, end, award and milestones change only after a decision, by a supplement (D4, M1, M6, M8)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, ClassVar, assert_never, get_args

from pydantic import Field

from domain.kernel import approval
from domain.kernel.approval import Verdict
from domain.kernel.attachment import Attachment, Attachments
from domain.kernel.bounds import Date
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Actor, Reason, Role, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, SignedFen, yuan
from domain.kernel.phrase import named
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import Part, State
from domain.kernel.words import Words
from domain.project.award import name_charged_round
from domain.project.bidders import ORGANISATION, list_applicants, require_representative
from domain.project.contract import (
    Contract,
    Line,
    Signatory,
    require_reasonable_days,
    require_signatures,
    require_sound_budget,
)
from domain.project.delivery import Delivery
from domain.project.money import CommitmentsFreed, Money, apportion
from domain.project.stage import Stage
from domain.project.tranches import (
    Installment,
    Key,
    MilestoneTerm,
    Tranche,
    Tranches,
    TrancheStatus,
    require_no_empty_tranche,
    require_sound_tranches,
    void_requests,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.scheme import Scheme

VARIABLE = (Stage.CONTRACTED, Stage.ACTIVE, Stage.RECTIFYING, Stage.SUSPENDED)
"""The stages in which a contract may still be varied."""


# ---------------------------------------------------------------- 變更申請


class VariationNumber(Particulars):
    """Which variation; numbered by who asks for it."""

    variation: Annotated[Key, Field(title="變更 / variation")] = "1"


class Change(VariationNumber):
    """What is to change, and why."""

    reason: Reason
    move: dict[Line, SignedFen] = Field(max_length=100, default_factory=dict, title="科目調整 / moved between lines")
    """Line and what it gains or loses; with an unchanged award this adds up to nothing."""
    end: Annotated[Date | None, Field(title="結束日 / end date")] = None
    """The new last day of implementation."""
    award: Annotated[Fen | None, Field(title="資助金額 / award")] = None
    """The new, lower award; more money is another award."""
    milestones: dict[Key, Date] = Field(max_length=100, default_factory=dict, title="里程碑 / milestones")
    """Milestone and its new last day."""
    effective: Annotated[
        Date | None,
        Otherwise("簽訂補充協議之日", "the day of the supplementary agreement"),
        Field(title="生效日 / effective from"),
    ] = None
    """From when it is to hold; None for the day of the supplementary agreement."""
    attachments: Attachments = ()


class VariationRequested(Change, Event):
    """The organisation asks for a change; nothing has changed yet."""

    zh = "變更申請"
    asks = True
    version: Annotated[int, Field(ge=1, le=9999, title="版本 / version")]
    """The contract version that it would change."""
    share: Annotated[str, Field(title="比例 / share")]
    """What moves between lines, in percent of the award, as ``8.00%``."""
    minor: Annotated[bool, Field(title="屬輕微變更 / minor")]
    """Whether the case officer may decide it: lines only, with all minor ones before it up to the scheme's share."""


class RequestVariation(Change, Command):
    """Ask for a change."""

    records = VariationRequested
    by = (Role.SO_LEGAL,)
    acts_for = (ORGANISATION,)
    during = VARIABLE
    rule = "D4"
    subject_field: ClassVar[str] = "variation"


# ---------------------------------------------------------------- 批准、不予批准


class VariationApproved(VariationNumber, Event):
    """The change may be agreed on."""

    zh = "變更批准"
    share: Annotated[str, Field(title="比例 / share")]


class ApproveVariation(VariationNumber, Command):
    """Approve the change."""

    records = VariationApproved
    by = (Role.CAB_REG, Role.CAB_DEC)
    acts_for = (BUREAU,)
    during = VARIABLE
    rule = "D4"
    subject_field: ClassVar[str] = "variation"
    share: Annotated[Text | None, Field(title="比例 / share")] = None
    """The share as the decision states it; must be what was computed."""


class VariationRejection(VariationNumber):
    """Why the contract stays as it is."""

    reason: Reason


class VariationRejected(VariationRejection, Event):
    """The contract stays as it is."""

    zh = "變更不予批准"


class RejectVariation(VariationRejection, Command):
    """Reject the change."""

    records = VariationRejected
    by = (Role.CAB_REG, Role.CAB_DEC)
    acts_for = (BUREAU,)
    during = VARIABLE
    rule = "D4"
    subject_field: ClassVar[str] = "variation"


# ---------------------------------------------------------------- 補充協議


class Supplement(VariationNumber):
    """The supplementary agreement that puts an approved change into effect."""

    version: Annotated[int, Field(le=9999, ge=2, title="版本 / version")]
    """One more than the contract's version."""
    award: Annotated[Fen, Field(title="資助金額 / award")]
    """The award from now on."""
    signatures: dict[Signatory, Attachment] = Field(default_factory=dict, title="簽署 / signatures")


class ContractAmended(Supplement, CommitmentsFreed, Event):
    """The contract has a new version; what was asked for under the old one is void (SD3)."""

    zh = "補充協議"
    en = "agreement amended"
    tranches: Annotated[dict[Key, Installment], Field(max_length=50, title="撥款計劃 / payment schedule")]
    """All tranches as they now are (M1)."""
    budget: Annotated[dict[Line, Fen], Field(max_length=100, title="預算 / budget")]
    """All lines as they now are (M6)."""
    end: Annotated[Date | None, Field(title="結束日 / end date")] = None
    milestones: Annotated[dict[Key, MilestoneTerm], Field(max_length=100, title="里程碑 / milestones")]


class AmendContract(Supplement, Command):
    """Sign the supplementary agreement."""

    records = ContractAmended
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = VARIABLE
    rule = "D4"
    tranches: Annotated[dict[Key, Installment] | None, Field(max_length=50, title="撥款計劃 / payment schedule")] = None
    """The new tranches; None if they stay."""


Commands = RequestVariation | ApproveVariation | RejectVariation | AmendContract
Events = VariationRequested | VariationApproved | VariationRejected | ContractAmended


# ---------------------------------------------------------------- what the decider remembers


class VariationStatus(Words):
    """Where a variation stands."""

    REQUESTED = "REQUESTED", "待決定", "requested"
    APPROVED = "APPROVED", "已批准", "approved"
    REJECTED = "REJECTED", "未批准", "rejected"
    EFFECTIVE = "EFFECTIVE", "已生效", "effective"
    VOID = "VOID", "作廢", "void"
    """The contract changed otherwise before it was decided or agreed."""


@dataclass(frozen=True)
class Variation:
    """One variation as asked for, and where it stands."""

    version: int
    """The contract version that it would change."""
    move: dict[str, int]
    end: date | None
    award: Fen | None
    milestones: dict[str, date]
    effective: date | None
    share: str
    minor: bool
    requested_by: Actor
    status: VariationStatus = VariationStatus.REQUESTED


@dataclass(frozen=True)
class Variations(Part):
    """All variations, by number."""

    of: dict[str, Variation] = field(default_factory=dict)

    @property
    def minor_share(self) -> Decimal:
        """What all minor variations of the contract that stand move together, in percent of the award."""
        standing = (VariationStatus.REQUESTED, VariationStatus.APPROVED, VariationStatus.EFFECTIVE)
        return sum(
            (Decimal(v.share.rstrip("%")) for v in self.of.values() if v.minor and v.status in standing), Decimal(0)
        )

    def with_status(self, number: str, *, status: VariationStatus) -> Variations:
        """The same variations with that one so; unchanged if there is none of that number."""
        variation = self.of.get(number)
        return self if variation is None else Variations({**self.of, number: replace(variation, status=status)})


def moved_share(move: dict[str, int], award: Fen) -> Decimal:
    """What moves between lines, in percent of the award."""
    moved = max(sum(fen for fen in move.values() if fen > 0), -sum(fen for fen in move.values() if fen < 0))
    return Decimal(100 * moved) / award if award else Decimal(0)


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The organisation whose representative asks."""
    return Reads(streams=list_applicants(state)) if isinstance(command, RequestVariation) else Reads()


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about a variation makes happen. Raises CommandRejected."""
    check, contract, today = Checks(), state.part(Contract), local_day(order.at)
    match command:
        case RequestVariation():
            scheme = require_scheme(check, facts)
            require_representative(check, state, facts, order.actor)
            _require_requestable(check, state, facts, command, today)
            share = moved_share(command.move, contract.award)
            before = state.part(Variations).minor_share
            lines_only = command.end is None and command.award is None and not command.milestones
            return check.grant(
                VariationRequested.of(
                    command,
                    version=contract.version,
                    share=f"{share:.2f}%",
                    minor=lines_only and before + share <= scheme.delivery.minor_variation_percent,
                )
            )
        case ApproveVariation():
            variation = _require_open(check, state, command.variation)
            _require_in_time(check, contract, variation, today)
            check(
                variation.minor or order.actor.role is Role.CAB_DEC,
                "S0",
                "重大變更須由局領導（黨組會議議定）審批",
                "a major variation is decided by the bureau leadership",
            )
            check(
                command.share is None or command.share == variation.share,
                "M6",
                "調劑比例應為 {share}",
                "the share that is moved should be {share}",
                share=variation.share,
            )
            return check.grant(VariationApproved(variation=command.variation, share=variation.share))
        case RejectVariation():
            _require_open(check, state, command.variation)
            return check.grant(VariationRejected.of(command))
        case AmendContract():
            return check.grant(_amend(check, state, facts, command, today))
        case _:
            assert_never(command)


def _require_requestable(check: Checks, state: State, facts: Facts, command: RequestVariation, today: date) -> None:
    contract = state.part(Contract)
    check(
        command.variation not in state.part(Variations).of,
        "D4",
        "變更 {variation} 已申請過，請另編號",
        "variation {variation} already exists; give this one another number",
        variation=command.variation,
    )
    check(
        command.move or command.end or command.award is not None or command.milestones,
        "D4",
        "未載明任何變更",
        "no change is stated",
    )
    check(
        contract.end is None or today <= contract.end,
        "D4",
        "截止日 {end} 已過，須在截止日前申請",
        "the end date {end} has passed; ask for a variation before it",
        end=contract.end,
    )
    require_reasonable_days(check, today, "D4", command.end, *command.milestones.values())
    award = contract.award if command.award is None else command.award
    check(
        award <= contract.award,
        "M1",
        "變更後金額 {award} 不得高於資助金額 {agreed}",
        "a variation cannot raise the award of {agreed} to {award}",
        award=yuan(award),
        agreed=yuan(contract.award),
    )
    budget = vary(contract.budget, command.move)
    negative = sorted(line for line, fen in budget.items() if fen < 0)
    check(
        not negative,
        "M6",
        "調整後{negative}餘額不足",
        "the change would leave {negative} below zero",
        negative=[named(line) for line in negative],
    )
    require_sound_budget(check, budget, award, require_scheme(check, facts).budget)
    unknown = sorted(set(command.milestones) - set(contract.milestones))
    check(
        not unknown,
        "T16",
        "協議中無里程碑 {unknown}",
        "the contract has no milestone {unknown}",
        unknown=unknown,
    )


def vary(budget: dict[str, Fen], move: dict[str, int]) -> dict[str, int]:
    """The budget after those movements; a line that falls to nothing is gone."""
    lines = {**budget, **{line: budget.get(line, 0) + fen for line, fen in move.items()}}
    return {line: fen for line, fen in lines.items() if fen}


def _require_open(check: Checks, state: State, number: str) -> Variation:
    """The variation that waits for a decision. Raises CommandRejected if there is none of that number."""
    variation = state.part(Variations).of.get(number)
    if (
        not check(
            variation,
            "D4",
            "未找到變更申請 {number}，請核對編號",
            "variation {number} was not found; check its number",
            number=number,
        )
        or variation is None
    ):
        raise check.refuse()
    check(
        variation.status is VariationStatus.REQUESTED,
        "D4",
        "變更 {number} 目前為「{status}」，只有待審批的變更可以辦理",
        "variation {number} is {status}; only one that is pending can be decided",
        number=number,
        status=variation.status,
    )
    return variation


def _require_in_time(check: Checks, contract: Contract, command: Variation, today: date) -> None:
    """D4: decided before it takes effect and before the end."""
    check(
        contract.end is None or today <= contract.end,
        "D4",
        "截止日 {end} 已過，變更須在此前決定",
        "the end {end} has passed; a variation is decided before it",
        end=contract.end,
    )
    check(
        command.effective is None or today <= command.effective,
        "D4",
        "生效日 {effective} 已過，變更須在生效前決定",
        "it was to hold from {effective}; a variation is decided before it takes effect",
        effective=command.effective,
    )


def _require_lines_cover(check: Checks, state: State, move: dict[str, int], award: Fen, scheme: Scheme) -> None:
    """M6: the lines as they will be add up and keep below their caps, and cover what is spent on them already."""
    budget, delivery = vary(state.part(Contract).budget, move), state.part(Delivery)
    require_sound_budget(check, budget, award, scheme.budget)
    short = sorted(line for line in move if delivery.spent_on(line) > max(budget.get(line, 0), 0))
    check(
        not short,
        "M6",
        "{short}已列支超過變更後的預算",
        "more is spent on {short} than the change would leave",
        short=[named(line) for line in short],
    )


def _require_still_ahead(check: Checks, contract: Contract, variation: Variation, today: date) -> None:
    """D4: what was ahead when it was asked for is still ahead when it is put into effect."""
    check(
        contract.end is None or today <= contract.end,
        "D4",
        "截止日 {end} 已過，補充協議須在此前生效",
        "the end {end} has passed; a supplement takes effect before it",
        end=contract.end,
    )
    require_reasonable_days(check, today, "D4", variation.end, *variation.milestones.values())


def _amend(check: Checks, state: State, facts: Facts, command: AmendContract, today: date) -> ContractAmended:
    """The contract as it will be. Raises CommandRejected if there is no such variation."""
    contract, money = state.part(Contract), state.part(Money)
    variation = state.part(Variations).of.get(command.variation)
    if variation is None:
        check(
            variation,
            "D4",
            "未找到變更申請 {variation}，請核對編號",
            "variation {variation} was not found; check its number",
            variation=command.variation,
        )
        raise check.refuse()
    check(
        variation.status is VariationStatus.APPROVED,
        "D4",
        "變更 {variation} 目前為「{status}」，須先批准",
        "variation {variation} is {status}; it must be approved first",
        variation=command.variation,
        status=variation.status,
    )
    check(
        command.version == contract.version + 1,
        "T10",
        "補充協議的版本應為 {version}，現填 {given}",
        "the supplementary agreement is version {version}, not {given}",
        version=contract.version + 1,
        given=command.version,
    )
    award = contract.award if variation.award is None else variation.award
    check(
        command.award == award,
        "M1",
        "補充協議金額 {award} 須等於批准的 {approved}",
        "the agreement is for {award}; {approved} was approved",
        award=yuan(command.award),
        approved=yuan(award),
    )
    scheme = require_scheme(check, facts)
    require_signatures(check, command.signatures, scheme)
    _require_still_ahead(check, contract, variation, today)
    _require_lines_cover(check, state, variation.move, award, scheme)
    milestones = {
        name: term.model_copy(update={"due": variation.milestones.get(name, term.due)})
        for name, term in contract.milestones.items()
    }
    tranches = _list_installments(state) if command.tranches is None else command.tranches
    require_sound_tranches(
        check, tranches, command.award, milestones, require_scheme(check, facts).payment.allowed_gates
    )
    require_no_empty_tranche(check, tranches, state.part(Tranches).of)
    _require_paid_unchanged(check, state, tranches)
    return ContractAmended.of(
        command,
        tranches=tranches,
        budget={line: max(fen, 0) for line, fen in vary(contract.budget, variation.move).items()},
        end=variation.end or contract.end,
        milestones=milestones,
        split=apportion(max(contract.award - command.award, 0), money.committed),
        charged=name_charged_round(state),
    )


def _list_installments(state: State) -> dict[str, Installment]:
    return {name: Installment(planned=t.planned, gate=t.gate) for name, t in state.part(Tranches).of.items()}


def _require_paid_unchanged(check: Checks, state: State, tranches: dict[str, Installment]) -> None:
    """M8: what was paid or cancelled stays as it is."""
    for name, tranche in state.part(Tranches).of.items():
        planned = tranches[name].planned if name in tranches else 0
        touched = tranche.paid + tranche.cancelled
        check(
            planned == tranche.planned if tranche.is_settled else planned >= touched,
            "M8",
            "{name}已撥付或核減 {touched}，不能更動",
            "{touched} of {name} has been paid or cancelled and cannot be changed",
            name=name,
            touched=yuan(touched),
        )


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep every variation by number; with its amendment what it says goes into the contract."""
    variations = state.part(Variations)
    match event:
        case VariationRequested():
            command = Variation(
                version=event.version,
                move=event.move,
                end=event.end,
                award=event.award,
                milestones=event.milestones,
                effective=event.effective,
                share=event.share,
                minor=event.minor,
                requested_by=of.actor,
            )
            after = state.with_parts(Variations({**variations.of, event.variation: command}))
            role = Role.CAB_REG if event.minor else Role.CAB_DEC
            content = event.model_dump(mode="json")
            return approval.ask_approval(
                after, of, gate="ApproveVariation", role=role, key=event.variation, content=content
            )
        case VariationApproved():
            after = state.with_parts(variations.with_status(event.variation, status=VariationStatus.APPROVED))
            return approval.end_approval(after, of, gate="ApproveVariation", key=event.variation)
        case VariationRejected():
            after = state.with_parts(variations.with_status(event.variation, status=VariationStatus.REJECTED))
            return approval.end_approval(
                after, of, gate="ApproveVariation", key=event.variation, verdict=Verdict.REFUSED
            )
        case ContractAmended():
            return _put_into_effect(state, of, event)
        case _:
            assert_never(event)


def _put_into_effect(state: State, of: Occurrence, event: ContractAmended) -> State:
    """The contract in its new version; open variations of the old one, and requests in flight, are void."""
    state = void_requests(state, of, f"協議第 {event.version} 版 / contract version {event.version}")
    for number, other in state.part(Variations).of.items():
        if number != event.variation and other.status in (VariationStatus.REQUESTED, VariationStatus.APPROVED):
            state = approval.end_approval(state, of, gate="ApproveVariation", key=number, verdict=Verdict.VOID)
            state = state.with_parts(state.part(Variations).with_status(number, status=VariationStatus.VOID))
    amended = replace(
        state.part(Contract),
        version=event.version,
        award=event.award,
        budget=event.budget,
        end=event.end,
        milestones=event.milestones,
    )
    before = state.part(Tranches).of
    tranches = {name: _replan(before.get(name) or Tranche(0, ""), term) for name, term in event.tranches.items()}
    money = state.part(Money)
    freed = replace(money.after_cancelling(event.split), cancelled=money.cancelled)
    effective = state.part(Variations).with_status(event.variation, status=VariationStatus.EFFECTIVE)
    return state.with_parts(amended, Tranches(tranches), freed, effective)


def _replan(tranche: Tranche, term: Installment) -> Tranche:
    planned = replace(tranche, planned=term.planned, gate=term.gate)
    if planned.is_settled or planned.remainder:
        return planned
    return replace(planned, status=TrancheStatus.CANCELLED)


# ---------------------------------------------------------------- who is awaited


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """Variations to be decided before the end, and approved ones to be agreed on."""
    if state.stage not in VARIABLE:
        return
    end = state.part(Contract).end
    for number, variation in state.part(Variations).of.items():
        if variation.status is VariationStatus.REQUESTED:
            roles = (Role.CAB_REG, Role.CAB_DEC) if variation.minor else (Role.CAB_DEC,)
            until = day_ends(end) if end else None
            yield Awaited(roles, "ApproveVariation", number, "審批變更", "decide the variation", until)
        elif variation.status is VariationStatus.APPROVED:
            yield Awaited((Role.CAB_REG,), "AmendContract", number, "簽訂補充協議", "sign the supplement")


DECIDER = Decider(
    name="variation",
    zh="變更",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)
