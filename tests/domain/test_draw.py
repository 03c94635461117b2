"""A draw that anybody can repeat: committed to, opened after a public moment, the same by another's script."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

import pytest

from domain.kernel.canonical import plain
from domain.kernel.scheme import Scheme
from domain.registers.draw import (
    AbandonDraw,
    CommitDraw,
    DrawCommitted,
    OpenDraw,
    commitment_to,
    pool_digest,
    rank,
)
from domain.registers.panel import DrawPanel, Panel, PanelDrawn, PanelStage, RecuseReviewer
from domain.registers.reviewer import ConflictKind
from domain.registers.roster import (
    EnterExperts,
    RecordExpertTie,
    ReinstateExpert,
    RemoveExpert,
    Roster,
    SuspendExpert,
)
from tests.docs.pages import ROOT
from tests.domain.pure_realm import EVIDENCE, scheme
from tests.domain.written_realm import WrittenRealm, check, realm_until

SEED = "5eed" * 16
VALUE = "02 11 14 21 26 30 + 07"
TWELVE = tuple(f"E{n}" for n in range(1, 13))
REG = {"at": "2024-03-06", "by": "CAB-REG#1"}
LATER = {"at": "2024-03-08", "by": "CAB-REG#1"}
COMMIT = CommitDraw(
    round="R-1",
    applications=("AP-1", "AP-2"),
    roster="ER-1",
    places=5,
    commitment=commitment_to(SEED),
    public_source="雙色球當日開獎號碼",
    public_at=datetime(2024, 3, 7, 13, 30, tzinfo=UTC),
)
OPEN = OpenDraw(seed=SEED, public_value=VALUE)
AGAINST = {"reason": "見附件", "attachments": EVIDENCE}
RULES: Scheme = scheme("hangzhou", review={"verifiable_draw": True})


def world() -> WrittenRealm:
    """Two bids that passed, and twelve experts of whom E3 is on the board of a bidder."""
    realm = realm_until("passed 2", RULES)
    realm.order("roster", "ER-1", EnterExperts(experts=TWELVE, reason="首批"), **REG)
    tie = RecordExpertTie(expert="E3", organisation="ORG-2", kind=ConflictKind.BOARD_24M)
    realm.order("roster", "ER-1", tie, **REG)
    return realm


def committed() -> WrittenRealm:
    story = world()
    story.order("panel", "RP-1", COMMIT, **REG)
    return story


def drawn() -> WrittenRealm:
    story = committed()
    story.order("panel", "RP-1", OPEN, **LATER)
    return story


def panel(story: WrittenRealm) -> Panel:
    return story.state("panel", "RP-1").part(Panel)


# ---------------------------------------------------------------- the pure draw


def test_every_expert_is_drawn_as_often_as_any_other() -> None:
    dice, draws, places = Random(14), 10_000, 5  # noqa: S311 - the same draws every time
    seated = Counter[str]()
    first = Counter[str]()
    for _ in range(draws):
        order = rank(dice.randbytes(32).hex(), str(dice.randrange(10**6)), TWELVE)
        seated.update(order[:places])
        first[order[0]] += 1
    # 11 degrees of freedom: above 24.725 in one of a hundred samples of a fair draw.
    due = draws / len(TWELVE)
    assert sum((first[one] - due) ** 2 / due for one in TWELVE) < 24.725
    due = draws * places / len(TWELVE)  # drawn without replacement: less varied
    fair = sum((seated[one] - due) ** 2 / due for one in TWELVE) / (1 - places / len(TWELVE)) * 11 / 12
    assert fair < 24.725


def test_the_order_does_not_hang_on_how_the_pool_was_written_down() -> None:
    assert rank(SEED, VALUE, TWELVE) == rank(SEED, VALUE, reversed(TWELVE))
    assert pool_digest(("E10", "E9")) == pool_digest(("E9", "E10"))
    assert rank(SEED, VALUE, TWELVE) != rank(SEED, VALUE + "1", TWELVE) != rank(SEED, VALUE, TWELVE[1:])


# ---------------------------------------------------------------- the roster


def test_one_expert_has_one_place_and_leaves_it_for_good() -> None:
    story = world()
    again = EnterExperts(experts=("E3", "E13", "E13"), reason="增補")
    assert story.refused("roster", "ER-1", again, **REG) == {"ER01"}
    story.order("roster", "ER-1", RemoveExpert(expert="E12", reason="辭任"), **REG)
    for gone in (
        RemoveExpert(expert="E12", reason="辭任"),
        SuspendExpert(expert="E12", **AGAINST),
        RecordExpertTie(expert="E12", organisation="ORG-1", kind=ConflictKind.KIN),
    ):
        assert story.refused("roster", "ER-1", gone, **REG) == {"ER01"}
    unknown = RecordExpertTie(expert="E1", organisation="ORG-9", kind=ConflictKind.KIN)
    assert story.refused("roster", "ER-1", unknown, **REG) == {"ER05"}
    crowd = EnterExperts(experts=tuple(f"E{n}" for n in range(20, 510)), reason="增補")
    assert story.refused("roster", "ER-1", crowd, **REG) == {"ER01"}


def test_a_suspension_lasts_until_its_day_and_can_be_ended() -> None:
    story = world()
    over = SuspendExpert(expert="E1", until=date(2024, 3, 5), **AGAINST)
    assert story.refused("roster", "ER-1", over, **REG) == {"ER02"}
    story.order("roster", "ER-1", over.model_copy(update={"until": date(2024, 3, 6)}), **REG)
    roster = story.state("roster", "ER-1").part(Roster)
    assert [roster.find_bar("E1", frozenset(), 24, date(2024, 3, day)) for day in (6, 7)] == ["ER02", ""]
    story.order("roster", "ER-1", ReinstateExpert(expert="E1", reason="期滿"), **REG)
    assert story.refused("roster", "ER-1", ReinstateExpert(expert="E1", reason="期滿"), **REG) == {"ER03"}


@pytest.mark.parametrize(
    ("kind", "ended", "bars"),
    [
        (ConflictKind.EMPLOYMENT_24M, None, True),
        (ConflictKind.PAYMENT_24M, date(2022, 3, 6), True),
        (ConflictKind.PAYMENT_24M, date(2022, 3, 5), False),
        (ConflictKind.KIN, date(2000, 1, 1), True),
    ],
)
def test_a_registered_tie_bars_as_a_declared_one_would(kind: ConflictKind, ended: date | None, bars: bool) -> None:  # noqa: FBT001
    story = world()
    tie = RecordExpertTie(expert="E1", organisation="ORG-1", kind=kind, ended_on=ended)
    story.order("roster", "ER-1", tie, **REG)
    story.order("panel", "RP-1", COMMIT, **REG)
    event = story.log[-1][1]
    assert isinstance(event, DrawCommitted)
    assert event.left_out == ({"E1": "P1", "E3": "P1"} if bars else {"E3": "P1"})
    assert ("E1" in event.pool) is not bars
    assert story.check().ok


# ---------------------------------------------------------------- commitment and opening


def test_under_such_rules_nobody_enters_a_panel_by_hand() -> None:
    by_hand = DrawPanel(round="R-1", applications=("AP-1",), seats=TWELVE[:5])
    assert world().refused("panel", "RP-1", by_hand, **REG) == {"DW01"}


def test_a_commitment_names_everything_that_is_missing() -> None:
    wrong = {"places": 14, "public_at": datetime(2024, 3, 6, tzinfo=UTC), "applications": ("AP-1", "AP-9")}
    assert world().refused("panel", "RP-1", COMMIT.model_copy(update=wrong), **REG) == {"P4", "RP01", "DW01"}


def test_there_is_one_commitment_at_a_time_for_an_application_and_giving_it_up_stays_on_record() -> None:
    story = committed()
    other = COMMIT.model_copy(update={"applications": ("AP-2",)})
    assert story.refused("panel", "RP-2", other, **REG) == {"DW01"}
    story.order("panel", "RP-1", AbandonDraw(**AGAINST), **LATER)
    assert story.state("panel", "RP-1").stage == PanelStage.ABANDONED
    assert story.refused("panel", "RP-1", OPEN, **LATER)
    later = other.model_copy(update={"public_at": datetime(2024, 3, 11, tzinfo=UTC)})
    story.order("panel", "RP-2", later, **LATER)
    assert story.check().ok


def test_a_draw_opens_after_its_moment_with_its_own_seed() -> None:
    story = committed()
    assert story.refused("panel", "RP-1", OPEN, at="2024-03-07", by="CAB-REG#1") == {"DW03"}
    other = OPEN.model_copy(update={"seed": "0" * 64})
    assert story.refused("panel", "RP-1", other, **LATER) == {"P7"}
    story.order("panel", "RP-1", OPEN, **LATER)
    fit = tuple(one for one in rank(SEED, VALUE, tuple(one for one in TWELVE if one != "E3")))
    assert panel(story).seated == fit[:5]
    assert story.check().ok


def test_whoever_the_roster_keeps_away_by_then_is_passed_over() -> None:
    story = committed()
    first, second, *rest = rank(SEED, VALUE, tuple(one for one in TWELVE if one != "E3"))
    story.order("roster", "ER-1", SuspendExpert(expert=first, **AGAINST), at="2024-03-07", by="CAB-REG#1")
    tie = RecordExpertTie(expert=second, organisation="ORG-1", kind=ConflictKind.PAYMENT_24M)
    story.order("roster", "ER-1", tie, at="2024-03-07", by="CAB-REG#1")
    story.order("panel", "RP-1", OPEN, **LATER)
    opening = panel(story).opening
    assert opening is not None
    assert (opening.passed_over, panel(story).seated) == ({first: "ER02", second: "P1"}, tuple(rest[:5]))
    assert story.check().ok


def test_substitutes_come_in_by_the_order_drawn() -> None:
    story = drawn()
    opening = panel(story).opening
    assert opening is not None
    first, *_, sixth, seventh = opening.ranking[:7]
    jumped = RecuseReviewer.model_validate({"out": first, "in": seventh})
    assert story.refused("panel", "RP-1", jumped, **LATER) == {"DW03"}
    story.order("panel", "RP-1", jumped.model_copy(update={"in_": sixth}), **LATER)
    assert sixth in panel(story).seated
    assert story.check().ok


# ---------------------------------------------------------------- what others make of it


def evidence(story: WrittenRealm) -> dict[str, dict[str, object]]:
    """What is published of the draw."""
    events = {type(event): plain(event) for _, event in story.log}
    return {"committed": events[DrawCommitted], "opened": events[PanelDrawn]}


def draw_again(evidence_of_draw: object) -> tuple[int, str]:
    """What the script of an outsider says."""
    ran = subprocess.run(  # noqa: S603 - our own page, no shell
        [sys.executable, "-I", str(ROOT / "docs" / "draw_again.py")],
        input=json.dumps(evidence_of_draw),
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ran.stderr
    return ran.returncode, ran.stdout.strip()


def test_an_outsiders_script_draws_the_same_panel_and_finds_another_roster() -> None:
    story = drawn()
    proof = evidence(story)
    assert draw_again(proof) == (0, " ".join(panel(story).seated))
    pool = proof["committed"]["pool"]
    assert isinstance(pool, list)
    code, text = draw_again({**proof, "committed": {**proof["committed"], "pool": [*pool, "E13"]}})
    assert code == 1
    assert "the roster is another" in text
    script = (ROOT / "docs" / "draw_again.py").read_text("utf-8")
    assert len(script.partition('"""\n\n')[2].splitlines()) <= 30, "thirty lines"


