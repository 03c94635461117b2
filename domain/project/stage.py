"""The stages of a project (domain.md §3.3, and before an award design.md §2), and the gates that release money."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from domain.kernel.state import NONE, Part

if TYPE_CHECKING:
    from domain.kernel.state import State


class Stage(StrEnum):
    """Where a project stands. NONE is the stage of a stream without events."""

    NONE = NONE
    DRAFTED = "DRAFTED"
    APPLIED = "APPLIED"
    RETURNED = "RETURNED"
    SHORTLISTED = "SHORTLISTED"
    WITHDRAWN = "WITHDRAWN"
    PRELIM_FAILED = "PRELIM_FAILED"
    NOT_SELECTED = "NOT_SELECTED"
    PROPOSED = "PROPOSED"
    IN_PUBLICITY = "IN_PUBLICITY"
    OBJECTION_HOLD = "OBJECTION_HOLD"
    REVOKED = "REVOKED"
    AWARDED = "AWARDED"
    CONTRACTED = "CONTRACTED"
    ACTIVE = "ACTIVE"
    RECTIFYING = "RECTIFYING"
    SUSPENDED = "SUSPENDED"
    FINAL_REVIEW = "FINAL_REVIEW"
    SETTLEMENT = "SETTLEMENT"
    TERMINATING = "TERMINATING"
    TERMINATED = "TERMINATED"
    CLOSED = "CLOSED"
    ARCHIVED = "ARCHIVED"

    @property
    def zh(self) -> str:
        """What the office calls this stage."""
        return _ZH[self]


_ZH = {
    Stage.NONE: "未建檔",
    Stage.DRAFTED: "草稿",
    Stage.APPLIED: "已申報",
    Stage.RETURNED: "退回補正",
    Stage.SHORTLISTED: "初審通過",
    Stage.WITHDRAWN: "已撤回",
    Stage.PRELIM_FAILED: "初審不通過",
    Stage.NOT_SELECTED: "未入選",
    Stage.PROPOSED: "擬立項",
    Stage.IN_PUBLICITY: "公示中",
    Stage.OBJECTION_HOLD: "異議中止",
    Stage.REVOKED: "已撤銷",
    Stage.AWARDED: "已立項",
    Stage.CONTRACTED: "已簽約",
    Stage.ACTIVE: "實施中",
    Stage.RECTIFYING: "整改中",
    Stage.SUSPENDED: "已中止",
    Stage.FINAL_REVIEW: "結項評審",
    Stage.SETTLEMENT: "結算",
    Stage.TERMINATING: "終止程序",
    Stage.TERMINATED: "已終止",
    Stage.CLOSED: "已結項",
    Stage.ARCHIVED: "已歸檔",
}

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


@dataclass(frozen=True)
class Gates(Part):
    """Which gates stand open. A gate is an event type; its latest event counts (domain.md §3.1)."""

    passed: frozenset[str] = frozenset()


def set_gate(state: State, event_type: str, *, positive: bool) -> State:
    """The state after a gate's event turned out positive (signed, PASS, grade at or above pass) or not."""
    passed = state.part(Gates).passed
    return state.having(Gates(passed | {event_type} if positive else passed - {event_type}))
