"""What the checker remembers of a realm while it walks the log: plain values, folded by its own hand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audit.invariants.recorded_events import Hand
from audit.invariants.rules import Rules
from audit.invariants.working_days import Days

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from decimal import Decimal


@dataclass
class Fund:
    """A purse with its envelope in fen, and what live awards take of it."""

    envelope: int = 0
    purposes: frozenset[str] = frozenset()
    taken: int = 0
    adjustments: dict[str, tuple[int, Hand]] = field(default_factory=dict)
    """Number of an adjustment that was proposed, its fen, and who proposed it."""


@dataclass
class Organisation:
    """What stands for and against its being funded."""

    verified: bool = False
    representatives: frozenset[str] = frozenset()
    annual_report: bool = False
    own_accounts: bool = False
    ratings: list[tuple[str, date, date]] = field(default_factory=list)
    """Level, first and last day."""
    bonuses: dict[str, int] = field(default_factory=dict)
    listings: set[str] = field(default_factory=set)
    banned_until: date | None = None
    banned_on: date | None = None
    blacklisted_on: date | None = None
    """When it was last put on the list of serious offenders."""
    district: str = ""
    """The district whose office verified it first."""
    round: str = ""
    """The round for whose intake it was verified first."""
    kinds: frozenset[str] = frozenset()
    """Hub, support and other kinds of a city's list."""

    def level(self, day: date) -> str | None:
        """The level that counts on that day: the one recorded last."""
        return next((level for level, first, last in reversed(self.ratings) if first <= day <= last), None)


