"""The papers of a file stand on a page of their own, for whoever may see the file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.web.console.papers import PaperHouse, open_paper_house

POSTED = datetime(2023, 6, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("papers"), until=POSTED)


async def test_a_file_leads_to_its_papers_and_they_are_taken_away_from_there(papers: PaperHouse) -> None:
    stream = f"project/{papers.realm}/AP-5"
    async with papers.person("CAB-REG#1") as person:
        file = (await person.get(f"/files/{stream}")).text
        page = (await person.get(f"/papers/{stream}")).text
        word = await person.get(f"/v1/papers/{stream}/award?format=docx")
    assert f'href="/papers/{stream}"' in file
    assert f'href="/v1/papers/{stream}/award?format=docx"' in page
    assert f'href="/v1/papers/{stream}/award?format=pdf"' in page
    assert "尚不能出具的（" in page
    assert word.status_code == 200


async def test_whose_business_the_file_is_not_and_a_file_that_yields_none_are_not_found(papers: PaperHouse) -> None:
    async with papers.person("SO-LEGAL#9") as stranger, papers.person("CAB-REG#1") as person:
        hidden = await stranger.get(f"/papers/project/{papers.realm}/AP-5")
        need = await person.get(f"/papers/need/{papers.realm}/ND-2")
        file = await person.get(f"/files/need/{papers.realm}/ND-2")
    assert (hidden.status_code, need.status_code) == (404, 404)
    assert "/papers/need/" not in file.text
