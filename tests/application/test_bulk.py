"""Many commands from one file: each row has its answer, none is carried out twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from application.bulk import BulkResult, run_rows, waves
from application.bulk_file import parse_rows
from domain.kernel.identifier import LIVE
from schemes.document import DocumentInvalid
from store.memory import MemoryStore
from store.port import StoreUnavailable

if TYPE_CHECKING:
    from store.port import Append, AppendResult
    from store.postgres import PostgresStore
    from tests.conftest import Desk


def _fund(name: str, envelope: Any = 100) -> dict[str, Any]:
    data = {"name": "測試資金", "envelope": envelope}
    return {"command": "register-fund-source", "subject": name, "actor": "CAB-FIN#1", "data": data}


def _lines(*rows: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


async def _all(content: bytes, desk: Desk) -> list[BulkResult]:
    orders = await parse_rows("rows.jsonl", content, desk.store)
    return [result async for result in run_rows(orders, desk.door, desk.store)]


async def test_every_row_is_carried_out_once_however_often_the_file_is_run(desk: Desk) -> None:
    names = [f"FS-{uuid4().hex[:8]}" for _ in range(5)]
    content = _lines(*map(_fund, names))
    first, again = await _all(content, desk), await _all(content, desk)
    assert [r.outcome for r in first] == ["carried_out"] * 5
    assert [r.outcome for r in again] == ["repeated"] * 5
    assert [r.order.stream.name for r in again] == names


async def test_a_refused_row_says_why_and_its_neighbours_stand(desk: Desk) -> None:
    name, other = f"FS-{uuid4().hex[:8]}", f"FS-{uuid4().hex[:8]}"
    results = await _all(_lines(_fund(name), _fund(other), {**_fund(name), "actor": "CAB-DEC#1"}), desk)
    assert [r.outcome for r in results] == ["carried_out", "carried_out", "refused"]
    assert results[2].unmet


async def test_rows_that_cannot_be_read_are_all_named_and_nothing_is_begun(desk: Desk) -> None:
    name = f"FS-{uuid4().hex[:8]}"
    content = _lines(_fund(name), _fund(name, "three"), {**_fund(name), "actor": "nobody"}, {**_fund("XX-1")})
    with pytest.raises(DocumentInvalid) as faulty:
        await parse_rows("rows.jsonl", content, desk.store)
    assert [f.line for f in faulty.value.faults] == [2, 3, 4]
    assert await desk.store.streams_named(name) == []


@pytest.mark.parametrize(
    ("file", "content", "lines"),
    [
        ("rows.jsonl", "", [1]),
        ("rows.csv", "", [1]),
        ("rows.csv", "command,subject,actor\n", [1]),
        ("rows.csv", "command;subject;actor\nsubmit-need;ND-3;COMM#1\n", [1]),
        ("rows.csv", "command,subject,actor\nsubmit-need,ND-3,COMM#1,多,餘\nsubmit-need,ND-4\n", [2, 3]),
        ("rows.jsonl", '{"command":\n[1, 2]\n"x"\n\n{"command": "submit-need"}', [1, 2, 3, 5]),
    ],
    ids=["empty", "an empty table", "no rows", "semicolons", "cells beyond the columns, and too few", "broken rows"],
)
async def test_rubbish_is_named_with_each_of_its_lines(file: str, content: str, lines: list[int]) -> None:
    with pytest.raises(DocumentInvalid) as faulty:
        await parse_rows(file, content.encode(), MemoryStore())
    assert sorted({f.line for f in faulty.value.faults}) == lines
    assert {f.file for f in faulty.value.faults} == {file}


async def test_a_table_of_a_spreadsheet_does_as_well(desk: Desk) -> None:
    name = f"FS-{uuid4().hex[:8]}"
    content = (
        f"\ufeffcommand,subject,actor,name,envelope\nFundSourceRegistered,{name},CAB-FIN#1,測試資金,500\n".encode()
    )
    orders = await parse_rows("rows.csv", content, desk.store)
    assert orders[0].stream.realm == LIVE
    assert orders[0].command.model_dump()["envelope"] == 50000


def _organisation(name: str, *names: str) -> list[dict[str, Any]]:
    data = {"kind": "SERVICE_AGENCY", "representatives": ["SO-LEGAL#1"]}
    row = {"command": "OrganisationVerified", "subject": name, "actor": "HOST#1"}
    return [{**row, "data": {**data, "name": each}} for each in names]


async def test_rows_of_one_stream_travel_together_and_streams_of_the_same_rows_side_by_side(desk: Desk) -> None:
    one, two = f"ORG-{uuid4().hex[:8]}", f"ORG-{uuid4().hex[:8]}"
    rows = [*_organisation(one, "甲", "乙"), *_organisation(two, "甲", "乙"), *_organisation(one, "丙")]
    orders = await parse_rows("rows.jsonl", _lines(*rows), desk.store)
    assert [[[o.number for o in bundle] for bundle in wave] for wave in waves(orders)] == [[[1, 2], [3, 4]], [[5]]]
    results = [result async for result in run_rows(orders, desk.door, desk.store)]
    assert [(r.order.number, r.outcome) for r in results] == [(n, "carried_out") for n in range(1, 6)]


@pytest.mark.full
async def test_while_a_row_has_no_answer_none_that_follows_on_its_stream_is_carried_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"ORG-{uuid4().hex[:8]}"
    orders = await parse_rows("rows.jsonl", _lines(*_organisation(name, "甲", "乙", "丙")), desk.store)
    append = type(desk.store).append

    async def away(store: PostgresStore, late: Append) -> AppendResult:
        if "乙".encode() in late.writes[0].data:
            message = "away"
            raise StoreUnavailable(message)
        return await append(store, late)

    monkeypatch.setattr(type(desk.store), "append", away)
    results = [result async for result in run_rows(orders, desk.door, desk.store)]
    assert [r.outcome for r in results] == ["carried_out", "not_known", "not_known"]
    monkeypatch.undo()
    results = [result async for result in run_rows(orders, desk.door, desk.store)]
    assert [r.outcome for r in results] == ["repeated", "carried_out", "carried_out"]


async def test_commands_of_one_kind_go_side_by_side_and_kinds_one_after_another(desk: Desk) -> None:
    rows = [_fund(f"FS-{uuid4().hex[:8]}") for _ in range(2)]
    organisation = {
        "command": "OrganisationVerified",
        "subject": f"ORG-{uuid4().hex[:8]}",
        "actor": "HOST#1",
        "data": {"name": "測試組織", "kind": "SERVICE_AGENCY", "representatives": ["SO-LEGAL#1"]},
    }
    orders = await parse_rows("rows.jsonl", _lines(*rows, organisation, rows[0]), desk.store)
    assert [len(wave) for wave in waves(orders)] == [2, 1, 1]
