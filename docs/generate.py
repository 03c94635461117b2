"""Writes the parts of the documentation that the code knows better: ``./run generate``, after any change.

Tables stand between ``<!-- generated: name -->`` and ``<!-- end -->``; the picture and the schema are files of their
own. Nothing else is touched. ``tests/docs`` holds that all of it is current.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grimp
from typer.main import get_command

from audit.invariants import INVARIANTS
from cli.app import build
from docs.picture import life
from docs.rules import list_sentences, named_rules
from docs.texts import simplified_catalogue
from domain.catalogue import AGGREGATES, command_class, list_commands, list_transitions, stage_words, stage_zh
from domain.kernel.identifier import Role
from domain.kernel.state import ORIGIN, SAME
from languages.catalogue import CATALOGUE
from languages.script import simplify
from scenarios.schema import scenario_schema
from web.app import build_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

DOCS = Path(__file__).resolve().parent
_FIRST = ("project", "round", "need", "panel", "organisation", "base")
_KINDS = {kind: AGGREGATES[kind] for kind in dict.fromkeys((*_FIRST, *AGGREGATES))}
"""What people ask for most stands first."""
EXPECTATIONS = DOCS.parent / "tests" / "policy" / "expectations.txt"
_PAGES = ("architecture.md", "commands.md", "glossary.md", "rules.md")
_PART = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def current() -> Mapping[Path, str]:
    """Every generated file with the text that it ought to have."""
    return {path: write() for path, write in writers().items()}


def writers() -> Mapping[Path, Callable[[], str]]:
    """Every generated file, and how the text is made that it ought to have."""
    scenarios = DOCS.parent / "scenarios"
    return {
        **{path: partial(_fill, path) for path in (DOCS / name for name in _PAGES)},
        DOCS / "life.svg": life,
        scenarios / "scenario.schema.json": lambda: json.dumps(scenario_schema(), ensure_ascii=False, indent=2) + "\n",
        EXPECTATIONS: lambda: extend_expectations(EXPECTATIONS.read_text("utf-8")),
        scenarios / "rules.txt": lambda: "".join(f"{rule}\n" for rule in sorted(named_rules())),
        CATALOGUE: simplified_catalogue,
        DOCS / "openapi.json": lambda: json.dumps(build_routes().openapi(), ensure_ascii=False, indent=1) + "\n",
    }


def _fill(page: Path) -> str:
    return _PART.sub(lambda part: f"{part[1]}\n{_PARTS[part['name']]()}\n{part[3]}", page.read_text("utf-8"))


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _headed(kind: str) -> str:
    return f"### {AGGREGATES[kind].zh} `{kind}`\n"


def _stage(kind: str, stage: str) -> str:
    """A stage by its Chinese word and its code."""
    return f"{stage_zh(kind, stage)} `{stage}`"


def _roles_of(roles: Iterable[str]) -> str:
    """Roles by their Chinese words and their codes."""
    return "、".join(f"{Role(role).zh} `{role}`" for role in roles)


def _target(kind: str, to: str) -> str:
    match to:
        case "SAME":
            return "—"
        case "ORIGIN":
            return "↩ 原階段"
        case _:
            return _stage(kind, to)


def _transitions() -> str:
    """Each kind's changes of stage."""
    parts = []
    rows = list_transitions()
    for kind in _KINDS:
        lines = [
            (
                row.id,
                f"{row.zh} `{row.event}`",
                "、".join(_stage(kind, stage) for stage in row.start),
                _target(kind, row.to) + ("（原階段入棧）" if row.pushes else ""),
                _roles_of(row.roles),
                row.guard,
            )
            for row in rows
            if row.kind == kind
        ]
        parts += [_headed(kind), _table(("編號", "事件 event", "自 from", "至 to", "經辦 by", "條件 guard"), lines)]
    return "\n".join(parts)


def _commands() -> str:
    """Each kind's commands: who, in which stages, what is recorded, and the rule that refuses it elsewhere."""
    parts = []
    rows = list_commands()
    for kind in _KINDS:
        lines = [
            (
                f"`{row.command}`",
                f"{row.zh} `{row.event}`",
                _roles_of(row.roles),
                "、".join(_stage(kind, stage) for stage in row.stages) or "任何 any",
                row.rule,
            )
            for row in rows
            if row.kind == kind
        ]
        parts += [_headed(kind), _table(("命令 command", "記錄 event", "經辦 by", "階段 stages", "規則 rule"), lines)]
    return "\n".join(parts)


def _stages() -> str:
    rows = []
    for kind in _KINDS:
        moves = [row for row in list_transitions() if row.kind == kind]
        named = [stage for row in moves for stage in (*row.start, row.to) if stage not in (ORIGIN, SAME)]
        rows += [
            (simplify(AGGREGATES[kind].zh), *_in_three(*stage_words(kind, stage)), f"`{stage}`")
            for stage in dict.fromkeys(named)
        ]
    return _table(("卷宗 file", *_THREE, "代碼 code"), rows)


