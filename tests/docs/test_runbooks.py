"""A page for each alert, of the same four parts, naming figures, log events and commands that there are."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.docs.pages import ROOT
from tests.docs.test_log_events import PAGE
from tests.tables import every_row

RUNBOOKS = ROOT / "docs" / "runbooks"
RULES = yaml.safe_load((ROOT / "deploy" / "prometheus-rules.yaml").read_text("utf-8"))
ALERTS = {rule["alert"] for group in RULES["groups"] for rule in group["rules"]}
PARTS = ["何意 / What it means", "看什麼 / Look at", "做什麼 / Do", "何時已畢 / Over when"]


def test_each_alert_has_a_page_and_each_page_an_alert() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == ALERTS


@every_row("page", sorted(RUNBOOKS.glob("*.md")))
def test_a_page_says_what_it_means_what_to_look_at_what_to_do_and_when_it_is_over(page: Path) -> None:
    text = page.read_text("utf-8")
    head, *parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    assert head.strip() == f"# {page.stem}"
    assert parts[::2] == PARTS
    assert all(part.strip() for part in parts[1::2])


@every_row("page", sorted(RUNBOOKS.glob("*.md")))
def test_what_a_page_names_is_there(page: Path) -> None:
    text, operations = page.read_text("utf-8"), PAGE.read_text("utf-8")
    for figure in re.findall(r"`((?:venture|temporal)_[a-z_]+)", text):
        assert figure in operations or figure.removesuffix("_total") in operations, figure
    for event in re.findall(r"`((?:worker|stream|follower|command|clock|agenda|build|bulk|cli)\.[a-z_]+)`", text):
        assert f"| `{event}` |" in operations, event
    for script in re.findall(r"bin/(\w+\.sh)", text):
        assert (ROOT / "deploy" / "postgres" / "bin" / script).exists(), script
    commands = (ROOT / "docs" / "operations.md").read_text("utf-8") + (ROOT / "docs" / "commands.md").read_text("utf-8")
    for words in re.findall(r"`venture (\w+(?: list| current| move| show)?)", text):
        assert f"venture {words.split()[0]}" in commands, words
