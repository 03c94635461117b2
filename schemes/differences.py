"""Two schemes side by side: every parameter that differs, in the office's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.kernel.scheme import SchemeSection
from domain.kernel.words import call_code, label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.kernel.scheme import Scheme


@dataclass(frozen=True)
class SchemeDifference:
    """One parameter that differs."""

    section: str
    """Empty for the scheme's own head."""
    parameter: str
    words: tuple[str, str]
    """What section and parameter are called, in Chinese and English."""
    before: tuple[str, str]
    """What it was, in Chinese and English; so ``after``."""
    after: tuple[str, str]

    @property
    def zh(self) -> str:
        """The difference as a sentence in Chinese."""
        return f"{self.words[0]}：{self.before[0]} → {self.after[0]}"

    @property
    def en(self) -> str:
        """The difference as a sentence in English."""
        return f"{self.words[1]}: {self.before[1]} → {self.after[1]}"


def compare_schemes(one: Scheme, other: Scheme) -> tuple[SchemeDifference, ...]:
    """What changes from one scheme to the other, section by section in the order of life."""
    return tuple(_between("", ("", ""), one, other))


def _between(
    section: str, words: tuple[str, str], before: SchemeSection, after: SchemeSection
) -> Iterator[SchemeDifference]:
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    for name, field in type(before).model_fields.items():
        value, zh, en = getattr(before, name), *label(field)
        if isinstance(value, SchemeSection) and isinstance(getattr(after, name), SchemeSection):
            yield from _between(name, (f"{zh}·", f"{en}: "), value, getattr(after, name))
        elif old[name] != new[name]:
            parameter = (words[0] + zh, words[1] + en)
            yield SchemeDifference(section, name, parameter, _write(old[name]), _write(new[name]))


def _write(value: object) -> tuple[str, str]:
    return _write_in(value, 0), _write_in(value, 1)


def _write_in(value: object, language: int) -> str:
    """A parameter's value in words: criteria, budget lines and payment conditions as the office calls them."""
    match value:
        case None | [] | {}:
            return ("無", "none")[language]
        case bool():
            return (("否", "no"), ("是", "yes"))[value][language]
        case dict():
            texts = [f"{_write_in(name, language)} {_write_in(one, language)}" for name, one in value.items()]
        case list():
            texts = [
                " ".join(map(str, one.values())) if isinstance(one, dict) else _write_in(one, language) for one in value
            ]
        case _:
            return call_code(str(value))[language]
    return ("、", ", ")[language].join(texts)
