"""實施與督導: start, activities, spending, teams, visits, reports and milestones (T12; D3, M7, V3, Z1)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, ClassVar, assert_never, get_args

from pydantic import Field

from domain.application import Application
from domain.kernel.attachment import Attachments
from domain.kernel.beneficiaries import is_sensitive
from domain.kernel.bounds import Date
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.canonical import digest
from domain.kernel.codelist import Codelist, require_listed
from domain.kernel.decider import Decider
from domain.kernel.effects import Claim, Effect
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.field_shape import Otherwise
from domain.kernel.ground import Ground, require_grounds
from domain.kernel.identifier import Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, PositiveFen, yuan
from domain.kernel.phrase import named, or_else, word
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, ENGINE, Relation
from domain.kernel.scope import ScopeKind
from domain.kernel.state import Part, State, Transition
from domain.kernel.words import Words
from domain.project.bidders import ORGANISATION, PARTNERSHIP, require_independent
from domain.project.contract import EVALUATOR, Contract, Line, require_reasonable_days
from domain.project.outputs import Output
from domain.project.stage import Stage, set_gate
from domain.project.tranches import Key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.scheme import Scheme

STANDING_TEAM = "standing-team"
"""The milestone that a standing volunteer team is formed, where the scheme asks for one (FZ-6, Z1)."""

UNDERWAY = (Stage.ACTIVE, Stage.RECTIFYING)
"""The stages in which work goes on."""

SUPERVISABLE = (Stage.AWARDED, Stage.CONTRACTED, Stage.ACTIVE, Stage.RECTIFYING, Stage.SUSPENDED)
"""The stages in which a supervisor may be assigned or replaced."""

MILESTONES_RUN = (Stage.CONTRACTED, Stage.ACTIVE, Stage.RECTIFYING, Stage.FINAL_REVIEW)
"""The stages in which a milestone's day can pass: not while the project stands still."""


SUPERVISOR = Relation(
    "supervisor",
    "現任督導機構：指派者，未指派時為協議載明者",
    "the present supervisor: the one assigned, or else the one that the contract names",
    ScopeKind.PARTY,
    "AF06",
    lambda state, _facts, _command: (
        frozenset({state.part(Delivery).supervisor or state.part(Contract).parties.supervisor or ""}) - {""}
    ),
    roles=frozenset({Role.SUPV}),
)


class ReportKind(Words):
    """What a report is for."""

    PROGRESS = "PROGRESS", "進度報告", "progress report"
    SELF_ASSESSMENT = "SELF_ASSESSMENT", "自評", "self-assessment"
    """The organisation's own account before the mid-term evaluation."""


class ActivityForm(Words):
    """What kind of work an activity is, and so as what it is counted."""

    SESSION = "SESSION", "活動", "session"
    TRAINING = "TRAINING", "培訓", "training"
    VISIT = "VISIT", "走訪", "visit"
    """To people where they live; counted as a visit and not as a session (FZ-4)."""


class MatchConfidence(Words):
    """How sure it is that self-raised money came in (HZ-5)."""

    PROVEN = "PROVEN", "有憑證", "proven"
    REPORTED = "REPORTED", "自報", "reported"
    """By the organisation alone: wherever sums hold such money they are incomplete statistics (不完全統計)."""


# ---------------------------------------------------------------- 督導指派、配套到位、項目啟動


class Supervisor(Particulars):
    """Who supervises, by registered id."""

    supervisor: Annotated[Text, Field(title="督導機構 / supervisor")]


class SupervisorAssigned(Supervisor, Event):
    """The project has a supervisor; a later one takes the place of an earlier one."""

    zh = "督導指派"


class AssignSupervisor(Supervisor, Command):
    """Assign the supervisor."""

    records = SupervisorAssigned
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = SUPERVISABLE
    rule = "T12"


class Match(Particulars):
    """Self-raised money that came in; never mixed with the award (HZ-5)."""

    amount: Annotated[PositiveFen, Field(title="金額 / amount")]
    provider: Annotated[Text | None, Field(title="提供方 / provider")] = None
    confidence: Annotated[
        MatchConfidence | None, Otherwise("未知", "unknown"), Field(title="可信程度 / confidence")
    ] = None
    """None where nobody said; then it counts as reported."""
    attachments: Attachments = ()


class MatchFundReceived(Match, Event):
    """Self-raised money is there."""

    zh = "配套到位"


class ReceiveMatchFund(Match, Command):
    """Record self-raised money."""

    records = MatchFundReceived
    by = (Role.SO_ACC,)
    acts_for = (PARTNERSHIP,)
    during = (Stage.CONTRACTED, *UNDERWAY, Stage.SUSPENDED, Stage.FINAL_REVIEW)
    rule = "M6"


