"""What crosses between Temporal workflows of others and ours about an approval: its number, and how it was decided."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ApprovalAsked(BaseModel):
    """Which approval is waited for."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    approval: UUID


class ApprovalDecided(BaseModel):
    """How it was decided. It says nothing of what is bound: that, and what counts, stands at ``/v1/approvals/{id}``."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    approval: UUID
    verdict: Annotated[str, Field(max_length=16)]
    decided_by: Annotated[str | None, Field(max_length=24)] = None
    """The seat."""
    decided_at: Annotated[str | None, Field(max_length=40)] = None