@pytest.mark.parametrize("field", ["pool", "pool_digest", "public_at", "commitment"])
def test_a_commitment_that_was_changed_afterwards_is_found(field: str) -> None:
    story = drawn()
    at = next(n for n, entry in enumerate(story.entries) if entry.type == "DrawCommitted")
    data = json.loads(story.entries[at].data)
    data[field] = {"pool": [*data["pool"], "E13"], "public_at": "2024-03-09T00:00:00Z"}.get(field, "0" * 64)
    story.entries[at] = replace(story.entries[at], data=json.dumps(data).encode())
    assert {breach.rule for breach in check(story.entries).breaches} == {"P7"}


def test_a_roster_that_was_changed_after_the_commitment_is_found() -> None:
    """Somebody comes onto the roster by an entry that is put before the commitment."""
    story = drawn()
    at = next(n for n, entry in enumerate(story.entries) if entry.type == "ExpertsEntered")
    data = json.loads(story.entries[at].data)
    data["experts"] = [*data["experts"], "E13"]
    story.entries[at] = replace(story.entries[at], data=json.dumps(data).encode())
    assert {breach.rule for breach in check(story.entries).breaches} == {"P7"}


@pytest.mark.parametrize("field", ["seats", "ranking", "passed_over", "seed"])
def test_an_opening_that_was_changed_afterwards_is_found(field: str) -> None:
    story = drawn()
    at = next(n for n, entry in enumerate(story.entries) if entry.type == "PanelDrawn")
    data = json.loads(story.entries[at].data)
    if field == "seats":
        data["seats"] = data["seats"][::-1]
    else:
        first = data["opening"]["ranking"][0]
        changed = {"ranking": data["opening"]["ranking"][::-1], "passed_over": {first: "ER02"}, "seed": "0" * 64}
        data["opening"][field] = changed[field]
    story.entries[at] = replace(story.entries[at], data=json.dumps(data).encode())
    assert "P7" in {breach.rule for breach in check(story.entries).breaches}
