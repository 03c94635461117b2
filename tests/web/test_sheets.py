"""Lists as spreadsheets over HTTP: the same rows for the same readers, numbers as numbers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from python_calamine import CalamineWorkbook

from domain.kernel.scope import Scope, ScopeKind
from papers.workbook import MEDIA_TYPE
from tests.web.test_papers import project

if TYPE_CHECKING:
    from domain.kernel.identifier import StreamId
    from tests.web.conftest import Counter

__all__ = ["project"]  # the fixture: a project that was awarded, signed and paid


def read(content: bytes, sheet: int = 0) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(sheet).to_python()


async def test_projects_are_had_as_a_spreadsheet_with_its_conditions(counter: Counter, project: StreamId) -> None:
    position = await counter.house.store.last_position()
    query = f"/v1/projects?realm={project.realm}&at_least={position}"
    async with counter.service("CAB-REG#1", lang="zh-Hant") as service:
        sheet = await service.get(f"{query}&format=xlsx")
        accepted = await service.get(query, headers={"Accept": MEDIA_TYPE})
        listed = (await service.get(query)).json()["projects"]
    head, row = read(sheet.content)
    assert row[head.index("資助金額（元）")] * 100 == listed[0]["award"] == 5_000_000
    assert row[head.index("名稱")] == listed[0]["title"]
    assert read(accepted.content) == read(sheet.content)
    assert ["realm", project.realm] in read(sheet.content, 1)
    assert sheet.headers["Content-Type"] == MEDIA_TYPE


@pytest.mark.parametrize("path", ["/v1/inbox", "/v1/approvals"])
async def test_what_waits_is_had_as_a_spreadsheet(counter: Counter, project: StreamId, path: str) -> None:
    async with counter.service("CAB-REG#1") as service:
        answer = await service.get(f"{path}?realm={project.realm}&format=xlsx")
    assert answer.status_code == 200, answer.text
    assert len(read(answer.content)) >= 1
    assert ["realm", project.realm] in read(answer.content, 1)


async def test_a_story_is_had_as_a_spreadsheet_by_whoever_may_see_the_file(counter: Counter, project: StreamId) -> None:
    others = Scope(kind=ScopeKind.ORGANISATION, names=("ORG-9",))
    async with counter.service("CAB-REG#1") as service:
        story = await service.get(f"/v1/files/{project}?format=xlsx")
        chapters = (await service.get(f"/v1/files/{project}")).json()["story"]
    async with counter.service("SO-LEGAL#9", scope=others) as stranger:
        refused = await stranger.get(f"/v1/files/{project}?format=xlsx")
        own = await stranger.get(f"/v1/projects?realm={project.realm}&format=xlsx")
    assert len(read(story.content)) == 1 + len(chapters)
    assert refused.status_code == 404
    assert len(read(own.content)) == 1


async def test_a_form_that_there_is_not_is_refused(counter: Counter) -> None:
    async with counter.service("CAB-REG#1") as service:
        assert (await service.get("/v1/projects?format=doc")).status_code == 422


async def test_registers_and_sums_are_had_as_lists_and_as_spreadsheets_by_the_house_alone(
    counter: Counter, project: StreamId
) -> None:
    others = Scope(kind=ScopeKind.ORGANISATION, names=("ORG-9",))
    position = await counter.house.store.last_position()
    lists = [f"/v1/{name}realm={project.realm}&at_least={position}" for name in ("organisations?", "money?by=fund&")]
    async with counter.service("CAB-REG#1") as service:
        bodies = [(await service.get(one)).json() for one in lists]
        sheets = [read((await service.get(f"{one}&format=xlsx")).content) for one in lists]
    async with counter.service("SO-LEGAL#9", scope=others) as stranger:
        refused = [(await stranger.get(f"{one}{form}")).status_code for one in lists for form in ("", "&format=xlsx")]
    assert bodies[0]["organisations"][0]["name"] in sheets[0][1]
    (sums,) = bodies[1]["sums"]
    head, row = sheets[1]
    assert row[head.index("award (yuan)")] * 100 == sums["values"]["award"] == 5_000_000
    assert refused == [403] * 4
