"""What a file is called, and by what number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.catalogue import AGGREGATES
from domain.kernel.summary import title_in

if TYPE_CHECKING:
    from domain.kernel.state import State


def title_of(state: State) -> str:
    """Its title, or what its kind has in a title's place; empty if nothing."""
    return title_in(AGGREGATES[state.stream.kind].summary(state))


def number_of(state: State) -> str:
    """By what number the office calls it: from the proposal of an award on, the project's; before, its own name."""
    stream = state.stream
    number = AGGREGATES[stream.kind].summary(state).get("project") if stream.kind == "project" else None
    return str(number or stream.name)
