"""A decision that a service asks of people: who may give it, of what content, until when, and that it ends once."""

from __future__ import annotations

from datetime import date

import pytest

from domain.approval.request import (
    APPROVAL,
    AmendApproval,
    ApprovalDeclined,
    ApprovalExpired,
    ApprovalGiven,
    Approvers,
    DeclineApproval,
    GrantApproval,
    OpenApproval,
    ReturnApproval,
    WithdrawApproval,
    bind,
)
from domain.approval.summary import summarise
from domain.kernel.approval import Approval, Verdict
from domain.kernel.calendar import SHANGHAI, day_ends
from domain.kernel.identifier import Actor, Role
from domain.kernel.scope import Scope, ScopeKind
from tests.domain.sentences import StreamStory, a

DEC1, DEC2, FIN1 = "CAB-DEC#1", "CAB-DEC#2", "CAB-FIN#1"
ALL = Approvers(seats=(Actor(DEC1), Actor(FIN1)))
ANY = Approvers(seats=(Actor(DEC1), Actor(FIN1)), needed=1)
TWO_OF_THREE = Approvers(seats=(Actor(DEC1), Actor(DEC2), Actor(FIN1)), needed=2)


def purchase(*groups: Approvers, by: str = "CAB-REG#1", **terms: object) -> StreamStory:
    """A purchase that is to be approved, opened on Monday 3 June 2024."""
    command = OpenApproval.model_validate({"title": "採購", "amount": 100, "groups": groups or (ANY,), **terms})
    return a(APPROVAL, "AV-1").ordered(command, at="2024-06-03", by=by)


def digest(story: StreamStory) -> str:
    return story.state.approvals[-1].content


def grant(story: StreamStory) -> GrantApproval:
    return GrantApproval(digest=digest(story))


def decline(story: StreamStory) -> DeclineApproval:
    return DeclineApproval(digest=digest(story), reason="不宜")


def last(story: StreamStory) -> Approval:
    return story.state.approvals[-1]


def test_of_any_one_the_first_consent_grants_it_and_closed_is_closed() -> None:
    story = purchase(ANY)
    granted = story.when(grant(story), at="2024-06-04", by=DEC1).then(
        ApprovalGiven(digest=digest(story), group=0, decides=True)
    )
    assert (last(granted).verdict, last(granted).decided_by) == (Verdict.GRANTED, Actor(DEC1))
    granted.when(grant(story), at="2024-06-05", by=FIN1).refused("AV03")
    granted.when(decline(story), at="2024-06-05", by=FIN1).refused("AV05")
    granted.when(WithdrawApproval(reason="x"), at="2024-06-05", by="CAB-REG#1").refused("AV08")


def test_of_all_every_one_must_consent_and_one_who_does_not_declines_it() -> None:
    story = purchase(ALL)
    half = story.ordered(grant(story), at="2024-06-04", by=DEC1)
    assert last(half).verdict is Verdict.OPEN
    assert last(half.ordered(grant(story), at="2024-06-05", by=FIN1)).verdict is Verdict.GRANTED
    declined = half.ordered(decline(story), at="2024-06-05", by=FIN1)
    assert (last(declined).verdict, last(declined).reason) == (Verdict.REFUSED, "不宜")


def test_of_three_two_must_consent_and_one_who_does_not_ends_nothing() -> None:
    story = purchase(TWO_OF_THREE)
    once = story.when(decline(story), at="2024-06-04", by=DEC1).then(
        ApprovalDeclined(digest=digest(story), reason="不宜", group=0, decides=False)
    )
    assert last(once).verdict is Verdict.OPEN
    twice = once.ordered(grant(story), at="2024-06-04", by=DEC2).ordered(grant(story), at="2024-06-05", by=FIN1)
    assert last(twice).verdict is Verdict.GRANTED
    assert last(once.ordered(decline(story), at="2024-06-05", by=DEC2)).verdict is Verdict.REFUSED


def test_every_group_must_consent() -> None:
    story = purchase(Approvers(seats=(Actor(DEC1),)), Approvers(roles=(Role.CAB_FIN,), needed=1))
    first = story.ordered(grant(story), at="2024-06-04", by=DEC1)
    assert last(first).verdict is Verdict.OPEN
    first.when(grant(story), at="2024-06-04", by=DEC2).refused("AV26")
    assert last(first.ordered(grant(story), at="2024-06-05", by="CAB-FIN#7")).verdict is Verdict.GRANTED


