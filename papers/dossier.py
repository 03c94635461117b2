"""What a paper is made from: a file with what it cites, read once and as of one day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from application.course import Chapter
from application.queries import File, NameUnknown, load_file, load_states
from domain.application import Application
from domain.catalogue import value_words
from domain.kernel.calendar import SHANGHAI, local_day
from domain.kernel.identifier import SYSTEM
from domain.project.award import Award
from domain.project.contract import Contract
from domain.registers.fund import Fund
from domain.registers.organisation import Organisation
from domain.registers.scheme import scheme_of
from domain.round.plan import Round
from domain.round.resolution import RoundResolved
from papers.script import Script
from papers.template import DEFAULT, IssuingOffice, read_office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from domain.kernel.calendar import Calendar
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Event
    from domain.kernel.scheme import Scheme
    from domain.kernel.state import State
    from domain.kernel.words import Words
    from store.port import EventStore

E = TypeVar("E", bound="Event")


@dataclass(frozen=True)
class Dossier:
    """A file, and what it cites."""

    file: File
    round: State | None
    scheme: Scheme | None
    organisations: dict[str, Organisation]
    """By number; those that are registered."""
    bids: dict[str, State]
    """Of a round that was decided: those that were chosen, by application."""
    funds: dict[str, str]
    """Fund and what it is called."""
    calendar: Calendar
    as_of: date | None
    position: int
    """Of the last event that was read, in whichever stream."""

    @property
    def state(self) -> State:
        """How the file stands."""
        return self.file.state

    @property
    def office(self) -> IssuingOffice:
        """How the office is called that issues its papers."""
        return read_office(self.scheme.name if self.scheme else DEFAULT)

    @property
    def script(self) -> Script:
        """The Chinese script of its city."""
        return self.office.script

    @property
    def bureau(self) -> str:
        """The bureau that issues its papers."""
        city = self.scheme.city if self.scheme else ""
        return self.script.write(self.office.bureau.format(city=city))

    def say(self, text: str) -> str:
        """Words of ours, or of the city's rules, in the script of the city."""
        return self.script.write(text)

    def word(self, value: str) -> str:
        """What a budget line or a payment condition is called."""
        head, _, part = value.partition("/")
        words = self.say(value_words(head)[0])
        if not part:
            return words
        return f"{words}{self.script.write('「')}{self.milestone(part)}{self.script.write('」')}"

    def milestone(self, name: str) -> str:
        """What a milestone is called: its title as it was typed, or the words of one that the rules set (FZ-6)."""
        term = self.state.part(Contract).milestones.get(name)
        return term.title if term else self.say(value_words(name)[0])

    def value(self, value: Words | None) -> str:
        """One of our own values; nothing if there is none."""
        return self.say(value.zh) if value is not None else ""

    def quote(self, chapter: Chapter, text: str | None) -> str:
        """What an event says: as it was typed, or where the clock wrote it, in the script of the city."""
        if text is None:
            return ""
        return self.say(text) if chapter.occurrence.actor == SYSTEM else text

    def chapters(self, event: type[E]) -> list[tuple[Chapter, E]]:
        """The events of that type, of this stream or one that it cites, in their order."""
        return [
            (chapter, chapter.occurrence.event)
            for chapter in self.file.story
            if isinstance(chapter.occurrence.event, event)
        ]

    def until(self, chapter: Chapter) -> Iterator[Chapter]:
        """The events of the file before that one."""
        return (one for one in self.file.story if one.position < chapter.position)

    def after(self, chapter: Chapter) -> Iterator[Chapter]:
        """The events of the file after that one."""
        return (one for one in self.file.story if one.position > chapter.position)

    @property
    def number(self) -> str:
        """The project's number; its application's before it has one."""
        return self.state.part(Award).project or self.file.stream.name

    @property
    def organisation(self) -> str:
        """What the applicant is called; its number if it was never verified."""
        return self.name_organisation(self.state.part(Application).organisation)

    def name_organisation(self, number: str) -> str:
        """What an organisation is called; its number if it was never verified."""
        known = self.organisations.get(number)
        return known.name if known and known.name else number

    @property
    def year(self) -> str:
        """The round's year, or the year in which it was begun."""
        known = self.round.part(Round).year if self.round else None
        return str(known or (local_day(self.file.story[0].at).year if self.file.story else ""))

    def name_fund(self, fund: str) -> str:
        """What a fund is called."""
        return self.funds.get(fund) or fund

    def seat(self, chapter: Chapter) -> str:
        """On which seat it was done, by whom where that is known, and in what right if the seat is not theirs."""
        acting = chapter.occurrence
        persons = "、".join(sorted(acting.persons))
        basis = "" if acting.basis is None else self.say(acting.basis.zh)
        return f"{self.say(acting.actor.role.zh)}（{'，'.join(filter(None, (acting.actor, persons, basis)))}）"


def write_day(day: date | None) -> str:
    """``2024年5月1日``, as papers write it; room for it where there is none yet."""
    return f"{day.year}年{day.month}月{day.day}日" if day else "　　　　年　　月　　日"


def write_instant(at: datetime) -> str:
    """``2024年4月24日17时``; at the end of a day 24时 of that day."""
    local = at.astimezone(SHANGHAI)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"{write_day(local_day_before(at))}24時"
    minutes = f"{local.minute:02d}分" if local.minute else ""
    return f"{write_day(local.date())}{local.hour}時{minutes}"


def local_day_before(at: datetime) -> date:
    """The day that ends at that instant."""
    return local_day(at - timedelta(microseconds=1))


def _list_chosen(file: File) -> list[str]:
    """The applications that a round chose."""
    events = (chapter.occurrence.event for chapter in file.story)
    return [one.application for event in events if isinstance(event, RoundResolved) for one in event.selected]


async def open_dossier(store: EventStore, stream: StreamId, *, as_of: date | None, until: datetime | None) -> Dossier:
    """A file and what it cites, up to that instant. Raises NameUnknown if it has no events by then."""
    file = await load_file(store, stream, until=until)
    state, position = file.state, max((chapter.position for chapter in file.story), default=0)
    application = state.part(Application)

    async def cite(kind: str, name: str | None) -> State | None:
        nonlocal position
        if not name:
            return None
        try:
            cited = await load_file(store, stream.sibling(kind, name), until=until)
        except NameUnknown:
            return None
        position = max(position, *(chapter.position for chapter in cited.story))
        return cited.state

    round_ = state if stream.kind == "round" else await cite("round", application.round)
    ref = state.scheme or (round_.scheme if round_ else None)
    register = await cite("scheme", ref.name if ref else None)
    chosen = {stream.sibling("project", name): name for name in _list_chosen(file)}
    bids = {chosen[bid]: bid_state for bid, bid_state in (await load_states(store, chosen, until=until)).items()}
    bidders = {bid.part(Application).organisation for bid in bids.values()} | application.bidders
    organisations, funds = {}, {}
    for name in sorted(bidders):
        known = await cite("organisation", name)
        if known is not None:
            organisations[name] = known.part(Organisation)
    for name in sorted(state.part(Award).funds):
        fund = await cite("fund", name)
        if fund is not None:
            funds[name] = fund.part(Fund).name
    return Dossier(
        file=file,
        round=round_,
        scheme=scheme_of(register, ref) if register and ref else None,
        organisations=organisations,
        bids=bids,
        funds=funds,
        calendar=file.calendar,
        as_of=as_of,
        position=position,
    )
