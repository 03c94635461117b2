"""Every field and every value of a closed list bears its words, in Chinese and English, where it is declared."""

from __future__ import annotations

import typing
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

from domain.catalogue import AGGREGATES, value_words
from domain.kernel.identifier import Reason
from domain.kernel.scheme import Scheme
from domain.kernel.words import NAMED, Words, label
from schemes import scheme_file
from tests.tables import every_row

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS: list[type[BaseModel]] = [
    *(event for aggregate in AGGREGATES.values() for event in aggregate.events),
    *(command for aggregate in AGGREGATES.values() for command in aggregate.commands),
    Scheme,
]


def types_inside(annotation: Any) -> Iterator[type]:
    """Every class that an annotation is made of."""
    if isinstance(annotation, type):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from types_inside(inner)


def models_of(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and those inside it."""
    yield model
    for field in model.model_fields.values():
        for inner in types_inside(field.annotation):
            if issubclass(inner, BaseModel):
                yield from models_of(inner)


def unlabelled(model: type[BaseModel]) -> Iterator[str]:
    """The fields without words, each with what to do."""
    for each in models_of(model):
        for name, field in each.model_fields.items():
            try:
                label(field)
            except LookupError as missing:
                yield f"{each.__module__}.{each.__qualname__}.{name}: {missing}"


@every_row("model", MODELS)
def test_every_field_bears_its_words(model: type[BaseModel]) -> None:
    assert not [*unlabelled(model)]


def test_a_field_without_words_is_told_what_to_do() -> None:
    class Bare(BaseModel):
        venue: str
        half: Annotated[str, Field(title="地點")]

    bare, half = unlabelled(Bare)
    assert 'declare it with its words, as in Annotated[…, Field(title="理由 / reason")]' in bare
    assert bare.startswith("tests.domain.test_words.")
    assert "地點" in half


def test_words_of_a_type_are_those_of_its_fields_even_if_they_may_be_left_out() -> None:
    class Why(BaseModel):
        first: Reason
        second: Reason | None = None
        third: Annotated[Reason, Field(title="事由 / ground")]

    assert [label(field) for field in Why.model_fields.values()] == [
        ("理由", "reason"),
        ("理由", "reason"),
        ("事由", "ground"),
    ]


def test_every_value_of_a_closed_list_bears_its_words() -> None:
    lists = {
        inner
        for root in MODELS
        for model in models_of(root)
        for field in model.model_fields.values()
        for inner in types_inside(field.annotation)
        if issubclass(inner, Enum)
    } | {type(stage) for a in AGGREGATES.values() for e in a.events for m in e.moves for stage in m.start if stage}
    bare = {each for each in lists - {str} if not issubclass(each, Words)}
    assert not bare, f"make them Words of domain/kernel/words.py: {bare}"
    wordless = [member for each in lists if issubclass(each, Words) for member in each if not (member.zh and member.en)]
    assert not wordless, f'give each its words, as in PASS = "PASS", "合格", "pass": {wordless}'


def test_a_value_is_recorded_and_read_by_itself_whatever_it_is_called() -> None:
    class Colour(Words):
        RED = "RED", "紅", "red"

    class Painted(BaseModel):
        colour: Colour

    painted = Painted.model_validate({"colour": "RED"})
    assert painted.model_dump_json() == '{"colour":"RED"}'
    assert (Colour("RED") is Colour.RED, f"{Colour.RED}", Colour.RED == "RED") == (True, "RED", True)
    assert Painted.model_json_schema()["$defs"]["Colour"]["enum"] == ["RED"]


def test_budget_lines_and_criteria_of_the_shipped_schemes_have_words() -> None:
    for path in scheme_file.list_shipped().values():
        scheme = scheme_file.load(path)
        named = {*scheme.review.rubric, *scheme.evaluation.midterm_rubric, *scheme.budget.forbidden}
        wordless = sorted(named - NAMED.keys())
        assert not wordless, f"name them in NAMED of domain/kernel/words.py: {wordless}"


def test_a_gate_is_told_by_its_event_and_an_unknown_word_by_itself() -> None:
    assert value_words("ContractSigned") == ("簽訂資助協議", "agreement signed")
    assert value_words("personnel") == ("人員費", "personnel")
    assert value_words("銀齡志願服務隊") == ("銀齡志願服務隊", "銀齡志願服務隊")
