"""申報與初審: a bid is drafted, submitted, returned for completion, and let through to the experts or not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.application import Application, ProjectKind
from domain.kernel.attachment import Attachments, Evidence
from domain.kernel.beneficiaries import Beneficiaries, require_beneficiaries
from domain.kernel.bounds import Moment, Name
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.canonical import digest, plain
from domain.kernel.codelist import Codelist, require_listed
from domain.kernel.decider import Decider
from domain.kernel.effects import WORLD, Claim, Effect, Post, Release
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.identifier import Reason, Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, PositiveFen, yuan
from domain.kernel.phrase import or_else
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, ENGINE
from domain.kernel.state import SAME, State, Transition
from domain.need import Need
from domain.project.bidders import BIDDER, DISTRICT, ORGANISATION, ROUND_HOST
from domain.project.seal import commit, require_opening_over, require_unsealed
from domain.project.stage import Stage
from domain.registers.incubation_base import Base, BaseStage
from domain.registers.organisation import require_authorised, require_fundable
from domain.round.budget import undecided
from domain.round.call import require_open
from domain.round.clarification import require_answered
from domain.round.plan import Round
from domain.round.stage import NeedStage, RoundStage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from domain.kernel.scheme import Scheme

__all__ = ["Application", "ProjectKind"]  # the award and later stages know the bid by these names

UNDECIDED = "undecided/"
"""How the account begins that counts the bids of a round that wait for a decision."""

REVIEWERS = (Role.HOST, Role.DCAB, Role.CAB_REG)
"""Who may decide a preliminary review."""


# ---------------------------------------------------------------- 起草與提交


class Bid(Particulars):
    """申報書: who asks for how much, in answer to which need (stage 3)."""

    round: Annotated[Name, Field(title="屆（年度） / round")]
    """The round, e.g. ``R-HZ-2024``."""
    organisation: Annotated[Name, Field(title="組織 / organisation")]
    """The bidder, e.g. ``ORG-1``."""
    partners: Annotated[tuple[Name, ...], Field(max_length=20, title="聯合申報單位 / joint applicants")] = ()
    """Organisations that bid jointly."""
    title: Annotated[Text, Field(title="名稱 / title")]
    requested: Annotated[PositiveFen, Field(title="申請資助金額 / amount applied for")]
    """What it asks for, in fen."""
    match_pledged: Annotated[Fen, Field(title="承諾配套 / match funding pledged")] = 0
    """Self-raised money promised beside it, in fen."""
    need: Annotated[Name | None, Field(title="需求 / need")] = None
    """The adopted need that it answers."""
    statement: Annotated[Text | None, Field(title="需求說明 / statement of need")] = None
    """The applicant's own statement of a need, where it answers none from the catalogue."""
    fields: Annotated[tuple[Text, ...], Field(max_length=20, title="領域 / fields")] = ()
    """Fields of welfare (HZ-6)."""
    community: Annotated[Text | None, Field(title="社區 / community")] = None
    """The community that benefits, e.g. ``COMM-1`` (FZ-2)."""
    district: Annotated[Name | None, Field(title="區縣 / district")] = None
    """The district that screens it before the city does; None where only the host and the bureau do."""
    beneficiaries: Annotated[Beneficiaries | None, Field(title="受益對象 / beneficiaries")] = None
    """Whom it serves (HZ-13)."""
    attachments: Attachments = ()


class ApplicationDrafted(Bid, Event):
    """A bid is being written; nothing is claimed yet."""

    zh = "填寫申報書"
    en = "application drafted"
    moves = (Transition("AP01", (Stage.NONE, Stage.DRAFTED), Stage.DRAFTED, (Role.SO_LEGAL, Role.SO_PM), "none"),)


class DraftApplication(Bid, Command):
    """Write a bid, or write it anew."""

    records = ApplicationDrafted
    acts_for = (BIDDER,)


