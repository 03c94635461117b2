"""A sealed bid on pages: written and sealed in the bidder's own browser, and read from its envelope at the opening.

Before the opening nothing of the bid comes here: the page brings the fields as an inert template, the script reads
them where they were typed, and only the digest is sent (docs/sealed.md).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import UploadFile

from application.document_content import EXTENSIONS
from domain.kernel.canonical import plain
from domain.kernel.explanation import InputFault, InputInvalid
from domain.kernel.field_shape import Kind, Notation, Shape, field_shapes
from domain.kernel.input import parse_json, read_fields
from domain.project.bidding import SubmitApplication
from domain.project.seal import Seal
from domain.project.sealing import SealApplication
from web.console.act.form import show_fields

if TYPE_CHECKING:
    from pydantic import BaseModel
    from starlette.datastructures import FormData

    from web.console.act.filling import Filling
    from web.console.act.form import Shown, Tree

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


def list_sealed_fields(filling: Filling) -> list[Shown]:
    """The fields of the bid that is written in the browser; none of other commands."""
    if filling.command is not SealApplication:
        return []
    fields = show_fields(SubmitApplication, {}, (), {})
    return [one for one in fields if one.place[0] not in (*_ASKED, *NONCE)]


def describe_bid() -> str:
    """For the script: what each field of a bid takes, what it is where nothing is said, and what files are called."""
    fields = {one.name: one for one in field_shapes(SubmitApplication).values() if (one.name,) != NONCE}
    otherwise = {name: list(one.default) if one.default == () else one.default for name, one in fields.items()}
    return json.dumps(
        {
            "fields": {name: _describe(one.shape) for name, one in fields.items() if name not in _ASKED},
            "required": [name for name, one in fields.items() if one.required],
            "otherwise": {name: value for name, value in otherwise.items() if value is not None},
            "types": EXTENSIONS,
        }
    )


def _describe(shape: Shape) -> Any:  # noqa: ANN401 - a tree of names
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
        given = {**sealed["application"], "nonce": sealed["nonce"]}
    except (ValueError, TypeError, KeyError):
        zh, en = "請選擇密封時保存的密封件（JSON 文件）", "choose the envelope that was kept when it was sealed"
        raise InputInvalid([InputFault((), zh, en)]) from None
    return _write(SubmitApplication, plain(read_fields(SubmitApplication, given, Notation.DATA)))


def _write(model: type[BaseModel], values: dict[str, Any]) -> Tree:
    """A model's plain values as people type them."""
    shapes = field_shapes(model)
    return {name: _write_value(shapes[name].shape, value) for name, value in values.items() if value not in ([], {})}


def _write_value(shape: Shape, value: Any) -> Any:  # noqa: ANN401 - a tree
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
