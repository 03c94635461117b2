"""產出: what a project's records add up to, beside what its contract asks and what others gave (V3, HZ-4, HZ-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.project.community import Community
from domain.project.delivery import Delivery
from domain.project.indicators import IndicatorStanding, derive_outputs, list_indicators

if TYPE_CHECKING:
    from collections.abc import Mapping

    from application.queries import File
    from domain.project.outputs import Output


@dataclass(frozen=True)
class OutputSheet:
    """A project's outputs as its records have them now."""

    outputs: Mapping[Output, int]
    indicators: tuple[IndicatorStanding, ...]
    outcomes: Mapping[str, int]
    """By outcome of the city's list, how many activities were good for it."""
    match: int
    """Self-raised money, in fen; never added to the award."""
    match_proven: int
    participants: Mapping[str, int]
    """By standing, how many joined in without a contract."""
    assets: Mapping[str, str]
    """Asset and who keeps it."""

    @property
    def is_match_incomplete(self) -> bool:
        """Whether some of the self-raised money is only reported (不完全統計)."""
        return self.match_proven < self.match

    def as_json(self) -> dict[str, Any]:
        """As JSON: what was reached as whole numbers, self-raised money (``match``) in fen."""
        return {
            "outputs": {output.value: count for output, count in self.outputs.items()},
            "indicators": [
                {
                    "name": one.name,
                    "title": one.title,
                    "output": one.output.value,
                    "target": one.target,
                    "reached": one.reached,
                    "is_met": one.is_met,
                }
                for one in self.indicators
            ],
            "outcomes": dict(self.outcomes),
            "match": {"received": self.match, "proven": self.match_proven, "is_incomplete": self.is_match_incomplete},
            "participants": dict(self.participants),
            "assets": dict(self.assets),
        }


def read_outputs(file: File) -> OutputSheet:
    """The outputs of that project's file."""
    delivery, community = file.state.part(Delivery), file.state.part(Community)
    return OutputSheet(
        outputs=derive_outputs(file.state),
        indicators=list_indicators(file.state),
        outcomes=delivery.outcomes,
        match=delivery.match_received,
        match_proven=delivery.match_proven,
        participants={standing.value: count for standing, count in community.participants.items()},
        assets=dict(community.keepers),
    )
