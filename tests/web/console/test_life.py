"""The picture of a life: its words stand inside their boxes in every language."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.catalogue import AGGREGATES, list_stages, stage_words
from domain.kernel.identifier import StreamId
from languages.script import simplify
from web.console.file.life import _LARGE, _ROOM, _SMALL, MOST_LINES, _measure, draw_life, fold_words


@pytest.mark.parametrize("kind", sorted(AGGREGATES))
def test_the_words_of_every_stage_have_room_in_their_box(kind: str) -> None:
    for stage in list_stages(kind):
        zh, en = stage_words(kind, stage)
        for text in (zh, simplify(zh), en):
            lines, is_small = fold_words(text)
            assert len(lines) <= MOST_LINES, text
            size = _SMALL if is_small else _LARGE
            assert all(_measure(line, size) <= _ROOM for line in lines), lines
            assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_words_are_broken_between_words_and_between_characters() -> None:
    assert fold_words("實施中") == (("實施中",), False)
    assert fold_words("Passed preliminary review") == (("Passed", "preliminary", "review"), True)


@pytest.mark.parametrize(
    ("kind", "passed", "ahead"),
    [
        ("round", ["SOLICITING", "COLLECTED", "OPEN", "CLOSED"], ["RESOLVED", "PUBLISHED"]),
        ("round", ["PLANNED", "CANCELLED"], []),
        ("panel", ["COMMITTED"], ["DRAWN", "SCORING", "REPORTED"]),
        ("need", ["SUBMITTED"], ["ADOPTED"]),
        ("need", ["SUBMITTED", "MERGED"], []),
    ],
)
def test_a_picture_shows_what_was_and_what_should_follow_and_no_end_that_nobody_wants(
    kind: str, passed: list[str], ahead: list[str]
) -> None:
    reached = [(stage, datetime(2024, 5, day, tzinfo=UTC)) for day, stage in enumerate(passed, 1)]
    steps = draw_life(StreamId.of(kind, "live", "X-1"), reached).steps
    assert [step.stage for step in steps] == [*passed, *ahead]
    assert [step.stage for step in steps if step.look == "later"] == ahead
