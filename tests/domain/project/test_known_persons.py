"""What holds where persons are known: the first payee account waits too, money comes back by two, with its proof."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from domain.kernel.identifier import Role
from domain.kernel.proposal import ActProposed, ConfirmAct
from domain.project.closeout import ReturnSurplus
from domain.project.contract import ConfirmLedgerAccount, Contract, RegisterLedgerAccount
from domain.project.disbursement import FailDisbursement, RequestDisbursement
from domain.project.money import Money
from domain.project.termination import ReceiveClawback
from tests.domain.project.life import ACCOUNT, contracted
from tests.domain.project.test_closeout import settling
from tests.domain.pure_realm import EVIDENCE
from tests.policy.standings import scope_of

if TYPE_CHECKING:
    from domain.kernel.message import Command
    from tests.domain.sentences import StreamStory

ORG_1, BUREAU = scope_of(Role.SO_ACC, "ORG-1"), scope_of(Role.CAB_FIN)
REGISTER = RegisterLedgerAccount(account=ACCOUNT)
CONFIRM = ConfirmLedgerAccount(account=ACCOUNT)
REQUEST = RequestDisbursement(tranche="T1")


def without_account() -> StreamStory:
    """A contract of which nobody has said yet where the money goes."""
    story = contracted()
    return replace(story, state=story.state.with_parts(replace(story.state.part(Contract), account="")))


# ---------------------------------------------------------------- the first account


def test_the_first_account_too_waits_for_finance_and_rests_a_day() -> None:
    story = without_account()
    story = story.when_acting(REGISTER, at="2024-06-10", by="SO-ACC#1", scope=ORG_1, persons=["P-1"]).accepted()
    story.when(REQUEST, at="2024-06-12", by="CAB-REG#1").refused("SD9")
    assert "ConfirmLedgerAccount" in story.awaited()
    later = "2024-06-10T10:00+08:00"
    story = story.when_acting(CONFIRM, at=later, by="CAB-FIN#1", scope=BUREAU, persons=["P-2"]).accepted()
    story.when(REQUEST, at="2024-06-11T08:59:59+08:00", by="CAB-REG#1").refused("SD9")
    story.when(REQUEST, at="2024-06-11T09:00:00+08:00", by="CAB-REG#1").accepted()


def test_whoever_registered_the_account_does_not_confirm_it_as_finance() -> None:
    story = without_account()
    story = story.when_acting(REGISTER, at="2024-06-10", by="SO-ACC#1", scope=ORG_1, persons=["P-1"]).accepted()
    story.when_acting(CONFIRM, at="2024-06-11", by="CAB-FIN#1", scope=BUREAU, persons=["P-1"]).refused("SD14")


def test_an_account_from_papers_is_vouched_for_and_needs_no_rest() -> None:
    story = without_account().ordered(REGISTER, at="2024-06-10", by="SO-ACC#1")
    story.when(REQUEST, at="2024-06-10", by="CAB-REG#1").accepted()


# ---------------------------------------------------------------- money that comes back


BACK = ReturnSurplus(amount=100, attachments=EVIDENCE)


def proposed(command: Command, by: str, story: StreamStory) -> tuple[StreamStory, ConfirmAct]:
    """The story after somebody has said that money is back, and what confirms it."""
    judgement = story.when_acting(
        command, at="2025-01-06", by=by, scope=ORG_1 if by.startswith("SO") else BUREAU, persons=["P-1"]
    )
    after = judgement.accepted()
    (event,) = judgement.events
    assert isinstance(event, ActProposed)
    assert after.state.part(Money) == story.state.part(Money), "nothing has come back by what one person says"
    return after, ConfirmAct(proposal=event.proposal, digest=event.digest)


def test_a_surplus_is_back_once_finance_has_confirmed_it() -> None:
    story, confirm = proposed(BACK, "SO-ACC#1", settling())
    story.when_acting(confirm, at="2025-01-07", by="SO-ACC#2", scope=ORG_1, persons=["P-2"]).refused("M3")
    story.when_acting(confirm, at="2025-01-07", by="CAB-REG#1", scope=BUREAU, persons=["P-2"]).refused("M3")
    story.when_acting(confirm, at="2025-01-07", by="CAB-FIN#1", scope=BUREAU, persons=["P-1"]).refused("TP03", "SD14")
    story = story.when_acting(confirm, at="2025-01-07", by="CAB-FIN#1", scope=BUREAU, persons=["P-2"]).accepted()
    assert story.state.part(Money).returned == BACK.amount


@pytest.mark.parametrize(
    ("command", "by"),
    [
        (ReturnSurplus(amount=100), "SO-ACC#1"),
        (FailDisbursement(tranche="T1", reason="賬號有誤"), "FISCAL#1"),
    ],
    ids=["surplus", "sent back by the bank"],
)
def test_money_that_comes_back_needs_its_proof(command: Command, by: str) -> None:
    scope = ORG_1 if by.startswith("SO") else BUREAU
    settling().when_acting(command, at="2025-01-06", by=by, scope=scope, persons=["P-1"]).refused("V1")


def test_a_payment_that_the_bank_sent_back_may_be_asked_for_again_once_finance_has_confirmed_it() -> None:
    failed = FailDisbursement(tranche="T1", reason="賬號有誤", attachments=EVIDENCE)
    story, confirm = proposed(failed, "FISCAL#1", settling())
    story.when_acting(confirm, at="2025-01-07", by="FISCAL#2", scope=BUREAU, persons=["P-2"]).refused("M2")
    story.when_acting(confirm, at="2025-01-07", by="CAB-FIN#1", scope=BUREAU, persons=["P-1"]).refused("TP03")
    story = story.when_acting(confirm, at="2025-01-07", by="CAB-FIN#1", scope=BUREAU, persons=["P-2"]).accepted()
    assert story.state.part(Money).paid == 0


def test_what_is_clawed_back_takes_a_second_person_as_well() -> None:
    received = ReceiveClawback(amount=100, attachments=EVIDENCE)
    settling().when_acting(received, at="2025-01-06", by="CAB-FIN#1", scope=BUREAU, persons=["P-1"]).refused("M10")
    assert received.is_for_two()


def test_in_papers_one_act_stands_as_it_always_did() -> None:
    story = settling().ordered(ReturnSurplus(amount=100), at="2025-01-06", by="SO-ACC#1")
    assert story.state.part(Money).returned == 100
