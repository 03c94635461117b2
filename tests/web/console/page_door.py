"""A door that is a page: each command is typed into its form, checked and confirmed, as a person does it.

Whatever plays stories through a door plays them through pages by this one.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx

from activities.carry_out import CommandActivities
from application.door import CommandRequest, Door, receipt
from application.dry_run import DryRun
from application.process_carrier import ProcessCarrier
from application.sessions import begin_session
from cli.scenario import list_shipped
from deciding.journal import read_answer
from domain.kernel.attachment import Attachment
from domain.kernel.calendar import SHANGHAI
from domain.kernel.envelope import Ending
from domain.kernel.field_shape import FieldShape, Kind, Shape, field_shapes
from domain.kernel.identifier import Actor, Role
from domain.registers.panel import DeclareImpartiality, SubmitScore
from store.identity import SeatGrant
from tests.office import person_on
from tests.web.console.conftest import SITE
from web.console.command.form import PREFIX, choose_widget
from web.console.command.meeting import PREVIEW
from web.console.paths import command_path

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence

    from playwright.async_api import Browser, FilePayload, Page, Response
    from pydantic import BaseModel
    from starlette.types import ASGIApp

    from application.door import Receipt
    from domain.kernel.acting import PersonId
    from domain.kernel.envelope import Answer
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command
    from store.port import EventStore
    from web.house import House

ACCOUNT_PARTS = {"bank": "建設銀行西湖支行", "holder": "戶名"}
FOUR = [path for path in list_shipped() if path.stem.startswith(("s1-", "s2-", "s3-", "s4-"))]
"""The four stories that every role has a part in."""
ANEW = timedelta(minutes=2)
"""After which somebody comes in anew: who approves a payment has shown within minutes who they are."""
DOCUMENT = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


# ------------------------------------------------------------------------------------------ what a person types


def spell(command: Command) -> Iterator[tuple[str, str | Attachment]]:
    """The names of the form's fields, and what is typed into each for that command; a document is chosen, not typed."""
    for shape in field_shapes(type(command)).values():
        value = getattr(command, shape.attribute)
        if value not in (None, shape.default) and (shape.name,) != PREVIEW:
            yield from _spell(shape.shape, value, f"{PREFIX}.{shape.name}", shape.name)


def _spell(
    shape: Shape,
    value: Any,
    name: str,
    field_name: str = "",
    *,
    inside: bool = False,
) -> Iterator[tuple[str, str | Attachment]]:
    match choose_widget(shape, field_name, inside=inside):
        case "documents":
            yield from ((f"{name}.file", one) for one in value)
        case "document":
            yield f"{name}.file", value
        case "yes_no" if not inside:
            yield name, "yes" if value else "no"
        case "lines" if shape.item is not None:
            yield name, "\n".join(write_text(shape.item, one) for one in value)
        case "table" if shape.kind is Kind.MAPPING and shape.item is not None:
            for row, (key, one) in enumerate(value.items()):
                yield f"{name}.{row}.key", str(key)
                if shape.item.kind is Kind.GROUP and shape.item.model is not None:
                    yield from _spell_group(shape.item.model, one, f"{name}.{row}.value")
                else:
                    yield from _spell(shape.item, one, f"{name}.{row}.value", inside=True)
        case "table" if shape.item is not None and shape.item.model is not None:
            for row, one in enumerate(value):
                yield from _spell_group(shape.item.model, one, f"{name}.{row}")
        case "group" if shape.model is not None:
            yield from _spell_group(shape.model, value, name)
        case _:
            yield name, write_text(shape, value)


def _spell_group(model: type[BaseModel], value: BaseModel, name: str) -> Iterator[tuple[str, str | Attachment]]:
    for shape in field_shapes(model).values():
        inner = getattr(value, shape.attribute)
        if inner not in (None, shape.default):
            yield from _spell(shape.shape, inner, f"{name}.{shape.name}", shape.name, inside=True)


