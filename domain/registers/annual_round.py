"""A programme that asks for needs once a year: under what name, by which rules, in whose name, and on which day."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.acting import PersonId
from domain.kernel.identifier import LIVE, Actor, StreamId
from domain.kernel.scheme import RoundLevel

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,40}$")]
"""What a programme is called in the names of its rounds."""
Month = Annotated[int, Field(ge=1, le=12)]
Day = Annotated[int, Field(ge=1, le=31)]
Hour = Annotated[int, Field(ge=0, le=23)]


class Annual(BaseModel):
    """What is the same every year."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    programme: Code
    """E.g. ``FZ``; its round of 2027 is ``R-FZ-2027``."""
    scheme: str
    """The name of the city's rules; each year's round takes the newest version that is published."""
    level: RoundLevel = RoundLevel.MUNICIPAL
    actor: Actor
    """In whose name the round is opened."""
    realm: str = LIVE
    """Where it is opened."""
    person: Annotated[PersonId | None, Field(exclude_if=lambda person: person is None)] = None
    """Who scheduled it, on that seat, where they are known: once they leave it, nothing is opened any more."""

    def round_of(self, year: int) -> StreamId:
        """That year's round."""
        return StreamId.of("round", self.realm, f"R-{self.programme}-{year}")


class RoundSchedule(BaseModel):
    """When it is to be opened, every year, and since when that is so."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    annual: Annual
    month: Month
    day: Day
    hour: Hour
    """In Shanghai."""
    since: datetime
    """UTC."""


class AnnualOpening(BaseModel):
    """One year of it, to be opened."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    annual: Annual
    year: int


class AnnualOpeningResult(BaseModel):
    """What came of opening a round by the calendar."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    stream: str
    repeated: bool = False
    """Whether it had been opened before under the same id: however often the calendar asks, it is once."""
    refused: tuple[str, ...] = ()
    """The rules that refused it, if they did: e.g. somebody had opened a round of that name by hand."""
