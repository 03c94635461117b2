"""The house that every test of the command line asks."""

from __future__ import annotations

import pytest

from tests.cli.installation import Installation, shared_installation


@pytest.fixture(scope="session")
def venture(request: pytest.FixtureRequest) -> Installation:
    """Up for the whole run."""
    return shared_installation(request)
