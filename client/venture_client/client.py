"""The client: one object for one server and one key, to be used by any number of tasks at once."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID, uuid4

import httpx

from .problem import NotFound, NotKnown, read_problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType

    from .cursor import Cursor

LONG_POLL_S = 30.0
"""How long one request waits for something to happen."""
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 20.0
_AGAIN = frozenset({408, 429, 502, 503, 504})
"""Answers that say nothing of what was asked: ask again."""

T = TypeVar("T")


@dataclass(frozen=True)
class Receipt:
    """A command that was carried out and is recorded."""

    command_id: str
    stream: str
    version: int
    position: int
    """What reads that must show it are asked for by: ``at_least``."""
    events: list[str]
    log: str
    approvals: list[dict[str, str]]
    """The approvals that it opened: ``id``, ``gate``, ``key``, ``role``. Wait for one by ``approval``."""


@dataclass(frozen=True)
class Trial:
    """What a command would come to now."""

    would_be: str
    """``accepted`` or ``refused``."""
    events: list[str]
    unmet: list[dict[str, str]]


@dataclass(frozen=True)
class Approval:
    """A decision that is asked of somebody about bound content."""

    id: str
    stream: str
    gate: str
    key: str
    role: str
    verdict: str
    """``OPEN``, ``GRANTED``, ``REFUSED``, ``RETURNED``, ``EXPIRED`` or ``VOID``. An ended one never changes; none is
    itself the permission."""
    until: str | None
    content_sha256: str
    decided_by: str | None
    decided_at: str | None
    title: str
    summary: list[dict[str, Any]]
    """What is bound, to be read: ``name``, ``label``, ``value``, and of money ``fen``."""
    groups: list[dict[str, Any]]
    """Who may decide: ``seats`` or ``roles``, how many are ``needed`` and have ``consented``."""
    votes: list[dict[str, Any]]
    reason: str
    """In the words of whoever decided."""

    @property
    def is_granted(self) -> bool:
        """Whether it was granted: anything else, unknown words too, is not."""
        return self.verdict == "GRANTED"


@dataclass(frozen=True)
class Payment:
    """A tranche on its way to being paid."""

    stream: str
    tranche: str
    done: bool
    """Whether it is paid, or never will be."""
    course: str
    """``WAITING``, ``PAID`` or ``NEVER``."""
    planned: int
    """Fen."""
    paid: int
    """Fen."""
    approvals: list[dict[str, Any]]

    @property
    def is_paid(self) -> bool:
        """Whether it is paid: anything else, unknown words too, is not."""
        return self.course == "PAID"


@dataclass(frozen=True)
class Event:
    """What happened, as CloudEvents has it."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: dict[str, Any]

    @property
    def position(self) -> int:
        """Its place in the log: events come in this order, and none is left out."""
        return int(self.id)


