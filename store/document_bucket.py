"""Documents in a bucket that speaks S3: four requests, signed by AWS Signature Version 4, and nothing else of it.

The digest of the content is part of every signature, so that the server keeps those bytes or none.
"""

from __future__ import annotations

import asyncio
import hmac
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256 as digest_of
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import httpx

from store.documents import CHUNK, BytesMissing, DocumentsUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

NOTHING: Final = digest_of(b"").hexdigest()
_PATIENCE: Final = httpx.Timeout(30.0, connect=5.0)


@dataclass(frozen=True)
class BucketKey:
    """By what the bucket knows us."""

    id: str
    secret: str = field(repr=False)
    region: str = "us-east-1"


@dataclass(frozen=True)
class DocumentBucket:
    """The documents under that address, ``https://s3.bureau.example/documents``: bucket, and what precedes each key."""

    url: str
    key: BucketKey
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    @cached_property
    def _trust(self) -> ssl.SSLContext | bool:
        return ssl.create_default_context() if self.url.startswith("https:") else False

    async def keep(self, sha256: str, path: Path) -> None:
        """Keep the bytes of that file. See the port."""
        url, size = self._place(sha256), str((await asyncio.to_thread(path.stat)).st_size)
        async with self._client() as client:
            there = await self._send(client, "HEAD", url, NOTHING)
            if there.status_code == HTTPStatus.OK and there.headers.get("Content-Length") == size:
                return
            headers = {"Content-Length": size}
            put = await self._send(client, "PUT", url, sha256, content=_parts(path), headers=headers)
        if not put.is_success:
            raise DocumentsUnavailable(f"{self._host}: {put.status_code}")

    @asynccontextmanager
    async def read(self, sha256: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes, part by part. See the port."""
        url = self._place(sha256)
        try:
            headers = sign_request("GET", url, NOTHING, self.key, self.now())
            async with self._client() as client, client.stream("GET", url, headers=headers) as answer:
                if answer.status_code == HTTPStatus.NOT_FOUND:
                    raise BytesMissing(sha256)
                if answer.status_code != HTTPStatus.OK:
                    raise DocumentsUnavailable(f"{self._host}: {answer.status_code}")
                yield answer.aiter_raw(CHUNK)
        except httpx.HTTPError as gone:
            raise DocumentsUnavailable(f"{self._host}: {type(gone).__name__}") from gone

    async def destroy(self, sha256: str) -> None:
        """Destroy them. See the port. A bucket that keeps versions forgets the older ones by a rule of its own."""
        async with self._client() as client:
            gone = await self._send(client, "DELETE", self._place(sha256), NOTHING)
        if not gone.is_success and gone.status_code != HTTPStatus.NOT_FOUND:
            raise DocumentsUnavailable(f"{self._host}: {gone.status_code}")

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc

    def _place(self, sha256: str) -> str:
        return f"{self.url.rstrip('/')}/{sha256[:2]}/{sha256}"

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=_PATIENCE, trust_env=False, verify=self._trust, headers={"Accept-Encoding": "identity"}
        )

    async def _send(
        self,
        client: httpx.AsyncClient,
        method: str,
        url: str,
        content_sha256: str,
        *,
        content: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        signed = sign_request(method, url, content_sha256, self.key, self.now())
        try:
            return await client.request(method, url, content=content, headers={**signed, **(headers or {})})
        except httpx.HTTPError as gone:
            raise DocumentsUnavailable(f"{self._host}: {type(gone).__name__}") from gone


async def _parts(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while part := await asyncio.to_thread(file.read, CHUNK):
            yield part


def sign_request(  # the steps of the specification, in its order
    method: str, url: str, content_sha256: str, key: BucketKey, at: datetime, headers: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The headers by which a request without query is known to be ours."""
    parts = urlsplit(url)
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    day = stamp[:8]
    sent = {"host": parts.netloc, "x-amz-content-sha256": content_sha256, "x-amz-date": stamp, **(headers or {})}
    names = sorted(sent)
    lines = "".join(f"{name}:{sent[name].strip()}\n" for name in names)
    canonical = "\n".join((method, quote(parts.path or "/"), "", lines, ";".join(names), content_sha256))
    scope = f"{day}/{key.region}/s3/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, digest_of(canonical.encode()).hexdigest()))
    secret = f"AWS4{key.secret}".encode()
    for part in (day, key.region, "s3", "aws4_request"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    signature = hmac.new(secret, text.encode(), "sha256").hexdigest()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={key.id}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    return {**{name: value for name, value in sent.items() if name != "host"}, "authorization": authorization}
