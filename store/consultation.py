"""What carrying out a command asks of the log beforehand; many such questions fit into one statement."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Self

from domain.kernel.clock import Clock
from domain.kernel.identifier import StreamId
from store.bounds import is_storable
from store.entry_row import read_entry
from store.port import CommandBasis, Readings, RealmStanding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from uuid import UUID

    import asyncpg

    from store.port import Entry

_version = attrgetter("version")


@dataclass(frozen=True, slots=True)
class Consultation:
    """One question, as the port's ``consult`` has it."""

    stream: StreamId
    command_id: UUID | None
    known: Mapping[StreamId, int]
    """Every stream that is asked for, ``stream`` among them, and up to which version it is known."""
    claims: Collection[str]
    accounts: Collection[str]

    @property
    def size(self) -> int:
        """How many readings it wants."""
        return len(self.known) + len(self.claims) + len(self.accounts)


@dataclass
class ConsultationAnswers:
    """The answer to many questions at once, as of one moment. What several asked for stands in it once."""

    events: defaultdict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    commands: dict[UUID, Entry] = field(default_factory=dict)
    realms: dict[str, RealmStanding] = field(default_factory=dict)
    dues: defaultdict[str, list[tuple[StreamId, datetime]]] = field(default_factory=lambda: defaultdict(list))
    """The first two deadlines of each realm on a manual clock: the nearest of another stream is one of them."""
    holders: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    balances: dict[str, int] = field(default_factory=dict)
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """The store's own clock."""
    genesis: bytes | None = None

    @classmethod
    def of(cls, rows: Iterable[asyncpg.Record]) -> Self:
        """From the rows of the statement ``consult``."""
        findings = cls()
        for row in rows:
            match row["part"]:
                case "event":
                    findings.events[row["stream"]].append(read_entry(row))
                case "command":
                    findings.commands[row["command_id"]] = read_entry(row)
                case "realm":
                    findings.realms[row["stream"]] = read_realm(row)
                case "due":
                    stream = StreamId(row["stream"])
                    findings.dues[stream.realm].append((stream, row["recorded_at"]))
                case "clock":
                    findings.read_at, findings.genesis = row["recorded_at"], row["chain"]
                case "claim":
                    findings.holders[row["stream"]].add(row["type"])
                case _:
                    findings.balances[row["stream"]] = row["position"]
        for entries in findings.events.values():
            entries.sort(key=_version)
        for deadlines in findings.dues.values():
            deadlines.sort(key=lambda deadline: deadline[1])
        return findings

    def answer(self, question: Consultation) -> tuple[CommandBasis, Readings]:
        """What one of them wanted to know."""
        events = {stream: self._since(stream, version) for stream, version in question.known.items()}
        basis = CommandBasis(
            self.commands.get(question.command_id) if question.command_id else None,
            events.pop(question.stream),
            self._realm_for(question.stream),
            self.read_at,
            self.genesis,
        )
        holders = {key: frozenset(self.holders.get(key, ())) for key in question.claims}
        return basis, Readings(
            events, holders, {account: self.balances.get(account, 0) for account in question.accounts}
        )

    def _since(self, stream: StreamId, version: int) -> Sequence[Entry]:
        """From that version on; who knew less of the stream may have asked beside."""
        entries = self.events.get(stream, [])
        if not entries or entries[0].version >= version:
            return entries
        return [entry for entry in entries if entry.version >= version]

    def _realm_for(self, stream: StreamId) -> RealmStanding:
        """How the stream's realm stands, but for its own deadline."""
        realm = self.realms.get(stream.realm, RealmStanding())
        earliest = next((due for other, due in self.dues.get(stream.realm, ()) if other != stream), None)
        return realm if earliest is None else replace(realm, earliest=earliest)


def list_places(questions: Sequence[Consultation]) -> tuple[list[Any], ...]:
    """What the statement ``consult`` is given for these: every stream by the version of who knows least of it."""
    known: dict[StreamId, int] = {}
    for question in questions:
        for stream, version in question.known.items():
            known[stream] = min(version, known.get(stream, version))
    return (
        list(known),
        list(known.values()),
        list({question.stream.realm for question in questions}),
        [question.command_id for question in questions if question.command_id is not None],
        list_storable(claim for question in questions for claim in question.claims),
        list_storable(account for question in questions for account in question.accounts),
    )


def read_realm(row: asyncpg.Record) -> RealmStanding:
    """How a realm stands, of the statements ``realms`` and ``consult``."""
    return RealmStanding(
        read_clock(row["type"]),
        row["occurred_at"],
        version=row["version"] or 0,
        calendar=row["schema_version"] or 0,
        earliest=row["recorded_at"],
    )


def read_clock(column: str) -> Clock:
    """The clock that a column names."""
    return Clock(column.upper())


def list_storable(texts: Iterable[str]) -> list[str]:
    """Those that may be there at all, once each: to look for the others would be an error."""
    return [text for text in dict.fromkeys(texts) if is_storable(text)]
