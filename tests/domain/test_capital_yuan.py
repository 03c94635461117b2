"""Amounts in words, as cheques and agreements have them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.money import capital_yuan

_DIGIT = {digit: value for value, digit in enumerate("零壹貳叁肆伍陸柒捌玖")}
_PLACE = {"拾": 10, "佰": 100, "仟": 1000}


def read_number(text: str) -> int:
    """The number in words, read by its grammar: what stands before 億 or 萬, and what after."""
    for word, unit in (("億", 10**8), ("萬", 10**4)):
        if word in text:
            high, _, low = text.rpartition(word)
            return read_number(high) * unit + read_number(low)
    return sum(
        _DIGIT[digit] * _PLACE.get(place, 1) for digit, place in re.findall("([壹貳叁肆伍陸柒捌玖])([拾佰仟]?)", text)
    )


def read_fen(text: str) -> int:
    match = re.fullmatch("(?:(.+)元)?零?(?:(.)角)?(?:(.)分)?整?", text)
    assert match is not None, text
    whole, jiao, fen = match.groups()
    return read_number(whole or "") * 100 + _DIGIT[jiao or "零"] * 10 + _DIGIT[fen or "零"]


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (10, "壹角整"),
        (10005, "壹佰元零伍分"),
        (32504, "叁佰貳拾伍元零肆分"),
        (140950, "壹仟肆佰零玖元伍角整"),
        (1640902, "壹萬陸仟肆佰零玖元零貳分"),
        (1800000, "壹萬捌仟元整"),
        (6784520, "陸萬柒仟捌佰肆拾伍元貳角整"),
        (10005000, "壹拾萬零伍拾元整"),
        (10700053, "壹拾萬柒仟元伍角叁分"),
        (1000000001, "壹仟萬元零壹分"),
        (1000000500, "壹仟萬零伍元整"),
        (10**14, "壹萬億元整"),
        (2**53 - 1, "玖拾萬零柒佰壹拾玖億玖仟貳佰伍拾肆萬柒仟肆佰零玖元玖角壹分"),
    ],
)
def test_an_amount_is_written_as_the_rules_for_notes_have_it(fen: int, words: str) -> None:
    assert capital_yuan(fen) == words


@given(st.integers(0, 2**53 - 1))
def test_the_words_say_the_amount_and_no_other(fen: int) -> None:
    words = capital_yuan(fen)
    assert read_fen(words) == fen
    assert "零零" not in words
    assert words.endswith("整") == (fen % 10 == 0)


def test_less_than_nothing_is_no_amount() -> None:
    with pytest.raises(ValueError, match="-1"):
        capital_yuan(-1)
