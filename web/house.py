"""What the routes are answered from: the log, the door, who comes in. Made once, at the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from application.dry_run import DryRun
from web.console.audit.run import Runs
from web.language import Language
from web.limits import Allowance

if TYPE_CHECKING:
    from temporalio.client import Client

    from application.callbacks import Senders
    from application.doctor import Diagnosis
    from application.documents import Documents
    from application.door import Door
    from application.growth import Growth
    from application.operations import Operations
    from application.webhooks import Webhooks
    from runtime.payload_opener import PayloadOpener
    from store.identity import IdentityStore
    from store.port import EventStore
    from web.identity.provider import OidcProvider


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Workers:
    """By what administrators see to the workers."""

    client: Client
    task_queue: str
    door: Door
    """Into registers, whatever has become of Temporal."""
    examine_schema: Callable[[], Awaitable[Diagnosis]]


@dataclass(frozen=True)
class House:
    """All that a request may need."""

    store: EventStore
    door: Door
    identity: IdentityStore
    growth: Growth
    documents: Documents
    webhooks: Webhooks
    senders: Senders
    operations: Operations
    language: Language
    """Of readers who say none."""
    allowance: Allowance
    """How often one caller may ask."""
    tries: Allowance
    """How often somebody may try to show who they are."""
    is_local: bool = True
    """Embedded servers on this machine: local accounts, and cookies without TLS."""
    provider: OidcProvider | None = None
    """Who vouches for people and services, if the installation has one."""
    device_issuer: str = ""
    """Where command lines have a person sign in by the device grant; empty if they may not."""
    device_client: str = ""
    """As which client they ask there."""
    public_url: str = ""
    """Where people's browsers find this server; empty: where they asked."""
    payloads: PayloadOpener | None = None
    """By which Temporal's pages have opened what they show."""
    temporal_pages: str = ""
    """The origin of those pages, e.g. ``https://temporal.bureau.example``; empty: nothing is opened for any."""
    workers: Workers | None = None
    """None where this process has no way to them."""
    runs: Runs = field(default_factory=Runs)
    """Of audits, as long as this process lives."""
    now: Callable[[], datetime] = _now

    def prepare_dry_run(self, at_hand: Collection[str] = ()) -> DryRun:
        """What a request tries, by the measure of the worker; documents ``at_hand`` would be brought."""
        return DryRun(self.store, self.door.persons, requires_office=not self.is_local, at_hand=at_hand)
