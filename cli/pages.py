"""Lists on the command line: filters out of options, what is there now, and where the next page begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from application.pages import Page, PageRequest
from cli.output import ArgumentInvalid

if TYPE_CHECKING:
    from application.pages import Freshness
    from cli.output import Printer
    from store.port import EventStore


F = TypeVar("F", bound=BaseModel)


def read_filter(of: type[F], **words: Any) -> F:  # noqa: ANN401 - whatever the options say
    """The filter of these options. Raises ArgumentInvalid."""
    try:
        return of(**words)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        name, reason = ".".join(map(str, first["loc"])), first["msg"]
        raise ArgumentInvalid(f"篩選條件無效：{name}（{reason}）", f"no filter: {name}: {reason}") from None


async def ask_page(store: EventStore, limit: int, after: str | None) -> PageRequest:
    """A page with everything that the log holds at this moment, if the view comes so far in time."""
    return read_filter(PageRequest, limit=limit, after=after, at_least=await store.last_position())


def print_page(page: Page[Any], printer: Printer) -> None:
    """Say how old it is if it is not current, and where the next page begins."""
    print_freshness(page.freshness, printer)
    if page.next is not None:
        printer.tell(f"還有下一頁：--after {page.next}", f"there is a next page: --after {page.next}")


def print_freshness(freshness: Freshness, printer: Printer) -> None:
    """Say how old what was read is, if it is not current."""
    if not freshness.is_current:
        printer.tell(f"此表尚差 {freshness.behind} 條記錄", f"this list is {freshness.behind} entries behind the log")
