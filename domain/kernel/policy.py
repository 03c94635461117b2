"""The one policy for commands: role, stage, relation, and one human for one side (decision 022). Pure and total.

It is asked before anything of other streams is read for a command, and again when the command is decided. What takes
two persons, or a third, is judged by the rules of the stage that knows the first; what is asked here needs no more than
the stream itself and whom it names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Role
from domain.kernel.phrase import Word, read_params, word
from domain.kernel.refusal import Unmet
from domain.kernel.scope import Scope, ScopeKind
from domain.kernel.state import Part, State
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.acting import PersonId
    from domain.kernel.message import Command, Occurrence, Order
    from domain.kernel.relation import Relation

_NO_SEAT_OF_BUSINESS: Final[Mapping[Role, tuple[str, str, str]]] = {
    Role.DISC: ("P6", "：紀檢監察只讀不決", ": discipline inspection reads everything and decides nothing"),
    Role.ADMIN: ("SD8", "：系統管理員不兼業務崗位", ": administrators hold no business seat"),
}
"""Roles that no command of the business is for, with the rule that says why."""

_SIDES: Final[Mapping[Role, str]] = {
    **dict.fromkeys((Role.CAB_REG, Role.CAB_FIN, Role.CAB_DEC, Role.FISCAL), "bureau"),
    **dict.fromkeys((Role.SO_LEGAL, Role.SO_PM, Role.SO_ACC), "organisation"),
    **{role: role.value for role in (Role.HOST, Role.DCAB, Role.EXPERT, Role.EVAL, Role.AUDIT, Role.SUPV)},
    **{role: role.value for role in (Role.COMM, Role.BASE_OP, Role.PUBLIC)},
}
"""On whose side a role stands; discipline, administrators and the engine stand on none."""


_SIDE_WORDS: Final[Mapping[str, Word]] = {
    "bureau": word("民政局", "the bureau"),
    "organisation": word("申報單位", "the organisation"),
}


_REMEMBERED: Final = 1024
"""Refusals kept of each kind: the same few are said again and again, and to put them in words takes long."""


def _side_words(side: str) -> object:
    """What a side is called: that of one role alone is called like the role."""
    return _SIDE_WORDS.get(side) or Role(side)


@dataclass(frozen=True)
class Sides(Part):
    """Who has acted on this stream for which side, as far as persons are known."""

    of: Mapping[str, frozenset[PersonId]] = field(default_factory=lambda: MappingProxyType({}))


def remember_side(state: State, occurrence: Occurrence) -> State:
    """The state that knows on whose side they stood who caused that event."""
    side = _SIDES.get(occurrence.actor.role)
    if side is None or not occurrence.persons:
        return state
    sides = state.part(Sides).of
    return state.with_parts(Sides(MappingProxyType({**sides, side: sides.get(side, frozenset()) | occurrence.persons})))


def authorize(order: Order, state: State, facts: Facts, by: tuple[Role, ...] = ()) -> tuple[Unmet, ...]:
    """Why this seat may not ask this of that stream now, rule by rule; nothing where it may.

    ``facts`` holds what ``list_business_reads`` names. A seat without scope is bare, and whoever took its papers in
    vouches for whom it acts; what the stream alone tells, such as who was drawn, is judged of it too. ``by`` stands for
    the command's own roles where others may ask, as those who confirm what takes two persons.
    """
    return (*refuse_business(order, state, facts, by), *refuse_stage(order, state))


def refuse_business(order: Order, state: State, facts: Facts, by: tuple[Role, ...] = ()) -> tuple[Unmet, ...]:
    """That it is not this seat's business, at whatever stage: nothing more of other streams is then read for it."""
    return (*refuse_role(order, by), *refuse_relation(order, state, facts, by), *refuse_side(order, state))


# ---------------------------------------------------------------- role and stage


def refuse_role(order: Order, by: tuple[Role, ...] = ()) -> tuple[Unmet, ...]:
    """That the command is for other roles: told by the order alone."""
    command = type(order.command)
    return _refuse_role(command, order.actor.role, by or command.by, bare=order.scope is None)


