"""產出: what a contract counts on, in which units; what came of it is derived from records, never typed (V3, HZ-4).

Attendances (人次) and persons (人) are two units, never added: a person who comes five times is five attendances.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from domain.kernel.identifier import Text
from domain.kernel.words import Words
from domain.project.tranches import Clause


class Output(Words):
    """What is counted. The value is how it is recorded and exported."""

    SESSIONS = "SESSIONS", "場次", "sessions"
    VISITS = "VISITS", "走訪次數", "visits"
    PERSON_TIMES = "PERSON_TIMES", "人次", "attendances"
    PERSONS = "PERSONS", "受益人數", "persons reached"
    """Persons who came for the first time, as far as the records say so."""
    SERVICE_HOURS = "SERVICE_HOURS", "志願服務小時", "hours of voluntary service"
    TEAMS = "TEAMS", "志願隊", "volunteer teams"
    INCUBATED = "INCUBATED", "孵化組織", "organisations incubated"
    DELIBERATIONS = "DELIBERATIONS", "社區協商", "community deliberations"
    CLIENTS = "CLIENTS", "個案服務對象", "clients of case work"
    """Under pseudonyms, each once."""


class Indicator(Clause):
    """What the contract asks to come of the work."""

    title: Annotated[Text, Field(title="名稱 / title")]
    output: Annotated[Output, Field(title="計量 / output")]
    """In which unit it is counted, and from which records."""
    target: Annotated[int, Field(ge=1, le=10_000_000, title="目標值 / target")]


class Site(Clause):
    """One of the places at which a project works (HZ-14)."""

    title: Annotated[Text, Field(title="名稱 / title")]
    """E.g. 下姜村."""
    district: Annotated[Text | None, Field(title="區縣 / district")] = None
