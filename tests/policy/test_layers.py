"""Each guard stands in several layers, and each of them still refuses without the others (docs/guards.md)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import count
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest

from activities.carry_out import CommandActivities
from audit.invariants import check
from audit.redecision import redecide
from audit.verification import verify
from deciding.warrant import Warrant
from domain.approval.request import Approvers, GrantApproval, OpenApproval
from domain.kernel import decider
from domain.kernel.acting import PersonId
from domain.kernel.canonical import plain
from domain.kernel.envelope import CarryOut, Ending, Envelope
from domain.kernel.identifier import LIVE, Actor, Role, StreamId
from domain.kernel.message import Order
from domain.kernel.refusal import CommandRejected
from domain.project.disbursement import CheckDisbursement, RequestDisbursement
from domain.registers import interest
from domain.registers.incubation_base import AdmitTenant, DesignateBase, Tier
from domain.registers.organisation import RecordRating
from domain.registers.seat import EstablishSeat, GrantSeat, Seat, seat_stream
from store.memory import MemoryStore
from tests.audit.test_business import seat_on_register
from tests.docs.pages import ROOT
from tests.domain.pure_realm import verification
from tests.domain.sentences import on
from tests.domain.test_mutants import mute
from tests.domain.written_realm import realm_until
from tests.keys import OTHER
from tests.office import FIRST, SECOND, Office, office_of, person_on, scope_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from domain.kernel.envelope import Answer
    from domain.kernel.message import Command
    from domain.kernel.refusal import Unmet
    from domain.kernel.state import State
    from tests.conftest import Desk
    from tests.domain.written_realm import WrittenRealm

PAGE: Final = ROOT / "docs" / "guards.md"
LAYERS: Final = {
    "door": "who comes",
    "before": "before",
    "deciding": "deciding",
    "replay": "replay",
    "audit": "audit",
}
"""In the order in which they are asked, as the page heads them."""
REFUSING: Final = ("door", "before", "deciding")
"""Those that answer; the others read what was recorded."""
_NUMBERS = count(1)
"""Each attempt is on streams and seats of its own."""


async def ask(
    office: Office, stream: str, command: Command, seat: str, person: str | None = None
) -> tuple[StreamId, Answer]:
    subject = StreamId(stream)
    return subject, await office.answer(subject, command, seat, person)


async def verified(office: Office, n: int, by: str = "CAB-REG#1", person: str | None = None) -> None:
    await office.seat(by, person)
    command = verification(f"SO-LEGAL#{n}").model_copy(update={"district": f"ORG-{n}"})
    await office.ask(StreamId(f"organisation/live/ORG-{n}"), command, by, person)


async def rate(office: Office, n: int, person: str | None = None) -> tuple[StreamId, Answer]:
    rating = RecordRating(level="4A", until=date(2100, 1, 1))
    return await ask(office, f"organisation/live/ORG-{n}", rating, "CAB-REG#1", person)


async def admit_tenant(office: Office, n: int, seat: str) -> tuple[StreamId, Answer]:
    for one in ("CAB-DEC#1", seat):
        await office.seat(one)
    await verified(office, n)
    base = StreamId(f"base/live/BASE-{n}")
    await office.ask(base, DesignateBase(name="市級", tier=Tier.MUNICIPAL, operator=f"ORG-{n}"), "CAB-DEC#1")
    return await ask(office, base, AdmitTenant(organisation=f"ORG-{n}", until=date(2100, 1, 1)), seat)


async def whoever_may_not(office: Office, n: int) -> tuple[StreamId, Answer]:
    return await admit_tenant(office, n, "CAB-REG#1")


async def operator_of_another_base(office: Office, n: int) -> tuple[StreamId, Answer]:
    return await admit_tenant(office, n, f"BASE-OP#{n}")


async def both_sides(office: Office, n: int) -> tuple[StreamId, Answer]:
    """Whoever verified it for the district rates it for the bureau."""
    await office.seat("CAB-REG#1")
    await verified(office, n, f"DCAB#{n}", person_on(Actor("CAB-REG#1")))
    return await rate(office, n)


async def with_a_stake(office: Office, n: int) -> tuple[StreamId, Answer]:
    await verified(office, n)
    await office.seat(f"SO-ACC#{n}", person_on(Actor("CAB-REG#1")))
    return await rate(office, n)


async def not_on_the_seat(office: Office, n: int) -> tuple[StreamId, Answer]:
    await verified(office, n)
    return await rate(office, n, f"P-{n}")


async def nobody_known(office: Office, n: int) -> tuple[StreamId, Answer]:
    await verified(office, n)
    return await rate(office, n, "")


async def grant(office: Office, n: int, person: str, second: str) -> tuple[StreamId, Answer]:
    """Proposed by the first administrator; confirmed, if that was taken, by the second."""
    stream = seat_stream(LIVE, Actor(f"ADMIN#{n}"))
    await office.found()
    await office.ask(stream, EstablishSeat(scope=scope_of(Actor("ADMIN#1"))), FIRST)
    command = GrantSeat(person=PersonId(person))
    answer = await office.answer(stream, command, FIRST)
    if answer.ending is Ending.ACCEPTED:
        answer = await office.answer(stream, await office.confirmation(stream, command), second)
    return stream, answer


async def to_oneself(office: Office, n: int) -> tuple[StreamId, Answer]:
    return await grant(office, n + 2, person_on(FIRST), SECOND)


async def by_oneself(office: Office, n: int) -> tuple[StreamId, Answer]:
    await office.seat(f"ADMIN#{n + 1000}")
    return await grant(office, n + 2, person_on(Actor(f"ADMIN#{n + 1000}")), FIRST)


async def ones_own(office: Office, n: int) -> tuple[StreamId, Answer]:
    """Whoever asked for the approval grants it from another seat."""
    me = person_on(Actor("CAB-FIN#1"))
    await office.seat("CAB-FIN#1")
    await office.seat(f"CAB-DEC#{n + 1}", me)
    stream = StreamId(f"approval/live/AV-{n}")
    command = OpenApproval(title="撥付", groups=(Approvers(roles=(Role.CAB_DEC,), needed=1, title="領導"),))
    await office.ask(stream, command, "CAB-FIN#1")
    digest = (await office.state(stream)).approvals[0].content
    return await ask(office, stream, GrantApproval(digest=digest), f"CAB-DEC#{n + 1}", me)


async def by_another_key(office: Office, n: int) -> tuple[StreamId, Answer]:
    """Signed by a key that no log knows."""
    await verified(office, n)
    stream = StreamId(f"organisation/live/ORG-{n}")
    at = (await office.store.consult(stream, None, {}))[0].read_at
    rating = RecordRating(level="4A", until=date(2100, 1, 1))
    envelope = Envelope(
        command_id=uuid4(),
        subject=stream,
        actor=Actor("CAB-REG#1"),
        received_at=at,
        command=rating.command_type,
        body=plain(rating),
        person=person_on(Actor("CAB-REG#1")),
    ).sign(OTHER)
    result = await CommandActivities(office.store).carry_out(CarryOut(stream=stream, now=at, envelope=envelope))
    assert result.answer is not None
    return stream, result.answer


GUARDS: Final[Mapping[str, Callable[[Office, int], Awaitable[tuple[StreamId, Answer]]]]] = {
    "role": whoever_may_not,
    "relation": operator_of_another_base,
    "side": both_sides,
    "interest": with_a_stake,
    "seat": not_on_the_seat,
    "person": nobody_known,
    "self-grant": to_oneself,
    "second person": by_oneself,
    "self-approval": ones_own,
    "signature": by_another_key,
}


def let_anybody_sit(seat: State, order: Order, _office: State | None = None) -> tuple[Order, tuple[Unmet, ...]]:
    persons = frozenset({order.person}) if order.person else frozenset()
    return replace(order, is_live=True, scope=seat.part(Seat).scope, persons=persons), ()


def take_away(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nobody had thought of that layer."""
    match layer:
        case "door":
            monkeypatch.setattr("deciding.decision.judge_seat", let_anybody_sit)
            monkeypatch.setattr(Warrant, "find_fault", lambda *_, **__: None)
        case "before":
            monkeypatch.setattr("deciding.decision.refuse_business", lambda *_: ())
        case _:
            monkeypatch.setattr(decider, "authorize", lambda *_: ())
            monkeypatch.setattr(interest, "_is_counted", lambda *_: False)
            mute(monkeypatch, "SD8", "TP03", "AV23")


