"""People at the console: the application in this process, over the run's own Postgres, Temporal and worker."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING

import httpx
import pytest

from application.sessions import begin_session
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor, Role
from store.identity import SeatGrant
from web.app import build

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp

    from domain.kernel.scope import Scope
    from web.house import House

SITE = "http://console.test"
EVERY_SEAT = tuple(f"{role}#1" for role in Role if role is not Role.SYS)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass(frozen=True)
class Desks:
    """Where people of a test sit."""

    house: House
    app: ASGIApp

    @asynccontextmanager
    async def person(
        self, *seats: str, scope: Scope | None = None, person: str = "P-1", lang: str = "zh-TW"
    ) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who has come in, on those seats."""
        grants = tuple(SeatGrant(seat=Actor(seat), scope=scope) for seat in seats)
        token = await begin_session(self.house.identity, PersonId(person), grants, datetime.now(UTC))
        async with self.stranger(lang=lang) as client:
            client.cookies.set("venture", token)
            yield client

    @asynccontextmanager
    async def stranger(self, *, lang: str = "zh-TW") -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who has not."""
        headers = {"Accept": "text/html", "Accept-Language": lang}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=SITE, headers=headers) as client:
            yield client


@pytest.fixture(scope="session")
def desks(house: House) -> Desks:
    return Desks(house, build(house))


def hidden(page: str, form: str = "<main") -> dict[str, str]:
    """What the first form of the main part sends by itself."""
    main = page.partition(form)[2].partition("</form>")[0]
    return {name: unescape(value) for name, value in _HIDDEN.findall(main)}