class Venture:
    """A server, and the key by which a service comes in."""

    def __init__(
        self,
        address: str,
        key: str,
        *,
        language: str = "en",
        patience_s: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Speak to the server at that address. ``patience_s`` is how long one question is asked again and again."""
        self._patience_s = patience_s
        self._http = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {key}", "Accept-Language": language},
            timeout=httpx.Timeout(30.0, read=LONG_POLL_S + 30.0),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        """Begin; nothing is asked of the server yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._http.aclose()

    # ------------------------------------------------------------------------------------------ commands

    async def command(
        self,
        name: str,
        subject: str,
        particulars: Mapping[str, Any] | None = None,
        *,
        seat: str | None = None,
        command_id: UUID | None = None,
        realm: str | None = None,
        at: str | None = None,
        if_match: str | None = None,
    ) -> Receipt:
        """Have a command carried out, once, whatever breaks meanwhile.

        Keep ``command_id`` before you ask if you may crash: asked again with it, the answer is the same. Raises
        Refused with all that is missing, Invalid, Mismatch, Forbidden, NotFound, or NotKnown with the id to go on with.
        """
        command_id = command_id or uuid4()
        headers = {"Idempotency-Key": str(command_id), **({"If-Match": if_match} if if_match else {})}
        body = _body(subject, particulars, seat, realm, at)
        answer = await self._ask("POST", f"/v1/commands/{name}", command_id=command_id, json=body, headers=headers)
        return _take(Receipt, answer.json())

    async def why_not(
        self,
        name: str,
        subject: str,
        particulars: Mapping[str, Any] | None = None,
        *,
        seat: str | None = None,
        realm: str | None = None,
    ) -> Trial:
        """Say what the command would come to now. Nothing is recorded."""
        body = _body(subject, particulars, seat, realm, None)
        return _take(Trial, (await self._ask("POST", f"/v1/why-not/{name}", json=body)).json())

    async def outcome(self, command_id: UUID) -> dict[str, Any] | None:
        """What came of a command, as the log has it; None if nothing is recorded under that id yet."""
        try:
            answer: dict[str, Any] = (await self._ask("GET", f"/v1/outcomes/{command_id}")).json()
        except NotFound:
            return None
        return answer

    # ------------------------------------------------------------------------------------------ reading

    async def file(self, stream: str, **moments: str) -> dict[str, Any]:
        """A file as it is; as it was on a day (``as_of``), and as it was known on another (``known_at``)."""
        answer: dict[str, Any] = (await self._ask("GET", f"/v1/files/{stream}", params=moments)).json()
        return answer

    async def projects(self, **filters: Any) -> AsyncIterator[dict[str, Any]]:  # noqa: ANN401 - any filter
        """Every project that meets these filters, page by page."""
        async for row in self._pages("/v1/projects", "projects", filters):
            yield row

    async def inbox(self, seat: str | None = None, **filters: Any) -> AsyncIterator[dict[str, Any]]:  # noqa: ANN401 - any filter
        """All that waits for a seat, the most pressing first."""
        async for row in self._pages("/v1/inbox", "waiting", {**filters, **({"as": seat} if seat else {})}):
            yield row

    async def approvals(self, **filters: Any) -> AsyncIterator[Approval]:  # noqa: ANN401 - any filter
        """Every approval that meets these filters, e.g. ``stream``, ``approver``, ``verdict``."""
        async for row in self._pages("/v1/approvals", "approvals", filters):
            yield _take(Approval, row)

    async def approval(self, approval_id: UUID | str, *, timeout_s: float | None = None) -> Approval:
        """An approval once it is decided, however long that takes and whatever is restarted meanwhile.

        Raises TimeoutError after ``timeout_s`` seconds, NotFound if there is none.
        """
        async with asyncio.timeout(timeout_s):
            while True:
                path, params = f"/v1/approvals/{approval_id}", {"wait": LONG_POLL_S}
                answer = await self._ask("GET", path, params=params, for_ever=True)
                approval = _take(Approval, answer.json())
                if approval.verdict != "OPEN":
                    return approval

    async def payment(self, subject: str, *, realm: str | None = None, timeout_s: float | None = None) -> Payment:
        """The tranche of ``PJ-3/T1`` once it is paid or never will be, through all the approvals on its way.

        Raises TimeoutError after ``timeout_s`` seconds, NotFound if there is none.
        """
        params: dict[str, Any] = {"wait": LONG_POLL_S, **({"realm": realm} if realm else {})}
        async with asyncio.timeout(timeout_s):
            while True:
                answer = await self._ask("GET", f"/v1/payments/{subject}", params=params, for_ever=True)
                payment = _take(Payment, answer.json())
                if payment.done:
                    return payment

    async def open_approval(
        self,
        title: str,
        groups: list[dict[str, Any]],
        *,
        seat: str | None = None,
        command_id: UUID | None = None,
        realm: str = "live",
        **request: Any,  # noqa: ANN401 - amount, payee, until…
    ) -> str:
        """Ask people for a decision, once however often under one id: the approval's id. It permits nothing.

        A group is ``{"seats": […]}`` for all of them, or with ``"needed": 1`` for any one.
        """
        command_id = command_id or uuid4()
        body = {
            "realm": realm,
            "request": {"title": title, "groups": groups, **request},
            **({"as": seat} if seat else {}),
        }
        headers = {"Idempotency-Key": str(command_id)}
        answer = await self._ask("POST", "/v1/approvals", command_id=command_id, json=body, headers=headers)
        (opened,) = _take(Receipt, answer.json()).approvals
        return opened["id"]

    async def decide(
        self,
        approval_id: UUID | str,
        decision: str,
        *,
        reason: str | None = None,
        seat: str | None = None,
        command_id: UUID | None = None,
        particulars: Mapping[str, Any] | None = None,
    ) -> Receipt:
        """Decide an approval: ``approve``, ``decline`` or ``return``, by the stage's own command."""
        command_id = command_id or uuid4()
        options = {"reason": reason, "as": seat}
        body = {"decision": decision, "particulars": dict(particulars or {})}
        body |= {name: value for name, value in options.items() if value is not None}
        headers = {"Idempotency-Key": str(command_id)}
        path = f"/v1/approvals/{approval_id}/decision"
        return _take(Receipt, (await self._ask("POST", path, command_id=command_id, json=body, headers=headers)).json())

    async def events(
        self,
        *,
        after: int = 0,
        cursor: Cursor | None = None,
        types: str | None = None,
        stream: str | None = None,
        follow: bool = True,
    ) -> AsyncIterator[Event]:
        """Events in the order of the log, none left out; with ``follow`` also those that are still to come.

        With a ``cursor`` it begins after the last event that was dealt with: an event counts as dealt with when the
        next is asked for, so that after a crash the one under way comes again.
        """
        position = cursor.load() if cursor is not None else after
        narrowed = {name: value for name, value in (("types", types), ("stream", stream)) if value is not None}
        while True:
            params = {**narrowed, "after": position, "limit": 500, "wait": LONG_POLL_S if follow else 0}
            page = (await self._ask("GET", "/v1/events", params=params, for_ever=follow)).json()
            for row in page["events"]:
                event = _take(Event, row)
                yield event
                if cursor is not None:
                    cursor.save(event.position)
            if cursor is not None and page["after"] > position:
                cursor.save(page["after"])
            if page["after"] == position and not follow:
                return
            position = page["after"]

    # ------------------------------------------------------------------------------------------ asking

    async def _pages(self, path: str, name: str, filters: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        params = dict(filters)
        while True:
            page = (await self._ask("GET", path, params=params)).json()
            for row in page[name]:
                yield row
            if page["next"] is None:
                return
            params["after"] = page["next"]

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        command_id: UUID | None = None,
        for_ever: bool = False,
        **more: Any,  # noqa: ANN401 - httpx's own
    ) -> httpx.Response:
        """The answer, asked for again while none comes; every request here may be repeated. Raises a Problem."""
        began, pause_s = time.monotonic(), FIRST_PAUSE_S
        while True:
            try:
                answer = await self._http.request(method, path, **more)
            except httpx.TransportError as gone:
                why, wait_s = str(gone) or type(gone).__name__, pause_s
            else:
                if answer.status_code not in _AGAIN:
                    if answer.is_success:
                        return answer
                    raise read_problem(answer)
                why, wait_s = f"HTTP {answer.status_code}", max(pause_s, _retry_after(answer))
            if not for_ever and time.monotonic() - began + wait_s > self._patience_s:
                raise NotKnown(command_id, why)
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 - so that many do not ask at once
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)


def _body(
    subject: str, particulars: Mapping[str, Any] | None, seat: str | None, realm: str | None, at: str | None
) -> dict[str, Any]:
    options = {"as": seat, "realm": realm, "at": at}
    return {
        "subject": subject,
        "particulars": dict(particulars or {}),
        **{name: value for name, value in options.items() if value is not None},
    }


def _take(kind: type[T], row: Mapping[str, Any]) -> T:
    """What of an answer is known here: a newer server may say more."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type] # all are dataclasses
    return kind(**{name: row.get(name, [] if name in _MAY_LACK else None) for name in names})


_MAY_LACK = frozenset({"events", "unmet", "approvals", "summary", "groups", "votes"})


def _retry_after(answer: httpx.Response) -> float:
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0
