"""Words of a city stand in its lists (K1); part of a round's money is kept for some (M11; HZ-6, HZ-12, HZ-18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from domain.kernel.codelist import Codelists, Term
from domain.kernel.scheme import RoundLevel
from domain.kernel.state import SchemeRef
from domain.need import AdoptNeed, Need, SubmitNeed
from domain.project.award import DeclineAward, ProposeAward
from domain.project.bidding import BaseSupport, SubmitApplication
from domain.registers.organisation import ClassifyOrganisation, Organisation
from domain.round.budget import aside_key, count_asides, mark_aside
from domain.round.call import PublishCall
from domain.round.plan import ApproveRoundBudget, OpenNeedSolicitation, SetAside, SetAsideBy
from schemes.scheme_file import load_shipped
from tests.domain.pure_realm import MINUTES, scheme
from tests.domain.written_realm import WrittenRealm, project, proposal, realm_until

if TYPE_CHECKING:
    from domain.kernel.scheme import Scheme


def terms(*names: str) -> tuple[Term, ...]:
    return tuple(Term(name=name, en=name) for name in names)


LISTS = Codelists(
    fields=terms("助老", "助殘"), themes=terms("一老一小"), organisation_kinds=terms("樞紐型"), outcomes=terms("促減負")
)
RULES = scheme("hangzhou", codelists=LISTS.model_dump())
REG = {"at": "2024-01-10", "by": "CAB-REG#1"}
BIDDER = {"at": "2024-02-20", "by": "SO-LEGAL#1"}
CALL = PublishCall(scheme=RULES.ref, year=2024, level=RoundLevel.MUNICIPAL)


def classify(*kinds: str) -> ClassifyOrganisation:
    return ClassifyOrganisation(scheme=SchemeRef(name="hangzhou", version=1), kinds=kinds)


def aside(value: str, least: int, by: SetAsideBy = SetAsideBy.FIELD) -> SetAside:
    return SetAside(by=by, value=value, least=least)


def approval(amount: int, *asides: SetAside) -> ApproveRoundBudget:
    return ApproveRoundBudget(amount=amount, set_asides=asides or None)


# ---------------------------------------------------------------- lists


def world(rules: Scheme = RULES) -> WrittenRealm:
    """The call of R-1 stands open; ORG-1 and ORG-2 are verified."""
    return realm_until("call", rules)


def bid(*fields: str) -> SubmitApplication:
    return SubmitApplication(
        round="R-1", organisation="ORG-1", title="助老", requested=100, statement="無人探訪", fields=fields
    )


def test_a_bid_works_in_fields_of_the_city() -> None:
    assert world().refused("project", "AP-1", bid("助老", "團建"), **BIDDER) == {"K1"}
    world().order("project", "AP-1", bid("助老", "助殘"), **BIDDER)


def test_a_city_that_keeps_no_list_takes_any_word() -> None:
    without = scheme("hangzhou", codelists=Codelists(themes=LISTS.themes).model_dump())
    world(without).order("project", "AP-1", bid("團建"), **BIDDER)


def test_a_need_is_told_in_anybodys_words_and_filed_under_a_theme_of_the_city() -> None:
    realm, clerk = world(), {"at": "2024-02-05", "by": "CAB-REG#1"}
    ask = OpenNeedSolicitation(scheme=RULES.ref, year=2024, level=RoundLevel.DISTRICT, theme="一老一小")
    wrong = ask.model_copy(update={"theme": "旅遊"})
    assert realm.refused("round", "R-2", wrong, **clerk) == {"K1"}
    realm.order("round", "R-2", ask, **clerk)
    realm.order(
        "need", "ND-1", SubmitNeed(round="R-2", group="樓上的老人", fields=("陪伴",)), at="2024-02-06", by="COMM#1"
    )
    clerk["at"] = "2024-02-07"
    assert realm.refused("need", "ND-1", AdoptNeed(theme="一老一小"), **clerk) == {"K1"}
    assert realm.refused("need", "ND-1", AdoptNeed(theme="旅遊", fields=("助老",)), **clerk) == {"K1"}
    realm.order("need", "ND-1", AdoptNeed(theme="一老一小", fields=("助老",)), **clerk)
    assert realm.state("need", "ND-1").part(Need).fields == {"助老"}
    assert realm.check().ok


def test_a_hub_is_one_by_the_list_of_a_published_version() -> None:
    realm = world()
    assert realm.refused("organisation", "ORG-1", classify("核心型"), **REG) == {"K1"}
    unpublished = classify("樞紐型").model_copy(update={"scheme": SchemeRef(name="hangzhou", version=9)})
    assert realm.refused("organisation", "ORG-1", unpublished, **REG) == {"S1"}
    realm.order("organisation", "ORG-1", classify("樞紐型"), **REG)
    assert realm.state("organisation", "ORG-1").part(Organisation).kinds == {"樞紐型"}
    realm.order("organisation", "ORG-1", classify(), **REG | {"at": "2024-02-02"})
    assert not realm.state("organisation", "ORG-1").part(Organisation).kinds


def test_a_list_names_a_thing_once() -> None:
    with pytest.raises(ValidationError, match="listed twice"):
        Codelists(fields=terms("助老", "助老"))


@pytest.mark.parametrize("name", ["hangzhou", "fuzhou", "changzhou"])
def test_the_cities_lists_are_the_ones_that_they_published(name: str) -> None:
    lists = load_shipped(name).codelists
    assert lists is not None
    named = {
        "hangzhou": (lists.fields, ("助老扶幼", "助殘扶困", "青少年發展", "心理疏導", "社區治理", "婚姻家庭")),
        "fuzhou": (lists.outcomes, ("優服務", "強隊伍", "促減負", "精細化", "快捷化", "聯合化", "融合化")),
        "changzhou": (lists.organisation_kinds, ("樞紐型", "示範性", "初創期")),
    }
    terms_, names = named[name]
    assert tuple(term.name for term in terms_ or ()) == names


# ---------------------------------------------------------------- set-asides


def reported(*asides: SetAside) -> WrittenRealm:
    """AP-1 of ORG-1 and AP-2 of ORG-2, both in 助老 and scored; R-1 has 1,500,000 fen, of which some are set aside."""
    realm = realm_until("report", RULES)
    realm.order("round", "R-1", approval(1_500_000, *asides), at="2024-03-09", by="FISCAL#1")
    return realm


def awarding(name: str = "PJ-1", share: int = 600_000) -> ProposeAward:
    return proposal(name, award=share, funds={"FS-1": share})


def test_what_is_set_aside_for_others_cannot_be_awarded() -> None:
    realm, clerk = reported(aside("助殘", 1_000_000)), {"at": "2024-03-11", "by": "CAB-REG#1"}
    assert realm.refused("project", "AP-1", awarding(), **clerk) == {"M11"}
    realm.order("project", "AP-1", awarding(share=500_000), **clerk)
    assert realm.refused("project", "AP-2", awarding("PJ-2", 1), **clerk) == {"M11"}
    assert realm.check().ok


def test_whoever_it_is_for_may_be_awarded_it_and_more() -> None:
    realm, clerk = reported(aside("助老", 1_000_000)), {"at": "2024-03-11", "by": "CAB-REG#1"}
    realm.order("project", "AP-1", awarding(share=900_000), **clerk)
    realm.order("project", "AP-2", awarding("PJ-2", 600_000), **clerk)
    holders = realm.claims[aside_key("test", "R-1")]
    assert count_asides(holders) == {mark_aside("FIELD", "助老"): 1_500_000}
    assert realm.check().ok


def test_a_declined_award_leaves_its_share_set_aside_again() -> None:
    realm, clerk = reported(aside("助老", 1_500_000)), {"at": "2024-03-11", "by": "CAB-REG#1"}
    realm.order("project", "AP-1", awarding(share=900_000), **clerk)
    realm.order("project", "AP-1", DeclineAward(reason="人手不足"), at="2024-03-12", by="SO-LEGAL#1")
    assert not realm.claims[aside_key("test", "R-1")]
    assert realm.check().ok


def test_a_hub_is_awarded_what_is_kept_for_hubs() -> None:
    hubs = aside("樞紐型", 1_000_000, SetAsideBy.ORGANISATION_KIND)
    realm, clerk = reported(hubs), {"at": "2024-03-11", "by": "CAB-REG#1"}
    assert realm.refused("project", "AP-1", awarding(), **clerk) == {"M11"}
    realm.order("organisation", "ORG-1", classify("樞紐型"), at="2024-03-10", by="CAB-REG#1")
    realm.order("project", "AP-1", awarding(), **clerk)
    assert realm.check().ok


def test_set_asides_lie_within_the_budget_and_are_kept_until_they_are_named_anew() -> None:
    realm, treasury = reported(aside("助殘", 1_000_000)), {"at": "2024-03-10", "by": "FISCAL#1"}
    assert realm.refused("round", "R-1", approval(900_000), **treasury) == {"M11"}
    twice = approval(1_500_000, aside("助老", 1), aside("助老", 2))
    assert realm.refused("round", "R-1", twice, **treasury) == {"M11"}
    assert realm.refused("round", "R-1", approval(1_500_000, aside("團建", 1)), **treasury) == {"K1"}
    realm.order("round", "R-1", ApproveRoundBudget(amount=900_000, set_asides=()), **treasury)
    realm.order("project", "AP-1", awarding(share=900_000), at="2024-03-11", by="CAB-REG#1")
    assert realm.check().ok


def test_supported_fields_are_of_the_list_too() -> None:
    support = BaseSupport(round="R-1", organisation="ORG-1", base="BASE-1", title="扶持", fields=("團建",))
    terms_ = {"panel": None, "award": 1, "funds": {"FS-1": 1}, "support": support, "minutes": MINUTES}
    step = project(proposal("PJ-9", **terms_), "2024-02-19", "CAB-REG#1", "PJ-9")
    assert "K1" in step.refused(world())
