"""提請審批: a decision that a service asks of people about bound content, with votes, deadlines and one outcome.

It is never itself the permission: whoever asked goes on by its own rules, and looks here once more before it does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Final, assert_never, get_args

from pydantic import Field

from domain.kernel import approval
from domain.kernel.acting import Acting, require_another_person
from domain.kernel.approval import Approval, ApproverGroup, Ballot, Verdict
from domain.kernel.bounds import Moment, Name
from domain.kernel.calendar import day_ends, local_day
from domain.kernel.canonical import digest, plain
from domain.kernel.decider import PROPOSALS, Aggregate, Decider, unpark
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Actor, Reason, Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen
from domain.kernel.refusal import Checks
from domain.kernel.relation import ANYBODY, ENGINE
from domain.kernel.state import NONE, SAME, Part, State, Transition
from domain.kernel.words import Words
from domain.registers.interest import require_impartial

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from domain.kernel.calendar import Calendar
    from domain.kernel.facts import Facts
    from domain.kernel.scope import Scope

KIND: Final = "approval"
GATE: Final = "GrantApproval"
"""The command that grants it."""
_NAME: Final = re.compile(r"AV-[A-Za-z0-9-]{1,40}")
OPENERS: Final = (Role.CAB_REG, Role.CAB_FIN, Role.CAB_DEC, Role.FISCAL, Role.HOST, Role.DCAB)
"""On whose seats a service asks for an approval."""
VOTERS: Final = (
    *OPENERS,
    Role.EXPERT,
    Role.EVAL,
    Role.SUPV,
    Role.SO_LEGAL,
    Role.SO_PM,
    Role.SO_ACC,
    Role.COMM,
    Role.BASE_OP,
)
"""Who may be asked: not those who only watch (P6, SD11), administrators (SD8) or the public."""


def approval_stream(realm: str, command_id: UUID) -> StreamId:
    """The stream of the approval that this command opens: as often as it is asked, one.

    Raises ValueError for a realm that no stream's id can have.
    """
    return StreamId.of(KIND, realm, f"AV-{command_id.hex}")


class ApprovalStage(Words):
    """How the request stands."""

    NONE = NONE, "未建檔", "not started"
    OPEN = "OPEN", "待決", "pending"
    GRANTED = "GRANTED", "已准", "granted"
    DECLINED = "DECLINED", "未准", "declined"
    RETURNED = "RETURNED", "退回修改", "returned for change"
    WITHDRAWN = "WITHDRAWN", "已撤回", "withdrawn"
    EXPIRED = "EXPIRED", "逾期失效", "expired"


# ---------------------------------------------------------------- 提請、變更


class Approvers(Particulars):
    """A group of those who are asked: all of its seats (會簽), any one (或簽), or n of them."""

    title: Annotated[Text | None, Field(max_length=40, title="組名 / group")] = None
    seats: Annotated[
        tuple[Annotated[Actor, Field(max_length=24)], ...], Field(max_length=50, title="崗位 / seats")
    ] = ()
    """These very seats."""
    roles: Annotated[tuple[Role, ...], Field(max_length=10, title="角色 / roles")] = ()
    """Or any seat of these roles."""
    acts_for: Annotated[tuple[Name, ...], Field(max_length=50, title="所代表者 / acts for")] = ()
    """Of those roles only seats that act for one of these, e.g. ``ORG-12``; empty for any."""
    needed: Annotated[
        Annotated[int, Field(ge=1, le=50)] | None,
        Otherwise("全部（會簽）", "all of the seats"),
        Field(title="須幾人 / how many"),
    ] = None
    """How many must consent; 1 is any one (或簽). It must be said where roles are named."""


class Matter(Particulars):
    """What is to be approved, in words and figures that a person reads, and the digest of the content itself."""

    title: Annotated[Text, Field(max_length=200, title="事項 / matter")]
    regarding: Annotated[Text | None, Field(max_length=200, title="對象 / regarding")] = None
    """What it is about: a stream of ours, or the number under which the service has it."""
    project: Annotated[
        str | None, Field(pattern=r"^(PJ|AP)-[A-Za-z0-9-]{1,32}$", max_length=40, title="項目 / project")
    ] = None
    amount: Annotated[Fen | None, Field(title="金額 / amount")] = None
    payee: Annotated[Name | None, Field(title="收款方 / payee")] = None
    """The organisation that would be paid, e.g. ``ORG-12``."""
    content_sha256: Annotated[
        str | None, Field(pattern=r"^[0-9a-f]{64}$", max_length=64, title="內容摘要 / digest of the content")
    ] = None
    """SHA-256 of what the service itself holds, in hex: other content is another approval."""


Days = Annotated[int, Field(ge=1, le=250)]


class Terms(Particulars):
    """Until when, and what happens meanwhile; working days count from the day after it is asked."""

    until: Annotated[Moment | None, Field(title="截止 / until")] = None
    """Undecided at that instant it is EXPIRED; left out, it has all the time there is."""
    within_wd: Annotated[Days | None, Field(title="幾個工作日內 / within working days")] = None
    """The same in working days, ending at 24:00."""
    remind_after_wd: Annotated[Days | None, Field(title="幾個工作日後催辦 / reminded after working days")] = None
    escalate_after_wd: Annotated[Days | None, Field(title="幾個工作日後上提 / escalated after working days")] = None
    escalate_to: Annotated[
        tuple[Annotated[Actor, Field(max_length=24)], ...], Field(max_length=10, title="上提至 / escalated to")
    ] = ()
    """Any one of these seats decides alone from then on."""


class Instants(Particulars):
    """The same as instants, reckoned by the working days that are published when it is asked."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", title="審批內容摘要 / digest of what is approved")]
    """SHA-256 over stream and matter: what a decision binds itself to."""
    until: Annotated[Moment | None, Field(title="截止 / until")] = None
    remind_at: Annotated[Moment | None, Field(title="催辦於 / reminded at")] = None
    escalate_at: Annotated[Moment | None, Field(title="上提於 / escalated at")] = None
    escalate_to: Annotated[
        tuple[Annotated[Actor, Field(max_length=24)], ...], Field(max_length=10, title="上提至 / escalated to")
    ] = ()


