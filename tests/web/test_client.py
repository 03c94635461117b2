"""The client that a service installs: whatever breaks, a command is done once, and no event is missed."""

from __future__ import annotations

import ast
import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from standardwebhooks import Webhook
from venture_client import FileCursor, Invalid, Mismatch, NotKnown, Refused, Venture, WebhookForged, verify_webhook

from tests.web.test_commands import solicited
from tests.web.test_reads import decline, need, posted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.web.conftest import Counter
    from tests.workflows.bureau import Bureau

ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class LossyLine(httpx.AsyncBaseTransport):
    """A line to a server on which every answer but each so-manieth is lost, after the server has given it."""

    def __init__(self, *, loses: int) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._loses = loses
        self.asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        answer = await self._inner.handle_async_request(request)
        if self.asked % (self._loses + 1):
            await answer.aclose()
            message = "the line went dead"
            raise httpx.ReadError(message, request=request)
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def calling(counter: Counter, *seats: str, loses: int = 0, patience_s: float = 60.0) -> AsyncIterator[Venture]:
    async with counter.service(*seats) as service:
        key = service.headers["Authorization"].removeprefix("Bearer ")
    transport = LossyLine(loses=loses)
    async with Venture(counter.address, key, transport=transport, patience_s=patience_s) as venture:
        yield venture


def test_it_imports_nothing_of_ours() -> None:
    for path in (ROOT / "client" / "venture_client").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and not node.level and node.module:
                assert not (ROOT / node.module.partition(".")[0]).exists(), f"{path.name} imports {node.module}"
            if isinstance(node, ast.Import):
                assert not any((ROOT / alias.name.partition(".")[0]).exists() for alias in node.names), path.name


async def test_a_command_whose_answers_are_lost_is_done_once(counter: Counter, bureau: Bureau) -> None:
    body = await solicited(bureau)
    async with calling(counter, "COMM#1", loses=2) as venture:
        receipt = await venture.command("SubmitNeed", body["subject"], body["particulars"])
    entries = [entry async for entry in bureau.store.read(bureau.id("need", "ND-1"), commands=True)]
    assert (receipt.events, len(entries)) == (["NeedSubmitted"], 2)


async def test_a_server_that_stays_away_leaves_the_id_to_go_on_with(counter: Counter, bureau: Bureau) -> None:
    body, command_id = await solicited(bureau), uuid4()
    async with calling(counter, "COMM#1", loses=1_000, patience_s=0.3) as venture:
        with pytest.raises(NotKnown) as unknown:
            await venture.command("SubmitNeed", body["subject"], body["particulars"], command_id=command_id)
    assert unknown.value.command_id == command_id
    async with calling(counter, "COMM#1") as venture:
        receipt = await venture.command("SubmitNeed", body["subject"], body["particulars"], command_id=command_id)
        outcome = await venture.outcome(command_id)
        nothing = await venture.outcome(uuid4())
        with pytest.raises(Mismatch):
            await venture.command("SubmitNeed", body["subject"], {"round": "R-1", "group": "x"}, command_id=command_id)
    assert outcome is not None
    assert (outcome["position"], nothing) == (receipt.position, None)


async def test_a_refusal_and_what_cannot_be_read_name_everything(counter: Counter, bureau: Bureau) -> None:
    body = await solicited(bureau)
    async with calling(counter, "COMM#1") as venture:
        with pytest.raises(Refused) as refused:
            await venture.command("SubmitNeed", body["subject"], {"round": "R-404", "group": "空巢老人"})
        with pytest.raises(Invalid) as invalid:
            await venture.command("SubmitNeed", body["subject"], {"round": 7})
        trial = await venture.why_not("SubmitNeed", body["subject"], body["particulars"])
    assert refused.value.unmet
    assert {pointer for pointer, _ in invalid.value.errors} >= {"/particulars/round", "/particulars/group"}
    assert trial.would_be == "accepted"


