"""Reading over HTTP: files as they are and were, lists by pages, approvals, and the feed of what happened."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx

from deciding.fold import load_state
from domain.need import AdoptNeed, SubmitNeed
from domain.project.award import DeclineAward
from domain.project.publicity import OpenAwardPublicity
from domain.visibility import REGISTERS
from tests.workflows.bureau import verification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.kernel.identifier import StreamId
    from tests.web.conftest import Counter
    from tests.workflows.bureau import Bureau


async def need(bureau: Bureau, name: str = "ND-1") -> StreamId:
    stream = bureau.id("need", name)
    await bureau.straight(stream, SubmitNeed(round="R-1", group="空巢老人"), "COMM#1")
    return stream


async def test_a_file_says_how_it_stands_and_who_is_awaited_in_the_readers_language(
    counter: Counter, bureau: Bureau
) -> None:
    await bureau.open_round()
    stream = await need(bureau)
    async with counter.service("CAB-REG#1") as service:
        english = (await service.get(f"/v1/files/{stream}")).json()
        chinese = (await service.get(f"/v1/files/{stream}", headers={"Accept-Language": "zh-Hant"})).json()
    assert (english["stage"], english["version"]) == ("SUBMITTED", 1)
    assert english["awaiting"][0]["roles"] == ["CAB-REG"]
    assert english["awaiting"][0]["text"] != chinese["awaiting"][0]["text"]
    assert [chapter["event"] for chapter in english["story"]] == ["NeedSubmitted"]


async def test_an_unchanged_file_is_not_sent_again(counter: Counter, bureau: Bureau) -> None:
    await bureau.open_round()
    stream = await need(bureau)
    async with counter.service("CAB-REG#1") as service:
        first = await service.get(f"/v1/files/{stream}")
        again = await service.get(f"/v1/files/{stream}", headers={"If-None-Match": first.headers["ETag"]})
        await bureau.straight(stream, AdoptNeed(), "CAB-REG#1")
        moved = await service.get(f"/v1/files/{stream}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (moved.status_code, moved.json()["version"]) == (200, 2)


async def test_a_file_can_be_read_as_it_was_and_as_it_was_known(counter: Counter, bureau: Bureau) -> None:
    await bureau.open_round()
    stream = await need(bureau)
    async with counter.service("CAB-REG#1") as service:
        before = (await service.get(f"/v1/files/{stream}")).json()
        await bureau.straight(stream, AdoptNeed(), "CAB-REG#1")
        at, known = before["story"][0]["at"], before["story"][0]["recorded_at"]
        then = (await service.get(f"/v1/files/{stream}", params={"as_of": at})).json()
        knew = (await service.get(f"/v1/files/{stream}", params={"known_at": known})).json()
        never = await service.get(f"/v1/files/{stream}", params={"as_of": "2001-01-01"})
        wrong = await service.get(f"/v1/files/{stream}", params={"as_of": "2001-01-01T25:00"})
    assert then["stage"] == knew["stage"] == "SUBMITTED"
    assert (then["as_of"], knew["known_at"]) == (at, known)
    assert (never.status_code, wrong.status_code) == (404, 422)


async def test_lists_come_by_pages_and_show_what_was_just_written(counter: Counter, bureau: Bureau) -> None:
    await bureau.open_round()
    for number in range(1, 6):
        await need(bureau, f"ND-{number}")
    position = await bureau.store.last_position()
    async with counter.service("CAB-REG#1") as service:
        seen: list[str] = []
        params: dict[str, Any] = {"realm": bureau.realm, "limit": 2, "at_least": position}
        while True:
            page = (await service.get("/v1/inbox", params=params)).json()
            seen += [row["subject"] for row in page["waiting"] if row["command"] == "AdoptNeed"]
            if page["next"] is None:
                break
            params["after"] = page["next"]
        forged = await service.get("/v1/inbox", params={**params, "after": "bm90IG9uZSBvZiB0aGVtIQ"})
        projects = (await service.get("/v1/projects", params={"realm": bureau.realm})).json()
    assert sorted(seen) == [f"ND-{number}" for number in range(1, 6)]
    assert page["freshness"]["position"] >= position
    assert forged.status_code == 422
    assert projects["projects"] == []


async def test_a_list_of_projects_takes_each_of_its_conditions_and_refuses_what_is_none(
    counter: Counter, bureau: Bureau
) -> None:
    await bureau.open_round()
    async with counter.service("CAB-REG#1") as service:
        none = {"realm": bureau.realm, "awaits": "", "limit": "1"}
        assert (await service.get("/v1/projects", params=none)).status_code == 200
        for name in ("stage", "round", "organisation", "field", "fund", "awaits", "district", "community", "search"):
            answer = await service.get("/v1/projects", params={**none, name: "x" * 201})
            assert (answer.status_code, name in answer.text) == (422, True), name
        past = await service.get("/v1/projects", params={**none, "as_of": "2024-03-04", "verdict": "OPEN"})
    pointers = [one["pointer"] for one in past.json()["errors"]]
    assert (past.status_code, pointers) == (422, ["/as_of", "/verdict"]), "else it would be today's list"


async def test_a_register_is_read_as_it_stood_on_any_day_by_the_house_alone(counter: Counter, bureau: Bureau) -> None:
    stream = bureau.id("organisation", "ORG-7")
    await bureau.straight(stream, verification(), "CAB-REG#1")
    conditions: dict[str, Any] = {"realm": bureau.realm, "at_least": await bureau.store.last_position()}
    async with counter.service("CAB-REG#1") as service, counter.service("SO-LEGAL#1") as outside:
        (entry,) = (await service.get("/v1/registers/organisation", params=conditions)).json()["entries"]
        then = {**conditions, "as_of": entry["since"], "known_at": entry["recorded_at"]}
        (same,) = (await service.get("/v1/registers/organisation", params=then)).json()["entries"]
        before = (await service.get("/v1/registers/organisation", params={**conditions, "as_of": "2020-01-01"})).json()
        unknown = (
            await service.get("/v1/registers/organisation", params={**conditions, "known_at": "2020-01-01"})
        ).json()
        denied = await outside.get("/v1/registers/organisation", params=conditions)
        nothing = await service.get("/v1/registers/person", params=conditions)
    assert (entry["stream"], entry["particulars"]["name"]) == (stream, verification().name)
    assert same == entry
    assert before["entries"] == unknown["entries"] == []
    assert (denied.status_code, nothing.status_code) == (403, 422)


async def test_who_waits_for_an_approval_is_told_once_it_is_decided(counter: Counter, bureau: Bureau) -> None:
    stream, approval = await posted(bureau)
    here = await bureau.store.last_position()
    async with counter.service("CAB-REG#1", "CAB-DEC#1") as service:
        listed = (await service.get("/v1/approvals", params={"stream": stream, "at_least": here})).json()["approvals"]
        assert [one["verdict"] for one in listed] == ["OPEN"]
        still = await service.get(f"/v1/approvals/{approval}", params={"wait": 0.05})
        assert (still.json()["verdict"], still.headers["Retry-After"]) == ("OPEN", "0")
        waiting = asyncio.create_task(service.get(f"/v1/approvals/{approval}", params={"wait": 30}))
        await decline(bureau, stream)
        body = (await waiting).json()
        again = (await service.get(f"/v1/approvals/{approval}")).json()
    assert body["verdict"] != "OPEN"
    assert again == body
    assert len(counter.house.door.watch) == 0, "who is answered leaves nothing behind"


async def posted(bureau: Bureau) -> tuple[StreamId, str]:
    """A project whose award waits to be confirmed, and that approval's id."""
    await bureau.open_base()
    project = bureau.id("project", "AP-1")
    await bureau.straight(project, bureau.award(1), "CAB-REG#1")
    await bureau.straight(project, OpenAwardPublicity(contact="市民政局"), "CAB-REG#1")
    (approval,) = (await load_state(bureau.store, project)).approvals
    return project, str(approval.id)