def read_table() -> Mapping[str, Mapping[str, str]]:
    """What docs/guards.md says of each guard: layer and rule, without the layers in which it does not stand."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text("utf-8").partition("\n## ")[0].splitlines()]
    header, *guards = [row for row in rows if len(row) == len(LAYERS) + 1]
    assert [cell.partition(" ")[2] for cell in header[1:]] == list(LAYERS.values())
    return {
        name.partition(" ")[2]: {layer: rule for layer, rule in zip(LAYERS, cells, strict=True) if rule != "—"}
        for name, *cells in guards
    }


TABLE = read_table()
guards = pytest.mark.parametrize("guard", TABLE)


def test_the_page_has_a_row_for_every_guard() -> None:
    assert TABLE.keys() == GUARDS.keys()


@guards
async def test_each_layer_refuses_without_the_others(guard: str) -> None:
    await hold_row(Office(MemoryStore()), guard)


@pytest.mark.full
@guards
async def test_each_layer_refuses_without_the_others_on_postgres(own_log: Desk, guard: str) -> None:
    await hold_row(office_of(own_log.store), guard)


async def hold_row(office: Office, guard: str) -> None:
    """One layer alone says no by its rule; without any it is recorded, and what reads the log says so."""
    rules = TABLE[guard]
    for layer in (*REFUSING, None):
        if layer is not None and layer not in rules:
            continue
        with pytest.MonkeyPatch.context() as monkeypatch:
            for other in REFUSING:
                if other != layer:
                    take_away(other, monkeypatch)
            stream, answer = await GUARDS[guard](office, next(_NUMBERS))
        if layer is not None:
            assert answer.ending in {Ending.REFUSED, Ending.UNSIGNED}, f"{layer} lets it pass"
            assert rules[layer] in {unmet.rule for unmet in answer.unmet}
    assert answer.ending is Ending.ACCEPTED, answer.unmet
    again = await redecide(office.store, stream)
    assert again.first is not None
    assert rules["replay"] in str(again.first.as_json()["decided"])
    breaches = {breach.rule for breach in (await check(office.store)).breaches if breach.stream == stream}
    findings = {str(finding.kind) for finding in (await verify(office.store)).findings if finding.stream == stream}
    assert breaches | findings == {rules["audit"]}


def test_behind_the_rule_a_person_has_one_hand_in_one_request_and_behind_that_the_checker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """P2: the rule; without it the claim in the append; without that the independent checker."""

    def check_what_one_requested(*, guarded: bool) -> WrittenRealm:
        realm = realm_until("account", guarded=guarded)
        for command, seat in (
            (RequestDisbursement(tranche="T1"), "CAB-REG#1"),
            (CheckDisbursement(tranche="T1"), "CAB-FIN#1"),
        ):
            seat_on_register(realm, seat, "P-1")
            order = Order(command, Actor(seat), on("2024-03-25"), frozenset({PersonId("P-1")}))
            realm._carry_out(realm.id("project", "AP-1"), order)
        return realm

    with pytest.raises(CommandRejected, match="P2"):
        check_what_one_requested(guarded=True)
    mute(monkeypatch, "P2")
    with pytest.raises(AssertionError, match=r"hand/.*is taken"):
        check_what_one_requested(guarded=True)
    realm = check_what_one_requested(guarded=False)
    assert "P2" in {breach.rule for breach in realm.check().breaches}
