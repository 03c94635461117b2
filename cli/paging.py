"""Pages on the command line: asking for what is there now, and saying where the next one begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from application.pages import Page, PageRequest

if TYPE_CHECKING:
    from cli.output import Printer
    from store.port import EventStore


async def ask_page(store: EventStore, limit: int, after: str | None) -> PageRequest:
    """A page with everything that the log holds at this moment, if the view comes so far in time."""
    return PageRequest(limit=limit, after=after, at_least=await store.last_position())


def tell_page(page: Page[Any], printer: Printer) -> None:
    """Say how old it is if it is not current, and where the next page begins."""
    if not page.freshness.is_current:
        printer.tell(
            f"此表尚差 {page.freshness.behind} 條記錄", f"this list is {page.freshness.behind} entries behind the log"
        )
    if page.next is not None:
        printer.tell(f"還有下一頁：--after {page.next}", f"there is a next page: --after {page.next}")
