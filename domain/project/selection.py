"""決議之後: what a round's resolution asks of every project that it decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.project.award import ProposeAward
from domain.project.bidding import LeaveApplicationOut
from domain.project.publicity import OpenAwardPublicity

if TYPE_CHECKING:
    from domain.kernel.message import Command
    from domain.round.resolution import Resolution


def list_consequences(resolution: Resolution) -> dict[str, tuple[Command, ...]]:
    """For every application the commands to be carried out on it, in order, by who resolved the round.

    They belong in one group with the round's own event: all of them stand, or none.
    """
    posted = (OpenAwardPublicity(contact=resolution.contact),) if resolution.contact is not None else ()
    chosen: dict[str, tuple[Command, ...]] = {
        line.application: (
            ProposeAward(
                project=line.project,
                award=line.award,
                funds=line.funds,
                panel=line.panel,
                minutes=resolution.minutes,
            ),
            *posted,
        )
        for line in resolution.selected
    }
    return chosen | {line.application: (LeaveApplicationOut(reason=line.reason),) for line in resolution.left_out}
