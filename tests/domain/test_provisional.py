"""A date that counts working days of an unpublished year says so; a date that was agreed does not (D2)."""

from __future__ import annotations

from datetime import date

from domain.catalogue import AGGREGATES
from domain.kernel.calendar import Calendar, Year
from tests.domain.written_realm import WrittenRealm, contract, project, realm_until

PROJECT = AGGREGATES["project"]
UNTIL_2023 = Calendar({2023: Year(1, frozenset(), frozenset())})
UNTIL_2024 = Calendar({2024: Year(1, frozenset(), frozenset())})


def test_a_deadline_in_working_days_is_provisional_until_its_year_is_published() -> None:
    state = realm_until("confirmed").state("project", "AP-1")
    lapse = PROJECT.due(state, UNTIL_2023)
    assert lapse is not None
    assert lapse.provisional
    lapse = PROJECT.due(state, UNTIL_2024)
    assert lapse is not None
    assert not lapse.provisional


def test_who_is_awaited_until_such_a_day_is_told_so() -> None:
    state = realm_until("requested T1").state("project", "AP-1")
    marks = {one.command: (one.provisional, one.until is not None) for one in PROJECT.awaiting(state, UNTIL_2023)}
    assert marks["CheckDisbursement"] == (True, True)
    assert not any(one.provisional for one in PROJECT.awaiting(state, UNTIL_2024))


def test_a_day_that_the_contract_names_is_not_provisional() -> None:
    """The end of an agreement is a date on paper, whatever the calendar says."""
    realm: WrittenRealm = realm_until("confirmed")
    project(contract(end=date(2025, 3, 31)), "2024-03-21", "CAB-REG#1").ordered(realm)
    state = realm.state("project", "AP-1")
    dated = [one for one in PROJECT.awaiting(state, UNTIL_2024) if one.until and one.until.year == 2025]
    assert all(not one.provisional for one in dated)
