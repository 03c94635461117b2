"""What a command loads before it can answer: a list waits for no rule and for no client of Temporal's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from domain.kernel.message import Command, Event
from tests.cli.installation import ROOT
from tests.tables import mostly

if TYPE_CHECKING:
    from tests.cli.installation import Installation

LOADED = """
import json, sys
sys.argv[0] = "venture"
from cli.app import main
try:
    main()
except SystemExit as ended:
    json.dump([ended.code or 0, sorted(sys.modules)], sys.stderr)
"""
HEAVY = {"asyncpg", "pydantic_settings", "temporalio", "structlog"}
RULES = {"domain.catalogue", "workflows", "activities", "schemes"}


def _load(environment: dict[str, str], *arguments: str) -> set[str]:
    command = [sys.executable, "-c", LOADED, *arguments]
    result = subprocess.run(  # noqa: S603 - our own words, no shell
        command, cwd=ROOT, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    code, modules = json.loads(result.stderr)
    assert code == 0, result.stderr
    return set(modules)


@pytest.mark.full
def test_a_page_of_help_loads_nothing_that_it_only_names(venture: Installation) -> None:
    for page in (("--help",), ("audit", "--help")):
        assert not _load(venture.environment(), *page) & (HEAVY | RULES), page


@mostly(1, "words", [("project", "list"), ("inbox", "--as", "CAB-REG", "-o", "json"), ("round", "list"), ("inbox",)])
def test_a_list_loads_neither_the_rules_nor_a_client_of_temporal(venture: Installation, words: tuple[str, ...]) -> None:
    loaded = _load(venture.environment(), *words)
    assert "store.postgres" in loaded
    assert not loaded & (RULES | {"temporalio"})


@mostly(
    1,
    "words, needless",
    [
        (("scheme", "list"), {"domain.catalogue", "temporalio"}),
        (("project", "show", "--help"), {"temporalio", "schemes", "yaml"}),
        (("round", "show", "--help"), {"temporalio"}),
        (("approval", "list", "--help"), {"temporalio", "schemes", "yaml"}),
        (("seat", "list", "--help"), {"temporalio", "schemes", "yaml"}),
        (("person", "list", "--help"), {"temporalio", "schemes", "yaml"}),
        (("commands",), {"temporalio", "schemes", "yaml"}),
    ],
)
def test_what_only_reads_loads_no_client_of_temporal_and_no_citys_file(
    words: tuple[str, ...], needless: set[str]
) -> None:
    assert not _load(dict(os.environ), *words) & needless


def test_no_form_of_the_domain_reads_its_own_source_when_it_is_loaded() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "domain").rglob("*.py")]
    assert not any("use_attribute_docstrings" in source for source in sources), "it doubles what a form costs"


def test_the_annotations_that_every_command_and_event_inherits_are_read_once() -> None:
    for root in (Command, Event):
        assert root.__class_vars__, "pydantic knows what is about the class alone"
        assert not root.__annotations__, "and reads it again for each of hundreds of subclasses unless it is taken off"


@pytest.mark.full
def test_the_form_of_an_event_is_built_when_one_is_read_and_not_before() -> None:
    count = "import domain.catalogue as c; f = [f for a in c.AGGREGATES.values() for f in (*a.commands, *a.events)]"
    script = f"{count}; print(len(f), sum(one.__pydantic_complete__ for one in f))"
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - likewise
    forms, built = map(int, result.stdout.split())
    assert forms > 200
    assert built == 0
