"""Approvals for services: which are asked for, and waiting for one. The log is the memory, not the caller."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from application.pages import MOST, Page, PageRequest, SortOrder, read_page
from application.realms import require_realm
from deciding.fold import fold
from domain.approval.summary import Detail
from domain.catalogue import event_class
from domain.kernel.acting import Acting, Basis, PersonId
from domain.kernel.approval import Approval, ApproverGroup, Ballot, Verdict, Vote
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import Actor, Role, StreamId
from store.views import Above, AnyOf, AtMost, Equal, Holds, Meets, Unless
from views.approvals import OPEN, SOME_SEATS, describe

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from application.door import Door
    from store.port import EventStore
    from store.views import Condition, Row


class NoSuchApproval(Failure):
    """No approval of that id was ever asked for."""

    kind = FailureKind.NOT_FOUND
    remedy_zh = "venture approval list --all 列出全部"
    remedy_en = "venture approval list --all shows those that were"

    def __init__(self, approval_id: UUID) -> None:
        super().__init__(
            f"未找到審批事項 {approval_id}", f"there is no approval {approval_id}", approval=str(approval_id)
        )


class StillUndecided(Failure):
    """The approval was not decided within the time that the caller would wait."""

    kind = FailureKind.UNAVAILABLE
    remedy_zh = "可再次等候"
    remedy_en = "Wait again whenever you like"

    def __init__(self, awaited: UUID | str, waited_s: float) -> None:
        super().__init__(f"{waited_s:g} 秒內沒有結果", f"no decision within {waited_s:g} s", approval=str(awaited))


@dataclass(frozen=True)
class StreamApproval:
    """An approval and the stream in which it was asked, with what it binds in words."""

    stream: StreamId
    approval: Approval
    title: str = ""
    """Of the project, or of the matter that a service brings."""
    summary: tuple[Detail, ...] = ()
    """Amount, payee, project and whatever else is bound; it never changes."""
    wanted_by: datetime | None = None
    """Until when it is expected, where that changes nothing by itself."""

    @property
    def until(self) -> datetime | None:
        """When it ends undecided, or is late."""
        return self.approval.until or self.wanted_by

    def with_approval(self, approval: Approval) -> StreamApproval:
        """The same line with the approval as it stands by now."""
        return replace(self, approval=approval)

    def as_json(self) -> dict[str, Any]:
        """As JSON: instants in UTC by ISO 8601, null where there is none yet; beside it what ``describe`` says."""
        a = self.approval
        return {
            "id": str(a.id),
            "stream": str(self.stream),
            "title": self.title,
            "gate": a.gate,
            "key": a.key,
            "role": str(a.role),
            "asked_at": a.asked_at.isoformat(),
            "until": self.until.isoformat() if self.until else None,
            "content_sha256": a.content,
            "verdict": str(a.verdict),
            "decided_by": str(a.decided_by) if a.decided_by else None,
            "decided_at": a.decided_at.isoformat() if a.decided_at else None,
            "summary": [detail.as_json() for detail in self.summary],
            **describe(a),
        }


class ApprovalFilter(BaseModel):
    """Which approvals are listed: those that meet all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stream: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    """The whole id of the stream in which it was asked."""
    realm: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    role: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """Who may decide: a role, or a seat of it; of a seat also what only that seat is asked."""
    verdict: Verdict | None = None
    decided_by: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """The seat that decided it, e.g. ``CAB-DEC#1``."""
    organisation: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """In the business of this organisation."""
    readers: tuple[str, ...] | None = None
    """Only what one of these words may see (``domain.visibility.readers_of``); None for all."""
    hidden_kinds: tuple[str, ...] = ()
    """Of no file of these kinds."""
    gate: Annotated[str | None, Field(min_length=1, max_length=80)] = None
    """The command that would grant it."""
    key: Annotated[str | None, Field(min_length=1, max_length=80)] = None
    """What it is about within the stream, e.g. ``T1``."""


_ORDER = SortOrder((("stream", str), ("ordinal", int)))


async def list_approvals(
    store: EventStore, filters: ApprovalFilter | None = None, request: PageRequest | None = None
) -> Page[StreamApproval]:
    """Approvals, open and ended: by stream, and within one the oldest first. Raises NoSuchRealm, CursorInvalid."""
    filters, request = filters or ApprovalFilter(), request or PageRequest()
    await require_realm(store, filters.realm)
    where: list[Condition] = [Equal(name, value) for name, value in _columns(filters).items() if value is not None]
    if filters.organisation is not None:
        where.append(Holds("organisations", (filters.organisation,)))
    if filters.role is not None:
        where.append(Meets("approvers", _approver_words(filters.role, is_open=filters.verdict is Verdict.OPEN)))
    if filters.readers is not None:
        where.append(Meets("readers", filters.readers))
    where.extend(_exclude_kind(kind) for kind in filters.hidden_kinds)
    return await read_page(store, "approvals", _ORDER, tuple(where), request, _build)


async def list_approvals_of(store: EventStore, streams: Collection[StreamId]) -> Sequence[StreamApproval]:
    """Those of these streams, open and ended: at most a page of them."""
    where = (AnyOf("stream", tuple(sorted(streams))),)
    return (await read_page(store, "approvals", _ORDER, where, PageRequest(limit=MOST), _build)).rows


