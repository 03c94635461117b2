"""A sealed bid on pages: written and sealed in the bidder's own browser, and read from its envelope at the opening.

Before the opening nothing of the bid comes here: the page brings the fields as an inert template, the script reads
them where they were typed, and only the digest is sent (docs/sealed.md).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import UploadFile

from application.document_content import EXTENSIONS
from domain.kernel.canonical import plain
from domain.kernel.codelist import Codelist
from domain.kernel.explanation import InputFault, InputInvalid
from domain.kernel.field_shape import Kind, Notation, Shape, field_shapes
from domain.kernel.input import parse_json, read_fields
from domain.project.bidding import SubmitApplication
from domain.project.seal import Seal
from domain.project.sealing import SealApplication
from domain.round.stage import RoundStage
from web.components.words import format_money
from web.console.command.form import show_fields
from web.console.command.prefill import find_scheme, list_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel
    from starlette.datastructures import FormData

    from web.console.command.filling import Filling
    from web.console.command.form import Branch, FormField, Tree
    from web.console.texts import Speak

ENVELOPE: Final = "envelope"
"""The step by which an envelope is read, and the field that it comes in."""
NONCE: Final = ("nonce",)
"""The field that opens a seal: of no use to a bid that was never sealed."""
_ASKED: Final = ("round", "organisation")
"""What the command itself says, and the script takes from there."""
_LARGEST: Final = 256 * 1024


def is_sealed(filling: Filling) -> bool:
    """Whether this hands in a bid that was sealed."""
    return filling.command is SubmitApplication and bool(filling.state.part(Seal).digest)


@dataclass(frozen=True)
class BidLimits:
    """What a round lets a bid ask, as far as the bid itself shows it."""

    round: str
    cap: int | None
    """Fen; None where there is none."""
    match: int
    """Percent of the whole budget that the bidder brings, at least."""
    joint: bool
    """Whether several may bid together."""
    fields: tuple[str, ...] | None
    """The fields that there are; None where any may be said."""

    def describe(self, t: Speak) -> dict[str, str]:
        """By the field that each is about, in words."""
        held = {
            "requested": self.cap is not None,
            "match_pledged": self.match > 0,
            "partners": not self.joint,
            "fields": self.fields is not None,
        }
        values = {"cap": format_money(self.cap or 0), "match": self.match, "fields": "、".join(self.fields or ())}
        return {name: t(f"limit_{name}", **values) for name, holds in held.items() if holds}

    @property
    def options(self) -> str:
        """The same for the program that seals without a browser."""
        cap = f" --cap {self.cap}" if self.cap is not None else ""
        match = f" --match {self.match}" if self.match else ""
        fields = f" --fields {'、'.join(self.fields)}" if self.fields is not None else ""
        return f"{cap}{match}{'' if self.joint else ' --alone'}{fields}"


async def list_limits(filling: Filling) -> list[BidLimits]:
    """Those of every round that is open for bids: what can be held to them before anything leaves the browser."""
    if filling.command is not SealApplication:
        return []
    house, realm = filling.house, filling.stream.realm
    rounds = await list_known(house, filling.caller, "round", realm, stage=RoundStage.OPEN)
    limits = []
    for name, _ in rounds:
        scheme = await find_scheme(filling, name)
        if scheme is not None:
            terms = scheme.codelists.terms(Codelist.FIELDS) if scheme.codelists is not None else None
            names = tuple(term.name for term in terms) if terms is not None else None
            bidding = scheme.bidding
            limits.append(BidLimits(name, bidding.cap_fen, scheme.budget.match_min, bidding.joint, names))
    return limits


def list_sealed_fields(filling: Filling) -> list[FormField]:
    """The fields of the bid that is written in the browser; none of other commands."""
    if filling.command is not SealApplication:
        return []
    fields = show_fields(SubmitApplication, {}, (), {})
    return [one for one in fields if one.place[0] not in (*_ASKED, *NONCE)]


def describe_bid(limits: Sequence[BidLimits], t: Speak) -> str:
    """For the script: what each field of a bid takes, what it is where nothing is said, files' types, and limits.

    The limits are the rules' own values; the script holds a bid to them as AP02, M6 and K1 do.
    """
    fields = {one.name: one for one in field_shapes(SubmitApplication).values() if (one.name,) != NONCE}
    otherwise = {name: list(one.default) if one.default == () else one.default for name, one in fields.items()}
    return json.dumps(
        {
            "fields": {name: _describe(one.shape) for name, one in fields.items() if name not in _ASKED},
            "required": [name for name, one in fields.items() if one.required],
            "otherwise": {name: value for name, value in otherwise.items() if value is not None},
            "types": EXTENSIONS,
            "limits": {
                one.round: {
                    "cap": one.cap,
                    "match": one.match,
                    "fields": one.fields,
                    "told": one.describe(t),
                }
                for one in limits
            },
        }
    )


def _describe(shape: Shape) -> Branch:
    if shape.kind is Kind.LIST and shape.item is not None:
        return [_describe(shape.item)]
    if shape.kind is Kind.GROUP and shape.model is not None:
        return {one.name: _describe(one.shape) for one in field_shapes(shape.model).values()}
    return shape.kind.value


async def read_envelope(form: FormData) -> Tree:
    """The bid in the envelope that came, as somebody would type it. Raises InputInvalid for what is none."""
    upload = form.get(ENVELOPE)
    try:
        content = await upload.read(_LARGEST + 1) if isinstance(upload, UploadFile) else b""
        sealed: Any = parse_json(content.decode()) if len(content) <= _LARGEST else None
        bid = {**sealed["application"], "nonce": sealed["nonce"]}
    except (ValueError, TypeError, KeyError):
        zh, en = "請選擇密封時保存的密封件（JSON 文件）", "choose the envelope that was kept when it was sealed"
        raise InputInvalid([InputFault((), zh, en)]) from None
    return _write(SubmitApplication, plain(read_fields(SubmitApplication, bid, Notation.DATA)))


def _write(model: type[BaseModel], values: dict[str, Any]) -> Tree:
    """A model's plain values as people type them."""
    shapes = field_shapes(model)
    return {name: _write_value(shapes[name].shape, value) for name, value in values.items() if value not in ([], {})}


def _write_value(shape: Shape, value: Branch) -> Branch:
    match shape.kind:
        case Kind.MONEY:
            return f"{value // 100}.{value % 100:02}"
        case Kind.GROUP if shape.model is not None:
            return {
                name: "、".join(one) if isinstance(one, list) else one
                for name, one in _write(shape.model, value).items()
            }
        case Kind.LIST:
            return value
        case _:
            return str(value)
