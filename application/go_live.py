"""A manual realm goes over to the wall clock: a bureau's paper files, taken in as a story, begin to live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from application.realms import require_realm
from application.reconcile import is_awaited
from domain.kernel.clock import Clock
from domain.kernel.identity import StreamId
from domain.registers.realm import REALM_NAME, SetClock

if TYPE_CHECKING:
    from uuid import UUID

    from application.door import Door, Receipt
    from domain.kernel.identity import Actor
    from store.port import EventStore


@dataclass(frozen=True)
class GoLiveReceipt:
    """The turn, and whose alarm was set."""

    receipt: Receipt
    looked_at: tuple[StreamId, ...]


async def go_live(
    store: EventStore, door: Door, realm: str, actor: Actor, second: Actor, *, command_id: UUID | None = None
) -> GoLiveReceipt:
    """Turn the realm to the wall clock, then have every stream that is awaited set its alarm.

    Raises CommandRejected with every deadline that lies in the past, each to be settled first by a dated command;
    NoSuchRealm. Were this process to end after the turn, the agenda's follower would see to the alarms.
    """
    await require_realm(store, realm)
    stream = StreamId.of("realm", realm, REALM_NAME)
    turn = SetClock(clock=Clock.WALL, second=second)
    receipt = await door.send(stream, turn, actor, command_id=command_id)
    awaited = [standing.stream async for standing in store.standings(realm=realm) if is_awaited(standing)]
    for each in awaited:
        await door.look(each)
    return GoLiveReceipt(receipt, tuple(s for s in awaited if s != stream))
