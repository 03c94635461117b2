"""What a meeting has before it when it decides a round: the ranking, the line, and the money that is left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from application.command_input import read_command
from application.round_resolution import NoPanels, Purse, ResolutionPreview, list_purses, preview_resolution
from domain.kernel.explanation import InputInvalid
from domain.kernel.field_shape import Notation
from domain.round.resolution import ResolveRound

if TYPE_CHECKING:
    from domain.kernel.message import Command
    from web.console.command.filling import Filling

PREVIEW: Final = ("preview",)
"""The digest of what was looked at: no person types it; it is made when they check, and holds until they confirm."""
_NOT_LOOKED_AT: Final = "0" * 64


@dataclass(frozen=True)
class Meeting:
    """The resolution that is to be decided, as it is shown beforehand."""

    draft: ResolutionPreview
    purses: list[Purse]


async def find_meeting(filling: Filling, command: Command | None) -> Meeting | None:
    """Of a round's resolution, the ranking as it stands with what is selected; None of any other command."""
    if filling.command is not ResolveRound:
        return None
    selected = command.selected if isinstance(command, ResolveRound) else ()
    panels = command.panels if isinstance(command, ResolveRound) else ()
    try:
        draft = await preview_resolution(filling.house.store, filling.stream, selected, panels)
    except NoPanels:
        return None
    return Meeting(draft, await list_purses(filling.house.store, draft))


async def fill_preview(filling: Filling) -> Filling:
    """The same with the digest of what is looked at now; what cannot be read yet is left for whoever reads it."""
    if filling.command is not ResolveRound:
        return filling
    tree = {**filling.tree, PREVIEW[0]: _NOT_LOOKED_AT}
    try:
        command = read_command(filling.command, "", tree, Notation.TYPED)
    except InputInvalid:
        return replace(filling, tree=tree)
    meeting = await find_meeting(filling, command)
    return replace(filling, tree={**tree, PREVIEW[0]: meeting.draft.digest}) if meeting else replace(filling, tree=tree)
