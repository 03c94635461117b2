"""``venture round preview`` and ``resolve``: what a meeting has before it, and its decision of all bids in one act."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from application.command_input import AttachedFiles
from application.decision_sheet import DecisionSheet, read_sheet
from application.round_resolution import list_purses, preview_resolution, resolve_round
from cli.adapter import Invocation, verb
from cli.command import manual_now, read_business_time, receipt_as_json
from cli.document import bring
from cli.help import Typer
from cli.name_resolution import resolve, resolve_to_change
from cli.options import Realm, read_actor
from cli.output import ArgumentInvalid, Column
from domain.kernel.identifier import LIVE
from domain.kernel.money import yuan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from application.round_resolution import Purse, ResolutionPreview
    from cli.output import Printer

app = Typer()

Name = Annotated[str, typer.Argument(help="屆次編號 its number, e.g. R-FZ-2027", show_default=False)]
Panels = Annotated[
    list[str] | None, typer.Option("--panel", help="評審專家組，不填則取全部 / only these panels", show_default=False)
]


@app.command("preview")
@verb
async def preview_command(
    name: Name,
    *,
    decisions: Annotated[
        Path | None,
        typer.Option("--decisions", help="決議表 .csv：每個申報一行 / a table, a row a bid", show_default=False),
    ] = None,
    panels: Panels = None,
    invocation: Invocation,
    realm: Realm = None,
) -> None:
    """決議前所見：排名、入選線、額度，及其校驗值 / before it is decided: ranking, line, money and digest.

    決議表首行 its first line: application,project,award,funds,panel,reason
    填 reason 者不列入，其餘入選 / a row with a reason is left out, any other chosen

    例 examples:
      venture round preview R-FZ-2027
      venture round preview R-FZ-2027 --decisions decisions.csv
    """
    printer, sheet = invocation.printer, _read_decisions(decisions)
    async with invocation.open_store() as store:
        round_ = await resolve(store, name, realm, printer)
        draft = await preview_resolution(store, round_, sheet.selected, panels or ())
        purses = await list_purses(store, draft)
    if printer.is_for_people:
        _show(draft, purses, sheet, printer)
    else:
        printer.json({**draft.as_json(), "purses": [purse.as_json() for purse in purses]})


@app.command("resolve")
@verb
async def resolve_command(
    name: Name,
    *,
    decisions: Annotated[
        Path,
        typer.Option("--decisions", help="決議表，與預覽時相同 / the table that was previewed", show_default=False),
    ],
    minutes: Annotated[
        Path, typer.Option("--minutes", help="會議紀要 the minutes: a file, recorded by digest", show_default=False)
    ],
    preview: Annotated[
        str, typer.Option("--preview", help="預覽所示的校驗值 / the digest that the preview showed", show_default=False)
    ],
    actor: Annotated[str, typer.Option("--as", help="經辦人 who asks: ROLE#n，如 CAB-REG#1", show_default=False)],
    contact: Annotated[
        str | None, typer.Option("--contact", help="異議受理處；填則一併公示 / an office; given, awards are posted")
    ] = None,
    panels: Panels = None,
    invocation: Invocation,
    realm: Realm = None,
    at: Annotated[
        str | None, typer.Option("--at", help="業務時間（只用於手動時鐘）business time, manual clocks only")
    ] = None,
    command_id: Annotated[
        UUID | None, typer.Option("--id", help="命令編號；同號再問不會重辦 / asking again with the same id is safe")
    ] = None,
) -> None:
    """審定評審結果：全部申報一次決定；預覽後有變即不予辦理 / decide all bids at once; refused if anything has moved.

    例 example:
      venture round resolve R-FZ-2027 --decisions decisions.csv --minutes 紀要.pdf
        --preview 10aa…e1 --as CAB-REG#1
    """
    printer, sheet, who, moment = (
        invocation.printer,
        _read_decisions(decisions),
        read_actor(actor),
        read_business_time(at),
    )
    try:
        files = AttachedFiles(Path())
        attachment = files(str(minutes))
    except OSError as wrong:
        reason = wrong.strerror or "?"
        raise ArgumentInvalid(f"無法讀取 {minutes}：{reason}", f"{minutes} cannot be read: {reason}") from wrong
    async with invocation.open_runtime(working=True) as runtime:
        round_ = await resolve_to_change(runtime.store, name, realm, printer)
        draft = await preview_resolution(runtime.store, round_, sheet.selected, panels or ())
        command = replace(draft, digest=preview).command(attachment, sheet.reasons, contact)
        if round_.realm != LIVE and moment is None:
            moment = await manual_now(runtime.store, round_)
        await bring(files, invocation.settings, runtime.store)
        receipt = await resolve_round(runtime.door, draft, command, who, command_id=command_id, at=moment)
    chosen, left_out, total = len(draft.selected), len(sheet.left_out), yuan(draft.awards_fen)
    printer.answer(
        receipt_as_json(receipt) | {"awards_fen": draft.awards_fen},
        f"✓ 已決議：入選 {chosen} 項，共 {total}；未列入 {left_out} 項  {receipt.stream} v{receipt.version}",
        f"✓ resolved: {chosen} chosen, {total} in all; {left_out} left out  {receipt.stream} v{receipt.version}",
    )


def _read_decisions(path: Path | None) -> DecisionSheet:
    """The table in that file; an empty one without. Raises ArgumentInvalid or DocumentInvalid."""
    if path is None:
        return DecisionSheet()
    try:
        content = path.read_bytes()
    except OSError as wrong:
        reason = wrong.strerror or "?"
        raise ArgumentInvalid(f"無法讀取 {path}：{reason}", f"{path} cannot be read: {reason}") from wrong
    return read_sheet(path.name, content)


def _show(draft: ResolutionPreview, purses: Sequence[Purse], sheet: DecisionSheet, printer: Printer) -> None:
    awards = {one.application: one for one in sheet.selected}
    rows: list[dict[str, Any]] = []
    for ranked in draft.ranking:
        selection = awards.get(ranked.application)
        rows.append(
            {
                "rank": ranked.rank,
                "application": ranked.application,
                "score": ranked.score,
                "bonus": ranked.bonus or "",
                "total": ranked.total,
                "award": yuan(selection.award) if selection else "",
                "project": selection.project if selection else sheet.reasons.get(ranked.application, ""),
            }
        )
    columns = (
        Column("rank", "名次", "rank", right=True),
        Column("application", "申報", "bid"),
        Column("score", "得分", "score", right=True),
        Column("bonus", "加分", "bonus", right=True),
        Column("total", "總分", "total", right=True),
        Column("award", "入選金額", "award", right=True),
        Column("project", "項目或理由", "project or reason"),
    )
    printer.rows(rows, columns, ("沒有申報", "no bids"))
    lowest = max((r.rank for r in draft.ranking if r.selected), default=None)
    if lowest is not None:
        total = yuan(draft.awards_fen)
        printer.line(
            printer.say(
                f"入選線：第 {lowest} 名；入選 {len(draft.selected)} 項，共 {total}",
                f"the line: rank {lowest}; {len(draft.selected)} chosen, {total} in all",
            )
        )
    for purse in purses:
        mark, left, drawn = "✓" if purse.is_enough else "✗", yuan(purse.left_fen), yuan(purse.drawn_fen)
        printer.line(
            printer.say(
                f"{mark} {purse.name} 尚餘 {left}，需 {drawn}", f"{mark} {purse.name} has {left} left, {drawn} asked"
            )
        )
    undecided = [name for name in draft.left_out if name not in sheet.reasons]
    if sheet.selected and undecided:
        names = "、".join(undecided[:_MOST_NAMES]) + ("…" if len(undecided) > _MOST_NAMES else "")
        printer.line(printer.say(f"✗ 尚無決定：{names}", f"✗ not decided: {names}"))
    printer.line(printer.say(f"校驗值 {draft.digest}", f"digest {draft.digest}"))


_MOST_NAMES = 10
