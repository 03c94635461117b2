"""立項與公示: an award is proposed, posted so that anyone may object, confirmed, declined or revoked (T01–T09)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel import approval
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.decider import Decider
from domain.kernel.effects import Claim, Effect, Post
from domain.kernel.facts import Facts, Reads
from domain.kernel.identity import Actor, Attachment, Attachments, Evidence, Reason, Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, yuan
from domain.kernel.refusal import Checks
from domain.kernel.state import Part, State, Transition, Verdict
from domain.kernel.words import Words
from domain.project.bidding import (
    Application,
    BaseSupport,
    PlacesFreed,
    ProjectKind,
    answers,
    given_back,
    not_supportable,
    supported,
)
from domain.project.stage import Stage
from domain.registers.fund import Fund, committed, envelope
from domain.registers.organisation import list_ineligibility, list_unrepresented
from domain.registers.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.scheme import Scheme

HELD = (Stage.PROPOSED, Stage.IN_PUBLICITY, Stage.OBJECTION_HOLD, Stage.AWARDED)
"""The stages in which an award exists and no contract does."""


class Remedy(Words):
    """What an upheld objection leads to."""

    DISQUALIFY = "DISQUALIFY", "取消資格", "disqualify"
    RESCORE = "RESCORE", "重新評審", "score again"


class RevocationGround(Words):
    """Why an award may be revoked."""

    FALSE_STATEMENT = "FALSE_STATEMENT", "弄虛作假", "false statement"
    CREDIT_LISTING = "CREDIT_LISTING", "列入失信名單", "credit listing"
    BUDGET_WITHDRAWN = "BUDGET_WITHDRAWN", "預算撤回", "budget withdrawn"


# ---------------------------------------------------------------- 擬立項


class Proposal(Particulars):
    """What is to be awarded, from which funds, on whose report."""

    project: Annotated[str, Field(pattern=r"^PJ-[A-Za-z0-9-]{1,32}$", title="項目 / project")]
    """The project's number from now on: the other name of this stream."""
    award: Annotated[Fen, Field(title="資助金額 / award")]
    funds: Annotated[dict[str, Fen], Field(title="資金來源 / funds")]
    """Fund and its share; the shares add up to the award."""
    panel: Annotated[str | None, Field(title="評審專家組 / review panel")] = None
    """The panel whose report it rests on; none for base support."""
    minutes: Annotated[Attachment, Field(title="會議紀要 / minutes of the meeting")]
    """The minutes of the meeting that proposes it."""
    support: Annotated[BaseSupport | None, Field(title="扶持依據 / base supported")] = None
    """Base support only, where no bid came before: which base, and who runs it."""


