"""The words of a paper, kept apart from the program: one text file each, which a city may replace by its own.

Line by line, in traditional characters (the script of the city is written from it):

* ``% title …`` ``number`` ``to`` ``sign`` ``date`` ``copy`` ``annex``: elements of the paper
* ``# …`` and ``## …``: headings; ``[name]``: a table, a form or the seals that the paper has under that name
* anything else is a paragraph; one that begins with ``|`` is not indented; ``//`` begins a remark
* ``{name}`` is a fact, and stands as it was typed; ``?name …`` is left out where there is none, ``!name …`` where there
  is one; ``*name …`` is repeated for each of several, ``{n}`` counting them
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict
from yaml import safe_load

from papers.paper import Block, Heading, Paragraph, Seals
from papers.script import Script

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

Fact = str | bool | Sequence[Mapping[str, str]]
"""A text, whether something is so, or several things of which the same is said."""
Facts = Mapping[str, Fact]

DEFAULT: Final = "default"
ELEMENTS: Final = frozenset({"title", "number", "to", "sign", "date", "copy", "annex"})
_LINE = re.compile(r"(?P<conditions>(?:[?!*][a-z_]+ )*)(?P<text>.*)")
_CONDITION = re.compile(r"([?!*])([a-z_]+) ")
_PLACE = re.compile(r"\{([a-z_]+)\}")


class TemplateInvalid(Exception):
    """A text of the product's own names what its paper does not have."""


class IssuingOffice(BaseModel):
    """How the office that issues papers is called, by scheme."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    script: Script = Script.HANS
    bureau: str = "{city}民政局"
    """Who issues; ``{city}`` is the scheme's."""
    number: str = "　　　〔　　　　〕　　號"
    """Room for the number that the office gives."""
    department: str = "社會組織管理部門"
    """Who handles it."""


@dataclass
class Text:
    """The words of one paper, filled in."""

    elements: dict[str, list[str]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    closing: list[Block] = field(default_factory=list)
    """What the file has below the signature."""

    def put(self, block: Block) -> None:
        """Put a block where it goes: seals, and whatever the file has after the signature, close the paper."""
        is_below = "sign" in self.elements or isinstance(block, Seals)
        (self.closing if is_below else self.blocks).append(block)

    def one(self, name: str) -> str:
        """An element that stands once; empty if it does not."""
        return (self.elements.get(name) or [""])[0]


def _find(scheme: str, file: str) -> Traversable:
    """That file as the city has it, else as everybody has it."""
    root = files("papers").joinpath("texts")
    own = root.joinpath(scheme, file)
    return own if own.is_file() else root.joinpath(DEFAULT, file)


@cache
def read_office(scheme: str) -> IssuingOffice:
    """How the office of that scheme is called."""
    return IssuingOffice.model_validate(safe_load(_find(scheme, "office.yaml").read_text(encoding="utf-8")) or {})


@cache
def _read_lines(scheme: str, kind: str, script: Script) -> tuple[str, ...]:
    text = script.write(_find(scheme, f"{kind}.txt").read_text(encoding="utf-8"))
    return tuple(line for line in text.splitlines() if line.strip() and not line.startswith("//"))


def fill(scheme: str, kind: str, script: Script, facts: Facts, blocks: Mapping[str, Block | None]) -> Text:
    """The words of that kind of paper with these facts. Raises TemplateInvalid if they name what is not there."""
    text = Text()
    for line in _read_lines(scheme, kind, script):
        for one in _repeat(line, facts):
            _place(text, one, blocks)
    return text


@dataclass(frozen=True)
class _Filled:
    """A line: what the file says it is, and what it says with the facts in it."""

    template: str
    facts: Mapping[str, Fact]

    def write(self, template: str) -> str:
        """The template with every place filled in. Raises TemplateInvalid for a place without a fact."""

        def fact(place: re.Match[str]) -> str:
            value = self.facts.get(place[1])
            if not isinstance(value, str):
                raise TemplateInvalid(place[1])
            return value

        return _PLACE.sub(fact, template)


def _repeat(line: str, facts: Facts) -> Sequence[_Filled]:
    """The line as often as it stands; its form is told before any fact is in it, so that no fact can change it."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise TemplateInvalid(line)
    several: list[Mapping[str, Fact]] = [facts]
    for sign, name in _CONDITION.findall(match["conditions"]):
        if name not in facts:
            raise TemplateInvalid(name)
        value = facts[name]
        if sign == "*":
            if isinstance(value, str | bool):
                raise TemplateInvalid(name)
            several = [{**facts, "n": str(n), **one} for n, one in enumerate(value, start=1)]
        elif bool(value) != (sign == "?"):
            return ()
    return [_Filled(match["text"], one) for one in several]


def _place(text: Text, line: _Filled, blocks: Mapping[str, Block | None]) -> None:
    template = line.template
    if template.startswith("% "):
        name, _, rest = template[2:].partition(" ")
        if name not in ELEMENTS:
            raise TemplateInvalid(name)
        text.elements.setdefault(name, []).append(line.write(rest))
    elif template.startswith("["):
        name = template.strip().strip("[]")
        if name not in blocks:
            raise TemplateInvalid(name)
        block = blocks[name]
        if block is not None:
            text.put(block)
    elif template.startswith("#"):
        marks, _, rest = template.partition(" ")
        text.put(Heading(level=len(marks), text=line.write(rest)))
    elif template.startswith("|"):
        text.put(Paragraph(text=line.write(template[1:].strip(" ")), is_indented=False))
    else:
        text.put(Paragraph(text=line.write(template)))