Groups = Annotated[tuple[Approvers, ...], Field(min_length=1, max_length=10, title="審批人 / approvers")]
"""Each group must consent."""


class ApprovalOpened(Matter, Instants, Event):
    """A decision is asked for; nothing is permitted by that, and nothing by what comes of it."""

    zh = "審批提請"
    asks = True
    moves = (Transition("AV01", (ApprovalStage.NONE,), ApprovalStage.OPEN, OPENERS, "groups that can be met"),)
    groups: Groups


class OpenApproval(Matter, Terms, Command):
    """Ask for a decision."""

    records = ApprovalOpened
    acts_for = (ANYBODY,)
    groups: Groups


class ApprovalAmended(Matter, Instants, Event):
    """The content has changed: what was asked before is void, and all are asked anew."""

    zh = "審批內容變更"
    asks = True
    moves = (
        Transition(
            "AV02",
            (ApprovalStage.OPEN, ApprovalStage.RETURNED),
            ApprovalStage.OPEN,
            OPENERS,
            "whoever asked; other content",
        ),
    )


class AmendApproval(Matter, Terms, Command):
    """Ask for another content in its place, of the same approvers."""

    records = ApprovalAmended
    acts_for = (ANYBODY,)


# ---------------------------------------------------------------- 同意、不同意、退回、撤回


