"""立項通知: what becomes of a bid that was chosen, posted and confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.application import Application, ProjectKind
from domain.kernel.calendar import local_day
from domain.project.award import Award
from domain.project.publicity import AwardConfirmed
from papers.dossier import write_day
from papers.kind import Draft, PaperKind, draw_money, write_amount, write_in_words
from papers.paper import Layout

if TYPE_CHECKING:
    from application.queries import Chapter
    from domain.kernel.state import State
    from papers.dossier import Dossier
    from papers.template import Fact


def _draft_award(dossier: Dossier, chapter: Chapter, event: AwardConfirmed, before: State) -> Draft:
    award, application, day = before.part(Award), before.part(Application), local_day(chapter.at)
    until = dossier.calendar.after(day, event.signing_wd)
    facts: dict[str, Fact] = {
        "award": write_amount(award.amount),
        "award_words": write_in_words(dossier, award.amount),
        "signing_wd": str(event.signing_wd),
        "signing_until": write_day(until),
        "is_base": application.kind is ProjectKind.BASE_SUPPORT,
    }
    funds = draw_money(
        dossier,
        ("資金來源", "資助金額"),
        ((dossier.name_fund(fund), fen) for fund, fen in sorted(award.funds.items())),
    )
    return Draft(day, facts, {"funds": funds})


KINDS = (
    PaperKind(
        name="award",
        zh="立項通知",
        en="award notice",
        of="project",
        layout=Layout.OFFICIAL,
        event=AwardConfirmed,
        draft=_draft_award,
    ),
)
