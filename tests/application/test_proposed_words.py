"""A proposal of what takes two persons says in words what it would do: its command and its particulars."""

from __future__ import annotations

from application.event_text import describe_event
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Role
from domain.kernel.proposal import ActProposed
from domain.registers.seat import GrantSeat


def _propose(command: str, body: dict[str, object]) -> ActProposed:
    return ActProposed.model_validate(
        {"proposal": 1, "command": command, "body": body, "digest": "0" * 64, "confirmers": (Role.ADMIN,)}
    )


def test_a_proposal_is_told_as_its_form_is() -> None:
    body = GrantSeat(person=PersonId("P-101")).model_dump(mode="json", exclude_none=True)
    told = _propose("GrantSeat", body)
    assert "命令 崗位授予；內容 人員 P-101；" in describe_event(told, lambda zh, _en: zh)
    assert "grant seat" in describe_event(told, lambda _zh, en: en)


def test_what_is_read_no_longer_is_told_as_it_stands() -> None:
    told = describe_event(_propose("NoSuchAct", {"person": "P-1"}), lambda zh, _en: zh)
    assert "命令 NoSuchAct；內容 person P-1；" in told
