"""What a city's lists and shares ask for: words that stand in them, money kept for whom it is for (K1, M11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from audit.invariants.realm import Need
from audit.invariants.recorded_events import whole
from audit.invariants.rules import Rules
from audit.invariants.wording import call, call_amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audit.invariants.realm import Project, Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent

_CODED: Final[Mapping[str, Mapping[str, str]]] = {
    "NeedSolicitationOpened": {"theme": "themes"},
    "ApplicationSubmitted": {"fields": "fields"},
    "ProjectOpened": {"fields": "fields"},
    "ActivityRecorded": {"field": "fields", "group": "groups", "outcomes": "outcomes"},
    "ClientServed": {"group": "groups"},
    "DeliberationConcluded": {"outcomes": "outcomes"},
    "OrganisationClassified": {"kinds": "organisation_kinds"},
}
"""Events, their fields that are said in words of the city, and the list that each word stands in."""
_LIST_OF_ASIDE: Final = {"FIELD": "fields", "THEME": "themes", "ORGANISATION_KIND": "organisation_kinds"}


def check_codes(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """K1: every word of the city stands in the list of the rules that hold, if they keep one."""
    if event.type == "ApplicationSubmitted":
        served = event.part("beneficiaries").get("groups", ())
        _require_listed(require, _rules_for(realm, event), "groups", map(str, served))
    for name, codelist in _CODED.get(event.type, {}).items():
        codes = event.texts(name) or ([event.text(name)] if event.text(name) else [])
        _require_listed(require, _rules_for(realm, event), codelist, codes)


def _rules_for(realm: Realm, event: RecordedEvent) -> Rules:
    match event.kind:
        case "project":
            return realm.rules(realm.project(event.name))
        case "round":
            return realm.rules_of_round(event.name)
        case _:
            return _cited(realm, event)


def _cited(realm: Realm, event: RecordedEvent) -> Rules:
    """The rules that the event names itself."""
    scheme = event.part("scheme")
    return realm.schemes.get((str(scheme.get("name")), whole(scheme.get("version"))), Rules())


def _require_listed(require: Conditions, rules: Rules, codelist: str, codes: Iterable[str]) -> None:
    lists = rules["codelists"] or {}
    terms = lists.get(codelist)
    if terms is None:
        return
    names = {str(term.get("name")) for term in terms}
    strays = sorted(set(codes) - names)
    require(
        not strays,
        "K1",
        "{strays} 不在代碼表 {codelist}",
        "not in the list {codelist}: {strays}",
        strays=strays,
        codelist=call("codelist", codelist),
    )


# ---------------------------------------------------------------- set-asides


def note_round_budget(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M11: what is set aside, of the lists and within the budget."""
    asides = event.data.get("set_asides")
    round_ = realm.rounds[event.name]
    if isinstance(asides, list):
        round_.asides = {(str(a.get("by")), str(a.get("value"))): whole(a.get("least")) for a in asides}
        for by, value in round_.asides:
            _require_listed(require, realm.rules_of_round(event.name), _LIST_OF_ASIDE[by], [value])
        require(len(round_.asides) == len(asides), "M11", "預留份額重複", "a set-aside is listed twice")
    _require_reserve(require, realm, event.name)


def note_need(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Which round a need is of, and what it says it falls under."""
    need = realm.needs.setdefault(event.name, Need())
    need.round = event.text("round") or need.round
    need.theme = event.text("theme") or need.theme
    if "fields" in event.data:
        need.fields = frozenset(event.texts("fields"))


def check_need_adopted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """K1: adopted, it stands under fields and a theme of the city."""
    note_need(require, realm, event)
    need = realm.needs[event.name]
    rules = realm.rules_of_round(need.round)
    _require_listed(require, rules, "fields", need.fields)
    _require_listed(require, rules, "themes", {need.theme} - {""})


def check_reserve(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M11: an award leaves what is set aside for others, and counts towards what is set aside for it."""
    project = realm.project(event.name)
    round_ = realm.rounds[project.round]
    for trait in _traits(realm, project):
        if trait in round_.asides:
            round_.counted[trait][project.name] = project.award
    _require_reserve(require, realm, project.round)


def free_reserve(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """An award that is taken back counts no more."""
    if event.type == "ObjectionUpheld" and event.text("remedy") != "DISQUALIFY":
        return
    project = realm.project(event.name)
    for counted in realm.rounds[project.round].counted.values():
        counted.pop(project.name, None)


def _traits(realm: Realm, project: Project) -> set[tuple[str, str]]:
    traits = {("FIELD", name) for name in project.fields}
    theme = realm.needs[project.answer].theme if project.answer in realm.needs else ""
    traits |= {("THEME", theme)} if theme else set()
    for name in project.bidders:
        traits |= {("ORGANISATION_KIND", kind) for kind in realm.organisations[name].kinds}
    return traits


def _require_reserve(require: Conditions, realm: Realm, name: str) -> None:
    round_ = realm.rounds[name]
    if not round_.asides or round_.budget is None:
        return
    kept = sum(max(least - sum(round_.counted[trait].values()), 0) for trait, least in round_.asides.items())
    require(
        round_.awarded + kept <= round_.budget,
        "M11",
        "{name} 預算 {budget}，已立項 {awarded}，尚須預留 {kept}",
        "{name} has {budget}, {awarded} is awarded and {kept} must be kept",
        name=name,
        budget=call_amount(round_.budget),
        awarded=call_amount(round_.awarded),
        kept=call_amount(kept),
    )


def note_kinds(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Of what kinds an organisation is."""
    realm.organisations[event.name].kinds = frozenset(event.texts("kinds"))


CHECKS: Final[Mapping[str, Any]] = {"OrganisationClassified": note_kinds}
"""Events that only this module knows."""
AFTER: Final[Mapping[str, Any]] = {
    "RoundBudgetApproved": note_round_budget,
    "NeedSubmitted": note_need,
    "NeedAdopted": check_need_adopted,
    "AwardProposed": check_reserve,
    "ProjectOpened": check_reserve,
    "AwardDeclined": free_reserve,
    "AwardRevoked": free_reserve,
    "ContractSigningLapsed": free_reserve,
    "ObjectionUpheld": free_reserve,
}
"""What is asked of an event once the module that it is of has seen it."""
