"""What administrators see of the house, and a city's rules from a file to a proposal; no page gives a right."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from application.api_keys import find_service, issue_key
from application.caller import ScopeName
from application.pages import wait_for_view
from deciding.fold import load_state
from domain.kernel.identifier import Actor
from domain.registers.scheme import Register
from schemes import scheme_file
from store.identity import SeatGrant
from tests.web.console.conftest import Desks, hidden

if TYPE_CHECKING:
    import httpx

    from store.identity import IdentityStore
    from tests.workflows.bureau import Bureau

FUZHOU = scheme_file.list_shipped()["fuzhou"].read_text()


async def test_a_key_is_withdrawn_by_an_administrator_alone_and_never_shown(
    desks: Desks, identity: IdentityStore
) -> None:
    grants, now = (SeatGrant(seat=Actor("FISCAL#1")),), datetime.now(UTC)
    service = f"bank-{uuid4().hex[:8]}"
    fresh = await issue_key(identity, service, grants, [ScopeName.READ], lasting=timedelta(hours=1), now=now)
    path = f"/administration/keys/{fresh.key.id}/withdraw"
    async with desks.person("ADMIN#1") as admin, desks.person("CAB-DEC#1") as other:
        page = (await admin.get("/administration")).text
        token = hidden((await other.get("/")).text, "office-menu__body")
        refused = await other.post(path, data=token)
        assert await find_service(identity, fresh.text, now) is not None
        done = await admin.post(path, data=hidden(page, 'id="keys"'))
        again = await admin.post(path, data=hidden(page, 'id="keys"'))
        assert (await other.get("/administration")).status_code == 403
        assert 'href="/administration"' not in (await other.get("/")).text
    assert service in page
    assert fresh.text not in page
    assert fresh.text.partition(f"{fresh.key.id}_")[2] not in page
    assert (refused.status_code, done.status_code, again.status_code) == (403, 303, 404)
    assert await find_service(identity, fresh.text, now) is None


async def test_an_environment_is_opened_by_an_administrator_and_stands_in_every_list(desks: Desks) -> None:
    name = f"paper-{uuid4().hex[:6]}"
    async with desks.person("ADMIN#1") as admin, desks.person("CAB-REG#1", "CAB-DEC#1") as officer:
        token = hidden((await admin.get("/administration")).text, 'id="realms"')
        opened = await admin.post("/administration/realms", data={**token, "name": name})
        wrong = await admin.post("/administration/realms", data={**token, "name": "no name"})
        other = await officer.post(
            "/administration/realms", data={**hidden((await officer.get("/schemes")).text), "name": "x"}
        )
        listed = (await admin.get("/administration")).text
        schemes = (await officer.get("/schemes")).text
        path = f"/do/PublishCalendar/calendar/{name}/cn"
        form = {**hidden((await officer.get(path)).text), "step": "check", "p.year": "2025"}
        ahead = await officer.post(path, data={**form, "at": "2099-01-01 09:00"})
    assert (opened.status_code, wrong.status_code, other.status_code) == (303, 422, 403)
    assert f'href="/lists/round?realm={name}"' in listed
    assert f'<option value="{name}">' in schemes
    assert "補錄的時間不可晚於現在" in ahead.text


async def test_a_seat_is_named_as_people_write_it(desks: Desks) -> None:
    async with desks.person("ADMIN#1") as admin:
        asked = (await admin.get("/do/EstablishSeat")).text
        went = await admin.get("/do/EstablishSeat?name=CAB-REG%237")
    assert re.search(r'<option value="CAB-REG#\d+">社會組織科經辦人</option>', asked)
    assert went.headers["Location"] == "/do/EstablishSeat/seat/live/CAB-REG.7"


async def _look_at(
    person: httpx.AsyncClient, text: str | bytes, realm: str, name: str = "my-city.yaml"
) -> httpx.Response:
    token = hidden((await person.get("/schemes")).text)
    content = text.encode() if isinstance(text, str) else text
    return await person.post("/schemes", data={**token, "realm": realm}, files={"file": (name, content)})


async def test_a_citys_file_is_compared_in_words_and_proposed(desks: Desks, bureau: Bureau) -> None:
    await bureau.open_round()
    await wait_for_view(bureau.store, "streams", await bureau.store.last_position(), patience_s=30)
    changed = FUZHOU.replace("version: 1", "version: 2", 1).replace("pass_mark: 60", "pass_mark: 65")
    async with desks.person("CAB-DEC#1") as leader, desks.person("CAB-REG#1") as officer:
        assert "fuzhou" in (await leader.get("/schemes")).text
        seen = await _look_at(leader, changed, bureau.realm)
        assert seen.status_code == 200, seen.text
        assert "65" in seen.text
        assert "與已發布的 fuzhou@1 相比" in seen.text
        path = f"/do/PublishPolicyPack/scheme/{bureau.realm}/fuzhou"
        checked = await leader.post(path, data={**hidden(seen.text), "step": "check"})
        assert "將記錄" in checked.text
        assert "此為要事，須兩人" in checked.text
        stream = bureau.id("scheme", "fuzhou")
        packs_there = (await load_state(bureau.store, stream)).part(Register).packs
        same = await _look_at(officer, json.dumps(packs_there[1].model_dump(mode="json")), bureau.realm)
    assert "完全相同" in same.text
    assert "p.scheme" not in same.text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (FUZHOU.replace("pass_mark: 60", "pass_mark: 許多"), "pass_mark"),
        ("a: &x [*x]", "文件有誤"),
        (b"\xff\xfe", "UTF-8"),
        (b"a" * 200_001, "200 kB"),
    ],
    ids=["a wrong value", "an alias", "no text", "too large"],
)
async def test_a_file_with_faults_is_told_where(desks: Desks, content: str | bytes, text: str) -> None:
    async with desks.person("CAB-DEC#1") as leader:
        answer = await _look_at(leader, content, "live", "<b>.yaml")
    assert answer.status_code == 422
    assert text in answer.text
    assert "<b>" not in answer.text


async def test_rules_are_looked_at_by_the_house_alone(desks: Desks) -> None:
    async with desks.person("SO-PM#1") as other:
        assert (await other.get("/schemes")).status_code == 404


async def test_an_endpoint_is_added_looked_at_and_removed_by_an_administrator_alone(desks: Desks) -> None:
    path, typed = "/administration/webhooks", {"url": "https://finance.example/venture", "seat": "CAB-FIN#1"}
    async with desks.person("ADMIN#1") as admin, desks.person("CAB-DEC#1") as other:
        form = hidden((await admin.get(path)).text)
        wrong = await admin.post(path, data={**form, **typed, "seat": "finance"})
        unsafe = await admin.post(path, data={**form, **typed, "url": "ftp://finance.example/"})
        chosen = await admin.post(path, data={**form, **typed, "url": "no", "types": ["AwardConfirmed", "NeedAdopted"]})
        added = await admin.post(path, data={**form, **typed, "types": "AwardConfirmed"})
        one = next(e for e in await desks.house.webhooks.list() if e.url == typed["url"])
        token = hidden((await other.get("/")).text, "office-menu__body")
        refused = [await other.post(f"{path}/{one.id}/{act}", data=token) for act in ("rotate", "remove", "replay")]
        rotated = await admin.post(f"{path}/{one.id}/rotate", data=form)
        text = (await admin.get(f"{path}/{one.id}")).text
        replayed = await admin.post(f"{path}/{one.id}/replay", data={**form, "after": "0", "until": ""})
        astray = await admin.post(f"{path}/{one.id}/replay", data={**form, "after": "-1"})
        kept = await admin.post(f"{path}/{one.id}/remove", data=form)
        removed = await admin.post(f"{path}/{one.id}/remove", data={**form, "sure": "yes"})
        assert (await other.get(path)).status_code == 403
        assert (await admin.get(f"{path}/{one.id}")).status_code == 404
    assert (wrong.status_code, unsafe.status_code) == (422, 422)
    assert typed["url"] in wrong.text, "what was typed is kept"
    assert re.findall(r'value="(\w+)" checked', chosen.text) == ["NeedAdopted", "AwardConfirmed"], "and what was ticked"
    assert added.text.count("whsec_") == 1
    assert "立項審批" in added.text
    assert rotated.headers["Cache-Control"] == "no-store"
    assert "whsec_" not in text, "a secret is shown once"
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert "將再送 0 件" in replayed.text
    assert (astray.status_code, kept.status_code, removed.status_code) == (422, 422, 303)


@pytest.mark.full
async def test_builds_are_seen_by_administrators_alone_and_made_current_with_a_reason_in_the_log(desks: Desks) -> None:
    path = "/administration/builds"
    async with desks.person("ADMIN#1") as admin, desks.person("CAB-DEC#1") as other:
        page = await admin.get(path, params={"examine": "true"})
        form = hidden(page.text, f'action="{path}" method="post"')
        silent = await admin.post(path, data={**form, "build": "none", "reason": " "})
        unknown = await admin.post(path, data={**form, "build": "<i>", "reason": "試"})
        done = await admin.post(path, data={**form, "build": "none", "reason": "不再分版本"})
        token = hidden((await other.get("/")).text, "office-menu__body")
        refused = [await other.get(path), await other.post(path, data={**token, "build": "none", "reason": "試"})]
        kept = (await admin.get("/audit/maintenance")).text
    assert "worker 應答" in page.text
    assert "數據庫結構" in page.text
    assert (silent.status_code, unknown.status_code, done.status_code) == (422, 422, 303)
    assert "<i>" not in unknown.text
    assert [answer.status_code for answer in refused] == [403, 403]
    assert "不再分版本" in kept
