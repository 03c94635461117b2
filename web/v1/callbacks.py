"""``/v1/callbacks``: what bank and e-signature report, by messages signed after Standard Webhooks; each a command.

Nobody is believed for where a message comes from: what counts is who signed it, and then the rules, as for any command.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal, assert_never
from uuid import uuid4

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel

from application.access import may_see
from application.callbacks import MessageForged, SignedMessage, digest_body, speak_for
from application.queries import NameUnknown, resolve_name
from deciding.fold import load_state
from domain.catalogue import split_subject
from domain.kernel.attachment import Attachment
from domain.kernel.bounds import Moment
from domain.kernel.identifier import StreamId
from domain.project.contract import SignContract
from domain.project.disbursement import FailDisbursement, PayDisbursement
from store.identity import Callback
from web.body import answer_with, describe_body, read_body, refer_to
from web.guard import ByHouse, GuardedRoute, Policy, allow
from web.problems import Refusal, problem_responses
from web.v1.commands import CommandBody, read_order, send
from web.v1.receipt import ReceiptAnswer

if TYPE_CHECKING:
    from application.caller import Caller
    from domain.kernel.message import Command
    from web.house import House

router = APIRouter(route_class=GuardedRoute, tags=["callbacks"])


_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T.+", re.DOTALL)


def _require_time(value: object) -> object:
    """A time written out: a bare number, in JSON or in quotes, would be taken for seconds since 1970."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        return value
    message = "時間寫作 2026-03-02T09:00:00+08:00 / write the time as 2026-03-02T09:00:00+08:00"
    raise ValueError(message)


Timestamp = Annotated[Moment, BeforeValidator(_require_time)]
"""When it was so, with its offset (Standard Webhooks: ISO 8601)."""


class _CallbackModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Subject(_CallbackModel):
    """What is reported of."""

    subject: Annotated[str, Field(min_length=1, max_length=200, examples=["PJ-3/T1"])]
    """The project; of a payment with its tranche."""
    realm: Annotated[str | None, Field(max_length=64)] = None
    """Needed where several realms have that name."""


class PaymentData(Subject):
    """Which payment is reported of."""

    bound: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """``content_sha256`` of the approval that it rests on: a report of an earlier request changes nothing (SD3)."""


class SettledData(PaymentData):
    """The money has left."""

    amount: Annotated[int, Field(gt=0, strict=True)]
    """Fen: a number, for ``"1_8"`` and ``true`` are none."""
    reference: Annotated[str, Field(min_length=1, max_length=200)]
    """The bank's own number of the payment."""


class ReturnedData(PaymentData):
    """The money came back, or never left."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    attachments: Annotated[list[Attachment], Field(max_length=50)] = []
    """The slips, brought before by ``POST /v1/documents``."""


class SignedData(Subject):
    """Everybody has signed."""

    agreement: Annotated[dict[str, Any], Field(max_length=100)]
    """By the schema of ``SignContract``, with the signed documents, brought before, as its signatures."""


class UnsignedData(Subject):
    """Somebody will not sign."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class PaymentSettled(_CallbackModel):
    """The bank has paid."""

    type: Literal["payment.settled"]
    timestamp: Timestamp
    data: SettledData


class PaymentReturned(_CallbackModel):
    """The bank sends it back, before or after it reported it paid. Wherever persons are known, one confirms it."""

    type: Literal["payment.returned"]
    timestamp: Timestamp
    data: ReturnedData


class ContractSigned(_CallbackModel):
    """The agreement is signed by all."""

    type: Literal["contract.signed"]
    timestamp: Timestamp
    data: SignedData


class SignatureRefused(_CallbackModel):
    """A signature is refused. It is kept for the office to see, and changes nothing by itself."""

    type: Literal["signature.refused"]
    timestamp: Timestamp
    data: UnsignedData


class CallbackMessage(
    RootModel[
        Annotated[PaymentSettled | PaymentReturned | ContractSigned | SignatureRefused, Field(discriminator="type")]
    ]
):
    """What a sender may report."""


class NotedAnswer(BaseModel):
    """It is kept; nothing else follows from it."""

    message: str
    """Its ``webhook-id``."""
    stream: StreamId


