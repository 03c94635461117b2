"""期初登記: a running project taken over from elsewhere, at the state in which it stands, as books are opened.

Two persons attest it with the source that it was taken from, in a paper realm before it goes live. What follows from
the stage, from a paid tranche or from an audit is derived; what is unknown is left out. From then on every rule holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Final, assert_never, get_args

from pydantic import Field

from domain.application import Application, ProjectKind
from domain.kernel import approval
from domain.kernel.acting import Acting, require_another_person
from domain.kernel.approval import ApproverGroup
from domain.kernel.attachment import Attachment, Attachments
from domain.kernel.bounds import Date, Name
from domain.kernel.calendar import day_begins, local_day
from domain.kernel.canonical import digest, plain
from domain.kernel.clock import Clock
from domain.kernel.codelist import Codelist, require_listed
from domain.kernel.decider import Decider
from domain.kernel.effects import Claim, Effect, Post
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.identifier import LIVE, Role, StreamId, Text, name_key
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, PositiveFen, yuan
from domain.kernel.phrase import call_tranche, word
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import Part, SchemeRef, State, Transition
from domain.kernel.words import Words
from domain.project import contract, delivery, evaluation, remedy, termination
from domain.project.award import Award, charge_round, charge_support, require_envelopes
from domain.project.bidding import BaseSupport, require_supportable
from domain.project.closeout import Closeout
from domain.project.contract import (
    Contract,
    Line,
    Parties,
    read_contract,
    require_independent_parties,
    require_sound_budget,
)
from domain.project.delivery import Delivery, ReportKind, require_standing_team
from domain.project.evaluation import Evaluation, Mark, Opinion, Result
from domain.project.money import Money, apportion
from domain.project.remedy import Rectification, RectificationStatus
from domain.project.stage import MILESTONE, Gates, Stage
from domain.project.termination import Clawback, Termination, ask_termination, require_nothing_kept
from domain.project.tranches import (
    Clause,
    Installment,
    Key,
    MilestoneTerm,
    Tranche,
    Tranches,
    TrancheStatus,
    require_no_empty_tranche,
    require_settled,
    require_sound_tranches,
)
from domain.registers.fund import committed, envelope, paid, treasury
from domain.registers.organisation import Organisation
from domain.registers.realm import Realm, clock_stream
from domain.round.budget import Charge, aside_key, awarded, budget_left, give_back, support_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from domain.kernel.calendar import Calendar
    from domain.kernel.scheme import Scheme

LAPSES_AFTER: Final = timedelta(days=30)
"""How long a proposed entry may be confirmed; afterwards it is to be proposed anew."""

OFFICERS: Final = (Role.CAB_REG, Role.CAB_FIN, Role.CAB_DEC)
"""Who may confirm an entry that another of them proposed."""


class OpeningStage(Words):
    """Where a project may stand when it is taken over."""

    AWARDED = Stage.AWARDED, "已立項", "awarded"
    CONTRACTED = Stage.CONTRACTED, "已簽約", "agreement signed"
    ACTIVE = Stage.ACTIVE, "實施中", "in progress"
    RECTIFYING = Stage.RECTIFYING, "整改中", "under rectification"
    SUSPENDED = Stage.SUSPENDED, "已中止", "suspended"
    FINAL_REVIEW = Stage.FINAL_REVIEW, "結項評估", "final review"
    SETTLEMENT = Stage.SETTLEMENT, "資金結算", "settlement"
    CLOSED = Stage.CLOSED, "已結項", "closed"
    TERMINATING = Stage.TERMINATING, "擬終止", "termination under way"
    TERMINATED = Stage.TERMINATED, "已終止", "terminated"


_ENDING: Final = (OpeningStage.TERMINATING, OpeningStage.TERMINATED)
_OFF_THE_LINE: Final = (OpeningStage.RECTIFYING, OpeningStage.SUSPENDED, *_ENDING)
"""Stages that a project comes to from several points of its life."""
_LINE: Final = (
    OpeningStage.AWARDED,
    OpeningStage.CONTRACTED,
    OpeningStage.ACTIVE,
    OpeningStage.FINAL_REVIEW,
    OpeningStage.SETTLEMENT,
    OpeningStage.CLOSED,
)


class OpeningTranche(Installment):
    """One tranche as agreed, and what became of it. A request in flight is not taken over: it is asked for anew."""

    paid: Annotated[Fen, Field(title="已撥付 / paid")] = 0
    cancelled: Annotated[Fen, Field(title="已核減 / cancelled")] = 0


class OpeningTeam(Clause):
    """A volunteer team, and the months in which it was active, each told by any day of it (Z1)."""

    team: Annotated[Text, Field(title="志願隊 / volunteer team")]
    members: Annotated[int, Field(ge=1, le=100_000, title="人數 / members")]
    active: Annotated[tuple[Date, ...], Field(max_length=120, title="活動月份 / active months")] = ()


class Opening(Particulars):
    """How the project stands, and where that was taken from."""

    project: Annotated[str, Field(pattern=r"^PJ-[A-Za-z0-9-]{1,32}$", title="項目 / project")]
    stage: Annotated[OpeningStage, Field(title="階段 / stage")]
    since: Annotated[Date, Field(title="進入該階段之日 / in this stage since")]
    source: Annotated[Attachment, Field(title="來源文件 / source document")]
    """What the entry was taken from, by its digest."""
    documents: Annotated[Attachments, Field(title="卷內文件 / documents of the file")] = ()
    round: Annotated[Name, Field(title="屆（年度） / round")]
    """The round whose rules and budget it comes under."""
    organisation: Annotated[Name, Field(title="組織 / organisation")]
    partners: Annotated[tuple[Name, ...], Field(max_length=20, title="聯合申報單位 / joint applicants")] = ()
    base: Annotated[Name | None, Field(title="扶持基地 / base supported")] = None
    """The base whose yearly support it is, which nobody bid for; None for a project of a bid."""
    title: Annotated[Text, Field(title="名稱 / title")]
    fields: Annotated[tuple[Text, ...], Field(max_length=20, title="領域 / fields")] = ()
    community: Annotated[Name | None, Field(title="社區 / community")] = None
    district: Annotated[Name | None, Field(title="區縣 / district")] = None
    award: Annotated[PositiveFen, Field(title="資助金額 / award")]
    funds: Annotated[dict[Name, Fen], Field(max_length=50, title="資金來源 / funds")]
    """Fund and its share; the shares add up to the award."""
    awarded_on: Annotated[Date, Field(title="立項日 / awarded on")]
    version: Annotated[int, Field(ge=1, le=9999, title="協議版本 / version of the agreement")] = 1
    signed_on: Annotated[Date | None, Field(title="簽約日 / signed on")] = None
    tranches: Annotated[dict[Key, OpeningTranche] | None, Field(max_length=50, title="撥款計劃 / payment schedule")] = (
        None
    )
    budget: Annotated[dict[Line, Fen] | None, Field(max_length=100, title="預算 / budget")] = None
    parties: Annotated[Parties | None, Field(title="各方 / parties")] = None
    account: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$", title="收款賬戶校驗值 / payee account digest")] = (
        None
    )
    match_pledged: Annotated[Fen | None, Field(title="承諾配套 / match funding pledged")] = None
    match_received: Annotated[Fen | None, Field(title="已到配套（申報） / match funding received, as reported")] = None
    self_assessment_due: Annotated[Date | None, Field(title="自評截止日 / self-assessment due")] = None
    milestones: Annotated[dict[Key, MilestoneTerm] | None, Field(max_length=100, title="里程碑 / milestones")] = None
    started_on: Annotated[Date | None, Field(title="啟動日 / started on")] = None
    end: Annotated[Date | None, Field(title="結束日 / end date")] = None
    met: Annotated[dict[Key, Date] | None, Field(max_length=100, title="已達成里程碑 / milestones met")] = None
    missed: Annotated[dict[Key, Date] | None, Field(max_length=100, title="已逾期里程碑 / milestones missed")] = None
    reports: Annotated[dict[ReportKind, Date] | None, Field(title="已交報告 / reports submitted")] = None
    teams: Annotated[tuple[OpeningTeam, ...] | None, Field(max_length=100, title="志願隊 / volunteer teams")] = None
    midterm: Annotated[Result | None, Field(title="中期評估結論 / mid-term result")] = None
    rectify_until: Annotated[Date | None, Field(title="整改期限 / rectification due")] = None
    rectify_extended: Annotated[int, Field(ge=0, le=5, title="整改已延期次數 / extensions of the rectification")] = 0
    reported_on: Annotated[Date | None, Field(title="結項申請日 / final report submitted on")] = None
    opinion: Annotated[Opinion | None, Field(title="審計意見 / audit opinion")] = None
    audited: Annotated[Fen | None, Field(title="審定支出 / eligible expenditure")] = None
    score: Annotated[Mark | None, Field(title="末期得分 / final score")] = None
    grade: Annotated[Text | None, Field(title="等級 / grade")] = None
    returned: Annotated[Fen, Field(title="已繳回 / returned")] = 0
    """What came back of what was paid."""
    closed_on: Annotated[Date | None, Field(title="結項日 / closed on")] = None
    ground: Annotated[Text | None, Field(title="終止事由 / ground of termination")] = None
    hearing_until: Annotated[Date | None, Field(title="陳述申辯截止 / representations until")] = None
    clawback: Annotated[PositiveFen | None, Field(title="待收回 / still to be recovered")] = None
    """Of what was ordered back, what has not come; what has is in ``returned``."""
    clawback_until: Annotated[Date | None, Field(title="收回期限 / recovery due")] = None
    enforced: Annotated[bool | None, Field(title="已移送追繳 / referred for enforcement")] = None


_FROM: Final[Mapping[str, tuple[OpeningStage, OpeningStage | None]]] = {
    "signed_on": (OpeningStage.CONTRACTED, OpeningStage.CONTRACTED),
    "tranches": (OpeningStage.CONTRACTED, OpeningStage.CONTRACTED),
    "budget": (OpeningStage.CONTRACTED, OpeningStage.CONTRACTED),
    "parties": (OpeningStage.CONTRACTED, None),
    "account": (OpeningStage.CONTRACTED, OpeningStage.ACTIVE),
    "match_received": (OpeningStage.CONTRACTED, None),
    "self_assessment_due": (OpeningStage.CONTRACTED, None),
    "milestones": (OpeningStage.CONTRACTED, None),
    "end": (OpeningStage.CONTRACTED, OpeningStage.ACTIVE),
    "returned": (OpeningStage.FINAL_REVIEW, None),
    "started_on": (OpeningStage.ACTIVE, OpeningStage.ACTIVE),
    "met": (OpeningStage.ACTIVE, None),
    "missed": (OpeningStage.CONTRACTED, None),
    "reports": (OpeningStage.ACTIVE, None),
    "teams": (OpeningStage.ACTIVE, None),
    "midterm": (OpeningStage.ACTIVE, None),
    "reported_on": (OpeningStage.FINAL_REVIEW, OpeningStage.FINAL_REVIEW),
    "opinion": (OpeningStage.FINAL_REVIEW, OpeningStage.SETTLEMENT),
    "audited": (OpeningStage.FINAL_REVIEW, OpeningStage.SETTLEMENT),
    "score": (OpeningStage.FINAL_REVIEW, OpeningStage.SETTLEMENT),
    "grade": (OpeningStage.FINAL_REVIEW, OpeningStage.SETTLEMENT),
    "closed_on": (OpeningStage.CLOSED, OpeningStage.CLOSED),
}
"""Of each field the stage from which on it can be known, and that from which on it must; None for never."""
_ONLY_IN: Final[Mapping[str, tuple[frozenset[OpeningStage], frozenset[OpeningStage]]]] = {
    "rectify_until": (frozenset({OpeningStage.RECTIFYING}), frozenset({OpeningStage.RECTIFYING})),
    "ground": (frozenset(_ENDING), frozenset(_ENDING)),
    "hearing_until": (frozenset(_ENDING), frozenset({OpeningStage.TERMINATING})),
    "clawback": (frozenset({*_ENDING, OpeningStage.SETTLEMENT, OpeningStage.CLOSED}), frozenset()),
}
"""Of each field the stages in which alone it can be, and those in which it must."""


# ---------------------------------------------------------------- 提出


class OpeningProposed(Opening, Event):
    """Somebody says how the project stands; nothing has changed yet."""

    zh = "期初登記提出"
    en = "opening entry proposed"
    asks = True
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", title="校驗值 / digest")]
    """SHA-256 over the particulars: what the second person binds the confirmation to."""


class ProposeOpening(Opening, Command):
    """Say how a running project stands that is to be taken over."""

    records = OpeningProposed
    en_words = "propose an opening entry"
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = (Stage.NONE,)
    rule = "OE01"


# ---------------------------------------------------------------- 確認


def _move_to(number: int, stage: OpeningStage) -> Transition:
    return Transition(
        f"OE{number}",
        (Stage.NONE,),
        stage.value,
        OFFICERS,
        "environment of past papers; proposed by another; sums and dates hold together",
        when=lambda event: isinstance(event, ProjectOpened) and event.stage is stage,
    )


class ProjectOpened(Opening, Event):
    """Two persons attest it: the project is taken over at this state, its money in the ledger."""

    zh = "期初登記"
    en = "opening entry"
    asks = True
    moves = tuple(_move_to(number, stage) for number, stage in enumerate(OpeningStage, 11))
    scheme: Annotated[SchemeRef, Field(title="管理辦法 / scheme")]
    signing_wd: Annotated[int, Field(title="簽約期限（工作日） / signing period (working days)")]
    midterm_report_wd: Annotated[int, Field(title="自評期限（工作日） / self-assessment period (working days)")]
    final_report_months: Annotated[int, Field(title="結項報告期限（月） / final report due (months)")]
    rectify_wd: Annotated[int, Field(title="整改期限（工作日） / rectification period (working days)")]
    payments: Annotated[dict[str, dict[str, Fen]], Field(title="已撥付分攤 / paid, by tranche and fund")]
    """Tranche, fund and fen (M9)."""
    reimburses: Annotated[bool | None, Field(title="事後補助 / reimbursed")] = None
    """As ``ContractSigned.reimburses``."""
    cut: Annotated[dict[str, Fen], Field(title="已核減分攤 / cancelled, by fund")]
    came_back: Annotated[dict[str, Fen], Field(title="已繳回分攤 / returned, by fund")]
    charge: Annotated[Charge | None, Field(title="預算占用 / charge to the budget")] = None

    def stands_since(self, _at: datetime) -> datetime:
        """From when its stage counts: periods that run go on running."""
        return day_begins(self.since)

    @property
    def spent(self) -> dict[str, Fen]:
        """What was paid, by fund."""
        return _add_up(self.payments.values())

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Take the number, and post what an award, its payments, cuts and returns would have posted in their time."""
        yield Claim(name_key(stream.realm, self.project), stream)
        for fund, share in sorted(self.funds.items()):
            yield Post(envelope(stream.realm, fund), committed(stream, fund), share)
        for fund, share in sorted(self.spent.items()):
            yield Post(committed(stream, fund), paid(stream, fund), share)
        for fund, share in sorted(self.cut.items()):
            yield Post(committed(stream, fund), envelope(stream.realm, fund), share)
        for fund, share in sorted(self.came_back.items()):
            yield Post(paid(stream, fund), treasury(stream.realm), share)
        if self.charge is not None:
            yield from self.charge.take(stream, self.award)
            yield from give_back(stream, self.charge.round, sum(self.cut.values()))


