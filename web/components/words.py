"""Values as pages show them: times, money, roles; in the words that the office uses."""

from __future__ import annotations

from datetime import datetime

from domain.catalogue import AGGREGATES, command_class, value_words
from domain.kernel.calendar import closing_time, local_time
from domain.kernel.identifier import UNNAMED, Role
from domain.kernel.money import capital_yuan, yuan
from domain.kernel.restriction import WITHHELD
from web.language import Language


def format_moment(at: datetime) -> str:
    """When something was, as a clock in China shows it."""
    return local_time(at)


def format_deadline(at: datetime) -> str:
    """Until when: what ends with a day ends at 24:00 of that day."""
    return closing_time(at)


def name_role(role: str, language: Language) -> str:
    """What the office calls that role; an unknown one by its name."""
    known = next((one for one in Role if one == role), None)
    return language.say(known.zh, known.en) if known is not None else role


def name_seat(seat: str, language: Language) -> str:
    """A seat: its role in words, and its number; or that it is withheld."""
    if seat == UNNAMED:
        return language.say(*WITHHELD)
    role, mark, number = seat.partition("#")
    return f"{name_role(role, language)}{mark}{number}"


def spell(fen: int, language: Language) -> str:
    """An amount as papers have it (大寫): ``人民幣壹萬捌仟元整``; empty in English, where papers have figures alone."""
    if language is Language.EN:
        return ""
    words = f"人民幣{'負' if fen < 0 else ''}{capital_yuan(abs(fen))}"
    return language.say(words, yuan(fen))


def format_money(fen: int) -> str:
    """An amount in a table or a sentence: ``¥18,000.00``."""
    return yuan(fen)


def name_event(event_type: str) -> tuple[str, str]:
    """What the office calls an event, in Chinese and English."""
    zh, en = value_words(event_type)
    return zh, begin_words(en)


def name_command(command_type: str) -> tuple[str, str]:
    """What the office calls a command, in Chinese and English."""
    named = command_class(command_type)
    return named.zh(), begin_words(named.en())


def name_list(kind: str) -> tuple[str, str]:
    """What the office calls the list of such files, in Chinese and English."""
    return AGGREGATES[kind].zh, begin_words(AGGREGATES[kind].en_many)


def name_kind(kind: str) -> tuple[str, str]:
    """What the office calls one of such files, in Chinese and English."""
    return AGGREGATES[kind].zh, begin_words(AGGREGATES[kind].en)


def begin_words(en: str) -> str:
    """``confirm award`` as a heading or a button begins: ``Confirm award``."""
    return en[:1].upper() + en[1:]