class Opened(Bid):
    """A bid, and what shows that it is the one that was sealed."""

    nonce: Annotated[str | None, Field(pattern=r"^[0-9a-f]{32,64}$", title="密封隨機數 / nonce of the seal")] = None
    """At least 32 random hex digits, kept secret until then; None for a bid that was not sealed."""


class ApplicationSubmitted(Opened, Event):
    """The bid is in, for the first time or completed."""

    zh = "提交申報書"
    moves = (
        Transition(
            "AP02",
            (Stage.NONE, Stage.DRAFTED, Stage.RETURNED),
            Stage.APPLIED,
            (Role.SO_LEGAL,),
            "window open or returned in time; eligible; one bid an organisation; no double funding",
        ),
    )
    need_version: Annotated[int | None, Field(title="需求版本 / version of the need")] = None
    """The version of the need that it answers."""
    places: Annotated[dict[str, int], Field(title="名額 / places")]
    """Keys that it takes, and how many places each has; none if they are held already."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Take the organisation's place in the round, and that of the one answer to its need."""
        for key, limit in sorted(self.places.items()):
            yield _take_place(key, stream, limit)


class SubmitApplication(Opened, Command):
    """Hand the bid in."""

    records = ApplicationSubmitted
    acts_for = (BIDDER,)


class PlacesFreed(Particulars):
    """Which places it gives back."""

    freed_places: Annotated[tuple[str, ...], Field(title="釋放名額 / places freed")] = ()
    """Keys: of its one answer to its need, and of a withdrawn bid also its place in the round."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Free the places in quotas that the bid had claimed."""
        for key in self.freed_places:
            yield free_place(key, stream)


def _take_place(key: str, stream: StreamId, limit: int) -> Effect:
    """A bid that waits for its decision is counted; every other place is claimed."""
    return Post(_uncounted(stream), key, 1) if key.startswith(UNDECIDED) else Claim(key, stream, limit)


def free_place(key: str, stream: StreamId) -> Effect:
    """What gives back a place that was taken so."""
    return Post(key, _uncounted(stream), 1) if key.startswith(UNDECIDED) else Release(key, stream)


def _uncounted(stream: StreamId) -> str:
    return f"{WORLD}{stream.realm}/bids"


# ---------------------------------------------------------------- 撤回、逾期


class WithdrawalReason(Particulars):
    """Why the bid is withdrawn."""

    reason: Reason | None = None


class ApplicationWithdrawn(WithdrawalReason, PlacesFreed, Event):
    """The organisation takes its bid back."""

    zh = "撤回申報"
    moves = (
        Transition(
            "AP03",
            (Stage.DRAFTED, Stage.APPLIED, Stage.RETURNED, Stage.SHORTLISTED),
            Stage.WITHDRAWN,
            (Role.SO_LEGAL,),
            "not proposed yet",
        ),
    )


class WithdrawApplication(WithdrawalReason, Command):
    """Take the bid back."""

    records = ApplicationWithdrawn
    acts_for = (ORGANISATION,)


class LateSubmission(Particulars):
    """What came when, for which round."""

    round: Annotated[Name, Field(title="屆（年度） / round")]
    received: Annotated[Moment, Field(title="收到時間 / received at")]
    """When it arrived."""
    organisation: Annotated[Name | None, Field(title="組織 / organisation")] = None


class LateSubmissionRefused(LateSubmission, Event):
    """A bid arrived at or after the deadline and was not taken in (D1)."""

    zh = "逾期不予受理"
    en = "late application not accepted"
    moves = (
        Transition(
            "AP04",
            (Stage.NONE, Stage.DRAFTED),
            SAME,
            (Role.SYS, Role.HOST),
            "received at or after the deadline",
        ),
    )
    deadline: Annotated[Moment, Field(title="截止時間 / deadline")]
    """The deadline that it missed."""


