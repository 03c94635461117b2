"""The stories once more, in memory and without servers: what they leave behind besides how their projects end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from cli.scenario import list_shipped, plan_scenario
from domain.catalogue import AGGREGATES
from domain.kernel.calendar import local_day
from domain.kernel.canonical import plain
from domain.kernel.identifier import SYSTEM, Actor, StreamId
from domain.kernel.message import Command, Event, Order
from domain.kernel.refusal import CommandRejected
from domain.need import Need
from domain.project.award import Award
from domain.project.closeout import Closeout
from domain.project.contract import Contract
from domain.project.delivery import Delivery
from domain.project.tranches import Tranches
from domain.registers.calendar import PublishCalendar
from domain.registers.organisation import Organisation
from domain.registers.panel import Panel
from domain.registers.scheme import PublishPolicyPack
from domain.round.stage import NeedStage, RoundStage
from scenarios.format import Scenario
from scenarios.plan import plan, read_plan
from schemes import scheme_file
from schemes.calendars import load_published
from schemes.document import DocumentInvalid, read, read_text
from tests.domain.pure_realm import PureRealm

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime
    from pathlib import Path

    from scenarios.plan import Plan, PlannedCommand

CITIES = {"hangzhou", "fuzhou", "changzhou"}
ENDED = {"CLOSED", "ARCHIVED", "TERMINATED", "REVOKED", "NOT_SELECTED"}


@dataclass
class StoryRealm(PureRealm):
    """A realm on which a plan is played, in its own realm; what happens is kept with its day and its cause."""

    plan: Plan | None = None

    def id(self, kind: str, name: str) -> StreamId:
        assert self.plan is not None
        return StreamId.of(kind, self.plan.realm, name)

    def send(self, stream: StreamId, command: Command, actor: Actor, at: datetime) -> frozenset[str]:
        """The rules that refuse the command; none if it was accepted."""
        at = at.astimezone(UTC)
        self.pass_time(at)
        try:
            self._carry_out(stream, Order(command, actor, at))
        except CommandRejected as refusal:
            return frozenset(u.rule for u in refusal.unmet)
        return frozenset()

    def publish(self) -> None:
        """Working days and rules come before everything else."""
        assert self.plan is not None
        begins = self.plan.begins
        for year in load_published(local_day(begins).year, local_day(self.plan.ends).year + 1):
            off, worked = tuple(sorted(year.off)), tuple(sorted(year.on))
            notice = PublishCalendar(year=year.year, version=year.version, off=off, on=worked)
            assert not self.send(self.id("calendar", "cn"), notice, Actor("CAB-REG#1"), begins)
        rules = PublishPolicyPack(scheme=self.plan.scheme)
        assert not self.send(self.id("scheme", self.plan.scheme.name), rules, Actor("CAB-DEC#1"), begins)

    def of(self, name: str, event_type: str) -> list[Event]:
        """What of that type happened to it."""
        assert self.plan is not None
        stream = self.plan.stream(name)
        return [event for on, event in self.log if on == stream and event.event_type == event_type]


@dataclass(frozen=True)
class StoryOutcome:
    """A story played to its end."""

    stage: StoryRealm
    refused: tuple[tuple[PlannedCommand, frozenset[str]], ...]
    by_the_clock: tuple[tuple[StreamId, date, Event], ...]


@cache
def story(name: str) -> StoryOutcome:
    """That story, played once for all tests."""
    path = next(path for path in list_shipped() if path.stem.partition("-")[0] == name)
    (one,) = plan_scenario([path])
    stage, refused = StoryRealm(plan=one), []
    clock: list[tuple[StreamId, date, Event]] = []
    carry_out = stage._carry_out

    def noting(stream: StreamId, order: Order) -> list[Event]:
        events = carry_out(stream, order)
        if order.actor == SYSTEM:
            clock.extend((stream, local_day(order.at), event) for event in events)
        return events

    stage._carry_out = noting  # type: ignore[method-assign] # it does the same and takes a note
    stage.publish()
    for order in one.orders:
        rules = stage.send(order.stream, order.command, order.actor, order.at)
        assert bool(rules) is (order.must_refuse is not None), (name, order.line, order.command.command_type, rules)
        if order.must_refuse is not None:
            refused.append((order, rules))
    stage.pass_time(one.ends)
    return StoryOutcome(stage, tuple(refused), tuple(clock))


def every_story() -> Iterable[str]:
    return sorted((path.stem.partition("-")[0] for path in list_shipped()), key=lambda name: int(name[1:]))


@pytest.mark.parametrize("name", every_story())
def test_the_story_comes_out_as_told_in_memory(name: str) -> None:
    outcome = story(name)
    one = outcome.stage.plan
    assert one is not None
    for order, rules in outcome.refused:
        assert order.must_refuse in rules, (order.line, rules)
    for expected in one.expectations:
        events = [
            event
            for stream, day, event in outcome.by_the_clock
            if (stream, day, event.event_type) == (expected.stream, expected.day, expected.event_type)
        ]
        assert any(plain(event).items() >= expected.data.items() for event in events), expected
    for subject, end in one.scenario.expect.items():
        stream = one.stream(subject)
        state = outcome.stage.state("project", stream.name)
        assert (state.stage, AGGREGATES["project"].summary(state)["net"]) == (end.state, end.net), subject


@pytest.mark.parametrize("name", every_story())
def test_nothing_stays_set_aside_for_a_project_that_has_ended(name: str) -> None:
    stage = story(name).stage
    ended = {s.name for s, state in stage.states.items() if s.kind == "project" and state.stage in ENDED}
    aside = {account: fen for account, fen in stage.balances.items() if account.startswith("committed/")}
    assert not {account: fen for account, fen in aside.items() if fen and account.split("/")[2] in ended}


def test_every_story_has_a_title_and_says_what_is_refused() -> None:
    for path in list_shipped():
        (one,) = plan_scenario([path])
        assert one.scenario.title, path
        assert len(one.scenario.must_refuse) >= 2, path


def test_a_row_by_the_clock_is_an_expectation_though_a_person_may_record_the_same() -> None:
    text = """
