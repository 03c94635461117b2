"""What the other side takes in: instructions, each once under its own id, with how it is to behave about it.

Nothing is kept when it ends. It is for one machine, and believes whoever reaches it.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from sandbox.report import Message, Reporter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence


class Behaviour(BaseModel):
    """How the sandbox reports: when, how often, in which order."""

    model_config = ConfigDict(extra="forbid")

    after_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """Seconds until it does."""
    times: Annotated[int, Field(ge=1, le=10)] = 1
    """How often it says each thing."""
    reordered: bool = False
    """What happened last is said first."""


class Instruction(Behaviour):
    """Something that it is to do."""

    id: Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,64}$")]
    """The caller's own: asked again under it, nothing is done twice."""
    subject: Annotated[str, Field(min_length=1, max_length=200)]
    realm: str | None = None


class PaymentEnding(StrEnum):
    """What comes of a payment."""

    SETTLED = "settled"
    RETURNED = "returned"
    SETTLED_THEN_RETURNED = "settled-then-returned"
    SILENT = "silent"


class PaymentInstruction(Instruction):
    """Pay a tranche."""

    amount: Annotated[int, Field(gt=0)]
    """Fen."""
    bound: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """The digest of the approval that it rests on."""
    ending: PaymentEnding = PaymentEnding.SETTLED
    reason: Annotated[str, Field(min_length=1, max_length=200)] = "收款賬戶已銷戶"


class EnvelopeEnding(StrEnum):
    """What comes of an agreement that is to be signed."""

    SIGNED = "signed"
    REFUSED = "refused"
    SILENT = "silent"


class EnvelopeInstruction(Instruction):
    """Have an agreement signed."""

    agreement: dict[str, Any]
    """The particulars of ``SignContract``, without its signatures."""
    signatories: Annotated[list[str], Field(min_length=1, max_length=3)] = ["BUREAU", "ORGANISATION"]
    ending: EnvelopeEnding = EnvelopeEnding.SIGNED
    reason: Annotated[str, Field(min_length=1, max_length=200)] = "文本有誤"


Given = TypeVar("Given", bound=Instruction)


class Desk(Generic[Given]):
    """Takes instructions in, and reports what comes of each."""

    def __init__(self, reporter: Reporter, answer: Callable[[Given, Reporter], Awaitable[Sequence[Message]]]) -> None:
        self.reporter = reporter
        self._answer = answer
        self.taken: dict[str, Given] = {}
        self._reporting: set[asyncio.Task[None]] = set()

    def take(self, instruction: Given) -> Given:
        """Take it in, or know it again. Raises HTTPException for another under the same id."""
        known = self.taken.setdefault(instruction.id, instruction)
        if known is instruction:
            task = asyncio.create_task(self._report(instruction))
            self._reporting.add(task)
            task.add_done_callback(self._reporting.discard)
        elif known != instruction:
            raise HTTPException(409, "another instruction was given under that id")
        return known

    async def _report(self, of: Given) -> None:
        messages = await self._answer(of, self.reporter)
        await self.reporter.report(messages, times=of.times, after_s=of.after_s, is_reordered=of.reordered)

    @asynccontextmanager
    async def live(self, _app: FastAPI) -> AsyncIterator[None]:
        """Serve; at the end, report nothing more."""
        yield
        for task in self._reporting:
            task.cancel()
        await asyncio.gather(*self._reporting, return_exceptions=True)


async def _answer_payment(of: PaymentInstruction, reporter: Reporter) -> list[Message]:
    about = {"subject": of.subject, "bound": of.bound, **({"realm": of.realm} if of.realm else {})}
    settled = Message(f"{of.id}.settled", "payment.settled", {**about, "amount": of.amount, "reference": of.id})
    match of.ending:
        case PaymentEnding.SETTLED:
            return [settled]
        case PaymentEnding.SILENT:
            return []
        case PaymentEnding.RETURNED | PaymentEnding.SETTLED_THEN_RETURNED:
            slip = await reporter.bring(f"returned {of.id}")
            data = {**about, "reason": of.reason, "attachments": [slip]}
            returned = Message(f"{of.id}.returned", "payment.returned", data)
            return [settled, returned] if of.ending is PaymentEnding.SETTLED_THEN_RETURNED else [returned]


async def _answer_envelope(of: EnvelopeInstruction, reporter: Reporter) -> list[Message]:
    about = {"subject": of.subject, **({"realm": of.realm} if of.realm else {})}
    match of.ending:
        case EnvelopeEnding.SIGNED:
            signed = {one: await reporter.bring(f"signed by {one} {of.id}") for one in of.signatories}
            data = {**about, "agreement": {**of.agreement, "signatures": signed}}
            return [Message(f"{of.id}.signed", "contract.signed", data)]
        case EnvelopeEnding.REFUSED:
            return [Message(f"{of.id}.refused", "signature.refused", {**about, "reason": of.reason})]
        case EnvelopeEnding.SILENT:
            return []


def _open(title: str, desk: Desk[Any]) -> FastAPI:
    """A service without its instructions, which tells what it has reported."""
    app = FastAPI(title=title, lifespan=desk.live)

    @app.get("/reports")
    async def list_reports() -> dict[str, list[int]]:
        """What was reported, and how it was answered each time; 0 for no answer."""
        return desk.reporter.said

    return app


def build_bank(reporter: Reporter) -> FastAPI:
    """The HTTP application of a bank."""
    desk = Desk[PaymentInstruction](reporter, _answer_payment)
    app = _open("sandbox bank", desk)

    @app.post("/payments", status_code=202)
    async def pay(payment: PaymentInstruction) -> PaymentInstruction:
        """Pay, once under that id; what comes of it is reported."""
        return desk.take(payment)

    @app.get("/payments")
    async def list_payments() -> list[PaymentInstruction]:
        """All that was ever to be paid."""
        return list(desk.taken.values())

    return app


def build_signature_service(reporter: Reporter) -> FastAPI:
    """The HTTP application of a signature service."""
    desk = Desk[EnvelopeInstruction](reporter, _answer_envelope)
    app = _open("sandbox signature service", desk)

    @app.post("/envelopes", status_code=202)
    async def sign(envelope: EnvelopeInstruction) -> EnvelopeInstruction:
        """Have it signed, once under that id; what comes of it is reported."""
        return desk.take(envelope)

    @app.get("/envelopes")
    async def list_envelopes() -> list[EnvelopeInstruction]:
        """All that was ever to be signed."""
        return list(desk.taken.values())

    return app
