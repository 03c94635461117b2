"""Documents over HTTP: brought before they are attached, read by who may see a file that names them."""

from __future__ import annotations

import asyncio
import socket
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from application.caller import ScopeName
from application.document_content import MOST_BYTES
from audit.documents import AttachmentCheck
from audit.finding import NOTHING
from audit.realms import Realms
from domain.kernel.attachment import Attachment
from domain.need import SubmitNeed
from domain.registers.fund import ProposeFundAdjustment, RegisterFundSource
from tests.workflows.bureau import FUND_FEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.kernel.identifier import StreamId
    from tests.web.conftest import Counter
    from tests.workflows.bureau import Bureau

PDF = "application/pdf"


def paper() -> tuple[bytes, str]:
    """A document that nobody else has, and its digest."""
    content = b"%PDF-1.7\n" + uuid4().hex.encode()
    return content, sha256(content).hexdigest()


async def submit(counter: Counter, need: StreamId, digest: str, key: str) -> tuple[int, dict[str, object]]:
    """Hand a need in with that document attached, under that key."""
    body = {
        "subject": need,
        "particulars": {
            "round": "R-1",
            "group": "空巢老人",
            "attachments": [{"sha256": digest, "media_type": PDF, "name": "調研.pdf"}],
        },
    }
    async with counter.service("COMM#1") as community:
        answer = await community.post("/v1/commands/SubmitNeed", json=body, headers={"Idempotency-Key": key})
    return answer.status_code, answer.json()


async def test_an_attachment_is_taken_once_its_bytes_are_here_under_the_same_key(
    counter: Counter, bureau: Bureau
) -> None:
    await bureau.open_round()
    need, key, (content, digest) = bureau.id("need", "ND-1"), str(uuid4()), paper()
    status, refused = await submit(counter, need, digest, key)
    assert (status, [one["rule"] for one in refused["unmet"]]) == (409, ["DC01"])  # type: ignore[attr-defined]
    async with counter.service("COMM#1") as community:
        brought = await community.post("/v1/documents", content=content, headers={"Content-Type": PDF})
    assert (brought.status_code, brought.json()["sha256"], brought.json()["size"]) == (201, digest, len(content))
    status, receipt = await submit(counter, need, digest, key)
    assert (status, receipt["events"]) == (201, ["NeedSubmitted"])
    async with counter.service("CAB-REG#1") as office:
        file = (await office.get(f"/v1/files/{need}")).json()
    assert [(one["sha256"], one["stream"], one["is_here"]) for one in file["documents"]] == [(digest, need, True)]


async def test_trying_a_command_says_too_that_a_document_is_missing(counter: Counter, bureau: Bureau) -> None:
    await bureau.open_round()
    body = {
        "subject": bureau.id("need", "ND-1"),
        "particulars": {
            "round": "R-1",
            "group": "空巢老人",
            "attachments": [{"sha256": "f" * 64, "media_type": PDF, "name": "調研.pdf"}],
        },
    }
    async with counter.service("COMM#1") as community:
        trial = (await community.post("/v1/why-not/SubmitNeed", json=body)).json()
        promised = (await community.post("/v1/why-not/SubmitNeed", json={**body, "at_hand": ["f" * 64]})).json()
        key = {"Idempotency-Key": str(uuid4())}
        answer = await community.post("/v1/commands/SubmitNeed", json={**body, "at_hand": ["f" * 64]}, headers=key)
    assert (trial["would_be"], [one["rule"] for one in trial["unmet"]]) == ("refused", ["DC01"])
    assert promised["would_be"] == "accepted", "who would bring the document is told what would come of it then"
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/at_hand")
    assert not await counter.house.store.documents.list_kept({"f" * 64})


async def test_who_may_see_a_file_reads_its_documents_and_that_they_looked_is_recorded(
    counter: Counter, bureau: Bureau
) -> None:
    await bureau.open_round()
    fund, (content, digest) = bureau.id("fund", "FS-1"), paper()
    async with counter.service("CAB-FIN#1") as finance:
        await finance.post("/v1/documents", content=content, headers={"Content-Type": PDF})
        assert (await finance.get(f"/v1/documents/{digest}")).content == content  # who brought it
    await bureau.straight(fund, RegisterFundSource(name="福彩公益金", envelope=FUND_FEN), "CAB-FIN#1")
    attached = Attachment(sha256=digest, media_type=PDF, name="批文.pdf")
    proposal = ProposeFundAdjustment(adjustment="A-1", change=100, reason="追加", attachments=(attached,))
    await bureau.straight(fund, proposal, "CAB-FIN#1")
    elsewhere = bureau.id("need", "ND-2")
    await bureau.straight(elsewhere, SubmitNeed(round="R-1", group="空巢老人"), "COMM#1")
    async with counter.service("CAB-REG#1") as office:
        answer = await office.get(f"/v1/documents/{digest}", params={"stream": fund})
        unnamed = [
            (await office.get(f"/v1/documents/{digest}", params=params)).status_code
            for params in ({}, {"stream": elsewhere}, {"stream": "need/x"}, {"stream": "need/live/ND-0"})
        ]
        unknown = await office.get(f"/v1/documents/{'e' * 64}", params={"stream": fund})
    assert answer.content == content
    assert answer.headers["Content-Type"] == PDF
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{digest[:16]}.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert (unnamed, unknown.status_code) == ([404] * 4, 404)
    async with counter.service("ADMIN#1") as stranger:
        hidden = await stranger.get(f"/v1/documents/{digest}", params={"stream": fund})
    assert hidden.status_code == 404
    assert hidden.json()["type"] == unknown.json()["type"]
    looks = await counter.house.store.documents.reads(0, 10_000, digest)
    assert [look.stream for look in looks] == ["", fund]
    assert {look.reader.partition(":")[0] for look in looks} == {"service"}