id: X
scheme: hangzhou
events:
- [2025-03-03, CallPublished, R-T-2025, CAB-REG#1, {year: 2025}]
- [2025-03-04, RectificationFailed, PJ-1, SYS#1, {extended: false}]
- [2025-03-05, RectificationOrdered, PJ-1, SYS#1, {}]
- [2025-03-06, RectificationAccepted, PJ-1, CAB-REG#1, {}]
"""
    document = read_text(text, "x.yaml")
    one = plan(document.parse(Scenario), document)
    assert [(e.number, e.event_type) for e in one.expectations] == [
        (2, "RectificationFailed"),
        (3, "RectificationOrdered"),
    ]
    assert [o.number for o in one.orders] == [1, 4]


FAULTY = """
id: X
scheme: hangzhou
policy: {publicity: {working_days: 0, zzz: 1}}
projects:
  PJ-1: {application: AP-1, tpyo: 1}
events:
- [2025-03-03, CallPublishd, R-T-2025, CAB-REG#1, {year: 2025}]
- [2025-03-04, CallPublished, R-T-2025, CAB-RG#1, {year: 2025}]
- [2025-03-05, CallPublished, R-T-2025, CAB-REG#1, {deadline: 1830000000, yeer: 1}]
- [2025-03-05, DisbursementRequested, PJ-1/T1, CAB-REG#1, {amount: 12:30}]
- [20250305, CallPublished]
- [2025-03-05, AwardConfirmed, PJ-1/T1, CAB-DEC#1, {}]
- [2025-03-05, RectificationFailed, PJ-1, SYS#1, {foo: false}]
- [2025-03-04, CallPublished, ZZ-1, CAB-REG#1, {year: 2025, year: 2025}]
must_refuse:
- {at: 2023-03-09, command: WithdrawAplication by SO-LEGAL#2, subject: AP-1, code: ap03}
- {at: 1889-03-09, command: WithdrawApplication by SO-LEGAL#2, subject: AP-1, code: AP03}
expect:
  PJ-9: {state: X, net: '5'}
"""


def test_every_fault_of_a_scenario_is_told_at_once_in_the_order_of_its_lines() -> None:
    with pytest.raises(DocumentInvalid) as invalid:
        read_plan(read_text(FAULTY, "x.yaml"))
    assert [(f.line, f.where) for f in invalid.value.faults] == [
        (4, "policy.publicity.zzz"),
        (4, "policy.publicity.working_days"),
        (6, "projects.PJ-1.tpyo"),
        (8, "events[1].event"),
        (9, "events[2].actor"),
        (10, "events[3].data.yeer"),
        (10, "events[3].data.deadline"),
        (11, "events[4].data.amount"),
        (12, "events[5]"),
        (13, "events[6].subject"),
        (14, "events[7].data.foo"),
        (15, "events[8][5].year"),
        (15, "events[8].at"),
        (15, "events[8].subject"),
        (17, "must_refuse[1].code"),
        (17, "must_refuse[1].command"),
        (18, "must_refuse[2].at"),
        (20, "expect.PJ-9.net"),
    ]


SEVERAL = """
id: X
scheme: hangzhou
defaults: {round: R-T-2025, yeer: 2025,
  year: x, level: MUNICIPALL}
projects:
  PJ-1: {application: AP-1, tpyo: 1,
    requested: abc}
  PJ 2: {title: 甲}
events:
- [2025-03-03, CallPublishd, R-T-2025, CAB-REG#1, {}]
- [2025-03-04, CallPublished, R-T-2025, CAB-RG#1,
   {year: q,
    zzz: 1}]
- [2025-0a-04, CallPublished, R-T-2025, CAB-REG#1, {year: r}]
- at: 2025-03-05
  event: ApplicationSubmitted
  subject: AP-1
  actor: SO-LEGAL
  data:
    foo: 1
- [2025-03-05, NeedSubmitted, ND-1, COMM#1, 5]
must_refuse:
- {at: 1889-03-09, command: WithdrawAplication by SO-LEGAL#2, subject: AP-1, code: AP03}
- {at: 2025-03-09, command: WithdrawApplication by SO-LEGL#2, subject: AP-1, code: ap03, data: {zz: 1}}
"""


def test_no_fault_of_a_scenario_hides_another_of_its_row_or_of_what_is_known_beforehand() -> None:
    with pytest.raises(DocumentInvalid) as invalid:
        read_plan(read_text(SEVERAL, "x.yaml"))
    assert [(f.line, f.where) for f in invalid.value.faults] == [
        (4, "defaults.yeer"),
        (5, "defaults.level"),
        (5, "defaults.year"),
        (7, "projects.PJ-1.tpyo"),
        (8, "projects.PJ-1.requested"),
        (9, "projects.PJ 2.[key]"),
        (11, "events[1].event"),
        (12, "events[2].actor"),
        (13, "events[2].data.year"),
        (14, "events[2].data.zzz"),
        (15, "events[3].at"),
        (15, "events[3].data.year"),
        (19, "events[4].actor"),
        (21, "events[4].data.foo"),
        (22, "events[5].data"),
        (24, "must_refuse[1].at"),
        (24, "must_refuse[1].command"),
        (25, "must_refuse[2].actor"),
        (25, "must_refuse[2].code"),
        (25, "must_refuse[2].data.zz"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "id: S2",
        "a: 1",
        "events: 5",
        "events: []",
        "- 1",
        "id: S2\nscheme: fuzhou\nevents: [5, {at: 2024-01-01}, []]\nmust_refuse: [5, {command: 7}]\nexpect: 5",
        "id: S2\nscheme: fuzhou\nprojects: [1]\ndefaults: 5\nevents: [[2024-01-01, CallPublished, R-1, CAB-REG#1]]",
        "id: S2\nscheme: fuzhou\nevents: []\nmust_refuse: [{at: 2024-01-01, command: 7 by X, subject: 8, code: T1}]",
    ],
)
def test_what_is_hardly_a_scenario_has_faults_and_is_no_defect(text: str) -> None:
    with pytest.raises(DocumentInvalid):
        read_plan(read_text(text, "x.yaml"))


UNQUOTED = """
id: 365
title: 365
scheme: fuzhou
events:
- [2025-03-03, OrganisationVerified, ORG-T1, CAB-REG#1,
   {name: NAME, kind: SERVICE_AGENCY, representatives: [SO-LEGAL#1]}, 365]
"""


@pytest.mark.parametrize(
    "name", ["365", "0365", "0x16D", "2025-03-03", "-0", "3.50", "true", "1_8", "12:30", "1.8E+07"]
)
def test_a_name_without_quotes_is_what_was_typed(name: str) -> None:
    text = UNQUOTED.replace("NAME", name)
    scenario = read_plan(read_text(text, "x.yaml"))
    assert scenario.orders[0].command.model_dump()["name"] == name
    assert (scenario.scenario.title, scenario.orders[0].why) == ("365", "365")


def test_a_refusal_by_a_rule_that_there_is_not_is_a_fault_that_names_what_resembles_it() -> None:
    """It would be waited for in vain: a mistyped rule is known before anything is played."""
    mistyped = FAULTY.replace("WithdrawAplication", "WithdrawApplication").replace("code: ap03}", "code: AP33}")
    with pytest.raises(DocumentInvalid) as invalid:
        read_plan(read_text(mistyped, "x.yaml"))
    (fault,) = (f for f in invalid.value.faults if f.where == "must_refuse[1].code")
    assert "AP33" in fault.zh
    assert "there is no rule AP33; resembling it: " in fault.en
    assert "AP03" in fault.en


ATTACHED = """
id: ATT
scheme: fuzhou
defaults: {round: R-T-2025, year: 2025, level: MUNICIPAL}
events:
- [2025-03-03, CallPublished, R-T-2025, CAB-REG#1, {attachments: ["@papers/notice.pdf"]}]
"""


def test_a_paper_beside_the_scenario_is_named_by_its_path_and_known_by_its_digest(tmp_path: Path) -> None:
    paper, story = tmp_path / "papers" / "notice.pdf", tmp_path / "story.yaml"
    paper.parent.mkdir()
    story.write_text(ATTACHED)
    with pytest.raises(DocumentInvalid, match=r"notice\.pdf」 cannot be read"):
        plan_scenario([story])
    paper.write_bytes(b"notice")
    (before,) = plan_scenario([story])
    (attachment,) = before.orders[0].command.attachments  # type: ignore[attr-defined] # the call has some
    assert (attachment.sha256, attachment.name) == (sha256(b"notice").hexdigest(), "notice.pdf")
    assert attachment.media_type == "application/pdf"
    assert plan_scenario([story])[0].realm == before.realm
    paper.write_bytes(b"another notice")
    assert plan_scenario([story])[0].realm != before.realm, "it is another story"


@pytest.mark.parametrize("path", ["", ".", "/dev/zero", "a\\0b", "x" * 300])
def test_what_is_no_file_is_a_fault_of_its_row(tmp_path: Path, path: str) -> None:
    story = tmp_path / "story.yaml"
    story.write_text(ATTACHED.replace("papers/notice.pdf", path))
    with pytest.raises(DocumentInvalid) as invalid:
        plan_scenario([story])
    assert [(f.line, f.where) for f in invalid.value.faults] == [(6, "events[1].data.attachments[1]")]


def test_an_end_is_expected_of_those_only_that_occur() -> None:
    text = FAULTY.partition("policy")[0] + "events:\n- [2025-03-03, CallPublished, R-T-2025, CAB-REG#1, {year: 2025}]\n"
    with pytest.raises(DocumentInvalid, match="there is no project PJ-9"):
        read_plan(read_text(text + "expect:\n  PJ-9: {state: CLOSED}\n", "x.yaml"))


def test_an_end_is_a_stage_that_there_is() -> None:
    text = FAULTY.partition("policy")[0] + "events:\n- [2025-03-03, CallPublished, R-T-2025, CAB-REG#1, {year: 2025}]\n"
    with pytest.raises(DocumentInvalid, match="there is no stage SHORTLISTEDD; resembling it: SHORTLISTED"):
        read_plan(read_text(text + "expect:\n  R-T-2025: {state: SHORTLISTEDD}\n", "x.yaml"))


# ---------------------------------------------------------------- what each leaves behind


def test_s1_computes_the_marks_from_the_sheets() -> None:
    panel = story("s1").stage.state("panel", "RP-1").part(Panel)
    assert panel.results == {"AP-1": Decimal("88.00"), "AP-2": Decimal("82.00")}
    assert panel.seated == ("E1", "E2", "E4", "E5", "E6")


def test_s1_moves_eight_percent_of_the_award_between_lines() -> None:
    contract = story("s1").stage.state("project", "AP-2").part(Contract)
    assert contract.version == 2
    assert contract.budget["venue"] == 1800000
    assert contract.budget["activity"] == 7200000


def test_s3_counts_a_rating_that_is_valid_and_none_that_is_not() -> None:
    stage = story("s3").stage
    assert stage.state("organisation", "ORG-T3").part(Organisation).bonuses == {"R-CZ-2024": 3}
    assert stage.state("organisation", "ORG-T4").part(Organisation).bonuses == {}


def test_s5_rests_the_award_on_the_second_panel() -> None:
    stage = story("s5").stage
    assert stage.state("panel", "RP-51").part(Panel).results == {"AP-51": Decimal("80.67")}
    assert stage.state("panel", "RP-52").part(Panel).results == {"AP-51": Decimal("79.67")}
    assert stage.state("project", "AP-51").part(Award).panel == "RP-52"
    notices = stage.of("PJ-51", "AwardPublicityOpened")
    assert [plain(n)["reviewers"] for n in notices] == [
        ["E1", "E2", "E3", "E4", "E5"],
        ["E6", "E8", "E9", "E10", "E11"],
    ]


def test_s6_pays_once() -> None:
    stage = story("s6").stage
    assert [len(stage.of("PJ-61", e)) for e in ("DisbursementRequested", "DisbursementFailed")] == [4, 2]
    assert stage.state("project", "AP-61").part(Tranches).of["T1"].paid == 5400000


def test_s7_gives_the_money_of_who_declined_to_the_runner_up_and_the_rest_back() -> None:
    stage = story("s7").stage
    assert stage.plan is not None
    realm = stage.plan.realm
    assert stage.balances[f"envelope/{realm}/FS-LOT"] == 1000000
    assert stage.balances[f"envelope/{realm}/FS-CSF"] == 5000000
    assert stage.balances[f"committed/{realm}/AP-71/FS-LOT"] == 0


def test_s8_leaves_links_both_ways() -> None:
    stage = story("s8").stage
    needs = {name: stage.state("need", name) for name in ("ND-81", "ND-82", "ND-83", "ND-84", "ND-85")}
    assert needs["ND-81"].part(Need).absorbed == ("ND-82",)
    assert needs["ND-82"].part(Need).into == ("ND-81",)
    assert needs["ND-83"].part(Need).into == ("ND-84", "ND-85")
    assert {needs[part].part(Need).split_from for part in ("ND-84", "ND-85")} == {"ND-83"}
    assert [needs[name].stage for name in sorted(needs)] == [
        NeedStage.ADOPTED,
        NeedStage.MERGED,
        NeedStage.SPLIT,
        NeedStage.ADOPTED,
        NeedStage.REJECTED,
    ]
    assert stage.state("round", "R-T-2025").stage == RoundStage.CLOSED


def test_s9_lets_no_old_day_pass_while_the_project_stands_still() -> None:
    stage = story("s9").stage
    assert not stage.of("PJ-91", "MilestoneMissed")
    assert len(stage.of("PJ-91", "RectificationFailed")) == 2
    assert stage.state("project", "AP-91").part(Contract).version == 2


def test_s10_counts_what_two_persons_corrected() -> None:
    state = story("s10").stage.state("project", "AP-101")
    delivery, closeout = state.part(Delivery), state.part(Closeout)
    assert delivery.person_times == 96
    assert delivery.spent == 6500000
    assert "FP-2024-0802" not in delivery.expenditures
    assert all(c.confirmed_by not in (None, c.proposed_by.seat) for c in closeout.corrections.values())
    assert closeout.reopened == 1


# ---------------------------------------------------------------- the cities' rules


def test_every_city_states_every_parameter() -> None:
    stated = {name: read(path).data for name, path in scheme_file.list_shipped().items() if name in CITIES}
    assert stated.keys() == CITIES
    for name, document in stated.items():
        rules = scheme_file.load_shipped(name)
        assert rules.name == name
        for section, defaults in rules.model_dump().items():
            if isinstance(defaults, dict):
                left_out = defaults.keys() - document.get(section, {}).keys()
                optional = {"cap_fen", "minimum_rating", "midterm_rubric"} if name == "fuzhou" else set()
                assert left_out <= optional, (name, section)
