"""Who may not see a thing gets the answer of a thing that is not there: page by page, role by role."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from domain.kernel.identity import Role, StreamId
from domain.kernel.scope import Scope, ScopeKind
from tests.web.console.papers import PaperHouse, open_paper_house

if TYPE_CHECKING:
    import httpx

OTHERS = {
    Role.SO_LEGAL: Scope(kind=ScopeKind.ORGANISATION, names=("ORG-77",)),
    Role.SO_PM: Scope(kind=ScopeKind.ORGANISATION, names=("ORG-77",)),
    Role.SO_ACC: Scope(kind=ScopeKind.ORGANISATION, names=("ORG-77",)),
    Role.COMM: Scope(kind=ScopeKind.COMMUNITY, names=("COMM-77",)),
    Role.DCAB: Scope(kind=ScopeKind.DISTRICT, names=("DISTRICT-77",)),
    Role.HOST: Scope(kind=ScopeKind.PARTY, names=("HOST-77",)),
    Role.SUPV: Scope(kind=ScopeKind.PARTY, names=("SUPV-77",)),
    Role.EVAL: Scope(kind=ScopeKind.PARTY, names=("EVAL-77",)),
    Role.BASE_OP: Scope(kind=ScopeKind.BASE, names=("BASE-77",)),
    Role.PUBLIC: None,
    Role.ADMIN: None,
}
_REQUEST = re.compile(r"[0-9a-f]{32}|\b(AP-5|AP-404|RP-2|RP-404|FS-FZ|FS-404|P-1|P-404)\b")


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("papers"))


def _comparable(answer: httpx.Response) -> tuple[int, str]:
    """What an answer says, but for the names that were asked for and the tokens of the forms."""
    text = re.sub(r'(name="(?:token|next)") value="[^"]*"', r"\1", answer.text)
    return answer.status_code, _REQUEST.sub("", text)


@pytest.mark.parametrize("role", OTHERS)
@pytest.mark.parametrize(("kind", "there", "missing"), [("project", "AP-5", "AP-404"), ("fund", "FS-FZ", "FS-404")])
async def test_the_file_of_others_is_as_if_it_were_not_there(
    papers: PaperHouse, role: Role, kind: str, there: str, missing: str
) -> None:
    async with papers.person(f"{role}#77", scope=OTHERS[role]) as other:
        seen, none = [await other.get(f"/files/{StreamId.of(kind, papers.realm, name)}") for name in (there, missing)]
        past, never = [
            await other.get(f"/files/{StreamId.of(kind, papers.realm, name)}?as_of=2023-05-20")
            for name in (there, missing)
        ]
    assert seen.status_code == 404
    assert _comparable(seen) == _comparable(none)
    assert _comparable(past) == _comparable(never)


@pytest.mark.parametrize("role", [Role.SO_PM, Role.SO_LEGAL, Role.SO_ACC])
async def test_the_acts_on_others_files_are_as_if_these_were_not_there(papers: PaperHouse, role: Role) -> None:
    command = {"SO-PM": "StartProject", "SO-LEGAL": "SubmitFinalReport", "SO-ACC": "ReturnSurplus"}[role]
    async with papers.person(f"{role}#77", scope=OTHERS[role]) as other:
        answers = [await other.get(f"/do/{command}/project/{papers.realm}/{name}") for name in ("AP-5", "AP-404")]
    assert "守護" not in answers[0].text
    assert answers[1].status_code == 404


async def test_an_organisations_own_people_see_its_file_and_list_nobody_elses(papers: PaperHouse) -> None:
    own, other = (Scope(kind=ScopeKind.ORGANISATION, names=(name,)) for name in ("ORG-3", "ORG-77"))
    async with papers.person("SO-PM#1", scope=own) as ours, papers.person("SO-PM#77", scope=other) as theirs:
        assert (await ours.get(f"/files/project/{papers.realm}/AP-5")).status_code == 200
        mine, none = await ours.get("/projects?overdue=false"), await theirs.get("/projects")
        tasks = await theirs.get("/")
    assert "AP-5" in mine.text or "PJ-3" in mine.text
    assert "PJ-3" not in none.text
    assert "AP-5" not in none.text
    assert "AP-5" not in tasks.text


async def test_a_page_of_the_past_says_so_and_offers_no_acts(papers: PaperHouse) -> None:
    path = f"/files/project/{papers.realm}/AP-5"
    async with papers.person("CAB-REG#1") as person:
        now, past = await person.get(path), await person.get(path, params={"as_of": "2023-05-13"})
        early = await person.get(path, params={"as_of": "2023-01-01"})
        wrong = await person.get(path, params={"as_of": "昨天"})
    assert "/do/" in now.text
    assert "/do/" not in past.text
    assert "這是 2023-05-13 24:00 的樣子" in past.text
    assert "擬立項" in past.text
    assert "簽訂資助協議" not in past.text.partition("辦理經過")[2]
    assert early.status_code == 404, "it was not there yet"
    assert wrong.status_code == 422


async def test_a_file_says_what_may_be_done_and_what_is_missing_for_the_rest(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1") as person:
        page = await person.get(f"/files/project/{papers.realm}/AP-5")
    assert f"/do/RequestDisbursement/project/{papers.realm}/AP-5" in page.text
    missing = page.text.partition("暫不能辦理")[2].partition("</details>")[0]
    assert "結項" in missing
    assert "[T" in missing, "with the rule"
    assert "未獲辦理" in page.text, "what was refused stands in the story"


@pytest.mark.parametrize("kind", ["organisation", "fund", "panel", "person", "seat", "door", "office"])
async def test_registers_are_listed_for_whose_business_they_are(papers: PaperHouse, kind: str) -> None:
    outside = Scope(kind=ScopeKind.ORGANISATION, names=("ORG-77",))
    async with papers.person("SO-PM#77", scope=outside) as other, papers.person("AUDIT#1") as auditor:
        hidden, visible = await other.get(f"/lists/{kind}"), await auditor.get(f"/lists/{kind}")
        index = await other.get("/lists")
    assert (hidden.status_code, visible.status_code) == (403, 200)
    assert f'href="/lists/{kind}"' not in index.text


async def test_rounds_and_needs_are_listed_for_anybody_and_lead_to_their_pages(papers: PaperHouse) -> None:
    async with papers.person("COMM#1") as person:
        rounds, needs = await person.get("/lists/round"), await person.get("/lists/need")
    assert f'href="/rounds/{papers.realm}/R-FZ-2023"' in rounds.text
    assert f'href="/files/need/{papers.realm}/ND-2"' in needs.text
    assert "/do/SubmitNeed" in needs.text, "a community may begin one"
    assert "/do/PublishCall" not in rounds.text


@pytest.mark.parametrize(
    ("lang", "level", "route"),
    [
        ("zh-TW", "<dt>級別</dt><dd>市級</dd>", "<dt>方式</dt><dd>"),
        ("en", "<dt>Level</dt><dd>municipal</dd>", "<dt>Route</dt><dd>"),
    ],
)
async def test_the_facts_of_a_round_are_named_and_in_words(
    papers: PaperHouse, lang: str, level: str, route: str
) -> None:
    async with papers.person("CAB-REG#1", lang=lang) as person:
        page = (await person.get(f"/files/round/{papers.realm}/R-FZ-2023")).text
    assert level in page
    assert route in page
    assert "<dt></dt>" not in page
    assert "MUNICIPAL" not in page


async def test_of_a_document_whose_original_is_not_here_the_file_says_so_and_links_nowhere(papers: PaperHouse) -> None:
    async with papers.person("CAB-REG#1") as person:
        page = (await person.get(f"/files/project/{papers.realm}/AP-5")).text
    assert '會議紀要.pdf <span class="office-small">（原件不在此處）</span>' in page
    assert "/v1/documents/" not in page