class OpeningDigest(Particulars):
    """Which entry is confirmed."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$", title="校驗值 / digest")]
    """As the proposal shows it, or its first eight digits and more."""


class ConfirmOpening(OpeningDigest, Command):
    """Attest what another person has proposed."""

    records = ProjectOpened
    en_words = "confirm an opening entry"
    by = OFFICERS
    acts_for = (BUREAU,)
    rule = "OE01"


Commands = ProposeOpening | ConfirmOpening
Events = OpeningProposed | ProjectOpened


# ---------------------------------------------------------------- what the decider remembers


@dataclass(frozen=True)
class Openings(Part):
    """The entry as proposed last, and when the project was taken over by one."""

    proposed: OpeningProposed | None = None
    proposed_by: Acting | None = None
    lapses_at: datetime | None = None
    """UTC."""
    opened_on: date | None = None
    """The Shanghai day; None for a project that came here by the ordinary way."""
    source: Attachment | None = None
    documents: tuple[Attachment, ...] = field(default_factory=tuple)


def bind(opening: Opening) -> str:
    """What a confirmation is bound by: SHA-256 over the particulars, in hex; an office can tell it beforehand."""
    return digest({name: value for name, value in plain(opening).items() if name in Opening.model_fields})


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The realm's clock, organisations, funds and round of the entry, and whoever has its number."""
    opening = command if isinstance(command, ProposeOpening) else state.part(Openings).proposed
    if opening is None:
        return Reads()
    realm = state.stream.realm
    streams = {
        clock_stream(realm),
        state.stream.sibling("round", opening.round),
        *(state.stream.sibling("fund", fund) for fund in opening.funds),
        *(state.stream.sibling("organisation", name) for name in (opening.organisation, *opening.partners)),
    }
    keys = {name_key(realm, opening.project), aside_key(realm, opening.round)}
    if opening.base is not None:
        streams.add(state.stream.sibling("base", opening.base))
        keys.add(support_key(realm, opening.base))
    accounts = {awarded(realm, opening.round), budget_left(realm, opening.round)}
    accounts |= {envelope(realm, fund) for fund in opening.funds}
    return Reads(frozenset(streams), frozenset(keys), frozenset(accounts))


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about an opening entry makes happen. Raises CommandRejected."""
    check = Checks()
    match command:
        case ProposeOpening():
            _judge(check, state, facts, order, command)
            return check.grant(OpeningProposed.of(command, digest=bind(command)))
        case ConfirmOpening():
            openings = state.part(Openings)
            if openings.proposed is None or openings.opened_on is not None:
                check(False, "OE02", "沒有待確認的期初登記", "no opening entry is waiting for confirmation")
                raise check.refuse()
            _require_bound(check, openings, openings.proposed, order, command)
            return check.grant(_judge(check, state, facts, order, openings.proposed))
        case _:
            assert_never(command)


def _require_bound(
    check: Checks, openings: Openings, proposed: OpeningProposed, order: Order, command: ConfirmOpening
) -> None:
    """OE02: in time, of this content, by another person."""
    check(
        openings.lapses_at is not None and order.at < openings.lapses_at,
        "OE02",
        "期初登記提出已逾 {days} 日，請重新提出",
        "the opening entry was proposed more than {days} days ago: propose it anew",
        days=LAPSES_AFTER.days,
    )
    check(
        proposed.digest.startswith(command.digest),
        "OE02",
        "期初登記的校驗值為 {digest}…，所確認為 {digest2}…：請重新核對內容",
        "the digest of the opening entry is {digest}…, not {digest2}…: look at it again",
        digest=proposed.digest[:8],
        digest2=command.digest[:8],
    )
    require_another_person(
        check,
        order.acting,
        "OE02",
        (openings.proposed_by,),
        "{acting} 提出了期初登記，須由另一人確認",
        "{acting} proposed the opening entry; another person must confirm it",
        acting=order.acting,
    )


def _judge(check: Checks, state: State, facts: Facts, order: Order, opening: Opening) -> ProjectOpened:
    """OE01, OE03, OE04 and the rules of award and contract: everything that the entry must meet at that moment."""
    scheme, stream = require_scheme(check, facts), state.stream
    clock = facts.of(clock_stream(stream.realm)).part(Realm).clock
    check(
        stream.realm != LIVE and clock is not Clock.WALL,
        "OE01",
        "期初登記只在補錄環境、轉為實時之前辦理",
        "opening entries are made where files on paper are entered, before that goes live",
    )
    file = _take_application(state, opening)
    _require_sound_award(check, file, facts, opening)
    _require_whole(check, opening, local_day(order.at))
    charge = _charge(check, file, facts, opening)
    split = _split(opening)
    event = ProjectOpened.of(
        opening,
        scheme=scheme.ref,
        signing_wd=scheme.contract.signing_wd,
        midterm_report_wd=scheme.evaluation.midterm_report_wd,
        final_report_months=scheme.evaluation.final_report_months,
        reimburses=scheme.reimburses,
        rectify_wd=scheme.remedy.rectify_wd,
        payments=split.payments,
        cut=split.cut,
        came_back=split.came_back,
        charge=charge,
    )
    opened = replace(_open(state, order.at, event), stage=opening.stage.value, since=day_begins(opening.since))
    if opening.stage is not OpeningStage.AWARDED:
        _require_sound_contract(check, opened, opening, scheme)
        _require_sound_payments(check, opened, opening)
        _require_sound_work(check, opened, opening, scheme)
    _require_sound_end(check, opened, opening, scheme, facts.calendar)
    _require_nothing_overdue(check, opened, facts.calendar, order.at)
    return event


def _charge(check: Checks, file: State, facts: Facts, opening: Opening) -> Charge | None:
    """M5; of a base's support C2, C3 and T01: what it takes of the round's budget, once a year, run by who gets it."""
    if opening.base is None:
        return charge_round(check, file, facts, opening.award, "M5")
    check(not opening.partners, "OE03", "基地扶持沒有聯合申報單位", "the support of a base has no joint applicants")
    support = BaseSupport(
        round=opening.round,
        organisation=opening.organisation,
        base=opening.base,
        title=opening.title,
        fields=opening.fields,
    )
    require_supportable(check, file, facts, support, opening.award)
    return charge_support(check, file, facts, opening.award)


def _require_sound_award(check: Checks, file: State, facts: Facts, opening: Opening) -> None:
    """M1, M5, OE03: the shares add up, the envelopes bear them, the number is free, the organisations are known."""
    stream = file.stream
    taken = facts.holders(name_key(stream.realm, opening.project)) - {stream}
    check(not taken, "T01", "項目編號 {project} 已被使用", "the number {project} is taken", project=opening.project)
    shares = sum(opening.funds.values())
    check(
        shares == opening.award,
        "M1",
        "各資金份額合計 {shares}，須等於資助金額 {award}",
        "the shares add up to {shares}; they must equal the award {award}",
        shares=yuan(shares),
        award=yuan(opening.award),
    )
    for name in sorted(file.part(Application).bidders):
        organisation = facts.of(stream.sibling("organisation", name)).part(Organisation)
        check(
            organisation.is_verified,
            "OE03",
            "{name} 尚未核驗，請先核驗",
            "{name} has not been verified; do so first",
            name=name,
        )
    require_listed(check, facts.scheme, Codelist.FIELDS, opening.fields)
    require_envelopes(check, file, facts, opening.funds, "C2" if opening.base else "M5")


def _rank(opening: Opening) -> int:
    """How far along its life the project is; one that is put right or stands still is where it was before."""
    return _LINE.index(_find_origin(opening) or opening.stage)


def _find_origin(opening: Opening) -> OpeningStage | None:
    """Where a project was on its way before it came to its stage; None of one that is still on it."""
    if opening.stage not in _OFF_THE_LINE:
        return None
    if opening.reported_on is not None and opening.stage is not OpeningStage.SUSPENDED:
        return OpeningStage.FINAL_REVIEW
    if opening.started_on is None and opening.stage in _ENDING:
        return OpeningStage.CONTRACTED
    return OpeningStage.ACTIVE


def _require_whole(check: Checks, opening: Opening, today: date) -> None:
    """OE03: what a project of that stage must have is there, what it cannot have is not, and days are in order."""
    rank = _rank(opening)
    missing, early = [], []
    for name, (known_from, needed_from) in _FROM.items():
        if getattr(opening, name):
            is_early = rank < _LINE.index(known_from) and not (opening.stage in _ENDING and name in _AUDIT)
            early += [_call(name)] if is_early else []
        elif needed_from is not None and rank >= _LINE.index(needed_from) and getattr(opening, name) is None:
            missing.append(_call(name))
    for name, (may, must) in _ONLY_IN.items():
        if getattr(opening, name) is None:
            missing += [_call(name)] if opening.stage in must else []
        else:
            early += [_call(name)] if opening.stage not in may else []
    if opening.clawback is None and (opening.clawback_until or opening.enforced):
        missing.append(_call("clawback"))
    if opening.clawback is not None and opening.clawback_until is None:
        missing.append(_call("clawback_until"))
    check(
        not missing,
        "OE03",
        "「{stage}」的項目須載明：{missing}",
        "a project that is {stage} needs: {missing}",
        stage=opening.stage,
        missing=missing,
    )
    check(
        not early,
        "OE03",
        "「{stage}」的項目不可能已有：{early}",
        "a project that is {stage} cannot have yet: {early}",
        stage=opening.stage,
        early=early,
    )
    days = ["awarded_on", "signed_on", "started_on", "reported_on", "closed_on"]
    known = [(name, day) for name in days if (day := getattr(opening, name)) is not None]
    known += [("since", opening.since)]
    for (name, day), (after, later) in pairwise(known):
        check(
            day <= later,
            "OE03",
            "{name} {day} 晚於{after} {later}",
            "{name} ({day}) is later than {after} ({later})",
            name=_call(name),
            day=day,
            after=_call(after),
            later=later,
        )
    check(opening.since <= today, "OE03", "{since} 尚未到來", "{since} is in the future", since=opening.since)


_AUDIT: Final = frozenset({"opinion", "audited", "returned"})
"""What a project that is ended early comes by before it would otherwise (T19)."""


def _call(name: str) -> object:
    zh, _, en = str(Opening.model_fields[name].title).partition(" / ")
    return word(zh, en)


def _require_sound_contract(check: Checks, opened: State, opening: Opening, scheme: Scheme) -> None:
    """M1, M2, M6, P3: as a contract signed here would have to be."""
    tranches, milestones = opening.tranches or {}, opening.milestones or {}
    require_no_empty_tranche(check, tranches)
    require_sound_tranches(check, tranches, opening.award, milestones, scheme.payment.allowed_gates)
    require_sound_budget(check, opening.budget or {}, opening.award, scheme.budget)
    require_independent_parties(check, opened, opened.part(Contract).parties)


def _require_sound_payments(check: Checks, opened: State, opening: Opening) -> None:
    """M2, M3, M4: a tranche is unpaid, paid to the fen or cancelled, behind a gate that stands; no more came back."""
    for name, one in (opening.tranches or {}).items():
        check(
            (not one.paid and one.cancelled <= one.planned) or one.paid + one.cancelled == one.planned,
            "M4",
            "{name} 計劃 {planned}，已撥付 {paid}，已核減 {cancelled}：已撥付的，二者之和須等於計劃",
            "{name} was planned at {planned}, paid {paid}, cancelled {cancelled}: of a paid one these add up",
            name=call_tranche(name),
            planned=yuan(one.planned),
            paid=yuan(one.paid),
            cancelled=yuan(one.cancelled),
        )
        check(
            not one.paid or one.gate in opened.part(Gates).passed,
            "M2",
            "{name}已撥付，而其條件「{gate}」依所載並未達成",
            "{name} was paid, but its condition ({gate}) has not been met by what the entry says",
            name=call_tranche(name),
            gate=one.gate,
        )
    money = opened.part(Money)
    check(
        opening.returned <= money.paid,
        "M3",
        "已繳回 {returned} 超出已撥付 {paid}",
        "{returned} came back, of {paid} that was paid",
        returned=yuan(opening.returned),
        paid=yuan(money.paid),
    )


def _require_sound_work(check: Checks, opened: State, opening: Opening, scheme: Scheme) -> None:
    """T12, T16: parties where the scheme wants them, milestones of the contract, months of the work."""
    milestones = set(opening.milestones or {})
    reports = set(opening.met or {}) | set(opening.missed or {})
    check(
        reports <= milestones | {"standing-team"},
        "T16",
        "里程碑 {unknown} 不在協議之列",
        "the milestones {unknown} are none of the contract's",
        unknown=sorted(reports - milestones),
    )
    if _rank(opening) < _LINE.index(OpeningStage.ACTIVE):
        return
    parties, policy = opened.part(Contract).parties, scheme.delivery
    check(parties.supervisor or not policy.supervisor_required, "T12", "未載明督導", "no supervisor is named")
    check(
        parties.community or opening.community or not policy.community_required,
        "T12",
        "未載明社區",
        "no community is named",
    )
    check(
        opening.end is None or opening.started_on is None or opening.started_on <= opening.end,
        "T12",
        "啟動日 {start} 晚於結束日 {end}",
        "it started on {start}, after its end date {end}",
        start=opening.started_on,
        end=opening.end,
    )
    months = 0 if opening.base else scheme.evaluation.standing_team_months
    if months and _rank(opening) >= _LINE.index(OpeningStage.SETTLEMENT):
        require_standing_team(check, opened.part(Delivery), months)


def _require_sound_end(check: Checks, opened: State, opening: Opening, scheme: Scheme, calendar: Calendar) -> None:
    """M3, T21, T22: audited within the award, graded by the score, settled to the fen where it is closed."""
    check(
        (opening.audited or 0) <= opening.award,
        "M3",
        "審定支出 {eligible} 不得超過資助金額 {award}",
        "eligible expenditure of {eligible} exceeds the award of {award}",
        eligible=yuan(opening.audited or 0),
        award=yuan(opening.award),
    )
    check(
        (opening.opinion is None) == (opening.audited is None) and (opening.score is None) == (opening.grade is None),
        "OE03",
        "審計意見與審定支出、得分與等級須一併填寫",
        "give the opinion with the eligible expenditure, the score with the grade",
    )
    if opening.score is not None:
        earned = scheme.evaluation.grade(opening.score)
        passed = opening.score >= scheme.evaluation.pass_mark
        settled = _rank(opening) >= _LINE.index(OpeningStage.SETTLEMENT)
        check(
            opening.grade == earned,
            "T21",
            "{score} 分的等級應為「{grade}」",
            "with {score} points the grade is {grade}",
            score=opening.score,
            grade=earned,
        )
        check(
            passed == settled,
            "T21",
            "{score} 分與「{stage}」不符（合格分數線 {pass_mark}）",
            "{score} points do not fit a project that is {stage} (pass mark {pass_mark})",
            score=opening.score,
            stage=opening.stage,
            pass_mark=scheme.evaluation.pass_mark,
        )
    _require_sound_ending(check, opened, opening, scheme, calendar)
    if opening.stage is OpeningStage.CLOSED:
        require_settled(check, opened.part(Tranches))
        handed_on = (opening.clawback or 0) if opening.enforced else 0
        owed = opened.part(Money).net - (opening.audited or 0) - handed_on
        check(
            owed <= 0,
            "T22",
            "結餘 {owed} 尚未繳回",
            "a surplus of {owed} has not been returned",
            owed=yuan(max(owed, 0)),
        )


def _require_sound_ending(check: Checks, opened: State, opening: Opening, scheme: Scheme, calendar: Calendar) -> None:
    """T20, T24, M10: heard long enough; nothing is to be paid, or may be kept, of what has ended; no more is owed."""
    least = calendar.after(opening.since, scheme.remedy.hearing_wd)
    check(
        opening.stage is not OpeningStage.TERMINATING or not opening.hearing_until or opening.hearing_until >= least,
        "T20",
        "陳述申辯期限 {until} 不得早於 {least}（{wd} 個工作日）",
        "the organisation must have until at least {least} ({wd} working days) to respond, not only until {until}",
        until=opening.hearing_until,
        least=least,
        wd=scheme.remedy.hearing_wd,
    )
    if opening.stage is OpeningStage.TERMINATED:
        require_nothing_kept(check, opened)
    check(
        opening.clawback is None or (opening.clawback <= opened.part(Money).net and opening.audited is not None),
        "M10",
        "待收回 {clawback} 超出已撥未退的 {net}，或未載明審定支出",
        "{clawback} to be recovered exceeds the {net} paid and not returned, or nothing says what was eligible",
        clawback=yuan(opening.clawback or 0),
        net=yuan(opened.part(Money).net),
    )


def _require_nothing_overdue(check: Checks, opened: State, calendar: Calendar, at: datetime) -> None:
    """OE04: a deadline that has passed has led to something: the entry says what it led to."""
    for due in _list_deadlines(opened, calendar):
        check(
            due.at > at,
            "OE04",
            "{what} {key} 的期限 {until} 已過：請載明其後的狀況",
            "the time for {what} {key} ran out on {until}: say how things stand after that",
            what=word(due.command.zh(), due.command.en()),
            key=due.key,
            until=due.at,
        )


def _list_deadlines(opened: State, calendar: Calendar) -> Iterable[Due]:
    for stage in (contract, delivery, evaluation, remedy, termination):
        yield from stage.due(opened, calendar)


@dataclass(frozen=True)
class _Split:
    payments: dict[str, dict[str, Fen]]
    cut: dict[str, Fen]
    came_back: dict[str, Fen]


def _split(opening: Opening) -> _Split:
    """How payments, cuts and returns fell on the funds: tranche by tranche, in proportion to what was left (M9)."""
    left, payments = dict(opening.funds), dict[str, dict[str, Fen]]()
    for name, one in (opening.tranches or {}).items():
        if one.paid:
            payments[name] = apportion(one.paid, left)
            left = {fund: fen - payments[name].get(fund, 0) for fund, fen in left.items()}
    cut = apportion(sum(one.cancelled for one in (opening.tranches or {}).values()), left)
    return _Split(payments, cut, apportion(opening.returned, _add_up(payments.values())))


def _add_up(shares: Iterable[Mapping[str, Fen]]) -> dict[str, Fen]:
    total: dict[str, Fen] = {}
    for share in shares:
        for fund, fen in share.items():
            total[fund] = total.get(fund, 0) + fen
    return total


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the entry that waits to be confirmed; once it is, everything that the taken-over project brings along."""
    match event:
        case OpeningProposed():
            lapses_at = of.at + LAPSES_AFTER
            openings = Openings(proposed=event, proposed_by=of.acting, lapses_at=lapses_at)
            return approval.ask_approval(
                _take_application(state, event).with_parts(openings),
                of,
                gate=ConfirmOpening.command_type,
                role=Role.CAB_FIN,
                content=event.digest,
                until=lapses_at,
                bound=plain(event),
                groups=(ApproverGroup(roles=OFFICERS),),
            )
        case ProjectOpened():
            opened = approval.end_approval(_open(state, of.at, event), of, gate=ConfirmOpening.command_type)
            return ask_termination(opened, of) if event.stage is OpeningStage.TERMINATING else opened
        case _:
            assert_never(event)


