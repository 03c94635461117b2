"""Who reads what: their own whole, what is posted in part, others' not at all; and no score before one's own."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from domain.application import Application
from domain.approval.request import ApprovalRequest
from domain.catalogue import AGGREGATES
from domain.kernel.acting import Acting
from domain.kernel.approval import ApproverGroup
from domain.kernel.facts import Facts
from domain.kernel.identifier import Actor, Role, StreamId
from domain.kernel.restriction import Restriction
from domain.kernel.state import State
from domain.registers.panel import Panel
from domain.visibility import PRIVATE_OF_PROJECT, Sight, find_sight, list_readers, readers_of
from tests.policy.standings import NAMED, PARTNER, STRANGER, facts, scope_of, stream
from tests.tables import every_row

HOUSE = {Role.CAB_REG, Role.CAB_FIN, Role.CAB_DEC, Role.FISCAL}
WATCH = {Role.AUDIT, Role.DISC}
PUBLIC_KINDS = {
    *("scheme", "calendar", "round", "need", "base", "realm"),
    *("designation", "occasion", "node", "network"),
}
REGISTERS = {"person", "seat", "office", "door", "maintenance"}
NAMED_ROLES = NAMED.keys() - WATCH


def sight(role: Role, state: State, *names: str, number: int = 1, around: Facts | None = None) -> Sight:
    return find_sight(Actor(f"{role}#{number}"), scope_of(role, *names), state, around or facts(named=True))


@every_row("kind", list(AGGREGATES))
@every_row("role", list(Role))
def test_the_house_and_those_who_watch_see_all_business_and_administrators_none_of_it(kind: str, role: Role) -> None:
    seen = sight(role, stream(kind, "ACTIVE", named=True), STRANGER, number=666)
    if kind in REGISTERS:
        assert seen.is_whole is (role in WATCH or role in (Role.ADMIN, Role.CAB_DEC))
    elif kind in PUBLIC_KINDS or role in HOUSE | WATCH:
        assert seen.is_whole
    else:
        assert not seen.is_whole, "neither administrators nor strangers"


@pytest.mark.parametrize("role", sorted(NAMED_ROLES))
def test_a_project_is_read_whole_by_whom_it_names_and_is_not_there_for_others(role: Role) -> None:
    state = replace(stream("project", "APPLIED", named=True), stage="APPLIED")
    assert sight(role, state, NAMED[role]).is_whole
    denied = sight(role, state, STRANGER).denied
    assert denied is not None
    assert denied.rule == "RE01"
    assert find_sight(Actor(f"{role}#1"), None, state, facts(named=True)).denied, (
        "a seat of no register is the public's"
    )


def test_a_partner_reads_the_project_and_a_former_one_no_more() -> None:
    state = stream("project", "APPLIED", named=True)
    assert sight(Role.SO_PM, state, PARTNER).is_whole
    alone = state.with_parts(replace(state.part(Application), partners=()))
    assert sight(Role.SO_PM, alone, PARTNER).denied


@pytest.mark.parametrize("stage", ["IN_PUBLICITY", "ACTIVE", "ARCHIVED"])
def test_what_is_posted_is_public_but_for_accounts_vouchers_and_complaints(stage: str) -> None:
    state = stream("project", stage, named=True)
    for seen in (find_sight(None, None, state, Facts()), sight(Role.SO_PM, state, STRANGER)):
        assert seen.denied is None
        assert seen.withheld == PRIVATE_OF_PROJECT
    assert find_sight(None, None, stream("project", "PROPOSED", named=True), Facts()).denied


# ---------------------------------------------------------------- panels

TWO = Panel(round="R-1", bidders={"AP-1": ("ORG-1",), "AP-2": ("ORG-2",)}, seated=("E1", "E2", "E3"))


def panel(**sheets: dict[str, Decimal]) -> State:
    by_bid = {name.replace("_", "-"): of for name, of in sheets.items()}
    return State(StreamId("panel/test/RP-1"), version=1, stage="SCORING").with_parts(replace(TWO, sheets=by_bid))


def test_a_reviewer_sees_no_scores_of_others_before_all_of_their_own_are_in() -> None:
    mine, theirs = {"E1": Decimal(80)}, {"E2": Decimal(90)}
    assert Restriction.SHEET in sight(Role.EXPERT, panel(AP_1=theirs)).restrictions
    assert Restriction.SHEET in sight(Role.EXPERT, panel(AP_1=mine | theirs, AP_2=theirs)).restrictions
    assert Restriction.SHEET not in sight(Role.EXPERT, panel(AP_1=mine | theirs, AP_2=mine)).restrictions


def test_a_recused_reviewer_sees_nothing_more_even_after_scoring() -> None:
    state = panel(AP_1={"E1": Decimal(80)}, AP_2={"E1": Decimal(80)})
    denied = sight(Role.EXPERT, state.with_parts(replace(state.part(Panel), barred=frozenset({"E1"})))).denied
    assert denied is not None
    assert denied.rule == "SD5"


def test_a_reviewer_who_was_not_drawn_and_a_host_of_another_round_see_no_panel() -> None:
    assert sight(Role.EXPERT, panel(), number=9).denied
    assert sight(Role.HOST, panel(), "HOST-9").denied
    assert sight(Role.HOST, panel(), "HOST-1").is_whole


def test_a_bidder_learns_its_panels_marks_once_it_has_reported_and_never_who_gave_which() -> None:
    reported = panel().with_parts(replace(TWO, reported=True))
    assert sight(Role.SO_LEGAL, panel(), "ORG-1").denied
    assert sight(Role.SO_LEGAL, reported, "ORG-1").withheld == {"sheets", "seated"}
    assert sight(Role.SO_LEGAL, reported, "ORG-9").denied


def test_an_organisation_is_known_to_all_and_its_representatives_to_itself_and_its_district() -> None:
    state = stream("organisation", "VERIFIED", named=True)
    itself = replace(state, stream=StreamId("organisation/test/ORG-1"))
    assert sight(Role.SO_ACC, itself, "ORG-1").is_whole
    assert sight(Role.DCAB, itself, "DIST-1").is_whole
    assert "representatives" in sight(Role.DCAB, itself, "DIST-9").withheld
    assert "representatives" in find_sight(None, None, itself, Facts()).withheld


def test_whoever_sits_on_a_seat_reads_that_seats_file() -> None:
    own = State(StreamId("seat/live/SO-PM.7"), version=1)
    assert sight(Role.SO_PM, own, "ORG-1", number=7).is_whole
    assert sight(Role.SO_PM, own, "ORG-1", number=8).denied


@every_row("kind", list(AGGREGATES))
@every_row("role", sorted(set(Role) - HOUSE - WATCH - {Role.SYS}))
@every_row("stage", ["NONE", "APPLIED", "ACTIVE"])
def test_the_words_that_views_keep_say_what_the_policy_says(kind: str, role: Role, stage: str) -> None:
    states = [stream(kind, stage, named=named) for named in (True, False)]
    if kind == "approval":
        request = asked_of(
            ApproverGroup(seats=(Actor("SUPV#1"),)), ApproverGroup(roles=(Role.SO_PM,), names=(PARTNER,))
        )
        states.append(request)
    for state, around in product(states, (facts(named=True), facts(named=False))):
        for names in ((), (NAMED.get(role, "x"),), (PARTNER,), (STRANGER,)):
            for number in (1, 2, 4, 666):
                seat, scope = Actor(f"{role}#{number}"), scope_of(role, *names)
                whole = find_sight(seat, scope, state, around).is_whole
                assert bool(readers_of(seat, scope) & list_readers(state, around)) is whole, (seat, scope, state)


def asked_of(*groups: ApproverGroup) -> State:
    """A request of a service that asks these."""
    opener = Acting(Actor("HOST#1"))
    return State(StreamId("approval/test/AV-1"), version=1).with_parts(ApprovalRequest(opener, "採購", groups))


def test_an_approval_is_read_by_whoever_asked_and_those_who_are_asked() -> None:
    state = asked_of(ApproverGroup(seats=(Actor("SUPV#1"),)), ApproverGroup(roles=(Role.SO_PM,), names=(PARTNER,)))
    assert sight(Role.HOST, state, "HOST-1").is_whole
    assert sight(Role.SUPV, state, "SUPV-1").is_whole
    assert sight(Role.SO_PM, state, PARTNER).is_whole
    assert sight(Role.SUPV, state, "SUPV-1", number=2).denied
    assert sight(Role.SO_PM, state, STRANGER).denied
