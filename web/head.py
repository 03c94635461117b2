"""HEAD is answered as GET is, to the header: whoever only asks whether a page is there is told the same."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """The layer that asks the routes for what GET asks, and keeps what it would have brought."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. A stream, which would never end, is ended once it has begun."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        streaming = asyncio.Event()

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif message.get("more_body", False):
                streaming.set()

        async def answer() -> None:
            await self._app({**scope, "method": "GET"}, receive, send_head)

        answering, begun = asyncio.create_task(answer()), asyncio.create_task(streaming.wait())
        try:
            await asyncio.wait({answering, begun}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            begun.cancel()
            if not answering.done():
                answering.cancel()
                with suppress(asyncio.CancelledError):
                    await answering
        if not answering.cancelled():
            answering.result()
