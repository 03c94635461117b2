"""What fails is logged by its type, its place and its rule: never by a value that somebody wrote (PR10).

Words that nobody else says are sent through refusals and faults at every door, in one process; what is logged is
listened to as a person has it, debug included.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn, cast

import asyncpg
import httpx
import pytest
import structlog
import typer
from pydantic import BaseModel
from temporalio.exceptions import ApplicationError

import bootstrap
from activities.open_round import RoundActivities
from cli.adapter import _run
from cli.output import Form, Printer
from domain.catalogue import AGGREGATES
from domain.kernel.envelope import Ending
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import Actor, StreamId
from domain.need import SubmitNeed
from followers import deliveries, views
from followers.follower import Follower
from languages.language import Language
from store.memory import MemoryStore
from store.postgres import translate_errors
from tests.domain.memory_realm import MemoryRealm, StreamCommand
from tests.workflows.canaries import CANARIES, find, sing
from web.app import build_routes
from web.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SONG = "".join(CANARIES)
NEED = sing(SubmitNeed(round="R-1", group="空巢老人"))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Standard error with all that is logged."""
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    handlers, level, hook = logging.root.handlers[:], logging.root.level, sys.excepthook
    bootstrap.configure_logging(bootstrap.settings(log_level="debug"))
    yield said
    sys.excepthook = hook
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def silent(heard: io.StringIO) -> bool:
    assert heard.getvalue(), "nothing was logged at all"
    return not find(heard.getvalue().encode())


class _Form(BaseModel):
    number: int


def _unparsed() -> None:
    _Form.model_validate({"number": SONG})


def _caused() -> None:
    try:
        dict[str, str]()[SONG]
    except KeyError as error:
        message = f"no {SONG}"
        raise RuntimeError(message) from error


def _noted() -> None:
    error = ValueError(SONG)
    error.add_note(SONG)
    raise error


def _row() -> None:
    error = asyncpg.CheckViolationError(f"violates {SONG}")
    error.detail = f"Failing row contains ({SONG})."
    raise error


def _grouped() -> None:
    raise ExceptionGroup(SONG, [ValueError(SONG)])


def _encoded() -> None:
    f"{SONG}\udc80".encode()


FAULTS = (_unparsed, _caused, _noted, _row, _grouped, _encoded)
fault = pytest.mark.parametrize("fail", FAULTS, ids=lambda fail: fail.__name__.strip("_"))


# ---------------------------------------------------------------- carry_out: what Temporal is told, and the log


