"""Style sheets and scripts: read once, under a path that changes with their bytes, so that browsers keep them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response

from web.guard import GuardedRoute, Policy, allow
from web.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

FOLDER: Final = Path(__file__).parent.parent / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".py": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class StaticFile:
    """One file as it is sent."""

    media_type: str
    content: bytes
    zipped: bytes


def read_assets(folder: Path = FOLDER) -> Mapping[str, StaticFile]:
    """Every file that pages ask for, by its name."""
    files = sorted(file for file in folder.iterdir() if file.suffix in _TYPES)
    return {file.name: _read(file) for file in files}


def _read(file: Path) -> StaticFile:
    content = file.read_bytes()
    return StaticFile(_TYPES[file.suffix], content, gzip.compress(content, 9, mtime=0))


ASSETS: Final = read_assets()
VERSION: Final = sha256(
    b"".join(name.encode() + sha256(one.content).digest() for name, one in ASSETS.items())
).hexdigest()[:12]
PREFIX: Final = f"/static/{VERSION}"
"""Where pages of this version find them."""


@router.get("/static/{version}/{name}", response_class=Response)
@allow(Policy.ANYBODY)
async def get_asset(version: str, name: str, request: Request) -> Response:
    """One file. A page of another version, still open somewhere, is sent to today's."""
    asset = ASSETS.get(name)
    if asset is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "not-found", "沒有此文件", "there is no such file")
    if version != VERSION:
        return Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": f"{PREFIX}/{name}"})
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.zipped, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.content, headers=headers, media_type=asset.media_type)
