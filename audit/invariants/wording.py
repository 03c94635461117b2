"""How the checker's texts call what stands in them: seats, stages, amounts and days as every reader knows them.

The only room of the checker that knows the domain, and of it the words alone: nothing is judged by what is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, ParamSpec

from pydantic import TypeAdapter

from domain.catalogue import event_class, stage_words, value_words
from domain.kernel.beneficiaries import Residence
from domain.kernel.calendar import local_time
from domain.kernel.codelist import Codelist
from domain.kernel.identifier import Role
from domain.kernel.money import yuan
from domain.kernel.phrase import Param, Phrase, Word, read_params, word
from domain.kernel.phrase import call_tranche as _call_tranche
from domain.kernel.phrase import named as _named
from domain.kernel.phrase import or_else as _or_else
from domain.kernel.scheme import RoundLevel
from domain.kernel.words import Words, label
from domain.project.contract import Signatory
from domain.project.evaluation import Result
from domain.project.publicity import ObjectionStatus
from domain.project.remedy import RectificationStatus
from domain.project.stage import Stage
from domain.project.stay import ChallengeStatus
from domain.project.tranches import TrancheStatus
from domain.project.variation import VariationStatus
from domain.registers.designation import DesignationKind
from domain.registers.incubation_base import Tier
from domain.registers.network import NodeLevel
from domain.registers.organisation import Listing

__all__ = [
    "Param",
    "Phrase",
    "call",
    "call_amount",
    "call_event",
    "call_field",
    "call_seat",
    "call_stage",
    "call_tranche",
    "named",
    "or_else",
    "read_particulars",
    "word",
    "write_particulars",
]

_PARAMS: Final = TypeAdapter(dict[str, Param])
_NONE: Final = word("無", "none")
_UNKNOWN: Final = word("未登記", "not on record")
_LISTS: Final[Mapping[str, Iterable[Words]]] = {
    "challenge": ChallengeStatus,
    "codelist": Codelist,
    "designation": DesignationKind,
    "listing": Listing,
    "node": NodeLevel,
    "objection": ObjectionStatus,
    "project": Stage,
    "rectification": RectificationStatus,
    "residence": Residence,
    "result": Result,
    "role": Role,
    "round": RoundLevel,
    "signatory": Signatory,
    "tier": Tier,
    "tranche": TrancheStatus,
    "variation": VariationStatus,
}
_WORDS: Final = {kind: {one.value: word(one.zh, one.en) for one in words} for kind, words in _LISTS.items()} | {
    "party": {
        part: word(role.zh, role.en)
        for part, role in (
            ("host", Role.HOST),
            ("supervisor", Role.SUPV),
            ("evaluator", Role.EVAL),
            ("auditor", Role.AUDIT),
        )
    }
}


P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Wording:
    """What something is called, found out only where it is told: nearly every condition holds."""

    _find: Callable[..., object]
    _about: tuple[object, ...]

    def say(self) -> object:
        """Find the words."""
        return self._find(*map(_say, self._about))


def _say(value: object) -> object:
    return value.say() if isinstance(value, Wording) else value


def _when_told(find: Callable[P, object]) -> Callable[P, Wording]:
    def put_off(*args: P.args, **_: P.kwargs) -> Wording:
        return Wording(find, args)

    return put_off


call_tranche: Final = _when_told(_call_tranche)
named: Final = _when_told(_named)
or_else: Final = _when_told(_or_else)


@_when_told
def call(kind: str, code: object) -> Word | str:
    """What that stage, state or value of a closed list is called; an unknown one by its code."""
    return _NONE if code is None else _UNKNOWN if code == "UNKNOWN" else _WORDS[kind].get(str(code), str(code))


@_when_told
def call_stage(kind: str, stage: str) -> Word:
    """What that stage of a stream of that kind is called; an unknown one by its name."""
    return word(*stage_words(kind, stage))


@_when_told
def call_amount(fen: object) -> Word | str:
    """An amount of fen in yuan, as in refusals; of what is no amount, what it is."""
    return yuan(fen) if isinstance(fen, int) else _NONE if fen is None else str(fen)


@_when_told
def call_event(event_type: str) -> Word:
    """What the office calls that event."""
    return word(*value_words(event_type))


@_when_told
def call_field(event_type: str, name: str) -> Word | str:
    """What the office calls that particular of that event; one that it does not have by its name."""
    try:
        return word(*label(event_class(event_type, 1).model_fields[name]))
    except LookupError:
        return name


@_when_told
def call_seat(actor: object) -> Word | str:
    """The role in words, and the seat; what is no seat as it is."""
    if actor is None:
        return _NONE
    role = _WORDS["role"].get(str(actor).partition("#")[0])
    return word(f"{role.zh}（{actor}）", f"{role.en} ({actor})") if role else str(actor)


def read_particulars(particulars: Mapping[str, object]) -> dict[str, Param]:
    """What stands at a text's places: amounts by fund in yuan, instants as a clock in China shows them."""
    return read_params({name: _show(value) for name, value in particulars.items()})


def write_particulars(params: Mapping[str, Param]) -> dict[str, Any]:
    """A sentence's values, by name, as JSON has them."""
    written: dict[str, Any] = _PARAMS.dump_python(dict(params), mode="json")
    return written


def _show(value: object) -> object:
    match value:
        case Wording():
            return _show(value.say())
        case None | () | "":
            return _NONE
        case list() | tuple():
            return [_say(one) for one in value]
        case datetime():
            return local_time(value)
        case Mapping():
            return _show([f"{name} {yuan(fen) if isinstance(fen, int) else fen}" for name, fen in value.items()])
        case map():
            return _show(list(value))
        case set() | frozenset():
            return _show(sorted(value))
        case _:
            return value
