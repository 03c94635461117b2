"""What may be typed, and what ``--help`` says of it, in the reader's language."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from remote.output import LANGUAGES, Words, choose_language

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_DESCRIPTION = Words(
    "VENTURE_URL 指明服务器时的 venture：与数据库旁的命令行同样的词，经 HTTP 办理。",
    "VENTURE_URL 指明服務器時的 venture：與數據庫旁的命令行同樣的詞，經 HTTP 辦理。",
    "venture where VENTURE_URL says which server: the same words as beside the database, asked over HTTP.",
)
_EXAMPLES = """
  venture login
  venture inbox --as CAB-REG#1
  venture why-not PayDisbursement PJ-3 tranche=T1
  venture do PayDisbursement PJ-3 tranche=T1 amount=50000 --as FISCAL#1 --dry-run
  venture approval wait PJ-3/T1
  venture project list --stage IN_EXECUTION -o json
"""
_EXAMPLES_HEADING = Words("例：", "例：", "examples:")
_USAGE = Words("用法：", "用法：", "usage: ")
_SECTIONS = {
    "positional arguments": Words("命令与参数", "命令與參數", "commands and arguments"),
    "options": Words("选项", "選項", "options"),
}
_MISUSED = Words("用法有误：", "用法有誤：", "this cannot be understood: ")
_VERBS = {
    "login": Words("登录；凭据只留给本用户", "登錄；憑據只留給本用戶", "sign in; what lets you in stays yours"),
    "logout": Words("退出，凭据一并删去", "退出，憑據一併刪去", "sign out, and keep nothing"),
    "whoami": Words("我在那里是谁，任何岗位", "我在那裡是誰，任何崗位", "who you are there, and on which seats"),
    "do": Words("办理一项命令，只办一次", "辦理一項命令，只辦一次", "have a command carried out, once"),
    "why-not": Words(
        "能否办理；不能，则列出全部所缺",
        "能否辦理；不能，則列出全部所缺",
        "whether it may be done, or all it lacks",
    ),
    "inbox": Words("本人岗位的待办", "本人崗位的待辦", "what waits for your seats"),
    "project": Words("项目：list、show", "項目：list、show", "projects: list, show"),
    "approval": Words(
        "审批：list、show、wait、approve、decline、return、open",
        "審批：list、show、wait、approve、decline、return、open",
        "approvals: list, show, wait, approve, decline, return, open",
    ),
    "project list": Words("列出项目", "列出項目", "list projects"),
    "project show": Words("一个项目的现状与经过", "一個項目的現狀與經過", "how a project stands, and its story"),
    "approval list": Words("列出等候决定的审批", "列出等候決定的審批", "list what waits to be decided"),
    "approval show": Words("一项审批", "一項審批", "one approval"),
    "approval wait": Words(
        "等到有结果：0 批准、1 未批准、5 超时",
        "等到有結果：0 批准、1 未批准、5 超時",
        "wait: 0 granted, 1 not, 5 timed out",
    ),
    "approval approve": Words("同意", "同意", "approve it"),
    "approval decline": Words("不同意", "不同意", "decline it"),
    "approval return": Words("退回修改", "退回修改", "return it to be amended"),
    "approval open": Words("提请一项自己的审批", "提請一項自己的審批", "ask for a decision of your own"),
}
_OPTIONS = {
    "--help": Words("显示此说明", "顯示此說明", "show this"),
    "--output": Words("表格，或供机器用的 JSON", "表格，或供機器用的 JSON", "a table, or JSON for machines"),
    "--lang": Words("语言", "語言", "the language"),
    "--realm": Words("环境；不写为 live", "環境；不寫為 live", "the environment; live unless said"),
    "--as": Words("以哪个岗位", "以哪個崗位", "on which seat"),
    "--limit": Words("最多几行", "最多幾行", "at most so many rows"),
    "--after": Words("从哪一行之后", "從哪一行之後", "the page that begins after this one"),
    "--at": Words("手动时钟的环境中，何时", "手動時鐘的環境中，何時", "when it is so, where the clock is manual"),
    "--id": Words(
        "命令编号；再问一次用同一编号", "命令編號；再問一次用同一編號", "the command's id, to ask again under"
    ),
    "--dry-run": Words("只试算，不办理", "只試算，不辦理", "only try it"),
    "--overdue": Words("只列逾期的", "只列逾期的", "only what is overdue"),
    "--all": Words("连同已决定的", "連同已決定的", "with what is decided"),
    "--as-of": Words("某日的样子", "某日的樣子", "as it was on that day"),
    "--reason": Words("理由", "理由", "the reason"),
    "--key": Words("用 API 密钥，键入或经管道", "用 API 密鑰，鍵入或經管道", "with an API key, typed or piped"),
    "--of": Words("由谁审批，可写多次", "由誰審批，可寫多次", "who decides; may be said several times"),
    "--stage": Words("阶段", "階段", "in that stage"),
    "--round": Words("届（年度）", "屆（年度）", "of that round"),
    "--organisation": Words("社会组织", "社會組織", "of that organisation"),
    "--fund": Words("资金来源", "資金來源", "paid from that fund"),
    "--awaits": Words("等候哪个角色或岗位", "等候哪個角色或崗位", "waiting for that role or seat"),
    "--search": Words("编号、名称中的字", "編號、名稱中的字", "words of its number or its names"),
    "account": Words("本机账号", "本機賬號", "a local account"),
    "command": Words("命令，如 PayDisbursement", "命令，如 PayDisbursement", "a command, as PayDisbursement"),
    "subject": Words("编号，如 PJ-3", "編號，如 PJ-3", "what it is about, as PJ-3"),
    "approval": Words("审批编号", "審批編號", "the approval's id"),
    "title": Words("事项", "事項", "what is to be decided"),
}


class _Parser(argparse.ArgumentParser):
    """A parser whose own words are in the reader's language, too."""

    def __init__(self, language: str = "en", **more: Any) -> None:  # noqa: ANN401 - the library's own
        super().__init__(add_help=False, formatter_class=argparse.RawDescriptionHelpFormatter, **more)
        self.language = language
        self._optionals.title = self.say(_SECTIONS["options"])
        self._positionals.title = self.say(_SECTIONS["positional arguments"])
        self.option("-h", "--help", action="help")
        self.option("--lang", choices=LANGUAGES, default=argparse.SUPPRESS)

    def say(self, words: Words) -> str:
        return words.in_(self.language)

    def option(self, *names: str, about: str = "", **more: Any) -> None:  # noqa: ANN401 - the library's own
        """An option or an argument, with what is said of it."""
        words = _OPTIONS[about or names[-1]]
        self.add_argument(*names, help=self.say(words), **more)

    def format_usage(self) -> str:
        return super().format_usage().replace("usage: ", self.say(_USAGE), 1)

    def format_help(self) -> str:
        return super().format_help().replace("usage: ", self.say(_USAGE), 1)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.format_usage()}{self.say(_MISUSED)}{message}\n")


