"""What an approval binds, in words and figures that people read: never a private field, never a whole digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from domain.application import Application
from domain.catalogue import command_class, event_class, value_words
from domain.kernel.field_shape import Kind, Shape, field_shapes
from domain.kernel.money import yuan
from domain.kernel.proposal import ConfirmAct
from domain.project.award import Award

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.kernel.approval import Approval
    from domain.kernel.state import State

_MONEY: Final = Shape(Kind.MONEY)
_TEXT: Final = Shape(Kind.TEXT)
_BOUND: Final[Mapping[str, tuple[str, str, Shape]]] = {
    "amount": ("金額", "amount", _MONEY),
    "award": ("資助金額", "award", _MONEY),
    "command": ("命令", "command", _TEXT),
    "contract": ("協議版本", "contract version", _TEXT),
    "funds": ("資金來源", "funds", Shape(Kind.MAPPING, item=_MONEY)),
    "ground": ("事由", "ground", _TEXT),
    "initiated_on": ("啟動日", "begun on", _TEXT),
    "project": ("項目", "project", _TEXT),
    "request": ("第幾次申請", "request number", _TEXT),
    "tranche": ("期次", "tranche", _TEXT),
}
"""What the deciders bind that is no field of the event that asked."""
_UNSHOWN: Final = frozenset({"account", "digest", "bound", "places", "freed_places", "proposal"})
"""What is bound and nobody reads: keys, digests, and the payee's account."""
_PAYMENTS: Final = frozenset({"CheckDisbursement", "ApproveDisbursement"})
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MOST: Final = 8
"""Entries of a list that are told; of more only how many there are."""


@dataclass(frozen=True)
class Detail:
    """One thing that is bound: what it is, and how much or which."""

    name: str
    zh: str
    en: str
    value_zh: str
    value_en: str
    fen: int | None = None
    """Of money, the amount itself."""

    def as_json(self) -> dict[str, Any]:
        """The detail as the approvals view stores it."""
        return {
            "name": self.name,
            "zh": self.zh,
            "en": self.en,
            "value_zh": self.value_zh,
            "value_en": self.value_en,
            "fen": self.fen,
        }


def summarise(state: State, approval: Approval, names: Mapping[str, str]) -> tuple[Detail, ...]:
    """Which project, how much, to whom, and whatever else is bound; ``names`` says what organisations are called."""
    return tuple(_list_details(state, approval, names))


def _list_details(state: State, approval: Approval, names: Mapping[str, str]) -> Iterable[Detail]:
    application, award = state.part(Application), state.part(Award)
    if state.stream.kind == "project":
        if "project" not in approval.bound:
            yield _same("project", "項目", "project", award.project or state.stream.name)
        if application.title:
            yield _same("title", "名稱", "title", application.title)
        if approval.gate in _PAYMENTS:
            payee = application.organisation
            yield _same("payee", "收款方", "payee", f"{names.get(payee, '')} {payee}".strip())
    known = _list_shapes(approval)
    for name, value in approval.bound.items():
        shape = known.get(name)
        if shape is None or name in _UNSHOWN or value in (None, "", [], {}):
            continue
        zh, en, form = shape
        if name == "command" and approval.gate == ConfirmAct.command_type:
            command = command_class(str(value))
            yield Detail(name, zh, en, command.zh(), command.command_type)
            continue
        words = _describe(value, form)
        if words is not None:
            fen = value if form.kind is Kind.MONEY and isinstance(value, int) else None
            yield Detail(name, zh, en, *words, fen)


def _same(name: str, zh: str, en: str, value: str) -> Detail:
    return Detail(name, zh, en, value, value)


def _list_shapes(approval: Approval) -> Mapping[str, tuple[str, str, Shape]]:
    """What each thing that is bound is called and looks like."""
    asking = event_class(approval.asked_by)
    models = [asking]
    if approval.gate == ConfirmAct.command_type:
        models = [command_class(str(approval.bound["command"]))]  # type: ignore[list-item] # both are particulars
    of_models = {
        shape.attribute: (shape.zh, shape.en, shape.shape) for model in models for shape in field_shapes(model).values()
    }
    return {**_BOUND, **of_models}


def _describe(value: Any, shape: Shape | None) -> tuple[str, str] | None:  # noqa: ANN401 - any plain JSON
    """The value in both languages; None for what nobody reads as text."""
    kind = shape.kind if shape is not None else Kind.TEXT
    match value:
        case bool():
            return ("是", "yes") if value else ("否", "no")
        case int() if kind is Kind.MONEY:
            return yuan(value), yuan(value)
        case str() if kind is Kind.CHOICE and shape is not None:
            chosen = next((choice for choice in shape.choices if choice.value == value), None)
            return (chosen.zh or value, chosen.en or value) if chosen else (value, value)
        case str():
            return (f"{value[:8]}…",) * 2 if _DIGEST.fullmatch(value) else value_words(value)
        case dict() if kind is Kind.MAPPING and shape is not None:
            pairs = [(value_words(str(key)), _describe(inner, shape.item)) for key, inner in value.items()]
            return _join([(f"{k[0]} {v[0]}", f"{k[1]} {v[1]}") for k, v in pairs if v is not None])
        case list() if shape is not None and (shape.item is None or shape.item.kind is not Kind.DOCUMENT):
            return _join([words for one in value if (words := _describe(one, shape.item)) is not None])
        case int() | float():
            return str(value), str(value)
        case _:
            return None


def _join(parts: list[tuple[str, str]]) -> tuple[str, str] | None:
    if not parts:
        return None
    if len(parts) > _MOST:
        return f"{len(parts)} 項", f"{len(parts)} items"
    return "、".join(zh for zh, _ in parts), ", ".join(en for _, en in parts)
