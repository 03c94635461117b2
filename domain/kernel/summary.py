"""What a list shows of a file: who is awaited in it, and its kind's own particulars. Written and read here alone."""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from domain.kernel.canonical import canonical
from domain.kernel.envelope import Instant
from domain.kernel.identifier import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.kernel.message import Awaited


class AwaitedRow(BaseModel):
    """Who is awaited, for what, and until when, as lists keep it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    roles: tuple[Role, ...]
    command: str
    subject: str
    zh: str
    en: str
    until: Instant | None = None
    provisional: bool = False
    """Whether a notice of working days may still move ``until``."""

    @classmethod
    def of(cls, awaited: Awaited) -> AwaitedRow:
        """All of it but the seats, which only the inbox asks for."""
        return cls.model_construct(
            roles=awaited.roles,
            command=awaited.command,
            subject=awaited.subject,
            zh=awaited.zh,
            en=awaited.en,
            until=awaited.until.astimezone(UTC) if awaited.until else None,
            provisional=awaited.provisional,
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values; ``until`` and ``provisional`` only where there is something to say."""
        return {
            "roles": [str(role) for role in self.roles],
            "command": self.command,
            "subject": self.subject,
            "zh": self.zh,
            "en": self.en,
            **({"until": self.until.isoformat()} if self.until else {}),
            **({"provisional": True} if self.provisional else {}),
        }


class Summary(BaseModel):
    """Who is awaited, by which calendar, and the kind's own particulars."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)

    awaiting: tuple[AwaitedRow, ...] = ()
    calendar: int = 0
    """The version of the working days that its dates were reckoned by."""

    @classmethod
    def of(cls, particulars: Mapping[str, Any], awaiting: Iterable[Awaited], calendar: int) -> Summary:
        """Of a file that stands so."""
        return cls.model_construct(awaiting=tuple(map(AwaitedRow.of, awaiting)), calendar=calendar, **particulars)

    @classmethod
    def read(cls, written: bytes) -> Summary:
        """As a row of the agenda has it. Raises pydantic's ValidationError."""
        return _read(written)

    @property
    def particulars(self) -> dict[str, Any]:
        """The kind's own: title, organisation, sums."""
        return dict(self.model_extra or {})

    @property
    def facts(self) -> dict[str, Any]:
        """All of it but the sentences about who is awaited, whose wording is no fact."""
        awaiting = [{k: v for k, v in one.as_json().items() if k not in ("zh", "en")} for one in self.awaiting]
        return {**self.particulars, "awaiting": awaiting, "calendar": self.calendar}

    def write(self) -> bytes:
        """Canonical JSON, as a row of the agenda keeps it."""
        awaiting = [one.as_json() for one in self.awaiting]
        return canonical({**self.particulars, "awaiting": awaiting, "calendar": self.calendar})


@lru_cache(4096)
def _read(written: bytes) -> Summary:
    """Whoever moves a realm's time asks for every row again, where hardly one has changed."""
    return Summary.model_validate_json(written)


def title_in(particulars: Mapping[str, object]) -> str:
    """What a file is called, as far as its kind says: by its title, its name, its group of people, or its city."""
    return str(next((of for name in ("title", "name", "group", "city") if (of := particulars.get(name))), ""))
