"""The organisations behind a project: whether they may be funded, who acts for them, and who may not be one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.application import Application
from domain.registers.organisation import list_ineligibility, list_unrepresented

if TYPE_CHECKING:
    from datetime import date

    from domain.kernel.facts import Facts
    from domain.kernel.identity import Actor, StreamId
    from domain.kernel.refusal import Checks
    from domain.kernel.state import State


def require_independent(check: Checks, state: State, party: str | None, zh: str, en: str) -> None:
    """P3: whoever supervises, evaluates, audits or hosts is not the bidder."""
    check(
        party not in state.part(Application).bidders,
        "P3",
        f"{zh}不得由申報方 {party} 擔任，須另行委託",
        f"the bidder {party} may not be the {en}; commission somebody else",
    )


def list_applicants(state: State) -> frozenset[StreamId]:
    """The organisation and its partners, as streams."""
    return frozenset(state.stream.sibling("organisation", name) for name in state.part(Application).bidders)


def require_eligible(check: Checks, state: State, facts: Facts, today: date, rule: str) -> None:
    """Note why the organisation or a partner may not be funded on that day (D5)."""
    for stream in sorted(list_applicants(state)):
        list_ineligibility(check, facts.of(stream), today, facts.scheme, rule)


def require_representative(check: Checks, state: State, facts: Facts, actor: Actor) -> None:
    """SD10: who acts for the organisation is on its list of representatives."""
    organisation = state.part(Application).organisation
    if organisation:
        list_unrepresented(check, facts.of(state.stream.sibling("organisation", organisation)), actor)
