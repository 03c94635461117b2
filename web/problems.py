"""What went wrong, as RFC 9457 has it: every unmet condition with its rule, in the reader's language."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from application.approval_decision import ApprovalEnded
from application.caller import MachineMayNot, ProofStale, SeatNotHeld
from application.door import CommandInvalid, Mismatch, NotKnown
from domain.kernel.explanation import InputInvalid
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.refusal import CommandRejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from web.language import Language

MEDIA_TYPE: Final = "application/problem+json"
URN: Final = "urn:venture:problem:"
AGAIN_S: Final = 2
"""Seconds after which it is worth asking again."""


class Unsatisfied(BaseModel):
    """One condition that does not hold."""

    model_config = ConfigDict(extra="forbid")

    rule: str
    detail: str


class Fault(BaseModel):
    """One value that cannot be taken, where it stands (RFC 6901), and what would do."""

    model_config = ConfigDict(extra="forbid")

    pointer: str
    detail: str


class Problem(BaseModel):
    """A failure, by RFC 9457."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, Field(examples=[f"{URN}refused"])]
    """Which sort of problem it is; it never changes."""
    title: str
    status: int
    detail: str = ""
    remedy: str = ""
    """What to do about it."""
    instance: str = ""
    """The request, by the id that the server's log has for it."""
    unmet: list[Unsatisfied] = []
    """Of a refusal: every condition that does not hold."""
    errors: list[Fault] = []
    """Of what could not be read: every value that will not do."""
    command_id: UUID | None = None
    """Of an answer that is not known: the id to ask again with."""


class Refusal(Failure):
    """What the HTTP door itself refuses, with the status that says so."""

    def __init__(
        self, status: HTTPStatus, code: str, zh: str, en: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        """Keep the status, the sort of problem and the headers that go with it."""
        super().__init__(zh, en)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


_STATUS: Final[Mapping[FailureKind, tuple[HTTPStatus, str]]] = {
    FailureKind.REFUSED: (HTTPStatus.CONFLICT, "refused"),
    FailureKind.USAGE: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"),
    FailureKind.NOT_FOUND: (HTTPStatus.NOT_FOUND, "not-found"),
    FailureKind.CONFLICT: (HTTPStatus.CONFLICT, "conflict"),
    FailureKind.UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
    FailureKind.INTEGRITY: (HTTPStatus.INTERNAL_SERVER_ERROR, "integrity"),
    FailureKind.DEFECT: (HTTPStatus.INTERNAL_SERVER_ERROR, "defect"),
    FailureKind.INTERRUPTED: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
}

_TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "refused": ("不予辦理", "Not carried out"),
    "invalid": ("填寫內容有誤", "Some details are not valid"),
    "not-found": ("未找到", "Not found"),
    "conflict": ("與已有記錄衝突", "It conflicts with what is recorded already"),
    "unavailable": ("暫不可用", "Not available now"),
    "not-known": ("暫未收到辦理結果", "The outcome is not known yet"),
    "mismatch": ("編號已用於另一請求", "The id was used for another request"),
    "forbidden": ("不在辦理權限內", "Not allowed"),
    "unauthenticated": ("須先登錄", "Show who you are"),
    "proof-needed": ("須重新確認身份", "Show again who you are"),
    "precondition": ("卷宗已變", "The file has moved on"),
    "too-large": ("內容過大", "Too large"),
    "too-slow": ("內容來得太慢", "Too slow"),
    "too-many": ("請求過多", "Too many requests"),
    "integrity": ("記錄不符", "The records do not agree"),
    "defect": ("系統錯誤", "Internal error"),
}


def problem(failure: Failure, language: Language, request_id: str) -> JSONResponse:
    """The answer that says what went wrong."""
    status, _, headers = classify(failure)
    content = build_problem(failure, language, request_id).model_dump(mode="json", exclude_defaults=True)
    return JSONResponse(content, status, headers={**headers, "Content-Language": language}, media_type=MEDIA_TYPE)


def build_problem(failure: Failure, language: Language, request_id: str) -> Problem:
    """What went wrong, as data."""
    status, code, _ = classify(failure)
    title = language.say(*_TITLES[code])
    body = Problem(type=f"{URN}{code}", title=title, status=status, instance=f"urn:venture:request:{request_id}")
    match failure:
        case CommandRejected():
            body.unmet = [Unsatisfied(rule=one.rule, detail=language.say(one.zh, one.en)) for one in failure.unmet]
            body.remedy = language.say(failure.remedy_zh, failure.remedy_en)
            if isinstance(failure, ApprovalEnded):  # its only condition stood there before it had a rule
                body.detail = body.unmet[0].detail
        case SeatNotHeld() | MachineMayNot() | ProofStale():
            body.unmet = [Unsatisfied(rule=failure.rule, detail=language.say(failure.zh, failure.en))]
        case InputInvalid():
            body.errors = [
                Fault(pointer=_pointer(fault.place), detail=language.say(fault.zh, fault.en))
                for fault in failure.faults
            ]
        case NotKnown():
            body.command_id = failure.command_id
            body.detail = language.say("沒有得到答覆", "no answer came")
            body.remedy = language.say(
                "請憑原 Idempotency-Key 原樣再提交，不會重複辦理；或查看 Location 所指的結果",
                "Ask again, unchanged, under the same Idempotency-Key: nothing is done twice. Or look at Location",
            )
        case _ if status is not HTTPStatus.INTERNAL_SERVER_ERROR:
            body.detail = language.say(failure.zh, failure.en)
        case _:  # what a fault of ours says of itself is for the log
            pass
    return body


def classify(failure: Failure) -> tuple[HTTPStatus, str, dict[str, str]]:
    """The status, the sort of problem, and the headers of the answer that says it."""
    match failure:
        case Refusal():
            return failure.status, failure.code, dict(failure.headers)
        case Mismatch():
            return HTTPStatus.UNPROCESSABLE_ENTITY, "mismatch", {}
        case CommandInvalid():
            return HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", {}
        case SeatNotHeld() | MachineMayNot():
            return HTTPStatus.FORBIDDEN, "forbidden", {}
        case ProofStale():
            challenge = 'Bearer error="insufficient_user_authentication", max_age=300'  # RFC 9470
            return HTTPStatus.UNAUTHORIZED, "proof-needed", {"WWW-Authenticate": challenge}
        case NotKnown():
            where = {"Location": f"/v1/outcomes/{failure.command_id}", "Retry-After": str(AGAIN_S)}
            return HTTPStatus.SERVICE_UNAVAILABLE, "not-known", where
        case _:
            status, code = _STATUS[failure.kind]
            headers = {"Retry-After": str(AGAIN_S)} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
            return status, code, headers


def _pointer(place: tuple[str | int, ...]) -> str:
    """A place as RFC 6901 writes it."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in place)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says in OpenAPI of the problems that it may answer with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted({*statuses, HTTPStatus.REQUEST_URI_TOO_LONG})
    }
