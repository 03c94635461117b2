"""Five rounds typed from real notices: the lists and the sums that the public sees come out as they were posted."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ConfigDict
from yaml import safe_load

from application.pages import PageRequest, wait_for_view
from application.public_projects import PublicFilter, list_posted
from scenarios.format import Scenario
from scenarios.plan import plan
from scenarios.play import play
from schemes.document import read_text
from store.memory import MemoryStore
from tests.paper import open_paper_door

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.full  # each round is told command by command
MINUTES = {"sha256": "7" * 64, "media_type": "application/pdf", "name": "會議紀要.pdf"}
FINDING = {"reason": "材料不全", "attachments": [{**MINUTES, "name": "初審意見.pdf"}]}
SEATS = ["E1", "E2", "E3", "E4", "E5"]


class Notice(BaseModel):
    """What was posted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    posted_on: date
    last_day: date
    publicity_wd: int
    applied: int
    reviewed: int
    awards: dict[int, int]
    """Fen and how many projects are to have so much."""
    total_fen: int | None = None
    """As the notice has it; None where it names no sum."""
    cap_fen: int | None = None

    @property
    def amounts(self) -> list[int]:
        """Fen of each project that was posted, the best first."""
        return list(chain.from_iterable(repeat(fen, times) for fen, times in self.awards.items()))

    def before(self, days: int) -> date:
        """So many days before it was posted."""
        return self.posted_on - timedelta(days=days)


NOTICES = [Notice.model_validate(one) for one in safe_load((Path(__file__).parent / "notices.yaml").read_text())]


def tell(notice: Notice) -> dict[str, Any]:
    """The round up to its notice, as the office would enter it."""
    bids = range(1, notice.applied + 1)
    policy: dict[str, Any] = {"publicity": {"working_days": notice.publicity_wd}}
    if notice.cap_fen is not None:
        policy["bidding"] = {"cap_fen": notice.cap_fen}
    projects = {
        f"PJ-{n}": {
            "application": f"AP-{n}",
            "organisation": f"ORG-{n}",
            "title": f"項目{n}",
            "fields": ["助老扶幼"],
            "statement": "見申報書",
            "requested": notice.amounts[min(n, len(notice.amounts)) - 1],
            **_award(notice, n),
        }
        for n in bids
    }
    return {
        "id": notice.id,
        "scheme": "fuzhou",
        "policy": policy,
        "defaults": {"round": "R-1", "year": notice.posted_on.year, "level": "DISTRICT"},
        "projects": projects,
        "events": list(_rows(notice)),
    }


def _award(notice: Notice, n: int) -> dict[str, Any]:
    if n > len(notice.amounts):
        return {}
    fen = notice.amounts[n - 1]
    return {"award": fen, "funds": {"FS-1": fen}, "panel": "RP-1"}


def _rows(notice: Notice) -> Iterator[list[Any]]:
    bids, seen = range(1, notice.applied + 1), range(1, notice.reviewed + 1)
    deadline = f"{notice.before(20)}T17:00:00+08:00"
    fund = {"name": "本級公益金", "envelope": sum(notice.amounts)}
    yield [notice.before(60), "FundSourceRegistered", "FS-1", "CAB-FIN#1", fund]
    yield [notice.before(50), "CallPublished", "R-1", "CAB-REG#1", {"deadline": deadline}]
    for n in bids:
        who = {"name": f"單位{n}", "kind": "SERVICE_AGENCY", "representatives": [f"SO-LEGAL#{n}"]}
        yield [notice.before(45), "OrganisationVerified", f"ORG-{n}", "HOST#1", who]
    for n in bids:
        yield [notice.before(25), "ApplicationSubmitted", f"AP-{n}", f"SO-LEGAL#{n}", {}]
    yield [notice.before(20), "CallClosed", "R-1", "SYS#1", {}]
    for n in bids:
        passed = n in seen
        event = "PreliminaryReviewPassed" if passed else "PreliminaryReviewFailed"
        yield [notice.before(14), event, f"AP-{n}", "HOST#1", {} if passed else FINDING]
    applications = [f"AP-{n}" for n in seen]
    results = {name: str(98 - 28 * n / len(applications))[:5] for n, name in enumerate(applications)}
    draw = {"applications": applications, "seats": SEATS}
    yield [notice.before(10), "PanelDrawn", "RP-1", "CAB-REG#1", draw]
    yield [notice.before(6), "ReviewReportIssued", "RP-1", "HOST#1", {"results": results}]
    posted = range(1, len(notice.amounts) + 1)
    for n in posted:
        yield [notice.before(3), "AwardProposed", f"PJ-{n}", "CAB-REG#1", {"minutes": MINUTES}]
    for n in posted:
        yield [notice.posted_on, "AwardPublicityOpened", f"PJ-{n}", "CAB-REG#1", {"contact": "社會組織管理科"}]


@pytest.mark.parametrize("notice", NOTICES, ids=lambda one: one.id)
async def test_a_round_typed_from_its_notice_is_posted_as_it_was(notice: Notice) -> None:
    store = MemoryStore()
    document = read_text(json.dumps(tell(notice), default=str), f"{notice.id}.json")
    played = await play(plan(document.parse(Scenario), document), open_paper_door(store), store)
    assert not played.deviations, played.as_json()
    await wait_for_view(store, "projects", await store.last_position(), patience_s=30)
    page = await list_posted(store, PublicFilter(realm=played.plan.realm), PageRequest(limit=200))
    assert len(page.rows) == len(notice.amounts)
    assert sorted(row.award for row in page.rows) == sorted(notice.amounts)
    assert notice.total_fen in (None, sum(row.award for row in page.rows))
    assert {row.notice_last for row in page.rows} == {notice.last_day}
    stages = Counter([row.stage async for row in store.standings(kind="project", realm=played.plan.realm)])
    assert stages["IN_PUBLICITY"] == len(notice.amounts)
    assert stages["SHORTLISTED"] == notice.reviewed - len(notice.amounts)
    assert stages["PRELIM_FAILED"] == notice.applied - notice.reviewed
