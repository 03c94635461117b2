"""A bureau on the wall clock, in a realm of its own: its registers are filled straight through ``carry_out``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from activities.carry_out import CommandActivities
from application.door import Receipt, receipt
from domain.kernel.canonical import plain
from domain.kernel.envelope import CarryOut, Envelope
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.scheme import RoundLevel
from domain.need import SubmitNeed
from domain.project.award import ProposeAward
from domain.project.bidding import BaseSupport
from domain.registers.fund import RegisterFundSource
from domain.registers.incubation_base import AssessBase, DesignateBase, Tier
from domain.registers.organisation import OrganisationKind, VerifyOrganisation
from domain.registers.scheme import PublishPolicyPack
from domain.round.plan import OpenNeedSolicitation
from schemes import scheme_file
from tests.keys import MINUTES, publish

if TYPE_CHECKING:
    from deciding.signature import DoorKey
    from domain.kernel.message import Command
    from store.port import EventStore

SHIPPED = scheme_file.load_shipped("fuzhou")
RULES = SHIPPED.model_copy(update={"bidding": SHIPPED.bidding.model_copy(update={"shorter_call": True})})
"""The rules of a city whose calls may close within seconds of being published, as no real one's do."""
ROUND = "R-1"
FUND_FEN = 1_000_000_000


@dataclass(frozen=True)
class Bureau:
    """A realm that nobody has set: it lives on the wall clock."""

    realm: str
    store: EventStore
    key: DoorKey

    def id(self, kind: str, name: str) -> StreamId:
        """A stream of this realm."""
        return StreamId.of(kind, self.realm, name)

    def envelope(
        self, stream: StreamId, command: Command, by: str, *, command_id: UUID | None = None, at: datetime | None = None
    ) -> Envelope:
        """A command as the door would have signed it."""
        return Envelope(
            command_id=command_id or uuid4(),
            subject=stream,
            actor=Actor(by),
            received_at=at or datetime.now(UTC),
            command=command.command_type,
            body=plain(command),
        ).sign(self.key)

    async def straight(self, stream: StreamId, command: Command, by: str, *, at: datetime | None = None) -> Receipt:
        """Carry the command out from outside, as of that moment: no workflow hears of it."""
        await publish(self.store, self.key)
        envelope = self.envelope(stream, command, by, at=at)
        result = await CommandActivities(self.store).carry_out(
            CarryOut(stream=stream, now=envelope.received_at, envelope=envelope)
        )
        assert result.answer is not None
        return receipt(envelope.command_id, result.answer)

    async def open_round(self, *, at: datetime | None = None) -> StreamId:
        """Publish the rules and ask the public for needs; the window ends after ten working days."""
        await self.straight(self.id("scheme", RULES.name), PublishPolicyPack(scheme=RULES), "CAB-DEC#1", at=at)
        stream = self.id("round", ROUND)
        year = (at or datetime.now(UTC)).year
        command = OpenNeedSolicitation(scheme=RULES.ref, year=year, level=RoundLevel.MUNICIPAL)
        await self.straight(stream, command, "CAB-REG#1", at=at)
        return stream

    async def open_base(self, bases: int = 4, *, at: datetime | None = None) -> None:
        """Fill every register that a base's support rests on: so many bases, from BASE-0, one for each ``award``."""
        await self.open_round(at=at)
        await self.straight(self.id("organisation", "ORG-1"), verification(), "HOST#1", at=at)
        fund = RegisterFundSource(name="福彩公益金", envelope=FUND_FEN)
        await self.straight(self.id("fund", "FS-1"), fund, "CAB-FIN#1", at=at)
        designated = DesignateBase(name="市級基地", tier=Tier.MUNICIPAL, operator="ORG-1")
        for base in (self.id("base", f"BASE-{number}") for number in range(bases)):
            await self.straight(base, designated, "CAB-DEC#1", at=at)
            await self.straight(base, AssessBase(score=Decimal(90), grade="優秀"), "EVAL#1", at=at)

    @staticmethod
    def award(number: int) -> ProposeAward:
        """The support of base ``BASE-number`` as project ``PJ-number``: a base is supported once a year (C3)."""
        return ProposeAward(
            project=f"PJ-{number}",
            award=1_000_000,
            funds={"FS-1": 1_000_000},
            minutes=MINUTES,
            support=BaseSupport(base=f"BASE-{number}", organisation="ORG-1", round=ROUND, title="基地扶持"),
        )


def verification(name: str = "宜合公益") -> VerifyOrganisation:
    """The verification of an organisation; any number of them may follow one another."""
    return VerifyOrganisation(name=name, kind=OrganisationKind.SERVICE_AGENCY, representatives=(Actor("SO-LEGAL#1"),))


def need_submission(group: str = "空巢老人") -> SubmitNeed:
    """A need of the round."""
    return SubmitNeed(round=ROUND, group=group)