@fault
def test_a_rule_that_fails_tells_temporal_and_the_log_its_type_and_place(
    fail: Callable[[], None], heard: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> NoReturn:
        fail()
        raise AssertionError

    with asyncio.Runner() as runner:
        realm = MemoryRealm(MemoryStore(), runner)
        aggregate = AGGREGATES["need"]
        monkeypatch.setattr(type(aggregate), "decide", broken)
        with pytest.raises(ApplicationError) as told:
            realm.ask(StreamCommand(realm.id("need", "ND-1"), NEED, Actor("COMM#1")))
    assert told.value.type == "Defect"
    assert not find(f"{told.value!r} {told.value.message} {told.value.details} {told.value.__cause__!r}".encode())
    assert "command.defect" in heard.getvalue()
    assert silent(heard)


@fault
def test_a_store_that_fails_tells_the_same(
    fail: Callable[[], None], heard: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> NoReturn:
        fail()
        raise AssertionError

    with asyncio.Runner() as runner:
        realm = MemoryRealm(MemoryStore(), runner)
        monkeypatch.setattr(realm.store, "append", broken)
        with pytest.raises(ApplicationError) as told:
            realm.ask(StreamCommand(realm.id("need", "ND-1"), NEED, Actor("COMM#1")))
    assert not find(f"{told.value!r} {told.value.details} {told.value.__cause__!r}".encode())
    assert silent(heard)


def test_what_is_refused_leaves_nothing_in_the_log(heard: io.StringIO) -> None:
    """By a rule, at its stage, for personal data: whoever asked is told, and nobody else."""
    structlog.get_logger().info("test.begun")
    named = NEED.model_copy(update={"problem": f"{SONG} 13812345678"})
    with asyncio.Runner() as runner:
        realm = MemoryRealm(MemoryStore(), runner)
        asked = [
            StreamCommand(realm.id("need", "ND-1"), need, Actor(by))
            for need in (NEED, named)
            for by in ("COMM#1", "SYS#1")
        ]
        assert {a.ending for one in asked for a in realm.ask(one)} == {Ending.REFUSED}
    assert silent(heard)


# ---------------------------------------------------------------- the command line and HTTP


@fault
def test_a_fault_at_the_command_line_is_told_by_its_type_and_place(
    fail: Callable[[], None], heard: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        fail()

    with pytest.raises(typer.Exit) as ended:
        _run(Printer.of(Form.JSON, Language.EN), work())
    assert ended.value.exit_code == 70
    assert "cli.defect" in heard.getvalue()
    assert not find("".join(capsys.readouterr()).encode())
    assert silent(heard)


routes = cache(build_routes)


@fault
async def test_a_fault_behind_http_is_told_by_its_type(fail: Callable[[], None], heard: io.StringIO) -> None:
    async def broken() -> None:
        fail()

    routes().add_api_route(f"/{fail.__name__}", broken)
    transport = httpx.ASGITransport(Limits(routes(), otherwise=Language.EN), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as service:
        answer = await service.get(f"/{fail.__name__}")
    assert answer.status_code == 500
    assert not find(answer.content)
    assert "web.defect" in heard.getvalue()
    assert silent(heard)


# ---------------------------------------------------------------- what runs by itself, and libraries


class _Broken(Follower):
    name = "broken"


@fault
async def test_what_runs_by_itself_says_why_without_its_words(fail: Callable[[], None], heard: io.StringIO) -> None:
    with pytest.raises(Exception) as failed:  # noqa: PT011 - of any type
        fail()
    error = failed.value

    async def look() -> NoReturn:
        raise error

    _Broken.log_failure(cast("Any", SimpleNamespace(name="broken")), error)
    deliveries._log_failure(error)
    await views._try(StreamId("need/x/ND-1"), look())
    for line in ("follower.round_failed", "webhook.round_failed", "views.stream_failed"):
        assert f"{line}" in heard.getvalue()
    assert type(error).__name__ in heard.getvalue()
    assert silent(heard)


@fault
def test_what_a_library_logs_of_it_has_no_word_of_it(fail: Callable[[], None], heard: io.StringIO) -> None:
    try:
        fail()
    except Exception as error:
        log = logging.getLogger("somebody")
        log.exception("it failed\nfuture: %r", error)  # noqa: TRY401 - as asyncio does
        log.error("it failed: %s", error)  # noqa: TRY400 - as libraries do
        sys.excepthook(type(error), error, error.__traceback__)
    assert heard.getvalue().count("it failed") == 2
    assert "process.defect" in heard.getvalue()
    assert silent(heard)


async def test_a_task_that_nobody_waits_for_has_no_word_of_it(heard: io.StringIO) -> None:
    async def broken() -> NoReturn:
        raise ValueError(SONG)

    task = asyncio.create_task(broken())
    await asyncio.wait([task])
    del task
    assert "never retrieved" in heard.getvalue()
    assert silent(heard)


# ---------------------------------------------------------------- what servers say of what they were sent


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.DataError(f"invalid input for query argument $1: {SONG!r}"), FailureKind.DEFECT),
        (ValueError(f"no member of the list: {SONG!r}"), FailureKind.INTEGRITY),
        (
            type("Full", (asyncpg.DiskFullError,), {"detail": SONG, "hint": SONG})("could not extend file"),
            FailureKind.UNAVAILABLE,
        ),
    ],
    ids=["an argument that does not fit", "a row that does not fit", "a detail"],
)
async def test_a_store_says_what_is_wrong_without_the_value_that_is(error: Exception, kind: FailureKind) -> None:
    with pytest.raises(Failure) as told:
        async with translate_errors():
            raise error
    assert told.value.kind is kind, "only what did not answer is worth asking again"
    assert not find(f"{told.value} {told.value.details}".encode())


async def test_rules_that_do_not_load_are_told_to_temporal_by_their_fields() -> None:
    async def opened(_request: object) -> NoReturn:
        _unparsed()
        raise AssertionError

    with pytest.raises(ApplicationError) as told:
        await RoundActivities(cast("Any", opened)).open_round(cast("Any", None))
    assert "number int_parsing" in told.value.message
    assert not find(told.value.message.encode())