class Binding(Particulars):
    """To which content the decision is bound."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$", max_length=64, title="摘要 / digest")]
    """As the approval shows it (``content_sha256``), or its first eight digits and more."""


class Vote(Particulars):
    """In which group it counts, and whether that ends the matter."""

    group: Annotated[int, Field(ge=0, le=10, title="組 / group")]
    """From 0; the number after the last is those to whom it was escalated."""
    decides: Annotated[bool, Field(title="已決 / decides")]


class Consent(Binding):
    """What is consented to, and what there is to say."""

    reason: Annotated[Text | None, Field(title="意見 / opinion")] = None


class ApprovalGiven(Consent, Vote, Event):
    """One who was asked consents; with the last one needed it is granted."""

    zh = "審批同意"
    moves = (
        Transition(
            "AV03",
            (ApprovalStage.OPEN,),
            ApprovalStage.GRANTED,
            VOTERS,
            "every group has as many as it needs",
            when=lambda event: bool(getattr(event, "decides", False)),
        ),
        Transition("AV04", (ApprovalStage.OPEN,), SAME, VOTERS, "asked, another person than who asked or voted"),
    )


class GrantApproval(Consent, Command):
    """Consent to it."""

    records = ApprovalGiven
    acts_for = (ANYBODY,)


class Refusal(Binding):
    """What is not consented to, and why."""

    reason: Reason


class ApprovalDeclined(Refusal, Vote, Event):
    """One who was asked does not consent; where a group can no longer be met it is declined."""

    zh = "審批不同意"
    moves = (
        Transition(
            "AV05",
            (ApprovalStage.OPEN,),
            ApprovalStage.DECLINED,
            VOTERS,
            "a group can no longer be met",
            when=lambda event: bool(getattr(event, "decides", False)),
        ),
        Transition("AV06", (ApprovalStage.OPEN,), SAME, VOTERS, "asked, another person than who asked or voted"),
    )


class DeclineApproval(Refusal, Command):
    """Do not consent to it."""

    records = ApprovalDeclined
    acts_for = (ANYBODY,)


class ApprovalReturned(Refusal, Event):
    """One who was asked sends it back: it is to be changed and asked anew, or given up."""

    zh = "審批退回"
    moves = (Transition("AV07", (ApprovalStage.OPEN,), ApprovalStage.RETURNED, VOTERS, "one who is asked"),)


class ReturnApproval(Refusal, Command):
    """Send it back for change."""

    records = ApprovalReturned
    acts_for = (ANYBODY,)


class Giving(Particulars):
    """Why it is asked for no more."""

    reason: Reason


class ApprovalWithdrawn(Giving, Event):
    """Whoever asked asks no more."""

    zh = "審批撤回"
    moves = (
        Transition(
            "AV08",
            (ApprovalStage.OPEN, ApprovalStage.RETURNED),
            ApprovalStage.WITHDRAWN,
            OPENERS,
            "whoever asked",
        ),
    )


class WithdrawApproval(Giving, Command):
    """Ask for it no more."""

    records = ApprovalWithdrawn
    acts_for = (ANYBODY,)


# ---------------------------------------------------------------- 期限


class ApprovalExpired(Event):
    """Its time ran out undecided: that is no consent."""

    zh = "審批逾期失效"
    moves = (Transition("AV09", (ApprovalStage.OPEN,), ApprovalStage.EXPIRED, (Role.SYS,), "undecided at its end"),)


class ExpireApproval(Command):
    """Its time runs out."""

    records = ApprovalExpired
    acts_for = (ENGINE,)


class ApprovalReminded(Event):
    """Those who have not decided are reminded."""

    zh = "審批催辦"
    moves = (Transition("AV10", (ApprovalStage.OPEN,), SAME, (Role.SYS,), "undecided after so many working days"),)


class RemindApproval(Command):
    """Remind those who have not decided."""

    records = ApprovalReminded
    acts_for = (ENGINE,)


class ApprovalEscalated(Event):
    """Those above may decide it alone from now on; those who were asked still may."""

    zh = "審批上提"
    moves = (Transition("AV11", (ApprovalStage.OPEN,), SAME, (Role.SYS,), "undecided after so many working days"),)


class EscalateApproval(Command):
    """Take it to those above."""

    records = ApprovalEscalated
    acts_for = (ENGINE,)


Commands = (
    OpenApproval
    | AmendApproval
    | GrantApproval
    | DeclineApproval
    | ReturnApproval
    | WithdrawApproval
    | ExpireApproval
    | RemindApproval
    | EscalateApproval
)
Events = (
    ApprovalOpened
    | ApprovalAmended
    | ApprovalGiven
    | ApprovalDeclined
    | ApprovalReturned
    | ApprovalWithdrawn
    | ApprovalExpired
    | ApprovalReminded
    | ApprovalEscalated
)


@dataclass(frozen=True)
class ApprovalRequest(Part):
    """Who asked for what, of whom."""

    opener: Acting | None = None
    title: str = ""
    groups: tuple[ApproverGroup, ...] = ()
    is_reminded: bool = False


def find_open(state: State) -> Approval | None:
    """The approval that waits on that stream."""
    return next((one for one in state.approvals if one.verdict is Verdict.OPEN), None)


def bind(stream: StreamId, matter: Matter) -> str:
    """What a decision is bound by: SHA-256 over stream and matter, in hex."""
    return digest({"stream": stream, **plain(_pick_matter(matter))})


def _pick_matter(of: Matter) -> Matter:
    return Matter.model_validate({name: getattr(of, name) for name in Matter.model_fields})


def is_asked(group: ApproverGroup, seat: Actor, scope: Scope | None) -> bool:
    """Whether that seat is one of those who are asked; of a bare seat, whoever took the papers in says for whom."""
    if seat in group.seats:
        return True
    if seat.role not in group.roles:
        return False
    return not group.names or scope is None or not set(group.names).isdisjoint(scope.names)


def count(approval: Approval, group: int, ballot: Ballot) -> int:
    """How many of that group have voted so."""
    return sum(1 for vote in approval.votes if (vote.group, vote.ballot) == (group, ballot))


def _is_met(approval: Approval, number: int, more: int = 0) -> bool:
    return count(approval, number, Ballot.CONSENT) + more >= approval.approvers[number].needed


def list_unmet(approval: Approval) -> list[int]:
    """The groups that still lack consent, by number."""
    return [number for number in range(len(approval.approvers)) if not _is_met(approval, number)]


# ---------------------------------------------------------------- decide


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about an approval makes happen. Raises CommandRejected."""
    check, request, approval = Checks(), state.part(ApprovalRequest), find_open(state)
    match command:
        case OpenApproval(groups=groups):
            check(
                _NAME.fullmatch(state.stream.name),
                "AV01",
                "審批檔案以 AV- 開頭，如 AV-2024-17，而非 {name}",
                "an approval's file begins with AV-, as AV-2024-17, not {name}",
                name=state.stream.name,
            )
            for number, group in enumerate(groups, 1):
                _require_meetable(check, number, group)
                _require_others(check, number, group, order.actor)
            return check.grant(
                ApprovalOpened.of(
                    command, digest=bind(state.stream, command), **_reckon(check, facts.calendar, order.at, command)
                )
            )
        case AmendApproval():
            _require_opener(check, request, order)
            bound = bind(state.stream, command)
            check(
                approval is None or _digest_of(approval) != bound,
                "AV02",
                "內容並無變更",
                "the content is the same",
            )
            return check.grant(
                ApprovalAmended.of(command, digest=bound, **_reckon(check, facts.calendar, order.at, command))
            )
        case WithdrawApproval():
            _require_opener(check, request, order)
            return check.grant(ApprovalWithdrawn.of(command))
        case GrantApproval():
            counted = _require_vote(check, request, approval, order, command)
            decides = approval is not None and _would_grant(approval, counted)
            return check.grant(ApprovalGiven.of(command, group=counted, decides=decides))
        case DeclineApproval():
            counted = _require_vote(check, request, approval, order, command)
            decides = approval is not None and _would_decline(approval, counted)
            return check.grant(ApprovalDeclined.of(command, group=counted, decides=decides))
        case ReturnApproval():
            _require_vote(check, request, approval, order, command)
            return check.grant(ApprovalReturned.of(command))
        case ExpireApproval():
            return check.grant(ApprovalExpired())
        case RemindApproval():
            return check.grant(ApprovalReminded())
        case EscalateApproval():
            return check.grant(ApprovalEscalated())
        case _:
            assert_never(command)


