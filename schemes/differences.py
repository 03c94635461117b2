"""Two schemes side by side: every parameter that differs, in the office's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.kernel.scheme import Policy
from domain.kernel.words import label

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
    before: str
    after: str

    @property
    def zh(self) -> str:
        """In a sentence."""
        return f"{self.words[0]}：{self.before} → {self.after}"

    @property
    def en(self) -> str:
        """In a sentence."""
        return f"{self.words[1]}: {self.before} → {self.after}"


def compare_schemes(one: Scheme, other: Scheme) -> tuple[SchemeDifference, ...]:
    """What changes from one scheme to the other, section by section in the order of life."""
    return tuple(_between("", ("", ""), one, other))


def _between(section: str, words: tuple[str, str], before: Policy, after: Policy) -> Iterator[SchemeDifference]:
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    for name, field in type(before).model_fields.items():
        value, zh, en = getattr(before, name), *label(field)
        if isinstance(value, Policy) and isinstance(getattr(after, name), Policy):
            yield from _between(name, (f"{zh}·", f"{en}: "), value, getattr(after, name))
        elif old[name] != new[name]:
            parameter = (words[0] + zh, words[1] + en)
            yield SchemeDifference(section, name, parameter, _written(old[name]), _written(new[name]))


def _written(value: object) -> str:
    match value:
        case None:
            return "無 none"
        case bool():
            return "是 yes" if value else "否 no"
        case dict():
            return ", ".join(f"{k} {_written(v)}" for k, v in value.items()) or "無 none"
        case list():
            return (
                ", ".join(" ".join(map(str, v.values())) if isinstance(v, dict) else str(v) for v in value) or "無 none"
            )
        case _:
            return str(value)