class AwardProposed(Proposal, Event):
    """The bureau means to award this."""

    zh = "擬立項"
    moves = (
        Transition(
            "T01",
            (Stage.NONE, Stage.SHORTLISTED),
            Stage.PROPOSED,
            (Role.CAB_REG,),
            "panel quorate; score >= line; envelope free; minutes attached",
        ),
    )

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Take the project's number, and set each fund's share aside (M5)."""
        yield Claim(f"name/{stream.realm}/{self.project}", stream)
        for fund, share in sorted(self.funds.items()):
            yield Post(envelope(stream.realm, fund), committed(stream, fund), share)


class ProposeAward(Proposal, Command):
    """Propose an award."""

    records = AwardProposed


# ---------------------------------------------------------------- 公示


class Notice(Particulars):
    """The posted notice; list, amounts and reviewers are taken from the file."""

    contact: Annotated[Text, Field(title="聯繫方式 / contact")]
    """Where an objection is to be lodged: an office, never a person."""


class AwardPublicityOpened(Notice, Event):
    """The proposed award is posted; its first day counts."""

    zh = "立項公示"
    moves = (
        Transition(
            "T02",
            (Stage.PROPOSED,),
            Stage.IN_PUBLICITY,
            (Role.CAB_REG,),
            "notice has list amounts reviewers contact",
        ),
    )
    award: Annotated[Fen, Field(title="資助金額 / award")]
    reviewers: Annotated[tuple[str, ...], Field(title="評審專家 / reviewers")]
    working_days: Annotated[int, Field(title="公示期（工作日） / notice period (working days)")]
    """How many working days it stays posted (D2)."""
    decision_wd: Annotated[int, Field(title="異議處理期限（工作日） / objection decision period (working days)")]
    """Working days within which an accepted objection is to be decided."""


class OpenAwardPublicity(Notice, Command):
    """Post the proposed award."""

    records = AwardPublicityOpened


# ---------------------------------------------------------------- 異議


class Objecting(Particulars):
    """Which objection; numbered by who lodges it."""

    objection: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,32}$", title="異議 / objection")] = "1"


class Complaint(Objecting):
    """What is objected to."""

    ground: Annotated[Text, Field(title="事由 / ground")]
    attachments: Attachments = ()


class ObjectionLodged(Complaint, Event):
    """Somebody objects to the proposed award."""

    zh = "異議提出"


class LodgeObjection(Complaint, Command):
    """Object to the proposed award."""

    records = ObjectionLodged
    by = (Role.PUBLIC, Role.SO_LEGAL)
    during = (Stage.IN_PUBLICITY, Stage.OBJECTION_HOLD)
    rule = "T03"


class ObjectionAccepted(Objecting, Event):
    """The objection is investigated; the publicity clock stops."""

    zh = "異議受理"
    moves = (
        Transition(
            "T03",
            (Stage.IN_PUBLICITY, Stage.OBJECTION_HOLD),
            Stage.OBJECTION_HOLD,
            (Role.CAB_REG,),
            "lodged inside window",
        ),
    )


class AcceptObjection(Objecting, Command):
    """Take the objection up."""

    records = ObjectionAccepted


class Finding(Objecting):
    """What the investigation found."""

    finding: Annotated[Text, Field(title="查明情況 / finding")]


class ObjectionDismissed(Finding, Event):
    """The objection does not hold; the clock runs on from the next day."""

    zh = "異議不成立"
    still_open: Annotated[int, Field(title="未決異議 / objections still open")]
    """Accepted objections that remain."""
    moves = (
        Transition(
            "T04",
            (Stage.OBJECTION_HOLD,),
            Stage.IN_PUBLICITY,
            (Role.CAB_DEC,),
            "last open objection; clock resumes",
            when=lambda e: isinstance(e, ObjectionDismissed) and e.still_open == 0,
        ),
    )


class DismissObjection(Finding, Command):
    """Dismiss the objection."""

    records = ObjectionDismissed


class Upholding(Finding):
    """An upheld objection with its consequence and its evidence (V1)."""

    remedy: Annotated[Remedy, Field(title="處理 / remedy")]
    attachments: Evidence


class FundsFreed(PlacesFreed):
    """What goes back to the envelopes; and the place as the answer to its need, which may be funded elsewhere now."""

    freed: Annotated[dict[str, Fen], Field(title="退回額度 / back to the envelope")]
    """Fund and fen."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Give the shares that were set aside back to their envelopes, and the place back."""
        yield from super().effects(stream)
        for fund, share in sorted(self.freed.items()):
            yield Post(committed(stream, fund), envelope(stream.realm, fund), share)


class ObjectionUpheld(Upholding, FundsFreed, Event):
    """The objection holds: out, or scored again with a new publicity."""

    zh = "異議成立"
    moves = (
        Transition(
            "T05",
            (Stage.OBJECTION_HOLD,),
            Stage.REVOKED,
            (Role.CAB_DEC,),
            "remedy = DISQUALIFY",
            when=lambda e: isinstance(e, ObjectionUpheld) and e.remedy is Remedy.DISQUALIFY,
        ),
        Transition(
            "T06",
            (Stage.OBJECTION_HOLD,),
            Stage.PROPOSED,
            (Role.CAB_DEC,),
            "remedy = RESCORE; new publicity required",
            when=lambda e: isinstance(e, ObjectionUpheld) and e.remedy is Remedy.RESCORE,
        ),
    )