class ProjectStarted(Event):
    """Work begins; nothing done before counts (D3)."""

    zh = "項目啟動"
    end: Annotated[Date, Field(title="結束日 / end date")]
    """The last day of implementation."""
    moves = (
        Transition(
            "T12",
            (Stage.CONTRACTED,),
            Stage.ACTIVE,
            (Role.SO_PM,),
            "ledger account; supervisor if policy requires",
        ),
    )


class StartProject(Command):
    """Start the project."""

    records = ProjectStarted
    acts_for = (ORGANISATION,)
    end: Annotated[
        Date | None, Otherwise("協議的截止日", "the end of the contract"), Field(title="結束日 / end date")
    ] = None
    """The last day of implementation; None for the contract's."""


# ---------------------------------------------------------------- 活動記錄、支出登記


class Activity(Particulars):
    """What was held, for how many. People are counted, never named (V4)."""

    person_times: Annotated[int, Field(ge=0, le=10_000_000, title="人次 / attendances")]
    """Attendances, 人次: one person twice is two."""
    title: Annotated[Text | None, Field(title="名稱 / title")] = None
    team: Annotated[Text | None, Field(title="志願隊 / volunteer team")] = None
    """The volunteer team that held it."""
    site: Annotated[Text | None, Field(title="實施點 / site")] = None
    field: Annotated[Text | None, Field(title="領域 / field")] = None
    """The field of welfare that it served."""
    form: Annotated[ActivityForm | None, Otherwise("活動", "a session"), Field(title="形式 / form")] = None
    newcomers: Annotated[
        Annotated[int, Field(ge=0, le=10_000_000)] | None, Field(title="首次受益人數 / persons reached first")
    ] = None
    """Persons who came to anything of the project for the first time; None where nobody counted them."""
    service_hours: Annotated[
        Annotated[int, Field(ge=0, le=1_000_000)] | None, Field(title="志願服務小時 / hours of voluntary service")
    ] = None
    """Of all volunteers together, in whole hours."""
    group: Annotated[Text | None, Field(title="服務對象 / beneficiary group")] = None
    """Of the city's list."""
    outcomes: Annotated[tuple[Text, ...] | None, Field(max_length=20, title="成效 / outcomes")] = None
    """What it was good for, of the city's list (FZ-3, FZ-12)."""
    attachments: Attachments = ()
    """Sign-in sheets and photographs."""


class ActivityRecorded(Activity, Event):
    """An activity was held; every output is derived from these records (V3)."""

    zh = "活動記錄"
    held_on: Annotated[Date, Field(title="活動日期 / held on")]
    off_field: Annotated[bool, Field(title="超出領域 / outside the fields")]
    """Whether it served a field that the project did not apply for (HZ-15): marked, not refused."""


class RecordActivity(Activity, Command):
    """Record an activity."""

    records = ActivityRecorded
    by = (Role.SO_PM,)
    acts_for = (PARTNERSHIP,)
    during = UNDERWAY
    rule = "D3"
    held_on: Annotated[
        Date | None,
        Otherwise("當日", "today"),
        Field(title="活動日期 / held on"),
    ] = None
    """The day on which it was held; None for today."""


VoucherNumber = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", title="支出憑證 / voucher")]
"""The invoice's own number."""
Issuer = Annotated[Text | None, Field(max_length=100, title="開票方 / issuer")]
"""Who issued a voucher, by tax number or name."""


def name_document(voucher: str, issuer: str | None) -> str:
    """What tells a voucher from every other: its number, and its issuer where one is named."""
    return f"{issuer}/{voucher}" if issuer else voucher


class Spending(Particulars):
    """One voucher."""

    voucher: VoucherNumber
    """The invoice's own number; it can be claimed once, by one project (M7)."""
    issuer: Issuer = None
    """Who issued it, by tax number or name: two issuers may use one number."""
    amount: Annotated[PositiveFen, Field(title="金額 / amount")]
    line: Annotated[Line, Field(title="支出科目 / budget line")]
    """The budget line that bears it."""
    purpose: Annotated[Text | None, Field(title="用途 / purpose")] = None
    attachments: Attachments = ()

    @property
    def document(self) -> str:
        """As the records know the voucher."""
        return name_document(self.voucher, self.issuer)