async def decline(bureau: Bureau, project: StreamId) -> None:
    """Decide it: the organisation does not want the award."""
    await bureau.straight(project, DeclineAward(reason="人手不足"), "SO-LEGAL#1")


async def test_a_stream_of_an_approval_ends_with_its_decision(counter: Counter, bureau: Bureau) -> None:
    project, approval = await posted(bureau)
    path = f"/v1/approvals/{approval}/stream"
    async with counter.service("CAB-REG#1") as service, service.stream("GET", path) as line:
        events = events_of(line)
        first = await anext(events)
        await decline(bureau, project)
        second = await anext(events)
        rest = [event async for event in events]
    assert (first["id"], second["id"], rest) == ("OPEN", "VOID", [])


async def test_the_feed_tells_every_event_once_in_order_and_goes_on_where_it_broke_off(
    counter: Counter, bureau: Bureau
) -> None:
    start = await bureau.store.last_position()
    await bureau.open_round()
    streams = [await need(bureau, f"ND-{number}") for number in range(1, 5)]
    end = await bureau.store.last_position()
    expected = [entry.position for entry in await bureau.store.feed(start, end - start) if entry.kind == "event"]
    async with counter.service("CAB-REG#1") as service:
        after, seen = start, []
        while after < end:
            page = (await service.get("/v1/events", params={"after": after, "limit": 3})).json()
            seen += [int(event["id"]) for event in page["events"]]
            after = page["after"]
        of_one = (await service.get("/v1/events", params={"after": 0, "stream": streams[1], "limit": 1})).json()
        one, far = of_one["events"], of_one["after"]
        none = (await service.get("/v1/events", params={"after": far, "stream": streams[1], "limit": 1})).json()
    assert [position for position in seen if position <= end] == expected
    assert [event["subject"] for event in one] == [streams[1]], "at once, however much of the log lies before it"
    assert (far >= end, none["events"]) == (True, []), "and nothing is left to be looked through"
    assert (one[0]["specversion"], one[0]["type"]) == ("1.0", "venture.NeedSubmitted.v1")
    assert one[0]["sequence"] == f"{int(one[0]['id']):016d}"


