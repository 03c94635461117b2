"""What people typed is text on every page: planted wherever a story lets somebody write, it never becomes markup."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from pydantic.fields import FieldInfo

from domain.kernel.attachment import Attachment
from domain.kernel.identifier import Role, Text
from tests.tables import mostly
from tests.web.console.papers import PaperHouse, open_paper_house
from tests.web.console.test_links import crawl
from web.console.rendering import POLICY
from web.console.route import PageRoute
from web.console.routers import ROUTERS

if TYPE_CHECKING:
    from domain.kernel.message import Command
    from scenarios.plan import Plan

HOSTILE: Final = "\"'><img src=x onerror=alert(1)></textarea><script>alert(1)</script>{{ 7*7 }}"
"""Ends an attribute, an element and a template's own text, whichever it stands in."""
_FREE: Final = FieldInfo.from_annotation(Text).metadata


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("hostile"), tell=plant)


def plant(plan: Plan) -> Plan:
    """The story with hostile words in every free text, and in the name of every document."""
    orders = tuple(replace(order, command=_plant(order.command)) for order in plan.orders)
    return replace(plan, orders=orders)


def _plant(command: Command) -> Command:
    texts = {
        name: HOSTILE
        for name, field in type(command).model_fields.items()
        if getattr(command, name) and all(mark in field.metadata for mark in _FREE)
    }
    named = {
        name: tuple(one.model_copy(update={"name": f"{HOSTILE}.pdf"}) for one in value)
        for name in type(command).model_fields
        if isinstance(value := getattr(command, name), tuple) and value and isinstance(value[0], Attachment)
    }
    return command.model_copy(update=texts | named)


@mostly(1, "role", [Role.AUDIT, Role.PUBLIC, Role.CAB_REG])
async def test_what_was_typed_is_text_on_every_page_and_sheet(papers: PaperHouse, role: Role) -> None:
    async with papers.person(f"{role}#1") as person:
        answers = await crawl(person)
    assert any("onerror=alert(1)" in answer.text for answer in answers.values()), "it is there to be seen"
    for path, answer in answers.items():
        if answer.headers.get("Content-Type", "").partition(";")[0] in {"text/html", "application/atom+xml"}:
            assert "<img src=x" not in answer.text, path
            assert "<script>alert" not in answer.text, path
            assert answer.headers.get("Content-Security-Policy") == POLICY or "atom" in answer.headers["Content-Type"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("sent", [{}, {"token": "0" * 80}], ids=["without a token", "with one of another's"])
async def test_no_form_of_any_page_is_taken_without_its_own_token(papers: PaperHouse, sent: dict[str, str]) -> None:
    forms = [
        one.path
        for router in ROUTERS
        for one in router.routes
        if isinstance(one, PageRoute) and "POST" in (one.methods or ())
    ]
    assert len(forms) > 10
    known = {
        "command": "AdoptNeed",
        "kind": "need",
        "realm": papers.realm,
        "name": "ND-2",
        **dict.fromkeys(("draft_id", "webhook_id", "delivery_id"), "00000000-0000-4000-8000-000000000000"),
        "key_id": "0" * 16,
    }
    async with papers.person(*(f"{role}#1" for role in Role if role is not Role.SYS)) as person:
        for form in forms:
            path = form.format(**known)
            without = await person.post(path, data=sent)
            foreign = await person.post(path, data=sent, headers={"Origin": "https://evil.example"})
            if form != "/preferences":  # language and seat give nobody a right
                assert without.status_code == 403, path
            assert foreign.status_code == 403, path