class ExpenditureRecorded(Spending, Event):
    """Money was spent on this voucher."""

    zh = "支出登記"
    spent_on: Annotated[Date, Field(title="支出日期 / spent on")]

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Claim the voucher for this project, its number for all that name an issuer or for one that does not (M7)."""
        yield Claim(voucher_key(stream, self.document), stream)
        if self.issuer:
            yield Claim(number_key(stream, self.voucher), self.issuer, MOST_ISSUERS)
            yield Claim(voucher_key(stream, self.voucher), ISSUED)


class RecordExpenditure(Spending, Command):
    """Record spending."""

    records = ExpenditureRecorded
    by = (Role.SO_ACC,)
    acts_for = (PARTNERSHIP,)
    during = (Stage.CONTRACTED, *UNDERWAY, Stage.FINAL_REVIEW)
    rule = "D3"
    spent_on: Annotated[
        Date | None,
        Otherwise("當日", "today"),
        Field(title="支出日期 / spent on"),
    ] = None
    """The voucher's day; None for today."""


MOST_ISSUERS = 1_000_000
"""How many issuers may use one number: any number of them."""
ISSUED = "issued"
"""Who holds a number by itself once a voucher that names its issuer bears it: one without an issuer finds it taken."""


def number_key(stream: StreamId, voucher: str) -> str:
    """The key whose holders are the issuers that a number was claimed with; it is never given back."""
    return f"numbered/{stream.realm}/{voucher}"


def voucher_key(stream: StreamId, document: str) -> str:
    """The key that a project holds while it claims that voucher; of its issuer it bears a digest, keys being ASCII."""
    issuer, _, number = document.rpartition("/")
    return f"voucher/{stream.realm}/{digest(issuer)[:32]}/{number}" if issuer else f"voucher/{stream.realm}/{number}"


# ---------------------------------------------------------------- 志願隊、孵化、督導記錄、報告


class Team(Particulars):
    """A volunteer team."""

    team: Annotated[Text, Field(title="志願隊 / volunteer team")]
    members: Annotated[int, Field(ge=1, le=100_000, title="隊員人數 / members")]
    purpose: Annotated[Text | None, Field(title="宗旨 / purpose")] = None
    """What it is for, e.g. 調解矛盾 (FZ-8)."""
    attachments: Attachments = ()


class VolunteerTeamFormed(Team, Event):
    """A volunteer team was formed."""

    zh = "志願隊組建"


class FormVolunteerTeam(Team, Command):
    """Record that a volunteer team was formed."""

    records = VolunteerTeamFormed
    by = (Role.SO_PM,)
    acts_for = (PARTNERSHIP,)
    during = UNDERWAY
    rule = "Z1"


class HeadCount(Particulars):
    """How many belong to a team now."""

    team: Annotated[Text, Field(title="志願隊 / volunteer team")]
    members: Annotated[int, Field(ge=0, le=100_000, title="隊員人數 / members")]


class TeamHeadCounted(HeadCount, Event):
    """The team has so many members from now on (FZ-11)."""

    zh = "志願隊人數登記"


class CountTeam(HeadCount, Command):
    """Count a team's members anew."""

    records = TeamHeadCounted
    by = (Role.SO_PM,)
    acts_for = (PARTNERSHIP,)
    during = UNDERWAY
    rule = "Z1"


class Incubation(Particulars):
    """A community organisation that came out of the project."""

    incubated: Annotated[Text, Field(title="孵化組織 / organisation incubated")]
    """Its name."""
    site: Annotated[Text | None, Field(title="實施點 / site")] = None
    attachments: Attachments = ()


class CommunityOrganisationIncubated(Incubation, Event):
    """A community organisation stands on its own feet (FZ-11)."""

    zh = "社區社會組織孵化"


class IncubateCommunityOrganisation(Incubation, Command):
    """Record an incubated organisation."""

    records = CommunityOrganisationIncubated
    by = (Role.SO_PM,)
    acts_for = (PARTNERSHIP,)
    during = UNDERWAY
    rule = "V3"


class Visit(Particulars):
    """What the supervisor saw and advised."""

    advice: Annotated[Text | None, Field(title="督導意見 / supervisor's advice")] = None
    attachments: Attachments = ()


class SupervisionVisitRecorded(Visit, Event):
    """The supervisor visited."""

    zh = "督導記錄"


class RecordSupervisionVisit(Visit, Command):
    """Record a supervision visit."""

    records = SupervisionVisitRecorded
    by = (Role.SUPV,)
    acts_for = (SUPERVISOR,)
    during = (Stage.CONTRACTED, *UNDERWAY, Stage.SUSPENDED, Stage.FINAL_REVIEW)
    rule = "T12"
    grounds = (
        Ground(
            "T12",
            "尚未指派督導",
            "no supervisor has been assigned",
            lambda state: state.part(Delivery).supervisor,
        ),
    )


class Outputs(Particulars):
    """What a report claims; it must be what the records say (V3)."""

    sessions: Annotated[int | None, Field(ge=0, le=100000, title="場次 / sessions")] = None
    """Activities held; None to claim nothing."""
    person_times: Annotated[int | None, Field(ge=0, le=10000000, title="人次 / attendances")] = None
    """Attendances; None to claim nothing."""
    attachments: Attachments = ()


