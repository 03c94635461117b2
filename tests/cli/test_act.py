"""What takes two persons, confirmed on the command line: with its digest, or without it where only one thing waits."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from application.proposals import find_confirmation
from cli import act, key, seat
from cli.adapter import Invocation
from domain.kernel.acting import PersonId
from domain.kernel.identifier import LIVE, Actor
from domain.kernel.proposal import Proposals
from domain.registers.person import RegisterPerson, person_stream
from domain.registers.seat import EstablishSeat, GrantSeat, Seat, seat_stream
from store.memory import MemoryStore
from tests.keys import make_key
from tests.office import FIRST, LONG_AGO, Office, scope_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from typer.testing import Result

    from application.door import Receipt
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command
    from domain.kernel.state import State
    from store.port import EventStore

SEAT = Actor("AUDIT#71")
STREAM = seat_stream(LIVE, SEAT)


@dataclass
class Desk:
    """The verbs of acts and seats over an office in memory, with a seat that nobody is on yet."""

    office: Office

    async def send(self, stream: StreamId, command: Command, who: Actor) -> Receipt:
        """As a door does."""
        return await self.office.ask(stream, command, who)

    async def begin(self) -> None:
        """Set the seat up, long ago."""
        await self.office.found()
        await self.office.ask(STREAM, EstablishSeat(scope=scope_of(SEAT)), FIRST, at=LONG_AGO)

    async def propose(self, person: str, at: datetime) -> str:
        """That the person be put on the seat; the digest."""
        await self.office.ask(person_stream(LIVE, PersonId(person)), RegisterPerson(), FIRST, at=LONG_AGO)
        await self.office.ask(STREAM, GrantSeat(person=PersonId(person)), FIRST, at=at)
        proposals = (await self.office.state(STREAM)).part(Proposals).of
        return proposals[len(proposals)].digest

    def propose_all(self, **times: datetime) -> list[str]:
        """Each person's grant, as of that instant; the digests."""

        async def propose() -> list[str]:
            return [await self.propose(person.replace("_", "-"), at) for person, at in times.items()]

        return asyncio.run(propose())

    def state(self) -> State:
        """How the seat stands."""
        return asyncio.run(self.office.state(STREAM))

    def confirm(self, *words: str, lang: str = "en") -> Result:
        """``venture act confirm`` of what waits on the seat."""
        arguments = ["confirm", "AUDIT.71", *words, "--as", "ADMIN#2", "--yes", "--lang", lang]
        return CliRunner().invoke(act.app, arguments)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    desk = Desk(Office(MemoryStore()))
    asyncio.run(desk.begin())

    @asynccontextmanager
    async def open_runtime(_invocation: Invocation, **_how: Any) -> AsyncIterator[SimpleNamespace]:
        yield SimpleNamespace(store=desk.office.store, door=desk)

    @asynccontextmanager
    async def open_store(_invocation: Invocation) -> AsyncIterator[EventStore]:
        yield desk.office.store

    monkeypatch.setattr(Invocation, "open_runtime", open_runtime)
    monkeypatch.setattr(Invocation, "open_store", open_store)
    with capture_logs():  # which would be printed in between what the verbs print
        yield desk


def now() -> datetime:
    return datetime.now(UTC)


def test_what_has_lapsed_does_not_keep_the_one_that_waits_from_being_confirmed(desk: Desk) -> None:
    desk.propose_all(P_7=LONG_AGO, P_8=now())
    answer = desk.confirm()
    assert answer.exit_code == 0, answer.output
    assert desk.state().part(Seat).holder_at(now()) == "P-8"


def test_nothing_waits_where_all_has_lapsed(desk: Desk) -> None:
    desk.propose_all(P_7=LONG_AGO)
    answer = desk.confirm()
    assert (answer.exit_code, "nothing waits to be confirmed" in answer.output) == (0, True), answer.output


@pytest.mark.parametrize("lang", ["en", "zh-Hant"])
def test_of_several_that_wait_the_digests_are_named_to_choose_from(desk: Desk, lang: str) -> None:
    _, *digests = desk.propose_all(P_7=LONG_AGO, P_8=now(), P_9=now())
    answer = desk.confirm(lang=lang)
    assert answer.exit_code == 2, answer.output
    assert ("several" if lang == "en" else "不止一項") in answer.output
    assert [digest[:8] in answer.output for digest in digests] == [True, True]
    assert desk.confirm(digests[1][:8]).exit_code == 0
    assert desk.state().part(Seat).holder_at(now()) == "P-9"


def test_the_digest_of_one_that_lapsed_is_refused_by_the_rule_which_says_so(desk: Desk) -> None:
    (digest,) = desk.propose_all(P_7=LONG_AGO)
    confirmation = asyncio.run(find_confirmation(desk.office.store, STREAM, digest[:8]))
    assert asyncio.run(desk.office.refused(STREAM, confirmation, "ADMIN#2")) == {"TP02"}


def test_a_seat_is_confirmed_by_the_beginning_of_the_digest_of_one_proposal_alone(desk: Desk) -> None:
    digests = desk.propose_all(P_8=now(), P_9=now())
    assert CliRunner().invoke(seat.app, ["confirm", SEAT, "", "--as", "ADMIN#2"]).exit_code == 3
    assert CliRunner().invoke(seat.app, ["confirm", SEAT, "zz", "--as", "ADMIN#2"]).exit_code == 3
    assert CliRunner().invoke(seat.app, ["confirm", SEAT, digests[0], "--as", "ADMIN#2"]).exit_code == 0
    assert desk.state().part(Seat).holder_at(now()) == "P-8"


@pytest.mark.usefixtures("desk")
def test_a_key_is_confirmed_as_any_act_is() -> None:
    finance = make_key("finance")
    words = ["publish", finance.public, "--door", "finance", "--as", "ADMIN#1", "-o", "json"]
    answer = CliRunner().invoke(key.app, words)
    assert answer.exit_code == 0, answer.output
    proposed = json.loads(answer.stdout)
    assert proposed["events"] == ["ActProposed"]
    (waiting,) = json.loads(CliRunner().invoke(key.app, ["show", finance.id, "-o", "json"]).stdout)["proposals"]
    assert waiting["digest"] == proposed["proposed"]
    confirm = ["confirm", finance.id, "--as", "ADMIN#2"]
    assert CliRunner().invoke(key.app, [*confirm, "--digest", "00000000"]).exit_code == 3
    assert CliRunner().invoke(key.app, [*confirm, "-o", "json"]).exit_code == 0
    assert CliRunner().invoke(key.app, confirm).exit_code == 3, "nothing waits any more"