def _take_application(state: State, opening: Opening) -> State:
    """The state with what a bid would have said of the project."""
    return state.with_parts(
        Application(
            organisation=opening.organisation,
            partners=opening.partners,
            round=opening.round,
            title=opening.title,
            kind=ProjectKind.BASE_SUPPORT if opening.base else ProjectKind.SERVICE,
            base=opening.base,
            fields=frozenset(opening.fields),
            requested=opening.award,
            match_pledged=opening.match_pledged or 0,
            community=opening.community,
            district=opening.district,
        )
    )


def _open(state: State, at: datetime, event: ProjectOpened) -> State:
    """Everything that the deciders would remember had the project come here by the ordinary way."""
    openings = replace(state.part(Openings), opened_on=local_day(at), source=event.source, documents=event.documents)
    award = Award(
        project=event.project,
        amount=event.award,
        funds=event.funds,
        signing_wd=event.signing_wd,
        confirmed_on=event.awarded_on,
        charge=event.charge,
        proposed_on=event.awarded_on,
    )
    opened = _take_application(state, event).with_parts(openings, award, Gates(_list_passed(event)))
    if event.stage is OpeningStage.AWARDED:
        return opened
    opened = replace(opened, scheme=event.scheme, stack=_list_stack(event))
    return opened.with_parts(
        *_sign(event), *_work(event), *_list_remedies(event, openings.proposed_by), *_list_endings(event)
    )


