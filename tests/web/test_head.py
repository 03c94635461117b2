"""HEAD says what GET would, and brings nothing: monitors and caches ask so of every address."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.web.conftest import with_key

if TYPE_CHECKING:
    from tests.web.conftest import Counter

_OF_THE_MOMENT = {"date", "x-request-id", "set-cookie", "content-security-policy"}


@pytest.mark.parametrize(
    "path", ["/", "/login", "/public", "/v1/session", "/v1/commands?kind=need", "/readyz", "/nowhere"]
)
async def test_head_says_what_get_would_and_brings_nothing(counter: Counter, path: str) -> None:
    plain = {"Accept-Encoding": "identity"}  # each page has a token of its own, which no two of compress alike
    async with counter.service("COMM#1") as service, asyncio.timeout(30):
        while True:  # what a page tells may change between two looks at it
            got, head, after = [
                await service.request(method, path, headers=with_key() | plain) for method in ("GET", "HEAD", "GET")
            ]
            if len(got.content) == len(after.content):
                break
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert got.status_code != 405
    headers = [{k: v for k, v in answer.headers.items() if k not in _OF_THE_MOMENT} for answer in (got, head)]
    assert headers[0] == headers[1]


async def test_head_of_a_stream_that_never_ends_ends(counter: Counter) -> None:
    async with counter.service("CAB-REG#1") as service, asyncio.timeout(30):
        answer = await service.head("/v1/events/stream")
    assert answer.status_code == 200
