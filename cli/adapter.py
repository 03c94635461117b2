"""How a command is asked on this command line: run, and every failure turned into words and an exit code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
import typer
from temporalio.service import RPCError

import bootstrap
from application.door import Defect, Mismatch, NotKnown, Parked, Unsigned
from application.queries import NameAmbiguous, NameUnknown
from cli.help import Typer
from cli.output import Exit, Fault, Printer, words
from domain.kernel.refusal import CommandRejected
from runtime.runtime import OutOfService
from schemes.document import DocumentInvalid
from store.port import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Coroutine

R = TypeVar("R")


def noun(zh: str, en: str) -> typer.Typer:
    """A sub-command that groups verbs."""
    return Typer(help=f"{zh} / {en}", no_args_is_help=True)


def run_work(voice: Printer, work: Coroutine[Any, Any, R]) -> R:
    """Run the work; turn every failure that a person can do something about into words and an exit code."""
    try:
        return asyncio.run(work)
    except CommandRejected as refused:
        if voice.for_people:
            voice.refusal(refused.unmet)
        else:
            voice.json({"refused": [u.model_dump() for u in refused.unmet]})
        raise typer.Exit(Exit.REFUSED) from None
    except DocumentInvalid as faulty:
        raise exit_with(voice, Exit.USAGE, *_faults(faulty)) from None
    except Fault as fault:
        raise exit_with(voice, fault.code, fault.zh, fault.en) from None
    except OutOfService as out:
        raise exit_with(voice, Exit.UNAVAILABLE, out.zh, out.en) from None
    except NameUnknown as unknown:
        raise exit_with(voice, Exit.NOT_FOUND, f"找不到 {unknown.name}", f"there is no {unknown.name}") from None
    except NameAmbiguous as several:
        names = "\n".join(f"  {c}" for c in several.candidates)
        raise exit_with(
            voice,
            Exit.USAGE,
            f"{several.name} 有多個，請用 --realm 指明或寫全稱：\n{names}",
            f"there are several {several.name}; name the realm by --realm, or write the whole id:\n{names}",
        ) from None
    except Mismatch as mismatch:
        raise exit_with(
            voice,
            Exit.CONFLICT,
            f"編號 {mismatch} 已用於另一請求，請換新編號",
            f"the id {mismatch} was used for another request; use a fresh id",
        ) from None
    except NotKnown as unknown:
        raise exit_with(
            voice,
            Exit.UNAVAILABLE,
            f"結果未知（{unknown.why}）。請以同一編號再問：--id {unknown.command_id}"
            "（scenario play 與 bulk 再次運行同一命令即續辦）",
            f"not known ({unknown.why}). Ask again with the same id: --id {unknown.command_id}"
            " (scenario play and bulk go on when the same command is run again)",
        ) from None
    except (StoreUnavailable, Unsigned, RPCError) as gone:
        raise exit_with(voice, Exit.UNAVAILABLE, f"服務不可用：{gone}", f"unavailable: {gone}") from None
    except Defect as defect:
        raise exit_with(
            voice,
            Exit.UNAVAILABLE,
            f"本產品有誤，什麼也沒有記錄；請連同 worker 日誌報告：{defect}",
            f"a fault of this product; nothing was recorded. Report it with the worker's log: {defect}",
        ) from None
    except Parked as parked:
        raise exit_with(
            voice,
            Exit.CONFLICT,
            f"{parked} 已停置待人處理，見 venture doctor",
            f"{parked} is parked and waits for a person; see venture doctor",
        ) from None
    except KeyboardInterrupt:
        raise exit_with(
            voice,
            Exit.UNAVAILABLE,
            "已中斷：所問可能已辦，請先查看；bulk 與 scenario play 再次運行同一命令即續辦，不會重辦",
            "interrupted: it may have been carried out, so look first;"
            " bulk and scenario play go on when the same command is run again, and do nothing twice",
        ) from None
    except Exception as defect:  # noqa: BLE001 - the last line: a person gets words, the log gets the trace
        structlog.get_logger().debug("cli.defect", exc_info=defect)
        told = f"{type(defect).__name__}: {defect}"
        raise exit_with(
            voice,
            Exit.DEFECT,
            f"本產品有誤：{told}（設 VENTURE_LOG_LEVEL=debug 可見詳情）",
            f"a fault of this product: {told} (VENTURE_LOG_LEVEL=debug shows where)",
        ) from None


def _faults(faulty: DocumentInvalid) -> tuple[str, str]:
    zh = "\n".join(f"✗ {f.file}:{f.line} {f.where}:{f.zh}" for f in faulty.faults)
    en = "\n".join(f"✗ {f.file}:{f.line} {f.where}: {f.en}" for f in faulty.faults)
    return zh, en


def exit_with(voice: Printer, code: Exit, zh: str, en: str) -> typer.Exit:
    """Say why it ends; the exit to be raised."""
    if voice.for_people:
        voice.tell(zh, en, "bold red")
    else:
        voice.json({"error": code.name.lower(), "zh": zh, "en": en})
    return typer.Exit(code)


def read_settings() -> bootstrap.Settings:
    """The environment's settings, logging set up. Ends the command if they cannot be used."""
    try:
        settings = bootstrap.settings()
    except bootstrap.SettingsInvalid as invalid:
        words.print(str(invalid), style="bold red", markup=False)
        raise typer.Exit(Exit.USAGE) from None
    quiet = settings if "log_level" in settings.model_fields_set else settings.model_copy(update={"log_level": "error"})
    bootstrap.configure_logging(quiet)
    return settings
