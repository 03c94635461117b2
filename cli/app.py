"""The root of the command line: its nouns and verbs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cli import (
    approval,
    audit,
    bulk,
    command,
    doctor,
    go_live,
    inbox,
    project,
    reconcile,
    scenario,
    scheme,
    servers,
)
from cli import round as round_
from cli.help import Typer

if TYPE_CHECKING:
    import typer


def build() -> typer.Typer:
    """The whole command line."""
    app = Typer(
        name="venture",
        help="公益創投項目全程引擎 / the life of public-welfare venture projects",
        no_args_is_help=True,
        epilog="例 examples: venture project list · venture do confirm-award PJ-3 --as CAB-DEC#1",
    )
    for name, sub in (
        ("project", project.app),
        ("round", round_.app),
        ("scenario", scenario.app),
        ("scheme", scheme.app),
        ("approval", approval.app),
        ("audit", audit.audit_app),
    ):
        app.add_typer(sub, name=name)
    command.add_to(app)
    servers.add_to(app)
    reconcile.add_to(app)
    go_live.add_to(app)
    inbox.add_to(app)
    bulk.add_to(app)
    doctor.add_to(app)
    return app


def main() -> None:
    """Run the command line."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--lang"]:
        rest = arguments[2:]
        arguments = [*rest, *arguments[:2]] if rest and rest != ["--help"] else ["--help"]
    build()(arguments, prog_name="venture")
