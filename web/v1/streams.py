"""A stream that a request names: there, and the caller's to see; or else as if it were not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from application.access import find_access
from application.queries import NameUnknown
from deciding.fold import load_state
from domain.catalogue import AGGREGATES
from domain.kernel.identifier import StreamId

if TYPE_CHECKING:
    from application.access import Access
    from application.caller import Caller
    from web.house import House


async def require_stream(house: House, caller: Caller, text: str) -> tuple[StreamId, Access]:
    """The stream of that whole id, with what the caller sees of it.

    Raises NameUnknown: alike if it is not there, and if it is not to be seen.
    """
    try:
        stream = StreamId(text)
    except ValueError:
        raise NameUnknown(text[:80]) from None
    state = await load_state(house.store, stream) if stream.kind in AGGREGATES else None
    access = await find_access(house.store, caller.grants, state) if state is not None and state.version else None
    if access is None:
        raise NameUnknown(stream)
    return stream, access
