"""Nobody reads outside of Postgres what somebody wrote: words that nobody else says are looked for in all that is kept.

They are put into every text of a whole life, of a project on the wall clock, of commands that are refused and of
one that cannot be recorded; and looked for in Temporal's file and histories, in logs, metrics and traces.
"""

from __future__ import annotations

import base64
import json
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.testing import TimeSkipper

import bootstrap
from application.door import Door
from application.workflow_carrier import WorkflowCarrier
from cli.scenario import list_shipped, plan_scenario
from domain.kernel.failure import Failure
from domain.kernel.identifier import Actor
from domain.need import SubmitNeed
from domain.project.publicity import ConfirmAward, OpenAwardPublicity
from local import processes
from local.postgres import DATA
from scenarios.play import play
from tests.runtime.http_probe import http_get
from tests.time_skipping import let_time_be_skipped
from tests.workflows.breakable import Breakable, breakable
from tests.workflows.bureau import ROUND, verification
from tests.workflows.canaries import CANARIES, find, find_in_files, forms, sing
from tests.workflows.test_tracing import collector, done
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from scenarios.plan import Plan

SONG = "".join(CANARIES)
KEPT = frozenset(
    {*("gate", "evaluator", "auditor", "share"), *("codelists", "fields", "theme", "kinds", "tags", "set_asides")}
)
"""Fields of texts that a rule compares with another, or with a city's lists."""
LIVES = ("s4-termination", "s1-hangzhou")


# The search


@pytest.mark.parametrize("word", CANARIES)
@pytest.mark.parametrize("before", ["", "x", "xx", "案由：", "案由 1：", '{"text": "'])
def test_the_search_finds_a_word_however_it_is_written(word: str, before: str) -> None:
    sentence = f"{before}{word}, and more"
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert find(sentence.encode(encoding))
        assert find(base64.b64encode(sentence.encode(encoding)))
    assert find(json.dumps({"said": sentence}).encode())
    assert find(sentence.encode().hex().encode())
    assert len({form for _, form in forms(word).items()}) >= 13


def test_the_search_finds_nothing_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("command.carried_out stream=need/live/ND-1 金絲雀", encoding="utf-8")
    (tmp_path / "pgdata").mkdir()
    (tmp_path / "pgdata" / "1").write_text(SONG, encoding="utf-8")
    assert find_in_files(tmp_path, without=tmp_path / "pgdata") == []
    (tmp_path / "log").write_text(f"command.carried_out {CANARIES[1]}", encoding="utf-16")
    assert find_in_files(tmp_path, without=tmp_path / "pgdata") == [f"log: {CANARIES[1]} in utf-16-le"]


# A whole life, a project on the wall clock, and what is refused


def _read_life(stem: str) -> Plan:
    """A story of those that come with the product, the canaries in its every text."""
    (plan,) = plan_scenario([path for path in list_shipped() if path.stem == stem], fresh="canaries")
    orders = tuple(replace(order, command=sing(order.command, KEPT)) for order in plan.orders)
    return replace(plan, orders=orders, scheme=sing(plan.scheme, KEPT))


async def _live(house: Breakable, plan: Plan) -> None:
    played = await play(plan, house.door, house.store)
    assert played.ok, played.as_json()
    for order in {order.command.command_type: order for order in plan.orders}.values():  # once more, too late
        with suppress(Failure):
            await house.door.send(order.stream, order.command, order.actor, command_id=uuid4(), at=plan.ends)


async def _live_on_the_wall_clock(house: Breakable) -> None:
    """A base's support, posted for objection and confirmed when the days are over: timers with captions."""
    bureau, skipper = house.bureau(), TimeSkipper(house.client)
    door = Door(WorkflowCarrier(skipper.client, house.settings.task_queue), house.store, bureau.key)
    await bureau.open_base()
    project, officer = bureau.id("project", "AP-1"), Actor("CAB-REG#1")
    with skipper.with_time_skipping_disabled():
        await door.send(project, sing(bureau.award(1), KEPT), officer)
        await door.send(project, sing(OpenAwardPublicity(contact="市民政局")), officer)
        await skipper.fast_forward(house.client.get_workflow_handle(project), timedelta(days=12))
        await door.send(project, sing(ConfirmAward()), Actor("CAB-DEC#1"))


