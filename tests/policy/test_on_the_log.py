"""The policy behind ``carry_out``: refused before anything else is read, journalled, and decided again to the same."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from audit.redecision import redecide
from deciding.journal import Journal
from domain.kernel.identifier import Actor, StreamId
from domain.need import SubmitNeed
from domain.project.bidding import DraftApplication, ReturnApplication, SubmitApplication
from domain.registers.organisation import RecordRating
from store.memory import MemoryStore
from store.port import EntryKind
from tests.domain.pure_realm import verification
from tests.office import Office, person_on

if TYPE_CHECKING:
    from store.port import Append, AppendResult

NEED, BID = StreamId("need/live/ND-1"), StreamId("project/live/AP-1")
ANOTHERS = {"round": "R-1", "organisation": "ORG-9", "title": "助老", "requested": 100}


@pytest.fixture
async def office() -> Office:
    """COMM#1 acts for ORG-1 as a community, SO-PM#1 and SO-LEGAL#1 for ORG-1, DCAB#1 for the district ORG-1."""
    office = Office(MemoryStore())
    for seat in ("COMM#1", "SO-PM#1", "SO-LEGAL#1", "DCAB#1"):
        await office.seat(seat)
    return office


async def test_whoever_acts_for_another_is_refused_by_the_relation_on_the_wall_clock(office: Office) -> None:
    need = SubmitNeed(round="R-1", group="空巢老人", community="COMM-9")
    assert await office.refused(NEED, need, "COMM#1") == {"AF03"}
    assert await office.refused(BID, DraftApplication(**ANOTHERS), "SO-PM#1") == {"SD10"}
    own = DraftApplication(**{**ANOTHERS, "organisation": "ORG-1"})
    assert (await office.ask(BID, own, "SO-PM#1")).events == ("ApplicationDrafted",)
    assert await office.refused(BID, ReturnApplication(reason="缺件"), "DCAB#1") == {"AF02", "AP05"}


async def test_nothing_of_other_streams_is_read_for_whom_it_is_no_business(office: Office) -> None:
    await office.refused(BID, SubmitApplication(**ANOTHERS), "SO-LEGAL#1")
    (entry,) = [e async for e in office.store.read(BID, commands=True) if e.kind is EntryKind.COMMAND]
    assert set(Journal.read(entry).reads) == {"calendar/live/cn", "seat/live/SO-LEGAL.1"}
    assert not Journal.read(entry).claims


async def test_a_stake_is_read_at_a_version_and_decides_again_to_the_same(office: Office) -> None:
    """Whoever rates ORG-1 holds a seat of it: which seats are theirs is read, journalled, and held in the append."""
    await office.seat("CAB-REG#1")
    organisation, me = StreamId("organisation/live/ORG-1"), person_on(Actor("CAB-REG#1"))
    assert (await office.ask(organisation, verification("SO-LEGAL#1"), "CAB-REG#1")).events
    await office.seat("SO-ACC#1", me)
    rating = RecordRating(level="4A", until=date(2100, 1, 1))
    assert await office.refused(organisation, rating, "CAB-REG#1") == {"SD15"}
    (*_, entry) = [e async for e in office.store.read(organisation, commands=True) if e.kind is EntryKind.COMMAND]
    assert {f"person/live/{me}", "seat/live/SO-ACC.1"} <= Journal.read(entry).reads.keys()
    again = await redecide(office.store, organisation)
    assert again.ok, again.as_json()
    assert (again.accepted, again.refused) == (1, 1)


async def test_a_seat_of_the_organisation_that_is_given_meanwhile_is_seen_in_the_append(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided before, appended after: what was read of the person no longer stands, so it is decided again."""
    await office.seat("CAB-REG#1")
    organisation, me = StreamId("organisation/live/ORG-1"), person_on(Actor("CAB-REG#1"))
    await office.ask(organisation, verification("SO-LEGAL#1"), "CAB-REG#1")
    append, seats = office.store.append, list[str]()

    async def append_late(late: Append) -> AppendResult:
        if not seats and any(write.command_type == "RecordRating" for write in late.writes):
            seats.append("SO-ACC#1")
            await office.seat("SO-ACC#1", me)
        return await append(late)

    monkeypatch.setattr(office.store, "append", append_late)
    rating = RecordRating(level="4A", until=date(2100, 1, 1))
    assert await office.refused(organisation, rating, "CAB-REG#1") == {"SD15"}
    assert seats


async def test_what_the_policy_refused_is_refused_again_by_the_same_rules(office: Office) -> None:
    await office.refused(BID, DraftApplication(**ANOTHERS), "SO-PM#1")
    await office.refused(BID, SubmitApplication(**ANOTHERS), "SO-LEGAL#1")
    await office.refused(BID, SubmitApplication(**ANOTHERS), "COMM#1")
    again = await redecide(office.store, BID)
    assert again.ok, again.as_json()
    assert again.refused == again.commands