class Report(Outputs):
    """A report of the organisation."""

    kind: Annotated[ReportKind, Field(title="類別 / kind")]


class ReportSubmitted(Report, Event):
    """The organisation reported."""

    zh = "進度報告（自評報告）"
    en = "progress report or self-assessment submitted"


class SubmitReport(Report, Command):
    """Submit a report."""

    records = ReportSubmitted
    by = (Role.SO_PM,)
    acts_for = (ORGANISATION,)
    during = (*UNDERWAY, Stage.SUSPENDED)
    rule = "V3"


# ---------------------------------------------------------------- 里程碑


class MilestoneName(Particulars):
    """Which milestone of the contract; ``standing-team`` is one wherever the scheme asks for a standing team."""

    milestone: Annotated[Key, Field(title="里程碑 / milestone")]


class Achievement(MilestoneName):
    """What was reached."""

    months: Annotated[Annotated[int, Field(ge=0, le=240)] | None, Field(title="月數 / months")] = None
    """For ``standing-team``: months in which the team was active; must be what the records say (V3)."""
    attachments: Attachments = ()


class MilestoneMet(Achievement, Event):
    """The milestone was reached."""

    zh = "里程碑達成"


class MeetMilestone(Achievement, Command):
    """Confirm that the milestone was reached."""

    records = MilestoneMet
    by = (Role.SUPV, Role.EVAL, Role.CAB_REG)
    acts_for = (SUPERVISOR, EVALUATOR, BUREAU)
    during = (*UNDERWAY, Stage.FINAL_REVIEW)
    rule = "T16"
    subject_field: ClassVar[str] = "milestone"


class MilestoneMissed(MilestoneName, Event):
    """The milestone's day passed and it was not reached; it may still be reached late."""

    zh = "里程碑逾期"


class MissMilestone(MilestoneName, Command):
    """Let the milestone's day pass."""

    records = MilestoneMissed
    by = (Role.SYS,)
    acts_for = (ENGINE,)
    during = MILESTONES_RUN
    rule = "T16"
    subject_field: ClassVar[str] = "milestone"


Commands = (
    AssignSupervisor
    | ReceiveMatchFund
    | StartProject
    | RecordActivity
    | RecordExpenditure
    | FormVolunteerTeam
    | CountTeam
    | IncubateCommunityOrganisation
    | RecordSupervisionVisit
    | SubmitReport
    | MeetMilestone
    | MissMilestone
)
Events = (
    SupervisorAssigned
    | MatchFundReceived
    | ProjectStarted
    | ActivityRecorded
    | ExpenditureRecorded
    | VolunteerTeamFormed
    | TeamHeadCounted
    | CommunityOrganisationIncubated
    | SupervisionVisitRecorded
    | ReportSubmitted
    | MilestoneMet
    | MilestoneMissed
)


# ---------------------------------------------------------------- what the decider remembers


@dataclass(frozen=True)
class ActivityRecord:
    """One activity as it now stands in the records."""

    held_on: date
    person_times: int
    team: str | None
    form: ActivityForm = ActivityForm.SESSION
    newcomers: int | None = None
    service_hours: int = 0
    outcomes: tuple[str, ...] = ()
    struck: bool = False
    """Whether a correction took it out (SD12)."""


@dataclass(frozen=True)
class Expenditure:
    """One voucher as it now stands in the records."""

    amount: Fen
    line: str
    spent_on: date
    version: int
    """The version of this stream at which it was recorded: what a correction points to."""
    allowed: Fen | None = None
    """What finance recognises of it, where the project is reimbursed (M12); None while nobody has checked it."""