def _events() -> str:
    rows = [
        (
            *_in_three(event.zh, event.en),
            f"`{event.event_type}`",
            simplify(decider.zh if decider.zh == aggregate.zh else f"{aggregate.zh}：{decider.zh}"),
        )
        for aggregate in _KINDS.values()
        for decider in aggregate.deciders
        for event in decider.events
    ]
    return _table((*_THREE, "代碼 code", "出處 where"), rows)


def _roles() -> str:
    return _table((*_THREE, "代碼 code"), [(*_in_three(role.zh, role.en), f"`{role}`") for role in Role])


_THREE = ("简体", "繁體", "English")


def _in_three(zh: str, en: str) -> tuple[str, str, str]:
    """A term in each of the three languages."""
    return simplify(zh), zh, en


def _verbs() -> str:
    """The command line's verbs with the first line of their help."""
    rows = []
    for name, command in _leaves(get_command(build()), ()):
        zh, en = re.split(r"\s*/ ", (command.help or "/ ").strip().partition("\n")[0], maxsplit=1)
        rows.append((f"`venture {' '.join(name)}`", zh.translate(_FULL_WIDTH), en.removesuffix(".")))
    return _table(("命令行", "用途", "what it does"), sorted(rows))


_FULL_WIDTH = str.maketrans(",:;()", "\uff0c\uff1a\uff1b\uff08\uff09")


def _leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - the library's own types are private
    inner: dict[str, Any] = getattr(command, "commands", {})
    if not inner:
        yield path, command
    for name, verb in inner.items():
        yield from _leaves(verb, (*path, name))


def _imports() -> str:
    """Which room imports which, as the code has it; an arrow that follows from others is left out."""
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))
    rooms: list[str] = project["tool"]["importlinter"]["root_packages"]
    graph = grimp.build_graph(*rooms, cache_dir=None)
    arrows = {
        (room, other)
        for room, other in permutations(rooms, 2)
        if graph.direct_import_exists(importer=room, imported=other, as_packages=True)
    }
    follows = {(room, other) for room, other in arrows for by in rooms if {(room, by), (by, other)} <= arrows}
    lines = [
        f"    {room} {'-. names .->' if (room, other) == _BY_NAME else '-->'} {other}"
        for room, other in sorted(arrows - follows)
    ]
    return "\n".join(["```mermaid", "graph TD", *lines, "```"]) + "\n"


_BY_NAME = ("workflows", "activities")
"""Workflows import ``activities.names`` and nothing else of it: a contract holds that."""


def _rules() -> str:
    """Each rule: what it is if the log is checked by it, what it says when it refuses, of which commands, and where."""
    sentences_of = list_sentences()
    rows = []
    for rule in sorted(
        named_rules() | INVARIANTS.keys(), key=lambda rule: (rule.rstrip("0123456789"), len(rule), rule)
    ):
        sentences = sentences_of.get(rule, ())
        texts = dict.fromkeys((sentence.zh.lstrip("："), sentence.en.lstrip(": ")) for sentence in sentences)
        bold = [f"**{text}**" for text in INVARIANTS.get(rule, ())] or ["", ""]
        zh, en = ("<br>".join(filter(None, column)) or "—" for column in zip(bold, *texts, strict=True))
        commands = sorted({row.command for row in list_commands() if row.rule == rule})
        modules = dict.fromkeys(sentence.module for sentence in sentences)
        rows.append(
            (
                rule,
                zh,
                en,
                "、".join(f"{command_class(command).zh()} `{command}`" for command in commands),
                " ".join(f"[{module}](../{module})" for module in modules),
            )
        )
    return _table(("規則", "不符時所言", "what it says", "崗位、階段 seats, stages", "出處 where"), rows)


_PARTS: Mapping[str, Callable[[], str]] = {
    "imports": _imports,
    "transitions": _transitions,
    "commands": _commands,
    "stages": _stages,
    "events": _events,
    "roles": _roles,
    "rules": _rules,
    "verbs": _verbs,
}


def extend_expectations(written: str) -> str:
    """The expectations of ``tests/policy`` with a line for each new command, to be reviewed; no line is changed."""
    known = {line.partition(" | ")[0] for line in written.splitlines()}
    commands = {c.command_type: c for aggregate in AGGREGATES.values() for c in aggregate.commands}
    for name, command in commands.items():
        if name not in known:
            whose = " ".join(f"{r}={next(x.id for x in command.acts_for if x.is_about(r))}" for r in command.by)
            written += f"{name} | {command.rule} | {' '.join(command.during) or '*'} | {whose}\n"
    return written


def main() -> None:
    """Write what is not current, and say what was written."""
    for path, text in current().items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            sys.stdout.write(f"{path.relative_to(DOCS.parent)}\n")


if __name__ == "__main__":
    main()