class UpholdObjection(Upholding, Command):
    """Uphold the objection."""

    records = ObjectionUpheld


# ---------------------------------------------------------------- 複評


class Rescoring(Particulars):
    """On whose report the award rests from now on."""

    panel: Annotated[str, Field(title="評審專家組 / review panel")]
    """Another panel than the one whose marks were objected to."""


class AwardRescored(Rescoring, Event):
    """The bid was scored again and still reaches the line: the award may be posted anew."""

    zh = "複評"
    score: Annotated[Decimal, Field(title="得分 / score")]


class RescoreAward(Rescoring, Command):
    """Rest the award on another panel's report, after an objection was upheld (T06)."""

    records = AwardRescored
    by = (Role.CAB_REG,)
    during = (Stage.PROPOSED,)
    rule = "T06"


# ---------------------------------------------------------------- 批復、放棄、撤銷


class AwardConfirmed(Event):
    """The award is final; the signing period begins."""

    zh = "立項批復"
    signing_wd: Annotated[int, Field(title="簽約期限（工作日） / signing period (working days)")]
    """Working days within which the contract is to be signed."""
    moves = (
        Transition(
            "T07",
            (Stage.IN_PUBLICITY,),
            Stage.AWARDED,
            (Role.CAB_DEC,),
            "window elapsed; no objection LODGED or ACCEPTED",
        ),
    )


class ConfirmAward(Command):
    """Confirm the award."""

    records = AwardConfirmed


class Withdrawal(Particulars):
    """Why the organisation gives the award up."""

    reason: Reason


class AwardDeclined(Withdrawal, FundsFreed, Event):
    """The organisation does not take the award."""

    zh = "放棄立項"
    moves = (
        Transition(
            "T08",
            (Stage.PROPOSED, Stage.IN_PUBLICITY, Stage.AWARDED),
            Stage.REVOKED,
            (Role.SO_LEGAL,),
            "none",
        ),
    )


class DeclineAward(Withdrawal, Command):
    """Decline the award."""

    records = AwardDeclined


class Revocation(Particulars):
    """Why the bureau takes an award back, with its evidence (V1)."""

    ground: Annotated[RevocationGround, Field(title="事由 / ground")]
    reason: Reason
    attachments: Evidence


class AwardRevoked(Revocation, FundsFreed, Event):
    """The award is taken back."""

    zh = "撤銷立項"
    moves = (
        Transition(
            "T09",
            HELD,
            Stage.REVOKED,
            (Role.CAB_DEC,),
            "false statement; credit listing; budget withdrawn",
        ),
    )


class RevokeAward(Revocation, Command):
    """Revoke the award."""

    records = AwardRevoked


Commands = (
    ProposeAward
    | OpenAwardPublicity
    | LodgeObjection
    | AcceptObjection
    | DismissObjection
    | UpholdObjection
    | RescoreAward
    | ConfirmAward
    | DeclineAward
    | RevokeAward
)
Events = (
    AwardProposed
    | AwardPublicityOpened
    | ObjectionLodged
    | ObjectionAccepted
    | ObjectionDismissed
    | ObjectionUpheld
    | AwardRescored
    | AwardConfirmed
    | AwardDeclined
    | AwardRevoked
)


# ---------------------------------------------------------------- what the room remembers


class ObjectionStatus(Words):
    """Where an objection stands (domain.md §3.1)."""

    LODGED = "LODGED", "已提出", "lodged"
    ACCEPTED = "ACCEPTED", "已受理", "accepted"
    DISMISSED = "DISMISSED", "不成立", "dismissed"
    UPHELD = "UPHELD", "成立", "upheld"


