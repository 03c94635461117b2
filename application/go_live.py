"""A manual realm goes over to the wall clock: a bureau's paper files, taken in as a story, begin to live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from application.proposals import find_confirmation, is_proposal
from application.realms import require_realm
from application.reconcile import is_awaited
from domain.kernel.clock import Clock
from domain.registers.realm import SetClock, clock_stream

if TYPE_CHECKING:
    from uuid import UUID

    from application.door import Door, Receipt
    from domain.kernel.identifier import Actor, StreamId
    from store.port import EventStore


@dataclass(frozen=True)
class GoLiveReceipt:
    """The change of clock, and whose alarm was set; before another person has confirmed it, nobody's."""

    receipt: Receipt
    looked_at: tuple[StreamId, ...] = ()

    @property
    def is_proposal(self) -> bool:
        """Whether it waits for another person."""
        return is_proposal(self.receipt)


async def go_live(
    store: EventStore,
    door: Door,
    realm: str,
    actor: Actor,
    second: Actor | None = None,
    *,
    command_id: UUID | None = None,
) -> GoLiveReceipt:
    """Propose to change the realm to the wall clock: another person confirms it.

    In a log without persons one act stands that names the ``second`` seat: whoever took the papers in vouches for both.
    Raises CommandRejected with every deadline that lies in the past, each to be settled first by a dated command;
    NoSuchRealm.
    """
    await require_realm(store, realm)
    receipt = await door.send(
        clock_stream(realm), SetClock(clock=Clock.WALL, second=second), actor, command_id=command_id
    )
    return await _see_to_alarms(store, door, realm, receipt)


async def confirm_go_live(
    store: EventStore, door: Door, realm: str, actor: Actor, digest: str, *, command_id: UUID | None = None
) -> GoLiveReceipt:
    """Change the realm to the wall clock, as another person proposed it; then whoever is awaited has the alarm set.

    Were this process to end after the change, the agenda's follower would see to the alarms. Raises as ``go_live``
    does, and NoSuchProposal.
    """
    await require_realm(store, realm)
    confirmation = await find_confirmation(store, clock_stream(realm), digest)
    receipt = await door.send(clock_stream(realm), confirmation, actor, command_id=command_id)
    return await _see_to_alarms(store, door, realm, receipt)


async def _see_to_alarms(store: EventStore, door: Door, realm: str, receipt: Receipt) -> GoLiveReceipt:
    if is_proposal(receipt):
        return GoLiveReceipt(receipt)
    awaited = [standing.stream async for standing in store.standings(realm=realm) if is_awaited(standing)]
    for each in awaited:
        await door.look(each)
    return GoLiveReceipt(receipt, tuple(s for s in awaited if s != clock_stream(realm)))
