"""The pages of the documentation, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_EXIT = re.compile(r"\s+# exit (\d)$")


@dataclass(frozen=True)
class Command:
    """A line of a block that is marked for running, with the exit code that it promises."""

    words: str
    exit_code: int


def blocks(page: Path, info: str) -> list[str]:
    """The fenced blocks of that page so marked, e.g. ``sh run``."""
    return [fence["text"] for fence in _FENCE.finditer(page.read_text("utf-8")) if fence["info"].strip() == info]


def commands(page: Path) -> Iterator[Command]:
    """What the page says to type, in order; ``# exit n`` behind a line promises n, and nothing promises 0."""
    for block in blocks(page, "sh run"):
        for line in filter(None, block.splitlines()):
            promised = _EXIT.search(line)
            yield Command(_EXIT.sub("", line), int(promised[1]) if promised else 0)


def prose(page: Path) -> str:
    """The page without blocks, code and addresses."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    return re.sub(r"`[^`\n]*`|\]\([^)]*\)|<[^>\n]*>", "`", text)


def links(page: Path) -> list[str]:
    """What the page links to on this site: paths and anchors."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    return [to for to in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in to]


def named(page: Path) -> list[str]:
    """Files that the page names in code, with what follows ``::``."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    return re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|md|yaml|svg|json|sql|toml)(?:::\w+)?)`", text)


def names(page: Path) -> set[str]:
    """What the page calls by name in code and Python writes with underscores: functions, fields, modules."""
    spans = re.findall(r"`([^`\n]+)`", _FENCE.sub("", page.read_text("utf-8")))
    return {name for span in spans if "://" not in span for name in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", span)}


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
