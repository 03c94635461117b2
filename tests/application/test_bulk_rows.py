"""A row is what it says: the same row is done once, a mended one is another, and a refused one may be asked again."""

from __future__ import annotations

import json
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from application.bulk import BulkResult, preview_rows, run_rows, waves
from application.bulk_file import parse_rows
from application.command_input import AttachedFiles
from application.dry_run import DryRun
from schemes.document import DocumentInvalid
from store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Collection

    from application.bulk_file import BulkOrder
    from tests.conftest import Desk


def fund(name: str, envelope: Any = 100, **more: Any) -> dict[str, Any]:
    data = {"name": "測試資金", "envelope": envelope}
    return {"command": "register-fund-source", "subject": name, "actor": "CAB-FIN#1", "data": data, **more}


def visit(name: str, label: str, **more: Any) -> dict[str, Any]:
    data = {"name": label, "kind": "SERVICE_AGENCY", "representatives": ["SO-LEGAL#1"]}
    return {"command": "OrganisationVerified", "subject": name, "actor": "HOST#1", "data": data, **more}


def lines(*rows: object) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


async def run(desk: Desk, content: bytes, realm: str | None = None, **how: Any) -> list[BulkResult]:
    orders = await parse_rows("rows.jsonl", content, desk.store, realm, **how)
    return [result async for result in run_rows(orders, desk.door, desk.store)]


async def preview(desk: Desk, orders: tuple[BulkOrder, ...], at_hand: Collection[str] = ()) -> list[BulkResult]:
    dry_run = DryRun(desk.store, requires_office=False, at_hand=at_hand)
    return [result async for result in preview_rows(orders, desk.store, dry_run)]


def outcomes(results: list[BulkResult]) -> list[str]:
    return [str(r.outcome) for r in results]


async def read(content: str, file: str = "rows.csv") -> tuple[BulkOrder, ...]:
    return await parse_rows(file, content.encode(), MemoryStore())


async def faults(content: str, file: str = "rows.csv") -> list[tuple[int, str]]:
    with pytest.raises(DocumentInvalid) as invalid:
        await read(content, file)
    return [(f.line, f.zh) for f in invalid.value.faults]


FUND = "register-fund-source"
HEAD = "command,subject,actor,name,envelope\n"


# ---------------------------------------------------------------- what a file says


@pytest.mark.parametrize(
    ("cell", "fen"), [("0500000", 50_000_000), ("18000.00", 1_800_000), ('"50,000.00"', 5_000_000), ("5萬", 5_000_000)]
)
async def test_money_in_a_table_is_yuan(cell: str, fen: int) -> None:
    (order,) = await read(f"{HEAD}register-fund-source,FS-901,CAB-FIN#1,365,{cell}\n")
    assert order.command.model_dump()["envelope"] == fen
    assert order.command.model_dump()["name"] == "365"


@pytest.mark.parametrize("cell", ["12:30", "1.8E+07", "1_8", "0x10"])
async def test_what_is_no_amount_is_refused_with_its_line(cell: str) -> None:
    content = f"{HEAD}register-fund-source,FS-901,CAB-FIN#1,甲,500\nregister-fund-source,FS-902,CAB-FIN#1,乙,{cell}\n"
    ((line, zh),) = await faults(content)
    assert line == 3
    assert cell in zh


async def test_a_cell_stays_text_to_its_last_character() -> None:
    content = 'command,subject,actor,round,group\nsubmit-need,ND-3,COMM#1,R-1,"獨居老人 #3 號樓\n目標: 每週探訪 "\n'
    (order,) = await read(content)
    assert order.command.model_dump()["group"] == "獨居老人 #3 號樓\n目標: 每週探訪 "


async def test_a_commands_own_key_stands_beside_the_rows_in_a_table_too() -> None:
    head = "command,subject,actor,key,data.key,deadline,falls_at,data.reason\n"
    row = "期限擱置,AP-1,CAB-REG#1,A-001,T1,MissMilestone,2024-06-30T17:00,銷號\n"
    (order,) = await read(head + row)
    fields = order.command.model_dump()
    assert (fields["key"], fields["reason"]) == ("T1", "銷號")
    (plain,) = await read((head + row).replace("A-001", "").replace("data.reason", "reason"))
    assert plain.command == order.command
    assert plain.identity != order.identity, "the row's own key makes it the same row, the command's does not"
    with pytest.raises(DocumentInvalid) as invalid:
        await read(head + row.replace(",T1,", f",{'T' * 201},"))
    assert [fault.where for fault in invalid.value.faults] == ["data.key"]


