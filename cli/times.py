"""A time as a table shows it. It loads no rules, so that a list need not wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.kernel.calendar import closing_time

if TYPE_CHECKING:
    from datetime import datetime

    from cli.output import Printer


def deadline_time(at: datetime, printer: Printer, *, provisional: bool) -> str:
    """A date of the future; one that counts days of an unpublished year says that a notice may still move it."""
    return closing_time(at) + (printer.say("（暫定）", " (provisional)") if provisional else "")
