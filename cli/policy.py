"""``venture policy``: the whole of it as a matrix, and why one seat may or may not do one thing."""

from __future__ import annotations

import csv
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.command_input import AttachedFiles, read_command, resolve_command
from application.policy_explanation import explain, leave_open, list_seats
from cli.adapter import Invocation, verb
from cli.command import read_business_time, read_particulars
from cli.help import Typer
from cli.name_resolution import resolve_or_begin
from cli.options import Asker, Realm, read_actor, read_person
from cli.output import ArgumentInvalid, Column, Form
from cli.policy_page import write_page
from domain.catalogue import AGGREGATES, split_subject, stage_zh
from domain.kernel.acting import PersonId
from domain.kernel.calendar import local_time
from domain.kernel.explanation import InputInvalid, show
from domain.kernel.field_shape import Notation
from domain.kernel.identifier import Role
from domain.policy import list_cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from application.policy_explanation import Explanation
    from cli.output import Printer
    from domain.kernel.identifier import Actor
    from domain.policy import Cell

app = Typer()


class MatrixForm(StrEnum):
    """How the matrix is written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    HTML = "html"


@app.command("matrix")
@verb
async def matrix_command(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="類別 kind: project、round …", show_default=False)
    ] = None,
    *,
    role: Annotated[str | None, typer.Option("--role", help="只列此角色 / only this role", show_default=False)] = None,
    output: Annotated[
        MatrixForm, typer.Option("--output", "-o", help="table | json | jsonl | csv | html", show_default=True)
    ] = MatrixForm.TABLE,
    invocation: Invocation,
) -> None:
    """權限表：角色 × 命令 × 關係 × 階段 / the policy: role × command × relation × stage.

    表只列可辦者；json、csv 逐格列出，拒絕者註明規則。
    The table lists what is allowed; json and csv every cell, with the rule of each no.

    例 examples:
      venture policy matrix project --role EVAL
      venture policy matrix -o html > matrix.html
      venture policy matrix -o csv > matrix.csv
    """
    cells, printer = _select(kind, role), invocation.printer
    match output:
        case MatrixForm.HTML:
            sys.stdout.writelines(write_page(cells))
        case MatrixForm.CSV:
            _write_csv(cells)
        case MatrixForm.JSON:
            printer.json([cell.as_row() for cell in cells])
        case MatrixForm.JSONL:
            for cell in cells:
                printer.json(cell.as_row())
        case MatrixForm.TABLE:
            _show_matrix(cells, printer)


def _select(kind: str | None, role: str | None) -> Iterator[Cell]:
    """The cells of that kind and role. Raises ArgumentInvalid."""
    if kind is not None and kind not in AGGREGATES:
        kinds = " ".join(AGGREGATES)
        raise ArgumentInvalid(f"沒有類別 {show(kind)}；有：{kinds}", f"there is no kind {show(kind)}; kinds: {kinds}")
    if role is not None and role not in set(Role):
        roles = " ".join(Role)
        raise ArgumentInvalid(f"沒有角色 {show(role)}；有：{roles}", f"there is no role {show(role)}; roles: {roles}")
    return (cell for cell in list_cells() if kind in (None, cell.kind) and role in (None, cell.role))


def _write_csv(cells: Iterator[Cell]) -> None:
    first = next(cells)
    writer = csv.DictWriter(sys.stdout, list(first.as_row()), lineterminator="\n")
    writer.writeheader()
    writer.writerow(first.as_row())
    writer.writerows(cell.as_row() for cell in cells)


def _show_matrix(cells: Iterator[Cell], printer: Printer) -> None:
    """A line for each command and role that may ask."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for cell in cells:
        if cell.unmet:
            continue
        row = rows.setdefault(
            (cell.command.command_type, cell.role),
            {
                "command": cell.command.command_type,
                "zh": cell.command.zh(),
                "role": cell.role,
                "relation": "; ".join(printer.say(r.zh, r.en) for r in cell.relations),
                "stages": "",
            },
        )
        stage = printer.say(stage_zh(cell.kind, cell.stage), cell.stage)
        row["stages"] = printer.say("、", ", ").join([*([row["stages"]] if row["stages"] else []), stage])
    columns = (
        Column("command", "命令", "command"),
        Column("zh", "術語", "term"),
        Column("role", "角色", "role"),
        Column("relation", "須為", "must act for"),
        Column("stages", "階段", "stages"),
    )
    printer.rows(list(rows.values()), columns, ("無可辦之事", "nothing is allowed"))


