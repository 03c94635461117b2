"""The keys of doors as the log has them, and the first of a log, which publishes itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from deciding.fold import fold
from domain.kernel.canonical import plain
from domain.kernel.envelope import Ending, Envelope
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identity import LIVE, SYSTEM, StreamId, derive_id
from domain.registers.door_key import EVERYONE, FIRST, KIND, AppointDoorKey, DoorKeyRecord, DoorKeyStage, key_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from application.door import Door
    from deciding.signature import DoorKey
    from domain.kernel.state import State
    from store.port import EventStore

log = structlog.get_logger()


class NoSuchKey(Failure):
    """The log has published no key of that id."""

    kind = FailureKind.NOT_FOUND
    remedy_zh = "venture key list 列出全部密鑰"
    remedy_en = "venture key list shows all of them"

    def __init__(self, key: str) -> None:
        """Keep the id."""
        super().__init__(f"日誌中沒有密鑰 {key}", f"the log has no key {key}", key=key)


@dataclass(frozen=True)
class ListedKey:
    """A key as its stream stands."""

    id: str
    stage: DoorKeyStage
    record: DoorKeyRecord

    @classmethod
    def of(cls, state: State) -> ListedKey:
        """What that stream says."""
        return cls(state.stream.name, DoorKeyStage(state.stage), state.part(DoorKeyRecord))

    def is_valid(self, now: datetime) -> bool:
        """Whether what it signs at that instant counts."""
        record = self.record
        return record.withdrawn_at is None and record.has_begun(now) and not record.has_ended(now)

    def as_json(self, now: datetime) -> dict[str, Any]:
        """For a machine."""
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
    return envelope.signed(key)


async def publish_first_key(door: Door, store: EventStore, key: DoorKey) -> None:
    """See that a log without any key has this one: for embedded servers, whose first command may be anybody's.

    Asked twice, or by two processes at once, it is one command. Raises NotKnown and the like.
    """
    if (await store.read_many((), [FIRST])).claims.get(FIRST):
        return
    answer = await door.ask(build_first_publication(key, datetime.now(UTC)))
    if answer.ending is not Ending.ACCEPTED:
        log.warning("door.key_not_first", key=key.id, rules=[u.rule for u in answer.unmet])


async def find_key(store: EventStore, key: str) -> ListedKey | None:
    """That key; None if the log has published none of that id. Raises ValueError if it is no key's id."""
    stream = key_stream(key)
    state = fold(stream, [entry async for entry in store.read(stream)])
    return ListedKey.of(state) if state.version else None


async def list_keys(store: EventStore) -> Sequence[ListedKey]:
    """Every key that was ever published, by when it began."""
    streams = [StreamId(standing.stream) async for standing in store.standings(kind=KIND, realm=LIVE)]
    found = (await store.read_many(streams)).streams
    keys = [ListedKey.of(fold(stream, found.get(stream, ()))) for stream in streams]
    return sorted(keys, key=lambda key: (key.record.since is None, key.record.since, key.id))