def _require_meetable(check: Checks, number: int, group: Approvers) -> None:
    """AV20: somebody is asked, who may be, and as many as are needed."""
    strangers = sorted({role for role in (*group.roles, *(s.role for s in group.seats)) if role not in VOTERS})
    check(
        not strangers,
        "AV20",
        "第 {number} 組：{strangers} 不可為審批人",
        "group {number}: {strangers} may not be asked",
        number=number,
        strangers=strangers,
    )
    check(
        bool(group.seats or group.roles) and len(set(group.seats)) == len(group.seats),
        "AV20",
        "第 {number} 組須列崗位或角色，不得重複",
        "group {number} names seats or roles, none of them twice",
        number=number,
    )
    check(
        not group.acts_for or bool(group.roles),
        "AV20",
        "第 {number} 組：所代表者須與角色同列",
        "group {number}: whom they act for goes with roles",
        number=number,
    )
    check(
        not group.roles or group.needed is not None,
        "AV20",
        "第 {number} 組：列角色者須寫明須幾人",
        "group {number}: say how many of those roles",
        number=number,
    )
    check(
        group.roles or (group.needed or 1) <= len(group.seats),
        "AV20",
        "第 {number} 組：所須人數多於所列崗位",
        "group {number}: more are needed than are named",
        number=number,
    )