@app.command("why")
@verb
async def why_command(
    who: Annotated[
        str, typer.Argument(metavar="WHO", help="崗位或人員 seat or person：EVAL#1、P-7", show_default=False)
    ],
    name: Annotated[str, typer.Argument(metavar="COMMAND", help="start-project 或 項目啟動", show_default=False)],
    subject: Annotated[str, typer.Argument(help="PJ-3、PJ-3/T1、ND-2 …", show_default=False)],
    given: Annotated[list[str] | None, typer.Argument(help="key=value …", show_default=False)] = None,
    *,
    person: Asker = None,
    at: Annotated[str | None, typer.Option("--at", help="手動時鐘的業務時間 / manual realms only")] = None,
    realm: Realm = None,
    invocation: Invocation,
) -> None:
    """為何可辦或不可辦：逐項列出每一條件 / why somebody may or may not: every condition, met or not.

    不給內容則只論權限；給了內容，一併試算該階段的規則。不記錄任何事。
    問人員，則其現任各崗位逐一說明。
    Without particulars the policy alone; with them the rules of the stage too.
    Of a person, each seat that they are on. Records nothing.

    例 examples:
      venture policy why EVAL#1 conclude-midterm-evaluation PJ-3
      venture policy why CAB-REG#1 request-disbursement PJ-3/T2 amount=15000
      venture policy why P-7 confirm-award PJ-3
    """
    moment, asked_person = read_business_time(at), _read_person(who) or (read_person(person) if person else None)
    async with invocation.open_store() as store:
        stream = await resolve_or_begin(store, subject, realm, invocation.printer)
        command_type, (_, part) = resolve_command(name, stream.kind), split_subject(subject)
        particulars = read_particulars(given or [])
        try:
            command = read_command(command_type, part, particulars, Notation.TYPED, attach=AttachedFiles(Path()))
        except InputInvalid:
            if particulars:
                raise
            command = leave_open(command_type, command_type.about(part, {}))
        if _read_person(who) is None or asked_person is None:
            seats: tuple[Actor, ...] = (read_actor(who),)
        else:
            seats = await list_seats(store, asked_person, stream.realm, command)
        strict = invocation.settings.requires_office
        explanations = [
            await explain(store, stream, command, seat, moment, asked_person, requires_office=strict) for seat in seats
        ]
        realm_time = (await store.realm(stream.realm)).now
    if not explanations:
        day = local_time(realm_time) if realm_time else ""
        raise ArgumentInvalid(
            f"{show(who)} {day and f'於 {stream.realm} 環境當前時間 {day} '}不在任何崗位",
            f"{show(who)} is on no seat{day and f' at {day}, the time of the realm {stream.realm}'}",
        )
    for explanation in explanations:
        if invocation.printer.form is not Form.TABLE:
            invocation.printer.json(explanation.as_json())
            continue
        if len(explanations) > 1:
            invocation.printer.line(explanation.seat, "bold")
        _print_explanation(explanation, invocation.printer)


def _read_person(text: str | None) -> PersonId | None:
    """The person that is meant; None for a seat, or for nothing."""
    try:
        return PersonId(text) if text is not None else None
    except ValueError:
        return None


def _print_explanation(explanation: Explanation, printer: Printer) -> None:
    if explanation.others or not all(condition.met for condition in explanation.conditions):
        printer.tell(
            "暫不能辦理，還須滿足以下條件：", "This cannot be done yet. The following conditions must be met:", "bold"
        )
    for condition in explanation.conditions:
        mark, style = ("✓", "green") if condition.met else ("✗", "red")
        printer.line(f"{mark} [{condition.rule}] {printer.say(condition.zh, condition.en)}", style)
    for unmet in explanation.others:
        printer.line(f"✗ [{unmet.rule}] {printer.say(unmet.zh, unmet.en)}", "red")
    if not explanation.judged:
        printer.tell("未給內容，該階段的規則未試算", "no particulars were given; the rules of the stage were not asked")
    elif explanation.is_allowed:
        printer.tell("可以辦理（未記錄）", "it would be carried out (nothing recorded)", "green")
