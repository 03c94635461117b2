"""``venture paper``: the papers that a file yields, made as DOCX to be stamped or as PDF for the file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from application.access import show_to
from cli.adapter import Invocation, verb
from cli.file import write_file
from cli.help import Typer
from cli.name_resolution import resolve
from cli.options import Reader, Realm, read_actor
from cli.output import ArgumentInvalid, Column, Form
from domain.kernel.explanation import show
from domain.kernel.input import parse_day

if TYPE_CHECKING:
    from papers.paper import Paper

app = Typer()

Subject = Annotated[str, typer.Argument(help="PJ-3、AP-5、R-FZ-2023，或全稱 / or a whole id", show_default=False)]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="依此日終了時的卷宗 / as the file stood at the end of that day", show_default=False),
]
Made = Annotated[
    str,
    typer.Option(
        "--output", "-o", help="文件 FILE.docx 或 FILE.pdf；或 json / a file to write, or json", show_default=False
    ),
]


@app.command("list")
@verb
async def list_command(subject: Subject, *, invocation: Invocation, as_of: AsOf = None, realm: Realm = None) -> None:
    """可出具的公文，及其餘尚缺什麼 / the papers that a file yields, and what the others wait for.

    例 examples:
      venture paper list PJ-3
      venture paper list R-FZ-2023
      venture paper list PJ-3 --as-of 2023-06-30 -o json
    """
    from papers.catalogue import list_papers, open_file

    day = _read_day(as_of)
    async with invocation.open_store() as store:
        lines = list_papers(await open_file(store, await resolve(store, subject, realm, invocation.printer), day))
    printer = invocation.printer
    rows = [line.as_json() for line in lines]
    if printer.is_for_people:
        for row, line in zip(rows, lines, strict=True):
            row["title"] = printer.say(line.zh, line.en)
            row["state"] = row["date"] or printer.say(f"（{line.missing_zh}）", f"({line.missing_en})")
    columns = (
        Column("name", "文書", "paper"),
        Column("title", "名稱", "title"),
        Column("state", "日期", "date"),
    )
    printer.rows(rows, columns, ("沒有文書", "there are no papers"))


@app.command("make")
@verb
async def make_command(
    subject: Subject,
    name: Annotated[str, typer.Argument(help="文書 paper：award、payment.T1（見 paper list）", show_default=False)],
    *,
    output: Made = "table",
    invocation: Invocation,
    as_of: AsOf = None,
    realm: Realm = None,
    seat: Reader = None,
) -> None:
    """出具一份公文：DOCX 供用印，PDF 存檔 / make a paper: DOCX to be stamped, PDF for the file.

    不指明文件時寫入 名稱.docx。Without a file it is written to NAME.docx.

    例 examples:
      venture paper make PJ-3 award
      venture paper make PJ-3 payment.T1 -o T1.pdf --as CAB-FIN#1
      venture paper make PJ-3 award --as-of 2023-06-30 -o json
    """
    from papers.catalogue import make_paper, open_file

    printer, day = invocation.printer, _read_day(as_of)
    file = None if output in set(Form) and output != Form.TABLE else _name_file(output, subject, name)
    async with invocation.open_store() as store:
        dossier = await open_file(store, await resolve(store, subject, realm, printer), day)
        seen = replace(dossier, file=show_to(dossier.file, read_actor(seat) if seat else None))
        paper = await make_paper(store, seen, name)
    if file is None:
        printer.json(paper.model_dump(mode="json"))
        return
    write_file(file, _write(paper, file))
    printer.line(str(file))


def _write(paper: Paper, file: Path) -> bytes:
    if file.suffix.lower() == ".pdf":
        from papers.pdf_file import write_pdf

        return write_pdf(paper)
    from papers.word_file import write_docx

    return write_docx(paper)


def _name_file(output: str, subject: str, name: str) -> Path:
    """Where it is written. Raises ArgumentInvalid if the name tells no form."""
    if output == Form.TABLE:
        return Path(f"{subject}-{name}.docx".replace("/", "-"))
    file = Path(output)
    if file.suffix.lower() not in (".docx", ".pdf"):
        raise ArgumentInvalid(
            f"-o {output}：須為 json，或以 .docx、.pdf 結尾的文件",
            f"-o {output}: json, or a file that ends in .docx or .pdf",
        )
    return file


def _read_day(text: str | None) -> date | None:
    """The day of ``--as-of``. Raises ArgumentInvalid."""
    if text is None:
        return None
    try:
        return parse_day(text)
    except ValueError as invalid:
        zh, en = f"--as-of {show(text)}：寫作 2023-06-30", f"--as-of {show(text)}: write 2023-06-30"
        raise ArgumentInvalid(zh, en) from invalid
