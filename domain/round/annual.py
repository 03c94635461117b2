"""A programme that asks for needs once a year: under what name, by which rules, and in whose name."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.identity import Actor
from domain.round.plan import RoundLevel


class Annual(BaseModel):
    """What is the same every year."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    programme: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,40}$")]
    """E.g. ``FZ``; its round of 2027 is ``R-FZ-2027``."""
    scheme: str
    """The name of the city's rules; each year's round takes the newest version that is shipped."""
    level: RoundLevel = RoundLevel.MUNICIPAL
    actor: Actor
    """In whose name the round is opened."""

    def round_of(self, year: int) -> str:
        """The name of that year's round."""
        return f"R-{self.programme}-{year}"


class YearsRound(BaseModel):
    """One year of it, to be opened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    annual: Annual
    year: int


class Opened(BaseModel):
    """What came of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stream: str
    repeated: bool = False
    """Whether it had been opened before under the same id: however often the calendar asks, it is once."""
    refused: tuple[str, ...] = ()
    """The rules that refused it, if they did: e.g. somebody had opened a round of that name by hand."""
