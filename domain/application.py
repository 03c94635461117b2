"""A bid as everybody else reads it: the panel that scores it, the round that ranks it, the award that rests on it.

The module that writes it is ``domain.project.bidding``; it lies here, below the project, so that the panel can read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.kernel.beneficiaries import Beneficiaries
from domain.kernel.money import Fen
from domain.kernel.state import Part
from domain.kernel.words import Words


class ProjectKind(Words):
    """How a project comes to be funded."""

    SERVICE = "SERVICE", "公益服務項目", "service project"
    """By bidding in a round."""
    BASE_SUPPORT = "BASE_SUPPORT", "基地運營扶持", "base support"
    """By the assessment of a base, without bidding (CZ-9)."""


@dataclass(frozen=True)
class Application(Part):
    """What is applied for, by whom, in answer to which need."""

    organisation: str = ""
    """The bidder, e.g. ``ORG-3``."""
    partners: tuple[str, ...] = ()
    """Organisations that bid jointly with it."""
    round: str | None = None
    """The round it is a bid in, or whose budget supports the base."""
    need: str | None = None
    """The adopted need that it answers; None if it carries its own statement of one."""
    title: str = ""
    kind: ProjectKind = ProjectKind.SERVICE
    fields: frozenset[str] = frozenset()
    """Fields of welfare that it works in (HZ-6)."""
    requested: Fen = 0
    """What it asks for, in fen."""
    match_pledged: Fen = 0
    """Self-raised money promised beside it, in fen."""
    community: str | None = None
    """The community that benefits (FZ-2)."""
    district: str | None = None
    """The district that screens it; None where only the host and the bureau do."""
    base: str | None = None
    """The base that is supported; None for a service."""
    returned_on: date | None = None
    """The Shanghai day on which it was returned for completion; None unless it lies with the applicant."""
    completion_wd: int = 0
    """Working days to complete it."""
    rescoring: bool = False
    """Whether an upheld objection asks for it to be scored again, by another panel (T06)."""
    beneficiaries: Beneficiaries | None = None
    """Whom it serves; None where it does not say."""
    places: tuple[str, ...] = ()
    """The keys of the places that it holds: in its round, and as the one answer to its need."""

    @property
    def bidders(self) -> frozenset[str]:
        """All organisations that stand behind it."""
        return frozenset({self.organisation, *self.partners} - {""})
