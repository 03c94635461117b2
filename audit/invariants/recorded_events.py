"""Entries of the log as the checker reads them, and the conditions that it counts.

Nothing here knows the rules' own classes: JSON in, plain values out. What is told of them is worded by ``wording``.
"""

from __future__ import annotations

import json
from calendar import monthrange
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from audit.invariants.wording import Phrase, read_particulars, write_particulars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit.invariants.wording import Param
    from store.port import Entry

_SHANGHAI = timedelta(hours=8)
"""China has kept one offset without summer time since 1991."""


def day_of(instant: datetime) -> date:
    """The Shanghai day on which that instant lies."""
    return (instant.astimezone(UTC) + _SHANGHAI).date()


def midnight(day: date) -> datetime:
    """24:00 of that day in Shanghai, as UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1) - _SHANGHAI


def months_on(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where it has no such day."""
    year, month = divmod(12 * day.year + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def to_date(value: object) -> date | None:
    """A day as JSON writes it; None for anything else."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def to_instant(value: object) -> datetime | None:
    """An instant as JSON writes it; None for anything else."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def to_number(value: object) -> Decimal:
    """A mark as JSON writes it; 0 for anything else."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)


@dataclass(frozen=True)
class Hand:
    """Who had a hand in something: the seat, and the persons where they are known."""

    actor: str
    persons: frozenset[str]

    def is_same(self, other: Hand) -> bool:
        """Whether one human may be behind both; where nobody is known, whether the seat is one."""
        if self.persons and other.persons:
            return not self.persons.isdisjoint(other.persons)
        return self.actor == other.actor

    def __str__(self) -> str:
        """The seat, as breaches name it."""
        return self.actor


@dataclass(frozen=True)
class RecordedEvent:
    """One event of the log."""

    position: int
    stream: str
    version: int
    type: str
    actor: str
    at: datetime
    """When it was so, UTC."""
    data: Mapping[str, Any]
    persons: frozenset[str] = frozenset()
    """Who counts as having acted; empty where nobody is known."""

    @classmethod
    def of(cls, entry: Entry) -> RecordedEvent:
        """The event of that entry; without particulars or actor where its bytes are no JSON object."""
        data, meta = _object(entry.data), _object(entry.meta)
        actor = str(meta.get("actor", ""))
        named = meta.get("persons")
        persons = frozenset(str(person) for person in named) if isinstance(named, list) else frozenset()
        return cls(
            entry.position, str(entry.stream), entry.version, entry.type, actor, entry.occurred_at, data, persons
        )

    @property
    def kind(self) -> str:
        """Which kind of stream, e.g. ``project``."""
        return self.stream.split("/", 2)[0]

    @property
    def realm(self) -> str:
        """The realm of the event's stream."""
        return self.stream.split("/", 2)[1]

    @property
    def name(self) -> str:
        """Its number within the realm."""
        return self.stream.split("/", 2)[2]

    @property
    def hand(self) -> Hand:
        """Seat and persons that caused the event."""
        return Hand(self.actor, self.persons)

    @property
    def role(self) -> str:
        """In which role the person acted."""
        return self.actor.partition("#")[0]

    @property
    def day(self) -> date:
        """The Shanghai day on which it was so."""
        return day_of(self.at)

    def fen(self, key: str) -> int:
        """An amount; 0 if there is none."""
        return whole(self.data.get(key))

    def shares(self, key: str) -> dict[str, int]:
        """Fund, line or tranche and its amount; empty if there is none."""
        value = self.data.get(key)
        return {str(k): whole(v) for k, v in value.items()} if isinstance(value, dict) else {}

    def text(self, key: str) -> str:
        """A text; empty if there is none."""
        value = self.data.get(key)
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> list[str]:
        """The texts of a list in the event; none where it is missing."""
        value = self.data.get(key)
        return [str(item) for item in value] if isinstance(value, list) else []

    def part(self, key: str) -> Mapping[str, Any]:
        """An object inside it; empty if there is none."""
        value = self.data.get(key)
        return value if isinstance(value, dict) else {}


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def whole(value: object) -> int:
    """A whole number of fen; 0 for anything else, which M9 reports by itself."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


@dataclass(frozen=True)
class Breach:
    """One place at which an invariant does not hold."""

    rule: str
    position: int
    """The entry that broke it."""
    stream: str
    event: str
    zh_template: str
    en_template: str
    params: Mapping[str, Param]

    @property
    def zh(self) -> Phrase:
        """What was found, in Traditional Chinese."""
        return Phrase.in_chinese(self.zh_template, self.params)

    @property
    def en(self) -> Phrase:
        """What was found, in English."""
        return Phrase.in_english(self.en_template, self.params)

    def as_json(self) -> dict[str, Any]:
        """As JSON: the sentence in both languages, and its values by name."""
        return {
            "rule": self.rule,
            "position": self.position,
            "stream": self.stream,
            "event": self.event,
            "zh": self.zh,
            "en": self.en,
            "params": write_particulars(self.params),
        }


@dataclass
class Conditions:
    """Called with every condition that must hold; keeps those that do not, and counts all by rule."""

    judged: Counter[str] = field(default_factory=Counter)
    breaches: list[Breach] = field(default_factory=list)
    _event: RecordedEvent | None = None

    def of(self, event: RecordedEvent) -> None:
        """Every condition from now on is one of this event."""
        self._event = event

    def __call__(self, held: object, rule: str, zh: str, en: str, /, **params: object) -> None:
        """Note the condition if it does not hold; the texts say what was found, with ``params`` at their places."""
        self.judged[rule] += 1
        event = self._event
        if not held:
            place = (event.position, event.stream, event.type) if event else (0, "", "")
            self.breaches.append(Breach(rule, *place, zh, en, read_particulars(params)))
