"""A bureau of its own for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

import bootstrap
from tests.workflows.bureau import Bureau

if TYPE_CHECKING:
    from tests.conftest import Desk


@pytest.fixture
def bureau(desk: Desk) -> Bureau:
    """A bureau behind the worker that serves the whole run."""
    return Bureau(f"b-{uuid4().hex[:8]}", desk.store, bootstrap.door_key(desk.settings))
