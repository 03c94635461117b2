"""Where things are: the path of a file, and of a command to it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from domain.kernel.identifier import StreamId


def file_path(stream: StreamId) -> str:
    """The page of that file."""
    return f"/files/{stream}"


def papers_path(stream: StreamId) -> str:
    """The page of the papers that the file yields."""
    return f"/papers/{stream}"


def review_path(stream: StreamId) -> str:
    """The page of that panel for those who sit on it."""
    return f"/reviews/{stream.realm}/{stream.name}"


def write_choice(command: str, stream: StreamId, part: str = "") -> str:
    """One task that was picked out of a list."""
    return f"{command} {stream} {part}".rstrip()


def together_path(command: str) -> str:
    """The form by which that command is given to several."""
    return f"/together/{command}"


def command_path(command: str, stream: StreamId, part: str = "") -> str:
    """The form by which that command is given to that stream, about that part of it."""
    query = f"?{urlencode({'part': part})}" if part else ""
    return f"/do/{command}/{stream}{query}"
