"""The policy as people read it: the whole of it as a matrix, and one case with every condition, met or not.

Both ask ``domain.kernel.policy`` itself, so that what is printed cannot differ from what is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from domain.catalogue import AGGREGATES, list_stages
from domain.kernel.identifier import Actor, Role, StreamId
from domain.kernel.message import Order
from domain.kernel.policy import list_relations, refuse_relation, refuse_role, refuse_side, refuse_stage
from domain.kernel.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.facts import Facts
    from domain.kernel.message import Command
    from domain.kernel.refusal import Unmet
    from domain.kernel.relation import Relation

_ANY_DAY: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cell:
    """One command, asked by one role, in one stage of its stream."""

    kind: str
    room: str
    command: type[Command]
    role: Role
    stage: str
    relations: tuple[Relation, ...]
    """For whom the seat must act, one of them; empty where the role may not ask at all."""
    unmet: tuple[Unmet, ...]
    """What refuses it whomever the seat acts for."""

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that refuse it."""
        return tuple(dict.fromkeys(u.rule for u in self.unmet))

    def as_row(self) -> dict[str, str]:
        """For a machine: every value a text."""
        return {
            "kind": self.kind,
            "room": self.room,
            "command": self.command.command_type,
            "zh": self.command.zh(),
            "role": self.role.value,
            "stage": self.stage,
            "allowed": "" if self.unmet else "yes",
            "relations": " ".join(r.id for r in self.relations),
            "refused_by": " ".join(self.rules),
        }


def list_cells() -> Iterable[Cell]:
    """Commands × roles × stages, kind by kind and room by room."""
    for aggregate in AGGREGATES.values():
        for room in aggregate.deciders:
            for command in room.commands:
                for role in Role:
                    order = Order(command.model_construct(), Actor(f"{role}#1"), _ANY_DAY)
                    relations, misfit = list_relations(order), refuse_role(order)
                    for stage in list_stages(aggregate.kind):
                        state = State(StreamId.of(aggregate.kind, "matrix", "x"), stage=stage)
                        unmet = (*misfit, *refuse_stage(order, state))
                        yield Cell(aggregate.kind, room.name, command, role, stage, relations, unmet)


@dataclass(frozen=True)
class Condition:
    """One condition of one case."""

    rule: str
    zh: str
    en: str
    met: bool

    def as_row(self) -> dict[str, object]:
        """The row that ``why`` shows: the rule, whether it is met, and the condition in both languages."""
        return {"rule": self.rule, "met": self.met, "zh": self.zh, "en": self.en}


def list_conditions(order: Order, state: State, facts: Facts) -> tuple[Condition, ...]:
    """Every condition of the policy for this order, the met ones too."""
    command, role = type(order.command), order.actor.role
    roles = "、".join(f"{r.zh}（{r}）" for r in command.by)
    relations = list_relations(order)
    vouched = order.scope is None and not refuse_relation(order, state, facts)
    names = "；".join(r.zh for r in relations) or "—"
    names_en = "; ".join(r.en for r in relations) or "—"
    return (
        _condition(
            refuse_role(order),
            command.rule,
            f"角色 {role}：由 {roles} 辦理",
            f"role {role}: for {', '.join(command.by)}",
        ),
        _condition(
            refuse_stage(order, state),
            command.rule,
            f"階段 {state.stage}：可在 {'、'.join(command.during) or '任何階段'} 辦理",
            f"stage {state.stage}: legal in {', '.join(command.during) or 'any stage'}",
        ),
        _condition(
            refuse_relation(order, state, facts),
            relations[0].rule or command.rule if relations else command.rule,
            f"關係：{names}" + ("（紙面崗位，由錄入者擔保）" if vouched else ""),
            f"relation: {names_en}" + (" (a bare seat: whoever took the papers in vouches)" if vouched else ""),
        ),
        _condition(
            refuse_side(order, state),
            "SD14",
            "一人一方：經辦人未以他方身份辦過本案",
            "one human, one side in this matter",
        ),
    )


def list_grounds(command: Command, state: State) -> tuple[Condition, ...]:
    """Every condition on the file alone that the command rests on, whatever it says, the met ones too."""
    return tuple(Condition(one.rule, one.zh, one.en, met=bool(one.holds(state))) for one in type(command).grounds)


def _condition(unmet: tuple[Unmet, ...], rule: str, zh: str, en: str) -> Condition:
    return Condition(unmet[0].rule, unmet[0].zh, unmet[0].en, met=False) if unmet else Condition(rule, zh, en, met=True)