@pytest.mark.full
async def test_waiting_for_an_approval_ends_with_the_true_answer_over_a_bad_line(
    counter: Counter, bureau: Bureau
) -> None:
    project, approval = await posted(bureau)
    async with calling(counter, "CAB-REG#1", loses=1) as venture:
        waiting = asyncio.create_task(venture.approval(approval))
        with pytest.raises(TimeoutError):
            await venture.approval(approval, timeout_s=0.2)
        await decline(bureau, project)
        decision = await waiting
    assert (decision.verdict, decision.is_granted, decision.decided_by) == ("VOID", False, "SO-LEGAL#1")


async def test_a_reader_that_crashes_anywhere_sees_every_event_in_order(
    counter: Counter, bureau: Bureau, tmp_path: Path
) -> None:
    start = await bureau.store.last_position()
    await bureau.open_round()
    for number in range(1, 6):
        await need(bureau, f"ND-{number}")
    end = await bureau.store.last_position()
    cursor = FileCursor(tmp_path / "cursor")
    cursor.save(start)
    seen: list[int] = []
    async with calling(counter, "CAB-REG#1", loses=1) as venture:
        for crash_after in (1, 2, 1, 100):
            count = 0
            async for event in venture.events(cursor=cursor, follow=False):
                seen.append(event.position)
                count += 1
                if count == crash_after:
                    break
    expected = [entry.position for entry in await bureau.store.feed(start, end - start) if entry.kind == "event"]
    unique = list(dict.fromkeys(position for position in seen if position <= end))
    assert unique == expected
    assert seen == sorted(seen), "one may come again, never out of order"
    assert cursor.load() >= end


async def test_lists_come_whole(counter: Counter, bureau: Bureau) -> None:
    await bureau.open_round()
    for number in range(1, 4):
        await need(bureau, f"ND-{number}")
    position = await bureau.store.last_position()
    async with calling(counter, "CAB-REG#1") as venture:
        conditions = {"realm": bureau.realm, "limit": 1, "at_least": position}
        waiting = [row["subject"] async for row in venture.inbox("CAB-REG#1", **conditions)]
        projects = [row async for row in venture.projects(realm=bureau.realm)]
        file = await venture.file(f"need/{bureau.realm}/ND-1")
        approvals = [one async for one in venture.approvals(stream=f"need/{bureau.realm}/ND-1")]
    assert {"ND-1", "ND-2", "ND-3"} <= set(waiting)
    assert (projects, approvals, file["stage"]) == ([], [], "SUBMITTED")


def test_a_webhook_that_the_reference_signs_is_taken_and_every_other_is_not() -> None:
    body = json.dumps({"type": "approval.decided"})
    now = datetime.now(UTC).replace(microsecond=0)
    headers = {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(now.timestamp())),
        "Webhook-Signature": Webhook(SECRET).sign("msg_1", now, body),
    }
    other = "whsec_" + "A" * 32
    assert verify_webhook(SECRET, headers, body.encode()) == {"type": "approval.decided"}
    assert verify_webhook([other, SECRET], headers, body.encode()), "two secrets while one takes over from the other"
    late = now.timestamp() + 301
    forged = [
        (other, headers, body.encode(), None),
        (SECRET, headers, body.encode() + b" ", None),
        (SECRET, {**headers, "Webhook-Id": "msg_2"}, body.encode(), None),
        (SECRET, headers, body.encode(), late),
        (SECRET, {**headers, "Webhook-Timestamp": "soon"}, body.encode(), None),
        (SECRET, {**headers, "Webhook-Signature": "v1a,AAAA"}, body.encode(), None),
        ("whsec_***", headers, body.encode(), None),
        (SECRET, {}, body.encode(), None),
    ]
    for secret, forgery, content, at in forged:
        with pytest.raises(WebhookForged):
            verify_webhook(secret, forgery, content, now=at)