async def _ask_what_cannot_be_recorded(house: Breakable) -> None:
    """A text that is far too long."""
    command = verification().model_copy(update={"name": SONG * 20_000})
    with pytest.raises(Failure):
        await house.door.send(house.bureau().id("organisation", "ORG-1"), command, Actor("HOST#1"))


async def _iterate_histories(client: Client) -> AsyncIterator[bytes]:
    """All that Temporal tells of every workflow."""
    async for workflow in client.list_workflows():
        handle = client.get_workflow_handle(workflow.id, run_id=workflow.run_id)
        history = await handle.fetch_history()
        described = (await handle.describe()).raw_description
        yield f"{workflow.id} {described} {history.to_json()}".encode() + described.SerializeToString()
        yield b"".join(event.SerializeToString() for event in history.events)


@pytest.mark.full
@pytest.mark.parametrize("life", LIVES)
async def test_what_somebody_wrote_is_read_nowhere_outside_of_postgres(
    life: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    health, sdk = processes.free_port(), processes.free_port()
    with collector() as traces, caplog.at_level(logging.DEBUG):
        async with breakable(
            settings,
            VENTURE_OTLP_ENDPOINT=traces.endpoint,
            VENTURE_LOG_LEVEL="debug",
            VENTURE_HEALTH_PORT=str(health),
            VENTURE_SDK_METRICS_PORT=str(sdk),
        ) as house:
            await let_time_be_skipped(house.servers.owner_url)
            await _live(house, _read_life(life))
            await _live_on_the_wall_clock(house)
            await _ask_what_cannot_be_recorded(house)
            await house.door.open_realm("live")
            need = sing(SubmitNeed(round=ROUND, group="空巢老人")).model_dump(mode="json", exclude_none=True)
            words = [f"{name}={value}" for name, value in need.items()]
            await done(settings, traces.endpoint, "do", "submit-need", "ND-1", "--as", "COMM#1", *words, code=1)

            async def are_traced() -> bool:
                return len(traces.spans()) > 100

            await until(are_traced)
            sung = [e async for e in _iterate_texts(house)]
            assert len(sung) > 50, "the canaries did not come in"
            histories = [content async for content in _iterate_histories(house.client)]
            assert len(histories) > 20, "the histories were not looked at"
            places = {
                **{f"history {number}": content for number, content in enumerate(histories)},
                "log of the door": caplog.text.encode(),
                **{f"metrics {port}": (await http_get(port, "/metrics")).text.encode() for port in (health, sdk)},
                "traces": b"".join(traces.bodies),
            }
            assert [f"{place}: {form}" for place, content in places.items() for form in find(content)] == []
            assert find_in_files(settings.home, without=settings.home / DATA) == []
            await _show_that_it_would_be_found(house, tmp_path / "home")


async def _iterate_texts(house: Breakable) -> AsyncIterator[str]:
    """The entries of the log that have a canary."""
    for entry in await house.store.feed(0, 10_000):
        if CANARIES[0].encode() in entry.data:
            yield entry.type


async def _show_that_it_would_be_found(house: Breakable, home: Path) -> None:
    """What a client without the codec gives to the same server is found in its file and in its histories."""
    plain = await Client.connect(house.servers.temporal_address)
    await plain.start_workflow("Nobody", SONG, id="planted", task_queue="nobody", static_summary=SONG)
    places = find_in_files(home, without=home / DATA)
    assert {file.partition(":")[0] for file in places} & {"temporal.db", "temporal.db-wal"}
    history = await plain.get_workflow_handle("planted").fetch_history()
    assert find(history.to_json().encode())
