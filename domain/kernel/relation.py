"""Whose business a stream is: what ties the scope of a seat to what the stream itself names (decision 022).

Every command says so in ``acts_for``, beside ``by``: a role may ask for it, and of that role the seats that act for
whom the stream names. A relation is a pure function of the stream, of the few streams that it names itself, and of the
command.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Role
from domain.kernel.scope import Scope, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from domain.kernel.state import State

Names = frozenset[str] | None
"""Those whom a stream names in a relation; None where that leaves it to every seat of that kind of scope."""

_SCOPES: Final[Mapping[Role, ScopeKind]] = {
    Role.HOST: ScopeKind.PARTY,
    Role.SUPV: ScopeKind.PARTY,
    Role.EVAL: ScopeKind.PARTY,
    Role.AUDIT: ScopeKind.PARTY,
    Role.DCAB: ScopeKind.DISTRICT,
    Role.EXPERT: ScopeKind.ROSTER,
    Role.SO_LEGAL: ScopeKind.ORGANISATION,
    Role.SO_PM: ScopeKind.ORGANISATION,
    Role.SO_ACC: ScopeKind.ORGANISATION,
    Role.COMM: ScopeKind.COMMUNITY,
    Role.BASE_OP: ScopeKind.BASE,
    Role.PUBLIC: ScopeKind.ANYBODY,
}


def scope_kind(role: Role) -> ScopeKind:
    """For what kind of thing a seat of that role acts: whoever is not named here belongs to the bureau's house."""
    return _SCOPES.get(role, ScopeKind.BUREAU)


def _everybody(_state: State, _facts: Facts, _command: Any) -> Names:  # noqa: ANN401 - any command
    return None


def _nothing(_state: State, _command: Any) -> Reads:  # noqa: ANN401 - any command
    return Reads()


@dataclass(frozen=True)
class Relation:
    """What makes a stream the business of a seat."""

    id: str
    """E.g. ``supervisor``; unique in the whole catalogue."""
    zh: str
    en: str
    """Who that is, e.g. "the supervisor whom the contract names"; and what holds where nobody is named."""
    scope: ScopeKind | None
    """Of what kind the seats are; None for the engine itself, which sits nowhere."""
    rule: str
    """What refuses a seat that acts for somebody else; empty for the command's own rule."""
    names: Callable[[State, Facts, Any], Names] = field(default=_everybody, compare=False)
    """Whom the stream names at that moment, given the command."""
    reads: Callable[[State, Any], Reads] = field(default=_nothing, compare=False)
    """What ``names`` must know of other streams. Nothing else of them is read before the relation holds."""
    roles: frozenset[Role] = frozenset()
    """Where one kind of scope has several roles: those whom it is about. Empty for all of that kind."""

    def is_about(self, role: Role) -> bool:
        """Whether it says anything of that role."""
        if role is Role.SYS or self.scope is None:
            return role is Role.SYS and self.scope is None
        if self.roles and role not in self.roles:
            return False
        return self.scope in (scope_kind(role), ScopeKind.ANYBODY)

    def is_held_by(self, scope: Scope, state: State, facts: Facts, command: object) -> bool:
        """Whether the stream names one for whom a seat of that scope acts."""
        if self.scope is ScopeKind.ANYBODY:
            return True
        if scope.kind is not self.scope:
            return False
        names = self.names(state, facts, command)
        return names is None or not names.isdisjoint(scope.names)


BUREAU = Relation("bureau", "局內經辦、財務、黨組會及財政部門", "the bureau and the treasury", ScopeKind.BUREAU, "AF01")
"""Of the bureau's seats any: what sets them apart is the role."""

ANYBODY = Relation("anybody", "任何人", "anybody", ScopeKind.ANYBODY, "AF01")

PUBLIC = Relation("public", "公眾", "the public", ScopeKind.ANYBODY, "AF01", roles=frozenset({Role.PUBLIC}))

ENGINE = Relation("engine", "系統（到期自動）", "the engine, at a deadline", None, "AF01")


def list_roles_without(by: Iterable[Role], acts_for: Iterable[Relation]) -> tuple[Role, ...]:
    """The roles that may ask for a command of which no relation says whose business it is."""
    relations = tuple(acts_for)
    return tuple(role for role in by if not any(relation.is_about(role) for relation in relations))


def list_idle_relations(by: Iterable[Role], acts_for: Iterable[Relation]) -> tuple[Relation, ...]:
    """The relations that are about none of the roles that may ask."""
    roles = tuple(by)
    return tuple(relation for relation in acts_for if not any(relation.is_about(role) for role in roles))
