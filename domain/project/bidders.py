"""The organisations behind a project: whether they may be funded, who acts for them, and who may not be one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.application import Application
from domain.kernel.facts import Reads
from domain.kernel.identifier import Role
from domain.kernel.phrase import word
from domain.kernel.relation import Relation
from domain.kernel.scope import ScopeKind
from domain.registers.organisation import require_authorised, require_fundable
from domain.round.plan import list_hosts

if TYPE_CHECKING:
    from datetime import date

    from domain.kernel.facts import Facts
    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.refusal import Checks
    from domain.kernel.relation import Names
    from domain.kernel.state import State


# ---------------------------------------------------------------- whose business a project is


def _name_bidder(state: State, _facts: Facts, command: Any) -> Names:  # noqa: ANN401 - a bid, as it is drafted or handed in
    """The organisation of the bid; nobody takes over the draft of another by naming itself in it."""
    known = state.part(Application).organisation
    return frozenset({command.organisation}) if known in ("", command.organisation) else frozenset()


def _read_round(state: State, command: object) -> Reads:
    round_ = _name_round(state, command)
    return Reads(streams=frozenset({state.stream.sibling("round", round_)})) if round_ else Reads()


def _name_round(state: State, command: object) -> str | None:
    return getattr(command, "round", None) or state.part(Application).round


def name_round_host(state: State, facts: Facts, command: object) -> Names:
    """The host of the round in which the bid is, or is to be."""
    return list_hosts(facts.of(state.stream.sibling("round", _name_round(state, command) or "NONE")))


BIDDER = Relation(
    "bidder",
    "申報書所載的申報單位；已有草稿者，須為同一組織",
    "the organisation that the bid names; of a draft on file, the one that wrote it",
    ScopeKind.ORGANISATION,
    "SD10",
    _name_bidder,
)

ORGANISATION = Relation(
    "organisation",
    "項目的申報單位（不含聯合申報單位）",
    "the organisation of the project, its partners excepted",
    ScopeKind.ORGANISATION,
    "SD10",
    lambda state, _facts, _command: frozenset({state.part(Application).organisation}) - {""},
)

PARTNERSHIP = Relation(
    "partnership",
    "項目的申報單位或現任聯合申報單位",
    "the organisation of the project, or one of its present partners",
    ScopeKind.ORGANISATION,
    "SD10",
    lambda state, _facts, _command: state.part(Application).bidders,
)

DISTRICT = Relation(
    "district",
    "申報書所載的區縣；未載明者，區縣不得辦理",
    "the district that the bid names; where it names none, no district",
    ScopeKind.DISTRICT,
    "AF02",
    lambda state, _facts, _command: frozenset({state.part(Application).district or ""}) - {""},
)

ROUND_HOST = Relation(
    "host.round",
    "屆次的承辦單位；屆次未載明者，任何承辦單位",
    "the host of the round; where the round names none, any managing agency",
    ScopeKind.PARTY,
    "AF05",
    name_round_host,
    _read_round,
    frozenset({Role.HOST}),
)

COMMUNITY = Relation(
    "community",
    "申報書所載受益社區",
    "the community that the bid names as its beneficiary",
    ScopeKind.COMMUNITY,
    "AF03",
    lambda state, _facts, _command: frozenset({state.part(Application).community or ""}) - {""},
)

SUPPORTED_BASE = Relation(
    "base",
    "受扶持的基地",
    "the base that is supported",
    ScopeKind.BASE,
    "AF04",
    lambda state, _facts, _command: frozenset({state.part(Application).base or ""}) - {""},
)


# ---------------------------------------------------------------- who may be funded, and who is somebody else


def require_independent(check: Checks, state: State, party: str | None, zh: str, en: str) -> None:
    """P3: whoever supervises, evaluates, audits or hosts is not the bidder."""
    check(
        party not in state.part(Application).bidders,
        "P3",
        "{part}不得由申報單位 {party} 擔任，請另行委託",
        "the applicant {party} cannot be the {part}; commission somebody else",
        party=party,
        part=word(zh, en),
    )


def list_applicants(state: State) -> frozenset[StreamId]:
    """The organisation and its partners, as streams."""
    return frozenset(state.stream.sibling("organisation", name) for name in state.part(Application).bidders)


def require_eligible(check: Checks, state: State, facts: Facts, today: date, rule: str) -> None:
    """Note why the organisation or a partner may not be funded on that day (D5)."""
    for stream in sorted(list_applicants(state)):
        require_fundable(check, facts.of(stream), today, facts.scheme, rule)


def require_representative(check: Checks, state: State, facts: Facts, actor: Actor) -> None:
    """SD10: who acts for the organisation is on its list of representatives."""
    organisation = state.part(Application).organisation
    if organisation:
        require_authorised(check, facts.of(state.stream.sibling("organisation", organisation)), actor)
