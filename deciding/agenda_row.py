"""A stream's row in the agenda: how it stands after a decision, and the summary that lists and the inbox read."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, field_serializer

from domain.kernel.canonical import canonical
from domain.kernel.envelope import Instant
from domain.kernel.identity import Role
from store.port import Standing

if TYPE_CHECKING:
    from deciding.decision import Decision
    from domain.kernel.message import Awaited


class AwaitedRow(BaseModel):
    """Who is awaited, for what, and until when, as the row keeps it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    roles: tuple[Role, ...]
    command: str
    subject: str
    zh: str
    en: str
    until: Instant | None = None
    provisional: Literal[True] | None = None
    """Whether a notice of working days may still move ``until``; left out where none can."""

    @field_serializer("until")
    def _with_offset(self, instant: Instant | None) -> str | None:
        return instant.isoformat() if instant else None


class Summary(BaseModel):
    """What the row keeps for lists: who is awaited, by which calendar, and the kind's own particulars."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)

    awaiting: tuple[AwaitedRow, ...] = ()
    calendar: int = 0
    """The version of the working days that its dates were reckoned by."""

    @classmethod
    def of(cls, standing: Standing) -> Summary:
        """As the row has it. Raises pydantic's ValidationError."""
        return cls.model_validate_json(standing.summary)

    @property
    def particulars(self) -> dict[str, Any]:
        """The kind's own: title, organisation, sums."""
        return dict(self.model_extra or {})

    @property
    def facts(self) -> dict[str, Any]:
        """All of it but the sentences about who is awaited, whose wording is no fact."""
        awaiting = [one.model_dump(mode="json", exclude={"zh", "en"}) for one in self.awaiting]
        return {**self.particulars, "awaiting": awaiting, "calendar": self.calendar}


def build_standing(decision: Decision) -> Standing:
    """The stream's row in the agenda."""
    state = decision.state
    summary = {
        **decision.aggregate.summary(state),
        "awaiting": [_write_awaited(a) for a in decision.awaiting],
        "calendar": decision.calendar.version,
    }
    return Standing(
        stream=state.stream,
        version=state.version,
        stage=state.stage,
        due_at=decision.alarm,
        clock=decision.clock,
        summary=canonical(summary),
    )


def _write_awaited(awaited: Awaited) -> dict[str, object]:
    """As ``AwaitedRow`` reads it: plain values at once, since every decision writes some of them."""
    return {
        "roles": list(awaited.roles),
        "command": awaited.command,
        "subject": awaited.subject,
        "zh": awaited.zh,
        "en": awaited.en,
        **({"until": awaited.until.astimezone(UTC).isoformat()} if awaited.until else {}),
        **({"provisional": True} if awaited.provisional else {}),
    }
