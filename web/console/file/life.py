"""The life of a file as a picture: the stages that it has been through, the one it is in, and those that may follow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from domain.catalogue import AGGREGATES, list_stages, list_transitions, stage_words
from domain.kernel.state import NONE
from domain.project.aggregate import PROJECT
from domain.project.stage import MAIN_LINE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from application.course import Turn
    from application.event_text import Say
    from domain.kernel.identifier import StreamId

WIDE: Final = 96
"""Of a box, in the picture's own units."""
HIGH: Final = 48
MOST_LINES: Final = 3
"""Of words in a box."""
_ROOM: Final = 90
"""For the words of one line, in the picture's units."""
_LARGE, _SMALL = (8.3, 15.0), (6.4, 12.5)
"""Of a Latin letter and of a Chinese character, how wide each is where it is written large, and where small."""
STEP: Final = 108
ROW: Final = 84
MOST_IN_A_ROW: Final = 6
"""Boxes, after which the line goes on below: so that the words stay large enough to read."""
MARGIN: Final = 8
TURN: Final = 6
ABOVE: Final = 10
"""How far a line runs beside the last box of a row, and above the first of the next: clear of the days."""


@dataclass(frozen=True)
class LifeStage:
    """One stage of the picture."""

    stage: str
    zh: str
    en: str
    look: str
    """``done``, ``now``, ``later``, ``detour`` or ``ended``: how it is drawn."""
    at: datetime | None
    """When it was first reached."""
    x: int
    y: int


@dataclass(frozen=True)
class Life:
    """The picture, ready to be drawn."""

    steps: tuple[LifeStage, ...]
    lines: tuple[str, ...]
    """Paths between one box and the next."""
    width: int
    height: int

    def lines_of(self, say: Say, step: LifeStage) -> tuple[tuple[str, ...], bool]:
        """The words of a box, in as many lines as they need; and whether they are written small."""
        return fold_words(say(step.zh, step.en))

    def words(self, say: Say, looks: Collection[str]) -> str:
        """The stages that are drawn so, for whoever does not see the picture."""
        return say("、", ", ").join(say(step.zh, step.en) for step in self.steps if step.look in looks)


def fold_words(text: str) -> tuple[tuple[str, ...], bool]:
    """That text as it stands in a box: large in one line if there is room, else small, broken between words or signs.

    With whether it is small.
    """
    if _measure(text, _LARGE) <= _ROOM:
        return (text,), False
    lines = [""]
    for piece in re.findall(r"[!-~]+ ?|.", text):
        if lines[-1] and len(lines) < MOST_LINES and _measure(lines[-1] + piece.rstrip(), _SMALL) > _ROOM:
            lines.append("")
        lines[-1] += piece
    return tuple(line.strip() for line in lines), True


def _measure(text: str, size: tuple[float, float]) -> float:
    latin, chinese = size
    return sum(latin if one.isascii() else chinese for one in text)


def trace_stages(turns: Iterable[Turn]) -> list[tuple[str, datetime]]:
    """The stages that the file has been through, each with when it was reached, in order."""
    reached: list[tuple[str, datetime]] = []
    for turn in turns:
        if turn.stage != NONE and (not reached or reached[-1][0] != turn.stage):
            reached.append((turn.stage, turn.at))
    return reached


def draw_life(stream: StreamId, reached: list[tuple[str, datetime]]) -> Life:
    """The picture of that life: of a project on its main line, with the detours that it has taken."""
    current = reached[-1][0] if reached else NONE
    first = dict(reversed(reached))
    order = _line(stream.kind, reached, current)
    is_over = current in AGGREGATES[stream.kind].final
    steps = []
    for index, stage in enumerate(order):
        row, column = divmod(index, MOST_IN_A_ROW)
        zh, en = stage_words(stream.kind, stage)
        look = _look(stream.kind, stage, current, is_reached=stage in first, is_over=is_over)
        steps.append(LifeStage(stage, zh, en, look, first.get(stage), MARGIN + column * STEP, MARGIN + row * ROW))
    rows = -(-len(order) // MOST_IN_A_ROW)
    columns = min(len(order), MOST_IN_A_ROW)
    lines = tuple(_connect(a, b) for a, b in pairwise(steps))
    return Life(
        tuple(steps), lines, 2 * MARGIN + max(columns - 1, 0) * STEP + WIDE, MARGIN + max(rows, 1) * ROW - MARGIN
    )


def _line(kind: str, reached: list[tuple[str, datetime]], current: str) -> list[str]:
    """The stages to draw: those that were reached, and what of the main line is still ahead."""
    passed = list(dict.fromkeys(stage for stage, _ in reached))
    if kind != PROJECT.kind:
        return [*passed, *(stage for stage in _go_on(kind, current) if stage not in passed)]
    ahead = _ahead(current)
    if current in ahead or not ahead:
        return passed
    return [*(stage for stage in passed if stage not in ahead), *ahead] if current not in passed[:-1] else passed


def _ahead(current: str) -> list[str]:
    """What of the main line still comes after that stage; after an early end, nothing but the archive."""
    names = [stage.value for stage in MAIN_LINE]
    if current in names:
        return names[names.index(current) + 1 :]
    return []


def _go_on(kind: str, current: str) -> Iterator[str]:
    """What comes after that stage if all goes as it should: at each the first that ends nothing, else the end."""
    final, order = AGGREGATES[kind].final, list_stages(kind)
    follows = [row for row in list_transitions() if row.kind == kind]
    while current not in final or current == NONE:
        later = {row.to for row in follows if current in row.start}
        ahead = [stage for stage in order[order.index(current) + 1 :] if stage in later]
        if not ahead:
            return
        current = next((stage for stage in ahead if stage not in final), ahead[0])
        yield current


def _look(kind: str, stage: str, current: str, *, is_reached: bool, is_over: bool) -> str:
    if stage == current:
        return "ended" if is_over else "now"
    if not is_reached:
        return "later"
    is_detour = kind == PROJECT.kind and stage not in {one.value for one in MAIN_LINE}
    return "detour" if is_detour else "done"


def _connect(a: LifeStage, b: LifeStage) -> str:
    """A line from one box to the next, around to the row below where it begins."""
    if a.y == b.y:
        return f"M{a.x + WIDE} {a.y + HIGH // 2}H{b.x}"
    return f"M{a.x + WIDE} {a.y + HIGH // 2}h{TURN}V{b.y - ABOVE}H{b.x + WIDE // 2}V{b.y}"
