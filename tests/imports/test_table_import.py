"""Another register's table is taken over by a mapping file: previewed, resumed, never twice, and nothing is guessed."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from application.bulk import BulkResult, RowOutcome, preview_rows, run_rows
from application.dry_run import DryRun
from application.queries import load_file
from application.realms import open_realm
from application.table_import import Import, TableMapping, read_import
from audit.invariants import check
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.scheme import Scheme
from domain.project.contract import digest_account
from domain.project.money import Money
from domain.project.opening import Openings
from domain.project.stage import Stage
from domain.registers.scheme import PublishPolicyPack
from schemes.document import DocumentInvalid, read
from store.memory import MemoryStore
from tests.paper import open_paper_door

if TYPE_CHECKING:
    from application.door import Door

HERE = Path(__file__).parent
TABLE = (HERE / "grants.csv").read_bytes()
REALM = "rubi"
MAPPING = read(HERE / "grants.yaml").parse(TableMapping)
STAGES = {
    "CONCESSIÓ VALIDADA O APROVADA": Stage.CONTRACTED,
    "RECONOCIDA LA OBLIGACIÓN": Stage.CONTRACTED,
    "ORDENADO EL PAGO": Stage.CONTRACTED,
    "PAGADA": Stage.ACTIVE,
    "JUSTIFICADA PARCIALMENTE": Stage.FINAL_REVIEW,
    "JUSTIFICADA": Stage.CLOSED,
    "REINTEGRADA": Stage.CLOSED,
}
"""What a grant in that state of the published table is here."""


async def open_rubi() -> tuple[MemoryStore, Door]:
    """A paper realm under the fourth city's rules."""
    store = MemoryStore()
    door = open_paper_door(store)
    await open_realm(store, door, REALM)
    rules = PublishPolicyPack(scheme=read(HERE / "rubi.yaml").parse(Scheme))
    await door.send(StreamId(f"scheme/{REALM}/rubi"), rules, Actor("CAB-DEC#1"), at=datetime(2024, 1, 2, tzinfo=UTC))
    return store, door


async def taken_over(content: bytes, store: MemoryStore, door: Door) -> tuple[Import, list[BulkResult]]:
    """The table, carried out."""
    table = await read_import("grants.csv", content, MAPPING, store, REALM)
    return table, [result async for result in run_rows(table.orders, door, store)]


async def stand(store: MemoryStore, result: Import) -> dict[str, tuple[str, int]]:
    """By case, the stage and the net sum that it came to."""
    ends = {}
    for case in result.cases:
        state = (await load_file(store, StreamId(f"project/{REALM}/{case}"))).state
        assert state.part(Openings).opened_on is not None
        ends[case] = (state.stage, state.part(Money).net)
    return ends


# ---------------------------------------------------------------- a small table of the same shape


async def test_each_case_ends_where_its_last_row_says_with_its_sums() -> None:
    store, door = await open_rubi()
    result, results = await taken_over(TABLE, store, door)
    assert not [r.as_json() for r in results if not r.ok]
    ends = await stand(store, result)
    assert Counter(ends.values()) == {
        (Stage.CLOSED, 1014741): 1,
        (Stage.CLOSED, 0): 1,
        (Stage.CONTRACTED, 0): 1,
        (Stage.ACTIVE, 90000): 1,
    }
    assert (await check(store, REALM)).ok


async def test_what_the_table_contradicts_or_leaves_open_is_listed_with_its_line() -> None:
    store, door = await open_rubi()
    result, _ = await taken_over(TABLE, store, door)
    assert [(one.line, one.en.partition(";")[0]) for one in result.left_out] == [
        (
            5,
            "first seen as CONCESIÓN PENDIENTE DE APROBACIÓN (FASE AD)",
        ),
        (14, "from JUSTIFICADA to PAGADA"),
        (15, "first seen as PAGADA PARCIALMENTE"),
    ]


async def test_run_again_it_does_nothing_twice_and_a_longer_table_goes_on() -> None:
    store, door = await open_rubi()
    lines = TABLE.splitlines(keepends=True)
    half = b"".join(lines[:7])
    await taken_over(half, store, door)
    position = len(store._entries)
    _, again = await taken_over(half, store, door)
    assert {r.outcome for r in again} == {RowOutcome.REPEATED}
    assert len(store._entries) == position
    _, whole = await taken_over(TABLE, store, door)
    outcomes = [r.outcome for r in whole]
    assert all(r.ok for r in whole), [r.as_json() for r in whole if not r.ok]
    assert RowOutcome.REPEATED in outcomes
    assert RowOutcome.CARRIED_OUT in outcomes


async def test_a_preview_says_of_every_row_what_would_become_of_it_and_records_nothing() -> None:
    store, _ = await open_rubi()
    before = len(store._entries)
    table = await read_import("grants.csv", TABLE, MAPPING, store, REALM)
    results = [result async for result in preview_rows(table.orders, store, DryRun(store, requires_office=False))]
    assert not [r.as_json() for r in results if not r.ok]
    assert len(store._entries) == before