def _require_others(check: Checks, number: int, group: Approvers, opener: Actor) -> None:
    """AV23: as many as are needed are others than who asks, who may not decide it: else it would stand for ever."""
    others = [seat for seat in group.seats if seat != opener]
    check(
        bool(group.roles) or len(others) == len(group.seats) or len(others) >= (group.needed or len(group.seats)),
        "AV23",
        "第 {number} 組：提請者 {opener} 不得自批，除其本人外不足所須人數",
        "group {number}: {opener}, who asks, may not decide it, and without that seat there are fewer than are needed",
        number=number,
        opener=opener,
    )


def _reckon(check: Checks, calendar: Calendar, at: datetime, terms: Terms) -> dict[str, object]:
    """The instants of these terms. AV21 where they cannot be."""
    today = local_day(at)
    check(
        terms.until is None or terms.within_wd is None,
        "AV21",
        "截止時間與工作日數只填其一",
        "say until when or within how many working days, not both",
    )
    until = day_ends(calendar.after(today, terms.within_wd)) if terms.within_wd else terms.until
    remind_at = day_ends(calendar.after(today, terms.remind_after_wd)) if terms.remind_after_wd else None
    escalate_at = day_ends(calendar.after(today, terms.escalate_after_wd)) if terms.escalate_after_wd else None
    check(until is None or until > at, "AV21", "截止時間須在此刻之後", "its end lies after now")
    check(
        until is None or all(one is None or one < until for one in (remind_at, escalate_at)),
        "AV21",
        "催辦、上提須在截止之前",
        "it is reminded of and escalated before its end",
    )
    check(
        (escalate_at is None) is (not terms.escalate_to),
        "AV21",
        "上提須同時寫明幾個工作日後、至何崗位",
        "an escalation says after how many working days, and to which seats",
    )
    strangers = sorted({seat for seat in terms.escalate_to if seat.role not in VOTERS})
    check(
        not strangers,
        "AV20",
        "不可上提至 {strangers}",
        "it may not be escalated to {strangers}",
        strangers=strangers,
    )
    return {"until": until, "remind_at": remind_at, "escalate_at": escalate_at}


