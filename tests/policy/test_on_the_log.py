"""The policy behind ``carry_out``: refused before anything else is read, journalled, and decided again to the same."""

from __future__ import annotations

import pytest

from audit.redecision import redecide
from deciding.journal import Journal
from domain.kernel.identity import StreamId
from domain.need import SubmitNeed
from domain.project.bidding import DraftApplication, ReturnApplication, SubmitApplication
from store.memory import MemoryStore
from store.port import EntryKind
from tests.office import Office

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
    assert set(Journal.of(entry).reads) == {"calendar/live/cn", "seat/live/SO-LEGAL.1"}
    assert not Journal.of(entry).claims


async def test_what_the_policy_refused_is_refused_again_by_the_same_rules(office: Office) -> None:
    await office.refused(BID, DraftApplication(**ANOTHERS), "SO-PM#1")
    await office.refused(BID, SubmitApplication(**ANOTHERS), "SO-LEGAL#1")
    await office.refused(BID, SubmitApplication(**ANOTHERS), "COMM#1")
    again = await redecide(office.store, BID)
    assert again.ok, again.as_json()
    assert again.refused == again.commands
