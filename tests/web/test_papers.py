"""Papers over HTTP, for whoever may see the file that they are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from domain.kernel.identifier import StreamId
from domain.kernel.scope import Scope, ScopeKind
from scenarios.play import play
from tests.paper import story

if TYPE_CHECKING:
    from tests.conftest import Desk
    from tests.web.conftest import Counter


@pytest.fixture(scope="module")
async def project(desk: Desk) -> StreamId:
    """A project that was awarded, signed and paid the first tranche."""
    plan = story(fresh=f"papers-{uuid4().hex[:6]}")
    assert not (await play(plan, desk.door, desk.store)).deviations
    return StreamId.of("project", plan.realm, "AP-5")


async def test_papers_are_listed_and_given_out_in_the_form_that_is_asked_for(
    counter: Counter, project: StreamId
) -> None:
    async with counter.service("CAB-REG#1") as service:
        listed = (await service.get(f"/v1/papers/{project}")).json()["papers"]
        word = await service.get(f"/v1/papers/{project}/award")
        data = await service.get(f"/v1/papers/{project}/award?format=json&as_of=2023-05-31")
    assert {"award", "payment.T1"} <= {one["name"] for one in listed if one["date"]}
    assert word.content.startswith(b"PK")
    assert word.headers["Content-Type"].endswith("wordprocessingml.document")
    assert "AP-5-award.docx" in word.headers["Content-Disposition"]
    assert data.json()["source"]["as_of"] == "2023-05-31"


@pytest.mark.full  # it needs a Chinese font, which deploy/debian-for-tests installs
async def test_whoever_accepts_a_pdf_is_given_one(counter: Counter, project: StreamId) -> None:
    async with counter.service("CAB-REG#1") as service:
        pdf = await service.get(f"/v1/papers/{project}/payment.T1", headers={"Accept": "application/pdf"})
    assert pdf.content.startswith(b"%PDF-")


async def test_what_is_not_there_yet_and_what_never_will_be_are_told_apart(counter: Counter, project: StreamId) -> None:
    async with counter.service("CAB-REG#1") as service:
        early = await service.get(f"/v1/papers/{project}/award?as_of=2023-05-10")
        never = await service.get(f"/v1/papers/{project}/poem")
        bounds = await service.get(f"/v1/papers/{project}/award?as_of=0001-01-01")
        other = await service.get(f"/v1/papers/{project.sibling('organisation', 'ORG-3')}/award")
    assert [one.status_code for one in (early, never, bounds, other)] == [409, 404, 422, 404]


async def test_whose_business_the_file_is_not_finds_no_papers(counter: Counter, project: StreamId) -> None:
    others = Scope(kind=ScopeKind.ORGANISATION, names=("ORG-9",))
    async with counter.service("SO-LEGAL#9", scope=others) as service:
        answers = [await service.get(f"/v1/papers/{project}{rest}") for rest in ("", "/award", "/payment.T1")]
    async with counter.stranger() as stranger:
        nobody = await stranger.get(f"/v1/papers/{project}/award")
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert nobody.status_code == 401


@pytest.mark.parametrize("role", ["HOST", "SUPV", "EVAL"])
async def test_papers_of_the_past_are_for_whose_business_the_file_is_today(
    counter: Counter, project: StreamId, role: str
) -> None:
    """Before the contract named its parties, it was nobody's in particular."""
    others = Scope(kind=ScopeKind.PARTY, names=(f"{role}-77",))
    async with counter.service(f"{role}#77", scope=others) as service:
        answers = [
            await service.get(f"/v1/papers/{project}{rest}as_of=2023-05-24") for rest in ("?", "/award?format=json&")
        ]
    assert [answer.status_code for answer in answers] == [404, 404]
