"""Documents in a folder of the file system: ``ab/cd/abcd…``, written beside, linked when whole, never overwritten."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from store.documents import CHUNK, BytesMissing, DocumentsUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass(frozen=True)
class DocumentFolder:
    """The documents in that folder, which is made, readable by its owner only, with the first of them."""

    root: Path

    async def keep(self, sha256: str, path: Path) -> None:
        """Keep the bytes of that file. See the port."""
        try:
            await asyncio.to_thread(self._keep, sha256, path)
        except OSError as wrong:
            raise DocumentsUnavailable(f"{self.root}: {wrong.strerror}") from wrong

    @asynccontextmanager
    async def read(self, sha256: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes, part by part. See the port."""
        try:
            file = await asyncio.to_thread(self._place(sha256).open, "rb")
        except FileNotFoundError:
            raise BytesMissing(sha256) from None
        except OSError as wrong:
            raise DocumentsUnavailable(f"{self.root}: {wrong.strerror}") from wrong

        async def parts() -> AsyncIterator[bytes]:
            try:
                while part := await asyncio.to_thread(file.read, CHUNK):
                    yield part
            except OSError as wrong:
                raise DocumentsUnavailable(f"{self.root}: {wrong.strerror}") from wrong

        try:
            yield parts()
        finally:
            file.close()

    async def destroy(self, sha256: str) -> None:
        """Destroy them. See the port."""
        try:
            await asyncio.to_thread(self._destroy, sha256)
        except OSError as wrong:
            raise DocumentsUnavailable(f"{self.root}: {wrong.strerror}") from wrong

    def _place(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def _keep(self, sha256: str, path: Path) -> None:
        place = self._place(sha256)
        if place.exists():
            return
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = place.with_name(f".{sha256}.{secrets.token_hex(8)}")
        try:
            with path.open("rb") as source, os.fdopen(_create(unfinished), "wb") as target:
                shutil.copyfileobj(source, target, CHUNK)
                target.flush()
                os.fsync(target.fileno())
            with suppress(FileExistsError):  # another brought it at the same time
                os.link(unfinished, place)
        finally:
            unfinished.unlink(missing_ok=True)
        for folder in (place.parent, place.parent.parent, self.root):
            _sync(folder)

    def _destroy(self, sha256: str) -> None:
        place = self._place(sha256)
        with suppress(FileNotFoundError):
            place.unlink()
            _sync(place.parent)


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
