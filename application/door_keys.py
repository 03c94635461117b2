"""The keys of doors as the log has them, and the first of a log, which publishes itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from deciding.fold import fold, load_state
from domain.kernel.canonical import plain
from domain.kernel.envelope import CarryOut, Ending, Envelope
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import LIVE, SYSTEM, StreamId, derive_id
from domain.registers.door_key import EVERYONE, FIRST, KIND, AppointDoorKey, DoorKeyRecord, DoorKeyStage, key_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from application.process_carrier import CarriesOut
    from deciding.signature import DoorKey
    from domain.kernel.state import State
    from store.port import EventStore

log = structlog.get_logger()


class NoSuchDoorKey(Failure):
    """The log has published no key of that id."""

    kind = FailureKind.NOT_FOUND
    remedy_zh = "venture key list 列出全部密鑰"
    remedy_en = "venture key list shows all of them"

    def __init__(self, key: str) -> None:
        super().__init__(f"日誌中沒有密鑰 {key}", f"the log has no key {key}", key=key)


@dataclass(frozen=True)
class ListedKey:
    """A key as its stream stands."""

    id: str
    stage: DoorKeyStage
    record: DoorKeyRecord

    @classmethod
    def of(cls, state: State) -> ListedKey:
        """The key as its stream tells it."""
        return cls(state.stream.name, DoorKeyStage(state.stage), state.part(DoorKeyRecord))

    def is_valid(self, now: datetime) -> bool:
        """Whether what it signs at that instant counts."""
        record = self.record
        return record.withdrawn_at is None and record.has_begun(now) and not record.has_ended(now)

    def as_json(self, now: datetime) -> dict[str, Any]:
        """As JSON: instants in UTC by ISO 8601, null where there is none; ``valid`` is as of ``now``."""
        record = self.record
        instants = {"since": record.since, "until": record.until, "withdrawn_at": record.withdrawn_at}
        return {
            "key": self.id,
            "stage": self.stage,
            "valid": self.is_valid(now),
            "door": record.door,
            "speaks_for": list(record.speaks_for),
            **{name: instant.isoformat() if instant else None for name, instant in instants.items()},
            "successor": record.successor or None,
            "public": record.public,
        }


def build_first_publication(key: DoorKey, now: datetime, *, since: datetime | None = None) -> Envelope:
    """The command by which a log's first key publishes itself, for every seat: the same however often it is built."""
    command = AppointDoorKey(public=key.public, door="local", speaks_for=(EVERYONE,), since=since)
    envelope = Envelope(
        command_id=derive_id("first key", key.id),
        derived=True,
        subject=key_stream(key.id),
        actor=SYSTEM,
        received_at=now,
        command=command.command_type,
        body=plain(command),
    )
    return envelope.sign(key)


async def publish_first_key(commands: CarriesOut, store: EventStore, key: DoorKey) -> None:
    """See that a log without any key has this one: for embedded servers, whose first command may be anybody's.

    It is carried out here, since papers are taken in without Temporal too. Asked twice, or by two processes at once, it
    is one command. Raises StoreUnavailable.
    """
    if await has_keys(store):
        return
    envelope = build_first_publication(key, datetime.now(UTC))
    request = CarryOut(stream=envelope.subject, now=envelope.received_at, envelope=envelope)
    answer = (await commands.carry_out(request)).answer
    if answer is None or answer.ending is not Ending.ACCEPTED:
        log.warning("door.key_not_first", key=key.id, rules=[u.rule for u in answer.unmet] if answer else [])


async def has_keys(store: EventStore) -> bool:
    """Whether the log has published any key."""
    return bool((await store.read_many((), [FIRST])).claims.get(FIRST))


async def find_key(store: EventStore, key: str) -> ListedKey:
    """That key. Raises NoSuchKey if nothing stands under its id, ValueError if it is none."""
    stream = key_stream(key)
    state = await load_state(store, stream)
    if not state.version:
        raise NoSuchDoorKey(key)
    return ListedKey.of(state)


async def list_keys(store: EventStore) -> Sequence[ListedKey]:
    """Every key that was ever published, by when it began."""
    streams = [StreamId(standing.stream) async for standing in store.standings(kind=KIND, realm=LIVE)]
    entries = (await store.read_many(streams)).streams
    keys = [ListedKey.of(fold(stream, entries.get(stream, ()))) for stream in streams]
    return sorted(keys, key=lambda key: (key.record.since is None, key.record.since, key.id))
