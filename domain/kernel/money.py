"""Money: integer fen, never a float (M9)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field


def _whole(value: object) -> object:
    if isinstance(value, bool | float) or (isinstance(value, str) and not value.removeprefix("-").isdecimal()):
        message = "金額以分為單位的整數 / amounts are whole fen (M9)"
        raise ValueError(message)
    return value


@dataclass(frozen=True)
class Unit:
    """In what a number is counted; said on its type, so that whoever reads a field in knows how people write it."""

    name: str


# bounds stand before functions: behind one they hold, too, but JSON Schemas have them as words that nobody knows
Fen = Annotated[int, Field(ge=0, le=2**53 - 1), BeforeValidator(_whole), Unit("fen")]
"""An amount of RMB in fen, not negative, exact in any JSON reader."""

PositiveFen = Annotated[int, Field(gt=0, le=2**53 - 1), BeforeValidator(_whole), Unit("fen")]
"""An amount of RMB in fen that is more than nothing."""

SignedFen = Annotated[int, Field(ge=-(2**53) + 1, le=2**53 - 1), BeforeValidator(_whole), Unit("fen")]
"""A movement of RMB in fen; negative takes away."""


def yuan(fen: int) -> str:
    """``5000000`` fen as ``¥50,000.00``."""
    sign = "-" if fen < 0 else ""
    whole, cents = divmod(abs(fen), 100)
    return f"{sign}¥{whole:,}.{cents:02d}"


_DIGITS = "零壹貳叁肆伍陸柒捌玖"
_PLACES = ("", "拾", "佰", "仟")


def capital_yuan(fen: int) -> str:
    """An amount in words that cannot be altered: ``壹佰元零伍分``; after yuan or jiao 整 ends it, after fen nothing.

    Raises ValueError for less than nothing: who owes what is said beside an amount, never in it.
    """
    if fen < 0:
        message = f"大寫金額不為負：{fen} / amounts in words are not negative"
        raise ValueError(message)
    whole, (jiao, rest) = fen // 100, divmod(fen % 100, 10)
    text = f"{_capital_number(whole)}元" if whole or not fen else ""
    if not (jiao or rest):
        return f"{text}整"
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif text:
        text += "零"
    return f"{text}{_DIGITS[rest]}分" if rest else f"{text}整"


def _capital_number(number: int) -> str:
    for unit, word in ((10**8, "億"), (10**4, "萬")):
        high, low = divmod(number, unit)
        if high:
            zero = "零" if 0 < low < unit // 10 else ""
            return f"{_capital_number(high)}{word}{zero}{_capital_number(low) if low else ''}"
    digits = [int(digit) for digit in str(number)]
    text, is_skipped = "", False
    for place, digit in zip(range(len(digits) - 1, -1, -1), digits, strict=True):
        if digit:
            text += f"{'零' if is_skipped else ''}{_DIGITS[digit]}{_PLACES[place]}"
        is_skipped = not digit
    return text or _DIGITS[0]


_YUAN = re.compile(
    r"([+-]?)(?:¥|RMB|CNY|人民幣|人民币)? *([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(\.[0-9]+)? *([萬万億亿]?) *[元圓圆]?"
)
_FEN = re.compile(r"([+-]?[0-9]{1,16}) *(?:fen|分)", re.IGNORECASE)
_TIMES = {"": 1, "萬": 10**4, "万": 10**4, "億": 10**8, "亿": 10**8}


def parse_yuan(text: str) -> int:
    """The fen of an amount as people write it: ``50000``, ``50,000.00``, ``5萬``, ``¥12.50``; ``1250fen`` says fen.

    The text is in plain digits. Raises ValueError if it is no amount, or is not a whole number of fen.
    """
    in_fen = _FEN.fullmatch(text)
    if in_fen is not None:
        return int(in_fen[1])
    match = _YUAN.fullmatch(text)
    if match is None or len(text) > _LONGEST:
        raise ValueError(text)
    sign, whole, fraction, times = match.groups()
    fen = Decimal(sign + whole.replace(",", "") + (fraction or "")) * _TIMES[times] * 100
    if fen != int(fen):
        raise ValueError(text)
    return int(fen)


_LONGEST = 40
"""Characters of an amount."""
