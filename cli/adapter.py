"""How a command is asked on this command line: run, and every failure turned into words and an exit code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
import typer

import bootstrap
from cli.help import Typer
from cli.output import Printer, words
from domain.kernel.failure import Defect, Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Coroutine

R = TypeVar("R")


def noun(zh: str, en: str) -> typer.Typer:
    """A sub-command that groups verbs."""
    return Typer(help=f"{zh} / {en}", no_args_is_help=True)


def run_work(voice: Printer, work: Coroutine[Any, Any, R]) -> R:
    """Run the work; a failure is told, and gives the exit code."""
    try:
        return asyncio.run(work)
    except Failure as failure:
        raise exit_with(voice, failure) from None
    except KeyboardInterrupt:
        raise exit_with(voice, Interrupted()) from None
    except Exception as error:  # noqa: BLE001 - the last line: a person gets words, the log gets the trace
        structlog.get_logger().debug("cli.defect", exc_info=error)
        raise exit_with(voice, Defect(f"{type(error).__name__}: {error}")) from None


class Interrupted(Failure):
    """The person at the keyboard broke off."""

    kind = FailureKind.UNAVAILABLE
    remedy_zh = "所問可能已辦，請先查看；bulk 與 scenario play 再次運行同一命令即續辦，不會重辦"
    remedy_en = (
        "It may have been carried out, so look first;"
        " bulk and scenario play go on when the same command is run again, and do nothing twice"
    )

    def __init__(self) -> None:
        """Say so."""
        super().__init__("已中斷", "interrupted")


def exit_with(voice: Printer, failure: Failure) -> typer.Exit:
    """Tell the failure; the exit to be raised."""
    voice.failure(failure)
    return typer.Exit(failure.kind)


def read_settings() -> bootstrap.Settings:
    """The environment's settings, logging set up. Ends the command if they cannot be used."""
    try:
        settings = bootstrap.settings()
    except bootstrap.SettingsInvalid as invalid:
        words.print(str(invalid), style="bold red", markup=False)
        raise typer.Exit(FailureKind.USAGE) from None
    quiet = settings if "log_level" in settings.model_fields_set else settings.model_copy(update={"log_level": "error"})
    bootstrap.configure_logging(quiet)
    return settings
