"""What every page stands on: files of our own, a policy that allows nothing foreign, and a door before everything."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.tables import every_row
from tests.web.console.conftest import hidden
from tests.web.console.walk import LEFT_OUT, WALK, list_routes
from web.console.assets import ASSETS, FOLDER, PREFIX
from web.console.rendering import POLICY
from web.console.route import PageRoute, read_next
from web.console.routers import ROUTERS
from web.guard import GuardedRoute, Policy

if TYPE_CHECKING:
    from pathlib import Path

    from application.accounts import FreshAccount
    from tests.web.console.conftest import Desks

VENDORED = {
    "govuk-frontend-6.3.0.min.css": "046d21c62f65fe61917e383cc1c187d7a5398947d4c740c6a96c50712d7d662c",
    "govuk-frontend-6.3.0.min.js": "03560aaedbb42e58bbf21b212cc33c5c41bd58245264b48211090acb57f6997b",
    "govuk-frontend-LICENSE.txt": "c652f35b1f2e5b88eb49f1e8a935eec79b4761a81666ace576e1af723f4a9238",
}
"""SHA-256 of what was taken from govuk-frontend 6.3.0, its fonts and its crest taken out."""
OPEN = {"/static/{version}/{name}", "/sign-in", "/sign-out", "/preferences"}
PUBLIC = {
    *("/public", "/public/notices", "/public/projects", "/public/projects.{form}", "/public/money"),
    *("/public/projects/{realm}/{name}", "/public/rounds/{realm}/{name}", "/public/feed.atom"),
}
PAGES = [route for router in ROUTERS for route in router.routes if isinstance(route, PageRoute)]


def test_what_is_not_ours_is_what_was_taken() -> None:
    digests = {name: sha256((FOLDER / name).read_bytes()).hexdigest() for name in VENDORED}
    assert digests == VENDORED


def test_no_style_or_script_asks_for_anything_elsewhere_or_bears_anothers_marks() -> None:
    for name, asset in ASSETS.items():
        text = asset.content.decode()
        assert "url(" not in text, name
        assert "@import" not in text, name
        assert "crest.svg" not in text, name
        assert "GDS Transport" not in text, name


def test_a_first_page_weighs_little() -> None:
    assert sum(len(asset.zipped) for asset in ASSETS.values()) < 50_000


@every_row("template", sorted(FOLDER.parent.rglob("*.html")))
def test_no_template_holds_a_script_or_a_style_of_its_own(template: Path) -> None:
    source = template.read_text()
    for forbidden in ("<script>", "<style", " style=", " onclick", "javascript:", "| safe", "|safe"):
        assert forbidden not in source, forbidden


async def test_files_are_kept_by_browsers_for_ever_and_an_old_name_leads_to_the_new(desks: Desks) -> None:
    async with desks.stranger() as stranger:
        fresh = await stranger.get(f"{PREFIX}/console.css")
        old = await stranger.get("/static/0123456789ab/console.css")
        missing = await stranger.get(f"{PREFIX}/../console/routers.py")
    assert (fresh.status_code, fresh.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
    assert fresh.headers["Content-Encoding"] == "gzip"
    assert (old.status_code, old.headers["Location"]) == (307, f"{PREFIX}/console.css")
    assert missing.status_code == 404


@pytest.mark.parametrize("path", ["/", "/projects", "/find?name=PJ-1", "/files/project/live/AP-1", "/do/ConfirmAward"])
async def test_who_has_not_come_in_is_sent_to_the_door_and_back(desks: Desks, path: str) -> None:
    async with desks.stranger() as stranger:
        answer = await stranger.get(path)
        door = await stranger.get(answer.headers["Location"])
    assert answer.status_code == 303
    expected = "/sign-in" if path == "/" else f"/sign-in?next={quote(path, safe='')}"
    assert answer.headers["Location"] == expected
    assert hidden(door.text)["next"] == path
    assert door.headers["Content-Security-Policy"] == POLICY


def test_every_page_but_the_door_and_what_is_public_asks_who_comes() -> None:
    is_open = {
        r.path
        for router in ROUTERS
        for r in router.routes
        if isinstance(r, GuardedRoute) and r.policy is Policy.ANYBODY
    }
    assert is_open == OPEN | PUBLIC


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("/", "/"),
        ("/projects?stage=ACTIVE", "/projects?stage=ACTIVE"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/ok\r\nSet-Cookie: x=1", "/"),
        ("\\\\evil.example", "/"),
        ("evil", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_one_goes_on_within_this_site_only(address: str | None, taken: str) -> None:
    assert read_next(address) == taken


async def test_one_comes_in_goes_on_and_leaves(desks: Desks, accounts: dict[str, FreshAccount]) -> None:
    account = accounts["cab-reg"]
    async with desks.stranger() as person:
        form = hidden((await person.get("/sign-in?next=/projects")).text)
        wrong = await person.post("/sign-in", data={**form, "login": account.login, "password": "<b>no</b>"})
        assert (wrong.status_code, "賬號或密碼不對" in wrong.text, "<b>no" in wrong.text) == (422, True, False)
        answer = await person.post("/sign-in", data={**form, "login": account.login, "password": account.password})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/projects")
        cookie = answer.headers["Set-Cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        page = await person.get("/projects")
        assert page.status_code == 200
        assert page.headers["Cache-Control"] == "no-store"
        token = hidden(page.text, 'action="/sign-out"')
        assert (await person.post("/sign-out", data=token)).status_code == 303
        assert (await person.get("/projects")).status_code == 303


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
async def test_no_other_site_can_send_a_form_in_a_persons_name(desks: Desks, headers: dict[str, str]) -> None:
    async with desks.person("COMM#1") as person:
        form = hidden((await person.get("/do/SubmitNeed/need/live/ND-9001")).text)
        answer = await person.post("/do/SubmitNeed/need/live/ND-9001", data=form, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("token", [None, "", "0" * 16, "0" * 80, "中"])
async def test_a_form_without_its_token_does_nothing(desks: Desks, token: str | None) -> None:
    async with desks.person("COMM#1") as person:
        form = hidden((await person.get("/do/SubmitNeed/need/live/ND-9001")).text)
        del form["token"]
        sent = form if token is None else {**form, "token": token}
        answer = await person.post("/do/SubmitNeed/need/live/ND-9001", data={**sent, "step": "confirm"})
    assert answer.status_code == 403


async def test_each_page_has_another_token_and_each_is_taken(desks: Desks) -> None:
    async with desks.person("COMM#1") as person:
        forms = [hidden((await person.get("/do/SubmitNeed/need/live/ND-9001")).text) for _ in range(2)]
        answers = [await person.post("/do/SubmitNeed/need/live/ND-9001", data=form) for form in forms]
    assert forms[0]["token"] != forms[1]["token"]
    assert 403 not in {answer.status_code for answer in answers}


async def test_a_page_is_sent_compressed_to_who_can_read_it(desks: Desks) -> None:
    async with desks.person("CAB-REG#1") as person:
        packed, plain = await person.get("/lists"), await person.get("/lists", headers={"Accept-Encoding": "identity"})
    assert (packed.headers["Content-Encoding"], plain.headers.get("Content-Encoding")) == ("gzip", None)
    assert int(packed.headers["Content-Length"]) * 2 < int(plain.headers["Content-Length"])
    assert "Accept-Encoding" in packed.headers["Vary"]


async def test_another_persons_token_is_not_ones_own(desks: Desks) -> None:
    async with desks.person("COMM#1") as one, desks.person("COMM#1") as other:
        form = hidden((await one.get("/do/SubmitNeed/need/live/ND-9001")).text)
        answer = await other.post("/do/SubmitNeed/need/live/ND-9001", data=form)
    assert answer.status_code == 403


async def test_seat_and_language_are_chosen_and_give_nobody_a_right(desks: Desks) -> None:
    async with desks.person("CAB-REG#1", "CAB-FIN#1") as person:
        await person.post("/preferences", data={"seat": "CAB-FIN#1", "language": "en", "next": "/"})
        page = await person.get("/")
        assert "Bureau finance officer#1" in page.text
        assert page.headers["Content-Language"] == "en"
        await person.post("/preferences", data={"seat": "CAB-DEC#1", "language": "xx", "next": "//evil.example"})
        page = await person.get("/")
    assert "bureau leadership" not in page.text


async def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(desks: Desks) -> None:
    async with desks.person("CAB-REG#1") as person:
        page = await person.get("/nothing/here")
        data = await person.get("/v1/nothing")
        file = await person.get("/files/project/live/AP-404")
        kind = await person.get("/files/nonsense/live/AP-404")
    assert (page.status_code, file.status_code, kind.status_code) == (404, 404, 404)
    assert page.headers["Content-Type"].startswith("text/html")
    assert data.headers["Content-Type"] == "application/problem+json"


async def test_no_page_may_be_framed_or_sniffed(desks: Desks) -> None:
    async with desks.person("CAB-REG#1") as person:
        for path in ("/", "/projects", "/nothing", "/do/ConfirmAward"):
            headers = (await person.get(path)).headers
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert "unsafe" not in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"


def test_the_walk_in_a_browser_passes_every_page_or_says_why_not() -> None:
    assert list_routes() == WALK.keys() | LEFT_OUT.keys()
    assert not WALK.keys() & LEFT_OUT.keys()