def _require_opener(check: Checks, request: ApprovalRequest, order: Order) -> None:
    """AV22: whoever asked, on that seat or as that person."""
    opener = request.opener
    check(
        opener is None or order.actor == opener.seat or order.acting.is_same_person(opener),
        "AV22",
        "只有提請者 {opener} 可以變更或撤回",
        "only {opener}, who asked, may change or withdraw it",
        opener=opener.seat if opener else "",
    )


def _require_vote(
    check: Checks,
    request: ApprovalRequest,
    approval: Approval | None,
    order: Order,
    command: GrantApproval | DeclineApproval | ReturnApproval,
) -> int:
    """AV23–AV26: one who is asked, not who asked, one vote a person, of this content; the group in which it counts."""
    if approval is None:  # the stage refuses it
        return 0
    groups = [n for n, group in enumerate(approval.approvers) if is_asked(group, order.actor, order.scope)]
    lacking = [n for n in groups if n in list_unmet(approval)]
    if approval.is_escalated and order.actor in approval.above:
        lacking = groups = [len(approval.approvers)]
    check(
        groups,
        "AV26",
        "{actor} 不在此項審批的審批人之中",
        "{actor} is not one of those who are asked",
        actor=order.actor,
    )
    check(
        not groups or lacking,
        "AV26",
        "{actor} 所在的組已夠人數，無須再表決",
        "the group of {actor} has as many as it needs",
        actor=order.actor,
    )
    require_another_person(
        check,
        order.acting,
        "AV23",
        (request.opener,),
        "{actor} 為提請者，不得自批",
        "{actor} asked for it and may not decide it",
        actor=order.actor,
    )
    require_another_person(
        check,
        order.acting,
        "AV24",
        tuple(vote.acting for vote in approval.votes),
        "同一人已表決過，一人一次",
        "the same person has voted already: one person, one vote",
    )
    bound = _digest_of(approval)
    check(
        bound.startswith(command.digest),
        "AV25",
        "審批內容的摘要為 {bound}…，所表決者為 {digest}…：內容已變，請重新核對",
        "the digest of what is approved is {bound}…, not {digest}…: look at it again",
        bound=bound[:8],
        digest=command.digest[:8],
    )
    return lacking[0] if lacking else 0


def _digest_of(approval: Approval) -> str:
    return approval.content


def _would_grant(approval: Approval, group: int) -> bool:
    """Whether one more consent in that group grants it."""
    others = range(len(approval.approvers))
    return group == len(approval.approvers) or all(_is_met(approval, n, 1 if n == group else 0) for n in others)