def _list_stack(event: ProjectOpened) -> tuple[str, ...]:
    origin = _find_origin(event)
    return (origin.value,) if origin is not None else ()


def _sign(event: ProjectOpened) -> tuple[Part, ...]:
    """The contract, its tranches, and its money."""
    tranches = event.tranches or {}
    of = {
        name: Tranche(
            planned=one.planned,
            gate=one.gate,
            status=_find_status(one),
            paid=one.paid,
            split=event.payments.get(name, {}),
            cancelled=one.cancelled,
        )
        for name, one in tranches.items()
    }
    money = Money(committed=event.funds)
    for share in event.payments.values():
        money = money.after_payment(share)
    money = replace(money.after_cancelling(event.cut).after_return(event.came_back), audited=event.audited)
    return read_contract(event), Tranches(of), money


def _find_status(one: OpeningTranche) -> TrancheStatus:
    if one.paid:
        return TrancheStatus.PAID
    return TrancheStatus.CANCELLED if one.cancelled == one.planned else TrancheStatus.PLANNED


def _work(event: ProjectOpened) -> tuple[Part, ...]:
    """What was done, how it was judged, and how it ended."""
    parties = event.parties or Parties()
    work = Delivery(
        supervisor=parties.supervisor or "",
        started_on=event.started_on,
        match_received=event.match_received or 0,
        paid_before=sum(event.spent.values()),
        teams={one.team: one.members for one in event.teams or ()},
        carried={one.team: frozenset((day.year, day.month) for day in one.active) for one in event.teams or ()},
        reports=event.reports or {},
        met=event.met or {},
        missed=event.missed or {},
    )
    settled = event.stage in (OpeningStage.SETTLEMENT, OpeningStage.CLOSED)
    judged = Evaluation(
        midterm=event.midterm,
        final_score=event.score,
        grade=event.grade or "",
        passed=settled,
        opinion=event.opinion,
        evaluators=frozenset({parties.evaluator or ""} - {""})
        if event.score is not None or event.midterm
        else frozenset(),
        auditors=frozenset({parties.auditor or ""} - {""}) if event.opinion is not None else frozenset(),
    )
    return work, judged, Closeout(reported_on=event.reported_on, closed_on=event.closed_on)