@dataclass(frozen=True)
class Objection:
    """One objection and the Shanghai days on which it moved."""

    ground: str
    status: ObjectionStatus
    lodged_on: date
    accepted_on: date | None = None
    decided_on: date | None = None

    def stops(self, day: date) -> bool:
        """Whether the publicity clock stands still on that day because of it: from acceptance through decision."""
        return (
            self.accepted_on is not None and self.accepted_on <= day and (not self.decided_on or day <= self.decided_on)
        )


@dataclass(frozen=True)
class Award(Part):
    """The award as proposed, its publicity and its objections."""

    project: str = ""
    amount: Fen = 0
    funds: dict[str, Fen] = field(default_factory=dict)
    panel: str | None = None
    posted_on: date | None = None
    working_days: int = 0
    decision_wd: int = 0
    signing_wd: int = 0
    confirmed_on: date | None = None
    objections: dict[str, Objection] = field(default_factory=dict)

    def last_day(self, calendar: Calendar) -> date | None:
        """The last day of publicity; None while the clock stands still or nothing is posted (D2)."""
        if self.posted_on is None or self.held():
            return None
        day, left = self.posted_on, self.working_days
        while True:
            left -= calendar.is_working(day) and not any(o.stops(day) for o in self.objections.values())
            if left == 0:
                return day
            day += timedelta(days=1)

    def held(self) -> tuple[str, ...]:
        """Objections that are being investigated."""
        return tuple(n for n, o in self.objections.items() if o.status is ObjectionStatus.ACCEPTED)

    def undecided(self) -> tuple[str, ...]:
        """Objections that stand in the way of confirmation."""
        return tuple(
            n for n, o in self.objections.items() if o.status in (ObjectionStatus.LODGED, ObjectionStatus.ACCEPTED)
        )

    def with_objection(self, number: str, objection: Objection) -> Award:
        """The same award with that objection so."""
        return replace(self, objections={**self.objections, number: objection})


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The panel and the funds of the award, and who is to get it or declines it."""
    award = state.part(Award)
    proposal = command if isinstance(command, ProposeAward) else None
    funds = proposal.funds if proposal else award.funds
    panel = command.panel if isinstance(command, ProposeAward | RescoreAward) else award.panel
    streams = {state.stream.sibling("fund", fund) for fund in funds}
    if panel is not None:
        streams.add(state.stream.sibling("panel", panel))
    if proposal is not None:
        streams |= {state.stream.sibling("organisation", name) for name in _to_be_funded(state, proposal)}
        streams |= {state.stream.sibling("base", proposal.support.base)} if proposal.support else set()
    if isinstance(command, DeclineAward) and state.part(Application).organisation:
        streams.add(state.stream.sibling("organisation", state.part(Application).organisation))
    return Reads(
        streams=frozenset(streams),
        claims=frozenset({f"name/{state.stream.realm}/{proposal.project}"} if proposal else ()),
        accounts=frozenset(envelope(state.stream.realm, fund) for fund in funds),
    )


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the award makes happen. Raises CommandRejected."""
    check, award, today = Checks(), state.part(Award), local_day(order.at)
    match command:
        case ProposeAward():
            _may_be_proposed(check, state, facts, today, command)
            return check.grant(AwardProposed.of(command))
        case OpenAwardPublicity():
            scheme = _scheme(check, facts)
            check(
                not state.part(Application).rescoring,
                "T06",
                "異議成立須複評，複評後方可重新公示",
                "an upheld objection asks for it to be scored again; post it after that",
            )
            return check.grant(
                AwardPublicityOpened.of(
                    command,
                    award=award.amount,
                    reviewers=_panel(facts, state, award).seated,
                    working_days=scheme.publicity.working_days,
                    decision_wd=scheme.publicity.objection_decision_wd,
                )
            )
        case LodgeObjection(objection=number):
            last = award.last_day(facts.calendar)
            check(
                number not in award.objections,
                "T03",
                f"異議 {number} 已提出過，請另編號",
                f"objection {number} was lodged before; give this one another number",
            )
            check(
                last is None or today <= last,
                "T03",
                f"公示已於 {last} 結束，異議須在公示期內提出",
                f"publicity ended on {last}; an objection must be lodged inside the window",
            )
            return check.grant(ObjectionLodged.of(command))
        case AcceptObjection(objection=number):
            _stands(check, award, number, ObjectionStatus.LODGED)
            check(
                order.actor not in _panel(facts, state, award).took_part,
                "P5",
                f"{order.actor} 參與過評審，須由未參與者受理",
                f"{order.actor} took part in the review; somebody who did not must take the objection up",
            )
            return check.grant(ObjectionAccepted.of(command))
        case DismissObjection(objection=number):
            _stands(check, award, number, ObjectionStatus.ACCEPTED)
            return check.grant(ObjectionDismissed.of(command, still_open=len(set(award.held()) - {number})))
        case UpholdObjection(objection=number, remedy=remedy):
            _stands(check, award, number, ObjectionStatus.ACCEPTED)
            if remedy is Remedy.RESCORE:
                return check.grant(ObjectionUpheld.of(command, freed={}))
            return check.grant(ObjectionUpheld.of(command, freed=award.funds, freed_places=answers(state)))
        case RescoreAward(panel=panel):
            return check.grant(AwardRescored(panel=panel, score=_rescored(check, state, facts, panel)))
        case ConfirmAward():
            _may_be_confirmed(check, award, facts.calendar, today)
            scheme = _scheme(check, facts)
            return check.grant(AwardConfirmed(signing_wd=scheme.contract.signing_wd))
        case DeclineAward():
            _declined_by_who_may(check, state, facts, order.actor)
            return check.grant(AwardDeclined.of(command, freed=award.funds, freed_places=answers(state)))
        case RevokeAward():
            return check.grant(AwardRevoked.of(command, freed=award.funds, freed_places=answers(state)))
        case _:
            assert_never(command)


