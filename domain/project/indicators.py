"""所得: what the records of a project add up to, and how far that is towards what its contract asks (V3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.project.community import Community
from domain.project.contract import Contract
from domain.project.delivery import Delivery
from domain.project.outputs import Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.state import State


@dataclass(frozen=True)
class IndicatorStanding:
    """One indicator of the contract and what the records say of it."""

    name: str
    title: str
    output: Output
    target: int
    reached: int

    @property
    def is_met(self) -> bool:
        """Whether the target is reached."""
        return self.reached >= self.target


def derive_outputs(state: State) -> Mapping[Output, int]:
    """Every output, unit by unit, from the records as they stand now."""
    community = state.part(Community)
    return {
        **state.part(Delivery).outputs,
        Output.DELIBERATIONS: len(community.deliberations),
        Output.CLIENTS: len(community.clients),
    }


def list_indicators(state: State) -> tuple[IndicatorStanding, ...]:
    """The contract's indicators in its own order; empty where it names none."""
    outputs = derive_outputs(state)
    return tuple(
        IndicatorStanding(name, term.title, term.output, term.target, outputs[term.output])
        for name, term in state.part(Contract).indicators.items()
    )