def test_one_person_votes_once_and_never_on_their_own_request() -> None:
    command = OpenApproval(title="採購", groups=(TWO_OF_THREE,))
    empty = a(APPROVAL, "AV-1")
    story = empty.when_acting(command, at="2024-06-03", by="CAB-REG#1", persons=["P-1"]).accepted()
    consent = grant(story)
    story.when_acting(consent, at="2024-06-04", by=DEC1, persons=["P-1"]).refused("AV23")
    once = story.when_acting(consent, at="2024-06-04", by=DEC1, persons=["P-2"]).accepted()
    once.when_acting(consent, at="2024-06-04", by=DEC2, persons=["P-2"]).refused("AV24")
    once.when_acting(consent, at="2024-06-04", by=DEC2, persons=["P-9", "P-2"]).refused("AV24")


@pytest.mark.parametrize(
    ("group", "rules"),
    [
        (Approvers(seats=(Actor("CAB-REG#1"),)), ("AV23",)),
        (Approvers(seats=(Actor("CAB-REG#1"), Actor(DEC1))), ("AV23",)),
        (Approvers(seats=(Actor("CAB-REG#1"), Actor(DEC1)), needed=1), ()),
        (Approvers(seats=(Actor("CAB-REG#1"), Actor(DEC1), Actor(FIN1)), needed=3), ("AV23",)),
        (Approvers(roles=(Role.CAB_REG,), needed=1), ()),
    ],
)
def test_what_only_its_opener_could_grant_is_not_opened(group: Approvers, rules: tuple[str, ...]) -> None:
    opening = a(APPROVAL, "AV-1").when(OpenApproval(title="採購", groups=(group,)), at="2024-06-03", by="CAB-REG#1")
    if rules:
        opening.refused(*rules)
    else:
        opening.accepted()


def test_a_decision_is_bound_to_the_content_and_other_content_asks_everybody_anew() -> None:
    story = purchase(ALL)
    half = story.ordered(grant(story), at="2024-06-04", by=DEC1)
    old = digest(story)
    half.when(AmendApproval(title="採購", amount=100), at="2024-06-05", by="CAB-REG#1").refused("AV02")
    half.when(AmendApproval(title="採購", amount=200), at="2024-06-05", by="CAB-DEC#1").refused("AV22")
    moved = half.ordered(AmendApproval(title="採購", amount=200), at="2024-06-05", by="CAB-REG#1")
    before, now = moved.state.approvals
    assert (before.verdict, before.ended_by) == (Verdict.VOID, "ApprovalAmended")
    assert (now.verdict, now.votes) == (Verdict.OPEN, ())
    assert before.id != now.id
    moved.when(GrantApproval(digest=old), at="2024-06-06", by=FIN1).refused("AV25")
    moved.when(GrantApproval(digest=now.content[:8]), at="2024-06-06", by=DEC1).accepted()


def test_one_that_is_sent_back_can_be_changed_and_asked_again() -> None:
    story = purchase(ANY)
    back = story.ordered(ReturnApproval(digest=digest(story), reason="請補報價"), at="2024-06-04", by=DEC1)
    assert (last(back).verdict, last(back).reason) == (Verdict.RETURNED, "請補報價")
    assert not back.awaited()
    again = back.ordered(AmendApproval(title="採購（附報價）"), at="2024-06-05", by="CAB-REG#1")
    assert [one.verdict for one in again.state.approvals] == [Verdict.RETURNED, Verdict.OPEN]
    withdrawn = back.ordered(WithdrawApproval(reason="不買了"), at="2024-06-05", by="CAB-REG#1")
    withdrawn.when(AmendApproval(title="採購"), at="2024-06-06", by="CAB-REG#1").refused("AV02")


