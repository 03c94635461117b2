"""Whatever is ordered, by whom and when: money adds up, three people pay, and every deadline can be applied."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from domain.kernel.calendar import day_begins
from domain.kernel.canonical import canonical, plain
from domain.kernel.effects import WORLD, Post
from domain.kernel.identifier import SYSTEM, Actor, Role
from domain.kernel.message import Command, Event, Occurrence, Order
from domain.kernel.refusal import CommandRejected
from domain.kernel.state import State
from domain.project.closeout import (
    ArchiveProject,
    CloseProject,
    ReopeningGround,
    ReopenProject,
    ReturnSurplus,
    SubmitFinalReport,
)
from domain.project.contract import ConfirmLedgerAccount, Contract, RegisterLedgerAccount
from domain.project.delivery import MeetMilestone, StartProject
from domain.project.disbursement import (
    ApproveDisbursement,
    CancelTranche,
    CheckDisbursement,
    FailDisbursement,
    PayDisbursement,
    RequestDisbursement,
    WithholdDisbursement,
)
from domain.project.evaluation import (
    ConcludeFinalEvaluation,
    ConcludeMidtermEvaluation,
    IssueAuditOpinion,
    Opinion,
    Result,
)
from domain.project.money import Money
from domain.project.remedy import (
    AcceptRectification,
    FailRectification,
    OrderRectification,
    ResumeProject,
    SubmitRectification,
    SuspendProject,
    SuspensionGround,
)
from domain.project.stage import Gates, Stage
from domain.project.termination import (
    InitiateTermination,
    OrderClawback,
    ReceiveClawback,
    TerminateProject,
    UpholdTerminationAppeal,
    outstanding,
)
from domain.project.tranches import Tranches, TrancheStatus
from domain.project.variation import AmendContract, ApproveVariation, RequestVariation
from tests.domain.project.life import ACCOUNT, AGAINST, BOTH, INDEX, SIGNED, agreement, awarded
from tests.domain.pure_realm import EVIDENCE
from tests.tables import mostly

if TYPE_CHECKING:
    from datetime import datetime

    from tests.domain.sentences import StreamStory

WINDING_UP = (Stage.SETTLEMENT, Stage.TERMINATING)
FOUND = {"finding": "不足", "attachments": EVIDENCE}


def fen(rng: Random, *amounts: int) -> int:
    """One of these amounts, or a single fen."""
    return rng.choice((1, *(max(amount, 1) for amount in amounts)))


def of_tranche(rng: Random, state: State) -> Command:
    """Something that is done to a tranche: mostly what comes next."""
    name, tranche = rng.choice(sorted(state.part(Tranches).of.items()))
    onward: dict[TrancheStatus, Command] = {
        TrancheStatus.REQUESTED: CheckDisbursement(tranche=name),
        TrancheStatus.CHECKED: ApproveDisbursement(tranche=name),
        TrancheStatus.APPROVED: PayDisbursement(tranche=name, amount=max(tranche.requested, 1)),
    }
    off: tuple[Command, ...] = (
        RequestDisbursement(tranche=name),
        FailDisbursement(tranche=name, reason="退匯"),
        WithholdDisbursement(tranche=name, **AGAINST),
        CancelTranche(tranche=name, amount=fen(rng, tranche.remainder, tranche.remainder // 2), **AGAINST),
        *onward.values(),
    )
    follows = onward.get(tranche.status, RequestDisbursement(tranche=name))
    if state.stage in WINDING_UP and tranche.gate not in state.part(Gates).passed:
        follows = CancelTranche(tranche=name, amount=max(tranche.remainder, 1), **AGAINST)
    return follows if rng.random() < 2 / 3 else rng.choice(off)


def of_variation(rng: Random, state: State) -> Command:
    """Something that is done to a variation."""
    number, version = rng.choice("123"), state.part(Contract).version + 1
    return rng.choice(
        (
            RequestVariation(variation=number, reason="調劑", move={"venue": -1, "activity": 1}),
            ApproveVariation(variation=number),
            AmendContract(variation=number, version=version, award=15000000, signatures=BOTH),
        )
    )


def of_money(rng: Random, state: State) -> Command:
    """Something that is done to money that was paid."""
    money, left = state.part(Money), outstanding(state)
    unjustified = money.net - (money.audited or 0)
    eligible = min(fen(rng, money.net, money.net // 2), 15000000)
    return rng.choice(
        (
            OrderClawback(amount=fen(rng, unjustified - left), **AGAINST),
            ReceiveClawback(amount=fen(rng, left, left // 2)),
            ReturnSurplus(amount=fen(rng, unjustified, unjustified)),
            IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=eligible),
            ReopenProject(ground=ReopeningGround.POST_AUDIT, eligible=eligible, **FOUND),
        )
    )


WHOLE: tuple[Command, ...] = (
    RegisterLedgerAccount(account=ACCOUNT),
    RegisterLedgerAccount(account="b" * 64),
    ConfirmLedgerAccount(account="b" * 64),
    StartProject(),
    MeetMilestone(milestone="MS-1"),
    MeetMilestone(milestone="MS-2"),
    ConcludeMidtermEvaluation(score=Decimal(80), result=Result.PASS),
    ConcludeMidtermEvaluation(score=Decimal(80), result=Result.PASS, recheck=True),
    ConcludeMidtermEvaluation(score=Decimal(40), result=Result.FAIL, **FOUND),
    ConcludeFinalEvaluation(score=Decimal(86), grade="良好"),
    ConcludeFinalEvaluation(score=Decimal(40), grade="不合格", **FOUND),
    OrderRectification(findings=("缺憑證",), attachments=EVIDENCE),
    SubmitRectification(),
    AcceptRectification(),
    FailRectification(**FOUND),
    FailRectification(extended=True, **FOUND),
    SuspendProject(ground=SuspensionGround.RISK, **AGAINST),
    ResumeProject(cured="已消除"),
    InitiateTermination(ground="違約", attachments=EVIDENCE),
    UpholdTerminationAppeal(finding="成立", record=SIGNED),
    TerminateProject(**AGAINST),
    SubmitFinalReport(),
    CloseProject(),
    ArchiveProject(index=INDEX),
)


def some_command(rng: Random, state: State) -> Command:
    """A command that is legal at this stage."""
    legal = [command for command in WHOLE if state.stage in command.during] or WHOLE
    if state.stage in WINDING_UP and rng.random() < 1 / 4:
        return CloseProject() if state.stage == Stage.SETTLEMENT else TerminateProject(**AGAINST)
    if not state.part(Tranches).of:
        return rng.choice(legal)
    kinds = (of_money, of_tranche, of_tranche, of_variation)
    kind = rng.choice((*kinds, None, None))
    return rng.choice(legal) if kind is None else kind(rng, state)


PACES = (0, 0, 0, 0, 0, 0, 1, 1, 5, 15)
STARTED: tuple[Command, ...] = (RegisterLedgerAccount(account=ACCOUNT), StartProject())
PAID: tuple[Command, ...] = (
    *STARTED,
    RequestDisbursement(tranche="T1"),
    CheckDisbursement(tranche="T1"),
    ApproveDisbursement(tranche="T1"),
    PayDisbursement(tranche="T1", amount=7500000),
)
REPORTED: tuple[Command, ...] = (
    *PAID,
    MeetMilestone(milestone="MS-1"),
    MeetMilestone(milestone="MS-2"),
    SubmitFinalReport(),
)
AUDITED: tuple[Command, ...] = (*REPORTED, IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=7500000))
SETTLING: tuple[Command, ...] = (*AUDITED, ConcludeFinalEvaluation(score=Decimal(86), grade="良好"))
ENDING: tuple[Command, ...] = (
    *PAID,
    InitiateTermination(ground="違約", attachments=EVIDENCE),
    IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=4500000),
)
BEGINNINGS: tuple[tuple[Command, ...], ...] = ((), STARTED, PAID, REPORTED, AUDITED, SETTLING, ENDING)


class LedgerWalk:
    """A project that takes whatever comes, with its own ledger."""

    def __init__(self, story: StreamStory) -> None:
        self.aggregate, self.facts, self.state = story.aggregate, story.facts, story.state
        self.ledger = {"committed/test/AP-2/FS-LOT": 7000000, "committed/test/AP-2/FS-CSF": 8000000}
        self.last = story.state.since

    def take(self, command: Command, number: int, at: datetime) -> None:
        """Whatever is due first, then the command by whoever may ask for it."""
        self.pass_time(at)
        actor = Actor(f"{command.by[0]}#{number}")
        try:
            events = self.aggregate.decide(self.state, self.facts, Order(command, actor, at))
        except CommandRejected:
            return
        self.record(events, actor, at)

    def pass_time(self, until: datetime) -> None:
        while (due := self.aggregate.due(self.state, self.facts.calendar)) is not None and due.at <= until:
            assert self.last is None or due.at >= self.last, f"{due} lies before what has happened"
            self.record(
                self.aggregate.decide(self.state, self.facts, Order(due.command, SYSTEM, due.at)), SYSTEM, due.at
            )
            assert self.aggregate.due(self.state, self.facts.calendar) != due, f"{due} stays due"

    def record(self, events: list[Event], actor: Actor, at: datetime) -> None:
        for event in events:
            again = type(event).model_validate_json(canonical(plain(event)))
            assert again == event
            self.state = self.aggregate.evolve(self.state, Occurrence(event, at, actor, UUID(int=0)))
            for effect in event.effects(self.state.stream):
                if isinstance(effect, Post):
                    self.ledger[effect.source] = self.ledger.get(effect.source, 0) - effect.fen
                    self.ledger[effect.target] = self.ledger.get(effect.target, 0) + effect.fen
        self.last = at
        self.adds_up()

    def adds_up(self) -> None:
        assert all(fen >= 0 for account, fen in self.ledger.items() if not account.startswith((WORLD, "envelope/")))
        assert sum(self.ledger.values()) == 15000000
        contract, money = self.state.part(Contract), self.state.part(Money)
        if not contract.version:
            return
        tranches = self.state.part(Tranches).of.values()
        assert sum(t.planned for t in tranches) == contract.award
        assert money.paid == sum(t.paid for t in tranches) <= contract.award
        assert money.cancelled == sum(t.cancelled for t in tranches)
        assert 0 <= money.net <= money.paid
        for fund in ("FS-LOT", "FS-CSF"):
            assert self.ledger.get(f"committed/test/AP-2/{fund}", 0) == money.committed.get(fund, 0)
            assert self.ledger.get(f"paid/test/AP-2/{fund}", 0) == money.out.get(fund, 0)
        for tranche in tranches:
            if tranche.status is TrancheStatus.PAID:
                hands = len({tranche.maker, tranche.checker, tranche.approver} - {None})
                assert hands == (3 if tranche.requests else 0), (
                    "what was paid before it was taken over had no hands here"
                )
                assert tranche.paid + tranche.cancelled == tranche.planned


def walked(seed: int, orders: int = 120, after: int = 400) -> LedgerWalk:
    """A life made of many orders that the seed chooses, and of so many days after."""
    rng = Random(seed)  # noqa: S311 - nothing secret: the same seed is the same life
    walk = LedgerWalk(awarded())
    at = day_begins(date(2024, 6, 4)) + timedelta(hours=9)
    walk.take(agreement(self_assessment_due=date(2024, 9, 2)), 1, at)
    for command in rng.choice(BEGINNINGS):
        at += timedelta(minutes=1)
        walk.take(command, 1, at)
    for _ in range(orders):
        at += timedelta(days=rng.choice(PACES), minutes=1)
        walk.pass_time(at)
        command = some_command(rng, walk.state)
        walk.take(command, 1 if Role.SO_LEGAL in command.by else rng.choice((1, 2)), at)
    walk.pass_time(at + timedelta(days=after))
    return walk


@mostly(1, "first", range(0, 200, 20))
def test_whatever_is_ordered_money_adds_up_and_no_deadline_is_stuck(first: int) -> None:
    for seed in range(first, first + 20):
        walked(seed)
