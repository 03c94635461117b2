"""The stages of a project, and the gates that release money."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from domain.kernel.state import NONE, Part
from domain.kernel.words import Words

if TYPE_CHECKING:
    from domain.kernel.decider import Decider
    from domain.kernel.message import Event, Occurrence
    from domain.kernel.state import State


class Stage(Words):
    """Where a project stands. NONE is the stage of a stream without events."""

    NONE = NONE, "尚未建立", "not started"
    DRAFTED = "DRAFTED", "草稿", "draft"
    APPLIED = "APPLIED", "已申報", "submitted"
    RETURNED = "RETURNED", "待補正", "returned for completion"
    SHORTLISTED = "SHORTLISTED", "初審通過", "passed preliminary review"
    WITHDRAWN = "WITHDRAWN", "已撤回", "withdrawn"
    PRELIM_FAILED = "PRELIM_FAILED", "初審未通過", "failed preliminary review"
    NOT_SELECTED = "NOT_SELECTED", "未立項", "not selected"
    PROPOSED = "PROPOSED", "擬立項", "proposed for award"
    IN_PUBLICITY = "IN_PUBLICITY", "公示中", "in public notice"
    OBJECTION_HOLD = "OBJECTION_HOLD", "異議核查中（公示中止）", "notice suspended (objection)"
    REVOKED = "REVOKED", "已撤銷或已放棄", "revoked or declined"
    AWARDED = "AWARDED", "已立項", "awarded"
    CONTRACTED = "CONTRACTED", "已簽約", "agreement signed"
    ACTIVE = "ACTIVE", "實施中", "in progress"
    RECTIFYING = "RECTIFYING", "整改中", "under rectification"
    SUSPENDED = "SUSPENDED", "已中止", "suspended"
    FINAL_REVIEW = "FINAL_REVIEW", "結項評估", "final review"
    SETTLEMENT = "SETTLEMENT", "資金結算", "settlement"
    TERMINATING = "TERMINATING", "擬終止（聽取申辯）", "termination in progress"
    TERMINATED = "TERMINATED", "已終止", "terminated"
    CLOSED = "CLOSED", "已結項", "closed"
    ARCHIVED = "ARCHIVED", "已歸檔", "archived"


MAIN_LINE = (
    Stage.DRAFTED,
    Stage.APPLIED,
    Stage.SHORTLISTED,
    Stage.PROPOSED,
    Stage.IN_PUBLICITY,
    Stage.AWARDED,
    Stage.CONTRACTED,
    Stage.ACTIVE,
    Stage.FINAL_REVIEW,
    Stage.SETTLEMENT,
    Stage.CLOSED,
    Stage.ARCHIVED,
)
"""The life of a project that goes well; every other stage is a detour or an early end."""

CONTRACT_LIVE = (
    Stage.CONTRACTED,
    Stage.ACTIVE,
    Stage.RECTIFYING,
    Stage.SUSPENDED,
    Stage.FINAL_REVIEW,
    Stage.SETTLEMENT,
    Stage.TERMINATING,
)
"""The stages in which a contract binds and money may move."""


MILESTONE = "MilestoneMet"
"""The gate of a milestone is ``MilestoneMet/<milestone>``."""


@dataclass(frozen=True)
class Gates(Part):
    """Which gates stand open. A gate is an event type; its latest event counts."""

    passed: frozenset[str] = frozenset()


def with_gates(decider: Decider[Any, Any]) -> Decider[Any, Any]:
    """The same decider, each of whose events opens the gate of its own name unless it says itself how it turned out."""

    def evolve(state: State, of: Occurrence, event: Event) -> State:
        after: State = decider.evolve(state, of, event)
        if after.parts.get(Gates) is not state.parts.get(Gates) or event.event_type in after.part(Gates).passed:
            return after
        return set_gate(after, event.event_type, positive=True)

    return replace(decider, evolve=evolve)


def set_gate(state: State, event_type: str, *, positive: bool) -> State:
    """The state after a gate's event turned out positive (signed, PASS, grade at or above pass) or not."""
    passed = state.part(Gates).passed
    return state.with_parts(Gates(passed | {event_type} if positive else passed - {event_type}))
