"""``/reviews``: the panels that a reviewer sits on; of each, once they declared no interest, its bids and sheets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from application.drafts import list_drafts
from application.drafts import read_form as read_form_of
from application.queries import NameUnknown, load_states
from application.reviews import find_review, list_bids, list_marks, list_reviews, read_scheme, weigh
from domain.catalogue import stage_words, value_words
from domain.kernel.identifier import Role
from domain.registers.panel import DeclareConflict, DeclareImpartiality, PanelStage, SubmitScore
from web.asker import find_asker
from web.components.words import format_moment
from web.console.command.held_form import FORM, draft_path
from web.console.file.page import read_stream
from web.console.paths import command_path, file_path, review_path
from web.console.reader import read_seat
from web.console.rendering import render
from web.console.route import PageRoute
from web.guard import ByCaller, ByHouse, Policy, allow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from application.caller import Caller
    from application.reviews import PanelReview, ReviewedBid
    from domain.kernel.identifier import Actor, StreamId
    from web.console.texts import Texts
    from web.house import House

router = APIRouter(route_class=PageRoute)

TEXTS: Final[Texts] = {
    "title": ("我的評審", "My reviews"),
    "empty": ("目前沒有需要您評審的申報。", "There is nothing for you to review at the moment."),
    "panel": ("評審專家組", "Review panel"),
    "round": ("屆（年度）", "Round"),
    "stage": ("狀態", "Status"),
    "progress": ("進度", "Progress"),
    "sheets": ("已交 {given} / {wanted} 份", "{given} of {wanted} sheets submitted"),
    "next_step": ("下一步", "Next step"),
    "to_declare": ("申報或聲明利害關係", "Declare your interests"),
    "to_score": ("評審 {name}", "Review {name}"),
    "all_in": ("已全部提交", "All submitted"),
    "declare": ("一、利害關係", "1. Interests"),
    "declare_lead": (
        "請先逐一核對下列申報單位：近 {months} 個月內曾任職、任理事或監事、領取報酬，或有親屬等關係的，均須申報。",
        "Declare any post, board seat or pay at an applicant in the last {months} months, and any other tie.",
    ),
    "no_rules": ("本屆未載明管理辦法，暫不能評審。", "The round names no rules: nothing can be reviewed yet."),
    "applicant": ("申報單位", "Applicants"),
    "number": ("編號", "Number"),
    "have_none": ("與上列單位均無利害關係，開始評審", "I have no interest in any of these; start scoring"),
    "have_one": ("有利害關係，前往申報", "I have an interest to declare"),
    "have_none_note": (
        "按下即記錄您的聲明，辦理後不能撤回；其後想起的利害關係仍須申報。",
        "Your statement is recorded and cannot be taken back. An interest remembered later must still be declared.",
    ),
    "score": ("二、評分", "2. Scores"),
    "score_lead": (
        "評分提交後不得更改。您的評分全部提交前，不顯示其他專家的評分；評審報告出具前，不顯示其他席位上是何人。",
        "A submitted sheet is final. Others' scores show once all of yours are in; their seats, with the report.",
    ),
    "other": ("他席", "another seat"),
    "name": ("項目名稱", "Project"),
    "requested": ("申請資助金額（元）", "Applied for (yuan)"),
    "mine": ("我的評分", "My score"),
    "marks": ("各席評分", "Scores by seat"),
    "act": ("辦理", "Act"),
    "read": ("閱看申報材料", "Read the application"),
    "go_on": ("繼續填寫草稿", "Continue the draft"),
    "declared": ("已聲明無利害關係。", "You have declared that you have no interest."),
    "remembered": ("補報利害關係", "Declare an interest"),
    "rubric": ("評分標準", "Criteria"),
    "criterion": ("評分項", "Criterion"),
    "points": ("滿分", "Points"),
    "at": ("辦理時間（補錄）", "Business time (if entered later)"),
}


@dataclass(frozen=True)
class Line:
    """One bid in the list of a panel."""

    bid: ReviewedBid
    file: str
    mark: Decimal | None
    """The reviewer's own."""
    marks: Sequence[tuple[str, Decimal]]
    do: str
    """Where the sheet is filled in; empty once it is handed in."""
    is_begun: bool
    """Whether a draft of it is kept."""


