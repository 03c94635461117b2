"""Whose business it was: for whom each seat acted that a register knows, and on which side its person stood (SD14).

Told from the log alone, by a table of its own: what the seat's stream says of its scope, what the stream of the event
says of whom it names. A seat that no register knows is bare; whoever took its papers in vouches for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audit.invariants.wording import call_seat, or_else

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from audit.invariants.realm import Project, Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent

Named = frozenset[str] | None
"""Whom the stream names; None for every seat of the role."""

_KIND_OF_SCOPE: Final[Mapping[str, str]] = {
    "HOST": "PARTY",
    "SUPV": "PARTY",
    "EVAL": "PARTY",
    "AUDIT": "PARTY",
    "DCAB": "DISTRICT",
    "SO-LEGAL": "ORGANISATION",
    "SO-PM": "ORGANISATION",
    "SO-ACC": "ORGANISATION",
    "COMM": "COMMUNITY",
    "BASE-OP": "BASE",
}
"""Roles whose seats are named for somebody, and of what kind that is."""
_RULES: Final[Mapping[str, str]] = {
    "HOST": "AF05",
    "SUPV": "AF06",
    "EVAL": "AF07",
    "AUDIT": "AF08",
    "DCAB": "AF02",
    "SO-LEGAL": "SD10",
    "SO-PM": "SD10",
    "SO-ACC": "SD10",
    "COMM": "AF03",
    "BASE-OP": "AF04",
}
_FOR_ALL_BIDDERS: Final = frozenset(
    {
        "ActivityRecorded",
        "ExpenditureRecorded",
        "MatchFundReceived",
        "VolunteerTeamFormed",
        "CommunityOrganisationIncubated",
        "CorrectionProposed",
        "TeamHeadCounted",
        "ClientServed",
        "AssetHandedOver",
        "AssetMoved",
        "DeliberationHeld",
        "DeliberationConcluded",
        "ResourceReceived",
        "ParticipantsRecruited",
    }
)
"""What a partner may do as well as the applicant."""
_FOR_ANYBODY: Final = frozenset(
    {
        "ObjectionLodged",
        "NeedEndorsed",
        "ClockSet",
        "ApprovalOpened",
        "ApprovalAmended",
        "ApprovalGiven",
        "ApprovalDeclined",
        "ApprovalReturned",
        "ApprovalWithdrawn",
    }
)
_BID: Final = frozenset({"ApplicationDrafted", "ApplicationSubmitted"})
_SIDES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("CAB-REG", "CAB-FIN", "CAB-DEC", "FISCAL"), "bureau"),
    **dict.fromkeys(("SO-LEGAL", "SO-PM", "SO-ACC"), "organisation"),
    **{role: role for role in ("HOST", "DCAB", "EXPERT", "EVAL", "AUDIT", "SUPV", "COMM", "BASE-OP", "PUBLIC")},
}


def check_business(require: Conditions, realm: Realm, live: Realm, event: RecordedEvent) -> None:
    """Judge who acted in that event for whom, as things stood before it; then remember whom it names."""
    if event.type == "SeatEstablished":
        scope = event.part("scope")
        names = scope.get("names")
        realm.seats[event.name.replace(".", "#")] = (
            str(scope.get("kind", "")),
            frozenset(map(str, names)) if isinstance(names, list) else frozenset(),
        )
        return
    _check_relation(require, realm, live, event)
    _check_side(require, realm, event)
    _remember(realm, event)


def _check_relation(require: Conditions, realm: Realm, live: Realm, event: RecordedEvent) -> None:
    kind = _KIND_OF_SCOPE.get(event.role)
    scope = realm.seats.get(event.actor) or live.seats.get(event.actor)
    if kind is None or scope is None or not event.persons or event.type in _FOR_ANYBODY:
        return
    named, acts = _NAMED[event.role](realm, event), sorted(scope[1])
    names = sorted(named or ())
    require(
        scope[0] == kind and (named is None or not named.isdisjoint(scope[1])),
        _RULES[event.role],
        "{actor} 代表 {acts}，{file} 所載為 {names}",
        "{actor} acts for {acts}; {file} names {names}",
        actor=call_seat(event.actor),
        acts=acts,
        file=event.name,
        names=or_else(names, "無", "nobody"),
    )


def _check_side(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """SD14: no human on two sides of one stream."""
    side = _SIDES.get(event.role)
    if side is None or not event.persons:
        return
    stood = realm.sides[event.stream]
    turned = sorted(person for person in event.persons if stood.get(person, side) != side)
    require(
        not turned,
        "SD14",
        "{turned} 於 {file} 先後代表兩方",
        "{turned} stood on two sides in {file}",
        turned=turned,
        file=event.name,
    )
    for person in event.persons:
        stood.setdefault(person, side)


# ---------------------------------------------------------------- whom a stream names


def _just(*names: str) -> frozenset[str]:
    return frozenset(names) - {""}


def _named_organisation(realm: Realm, event: RecordedEvent) -> Named:
    project = realm.project(event.name)
    if event.type in _BID:
        name = event.text("organisation")
        return _just(name) if project.organisation in ("", name) else frozenset()
    return project.bidders if event.type in _FOR_ALL_BIDDERS else _just(project.organisation)


def _named_host(realm: Realm, event: RecordedEvent) -> Named:
    match event.kind:
        case "project":
            project = realm.project(event.name)
            return _just(project.host) or _host_of(realm, project.round or event.text("round"))
        case "panel":
            return _host_of(realm, realm.panels[event.name].round)
        case "organisation":
            organisation = realm.organisations[event.name]
            name = event.text("round")
            round_ = name if event.type == "RatingBonusApplied" or not organisation.verified else organisation.round
            return _host_of(realm, round_) if round_ else frozenset()
        case _:
            return None


def _host_of(realm: Realm, round_: str) -> Named:
    return _just(realm.hosts.get(round_, "")) or None


def _named_district(realm: Realm, event: RecordedEvent) -> Named:
    match event.kind:
        case "need":
            return _just(event.text("district")) or None
        case "organisation":
            organisation = realm.organisations[event.name]
            return _just(organisation.district if organisation.verified else event.text("district"))
        case _:
            return _just(realm.project(event.name).district)


def _named_evaluator(realm: Realm, event: RecordedEvent) -> Named:
    if event.kind == "base":
        return _just(realm.base_evaluators.get(event.name, "")) or None
    return _engaged(realm.project(event.name), "evaluator", event)


def _engaged(project: Project, part: str, event: RecordedEvent) -> Named:
    """Whom the contract names, where it names somebody; else whom the act names. The act may name nobody else."""
    engaged, name = project.engaged.get(part, ""), event.text(part)
    return _just(engaged or name) if name in ("", engaged) or not engaged else frozenset()


_NAMED: Final[Mapping[str, Callable[[Realm, RecordedEvent], Named]]] = {
    "SO-LEGAL": _named_organisation,
    "SO-PM": _named_organisation,
    "SO-ACC": _named_organisation,
    "HOST": _named_host,
    "DCAB": _named_district,
    "COMM": lambda _realm, event: _just(event.text("community")) or None,
    "BASE-OP": lambda _realm, event: _just(event.text("base") if event.kind == "occasion" else event.name),
    "EVAL": _named_evaluator,
    "AUDIT": lambda realm, event: _engaged(realm.project(event.name), "auditor", event),
    "SUPV": lambda realm, event: _just(
        realm.project(event.name).supervisor or realm.project(event.name).engaged.get("supervisor", "")
    ),
}


def _remember(realm: Realm, event: RecordedEvent) -> None:
    """Whom this event names, for those that come after it."""
    match event.type:
        case "CallPublished" | "CallAmended":
            if event.type == "CallPublished" or event.text("host"):
                realm.hosts[event.name] = event.text("host")
        case "ApplicationDrafted":
            project = realm.project(event.name)
            project.district, project.organisation = event.text("district"), event.text("organisation")
            project.partners = tuple(event.texts("partners"))
        case "ApplicationSubmitted":
            realm.project(event.name).district = event.text("district")
        case "ContractSigned":
            realm.project(event.name).engaged = {k: str(v) for k, v in event.part("parties").items()}
        case "OrganisationVerified":
            organisation = realm.organisations[event.name]
            organisation.district, organisation.round = (
                organisation.district or event.text("district"),
                organisation.round or event.text("round"),
            )
        case "BaseDesignated":
            realm.base_evaluators[event.name] = event.text("evaluator")
            realm.base_operators[event.name] = event.text("operator")
        case _:
            return
