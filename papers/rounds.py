"""徵集通知、申報通知、擬立項公示: what a round tells the public."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.application import Application
from domain.kernel.calendar import local_day
from domain.round.call import CallAmended, CallPublished
from domain.round.plan import NeedSolicitationOpened, Round
from domain.round.resolution import RoundResolved
from papers import posting
from papers.dossier import write_day, write_instant
from papers.kind import PaperDraft, PaperKind, draw_table, write_amount
from papers.paper import Layout

if TYPE_CHECKING:
    from application.folded_stream import Chapter
    from domain.kernel.state import State
    from papers.dossier import Dossier
    from papers.template import Fact


def _draft_needs(dossier: Dossier, chapter: Chapter, event: NeedSolicitationOpened, before: State) -> PaperDraft:
    until = before.part(Round).needs_close_at(dossier.calendar)
    facts: dict[str, Fact] = {
        "theme": event.theme or "",
        "needs_wd": str(event.window_wd),
        "needs_until": dossier.say(write_instant(until)) if until else write_day(None),
    }
    return PaperDraft(local_day(chapter.at), facts)


def _draft_call(dossier: Dossier, chapter: Chapter, _event: CallPublished, _before: State) -> PaperDraft:
    round_, scheme = dossier.state.part(Round), dossier.scheme
    until = round_.closes_at(dossier.calendar)
    amended = [(one, event) for one, event in dossier.chapters(CallAmended) if one.position > chapter.position]
    facts: dict[str, Fact] = {
        "budget": write_amount(round_.budget) if round_.budget else "",
        "deadline": dossier.say(write_instant(until)) if until else write_day(None),
        "opened": write_day(local_day(chapter.at)),
        "has_catalogue": round_.catalogue is not None,
        "amendments": [{"amended_on": write_day(local_day(one.at)), "reason": event.reason} for one, event in amended],
        "has_scheme": scheme is not None,
        "per_organisation": str(scheme.bidding.per_organisation) if scheme else "",
        "is_joint": scheme is not None and scheme.bidding.joint,
        "cap": write_amount(scheme.bidding.cap_fen) if scheme and scheme.bidding.cap_fen else "",
        "minimum_rating": (scheme.bidding.minimum_rating or "") if scheme else "",
        "blacklist_years": str(scheme.bidding.blacklist_years) if scheme else "",
        "match_min": str(scheme.budget.match_min) if scheme and scheme.budget.match_min else "",
        "personnel_max": str(scheme.budget.personnel_max) if scheme else "",
        "administration_max": str(scheme.budget.administration_max) if scheme else "",
        "forbidden": "、".join(map(dossier.word, scheme.budget.forbidden)) if scheme else "",
        "completion_wd": str(scheme.bidding.completion_wd) if scheme else "",
        "seats": str(scheme.review.panel) if scheme else "",
        "line": str(scheme.review.line) if scheme else "",
        "publicity_wd": str(scheme.publicity.working_days) if scheme else "",
        "signing_wd": str(scheme.contract.signing_wd) if scheme else "",
    }
    rubric = draw_table(
        dossier,
        (("評審項目", 3, False), ("分值", 1, True)),
        ((dossier.word(name), str(points)) for name, points in (scheme.review.rubric if scheme else {}).items()),
    )
    needs = draw_table(
        dossier,
        (("序號", 1, True), ("需求編號", 4, False)),
        ((str(n), need) for n, need in enumerate(sorted(round_.catalogue or ()), start=1)),
    )
    return PaperDraft(local_day(chapter.at), facts, {"rubric": rubric, "needs": needs})


def _draft_posting(dossier: Dossier, chapter: Chapter, event: RoundResolved, _before: State) -> PaperDraft:
    scheme, day = dossier.scheme, local_day(chapter.at)
    rows = []
    for n, one in enumerate(event.selected, start=1):
        bid = dossier.bids.get(one.application)
        application = bid.part(Application) if bid else Application(title=one.application)
        rows.append((str(n), *posting.write_row(dossier, one.project, application, one.award)))
    total = sum(one.award for one in event.selected)
    facts: dict[str, Fact] = {
        "contact": event.contact or "",
        "count": str(len(event.selected)),
        "total": write_amount(total),
        "publicity_wd": str(scheme.publicity.working_days) if scheme else "",
    }
    columns = (("序號", 2, True), *posting.COLUMNS)
    return PaperDraft(day, facts, {"projects": draw_table(dossier, columns, rows)})


KINDS = (
    PaperKind(
        name="needs-notice",
        zh="需求徵集通知",
        en="notice of needs",
        of="round",
        layout=Layout.OFFICIAL,
        event=NeedSolicitationOpened,
        draft=_draft_needs,
    ),
    PaperKind(
        name="call",
        zh="申報通知",
        en="call for applications",
        of="round",
        layout=Layout.OFFICIAL,
        event=CallPublished,
        draft=_draft_call,
    ),
    PaperKind(
        name="round-posting",
        zh="擬立項項目公示",
        en="public notice of proposed awards",
        of="round",
        layout=Layout.PLAIN,
        event=RoundResolved,
        draft=_draft_posting,
    ),
)