def _describe_signature(name: str) -> Any:  # noqa: ANN401 - FastAPI's own
    return Header(alias=name, max_length=2_000, description="As Standard Webhooks 1.0 has it.")


@router.post(
    "/v1/callbacks/{sender}",
    response_model=None,
    status_code=HTTPStatus.CREATED,
    responses={
        201: {"model": ReceiptAnswer, "description": "It is recorded, now or when it first came."},
        200: {"model": NotedAnswer, "description": "It is kept; nothing else follows from it."},
        **problem_responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503),
    },
    openapi_extra=describe_body(refer_to(CallbackMessage)),
)
@allow(Policy.ANYBODY)
async def take_callback(
    request: Request,
    house: ByHouse,
    sender: Annotated[str, Path(max_length=64, description="The name under which the sender is registered.")],
    webhook_id: Annotated[str, _describe_signature("webhook-id")] = "",
    webhook_timestamp: Annotated[str, _describe_signature("webhook-timestamp")] = "",
    webhook_signature: Annotated[str, _describe_signature("webhook-signature")] = "",
) -> Response:
    """Report something, signed: carried out once, however often it comes under its ``webhook-id``.

    201 and 409 are final. After 503, or no answer, send it again, signed anew, under the same id.
    """
    message = SignedMessage(webhook_id, webhook_timestamp, webhook_signature, await request.body())
    try:
        verified_sender = await house.senders.verify(sender, message, house.now())
    except MessageForged as forged:
        challenge = {"WWW-Authenticate": 'Webhook realm="venture"'}
        raise Refusal(HTTPStatus.UNAUTHORIZED, "unauthenticated", forged.zh, forged.en, headers=challenge) from forged
    caller = speak_for(verified_sender)
    left = house.allowance.take(caller.name)
    content = (await read_body(request, CallbackMessage)).root
    kept = Callback(
        sender=verified_sender.id,
        message=message.id,
        type=content.type,
        subject=content.data.subject,
        reason=content.data.reason if isinstance(content, SignatureRefused) else "",
        body=digest_body(message.body),
        received_at=house.now(),
        command_id=uuid4(),
    )
    headers = house.allowance.headers(left)
    stream = await _find_project(house, content.data)
    if isinstance(content, SignatureRefused):
        await _require_visible(house, caller, stream)
        await house.senders.keep(kept)
        return answer_with(NotedAnswer(message=message.id, stream=stream), HTTPStatus.OK, headers)
    order = await read_order(*_read_command(content), house, caller)
    kept = await house.senders.keep(kept)
    receipt, more = await send(order, house, caller, kept.command_id)
    more["Location"] = f"/v1/outcomes/{kept.command_id}"
    return answer_with(receipt, HTTPStatus.CREATED, {**headers, **more})


def _read_command(message: PaymentSettled | PaymentReturned | ContractSigned) -> tuple[type[Command], CommandBody]:
    """The command that a report is, as anybody else would give it."""
    data = message.data
    match message:
        case PaymentSettled(data=data):
            particulars = data.model_dump(include={"amount", "reference", "bound"})
            command: type[Command] = PayDisbursement
        case PaymentReturned(data=data):
            particulars = data.model_dump(mode="json", include={"reason", "attachments", "bound"})
            command = FailDisbursement
        case ContractSigned(data=data):
            particulars, command = data.agreement, SignContract
        case _:
            assert_never(message)
    return command, CommandBody(subject=data.subject, realm=data.realm, particulars=particulars)


async def _find_project(house: House, data: Subject) -> StreamId:
    """The project that is meant: a report begins none. Raises NameUnknown or NameAmbiguous."""
    name, _ = split_subject(data.subject)
    stream = await resolve_name(house.store, name, data.realm)
    if stream.kind != "project":
        raise NameUnknown(data.subject)
    return stream


async def _require_visible(house: House, caller: Caller, stream: StreamId) -> None:
    """Raise NameUnknown if it is no business of the sender's."""
    state = await load_state(house.store, stream)
    if not await may_see(house.store, caller.grants, state):
        raise NameUnknown(stream.name)
