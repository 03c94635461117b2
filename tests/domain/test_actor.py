"""Who acts is written in one way only: another spelling is no second person."""

from __future__ import annotations

import pytest

from domain.kernel.identifier import Actor


@pytest.mark.parametrize("seat", ["CAB-REG#1", "HOST#12", "SYS#1"])
def test_a_seat_is_its_role_and_its_number(seat: str) -> None:
    actor = Actor(seat)
    assert f"{actor.role}#{actor.number}" == actor


@pytest.mark.parametrize(
    "spelling", ["CAB-REG#01", "CAB-REG#0", "CAB-REG#１", "CAB-REG# 1", "CAB-REG#1 ", "CAB-REG#+1", "cab-reg#1"]
)
def test_another_spelling_of_a_seat_is_no_second_person(spelling: str) -> None:
    with pytest.raises(ValueError, match="ROLE#n"):
        Actor(spelling)
