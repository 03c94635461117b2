"""The root of the command line: its nouns and verbs, and the modules that declare them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from cli import streams
from cli.help import Nouns, Typer
from cli.output import ArgumentInvalid, Form, Printer
from cli.streams import ResultLost
from cli.verbs import Verbs
from domain.kernel.failure import Failure

if TYPE_CHECKING:
    import typer

NOUNS = {
    "project": ("項目：從申報到歸檔 / projects, from application to archive", ("cli.project_list", "cli.project")),
    "organisation": ("社會組織：名冊與卷宗 / organisations", ("cli.organisation_list", "cli.organisation")),
    "money": ("資金：按屆次、來源、組織合計 / money: sums by round, fund, organisation", ("cli.money",)),
    "round": (
        "屆次：一次徵集 / rounds: one call each",
        ("cli.round_list", "cli.round", "cli.round_schedule", "cli.resolution"),
    ),
    "paper": ("公文：由卷宗製成的文書 / papers that a file yields, to stamp and to keep", ("cli.paper",)),
    "scenario": ("演練情景：帶日期的故事 / dated stories that can be played", ("cli.scenario",)),
    "import": ("導入：外來表格，依對照文件 / tables of another register, by a mapping file", ("cli.table_import",)),
    "register": ("登記冊：認定、活動、節點、案件 / designations, events, nodes, cases", ("cli.register",)),
    "scheme": ("管理辦法：各市規則 / schemes: the cities' rules", ("cli.scheme_list", "cli.scheme")),
    "person": ("人員：編號與崗位 / persons: numbers, and their seats", ("cli.person",)),
    "seat": ("崗位：何人何時在崗 / seats: who is on them, from when to when", ("cli.seat",)),
    "act": ("要事：須兩人者 / acts of two: proposed by one, confirmed by another", ("cli.act",)),
    "calendar": ("工作日曆：節假日與調休 / working days: holidays and make-up weekends", ("cli.calendar",)),
    "realm": ("環境：補錄、演練各有其鐘 / environments: past papers and trials, each with its clock", ("cli.realm",)),
    "approval": ("審批：待審批事項 / approvals: pending decisions", ("cli.approval",)),
    "builds": ("版本：worker 的新舊版本 / builds of the worker, old and new", ("cli.builds",)),
    "account": ("登錄：何人可入，崗位為何 / logins: who comes in, and on which seats", ("cli.account",)),
    "apikey": ("服務的密鑰：有限期、限崗位 / keys of services: for some seats, until a day", ("cli.apikey",)),
    "policy": ("權限：誰可辦什麼，為何 / policy: who may do what, and why", ("cli.policy",)),
    "key": ("入口密鑰：公布、更換、撤回 / keys of doors: published, replaced, taken back", ("cli.key",)),
    "views": ("視圖：名冊所讀，可隨時重建 / views: what lists are read from, built anew at any time", ("cli.views",)),
    "mail": ("郵件：待辦、將到期、已決定 / mail: what waits, is soon or decided", ("cli.mail",)),
    "webhook": ("通知：事件送往何處 / webhooks: who is told of what happens", ("cli.webhook",)),
    "sender": ("回報：銀行與電子簽名服務 / who reports to us: bank and e-signature", ("cli.sender",)),
    "document": ("文件：附件的原件 / documents: the bytes of what is attached", ("cli.document", "cli.disposal")),
    "audit": ("審計：核驗、復算核對、還原某日 / audit: verify, replay, see any day again", ("cli.audit",)),
}
VERBS = (
    "cli.command",
    "cli.servers",
    "cli.reconcile",
    "cli.go_live",
    "cli.inbox",
    "cli.portfolio",
    "cli.bulk",
    "cli.doctor",
    "cli.restore_check",
    "cli.unpark",
    "cli.simulate",
    "cli.sandbox",
)
"""The modules of the verbs that stand alone."""


class RootCommand(Nouns):
    """The whole command line, of which only what is called is loaded."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - the library's own types are private
        nouns = {
            name: Nouns(name=name, help=text, commands=Verbs(modules), no_args_is_help=True, rich_markup_mode=None)  # type: ignore[arg-type] # the library only reads them
            for name, (text, modules) in NOUNS.items()
        }
        super().__init__(**{**settings, "commands": Verbs(VERBS, nouns)})


def build() -> typer.Typer:
    """The whole command line."""
    app = Typer(
        name="venture",
        help="公益創投項目全程引擎 / the life of public-welfare venture projects",
        no_args_is_help=True,
        epilog="例 examples: venture project list · venture do confirm-award PJ-3 --as CAB-DEC#1",
        cls=RootCommand,
    )
    app.callback()(_nothing)
    return app


def _nothing() -> None:
    """Do nothing before a verb; with this the library makes a group."""


def main() -> None:
    """Run the command line, whatever it was given to read and wherever it is to write."""
    streams.prepare()
    arguments = sys.argv[1:]
    if arguments[:1] == ["--lang"]:
        rest = arguments[2:]
        arguments = [*rest, *arguments[:2]] if rest and rest != ["--help"] else ["--help"]
    code = _call(arguments)
    try:
        sys.stdout.flush()
    except ResultLost as lost:
        code = code or _end_lost(lost)
    sys.exit(code)


def _call(arguments: list[str]) -> int:
    try:
        for argument in arguments:
            _require_text(argument)
        build()(arguments, prog_name="venture")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except ResultLost as lost:
        return _end_lost(lost)
    except Failure as failure:
        Printer.of_words(arguments).failure(failure)
        return failure.kind
    return 0


def _require_text(argument: str) -> None:
    """Bytes that are no text come in as halves of letters, which nothing can record."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise ArgumentInvalid(f"參數不是文字：{argument}", f"an argument is no text: {argument}") from None


def _end_lost(lost: ResultLost) -> int:
    """Say that the result is lost, unless it is because nobody reads; the code to end with."""
    streams.discard(sys.stdout)
    if lost.is_unread:
        return streams.READER_GONE
    Printer(Form.TABLE, Printer.of_words(sys.argv).lang).failure(lost)
    return lost.kind
