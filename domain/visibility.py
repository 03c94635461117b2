"""The one policy for reading: whose business a file is, what of it is withheld, and what is public (P6, SD5, SD7, SD8).

Pure and total. Whoever may not see a thing is told nothing but that: a page answers as if it were not there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from domain.approval.request import ApprovalRequest, is_asked
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Role
from domain.kernel.refusal import Unmet
from domain.kernel.restriction import Restriction, list_restricted
from domain.kernel.scope import Scope, ScopeKind
from domain.project import bidding
from domain.project.bidders import COMMUNITY, DISTRICT, PARTNERSHIP, SUPPORTED_BASE
from domain.project.contract import EVALUATOR, HOST
from domain.project.delivery import SUPERVISOR
from domain.project.stage import Stage
from domain.registers import panel
from domain.registers.organisation import Organisation
from domain.registers.panel import Panel
from domain.registers.reviewer import place_of, seat_of_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.kernel.approval import ApproverGroup
    from domain.kernel.identifier import Actor
    from domain.kernel.message import Event
    from domain.kernel.relation import Relation
    from domain.kernel.state import State

_HOUSE: Final = frozenset({Role.CAB_REG, Role.CAB_FIN, Role.CAB_DEC, Role.FISCAL})
"""The bureau's own house, and the treasury: they see all business."""
WATCH: Final = frozenset({Role.AUDIT, Role.DISC})
"""Who sees everything and, but for an audit opinion, decides nothing (P6, SD11)."""
OPEN_KINDS: Final = frozenset(
    {"scheme", "calendar", "round", "need", "base", "realm", "designation", "occasion", "node", "network"}
)
"""Kinds that anybody may read: rules, days, calls, what is lacking, where to turn to."""
REGISTERS: Final = frozenset({"person", "seat", "office", "door", "maintenance"})
"""Who sits where, whose keys hold, what was done to the installation: for administrators and who watches them."""
REGISTRARS: Final = frozenset({*WATCH, Role.ADMIN, Role.CAB_DEC})
"""Administrators, the leadership and those who watch them."""
UNPUBLISHED: Final = frozenset(
    {
        Stage.NONE,
        Stage.DRAFTED,
        Stage.APPLIED,
        Stage.RETURNED,
        Stage.SHORTLISTED,
        Stage.WITHDRAWN,
        Stage.PRELIM_FAILED,
        Stage.NOT_SELECTED,
        Stage.PROPOSED,
    }
)
"""Stages of a project that nothing has been posted of."""
ORGANISATIONS: Final = (Role.SO_LEGAL, Role.SO_PM, Role.SO_ACC)
"""Roles of an organisation's own people."""
PRIVATE_OF_PROJECT: Final = frozenset({"account", "attachments", "budget", "expenditures", "objections", "reports"})
"""What a posted project does not show to the public."""
PRIVATE_OF_ORGANISATION: Final = frozenset({"representatives", "attachments"})
_OF_A_PROJECT: Final[Mapping[Role, Relation]] = {
    **dict.fromkeys((Role.SO_LEGAL, Role.SO_PM, Role.SO_ACC), PARTNERSHIP),
    Role.HOST: HOST,
    Role.SUPV: SUPERVISOR,
    Role.EVAL: EVALUATOR,
    Role.DCAB: DISTRICT,
    Role.COMM: COMMUNITY,
    Role.BASE_OP: SUPPORTED_BASE,
}
"""What makes a project a role's to read: as for acting on it."""


_OF_A_ROUND: Final[Mapping[str, Relation]] = {"project": HOST, "panel": panel.HOST}
"""Kinds of which the round may say who its host is."""


_KNOWN_TO: Final[Mapping[Restriction, frozenset[Role]]] = {
    Restriction.ACCOUNT: frozenset({*_HOUSE, *WATCH, *ORGANISATIONS}),
    Restriction.CLIENT: frozenset({Role.CAB_REG, *WATCH, Role.SUPV, Role.EVAL, *ORGANISATIONS}),
    Restriction.SHEET: frozenset({Role.CAB_REG, Role.CAB_DEC, *WATCH, Role.HOST, Role.EXPERT}),
    Restriction.INTEREST: frozenset({Role.CAB_REG, Role.CAB_DEC, *WATCH}),
    Restriction.PANELIST: frozenset({*_HOUSE, *WATCH, Role.HOST}),
}
"""Of those who may read a file, whose task needs what is marked in it: money the accounts, care the clients (FZ-10),
secretariat and decision the sheets, recusal the reasons. Whoever recorded a thing reads it, whatever it is."""
TOLD_WHO: Final = frozenset({Role.CAB_REG, Role.CAB_DEC, *WATCH})
"""Who is told by whom an anonymous event was caused, beside whoever did it: those whose task it may become."""
BID_EVENTS: Final = frozenset(event.event_type for event in bidding.DECIDER.events)
"""What a reviewer reads of a project: the application as it was handed in, and nothing that came of it."""


