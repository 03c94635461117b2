"""Streams that name somebody in every relation, or nobody; seats that act for those named, for others, for nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from domain.application import Application
from domain.kernel.facts import Facts
from domain.kernel.identifier import Actor, Role, StreamId
from domain.kernel.message import Order
from domain.kernel.relation import scope_kind
from domain.kernel.scope import Scope, ScopeKind
from domain.kernel.state import State
from domain.need import Need
from domain.project.contract import Contract, Parties
from domain.project.delivery import Delivery
from domain.registers.incubation_base import Base
from domain.registers.organisation import Organisation, OrganisationKind
from domain.registers.panel import Panel
from domain.round.plan import Round

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.acting import PersonId
    from domain.kernel.message import Command

REALM: Final = "test"
AT: Final = datetime(2024, 6, 3, 1, tzinfo=UTC)
NAMED: Final[Mapping[Role, str]] = {
    Role.HOST: "HOST-1",
    Role.SUPV: "SUPV-1",
    Role.EVAL: "EVAL-1",
    Role.AUDIT: "AUDIT-1",
    Role.DCAB: "DIST-1",
    Role.COMM: "COMM-1",
    Role.BASE_OP: "BASE-1",
    Role.SO_LEGAL: "ORG-1",
    Role.SO_PM: "ORG-1",
    Role.SO_ACC: "ORG-1",
}
"""For whom the rightful seat of each role acts."""
PARTNER: Final = "ORG-2"
STRANGER: Final = "STRANGER-666"
PARTIES: Final = Parties(host="HOST-1", supervisor="SUPV-1", evaluator="EVAL-1", auditor="AUDIT-1", community="COMM-1")

_SAID: Final[Mapping[str, Any]] = {
    "base": "BASE-1",
    "organisation": "ORG-1",
    "community": "COMM-1",
    "district": "DIST-1",
    "round": "R-1",
    "evaluator": None,
    "auditor": None,
}
"""What a command says of itself, in so far as it has such a field."""


def scope_of(role: Role, *names: str) -> Scope:
    """The scope of a seat of that role."""
    kind = scope_kind(role)
    is_whole = kind in (ScopeKind.BUREAU, ScopeKind.ROSTER, ScopeKind.ANYBODY)
    return Scope(kind=kind, names=() if is_whole else names)


def speak(command: type[Command], *, named: bool) -> Command:
    """That command, saying for whom it is in the fields that it has, or saying nobody."""
    fields = _SAID if named else dict.fromkeys(_SAID)
    return command.model_construct(**{k: v for k, v in fields.items() if k in command.model_fields})


def order(
    command: Command, role: Role, scope: Scope | None, number: int = 1, persons: frozenset[PersonId] = frozenset()
) -> Order:
    """That command, asked by a seat with that scope."""
    return Order(command, Actor(f"{role}#{number}"), AT, persons, scope=scope)


def stream(kind: str, stage: str, *, named: bool) -> State:
    """A stream of that kind in that stage, which names somebody in every relation, or nobody."""
    name = {"base": "BASE-1" if named else "BASE-9"}.get(kind, "x")
    state = State(StreamId.of(kind, REALM, name), version=1, stage=stage)
    if not named:
        return state
    match kind:
        case "project":
            bid = Application(
                organisation="ORG-1",
                partners=(PARTNER,),
                round="R-1",
                community="COMM-1",
                district="DIST-1",
                base="BASE-1",
            )
            return state.with_parts(bid, Contract(version=1, parties=PARTIES), Delivery(supervisor="SUPV-1"))
        case "panel":
            return state.with_parts(Panel(round="R-1", seated=("E1", "E2", "E3"), barred=frozenset({"E4"})))
        case "organisation" if stage != "NONE":
            known = Organisation(kind=OrganisationKind.SOCIAL_GROUP, district="DIST-1", round="R-1")
            return state.with_parts(known)
        case "base":
            return state.with_parts(Base(operator="ORG-1", evaluator="EVAL-1"))
        case "need":
            return state.with_parts(Need(community="COMM-1", district="DIST-1"))
        case _:
            return state


def facts(*, named: bool) -> Facts:
    """The round R-1 with its host, or without."""
    round_ = StreamId.of("round", REALM, "R-1")
    return Facts(streams={round_: State(round_, version=1).with_parts(Round(host="HOST-1" if named else None))})


def former_partner(state: State) -> State:
    """The same project after the partner has left the bid."""
    return state.with_parts(replace(state.part(Application), partners=()))