def test_it_is_reminded_of_then_goes_to_those_above_then_expires() -> None:
    story = purchase(ALL, within_wd=5, remind_after_wd=1, escalate_after_wd=2, escalate_to=(Actor(DEC2),))
    story.when(grant(story), at="2024-06-04", by=DEC2).refused("AV26")
    reminded = story.lapsed()
    waits = APPROVAL.awaiting(reminded.state, reminded.facts.calendar)
    assert {one.zh for one in waits} == {"審批：採購（已催辦）"}, "and so the inbox says"
    escalated = reminded.lapsed()
    due = escalated.due()
    assert due is not None
    assert due.at == day_ends(date(2024, 6, 10)), "five working days, none of a festival published"
    assert due.at.astimezone(SHANGHAI).hour == 0
    assert last(escalated.ordered(grant(story), at="2024-06-06", by=DEC2)).verdict is Verdict.GRANTED
    expired = escalated.lapsed()
    assert last(expired).verdict is Verdict.EXPIRED
    assert last(expired).ended_by == ApprovalExpired.event_type
    expired.when(grant(story), at="2024-06-20", by=DEC1).refused("AV03")


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"groups": (Approvers(),)}, "AV20"),
        ({"groups": (Approvers(roles=(Role.CAB_DEC,)),)}, "AV20"),
        ({"groups": (Approvers(seats=(Actor(DEC1),), needed=2),)}, "AV20"),
        ({"groups": (Approvers(seats=(Actor(DEC1), Actor(DEC1))),)}, "AV20"),
        ({"groups": (Approvers(seats=(Actor("DISC#1"),)),)}, "AV20"),
        ({"groups": (Approvers(seats=(Actor(DEC1),), acts_for=("ORG-1",)),)}, "AV20"),
        ({"until": "2024-06-01T00:00:00Z"}, "AV21"),
        ({"until": "2024-07-01T00:00:00Z", "within_wd": 3}, "AV21"),
        ({"within_wd": 3, "remind_after_wd": 3}, "AV21"),
        ({"escalate_after_wd": 3}, "AV21"),
        ({"escalate_after_wd": 3, "escalate_to": (Actor("ADMIN#1"),)}, "AV20"),
    ],
)
def test_what_can_never_be_decided_is_not_asked(wrong: dict[str, object], rule: str) -> None:
    command = OpenApproval.model_validate({"title": "採購", "groups": (ANY,), **wrong})
    a(APPROVAL, "AV-1").when(command, at="2024-06-03", by="CAB-REG#1").refused(rule)


def test_of_a_role_only_seats_that_act_for_whom_it_says_are_asked() -> None:
    story = purchase(Approvers(roles=(Role.SO_LEGAL,), acts_for=("ORG-3",), needed=1))
    scopes = {name: Scope(kind=ScopeKind.ORGANISATION, names=(name,)) for name in ("ORG-3", "ORG-9")}
    other = story.when_acting(grant(story), at="2024-06-04", by="SO-LEGAL#1", scope=scopes["ORG-9"])
    other.refused("AV26")
    story.when_acting(grant(story), at="2024-06-04", by="SO-LEGAL#1", scope=scopes["ORG-3"]).accepted()


def test_it_waits_for_the_very_seats_that_have_not_decided() -> None:
    story = purchase(ALL, Approvers(roles=(Role.HOST,), needed=1))
    (of_seats, of_role) = APPROVAL.awaiting(story.state, story.facts.calendar)
    assert (of_seats.seats, of_role.seats) == ((Actor(DEC1), Actor(FIN1)), ())
    assert set(of_role.roles) == {Role.HOST}
    half = story.ordered(grant(story), at="2024-06-04", by=DEC1)
    assert APPROVAL.awaiting(half.state, half.facts.calendar)[0].seats == (Actor(FIN1),)


def test_what_is_bound_can_be_read() -> None:
    story = purchase(ANY, payee="ORG-3", project="PJ-3")
    details = {detail.name: detail for detail in summarise(story.state, last(story), {})}
    assert (details["amount"].value_zh, details["amount"].fen, details["payee"].value_en) == ("¥1.00", 100, "ORG-3")
    assert bind(story.state.stream, OpenApproval(title="採購", amount=100, groups=(ANY,))) != digest(story)


def test_its_file_has_a_name_that_says_what_it_is() -> None:
    command = OpenApproval(title="採購", groups=(ANY,))
    a(APPROVAL, "PJ-1").when(command, at="2024-06-03", by="CAB-REG#1").refused("AV01")
    a(APPROVAL, "AV-1").when(command, at="2024-06-03", by="SO-PM#1").refused("AV01")
