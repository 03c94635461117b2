"""What was typed is kept: as a draft that somebody saved, and for whoever has to sign in again; for them alone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote
from uuid import uuid4

import pytest

from application.drafts import KEPT, LARGEST, MOST, MOST_HELD, DraftsFull, DraftTooLarge, keep_draft, list_drafts
from application.sessions import IDLE, REMEMBERED
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor, StreamId
from domain.need import SubmitNeed
from tests.web.console.conftest import Desks, hidden
from web.app import build

if TYPE_CHECKING:
    from uuid import UUID

    from store.identity import IdentityStore
    from tests.workflows.bureau import Bureau
    from web.house import House

HOSTILE = "<script>𠮷\"'&\u202e\0"
STREAM = StreamId("need/live/ND-1")


def _person() -> str:
    return f"P-{uuid4().int % 10**9}"


def _later(house: House, after: timedelta) -> Desks:
    """The same house, so much later."""
    late = replace(house, now=lambda: datetime.now(UTC) + after)
    return Desks(late, build(late))


async def _keep(identity: IdentityStore, person: str, *, held: bool = False, draft_id: UUID | None = None) -> None:
    now = datetime.now(UTC)
    form = {"form": {"reason": HOSTILE}}
    await keep_draft(
        identity,
        draft_id or uuid4(),
        PersonId(person),
        "RejectNeed",
        STREAM,
        Actor("CAB-REG#1"),
        form,
        now,
        is_held=held,
    )


async def test_what_was_typed_survives_signing_in_again_for_the_same_person_alone(
    desks: Desks, house: House, bureau: Bureau
) -> None:
    await bureau.open_round()
    path, person, typed = f"/do/SubmitNeed/{bureau.id('need', 'ND-5')}", _person(), {"p.group": "殘障<兒童>"}
    async with desks.person("COMM#1", person=person) as before:
        form = hidden((await before.get(path)).text)
        late = _later(house, IDLE + timedelta(minutes=1))
        async with late.stranger() as same_browser:
            same_browser.cookies = before.cookies
            answer = await same_browser.post(path, data={**form, **typed, "step": "check"})
            forged = await same_browser.post(path, data={**form, **typed, "token": "x", "step": "check"})
            away = await same_browser.post(
                path, data={**form, "step": "check"}, headers={"Origin": "http://other.test"}
            )
    assert answer.status_code == 303
    back = answer.headers["Location"].partition("next=")[2]
    assert back == f"{path}?draft={form['id']}".replace("/", "%2F").replace("?", "%3F").replace("=", "%3D")
    assert (forged.status_code, away.status_code) == (403, 403)
    assert "<h1" in forged.text
    async with desks.person("COMM#1", person=person) as again, desks.person("COMM#1", person=_person()) as other:
        mine = (await again.get(f"{path}?draft={form['id']}")).text
        theirs = (await other.get(f"{path}?draft={form['id']}")).text
    assert 'value="殘障&lt;兒童&gt;"' in mine
    assert hidden(mine)["id"] == form["id"], "asked under the id that it was shown with"
    assert "：此項必填" in mine.partition("提交前還須")[2].partition("</ul>")[0]
    assert "殘障" not in theirs


async def test_what_was_selected_and_typed_for_several_survives_signing_in_again(
    desks: Desks, house: House, bureau: Bureau
) -> None:
    await bureau.open_round()
    for name in ("ND-6", "ND-7"):
        await bureau.straight(bureau.id("need", name), SubmitNeed(round="R-1", group="空巢老人"), "COMM#1")
    on, person = [f"RejectNeed {bureau.id('need', name)}" for name in ("ND-6", "ND-7")], _person()
    async with desks.person("CAB-REG#1", person=person) as before:
        page = (await before.get("/together", params={"on": on})).text
        form = {**hidden(page), "row": re.findall(r'name="row" value="([^"]+)"', page), "p.reason": "重複<需求>"}
        late = _later(house, IDLE + timedelta(minutes=1))
        async with late.stranger() as same_browser:
            same_browser.cookies = before.cookies
            sent = await same_browser.post("/together/RejectNeed", data={**form, "step": "confirm"})
            forged = await same_browser.post("/together/RejectNeed", data={**form, "token": "x"})
            empty = await same_browser.post("/together/RejectNeed", data={**form, "row": []})
    back = unquote(sent.headers["Location"].partition("next=")[2])
    assert (sent.status_code, forged.status_code, empty.status_code) == (303, 403, 422)
    assert back == f"/together/RejectNeed?draft={form['row'][0].partition(' ')[0]}"
    async with desks.person("CAB-REG#1", person=person) as again, desks.person("CAB-REG#1", person=_person()) as other:
        theirs = await other.get(back)
        mine, drafts = (await again.get(back)).text, (await again.get("/drafts")).text
        assert f'href="{back}"' in drafts
        alone = await again.get(f"/do/RejectNeed/{bureau.id('need', 'ND-6')}?draft={back.partition('=')[2]}")
        assert re.findall(r'name="row" value="([^"]+)"', mine) == form["row"], "asked under the ids of before"
        assert "重複&lt;需求&gt;" in mine
        assert "重複" not in alone.text
        take = [row.partition(" ")[0] for row in form["row"]]
        done = await again.post(
            "/together/RejectNeed",
            data={**hidden(mine), "row": form["row"], "p.reason": "重複", "take": take, "step": "confirm"},
        )
        assert "2 件已辦理" in done.text
        assert "沒有草稿" in (await again.get("/drafts")).text
    assert (theirs.status_code, theirs.headers["Location"]) == (303, "/")


async def test_nothing_is_held_for_a_session_that_nobody_had_or_that_is_long_over(house: House, desks: Desks) -> None:
    path = f"/do/SubmitNeed/{STREAM}"
    person = _person()
    async with desks.person("COMM#1", person=person) as before:
        form = {**hidden((await before.get(path)).text), "p.group": "空巢老人", "step": "check"}
        long_after = _later(house, IDLE + REMEMBERED + timedelta(minutes=1))
        async with long_after.stranger() as late, desks.stranger() as nobody:
            late.cookies = before.cookies
            nobody.cookies.set("venture", "no-such-token")
            answers = [await late.post(path, data=form), await nobody.post(path, data=form)]
    assert {answer.headers["Location"] for answer in answers} == {"/sign-in"}
    assert not await list_drafts(house.identity, PersonId(person), datetime.now(UTC))


async def test_a_draft_is_saved_gone_on_with_and_gone_once_it_is_sent(desks: Desks, bureau: Bureau) -> None:
    await bureau.open_round()
    path, person = f"/do/SubmitNeed/{bureau.id('need', 'ND-6')}", _person()
    async with desks.person("COMM#1", person=person) as writer, desks.person("COMM#2", person=_person()) as other:
        form = hidden((await writer.get(path)).text)
        saved = await writer.post(path, data={**form, "p.group": "空巢老人", "step": "save"})
        kept = await writer.get(saved.headers["Location"])
        assert "只有您可以看到" in kept.text
        listed, none = (await writer.get("/drafts")).text, (await other.get("/drafts")).text
        assert f"draft={form['id']}" in listed
        assert f"draft={form['id']}" not in none
        await other.post(f"/drafts/{form['id']}/delete", data=hidden(none, "office-menu__body"))
        again = {**hidden(kept.text), "p.group": "空巢老人", "p.round": "R-1"}
        resaved = await writer.post(path, data={**again, "step": "save"})
        full = await writer.get(resaved.headers["Location"])
        assert "所需內容均已具備" in full.text
        done = await writer.post(path, data={**again, "step": "confirm"})
        assert done.headers["Location"] == f"/receipts/{form['id']}"
        assert "沒有草稿" in (await writer.get("/drafts")).text


async def test_a_draft_is_deleted_by_its_owner(desks: Desks, identity: IdentityStore) -> None:
    person, draft_id = _person(), uuid4()
    await _keep(identity, person, draft_id=draft_id)
    async with desks.person("CAB-REG#1", person=person) as owner:
        page = (await owner.get("/drafts")).text
        assert str(draft_id) in page
        await owner.post(f"/drafts/{draft_id}/delete", data=hidden(page))
        assert "沒有草稿" in (await owner.get("/drafts")).text


async def test_drafts_are_so_many_so_large_and_so_long(identity: IdentityStore) -> None:
    person, now = PersonId(_person()), datetime.now(UTC)
    first = uuid4()
    await _keep(identity, person, draft_id=first)
    for _ in range(MOST - 1):
        await _keep(identity, person)
    with pytest.raises(DraftsFull):
        await _keep(identity, person)
    await _keep(identity, person, draft_id=first)
    for _ in range(MOST_HELD + 1):
        await _keep(identity, person, held=True)
    kept = await list_drafts(identity, person, now)
    assert len(kept) == MOST + MOST_HELD
    assert sum(one.is_held for one in kept) == MOST_HELD
    assert not await list_drafts(identity, person, now + KEPT + timedelta(minutes=1))
    with pytest.raises(DraftsFull):
        await _keep(identity, _person(), draft_id=first)
    large = {"form": {"reason": "字" * (LARGEST // 3 + 1)}}
    with pytest.raises(DraftTooLarge):
        await keep_draft(identity, uuid4(), person, "RejectNeed", STREAM, Actor("CAB-REG#1"), large, now)
