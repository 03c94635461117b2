"""Names that last, networks, events of programmes, cases: of what is on record, in lines and levels (C1, C4)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from audit.invariants.recorded_events import to_date, whole
from audit.invariants.rules import Rules
from audit.invariants.wording import call, call_amount, call_seat, or_else

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit.invariants.realm import Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent

_ABOVE: Final = {"COMMITTEE": "", "STATION": "COMMITTEE", "GUIDANCE": "STATION", "SECTOR": "COMMITTEE"}
"""Level of a node and the level of the node that it hangs from (CZ-3)."""
_KINDS: Final = {"AP": "project", "PJ": "project", "ORG": "organisation", "BASE": "base"}


def _is_known(realm: Realm, kind: str, name: str) -> bool:
    return (kind, name) in realm.known or (kind == "project" and name in realm.numbers)


def check_designation_granted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """DG01: to what is on record, in a line of its own kind; steps are a method's."""
    kind = event.text("kind")
    for holder in event.texts("holders"):
        of = _KINDS.get(holder.partition("-")[0]) if "-" in holder else None
        known = _is_known(realm, of or "scheme", holder)
        require(known, "DG01", "{holder} 未建檔而獲認定", "{holder} holds it and is not on record", holder=holder)
    before, steps = event.text("continues"), event.part("steps")
    require(
        not before or realm.designations.get(before, ("", {}))[0] == kind,
        "DG01",
        "{before} 不是 {kind}",
        "{before} is no {kind}",
        before=before,
        kind=call("designation", kind),
    )
    require(bool(steps) == (kind == "METHOD"), "DG01", "步驟與類別不符", "steps are a method's and nothing else's")
    realm.designations[event.name] = (kind, steps)