def _list_remedies(event: ProjectOpened, by: Acting | None) -> tuple[Part, ...]:
    """The rectification that runs; who proposed the entry stands for whoever ordered it, which no paper proves."""
    if event.rectify_until is None:
        return ()
    return (
        Rectification(
            status=RectificationStatus.OPEN,
            ordered_by=by,
            runs_from=event.since,
            due=event.rectify_until,
            rectify_wd=event.rectify_wd,
            extensions=event.rectify_extended,
            times=1,
        ),
    )


def _list_endings(event: ProjectOpened) -> tuple[Part, ...]:
    """The termination that runs or is over, and what is still to come back."""
    ended = (Termination(event.ground, event.since, event.hearing_until),) if event.ground else ()
    owed = (Clawback(event.clawback, event.clawback_until, event.enforced or False),) if event.clawback else ()
    return ended + owed


def _list_passed(event: Opening) -> frozenset[str]:
    """The gates that stand by what the entry says; none is typed."""
    rank = _rank(event)
    passed = {"AwardProposed", "AwardConfirmed"}
    for name, least in (
        ("ContractSigned", OpeningStage.CONTRACTED),
        ("ProjectStarted", OpeningStage.ACTIVE),
        ("FinalReportSubmitted", OpeningStage.FINAL_REVIEW),
        ("FinalEvaluationConcluded", OpeningStage.SETTLEMENT),
        ("ProjectClosed", OpeningStage.CLOSED),
    ):
        passed |= {name} if rank >= _LINE.index(least) else set()
    passed |= {"LedgerAccountRegistered"} if event.account else set()
    passed |= {"MidtermEvaluationConcluded"} if event.midterm is Result.PASS else set()
    passed |= {"AuditOpinionIssued"} if event.opinion is Opinion.UNQUALIFIED else set()
    passed |= {"ReportSubmitted"} if event.reports else set()
    passed |= {"VolunteerTeamFormed"} if event.teams else set()
    met = {f"{MILESTONE}/{name}" for name in event.met or ()}
    return frozenset(passed | met)


# ---------------------------------------------------------------- who is awaited


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The entry that waits for a second person."""
    openings = state.part(Openings)
    if state.stage == Stage.NONE and openings.proposed is not None:
        digits = openings.proposed.digest[:8]
        zh, en = (
            f"第二人確認期初登記（校驗值 {digits}）",
            f"a second person's confirmation of the opening entry ({digits})",
        )
        yield Awaited(OFFICERS, ConfirmOpening.command_type, "", zh, en, openings.lapses_at)


DECIDER = Decider(
    name="opening",
    zh="期初登記",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)
