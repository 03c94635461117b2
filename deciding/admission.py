"""What is refused before anything is read for it, at the door and once more behind Temporal, and leaves no trace.

None of it could ever succeed under that id and in that form, so nothing is journalled: the id stays free, and whatever
else it may belong to is not stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.kernel.identifier import Role
from domain.kernel.privacy import refuse_personal_data
from domain.kernel.refusal import Unmet

if TYPE_CHECKING:
    from domain.kernel.envelope import Envelope

MOST_BYTES = 256 * 1024
"""Of a command's particulars, in canonical JSON."""


def find_inadmissible(envelope: Envelope) -> tuple[Unmet, ...]:
    """Every reason for which the command is not even taken in."""
    size = _size(envelope)
    personal = () if size else refuse_personal_data(envelope.body, envelope.subject.name)
    return tuple(unmet for unmet in (_id(envelope), _actor(envelope), size, *personal) if unmet is not None)


def _id(envelope: Envelope) -> Unmet | None:
    """Deadlines, consequences and rows of files have derived ids: whoever took one could stop them for good."""
    if envelope.command_id.version != _DERIVED or envelope.derived:
        return None
    return Unmet.of(
        "ID01",
        "編號 {command_id} 屬引擎推導之列（UUID 版本 5），不可自定；請換一個編號（版本 4 或 7）",
        "the id {command_id} is of a kind that the engine derives (UUID version 5); use version 4 or 7",
        command_id=envelope.command_id,
    )


def _actor(envelope: Envelope) -> Unmet | None:
    if envelope.actor.role is not Role.SYS or envelope.derived:
        return None
    return Unmet(
        rule="ID02",
        zh="到期事項由系統自動辦理，任何人不得以系統名義辦理",
        en="nobody but the engine acts as SYS",
    )


def _size(envelope: Envelope) -> Unmet | None:
    try:
        size = len(envelope.particulars)
    except (ValueError, RecursionError) as wrong:
        return Unmet.of("SZ02", "內容無法入檔：{wrong}", "the particulars cannot be recorded: {wrong}", wrong=wrong)
    if size <= MOST_BYTES:
        return None
    return Unmet.of(
        "SZ01",
        "內容 {size} 字節，至多 {most_bytes}；大件請作附件，只填校驗值",
        "the particulars take {size} bytes, of at most {most_bytes}; attach what is large by its digest",
        size=f"{size:,}",
        most_bytes=f"{MOST_BYTES:,}",
    )


_DERIVED = 5
"""The version of every id that ``domain.kernel.identifier.derive_id`` makes."""