@dataclass(frozen=True)
class Delivery(Part):
    """What was done, and who looked on."""

    supervisor: str = ""
    started_on: date | None = None
    resumed_on: date | None = None
    """When work last went on after a suspension or an upheld hearing: periods that stood still begin anew."""
    match_received: Fen = 0
    match_proven: Fen = 0
    """What of it is proven; the rest the organisation reports."""
    activities: dict[int, ActivityRecord] = field(default_factory=dict)
    """The version of this stream at which it was recorded, and the activity."""
    expenditures: dict[str, Expenditure] = field(default_factory=dict)
    """Voucher and what it was spent on."""
    teams: dict[str, int] = field(default_factory=dict)
    """Team and its members when formed."""
    paid_before: Fen = 0
    """What an opening entry says was paid, on vouchers that were checked elsewhere (M12)."""
    carried: dict[str, frozenset[tuple[int, int]]] = field(default_factory=dict)
    """Team and the months, as year and month, in which an opening entry says that it was active (Z1)."""
    incubated: tuple[str, ...] = ()
    visits: int = 0
    reports: dict[ReportKind, date] = field(default_factory=dict)
    """The day of the latest report of each kind."""
    met: dict[str, date] = field(default_factory=dict)
    missed: dict[str, date] = field(default_factory=dict)

    @property
    def held(self) -> tuple[ActivityRecord, ...]:
        """The activities that count."""
        return tuple(a for a in self.activities.values() if not a.struck)

    @property
    def sessions(self) -> int:
        """How many activities were held; visits to people's homes are counted by themselves (V3, FZ-4)."""
        return len(self.held) - self.visited

    @property
    def visited(self) -> int:
        """How many visits were paid to people."""
        return sum(a.form is ActivityForm.VISIT for a in self.held)

    @property
    def outputs(self) -> dict[Output, int]:
        """What the records of the work add up to, unit by unit: never typed, and no unit is part of another (V3)."""
        return {
            Output.SESSIONS: self.sessions,
            Output.VISITS: self.visited,
            Output.PERSON_TIMES: self.person_times,
            Output.PERSONS: sum(a.newcomers or 0 for a in self.held),
            Output.SERVICE_HOURS: sum(a.service_hours for a in self.held),
            Output.TEAMS: len(self.teams),
            Output.INCUBATED: len(self.incubated),
        }

    @property
    def outcomes(self) -> dict[str, int]:
        """By outcome of the city's list, how many activities were good for it (FZ-3)."""
        tags = sorted({tag for a in self.held for tag in a.outcomes})
        return {tag: sum(tag in a.outcomes for a in self.held) for tag in tags}

    @property
    def person_times(self) -> int:
        """How many attendances there were, 人次 (V3)."""
        return sum(a.person_times for a in self.held)

    @property
    def spent(self) -> Fen:
        """What all vouchers add up to, in fen."""
        return sum(e.amount for e in self.expenditures.values())

    @property
    def allowed(self) -> Fen:
        """What may be reimbursed in all, in fen (M12)."""
        return self.paid_before + sum(e.allowed or 0 for e in self.expenditures.values())

    def spent_on(self, line: str) -> Fen:
        """What the vouchers of that budget line add up to, in fen."""
        return sum(e.amount for e in self.expenditures.values() if e.line == line)

    @property
    def standing_months(self) -> int:
        """Distinct months in which the steadiest team was active (Z1)."""
        return max((self._months(team) for team in self.teams), default=0)

    def voucher_at(self, version: int) -> str | None:
        """The voucher that was recorded at that version of the stream; None if none was."""
        return next((name for name, e in self.expenditures.items() if e.version == version), None)

    def correct(self, version: int, *, strike: bool, person_times: int | None, amount: Fen | None) -> Delivery:
        """The records as a confirmed correction of that version makes them count (SD12).

        An activity that was struck out counts again once a later correction states its attendances.
        """
        activities, expenditures = dict(self.activities), dict(self.expenditures)
        activity, voucher = activities.get(version), self.voucher_at(version)
        if activity is not None:
            counted = activity.person_times if person_times is None else person_times
            struck = strike or (activity.struck and person_times is None)
            newcomers = None if activity.newcomers is None else min(activity.newcomers, counted)
            activities[version] = replace(activity, person_times=counted, newcomers=newcomers, struck=struck)
        if voucher is not None and strike:
            del expenditures[voucher]
        elif voucher is not None and amount is not None:
            expenditures[voucher] = replace(expenditures[voucher], amount=amount, allowed=None)
        return replace(self, activities=activities, expenditures=expenditures)

    def _months(self, team: str) -> int:
        held = {(a.held_on.year, a.held_on.month) for a in self.held if a.team == team}
        return len(held | self.carried.get(team, frozenset()))


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """Who has claimed the number of a voucher before."""
    if isinstance(command, RecordExpenditure):
        keys = {voucher_key(state.stream, name) for name in (command.voucher, command.document)}
        return Reads(claims=frozenset(keys | {number_key(state.stream, command.voucher)}))
    return Reads()


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the work makes happen. Raises CommandRejected."""
    check, delivery, today = Checks(), state.part(Delivery), local_day(order.at)
    match command:
        case AssignSupervisor(supervisor=supervisor):
            require_independent(check, state, supervisor, "督導", "supervisor")
            return check.grant(SupervisorAssigned.of(command))
        case ReceiveMatchFund():
            return check.grant(MatchFundReceived.of(command))
        case StartProject():
            end = _require_startable(check, state, command, require_scheme(check, facts), today)
            return check.grant(ProjectStarted(end=end))
        case RecordActivity():
            held_on = command.held_on or today
            _require_recordable(check, state, command, held_on, today)
            _require_countable(check, state.part(Contract), command)
            require_listed(check, facts.scheme, Codelist.GROUPS, [command.group] if command.group else [])
            check(
                not is_sensitive(facts.scheme, command.group),
                "K2",
                "{group} 為敏感對象，請以化名登記個案服務（ServeClient）",
                "{group} is a sensitive group: record case work under a pseudonym (ServeClient)",
                group=command.group,
            )
            require_listed(check, facts.scheme, Codelist.OUTCOMES, command.outcomes or ())
            require_listed(check, facts.scheme, Codelist.FIELDS, [command.field] if command.field else [])
            off = command.field is not None and command.field not in state.part(Application).fields
            return check.grant(ActivityRecorded.of(command, held_on=held_on, off_field=off))
        case RecordExpenditure():
            spent_on = _require_claimable(check, state, facts, command, today)
            return check.grant(ExpenditureRecorded.of(command, spent_on=spent_on))
        case FormVolunteerTeam(team=team):
            check(
                team not in delivery.teams,
                "Z1",
                "{team} 已組建",
                "the volunteer team {team} is registered already",
                team=team,
            )
            return check.grant(VolunteerTeamFormed.of(command))
        case CountTeam(team=team):
            check(
                team in delivery.teams,
                "Z1",
                "{team} 尚未組建登記",
                "{team} is not on record",
                team=team,
            )
            return check.grant(TeamHeadCounted.of(command))
        case IncubateCommunityOrganisation(incubated=incubated):
            check(
                incubated not in delivery.incubated,
                "V3",
                "{incubated} 已登記",
                "{incubated} is registered already",
                incubated=incubated,
            )
            return check.grant(CommunityOrganisationIncubated.of(command))
        case RecordSupervisionVisit():
            require_grounds(check, state, command)
            return check.grant(SupervisionVisitRecorded.of(command))
        case SubmitReport():
            require_recorded_outputs(check, delivery, command)
            return check.grant(ReportSubmitted.of(command))
        case MeetMilestone():
            _require_reached(check, state, facts, command)
            return check.grant(MilestoneMet.of(command))
        case MissMilestone(milestone=name):
            passed = any(due.key == name and due.at <= order.at for due in list_due_milestones(state))
            check(passed, "T16", "里程碑 {name} 未到期或已了結", "the milestone {name} is not overdue", name=name)
            return check.grant(MilestoneMissed.of(command))
        case _:
            assert_never(command)


def _require_startable(check: Checks, state: State, command: StartProject, scheme: Scheme, today: date) -> date:
    """T12: an account of its own, a supervisor and a community where the scheme wants them, and an end."""
    contract, policy = state.part(Contract), scheme.delivery
    check(contract.account, "T12", "收款賬戶尚未備案", "no payee account has been registered")
    check(
        state.part(Delivery).supervisor or not policy.supervisor_required,
        "T12",
        "尚未指派督導",
        "no supervisor has been assigned",
    )
    check(
        contract.parties.community or state.part(Application).community or not policy.community_required,
        "T12",
        "尚未確定社區",
        "no community has been named",
    )
    end = command.end or contract.end
    check(end, "T12", "協議與啟動均未載明截止日", "neither the agreement nor the start names an end date")
    end = end or today
    check(end >= today, "T12", "截止日 {end} 已過", "the end date {end} has passed", end=end)
    require_reasonable_days(check, today, "T12", None if end == today else end)
    check(
        contract.end is None or end <= contract.end,
        "D4",
        "截止日不得晚於協議約定的 {end}，延期須先申請變更",
        "the end date cannot be later than {end} in the agreement; ask for a variation to extend it",
        end=contract.end,
    )
    return end


def _require_recordable(check: Checks, state: State, command: RecordActivity, held_on: date, today: date) -> None:
    """D3: not before the start, but where what was done already is reimbursed; V3: by a team that is on record."""
    delivery, reimburses = state.part(Delivery), state.part(Contract).reimburses
    started = delivery.started_on
    check(
        started is not None and (reimburses or held_on >= started),
        "D3",
        "活動日 {held_on} 早於啟動日 {started}",
        "the activity on {held_on} is before the project started ({started})",
        held_on=held_on,
        started=or_else(started, "(未啟動)", "not started"),
    )
    check(held_on <= today, "D3", "活動日 {held_on} 尚未到來", "{held_on} is in the future", held_on=held_on)
    check(
        command.team is None or command.team in delivery.teams,
        "V3",
        "志願隊 {team} 尚未組建登記",
        "the volunteer team {team} has not been registered; register it first",
        team=command.team,
    )


def _require_countable(check: Checks, contract: Contract, command: RecordActivity) -> None:
    """V3: nobody comes for the first time without coming; and where sites are agreed, it was held at one of them."""
    newcomers = command.newcomers or 0
    check(
        newcomers <= command.person_times,
        "V3",
        "首次受益 {newcomers} 人多於人次 {person_times}",
        "{newcomers} persons came first; there were {person_times} attendances",
        newcomers=newcomers,
        person_times=command.person_times,
    )
    check(
        not contract.sites or command.site is None or command.site in contract.sites,
        "V3",
        "點位 {site} 不在協議點位 {sites} 之列",
        "{site} is none of the contract's sites: {sites}",
        site=command.site,
        sites=contract.sites,
    )


def _require_claimable(check: Checks, state: State, facts: Facts, command: RecordExpenditure, today: date) -> date:
    """D3, M6 and M7: within the contract, on a line of the budget, on a voucher that nobody claimed."""
    contract, scheme, spent_on = state.part(Contract), require_scheme(check, facts), command.spent_on or today
    begin, end = contract.signed_on, contract.end
    check(
        scheme.route == "REIMBURSE" or (begin is not None and spent_on >= begin),
        "D3",
        "支出日 {spent_on} 早於協議生效日 {begin}",
        "the spending on {spent_on} is before the agreement ({begin})",
        spent_on=spent_on,
        begin=or_else(begin, "(未簽約)", "not signed"),
    )
    check(
        end is None or spent_on <= end,
        "D3",
        "支出日 {spent_on} 晚於協議截止日 {end}",
        "the spending on {spent_on} is after the agreement ends on {end}",
        spent_on=spent_on,
        end=end,
    )
    check(spent_on <= today, "D3", "支出日 {spent_on} 尚未到來", "{spent_on} is in the future", spent_on=spent_on)
    check(
        command.line in contract.budget,
        "M6",
        "預算中沒有支出科目「{line}」",
        "the budget has no line for {line}",
        line=named(command.line),
    )
    if number_key(state.stream, command.voucher) not in facts.unasked:
        require_line(check, state, command.line, command.amount)
    _require_unclaimed(check, state, facts, command)
    return spent_on


def require_line(check: Checks, state: State, line: str, amount: Fen) -> None:
    """M6: what is spent on a line keeps within it, and so within the award."""
    planned, spent = state.part(Contract).budget.get(line, 0), state.part(Delivery).spent_on(line)
    check(
        spent + amount <= planned,
        "M6",
        "{line}預算 {planned}，已列支 {spent}，餘額不足 {amount}",
        "{planned} is budgeted for {line}, of which {spent} is spent; the rest does not cover {amount}",
        line=named(line),
        planned=yuan(planned),
        spent=yuan(spent),
        amount=yuan(amount),
    )


def _require_unclaimed(check: Checks, state: State, facts: Facts, command: RecordExpenditure) -> None:
    """M7: a voucher is known by issuer and number; a number without an issuer stands for any."""
    expenditures = state.part(Delivery).expenditures
    names = {command.document, command.voucher}
    holders = {h for name in names for h in facts.holders(voucher_key(state.stream, name))} - {ISSUED}
    check(
        not holders and not names & expenditures.keys(),
        "M7",
        "憑證 {document} 已列支",
        "the voucher {document} has already been claimed",
        document=command.document,
    )
    issuers = facts.holders(number_key(state.stream, command.voucher))
    check(
        command.issuer or not issuers,
        "M7",
        "憑證號 {voucher} 已用於 {issuers} 開具的憑證，請填寫開票方",
        "voucher number {voucher} was already used by {issuers}; name the issuer of this one",
        voucher=command.voucher,
        issuers=sorted(issuers),
    )


def require_recorded_outputs(check: Checks, delivery: Delivery, claimed: Outputs) -> None:
    """V3: what is claimed is what the activity records add up to."""
    for zh, en, figure, measure in (
        ("場次", "sessions", claimed.sessions, delivery.sessions),
        ("人次", "person-times", claimed.person_times, delivery.person_times),
    ):
        check(
            figure is None or figure == measure,
            "V3",
            "所報{unit} {said} 與活動記錄的 {found} 不符",
            "{said} {unit} are claimed; the activity records show {found}",
            said=figure,
            found=measure,
            unit=word(zh, en),
        )


def _require_reached(check: Checks, state: State, facts: Facts, command: MeetMilestone) -> None:
    contract, delivery = state.part(Contract), state.part(Delivery)
    name, months = command.milestone, delivery.standing_months
    check(
        name in contract.milestones or name == STANDING_TEAM,
        "T16",
        "協議中無里程碑 {name}，現有 {milestones}",
        "the agreement has no milestone {name}; it has {milestones}",
        name=name,
        milestones=or_else(contract.milestones, "無", "none"),
    )
    check(
        name not in delivery.met, "T16", "里程碑 {name} 已達成", "the milestone {name} has already been met", name=name
    )
    if name != STANDING_TEAM:
        return
    require_standing_team(check, delivery, max(require_scheme(check, facts).evaluation.standing_team_months, 1))
    check(
        command.months is None or command.months == months,
        "V3",
        "所報 {months} 個月與活動記錄的 {found} 個月不符",
        "{months} months are claimed; the activity records show {found}",
        months=command.months,
        found=months,
    )


def require_standing_team(check: Checks, delivery: Delivery, months: int) -> None:
    """Z1: at least one team with activity in that many distinct months."""
    check(
        delivery.standing_months >= months,
        "Z1",
        "須有志願隊在 {months} 個不同月份開展活動，現為 {standing_months} 個月",
        "a team active in {months} distinct months is needed; the records show {standing_months}",
        months=months,
        standing_months=delivery.standing_months,
    )


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep what was done, from activities to vouchers (in fen), and who looked on."""
    delivery, today = state.part(Delivery), local_day(of.at)
    match event:
        case SupervisorAssigned():
            return state.with_parts(replace(delivery, supervisor=event.supervisor))
        case MatchFundReceived():
            proven = event.amount if event.confidence is MatchConfidence.PROVEN else 0
            received = delivery.match_received + event.amount
            return state.with_parts(
                replace(delivery, match_received=received, match_proven=delivery.match_proven + proven)
            )
        case ProjectStarted():
            started = replace(state.part(Contract), end=event.end)
            return set_gate(
                state.with_parts(replace(delivery, started_on=today), started), "ProjectStarted", positive=True
            )
        case ActivityRecorded():
            record = ActivityRecord(
                event.held_on,
                event.person_times,
                event.team,
                event.form or ActivityForm.SESSION,
                event.newcomers,
                event.service_hours or 0,
                event.outcomes or (),
            )
            return state.with_parts(replace(delivery, activities={**delivery.activities, state.version + 1: record}))
        case ExpenditureRecorded():
            spent = Expenditure(event.amount, event.line, event.spent_on, state.version + 1)
            return state.with_parts(replace(delivery, expenditures={**delivery.expenditures, event.document: spent}))
        case VolunteerTeamFormed() | TeamHeadCounted():
            return state.with_parts(replace(delivery, teams={**delivery.teams, event.team: event.members}))
        case CommunityOrganisationIncubated():
            return state.with_parts(replace(delivery, incubated=(*delivery.incubated, event.incubated)))
        case SupervisionVisitRecorded():
            return state.with_parts(replace(delivery, visits=delivery.visits + 1))
        case ReportSubmitted():
            return state.with_parts(replace(delivery, reports={**delivery.reports, event.kind: today}))
        case MilestoneMet():
            met = replace(delivery, met={**delivery.met, event.milestone: today})
            return set_gate(state.with_parts(met), f"MilestoneMet/{event.milestone}", positive=True)
        case MilestoneMissed():
            return state.with_parts(replace(delivery, missed={**delivery.missed, event.milestone: today}))
        case _:
            assert_never(event)