def _scheme(check: Checks, facts: Facts) -> Scheme:
    """The rules that hold. Raises CommandRejected if none are pinned, since nothing can be judged then."""
    if (
        not check(facts.scheme, "S1", "輪次尚未選定管理辦法", "no scheme is pinned to the round yet")
        or not facts.scheme
    ):
        raise check.refuse()
    return facts.scheme


def _panel(facts: Facts, state: State, award: Award) -> Panel:
    return facts.of(state.stream.sibling("panel", award.panel)).part(Panel) if award.panel else Panel()


def _to_be_funded(state: State, proposal: ProposeAward) -> frozenset[str]:
    """The organisations behind the award."""
    return frozenset({proposal.support.organisation}) if proposal.support else state.part(Application).bidders


def _may_be_proposed(check: Checks, state: State, facts: Facts, today: date, proposal: ProposeAward) -> None:
    """T01: eligible (D5), scored at or above the line by a quorate panel, and every envelope has it (M5, C2)."""
    support = proposal.support
    check(
        (support is None) == (state.stage != Stage.NONE),
        "T01",
        "未經申報者須填基地扶持（support）；經申報者不得填",
        "without a bid say which base is supported; with one, do not",
    )
    file = supported(state, support, proposal.award) if support else state
    application = file.part(Application)
    for name in sorted(_to_be_funded(state, proposal)):
        list_ineligibility(check, facts.of(state.stream.sibling("organisation", name)), today, facts.scheme, "D5")
    shares = sum(proposal.funds.values())
    check(
        shares == proposal.award and proposal.award > 0,
        "M1",
        f"各資金份額合計 {yuan(shares)}，須等於立項金額 {yuan(proposal.award)}",
        f"the shares add up to {yuan(shares)}; they must equal the award {yuan(proposal.award)}",
    )
    taken = facts.holders(f"name/{state.stream.realm}/{proposal.project}") - {state.stream}
    check(
        not taken,
        "T01",
        f"項目編號 {proposal.project} 已被使用",
        f"the number {proposal.project} is taken",
    )
    rule = "C2" if application.kind is ProjectKind.BASE_SUPPORT else "M5"
    for name, share in sorted(proposal.funds.items()):
        fund = facts.of(state.stream.sibling("fund", name)).part(Fund)
        left = facts.balance(envelope(state.stream.realm, name))
        check(
            share <= left,
            rule,
            f"{name} 額度餘 {yuan(left)}，不足 {yuan(share)}",
            f"{name} has {yuan(left)} left, which does not cover {yuan(share)}",
        )
        check(
            fund.allows(application.fields),
            "M5",
            f"{name} 的用途不含本項目領域",
            f"the purposes of {name} do not cover the project's fields",
        )
    if support:
        not_supportable(check, state, facts, support)
    else:
        _was_reviewed(check, state, facts, proposal)


