"""What a paper says, whatever it is written as."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from papers.paper import Block, Form, Heading, Paragraph, Seals, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from papers.paper import Paper


def lines_of(paper: Paper) -> list[str]:
    """Every text of it, in order."""
    head = [paper.number, paper.title, paper.addressee]
    body = [line for block in (*paper.blocks, *paper.closing) for line in _lines(block)]
    tail = [*paper.annexes, paper.signer, paper.date, paper.copies, paper.note]
    return [line for text in (*head, *body, *tail) for line in text.split("\n") if line.strip()]


def text_of(paper: Paper) -> str:
    return "\n".join(lines_of(paper))


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Paragraph() | Heading():
            yield block.text
        case Table():
            yield block.caption
            yield from (column.title for column in block.columns)
            yield from (cell for row in block.rows for cell in row)
        case Form():
            yield from (text for row in block.rows for entry in row for text in (entry.label, entry.text))
        case Seals():
            yield from (text for party in block.parties for text in (party.label, party.name))
        case _:
            assert_never(block)