class RefuseLateSubmission(LateSubmission, Command):
    """Record that a bid came too late: the door does (SYS), or the desk that took paper in (HOST)."""

    records = LateSubmissionRefused
    acts_for = (ENGINE, ROUND_HOST)


# ---------------------------------------------------------------- 初審


class Deficiencies(Particulars):
    """What has to be completed."""

    reason: Reason
    missing: Annotated[tuple[Text, ...], Field(max_length=100, title="需補正的材料 / missing documents")] = ()
    """The items one by one."""


class ApplicationReturned(Deficiencies, Event):
    """The bid goes back to be completed within some working days."""

    zh = "退回補正"
    en = "returned for completion"
    moves = (Transition("AP05", (Stage.APPLIED,), Stage.RETURNED, (Role.HOST, Role.DCAB), "says what is missing"),)
    completion_wd: Annotated[int, Field(title="補正期限（工作日） / completion period (working days)")]
    """Working days to complete it."""


class ReturnApplication(Deficiencies, Command):
    """Send the bid back to be completed."""

    records = ApplicationReturned
    acts_for = (ROUND_HOST, DISTRICT)


class ReviewNote(Particulars):
    """A remark on the preliminary review."""

    note: Annotated[Text | None, Field(title="備註 / note")] = None


class PreliminaryReviewPassed(ReviewNote, Event):
    """The bid goes to the experts."""

    zh = "初審通過"
    en = "preliminary review passed"
    moves = (Transition("AP06", (Stage.APPLIED,), Stage.SHORTLISTED, REVIEWERS, "call closed; bidders eligible"),)


class PassPreliminaryReview(ReviewNote, Command):
    """Let the bid through to the experts."""

    records = PreliminaryReviewPassed
    acts_for = (ROUND_HOST, DISTRICT, BUREAU)


class PreliminaryReviewFailed(PlacesFreed, Event):
    """The bid is out: by a finding, or because it was not completed in time."""

    zh = "初審不通過"
    en = "preliminary review failed"
    moves = (
        Transition("AP07", (Stage.APPLIED,), Stage.PRELIM_FAILED, REVIEWERS, "reason and evidence"),
        Transition("AP08", (Stage.RETURNED,), Stage.PRELIM_FAILED, (Role.SYS,), "not completed in time"),
    )
    reason: Reason
    attachments: Attachments = ()


class FailPreliminaryReview(Command):
    """Let the bid out, with the finding and its evidence (V1)."""

    records = PreliminaryReviewFailed
    by = REVIEWERS
    acts_for = (ROUND_HOST, DISTRICT, BUREAU)
    during = (Stage.APPLIED,)
    rule = "AP07"
    reason: Reason
    attachments: Evidence


class LapseCompletion(Command):
    """Let the bid out because it was not completed in time."""

    records = PreliminaryReviewFailed
    by = (Role.SYS,)
    acts_for = (ENGINE,)
    during = (Stage.RETURNED,)
    rule = "AP08"


# ---------------------------------------------------------------- 未立項


class NonSelection(Particulars):
    """Why it was not chosen."""

    reason: Reason


class ApplicationNotSelected(NonSelection, PlacesFreed, Event):
    """The bid is not chosen."""

    zh = "未立項"
    en = "not selected"
    moves = (
        Transition(
            "AP09",
            (Stage.APPLIED, Stage.RETURNED, Stage.SHORTLISTED),
            Stage.NOT_SELECTED,
            (Role.CAB_REG,),
            "panel reported, or round given up",
        ),
    )


class LeaveApplicationOut(NonSelection, Command):
    """Do not choose the bid."""

    records = ApplicationNotSelected
    en_words = "mark as not selected"
    acts_for = (BUREAU,)


