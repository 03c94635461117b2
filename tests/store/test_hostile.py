"""What comes in to do harm: no store keeps it, both say so alike, and the appends beside it are recorded."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from domain.kernel.clock import Clock
from domain.kernel.effects import Claim, Post, Release
from domain.kernel.identifier import StreamId
from store import bounds, port
from store.bounds import AppendInvalid
from store.identity import read_seats
from store.port import Append, AppendResult, AppendStatus, ArgumentUnfit, RowUnfit, Standing
from tests.store.appends import NOON, event, group, one, project, whole, write
from tests.tables import each_of, every_row, mostly

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.kernel.effects import Effect
    from store.port import EventStore
    from store.postgres import PostgresStore

A = project("AP-1")
HALF = "\ud83d"
"""Half of a character."""
LONG = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(400))
"""1,200 bytes that do not compress."""
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


def of(**parts: object) -> Append:
    return group(replace(write(A, 0, event()), **parts))  # type: ignore[arg-type] # whatever a case is about


def of_event(**parts: object) -> Append:
    return group(write(A, 0, replace(event(), **parts)))  # type: ignore[arg-type] # likewise


def doing(*effects: Effect) -> Append:
    return one(A, 0, event(*effects))


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b'"[{"' + b"}" * levels


NEVER_MADE: dict[str, Callable[[], Append]] = {
    "a NUL in a type": lambda: of_event(type="Do\0ne"),
    "half a character in a type": lambda: of(command_type=HALF),
    "a type of 100 kB": lambda: of_event(type="x" * 100_000),
    "a stage with a NUL": lambda: group(write(A, 0, event()), stage="\0"),
    "a stage of 1 MB": lambda: group(write(A, 0, event()), stage="x" * 10**6),
    "a stream of 100 kB": lambda: one(StreamId("x" * 100_000 + "/live/AP-1")),
    "a schema version of 0": lambda: of_event(schema_version=0),
    "a schema version of 2^31": lambda: of(schema_version=2**31),
    "an expected version of 2^63": lambda: Append(
        (write(A, 2**63, event()),), (Standing(A, 2**63 + 1, "OPEN", None, Clock.WALL, b"{}"),)
    ),
    "an expected version below 0": lambda: group(write(A, -1, event(), event())),
    "a version read of 2^63": lambda: group(write(A, 0, event()), reads={project("AP-2"): 2**63}),
    "a version read below 0": lambda: group(write(A, 0, event()), reads={project("AP-2"): -1}),
    "a key with a NUL": lambda: doing(Claim("k\0", "h")),
    "half a character in a holder": lambda: doing(Release("k", HALF)),
    "a key too long for an index": lambda: doing(Claim(LONG, "h")),
    "a key of 1,001 bytes": lambda: doing(Claim("k" * 1_001, "h")),
    "an account too long for an index": lambda: doing(Post("world/" + LONG, "b", 1)),
    "a limit of 2^63": lambda: doing(Claim("k", "h", 2**63)),
    "a limit below 0": lambda: doing(Claim("k", "h", -1)),
    "2^63 fen": lambda: doing(Post("world/a", "b", 2**63)),
    "fen below 0": lambda: doing(Post("world/a", "b", -1)),
    "the end of time": lambda: of(occurred_at=END_OF_TIME),
    "the end of time in another zone": lambda: of(
        occurred_at=datetime.max.replace(tzinfo=timezone(-timedelta(hours=12)))
    ),
    "the beginning of time": lambda: of(occurred_at=datetime.min.replace(tzinfo=UTC)),
    "a time without a zone": lambda: of(occurred_at=NOON.replace(tzinfo=None)),
    "a deadline at the end of time": lambda: group(write(A, 0, event()), due=END_OF_TIME),
    "a deadline at the beginning of time": lambda: group(write(A, 0, event()), due=datetime.min.replace(tzinfo=UTC)),
    "a deadline without a zone": lambda: group(write(A, 0, event()), due=NOON.replace(tzinfo=None)),
    "65 levels": lambda: of(data=nested(65)),
    "100,000 levels": lambda: of_event(data=b"[" * 100_000 + b"]" * 100_000),
    "a document of 17 MB": lambda: of(data=b'"' + b"x" * (17 * 2**20) + b'"'),
    "32,768 postings": lambda: doing(*[Post("world/a", "b", 1)] * 32_768),
    "32,768 claims": lambda: doing(*(Claim(f"k{n}", "h") for n in range(32_768))),
    "32,768 readings": lambda: group(write(A, 0, event()), reads={project(f"AP-{n}"): 0 for n in range(2, 32_770)}),
    "32,768 events": lambda: one(A, 0, *[event()] * 32_768),
    "a line end in a type": lambda: of_event(type="Do\nne"),
    "a line end in meta": lambda: of(meta=b'{"a":\n1}'),
    "an escaped NUL in meta": lambda: of(meta=b'{"a":"x\\u0000"}'),
    "an escaped half in meta": lambda: of_event(meta=b'{"a":"\\\\\\ud83d"}'),
}
NEVER_KEPT: dict[str, Callable[[], Append]] = {
    "no JSON": lambda: of(data=b"{not json"),
    "nothing": lambda: of_event(data=b""),
    "a raw NUL": lambda: of(data=b'"\0"'),
    "half a character's bytes": lambda: of(data=b'"\xed\xa0\xbd"'),
    "another encoding": lambda: of_event(data='"挖井"'.encode("gb18030")),
    "a byte order mark": lambda: of(data=b"\xef\xbb\xbf{}"),
    "no number": lambda: of(meta=b"NaN"),
    "a summary that is no JSON": lambda: replace(one(A), standings=(replace(one(A).standings[0], summary=b"'"),)),
    "a sum beyond 2^63": lambda: doing(*[Post("world/a", "b", 2**53 - 1)] * 1_025),
}
KEPT: dict[str, Callable[[], Append]] = {
    "an escaped NUL": lambda: of(data=b'"\\u0000"'),
    "an escaped half": lambda: of(data=b'"\\ud83d"'),
    "what only looks like an escaped NUL in meta": lambda: of(meta=b'{"a":"\\\\u0000"}'),
    "a key given twice": lambda: of(data=b'{"a":1,"a":2}'),
    "5,000 digits": lambda: of(data=b"7" * 5_000),
    "64 levels": lambda: of(data=nested(64)),
    "1,000 lists side by side": lambda: of(data=b"[" + b",".join([b'[["]"]]'] * 1_000) + b"]"),
    "the year 1": lambda: of(occurred_at=datetime(1, 1, 2, tzinfo=UTC)),
    "a deadline in the year 9999": lambda: group(write(A, 0, event()), due=datetime(9999, 12, 29, tzinfo=UTC)),
    "a deadline in the year 1": lambda: group(write(A, 0, event()), due=bounds.EARLIEST),
    "the longest key and holder": lambda: doing(Claim(LONG[:333], LONG[1:334]), Post("world/" + LONG[:331], "b", 1)),
    "32,767 postings": lambda: doing(*[Post("world/a", "b", 2**40)] * 32_767),
    "1 MB of text": lambda: of(data='"{}"'.format("井" * 350_000).encode()),
    "a key of 1,000 bytes": lambda: doing(Claim("k" * 1_000, "h" * 1_000)),
    "an empty key": lambda: doing(Claim("", "")),
    "5,000 readings": lambda: group(write(A, 0, event()), reads={project(f"AP-{n}"): 0 for n in range(20, 5_020)}),
}


async def burst(store: EventStore, hostile: Append) -> AppendResult | BaseException:
    """The hostile append amid eleven honest ones at the same moment; all of those are recorded."""
    honest = [one(project(f"AP-{n}")) for n in range(2, 13)]
    answers = await asyncio.gather(
        *(store.append(append) for append in (*honest[:5], hostile, *honest[5:])), return_exceptions=True
    )
    answer = answers.pop(5)
    assert [getattr(a, "status", a) for a in answers] == [AppendStatus.APPENDED] * 11
    await whole(store)
    return answer


@every_row("case", NEVER_MADE)
def test_what_lies_beyond_the_bounds_cannot_even_be_made(case: str) -> None:
    with pytest.raises(AppendInvalid) as invalid:
        NEVER_MADE[case]()
    assert len(invalid.value.why) < 300
    assert not any(secret in invalid.value.why for secret in ("\0", HALF, LONG[:20], "xxxx"))


@each_of(2, "case", NEVER_KEPT)
async def test_what_no_store_can_keep_is_refused_by_both_and_alone(store: EventStore, case: str) -> None:
    answer = await burst(store, NEVER_KEPT[case]())
    assert isinstance(answer, AppendInvalid)
    assert await store.last_position() == 22
    assert (await store.append(one(A))).status is AppendStatus.APPENDED, "and nothing of it stayed"


@each_of(2, "case", KEPT)
async def test_what_is_only_strange_is_kept_by_both(store: EventStore, case: str) -> None:
    answer = await burst(store, KEPT[case]())
    assert isinstance(answer, AppendResult), answer
    assert answer.status is AppendStatus.APPENDED


@mostly(8, "case", [case for case in NEVER_MADE if case != "a document of 17 MB"])  # Postgres takes that
async def test_even_where_no_bound_is_asked_postgres_lets_nobody_else_suffer(
    postgres_store: PostgresStore, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """The second line: an error class that nobody thought of fails the append that it comes from, and no other."""
    monkeypatch.setattr(port, "check_append", lambda _append: None)
    answer = await burst(postgres_store, NEVER_MADE[case]())
    assert isinstance(answer, AppendResult | AppendInvalid), answer


async def test_what_cannot_be_stored_is_not_there_when_it_is_looked_for(store: EventStore) -> None:
    keys = ["k\0", HALF, LONG]
    assert (await store.read_many([], keys, keys)).claims == dict.fromkeys(keys, frozenset())
    _, readings = await store.consult(A, None, {}, keys, keys)
    assert readings.balances == dict.fromkeys(keys, 0)
    assert [await store.streams_named(key) for key in keys] == [[], [], []]


async def test_no_standing_is_written_anew_beyond_the_bounds(store: EventStore) -> None:
    await store.append(one(A))
    standing = await store.standing(A)
    assert isinstance(standing, Standing)
    with pytest.raises(AppendInvalid):
        await store.refresh_standing(replace(standing, due_at=END_OF_TIME))
    assert await store.standing(A) == standing


async def test_a_value_that_no_column_holds_was_never_asked_for_and_is_no_silence_of_the_server(
    postgres_store: PostgresStore,
) -> None:
    """Told as silence it would be asked for again until somebody looks."""
    with pytest.raises(ArgumentUnfit):
        await postgres_store.feed(2**70)
    assert await postgres_store.last_position() >= 0, "and the next question is answered"


def test_seats_that_no_release_wrote_are_records_that_do_not_agree() -> None:
    with pytest.raises(RowUnfit) as told:
        read_seats(b'[{"seat":"CAB-REG#1","held":"for ever"}]')
    assert "for ever" not in str(told.value)
