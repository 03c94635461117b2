"""決議表: what a meeting decided of each bid, as a table that an office fills in; a row a bid, chosen or left out."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from domain.kernel.explanation import InputInvalid, place_text
from domain.kernel.field_shape import Notation, field_shapes
from domain.kernel.input import read_fields
from domain.round.resolution import Omission, Selection
from schemes.document import DocumentFault, DocumentInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class DecisionSheet:
    """The bids that are chosen, with their money, and those that are left out, with the reason."""

    selected: tuple[Selection, ...] = ()
    left_out: tuple[Omission, ...] = ()

    @property
    def reasons(self) -> dict[str, str]:
        """Why each bid is left out, by application."""
        return {one.application: one.reason for one in self.left_out}


def read_sheet(file: str, content: bytes) -> DecisionSheet:
    """The table in a CSV file; its columns bear the fields' names or the office's words for them.

    A row with a reason is left out, any other is chosen. Raises DocumentInvalid with every fault of every row.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        zh, en = (
            "不是 UTF-8 文字：電子表格請另存為「CSV UTF-8」",
            'not text in UTF-8: save a spreadsheet as "CSV UTF-8"',
        )
        raise DocumentInvalid([DocumentFault(file, 1, "", zh, en)]) from None
    selected: list[Selection] = []
    left_out: list[Omission] = []
    faults: list[DocumentFault] = []
    for line, row in _rows(text):
        try:
            if row.keys() & _REASON:
                left_out.append(_read(Omission, row))
            else:
                selected.append(_read(Selection, row))
        except InputInvalid as invalid:
            faults += [DocumentFault(file, line, place_text(f.place), f.zh, f.en) for f in invalid.faults]
    if faults:
        raise DocumentInvalid(faults)
    if not selected and not left_out:
        raise DocumentInvalid([DocumentFault(file, 1, "", "文件中一行也沒有", "the file has no rows")])
    return DecisionSheet(tuple(selected), tuple(left_out))


_REASON = {"reason", field_shapes(Omission)["reason"].zh}


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each row's filled cells with its line; blank rows are blank."""
    reader = csv.DictReader(io.StringIO(text), restkey="")
    for cells in reader:
        row = {str(name): str(cell).strip() for name, cell in cells.items() if cell and str(cell).strip()}
        if row:
            yield reader.line_num, row


def _read(model: type[M], row: Mapping[str, str]) -> M:
    return read_fields(model, row, Notation.TYPED)
