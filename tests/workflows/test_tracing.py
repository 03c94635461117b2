"""One trace a command, over processes, where a collector is named; and nothing of it in a process that names none."""

from __future__ import annotations

import asyncio
import http.server
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import bootstrap
from tests.workflows.breakable import breakable
from tests.workflows.bureau import ROUND, Bureau
from tests.workflows.processes import HOUSE
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from tests.workflows.breakable import Breakable

GROUP = "空巢老人"
SUBMITTED = ("do", "submit-need", "ND-1", "--as", "COMM#1", f"round={ROUND}", f"group={GROUP}")


@dataclass
class Collector:
    """Keeps what is sent to it, as it came."""

    bodies: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def spans(self) -> list[Span]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def collector() -> Iterator[Collector]:
    kept = Collector()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            kept.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _attributes(span: Span) -> dict[str, str]:
    return {attribute.key: attribute.value.string_value for attribute in span.attributes}


def _spans_of_need(kept: Collector) -> list[Span]:
    """Every span of the traces in which something was asked of a need: the demo office's founding is not of them."""
    spans = kept.spans()
    traces = {
        span.trace_id
        for span in spans
        if (attributes := _attributes(span)).get("venture.stream_kind") == "need"
        or attributes.get("venture.command", "").endswith("Need")
    }
    return [span for span in spans if span.trace_id in traces]


async def done(settings: bootstrap.Settings, endpoint: str, *words: str, code: int = 0) -> None:
    """Carried out by a command line of its own, traced."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VENTURE_")}
    environment = {**kept, "VENTURE_HOME": str(settings.home), "VENTURE_OTLP_ENDPOINT": endpoint}
    command = [sys.executable, str(HOUSE / "starter.py"), *words]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == code, output.decode()


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Breakable]:
    """A round is open there; a test says itself where its worker sends traces, and starts it."""
    settings = bootstrap.settings(home=tmp_path_factory.mktemp("traced"))
    async with breakable(settings, workers=0) as house:
        await Bureau("live", house.store, bootstrap.ensure_door_key(settings)).open_round()
        yield house


@contextmanager
def tracing(house: Breakable, endpoint: str) -> Iterator[None]:
    """A worker that sends its traces there, while the block runs."""
    house.more = {"VENTURE_OTLP_ENDPOINT": endpoint}
    house.start_worker()
    try:
        yield
    finally:
        house.kill_worker()


@pytest.mark.full
async def test_a_command_is_one_trace_from_the_door_through_temporal_to_the_append(house: Breakable) -> None:
    with collector() as kept, tracing(house, kept.endpoint):
        await done(house.settings, kept.endpoint, *SUBMITTED)
        # the second finds its workflow there, begun by the first: its trace is its own all the same
        await done(house.settings, kept.endpoint, "do", "endorse-need", "ND-1", "--as", "DCAB#1")

        async def arrived() -> bool:
            return len(_spans_of_need(kept)) >= 6

        await until(arrived)

    of_need = _spans_of_need(kept)
    traces = {span.trace_id for span in of_need}
    assert len(traces) == 2, "a trace for each command"
    for trace in traces:
        spans = {span.name: span for span in of_need if span.trace_id == trace}
        assert set(spans) == {"command", "carry_out", "append"}
        assert spans["command"].parent_span_id == b""
        assert spans["carry_out"].parent_span_id == spans["command"].span_id
        assert spans["append"].parent_span_id == spans["carry_out"].span_id
        assert _attributes(spans["carry_out"])["venture.stream_kind"] == "need"
        assert _attributes(spans["append"]) == {"venture.status": "appended"}
    assert sorted(_attributes(s)["venture.command"] for s in of_need if s.name == "command") == [
        "EndorseNeed",
        "SubmitNeed",
    ]
    sent = b"".join(kept.bodies)
    for word in (GROUP, "COMM#1", "DCAB#1", "ND-1"):
        assert word.encode() not in sent, word


@pytest.mark.full
async def test_a_collector_that_is_away_keeps_no_command_from_its_answer(house: Breakable) -> None:
    away = "http://127.0.0.1:9"
    with tracing(house, away):
        await done(house.settings, away, "do", "submit-need", "ND-2", *SUBMITTED[3:])


@pytest.mark.full
def test_nothing_of_it_is_loaded_where_it_is_not_asked_for() -> None:
    program = "import sys, worker, starter; print(*[m for m in sys.modules if m.startswith('opentelemetry')])"
    ran = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", program], cwd=HOUSE, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == ""


@pytest.mark.parametrize("wrong", ["collector:4318", "ftp://collector", "https://name:word@collector:4318"])
def test_an_endpoint_that_cannot_be_one_is_refused(wrong: str) -> None:
    with pytest.raises(bootstrap.SettingsInvalid, match="VENTURE_OTLP_ENDPOINT"):
        bootstrap.settings(otlp_endpoint=wrong)


def test_asking_for_traces_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "find_spec", lambda _: None)
    with pytest.raises(bootstrap.SettingsInvalid, match=r"(?s)VENTURE_OTLP_ENDPOINT.*安裝.*pip install '\.\[otel\]'"):
        bootstrap.settings(otlp_endpoint="http://collector:4318")
