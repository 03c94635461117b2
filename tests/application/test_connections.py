"""Temporal closes every connection once it is some minutes old: what was under way on it is asked again, unnoticed."""

from __future__ import annotations

import ast
import asyncio
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bootstrap
import temporal_client
from application.builds import list_pollers, read_current
from application.namespace import describe_namespace
from local import processes, temporal
from runtime.approval_service import open_endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ROOMS = ("activities", "application", "audit", "cli", "followers", "local", "runtime", "web")
SERVICES = {"workflow_service", "operator_service", "test_service"}
"""Temporal's bare services. The client's own methods ask again by themselves; a call of these only if told to."""


def find_bare_calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a bare service in what is shipped, with where it stands."""
    for path in (*ROOT.glob("*.py"), *(module for room in ROOMS for module in (ROOT / room).rglob("*.py"))):
        text = path.read_text()
        if not any(service in text for service in SERVICES):
            continue
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=service))) if service in SERVICES:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_bare_call_of_temporal_is_asked_again_when_its_connection_ends() -> None:
    calls = dict(find_bare_calls())
    assert len(calls) > 5, "a search that finds no calls shows nothing"
    assert [
        where
        for where, call in calls.items()
        if not any(word.arg == "retry" and ast.unparse(word.value) == "True" for word in call.keywords)
    ] == []


@pytest.mark.full
async def test_who_asks_while_connections_come_of_age_hears_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("frontend.keepAliveMaxConnectionAge", "frontend.keepAliveMaxConnectionAgeGrace"):
        monkeypatch.setitem(temporal.DYNAMIC, name, '"100ms"')
    (tmp_path / "logs").mkdir()
    server = temporal.start(tmp_path, ())
    try:
        await temporal.wait_until_ready(server, tmp_path)
        client = await temporal_client.connect_temporal(server.address, bootstrap.settings(home=tmp_path))
        ends = time.monotonic() + 5

        async def ask() -> int:
            rounds = 0
            while time.monotonic() < ends:
                await describe_namespace(client)
                await list_pollers(client, "queue")
                await read_current(client, "queue")
                await open_endpoint(client, "venture-approvals", "queue")
                rounds += 1
            return rounds

        assert min(await asyncio.gather(*(ask() for _ in range(10)))) > 1
    finally:
        assert server.process is not None
        processes.stop(server.process, signal.SIGKILL)
