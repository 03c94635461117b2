"""檔案處置: what is destroyed when, by whom; and what a court or an audit asks for, nobody destroys (DS01–DS03)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.project.closeout import ArchiveProject, CloseProject, ReopeningGround, ReopenProject
from domain.project.disposal import (
    DisposeFile,
    FileDisposed,
    FileHeld,
    FileReleased,
    HoldFile,
    HoldGround,
    ReleaseFile,
)
from tests.domain.project.life import INDEX
from tests.domain.project.test_closeout import closed
from tests.domain.pure_realm import EVIDENCE

if TYPE_CHECKING:
    from tests.domain.sentences import StreamStory

DISPOSE, HOLD, RELEASE = (
    DisposeFile(reason="保管期滿"),
    HoldFile(ground=HoldGround.LITIGATION, reason="法院調卷"),
    ReleaseFile(reason="已結案"),
)


def archived() -> StreamStory:
    """Put away in 2025, to be kept ten years."""
    return closed().ordered(ArchiveProject(index=INDEX), at="2025-03-31", by="HOST#1")


def test_a_file_is_kept_ten_full_years_after_the_one_in_which_it_was_put_away() -> None:
    archived().when(DISPOSE, at="2035-12-31", by="HOST#1").refused("DS02")
    archived().when(DISPOSE, at="2036-01-01", by="HOST#1").then(FileDisposed(reason="保管期滿"))


def test_a_file_that_is_not_archived_cannot_be_disposed_of() -> None:
    closed().when(DISPOSE, at="2036-01-01", by="HOST#1").refused("DS02")


@pytest.mark.parametrize("keeper", ["CAB-REG#1", "CAB-DEC#1"])
def test_a_file_that_somebody_needs_is_kept_until_it_is_let_go_of(keeper: str) -> None:
    archived().when(HOLD, at="2035-06-01", by=keeper).then(FileHeld(ground=HoldGround.LITIGATION, reason="法院調卷"))
    held = archived().ordered(HOLD, at="2035-06-01", by=keeper)
    held.when(DISPOSE, at="2036-01-04", by="HOST#1").refused("DS03")
    held.when(HOLD, at="2035-06-02", by=keeper).refused("DS01")
    released = held.when(RELEASE, at="2036-01-05", by="CAB-REG#1").then(FileReleased(reason="已結案"))
    released.when(DISPOSE, at="2036-01-06", by="HOST#1").then(FileDisposed(reason="保管期滿"))


def test_every_unmet_condition_of_a_disposal_is_named_at_once() -> None:
    held = archived().ordered(HOLD, at="2025-06-01", by="CAB-DEC#1")
    held.when(DISPOSE, at="2026-01-04", by="HOST#1").refused("DS02", "DS03")


def test_nobody_lets_go_of_what_is_not_held() -> None:
    archived().when(RELEASE, at="2026-01-04", by="CAB-REG#1").refused("DS01")


def test_a_file_is_disposed_of_once_unless_it_was_opened_again_and_put_away_anew() -> None:
    gone = archived().ordered(DISPOSE, at="2036-01-04", by="HOST#1")
    gone.when(DISPOSE, at="2036-01-05", by="HOST#1").refused("DS02")
    again = ReopenProject(ground=ReopeningGround.POST_AUDIT, finding="重複列支", attachments=EVIDENCE)
    opened = gone.ordered(again, at="2036-02-01", by="CAB-DEC#1")
    settled = opened.ordered(CloseProject(), at="2036-02-04", by="CAB-REG#1")
    anew = settled.ordered(ArchiveProject(index=INDEX), at="2036-03-03", by="HOST#1")
    anew.when(DISPOSE, at="2046-12-31", by="HOST#1").refused("DS02")
    anew.ordered(DISPOSE, at="2047-01-02", by="HOST#1")
