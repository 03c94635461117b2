"""A project that was awarded, and how its life goes on: what the tests of its stages begin with."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from domain.application import ProjectKind
from domain.kernel.attachment import Attachment
from domain.kernel.calendar import SHANGHAI
from domain.kernel.facts import Facts
from domain.kernel.identifier import StreamId
from domain.kernel.message import Occurrence
from domain.kernel.state import SchemeRef, State
from domain.project.aggregate import PROJECT
from domain.project.award import AwardProposed
from domain.project.bidding import ApplicationSubmitted, BaseSupport, PreliminaryReviewPassed
from domain.project.contract import Contract, ContractSigned, LedgerAccountRegistered, Parties, Signatory, SignContract
from domain.project.delivery import ProjectStarted
from domain.project.publicity import AwardConfirmed, AwardPublicityOpened
from domain.project.tranches import Installment, MilestoneTerm
from domain.registers.calendar import PublishCalendar
from domain.registers.organisation import ORGANISATION, OrganisationVerified
from schemes.calendars import calendar_of_years, load_published
from tests.domain.pure_realm import EVIDENCE, MINUTES, PureRealm, new_realm, scheme, verification
from tests.domain.sentences import StreamStory, a, on, who

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.message import Command, Event
    from domain.kernel.scheme import Scheme

SIGNED = Attachment(sha256="2" * 64, media_type="application/pdf", name="協議.pdf")
BOTH = {Signatory.BUREAU: SIGNED, Signatory.ORGANISATION: SIGNED}
ACCOUNT = "a" * 64
OTHER_ACCOUNT = "b" * 64
PARTIES = Parties(host="ORG-H1", supervisor="SUPV-1", community="COMM-1", evaluator="ORG-E1", auditor="ORG-A1")
INDEX = Attachment(sha256="3" * 64, media_type="application/pdf", name="卷內目錄.pdf")
AGAINST = {"reason": "見附件", "attachments": EVIDENCE}
"""The reason and the evidence that an adverse decision needs (V1)."""

CALENDAR = calendar_of_years(load_published(2023, 2025))
RULES = scheme("hangzhou")
TRANCHES = {
    "T1": Installment(planned=7500000, gate="ContractSigned"),
    "T2": Installment(planned=4500000, gate="MidtermEvaluationConcluded"),
    "T3": Installment(planned=3000000, gate="FinalEvaluationConcluded"),
}
BUDGET = {"personnel": 4500000, "activity": 6000000, "venue": 3000000, "volunteers": 750000, "admin": 750000}
FUNDS = {"FS-LOT": 7000000, "FS-CSF": 8000000}
MILESTONES = {
    "MS-1": MilestoneTerm(title="社區調查", due=date(2024, 7, 31)),
    "MS-2": MilestoneTerm(title="服務手冊", due=date(2024, 9, 30)),
}


# ---------------------------------------------------------------- one project by itself


def organisation(*representatives: str) -> State:
    """ORG-1, verified."""
    stream, command = StreamId("organisation/test/ORG-1"), verification(*representatives)
    event = OrganisationVerified.of(command)
    return ORGANISATION.evolve(State(stream), Occurrence(event, on("2018-01-02"), who("HOST#1"), UUID(int=0)))


def around(rules: Scheme = RULES, *organisations: State) -> Facts:
    """What a project finds around it."""
    known = organisations or (organisation(),)
    return Facts(calendar=CALENDAR, scheme=rules, streams={state.stream: state for state in known})


def awarded(rules: Scheme = RULES) -> StreamStory:
    """PJ-2 of ORG-1, ¥150,000 from two funds, confirmed on 29 May 2024."""
    story = a(PROJECT, "AP-2", around(rules))
    for event, at in _to_the_award(rules):
        story = story.happened(event, at=at)
    return story


def _to_the_award(rules: Scheme) -> Iterable[tuple[Event, str]]:
    yield (
        ApplicationSubmitted(
            round="R-HZ-2024",
            organisation="ORG-1",
            title="老漂族社區融入",
            requested=15000000,
            match_pledged=2000000,
            fields=("助老扶幼",),
            places={},
        ),
        "2024-04-23",
    )
    yield PreliminaryReviewPassed(), "2024-04-29"
    yield AwardProposed(project="PJ-2", award=15000000, funds=FUNDS, panel="RP-1", minutes=MINUTES), "2024-05-13"
    posted = AwardPublicityOpened(contact="市民政局", award=15000000, reviewers=("E1",), working_days=5, decision_wd=10)
    yield posted, "2024-05-14"
    yield AwardConfirmed(signing_wd=rules.contract.signing_wd), "2024-05-29"


def agreement(**other: object) -> SignContract:
    """The contract of PJ-2, with these particulars otherwise."""
    terms: dict[str, object] = {
        "award": 15000000,
        "tranches": TRANCHES,
        "budget": BUDGET,
        "signatures": BOTH,
        "end": date(2024, 11, 30),
        "milestones": MILESTONES,
        "parties": PARTIES,
    }
    return SignContract.model_validate({**terms, **other})


def contracted(rules: Scheme = RULES, **other: object) -> StreamStory:
    """PJ-2 with its contract, signed on 4 June 2024, and its account."""
    terms = agreement(**other)
    signed = ContractSigned.of(
        terms,
        match_pledged=2000000 if terms.match_pledged is None else terms.match_pledged,
        scheme=rules.ref,
        midterm_report_wd=rules.evaluation.midterm_report_wd,
        final_report_months=rules.evaluation.final_report_months,
        reimburses=rules.reimburses,
    )
    story = awarded(rules).happened(signed, at="2024-06-04", by="CAB-REG#1")
    registered = LedgerAccountRegistered(account=ACCOUNT, changed=False)
    return story.happened(registered, at="2024-06-06", by="SO-ACC#1")


def active(rules: Scheme = RULES, **other: object) -> StreamStory:
    """PJ-2 at work since 17 June 2024."""
    story = contracted(rules, **other)
    end = story.state.part(Contract).end or date(2024, 11, 30)
    return story.happened(ProjectStarted(end=end), at="2024-06-17", by="SO-PM#1")


def following(story: StreamStory, *rows: tuple[str, Command, str]) -> StreamStory:
    """The story after these orders, each of which must be accepted."""
    for at, command, by in rows:
        story = story.ordered(command, at=at, by=by)
    return story


def stage(story: StreamStory) -> str:
    """Where the project stands."""
    return str(story.state.stage)


# ---------------------------------------------------------------- a whole realm


def realm_of(rules: Scheme, *organisations: tuple[str, str], **funds: int) -> PureRealm:
    """A realm that knows the whole life of a project, every published calendar, and these organisations."""
    realm = new_realm(rules, **funds)
    for year in load_published(2023, 2026):
        version = 2 if year.year in (2023, 2024) else 1
        notice = PublishCalendar(
            year=year.year, version=version, off=tuple(sorted(year.off)), on=tuple(sorted(year.on))
        )
        realm.order("calendar", "cn", notice, at="2018-01-03", by="CAB-REG#1")
    for name, representative in organisations:
        realm.order("organisation", name, verification(representative), at="2018-01-03", by="CAB-REG#1")
    return realm


def award_in(
    realm: PureRealm,
    rules: Scheme,
    stream: str,
    *,
    project: str,
    funds: dict[str, int],
    confirmed: str,
    organisation: str = "ORG-1",
    kind: ProjectKind = ProjectKind.SERVICE,
    community: str | None = None,
) -> None:
    """What happened to that project up to the confirmation of its award."""
    award = sum(funds.values())
    support = None
    events: list[Event] = []
    if kind is ProjectKind.BASE_SUPPORT:
        support = BaseSupport(round="R-1", organisation=organisation, base="BASE-M1", title="運營扶持")
    else:
        bid = ApplicationSubmitted(
            round="R-1",
            organisation=organisation,
            title=project,
            requested=award,
            community=community,
            places={},
        )
        events += [bid, PreliminaryReviewPassed()]
    events += [
        AwardProposed(project=project, award=award, funds=funds, minutes=MINUTES, support=support),
        AwardPublicityOpened(contact="市民政局", award=award, reviewers=(), working_days=5, decision_wd=10),
        AwardConfirmed(signing_wd=rules.contract.signing_wd),
    ]
    for event in events:
        happened_in(realm, stream, event, at=confirmed)
    pinned = SchemeRef(name=rules.name, version=rules.version)
    state = realm.state("project", stream)
    realm.states[state.stream] = replace(state, scheme=pinned)


def happened_in(realm: PureRealm, stream: str, event: Event, *, at: str, by: str = "CAB-REG#1") -> None:
    """One event of that project, with what it does to the realm."""
    state = realm.state("project", stream)
    occurrence = Occurrence(event, on(at), who(by), UUID(int=state.version))
    after = realm.states[state.stream] = PROJECT.evolve(state, occurrence)
    realm._apply(PROJECT.effects(state, event, after))


def walk(realm: PureRealm, stream: str, rows: Iterable[tuple[str, Command, str]]) -> None:
    """Order these in turn, from 09:00 one minute apart on each day; each must be accepted."""
    last = datetime(2000, 1, 1, tzinfo=SHANGHAI)
    for day, command, by in rows:
        at = datetime.fromisoformat(day).replace(hour=9, tzinfo=SHANGHAI)
        last = max(at, last + timedelta(minutes=1)) if last.date() == at.date() else at
        realm.order("project", stream, command, at=last.isoformat(), by=by)
