"""What a mail's words are made of, as the outbox keeps it: written and read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, field_serializer

from domain.kernel.canonical import canonical

if TYPE_CHECKING:
    from store.outbox import Mail


class MailContent(BaseModel):
    """What waits or was decided, in both languages; the reader's is chosen when it is sent."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    command: str
    """By its type what somebody is awaited for, or was asked."""
    subject: str
    """The part of the file that it is about; empty for all of it."""
    act_zh: str
    """What the command is called."""
    zh: str
    en: str
    until: datetime | None = None

    @classmethod
    def read(cls, mail: Mail) -> MailContent:
        """What that mail is about. Raises pydantic's ValidationError."""
        return cls.model_validate_json(mail.about)

    def write(self) -> bytes:
        """The canonical JSON that the outbox keeps; ``until`` is null where there is none."""
        return canonical(self.model_dump(mode="json"))

    @field_serializer("until")
    def _with_offset(self, until: datetime | None) -> str | None:
        return until.isoformat() if until else None
