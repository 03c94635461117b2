"""What is lived through while the house is being broken, and what each stream must have come to, whatever happened.

A story has a past, recorded beforehand as of its days; chapters, whose commands are given all at once in any order; and
deadlines, each of which comes by itself. Within a chapter a command that comes too early is refused and given again,
so that each chapter has one outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domain.kernel.scheme import RoundLevel
from domain.need import AdoptNeed, EndorseNeed, SubmitNeed
from domain.project.award import DeclineAward
from domain.project.contract import ContractSigningLapsed, RegisterLedgerAccount, Signatory, SignContract
from domain.project.disbursement import ApproveDisbursement, CheckDisbursement, PayDisbursement, RequestDisbursement
from domain.project.objection import AcceptObjection, DismissObjection, LodgeObjection
from domain.project.publicity import ConfirmAward, OpenAwardPublicity
from domain.project.tranches import Installment
from domain.round.call import CallClosed, PublishCall
from domain.round.plan import GRACE, OpenNeedSolicitation
from tests.keys import MINUTES
from tests.workflows.bureau import FUND_FEN, RULES, verification

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command
    from tests.workflows.bureau import Bureau

A_DAY = timedelta(days=1)
FOUNDED = 60 * A_DAY
"""How long ago the registers were filled."""
FIRST_FEN, LAST_FEN = 600_000, 400_000
"""The tranches of a contract; the first is paid."""
NOTICE = OpenAwardPublicity(contact="市民政局")
CONTRACT = SignContract(
    award=FIRST_FEN + LAST_FEN,
    tranches={
        "T1": Installment(planned=FIRST_FEN, gate="ContractSigned"),
        "T2": Installment(planned=LAST_FEN, gate="FinalEvaluationConcluded"),
    },
    budget={"activity": FIRST_FEN + LAST_FEN},
    signatures=dict.fromkeys(Signatory, MINUTES),
)
ENDORSERS = range(2, 8)
SOLICITING = "R-2"
"""The district's round that takes needs now."""


@dataclass(frozen=True)
class ChapterStep:
    """What somebody asks for."""

    command: Command
    by: str
    refused: bool = False
    """Whether the rules refuse it whenever it is asked; else it is asked until it is accepted."""


@dataclass(frozen=True)
class Past:
    """What was recorded before anything was broken."""

    at: datetime
    command: Command
    by: str


@dataclass(frozen=True)
class LifeStory:
    """What happens to one stream."""

    stream: StreamId
    past: tuple[Past, ...] = ()
    chapters: tuple[tuple[ChapterStep, ...], ...] = ()
    deadlines: tuple[str, ...] = ()
    """The events that come by themselves, after everything else."""
    alarm: datetime | None = None
    """When the last of them is to be seen to; None if it lies in the past or there is none."""
    beside: bool = False
    """Whether some commands are recorded beside the workflow, as an import does."""

    def comes_to(self) -> list[str]:
        """The types of the stream's events, in order."""
        commands = [step.command for chapter in self.chapters for step in chapter if not step.refused]
        return [*(c.records.event_type for c in [*(p.command for p in self.past), *commands]), *self.deadlines]


async def establish(bureau: Bureau, now: datetime, projects: int) -> None:
    """Fill the registers that all stories rest on."""
    await bureau.open_base(projects, at=now - FOUNDED)
    solicitation = OpenNeedSolicitation(scheme=RULES.ref, year=now.year, level=RoundLevel.DISTRICT)
    await bureau.straight(bureau.id("round", SOLICITING), solicitation, "CAB-REG#1", at=now)


def plan(bureau: Bureau, projects: int, now: datetime, alarms: Sequence[datetime]) -> list[LifeStory]:
    """The stories of so many projects."""
    return [story for number in range(projects) for story in life(bureau, number, now, alarms[number])]


def life(bureau: Bureau, number: int, now: datetime, alarm: datetime) -> Iterator[LifeStory]:
    """One organisation, one need, one project and one round; the round's call closes at that alarm."""
    yield _organisation(bureau, number)
    yield _need(bureau, number)
    yield _PROJECTS[number % len(_PROJECTS)](bureau, number, now)
    yield _round(bureau, number, now, alarm)


def _organisation(bureau: Bureau, number: int) -> LifeStory:
    steps = tuple(ChapterStep(verification(name), "HOST#1") for name in ("甲", "乙", "丙", "丁"))
    return LifeStory(bureau.id("organisation", f"ORG-L{number}"), chapters=(steps,))


