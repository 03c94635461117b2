"""Every view, by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from views.approvals import APPROVALS
from views.attempts import ATTEMPTS
from views.courses import COURSES
from views.organisations import ORGANISATIONS
from views.projects import PROJECTS
from views.registers import REGISTERS
from views.shares import SHARES
from views.streams import STREAMS
from views.waiting import WAITING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from views.view import View

VIEWS: Mapping[str, View] = MappingProxyType(
    {
        view.name: view
        for view in (PROJECTS, WAITING, APPROVALS, ORGANISATIONS, STREAMS, REGISTERS, ATTEMPTS, SHARES, COURSES)
    }
)
"""In the order in which they are shown."""
