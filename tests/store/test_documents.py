"""The bytes of documents, kept once under their digest: what every place that keeps them does alike."""

from __future__ import annotations

import asyncio
import shutil
import signal
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

import localbucket
import pytest

from local import processes
from store.document_bucket import BucketKey, DocumentBucket, sign_request
from store.document_folder import DocumentFolder
from store.documents import BytesMissing, DocumentBytes, DocumentsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from store.port import EventStore

TEXT = "整改報告".encode() * 100_000
DIGEST = sha256(TEXT).hexdigest()
KEY = BucketKey("tests", "a secret of the tests")
RCLONE = shutil.which("rclone") or ""


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """A server that speaks S3, with a bucket: its address. It looks at no signature."""
    (folder / "documents").mkdir(parents=True)
    handler = type("Handler", (localbucket.S3Handler,), {"data_root": folder, "log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/documents"
        server.shutdown()
        serving.join()


@contextmanager
def rclone_server(folder: Path) -> Iterator[str]:
    """rclone, which serves S3 and looks at every signature, with a bucket: its address."""
    assert RCLONE, "deploy/debian-for-tests brings rclone"
    (folder / "documents").mkdir(parents=True)
    port = processes.free_port()
    options = ["--config", "", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY.id},{KEY.secret}"]
    command = [RCLONE, "serve", "s3", *options, str(folder)]
    server = processes.spawn(command, log=folder / "log", when_parent_dies=signal.SIGTERM)
    while processes.is_free(port):
        assert server.poll() is None, (folder / "log").read_text()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/documents"
    processes.stop(server, signal.SIGTERM, patience_s=20)


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[str]:
    with rclone_server(tmp_path / "rclone") as address:
        yield address


@pytest.fixture(params=["folder", "bucket", pytest.param("rclone", marks=pytest.mark.full)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DocumentBytes]:
    match request.param:
        case "folder":
            yield DocumentFolder(tmp_path / "kept")
        case "bucket":
            with s3_server(tmp_path / "s3") as address:
                yield DocumentBucket(address, KEY)
        case _:
            with rclone_server(tmp_path / "rclone") as address:
                yield DocumentBucket(address, KEY)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "report.txt"
    path.write_bytes(TEXT)
    return path


async def read(place: DocumentBytes, digest: str = DIGEST) -> bytes:
    async with place.read(digest) as parts:
        return b"".join([part async for part in parts])


async def test_what_was_kept_is_read_to_the_last_byte(place: DocumentBytes, file: Path) -> None:
    await place.keep(DIGEST, file)
    assert await read(place) == TEXT


async def test_what_is_there_already_stays_however_often_it_is_brought(place: DocumentBytes, file: Path) -> None:
    await asyncio.gather(*(place.keep(DIGEST, file) for _ in range(4)))
    await place.keep(DIGEST, file)
    assert await read(place) == TEXT


async def test_where_there_is_nothing_that_is_said_before_anything_is_sent(place: DocumentBytes) -> None:
    with pytest.raises(BytesMissing):
        await read(place)


async def test_a_folder_without_room_keeps_no_part_of_a_document(tmp_path: Path, file: Path) -> None:
    (tmp_path / "kept").write_text("a file where the folder would be")
    with pytest.raises(DocumentsUnavailable):
        await DocumentFolder(tmp_path / "kept").keep(DIGEST, file)
    folder = DocumentFolder(tmp_path / "other")
    with pytest.raises(DocumentsUnavailable):
        await folder.keep(DIGEST, tmp_path / "gone")
    assert [path for path in (tmp_path / "other").rglob("*") if path.is_file()] == []


async def test_a_bucket_that_is_away_is_said_to_be_away(file: Path) -> None:
    away = DocumentBucket("http://127.0.0.1:9/documents", KEY)
    with pytest.raises(DocumentsUnavailable):
        await away.keep(DIGEST, file)
    with pytest.raises(DocumentsUnavailable):
        await read(away)


@pytest.mark.full  # it needs rclone, which deploy/debian-for-tests brings
@pytest.mark.parametrize(
    "key", [BucketKey(KEY.id, "another secret"), BucketKey("somebody", KEY.secret)], ids=["secret", "name"]
)
async def test_whoever_signs_by_another_key_keeps_and_reads_nothing(strict: str, file: Path, key: BucketKey) -> None:
    await DocumentBucket(strict, KEY).keep(DIGEST, file)
    forged = DocumentBucket(strict, key)
    with pytest.raises(DocumentsUnavailable, match="403"):
        await forged.keep("0" * 64, file)
    with pytest.raises(DocumentsUnavailable, match="403"):
        await read(forged)


@pytest.mark.full  # it needs rclone, which deploy/debian-for-tests brings
async def test_a_request_that_was_signed_long_ago_is_turned_away(strict: str, file: Path) -> None:
    late = DocumentBucket(strict, KEY, now=lambda: datetime.now(UTC) - timedelta(hours=2))
    with pytest.raises(DocumentsUnavailable, match=r"40[03]"):  # 403 is AWS's, 400 rclone's
        await late.keep(DIGEST, file)


@pytest.mark.parametrize(
    ("method", "name", "content", "headers", "names", "signature"),
    [
        (
            "GET",
            "test.txt",
            b"",
            {"range": "bytes=0-9"},
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "test$file.text",
            b"Welcome to Amazon S3.",
            {"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
    ],
    ids=["GET Object", "PUT Object"],
)
def test_a_request_is_signed_as_the_publisher_of_the_protocol_shows(
    method: str, name: str, content: bytes, headers: dict[str, str], names: str, signature: str
) -> None:
    """The examples of the Signature Version 4 reference, single chunk, for requests without a query."""
    key = BucketKey("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    at, url = datetime(2013, 5, 24, tzinfo=UTC), f"https://examplebucket.s3.amazonaws.com/{name}"
    signed = sign_request(method, url, sha256(content).hexdigest(), key, at, headers)
    assert signed["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        f" SignedHeaders={names}, Signature={signature}"
    )


async def test_the_register_knows_what_is_here_who_brought_it_and_who_looked(store: EventStore) -> None:
    register = store.documents
    for uploader in ("person:P-1", "service:finance", "person:P-1"):
        await register.keep(DIGEST, len(TEXT), "text/plain", uploader, "s-1")
    await register.note_read(DIGEST, "person:P-2", "s-2", "project/live/AP-5")
    kept = await register.list_kept([DIGEST, "f" * 64])
    assert [(one.sha256, one.size, one.media_type) for one in kept.values()] == [(DIGEST, len(TEXT), "text/plain")]
    assert await register.has_brought(DIGEST, "service:finance")
    assert not await register.has_brought(DIGEST, "person:P-2")
    (look,) = await register.reads(0, 10, DIGEST)
    assert (look.reader, look.session, look.stream) == ("person:P-2", "s-2", "project/live/AP-5")
    assert await register.reads(look.id, 10) == []
    assert await register.since() == 0
