"""What a project leaves and sets going: recorded in its time, once, and of nobody by name (D3, V3, V4, K2, T10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from audit.invariants.recorded_events import to_date, whole
from audit.invariants.wording import call, word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit.invariants.realm import Project, Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent


def check_client_served(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D3. K2: with those whom the application is for, or of a sensitive group. V4: under a pseudonym."""
    project, group = realm.project(event.name), event.text("group")
    _require_day(require, project, event, "served_on")
    sensitive = (realm.rules(project)["beneficiaries"] or {}).get("sensitive") or ()
    require(
        not project.groups or group in project.groups or group in sensitive,
        "K2",
        "{group} 不在申報的受益對象之列",
        "{group} is none of those whom the application serves",
        group=group,
    )
    client, sealed = event.text("client"), event.text("sealed")
    require(
        client.startswith("C-") and client[2:].isascii() and client[2:].isalnum() and len(sealed) == 64,  # noqa: PLR2004 - hex of SHA-256
        "V4",
        "個案服務未用化名或未封存",
        "case work without a pseudonym or a sealed record",
    )


def check_beneficiaries(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """K2: an application serves whom the rules are for, and says so where it must."""
    project, served = realm.project(event.name), event.part("beneficiaries")
    rules = realm.rules(project)["beneficiaries"] or {}
    project.groups = frozenset(map(str, served.get("groups", ())))
    require(served or not rules.get("required"), "K2", "未載明受益對象", "it does not say whom it serves")
    allowed = rules.get("residences")
    require(
        not served or allowed is None or served.get("residence") in allowed,
        "K2",
        "居住條件 {residence} 不在 {allowed}",
        "the residence {residence} is not among {allowed}",
        residence=call("residence", served.get("residence")),
        allowed=[call("residence", one) for one in allowed or ()],
    )


def check_activity(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """V3: nobody comes first without coming, and sites are the contract's. K2: no sensitive group is named."""
    project = realm.project(event.name)
    newcomers, site = whole(event.data.get("newcomers")), event.text("site")
    require(
        newcomers <= whole(event.data.get("person_times")),
        "V3",
        "首次受益 {newcomers} 人多於人次",
        "{newcomers} persons came first, more than attended",
        newcomers=newcomers,
    )
    require(
        not project.sites or not site or site in project.sites,
        "V3",
        "點位 {site} 不在協議之列",
        "{site} is none of the contract's sites",
        site=site,
    )
    sensitive = (realm.rules(project)["beneficiaries"] or {}).get("sensitive") or ()
    require(
        event.text("group") not in sensitive,
        "K2",
        "活動記錄寫明敏感對象 {group}",
        "an activity names the sensitive group {group}",
        group=event.text("group"),
    )


def check_sites(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """T10: every site has a milestone of its own, and every milestone's site is one (HZ-14)."""
    project = realm.project(event.name)
    project.sites = frozenset(event.part("sites"))
    named = {str(term.get("site")) for term in event.part("milestones").values() if term.get("site")}
    require(
        named == project.sites,
        "T10",
        "點位 {sites}，里程碑所指 {named}",
        "the sites are {sites}; the milestones name {named}",
        sites=sorted(project.sites),
        named=sorted(named),
    )


def check_asset(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """V3: an asset is handed over once, and moves only after that."""
    project, asset = realm.project(event.name), event.text("asset")
    known = asset in project.assets
    require(
        known is (event.type == "AssetMoved"),
        "V3",
        "資產 {asset} {already}登記",
        "the asset {asset} is {already} on record",
        asset=asset,
        already=word("已", "already") if known else word("未", "not"),
    )
    project.assets[asset] = event.text("keeper")


def check_deliberation(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """V3: a deliberation is recorded once, and only then comes to something. D3: it was held in the project's time."""
    project, name = realm.project(event.name), event.text("deliberation")
    known = name in project.deliberations
    require(
        known is (event.type == "DeliberationConcluded"),
        "V3",
        "協商 {name} {already}登記",
        "the deliberation {name} is {already} on record",
        name=name,
        already=word("已", "already") if known else word("未", "not"),
    )
    if event.type == "DeliberationHeld":
        _require_day(require, project, event, "held_on")
    project.deliberations.add(name)


def check_head_count(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """V3: of a team on record."""
    team = event.text("team")
    require(
        team in realm.project(event.name).teams, "V3", "{team} 未登記", "the team {team} is not on record", team=team
    )


def _require_day(require: Conditions, project: Project, event: RecordedEvent, key: str) -> None:
    day = to_date(event.data.get(key)) or event.day
    require(
        project.started_on is not None and project.started_on <= day <= event.day,
        "D3",
        "{day} 不在啟動日 {started_on} 至 {event_day} 之間",
        "{day} does not lie between the start {started_on} and {event_day}",
        day=day,
        started_on=project.started_on,
        event_day=event.day,
    )


CHECKS: Final[Mapping[str, Any]] = {
    "ClientServed": check_client_served,
    "AssetHandedOver": check_asset,
    "AssetMoved": check_asset,
    "DeliberationHeld": check_deliberation,
    "DeliberationConcluded": check_deliberation,
    "TeamHeadCounted": check_head_count,
}
AFTER: Final[Mapping[str, Any]] = {
    "ApplicationSubmitted": check_beneficiaries,
    "ContractSigned": check_sites,
    "ActivityRecorded": check_activity,
}
"""What is asked of an event once the module that it is of has seen it."""
