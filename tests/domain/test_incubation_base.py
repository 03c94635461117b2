"""Bases in three tiers, and their tenants."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.registers.incubation_base import (
    BASE,
    AdmitTenant,
    AssessBase,
    Base,
    DesignateBase,
    GraduateTenant,
    Tier,
)
from domain.registers.organisation import Listing, RecordCreditListing
from tests.domain.pure_realm import EVIDENCE, PureRealm, new_realm

DEC = {"at": "2023-12-01", "by": "CAB-DEC#1"}
OPERATOR = {"at": "2024-03-11", "by": "BASE-OP#1"}
MUNICIPAL = DesignateBase(name="市級", tier=Tier.MUNICIPAL, operator="ORG-1")
DISTRICT = DesignateBase(name="區級", tier=Tier.DISTRICT, operator="ORG-1", parent="BASE-M1")
STREET = DesignateBase(name="街道", tier=Tier.STREET_VILLAGE, operator="ORG-1", parent="BASE-D1")
TENANT = AdmitTenant.model_validate({"organisation": "ORG-T5", "until": "2026-03-10"})


def network() -> PureRealm:
    realm = new_realm()
    for name, command in (("BASE-M1", MUNICIPAL), ("BASE-D1", DISTRICT), ("BASE-S1", STREET)):
        realm.order("base", name, command, **DEC)
    return realm


def test_three_tiers_hang_together() -> None:
    assert network().state("base", "BASE-S1").part(Base).parent == "BASE-D1"


@pytest.mark.parametrize(
    "wrong",
    [
        STREET.model_copy(update={"parent": "BASE-M1"}),
        STREET.model_copy(update={"parent": None}),
        DISTRICT.model_copy(update={"parent": "BASE-9"}),
        MUNICIPAL.model_copy(update={"parent": "BASE-M1"}),
    ],
    ids=["two tiers above", "no parent", "an unknown parent", "nothing is above the city"],
)
def test_a_parent_is_one_tier_above(wrong: DesignateBase) -> None:
    assert network().refused("base", "BASE-X", wrong, **DEC) == {"C1"}


def test_an_operator_is_verified() -> None:
    stranger = MUNICIPAL.model_copy(update={"operator": "ORG-9"})
    assert new_realm().refused("base", "BASE-M1", stranger, **DEC) == {"BS01"}


def test_the_latest_assessment_counts() -> None:
    realm = network()
    assert realm.refused("base", "BASE-M1", AssessBase(score=Decimal(93), grade="A"), **DEC) == {"BS02"}
    for score, grade in ((Decimal(93), "A"), (Decimal(80), "B")):
        realm.order("base", "BASE-M1", AssessBase(score=score, grade=grade), at="2024-01-22", by="EVAL#1")
    assert realm.state("base", "BASE-M1").part(Base).grade == "B"


def test_a_tenant_moves_in_once_and_graduates_once() -> None:
    realm = network()
    realm.order("base", "BASE-S1", TENANT, **OPERATOR)
    assert realm.refused("base", "BASE-S1", TENANT, **OPERATOR) == {"BS03"}
    awaited = BASE.awaiting(realm.state("base", "BASE-S1"), realm.calendar)
    assert [(a.command, a.subject, a.until) for a in awaited if a.subject] == [
        ("GraduateTenant", "ORG-T5", datetime(2026, 3, 10, 16, tzinfo=UTC))
    ]
    leaving = GraduateTenant(organisation="ORG-T5")
    realm.order("base", "BASE-S1", leaving, at="2026-03-10", by="BASE-OP#1")
    assert realm.refused("base", "BASE-S1", leaving, at="2026-03-11", by="BASE-OP#1") == {"BS04"}


def test_a_tenancy_ends_in_the_future() -> None:
    past = AdmitTenant.model_validate({"organisation": "ORG-T5", "until": "2024-03-11"})
    assert network().refused("base", "BASE-S1", past, **OPERATOR) == {"BS03"}


def test_a_listed_organisation_does_not_move_in() -> None:
    realm = network()
    listed = RecordCreditListing(listing=Listing.SERIOUS, reason="公示", attachments=EVIDENCE)
    realm.order("organisation", "ORG-1", listed, at="2024-03-01", by="CAB-REG#1")
    assert realm.refused("base", "BASE-S1", TENANT.model_copy(update={"organisation": "ORG-1"}), **OPERATOR) == {"D5"}
