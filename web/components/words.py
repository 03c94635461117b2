"""Values as pages show them: times, money, roles; in the words that the office uses."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from domain.catalogue import command_class, value_words
from domain.kernel.calendar import SHANGHAI, closing_time
from domain.kernel.identity import Role
from domain.kernel.money import yuan
from web.language import Language


def tell_moment(at: datetime) -> str:
    """When something was, as a clock in China shows it."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def tell_deadline(at: datetime) -> str:
    """Until when: what ends with a day ends at 24:00 of that day."""
    return closing_time(at)


def tell_role(role: str, language: Language) -> str:
    """What the office calls that role; an unknown one by its name."""
    known = next((one for one in Role if one == role), None)
    return language.say(known.zh, known.en) if known is not None else role


def tell_seat(seat: str, language: Language) -> str:
    """A seat: its role in words, and its number."""
    role, mark, number = seat.partition("#")
    return f"{tell_role(role, language)}{mark}{number}"


def spell(fen: int, language: Language) -> str:
    """The same in the reader's characters; in English as papers have it, in simplified ones."""
    words = spell_yuan(fen)
    return words if language is Language.HANT else Language.HANS.say(words, yuan(fen))


_DIGITS: Final = "零壹貳叁肆伍陸柒捌玖"
_PLACES: Final = ("", "拾", "佰", "仟")
_GROUPS: Final = ("", "萬", "億", "萬")
_YI: Final = 8
"""Digits behind 億."""


def spell_yuan(fen: int) -> str:
    """An amount in the form that cannot be altered (大寫): ``人民幣壹萬捌仟元整``."""
    whole, cents = divmod(abs(fen), 100)
    jiao, last = divmod(cents, 10)
    words = f"{_spell_whole(whole)}元" if whole else ""
    if jiao:
        words += f"{_DIGITS[jiao]}角"
    elif last and whole:
        words += _DIGITS[0]
    words += f"{_DIGITS[last]}分" if last else ("整" if words else "零元整")
    return f"人民幣{'負' if fen < 0 else ''}{words}"


def _spell_whole(whole: int) -> str:
    words, gap = "", False
    digits = str(whole)
    for index, digit in enumerate(digits):
        place = len(digits) - 1 - index
        if digit == "0":
            gap = gap or bool(words)
        else:
            words += (_DIGITS[0] if gap else "") + _DIGITS[int(digit)] + _PLACES[place % 4]
            gap = False
        group = digits[max(0, len(digits) - place - 4) : len(digits) - place]
        if place % 4 == 0 and int(group):
            words += _GROUPS[place // 4]
        elif place == _YI and len(digits) > _YI + 4:  # nothing but what stands before it
            words += _GROUPS[2]
    return words


def tell_money(fen: int) -> str:
    """An amount in a table or a sentence: ``¥18,000.00``."""
    return yuan(fen)


def tell_event(event_type: str) -> tuple[str, str]:
    """What the office calls an event, in Chinese and English."""
    return value_words(event_type)[0], _split(event_type)


def tell_command(command_type: str) -> tuple[str, str]:
    """What the office calls a command, in Chinese and English."""
    return command_class(command_type).zh(), _split(command_type)


_HUMP: Final = re.compile(r"(?<!^)(?=[A-Z])")


def _split(name: str) -> str:
    """``ConfirmAward`` as ``Confirm award``."""
    return _HUMP.sub(" ", name).capitalize()