@router.get("/reviews", response_class=Response)
@allow(Policy.READ)
async def show_reviews(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """The panels at work on which I sit."""
    seat = _find_seat(request, caller)
    reviews = await list_reviews(house.store, seat) if seat is not None else []
    rows = [
        (
            one,
            review_path(one.stream),
            stage_words("panel", one.stage),
            _sheet_path(one.stream, one.missing[0]) if one.is_cleared and one.missing else "",
        )
        for one in reviews
    ]
    return render(request, "console/review/reviews.html", TEXTS, rows=rows)


@router.get("/reviews/{realm}/{name}", response_class=Response)
@allow(Policy.READ)
async def show_review(request: Request, realm: str, name: str, house: ByHouse, caller: ByCaller) -> Response:
    """One panel: who bids; and once I have declared no interest, the bids, my sheets, and what is still to come."""
    stream, seat = read_stream("panel", realm, name), _find_seat(request, caller)
    state = (await load_states(house.store, [stream])).get(stream)
    review = find_review(state, seat) if state is not None and seat is not None else None
    if review is None or state is None:
        raise NameUnknown(name[:80])
    bids, asker = await list_bids(house.store, review), await find_asker(house, caller, realm)
    scheme = await read_scheme(house.store, state)
    return render(
        request,
        "console/review/review.html",
        TEXTS,
        review=review,
        bids=bids,
        stage=stage_words("panel", review.stage),
        is_open=review.stage in (PanelStage.DRAWN, PanelStage.SCORING),
        lines=await _list_lines(house, caller, review, bids) if review.is_cleared else [],
        rubric=[(value_words(key), points) for key, points in (weigh(scheme) if scheme else {}).items()],
        months=scheme.review.recusal_months if scheme else None,
        seat=seat,
        command_id=uuid4(),
        at_text=format_moment(asker.at) if asker.at is not None else "",
        declare_none=command_path(DeclareImpartiality.command_type, stream),
        declare_one=command_path(DeclareConflict.command_type, stream),
    )


def _find_seat(request: Request, caller: Caller) -> Actor | None:
    """The reviewer's seat that they act on, or else the first such seat of theirs."""
    current = read_seat(request, caller)
    if current is not None and current.role is Role.EXPERT:
        return current
    return next((seat for seat in caller.seats if seat.role is Role.EXPERT), None)


async def _list_lines(house: House, caller: Caller, review: PanelReview, bids: Sequence[ReviewedBid]) -> list[Line]:
    drafts = await _find_drafts(house, caller, review.stream)
    return [
        Line(
            bid,
            file_path(bid.stream),
            review.own.get(name),
            list_marks(review, name),
            "" if name in review.own else drafts.get(name) or _sheet_path(review.stream, name),
            name in drafts,
        )
        for bid in bids
        for name in (bid.stream.name,)
    ]


def _sheet_path(panel: StreamId, bid: str) -> str:
    return command_path(SubmitScore.command_type, panel, bid)


async def _find_drafts(house: House, caller: Caller, panel: StreamId) -> dict[str, str]:
    """By application, where the draft of a sheet goes on that the reader has saved."""
    if caller.person is None:
        return {}
    drafts = await list_drafts(house.identity, caller.person, house.now())
    sheets = [one for one in drafts if (one.command, one.stream) == (SubmitScore.command_type, panel)]
    typed = [(read_form_of(one).get(FORM, {}).get(SubmitScore.subject_field), one) for one in sheets]
    path = command_path(SubmitScore.command_type, panel)
    return {bid: draft_path(path, one.id) for bid, one in reversed(typed) if isinstance(bid, str)}
