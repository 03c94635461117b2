"""A project from the first draft of its application to the archive, as its rooms in order of life."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.application import Application
from domain.kernel.decider import PROPOSALS, Aggregate, unpark
from domain.project import (
    award,
    bidding,
    challenge,
    closeout,
    community,
    contract,
    delivery,
    disbursement,
    disposal,
    evaluation,
    objection,
    opening,
    publicity,
    reimbursement,
    remedy,
    sealing,
    termination,
    variation,
)
from domain.project.money import Money
from domain.project.stage import Stage, with_gates
from domain.project.uncounted import list_uncounted
from domain.registers.interest import require_impartial

if TYPE_CHECKING:
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command
    from domain.kernel.state import State


def _governed_by(state: State, command: Command) -> StreamId | None:
    """Name the round whose rules hold until a contract fixes them (design.md §7)."""
    return None if state.scheme is not None else bidding.name_governor(state, command)


def _summary(state: State) -> dict[str, object]:
    """Give what lists show: its numbers, title and money in fen. No personal data."""
    application, awarded, money = state.part(Application), state.part(award.Award), state.part(Money)
    opened_on = state.part(opening.Openings).opened_on
    return {
        "title": application.title,
        "project": awarded.project,
        "organisation": application.organisation,
        "round": application.round or "",
        "kind": application.kind.value,
        "requested": application.requested,
        "award": state.part(contract.Contract).award or awarded.amount,
        "paid": money.paid,
        "cancelled": money.cancelled,
        "returned": money.returned,
        "clawed_back": money.clawed_back,
        "net": money.net,
        "outstanding": termination.outstanding(state),
        **({"opened_on": opened_on.isoformat()} if opened_on else {}),
    }


_STAGES = tuple(
    with_gates(stage.DECIDER)
    for stage in (
        bidding,
        sealing,
        award,
        objection,
        publicity,
        challenge,
        contract,
        disbursement,
        delivery,
        reimbursement,
        community,
        variation,
        evaluation,
        remedy,
        termination,
        closeout,
        disposal,
        opening,
    )
)

PROJECT = Aggregate(
    kind="project",
    zh="項目",
    en="project",
    en_many="projects",
    deciders=(*_STAGES, PROPOSALS, unpark(_STAGES)),
    final=frozenset({Stage.ARCHIVED, Stage.REVOKED, Stage.WITHDRAWN, Stage.PRELIM_FAILED, Stage.NOT_SELECTED}),
    governed_by=_governed_by,
    uncounted=list_uncounted,
    hands=disbursement.list_hands,
    impartiality=require_impartial("SD15", lambda _order, state, _facts: state.part(Application).bidders),
    summary=_summary,
)
"""The heart: one stream, one workflow, for a year or more."""
