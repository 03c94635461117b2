"""What a seat's business reaches: the bureau's whole house, or the one it is named for (decision 022)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.bounds import Name
from domain.kernel.words import Words


class ScopeKind(Words):
    """Of what kind that is for which a seat acts."""

    BUREAU = "BUREAU", "全局", "the bureau"
    DISTRICT = "DISTRICT", "區縣", "district"
    ORGANISATION = "ORGANISATION", "社會組織", "social organisation"
    BASE = "BASE", "基地", "incubation base"
    COMMUNITY = "COMMUNITY", "社區", "community"
    PARTY = "PARTY", "合同當事方", "party to the contract"
    """Host, supervisor, evaluator or auditor, by the name that contracts and rounds give it."""
    ROSTER = "ROSTER", "專家名冊", "roster of reviewers"
    """A reviewer: the seat's own number is the place in the roster that a panel draws."""
    ANYBODY = "ANYBODY", "公眾", "anybody"


def is_whole(kind: ScopeKind) -> bool:
    """Whether a seat of that kind acts for all of it, and so names nobody."""
    return kind in (ScopeKind.BUREAU, ScopeKind.ROSTER, ScopeKind.ANYBODY)


class Scope(BaseModel):
    """For whom a seat acts: of that kind, and, unless it is the whole house, those of these names."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: Annotated[ScopeKind, Field(title="範圍類別 / kind of scope")]
    names: Annotated[tuple[Name, ...], Field(max_length=50, title="名稱 / names")] = ()
    """As the streams spell them, e.g. ``ORG-12``; empty for the bureau, the roster and anybody."""