def find_language(arguments: Sequence[str] | None) -> str:
    """The language that those arguments ask for, wherever they say it, or else the environment."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--lang")
    return choose_language(parser.parse_known_args(arguments)[0].lang)


def build_parser(language: str, verbs: Mapping[str, Any]) -> argparse.ArgumentParser:
    """The grammar, with help in that language; what each verb calls is given."""
    root = _Parser(language, prog="venture", description=_DESCRIPTION.in_(language))
    root.epilog = f"{_EXAMPLES_HEADING.in_(language)}{_EXAMPLES}"
    nouns = root.add_subparsers(required=True, metavar="NOUN")

    def add(name: str, *also: str, under: Any = nouns) -> _Parser:  # noqa: ANN401 - the library's own
        parser: _Parser = under.add_parser(name.rpartition(" ")[2], language=language, help=_VERBS[name].in_(language))
        parser.description = _VERBS[name].in_(language)
        if name in verbs:
            parser.set_defaults(verb=verbs[name])
            parser.option("-o", "--output", choices=("table", "json", "jsonl"), default="table")
            parser.option("--realm")
            _add_shared(parser, also)
        return parser

    come = add("login")
    come.option("--key", action="store_true")
    come.option("name", about="account", nargs="?")
    add("logout")
    add("whoami")
    for name in ("do", "why-not"):
        command = add(name, "--as", "--at")
        command.option("name", about="command", metavar="COMMAND")
        command.option("subject", metavar="SUBJECT [key=value …]")
        command.set_defaults(given=())
        command.option("--id")
        command.option("--dry-run", action="store_true")
    add("inbox", "--as", "--limit").option("--overdue", action="store_true")
    project = add("project").add_subparsers(required=True, metavar="VERB")
    listed = add("project list", "--limit", under=project)
    listed.option("--overdue", action="store_true")
    for name in ("--stage", "--round", "--organisation", "--fund", "--awaits", "--search"):
        listed.option(name)
    show = add("project show", under=project)
    show.option("subject")
    show.option("--as-of", dest="as_of", metavar="2023-05-20")
    approval = add("approval").add_subparsers(required=True, metavar="VERB")
    add("approval list", "--as", "--limit", under=approval).option("--all", action="store_true")
    add("approval show", under=approval).option("id", about="approval")
    add("approval wait", under=approval).option("id", about="approval", metavar="ID|PJ-3/T1")
    for name in ("approve", "decline", "return"):
        decision = add(f"approval {name}", "--as", "--at", under=approval)
        decision.option("id", about="approval")
        decision.option("--reason")
        decision.option("--id", dest="command_id")
        decision.set_defaults(decision=name)
    opened = add("approval open", "--as", under=approval)
    opened.option("title", metavar="TITLE [key=value …]")
    opened.set_defaults(given=())
    opened.option("--of", action="append", required=True, metavar="all:CAB-DEC#1,CAB-FIN#1|any:CAB-DEC|2:…")
    opened.option("--id", dest="command_id")
    return root


def _add_shared(parser: _Parser, names: Iterable[str]) -> None:
    """What several verbs take: a seat, a time, a page."""
    if "--as" in names:
        parser.option("--as", dest="seat", metavar="ROLE#n")
    if "--at" in names:
        parser.option("--at", metavar="2023-05-22T09:00:00+08:00")
    if "--limit" in names:
        parser.option("--limit", type=int, default=100)
        parser.option("--after")
