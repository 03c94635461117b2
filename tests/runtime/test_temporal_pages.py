"""Temporal's pages with what they hold opened: for whoever has come by the link, and nobody else."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import WorkflowSerializationContext

import bootstrap
import local
from local import processes
from payload_codec import SealingCodec, sealing_converter
from payload_keys import PayloadKeys, make_payload_key
from runtime.temporal_pages import COOKIE, DECODE, LARGEST_BODY, TemporalPages, serve_pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

KEYS = PayloadKeys.parse(make_payload_key())
PLACE = "project/live/AP-5"
SAID = "空巢老人關愛行動"


class PagesVisitor:
    """Asks as a browser does, and keeps its cookie."""

    def __init__(self, pages: TemporalPages) -> None:
        self.pages = pages
        self.cookie = ""

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.pages.port)
        fields = {"host": f"127.0.0.1:{self.pages.port}", "content-length": str(len(body)), **headers}
        if self.cookie:
            fields["cookie"] = f"_csrf=1; {self.cookie}"
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        async with asyncio.timeout(20):
            head, _, content = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        line, *rest = head.decode().split("\r\n")
        headed = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
        return int(line.split()[1]), headed, content

    async def log_in(self, link: str) -> int:
        status, _, _ = answer = await self.ask("GET", link.removeprefix(self.pages.origin))
        if status == 303:
            self.cookie = answer[1]["set-cookie"].partition(";")[0]
        return status


@pytest.fixture
async def upstream() -> AsyncIterator[tuple[int, list[bytes]]]:
    """What stands for Temporal's own pages; what it was asked."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heads


@pytest.fixture
async def pages_and_links(upstream: tuple[int, list[bytes]]) -> AsyncIterator[tuple[TemporalPages, list[str]]]:
    links: list[str] = []
    pages = TemporalPages(SealingCodec(KEYS), "default", upstream[0], processes.free_port(), links.append)
    async with serve_pages(pages):
        yield pages, links


async def _sealed(value: str, workflow_id: str = PLACE) -> Payload:
    place = WorkflowSerializationContext("default", workflow_id)
    (payload,) = await sealing_converter(KEYS).with_context(place).encode([value])
    return payload


def _body(*payloads: Payload) -> bytes:
    return json_format.MessageToJson(Payloads(payloads=payloads)).encode()


def _opened(content: bytes) -> list[Any]:
    payloads = json_format.Parse(content, Payloads()).payloads
    return [json.loads(p.data) if p.metadata["encoding"] == b"json/plain" else p.metadata["encoding"] for p in payloads]


async def test_whoever_comes_by_the_link_sees_what_was_sealed(pages_and_links: tuple[TemporalPages, list[str]]) -> None:
    pages, links = pages_and_links
    browser = PagesVisitor(pages)
    assert await browser.log_in(links[0]) == 303
    status, headers, content = await browser.ask(
        "POST", DECODE, _body(await _sealed(SAID), await _sealed("x", "a/b/c"))
    )
    assert (status, _opened(content)) == (200, [SAID, "x"])
    assert headers["cache-control"] == "no-store"


async def test_what_cannot_be_opened_stays_as_it_is_beside_what_can(
    pages_and_links: tuple[TemporalPages, list[str]],
) -> None:
    pages, links = pages_and_links
    browser = PagesVisitor(pages)
    await browser.log_in(links[0])
    moved = await _sealed("moved")
    moved.metadata["bound-to"] = b"project/live/AP-6"
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b'"recorded"')
    _, _, content = await browser.ask("POST", DECODE, _body(moved, plain, await _sealed(SAID), Payload()))
    assert _opened(content) == [b"binary/encrypted", "recorded", SAID, b""]


