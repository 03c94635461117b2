"""Options and arguments that several verbs take, and the seat that one of them names."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import ArgumentInvalid, Form
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor

Output = Annotated[
    Form,
    typer.Option(
        "--output", "-o", help="輸出形式，失敗亦然 how to write, failures too: table | json | jsonl", show_default=True
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        "--lang",
        metavar="LANG",
        help="語言 language: zh-Hans | zh-Hant | en，或設 VENTURE_LANG；不指明者依系統區域 else by the locale",
        show_default=False,
    ),
]
Realm = Annotated[
    str | None,
    typer.Option("--realm", help="環境 realm：情景各有其環境，實時為 live；新開用 realm open", show_default=False),
]
Asker = Annotated[
    str | None,
    typer.Option("--person", help="何人經辦 who asks: P-7(或設 VENTURE_PERSON)", show_default=False),
]
Name = Annotated[str, typer.Argument(help="PJ-3 或 AP-5，或全稱 project/live/AP-5", show_default=False)]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="每頁行數 rows of a page")]
After = Annotated[
    str | None,
    typer.Option("--after", help="上一頁末尾的游標 / the cursor that ended the page before", show_default=False),
]
Reader = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="SEAT",
        help="以何崗位閱讀 on which seat one reads；不填則賬戶、化名、評分表等不予顯示 else marked fields are withheld",
        show_default=False,
    ),
]
Administrator = Annotated[str, typer.Option("--as", help="經辦人 who does it: ADMIN#n", show_default=False)]
Why = Annotated[str, typer.Option("--reason", help="理由，記入日誌 why, kept in the log", show_default=False)]


def read_actor(text: str) -> Actor:
    """Who is meant. Raises ArgumentInvalid."""
    try:
        return Actor(text)
    except ValueError as wrong:
        raise ArgumentInvalid.of(wrong) from wrong


def read_person(text: str) -> PersonId:
    """Who is meant. Raises ArgumentInvalid."""
    try:
        return PersonId(text)
    except ValueError as wrong:
        raise ArgumentInvalid.of(wrong) from wrong
