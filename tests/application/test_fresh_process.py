"""A process that starts while a server is away: without Temporal the log is read, without Postgres nothing is."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from domain.kernel.identifier import Actor
from local import processes
from tests.cli.installation import Installation
from tests.workflows.bureau import Bureau, verification

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from tests.workflows.breakable import Breakable

HOST = Actor("HOST#1")
COMMAND = ("do", "verify-organisation", "ORG-9", "--as", "HOST#1", "name=甲")
READING = (
    ("project", "list"),
    ("inbox",),
    ("approval", "list"),
    ("round", "list"),
    ("audit", "verify"),
)


@pytest.fixture(params=["gone", pytest.param("stopped", marks=pytest.mark.full)])
def without_temporal(house: Breakable, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Temporal stands still, or nobody is at its address; what the environment of such a process says."""
    stopped: AbstractContextManager[None] = house.temporal_stopped()
    if request.param == "gone":
        yield {"VENTURE_TEMPORAL_ADDRESS": f"127.0.0.1:{processes.free_port()}"}
        return
    with stopped:
        yield {}


async def test_with_temporal_away_a_fresh_process_reads_lists_and_verifies(
    house: Breakable, without_temporal: dict[str, str]
) -> None:
    venture = Installation(house.settings.home)
    for words in READING:
        answer = await asyncio.to_thread(venture.ask, *words, "-o", "json", **without_temporal)
        assert answer.exit_code == 0, (words, answer.output)


async def test_with_temporal_away_a_fresh_process_shows_a_project_and_doctor_says_what_is_away(
    house: Breakable, bureau_of_house: Bureau, without_temporal: dict[str, str]
) -> None:
    venture, stream = Installation(house.settings.home), bureau_of_house.id("organisation", "ORG-1")
    page = await asyncio.to_thread(venture.ask, "project", "show", stream, "-o", "json", **without_temporal)
    assert page.exit_code == 0, page.output
    answer = await asyncio.to_thread(venture.ask, "doctor", "-o", "json", **without_temporal)
    rows = {row["part"]: row for row in json.loads(answer.stdout)}
    assert answer.exit_code == 6
    assert {part for part, row in rows.items() if row["ok"] is False} == {"Temporal"}
    assert rows["files handed to a person"]["ok"]


@pytest.fixture
async def bureau_of_house(house: Breakable) -> Bureau:
    """A bureau with one organisation, entered while Temporal was there."""
    bureau = house.bureau()
    await bureau.straight(bureau.id("organisation", "ORG-1"), verification(), HOST)
    return bureau


@pytest.mark.full
async def test_with_temporal_away_a_command_from_a_fresh_process_ends_in_one_line(
    house: Breakable, without_temporal: dict[str, str]
) -> None:
    venture = Installation(house.settings.home)
    answer = await asyncio.to_thread(venture.ask, *COMMAND, **without_temporal)
    assert answer.exit_code == 5, answer.output
    assert len(answer.stderr.strip().splitlines()) <= 2, answer.stderr


@pytest.mark.parametrize("words", [*READING, COMMAND])
async def test_with_postgres_away_a_fresh_process_ends_in_one_line(house: Breakable, words: tuple[str, ...]) -> None:
    nobody = f"postgresql://venture_app:x@127.0.0.1:{processes.free_port()}/venture"
    answer = await asyncio.to_thread(Installation(house.settings.home).ask, *words, VENTURE_POSTGRES_URL=nobody)
    assert answer.exit_code == 5, answer.output
    assert len(answer.stderr.strip().splitlines()) <= 2, answer.stderr