def _columns(filters: ApprovalFilter) -> dict[str, str | None]:
    return {
        "stream": filters.stream,
        "realm": filters.realm,
        "verdict": filters.verdict,
        "decided_by": filters.decided_by,
        "gate": filters.gate,
        "key": filters.key,
    }


def _exclude_kind(kind: str) -> Condition:
    """Not in a stream of that kind: ``0`` comes next after the ``/`` that ends it."""
    return Unless((Above("stream", f"{kind}/"), AtMost("stream", f"{kind}0")))


def _approver_words(role: str, *, is_open: bool) -> tuple[str, ...]:
    """Of a role all that any seat of it may decide; of a seat what that one may."""
    name, _, number = role.partition("#")
    words = (name, role if number else f"{name}{SOME_SEATS}")
    return tuple(f"{OPEN}{word}" for word in words) if is_open else words


def _build(row: Row) -> StreamApproval:
    particulars = row["particulars"]
    role = Role(row["role"])
    groups = tuple(map(_read_group, particulars.get("groups", ())))
    approval = Approval(
        id=row["id"],
        gate=row["gate"],
        key=row["key"],
        role=role,
        asked_at=row["asked_at"],
        until=row["until"],
        content=row["content"],
        verdict=Verdict(row["verdict"]),
        decided_by=Actor(row["decided_by"]) if row["decided_by"] else None,
        decided_at=row["decided_at"],
        asked_by=particulars.get("asked_by", ""),
        asked_version=particulars.get("asked_version", 0),
        groups=() if groups == (ApproverGroup(roles=(role,)),) else groups,
        votes=tuple(map(_read_vote, particulars.get("votes", ()))),
        reason=particulars.get("reason", ""),
        ended_by=particulars.get("ended_by", ""),
        remind_at=_instant(particulars.get("remind_at")),
        escalate_at=_instant(particulars.get("escalate_at")),
        above=tuple(map(Actor, particulars.get("escalate_to", ()))),
        is_escalated=particulars.get("is_escalated", False),
    )
    summary = tuple(Detail(**detail) for detail in particulars.get("summary", ()))
    return StreamApproval(
        StreamId(row["stream"]), approval, row["title"], summary, _instant(particulars.get("wanted_by"))
    )


def _read_group(particulars: dict[str, Any]) -> ApproverGroup:
    seats = tuple(map(Actor, particulars["seats"]))
    return ApproverGroup(
        tuple(map(Role, particulars["roles"])),
        seats,
        tuple(particulars["acts_for"]),
        particulars["needed"],
        particulars["title"],
    )


def _read_vote(particulars: dict[str, Any]) -> Vote:
    return Vote(
        Acting(Actor(particulars["seat"]), frozenset(map(PersonId, particulars["persons"]))),
        Ballot(particulars["ballot"]),
        datetime.fromisoformat(particulars["at"]),
        particulars["reason"],
        Basis(particulars["basis"]) if particulars["basis"] else None,
        particulars["group"],
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


async def find_approval(
    store: EventStore,
    approval_id: UUID,
    *,
    organisation: str | None = None,
    written: int | None = None,
    patience_s: float = 2.0,
) -> StreamApproval:
    """The approval of that id, for whoever belongs to that organisation one of its own. Raises NoSuchApproval.

    The view is waited for, so many seconds at most, as far as ``written``, the position of what the reader has just
    recorded; where there is no such approval, as far as the log is now.
    """
    where, at_least = (Equal("id", approval_id),), written or await store.last_position()
    for patience in (patience_s if written is not None else 0.0, patience_s):
        request = PageRequest(limit=1, at_least=at_least, patience_s=patience, organisation=organisation)
        page = await read_page(store, "approvals", SortOrder((("id", UUID),)), where, request, _build)
        if page.rows:
            return page.rows[0]
        if page.freshness.position >= at_least:
            break
    raise NoSuchApproval(approval_id)


async def wait_for_decision(
    store: EventStore, door: Door, approval_id: UUID, timeout_s: float | None = None
) -> StreamApproval:
    """Wait until that approval is decided, as long as it takes, and say how.

    The log wakes whoever waits, whatever becomes of worker and Temporal meanwhile. Asked again later, the answer is the
    same. Raises TimeoutError after ``timeout_s`` seconds, NoSuchApproval if there is none.
    """
    request = await find_approval(store, approval_id)
    if (
        request.approval.verdict is not Verdict.OPEN
    ):  # an ended one never changes; whether an open one still is, the log says
        return request
    async with asyncio.timeout(timeout_s):
        return request.with_approval(await door.watch.wait(request.stream, approval_id))


async def list_opened(store: EventStore, stream: StreamId, version: int, events: Sequence[str]) -> list[Approval]:
    """The approvals that a command opened, by its receipt; the same however much later they are asked for."""
    if not any(event_class(event).asks for event in events):
        return []
    entries = [entry async for entry in store.read(stream) if entry.version <= version]
    approvals = fold(stream, entries).approvals
    return [one for one in approvals if version - len(events) < one.asked_version <= version]
