"""A kind of paper: which event yields it, how it is laid out, and what it takes from the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from domain.kernel.money import capital_yuan, yuan
from papers.paper import Column, Form, FormBox, Layout, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from application.folded_stream import Chapter
    from domain.kernel.attachment import Attachment
    from domain.kernel.message import Event
    from domain.kernel.money import Fen
    from domain.kernel.state import State
    from papers.dossier import Dossier
    from papers.paper import Block
    from papers.template import Fact

E = TypeVar("E", bound="Event")


@dataclass(frozen=True)
class PaperDraft:
    """What a paper says of its own, beside what every paper of the file may say."""

    day: date
    """When it was decided: the date of the paper."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    blocks: Mapping[str, Block | None] = field(default_factory=dict)
    """None: there is nothing to put in the table."""


@dataclass(frozen=True)
class PaperKind(Generic[E]):
    """One kind of paper."""

    name: str
    zh: str
    en: str
    of: str
    """The kind of stream that it is a paper of."""
    layout: Layout
    event: type[E]
    """What must have happened."""
    draft: Callable[[Dossier, Chapter, E, State], PaperDraft]
    """From the file, the event, and how the stream stood when it happened."""
    key: Callable[[E, int], str] | None = None
    """Which one it is where there are several, of the event and its number among its type; None: the last holds."""

    text: str = ""
    """By which template's words; empty: by that of its own name."""

    def list_instances(self, dossier: Dossier) -> dict[str, tuple[Chapter, E]]:
        """The papers of this kind that the file yields, by name."""
        instances: dict[str, tuple[Chapter, E]] = {}
        for n, (chapter, event) in enumerate(dossier.chapters(self.event), start=1):
            name = f"{self.name}.{self.key(event, n)}" if self.key else self.name
            instances[name] = (chapter, event)
        return instances

    def make_draft(self, dossier: Dossier, name: str, before: State) -> PaperDraft:
        """What the paper of that name says."""
        return self.draft(dossier, *self.list_instances(dossier)[name], before)


def list_evidence(attachments: Iterable[Attachment]) -> list[dict[str, str]]:
    """The documents that something rests on, by name and the beginning of their digest."""
    return [{"document": f"{one.name}（{one.sha256[:8]}）"} for one in attachments]


def write_amount(fen: Fen) -> str:
    """``50000元`` as bodies write it; decimals only where there are any."""
    whole, rest = divmod(fen, 100)
    return f"{whole}元" if not rest else f"{whole}.{rest:02d}元"


def write_in_words(dossier: Dossier, fen: Fen) -> str:
    """The sum in words, as ``人民幣伍萬元整``."""
    return dossier.say(f"人民幣{capital_yuan(fen)}")


def draw_money(
    dossier: Dossier, titles: tuple[str, str], rows: Iterable[tuple[str, Fen]], *, caption: str = ""
) -> Table | None:
    """A table of amounts with their sum; None if there are none."""
    lines = list(rows)
    if not lines:
        return None
    total = (dossier.say("合計"), yuan(sum(fen for _, fen in lines)))
    return Table(
        caption=dossier.say(caption),
        columns=(
            Column(title=dossier.say(titles[0]), width=3),
            Column(title=dossier.say(titles[1]), width=2, is_number=True),
        ),
        rows=(*((name, yuan(fen)) for name, fen in lines), total),
    )


def draw_table(
    dossier: Dossier, columns: tuple[tuple[str, int, bool], ...], rows: Iterable[tuple[str, ...]]
) -> Table | None:
    """A table; its heads in the script of the city. None if it has no rows."""
    lines = tuple(rows)
    if not lines:
        return None
    return Table(
        columns=tuple(
            Column(title=dossier.say(title), width=width, is_number=right) for title, width, right in columns
        ),
        rows=lines,
    )


def pair_boxes(label: str, text: str, other: str, other_text: str) -> tuple[FormBox, FormBox]:
    """A row of a form with two boxes."""
    return FormBox(label=label, text=text), FormBox(label=other, text=other_text)


def draw_receipt(dossier: Dossier) -> Form:
    """送達回證: that it was handed over, filled in by hand."""
    say, blank = dossier.say, "　　　年　月　日"
    return Form(
        rows=(
            (
                FormBox(label=say("受送達單位"), text=dossier.organisation),
                FormBox(label=say("送達方式"), text=""),
            ),
            (
                FormBox(label=say("送達人簽名"), text=f"\n{blank}", lines=2),
                FormBox(label=say("簽收人簽名"), text=f"\n{blank}", lines=2),
            ),
        )
    )