@dataclass
class Round:
    """A round with its windows."""

    scheme: tuple[str, int] | None = None
    year: int | None = None
    level: str = ""
    budget: int | None = None
    """What was approved for it last; None before any approval."""
    awarded: int = 0
    """What its live awards come to: proposed, less what was freed, cut or cancelled."""
    solicited_on: date | None = None
    needs_wd: int = 0
    called_on: date | None = None
    window_wd: int = 0
    deadline: datetime | None = None
    cancelled: bool = False
    """Given up, and not called anew."""
    asides: dict[tuple[str, str], int] = field(default_factory=dict)
    """By what and for whom, and the fen that are set aside for them (M11)."""
    counted: defaultdict[tuple[str, str], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    """Of each of these, the projects whose awards count towards it."""


@dataclass
class Need:
    """The theme and the fields of a need."""

    round: str = ""
    theme: str = ""
    fields: frozenset[str] = frozenset()


@dataclass
class ApprovalRequest:
    """A decision that a service asked for: who asked, to what it is bound, who has voted."""

    opener: Hand
    digest: str
    payee: str = ""
    """The organisation that would be paid; empty where none was named."""
    voters: list[Hand] = field(default_factory=list)


@dataclass
class Panel:
    """Who sits, who may not, who scored."""

    round: str = ""
    bidders: dict[str, frozenset[str]] = field(default_factory=dict)
    seated: list[str] = field(default_factory=list)
    barred: set[str] = field(default_factory=set)
    cleared: set[str] = field(default_factory=set)
    """Seats on which it was said that there is no interest."""
    hands: dict[str, set[str]] = field(default_factory=dict)
    """Seat and the persons who acted on it."""
    sheets: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    heard: list[str] | None = None
    """Applications that are heard after the written review; None before, or where nobody is."""
    defences: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    took_part: set[Hand] = field(default_factory=set)
    results: dict[str, Decimal] = field(default_factory=dict)
    reported: bool = False
    committed: Mapping[str, Any] | None = None
    """The particulars of the draw that was committed to."""
    ranking: list[str] = field(default_factory=list)
    """Everybody who could be drawn, in the order drawn; empty where seats were entered."""


@dataclass
class Roster:
    """Who may be drawn."""

    experts: set[str] = field(default_factory=set)
    suspended: dict[str, date | None] = field(default_factory=dict)
    """Who stands aside, and the last day of it."""
    ties: dict[tuple[str, str, str], date | None] = field(default_factory=dict)
    """Expert, organisation and kind, and the last day of the tie; None while it holds."""


@dataclass
class Objection:
    """An objection and the days on which it moved."""

    status: str
    accepted_on: date | None = None
    decided_on: date | None = None

    def stops(self, day: date) -> bool:
        """Whether the publicity clock stood still on that day."""
        if self.accepted_on is None or day < self.accepted_on:
            return False
        return self.decided_on is None or day <= self.decided_on


@dataclass
class Tranche:
    """A tranche: what was planned and what became of it, in fen."""

    planned: int
    gate: str
    status: str = "PLANNED"
    paid: int = 0
    cancelled: int = 0
    requested: int = 0
    split: dict[str, int] = field(default_factory=dict)
    """How its payment fell on the funds."""
    maker: Hand | None = None
    checker: Hand | None = None
    approver: Hand | None = None

    @property
    def left(self) -> int:
        """Neither paid nor cancelled."""
        return self.planned - self.paid - self.cancelled

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is paid of it."""
        return self.status in ("PAID", "CANCELLED")


@dataclass
class Variation:
    """A variation as asked for."""

    end: date | None
    effective: date | None
    award: int | None
    status: str = "REQUESTED"
    minor_percent: Decimal | None = None
    """What it moves between lines, where the case officer may decide it; None for one that the meeting decides."""


@dataclass
class Activity:
    """An activity as it counts now."""

    held_on: date
    person_times: int
    team: str | None
    is_visit: bool = False
    struck: bool = False


@dataclass
class Correction:
    """A correction as proposed."""

    corrects: int
    by: Hand
    strike: bool
    person_times: int | None
    amount: int | None
    confirmed: bool = False


@dataclass
class Rectification:
    """The latest rectification."""

    status: str = "NONE"
    ordered_by: Hand | None = None
    runs_from: date | None = None
    due: date | None = None
    rectify_wd: int = 0
    extensions: int = 0


@dataclass
class Custody:
    """Who opens the sealed bids of a round, and who has agreed to it."""

    seats: frozenset[str] = frozenset()
    quorum: int = 0
    open_wd: int = 0
    released: list[Hand] = field(default_factory=list)
    opened_on: date | None = None


@dataclass
class Project:
    """A project from its bid to the archive."""

    name: str
    stage: str = "NONE"
    stack: list[str] = field(default_factory=list)
    since: date | None = None
    # the bid
    organisation: str = ""
    partners: tuple[str, ...] = ()
    round: str = ""
    answer: str = ""
    """The need, or its own statement of one, that it answers."""
    fields: frozenset[str] = frozenset()
    requested: int = 0
    match_pledged: int = 0
    community: str = ""
    district: str = ""
    supports_base: str = ""
    """The base that it supports."""
    sealed: str = ""
    """The digest that was committed to before the call closed."""
    returned_on: date | None = None
    completion_wd: int = 0
    # the award
    number: str = ""
    award: int = 0
    live: dict[str, int] = field(default_factory=dict)
    """Fund and what is set aside on it, neither paid nor cancelled nor freed."""
    panel: str = ""
    posted_on: date | None = None
    publicity_wd: int = 0
    objections: dict[str, Objection] = field(default_factory=dict)
    rescoring: bool = False
    confirmed_on: date | None = None
    signing_wd: int = 0
    # the contract
    version: int = 0
    scheme: tuple[str, int] | None = None
    signed_on: date | None = None
    end: date | None = None
    budget: dict[str, int] = field(default_factory=dict)
    engaged: dict[str, str] = field(default_factory=dict)
    """Part in the contract, e.g. ``evaluator``, and who takes it."""
    tranches: dict[str, Tranche] = field(default_factory=dict)
    milestones: frozenset[str] = frozenset()
    variations: dict[str, Variation] = field(default_factory=dict)
    account: str = ""
    account_since: datetime | None = None
    """When it took another's place, or was registered by a known person; None for one that needs no rest."""
    account_confirmed: bool = True
    # money
    paid: int = 0
    returned: int = 0
    clawed_back: int = 0
    ordered: int = 0
    escalated: bool = False
    eligible: int | None = None
    out: dict[str, int] = field(default_factory=dict)
    """Fund and what was paid from it and has not come back."""
    gates: dict[str, bool] = field(default_factory=dict)
    # the work
    supervisor: str = ""
    started_on: date | None = None
    activities: dict[int, Activity] = field(default_factory=dict)
    host: str = ""
    vouchers: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Version at which it was recorded, and the voucher's number and issuer."""
    spending: dict[int, tuple[str, int]] = field(default_factory=dict)
    """Version at which it was recorded, the budget line, and the fen that count now."""
    reimburses: bool = False
    """Whether no more is paid than its checked vouchers come to (M12)."""
    allowed: dict[int, int] = field(default_factory=dict)
    """Version at which a voucher was recorded, and the fen of it that finance allows."""
    paid_before: int = 0
    """What an opening entry says was paid, on vouchers that nobody here has seen."""
    teams: set[str] = field(default_factory=set)
    carried: dict[str, frozenset[tuple[int, int]]] = field(default_factory=dict)
    """Team and the months in which an opening entry says that it was active (Z1)."""
    proposed: tuple[Hand, Mapping[str, Any]] | None = None
    """Who proposed its opening entry last, and what that said."""
    groups: frozenset[str] = frozenset()
    """Whom the application serves."""
    sites: frozenset[str] = frozenset()
    assets: dict[str, str] = field(default_factory=dict)
    """Asset and who keeps it."""
    deliberations: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)
    evaluators: set[str] = field(default_factory=set)
    auditors: set[str] = field(default_factory=set)
    midterm: str = ""
    rectification: Rectification = field(default_factory=Rectification)
    hearing_until: date | None = None
    initiated_on: date | None = None
    hearing_wd: int = 0
    corrections: dict[str, Correction] = field(default_factory=dict)
    archived_on: date | None = None
    kept_through: int = 9999
    """The last year through which the file is kept."""
    held: bool = False
    disposed_on: date | None = None

    @property
    def bidders(self) -> frozenset[str]:
        """All organisations that stand behind it."""
        return frozenset({self.organisation, *self.partners} - {""})

    @property
    def net(self) -> int:
        """Paid less returned less clawed back, in fen (M3)."""
        return self.paid - self.returned - self.clawed_back

    def spent_on(self, line: str) -> int:
        """What the vouchers of that budget line come to, in fen."""
        return sum(fen for of, fen in self.spending.values() if of == line)

    @property
    def counted(self) -> list[Activity]:
        """The activities that count."""
        return [a for a in self.activities.values() if not a.struck]

    @property
    def sessions(self) -> int:
        """What was held, but for visits to people's homes (V3)."""
        return sum(not a.is_visit for a in self.counted)

    @property
    def person_times(self) -> int:
        """All attendances (V3)."""
        return sum(a.person_times for a in self.counted)

    @property
    def standing_months(self) -> int:
        """Distinct months of the steadiest team (Z1)."""
        months = defaultdict(set, {team: set(known) for team, known in self.carried.items()})
        for activity in self.counted:
            if activity.team in self.teams and activity.team is not None:
                months[activity.team].add((activity.held_on.year, activity.held_on.month))
        return max((len(of) for of in months.values()), default=0)


