"""評審專家: who reviews, by the place in the roster, and what ties them to an organisation."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.kernel.bounds import Date, Name
from domain.kernel.calendar import months_after
from domain.kernel.identifier import Actor
from domain.kernel.message import Particulars
from domain.kernel.restriction import Restricted, Restriction
from domain.kernel.words import Words


def _seat(text: str) -> str:
    if re.fullmatch(r"E[1-9][0-9]{0,8}", text) is None:
        message = f"{text[:10]!r}: 席位寫作 E1、E2… / write a seat as E1; the person is EXPERT#1"
        raise ValueError(message)
    return text


Seat = Annotated[str, AfterValidator(_seat), Field(max_length=10)]
"""A seat by the number of its expert: in ``E3`` sits ``EXPERT#3``."""


def seat_of_place(place: str) -> Actor:
    """The seat of an expert by its short name: ``E2`` is ``EXPERT#2``."""
    return Actor(f"EXPERT#{place[1:]}")


def place_of(actor: Actor) -> str:
    """Where that expert would sit."""
    return f"E{actor.number}"


class ConflictKind(Words):
    """What ties a reviewer to an organisation."""

    EMPLOYMENT_24M = "EMPLOYMENT_24M", "近24個月內任職", "employed there within 24 months"
    BOARD_24M = "BOARD_24M", "近24個月內任理事或監事", "on the board within 24 months"
    PAYMENT_24M = "PAYMENT_24M", "近24個月內領取報酬", "paid work within 24 months"
    KIN = "KIN", "親屬", "kin"
    OTHER = "OTHER", "其他", "other"

    @property
    def is_healed_by_time(self) -> bool:
        """Whether time heals it: what has ended long enough ago does not bar."""
        return self in (ConflictKind.EMPLOYMENT_24M, ConflictKind.BOARD_24M, ConflictKind.PAYMENT_24M)


class Conflict(Particulars):
    """What ties the expert to whom."""

    organisation: Annotated[Name, Field(title="組織 / organisation"), Restricted(Restriction.INTEREST)]
    kind: Annotated[ConflictKind, Field(title="類別 / kind"), Restricted(Restriction.INTEREST)]
    ended_on: Annotated[Date | None, Field(title="結束於 / ended on"), Restricted(Restriction.INTEREST)] = None
    """The last day of the tie; None if it still holds."""


def is_counted(conflict: Conflict, months: int, today: date) -> bool:
    """Whether the tie holds, or ended less than that many months ago."""
    if conflict.ended_on is None or not conflict.kind.is_healed_by_time:
        return True
    return today <= months_after(conflict.ended_on, months)
