"""``venture document``: the bytes of what commands attach: brought, saved, and looked at again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.documents import Console
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.output import ArgumentInvalid, Column
from domain.kernel.failure import FailureKind
from runtime.documents import open_documents

if TYPE_CHECKING:
    from application.command_input import AttachedFiles
    from bootstrap import Settings
    from store.documents import Document
    from store.port import EventStore

app = Typer()

Digest = Annotated[
    str, typer.Argument(metavar="DIGEST", help="SHA-256，64 位十六進制 64 hex digits", show_default=False)
]


def console(settings: Settings) -> Console:
    """Who sits at this command line, as documents are brought and read."""
    return Console(f"person:{settings.person}" if settings.person else "console")


async def bring(files: AttachedFiles, settings: Settings, store: EventStore) -> None:
    """Bring the bytes of the files that were named by ``@path``, before the command that attaches them is asked."""
    if files.read:
        await open_documents(settings, store).take_files(files.read, console(settings))


@app.command("put")
@verb
async def put_command(
    paths: Annotated[list[Path], typer.Argument(help="文件，可多個 one or more files", show_default=False)],
    *,
    invocation: Invocation,
) -> None:
    """存入文件原件，得其摘要 / keep the bytes of files, and be told their digests.

    同一份存幾次也只一份；內容與副檔名不符、加密、含巨集者不收
    The same file is kept once; refused are other contents than the name says, encrypted files and macros.

    例 example:  venture document put 會議紀要.pdf 發票.pdf
    """
    printer, settings = invocation.printer, invocation.settings
    for path in paths:
        if not path.is_file():
            raise ArgumentInvalid(f"沒有文件 {path}", f"there is no file {path}")
    rows: list[dict[str, Any]] = []
    async with invocation.open_store() as store:
        documents = open_documents(settings, store)
        for path in paths:
            document = await documents.take_file(path, console(settings))
            rows.append({"sha256": document.sha256, "media_type": document.media_type, "name": path.name})
    columns = (
        Column("name", "名稱", "name"),
        Column("media_type", "類型", "type"),
        Column("sha256", "摘要", "digest"),
    )
    printer.rows(rows, columns, ("", ""))


@app.command("get")
@verb
async def get_command(
    digest: Digest,
    path: Annotated[Path, typer.Argument(help="存到何處 where to save it", show_default=False)],
    *,
    invocation: Invocation,
) -> None:
    """取出文件原件；取過即有記錄 / save the bytes of a document; that somebody looked is recorded.

    例 example:
      venture document get 10aaa90b9896f557e95634f6848823a3f3ca40593c661810c9792649beeac5e1 會議紀要.pdf
    """
    printer, settings = invocation.printer, invocation.settings
    async with invocation.open_store() as store:
        documents = open_documents(settings, store)
        document = await documents.look(digest, console(settings))
        try:
            with path.open("xb") as file:
                async with documents.read(document) as parts:
                    async for part in parts:
                        file.write(part)
        except FileExistsError:
            raise ArgumentInvalid(f"{path} 已存在", f"{path} is there already") from None
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    printer.tell(f"✓ 已存為 {path}（{document.size} 字節）", f"✓ saved as {path} ({document.size} bytes)", "green")


@app.command("check")
@verb
async def check_command(*, invocation: Invocation) -> None:
    """重讀每一份原件，與其摘要核對 / read the bytes of every document again, and compare them with its digest.

    \b
    退出碼 exit: 0 全部相符 all agree; 6 有缺失或不符 some are gone or others
    例 example:  venture document check -o jsonl
    """  # noqa: D301 - a real backspace keeps the lines apart
    printer, count = invocation.printer, 0
    faults: list[tuple[Document, str]] = []
    async with invocation.open_store() as store:
        async for document, fault in open_documents(invocation.settings, store).check_all():
            count += 1
            if fault:
                faults.append((document, fault))
    rows = [{"sha256": one.sha256, "size": one.size, "found": digest} for one, digest in faults]
    columns = (
        Column("sha256", "摘要", "digest"),
        Column("size", "字節", "bytes", right=True),
        Column("found", "實為", "found"),
    )
    printer.rows(rows, columns, (f"✓ {count} 份全部相符", f"✓ all {count} agree"))
    if faults:
        raise typer.Exit(FailureKind.INTEGRITY)
