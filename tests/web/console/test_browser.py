"""In Debian's Chromium: from signing in to a recorded decision, with and without scripts, and readable by everybody."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import async_playwright, expect

from application.sessions import begin_session
from cli.scenario import plan_scenario
from deciding.fold import load_state
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor, StreamId
from domain.need import SubmitNeed
from domain.registers.panel import DeclareImpartiality
from domain.round.custody import ReleaseSeal
from store.identity import SeatGrant
from tests.web.conftest import served
from tests.web.console.conftest import EVERY_SEAT
from tests.web.console.page_door import DOCUMENT, FOUR, BrowserReception, PageDoor
from tests.web.console.papers import open_paper_house
from tests.web.console.walk import SCORED, STORIES, WALK, Stop
from tests.workflows.test_year import move_ahead, move_order
from web.app import build
from web.console.assets import FOLDER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

    from application.accounts import FreshAccount
    from tests.conftest import Desk
    from tests.workflows.bureau import Bureau
    from web.house import House

pytestmark = pytest.mark.full  # it needs Chromium, which deploy/debian-for-tests installs
CHROMIUM = shutil.which("chromium") or ""
DESK, TWICE, PHONE = (1280, 900), (640, 450), (320, 640)
"""``TWICE`` is the desk at 200 %."""


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    assert CHROMIUM, "apt-get install chromium"
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        await launched.close()


@dataclass(frozen=True)
class Window:
    """One browser window at the console, and how often something was activated in it."""

    page: Page
    activated: list[str]

    async def activate(self, text: str) -> None:
        """Follow the link or press the button of that name."""
        self.activated.append(text)
        pressed = (
            self.page.locator("main")
            .get_by_role("button", name=text)
            .or_(self.page.locator("main").get_by_role("link", name=text))
        )
        await pressed.first.click()


@asynccontextmanager
async def window(
    browser: Browser,
    address: str,
    *,
    scripts: bool = True,
    size: tuple[int, int] = DESK,
    token: str = "",
    lang: str = "zh-TW",
) -> AsyncIterator[Window]:
    context = await browser.new_context(
        base_url=address,
        java_script_enabled=scripts,
        locale=lang,
        viewport={"width": size[0], "height": size[1]},
    )
    if token:
        await context.add_cookies([{"name": "venture", "value": token, "url": address}])
    page = await context.new_page()
    page.set_default_timeout(10_000)
    yield Window(page, [])
    await context.close()


async def _submit(bureau: Bureau) -> None:
    await bureau.open_round()
    await bureau.straight(bureau.id("need", "ND-1"), SubmitNeed(round="R-1", group="空巢老人"), "COMM#1")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
async def test_from_signing_in_to_a_recorded_decision_in_three_activations(
    browser: Browser, address: str, bureau: Bureau, accounts: dict[str, FreshAccount], *, scripts: bool
) -> None:
    await _submit(bureau)
    account = accounts["cab-reg"]
    after = await bureau.store.last_position()
    async with window(browser, address, scripts=scripts) as at:
        await at.page.goto(f"/?realm={bureau.realm}&at_least={after}")
        await at.page.get_by_label("賬號").fill(account.login)
        await at.page.get_by_label("密碼").fill(account.password)
        await at.page.get_by_role("button", name="登錄").click()
        await expect(at.page.locator("h1")).to_have_text("我的待辦")
        await at.activate("需求入庫或不採納")
        await at.activate("核對")
        await at.activate("採納需求")
        await expect(at.page.locator("h1")).to_contain_text("已辦理")
    assert len(at.activated) <= 3
    assert len([entry async for entry in bureau.store.read(bureau.id("need", "ND-1"))]) == 2


async def test_pages_have_no_fault_that_axe_finds(browser: Browser, house: House, address: str, bureau: Bureau) -> None:
    token = await _come_in(house, bureau)
    need = bureau.id("need", "ND-1")
    paths = [
        f"/?realm={bureau.realm}&at_least={await bureau.store.last_position()}",
        f"/files/{need}",
        f"/do/ProposeAward/{bureau.id('project', 'AP-1')}",
    ]
    async with window(browser, address, token=token) as at:
        for path in paths:
            await at.page.goto(path)
            await _look(at.page, path, DESK)
        await at.page.goto(f"/do/SubmitNeed/{bureau.id('need', 'ND-2')}")
        await at.activate("核對")
        await expect(at.page.locator(".govuk-error-summary")).to_be_focused()
        await _look(at.page, "what cannot be read", DESK)
        await at.page.goto(f"/do/AdoptNeed/{need}")
        await at.activate("核對")
        await _look(at.page, "the check page", DESK)


async def test_pages_fit_a_telephone(browser: Browser, house: House, address: str, bureau: Bureau) -> None:
    token = await _come_in(house, bureau)
    async with window(browser, address, size=PHONE) as at:
        await at.page.goto("/sign-in")
        await _look(at.page, "/sign-in", PHONE)
    async with window(browser, address, size=PHONE, token=token) as at:
        for path in ("/projects", f"/files/{bureau.id('need', 'ND-1')}"):
            await at.page.goto(path)
            await _look(at.page, path, PHONE)


@pytest.mark.parametrize("lang", ["zh-TW", "zh-CN", "en"])
async def test_what_comes_of_pressing_is_read_by_everybody_in_each_language(
    browser: Browser, house: House, address: str, bureau: Bureau, lang: str
) -> None:
    await bureau.open_round()
    for name in ("ND-1", "ND-2"):
        await bureau.straight(bureau.id("need", name), SubmitNeed(round="R-1", group="空巢老人"), "COMM#1")
    grants = tuple(SeatGrant(seat=Actor(seat)) for seat in ("CAB-REG#1", "AUDIT#1"))
    token = await begin_session(house.identity, PersonId("P-1"), grants, datetime.now(UTC))
    on = [("on", f"AdoptNeed {bureau.id('need', name)}") for name in ("ND-1", "ND-2")]
    async with window(browser, address, token=token, lang=lang) as at:
        await at.page.goto(f"/together?{urlencode(on)}")
        await _look(at.page, "several tasks", DESK)
        await at.page.goto(f"/do/RejectNeed/{bureau.id('need', 'ND-1')}")
        await at.page.locator("textarea").first.fill("重複")
        await at.page.locator("button[value=save]").click()
        await expect(at.page.locator("[role=status]:visible")).to_have_count(1)
        await _look(at.page, "a draft", DESK)
        await at.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        await _look(at.page, "a draft", PHONE)
        await at.page.goto("/audit")
        await at.page.locator("form:has(input[value=verify]) button").click()
        await expect(at.page.locator("code")).to_be_visible(timeout=60_000)
        await _look(at.page, "a verification", PHONE)


@dataclass(frozen=True)
class Place:
    """Where a story is told: its house, by which address, and what stands in for names in paths."""

    house: House
    address: str
    known: dict[str, str]


@asynccontextmanager
async def _open_place(story: str, home: Path, house: House, address: str) -> AsyncIterator[Place]:
    """That story at a day on which there is something to see; without one, the house that has servers."""
    if not story:
        grants = (SeatGrant(seat=Actor("CAB-FIN#1"), scope=None),)
        url, now = "https://finance.example/seen", datetime.now(UTC)
        added = await house.webhooks.add(url, grants, (), made_by="tests", now=now)
        yield Place(house, address, {"realm": "live", "webhook": str(added.endpoint)})
        return
    name, until = STORIES[story]
    papers, receipt = await open_paper_house(home, until, name), uuid4()
    if story == SCORED:  # one reviewer has declared, and may read the bids
        at = (await papers.house.store.realm(papers.realm)).now
        panel = StreamId.of("panel", papers.realm, "RP-2")
        await papers.house.door.send(panel, DeclareImpartiality(), Actor("EXPERT#1"), command_id=receipt, at=at)
    async with served(papers.app, lifespan="off") as address_of_story:
        yield Place(papers.house, address_of_story, {"realm": papers.realm, "receipt": str(receipt)})


@pytest.mark.release  # every page, three languages, three sizes
@pytest.mark.timeout(900)
@pytest.mark.parametrize("lang", ["zh-TW", "zh-CN", "en"])
@pytest.mark.parametrize("story", ["", *STORIES])
async def test_on_the_walk_past_every_page_axe_finds_nothing(
    browser: Browser, house: House, address: str, tmp_path: Path, story: str, lang: str
) -> None:
    faults: list[str] = []
    async with _open_place(story, tmp_path, house, address) as place:
        for stop in chain.from_iterable(WALK.values()):
            if stop.story == story:
                faults += await _walk(browser, place, replace(stop, path=stop.path.format(**place.known)), lang)
    assert not faults, "\n".join(faults)


async def _walk(browser: Browser, place: Place, stop: Stop, lang: str) -> list[str]:
    """Look at one page at each size, as whoever sits there: what is wrong with it."""
    grants = tuple(SeatGrant(seat=Actor(seat)) for seat in stop.seats)
    token = await begin_session(place.house.identity, PersonId("P-1"), grants, datetime.now(UTC)) if grants else ""
    faults: list[str] = []
    async with window(browser, place.address, token=token, lang=lang) as at:
        answer = await at.page.goto(stop.path)
        if answer is None or answer.status != stop.status:
            faults.append(f"{stop.path} {lang}: {answer.status if answer else 'no answer'}")
        for width, height in (DESK, TWICE, PHONE):
            await at.page.set_viewport_size({"width": width, "height": height})
            seen = (await Axe().run(at.page)).response["violations"]
            faults += [f"{stop.path} {lang} {width}: {one['id']} {one['nodes'][0]['html']}" for one in seen]
            if await at.page.evaluate("document.documentElement.scrollWidth") > width:
                faults.append(f"{stop.path} {lang}: wider than {width} px")
    return faults


async def test_on_paper_there_is_neither_an_address_behind_a_link_nor_anything_to_press(
    browser: Browser, house: House, address: str, bureau: Bureau
) -> None:
    token = await _come_in(house, bureau)
    async with window(browser, address, token=token) as at:
        await at.page.goto(f"/files/{bureau.id('need', 'ND-1')}")
        await at.page.emulate_media(media="print")
        behind = "[...document.querySelectorAll('main a')].map(a => getComputedStyle(a, '::after').content)"
        assert set(await at.page.evaluate(behind)) <= {"none", "normal"}
        assert await at.page.locator("main form:visible, main button:visible, header:visible").count() == 0
        coloured = (
            "[...document.querySelectorAll('main a')].filter(a => a.offsetParent"
            " && getComputedStyle(a).color !== getComputedStyle(a.parentElement).color).length"
        )
        assert await at.page.evaluate(coloured) == 0, "a link has the colour of the text around it"


async def test_a_picture_is_drawn_in_the_colours_that_a_reader_has_set(
    browser: Browser, house: House, address: str, bureau: Bureau
) -> None:
    token = await _come_in(house, bureau)
    async with window(browser, address, token=token) as at:
        await at.page.emulate_media(forced_colors="active", color_scheme="dark")
        await at.page.goto(f"/files/{bureau.id('need', 'ND-1')}")
        fill = "names => names.map(name => getComputedStyle(document.querySelector(`.office-life ${name}`)).fill)"
        box, word, ground, day = await at.page.evaluate(fill, [".later", ".word:not(.word--now)", ".now", ".day"])
        assert box != word
        assert word == day
        assert ground not in (box, word)


async def test_a_task_is_decided_by_the_keyboard_alone(
    browser: Browser, house: House, address: str, bureau: Bureau
) -> None:
    token = await _come_in(house, bureau)
    async with window(browser, address, token=token) as at:
        await at.page.goto(f"/?realm={bureau.realm}&at_least={await bureau.store.last_position()}")
        for text in ("需求入庫或不採納", "核對", "採納需求"):
            await _tab_to(at.page, text)
            async with at.page.expect_navigation():
                await at.page.keyboard.press("Enter")
        await expect(at.page.locator("h1")).to_contain_text("已辦理")
    assert len([entry async for entry in bureau.store.read(bureau.id("need", "ND-1"))]) == 2


async def _tab_to(page: Page, text: str) -> None:
    """Go on from one thing to the next until the one of that name has the focus, and see that it shows it."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        name = await page.evaluate("document.activeElement.closest('main') ? document.activeElement.innerText : ''")
        if name.strip().startswith(text):
            assert await page.evaluate("document.activeElement.matches(':focus-visible')")
            return
    raise AssertionError(text)