def write_text(shape: Shape, value: Any) -> str:
    """A value as people write it."""
    plain = _typed(shape, value)
    if shape.kind is Kind.LIST and isinstance(plain, list) and all(isinstance(one, str) for one in plain):
        return "、".join(plain)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _typed(shape: Shape, value: Any) -> Any:
    """The same as a tree of texts, which JSON in a field holds: money in yuan, as everywhere that people type."""
    match value:
        case _ if shape.kind is Kind.MONEY:
            return f"{value // 100}.{value % 100:02}"
        case bool():
            return "是" if value else "否"
        case datetime():
            return value.isoformat()
        case date() | int() | Decimal() | str():
            return str(value)
        case dict() if shape.item is not None:
            return {str(key): _typed(shape.item, one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset() if shape.item is not None:
            return [_typed(shape.item, one) for one in value]
        case None:
            return None
        case _ if shape.model is not None:
            return {of.name: _typed(of.shape, inner) for of, inner in _said(shape.model, value)}
        case _:
            return value


def _said(model: type[BaseModel], value: BaseModel) -> Iterator[tuple[FieldShape, Any]]:
    for of in field_shapes(model).values():
        inner = getattr(value, of.attribute)
        if inner != of.default and inner is not None:
            yield of, inner


# ------------------------------------------------------------------------------------------ the page as it stands


class Controls(HTMLParser):
    """What the form in the main part of a page sends by itself, and what can be filled in there."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.values: dict[str, str] = {}
        self.names: set[str] = set()
        self.kinds: dict[str, str] = {}
        """By name, what is filled in otherwise than by typing: ``radio``, ``select``."""
        self.files: set[str] = set()
        self.buttons: set[str] = set()
        self.text = ""
        """What can be read there."""
        self._open = ""
        """The name of the text area or list that is open."""
        self.feed(html.partition("<main")[2].partition("</main>")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        name, kind = of.get("name", ""), of.get("type", "text")
        match tag, kind:
            case "input", "file":
                self.files.add(name)
            case "input", "radio" | "checkbox":
                self.names.add(name)
                self.kinds[name] = kind
                if "checked" in of:
                    self.values[name] = of["value"]
            case "input", _:
                if kind != "hidden":
                    self.names.add(name)
                self.values[name] = of.get("value", "")
            case "textarea" | "select", _:
                self.names.add(name)
                if tag == "select":
                    self.kinds[name] = tag
                self._open, self.values[name] = name, ""
            case "option", _ if "selected" in of:
                self.values[self._open] = of["value"]
            case "button", _ if name == "step":
                self.buttons.add(of.get("value", ""))
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open and self.lasttag == "textarea":
            self.values[self._open] += data.removeprefix("\n") if not self.values[self._open] else data
        if not self._open:
            self.text += f" {data.strip()}" if data.strip() else ""


class Hand(Protocol):
    """Whoever is at the pages, in a browser or without one."""

    @property
    def path(self) -> str:
        """Where they are now."""

    async def open(self, path: str) -> tuple[int, Controls]:
        """Go there: the status of the answer, and what stands on the page."""

    async def fill(self, typed: Mapping[str, str], chosen: Mapping[str, Sequence[str]]) -> None:
        """Type those texts and choose documents of those names, each into the field of its name."""

    async def press(self, step: str) -> tuple[int, Controls]:
        """Press that button: the status of the answer, and what stands on the page that comes."""


@dataclass
class PlainHand:
    """Without a browser: sends what a page without scripts would, and nothing that is not on it."""

    client: httpx.AsyncClient
    path: str = ""
    _page: Controls = field(default_factory=lambda: Controls(""))
    _typed: dict[str, str] = field(default_factory=dict)
    _chosen: dict[str, Sequence[str]] = field(default_factory=dict)

    async def open(self, path: str) -> tuple[int, Controls]:
        return self._take(await self.client.get(path, follow_redirects=True))

    def _take(self, answer: httpx.Response) -> tuple[int, Controls]:
        self.path, self._page = answer.url.path, Controls(answer.text)
        self._typed, self._chosen = {}, {}
        return answer.status_code, self._page

    async def fill(self, typed: Mapping[str, str], chosen: Mapping[str, Sequence[str]]) -> None:
        assert typed.keys() <= self._page.names, typed.keys() - self._page.names
        assert chosen.keys() <= self._page.files, chosen.keys() - self._page.files
        self._typed, self._chosen = dict(typed), dict(chosen)

    async def press(self, step: str) -> tuple[int, Controls]:
        assert step in self._page.buttons, f"{self.path} has no button {step}"
        data = {**self._page.values, **self._typed, "step": step}
        files = [(name, (one, DOCUMENT)) for name, names in self._chosen.items() for one in names]
        answer = await self.client.post(self.path, data=data, files=files or None, follow_redirects=True)
        return self._take(answer)


@dataclass
class BrowserHand:
    """In a browser, as it is set up."""

    page: Page
    _controls: Controls = field(default_factory=lambda: Controls(""))

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    async def open(self, path: str) -> tuple[int, Controls]:
        return await self._take(await self.page.goto(path))

    async def _take(self, answer: Response | None) -> tuple[int, Controls]:
        self._controls = Controls(await self.page.content())
        return answer.status if answer else 0, self._controls

    async def fill(self, typed: Mapping[str, str], chosen: Mapping[str, Sequence[str]]) -> None:
        for name, text in typed.items():
            field_of = self.page.locator(f'main [name="{name}"]')
            match self._controls.kinds.get(name):
                case "radio":
                    await self.page.locator(f'main [name="{name}"][value="{text}"]').check()
                case "select":
                    await field_of.select_option(text)
                case _:
                    await field_of.fill(text)
        for name, names in chosen.items():
            files: list[FilePayload] = [
                {"name": one, "mimeType": "application/pdf", "buffer": DOCUMENT} for one in names
            ]
            await self.page.locator(f'main [name="{name}"]').set_input_files(files)

    async def press(self, step: str) -> tuple[int, Controls]:
        async with self.page.expect_navigation() as coming:
            await self.page.locator(f'main button[name="step"][value="{step}"]').last.click()
        return await self._take(await coming.value)


# ------------------------------------------------------------------------------------------ the door


@dataclass(kw_only=True)
class Reception:
    """The pages, and who comes to them: somebody of their own on every seat."""

    house: House
    app: ASGIApp
    _sessions: dict[tuple[Actor, PersonId], tuple[str, datetime]] = field(default_factory=dict)

    @asynccontextmanager
    async def hand(self, seat: Actor, person: PersonId | None) -> AsyncIterator[Hand]:
        """Whoever sits there, at the pages, without a browser."""
        headers = {"Accept": "text/html", "Accept-Language": "zh-CN"}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=SITE, headers=headers) as client:
            client.cookies.set("venture", await self.come_in(seat, person or person_on(seat)))
            yield PlainHand(client)

    async def come_in(self, seat: Actor, person: PersonId) -> str:
        """Their session, in which they have shown lately who they are."""
        now = datetime.now(UTC)
        token, begun = self._sessions.get((seat, person), ("", now))
        if not token or now - begun > ANEW:
            token = await begin_session(self.house.identity, person, (SeatGrant(seat=seat),), now)
            self._sessions[seat, person] = token, now
        return token


@dataclass(kw_only=True)
class BrowserReception(Reception):
    """The same in a browser: a window for everybody, with scripts or without."""

    browser: Browser
    address: str
    scripts: bool
    _windows: dict[str, Page] = field(default_factory=dict)

    @asynccontextmanager
    async def hand(self, seat: Actor, person: PersonId | None) -> AsyncIterator[Hand]:
        token = await self.come_in(seat, person or person_on(seat))
        if token not in self._windows:
            context = await self.browser.new_context(base_url=self.address, java_script_enabled=self.scripts)
            await context.add_cookies([{"name": "venture", "value": token, "url": self.address}])
            self._windows[token] = await context.new_page()
        yield BrowserHand(self._windows[token])


class PageDoor(Door):
    """Whatever is asked of it is typed into the form of that command, looked at and confirmed.

    What the pages do not take is asked of the door behind them, which must refuse it too.
    """

    def __init__(self, behind: Door, store: EventStore, reception: Reception) -> None:
        super().__init__(ProcessCarrier(CommandActivities(store), store, None), store, behind.key)
        self._behind = behind
        self._reception = reception
        self.given: Counter[str] = Counter()
        """Commands, by how often each was recorded through its form."""
        self.past: Counter[str] = Counter()
        """Commands that were asked past the pages: the engine's own, and where papers name a person on a seat."""

    async def send(
        self,
        subject: StreamId,
        command: Command,
        actor: Actor,
        *,
        command_id: UUID | None = None,
        at: datetime | None = None,
        derived: bool = False,
        person: PersonId | None = None,
        session: str = "",
    ) -> Receipt:
        request = CommandRequest(command, actor, command_id or uuid4(), at, derived, person, session)
        return receipt(request.command_id, await self._give(subject, request))

    async def send_each(self, subject: StreamId, requests: Sequence[CommandRequest]) -> AsyncGenerator[Answer, None]:
        for request in requests:
            yield await self._give(subject, request)

    async def move_clock(self, realm: str, to: datetime) -> None:
        await self._behind.move_clock(realm, to)

    async def _give(self, subject: StreamId, request: CommandRequest) -> Answer:
        if request.actor.role is Role.SYS or (request.person is not None and request.at is not None):
            self.past[request.command.command_type] += 1
            return await self._ask_behind(subject, request)
        async with self._reception.hand(request.actor, request.person) as hand:
            given = await self._fill_in(hand, subject, request)
        if isinstance(given, str):
            answer = await self._ask_behind(subject, request)
            assert answer.ending is Ending.REFUSED, f"{request.command.command_type} {subject}: {given}"
            return answer
        return given

    async def _ask_behind(self, subject: StreamId, request: CommandRequest) -> Answer:
        (answer,) = [one async for one in self._behind.send_each(subject, [request])]
        return answer

    async def _fill_in(self, hand: Hand, subject: StreamId, request: CommandRequest) -> Answer | str:
        """The recorded answer; or in words why the pages did not take it."""
        path = command_path(request.command.command_type, subject)
        status, page = await hand.open(path)
        if status == HTTPStatus.NOT_FOUND and request.at is not None:
            await self._behind.move_clock(subject.realm, request.at)  # what is due by then may make it their business
            status, page = await hand.open(path)
        if hand.path.startswith("/reviews/") and isinstance(request.command, SubmitScore):
            trial = await DryRun(self._store, requires_office=False).step(
                subject, request.command, request.actor, request.at
            )
            if trial.unmet:
                return "no sheet before interests are declared"
            await self._fill_in(hand, subject, replace(request, command=DeclareImpartiality()))
            status, page = await hand.open(path)
        if status != HTTPStatus.OK or "check" not in page.buttons:
            return f"no form: {status}"
        typed, chosen = lay_out(page, request)
        while missing := {name for name in (*typed, *chosen) if name not in page.names | page.files}:
            tables = {f"add.{PREFIX}.{name.split('.')[1]}" for name in missing} & page.buttons
            assert tables, f"{path} has no {missing}, only {page.names | page.files}"
            await hand.fill({name: text for name, text in typed.items() if name in page.names}, {})
            status, page = await hand.press(min(tables))
            assert status == HTTPStatus.OK, page.text
            assert not missing <= typed.keys() - page.names, f"{path} has no {missing}, only {page.names}"
        await hand.fill(typed, chosen)
        status, page = await hand.press("check")
        if "confirm" not in page.buttons:
            return f"{status} {page.text}"
        command_id = UUID(page.values["id"])
        status, page = await hand.press("confirm")
        while status == HTTPStatus.ACCEPTED:
            status, page = await hand.open(hand.path)
        entry = await self._store.journalled(command_id)
        assert entry is not None, f"{path} {status}: {page.text}"
        answer = read_answer(entry)
        if answer.ending is Ending.ACCEPTED:
            self.given[request.command.command_type] += 1
        return answer


def lay_out(page: Controls, request: CommandRequest) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What is typed and which documents are chosen for that command, on a form that begins with what it knows."""
    typed: dict[str, str] = {}
    chosen: dict[str, list[str]] = {}
    for name, value in spell(request.command):
        if isinstance(value, Attachment):
            chosen.setdefault(name, []).append(value.name)
        elif f"{name}.number" in page.names:
            if name not in page.values:
                parts = {**ACCOUNT_PARTS, "number": str(int(value[:12], 16))}
                typed |= {f"{name}.{part}": text for part, text in parts.items()}
        elif name == f"{PREFIX}.digest" and page.values.get(name) and value.strip("0"):
            pass  # bound to what stands there: documents that were chosen here have digests of their own
        elif page.values.get(name) != value:
            typed[name] = value
    kept = typed.keys() | {name for name, _ in spell(request.command)}
    begun = {name for name, value in page.values.items() if value and name in page.names - kept}
    typed |= {name: "" for name in begun if name.startswith(f"{PREFIX}.") and page.kinds.get(name) != "radio"}
    if request.at is not None:
        typed["at"] = f"{request.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    return typed, chosen
