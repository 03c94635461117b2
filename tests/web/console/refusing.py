"""Whoever is refused keeps what they typed: each form is first sent in every way in which it cannot be taken."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx

from application.door import NotKnown
from application.sessions import IDLE, digest_token
from store.port import StoreUnavailable
from tests.office import person_on
from tests.web.console.conftest import SITE
from tests.web.console.page_door import DOCUMENT, Controls, Hand, PlainHand, Reception
from tests.web.console.papers import Sessions
from web.app import build

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.kernel.acting import PersonId
    from domain.kernel.identifier import Actor

_RULE: Final = re.compile(r'<span class="office-small">\[[A-Z]+\d*\w*\]</span>')
LANGUAGES: Final = {"zh-CN": "zh-Hans", "zh-TW": "zh-Hant", "en": "en"}
"""What a browser asks for, by what the page says of itself."""


class Away:
    """A server that does not answer."""

    def __getattr__(self, name: str) -> Any:
        async def fail(*_: object, **__: object) -> None:
            raise StoreUnavailable("connection refused")

        return fail


class NoAnswer:
    """A door behind which nothing comes back."""

    async def send(self, *_: object, **__: object) -> None:
        raise NotKnown(uuid4(), "no answer")


@dataclass
class RefusedHand(PlainHand):
    """At the first form of each command, is refused in every way before it is taken."""

    reception: RefusingReception = field(kw_only=True)
    cookie: str = ""
    language: str = "zh-CN"
    _before: dict[str, str] = field(default_factory=dict)

    async def press(self, step: str) -> tuple[int, Controls]:
        command = self.path.split("/")[2]
        if step == "check" and command not in self.reception.refused:
            self.reception.refused.append(command)
            self.language = list(LANGUAGES)[len(self.reception.refused) % len(LANGUAGES)]
            self._before = {**self._page.values, **self._typed}
            await self._be_refused(command)
        path = self.path
        answer = await super().press(step)
        if step == "confirm" and self._before and path.startswith("/do/"):
            before, self._before = {**self._before, "id": str(uuid4())}, {}
            await self._come_second(command, path, before)
        return answer

    async def _be_refused(self, command: str) -> None:
        path, house = self.path, self.reception.house
        await self._send(path, {"id": "none"}, {422}, "another form")
        await self._send(path, {"token": "another page's"}, {403}, "another page")
        if "at" in self._before:
            await self._send(path, {"at": "昨天"}, {422}, "a field is wrong")
            text = await self._send(path, {"at": "1999-01-01 09:00"}, {200}, "the time is wrong")
            assert _RULE.search(text) or "confirm" in Controls(text).buttons, f"{command}: no rule is named"
        gone = replace(house, store=cast("Any", Away()), identity=cast("Any", Away()))
        await self._send(path, {}, {503}, "the database is away", build(gone))
        if command != "ResolveRound":  # it is asked without waiting: test_deciding.py
            silent = build(replace(house, door=cast("Any", NoAnswer())))
            await self._send(path, {"step": "confirm"}, {200, 422, 503}, "the engine is away", silent)
        await self._come_late(command)

    async def _come_late(self, command: str) -> None:
        """The session is over: it is held till they have come in again."""
        sessions = cast("Sessions", self.reception.house.identity).of
        digest = digest_token(self.cookie)
        own = sessions[digest]
        sessions[digest] = replace(own, seen_at=own.seen_at - IDLE - timedelta(minutes=1))
        answer = await self._post(self.path, {**self._before, "step": "check"})
        sessions[digest] = own
        assert answer.status_code == HTTPStatus.SEE_OTHER, answer.text
        (back,) = parse_qs(urlsplit(answer.headers["Location"]).query)["next"]
        again = await self.client.get(back, headers={"Accept-Language": self.language}, follow_redirects=True)
        self._expect(command, again.text, self._before, "the session is over")

    async def _come_second(self, command: str, path: str, before: dict[str, str]) -> None:
        """Somebody was first, or it is asked a second time."""
        answer = await self._post(path, {**before, "step": "check"})
        if answer.status_code == HTTPStatus.OK and "confirm" in Controls(answer.text).buttons:
            return
        if answer.status_code in (HTTPStatus.FORBIDDEN, HTTPStatus.SEE_OTHER):
            return
        self._expect(command, answer.text, before, f"it was done already: {answer.status_code}", documents=False)

    async def _send(self, path: str, changed: dict[str, str], statuses: set[int], why: str, app: Any = None) -> str:
        sent = {**self._before, "step": "check", **changed}
        answer = await self._post(path, sent, app)
        assert answer.status_code in statuses, f"{path} {why}: {answer.status_code} {Controls(answer.text).text}"
        self._expect(path.split("/")[2], answer.text, sent, why)
        return answer.text

    async def _post(self, path: str, data: dict[str, str], app: Any = None) -> httpx.Response:
        files = [(name, (one, DOCUMENT)) for name, names in self._chosen.items() for one in names]
        headers = {"Accept-Language": self.language}
        if app is None:
            return await self.client.post(path, data=data, files=files or None, headers=headers)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=SITE, headers={"Accept": "text/html", **headers}
        ) as client:
            client.cookies.set("venture", self.cookie)
            return await client.post(path, data=data, files=files or None)

    def _expect(self, command: str, text: str, sent: dict[str, str], why: str, *, documents: bool = True) -> None:
        """Whatever was typed or chosen stands there, to be sent again."""
        assert f'<html lang="{LANGUAGES[self.language]}"' in text
        stands = Controls(text)
        whole = list(stands.values.values())
        names = [name for name in self._page.names if name.startswith("p.") and not name.startswith("p.account.")]
        for name in names:
            value = "\n".join(line.strip() for line in sent.get(name, "").strip().splitlines())
            assert not value or value in whole, f"{command}, {why}: {name} {value!r} is lost: {stands.values}"
        for one in (one for some in self._chosen.values() for one in some if documents):
            assert one in stands.text or one in whole, f"{command}, {why}: {one} is lost"


@dataclass(kw_only=True)
class RefusingReception(Reception):
    """Each command is refused before it is taken, the first time that somebody gives it."""

    refused: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def hand(self, seat: Actor, person: PersonId | None) -> AsyncIterator[Hand]:
        async with super().hand(seat, person) as plain:
            assert isinstance(plain, PlainHand)
            cookie = await self.come_in(seat, person or person_on(seat))
            yield RefusedHand(plain.client, reception=self, cookie=cookie)