@dataclass(frozen=True)
class Sight:
    """What of a file may be seen."""

    denied: Unmet | None = None
    """Why nothing may; None where something may."""
    withheld: frozenset[str] = frozenset()
    """Fields that are left out."""
    restrictions: frozenset[Restriction] = frozenset()
    """Of what kind fields of its events are withheld, one by one, but for those that the reader recorded."""
    only: frozenset[str] | None = None
    """The types of events that the reader sees; None for all. The file is what these alone add up to."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out but fields that are marked, one by one."""
        return self.denied is None and not self.withheld and self.only is None

    @property
    def is_open(self) -> bool:
        """Whether doors show the file, as far as it goes; what is merely posted, the public pages show."""
        return self.denied is None and not self.withheld

    def list_withheld(self, event: Event, *, own: bool) -> frozenset[str]:
        """The fields of that event that the reader does not see; ``own`` is what they recorded themselves."""
        if own:
            return frozenset()
        marked = list_restricted(type(event)).items()
        return frozenset(
            name
            for name, kind in marked
            if kind in self.restrictions and event.__dict__[name] not in (None, "", (), {})  # nothing was said there
        )


WHOLE: Final = Sight()


def find_sight(seat: Actor | None, scope: Scope | None, state: State, facts: Facts) -> Sight:
    """What whoever reads on that seat sees of the file; nobody's seat is the public's.

    ``scope`` is what the seat's register says; without one only the bureau's own, and those who watch, see more than
    the public. ``facts`` holds the round of a panel or project where its host reads, and the panels of the round where
    a reviewer does.
    """
    sight = _read(seat, scope, state, facts)
    unknown = list_unknown(seat, state)
    return replace(sight, restrictions=sight.restrictions | unknown) if sight.denied is None else sight


def list_unknown(seat: Actor | None, state: State | None) -> frozenset[Restriction]:
    """The kinds of marked fields of that file that are not seen on that seat but in what it recorded itself.

    Without a file, whatever it may come to. SD7: a reviewer sees nobody else's sheet before all their own are in. Who
    sits on the panel nobody is told but its office, its host and those who watch until the report has made the marks
    final, and not only until one's own are in: as the field has it, the list of a panel is confidential until its
    result is determined (招標投標法 art. 37), and a reviewer who is done can still press one who is not. What a file
    other than the panel's own quotes of a panel has been reported.
    """
    role = seat.role if seat is not None else Role.PUBLIC
    unknown = frozenset(kind for kind, roles in _KNOWN_TO.items() if role not in roles)
    if state is None:
        return unknown | ({Restriction.SHEET} if role is Role.EXPERT else set())
    if state.stream.kind != "panel":
        return unknown - {Restriction.PANELIST}
    panel = state.part(Panel)
    if seat is not None and role is Role.EXPERT and panel.list_missing(place_of(seat)):
        unknown |= {Restriction.SHEET}
    return unknown - {Restriction.PANELIST} if panel.reported else unknown


def _read(seat: Actor | None, scope: Scope | None, state: State, facts: Facts) -> Sight:
    role, kind = seat.role if seat is not None else Role.PUBLIC, state.stream.kind
    if kind in REGISTERS:
        return _read_register(role, seat, state)
    if role in _HOUSE or role in WATCH:
        return WHOLE
    if kind in OPEN_KINDS:
        return WHOLE
    match kind:
        case "project":
            if role is Role.EXPERT and _is_reviewed_by(seat, state, facts):
                return Sight(only=BID_EVENTS)
            relation = _OF_A_PROJECT.get(role)
            if relation is not None and scope is not None and relation.is_held_by(scope, state, facts, None):
                return WHOLE
            posted = state.stage not in UNPUBLISHED
            return Sight(withheld=PRIVATE_OF_PROJECT) if posted else _deny()
        case "panel":
            return _read_panel(role, seat, scope, state, facts)
        case "organisation":
            return _read_organisation(role, scope, state)
        case "approval":
            return _read_request(seat, scope, state)
        case _:
            return _deny()


def _is_reviewed_by(seat: Actor | None, state: State, facts: Facts) -> bool:
    """Whether that reviewer sits on a panel that is to score the project and has not reported yet (SD5, SD7).

    What was handed in is open to them once they have said that they have no interest in whoever handed it in.
    """
    if seat is None:
        return False
    panels = (one.part(Panel) for stream, one in facts.streams.items() if stream.kind == "panel")
    place, name = place_of(seat), state.stream.name
    return any(
        name in one.bidders and place in one.seated and place in one.cleared - one.barred and not one.reported
        for one in panels
    )


def _deny(
    rule: str = "RE01", zh: str = "此卷宗與該崗位無關", en: str = "this file is none of that seat's business"
) -> Sight:
    return Sight(denied=Unmet(rule=rule, zh=zh, en=en))


def _read_register(role: Role, seat: Actor | None, state: State) -> Sight:
    """Whose affair they are; and whoever sits there, of their own seat."""
    own = seat is not None and state.stream.kind == "seat" and state.stream.name == seat.replace("#", ".")
    return WHOLE if own or role in REGISTRARS else _deny("SD8")


