"""Who may see a file: the bureau's own see all, everybody else what is their business. To others it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from domain.application import Application
from domain.kernel.identity import Role
from domain.kernel.scope import ScopeKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.state import State
    from store.identity import SeatGrant, Seats

HOUSE_ROLES: Final = frozenset(
    {Role.CAB_REG, Role.CAB_FIN, Role.CAB_DEC, Role.FISCAL, Role.HOST, Role.DISC, Role.AUDIT}
)
"""Roles whose business is the whole house unless their seat's scope says otherwise."""
_OF_EVERYBODY: Final = frozenset({"scheme", "calendar", "round", "need"})
"""Kinds of which whoever is known may read: rules, calls and the needs that they answer."""


def sees_all(seats: Seats) -> bool:
    """Whether everything in the house may be seen by them."""
    return any(_is_of_the_house(grant) for grant in seats)


def may_see(seats: Seats, state: State) -> bool:
    """Whether that file may be seen by them."""
    if sees_all(seats):
        return True
    if state.stream.kind in _OF_EVERYBODY:
        return bool(seats)
    return any(_is_business(grant, state) for grant in seats)


def _is_of_the_house(grant: SeatGrant) -> bool:
    if grant.scope is None:
        return grant.seat.role in HOUSE_ROLES
    return grant.scope.kind is ScopeKind.BUREAU


def _is_business(grant: SeatGrant, state: State) -> bool:
    scope = grant.scope
    if scope is None:
        return False
    names = frozenset(scope.names)
    match scope.kind:
        case ScopeKind.BUREAU:
            return True
        case ScopeKind.ORGANISATION:
            return not names.isdisjoint(_organisations(state))
        case ScopeKind.BASE:
            return not names.isdisjoint(_bases(state))
        case ScopeKind.COMMUNITY:
            return state.part(Application).community in names
        case ScopeKind.DISTRICT | ScopeKind.PARTY | ScopeKind.ROSTER | ScopeKind.ANYBODY:
            return False
        case _:
            assert_never(scope.kind)


def _organisations(state: State) -> Iterable[str]:
    return (state.stream.name,) if state.stream.kind == "organisation" else state.part(Application).bidders


def _bases(state: State) -> Iterable[str]:
    base = state.part(Application).base
    return (state.stream.name,) if state.stream.kind == "base" else (base,) if base else ()
