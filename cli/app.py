"""The root of the command line: its nouns and verbs, and the modules that declare them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from cli.help import Nouns, Typer
from cli.loading import Verbs

if TYPE_CHECKING:
    import typer

NOUNS = {
    "project": ("項目：從申報到歸檔 / projects, from application to archive", ("cli.project_list", "cli.project")),
    "round": ("輪次：一次徵集 / rounds: one call each", ("cli.round",)),
    "scenario": ("情景：可播放的帶日期故事 / dated stories that can be played", ("cli.scenario",)),
    "scheme": ("管理辦法：各市規則 / schemes: the cities' rules", ("cli.scheme",)),
    "approval": ("審批：等待中的決定 / approvals: decisions that are waited for", ("cli.approval",)),
    "audit": ("審計：核驗、重演、還原某日 / audit: verify, replay, see any day again", ("cli.audit",)),
}
VERBS = ("cli.command", "cli.servers", "cli.reconcile", "cli.go_live", "cli.inbox", "cli.bulk", "cli.doctor")
"""The modules of the verbs that stand alone."""


class Root(Nouns):
    """The whole command line, of which only what is called is loaded."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - the library's own types are private
        """Take the nouns and verbs of the tables above."""
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
        cls=Root,
    )
    app.callback()(_nothing)
    return app


def _nothing() -> None:
    """Do nothing before a verb; with this the library makes a group."""


def main() -> None:
    """Run the command line."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--lang"]:
        rest = arguments[2:]
        arguments = [*rest, *arguments[:2]] if rest and rest != ["--help"] else ["--help"]
    build()(arguments, prog_name="venture")