def check_method(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T10: every step of the method that a contract follows is one of its milestones (FZ-9)."""
    method = event.text("method")
    if not method:
        return
    kind, steps = realm.designations.get(method, ("", {}))
    require(kind == "METHOD", "T10", "{method} 不是方法模板", "{method} is no method", method=method)
    milestones = event.part("milestones")
    for name, step in steps.items():
        term = milestones.get(name) or {}
        due = (event.day + timedelta(days=whole(step.get("days")))).isoformat()
        require(
            name in milestones and (term.get("due") == due or term.get("title") != step.get("title")),
            "T10",
            "方法步驟 {name} 未成為里程碑",
            "the step {name} of the method is no milestone",
            name=name,
        )


def check_occasion_held(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """EV01: of a programme on record, by organisations on record, on a day that has come."""
    held_on = to_date(event.data.get("held_on")) or event.day
    programme, base = event.text("programme"), event.text("base")
    organisations = {*event.texts("guests"), event.text("implementer")} - {""}
    unknown = sorted(name for name in organisations if not realm.organisations[name].verified)
    require(
        held_on <= event.day
        and _is_known(realm, "scheme", programme)
        and (not base or _is_known(realm, "base", base))
        and not unknown,
        "EV01",
        "{held_on} 的活動，計劃 {programme}、基地 {base}、未核驗組織 {unknown}",
        "held on {held_on} for {programme} at {base}, not on record: {unknown}",
        held_on=held_on,
        programme=programme,
        base=or_else(base, "無", "no base"),
        unknown=unknown,
    )


def check_node_established(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """NW01: a node hangs from one of the level above, and is hosted by a base on record."""
    level, base = event.text("level"), event.text("base")
    above = realm.nodes.get(event.text("parent"), "")
    require(
        above == _ABOVE.get(level) and (not base or _is_known(realm, "base", base)),
        "NW01",
        "{level} 的上級為 {above}，所在基地 {base}",
        "the {level} hangs from {above}, hosted by {base}",
        level=call("node", level),
        above=or_else(above, "無", "nothing"),
        base=or_else(base, "無", "nobody"),
    )
    realm.nodes[event.name] = level


def note_node_closed(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """A service node was closed."""
    realm.nodes.pop(event.name, None)


def check_network_stated(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """C1: the stated tiers add up to the stated total; how many there are is compared at the end of the log."""
    bases = {str(tier): whole(count) for tier, count in event.part("bases").items()}
    total = whole(event.data.get("total"))
    require(
        sum(bases.values()) == total,
        "C1",
        "{bases} 合計不是 {total}",
        "{bases} do not add up to {total}",
        bases=bases,
        total=total,
    )
    realm.stated = bases


def check_services_offered(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """BS06: what a base offers is in the city's catalogue of its tier."""
    scheme = event.part("scheme")
    rules = realm.schemes.get((str(scheme.get("name")), whole(scheme.get("version"))), Rules())
    lines = (rules["bases"] or {}).get("services")
    if lines is None:
        return
    tier = realm.bases.get(event.name, "")
    catalogue = {str(service) for line in lines if line.get("tier") == tier for service in line.get("services", ())}
    strays = sorted(set(event.texts("services")) - catalogue)
    require(
        not strays,
        "BS06",
        "{strays} 不在 {tier} 的目錄",
        "not in the catalogue of {tier}: {strays}",
        strays=strays,
        tier=call("tier", tier),
    )


def note_base_assessed(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The grade that support rests on."""
    realm.grades[event.name] = event.text("grade")


def check_support(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """C4: a base is supported by what its tier and grade earn, where the rules have a table (CZ-9)."""
    base = str(event.part("support").get("base", "")) or event.text("base")
    table = (realm.rules(realm.project(event.name))["bases"] or {}).get("allocation") if base else None
    if table is None:
        return
    earned = [
        whole(line.get("each"))
        for line in table
        if (line.get("tier"), line.get("grade")) == (realm.bases.get(base), realm.grades.get(base))
    ]
    require(
        earned[:1] == [event.fen("award")],
        "C4",
        "{base} 應得 {earned}，立項 {award}",
        "{base} earns {earned}; {award} is awarded",
        base=base,
        earned=map(call_amount, earned),
        award=call_amount(event.fen("award")),
    )


def check_case_opened(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """AC01: about what is on record."""
    project, organisation = event.text("project"), event.text("organisation")
    require(
        (project or organisation)
        and (not project or _is_known(realm, "project", project))
        and (not organisation or _is_known(realm, "organisation", organisation)),
        "AC01",
        "案件所涉 {of} 未建檔",
        "a case about {of}, which is not on record",
        of=or_else(project or organisation, "無", "nothing"),
    )
    realm.cases[event.name] = (project, [event.hand], "")


def note_case_finding(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Who recorded a finding in a case."""
    realm.cases.setdefault(event.name, ("", [], ""))[1].append(event.hand)


def check_case_decided(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """AC03: on something that was found, by nobody who opened the case or found it."""
    project, hands, _ = realm.cases.get(event.name, ("", [], ""))
    require(len(hands) > 1, "AC03", "未經查明即決定", "decided with nothing found")
    require(
        not any(event.hand.is_same(hand) for hand in hands),
        "AC03",
        "{actor} 參與過立案或查明",
        "{actor} opened the case or found something in it",
        actor=call_seat(event.actor),
    )
    realm.cases[event.name] = (project, hands, event.text("outcome"))


def check_reopened(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T26: a case that is cited was decided so, about this project."""
    case = event.text("case")
    project, _, outcome = realm.cases.get(case, ("", [], ""))
    require(
        not case or (project == event.name and outcome == "REOPEN"),
        "T26",
        "{case} 未決定重新核查 {file}",
        "{case} was not decided to reopen {file}",
        case=case,
        file=event.name,
    )


CHECKS: Final[Mapping[str, Any]] = {
    "DesignationGranted": check_designation_granted,
    "OccasionHeld": check_occasion_held,
    "NodeEstablished": check_node_established,
    "NodeClosed": note_node_closed,
    "NetworkStated": check_network_stated,
    "ServicesOffered": check_services_offered,
    "BaseAssessed": note_base_assessed,
    "CaseOpened": check_case_opened,
    "CaseFindingRecorded": note_case_finding,
    "CaseDecided": check_case_decided,
}
AFTER: Final[Mapping[str, Any]] = {
    "ContractSigned": check_method,
    "AwardProposed": check_support,
    "ProjectOpened": check_support,
    "ProjectReopened": check_reopened,
}
"""What is asked of an event once the module that it is of has seen it."""
