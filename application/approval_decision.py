"""Deciding an approval: which command that is, whatever stage asked for it. The rules judge it like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from application.command_input import read_command
from application.command_outcome import find_outcome
from application.proposals import list_proposals
from domain.approval.request import GATE
from domain.catalogue import command_class
from domain.kernel.approval import Verdict
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.proposal import ConfirmAct
from domain.kernel.refusal import CommandRejected, Unmet
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from application.approvals import StreamApproval
    from domain.kernel.field_shape import Notation
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command
    from store.port import EventStore


class Choice(Words):
    """How an approval is to be decided."""

    APPROVE = "approve", "批准", "approve"
    DECLINE = "decline", "不批准", "decline"
    RETURN = "return", "退回修改", "return for change"


DECLINES: Final[Mapping[str, str]] = {
    "ApproveVariation": "RejectVariation",
    ConfirmAct.command_type: "DropAct",
    "TerminateProject": "UpholdTerminationAppeal",
    GATE: "DeclineApproval",
}
"""By gate, the stage's own command that says no. Of others only what the stage knows ends them, or their content."""
RETURNS: Final[Mapping[str, str]] = {GATE: "ReturnApproval"}
"""By gate, the stage's own command that sends it back."""


class NoSuchDecision(Failure):
    """The stage knows no command that decides it so."""

    kind = FailureKind.REFUSED

    def __init__(self, gate: str, choice: Choice) -> None:
        zh = command_class(gate).zh()
        known = [Choice.APPROVE, *([Choice.DECLINE] if gate in DECLINES else [])]
        super().__init__(
            f"「{zh}」沒有「{choice.zh}」一項，只可{'、'.join(one.zh for one in known)}",
            f"{gate} knows no «{choice.en}», only {', '.join(one.en for one in known)}",
            gate=gate,
        )


class ApprovalEnded(CommandRejected):
    """It is decided already, or its content has moved: nothing may be decided about it any more.

    The rule is that by which its stage would refuse the same command.
    """

    remedy_zh = remedy_en = ""

    def __init__(self, request: StreamApproval, rule: str) -> None:
        verdict = request.approval.verdict
        zh, en = "此項審批現為「{verdict}」，不得再決定", "the approval is {verdict}: nothing more is decided about it"
        super().__init__((Unmet.of(rule, zh, en, verdict=verdict),))
        self.details |= {"approval": str(request.approval.id), "verdict": str(verdict)}


def find_decision(gate: str, choice: Choice) -> type[Command]:
    """The command that decides an approval of that gate so. Raises NoSuchDecision."""
    names = {Choice.APPROVE: {gate: gate}, Choice.DECLINE: DECLINES, Choice.RETURN: RETURNS}[choice]
    if gate not in names:
        raise NoSuchDecision(gate, choice)
    return command_class(names[gate])


async def build_decision(
    store: EventStore,
    request: StreamApproval,
    choice: Choice,
    particulars: Mapping[str, object],
    notation: Notation,
    command_id: UUID | None,
) -> Command:
    """The command that decides that approval so, bound to what it is about; ``particulars`` are whatever else it takes.

    Raises NoSuchDecision, InputInvalid with all that is lacking, and ApprovalEnded unless the id was asked before: then
    the recorded outcome is the answer.
    """
    approval = request.approval
    command_type = find_decision(approval.gate, choice)
    if approval.verdict is not Verdict.OPEN and (command_id is None or await find_outcome(store, command_id) is None):
        raise ApprovalEnded(request, command_type.rule)
    bound: dict[str, object] = {}
    match approval.gate:
        case ConfirmAct.command_type if "digest" in command_type.model_fields:
            bound = {"digest": await _read_digest(store, request.stream, int(approval.key))}
        case _ if approval.gate == GATE:
            bound = {"digest": approval.content}
        case _:
            pass
    part = approval.key if command_type.subject_field else ""
    if command_type.subject_field == "proposal":
        part, bound = "", {**bound, "proposal": notation_of_number(approval.key, notation)}
    return read_command(command_type, part, {**particulars, **bound}, notation)


def notation_of_number(text: str, notation: Notation) -> object:
    """A whole number as that notation has it."""
    return text if notation.value == "typed" else int(text)


async def _read_digest(store: EventStore, stream: StreamId, number: int) -> str:
    return (await list_proposals(store, stream))[number].digest
