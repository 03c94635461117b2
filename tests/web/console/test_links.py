"""Whoever follows the links of their pages comes to what they may open: none leads to nothing, or to a fault.

Each page on the way is light enough for a slow line.
"""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from typing import TYPE_CHECKING, Final

import pytest

from domain.kernel.identifier import Role
from domain.kernel.scope import Scope, ScopeKind
from tests.tables import mostly
from tests.web.console.papers import PaperHouse, open_paper_house
from web.console.assets import ASSETS

if TYPE_CHECKING:
    import httpx

_OWN: Final = Scope(kind=ScopeKind.ORGANISATION, names=("ORG-3",))
_OF_THE_APPLICANT: Final = frozenset({Role.SO_LEGAL, Role.SO_PM, Role.SO_ACC})
_LINK: Final = re.compile(r'href="(/[^"#]*|\?[^"#]*)')
_NAME: Final = re.compile(r"[^/]*\d[^/]*")
_WITH_SERVERS: Final = ("/administration", "/static/")
"""Where what a house without servers has not is told."""
_WITH_TYPE: Final = "format=pdf"
"""What a machine without Chinese type says it cannot draw; in fuller runs by tests/papers/test_pdf_file.py."""
MOST_BYTES: Final = 60_000
"""Of a first load, as they are sent: the page, its styles and its scripts."""
MOST_OF_A_KIND: Final = 4
"""Pages that differ in names alone."""


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("links"))


@mostly(1, "role", [Role.SO_PM, *(role for role in Role if role not in {Role.SO_PM, Role.SYS})])
async def test_no_link_leads_to_what_is_not_there_for_who_follows_it(papers: PaperHouse, role: Role) -> None:
    scope = _OWN if role in _OF_THE_APPLICANT else None
    async with papers.person(f"{role}#1", scope=scope) as person:
        answers = await crawl(person)
    assert len(answers) > 10
    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 200} == {}
    styles = sum(len(asset.zipped) for asset in ASSETS.values())
    weights = {
        path: styles + int(answer.headers["Content-Length"]) for path, answer in answers.items() if _is_page(answer)
    }
    assert {path: weight for path, weight in weights.items() if weight > MOST_BYTES} == {}


def _is_page(answer: httpx.Response) -> bool:
    return bool(answer.headers.get("Content-Type", "").startswith("text/html"))


async def crawl(person: httpx.AsyncClient) -> dict[str, httpx.Response]:
    """What links lead to from the first page, by path; of pages of a kind the first few."""
    answers: dict[str, httpx.Response] = {}
    kinds, ahead = Counter[str](), ["/"]
    while ahead:
        path = ahead.pop(0)
        kind = _NAME.sub("N", path.partition("?")[0])
        if path in answers or path.startswith(_WITH_SERVERS) or _WITH_TYPE in path or kinds[kind] == MOST_OF_A_KIND:
            continue
        kinds[kind] += 1
        answer = await person.get(path)
        answers[path] = answer
        if _is_page(answer):
            found = [unescape(one) for one in _LINK.findall(answer.text)]
            ahead += [f"{path.partition('?')[0]}{one}" if one.startswith("?") else one for one in found]
    return answers
