"""Whose business a stream is: every command says so, and a class that does not is not even loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.catalogue import AGGREGATES
from domain.kernel.facts import Facts
from domain.kernel.identifier import Role, StreamId
from domain.kernel.message import Command, Event
from domain.kernel.relation import ANYBODY, BUREAU, ENGINE, Relation, scope_kind
from domain.kernel.scope import Scope, ScopeKind
from domain.kernel.state import State
from domain.project.bidders import ORGANISATION
from tests.tables import every_row

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMANDS = [command for aggregate in AGGREGATES.values() for command in aggregate.commands]


class Stamped(Event):
    """Something was stamped."""

    zh = "蓋章"


def declare(by: tuple[Role, ...], acts_for: tuple[Relation, ...] | None) -> type[Command]:
    relation = {} if acts_for is None else {"acts_for": acts_for}
    return type("Stamp", (Command,), {"__module__": __name__, "records": Stamped, "by": by, "during": (), **relation})


def test_a_command_that_does_not_say_whose_business_it_is_is_not_loaded_and_its_author_told_what_to_write() -> None:
    with pytest.raises(TypeError, match=r"beside ``by`` write a relation of scope BUREAU, as BUREAU is"):
        declare((Role.CAB_REG,), None)


def test_each_role_of_a_command_needs_its_relation() -> None:
    with pytest.raises(TypeError, match=r"the business of SO-PM.* of scope ORGANISATION"):
        declare((Role.CAB_REG, Role.SO_PM), (BUREAU,))
    with pytest.raises(TypeError, match=r"the business of SYS.* of scope ENGINE"):
        declare((Role.CAB_REG, Role.SYS), (BUREAU,))
    assert declare((Role.CAB_REG, Role.SO_PM, Role.SYS), (BUREAU, ORGANISATION, ENGINE))


def test_a_relation_about_nobody_who_may_ask_is_refused_too() -> None:
    with pytest.raises(TypeError, match=r"take organisation out of Stamp\.acts_for"):
        declare((Role.CAB_REG,), (BUREAU, ORGANISATION))


@every_row("command", COMMANDS)
def test_of_every_role_that_may_ask_exactly_one_relation_says_whose_business_it_is(command: type[Command]) -> None:
    for role in command.by:
        assert [r.id for r in command.acts_for if r.is_about(role)], role


def _relations() -> Iterable[Relation]:
    return {id(relation): relation for command in COMMANDS for relation in command.acts_for}.values()


def test_a_relation_has_one_name_in_the_whole_catalogue() -> None:
    names = [relation.id for relation in _relations()]
    assert len(names) == len(set(names))


def test_every_relation_says_who_that_is_in_both_languages_and_which_rule_refuses_others() -> None:
    for relation in _relations():
        assert relation.zh != relation.en, relation.id
        assert relation.rule or relation.scope is ScopeKind.ROSTER, relation.id


def test_a_seat_of_another_kind_of_scope_has_no_business_even_under_the_same_name() -> None:
    state = State(StreamId("project/test/AP-1"))
    named = Relation("x", "", "", ScopeKind.BASE, "AF04", lambda *_: frozenset({"BASE-1"}))
    assert named.is_held_by(Scope(kind=ScopeKind.BASE, names=("BASE-2", "BASE-1")), state, Facts(), None)
    assert not named.is_held_by(Scope(kind=ScopeKind.BASE, names=("BASE-2",)), state, Facts(), None)
    assert not named.is_held_by(Scope(kind=ScopeKind.BASE), state, Facts(), None)
    assert not named.is_held_by(Scope(kind=ScopeKind.PARTY, names=("BASE-1",)), state, Facts(), None)
    assert ANYBODY.is_held_by(Scope(kind=ScopeKind.PARTY, names=("BASE-1",)), state, Facts(), None)


def test_a_stream_that_names_nobody_is_no_business_of_a_seat_that_names_nobody_either() -> None:
    nobody = State(StreamId("project/test/AP-1"))
    assert not ORGANISATION.is_held_by(Scope(kind=ScopeKind.ORGANISATION, names=("",) * 0), nobody, Facts(), None)


def test_every_role_acts_for_a_kind_of_thing() -> None:
    assert {role: scope_kind(role) for role in (Role.CAB_FIN, Role.DISC, Role.COMM, Role.EXPERT)} == {
        Role.CAB_FIN: ScopeKind.BUREAU,
        Role.DISC: ScopeKind.BUREAU,
        Role.COMM: ScopeKind.COMMUNITY,
        Role.EXPERT: ScopeKind.ROSTER,
    }
