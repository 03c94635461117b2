"""What a service is told to type works, typed in another directory, with nothing of ours to import but the client."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import PAGES, ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.installation import Installation

TOLD = "http://127.0.0.1:8080"
"""The address that the pages say; the installation of these tests has another."""
README, API = ROOT / "README.md", ROOT / "docs" / "api.md"


@pytest.fixture(scope="module")
def served(venture: Installation) -> Installation:
    """The installation, once it answers over HTTP and has the round that the pages speak of."""
    end = time.monotonic() + 120
    while not _is_ready(venture.address):
        assert time.monotonic() < end, (venture.home / "logs" / "web.log").read_text("utf-8")
        time.sleep(0.2)
    opened = venture.ask("round", "open", "R-FZ-2027", "--scheme", "fuzhou", "--as", "CAB-REG#1")
    assert opened.exit_code in (0, 1), opened.output  # 1: another page's commands have opened it
    return venture


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _type(blocks_of: list[str], served: Installation, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Type them one after another into one shell, far from the checkout."""
    run = f"{sys.executable} {ROOT / 'starter.py'}"
    text = "\n".join(blocks_of).replace(TOLD, served.address).replace("./run ", f"{run} ")
    return subprocess.run(  # noqa: S603 - our own words
        ["/bin/bash", "-euo", "pipefail", "-c", text],
        cwd=tmp_path,
        env=served.environment(VENTURE_LANG="en"),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tour_of_a_service_works_as_it_is_told(served: Installation, tmp_path: Path) -> None:
    typed = _type([*blocks(README, "sh curl"), 'printf "\\nKEY=%s" "$KEY"'], served, tmp_path)
    assert typed.returncode == 0, typed.stderr + typed.stdout
    assert '"would_be":"accepted"' in typed.stdout, "tried as whoever holds the seat, as it is then sent"
    assert typed.stdout.count('"events":["NeedSubmitted"]') >= 2, "asked twice, answered twice alike"
    key = typed.stdout.rpartition("KEY=")[2]
    for block in blocks(README, "python client"):
        ran = subprocess.run(  # noqa: S603 - our own words, no shell
            [sys.executable, "-c", block.replace(TOLD, served.address)],
            cwd=tmp_path,
            env=served.environment(PYTHONPATH=str(ROOT / "client"), KEY=key),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.split()[0] in {"GRANTED", "REFUSED", "RETURNED", "EXPIRED", "VOID"}, (
            "whichever was opened first"
        )


@pytest.mark.full
def test_everything_that_the_guide_shows_in_curl_is_answered(served: Installation, tmp_path: Path) -> None:
    typed = _type(blocks(API, "sh curl"), served, tmp_path)
    assert typed.returncode == 0, typed.stderr + typed.stdout
    assert "urn:venture:problem:" not in typed.stdout, typed.stdout
    assert '"done":true' in typed.stdout


def test_no_other_page_has_curl_that_nobody_tries() -> None:
    assert [page for page in PAGES if blocks(page, "sh curl") and page not in (README, API)] == []
