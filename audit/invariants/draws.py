"""Draws that anybody can repeat: the roster as it stood, the seed committed to, the order that follows (P7)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from audit.invariants.panels import LAPSING
from audit.invariants.recorded_events import months_on, to_date, to_instant, whole
from audit.invariants.wording import or_else

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from audit.invariants.realm import Panel, Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent

OF_THE_ROSTER: Final = frozenset({"ER02", "P1"})
"""Rules by which the roster itself keeps an expert from a draw; others are those of seats and persons (SE12, SD14)."""


def note_experts_entered(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """One expert has one place."""
    roster, experts = realm.rosters[event.name], event.texts("experts")
    twice = roster.experts.intersection(experts)
    require(not twice and len(set(experts)) == len(experts), "P7", "專家重複入冊", "an expert entered twice")
    roster.experts.update(experts)


def note_expert_suspended(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Not to be drawn until a day, or at all."""
    roster, expert = realm.rosters[event.name], event.text("expert")
    require(expert in roster.experts, "P7", "{expert} 不在名冊", "{expert} is not on the roster", expert=expert)
    roster.suspended[expert] = to_date(event.data.get("until"))


def note_expert_reinstated(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The expert may be drawn again."""
    realm.rosters[event.name].suspended.pop(event.text("expert"), None)


def note_expert_removed(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The expert is on the roster no more."""
    realm.rosters[event.name].experts.discard(event.text("expert"))
    realm.rosters[event.name].suspended.pop(event.text("expert"), None)


def note_expert_tie(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """What ties an expert to an organisation."""
    key = (event.text("expert"), event.text("organisation"), event.text("kind"))
    realm.rosters[event.name].ties[key] = to_date(event.data.get("ended_on"))


def find_bar(realm: Realm, panel: Panel, roster_name: str, expert: str, day: date) -> str:
    """The rule that keeps the expert from being drawn that day, by the roster alone."""
    roster = realm.rosters[roster_name]
    until = roster.suspended.get(expert)
    if expert not in roster.experts or (expert in roster.suspended and (until is None or day <= until)):
        return "ER02"
    months = realm.rules_of_round(panel.round).number("review.recusal_months")
    bidders = {name for names in panel.bidders.values() for name in names}
    for (of, organisation, kind), ended in roster.ties.items():
        if (
            of == expert
            and organisation in bidders
            and (ended is None or kind not in LAPSING or day <= months_on(ended, months))
        ):
            return "P1"
    return ""


def check_draw_committed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """P7: who can be drawn is who the roster has, and no other draw runs for these applications."""
    panel, roster = realm.panels[event.name], event.text("roster")
    panel.round, panel.committed = event.text("round"), event.data
    panel.bidders = {name: realm.project(name).bidders for name in event.texts("applications")}
    pool = event.texts("pool")
    expected = {
        expert for expert in realm.rosters[roster].experts if not find_bar(realm, panel, roster, expert, event.day)
    }
    require(
        set(pool) == expected and len(set(pool)) == len(pool),
        "P7",
        "可抽專家與名冊 {roster} 不符：{strays}",
        "who can be drawn is not who {roster} has: {strays}",
        roster=roster,
        strays=sorted(set(pool) ^ expected),
    )
    require(
        event.text("pool_digest") == _digest(pool),
        "P7",
        "可抽專家的 SHA-256 不符",
        "the SHA-256 of who can be drawn is another",
    )
    at = to_instant(event.data.get("public_at"))
    require(at is not None and at > event.at, "P7", "公開時刻不在承諾之後", "the public moment lay behind")
    for name in event.texts("applications"):
        require(
            name not in realm.draws, "P7", "{name} 已有承諾", "a draw for {name} was committed to already", name=name
        )
        realm.draws[name] = event.name


def note_draw_abandoned(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The applications may be drawn for again."""
    _free(realm, event.name)


def _free(realm: Realm, panel: str) -> None:
    realm.draws = {name: of for name, of in realm.draws.items() if of != panel}


def check_draw_opened(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """P7: the seed committed to, opened after the public moment, and the panel that follows from both."""
    panel, opening = realm.panels[event.name], event.part("opening")
    if not opening:
        by_hand = realm.rules_of_round(panel.round)["review.verifiable_draw"] is not True
        require(by_hand, "P7", "未經承諾而抽取", "drawn without a commitment")
        return
    committed = panel.committed or {}
    seed, value, at = str(opening.get("seed")), str(opening.get("public_value")), committed.get("public_at")
    moment = to_instant(at)
    require(
        sha256(seed.encode()).hexdigest() == committed.get("commitment"),
        "P7",
        "種子不是所承諾者",
        "the seed is not the one committed to",
    )
    require(moment is not None and event.at >= moment, "P7", "公開時刻之前開啟", "opened before the public moment")
    ranking = _rank(seed, value, [str(one) for one in committed.get("pool") or ()])
    require(opening.get("ranking") == ranking, "P7", "抽取次序不可復算", "the order drawn is another")
    roster, passed = str(committed.get("roster")), opening.get("passed_over") or {}
    seated = [one for one in ranking if one not in passed][: whole(committed.get("places"))]
    require(event.texts("seats") == seated, "P7", "應為 {seated}", "it is {seated}", seated=seated)
    _require_passed(require, realm, panel, event, (roster, passed, [*seated, *passed]))
    panel.ranking = ranking
    _free(realm, event.name)


def _require_passed(
    require: Conditions,
    realm: Realm,
    panel: Panel,
    event: RecordedEvent,
    of: tuple[str, Mapping[str, Any], Iterable[str]],
) -> None:
    """Whom the roster keeps away was passed over, and nobody else for such a reason."""
    roster, passed, experts = of
    for expert in experts:
        bar, reason = find_bar(realm, panel, roster, expert, event.day), str(passed.get(expert, ""))
        require(
            reason == bar if bar or reason in OF_THE_ROSTER else True,
            "P7",
            "{expert} 依名冊為 {bar}，所記為 {said}",
            "{expert}: the roster says {bar}, the draw {said}",
            expert=expert,
            bar=or_else(bar, "可到席", "fit"),
            said=or_else(reason, "到席", "seated"),
        )


def check_substitute(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """P7: a substitute of a draw comes from those who could be drawn."""
    panel, substitute = realm.panels[event.name], event.text("in")
    require(
        not panel.ranking or not substitute or substitute in panel.ranking,
        "P7",
        "{substitute} 不在抽取次序內",
        "{substitute} was not among those drawn from",
        substitute=substitute,
    )


def _rank(seed: str, value: str, pool: list[str]) -> list[str]:
    key = "\n".join((seed, value, _digest(pool), ""))
    return sorted(pool, key=lambda one: sha256((key + one).encode()).hexdigest())


def _digest(pool: list[str]) -> str:
    return sha256("\n".join(sorted(pool, key=lambda one: int(one[1:]))).encode()).hexdigest()


CHECKS: Final[Mapping[str, Any]] = {
    "ExpertsEntered": note_experts_entered,
    "ExpertSuspended": note_expert_suspended,
    "ExpertReinstated": note_expert_reinstated,
    "ExpertRemoved": note_expert_removed,
    "ExpertTieRecorded": note_expert_tie,
    "DrawCommitted": check_draw_committed,
    "DrawAbandoned": note_draw_abandoned,
}
AFTER: Final[Mapping[str, Any]] = {
    "PanelDrawn": check_draw_opened,
    "ReviewerRecused": check_substitute,
}
"""What is asked of an event once the module that it is of has seen it."""