def _need(bureau: Bureau, number: int) -> LifeStory:
    return LifeStory(
        bureau.id("need", f"ND-{number}"),
        chapters=(
            (ChapterStep(SubmitNeed(round=SOLICITING, group="空巢老人"), "COMM#1"),),
            tuple(ChapterStep(EndorseNeed(), f"COMM#{person}") for person in ENDORSERS),
            (ChapterStep(EndorseNeed(), "COMM#1", refused=True),),
            (ChapterStep(AdoptNeed(), "CAB-REG#1"),),
        ),
        beside=True,
    )


def _paid(bureau: Bureau, number: int, now: datetime) -> LifeStory:
    """Awarded, signed, and its first tranche asked for, checked, approved and paid by four people."""
    steps = (
        ChapterStep(CONTRACT, "CAB-REG#1"),
        ChapterStep(RegisterLedgerAccount(account=f"{number:064x}"), "SO-ACC#1"),
        ChapterStep(RequestDisbursement(tranche="T1"), "CAB-REG#1"),
        ChapterStep(CheckDisbursement(tranche="T1"), "CAB-FIN#1"),
        ChapterStep(ApproveDisbursement(tranche="T1"), "CAB-DEC#1"),
        ChapterStep(PayDisbursement(tranche="T1", amount=FIRST_FEN), "FISCAL#1"),
    )
    return LifeStory(bureau.id("project", f"AP-{number}"), _awarded(bureau, number, now - 10 * A_DAY), (steps,))


def _objected(bureau: Bureau, number: int, _now: datetime) -> LifeStory:
    """Proposed, posted, objected to, and given up by its organisation."""
    steps = (
        ChapterStep(bureau.award(number), "CAB-REG#1"),
        ChapterStep(NOTICE, "CAB-REG#1"),
        ChapterStep(LodgeObjection(ground="評分"), "PUBLIC#1"),
        ChapterStep(AcceptObjection(), "CAB-REG#1"),
    )
    dismissed = (ChapterStep(DismissObjection(finding="不成立"), "CAB-DEC#1"),)
    given_up = (ChapterStep(DeclineAward(reason="人手不足"), "SO-LEGAL#1"),)
    return LifeStory(bureau.id("project", f"AP-{number}"), chapters=(steps, dismissed, given_up))


def _lapsed(bureau: Bureau, number: int, now: datetime) -> LifeStory:
    """Awarded too long ago: whoever wants to sign now finds that the award has lapsed on its day."""
    late = ChapterStep(CONTRACT, "CAB-REG#1", refused=True)
    past = _awarded(bureau, number, now - 40 * A_DAY)
    return LifeStory(bureau.id("project", f"AP-{number}"), past, ((late,),), (ContractSigningLapsed.event_type,))


_PROJECTS = (_paid, _objected, _lapsed)


def _awarded(bureau: Bureau, number: int, confirmed: datetime) -> tuple[Past, ...]:
    posted = confirmed - 14 * A_DAY
    return (
        Past(posted - A_DAY, bureau.award(number), "CAB-REG#1"),
        Past(posted, NOTICE, "CAB-REG#1"),
        Past(confirmed, ConfirmAward(), "CAB-DEC#1"),
    )


def _round(bureau: Bureau, number: int, now: datetime, alarm: datetime) -> LifeStory:
    """A district's call whose deadline is just behind us: its grace ends at the alarm."""
    call = PublishCall(scheme=RULES.ref, year=now.year, level=RoundLevel.DISTRICT, deadline=alarm - GRACE)
    stream = bureau.id("round", f"R-L{number}")
    past = (Past(now - 20 * A_DAY, call, "CAB-REG#1"),)
    return LifeStory(stream, past, deadlines=(CallClosed.event_type,), alarm=alarm)


def money(lives: int) -> Mapping[str, int]:
    """Account without its realm, summed over projects, and the fen it must hold after so many lives."""
    signed = sum(_PROJECTS[number % len(_PROJECTS)] is _paid for number in range(lives))
    award = FIRST_FEN + LAST_FEN
    return {
        "awarded": signed * award,
        "budget": (lives - signed) * award,  # of a round without an approved budget, what ended awards gave back
        "envelope": FUND_FEN - signed * award,
        "committed": signed * LAST_FEN,
        "paid": signed * FIRST_FEN,
        "world": -FUND_FEN - lives * award,
    }
