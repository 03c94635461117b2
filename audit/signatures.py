"""Whether every command that the log took in is a door's, unchanged, by a key that counted then.

Only the log is needed for it: keys are published and withdrawn in it, and a command's signed bytes are rebuilt from its
entry. Whatever was recorded before the log's first key has no signature, and needs none.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from audit.finding import FindingKind
from deciding import warrant
from domain.kernel.identifier import LIVE
from domain.registers.door_key import KIND, DoorKeyPublished

if TYPE_CHECKING:
    from deciding.journal import Journal
    from deciding.warrant import Warrant
    from domain.kernel.refusal import Unmet
    from domain.kernel.state import State
    from store.port import Entry

LAG: Final = timedelta(minutes=5)
"""How long after a key was judged its command may be recorded: conflicts are decided again, disks are slow."""
DERIVED: Final = 5
"""The version of every id that the engine derives; whatever nobody asked for has one."""

KINDS: Final = {
    warrant.MISSING: FindingKind.UNSIGNED,
    warrant.UNKNOWN: FindingKind.FOREIGN_KEY,
    warrant.FORGED: FindingKind.FORGED,
    warrant.DATED: FindingKind.EXPIRED_KEY,
    warrant.WITHDRAWN: FindingKind.WITHDRAWN_KEY,
    warrant.FOREIGN_SEAT: FindingKind.WRONG_SEAT,
}
"""What a rule of ``deciding.warrant`` is called in a finding."""


def is_first_key(entry: Entry) -> bool:
    """Whether from that event on whatever is asked must be signed."""
    return entry.stream.kind == KIND and entry.type == DoorKeyPublished.event_type


def find_fault(
    entry: Entry, journal: Journal, rests_on: Warrant, state: State | None, *, must_be_signed: bool
) -> Unmet | None:
    """Why that command of the journal does not count as a door's; None if it does, or need not be one's.

    ``state`` is the stream of what it rests on, as it stood before the entry. ``must_be_signed`` says whether a key
    stood in the log by then.
    """
    if journal.digest is None and journal.signature is None:
        is_own = entry.command_id.version == DERIVED or not must_be_signed
        return None if is_own else warrant.build_unmet(warrant.MISSING, "")
    if journal.signature is None and not must_be_signed:
        return None
    is_dated = entry.stream.realm != LIVE  # a realm's clock is known to the log only where it was set by an event
    return rests_on.find_fault(state, entry.recorded_at, is_dated=is_dated, lag=LAG)
