"""What a tranche may wait for is the scheme's to say (M2)."""

from __future__ import annotations

from domain.kernel.canonical import plain
from domain.kernel.scheme import Paying
from domain.project.contract import RegisterLedgerAccount
from domain.project.delivery import ReportKind, StartProject, SubmitReport
from domain.project.disbursement import RequestDisbursement
from domain.project.tranches import Installment
from tests.domain.pure_realm import scheme
from tests.domain.written_realm import AWARD, contract, project, realm_until

OTHERS = scheme("hangzhou", payment={"gates": ["ContractSigned", "ReportSubmitted", "MilestoneMet"]})
TWO = {
    "T1": Installment(planned=400_000, gate="ContractSigned"),
    "T2": Installment(planned=AWARD - 400_000, gate="ReportSubmitted"),
}


def test_a_scheme_that_names_no_gates_is_written_as_before() -> None:
    assert "gates" not in plain(Paying())
    assert Paying().allowed_gates[0] == "ContractSigned"


def test_the_usual_gates_hold_where_the_scheme_names_no_others() -> None:
    realm = realm_until("confirmed")
    assert project(contract(tranches=TWO), "2024-03-21", "CAB-REG#1").refused(realm) == {"M2"}


def test_a_city_with_gates_of_its_own_needs_no_code() -> None:
    realm = realm_until("confirmed", OTHERS)
    assert project(contract(), "2024-03-21", "CAB-REG#1").refused(realm) == {"M2"}
    project(contract(tranches=TWO), "2024-03-21", "CAB-REG#1").ordered(realm)


def test_a_tranche_waits_for_its_event_of_whatever_kind() -> None:
    realm = realm_until("confirmed", OTHERS)
    project(contract(tranches=TWO), "2024-03-21", "CAB-REG#1").ordered(realm)
    project(RegisterLedgerAccount(account="a" * 64), "2024-03-22", "SO-ACC#1").ordered(realm)
    project(StartProject(), "2024-04-01", "SO-PM#1").ordered(realm)
    ask = project(RequestDisbursement(tranche="T2"), "2024-05-08", "CAB-REG#1")
    assert ask.refused(realm) == {"M2"}
    project(SubmitReport(kind=ReportKind.PROGRESS), "2024-05-07", "SO-PM#1").ordered(realm)
    ask.ordered(realm)
    assert realm.check().ok