async def test_the_feed_tells_of_seats_and_doors_those_alone_who_may_read_their_files(counter: Counter) -> None:
    async def list_kinds(seat: str) -> set[str]:
        async with counter.service(seat) as service:
            events = (await service.get("/v1/events", params={"limit": 500})).json()["events"]
        return {event["subject"].split("/")[0] for event in events}

    assert not await list_kinds("CAB-REG#1") & REGISTERS
    assert await list_kinds("CAB-DEC#1") & REGISTERS


async def test_the_feed_waits_for_what_has_not_happened_yet(counter: Counter, bureau: Bureau) -> None:
    await bureau.open_round()
    stream = await need(bureau)
    async with counter.service("CAB-REG#1") as service:
        after = await bureau.store.last_position()
        waiting = asyncio.create_task(service.get("/v1/events", params={"after": after, "wait": 30}))
        await bureau.straight(stream, AdoptNeed(), "CAB-REG#1")
        page = (await waiting).json()
    assert page["after"] > after


async def test_a_stream_of_events_is_taken_up_by_the_last_event_id(counter: Counter, bureau: Bureau) -> None:
    start = await bureau.store.last_position()
    await bureau.open_round()
    stream = await need(bureau)
    async with counter.service("CAB-REG#1") as service:
        params: dict[str, str | int] = {"stream": str(stream), "after": start}
        async with service.stream("GET", "/v1/events/stream", params=params) as line:
            assert line.headers["Content-Type"].startswith("text/event-stream")
            first = await anext(events_of(line))
        await bureau.straight(stream, AdoptNeed(), "CAB-REG#1")
        headers = {"Last-Event-ID": first["id"]}
        async with service.stream("GET", "/v1/events/stream", params=params, headers=headers) as line:
            second = await anext(events_of(line))
    assert (first["event"], second["event"]) == ("venture.NeedSubmitted.v1", "venture.NeedAdopted.v1")
    assert json.loads(first["data"])["id"] == first["id"]
    assert int(second["id"]) > int(first["id"])


async def events_of(line: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """The server-sent events of an answer."""
    fields: dict[str, str] = {}
    async for text in line.aiter_lines():
        if not text and fields:
            yield fields
            fields = {}
        elif text and not text.startswith(":"):
            name, _, value = text.partition(": ")
            fields[name] = value


async def test_a_thousand_who_leave_cost_nothing(counter: Counter, bureau: Bureau) -> None:
    after = await bureau.store.last_position()
    growth = counter.house.growth
    waiting = [asyncio.create_task(growth.wait(after, 30)) for _ in range(1_000)]
    await asyncio.sleep(0)
    assert len(growth) == 1_000
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert len(growth) == 0


async def test_a_known_name_leads_to_its_streams(counter: Counter, bureau: Bureau) -> None:
    await bureau.straight(bureau.id("organisation", "ORG-7"), verification(), "CAB-REG#1")
    async with counter.service("CAB-REG#1") as service:
        body = (await service.get("/v1/names/ORG-7", params={"realm": bureau.realm})).json()
        missing = await service.get("/v1/names/ORG-70", params={"realm": bureau.realm})
    assert body["streams"] == [f"organisation/{bureau.realm}/ORG-7"]
    assert missing.status_code == 404