def _was_reviewed(check: Checks, state: State, facts: Facts, proposal: ProposeAward) -> None:
    _reached_the_line(check, state, facts, proposal.panel, "T01")
    requested = state.part(Application).requested
    check(
        proposal.award <= requested,
        "T01",
        f"立項金額不得超過申報金額 {yuan(requested)}",
        f"the award may not exceed the {yuan(requested)} applied for",
    )


def _reached_the_line(check: Checks, state: State, facts: Facts, name: str | None, rule: str) -> Decimal | None:
    """The mark that the panel's report gives, which must reach the scheme's line."""
    scheme = _scheme(check, facts)
    panel = facts.of(state.stream.sibling("panel", name)).part(Panel) if name else Panel()
    score = panel.results.get(state.stream.name)
    check(
        panel.reported,
        rule,
        "評審報告尚未出具",
        "the panel's report has not been issued",
    )
    check(
        score is not None and score >= scheme.review.line,
        rule,
        f"評審得分 {score if score is not None else '無'}，須達到 {scheme.review.line} 分",
        f"the score is {score if score is not None else 'missing'}; {scheme.review.line} is needed",
    )
    return score


def _rescored(check: Checks, state: State, facts: Facts, name: str) -> Decimal:
    """T06: asked for by an upheld objection, by another panel, and at or above the line again."""
    check(
        state.part(Application).rescoring,
        "T06",
        "並無成立的異議要求複評",
        "no upheld objection asks for it to be scored again",
    )
    former = state.part(Award).panel
    check(
        name != former,
        "T06",
        f"{former} 的評分即異議所指，須另抽評審組",
        f"the marks of {former} were objected to; another panel must score it",
    )
    return _reached_the_line(check, state, facts, name, "T06") or Decimal(0)


def _declined_by_who_may(check: Checks, state: State, facts: Facts, actor: Actor) -> None:
    """SD10: only a representative of the organisation gives its award up."""
    organisation = state.part(Application).organisation
    if organisation:
        list_unrepresented(check, facts.of(state.stream.sibling("organisation", organisation)), actor)


def _may_be_confirmed(check: Checks, award: Award, calendar: Calendar, today: date) -> None:
    last = award.last_day(calendar)
    check(
        not award.undecided(),
        "T07",
        f"異議 {'、'.join(award.undecided())} 尚未作出決定",
        f"objections {', '.join(award.undecided())} are not decided",
    )
    check(
        last is not None and today > last,
        "D2",
        f"公示未滿 {award.working_days} 個工作日，{f'{last} 之後' if last else '異議處理完畢並補足天數後'}方可批復",
        f"publicity has not run {award.working_days} working days; "
        f"{f'confirm after {last}' if last else 'the clock stands still for an objection'}",
    )


