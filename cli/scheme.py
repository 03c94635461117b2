"""``venture scheme``: check a city's rules, publish them, list those that come with the product."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from application.realms import require_realm
from application.schemes import publish_scheme
from cli.act import find_waiting, print_proposal
from cli.adapter import Invocation, verb
from cli.command import At, read_business_time
from cli.help import Typer
from cli.options import read_actor
from cli.output import Column
from cli.scheme_list import show_schemes
from domain.kernel.identifier import LIVE
from schemes import scheme_file
from schemes.differences import compare_schemes
from schemes.document import DocumentInvalid

if TYPE_CHECKING:
    from domain.kernel.scheme import Scheme
    from schemes.document import DocumentFault

app = Typer()


@app.command("check")
@verb
async def check_command(
    paths: Annotated[list[Path], typer.Argument(help="辦法文件 scheme files (.yaml)", show_default=False)],
    *,
    invocation: Invocation,
) -> None:
    """核對辦法文件，逐條指出行號與改法 / check scheme files; each fault with its line and how to mend it.

    例 example:  venture scheme check my-city.yaml
    """
    schemes: list[Scheme] = []
    faults: list[DocumentFault] = []
    for path in paths:
        try:
            schemes.append(scheme_file.load(path))
        except DocumentInvalid as faulty:
            faults.extend(faulty.faults)
    if faults:
        raise DocumentInvalid(faults)
    show_schemes(schemes, invocation.printer)


@app.command("publish")
@verb
async def publish_command(
    name: Annotated[str, typer.Argument(help="名稱或文件 a name or a file, e.g. fuzhou", show_default=False)],
    actor: Annotated[str, typer.Option("--as", help="經辦人 who publishes it: CAB-DEC#n", show_default=False)],
    realm: Annotated[str, typer.Option("--realm", help="環境 environment")] = LIVE,
    *,
    invocation: Invocation,
    at: At = None,
) -> None:
    """發布管理辦法，供屆次引用；已發布的版本不再改變 / publish a city's rules: a published version never changes.

    例 example:  venture scheme publish fuzhou --as CAB-DEC#1
    """
    rules, who, moment = _load(name), read_actor(actor), read_business_time(at)
    async with invocation.open_runtime(working=True) as runtime:
        await require_realm(runtime.store, realm)
        receipt = await publish_scheme(runtime.door, runtime.store, rules, who, realm, moment)
        waiting = await find_waiting(runtime.store, receipt) if receipt is not None else None
    printer = invocation.printer
    data = {"scheme": str(rules.ref), "realm": realm, "new": receipt is not None}
    if waiting is not None:
        how = f"venture act confirm {rules.name} {waiting.digest[:8]} --as CAB-REG#1"
        print_proposal(printer, waiting, how, data | {"proposed": waiting.digest})
    elif receipt is not None:
        printer.answer(data, f"✓ 已發布 {rules.ref}", f"✓ published: {rules.ref}")
    else:
        printer.answer(data, f"{rules.ref} 早已發布", f"{rules.ref} was published before", "")


@app.command("diff")
@verb
async def diff_command(
    one: Annotated[str, typer.Argument(help="名稱或文件 a name or a file, e.g. fuzhou", show_default=False)],
    other: Annotated[str, typer.Argument(help="名稱或文件 a name or a file, e.g. hangzhou", show_default=False)],
    *,
    invocation: Invocation,
) -> None:
    """比較兩套辦法，逐項說明不同 / compare two schemes: every parameter that differs, in words.

    例 examples:
      venture scheme diff fuzhou hangzhou
      venture scheme diff fuzhou my-city.yaml -o json
    """
    printer = invocation.printer
    rows = [
        {
            "section": d.section,
            "parameter": d.parameter,
            "words": printer.say(d.zh, d.en),
            "before": printer.say(*d.before),
            "after": printer.say(*d.after),
        }
        for d in compare_schemes(_load(one), _load(other))
    ]
    printer.rows(rows, (Column("words", "不同之處", "difference"),), ("兩者相同", "they are the same"))


def _load(name: str) -> Scheme:
    """The scheme of that name, or in that file. Raises DocumentInvalid."""
    return scheme_file.load(Path(name)) if name.endswith((".yaml", ".yml")) else scheme_file.load_shipped(name)