def _would_decline(approval: Approval, group: int) -> bool:
    """Whether one more refusal in that group leaves it unable to be met; of roles nobody knows how many there are."""
    if group == len(approval.approvers) or approval.approvers[group].roles:
        return True
    left = len(approval.approvers[group].seats) - count(approval, group, Ballot.DISSENT) - 1
    return left < approval.approvers[group].needed


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep who asked whom for what, and how far the approval has come."""
    before = state.part(ApprovalRequest)
    match event:
        case ApprovalOpened(groups=groups):
            request = ApprovalRequest(of.acting, event.title, tuple(map(_group, groups)))
            return _ask(state.with_parts(request), of, event)
        case ApprovalAmended():
            return _ask(state.with_parts(replace(before, title=event.title, is_reminded=False)), of, event)
        case ApprovalGiven(decides=True, group=group):
            return approval.end_approval(state, of, gate=GATE, group=group)
        case ApprovalDeclined(decides=True, group=group):
            return approval.end_approval(state, of, gate=GATE, verdict=Verdict.REFUSED, group=group)
        case ApprovalGiven(group=group):
            return approval.cast_vote(state, of, gate=GATE, ballot=Ballot.CONSENT, group=group)
        case ApprovalDeclined(group=group):
            return approval.cast_vote(state, of, gate=GATE, ballot=Ballot.DISSENT, group=group)
        case ApprovalReturned():
            return approval.end_approval(state, of, gate=GATE, verdict=Verdict.RETURNED)
        case ApprovalWithdrawn():
            return approval.end_approval(state, of, gate=GATE, verdict=Verdict.VOID)
        case ApprovalExpired():
            return approval.end_approval(state, of, gate=GATE, verdict=Verdict.EXPIRED)
        case ApprovalReminded():
            return state.with_parts(replace(before, is_reminded=True))
        case ApprovalEscalated():
            return approval.change_open(state, gate=GATE, is_escalated=True)
        case _:
            assert_never(event)


def _ask(state: State, of: Occurrence, event: ApprovalOpened | ApprovalAmended) -> State:
    groups = state.part(ApprovalRequest).groups
    first = groups[0]
    matter = _pick_matter(event)
    approval_request = approval.ask_approval(
        state,
        of,
        gate=GATE,
        role=first.roles[0] if first.roles else first.seats[0].role,
        content={"stream": state.stream, **plain(matter)},
        until=event.until,
        bound=plain(matter),
        groups=groups,
    )
    return approval.change_open(
        approval_request,
        gate=GATE,
        remind_at=event.remind_at,
        escalate_at=event.escalate_at,
        above=event.escalate_to,
    )


def _group(of: Approvers) -> ApproverGroup:
    return ApproverGroup(of.roles, of.seats, of.acts_for, of.needed or len(of.seats), of.title or "")


# ---------------------------------------------------------------- deadlines, and who is awaited


def due(state: State, _calendar: Calendar) -> Iterable[Due]:
    """When it is reminded of, escalated, and expires."""
    approval = find_open(state)
    if approval is None:
        return
    if approval.remind_at is not None and not state.part(ApprovalRequest).is_reminded:
        yield Due(approval.remind_at, RemindApproval(), str(approval.id))
    if approval.escalate_at is not None and not approval.is_escalated:
        yield Due(approval.escalate_at, EscalateApproval(), str(approval.id))
    if approval.until is not None:
        yield Due(approval.until, ExpireApproval(), str(approval.id))


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """Those who have not voted of each group that still lacks consent, and those above once it came to them."""
    approval = find_open(state)
    if approval is None:
        return
    request = state.part(ApprovalRequest)
    zh, en = f"審批：{request.title}", f"decide: {request.title}"
    if request.is_reminded:
        zh, en = f"{zh}（已催辦）", f"{en} (reminded)"
    groups = [approval.approvers[number] for number in list_unmet(approval)]
    above = (ApproverGroup(seats=approval.above),) if approval.is_escalated else ()
    voted = {vote.acting.seat for vote in approval.votes}
    for group in (*groups, *above):
        roles = tuple(dict.fromkeys((*group.roles, *(seat.role for seat in group.seats))))
        seats = () if group.roles else tuple(seat for seat in group.seats if seat not in voted)
        yield Awaited(roles, GATE, "", zh, en, approval.until, seats=seats)


DECIDER = Decider(
    name="request",
    zh="提請審批",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    due=due,
    awaiting=awaiting,
)


def _name_payee(order: Order, state: State, _facts: Facts) -> frozenset[str]:
    """Who would be paid by what waits there; whoever asked for it may take it back all the same."""
    waiting = find_open(state)
    if waiting is None or isinstance(order.command, WithdrawApproval):
        return frozenset()
    return frozenset({str(waiting.bound.get("payee") or "")}) - {""}


APPROVAL = Aggregate(
    kind=KIND,
    zh="審批",
    en="approval",
    en_many="approvals",
    deciders=(DECIDER, PROPOSALS, unpark((DECIDER,))),
    final=frozenset(set(ApprovalStage) - {ApprovalStage.OPEN}),
    impartiality=require_impartial("SD15", _name_payee),
    summary=lambda state: {"title": state.part(ApprovalRequest).title},
)
