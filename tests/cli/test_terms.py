"""The office's words: every particular and every value of an event has one."""

from __future__ import annotations

import typing
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from cli.terms import TERMS, VALUES, label, value_zh
from domain.catalogue import AGGREGATES
from schemes import packs

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = [event for aggregate in AGGREGATES.values() for event in aggregate.events]


def _inside(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _inside(inner)


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for inner in _inside(field.annotation):
            if issubclass(inner, BaseModel):
                yield from _models(inner)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.event_type)
def test_every_particular_has_a_term(event: type[BaseModel]) -> None:
    names = {name for model in _models(event) for name in model.model_fields}
    assert sorted(names - TERMS.keys()) == []


def test_every_value_of_a_closed_list_has_a_term() -> None:
    found = {
        inner
        for event in EVENTS
        for model in _models(event)
        for field in model.model_fields.values()
        for inner in _inside(field.annotation)
        if issubclass(inner, Enum)
    }
    values = {str(member.value) for one in found for member in one if not hasattr(member, "zh")}
    assert sorted(values - VALUES.keys()) == []


def test_budget_lines_and_criteria_of_the_shipped_schemes_have_terms() -> None:
    for path in packs.list_shipped().values():
        scheme = packs.load(path)
        named = {*scheme.review.rubric, *scheme.evaluation.midterm_rubric, *scheme.budget.forbidden}
        assert sorted(named - VALUES.keys()) == []


def test_no_term_has_become_useless() -> None:
    used = {name for event in EVENTS for model in _models(event) for name in model.model_fields}
    assert sorted(TERMS.keys() - used) == []


def test_a_gate_is_told_by_its_event_and_an_unknown_word_by_itself() -> None:
    assert value_zh("ContractSigned") == "協議簽訂"
    assert value_zh("銀齡志願服務隊") == "銀齡志願服務隊"


def test_english_particulars_are_their_own_names() -> None:
    assert label("payment_wd", "en") == "payment (working days)"
    assert label("in_", "en") == "in"