async def test_a_link_is_good_for_once_and_the_next_is_told(pages_and_links: tuple[TemporalPages, list[str]]) -> None:
    pages, links = pages_and_links
    assert await PagesVisitor(pages).log_in(links[0]) == 303
    assert await PagesVisitor(pages).log_in(links[0]) == 401
    assert len(links) == 2
    assert await PagesVisitor(pages).log_in(links[1]) == 303
    for guess in ("", "x", links[0].partition("=")[2]):
        assert await PagesVisitor(pages).log_in(f"{pages.origin}/login?token={guess}") == 401


@pytest.mark.parametrize("path", [DECODE, "/", "/namespaces/default/workflows", "/login", "/api/v1/settings"])
async def test_without_the_link_there_is_nothing(
    pages_and_links: tuple[TemporalPages, list[str]], upstream: tuple[int, list[bytes]], path: str
) -> None:
    stranger = PagesVisitor(pages_and_links[0])
    stranger.cookie = f"{COOKIE}=guessed"
    status, _, content = await stranger.ask("POST" if path == DECODE else "GET", path, _body(await _sealed(SAID)))
    assert status == 401
    assert SAID.encode() not in content
    assert upstream[1] == [], "Temporal's own pages were asked"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"host": "elsewhere.example"},
        {"host": "localhost"},
    ],
    ids=["another page", "no page", "another port", "another name", "localhost"],
)
async def test_a_page_of_somebody_elses_has_nothing_opened(
    pages_and_links: tuple[TemporalPages, list[str]], headers: dict[str, str]
) -> None:
    pages, links = pages_and_links
    browser = PagesVisitor(pages)
    await browser.log_in(links[0])
    status, answered, content = await browser.ask("POST", DECODE, _body(await _sealed(SAID)), **headers)
    assert status in {403, 421}
    assert SAID.encode() not in content
    assert not [name for name in answered if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("method", "body", "headers", "status"),
    [
        ("GET", b"", {}, 405),
        ("POST", b"{", {}, 400),
        ("POST", b"\xff\xfe", {}, 400),
        ("POST", b"", {"content-length": str(LARGEST_BODY + 1)}, 413),
        ("POST", b"", {"content-length": "9" * 5_000}, 413),
        ("POST", b"", {"content-length": "-1"}, 411),
        ("POST", b"", {"content-length": "²"}, 411),
        ("POST", b"{}", {}, 200),
    ],
)
async def test_what_is_no_question_is_refused(
    pages_and_links: tuple[TemporalPages, list[str]], method: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    pages, links = pages_and_links
    browser = PagesVisitor(pages)
    await browser.log_in(links[0])
    assert (await browser.ask(method, DECODE, body, **headers))[0] == status


async def test_all_else_is_temporals_own_and_never_sees_our_cookie(
    pages_and_links: tuple[TemporalPages, list[str]], upstream: tuple[int, list[bytes]]
) -> None:
    pages, links = pages_and_links
    browser = PagesVisitor(pages)
    await browser.log_in(links[0])
    assert (await browser.ask("GET", "/namespaces/default/workflows"))[::2] == (200, b"<html>")
    (head,) = upstream[1]
    assert head.startswith(b"GET /namespaces/default/workflows HTTP/1.1\r\n")
    assert b"_csrf=1" in head
    assert COOKIE.encode() not in head


@pytest.mark.full
async def test_temporals_own_pages_are_handed_on_and_ask_here_to_have_things_opened(tmp_path: Path) -> None:
    links: list[str] = []
    async with local.servers(bootstrap.settings(home=tmp_path / "home", temporal_ui=True)) as servers:
        ui, front = servers.temporal.ui_port, servers.temporal.front_port
        assert ui is not None
        assert front is not None
        pages = TemporalPages(SealingCodec(KEYS), "default", ui, front, links.append)
        async with serve_pages(pages):
            browser = PagesVisitor(pages)
            await browser.log_in(links[0])
            status, _, content = await browser.ask("GET", "/namespaces/default/workflows")
            assert status == 200
            assert b"<html" in content
            _, _, settings = await browser.ask("GET", "/api/v1/settings")
            assert json.loads(settings)["Codec"]["Endpoint"] == f"{pages.origin}/codec"
