"""Server-sent events, as the HTML standard writes them."""

from __future__ import annotations

from typing import Final

from fastapi.responses import StreamingResponse

HEARTBEAT_S: Final = 15.0
"""Seconds of silence after which a comment keeps the line open."""


def event(last_id: str, name: str, data: str) -> str:
    """One event; its data is JSON, which holds no line break."""
    return f"id: {last_id}\nevent: {name}\ndata: {data}\n\n"


def heartbeat() -> str:
    """A comment of SSE, which keeps the connection open."""
    return ": \n\n"


class EventStream(StreamingResponse):
    """A response that goes on: events as they come, heartbeats meanwhile."""

    media_type = "text/event-stream"