@dataclass
class Realm:
    """Everything that stands in one realm."""

    calendars: list[Days] = field(default_factory=lambda: [Days()])
    """Every state of the working days that was ever published, the oldest first."""
    days: Days = field(default_factory=Days)
    """The working days as they were published at the instant of the event that is looked at."""
    schemes: dict[tuple[str, int], Rules] = field(default_factory=dict)
    funds: defaultdict[str, Fund] = field(default_factory=lambda: defaultdict(Fund))
    organisations: defaultdict[str, Organisation] = field(default_factory=lambda: defaultdict(Organisation))
    rounds: defaultdict[str, Round] = field(default_factory=lambda: defaultdict(Round))
    municipal: dict[tuple[str, int], str] = field(default_factory=dict)
    """City's rules and year, and the round that is its municipal one (H1)."""
    bases: dict[str, str] = field(default_factory=dict)
    """Base and its tier."""
    needs: dict[str, Need] = field(default_factory=dict)
    need_hands: defaultdict[str, list[Hand]] = field(default_factory=lambda: defaultdict(list))
    """Who submitted and who endorsed each need."""
    known: set[tuple[str, str]] = field(default_factory=set)
    """Kind and name of every stream that has an event."""
    stages: dict[tuple[str, str], str] = field(default_factory=dict)
    """Kind and name of every stream but projects', and the stage it is in."""
    designations: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    """Designation, its kind and, of a method, its steps."""
    nodes: dict[str, str] = field(default_factory=dict)
    """Node of the network and its level."""
    stated: dict[str, int] | None = None
    """How many bases of each tier there are, as was stated last."""
    grades: dict[str, str] = field(default_factory=dict)
    """Base and the grade of its latest assessment."""
    cases: dict[str, tuple[str, list[Hand], str]] = field(default_factory=dict)
    """Case, the project that it is about, who opened it and found something, and what was decided."""
    supports: dict[tuple[str, int | None], str] = field(default_factory=dict)
    """Base and year, and the project that is its support (C3)."""
    panels: defaultdict[str, Panel] = field(default_factory=lambda: defaultdict(Panel))
    rosters: defaultdict[str, Roster] = field(default_factory=lambda: defaultdict(Roster))
    waiting: dict[tuple[str, str, str], tuple[date, str]] = field(default_factory=dict)
    """Project, kind and number of what must be done in time, since when it waits, and who is told if it is late."""
    ages: dict[str, date] = field(default_factory=dict)
    """Organisation, and the day on which it will have been on the list of abnormal operations for two years."""
    challenges: dict[tuple[str, str], tuple[str, date, str]] = field(default_factory=dict)
    """Project and number of a challenge: where it stands, since when, by whom."""
    clarifications: defaultdict[str, dict[str, bool]] = field(default_factory=lambda: defaultdict(dict))
    """Round, number of a question about its call, and whether it was answered."""
    custody: dict[str, Custody] = field(default_factory=dict)
    """Round, and who opens its sealed bids."""
    draws: dict[str, str] = field(default_factory=dict)
    """Application, and the panel whose draw is committed to for it."""
    works: set[int] = field(default_factory=set)
    """Works of maintenance that have begun and not ended."""
    seats: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    """Seat on the register, of what kind its scope is, and whom that names."""
    hosts: dict[str, str] = field(default_factory=dict)
    """Round and its managing agency; empty where the call names none."""
    base_evaluators: dict[str, str] = field(default_factory=dict)
    """Base and who assesses it; empty where its designation names nobody."""
    base_operators: dict[str, str] = field(default_factory=dict)
    sides: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Stream, person, and the side on which that person stands there."""
    is_wall: bool = False
    """Whether it has gone live (OE01)."""
    projects: dict[str, Project] = field(default_factory=dict)
    vouchers: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Number, the issuers that it is claimed with (empty for none named), and the project that claims each (M7)."""
    numbers: dict[str, str] = field(default_factory=dict)
    """Project number and the stream that bears it."""
    bids: defaultdict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """Round and organisation, and its bids there that were not withdrawn."""
    requests: dict[str, ApprovalRequest] = field(default_factory=dict)
    """Approvals that services asked for, by name."""
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    """Organisation and what it answers, and the bid that does so while money may flow for it."""

    def look_back_to(self, instant: datetime) -> None:
        """Look at things as of that instant: a calendar that was published later says nothing of it."""
        self.days = next((days for days in reversed(self.calendars) if days.since <= instant), self.calendars[0])

    def free(self, project: Project, shares: Mapping[str, int]) -> None:
        """What an award no longer takes: of each fund, and of its round's budget."""
        for name, fen in shares.items():
            self.funds[name].taken -= fen
        self.rounds[project.round].awarded -= sum(shares.values())

    def project(self, name: str) -> Project:
        """The project of that stream."""
        return self.projects.setdefault(name, Project(name))

    def rules(self, project: Project) -> Rules:
        """The rules that hold for the project: its contract's, or else its round's; empty if none are pinned."""
        ref = project.scheme or (self.rounds[project.round].scheme if project.round else None)
        return self.schemes.get(ref, Rules()) if ref else Rules()

    def rules_of_round(self, name: str) -> Rules:
        """The rules pinned to that round."""
        ref = self.rounds[name].scheme
        return self.schemes.get(ref, Rules()) if ref else Rules()
