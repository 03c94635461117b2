"""The keys of doors in tests: one that every log of theirs has published, and others."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from activities.carry_out import CommandActivities
from application.door_keys import build_first_publication
from deciding.signature import DoorKey
from domain.kernel.attachment import Attachment
from domain.kernel.canonical import canonical
from domain.kernel.envelope import CarryOut, Ending
from domain.registers.door_key import key_stream

if TYPE_CHECKING:
    from store.port import Entry, EventStore


def make_key(name: str) -> DoorKey:
    """The key of that name: the same in every run."""
    return DoorKey.read(make_seed(name))


def make_seed(name: str) -> str:
    """Its private half, in hex."""
    return sha256(name.encode()).hexdigest()


SEED: Final = make_seed("the door of the tests")
KEY: Final = DoorKey.read(SEED)
OTHER: Final = make_key("another door")
PUBLISHED: Final = 2
"""Entries of the log that publishing it takes: the command and its event."""
LONG_AGO: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""Since when the tests' key counts: they date their commands as they need."""


PAPER: Final = b"%PDF-1.7\nminutes of a meeting"
MINUTES: Final = Attachment(sha256=sha256(PAPER).hexdigest(), media_type="application/pdf", name="會議紀要.pdf")
"""A document that every register in tests has; its bytes, ``PAPER``, are where a house keeps its own."""


def bare_meta(entry: Entry) -> bytes:
    """The meta without whose key signed it in which log: by that alone two houses' logs of one story may differ."""
    meta = json.loads(entry.meta)
    return canonical({name: value for name, value in meta.items() if name not in {"key", "log", "signature"}})


async def publish(store: EventStore, key: DoorKey = KEY) -> None:
    """See that the log has that key, as its first."""
    await store.documents.keep(MINUTES.sha256, len(PAPER), MINUTES.media_type, "person:P-1", "tests")
    stream = key_stream(key.id)
    loaded, _ = await store.consult(stream, None, {})
    if loaded.events:
        return
    envelope = build_first_publication(key, loaded.read_at, since=LONG_AGO)
    request = CarryOut(stream=stream, now=loaded.read_at, envelope=envelope)
    answer = (await CommandActivities(store).carry_out(request)).answer
    assert answer is not None
    assert answer.ending is Ending.ACCEPTED, answer
