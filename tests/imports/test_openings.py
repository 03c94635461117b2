"""Opening entries by the dozen: from a table with an error per cell, and marked wherever a project is shown."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from application.bulk import RowOutcome, run_rows
from application.bulk_file import parse_rows
from application.projects import list_projects
from application.queries import load_file, resolve_name
from cli.output import Form, Printer
from cli.rendering import page
from domain.kernel.identifier import StreamId
from domain.project.opening import Openings
from languages import Language
from schemes.document import DocumentInvalid
from tests.imports.test_table_import import REALM, TABLE, open_rubi, taken_over
from tests.papers.conftest import play_shipped
from tests.store.test_following import follow

if TYPE_CHECKING:
    from store.port import EventStore

SOURCE = json.dumps({"sha256": "7" * 64, "media_type": "application/pdf", "name": "移交清冊.pdf"})
ROW = {
    "command": "propose-opening",
    "subject": "PJ-7",
    "actor": "CAB-REG#1",
    "at": "2024-10-01",
    "project": "PJ-7",
    "stage": "實施中",
    "since": "2024-09-02",
    "source": SOURCE,
    "round": "R-RB-2024",
    "organisation": "ORG-G00000001",
    "title": "鄰里調解",
    "award": "1,000.00",
    "funds": "FS-RB:1000",
    "awarded_on": "2024-08-01",
    "signed_on": "2024-08-05",
    "started_on": "2024-09-02",
    "end": "2025-06-30",
    "tranches": json.dumps(
        {
            "T1": {"planned": 600, "gate": "ContractSigned", "paid": 600},
            "T2": {"planned": 400, "gate": "ProjectStarted"},
        }
    ),
    "budget": "activity:1000",
    "account": "a" * 64,
}


def table(**other: str) -> bytes:
    text = io.StringIO()
    row = {**ROW, **other}
    csv.writer(text).writerows([list(row), list(row.values())])
    return text.getvalue().encode()


async def rooted() -> EventStore:
    """The realm with fund, round and organisation, as the import leaves them."""
    store, door = await open_rubi()
    await taken_over(b"".join(TABLE.splitlines(keepends=True)[:2]), store, door)
    return store


async def test_a_row_of_a_table_is_an_entry_in_the_offices_words_and_yuan() -> None:
    store, door = await open_rubi()
    await taken_over(b"".join(TABLE.splitlines(keepends=True)[:2]), store, door)
    orders = await parse_rows("entries.csv", table(), store, REALM)
    (proposed,) = [result async for result in run_rows(orders, door, store)]
    assert proposed.outcome is RowOutcome.CARRIED_OUT, proposed.as_json()
    state = (await load_file(store, StreamId(f"project/{REALM}/PJ-7"))).state
    known = state.part(Openings).proposed
    assert known is not None
    assert (known.award, known.tranches["T1"].paid if known.tranches else 0) == (100000, 60000)


async def test_each_faulty_cell_is_told_by_itself() -> None:
    store = await rooted()
    wrong = table(since="2.9.2024", award="一千", stage="進行")
    with pytest.raises(DocumentInvalid) as faulty:
        await parse_rows("entries.csv", wrong, store, REALM)
    assert {(f.line, f.where) for f in faulty.value.faults} == {(2, "since"), (2, "award"), (2, "stage")}


async def test_a_project_that_was_taken_over_says_so_in_lists_files_and_papers() -> None:
    archive = await play_shipped("s20")
    store = archive.store
    await follow(store)
    lines = {line.number: line.opened_on for line in (await list_projects(store)).rows}
    assert lines == {"PJ-201": date(2023, 9, 12), "PJ-202": date(2024, 1, 9)}
    stream = await resolve_name(store, "PJ-202")
    file = await load_file(store, stream)
    (head, _) = page(file, Printer(Form.TABLE, Language.EN), datetime(2024, 3, 1, tzinfo=UTC))
    output = io.StringIO()
    Console(file=output, width=200).print(head)
    assert "2024-01-09 from 在辦項目移交清冊.pdf" in output.getvalue()
    paper = await archive.make("PJ-202", "certificate")
    assert "2024年1月9日期初登记" in paper.note