def _read_organisation(role: Role, scope: Scope | None, state: State) -> Sight:
    """Itself, and the office of its district; to others who it is, and what stands for and against it."""
    if scope is not None and scope.kind is ScopeKind.ORGANISATION and state.stream.name in scope.names:
        return WHOLE
    district = state.part(Organisation).district
    if role is Role.DCAB and scope is not None and district in scope.names:
        return WHOLE
    return Sight(withheld=PRIVATE_OF_ORGANISATION) if state.version else _deny()


def _read_request(seat: Actor | None, scope: Scope | None, state: State) -> Sight:
    """Whoever asked for it, and those who are asked."""
    approval = state.part(ApprovalRequest)
    if seat is None:
        return _deny()
    is_theirs = approval.opener is not None and seat == approval.opener.seat
    above = {one for request in state.approvals if request.is_escalated for one in request.above}
    is_asked_of = any(
        is_asked(group, seat, scope) and (scope is not None or seat in group.seats) for group in approval.groups
    )
    return WHOLE if is_theirs or is_asked_of or seat in above else _deny()


def read_round(state: State) -> Reads:
    """What must be known beside the file: the round of a project or panel may say who its host is."""
    relation = _OF_A_ROUND.get(state.stream.kind)
    return Reads() if relation is None else relation.reads(state, None)


def list_readers(state: State, facts: Facts) -> frozenset[str]:
    """Who sees the whole file beside the house and those who watch, as words that ``readers_of`` compares.

    ``*`` is anybody; ``SO-PM:ORG-3`` a seat of that role that acts for ORG-3, ``SO-PM:*`` any that acts for somebody,
    ``ADMIN`` any at all; ``EXPERT#3`` that very seat. ``facts`` holds what ``read_round`` names;
    it agrees with ``find_sight``.
    """
    kind, name = state.stream.kind, state.stream.name
    match kind:
        case _ if kind in OPEN_KINDS:
            return frozenset({"*"})
        case "project":
            related = ((role, relation.names(state, facts, None)) for role, relation in _OF_A_PROJECT.items())
            return frozenset(word for role, names in related for word in _words(role, names))
        case "organisation":
            district = state.part(Organisation).district
            organisation = (word for role in ORGANISATIONS for word in _words(role, frozenset({name})))
            return frozenset({*organisation, *(_words(Role.DCAB, frozenset({district})) if district else ())})
        case "approval":
            approval = state.part(ApprovalRequest)
            above = {one for request in state.approvals if request.is_escalated for one in request.above}
            groups = {word for group in approval.groups for word in _asked_words(group)}
            return frozenset({*([approval.opener.seat] if approval.opener else ()), *above, *groups})
        case "panel":
            known_panel = state.part(Panel)
            hosts = panel.HOST.names(state, facts, None)
            seen = {str(seat_of_place(place)) for place in known_panel.seated if place not in known_panel.barred}
            return frozenset({*_words(Role.HOST, hosts), *seen})
        case _ if kind in REGISTERS:
            own = {name.replace(".", "#")} if kind == "seat" else set()
            return frozenset({Role.ADMIN.value, Role.CAB_DEC.value, *own})
        case _:
            return frozenset()


def _asked_words(group: ApproverGroup) -> Iterable[str]:
    yield from group.seats
    for role in group.roles:
        yield from _words(role, frozenset(group.names) if group.names else None)


def _words(role: Role, names: frozenset[str] | None) -> Iterable[str]:
    return (f"{role}:*",) if names is None else (f"{role}:{name}" for name in sorted(names))


def readers_of(seat: Actor, scope: Scope | None) -> frozenset[str]:
    """Under which words of ``list_readers`` that seat sees a file."""
    if scope is None:
        return frozenset({"*", seat, seat.role.value})
    return frozenset({"*", seat, seat.role.value, f"{seat.role}:*", *(f"{seat.role}:{name}" for name in scope.names)})


def _read_panel(role: Role, seat: Actor | None, scope: Scope | None, state: State, facts: Facts) -> Sight:
    """SD5: reviewers see nothing once recused; what of the rest is withheld from them, ``list_unknown`` says."""
    record = state.part(Panel)
    match role:
        case Role.EXPERT if seat is not None:
            place = place_of(seat)
            if place in record.barred:
                return _deny("SD5", "已回避，不得再閱本組材料", "recused: nothing more of this panel may be read")
            return WHOLE if place in record.seated else _deny()
        case Role.HOST if scope is not None and panel.HOST.is_held_by(scope, state, facts, None):
            return WHOLE
        case Role.SO_LEGAL | Role.SO_PM | Role.SO_ACC if scope is not None and record.reported:
            bidders = {name for names in record.bidders.values() for name in names}
            return _deny() if bidders.isdisjoint(scope.names) else Sight(withheld=frozenset({"sheets", "seated"}))
        case _:
            return _deny()
