"""Numbers by which a person could be found: where they stand in what comes in (V4). Nothing that holds one is kept."""

from __future__ import annotations

import re
import traceback
import unicodedata
from enum import Enum
from errno import errorcode
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ValidationError

from domain.kernel.failure import Failure, FailureKind
from domain.kernel.refusal import CommandRejected, Unmet

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_OFFICES: Final = frozenset(
    {"account", "changed_code", "contact", "credit_code", "preview", "reference", "sha256", "voucher"}
)
"""Fields whose numbers are those of papers, organisations and counters, and no person's whatever they look like."""

_DIGIT = re.compile(r"[0-9]")
_SHORTEST: Final = 11
"""Digits of the shortest such number, a mobile telephone's: most texts hold fewer and need no closer look."""
_MINUS = "\u2212"
_IDENTITY_CARD = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
_MOBILE = re.compile(r"(?<![0-9A-Za-z])(?:(?:00)?86)?1[3-9][0-9]{9}(?![0-9A-Za-z])")
_BORN = re.compile(
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])[0-9]{3}[0-9Xx](?![0-9A-Za-z])"
)
"""An identity card's number with a day of birth in it: told from figures that merely stand side by side."""

_MOBILE_IN_NAME = re.compile(r"(?<![0-9])(?:(?:00)?86)?1[3-9][0-9]{9}(?![0-9])")
_DERIVED_NAME = re.compile(r"AV-[0-9a-f]{32}|DK-[0-9a-f]{16}")
"""Made of a digest or a uuid, and of no person's number whatever its digits."""
_BORN_IN_NAME = re.compile(_BORN.pattern.replace("0-9A-Za-z", "0-9"))


def personal_data(value: object, place: str = "") -> list[str]:
    """The places in a command or plain JSON at which the number of an identity card or a mobile telephone stands.

    Written in whatever digits, and with blanks or dashes between them.
    """
    return list(dict.fromkeys(_places(value, place)))


def names_somebody(text: str) -> bool:
    """Whether such a number stands in the text."""
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if len(_DIGIT.findall(normal)) < _SHORTEST:
        return False
    plain = "".join(c for c in normal if unicodedata.category(c) != "Cf")
    squeezed = "".join(c for c in plain if not c.isspace() and unicodedata.category(c) != "Pd" and c != _MINUS)
    return any(p.search(plain) for p in (_IDENTITY_CARD, _MOBILE)) or any(p.search(squeezed) for p in (_BORN, _MOBILE))


def name_holds_somebody(name: str) -> bool:
    """Whether such a number stands in the name of a stream, where letters and dashes around it hide nothing."""
    if _DERIVED_NAME.fullmatch(name):
        return False
    squeezed = re.sub(r"[^0-9A-Za-z]", "", name)
    return any(pattern.search(squeezed) for pattern in (_BORN_IN_NAME, _MOBILE_IN_NAME))


def refuse_personal_data(value: object, name: str = "") -> tuple[Unmet, ...]:
    """The refusal of what holds such a number, with the places and without the number; empty if nothing does.

    ``name`` is of the stream that it is about.
    """
    places = [*(["subject"] if name_holds_somebody(name) else []), *personal_data(value)]
    if not places:
        return ()
    return (
        Unmet.of(
            "V4",
            "{places} 含身份證或手機號碼；受益人只計數、不具名，請刪去後再報",
            "{places}: a number of an identity card or mobile telephone; leave it out, nobody is named",
            places=places,
        ),
    )


def _places(value: object, place: str) -> Iterator[str]:
    match value:
        case str() if names_somebody(value):
            yield place or "$"
        case BaseModel():
            yield from _places(dict(value), place)
        case dict():
            for key, inner in value.items():
                if names_somebody(str(key)):
                    yield place or "$"
                if key not in _OF_OFFICES:
                    yield from _places(inner, f"{place}.{key}" if place else str(key))
        case list() | tuple():
            for number, inner in enumerate(value, 1):
                yield from _places(inner, f"{place}[{number}]")
        case _:
            return


def describe_error(error: BaseException) -> str:
    """What went wrong and where, without any value: its type, the fields of a form, the rules of a refusal.

    Of a server that is away, which it is: what is said there are our words, and the system's.
    """
    match error:
        case ValidationError():
            wrong = ", ".join(f"{'.'.join(map(str, e['loc']))} {e['type']}" for e in error.errors(include_input=False))
            what = f": {wrong}"
        case CommandRejected():
            what = f": {', '.join(dict.fromkeys(u.rule for u in error.unmet))}"
        case Failure(kind=FailureKind.UNAVAILABLE):
            what = f": {error.en}"
        case OSError(errno=int(number)):
            what = f": {errorcode.get(number, number)}"
        case _:
            code = getattr(error, "status", None)
            what = f": {code.name}" if isinstance(code, Enum) else ""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{what}{where}"


def describe_trace(error: BaseException) -> str:
    """The way to an error, frame by frame, and those that caused it, without any value."""
    lines = [f"  {f.filename}:{f.lineno} in {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    above = [describe_trace(cause)] if cause is not None else []
    return "\n".join([*above, describe_error(error), *lines])
