"""The house that every test of the command line asks."""

from __future__ import annotations

import pytest

from tests.cli.house import House, the_house


@pytest.fixture(scope="session")
def venture(request: pytest.FixtureRequest) -> House:
    """Up for the whole run."""
    return the_house(request)
