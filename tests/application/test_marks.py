"""What was done in an emergency is marked wherever the story is shown: terminal, pages, papers, sheets and HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from application.access import Access
from application.queries import load_file
from cli.output import Form, Printer
from cli.rendering import who_acted
from domain.kernel.acting import Basis, PersonId
from domain.kernel.identifier import LIVE, Actor, StreamId
from domain.kernel.message import Occurrence
from domain.registers.person import RegisterPerson, person_stream
from domain.registers.seat import BreakGlass, seat_stream
from domain.round.clarification import ClarificationAsked
from domain.visibility import Sight
from languages.language import Language
from papers.dossier import open_dossier
from papers.lists import list_story
from store.memory import MemoryStore
from tests.domain.pure_realm import verification
from tests.office import FIRST, Office
from web.console.file.story import build_story
from web.v1.events import as_cloud_event
from web.v1.files import build_chapters

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


async def test_what_was_done_in_an_emergency_is_marked_wherever_the_story_is_shown() -> None:
    office, person, stream = Office(MemoryStore(), at=NOW), PersonId("P-77"), StreamId("organisation/live/ORG-1")
    await office.seat("CAB-REG#1")
    await office.ask(person_stream(LIVE, person), RegisterPerson(), FIRST)
    emergency = BreakGlass(person=person, hours=4, reason="系統故障")
    await office.privileged(seat_stream(LIVE, Actor("CAB-REG#1")), emergency)
    await office.ask(stream, verification(), "CAB-REG#1", person)
    file = await load_file(office.store, stream)
    (chapter,) = file.story
    say, words = Language.HANT.say, Basis.BREAK_GLASS.zh
    assert chapter.occurrence.basis is Basis.BREAK_GLASS
    assert words in who_acted(chapter.occurrence, Printer(Form.TABLE, Language.HANT))
    (entry,) = build_story(file.story, (), stream, Language.HANT, is_manual=False).entries
    assert entry.basis == (words, Basis.BREAK_GLASS.en)
    dossier = await open_dossier(office.store, stream, as_of=None, until=None)
    assert dossier.say(words) in dossier.seat(chapter)
    assert list_story(file, say).rows[0].row["basis"] == words
    assert build_chapters(file, say)[0].basis is Basis.BREAK_GLASS
    access = Access(((Actor("CAB-REG#1"), Sight()),))
    (cloud_event,) = [as_cloud_event(entry, "urn:venture:log:", access) async for entry in office.store.read(stream)]
    assert cloud_event.basis is Basis.BREAK_GLASS


async def test_where_it_is_not_told_who_acted_no_seat_is_named_that_is_not_there() -> None:
    office, stream = Office(MemoryStore(), at=NOW), StreamId("organisation/live/ORG-1")
    await office.seat("CAB-REG#1")
    await office.ask(stream, verification(), "CAB-REG#1")
    file = await load_file(office.store, stream)
    (chapter,) = file.story
    asked = Occurrence(
        ClarificationAsked(clarification="1", question="?", reply_wd=2), NOW, Actor("SO-LEGAL#9"), UUID(int=0)
    )
    access = Access(((Actor("EXPERT#1"), Sight()),))
    seen = replace(file, story=(access.show(replace(chapter, occurrence=asked)),))
    assert list_story(seen, Language.EN.say).rows[0].row["seat"] == "withheld"
    (answer,) = build_chapters(seen, Language.EN.say)
    assert (answer.seat, answer.persons) == (None, [])
