"""A new event or scheme parameter is checked independently, or somebody has said why nothing needs checking."""

from __future__ import annotations

import ast
from pathlib import Path

import audit.invariants
from audit.invariants import every_event, offices, roles, rules, state_machine
from domain.catalogue import AGGREGATES
from domain.kernel.scheme import Scheme, SchemeSection

HOME = Path(audit.invariants.__file__).parent
EVENTS = {event.event_type for aggregate in AGGREGATES.values() for event in aggregate.events}
PARAMETERS = {
    f"{section}.{name}"
    if isinstance(field.annotation, type) and issubclass(field.annotation, SchemeSection)
    else section
    for section, field in Scheme.model_fields.items()
    for name in (
        field.annotation.model_fields
        if isinstance(field.annotation, type) and issubclass(field.annotation, SchemeSection)
        else [""]
    )
}


def checked_events() -> set[str]:
    """Every event that the checker looks at by name."""
    moves = {row.event for row in state_machine.TABLE}
    return {*audit.invariants.CHECKS, *moves, *every_event.ADVERSE, *every_event.PEOPLE, *rules.CITED, *offices.TYPES}


def named_parameters() -> set[str]:
    """Every parameter that the checker asks of the rules: its name stands in the code, outside the list of others."""
    tree = [node for path in HOME.glob("*.py") for node in ast.parse(path.read_text("utf-8")).body]
    code = (n for node in tree if "UNCHECKED" not in ast.unparse(node).partition("=")[0] for n in ast.walk(node))
    return {node.value for node in code if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_event_is_checked_or_listed_with_a_reason() -> None:
    missing = sorted(EVENTS - checked_events() - rules.UNCHECKED_EVENTS.keys())
    assert not missing, (
        f"{missing}: write what must hold of it as a function in audit/invariants/ and name it in CHECKS there, with a "
        "mutant in tests/domain/test_mutants.py; or say in UNCHECKED_EVENTS of audit/invariants/rules.py why nothing "
        "needs checking"
    )


def test_every_parameter_of_a_scheme_is_checked_or_listed_with_a_reason() -> None:
    missing = sorted(PARAMETERS - named_parameters() - rules.UNCHECKED_PARAMETERS.keys())
    assert not missing, (
        f'{missing}: ask for it in audit/invariants/ as rules["section.name"], or name the event that repeats it in '
        "CITED of audit/invariants/rules.py; or say in UNCHECKED_PARAMETERS there why nothing needs checking"
    )


def test_no_reason_has_become_useless() -> None:
    assert not rules.UNCHECKED_EVENTS.keys() & checked_events() | rules.UNCHECKED_EVENTS.keys() - EVENTS
    useless = rules.UNCHECKED_PARAMETERS.keys() & {name for name in named_parameters() if "." in name}
    assert not useless | rules.UNCHECKED_PARAMETERS.keys() - PARAMETERS
    assert all([*rules.UNCHECKED_EVENTS.values(), *rules.UNCHECKED_PARAMETERS.values()])


def test_every_event_comes_from_a_role_that_the_checker_knows() -> None:
    """By a row of the state machine or of ``roles``, and of one alone."""
    moves = {row.event for row in state_machine.TABLE}
    assert (roles.BY.keys() | moves, roles.BY.keys() & moves) == (EVENTS, set())