async def test_a_row_without_text_is_no_row() -> None:
    content = f"{HEAD},,,,\n  ,\u3000,,,\n\nregister-fund-source,FS-1,CAB-FIN#1,甲,500\n,,,,\n"
    assert [(o.number, o.line) for o in await read(content)] == [(1, 5)]
    assert [o.line for o in await read("\n  \n" + lines(fund("FS-1")).decode() + "\n\n", "rows.jsonl")] == [3]


@pytest.mark.parametrize(
    ("content", "line", "word"),
    [
        ("command,subject,actor,name,envelope,envelope\na,b,c,d,1,2\n", 1, "重複"),
        ("command,subject,subject,actor\na,b,c,d\n", 1, "重複"),
        ("command,subject,actor,name,data.name\na,b,c,d,e\n", 1, "重複"),
        (HEAD + 'register-fund-source,FS-1,CAB-FIN#1,甲,500\nregister-fund-source,FS-2,CAB-FIN#1,"乙,600\n', 3, "引號"),
        (HEAD + 'a,FS-2,CAB-FIN#1,"乙,600\nb,FS-3,CAB-FIN#1,丙,700\nc,FS-4,CAB-FIN#1,"丁",800\n', 2, "引號"),
        (HEAD + f'{FUND},FS-2,CAB-FIN#1,"乙,600\n{FUND},FS-3,CAB-FIN#1,丙",700\n', 2, "引號"),
        (HEAD + 'register-fund-source,FS-2,CAB-FIN#1,"乙"丙,600\n', 2, "引號"),
        (HEAD + "register-fund-source,FS-2,CAB-FIN#1,乙\n", 2, "欄"),
    ],
    ids=["a doubled column", "a doubled column of ours", "a column under both of its names",
         "an open quote", "a quote that swallows rows",
         "a quote that swallows a row", "text after a quote", "a cell too few"],
)  # fmt: skip
async def test_a_table_that_is_not_what_it_seems_is_refused(content: str, line: int, word: str) -> None:
    complaints = await faults(content)
    assert complaints[0][0] == line
    assert word in complaints[0][1]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('{"command": "a", "command": "b"}', "重複"),
        ('{"command": "submit-need", "data": {"round": "R", "round": "R"}}', "重複"),
        ('{"command": NaN}', "NaN"),
        ('{"data": {"envelope": 1e99999999999999999999}}', "過長"),
        ("[" * 5000, "深"),
        ("[1, 2]", "物件"),
        ("null", "物件"),
        ('"text"', "物件"),
        ('{"command": }', "JSON"),
    ],
)
async def test_json_that_is_not_what_it_seems_is_refused(text: str, word: str) -> None:
    complaints = await faults("\n" + text, "rows.jsonl")
    assert complaints[0][0] == 2
    assert word in complaints[0][1]


async def test_a_line_of_json_ends_at_a_line_feed_only() -> None:
    need = {"round": "R-1", "group": "一\u2028二\u0085三"}
    row = {"command": "submit-need", "subject": "ND-1", "actor": "COMM#1", "data": need}
    (order,) = await read(
        json.dumps({**row, "data": {**need, "group": "一\u2028二\u2029三"}}, ensure_ascii=False), "x.jsonl"
    )
    assert order.command.model_dump()["group"] == "一\u2028二\u2029三"


@pytest.mark.parametrize(
    "subject", ["ND-\x00", "ND-\ud800", "\x1b[31m", "a/b/c/d", "need/nowhere/ND-1", "x" * 10_000, 5, None]
)
async def test_a_subject_that_can_be_nobody_s_is_refused(desk: Desk, subject: object) -> None:
    row = {"command": "submit-need", "subject": subject, "actor": "COMM#1", "data": {"round": "R-1", "group": "甲"}}
    with pytest.raises(DocumentInvalid) as invalid:
        await parse_rows("x.jsonl", json.dumps(row).encode(), desk.store)
    assert [f.where for f in invalid.value.faults] == ["subject"]


async def test_every_fault_of_every_row_is_named_in_the_order_of_the_lines() -> None:
    content = (
        HEAD + "dance,FS-1,NOBODY,甲,1\nregister-fund-source,XX-1,CAB-FIN#1,甲,1\nregister-fund-source,FS-1,CAB,,0x1\n"
    )
    assert [line for line, _ in await faults(content)] == [2, 2, 3, 4, 4, 4]