async def _come_in(house: House, bureau: Bureau) -> str:
    """A need that waits, and the session of somebody on both seats that know it."""
    await _submit(bureau)
    grants = tuple(SeatGrant(seat=Actor(seat)) for seat in ("CAB-REG#1", "COMM#1"))
    return await begin_session(house.identity, PersonId("P-1"), grants, datetime.now(UTC))


async def _look(page: Page, path: str, size: tuple[int, int]) -> None:
    result = await Axe().run(page)
    assert not result.response["violations"], f"{path}\n{result.generate_report()}"
    await _fit(page, path, size[0])


async def _fit(page: Page, path: str, width: int) -> None:
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"{path} is {wide} px wide"


@pytest.mark.release  # whole stories, every command typed
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
@pytest.mark.parametrize("story", FOUR, ids=lambda path: path.stem)
async def test_a_story_on_the_wall_clock_is_typed_by_everybody_in_a_browser(
    browser: Browser, house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch, story: Path, *, scripts: bool
) -> None:
    """Every role of it, its time skipped: what is looked at before it is sent is looked at on that day."""
    (plan,) = plan_scenario([story], fresh=uuid4().hex)
    years = await move_ahead(desk, plan)
    office = replace(house, door=years.door)
    async with served(build(office)) as address:
        reception = BrowserReception(house=office, app=build(office), browser=browser, address=address, scripts=scripts)
        years.door = pages = PageDoor(years.door, desk.store, reception)
        for order in plan.orders:
            later = move_order(order, years.by)
            for module in ("application.dry_run", "application.possible_commands"):
                monkeypatch.setattr(f"{module}.datetime", SimpleNamespace(now=lambda _zone, at=later.at: at))
            await years.send(later)
        await years.ring(plan.ends + years.by)
    states = {name: (await load_state(desk.store, plan.stream(name))).stage for name in plan.scenario.expect}
    assert states == {name: expected.state for name, expected in plan.scenario.expect.items()}
    assert set(pages.past) <= {"RefuseLateSubmission"}, "the engine's own"


