"""立項: an award is proposed out of funds and budget, declined by who was to get it, or revoked (T01, T08, T09)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel import approval
from domain.kernel.acting import Acting
from domain.kernel.approval import Verdict
from domain.kernel.attachment import Attachment, Evidence
from domain.kernel.bounds import Name
from domain.kernel.calendar import local_day
from domain.kernel.codelist import Codelist, require_listed
from domain.kernel.decider import Decider
from domain.kernel.effects import Claim, Effect, Post
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.identifier import Reason, Role, StreamId, name_key
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, yuan
from domain.kernel.phrase import or_else
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import Part, State, Transition
from domain.kernel.words import Words
from domain.need import Need
from domain.project.bidders import ORGANISATION, require_representative
from domain.project.bidding import (
    Application,
    BaseSupport,
    PlacesFreed,
    ProjectKind,
    give_places_back,
    list_answers,
    open_support,
    require_supportable,
)
from domain.project.stage import Stage
from domain.registers.fund import Fund, committed, envelope
from domain.registers.organisation import Organisation, require_fundable
from domain.registers.panel import Panel
from domain.round.budget import (
    Charge,
    aside_key,
    awarded,
    budget_left,
    charge_budget,
    require_asides,
    require_first_support,
    support_key,
)
from domain.round.plan import Round, SetAsideBy
from domain.round.stage import RoundStage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


HELD = (Stage.PROPOSED, Stage.IN_PUBLICITY, Stage.OBJECTION_HOLD, Stage.AWARDED)
"""The stages in which an award exists and no contract does."""


class RevocationGround(Words):
    """Why an award may be revoked."""

    FALSE_STATEMENT = "FALSE_STATEMENT", "弄虛作假", "false statement"
    CREDIT_LISTING = "CREDIT_LISTING", "列入失信名單", "credit listing"
    BUDGET_WITHDRAWN = "BUDGET_WITHDRAWN", "預算調減或取消", "budget reduced or cancelled"
    COMPLAINT_UPHELD = "COMPLAINT_UPHELD", "投訴成立", "complaint upheld"


# ---------------------------------------------------------------- 擬立項


class AwardProposal(Particulars):
    """What is to be awarded, from which funds, on whose report."""

    project: Annotated[str, Field(pattern=r"^PJ-[A-Za-z0-9-]{1,32}$", title="項目 / project")]
    """The project's number from now on: the other name of this stream."""
    award: Annotated[Fen, Field(title="資助金額 / award")]
    funds: Annotated[dict[Name, Fen], Field(max_length=50, title="資金來源 / funds")]
    """Fund and its share; the shares add up to the award."""
    panel: Annotated[Name | None, Field(title="評審專家組 / review panel")] = None
    """The panel whose report it rests on; none for base support."""
    minutes: Annotated[Attachment, Field(title="會議紀要 / minutes of the meeting")]
    """The minutes of the meeting that proposes it."""
    support: Annotated[BaseSupport | None, Field(title="扶持依據 / base supported")] = None
    """Base support only, where no bid came before: which base, and who runs it."""


class AwardProposed(AwardProposal, Event):
    """The bureau means to award this."""

    charge: Annotated[Charge | None, Field(title="預算占用 / charge to the budget")] = None
    """What it takes of the round's budget; None in a log of before 0.2.0."""

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
        """Take the project's number, and set each fund's share and that of the budget aside (M5)."""
        yield Claim(name_key(stream.realm, self.project), stream)
        for fund, share in sorted(self.funds.items()):
            yield Post(envelope(stream.realm, fund), committed(stream, fund), share)
        if self.charge is not None:
            yield from self.charge.take(stream, self.award)


class ProposeAward(AwardProposal, Command):
    """Propose an award."""

    records = AwardProposed
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 放棄、撤銷


