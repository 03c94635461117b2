"""Lines of Chinese and English on a terminal."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from cli.cell import wrap
from domain.kernel.words import GLUE


def test_chinese_is_broken_between_letters_and_english_between_words() -> None:
    assert wrap("一二三四五六 seven eight", 8) == ["一二三四", "五六", "seven", "eight"]


def test_a_line_never_begins_with_a_stop() -> None:
    assert wrap("一二三四。五", 8) == ["一二三四。", "五"]


def test_a_label_stays_with_its_value() -> None:
    assert wrap(f"資助金額{GLUE}¥50,000.00", 16) == ["資助金", "額 ¥50,000.00"]


@example("一一 ，，", 4)
@given(st.text(alphabet="一二，。 ab¥1" + GLUE, max_size=60), st.integers(4, 40))
def test_nothing_is_lost_and_nothing_is_wider_than_a_stop_and_a_word(text: str, width: int) -> None:
    lines = wrap(text, width)
    letters = str.maketrans("", "", " " + GLUE)
    assert "".join(lines).translate(letters) == text.translate(letters)
    longest = max((cell_len(word) for word in text.replace(GLUE, "a").split(" ")), default=0)
    assert all(cell_len(line) <= width + max(longest, 2) for line in lines)