async def test_a_small_cell_costs_little() -> None:
    cell = "{" + "".join(f"<<: &a{i} " for i in range(40)) + "}"
    content = f'{HEAD}register-fund-source,FS-1,CAB-FIN#1,"{cell}","{cell}"\n'
    began = time.process_time()
    tracemalloc.start()
    await faults(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - began < 0.5
    assert peak < 5_000_000


async def test_a_document_is_read_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "index.pdf").write_bytes(b"%PDF")
    row = {"command": "archive-project", "subject": "PJ-1", "actor": "HOST#1", "data": {"index": "@index.pdf"}}
    (order,) = await parse_rows("x.jsonl", lines(row), MemoryStore(), attach=AttachedFiles(tmp_path))
    index = order.command.model_dump()["index"]
    assert (index["media_type"], index["name"], len(index["sha256"])) == ("application/pdf", "index.pdf", 64)
    missing = {**row, "data": {"index": "@none.pdf"}}
    for wrong in (missing, {**row, "data": {"index": "@."}}):
        with pytest.raises(DocumentInvalid, match="cannot be read"):
            await parse_rows("x.jsonl", lines(wrong), MemoryStore(), attach=AttachedFiles(tmp_path))


async def test_a_preview_takes_for_here_what_a_run_would_bring(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.7 " + uuid4().bytes)
    need = {"round": "R-NONE", "group": "空巢老人", "attachments": ["@letter.pdf"]}
    row = lines({"command": "submit-need", "subject": f"ND-{uuid4().hex[:8]}", "actor": "COMM#1", "data": need})
    files = AttachedFiles(tmp_path)
    orders = await parse_rows("x.jsonl", row, desk.store, attach=files)
    (without,) = await preview(desk, orders)
    (result,) = await preview(desk, orders, files.read)
    assert "DC01" in {unmet.rule for unmet in without.unmet}
    assert [unmet for unmet in without.unmet if unmet.rule != "DC01"] == list(result.unmet)


# ---------------------------------------------------------------- which row it is


async def test_a_mended_cell_leaves_the_other_rows_as_they_are(desk: Desk) -> None:
    names = [f"FS-{uuid4().hex[:8]}" for _ in range(3)]
    first = await run(desk, lines(fund(names[0]), fund(names[1], actor="CAB-DEC#1"), fund(names[2])))
    assert outcomes(first) == ["carried_out", "refused", "carried_out"]
    mended = await run(desk, lines(*map(fund, names)))
    assert outcomes(mended) == ["repeated", "carried_out", "repeated"]


async def test_what_another_file_did_is_done_and_is_done_again_only_when_that_is_said(desk: Desk) -> None:
    name = f"ORG-{uuid4().hex[:8]}"
    assert outcomes(await run(desk, lines(visit(name, "甲")))) == ["carried_out"]
    other = lines(visit(name, "乙"), visit(name, "甲"))
    assert outcomes(await run(desk, other)) == ["carried_out", "repeated"]
    assert outcomes(await run(desk, other, again="六月")) == ["carried_out", "carried_out"]
    assert outcomes(await run(desk, other, again="六月")) == ["repeated", "repeated"]


async def test_a_row_that_stands_twice_in_a_file_is_two_rows(desk: Desk) -> None:
    name = f"ORG-{uuid4().hex[:8]}"
    content = lines(visit(name, "甲"), visit(name, "甲"))
    assert outcomes(await run(desk, content)) == ["carried_out", "carried_out"]
    assert outcomes(await run(desk, content + b"\n" + lines(visit(name, "甲")))) == [
        "repeated",
        "repeated",
        "carried_out",
    ]


async def test_a_row_with_a_key_stays_the_same_row(desk: Desk) -> None:
    name = f"ORG-{uuid4().hex[:8]}"
    assert (
        outcomes(await run(desk, lines(visit(name, "甲", key="1"), visit(name, "甲", key="2")))) == ["carried_out"] * 2
    )
    (mended,) = await run(desk, lines(visit(name, "乙", key="1")))
    assert mended.outcome == "failed", "what was carried out under that key said something else"
    assert "號" in mended.why[0] or "編號" in mended.why[0]
    with pytest.raises(DocumentInvalid, match="stands twice"):
        await run(desk, lines(visit(name, "甲", key="3"), visit(name, "乙", key="3")))


async def test_a_refused_row_is_asked_again_when_its_cause_may_be_gone(desk: Desk) -> None:
    name = f"ORG-{uuid4().hex[:8]}"
    rating = {"command": "RecordRating", "subject": name, "actor": "CAB-REG#1"}
    row = lines({**rating, "data": {"level": "5A", "until": "2199-12-31"}})
    assert outcomes(await run(desk, row)) == ["refused"], "it is not verified yet"
    orders = await parse_rows("x.jsonl", row, desk.store)
    assert outcomes(await preview(desk, orders)) == ["refused"]
    await run(desk, lines(visit(name, "甲")))
    assert outcomes(await preview(desk, orders)) == ["grantable"]
    assert outcomes(await run(desk, row)) == ["carried_out"]
    assert outcomes(await run(desk, row)) == ["repeated"]


async def test_one_file_serves_every_realm(desk: Desk) -> None:
    row = lines(fund("FS-1", at="2024-03-04"))
    for realm in (f"one-{uuid4().hex[:8]}", f"two-{uuid4().hex[:8]}"):
        await desk.door.open_realm(realm)
        assert outcomes(await run(desk, row, realm)) == ["carried_out"]
        assert outcomes(await run(desk, row, realm)) == ["repeated"]


# ---------------------------------------------------------------- when it was so


async def test_a_row_is_dated_by_itself_or_where_the_clock_stands_and_never_today(desk: Desk) -> None:
    realm = f"paper-{uuid4().hex[:8]}"
    await desk.door.open_realm(realm)
    rows = lines(fund("FS-1", at="2024-03-04"), fund("FS-2"), fund("FS-3", at="2024-03-05T10:00"), fund("FS-4"))
    orders = await parse_rows("x.jsonl", rows, desk.store, realm)
    assert outcomes(await preview(desk, orders)) == ["grantable"] * 4
    results = [r async for r in run_rows(orders, desk.door, desk.store)]
    assert outcomes(results) == ["carried_out"] * 4
    assert (await desk.store.realm(realm)).now == datetime(2024, 3, 5, 2, tzinfo=UTC)
    days = []
    for result in results:
        entries = [e async for e in desk.store.read(result.order.stream)]
        days.append(entries[0].occurred_at)
    hour = datetime(2024, 3, 4, 1, tzinfo=UTC)
    assert days == [hour, hour, datetime(2024, 3, 5, 2, tzinfo=UTC), datetime(2024, 3, 5, 2, tzinfo=UTC)]


async def test_an_undated_row_in_a_realm_whose_clock_has_not_begun_is_told_so(desk: Desk) -> None:
    realm = f"paper-{uuid4().hex[:8]}"
    await desk.door.open_realm(realm)
    (result,) = await run(desk, lines(fund("FS-1")), realm)
    assert result.outcome == "failed"
    assert "at" in result.why[0]
    assert (await desk.store.realm(realm)).now is None


async def test_rows_of_other_days_are_not_side_by_side() -> None:
    rows = [fund("FS-1", at="2024-03-04"), fund("FS-2", at="2024-03-04"), fund("FS-3", at="2024-03-05"), fund("FS-4")]
    orders = await parse_rows("x.jsonl", lines(*rows), MemoryStore())
    assert [len(wave) for wave in waves(orders)] == [2, 1, 1]


async def test_on_the_wall_clock_no_row_has_a_time_of_its_own(desk: Desk) -> None:
    (result,) = await run(desk, lines(fund(f"FS-{uuid4().hex[:8]}", at="2024-03-04")))
    assert result.outcome == "refused"
    assert [u.rule for u in result.unmet] == ["CLOCK"]


# ---------------------------------------------------------------- a result for every row


async def test_a_fault_in_one_row_leaves_a_result_for_every_row(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = f"ORG-{uuid4().hex[:8]}", f"ORG-{uuid4().hex[:8]}"
    content = lines(visit(one, "甲"), visit(one, "乙"), visit(two, "甲"), visit(two, "乙"))
    orders = await parse_rows("x.jsonl", content, desk.store)
    send_each, broken = type(desk.door).send_each, orders[0].command_id()

    def breaks(door: Any, stream: Any, requests: Any) -> Any:
        if requests[0].command_id == broken:
            message = "broken"
            raise RuntimeError(message)
        return send_each(door, stream, requests)

    monkeypatch.setattr(type(desk.door), "send_each", breaks)
    results = [r async for r in run_rows(orders, desk.door, desk.store)]
    assert [(r.order.number, str(r.outcome)) for r in results] == [
        (1, "failed"),
        (2, "carried_out"),
        (3, "carried_out"),
        (4, "carried_out"),
    ]
    monkeypatch.undo()
    assert outcomes(await run(desk, content)) == ["carried_out", "repeated", "repeated", "repeated"]