class FundsFreed(PlacesFreed):
    """What goes back to the envelopes; and the place as the answer to its need, which may be funded elsewhere now."""

    freed: Annotated[dict[str, Fen], Field(title="退回額度 / back to the envelope")]
    """Fund and fen."""
    charge: Annotated[Charge | None, Field(title="預算占用 / charge to the budget")] = None
    """What it had taken of the round's budget."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Give the shares that were set aside back to their envelopes and to the budget, and the place back."""
        yield from super().effects(stream)
        for fund, share in sorted(self.freed.items()):
            yield Post(committed(stream, fund), envelope(stream.realm, fund), share)
        if self.charge is not None:
            yield from self.charge.undo(stream, sum(self.freed.values()))


class Declination(Particulars):
    """Why the organisation gives the award up."""

    reason: Reason


class AwardDeclined(Declination, FundsFreed, Event):
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


class DeclineAward(Declination, Command):
    """Decline the award."""

    records = AwardDeclined
    acts_for = (ORGANISATION,)


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
    acts_for = (BUREAU,)


Commands = ProposeAward | DeclineAward | RevokeAward
Events = AwardProposed | AwardDeclined | AwardRevoked


# ---------------------------------------------------------------- what the decider remembers


@dataclass(frozen=True)
class Award(Part):
    """The award as proposed, and when it was confirmed."""

    project: str = ""
    amount: Fen = 0
    funds: dict[str, Fen] = field(default_factory=dict)
    panel: str | None = None
    signing_wd: int = 0
    confirmed_on: date | None = None
    charge: Charge | None = None
    """What it took of the round's budget."""
    proposed_on: date | None = None


