"""The bytes that are hashed: what is written here can be recomputed by anybody, and SQL and Python agree on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.kernel.canonical import canonical
from domain.kernel.clock import Clock
from domain.kernel.identifier import StreamId
from local.postgres import OWNER
from store.bytes import GENESIS, Frontier, chain_hash, leaf, root
from store.port import Append, Entry, EntryKind, NewEvent, Standing, Write
from tests.store.appends import appended
from tests.time_skipping import let_time_be_skipped

if TYPE_CHECKING:
    from store.postgres import PostgresStore
    from tests.store.conftest import Database

ENTRY = Entry(
    position=7,
    stream=StreamId("project/live/AP-5"),
    version=3,
    kind=EntryKind.EVENT,
    type="ContractSigned",
    schema_version=1,
    command_id=UUID("0e3f0000-0000-5000-8000-00000000abcd"),
    occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
    recorded_at=datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC),
    meta=b'{"actor":"CAB-REG#1"}',
    data='{"title":"𠮷祥里"}'.encode(),
    chain=GENESIS,
)


def test_a_leaf_is_eleven_lines_that_anybody_can_write() -> None:
    lines = (
        "venture entry 1\nproject/live/AP-5\nevent\n3\nContractSigned\n1\n0e3f0000-0000-5000-8000-00000000abcd\n"
        '1767225600000000\n1767225600123456\n{"actor":"CAB-REG#1"}\n{"title":"𠮷祥里"}'
    )
    assert leaf(ENTRY) == sha256(lines.encode()).digest()
    assert leaf(ENTRY).hex() == "ad0b4c4d4b63bf82f0c0aaea5c62ad3fb9acc438a885ca320ec445b2b9dd7579"
    assert chain_hash(GENESIS, leaf(ENTRY)).hex() == "37f3dfbbc66d37536618f784cad039d2f5517a64378dfd22a03ed8c0504f77d5"


@pytest.mark.parametrize(
    "changed",
    [
        {"stream": StreamId("project/live/AP-6")},
        {"version": 4},
        {"kind": EntryKind.COMMAND},
        {"type": "ContractSignec"},
        {"schema_version": 2},
        {"command_id": UUID(int=1)},
        {"occurred_at": ENTRY.occurred_at + timedelta(microseconds=1)},
        {"recorded_at": ENTRY.recorded_at - timedelta(microseconds=1)},
        {"meta": b'{"actor":"CAB-REG#2"}'},
        {"data": b"{}"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_leaf_changes_with_everything_that_an_auditor_relies_on(changed: dict[str, object]) -> None:
    assert leaf(replace(ENTRY, **changed)) != leaf(ENTRY)  # type: ignore[arg-type]


def test_a_leaf_does_not_depend_on_the_zone_that_an_instant_is_written_in() -> None:
    shanghai = ENTRY.occurred_at.astimezone(tz=None)
    assert leaf(replace(ENTRY, occurred_at=shanghai)) == leaf(ENTRY)


def _reference(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, as it is written there."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + _reference(leaves[:k]) + _reference(leaves[k:])).digest()


def test_the_root_is_that_of_rfc_6962_at_every_size() -> None:
    leaves = [sha256(bytes([n])).digest() for n in range(130)]
    frontier = Frontier()
    assert frontier.root() == _reference([])
    for size, added in enumerate(leaves, 1):
        frontier.add(added)
        assert (frontier.size, frontier.root()) == (size, _reference(leaves[:size]))
    assert root(leaves) == frontier.root()


def test_the_root_of_published_vectors() -> None:
    """The first inputs of certificate-transparency's own test (RFC 6962 reference implementation)."""
    inputs = [b"", b"\x00", b"\x10", b"\x20\x21"]
    assert root(inputs[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root(inputs[:2]).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert root(inputs[:3]).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    assert root(inputs).hex() == "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["𠮷祥里", "👩‍👩‍👧", "\x00", "\u2028", "\n"]
)
_LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\x00"), min_size=1, max_size=20)


def _json(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    return st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=8,
    ).map(canonical)


_META, _DATA = _json(_TEXT.map(lambda text: text.replace("\0", ""))), _json(_TEXT)
_INSTANT = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - given UTC
_SCHEMA = st.integers(1, 2**31 - 1)


@pytest.fixture
async def timeless_store(database: Database, postgres_store: PostgresStore) -> PostgresStore:
    """A store that takes any instant, the years to come too."""
    await let_time_be_skipped(database.url(OWNER))
    return postgres_store


@given(
    kind=_LINE, schema=_SCHEMA, at=_INSTANT, meta=_META, data=_DATA,
    events=st.lists(st.tuples(_LINE, _SCHEMA, _META, _DATA), max_size=3),
)  # fmt: skip
@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_sql_and_python_hash_the_same_bytes(
    timeless_store: PostgresStore,
    *,
    kind: str,
    schema: int,
    at: datetime,
    meta: bytes,
    data: bytes,
    events: list[tuple[str, int, bytes, bytes]],
) -> None:
    stream = StreamId(f"project/live/{uuid4().hex}")
    new_events = tuple(NewEvent(*event) for event in events)
    given_write = Write(stream, 0, uuid4(), kind, at, meta, data, new_events, schema)
    standing = Standing(stream, len(events), "OPEN", None, Clock.WALL, b"{}")
    await appended(timeless_store, Append((given_write,), (standing,)))
    previous = GENESIS
    kept = [entry async for entry in timeless_store.read(stream, commands=True)]
    for entry, (line, *rest) in zip(kept, [(kind, schema, meta, data), *events], strict=True):
        assert (entry.type, [entry.schema_version, entry.meta, entry.data], entry.occurred_at) == (line, rest, at)
        assert entry.chain == chain_hash(previous, leaf(entry))
        previous = entry.chain
