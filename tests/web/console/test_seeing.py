"""Who may not see a thing gets the answer of a thing that is not there: page by page, role by role."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from application.attempts import AttemptFilter, list_attempts
from application.command_outcome import find_outcome
from domain.catalogue import AGGREGATES
from domain.kernel.identifier import Role, StreamId
from domain.kernel.proposal import ConfirmAct
from domain.kernel.scope import Scope, ScopeKind
from domain.kernel.state import NONE
from tests.tables import mostly
from tests.web.console.papers import PaperHouse, open_paper_house
from tests.web.console.walk import list_routes

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
OPEN = {"calendar", "need", "round", "scheme"}
"""Kinds of files that are anybody's to read."""
AS_THE_ROUND_SAYS = {(Role.HOST, "panel")}
"""The round of this story names no host: its panels are any managing agency's business (AF05)."""
_REQUEST = re.compile(r"[0-9a-f]{32}|\b(AP|RP|FS|ORG|P)-(FZ|[0-9]+)\b")


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("papers"))


def _comparable(answer: httpx.Response) -> tuple[int, str]:
    """What an answer says, but for the names that were asked for and the tokens of the forms."""
    text = re.sub(r'(name="(?:token|next)") value="[^"]*"', r"\1", answer.text)
    return answer.status_code, _REQUEST.sub("", text)


@mostly(2, "role", OTHERS)
async def test_every_page_of_a_file_of_others_is_as_if_it_were_not_there(papers: PaperHouse, role: Role) -> None:
    streams = [row.stream async for row in papers.house.store.standings(realm=papers.realm)]
    closed = [one for one in streams if one.kind not in OPEN and (role, one.kind) not in AS_THE_ROUND_SAYS]
    assert closed
    async with papers.person(f"{role}#77", scope=OTHERS[role]) as other:
        for stream in closed:
            missing = StreamId.of(stream.kind, stream.realm, stream.name.partition("-")[0] + "-404")
            for path in list_pages(role, stream):
                there, none = [await other.get(path.format(**_parts(one))) for one in (stream, missing)]
                assert there.status_code == 404, (path, stream)
                assert _comparable(there) == _comparable(none), (path, stream)


def list_pages(role: Role, stream: StreamId) -> list[str]:
    """Every page about one file, by its route, of now and of a day past; of acts on what is there, the role's own."""
    own = [one for one in AGGREGATES[stream.kind].commands if role in one.by and NONE not in one.during]
    paths = [
        path.replace("{command}", command.command_type)
        for path in sorted(list_routes())
        if "{name}" in path and not path.startswith(("/public/", "/static/", "/rounds/"))
        for command in (own if "{command}" in path else [ConfirmAct])
    ]
    return [*paths, "/files/{kind}/{realm}/{name}?as_of=2023-05-20", "/files/{kind}/{realm}/{name}?story=whole"]


def _parts(stream: StreamId) -> dict[str, str]:
    return {"kind": stream.kind, "realm": stream.realm, "name": stream.name}


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


async def test_a_refused_attempt_says_why_where_it_stands_in_the_story(papers: PaperHouse) -> None:
    stream = StreamId.of("project", papers.realm, "AP-5")
    (attempt,) = (await list_attempts(papers.house.store, AttemptFilter(stream=stream))).rows
    outcome = await find_outcome(papers.house.store, attempt.command_id)
    assert outcome is not None
    async with papers.person("CAB-REG#1") as officer, papers.person("EXPERT#1") as expert:
        told = unescape((await officer.get(f"/files/{stream}")).text)
        hidden = unescape((await expert.get(f"/files/{stream}")).text)
    entry = told.partition(f'id="e{attempt.position}"')[2].partition("</li>")[0]
    assert all(f"{one.zh} [{one.rule}]" in entry for one in outcome.unmet)
    assert not any(one.zh in hidden for one in outcome.unmet)
