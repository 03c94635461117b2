"""Panels: who may sit and score, and how many (P1, P4)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from audit.invariants.recorded_events import Hand, months_on, to_date, to_number, whole
from audit.invariants.rules import require_criteria
from audit.invariants.wording import call_seat, word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit.invariants.realm import Panel, Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent
    from audit.invariants.rules import Rules

LAPSING = frozenset({"EMPLOYMENT_24M", "BOARD_24M", "PAYMENT_24M"})
"""Ties that time heals."""
_FEWEST_TO_DROP = 5
_CENT = Decimal("0.01")


def check_panel_drawn(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """P4: odd, as many as the rules ask for, nobody twice."""
    panel = realm.panels[event.name]
    panel.round, panel.seated = event.text("round"), event.texts("seats")
    panel.bidders = {name: realm.project(name).bidders for name in event.texts("applications")}
    rules = realm.rules_of_round(panel.round)
    least = rules.number("review.panel")
    declaration, defence = rules["review.declaration"] is True, rules["review.defence"] is not None
    require(
        (event.data.get("declaration") is True, event.data.get("defence") is True) == (declaration, defence),
        "P4",
        "所記的聲明、答辯與管理辦法不符",
        "the record of declarations and defence is not that of the rules",
    )
    require(
        len(set(panel.seated)) == len(panel.seated) and len(panel.seated) >= least,
        "P4",
        "席位 {seated}，須至少 {least} 位不同專家",
        "the seats are {seated}; {least} different experts are needed",
        seated=panel.seated,
        least=least,
    )
    _require_odd(require, panel)
    panel.took_part.add(event.hand)


def _require_odd(require: Conditions, panel: Panel) -> None:
    seats = len(panel.seated)
    require(
        seats % 2 == 1, "P4", "評審專家組 {seats} 人，為偶數", "the panel has {seats} seats, which is even", seats=seats
    )


def check_conflict_declared(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """P1: a tie to a bidder bars, unless it ended long enough ago."""
    panel, ended = realm.panels[event.name], to_date(event.data.get("ended_on"))
    months = realm.rules_of_round(panel.round).number("review.recusal_months")
    holds = ended is None or event.text("kind") not in LAPSING or event.day <= months_on(ended, months)
    bids = any(event.text("organisation") in names for names in panel.bidders.values())
    bars = bids and holds
    require(
        event.data.get("bars") is bars,
        "P1",
        "利害關係{due}回避，所記相反",
        "the interest {due}; the record says otherwise",
        due=word("應構成", "bars") if bars else word("不構成", "does not bar"),
    )
    panel.hands.setdefault(_seat(event.actor), set()).update(event.persons)
    if bars:
        panel.barred.add(_seat(event.actor))


def check_impartiality_declared(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """P1: who says to have no interest sits there and has declared none, on whatever seat."""
    panel, seat = realm.panels[event.name], _seat(event.actor)
    others = {other for other, persons in panel.hands.items() if other != seat and persons & event.persons}
    require(
        seat in panel.seated and panel.barred.isdisjoint({seat, *others}),
        "P1",
        "{actor} 不在席或須回避而聲明無利害關係",
        "{actor} declared no interest without a seat, or with an interest",
        actor=call_seat(event.actor),
    )
    panel.hands.setdefault(seat, set()).update(event.persons)
    panel.cleared.add(seat)


def _seat(actor: str) -> str:
    return f"E{actor.partition('#')[2]}"


def check_reviewer_recused(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """P1: recusal precedes scores, and nobody barred comes in. P4: odd afterwards."""
    panel, out, substitute = realm.panels[event.name], event.text("out"), event.text("in")
    require(
        not any(panel.sheets.values()),
        "P1",
        "{out} 於評分後回避",
        "{out} was recused after scores were in",
        out=out,
    )
    require(
        substitute not in panel.barred and substitute != out,
        "P1",
        "{substitute} 已回避，又行遞補",
        "{substitute} is barred and came in again",
        substitute=substitute,
    )
    require(
        out in panel.seated and substitute not in panel.seated,
        "P4",
        "{out} 不在席，或 {substitute} 已在席",
        "{out} is not seated, or {substitute} is already",
        out=out,
        substitute=substitute,
    )
    panel.seated = [seat for seat in panel.seated if seat != out] + ([substitute] if substitute else [])
    panel.barred.add(out)
    panel.took_part.add(event.hand)
    _require_odd(require, panel)


def check_score_submitted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """P1: who scores sits on the panel, has no interest in any bidder, and has said so where asked; one sheet each."""
    panel, seat, application = realm.panels[event.name], _seat(event.actor), event.text("application")
    others = {other for other, persons in panel.hands.items() if other != seat and persons & event.persons}
    require(
        seat in panel.seated and panel.barred.isdisjoint({seat, *others}),
        "P1",
        "{actor} 不在席或須回避而評分",
        "{actor} scored without a seat, or with an interest",
        actor=call_seat(event.actor),
    )
    rules = realm.rules_of_round(panel.round)
    require(
        rules["review.declaration"] is not True or seat in panel.cleared,
        "P1",
        "{actor} 未聲明無利害關係而評分",
        "{actor} scored without declaring to have no interest",
        actor=call_seat(event.actor),
    )
    spoken = panel.heard is not None
    sheets = (panel.defences if spoken else panel.sheets).setdefault(application, {})
    require(
        bool(event.data.get("defence")) == spoken
        and application in (panel.bidders if panel.heard is None else panel.heard)
        and sheets.keys().isdisjoint({seat, *others}),
        "P4",
        "{application} 不在本組，或 {seat} 的經辦人已評過",
        "{application} is not before this panel, or whoever acts as {seat} has scored it",
        application=application,
        seat=call_seat(seat),
    )
    panel.hands.setdefault(seat, set()).update(event.persons)
    mark = sheets[seat] = to_number(event.data.get("mark"))
    require_criteria(require, "P4", event, mark, rules["review.rubric"] or {})
    panel.took_part.add(event.hand)


def check_defence_listed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """P4: after every written sheet, those that reach the line and no others, by the weight of the rules."""
    panel = realm.panels[event.name]
    rules = realm.rules_of_round(panel.round)
    defence = rules["review.defence"] or {}
    heard = event.texts("heard")
    due = {name for name in panel.bidders if _mean(panel.sheets.get(name, {}), rules) >= whole(defence.get("line"))}
    least = rules.number("review.panel")
    require(
        panel.heard is None
        and set(heard) == due
        and whole(event.data.get("weight")) == defence.get("weight")
        and all(len(panel.sheets.get(name, {})) >= least for name in panel.bidders),
        "P4",
        "入圍答辯 {heard}，應為 {due}",
        "{heard} were listed for the defence; it is {due}",
        heard=sorted(heard),
        due=sorted(due),
    )
    panel.heard = list(heard)
    panel.took_part.add(event.hand)


def _mean(sheets: Mapping[str, Decimal], rules: Rules) -> Decimal:
    """What the sheets come to, half up to two decimals; nothing without one."""
    marks = sorted(sheets.values())
    drop = rules["review.drop_extremes"] is True
    counted = marks[1:-1] if drop and len(marks) >= _FEWEST_TO_DROP else marks
    return (sum(counted, Decimal(0)) / max(len(counted), 1)).quantize(_CENT, ROUND_HALF_UP)


def check_review_report_issued(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """P1, P4: nobody barred is seated; enough sheets; and the marks are what the sheets add up to."""
    panel = realm.panels[event.name]
    rules = realm.rules_of_round(panel.round)
    barred = sorted(panel.barred.intersection(panel.seated))
    require(
        not barred,
        "P1",
        "{barred} 須回避而在席",
        "barred and seated: {barred}",
        barred=barred,
    )
    _require_odd(require, panel)
    panel.results = {str(name): to_number(mark) for name, mark in event.part("results").items()}
    panel.reported = True
    panel.took_part.add(event.hand)
    if event.data.get("on_paper") is True:
        panel.took_part.update(Hand(f"EXPERT#{seat[1:]}", frozenset()) for seat in panel.seated)
    else:
        _require_means(require, panel, rules)
    _require_bonuses(require, realm, panel, event)


def _require_bonuses(require: Conditions, realm: Realm, panel: Panel, event: RecordedEvent) -> None:
    """D5: what was applied for a bidder counts while its rating is valid on the day of the report, and no longer."""
    worth = realm.rules_of_round(panel.round)["bidding.rating_bonus"] or {}
    bonuses = event.part("bonuses")
    for name in panel.bidders:
        bidder = realm.organisations[realm.project(name).organisation]
        applied = bidder.bonuses.get(panel.round, 0)
        earned = min(applied, whole(worth.get(bidder.level(event.day) or "")))
        points = whole(bonuses.get(name, 0))
        require(
            points == earned,
            "D5",
            "{name} 加分 {points}，應為 {earned}",
            "{name} got {points}; it is {earned}",
            name=name,
            points=points,
            earned=earned,
        )


def _require_means(require: Conditions, panel: Panel, rules: Rules) -> None:
    """P4: each mark is what the sheets come to; of two stages, by the weight that the rules give the defence."""
    least, defence = max(rules.number("review.panel"), 1), rules["review.defence"]
    require(defence is None or panel.heard is not None, "P4", "未列答辯名單", "nobody was listed for the defence")
    for name in panel.bidders:
        stages = [panel.sheets, *([panel.defences] if name in (panel.heard or ()) else [])]
        fewest = min(len(stage.get(name, {})) for stage in stages)
        require(
            fewest >= least,
            "P4",
            "{name} 只有 {sheets} 份評分",
            "{name} has {sheets} sheets only",
            name=name,
            sheets=fewest,
        )
        if not fewest:
            continue
        mean = _mean(panel.sheets[name], rules)
        if defence is not None:
            weight = whole(defence.get("weight"))
            spoken = _mean(panel.defences.get(name, {}), rules)
            mean = ((mean * (100 - weight) + spoken * weight) / 100).quantize(_CENT, ROUND_HALF_UP)
        require(
            panel.results.get(name) == mean,
            "P4",
            "{name} 得分記為 {result}，評分表合計為 {mean}",
            "{name} is recorded at {result}; its sheets come to {mean}",
            name=name,
            result=panel.results.get(name),
            mean=mean,
        )


CHECKS = {
    "PanelDrawn": check_panel_drawn,
    "ConflictDeclared": check_conflict_declared,
    "ImpartialityDeclared": check_impartiality_declared,
    "ReviewerRecused": check_reviewer_recused,
    "ScoreSubmitted": check_score_submitted,
    "DefenceListed": check_defence_listed,
    "ReviewReportIssued": check_review_report_issued,
}