REFUSED = [
    ({"Content-Type": "text/html"}, b"<html></html>"),
    ({}, b"%PDF-1.7"),
    ({"Content-Type": "image/png"}, b"%PDF-1.7"),
    ({"Content-Type": PDF}, b""),
    ({"Content-Type": "text/plain"}, b"<svg onload=alert(1)>"),
]


@pytest.mark.parametrize(("headers", "content"), REFUSED)
async def test_what_is_not_filed_is_refused_and_nothing_of_it_is_kept(
    counter: Counter, headers: dict[str, str], content: bytes
) -> None:
    async with counter.service("COMM#1") as community:
        answer = await community.post("/v1/documents", content=content, headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["detail"]
    assert not await counter.house.store.documents.list_kept([sha256(content).hexdigest()])


async def test_bytes_that_changed_on_the_way_are_refused(counter: Counter) -> None:
    content, _ = paper()
    async with counter.service("COMM#1") as community:
        answer = await community.post(
            "/v1/documents", params={"sha256": "a" * 64}, content=content, headers={"Content-Type": PDF}
        )
    assert answer.status_code == 422


@pytest.mark.full
async def test_a_document_beyond_the_limit_is_refused_before_and_while_it_comes(counter: Counter) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"%PDF-1.7"
        for _ in range(MOST_BYTES // 2**20 + 1):
            yield bytes(2**20)

    async with counter.service("COMM#1") as community:
        headers = {"Content-Type": PDF}
        streamed = await community.post("/v1/documents", content=endless(), headers=headers)
        declared = await _declare(counter.address, MOST_BYTES + 1, community.headers["Authorization"])
    assert (streamed.status_code, declared) == (413, 413)
    assert not list(counter.house.documents.spool.glob("incoming-*"))


async def _declare(address: str, length: int, authorization: str) -> int:
    """Announce so many bytes and send none: the status that comes back."""
    place = urlsplit(address)
    reader, writer = await asyncio.open_connection(place.hostname, place.port, family=socket.AF_INET)
    head = (
        f"POST /v1/documents HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nContent-Length: {length}\r\n\r\n"
    )
    writer.write(head.encode())
    async with asyncio.timeout(30):
        status = int((await reader.readline()).split()[1])
    writer.close()
    return status


async def test_who_shows_nothing_or_has_no_key_for_commands_brings_nothing(counter: Counter) -> None:
    content, digest = paper()
    headers = {"Content-Type": PDF}
    async with counter.stranger() as stranger, counter.service("COMM#1", scopes=(ScopeName.READ,)) as reader:
        statuses = [
            (await client.post("/v1/documents", content=content, headers=headers)).status_code
            for client in (stranger, reader)
        ]
        statuses.append((await stranger.get(f"/v1/documents/{digest}")).status_code)
    assert statuses == [401, 403, 401]


async def test_verification_names_what_is_missing_and_what_is_altered(counter: Counter, bureau: Bureau) -> None:
    await bureau.open_round()
    documents, (content, digest) = counter.house.documents, paper()
    async with counter.service("COMM#1") as community:
        await community.post("/v1/documents", content=content, headers={"Content-Type": PDF})
    absent = sha256(b"nobody has it").hexdigest()
    papers = tuple(Attachment(sha256=one, media_type=PDF, name="x.pdf") for one in (digest, absent))
    need = bureau.id("need", "ND-1")
    await bureau.straight(need, SubmitNeed(round="R-1", group="空巢老人", attachments=papers), "COMM#1")
    check = AttachmentCheck()
    async for entry in bureau.store.read(need):
        check.take(entry)

    async def compare(realms: Realms) -> dict[str, str]:
        compared = check.compare(bureau.store, documents, realms)
        return {one.expected: one.actual async for one in compared if one.expected in {digest, absent}}

    assert await compare(Realms()) == {absent: NOTHING}
    place = counter.house.documents.content._place(digest)  # type: ignore[attr-defined] # a folder's
    place.write_bytes(b"%PDF-1.7 another")
    assert (await compare(Realms()))[digest] == f"{sha256(place.read_bytes()).hexdigest()} (16 B)"
    async with counter.service("CAB-REG#1") as office:
        with pytest.raises(httpx.RemoteProtocolError):
            await office.get(f"/v1/documents/{digest}", params={"stream": need})
    place.unlink()
    assert (await compare(Realms()))[digest] == NOTHING
    async with counter.service("CAB-REG#1") as office:
        gone = await office.get(f"/v1/documents/{digest}", params={"stream": need})
    assert gone.status_code == 500
    papers_realm = Realms()
    papers_realm.trace(
        bureau.realm
    ).turned = await bureau.store.last_position()  # as if it had been on papers until now
    assert absent not in await compare(papers_realm)
    assert check.deferred >= 1
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
