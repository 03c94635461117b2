"""A command while it is being filled in: about what, by whom, under which id, and what was typed so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request

from application.caller import Caller
from domain.kernel.identity import Actor, StreamId
from domain.kernel.message import Command
from domain.kernel.state import State
from web.asking import Asker
from web.console.act.form import Tree, list_hidden
from web.console.paths import act_path
from web.guard import language_of
from web.house import House

if TYPE_CHECKING:
    from uuid import UUID

    from web.language import Language


@dataclass(frozen=True)
class Filling:
    """A command while it is being filled in."""

    request: Request
    house: House
    caller: Caller
    command: type[Command]
    stream: StreamId
    state: State
    """As it stands; version 0 for one that this would begin."""
    seat: Actor
    asker: Asker
    command_id: UUID
    is_seen: bool
    """Whether the reader may see the file, so that its name may be shown."""
    tree: Tree = field(default_factory=dict)
    at_text: str = ""
    """In a realm on a manual clock, the business time as it was typed."""

    @property
    def language(self) -> Language:
        """In which the reader is answered."""
        return language_of(self.request)

    @property
    def path(self) -> str:
        """Where the form is."""
        return act_path(self.command.command_type, self.stream)

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What sends all of it again."""
        own = [("id", str(self.command_id)), ("seat", self.seat)]
        at = [("at", self.at_text)] if self.asker.at is not None else []
        return [*own, *at, *list_hidden(self.command, self.tree)]