Commands = (
    DraftApplication
    | SubmitApplication
    | WithdrawApplication
    | RefuseLateSubmission
    | ReturnApplication
    | PassPreliminaryReview
    | FailPreliminaryReview
    | LapseCompletion
    | LeaveApplicationOut
)
Events = (
    ApplicationDrafted
    | ApplicationSubmitted
    | ApplicationWithdrawn
    | LateSubmissionRefused
    | ApplicationReturned
    | PreliminaryReviewPassed
    | PreliminaryReviewFailed
    | ApplicationNotSelected
)


# ---------------------------------------------------------------- places that a bid takes


def bid_key(realm: str, round_: str, organisation: str) -> str:
    """The key of an organisation's places in a round."""
    return f"bid/{realm}/{round_}/{organisation}"


def answer_key(realm: str, organisation: str, subject: str) -> str:
    """The key of an organisation's one answer to a need, or to its own statement of one: no double funding."""
    return f"answer/{realm}/{organisation}/{subject}"


def _name_answer(state: State, bid: Bid) -> str:
    own = digest([bid.title, bid.statement])[:32]
    return answer_key(state.stream.realm, bid.organisation, bid.need or own)


# ---------------------------------------------------------------- 基地運營扶持


class BaseSupport(Particulars):
    """What is said of a base's support, which nobody bids for (CZ-9); the award carries it."""

    round: Annotated[Name, Field(title="屆（年度） / round")]
    """The round whose rules and budget it comes under."""
    organisation: Annotated[Name, Field(title="組織 / organisation")]
    """The operator of the base."""
    base: Annotated[Name, Field(title="基地 / base")]
    """The assessed base, e.g. ``BASE-M1``."""
    title: Annotated[Text, Field(title="名稱 / title")]
    fields: Annotated[tuple[Text, ...], Field(max_length=20, title="領域 / fields")] = ()
    """Fields of welfare (HZ-6)."""


def open_support(state: State, support: BaseSupport, award: Fen) -> State:
    """The state of a project that begins with its award: what a bid would have said."""
    return state.with_parts(
        Application(
            organisation=support.organisation,
            round=support.round,
            title=support.title,
            kind=ProjectKind.BASE_SUPPORT,
            fields=frozenset(support.fields),
            requested=award,
            base=support.base,
        )
    )


def require_supportable(check: Checks, state: State, facts: Facts, support: BaseSupport, award: Fen) -> None:
    """Note why that base may not be supported, if so: it must be assessed, and run by who is to get the money."""
    register = facts.of(state.stream.sibling("base", support.base))
    base = register.part(Base)
    check(
        register.stage == BaseStage.ASSESSED,
        "T01",
        "{base} 尚未評估，評估後才能扶持",
        "{base} has not been assessed; it can be supported after that",
        base=support.base,
    )
    _require_earned(check, facts.scheme, base, award)
    check(
        base.operator == support.organisation,
        "T01",
        "{base} 的運營方為 {operator}，不是 {organisation}",
        "{base} is run by {operator}, not by {organisation}",
        base=support.base,
        organisation=support.organisation,
        operator=or_else(base.operator, "無", "nobody"),
    )


def _require_earned(check: Checks, scheme: Scheme | None, base: Base, award: Fen) -> None:
    """C4: where the city has a table of class and merit, a base gets what its tier and grade earn (CZ-9)."""
    rules = scheme.bases if scheme is not None else None
    if rules is None or rules.allocation is None or base.tier is None:
        return
    due = rules.find_support(base.tier, base.grade or "")
    amount = yuan(due) if due is not None else "—"
    check(
        due == award,
        "C4",
        "{tier}基地評估等級 {grade}，辦法所定扶持為 {due}，所提為 {award}",
        "a {tier} base of grade {grade} is supported by {due}, not by {award}",
        tier=base.tier,
        grade=or_else(base.grade, "無", "none"),
        due=amount,
        award=yuan(award),
    )


# ---------------------------------------------------------------- decide


def name_governor(state: State, command: Command) -> StreamId | None:
    """The round under whose rules the project stands until its contract fixes them."""
    named = getattr(command, "support", None) or command
    round_ = getattr(named, "round", None) or state.part(Application).round
    return state.stream.sibling("round", round_) if round_ else None


