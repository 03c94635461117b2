"""``venture unpark``: set aside the deadline that keeps a file from going on; another person confirms it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.act import find_waiting, print_proposal
from cli.adapter import Invocation, verb
from cli.command import receipt_as_json
from cli.help import Typer
from cli.name_resolution import resolve_to_change
from cli.options import Name, Realm, Why, read_actor
from deciding.parked import find_parked
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.parked_deadline import SetDeadlineAside

if TYPE_CHECKING:
    from domain.kernel.identifier import StreamId

app = Typer()


class NotParked(Failure):
    """Every deadline of that file can be applied."""

    kind = FailureKind.NOT_FOUND
    remedy_zh = "venture doctor 列出停住的卷宗"
    remedy_en = "venture doctor lists the files that stand still"

    def __init__(self, stream: StreamId) -> None:
        super().__init__(
            f"{stream} 沒有不能辦理的期限", f"no deadline of {stream} keeps it from going on", stream=stream
        )


@app.command("unpark")
@verb
async def unpark_command(
    name: Name,
    actor: Annotated[str, typer.Option("--as", help="經辦人 who asks: CAB-REG#n", show_default=False)],
    *,
    reason: Why,
    invocation: Invocation,
    realm: Realm = None,
) -> None:
    """擱置不能辦理的期限，卷宗得以續辦，須兩人 / set aside the deadline that stops a file; it takes two persons.

    能補齊的，先以命令補齊：期限隨即自行辦結。擱置之後，該期限不再生效，其後果由人辦理。
    What can be mended is mended by a command, and the deadline takes effect by itself. Once it is set aside it never
    does, and what it would have led to is done by a person.

    \b
    例 examples:
      venture unpark PJ-3 --as CAB-REG#1 --reason 規則有誤，改由人辦
      venture act confirm PJ-3 --as CAB-DEC#1
    """  # noqa: D301 - a real backspace keeps the lines apart
    printer, who = invocation.printer, read_actor(actor)
    async with invocation.open_runtime(working=True) as runtime:
        stream = await resolve_to_change(runtime.store, name, realm, printer)
        parked = await find_parked(runtime.store, stream, datetime.now(UTC))
        if parked is None or parked.due is None:
            raise NotParked(stream)
        due = parked.due
        command = SetDeadlineAside(deadline=due.command.command_type, key=due.key, falls_at=due.at, reason=reason)
        receipt = await runtime.door.send(stream, command, who)
        waiting = await find_waiting(runtime.store, receipt)
    data = receipt_as_json(receipt)
    if waiting is not None:
        print_proposal(printer, waiting, f"venture act confirm {name} {waiting.digest[:8]} --as CAB-DEC#n", data)
    else:
        printer.answer(data, f"✓ 已擱置：{parked.why}", f"✓ Set aside: {parked.why}")
