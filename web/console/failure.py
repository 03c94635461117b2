"""What went wrong, as a page: what is missing and who can meet it, what cannot be found, what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from application.caller import MachineMayNot, ProofStale, SeatNotHeld
from application.door import NotKnown
from domain.kernel.explanation import InputInvalid, place_text
from domain.kernel.refusal import CommandRejected, Unmet
from web.console.rendering import render
from web.problems import classify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request
    from fastapi.responses import HTMLResponse

    from domain.kernel.failure import Failure
    from web.console.command.form import FormField
    from web.console.texts import Texts

LEFT_BEHIND: Final = (
    "以下文件未保留，請重新選擇：",
    "These documents were not kept. Choose them again:",
)
TEXTS: Final[Texts] = {
    "refused": ("不予辦理，原因如下：", "Not carried out, for these reasons:"),
    "refused_lead": (
        "請逐項滿足後重新辦理。沒有作出任何變更。",
        "Meet each of these, then try again. Nothing was changed.",
    ),
    "not_found": ("未找到此頁或此卷宗，請核對編號", "This page or file was not found. Check the number"),
    "not_found_lead": (
        "可能編號有誤，或不在您崗位的業務範圍內。",
        "The number may be wrong, or it is not the business of your seat.",
    ),
    "unavailable": ("系統暫時無法使用，請稍後再試", "Not available at the moment. Try again later"),
    "unavailable_lead": (
        "尚未得到辦理結果。以同一編號再次提交不會重複辦理。",
        "No outcome is known yet. Sending it again under the same number does nothing twice.",
    ),
    "forbidden": ("不在您的辦理權限內", "This is not for your seat"),
    "invalid": ("填寫內容有誤，請修改：", "Some of what was entered is not valid:"),
    "conflict": ("與現有記錄衝突", "It conflicts with what is recorded"),
    "other": ("未能辦理", "It could not be done"),
    "defect": ("系統錯誤，未作任何記錄", "Internal error. Nothing was recorded"),
    "instance": ("請求編號 {id}，報告問題時請附上。", "Request {id}: mention it when you report this."),
    "typed": ("您填寫的內容", "What you typed"),
    "left_behind": LEFT_BEHIND,
    "to_form": ("返回表單", "Back to the form"),
    "back": ("返回我的待辦", "Back to my tasks"),
}
_PLACES: Final[Texts] = {
    "as_of": ("截至（日期）", "As of (day)"),
    "known_at": ("當時已記錄（日期）", "As known on (day)"),
    "since": ("與此日比較（日期）", "Compare with (day)"),
    "position": ("日誌序號", "Log position"),
    "year": ("年度", "Year"),
    "by": ("分列依據", "Told apart by"),
    "realm": ("環境", "Environment"),
    "round": ("屆（年度）", "Round"),
    "stage": ("階段", "Stage"),
    "search": ("查找內容", "What to find"),
    "name": ("編號或名稱", "Number or title"),
    "organisation": ("單位", "Organisation"),
    "overdue": ("逾期", "Overdue"),
    "seat": ("崗位", "Seat"),
    "person": ("人員", "Person"),
    "command": ("事項", "Command"),
    "command_id": ("辦理編號", "Command number"),
    "after": ("頁碼", "Page"),
}
"""What addresses of pages hold, by the name that it has there."""
_HEADINGS: Final = {
    "refused": "refused",
    "not-found": "not_found",
    "unavailable": "unavailable",
    "not-known": "unavailable",
    "forbidden": "forbidden",
    "invalid": "invalid",
    "too-large": "invalid",
    "conflict": "conflict",
    "mismatch": "conflict",
    "integrity": "defect",
    "defect": "defect",
}


@dataclass(frozen=True)
class FormInput:
    """What a form sent that was not taken: it stands beside the reason, and goes back into the form."""

    action: str
    hidden: Sequence[tuple[str, str]]
    """What sends it again."""
    answers: Sequence[tuple[FormField, list[str]]]
    """The same for reading."""
    left: Sequence[str]
    """The names of documents that were chosen and not kept."""


def show_failure(request: Request, failure: Failure, form_input: FormInput | None = None) -> HTMLResponse:
    """The page that says what went wrong, with what was typed."""
    status, code, headers = classify(failure)
    heading = _HEADINGS.get(code, "other")
    return render(
        request,
        "console/failure.html",
        TEXTS,
        status=status,
        headers={name: value for name, value in headers.items() if name == "Retry-After"},
        heading=heading,
        unmet=list_unmet(failure),
        details=_list_details(failure) if status is not HTTPStatus.INTERNAL_SERVER_ERROR else [],
        instance=request.scope["venture"]["request_id"],
        form_input=form_input,
    )


def list_unmet(failure: Failure) -> tuple[Unmet, ...]:
    """Every condition that does not hold."""
    match failure:
        case CommandRejected():
            return failure.unmet
        case SeatNotHeld() | MachineMayNot() | ProofStale():
            return (Unmet(rule=failure.rule, zh=failure.zh, en=failure.en),)
        case _:
            return ()


def _list_details(failure: Failure) -> list[tuple[str, str]]:
    """What else there is to say, in both languages."""
    match failure:
        case InputInvalid():
            return [
                (f"{zh}：{fault.zh}" if zh else fault.zh, f"{en}: {fault.en}" if en else fault.en)
                for fault in failure.faults
                for where in (place_text(fault.place),)
                for zh, en in (_PLACES.get(where, (where, where)),)
            ]
        case CommandRejected() | NotKnown() | SeatNotHeld() | MachineMayNot() | ProofStale():
            return []
        case _:
            return [(failure.zh, failure.en)]