def reads(state: State, command: Commands) -> Reads:
    """The round, the bidders, the need, and who holds the places."""
    application = state.part(Application)
    match command:
        case DraftApplication():
            return Reads()
        case SubmitApplication():
            streams = {state.stream.sibling("organisation", name) for name in (command.organisation, *command.partners)}
            if command.need is not None:
                streams.add(state.stream.sibling("need", command.need))
            streams.add(state.stream.sibling("round", command.round))
            counted = frozenset({undecided(state.stream.realm, command.round)})
            return Reads(
                frozenset(streams),
                frozenset({*_name_bids(state, command).values(), _name_answer(state, command)}),
                counted,
            )
        case RefuseLateSubmission(round=round_):
            return Reads(streams=frozenset({state.stream.sibling("round", round_)}))
        case (
            WithdrawApplication()
            | ReturnApplication()
            | PassPreliminaryReview()
            | FailPreliminaryReview()
            | LapseCompletion()
            | LeaveApplicationOut()
        ):
            streams = {state.stream.sibling("organisation", name) for name in application.bidders}
            if application.round is not None:
                streams.add(state.stream.sibling("round", application.round))
            return Reads(streams=frozenset(streams))
        case _:
            assert_never(command)


def _name_bids(state: State, bid: Bid) -> dict[str, str]:
    """Organisation and its key in the round: of the bidder, then of its partners."""
    return {name: bid_key(state.stream.realm, bid.round, name) for name in (bid.organisation, *bid.partners)}


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the bid makes happen. Raises CommandRejected."""
    check, application = Checks(), state.part(Application)
    match command:
        case DraftApplication():
            check(
                facts.scheme is None or facts.scheme.bidding.sealed is None,
                "SB01",
                "本屆密封申報：請自存申報書，截止前只遞交校驗值",
                "applications of this call are sealed: keep the draft to yourself and hand in its digest",
            )
            return check.grant(ApplicationDrafted.of(command))
        case SubmitApplication():
            return _decide_submission(check, state, facts, order, command)
        case WithdrawApplication():
            organisation = facts.of(state.stream.sibling("organisation", application.organisation or "NONE"))
            if state.stage != Stage.DRAFTED:
                require_authorised(check, organisation, order.actor)
            return check.grant(ApplicationWithdrawn.of(command, freed_places=application.places))
        case RefuseLateSubmission():
            return _decide_late_submission(check, state, facts, order.at, command)
        case ReturnApplication():
            scheme = require_scheme(check, facts)
            return check.grant(ApplicationReturned.of(command, completion_wd=scheme.bidding.completion_wd))
        case PassPreliminaryReview():
            _require_passable(check, state, facts, order)
            return check.grant(PreliminaryReviewPassed.of(command))
        case FailPreliminaryReview():
            require_opening_over(check, state, facts, order)
            return check.grant(PreliminaryReviewFailed.of(command, freed_places=list_answers(state)))
        case LapseCompletion():
            until = _completion_ends(application, facts.calendar)
            check(
                until is not None and order.at >= until,
                "AP08",
                "補正期限至 {until}，尚未屆滿",
                "the application can be completed until {until}; that time has not passed",
                until=until,
            )
            return check.grant(
                PreliminaryReviewFailed(reason="逾期未補正 / not completed in time", freed_places=list_answers(state))
            )
        case LeaveApplicationOut():
            _require_unselectable(check, state, facts)
            return check.grant(ApplicationNotSelected.of(command, freed_places=list_answers(state)))
        case _:
            assert_never(command)


def list_answers(state: State) -> tuple[str, ...]:
    """What a bid that is out gives back: its need may be answered again, and it is decided. Its place it keeps."""
    return tuple(key for key in state.part(Application).places if key.startswith(("answer/", UNDECIDED)))


def list_undecided(state: State) -> tuple[str, ...]:
    """The place in the count of bids that wait for a decision, while it holds it."""
    return tuple(key for key in state.part(Application).places if key.startswith(UNDECIDED))


def give_places_back(state: State, places: tuple[str, ...]) -> State:
    """The state without the places that it gave back."""
    application = state.part(Application)
    places_left = tuple(key for key in application.places if key not in places)
    return state.with_parts(replace(application, places=places_left))


def _decide_submission(check: Checks, state: State, facts: Facts, order: Order, bid: SubmitApplication) -> list[Event]:
    """AP02: in time, by who may, for a need that may be answered, once, within the caps."""
    today, before = local_day(order.at), state.part(Application)
    round_ = facts.of(state.stream.sibling("round", bid.round))
    if state.stage == Stage.RETURNED:
        _require_same_bid(check, before, bid)
    elif facts.scheme is not None and facts.scheme.bidding.sealed is not None:
        fields = {name: value for name, value in plain(bid).items() if name in Bid.model_fields}
        require_unsealed(check, state, facts, order, round_, commit(fields, bid.nonce) if bid.nonce else None)
    else:
        require_open(check, round_, facts.calendar, order.at, "D1")
    organisation = facts.of(state.stream.sibling("organisation", bid.organisation))
    require_authorised(check, organisation, order.actor)
    for name in (bid.organisation, *bid.partners):
        require_fundable(check, facts.of(state.stream.sibling("organisation", name)), today, facts.scheme, "D5")
    _require_need(check, state, facts, bid)
    scheme = require_scheme(check, facts)
    _require_within_caps(check, bid, scheme)
    require_listed(check, scheme, Codelist.FIELDS, bid.fields)
    require_beneficiaries(check, scheme, bid.beneficiaries)
    limits = _require_places(check, state, facts, bid, scheme)
    places = {key: limit for key, limit in limits.items() if key not in before.places}
    version = facts.of(state.stream.sibling("need", bid.need)).version if bid.need else None
    return check.grant(ApplicationSubmitted.of(bid, places=places, need_version=version))


def _require_same_bid(check: Checks, before: Application, bid: SubmitApplication) -> None:
    """A completed bid is the same bid: who, where, for what; and it does not ask for more."""
    check(
        (bid.round, bid.organisation, bid.need) == (before.round, before.organisation, before.need),
        "AP02",
        "補正不得更換屆次、申報單位或需求",
        "completing an application cannot change its round, organisation or need",
    )
    check(
        bid.requested <= before.requested,
        "AP02",
        "補正不得提高申報金額 {requested}",
        "completing an application cannot raise the amount applied for ({requested})",
        requested=yuan(before.requested),
    )


def _require_need(check: Checks, state: State, facts: Facts, bid: SubmitApplication) -> None:
    """HZ-3: a bid cites an adopted need of its round, or states one of its own."""
    if bid.need is None:
        check(
            bid.statement,
            "AP02",
            "請選擇需求清單中的需求，或填寫「需求說明」",
            "choose a need from the needs list, or describe the need yourself",
        )
        return
    need = facts.of(state.stream.sibling("need", bid.need))
    round_ = facts.of(state.stream.sibling("round", bid.round)).part(Round)
    check(
        need.stage == NeedStage.ADOPTED,
        "AP02",
        "{need} 目前為「{stage}」，入庫後才能申報",
        "{need} is {stage}; applications are possible once it is adopted",
        need=bid.need,
        stage=NeedStage(need.stage),
    )
    listed = bid.need in round_.catalogue if round_.catalogue is not None else need.part(Need).round == bid.round
    check(
        listed,
        "AP02",
        "{need} 不在 {round} 的需求清單",
        "{need} is not on the needs list of {round}",
        need=bid.need,
        round=bid.round,
    )


def _require_within_caps(check: Checks, bid: SubmitApplication, scheme: Scheme) -> None:
    cap, total = scheme.bidding.cap_fen, bid.requested + bid.match_pledged
    check(
        cap is None or bid.requested <= cap,
        "AP02",
        "申請資助金額 {requested} 超過上限 {cap}",
        "the amount applied for, {requested}, exceeds the cap of {cap}",
        requested=yuan(bid.requested),
        cap=yuan(cap or 0),
    )
    check(
        bid.match_pledged * 100 >= scheme.budget.match_min * total,
        "M6",
        "配套（自籌）資金 {match_pledged}，須達到總預算的 {match_min}%",
        "match funding is {match_pledged}; at least {match_min}% of the whole budget is required",
        match_pledged=yuan(bid.match_pledged),
        match_min=scheme.budget.match_min,
    )
    check(
        scheme.bidding.joint or not bid.partners,
        "AP02",
        "本辦法不接受聯合申報",
        "these rules do not accept joint applications",
    )
    check(
        len({bid.organisation, *bid.partners}) == 1 + len(bid.partners),
        "AP02",
        "聯合申報的組織不得重複",
        "an organisation can be named only once in a joint application",
    )


def require_place(check: Checks, state: State, facts: Facts, key: str, *, name: str, round_: str, limit: int) -> None:
    """AP02: that the organisation has a place left in the round, whose holders are those of the key."""
    others = facts.holders(key) - {state.stream}
    check(
        len(others) < limit,
        "AP02",
        "{name} 在 {round} 已申報 {others_count} 項（含聯合申報），每個組織限 {limit} 項",
        "{name} already has {others_count} applications in {round}, joint ones included; the limit is {limit}",
        name=name,
        round=round_,
        others_count=len(others),
        limit=limit,
    )


def _require_places(
    check: Checks, state: State, facts: Facts, bid: SubmitApplication, scheme: Scheme
) -> dict[str, int]:
    """AP02: a place of each organisation in the round, and the one answer to the need. Key and its places."""
    limit, answer = scheme.bidding.per_organisation, _name_answer(state, bid)
    limits: dict[str, int] = {}
    for name, key in _name_bids(state, bid).items():
        if name != bid.organisation and (scheme.bidding.partners_count is False or key in facts.unasked):
            continue
        limits[key] = limit
        require_place(check, state, facts, key, name=name, round_=bid.round, limit=limit)
    rivals = facts.holders(answer) - {state.stream}
    check(
        not rivals,
        "AP02",
        "{organisation} 已就同一需求申報 {rivals}，不得重複資助",
        "{organisation} has already applied for this need ({rivals}); the same need cannot be funded twice",
        organisation=bid.organisation,
        rivals=sorted(rivals),
    )
    limits[answer] = 1
    count = undecided(state.stream.realm, bid.round)
    return limits if count in facts.unasked else {**limits, count: 1}


def _decide_late_submission(
    check: Checks, state: State, facts: Facts, now: datetime, command: RefuseLateSubmission
) -> list[Event]:
    deadline = facts.of(state.stream.sibling("round", command.round)).part(Round).closes_at(facts.calendar)
    check(
        deadline is not None and command.received >= deadline,
        "D1",
        "並未逾期，應予受理",
        "it did not arrive late and must be accepted",
    )
    check(
        command.received <= now,
        "D1",
        "收件時間不得晚於登記時間",
        "the time of arrival cannot be later than the time of recording",
    )
    if check.unmet or deadline is None:
        raise check.refuse()
    return [LateSubmissionRefused.of(command, deadline=deadline)]


def _require_unselectable(check: Checks, state: State, facts: Facts) -> None:
    """AP09: after the experts have seen it, or because the round was given up."""
    round_ = facts.of(state.stream.sibling("round", state.part(Application).round or "NONE"))
    check(
        state.stage == Stage.SHORTLISTED or round_.stage == RoundStage.CANCELLED,
        "AP09",
        "未經評審的申報，只有本屆徵集取消時才能列為未立項；請先完成初審",
        "an application that was not reviewed can only be marked not selected if the round was "
        "cancelled; review it first",
    )


def _require_passable(check: Checks, state: State, facts: Facts, order: Order) -> None:
    """AP06: the call has closed, so that all are judged alike, and every bidder is eligible today (D5)."""
    application = state.part(Application)
    round_ = facts.of(state.stream.sibling("round", application.round or "NONE"))
    check(
        round_.stage == RoundStage.CLOSED,
        "AP06",
        "{name} 目前為「{stage}」，申報結束後才能通過初審",
        "{name} is {stage}; applications can pass preliminary review once the call has closed",
        name=round_.stream.name,
        stage=RoundStage(round_.stage),
    )
    require_answered(check, round_)
    require_opening_over(check, state, facts, order)
    today = local_day(order.at)
    for name in sorted(application.bidders):
        require_fundable(check, facts.of(state.stream.sibling("organisation", name)), today, facts.scheme, "D5")


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the bid as written last, sums in fen, and the places in quotas that it holds."""
    application = state.part(Application)
    match event:
        case ApplicationDrafted():
            return state.with_parts(_write_bid(application, event))
        case ApplicationSubmitted():
            places = (*application.places, *sorted(event.places))
            return state.with_parts(replace(_write_bid(application, event), places=places, returned_on=None))
        case ApplicationWithdrawn() | PreliminaryReviewFailed() | ApplicationNotSelected():
            return give_places_back(state.with_parts(replace(application, returned_on=None)), event.freed_places)
        case ApplicationReturned():
            returned = replace(application, returned_on=local_day(of.at), completion_wd=event.completion_wd)
            return state.with_parts(returned)
        case LateSubmissionRefused() | PreliminaryReviewPassed():
            return state
        case _:
            assert_never(event)


