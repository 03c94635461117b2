"""暫停: what stands still while an award by procurement is challenged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domain.kernel.state import Part, State
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from domain.kernel.acting import Acting
    from domain.kernel.refusal import Checks


class ChallengeStatus(Words):
    """Where a challenge stands."""

    RAISED = "RAISED", "質疑待答復", "question to be answered"
    ANSWERED = "ANSWERED", "已答復", "answered"
    FILED = "FILED", "投訴待處理", "complaint to be decided"
    DISMISSED = "DISMISSED", "投訴駁回", "complaint dismissed"
    UPHELD = "UPHELD", "投訴成立", "complaint upheld"


@dataclass(frozen=True)
class Challenge:
    """One question, and the complaint that followed it, if one did."""

    by: Acting
    raised_on: date
    reply_wd: int
    complaint_wd: int
    status: ChallengeStatus = ChallengeStatus.RAISED
    filed_on: date | None = None


@dataclass(frozen=True)
class Challenges(Part):
    """All challenges to the award, by number."""

    of: Mapping[str, Challenge] = field(default_factory=dict)
    stayed_until: date | None = None
    """The last day on which something stood still for one that was settled."""

    @property
    def staying(self) -> tuple[str, ...]:
        """Those for which the award stands still: neither answered nor decided, or upheld."""
        open_ = (ChallengeStatus.RAISED, ChallengeStatus.FILED, ChallengeStatus.UPHELD)
        return tuple(number for number, one in self.of.items() if one.status in open_)


def require_no_stay(check: Checks, state: State, rule: str) -> None:
    """Check that no challenge holds the award up."""
    staying = state.part(Challenges).staying
    check(
        not staying,
        rule,
        "質疑（投訴）{staying} 尚未了結，期間暫停",
        "the challenges {staying} are not settled; it stands still until they are",
        staying=staying,
    )