async def test_a_form_tells_what_it_comes_to_while_it_is_typed_into_and_how_far_its_documents_are(
    browser: Browser, tmp_path: Path
) -> None:
    papers = await open_paper_house(tmp_path)
    seats = tuple(SeatGrant(seat=Actor(seat)) for seat in EVERY_SEAT)
    token = await begin_session(papers.house.identity, PersonId("P-1"), seats, datetime.now(UTC))
    voucher = tmp_path / "發票.pdf"
    voucher.write_bytes(DOCUMENT)
    project = StreamId.of("project", papers.realm, "AP-5")
    async with served(papers.app, lifespan="off") as address, window(browser, address, token=token) as at:
        await at.page.goto(f"/do/SignContract/{project}")
        await at.page.locator('[name="p.award"]').fill("")
        await at.page.locator('[name="p.award"]').press_sequentially("5萬")
        await expect(at.page.locator(".govuk-form-group:has(#p-award) .office-spell")).to_have_text("人民幣伍萬元整")
        await at.page.locator('[name="p.budget.1.key"]').fill("activity")
        await at.page.locator('[name="p.budget.1.value"]').fill("30,000")
        await expect(at.page.locator("#p-budget > .office-spell")).to_contain_text("合計 ¥30,000.00")
        await _look(at.page, "a form that reckons", DESK)
        await at.page.goto(f"/do/RecordExpenditure/{project}")
        await at.page.locator('[name="p.spent_on"]').fill("2023-05-27")
        await expect(at.page.locator("main")).to_contain_text("星期六，非工作日")
        await at.page.locator("input[type=file]").first.set_input_files(voucher)
        async with at.page.expect_request(lambda request: request.resource_type == "xhr"):
            await at.activate("核對")
        await expect(at.page.locator("main")).to_contain_text("發票.pdf")
        await expect(at.page.locator(".govuk-error-summary")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
async def test_a_bid_is_sealed_where_it_is_written_and_opened_by_its_envelope(
    browser: Browser, tmp_path: Path, *, scripts: bool
) -> None:
    papers = await open_paper_house(tmp_path, datetime(2024, 5, 14, tzinfo=UTC), "s19-sealed")
    bid, round_ = (StreamId.of(kind, papers.realm, name) for kind, name in (("project", "AP-9"), ("round", "R-T-2024")))
    token = await begin_session(
        papers.house.identity, PersonId("P-1"), (SeatGrant(seat=Actor("SO-LEGAL#191")),), datetime.now(UTC)
    )
    paper = tmp_path / "方案.pdf"
    paper.write_bytes(DOCUMENT)
    async with (
        served(papers.app, lifespan="off") as address,
        window(browser, address, scripts=scripts, token=token) as at,
    ):
        sent: list[str] = []
        at.page.on("request", lambda request: sent.append(request.post_data or ""))
        await at.page.goto(f"/do/SealApplication/{bid}")
        for name, text in (("round", "R-T-2024"), ("organisation", "ORG-T191")):
            await at.page.locator(f'[name="p.{name}"]').fill(text)
        envelope = tmp_path / "AP-9.sealed.json"
        if scripts:
            await _seal_here(at.page, paper, envelope)
        else:
            assert await at.page.locator('[name="p.title"]').count() == 0, "nothing of it can be typed there"
            await at.page.locator('[name="p.digest"]').fill(_seal_elsewhere(paper, envelope))
        if scripts:
            await _look(at.page, "a sealed bid", DESK)
        await at.activate("核對")
        await at.activate("確認辦理：密封遞交")
        await expect(at.page.locator("h1")).to_contain_text("已辦理")
        assert not [one for one in sent if "長者助餐" in one or "3000000" in one]
        for seat in ("CAB-FIN#1", "FISCAL#1"):
            opened = datetime(2024, 6, 3, 1, tzinfo=UTC)
            await papers.house.door.send(round_, ReleaseSeal(), Actor(seat), command_id=uuid4(), at=opened)
        await at.page.goto(f"/do/SubmitApplication/{bid}")
        await at.page.locator('[name="p.attachments.file"]').set_input_files(paper)
        await at.page.locator('[name="envelope"]').set_input_files(envelope)
        await at.activate("讀取密封件")
        await expect(at.page.locator('[name="p.title"]')).to_have_value("長者助餐𠮷")
        await at.page.locator("main button[value=check]").last.click()
        await at.activate("提交申報")
        await expect(at.page.locator("h1")).to_contain_text("已辦理")


async def _seal_here(page: Page, paper: Path, envelope: Path) -> None:
    """Typed on the page; what the button saves is the envelope."""
    typed = {
        "title": "長者助餐𠮷",
        "requested": "3.00005萬",
        "statement": "獨居長者“用餐”不便\n二行",
        "fields": "助老扶幼",
    }
    typed |= {"beneficiaries.groups": "老年人、居民", "beneficiaries.persons": "120"}
    for name, text in typed.items():
        await page.locator(f'[name="p.{name}"]').fill(text)
    await page.locator('[name="p.beneficiaries.residence"]').select_option("ANYBODY")
    await page.locator('[name="p.attachments.file"]').set_input_files(paper)
    button = page.get_by_role("button", name="密封並保存密封件")
    await page.locator('[name="p.fields"]').fill("旅遊")
    await button.click()
    await expect(page.locator("[role=alert]")).to_contain_text("請改正：領域限於助老扶幼、")
    await page.locator('[name="p.fields"]').fill(typed["fields"])
    async with page.expect_download() as coming:
        await button.click()
    await (await coming.value).save_as(envelope)
    await expect(page.locator("[role=status]:visible")).to_have_count(1)


def _seal_elsewhere(paper: Path, envelope: Path) -> str:
    """By the program that is offered for download: the digest that it prints."""
    said = {"round": "R-T-2024", "organisation": "ORG-T191", "title": "長者助餐𠮷", "requested": 3_000_050}
    named = {"sha256": sha256(paper.read_bytes()).hexdigest(), "media_type": "application/pdf", "name": paper.name}
    source = envelope.with_name("AP-9.json")
    source.write_text(json.dumps({**said, "statement": "獨居", "attachments": [named]}, ensure_ascii=False), "utf-8")
    program = [sys.executable, str(FOLDER / "seal.py"), str(source)]
    return subprocess.run(program, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - ours
