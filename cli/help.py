"""Help pages: Chinese letters are two cells wide, examples keep their lines, and every page fits eighty columns."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from functools import partial
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, TypeVar

import typer
import typer.core
from rich.cells import cell_len

from cli.cell import wrap
from cli.output import ArgumentInvalid, Printer
from cli.verbs import Verbs
from languages import Language
from languages.script import simplify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Command = TypeVar("Command", bound="Callable[..., Any]")

WIDE = 80
_LITERAL = ("例", "\b", "退出碼")
"""A paragraph that begins so keeps its lines."""
_COLUMN = 30
"""Where the second column of a list begins at most."""


_USAGE: type[Any] = typer.BadParameter.__mro__[1]
"""What the library raises for words that it cannot read."""
_TRANSLATIONS = (
    (r"^No such option: (\S+?)\.?(?= |$)", r"沒有選項 \1"),
    (r"^No such command '(.+?)'\.", r"沒有命令 \1。"),
    (r" ?\(?(?:Did you mean|Possible options:) (.+?)[?)]$", r" 是否為 \1？"),
    (r"^Missing (?:option|argument|parameter):? '?(.+?)'?\.?$", r"缺少 \1"),
    (r"^Got unexpected extra arguments?(?:\(s\))? \((.*)\)", r"多出：\1"),
    (r"^Invalid value for '(.+?)': (?:Value error, )?", r"\1 不合："),
    (r"' / '", " / "),
    (r"^Option '(.+?)' requires an argument\.?", r"\1 之後須有值"),
    (r"Input should be a valid integer.*", "須為整數"),
    (r"Input should be a valid number.*", "須為數字"),
    (r"Input should be a valid UUID.*", "須為 UUID，如 3f0c7a52-5d1e-4a6b-9c55-0e4f2f6f1a10"),
    (r"Input should be greater than or equal to (\S+)", r"須不小於 \1"),
    (r"Input should be less than or equal to (\S+)", r"須不大於 \1"),
    (r"'(.*)' is not one of (.+)\.", r"只可為 \2"),
)


@contextmanager
def _translate_usage_errors(words: Sequence[str]) -> Iterator[None]:
    """Whatever the library says about those words, in the reader's language and in the form that they ask for."""
    try:
        yield
    except _USAGE as wrong:
        if type(wrong).__name__ != "NoArgsIsHelpError":
            wrong.show = partial(_show, wrong, words)
        raise


def _show(wrong: Any, words: Sequence[str], _file: object = None) -> None:  # noqa: ANN401 - the library's own types are private
    en: str = wrong.format_message()
    zh = en
    for english, chinese in _TRANSLATIONS:
        zh = re.sub(english, chinese, zh, count=1, flags=re.DOTALL)
    failure = ArgumentInvalid(_abridge(zh), _abridge(en))
    failure.remedy_zh = failure.remedy_en = f"{wrong.ctx.command_path if wrong.ctx else 'venture'} --help"
    Printer.of_words(words).failure(failure)


def _abridge(message: str) -> str:
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"


_LONGEST_MESSAGE = 400


class Nouns(typer.core.TyperGroup):
    """A group of commands whose help is a page of ours."""

    words: Sequence[str] = ()
    """What was typed."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **settings: Any) -> Any:  # noqa: ANN401 - the library's own types are private
        """Parse the words, with usage errors in the reader's language."""
        self.words = tuple(args)
        with _translate_usage_errors(self.words):
            return super().make_context(info_name, args, parent, **settings)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the library's own types are private
        """Read the words of the command, and carry it out."""
        with _translate_usage_errors(self.words):
            return super().invoke(ctx)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - the library's own types are private
        """Name them, and load none of them."""
        return list(self.commands)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - the library's own types are private
        """Write the page."""
        commands = self.commands
        headline = commands.headline if isinstance(commands, Verbs) else lambda name: commands[name].help
        rows = [(name, _first_line(headline(name))) for name in self.list_commands(ctx)]
        formatter.write(_in_reader_script(_page(self, ctx, [("命令 commands", rows)])))


class Verb(typer.core.TyperCommand):
    """A command whose help is a page of ours."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - the library's own types are private
        """Write the page."""
        formatter.write(_in_reader_script(_page(self, ctx, [])))


class Typer(typer.Typer):
    """The library's own, with our help pages."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - whatever the library takes
        defaults = {"cls": Nouns, "pretty_exceptions_enable": False, "rich_markup_mode": None}
        super().__init__(**{**defaults, **settings})

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Command], Command]:  # noqa: ANN401 - whatever the library takes
        """Register a command, one of ours."""
        return super().command(name, **{"cls": Verb, **settings})


def _first_line(text: str | None) -> str:
    return cleandoc(text or "").partition("\n")[0].removesuffix(".")


def _in_reader_script(page: str) -> str:
    """A page that says both languages, in the script that its reader reads: all of it is ours, nothing was typed."""
    return simplify(page) if Printer.of_words(sys.argv).lang is Language.HANS else page


def _page(command: Any, ctx: Any, lists: list[tuple[str, list[tuple[str, str]]]]) -> str:  # noqa: ANN401 - as above
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    lines = [f"用法 usage: {usage}", ""]
    for paragraph in re.split(r"\n\s*\n", cleandoc(command.help or "")):
        lines += [*_paragraph(paragraph), ""]
    lists = [*lists, ("參數 arguments", []), ("選項 options", [])]
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None:
            argument = param.param_type_name == "argument"
            lists[-2 if argument else -1][1].append(_translate(*record, argument=argument))
    for title, rows in lists:
        if rows:
            lines += [f"{title}:", *_lay_out(rows), ""]
    if command.epilog:
        lines += [*wrap(command.epilog, WIDE), ""]
    return "\n".join(lines)


_TEXTS = {
    "Show this message and exit.": "顯示此說明 / show this page",
    "Install completion for the current shell.": "為目前的 shell 安裝補全 / install completion",
    "Show completion for the current shell, to copy it or customize the installation.": (
        "印出補全腳本 / print the script of completion"
    ),
}


def _translate(names: str, text: str, *, argument: bool) -> tuple[str, str]:
    """A parameter as the office reads it; the library's own texts in its words."""
    names = re.sub(r" ?<.*>$", "", names) if argument else names.replace("<list[str]>", "<str> …")
    text = text.replace("[required]", "[必填 required]").replace("[default: ", "[默認 default: ")
    return names, _TEXTS.get(text, text)


def _paragraph(text: str) -> Iterator[str]:
    if text.startswith(_LITERAL):
        for line in text.removeprefix("\b").strip("\n").split("\n"):
            yield from [line] if line.startswith(" ") else wrap(line, WIDE)
    else:
        yield from wrap(" ".join(text.split()), WIDE)


def _lay_out(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    rows = list(rows)
    column = min(_COLUMN, max(cell_len(names) for names, _ in rows) + 4)
    for names, text in rows:
        lines = wrap(text, WIDE - column)
        lead = f"  {names}"
        if cell_len(lead) > column - 2:
            yield lead
        else:
            yield f"{lead}{' ' * (column - cell_len(lead))}{lines.pop(0) if lines else ''}".rstrip()
        yield from (f"{' ' * column}{line}" for line in lines)