@lru_cache(_REMEMBERED)
def _refuse_role(command: type[Command], role: Role, by: tuple[Role, ...], *, bare: bool) -> tuple[Unmet, ...]:
    if role in by:
        return ()
    rule, why_zh, why_en = _NO_SEAT_OF_BUSINESS.get(role, ("", "", ""))
    if role is Role.DISC and bare:
        rule = ""  # what was refused before seats had a register stays refused by the rule that is recorded
    return (
        Unmet(
            rule=rule or command.rule,
            zh=f"「{{act}}」由{{by}}辦理，不在{{role}}的辦理權限內{why_zh}",
            en=f"“{{act}}” is for the {{by}}; you are acting as the {{role}}{why_en}",
            params=read_params({"act": word(command.zh(), command.en()), "by": by, "role": role}),
        ),
    )


def refuse_stage(order: Order, state: State) -> tuple[Unmet, ...]:
    """That the command is not for this stage in the life of the stream."""
    return _refuse_stage(type(order.command), state.stage)


@lru_cache(_REMEMBERED)
def _refuse_stage(command: type[Command], stage: str) -> tuple[Unmet, ...]:
    if not command.during or stage in command.during:
        return ()
    return (
        Unmet(
            rule=command.rule,
            zh="「{act}」只可在「{stages}」階段辦理，目前為「{now}」",
            en="“{act}” is only possible while it is: {stages} (now: {now})",
            params=read_params(
                {
                    "act": word(command.zh(), command.en()),
                    "stages": command.during,
                    "now": _stage_of(command, stage),
                }
            ),
        ),
    )


def _stage_of(command: type[Command], stage: str) -> object:
    """A stage by what the office calls it, as the command's own stages are called."""
    stages = type(command.during[0])
    return stages(stage) if issubclass(stages, Words) and stage in set(stages) else stage


# ---------------------------------------------------------------- relation


def list_relations(order: Order, by: tuple[Role, ...] = ()) -> tuple[Relation, ...]:
    """What would make the stream the business of that seat: none for a role that may not ask."""
    command, role = type(order.command), order.actor.role
    return tuple(r for r in command.acts_for if r.is_about(role)) if role in (by or command.by) else ()


def list_business_reads(order: Order, state: State, by: tuple[Role, ...] = ()) -> Reads:
    """What must be known of other streams to say whether it is the seat's business: nothing for a bare seat."""
    reads = Reads()
    if order.scope is not None:
        for relation in list_relations(order, by):
            reads |= relation.reads(state, order.command)
    return reads


def refuse_relation(order: Order, state: State, facts: Facts, by: tuple[Role, ...] = ()) -> tuple[Unmet, ...]:
    """That the stream is the business of others of that role. Whom it names is not told: who asks has no business."""
    relations, scope = list_relations(order, by), _scope(order)
    if scope is None or not relations or any(r.is_held_by(scope, state, facts, order.command) for r in relations):
        return ()
    command: type[Command] = type(order.command)
    return (
        Unmet(
            rule=relations[0].rule or command.rule,
            zh="{actor} 代表{acts}，與此事無關：「{act}」由{relations}辦理",
            en="{actor} acts for {acts}, whose business this is not: “{act}” is for {relations}",
            params=read_params(
                {
                    "actor": order.actor,
                    "acts": scope.names or scope.kind,
                    "act": word(command.zh(), command.en()),
                    "relations": [word(r.zh, r.en) for r in relations],
                }
            ),
        ),
    )


def _scope(order: Order) -> Scope | None:
    """For whom the seat acts; a reviewer's is the place in the roster, whether anybody is known to sit there or not."""
    if order.actor.role is Role.EXPERT:
        return Scope(kind=ScopeKind.ROSTER, names=(f"E{order.actor.number}",))
    return order.scope


# ---------------------------------------------------------------- one human, one side


def refuse_side(order: Order, state: State) -> tuple[Unmet, ...]:
    """SD14: whoever has acted on this stream for one side does not act on it for another."""
    side = _SIDES.get(order.actor.role)
    if side is None or not order.persons or type(order.command).by == (Role.SYS,):
        return ()
    others = sorted(s for s, persons in state.part(Sides).of.items() if s != side and persons & order.persons)
    return tuple(
        Unmet(
            rule="SD14",
            zh="{actor} 的經辦人曾代表{other}辦理本案，不得再代表{side}辦理",
            en="whoever acts as {actor} has acted in this matter for {other} and cannot act in it for {side}",
            params=read_params({"actor": order.actor, "other": _side_words(other), "side": _side_words(side)}),
        )
        for other in others
    )
