"""The pictures of the documentation: each that is drawn is there, small enough, and shown somewhere; and no other."""

from __future__ import annotations

from tests.docs.pages import PAGES
from tests.web.console.pictures import FOLDER, MOST_BYTES, PAPER, PICTURES


def test_every_picture_is_there_is_small_and_is_shown() -> None:
    files = {f"{name}.webp" for name in (*PICTURES, PAPER)}
    assert {path.name for path in FOLDER.iterdir()} == files
    assert all(path.stat().st_size <= MOST_BYTES for path in FOLDER.iterdir())
    shown = "".join(page.read_text("utf-8") for page in PAGES)
    assert [name for name in sorted(files) if f"pictures/{name}" not in shown] == []
