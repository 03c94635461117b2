"""``python -m tests.web.console.pictures [name …]`` writes ``docs/pictures`` anew: the pages as a browser shows them.

What they show is told in memory: the shipped stories, each to a day on which there is work, and a round as a district
posted it. A picture is kept as WebP, which Chromium writes itself; the paper is drawn by poppler.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from playwright.async_api import async_playwright

from application.pages import wait_for_view
from application.sessions import begin_session
from cli.scenario import list_shipped
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.scope import Scope, ScopeKind
from papers.catalogue import make_paper, open_file
from papers.pdf_file import write_pdf
from scenarios.format import Scenario
from scenarios.plan import plan
from scenarios.play import play
from schemes.document import read_text
from store.identity import SeatGrant
from store.memory import MemoryStore
from tests.paper import open_paper_door, play_story
from tests.web.conftest import served
from tests.web.console.papers import build_house
from tests.web.console.test_notices import NOTICES, tell
from web.app import build

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from playwright.async_api import Browser, FilePayload, Page

    from scenarios.plan import Plan
    from web.house import House

FOLDER: Final = Path(__file__).parents[3] / "docs" / "pictures"
MOST_BYTES: Final = 150_000
"""Of a picture: a page of the documentation has several."""
DESK, PHONE = (1180, 800), (390, 800)
SHARPNESS: Final = 1.5
"""Pixels of a picture to one of the page."""
SPAN: Final = 0.6
"""How much is told of a story that is told to no day in particular."""
DAYS: Final = {"s2-fuzhou": datetime(2023, 5, 31, tzinfo=UTC), "s12-fuzhou-rows": datetime(2024, 7, 1, tzinfo=UTC)}
LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
LINE: Final = 80
"""Points below which nobody of that round is chosen."""
BUDGET_FEN: Final = 340000000
POSTED: Final = next(one for one in NOTICES if one.id == "N3")
"""15 bid, of which 5 were posted: its ranking has a line."""
_ENCODE: Final = """async ([png, quality]) => {
  const image = new Image()
  image.src = `data:image/png;base64,${png}`
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = image.width; canvas.height = image.height
  canvas.getContext('2d').drawImage(image, 0, 0)
  return canvas.toDataURL('image/webp', quality).split(',')[1]
}"""


@dataclass(frozen=True)
class Picture:
    """One picture: whose page, how large, and what they do on it first."""

    path: str
    """``{S2}`` and ``{N3}`` are the realms of what is told."""
    seats: tuple[str, ...] = ("CAB-REG#1",)
    size: tuple[int, int] = DESK
    look: Callable[[Page], Awaitable[None]] | None = None
    organisation: str = ""
    """Whom they act for; empty for the house."""


async def _scroll_to_ranking(page: Page) -> None:
    await page.locator("#ranking").evaluate("place => scrollTo(0, place.offsetTop - 12)")


async def _check_approval(page: Page) -> None:
    await page.locator("button[name=step][value=check]").last.click()
    await page.wait_for_url("**/do/**")


async def _recompute(page: Page) -> None:
    await page.locator("form:has(input[value=invariants]) button").click()
    await page.locator("main table").first.wait_for()


async def _compare_policy(page: Page) -> None:
    changed = (FOLDER.parents[1] / "schemes" / "fuzhou.yaml").read_text("utf-8").replace("version: 1", "version: 2", 1)
    realm = await page.locator("#realm option", has_text="N3-").get_attribute("value")
    await page.locator("#realm").select_option(realm)
    content: FilePayload = {"name": "fuzhou.yaml", "mimeType": "application/yaml", "buffer": changed.encode()}
    await page.locator("#file").set_input_files(content)
    await page.locator("form.office-panel button").click()
    await page.locator("main table").first.wait_for()


PICTURES: Final[Mapping[str, Picture]] = {
    "inbox": Picture("/"),
    "file": Picture("/files/project/{S2}/AP-5", ("CAB-DEC#1",)),
    "check": Picture("/do/ApproveDisbursement/project/{S2}/AP-5?part=T1", ("CAB-DEC#1",), look=_check_approval),
    "round": Picture("/rounds/{N3}/R-1", size=(1180, 1160), look=_scroll_to_ranking),
    "portfolio": Picture("/portfolio?realm=", ("CAB-DEC#1",)),
    "notices": Picture("/public/notices?realm={N3}", ()),
    "phone": Picture("/do/RecordActivity/project/{S12}/AP-121", ("SO-PM#1",), PHONE, organisation="ORG-121"),
    "audit": Picture("/audit", ("AUDIT#1",), look=_recompute),
    "policy": Picture("/schemes", ("CAB-DEC#1",), look=_compare_policy),
}
"""Of pages."""
PAPER: Final = "paper"
"""The picture of a paper."""
_PAPER_OF: Final = ("project/AP-5", "award")


async def _tell() -> tuple[MemoryStore, dict[str, str]]:
    """A log with everything in it, and the realms by the first part of their names."""
    store = MemoryStore()
    names = [path.stem for path in list_shipped()]
    told = [
        await play_story(store, DAYS.get(name, datetime.max.replace(tzinfo=UTC)), name, _cut(name)) for name in names
    ]
    posted = tell(POSTED)
    posted["policy"]["review"] = {"line": LINE}
    posted["events"].insert(0, [POSTED.before(61), "RoundBudgetApproved", "R-1", "FISCAL#1", {"amount": BUDGET_FEN}])
    document = read_text(json.dumps(posted, default=str), "N3.json")
    told.append(await play(plan(document.parse(Scenario), document), open_paper_door(store), store))
    await wait_for_view(store, "projects", await store.last_position(), patience_s=120)
    return store, {one.plan.realm.partition("-")[0]: one.plan.realm for one in told}


def _cut(name: str) -> Callable[[Plan], Plan]:
    def cut(whole: Plan) -> Plan:
        return whole if name in DAYS else replace(whole, orders=whole.orders[: int(SPAN * len(whole.orders))])

    return cut


async def _open(chromium: Browser, address: str, picture: Picture, token: str) -> Page:
    width, height = picture.size
    context = await chromium.new_context(
        base_url=address,
        locale="zh-CN",
        viewport={"width": width, "height": height},
        device_scale_factor=SHARPNESS,
    )
    if token:
        await context.add_cookies([{"name": "venture", "value": token, "url": address}])
    return await context.new_page()


async def _take(page: Page, picture: Picture, realms: Mapping[str, str]) -> bytes:
    await page.goto(picture.path.format(**realms))
    if picture.look is not None:
        await picture.look(page)
    return await page.screenshot()


async def _write(page: Page, name: str, png: bytes) -> None:
    """As small as it must be, and no smaller."""
    await page.goto("about:blank")
    for quality in (0.9, 0.8, 0.7, 0.6, 0.5):
        content = base64.b64decode(await page.evaluate(_ENCODE, [base64.b64encode(png).decode(), quality]))
        if len(content) <= MOST_BYTES:
            break
    (FOLDER / f"{name}.webp").write_bytes(content)
    sys.stdout.write(f"{name}.webp {len(content):,} bytes\n")


async def _come_in(house: House, picture: Picture) -> str:
    if not picture.seats:
        return ""
    scope = Scope(kind=ScopeKind.ORGANISATION, names=(picture.organisation,)) if picture.organisation else None
    grants = tuple(SeatGrant(seat=Actor(seat), scope=scope) for seat in picture.seats)
    return await begin_session(house.identity, PersonId("P-1"), grants, datetime.now(UTC))


async def _draw_paper(store: MemoryStore, realm: str, folder: Path) -> bytes:
    of, name = _PAPER_OF
    kind, _, number = of.partition("/")
    paper = await make_paper(store, await open_file(store, StreamId.of(kind, realm, number)), name)
    (folder / "paper.pdf").write_bytes(write_pdf(paper))
    words = ["pdftoppm", "-r", "90", "-png", "-singlefile", str(folder / "paper.pdf"), str(folder / "paper")]
    await asyncio.to_thread(subprocess.run, words, check=True)
    return (folder / "paper.png").read_bytes()


async def main(wanted: set[str]) -> None:
    """Write the pictures of those names, or all."""
    store, realms = await _tell()
    with TemporaryDirectory() as home:
        house = build_house(Path(home), store, open_paper_door(store))
        async with served(build(house), lifespan="off") as address, async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name, picture in PICTURES.items():
                if not wanted or name in wanted:
                    page = await _open(chromium, address, picture, await _come_in(house, picture))
                    await _write(page, name, await _take(page, picture, realms))
            if not wanted or PAPER in wanted:
                await _write(await chromium.new_page(), PAPER, await _draw_paper(store, realms["S2"], Path(home)))
            await chromium.close()


if __name__ == "__main__":
    asyncio.run(main(set(sys.argv[1:])))
