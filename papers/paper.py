"""A paper as it is made up, whatever it is written as: its elements in their order, and what it was made from."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from domain.kernel.identifier import StreamId
from papers.script import Script

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]"
)
"""What no paper shows and no format must meet: control characters, marks that turn the writing round, no characters."""
UNSHOWN = "□"
"""What stands for a character that cannot be shown."""


def make_plain(text: str) -> str:
    """The text as it can stand on paper: what is unseen is seen to be there, and can do nothing."""
    return _UNSEEN.sub(UNSHOWN, text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "\u3000"))


Line = Annotated[str, AfterValidator(make_plain)]
"""Text of a paper; a line feed in it breaks the line."""


class Element(BaseModel):
    """A part of a paper."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Layout(StrEnum):
    """How a paper is laid out."""

    OFFICIAL = "official"
    """With the office's mark, a number and the red rule (GB/T 9704-2012)."""
    PLAIN = "plain"
    """Title on top: public notices, agreements, reports."""
    FORM = "form"
    """One form to be signed: what goes round within the house."""
    CERTIFICATE = "certificate"


class Paragraph(Element):
    """A paragraph of the body."""

    type: Literal["paragraph"] = "paragraph"
    text: Line
    is_indented: bool = True
    """By two characters, as bodies are."""


class Heading(Element):
    """A heading, numbered 一、 on the first level and （一） on the second."""

    type: Literal["heading"] = "heading"
    level: Annotated[int, Field(ge=1, le=2)]
    text: Line


class Column(Element):
    """A column of a table."""

    title: Line
    width: Annotated[int, Field(ge=1, le=100)]
    """Its share, in whatever unit the others have theirs."""
    is_number: bool = False
    """Whether it is set flush right."""


class Table(Element):
    """A table; its head stands again on every page."""

    type: Literal["table"] = "table"
    caption: Line = ""
    columns: tuple[Column, ...]
    rows: tuple[tuple[Line, ...], ...]


class FormBox(Element):
    """One box of a form, with its label."""

    label: Line
    text: Line
    lines: Annotated[int, Field(ge=1, le=20)] = 1
    """Least height, in lines: room to write by hand."""


class Form(Element):
    """A form: rows of one or two boxes."""

    type: Literal["form"] = "form"
    rows: tuple[Annotated[tuple[FormBox, ...], Field(min_length=1, max_length=2)], ...]


class Party(Element):
    """Who seals and signs an agreement."""

    label: Line
    name: Line


class Seals(Element):
    """The page on which all parties seal, sign and date."""

    type: Literal["seals"] = "seals"
    parties: tuple[Party, ...]


Block = Annotated[Paragraph | Heading | Table | Form | Seals, Field(discriminator="type")]


class PaperSource(Element):
    """What of the log a paper was made from; whoever has the log can make it again, to the byte."""

    stream: StreamId
    position: int
    """Of the last event that it rests on, among all streams that were read."""
    version: int
    """Of the stream."""
    head: str
    """The stream's chain hash at that version, in hex."""
    as_of: str = ""
    """The day that it was asked for; empty for as things stand."""


class Paper(Element):
    """One paper."""

    name: str
    """``payment.T1``: its kind, and where there are several which one."""
    layout: Layout
    script: Script
    issuer: Line
    """The office that issues it."""
    number: Line = ""
    """發文字號, with room for what this house does not number; empty where the layout bears none."""
    title: Line
    addressee: Line = ""
    blocks: tuple[Block, ...]
    annexes: tuple[Line, ...] = ()
    """附件 as named in the body."""
    signer: Line = ""
    date: Line = ""
    """When it was decided, as papers write it: 2024年5月21日."""
    copies: Line = ""
    """抄送."""
    closing: tuple[Block, ...] = ()
    """What stands below the signature: that it was handed over."""
    source: PaperSource
    note: Line
    """The source in a line, as the foot of each page has it."""