@pytest.mark.parametrize("amount", ["10147.415", "10_147", "1.8E+07", "1²"])
async def test_cells_that_cannot_be_read_are_all_named_and_nothing_is_begun(amount: str) -> None:
    store, _ = await open_rubi()
    broken = TABLE.replace(b"10147.41,new", f"{amount},new".encode()).replace(b"2024-10-08", b"8/10/2024")
    with pytest.raises(DocumentInvalid) as faulty:
        await read_import("grants.csv", broken, MAPPING, store, REALM)
    assert [(f.line, f.where) for f in faulty.value.faults] == [(2, "granted_eur"), (9, "seen_on")]
    with pytest.raises(DocumentInvalid, match="to"):
        await read_import("grants.csv", TABLE.replace(b",from,to", b",from,next"), MAPPING, store, REALM)


def test_a_mapping_that_names_what_it_does_not_define_is_refused(tmp_path: Path) -> None:
    wrong = (HERE / "grants.yaml").read_text("utf-8").replace("[recognise, pay]", "[recognise, pray]")
    (tmp_path / "grants.yaml").write_text(wrong.replace("{account}", "{konto}"), "utf-8")
    with pytest.raises(DocumentInvalid, match="konto, pray"):
        read(tmp_path / "grants.yaml").parse(TableMapping)


@pytest.mark.parametrize(
    ("cells", "account"),
    [
        (("中國銀行杭州分行", "測試社會組織", "6222 0200-1234 5678 901"), "6222020012345678901"),
        (("中國銀行杭州分行 ", "測試社會組織", "６２２２０２００１２３４５６７８９０１"), "6222020012345678901"),
        (("中國銀行杭州分行", "測試社會組織", "不詳"), None),
    ],
    ids=["spaced", "wide", "no number"],
)
async def test_an_account_of_a_table_has_the_digest_that_it_has_when_it_is_typed(
    cells: tuple[str, str, str], account: str | None
) -> None:
    store, _ = await open_rubi()
    head, *rows = csv.reader(io.StringIO(TABLE.decode(), newline=""))
    text = io.StringIO()
    csv.writer(text).writerows([[*head, "開戶行", "戶名", "賬號"], *([*row, *cells] for row in rows[:3])])
    account_value = MAPPING.values["account"].model_validate({"columns": ["開戶行", "戶名", "賬號"], "form": "account"})
    mapping = MAPPING.model_copy(update={"values": {**MAPPING.values, "account": account_value}})
    if account is None:
        with pytest.raises(DocumentInvalid, match="bank, holder and a number"):
            await read_import("grants.csv", text.getvalue().encode(), mapping, store, REALM)
        return
    result = await read_import("grants.csv", text.getvalue().encode(), mapping, store, REALM)
    digest = digest_account("中國銀行杭州分行", "測試社會組織", account)
    assert any(digest in order.command.model_dump_json() for order in result.orders)


def test_an_account_is_told_by_bank_holder_and_number_and_not_by_less(tmp_path: Path) -> None:
    wrong = (HERE / "grants.yaml").read_text("utf-8").replace("form: digest", "form: account")
    (tmp_path / "grants.yaml").write_text(wrong, "utf-8")
    with pytest.raises(DocumentInvalid, match="bank, holder, number"):
        read(tmp_path / "grants.yaml").parse(TableMapping)


# ---------------------------------------------------------------- the published tables


@pytest.mark.release
async def test_the_grants_of_a_municipality_end_in_the_states_and_sums_of_its_tables() -> None:
    """Taken in at their first seen state; the tables of closed years are the last that was seen of them."""
    home = Path(os.environ.get("REAL_DATA", HERE.parents[2] / "shared" / "data")) / "rubi"
    assert (home / "changes.csv").is_file(), f"the published tables are not in {home}: say where by REAL_DATA"
    changes = _read_published(home / "changes.csv")
    last = {_key(row): row["to"] for row in changes}
    published = {}
    for year in (2024, 2025):
        for row in _read_published(home / f"granted_{year}.csv"):
            key = (row["ANY_SUBVENCIO"], row["CIF_BENEFICIARI"], row["CONVOCATORIA"], row["IMPORT_CONCEDIT"])
            published[key] = row["SITUACIO"]
    rows = [tuple(row.values()) for row in changes]
    rows += [
        ("2026-08-08", *key, last[key], state) for key, state in published.items() if key in last and last[key] != state
    ]
    text = io.StringIO()
    csv.writer(text).writerows([tuple(changes[0]), *rows])
    store, door = await open_rubi()
    result, results = await taken_over(text.getvalue().encode(), store, door)
    assert not [r.as_json() for r in results if not r.ok][:3]
    ends, left_out = await stand(store, result), {one.case for one in result.left_out}
    by_case = {str(_case(key)): (key, state) for key, state in (last | published).items()}
    agree = Counter[str]()
    for case, (stage, net) in ends.items():
        key, state = by_case[case]
        if case in left_out and result.cases[case] != state:
            continue
        paid = state in ("PAGADA", "JUSTIFICADA PARCIALMENTE", "JUSTIFICADA")
        assert (stage, net) == (STAGES[state], round(float(key[3]) * 100) if paid else 0), (key, state)
        agree[state] += 1
    assert agree["JUSTIFICADA PARCIALMENTE"] > 50
    assert agree["REINTEGRADA"] == 4
    assert sum(agree.values()) > 270
    assert (await check(store, REALM)).ok


def _read_published(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


def _key(row: dict[str, str]) -> tuple[str, str, str, str]:
    return (row["year"], row["beneficiary_id"], row["call"], row["granted_eur"])


def _case(key: tuple[str, str, str, str]) -> str:
    return "PJ-RB-" + sha256("\x1f".join(part.strip() for part in key).encode()).hexdigest()[:10]
