"""Who may review: somebody on the seat, once, with no part in the bids and no stake in a bidder (RP01, P4, SD5, SD6).

Judged of whoever was drawn, came in, scored, or was passed over, from the registers' own events and the streams' own
sides; what the roster says of an expert is ``draws``'. And whoever reviewed confirms no award (SD6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audit.invariants.draws import OF_THE_ROSTER, find_bar
from audit.invariants.interests import find_months, find_register, list_stakes
from audit.invariants.offices import LIVE
from audit.invariants.wording import call_seat, or_else

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from audit.invariants.offices import Offices
    from audit.invariants.realm import Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent

_OFFICERS: Final = frozenset({"bureau", "HOST", "DCAB"})
"""Sides on which officers of the round stand; all others have an interest of their own."""


@dataclass(frozen=True)
class _Bench:
    """Who could sit, as things stood when the event happened."""

    realm: Realm
    live: Realm
    offices: Offices
    event: RecordedEvent
    register: str

    def find_holder(self, seat: str) -> str | None:
        """Whose the reviewer's seat was; None where the register has nobody there."""
        stays = self.offices.stays[self.register, _expert(seat)]
        return next((s.person for s in stays if not s.basis and s.is_at(self.event.at)), None)

    def is_known(self, seat: str) -> bool:
        """Whether the register has that seat; on the wall clock it must."""
        registers = self.live if self.register == LIVE else self.realm
        return _expert(seat) in registers.seats or (self.register == LIVE and bool(self.event.persons))

    def list_bars(self, seat: str, beside: Iterable[str]) -> list[str]:
        """The rules by which nobody reviews from that seat beside these."""
        holder = self.find_holder(seat)
        if holder is None:
            return ["RP01"] if self.is_known(seat) else []
        panel = self.realm.panels[self.event.name]
        bars = ["P4"] if holder in {self.find_holder(other) for other in beside if other != seat} else []
        bars += self.list_parts(frozenset({holder}), panel.bidders)
        bidders = frozenset().union(*panel.bidders.values())
        registers, months = (self.realm, self.live, self.offices), find_months(self.realm, self.event)
        if list_stakes(registers, self.register, frozenset({holder}), self.event, months) & bidders:
            bars.append("SD5")
        return bars

    def list_parts(self, persons: frozenset[str], bids: Iterable[str]) -> list[str]:
        """SD6 of whoever managed the round or one of the bids, SD5 of whoever acted in one for anybody else."""
        of_realm, panel = self.event.realm, self.realm.panels[self.event.name]
        managed = set(self.realm.sides.get(f"round/{of_realm}/{panel.round}", ()))
        acted = set[str]()
        for bid in bids:
            for person, side in self.realm.sides.get(f"project/{of_realm}/{bid}", {}).items():
                (managed if side in _OFFICERS else acted).add(person)
        return [rule for rule, those in (("SD6", managed), ("SD5", acted)) if persons & those]


def check_reviewers(require: Conditions, realm: Realm, live: Realm, offices: Offices, event: RecordedEvent) -> None:
    """Judge who came to review by that event, once the panel has it."""
    if event.type == "AwardConfirmed":
        _require_no_reviewer(require, realm, event)
    if event.kind != "panel":
        return
    panel, bench = realm.panels[event.name], _Bench(realm, live, offices, event, find_register(offices, event))
    match event.type:
        case "PanelDrawn":
            for seat in panel.seated:
                _require_fit(require, bench, seat, panel.seated)
            passed = event.part("opening").get("passed_over")
            if isinstance(passed, dict):
                _require_barred(require, bench, panel.seated, {str(seat): str(rule) for seat, rule in passed.items()})
        case "ReviewerRecused" if event.text("in"):
            _require_fit(require, bench, event.text("in"), panel.seated)
            _require_next(require, bench, event.text("in"), event.text("out"))
        case "ScoreSubmitted":
            for rule in ("SD5", "SD6"):
                require(
                    rule not in bench.list_parts(event.persons, [event.text("application")]),
                    rule,
                    "{actor} 的經辦人經手過 {file} 或其屆次，不得評審",
                    "whoever acts as {actor} had a part in {file} or its round, and may not review it",
                    actor=call_seat(event.actor),
                    file=event.text("application"),
                )
        case _:
            return


def _require_no_reviewer(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """SD6: whoever confirms the award scored nothing."""
    took_part = realm.panels[realm.project(event.name).panel].took_part
    require(
        not any(event.hand.is_same(one) for one in took_part if one.actor.startswith("EXPERT#")),
        "SD6",
        "{actor} 參與過評審，又確認立項",
        "{actor} took part in the review and confirmed the award",
        actor=call_seat(event.actor),
    )


def _require_fit(require: Conditions, bench: _Bench, seat: str, beside: Collection[str]) -> None:
    bars = bench.list_bars(seat, beside)
    require(
        not bars,
        bars[0] if bars else "P4",
        "{expert} 依 {bars} 不得評審，而在席",
        "{expert} is barred by {bars}, and sits",
        expert=call_seat(_expert(seat)),
        bars=bars,
    )


def _require_barred(require: Conditions, bench: _Bench, seated: list[str], passed: dict[str, str]) -> None:
    """P7: for what is said of those passed over there is a reason in the log; those of the roster, ``draws`` asks."""
    for seat, rule in passed.items():
        bars = [rule] if rule in OF_THE_ROSTER else bench.list_bars(seat, seated)
        require(
            rule in bars,
            "P7",
            "{expert} 依 {rule} 未到席，日誌所載為 {bars}",
            "{expert} was passed over by {rule}; the log has {bars}",
            expert=call_seat(_expert(seat)),
            rule=rule,
            bars=or_else(bars, "可到席", "fit"),
        )


def _require_next(require: Conditions, bench: _Bench, substitute: str, out: str) -> None:
    """P7: whoever was drawn before the substitute sits, was recused, or may not sit."""
    panel, day = bench.realm.panels[bench.event.name], bench.event.day
    roster = str((panel.committed or {}).get("roster"))
    before = panel.ranking[: panel.ranking.index(substitute)] if substitute in panel.ranking else []
    staying = [seat for seat in panel.seated if seat != substitute]
    for seat in (one for one in before if one not in {out, *staying, *panel.barred}):
        require(
            find_bar(bench.realm, panel, roster, seat, day) or bench.list_bars(seat, staying),
            "P7",
            "遞補應為 {expert}，其序在先",
            "the substitute is {expert}, who was drawn before",
            expert=call_seat(_expert(seat)),
        )


def _expert(seat: str) -> str:
    return f"EXPERT#{seat[1:]}"
