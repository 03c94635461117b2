"""擬立項項目一覽: what a public notice says of each award, whether of one project's or of all of a round's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.kernel.money import yuan

if TYPE_CHECKING:
    from domain.application import Application
    from domain.kernel.money import Fen
    from papers.dossier import Dossier

COLUMNS: Final = (
    ("項目編號", 3, False),
    ("項目名稱", 5, False),
    ("申報單位", 5, False),
    ("申請金額", 6, True),
    ("擬資助金額", 6, True),
)


def write_row(dossier: Dossier, project: str, application: Application, award: Fen) -> tuple[str, ...]:
    """The award of that project in these columns."""
    return (
        project,
        application.title,
        dossier.name_organisation(application.organisation),
        yuan(application.requested),
        yuan(award),
    )