def _stands(check: Checks, award: Award, number: str, status: ObjectionStatus) -> None:
    objection = award.objections.get(number)
    now = objection.status if objection else "無此異議 / unknown"
    check(
        objection is not None and objection.status is status,
        "T03" if status is ObjectionStatus.LODGED else "T04",
        f"異議 {number} 現為 {now}，須為 {status}",
        f"objection {number} is {now}; it must be {status}",
    )


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """What the room remembers after the event."""
    award, today = state.part(Award), local_day(of.at)
    match event:
        case AwardProposed(support=support):
            file = supported(state, support, event.award) if support else state
            return file.having(
                replace(award, project=event.project, amount=event.award, funds=event.funds, panel=event.panel)
            )
        case AwardPublicityOpened():
            posted = replace(
                award,
                posted_on=today,
                working_days=event.working_days,
                decision_wd=event.decision_wd,
                objections={},
            )
            content = {"project": award.project, "award": award.amount, "funds": award.funds}
            return approval.ask_approval(
                state.having(posted), of, gate="ConfirmAward", role=Role.CAB_DEC, content=content
            )
        case ObjectionLodged():
            lodged = Objection(event.ground, ObjectionStatus.LODGED, today)
            return state.having(award.with_objection(event.objection, lodged))
        case ObjectionAccepted():
            return _moved(state, event.objection, status=ObjectionStatus.ACCEPTED, accepted_on=today)
        case ObjectionDismissed():
            return _moved(state, event.objection, status=ObjectionStatus.DISMISSED, decided_on=today)
        case ObjectionUpheld():
            upheld = _moved(state, event.objection, status=ObjectionStatus.UPHELD, decided_on=today)
            if event.remedy is Remedy.RESCORE and award.panel is not None:
                upheld = upheld.having(replace(state.part(Application), rescoring=True))
            upheld = given_back(upheld, event.freed_places)
            return approval.end_approval(upheld, of, gate="ConfirmAward", verdict=Verdict.REFUSED)
        case AwardRescored(panel=panel):
            return state.having(replace(award, panel=panel), replace(state.part(Application), rescoring=False))
        case AwardConfirmed():
            confirmed = replace(award, confirmed_on=today, signing_wd=event.signing_wd)
            return approval.end_approval(state.having(confirmed), of, gate="ConfirmAward")
        case AwardDeclined() | AwardRevoked():
            undone = given_back(state, event.freed_places)
            return approval.end_approval(undone, of, gate="ConfirmAward", verdict=Verdict.VOID)
        case _:
            assert_never(event)


def _moved(state: State, number: str, **changed: ObjectionStatus | date) -> State:
    award = state.part(Award)
    known = award.objections.get(number)
    return state if known is None else state.having(award.with_objection(number, replace(known, **changed)))  # type: ignore[arg-type] # mypy cannot see that the keywords are fields


# ---------------------------------------------------------------- who is awaited


def awaiting(state: State, calendar: Calendar) -> Iterable[Awaited]:
    """Posting, objections to be decided, scoring again, confirmation."""
    award = state.part(Award)
    match state.stage:
        case Stage.PROPOSED if state.part(Application).rescoring:
            yield Awaited((Role.CAB_REG,), "RescoreAward", "", "另抽評審組複評", "have it scored by another panel")
        case Stage.PROPOSED:
            yield Awaited((Role.CAB_REG,), "OpenAwardPublicity", "", "發布立項公示", "post the proposed award")
        case Stage.IN_PUBLICITY | Stage.OBJECTION_HOLD:
            yield from _objections_awaited(award, calendar)
            last = award.last_day(calendar)
            if last is not None and not award.undecided():
                yield Awaited(
                    (Role.CAB_DEC,),
                    "ConfirmAward",
                    "",
                    f"公示至 {last}，其後立項批復",
                    f"confirm the award once publicity has ended on {last}",
                )
        case _:
            return


def _objections_awaited(award: Award, calendar: Calendar) -> Iterable[Awaited]:
    for number, objection in award.objections.items():
        if objection.status is ObjectionStatus.LODGED:
            yield Awaited((Role.CAB_REG,), "AcceptObjection", number, "受理異議", "take the objection up")
        elif objection.status is ObjectionStatus.ACCEPTED and objection.accepted_on is not None:
            until = day_ends(calendar.after(objection.accepted_on, award.decision_wd))
            yield Awaited((Role.CAB_DEC,), "DismissObjection", number, "對異議作出決定", "decide the objection", until)


DECIDER = Decider(
    name="award",
    zh="立項與公示",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)
