"""Where each bound lies, to the last byte: what is at it may be recorded, what is one beyond may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.kernel.effects import Claim, Post, Release
from domain.kernel.identifier import StreamId
from store import bounds
from store.bounds import AppendInvalid, check_append, check_standing, is_storable
from store.port import Append
from tests.store.appends import NOON, event, group, one, project, write
from tests.tables import every_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.kernel.effects import Effect

A, B = project("AP-1"), project("AP-2")
MOMENT = timedelta(microseconds=1)
MOST, DEEPEST = bounds.LARGEST, bounds.DEEPEST
NAMED = "x" * bounds.LONGEST_NAME
KEYED = "k" * bounds.LONGEST_KEY
WIDE = "老" * (bounds.LONGEST_NAME // 3)
"""As many bytes as a name may have, less two."""


def of(**parts: object) -> Append:
    return group(replace(write(A, 0, event()), **parts))  # type: ignore[arg-type] # whatever a case is about


def of_event(**parts: object) -> Append:
    return group(write(A, 0, replace(event(), **parts)))  # type: ignore[arg-type] # likewise


def doing(effect: Effect) -> Append:
    return one(A, 0, event(effect))


def standing(**parts: object) -> Append:
    append = group(write(A, 0, event()))
    return replace(append, standings=(replace(append.standings[0], **parts),))  # type: ignore[arg-type] # likewise


def reading(*streams: StreamId, version: int = 1) -> Append:
    return group(write(A, 0, event()), reads=dict.fromkeys(streams, version))


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def named(length: int) -> StreamId:
    return StreamId("x" * (length - len("/live/AP-1")) + "/live/AP-1")


WITHIN, BEYOND = named(bounds.LONGEST_NAME), named(bounds.LONGEST_NAME + 1)
AT_THE_BOUND: dict[str, tuple[Callable[[], Append], Callable[[], Append]]] = {
    "a type": (lambda: of(command_type=NAMED), lambda: of(command_type=NAMED + "x")),
    "a type in bytes": (lambda: of_event(type=WIDE), lambda: of_event(type=WIDE + "老")),
    "a stage": (lambda: standing(stage=NAMED), lambda: standing(stage=NAMED + "x")),
    "a stream's name": (lambda: one(WITHIN), lambda: one(BEYOND)),
    "a stream that is read": (
        lambda: reading(named(bounds.LONGEST_NAME)),
        lambda: reading(named(bounds.LONGEST_NAME + 1)),
    ),
    "a version that is read": (lambda: reading(B, version=MOST), lambda: reading(B, version=MOST + 1)),
    "a first schema version": (lambda: of(schema_version=1), lambda: of(schema_version=0)),
    "a schema version": (lambda: of(schema_version=2**31 - 1), lambda: of(schema_version=2**31)),
    "the first instant": (
        lambda: of(occurred_at=bounds.EARLIEST),
        lambda: of(occurred_at=bounds.EARLIEST - MOMENT),
    ),
    "the last instant": (
        lambda: of(occurred_at=bounds.LATEST - MOMENT),
        lambda: of(occurred_at=bounds.LATEST),
    ),
    "a deadline": (
        lambda: standing(due_at=bounds.LATEST - MOMENT),
        lambda: standing(due_at=bounds.LATEST),
    ),
    "depth": (lambda: of(data=nested(DEEPEST)), lambda: of(data=nested(DEEPEST + 1))),
    "depth of meta": (lambda: of_event(meta=nested(DEEPEST)), lambda: of_event(meta=nested(DEEPEST + 1))),
    "a summary's depth": (
        lambda: standing(summary=nested(DEEPEST)),
        lambda: standing(summary=nested(DEEPEST + 1)),
    ),
    "a claim's key": (lambda: doing(Claim(KEYED, "h")), lambda: doing(Claim(KEYED + "k", "h"))),
    "a claim's holder": (lambda: doing(Claim("k", KEYED)), lambda: doing(Claim("k", KEYED + "k"))),
    "a claim's limit": (
        lambda: doing(Claim("k", "h", MOST)),
        lambda: doing(Claim("k", "h", MOST + 1)),
    ),
    "a key that is released": (lambda: doing(Release(KEYED, "h")), lambda: doing(Release(KEYED + "k", "h"))),
    "an account": (lambda: doing(Post(KEYED, "b", 1)), lambda: doing(Post(KEYED + "k", "b", 1))),
    "a posting": (lambda: doing(Post("a", "b", MOST)), lambda: doing(Post("a", "b", MOST + 1))),
    "nothing posted": (lambda: doing(Post("a", "b", 0)), lambda: doing(Post("a", "b", -1))),
}


@every_row("case", AT_THE_BOUND)
def test_what_is_at_the_bound_may_be_recorded_and_what_is_beyond_may_not(case: str) -> None:
    within, beyond = AT_THE_BOUND[case]
    check_append(within())
    with pytest.raises(AppendInvalid):
        check_append(beyond())


def test_the_bounds_are_what_was_decided() -> None:
    """Whoever moves one moves what may stand in logs for ever."""
    assert (bounds.LONGEST_NAME, bounds.LONGEST_KEY, bounds.DEEPEST) == (200, 1_000, 64)
    assert (bounds.LONGEST_DOCUMENT, bounds.MOST_BYTES) == (16_777_216, 67_108_864)
    assert (bounds.LARGEST, bounds.LARGEST_SCHEMA, bounds.MOST_ROWS) == (9_007_199_254_740_991, 2_147_483_647, 32_767)


@pytest.mark.parametrize("part", ["meta", "data"])
def test_a_document_has_a_greatest_size(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setattr(bounds, "LONGEST_DOCUMENT", 100)
    check_append(of(**{part: b'"' + b"x" * 98 + b'"'}))
    with pytest.raises(AppendInvalid, match=part):
        check_append(of(**{part: b'"' + b"x" * 99 + b'"'}))


def test_all_documents_of_an_append_together_have_a_greatest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted over commands and events, meta and data alike."""
    append = group(write(A, 0, event(), event()), write(project("AP-2"), 0, event()))
    documents = [d for w in append.writes for d in (w.meta, w.data, *(x for e in w.events for x in (e.meta, e.data)))]
    monkeypatch.setattr(bounds, "MOST_BYTES", sum(map(len, documents)))
    check_append(append)
    monkeypatch.setattr(bounds, "MOST_BYTES", sum(map(len, documents)) - 1)
    with pytest.raises(AppendInvalid, match="bytes"):
        check_append(append)


