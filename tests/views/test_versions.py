"""A view whose rows have become others has another version: else what is kept is taken for what is meant."""

from __future__ import annotations

import pytest

from tests.releases import released
from tests.views.record import digest_rows, read_recorded
from views.catalogue import VIEWS

OTHER_ROWS = "its rows have become others: raise its version in views/, then ./run record views"


@pytest.mark.parametrize("release", released())
async def test_the_rows_of_every_view_are_those_recorded_for_its_version(release: str) -> None:
    recorded = read_recorded()[release]
    changed = {
        name: OTHER_ROWS
        for name, digest in (await digest_rows(release)).items()
        if recorded.get(name, {}).get(str(VIEWS[name].version)) != digest
    }
    assert changed == {}
