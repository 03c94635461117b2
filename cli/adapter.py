"""Between a verb and the command line: options in, one async body run, every failure turned into words and a code."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import structlog
import typer

import bootstrap
from cli.options import Asker, Language, Output
from cli.output import ArgumentInvalid, Form, Printer, by_locale
from cli.streams import ResultLost
from domain.kernel.acting import PersonId
from domain.kernel.failure import Defect, Failure, FailureKind
from domain.kernel.privacy import describe_error
from runtime.store import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from contextlib import AbstractAsyncContextManager
    from enum import StrEnum

    from runtime.runtime import Runtime
    from store.port import EventStore


class Interrupted(Failure):
    """The person at the keyboard broke off."""

    kind = FailureKind.INTERRUPTED
    remedy_zh = "所問可能已辦，請先查看；bulk 與 scenario play 再次運行同一命令即續辦，不會重辦"
    remedy_en = (
        "It may have been carried out, so look first;"
        " bulk and scenario play go on when the same command is run again, and do nothing twice"
    )

    def __init__(self) -> None:
        super().__init__("已中斷", "interrupted")


@dataclass(frozen=True)
class Invocation:
    """One call of a verb: how it answers, and what it works with."""

    printer: Printer
    person: PersonId | None = None
    """Who asks; None for whomever the settings say."""

    @cached_property
    def settings(self) -> bootstrap.Settings:
        """The environment's settings, with who asks this time, logging set up. Raises SettingsInvalid."""
        settings = bootstrap.settings(**({} if self.person is None else {"person": self.person}))
        chosen = "log_level" in settings.model_fields_set
        bootstrap.configure_logging(settings if chosen else settings.model_copy(update={"log_level": "error"}))
        return settings

    @asynccontextmanager
    async def open_store(self) -> AsyncIterator[EventStore]:
        """The log, for a verb that only reads: Temporal is not asked for."""
        async with open_store(self.settings, self.printer.tell) as opened:
            yield opened.store

    def open_runtime(
        self,
        *,
        working: bool = False,
        with_temporal: bool = False,
        lazily: bool = False,
        **changed: Any,  # noqa: ANN401 - whatever a setting may be
    ) -> AbstractAsyncContextManager[Runtime]:
        """The runtime for as long as the block runs, under settings so changed; ``working``, with a worker.

        Without one it needs no Temporal, unless it is asked for; ``lazily`` no Postgres either.
        """
        from runtime.runtime import open_runtime

        settings = self.settings.model_copy(update=changed)
        return open_runtime(settings, self.printer.tell, working=working, with_temporal=with_temporal, lazily=lazily)


def verb(body: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The command that runs that body. Where the body takes its ``invocation``, a person gives --output and --lang.

    A body that asks from a seat, an ``actor``, takes --person. One with an ``output`` of its own knows further forms;
    failures are then told as a table is.
    """
    signature = inspect.signature(body, eval_str=True)
    return _adapt(body, signature, asks="actor" in signature.parameters)


def file_verb(body: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """As ``verb``, of one that asks from the seats that a file names: it takes --person, too."""
    return _adapt(body, inspect.signature(body, eval_str=True), asks=True)


def _adapt(
    body: Callable[..., Coroutine[Any, Any, None]], signature: inspect.Signature, *, asks: bool
) -> Callable[..., None]:
    own_forms = "output" in signature.parameters
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.name == "invocation":
            parameters += [*([_ASKING] if asks else []), *_ANSWERING[own_forms:]]
        else:
            parameters.append(parameter)

    def command(output: StrEnum, lang: str | None, asker: str | None = None, **arguments: object) -> None:
        form = Form(output) if output in set(Form) else Form.TABLE
        try:
            printer = Printer.of(form, lang)
        except ArgumentInvalid as invalid:
            raise exit_with(Printer(form, by_locale()), invalid) from None
        try:
            person = None if asker is None else PersonId(asker)
        except ValueError as wrong:
            raise exit_with(printer, ArgumentInvalid(f"--person {wrong}", f"--person {wrong}")) from None
        if own_forms:
            arguments["output"] = output
        _run(printer, body(invocation=Invocation(printer, person), **arguments))

    command.__name__, command.__doc__, command.__module__ = body.__name__, body.__doc__, body.__module__
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # the library reads it there
        [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    )
    return command


_ASKING = inspect.Parameter("asker", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Asker)
_ANSWERING = [
    inspect.Parameter("output", inspect.Parameter.KEYWORD_ONLY, default=Form.TABLE, annotation=Output),
    inspect.Parameter("lang", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Language),
]


def _run(printer: Printer, work: Coroutine[Any, Any, None]) -> None:
    """Run the work; a failure is told, and gives the exit code."""
    try:
        asyncio.run(work)
    except (typer.Exit, ResultLost):
        raise
    except Failure as failure:
        raise exit_with(printer, failure) from None
    except (KeyboardInterrupt, typer.Abort):
        raise exit_with(printer, Interrupted()) from None
    except Exception as error:  # noqa: BLE001 - the last line: a person gets words, the log gets the trace
        structlog.get_logger().debug("cli.defect", exc_info=error)
        raise exit_with(printer, Defect(describe_error(error))) from None


def exit_with(printer: Printer, failure: Failure) -> typer.Exit:
    """Tell the failure; the exit to be raised."""
    try:
        printer.failure(failure)
    except ResultLost:  # it cannot be told as data; people may still see it, and the code says what it is
        Printer(Form.TABLE, printer.lang).failure(failure)
    return typer.Exit(failure.kind)
