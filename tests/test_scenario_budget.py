"""Stories in which money that must not be spent is asked for, and results that there are not, told from a file."""

from __future__ import annotations

import asyncio

import pytest

from scenarios.plan import read_plan
from scenarios.play import play
from schemes.document import read_text
from store.memory import MemoryStore
from tests.paper import open_paper_door

MINUTES = f"{{minutes: {{sha256: {'7c' * 32}, media_type: application/pdf, name: 紀要.pdf}}}}"
SUPPORT = f"""
id: BUDGET
scheme: changzhou
policy: {{publicity: {{working_days: 5}}}}
defaults: {{round: R-T-2024, year: 2024, level: MUNICIPAL}}
projects:
  PJ-1:
    award: 60000000
    funds: {{FS-1: 60000000}}
    support: {{round: R-T-2024, organisation: ORG-1, base: BASE-M1, title: 運營扶持}}
  PJ-2:
    award: 20000000
    funds: {{FS-1: 20000000}}
    support: {{round: R-T-2024, organisation: ORG-2, base: BASE-D1, title: 運營扶持}}
  PJ-3:
    award: 60000000
    funds: {{FS-1: 60000000}}
    support: {{round: R-T-2024, organisation: ORG-1, base: BASE-M1, title: 再次扶持}}
events:
- [2023-12-18, OrganisationVerified, ORG-1, CAB-REG#1,
   {{name: 甲, kind: SERVICE_AGENCY, representatives: [SO-LEGAL#1]}}]
- [2023-12-18, OrganisationVerified, ORG-2, CAB-REG#1,
   {{name: 乙, kind: SERVICE_AGENCY, representatives: [SO-LEGAL#2]}}]
- [2023-12-20, BaseDesignated, BASE-M1, CAB-DEC#1, {{name: 市級基地, tier: MUNICIPAL, operator: ORG-1}}]
- [2023-12-20, BaseDesignated, BASE-D1, CAB-DEC#1, {{name: 區級基地, tier: DISTRICT, operator: ORG-2, parent: BASE-M1}}]
- [2024-01-22, BaseAssessed, BASE-M1, EVAL#1, {{score: 93, grade: A}}]
- [2024-01-22, BaseAssessed, BASE-D1, EVAL#1, {{score: 91, grade: A}}]
- [2024-02-05, FundSourceRegistered, FS-1, CAB-FIN#1, {{name: 扶持資金, kind: FISCAL, envelope: 400000000}}]
- [2024-02-05, RoundBudgetApproved, R-T-2024, FISCAL#1, {{amount: BUDGET_FEN}}]
- [2024-02-23, AwardProposed, PJ-1, CAB-REG#1, {MINUTES}]
must_refuse:
- {{at: 2024-02-26, command: AwardProposed by CAB-REG#1, subject: SUBJECT, code: RULE, data: {MINUTES}}}
expect:
  PJ-1: {{state: PROPOSED, net: 0}}
"""
EARLY = """
id: EARLY
scheme: hangzhou
defaults: {round: R-T-2024, year: 2024, level: MUNICIPAL}
events:
- [2024-03-04, CallPublished, R-T-2024, CAB-REG#1, {deadline: "2024-03-22T17:00"}]
- [2024-03-05, OrganisationVerified, ORG-1, HOST#1, {name: 甲, kind: SERVICE_AGENCY, representatives: [SO-LEGAL#1]}]
- [2024-03-11, ApplicationSubmitted, AP-1, SO-LEGAL#1,
   {organisation: ORG-1, title: 項目, statement: 需求, requested: 4000000}]
- [2024-03-22, CallClosed, R-T-2024, SYS#1, {}]
- [2024-03-26, PreliminaryReviewPassed, AP-1, HOST#1, {}]
must_refuse:
- {at: 2024-03-25, command: ResultPublished, subject: R-T-2024, code: RD11}
expect:
  AP-1: {state: SHORTLISTED, net: 0}
"""


@pytest.mark.parametrize(("budget_fen", "subject", "rule"), [("70000000", "PJ-2", "C2"), ("200000000", "PJ-3", "C3")])
def test_a_base_is_supported_within_the_years_budget_and_once_a_year(budget_fen: str, subject: str, rule: str) -> None:
    _plays(SUPPORT.replace("BUDGET_FEN", budget_fen).replace("SUBJECT", subject).replace("RULE", rule))


def test_no_result_is_published_while_bids_wait_to_be_screened() -> None:
    _plays(EARLY)


def _plays(text: str) -> None:
    store = MemoryStore()
    result = asyncio.run(play(read_plan(read_text(text, "x.yaml")), open_paper_door(store), store))
    assert result.ok, result.deviations
