"""The sheet of a reviewer: the bid that it judges, a row for each criterion, and what the points add up to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from application.reviews import PanelReview, ReviewedBid, find_review, list_bids, read_scheme, weigh
from domain.catalogue import value_words
from domain.registers.panel import SubmitScore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from web.console.command.filling import Filling
    from web.console.command.form import FormField, Tree

CRITERIA: Final = "criteria"


@dataclass(frozen=True)
class ReviewSheet:
    """What a reviewer has before them while they score."""

    review: PanelReview
    bid: ReviewedBid
    rubric: Mapping[str, int]
    """Criterion and the points that it is worth."""
    total: Decimal
    """What the points that were typed so far add up to."""


def find_own_review(filling: Filling) -> PanelReview | None:
    """The panel as whoever scores has it before them; None of any other command."""
    return find_review(filling.state, filling.seat) if filling.command is SubmitScore else None


async def find_sheet(filling: Filling) -> ReviewSheet | None:
    """The bid that is scored, with the rules' criteria; None of other commands, and where the panel has no such bid."""
    review = find_own_review(filling)
    if review is None or not review.is_cleared:
        return None
    store, bid = filling.house.store, filling.tree.get(SubmitScore.subject_field)
    bids = await list_bids(store, review, bid) if isinstance(bid, str) else []
    scheme = await read_scheme(store, filling.state)
    if scheme is None or not bids:
        return None
    typed = filling.tree.get(CRITERIA, {})
    points = [_read_points(text) for text in typed.values()] if isinstance(typed, dict) else []
    return ReviewSheet(review, bids[0], weigh(scheme), sum(points, Decimal(0)))


def lay_out(filling: Filling, sheet: ReviewSheet | None) -> Tree:
    """What was typed, with a row for each criterion that there is none of yet."""
    if sheet is None:
        return filling.tree
    return {**filling.tree, CRITERIA: {**dict.fromkeys(sheet.rubric, ""), **filling.tree.get(CRITERIA, {})}}


def leave_out_blanks(filling: Filling) -> Filling:
    """The same without criteria if none was given points: a sheet may have one mark instead."""
    points = filling.tree.get(CRITERIA)
    if filling.command is not SubmitScore or not isinstance(points, dict) or any(points.values()):
        return filling
    return replace(filling, tree={name: value for name, value in filling.tree.items() if name != CRITERIA})


def set_out(fields: Sequence[FormField], sheet: ReviewSheet | None) -> list[FormField]:
    """The fields of a sheet: which bid is known, a criterion is named and has its cap, and the one mark comes last."""
    if sheet is None:
        return list(fields)
    known = {one.name.rpartition(".")[2]: one for one in fields}
    criteria = known[CRITERIA]
    rows = tuple(_cap(row, sheet.rubric) for row in criteria.rows if row[0].value)
    table = replace(criteria, widget="sheet", rows=rows, total=f"{sheet.total.normalize():f}")
    hidden = replace(known[SubmitScore.subject_field], widget="hidden")
    mark = replace(known["mark"], zh="總分", en="Mark for the whole", hint=_ONE_MARK)
    return [hidden, table, mark, known["comment"]]


_ONE_MARK: Final = ("分項已填的，此項留空", "only where no criterion is filled in")


def _cap(row: tuple[FormField, ...], rubric: Mapping[str, int]) -> tuple[FormField, ...]:
    key, points = row
    zh, en = value_words(str(key.value))
    return key, replace(points, zh=zh, en=en, most=rubric.get(str(key.value)))


def _read_points(text: object) -> Decimal:
    """The points as they will be understood; nothing where they cannot be."""
    try:
        points = Decimal(str(text).strip() or 0)
    except InvalidOperation:
        return Decimal(0)
    return points if points.is_finite() and abs(points) <= 100 else Decimal(0)  # noqa: PLR2004 - no mark is above