@pytest.mark.parametrize(
    ("append", "what"),
    [
        (group(write(A, 0, event(), event())), "leaves"),
        (one(A, 0, event(*(Release(f"k{n}", "h") for n in range(3)))), "effects"),
        (reading(*(project(f"AP-{n}") for n in range(2, 5))), "readings"),
    ],
)
def test_an_append_has_so_many_rows_and_no_more(monkeypatch: pytest.MonkeyPatch, append: Append, what: str) -> None:
    monkeypatch.setattr(bounds, "MOST_ROWS", 3)
    check_append(append)
    monkeypatch.setattr(bounds, "MOST_ROWS", 2)
    with pytest.raises(AppendInvalid, match=f"3 {what}"):
        check_append(append)


def test_brackets_within_a_text_are_no_depth() -> None:
    check_append(of(data=b'"' + b"[" * 10 * bounds.DEEPEST + b'\\"]"'))
    check_append(of(data=b"[" + b"[]," * 10 * bounds.DEEPEST + b"1]"))


@pytest.mark.parametrize("text", ["", "PJ-3", "𠮷", "老\n"])
def test_what_any_store_can_hold(text: str) -> None:
    assert is_storable(text)


@pytest.mark.parametrize("text", ["\0", "a\0b", "老\0", "\ud83d", "老\udc00"])
def test_what_no_store_can_hold(text: str) -> None:
    assert not is_storable(text)


def test_an_instant_without_a_time_zone_is_no_instant() -> None:
    with pytest.raises(AppendInvalid, match="no time zone"):
        check_append(of(occurred_at=NOON.replace(tzinfo=None)))


@pytest.mark.parametrize("part", ["command_type", "meta"])
def test_only_the_last_part_of_a_leaf_holds_a_line_end(part: str) -> None:
    check_append(of(data=b'{"a":\n1}'))
    with pytest.raises(AppendInvalid, match="line end"):
        check_append(of(**{part: "Do\nne" if part == "command_type" else b'{"a":\n1}'}))


def test_a_row_of_the_agenda_is_held_to_the_same() -> None:
    row = group(write(A, 0, event())).standings[0]
    check_standing(row)
    with pytest.raises(AppendInvalid, match="its name"):
        check_standing(replace(row, stream=BEYOND))
    check_standing(replace(row, version=MOST))
    with pytest.raises(AppendInvalid, match="the version"):
        check_standing(replace(row, version=MOST + 1))
