"""Every command × role × standing × stage against what is written out by hand, both ways: no cell without one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import groupby, product
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from docs.generate import extend_expectations
from domain.catalogue import AGGREGATES, list_stages
from domain.kernel.identifier import Role
from domain.kernel.policy import authorize
from tests.policy.standings import NAMED, PARTNER, STRANGER, facts, order, scope_of, speak, stream
from tests.tables import every_row, mostly

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from domain.kernel.message import Command, Order
    from domain.kernel.state import State

HERE = Path(__file__).parent
COMMANDS = {command.command_type: (a.kind, command) for a in AGGREGATES.values() for command in a.commands}
STANDINGS = ("own", "other", "partner", "unnamed", "nobody", "bare")


@dataclass(frozen=True)
class Expectation:
    """One line of ``expectations.txt``."""

    rule: str
    stages: frozenset[str]
    relations: Mapping[str, str]


def _rows(name: str) -> Iterator[list[str]]:
    for line in (HERE / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield [part.strip() for part in line.split("|")]


@cache
def expectations() -> Mapping[str, Expectation]:
    return {
        command: Expectation(rule, frozenset(stages.split()), dict(pair.split("=") for pair in pairs.split()))
        for command, rule, stages, pairs in _rows("expectations.txt")
    }


@cache
def relations() -> Mapping[str, tuple[str, Mapping[str, bool]]]:
    return {
        name: (rule, dict(zip(STANDINGS, [word == "yes" for word in words], strict=False)))
        for name, rule, *words in _rows("relations.txt")
    }


def test_every_command_has_its_line_and_every_line_its_command() -> None:
    remedy = (
        "./run generate writes its line into tests/policy/expectations.txt: review rule, stages, roles and relations"
    )
    assert sorted(COMMANDS.keys() ^ expectations().keys()) == [], remedy


def test_a_new_command_is_given_a_line_to_review_and_no_line_is_ever_changed() -> None:
    written = (HERE / "expectations.txt").read_text("utf-8")
    assert extend_expectations(written) == written
    (gone,) = (line for line in written.splitlines() if line.startswith("StartProject |"))
    assert extend_expectations(written.replace(f"{gone}\n", "")).endswith(f"{gone}\n")
    wrong = written.replace(gone, "StartProject | T12 | ACTIVE | PUBLIC=public")
    assert extend_expectations(wrong) == wrong


def test_every_relation_has_its_line_and_every_line_its_relation() -> None:
    declared = {relation.id for _, command in COMMANDS.values() for relation in command.acts_for} - {"engine"}
    assert sorted(declared ^ relations().keys()) == [], "write its line into tests/policy/relations.txt"


def expected_rules(expectation: Expectation, role: Role, stage: str, standing: str) -> set[str]:
    """What must refuse that cell, from what is written out; empty where it is allowed."""
    rules = set() if expectation.stages == {"*"} or stage in expectation.stages else {expectation.rule}
    relation = expectation.relations.get(role.value)
    if relation is None:
        return rules | {_role_rule(role, standing, expectation.rule)}
    if relation == "engine":
        return rules if standing == "bare" else rules | {"AF01"}  # the engine sits nowhere: a seat of it is forged
    rule, holds = relations()[relation]
    if not _holds(relation, holds, standing):
        rules.add(expectation.rule if rule == "=" else rule)
    return rules


def _role_rule(role: Role, standing: str, rule: str) -> str:
    """P6 and SD8 say why those two decide nothing; of bare seats of discipline the recorded rule stands."""
    if role is Role.ADMIN:
        return "SD8"
    return "P6" if role is Role.DISC and standing != "bare" else rule


def _holds(relation: str, holds: Mapping[str, bool], standing: str) -> bool:
    """A bare seat is vouched for, but a reviewer's number is its own; who acts for nobody has none of the named."""
    if relation == "panel.reviewer":
        return standing in ("own", "bare")
    if standing == "bare":
        return True
    return holds["unnamed"] if standing == "nobody" else holds[standing]


def ask(command: type[Command], role: Role, standing: str) -> Order:
    """The command from a seat of that role and standing. Only the first of the roster was drawn."""
    named = standing not in ("unnamed", "nobody")
    names: tuple[str, ...] = {
        "own": (NAMED.get(role, STRANGER),),
        "partner": (PARTNER,),
        "nobody": (),
        "bare": (),
    }.get(standing, (STRANGER,))
    scope = None if standing == "bare" else scope_of(role, *names)
    number = 1 if standing in ("own", "bare") else 666
    return order(speak(command, named=named), role, scope, number)


@mostly(1, "field", [0, 1], ids=["one field", "the other field"])
def test_no_cell_is_judged_otherwise_than_is_written(field: int) -> None:
    """Of commands and roles as of a board of chess: those of one field in every run."""
    judged, allowed = 0, 0
    around = {named: facts(named=named) for named in (True, False)}
    board = [pair for number, pair in enumerate(product(COMMANDS, Role)) if (number + number // len(Role)) % 2 == field]
    for name, roles in groupby(board, itemgetter(0)):
        kind, command = COMMANDS[name]
        for (_, role), standing in product(roles, STANDINGS):
            named, question = standing not in ("unnamed", "nobody"), ask(command, role, standing)
            for stage in list_stages(kind):
                unmet = authorize(question, _stream(kind, stage, named=named), around[named])
                expected = expected_rules(expectations()[name], role, stage, standing)
                assert {u.rule for u in unmet} == expected, (name, role, stage, standing, unmet)
                judged += 1
                allowed += not expected
    stages = {kind: len(list_stages(kind)) for kind in AGGREGATES}
    assert judged == len(STANDINGS) * sum(stages[COMMANDS[name][0]] for name, _ in board)
    assert 0 < allowed < judged // 20, "most of what could be asked is nobody's to ask"


@cache
def _stream(kind: str, stage: str, *, named: bool) -> State:
    return stream(kind, stage, named=named)


@every_row("role", list(Role))
def test_a_scope_of_another_kind_is_never_enough(role: Role) -> None:
    """Under the very name that the stream names: a base called as an organisation is no organisation."""
    for name, (kind, command) in COMMANDS.items():
        relation = expectations()[name].relations.get(role.value)
        if relation in (None, "engine", "anybody", "public", "panel.reviewer"):
            continue
        for other in Role:
            wrong = scope_of(other, NAMED.get(role, STRANGER))
            if wrong.kind is scope_of(role).kind:
                continue
            stage = next(iter(expectations()[name].stages))
            unmet = authorize(
                order(speak(command, named=True), role, wrong), stream(kind, stage, named=True), facts(named=True)
            )
            assert [u.rule for u in unmet] == [relations()[relation or ""][0]], (name, wrong)