# ---------------------------------------------------------------- deadlines and who is awaited


def list_due_milestones(state: State) -> Iterable[Due]:
    """When each milestone that is neither met nor missed is missed; not before the stage in which it can be."""
    if state.stage not in MILESTONES_RUN:
        return
    delivery = state.part(Delivery)
    for name, term in state.part(Contract).milestones.items():
        if term.due is not None and name not in delivery.met and name not in delivery.missed:
            ends = day_ends(term.due)
            yield Due(max(ends, state.since or ends), MissMilestone(milestone=name), key=name)


def due(state: State, _calendar: Calendar) -> Iterable[Due]:
    """When each milestone that is neither met nor missed counts as missed."""
    return list_due_milestones(state)


def is_every_milestone_met(state: State) -> bool:
    """Whether the contract has milestones and all are met (T16)."""
    terms = state.part(Contract).milestones
    return bool(terms) and terms.keys() <= state.part(Delivery).met.keys()


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """Whoever starts the project, then whoever confirms its milestones."""
    contract, delivery = state.part(Contract), state.part(Delivery)
    if state.stage == Stage.CONTRACTED:
        yield Awaited((Role.SO_PM,), "StartProject", "", "啟動項目", "start the project")
    if state.stage in UNDERWAY:
        for name, term in contract.milestones.items():
            if name not in delivery.met:
                until = day_ends(term.due) if term.due else None
                roles = (Role.SUPV, Role.EVAL, Role.CAB_REG)
                zh, en = f"確認里程碑：{term.title}", f"confirm the milestone: {term.title}"
                yield Awaited(roles, "MeetMilestone", name, zh, en, until)


DECIDER = Decider(
    name="delivery",
    zh="實施與督導",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    due=due,
    awaiting=awaiting,
)
