"""The root of the command line: its nouns and verbs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cli import (
    approval,
    audit,
    bulk,
    calendar,
    command,
    doctor,
    go_live,
    inbox,
    project,
    realm,
    reconcile,
    scenario,
    scheme,
    servers,
)
from cli import round as round_
from cli.help import Typer

if TYPE_CHECKING:
    import typer


NOUNS = {
    "project": project.app,
    "round": round_.app,
    "scenario": scenario.app,
    "scheme": scheme.app,
    "calendar": calendar.app,
    "realm": realm.app,
    "approval": approval.app,
    "audit": audit.app,
}
VERBS = {
    "do": command.do_command,
    "why-not": command.why_not_command,
    "commands": command.commands_command,
    "demo": servers.demo_command,
    "up": servers.up_command,
    "reset": servers.reset_command,
    "reconcile": reconcile.reconcile_command,
    "resurrect": reconcile.resurrect_command,
    "go-live": go_live.go_live_command,
    "inbox": inbox.inbox_command,
    "bulk": bulk.bulk_command,
    "doctor": doctor.doctor_command,
    "migrate": doctor.migrate_command,
}


def build() -> typer.Typer:
    """The whole command line."""
    app = Typer(
        name="venture",
        help="公益創投項目全程引擎 / the life of public-welfare venture projects",
        no_args_is_help=True,
        epilog="例 examples: venture project list · venture do confirm-award PJ-3 --as CAB-DEC#1",
    )
    for name, group in NOUNS.items():
        app.add_typer(group, name=name)
    for name, function in VERBS.items():
        app.command(name)(function)
    return app


def main() -> None:
    """Run the command line."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--lang"]:
        rest = arguments[2:]
        arguments = [*rest, *arguments[:2]] if rest and rest != ["--help"] else ["--help"]
    build()(arguments, prog_name="venture")
