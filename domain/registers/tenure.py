"""A person's time on a seat: from a day to a day, by which right, and until it was ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from domain.kernel.acting import Basis, PersonId
from domain.kernel.bounds import Date
from domain.kernel.calendar import day_begins, day_ends
from domain.kernel.message import Particulars

if TYPE_CHECKING:
    from datetime import date, datetime

PersonField = Annotated[PersonId, Field(max_length=12, title="人員 / person")]


class Period(Particulars):
    """From a day to a day, both included; either may be open."""

    since: Annotated[Date | None, Field(title="起始日 / first day")] = None
    """Begins at 00:00, but never before it is granted; None for at once."""
    until: Annotated[Date | None, Field(title="截止日 / last day")] = None
    """Ends at 24:00; None for until it is withdrawn."""

    def begins(self, at: datetime) -> datetime:
        """The instant, if it is granted then."""
        return at if self.since is None else max(at, day_begins(self.since))

    def ends(self) -> datetime | None:
        """The instant from which it holds no more."""
        return None if self.until is None else day_ends(self.until)


@dataclass(frozen=True, slots=True)
class Tenure:
    """One person's time on one seat."""

    person: PersonId
    begins: datetime
    """UTC."""
    ends: datetime | None = None
    """UTC, the first instant that is no longer in it; None for open."""
    basis: Basis | None = None
    """None for the holder."""
    reason: str = ""

    def is_at(self, instant: datetime) -> bool:
        """Whether the person is on the seat then."""
        return self.begins <= instant and (self.ends is None or instant < self.ends)

    def is_on(self, day: date) -> bool:
        """Whether the person is on the seat at any instant of that day in Shanghai."""
        return self.overlaps(day_begins(day), day_ends(day))

    def overlaps(self, begins: datetime, ends: datetime | None) -> bool:
        """Whether any instant lies in both."""
        if self.ends is not None and self.ends <= self.begins:
            return False
        return (ends is None or self.begins < ends) and (self.ends is None or begins < self.ends)