def name_charged_round(state: State) -> str | None:
    """The round whose budget bears the award; None if it took nothing of one."""
    charge = state.part(Award).charge
    return charge.round if charge else None


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The panel and the funds of the award, and who is to get it or declines it."""
    award = state.part(Award)
    proposal = command if isinstance(command, ProposeAward) else None
    funds = proposal.funds if proposal else award.funds
    panel = proposal.panel if proposal else None
    streams = {state.stream.sibling("fund", fund) for fund in funds}
    if panel is not None:
        streams.add(state.stream.sibling("panel", panel))
    if proposal is not None:
        streams |= {state.stream.sibling("organisation", name) for name in _list_beneficiaries(state, proposal)}
        streams |= {state.stream.sibling("base", proposal.support.base)} if proposal.support else set()
        need = state.part(Application).need
        streams |= {state.stream.sibling("need", need)} if need else set()
    if isinstance(command, DeclineAward) and state.part(Application).organisation:
        streams.add(state.stream.sibling("organisation", state.part(Application).organisation))
    keys, accounts = _name_guards(state, proposal) if proposal else ((), ())
    envelopes = {envelope(state.stream.realm, fund) for fund in funds}
    return Reads(frozenset(streams), frozenset(keys), frozenset(envelopes | set(accounts)))


def _name_round(state: State, proposal: AwardProposal) -> str | None:
    """The round whose budget bears the award."""
    return proposal.support.round if proposal.support else state.part(Application).round


def _name_guards(state: State, proposal: AwardProposal) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys and accounts that a proposal is judged by, besides the envelopes."""
    realm, round_ = state.stream.realm, _name_round(state, proposal)
    keys = (
        name_key(realm, proposal.project),
        *((support_key(realm, proposal.support.base),) if proposal.support else ()),
        *((aside_key(realm, round_),) if round_ else ()),
    )
    return keys, (awarded(realm, round_), budget_left(realm, round_)) if round_ else ()


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the award makes happen. Raises CommandRejected."""
    check, award = Checks(), state.part(Award)
    match command:
        case ProposeAward():
            _require_proposable(check, state, facts, local_day(order.at), command)
            return check.grant(AwardProposed.of(command, charge=_charge(check, state, facts, command)))
        case DeclineAward():
            require_representative(check, state, facts, order.actor)
            return check.grant(
                AwardDeclined.of(command, freed=award.funds, freed_places=list_answers(state), charge=award.charge)
            )
        case RevokeAward():
            return check.grant(
                AwardRevoked.of(command, freed=award.funds, freed_places=list_answers(state), charge=award.charge)
            )
        case _:
            assert_never(command)


def read_panel(facts: Facts, state: State, name: str | None) -> Panel:
    """The panel of that name as it was read; blank where the award rests on none."""
    return facts.of(state.stream.sibling("panel", name)).part(Panel) if name else Panel()


def require_uninvolved(check: Checks, order: Order, took_part: Iterable[Acting], rule: str) -> None:
    """P5, SD6: whoever decides took no part in the review. Of a panel on paper the seats alone are compared."""
    check(
        not any(order.acting.is_same_person(one) for one in took_part),
        rule,
        "{actor} 參與過評審，須由未參與者辦理",
        "{actor} took part in the review; somebody who did not must do this",
        actor=order.actor,
    )


def _list_beneficiaries(state: State, proposal: ProposeAward) -> frozenset[str]:
    """The organisations behind the award."""
    return frozenset({proposal.support.organisation}) if proposal.support else state.part(Application).bidders


def require_round_standing(check: Checks, state: State, facts: Facts, rule: str) -> None:
    """Require that the round has not been given up: nothing is awarded or signed in it any more."""
    name = state.part(Application).round
    if name is not None:
        _require_standing(check, facts.of(state.stream.sibling("round", name)), rule)


def _require_standing(check: Checks, round_: State, rule: str) -> None:
    check(
        round_.stage != RoundStage.CANCELLED,
        rule,
        "{name} 本屆徵集已取消，不再立項或簽約；可重新發布公告",
        "{name} was cancelled; nothing is awarded or signed in it unless a new call is published",
        name=round_.stream.name,
    )


def _require_proposable(check: Checks, state: State, facts: Facts, today: date, proposal: ProposeAward) -> None:
    """T01: eligible (D5), scored at or above the line by a quorate panel, and every envelope has it (M5, C2)."""
    support = proposal.support
    check(
        (support is None) == (state.stage != Stage.NONE),
        "T01",
        "未經申報的須填寫基地扶持，經申報的不得填寫",
        "without an application, say which base is supported; with one, leave it out",
    )
    file = open_support(state, support, proposal.award) if support else state
    application = file.part(Application)
    for name in sorted(_list_beneficiaries(state, proposal)):
        require_fundable(check, facts.of(state.stream.sibling("organisation", name)), today, facts.scheme, "D5")
    shares = sum(proposal.funds.values())
    check(
        shares == proposal.award and proposal.award > 0,
        "M1",
        "各資金份額合計 {shares}，須等於資助金額 {award}",
        "the shares add up to {shares}; they must equal the award {award}",
        shares=yuan(shares),
        award=yuan(proposal.award),
    )
    taken = facts.holders(name_key(state.stream.realm, proposal.project)) - {state.stream}
    check(
        not taken,
        "T01",
        "項目編號 {project} 已被使用",
        "the number {project} is taken",
        project=proposal.project,
    )
    require_envelopes(
        check, file, facts, proposal.funds, "C2" if application.kind is ProjectKind.BASE_SUPPORT else "M5"
    )
    if support:
        require_listed(check, facts.scheme, Codelist.FIELDS, support.fields)
        require_supportable(check, state, facts, support, proposal.award)
    else:
        _require_reviewed(check, state, facts, proposal)


def require_envelopes(check: Checks, file: State, facts: Facts, funds: Mapping[str, Fen], rule: str) -> None:
    """M5, C2: every fund has its share left, for a purpose that covers the project's fields."""
    fields = file.part(Application).fields
    for name, share in sorted(funds.items()):
        fund = facts.of(file.stream.sibling("fund", name)).part(Fund)
        left = facts.balance(envelope(file.stream.realm, name))
        check(
            share <= left,
            rule,
            "{name} 額度餘 {left}，不足 {share}",
            "{name} has {left} left, which does not cover {share}",
            name=name,
            left=yuan(left),
            share=yuan(share),
        )
        check(
            fund.may_pay(fields),
            "M5",
            "{name} 的用途不含本項目領域",
            "the purposes of {name} do not cover the project's fields",
            name=name,
        )


def _charge(check: Checks, state: State, facts: Facts, proposal: ProposeAward) -> Charge | None:
    """M5, C2, C3: the round's budget covers it, and a base has no other support that year."""
    name, support = _name_round(state, proposal), proposal.support
    if name is None:
        return None
    if support is None:
        return charge_round(check, state, facts, proposal.award, "M5")
    return charge_support(check, open_support(state, support, proposal.award), facts, proposal.award)


