"""Whom the separation of duties compares: persons where they are known, seats where they are not."""

from __future__ import annotations

import pytest

from domain.kernel.acting import Acting, PersonId, require_another_person
from domain.kernel.identifier import Actor
from domain.kernel.refusal import Checks


def acting(seat: str, *persons: str, is_live: bool = False) -> Acting:
    return Acting(Actor(seat), frozenset(map(PersonId, persons)), is_live)


@pytest.mark.parametrize("spelling", ["P-0", "P-01", "p-1", "P-１", "P-1 ", "1", "P-1234567890"])
def test_another_spelling_of_a_person_is_no_second_person(spelling: str) -> None:
    with pytest.raises(ValueError, match="P-1"):
        PersonId(spelling)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (acting("CAB-REG#1"), acting("CAB-REG#1"), True),
        (acting("CAB-REG#1"), acting("CAB-REG#2"), False),
        (acting("CAB-REG#1", "P-1"), acting("CAB-FIN#1", "P-1"), True),
        (acting("CAB-REG#1", "P-1"), acting("CAB-REG#1", "P-2"), False),
        (acting("CAB-REG#1", "P-3", "P-1"), acting("CAB-FIN#1", "P-1"), True),
        (acting("CAB-REG#1", "P-3", "P-1"), acting("CAB-FIN#1", "P-3"), True),
        (acting("CAB-REG#1", "P-3", "P-1"), acting("CAB-FIN#1", "P-2"), False),
        (acting("CAB-REG#1", "P-1"), acting("CAB-REG#1"), True),
        (acting("CAB-REG#1", "P-1"), acting("CAB-FIN#1"), False),
    ],
)
def test_two_are_one_where_one_human_may_be_behind_both(one: Acting, other: Acting, same: bool) -> None:  # noqa: FBT001 - a table
    assert one.is_same_person(other) is same
    assert other.is_same_person(one) is same


@pytest.mark.parametrize(
    ("asks", "before", "refused"),
    [
        (acting("CAB-FIN#1"), acting("CAB-REG#1"), False),
        (acting("CAB-FIN#1", "P-2"), acting("CAB-REG#1"), False),
        (acting("CAB-FIN#1", "P-2", is_live=True), acting("CAB-REG#1", "P-1"), False),
        (acting("CAB-FIN#1", "P-2", is_live=True), acting("CAB-REG#1", "P-2"), True),
        (acting("CAB-FIN#1", "P-2", is_live=True), acting("CAB-REG#1"), True),
        (acting("CAB-FIN#1", "P-2", is_live=True), None, False),
    ],
)
def test_unknown_beside_known_is_refused_on_the_wall_clock_alone(
    asks: Acting,
    before: Acting | None,
    refused: bool,  # noqa: FBT001 - a table
) -> None:
    check = Checks()
    require_another_person(check, asks, "P2", (before,), "同一人", "one person")
    assert [u.rule for u in check.unmet] == ["P2"] * refused
