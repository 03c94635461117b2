"""A walk past every page: by the route that answers it, where it is found and who looks at it.

What is not walked past is named with the reason, so that a page which comes to be cannot be left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from fastapi.routing import APIRoute

from web.console import routers

if TYPE_CHECKING:
    from collections.abc import Mapping

SCORED, POSTED, SEALED, ASKED = "scored", "posted", "sealed", "asked"
STORIES: Final = {
    SCORED: ("s2-fuzhou", datetime(2023, 5, 9, tzinfo=UTC)),
    POSTED: ("s2-fuzhou", datetime(2023, 6, 30, tzinfo=UTC)),
    SEALED: ("s19-sealed", datetime(2024, 6, 3, tzinfo=UTC)),
    ASKED: ("s18-questions", datetime(2024, 5, 29, tzinfo=UTC)),
}
"""Which story, and until when it is told: there is something to see."""
OFFICER, LEADER, HOST = ("CAB-REG#1",), ("CAB-DEC#1",), ("HOST#1",)
APPLICANT, EXPERT, AUDITOR, ADMIN = ("SO-LEGAL#191",), ("EXPERT#1",), ("AUDIT#1",), ("ADMIN#1",)
NOBODY: Final[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Stop:
    """One page to look at."""

    path: str
    """``{realm}`` is that of the story; ``{webhook}`` and ``{receipt}`` are what there is of such."""
    seats: tuple[str, ...] = OFFICER
    story: str = SCORED
    """Which story is told there; empty for the house with servers."""
    status: HTTPStatus = HTTPStatus.OK


WALK: Final[Mapping[str, tuple[Stop, ...]]] = {
    "/": (Stop("/"), Stop("/", HOST), Stop("/", EXPERT), Stop("/", LEADER)),
    "/sign-in": (Stop("/sign-in", NOBODY, ""),),
    "/lists": (Stop("/lists"), Stop("/lists", ADMIN)),
    "/lists/{kind}": (
        *(Stop(f"/lists/{kind}") for kind in ("need", "round", "panel", "organisation", "fund", "scheme")),
        *(Stop(f"/lists/{kind}", ADMIN, "") for kind in ("person", "seat", "door")),
    ),
    "/done": (Stop("/done"), Stop("/done?refused=true")),
    "/begun": (Stop("/begun"),),
    "/drafts": (Stop("/drafts"),),
    "/portfolio": (Stop("/portfolio?realm={realm}"), Stop("/portfolio?realm={realm}", LEADER, POSTED)),
    "/portfolio/projects": (Stop("/portfolio/projects?realm={realm}"),),
    "/rounds/{realm}/{name}": (
        Stop("/rounds/{realm}/R-FZ-2023"),
        Stop("/rounds/{realm}/R-T-2024", story=SEALED),
        Stop("/rounds/{realm}/R-T-2024", story=ASKED),
    ),
    "/reviews": (Stop("/reviews", EXPERT),),
    "/reviews/{realm}/{name}": (
        Stop("/reviews/{realm}/RP-2", ("EXPERT#2",)),
        Stop("/reviews/{realm}/RP-2", EXPERT),
    ),
    "/projects": (Stop("/projects"),),
    "/find": (Stop("/find?name=AP-404"),),
    "/files/{kind}/{realm}/{name}": (
        Stop("/files/project/{realm}/AP-5"),
        Stop("/files/project/{realm}/AP-5?as_of=2023-04-20"),
        Stop("/files/project/{realm}/AP-5", LEADER, POSTED),
        Stop("/files/need/{realm}/ND-2"),
        Stop("/files/panel/{realm}/RP-2"),
        Stop("/files/round/{realm}/R-T-2024", story=ASKED),
        Stop("/files/project/{realm}/AP-191", LEADER, SEALED),
        Stop("/files/project/{realm}/AP-404", status=HTTPStatus.NOT_FOUND),
    ),
    "/papers/{kind}/{realm}/{name}": (
        Stop("/papers/project/{realm}/AP-5", LEADER, POSTED),
        Stop("/papers/round/{realm}/R-FZ-2023"),
        Stop("/papers/need/{realm}/ND-2", status=HTTPStatus.NOT_FOUND),
    ),
    "/do/{command}": (Stop("/do/SubmitApplication", APPLICANT), Stop("/do/PublishCall")),
    "/do/{command}/{kind}/{realm}/{name}": (
        Stop("/do/ProposeAward/project/{realm}/AP-5"),
        Stop("/do/SubmitApplication/project/{realm}/AP-9", APPLICANT),
        Stop("/do/SealApplication/project/{realm}/AP-9", APPLICANT, SEALED),
        Stop("/do/AskClarification/round/{realm}/R-T-2024", APPLICANT, ASKED),
        Stop("/do/SubmitScore/panel/{realm}/RP-2?part=AP-5", EXPERT),
        Stop("/do/DrawPanel/panel/{realm}/RP-9"),
    ),
    "/receipts/{command_id}": (Stop("/receipts/{receipt}", EXPERT),),
    "/together": (Stop("/together", status=HTTPStatus.UNPROCESSABLE_ENTITY),),
    "/bulk": (Stop("/bulk", APPLICANT), Stop("/bulk")),
    "/audit": (Stop("/audit", AUDITOR),),
    "/audit/attempts": (Stop("/audit/attempts", AUDITOR),),
    "/audit/commands": (Stop("/audit/commands?seat=CAB-REG%231", AUDITOR),),
    "/audit/reads": (Stop("/audit/reads", AUDITOR, ""),),
    "/audit/maintenance": (Stop("/audit/maintenance", AUDITOR),),
    "/schemes": (Stop("/schemes", LEADER),),
    "/administration": (Stop("/administration", ADMIN, ""),),
    "/administration/builds": (Stop("/administration/builds?examine=true", ADMIN, ""),),
    "/administration/webhooks": (Stop("/administration/webhooks", ADMIN, ""),),
    "/administration/webhooks/{webhook_id}": (Stop("/administration/webhooks/{webhook}", ADMIN, ""),),
    "/public": (Stop("/public?realm={realm}", NOBODY), Stop("/public?realm={realm}", NOBODY, POSTED)),
    "/public/notices": (Stop("/public/notices?realm={realm}", NOBODY, POSTED),),
    "/public/projects": (Stop("/public/projects?realm={realm}", NOBODY, POSTED),),
    "/public/projects/{realm}/{name}": (Stop("/public/projects/{realm}/AP-5", NOBODY, POSTED),),
    "/public/rounds/{realm}/{name}": (
        Stop("/public/rounds/{realm}/R-FZ-2023", NOBODY),
        Stop("/public/rounds/{realm}/R-T-2024", NOBODY, ASKED),
    ),
    "/public/money": (Stop("/public/money?realm={realm}", NOBODY, POSTED),),
}
LEFT_OUT: Final = {
    "/static/{version}/{name}": "no page",
    "/public/projects.{form}": "no page",
    "/public/feed.atom": "no page",
    "/bulk/template": "no page",
    "/audit/runs/{run_id}": "looked at when a verification has run",
    "/together/{command}": "goes to the inbox unless something is held",
}


def list_routes() -> set[str]:
    """Every route that answers a reader, as the console has it."""
    routes = (route for router in routers.ROUTERS for route in router.routes if isinstance(route, APIRoute))
    return {route.path for route in routes if "GET" in (route.methods or ())}