def charge_support(check: Checks, file: State, facts: Facts, award: Fen) -> Charge | None:
    """C2, C3: the round's budget covers what the file's base gets, and the base has no other support that year."""
    application = file.part(Application)
    charge = charge_round(check, file, facts, award, "C2")
    round_ = facts.of(file.stream.sibling("round", application.round or "")).part(Round)
    if charge is None or round_.year is None or application.base is None:
        return charge
    supports = require_first_support(check, facts, file.stream, application.base, round_.year)
    return charge.model_copy(update={"base": application.base, "year": round_.year, "supports": supports})


def charge_round(check: Checks, file: State, facts: Facts, award: Fen, rule: str) -> Charge | None:
    """M5, C2, M11: what the award of the file takes of its round's budget, which covers it beside what is set aside.

    A round that a bid was taken in stands; of one that is cited without a bid it is asked.
    """
    application = file.part(Application)
    name = application.round or ""
    stream = file.stream.sibling("round", name)
    _require_standing(check, facts.of(stream), "T01")
    check(
        (file.stage != Stage.NONE and application.kind is ProjectKind.SERVICE)
        or facts.of(stream).stage != RoundStage.NONE
        or awarded(stream.realm, name) in facts.unasked,
        "T01",
        "{name} 尚未設立，請先批復年度預算或發布需求徵集，再在其中立項",
        "{name} has not been opened; approve its budget or start collecting needs before awarding in it",
        name=name,
    )
    round_ = facts.of(stream).part(Round)
    charge = charge_budget(check, facts, stream, round_, award, rule)
    if charge is None:
        return None
    asides, counted = require_asides(check, facts, stream, round_, award, _list_traits(file, facts))
    return charge.model_copy(update={"asides": asides, "counted": counted})


def _list_traits(file: State, facts: Facts) -> frozenset[tuple[str, str]]:
    """What may make it one of those for whom a part of the budget is set aside (HZ-12, HZ-18)."""
    application = file.part(Application)
    traits = {(SetAsideBy.FIELD.value, name) for name in application.fields}
    need = facts.of(file.stream.sibling("need", application.need)).part(Need) if application.need else None
    if need is not None and need.theme:
        traits.add((SetAsideBy.THEME.value, need.theme))
    for name in application.bidders:
        organisation = facts.of(file.stream.sibling("organisation", name)).part(Organisation)
        traits |= {(SetAsideBy.ORGANISATION_KIND.value, kind) for kind in organisation.kinds}
    return frozenset(traits)


def _require_reviewed(check: Checks, state: State, facts: Facts, proposal: ProposeAward) -> None:
    require_line(check, state, facts, proposal.panel, "T01")
    requested = state.part(Application).requested
    check(
        proposal.award <= requested,
        "T01",
        "資助金額不得超過申報金額 {requested}",
        "the award may not exceed the {requested} applied for",
        requested=yuan(requested),
    )


def require_line(check: Checks, state: State, facts: Facts, name: str | None, rule: str) -> Decimal | None:
    """The mark that the panel's report gives, which must reach the scheme's line."""
    scheme, panel = require_scheme(check, facts), read_panel(facts, state, name)
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
        "評審得分 {score}，須達到 {line} 分",
        "the score is {score}; {line} is needed",
        line=scheme.review.line,
        score=or_else(score, "無", "missing"),
    )
    return score


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the award as proposed last, sums in fen."""
    award = state.part(Award)
    match event:
        case AwardProposed(support=support):
            file = open_support(state, support, event.award) if support else state
            return file.with_parts(
                replace(
                    award,
                    project=event.project,
                    amount=event.award,
                    funds=event.funds,
                    panel=event.panel,
                    charge=event.charge,
                    proposed_on=local_day(of.at),
                )
            )
        case AwardDeclined() | AwardRevoked():
            undone = give_places_back(state, event.freed_places)
            return approval.end_approval(undone, of, gate="ConfirmAward", verdict=Verdict.VOID)
        case _:
            assert_never(event)


DECIDER = Decider(
    name="award",
    zh="立項",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
)
