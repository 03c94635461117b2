"""HTTP/1.1 on one line: uvicorn's fast protocol, held to what its parser leaves open.

That parser knows no bound for what is no body, tells trailers as headers, takes a request without a host, reads any
number of requests ahead, drops the body of whoever offers another protocol, and lets a request that is malformed answer
for the one before it, which is still being carried out (042).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

HEAD_S: Final = 10.0
"""Seconds that a head may take: of the first from when somebody connected, of others from their first byte."""
MOST_BESIDE: Final = 64 * 1024
"""Bytes of a head, of trailers, and from one part of a body to the next, beside what came with the first of them."""
MOST_AHEAD: Final = 16
"""Requests that may come on a line before the first of them is answered."""
_OFFERS: Final = frozenset({b"connection", b"upgrade", b"http2-settings"})


class Malformed(Exception):
    """What came is no request; the parser ends the line for it."""


class StrictProtocol(HttpToolsProtocol):
    """Answers what is a request by RFC 9112, and hangs up on whoever does not ask."""

    def __init__(self, *parts: Any, **named: Any) -> None:  # noqa: ANN401 - the base's own
        super().__init__(*parts, **named)
        self._is_in_head = True
        self._began = self.loop.time()
        self._beside = 0
        """Bytes since the message began, or since something of its body came."""
        self._watch: asyncio.TimerHandle | None = None
        self._offered_at: int | None = None
        """How much of what came had been read when another protocol was offered."""
        self._request_line = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the base has it
        """Wait so long for the first head, and no longer."""
        super().connection_made(transport)
        self._see_to_head()

    def data_received(self, data: bytes) -> None:
        """Take what came; what goes on for ever without asking for anything is ended."""
        self._beside += len(data)
        super().data_received(data)
        while self._offered_at is not None:
            data, self._offered_at = self._write_head() + data[self._offered_at :], None
            super().data_received(data)
        if self._beside > MOST_BESIDE and not self.transport.is_closing():
            self.send_400_response("Too much beside the body.")
        cycle = self._find_cycle()
        if not self._is_in_head and cycle is not None and cycle.response_complete:
            self._is_in_head, self._began = True, self.loop.time()  # empty lines begin no message, but owe one
        if self._is_in_head and self._watch is None:
            self._see_to_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the watch over a connection that is gone."""
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.cancel()

    def on_message_begin(self) -> None:
        """Count and time the next request from its beginning."""
        super().on_message_begin()
        self._is_in_head = True
        self._began = self.loop.time()
        self._beside = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Leave trailers out: nobody between the sender and here has looked at them as headers."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer. Raises Malformed where RFC 9112 has a server refuse."""
        self._is_in_head = False
        if self.parser.get_method() == b"CONNECT":
            raise Malformed
        if self.parser.should_upgrade():
            self._request_line = b"%b %b HTTP/%b" % (
                self.parser.get_method(),
                self.url,
                self.parser.get_http_version().encode(),
            )
            return  # it comes again, without the offer
        hosts = [value for name, value in self.headers if name == b"host"]
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        match self.parser.get_http_version():
            case "1.1":
                is_sound = len(hosts) == 1 and codings in ([], [b"chunked"])
            case "1.0":
                is_sound = len(hosts) <= 1 and not codings
            case _:
                is_sound = False
        if not is_sound or len(self.pipeline) >= MOST_AHEAD:
            raise Malformed
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._beside = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Let the body end, unless all that ended was an offer."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, but never in place of the answer to the request before it."""
        cycle = self._find_cycle()
        if cycle is None or cycle.response_complete:
            super().send_400_response(msg)
        elif not cycle.more_body:
            cycle.keep_alive = False
        elif cycle.response_started:
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _unsupported_upgrade_warning(self) -> None:
        """Take no offer of another protocol: go on with a fresh parser, for this one reads nothing that follows."""
        upgrade = sys.exc_info()[1]
        self._offered_at = upgrade.args[0] if upgrade is not None else 0
        self.parser = type(self.parser)(self)

    def _write_head(self) -> bytes:
        """The head that came, without the offer."""
        headers = [b"%b: %b\r\n" % (name, value) for name, value in self.headers if name not in _OFFERS]
        return b"%b\r\n%b\r\n" % (self._request_line, b"".join(headers))

    def _find_cycle(self) -> RequestResponseCycle | None:
        """The last request that was read, and its answer: none before the first, whatever the base's types say."""
        return self.cycle

    def _see_to_head(self) -> None:
        """Hang up on whoever still owes a head; look again where it began since."""
        left = self._began + HEAD_S - self.loop.time()
        if not self._is_in_head:
            self._watch = None
        elif left > 0:
            self._watch = self.loop.call_later(left, self._see_to_head)
        elif not self.transport.is_closing():
            self.transport.close()
