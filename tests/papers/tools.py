"""What Debian has to read papers with: poppler-utils, libreoffice-writer-nogui (``deploy/debian-for-tests``)."""

from __future__ import annotations

import subprocess
from pathlib import Path


def read_pdf(file: Path, *options: str) -> str:
    """Its text."""
    done = subprocess.run(["pdftotext", *options, file, "-"], check=True, capture_output=True)  # noqa: S603, S607 - ours
    return done.stdout.decode()


def convert_to_pdf(folder: Path) -> None:
    """Have LibreOffice open every document of that folder, and print it to a PDF beside it."""
    profile = f"-env:UserInstallation=file://{folder}/profile"
    documents = sorted(folder.glob("*.docx"))
    words: list[str | Path] = ["soffice", "--headless", profile, "--convert-to", "pdf", "--outdir", folder, *documents]
    subprocess.run(words, check=True, timeout=240, capture_output=True)  # noqa: S603 - our own words


def squeeze(text: str) -> str:
    """The text without spaces and line ends, which depend on where lines break."""
    return "".join(text.split())