def _write_bid(application: Application, bid: Bid) -> Application:
    return replace(
        application,
        organisation=bid.organisation,
        partners=bid.partners,
        round=bid.round,
        need=bid.need,
        title=bid.title,
        fields=frozenset(bid.fields),
        requested=bid.requested,
        match_pledged=bid.match_pledged,
        beneficiaries=bid.beneficiaries,
        community=bid.community,
        district=bid.district,
    )


# ---------------------------------------------------------------- deadlines and who is awaited


def _completion_ends(application: Application, calendar: Calendar) -> datetime | None:
    if application.returned_on is None:
        return None
    return day_ends(calendar.after(application.returned_on, application.completion_wd))


def due(state: State, calendar: Calendar) -> Iterable[Due]:
    """A bid that was returned and not completed in time is out."""
    end = _completion_ends(state.part(Application), calendar)
    if state.stage == Stage.RETURNED and end is not None:
        yield Due(end, LapseCompletion())


def awaiting(state: State, calendar: Calendar) -> Iterable[Awaited]:
    """The bid, its preliminary review, its completion, the experts' word."""
    match state.stage:
        case Stage.DRAFTED:
            yield Awaited((Role.SO_LEGAL,), "SubmitApplication", "", "提交申報", "hand the bid in")
        case Stage.APPLIED:
            yield Awaited(
                REVIEWERS, "PassPreliminaryReview", "", "初審", "review whether the bid is complete and eligible"
            )
        case Stage.RETURNED:
            until = _completion_ends(state.part(Application), calendar)
            yield Awaited((Role.SO_LEGAL,), "SubmitApplication", "", "補正申報", "complete the bid", until)
        case Stage.SHORTLISTED:
            yield Awaited((Role.CAB_REG,), "ProposeAward", "", "提出擬立項意見", "propose an award or leave it out")
        case _:
            return


DECIDER = Decider(
    name="bidding",
    zh="申報與初審",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    due=due,
    awaiting=awaiting,
)
