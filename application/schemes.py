"""What a round rests on: a city's rules and the working days, published by whoever asks, in their own name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deciding.fold import load_state
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import LIVE
from domain.kernel.policy import refuse_role
from domain.registers.calendar import PublishCalendar, calendar_of, calendar_stream
from domain.registers.scheme import PublishPolicyPack, scheme_of, scheme_stream
from schemes.calendars import load_published

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from application.door import Door, Receipt
    from domain.kernel.identifier import Actor
    from domain.kernel.message import Order
    from domain.kernel.refusal import Unmet
    from domain.kernel.scheme import Scheme
    from domain.kernel.state import SchemeRef
    from store.port import EventStore


class SchemeUnpublished(Failure):
    """A round cannot be opened: what it rests on is not published. The texts say what to give, and who may."""

    kind = FailureKind.REFUSED

    def __init__(self, missing: Sequence[tuple[str, str, str, Sequence[str]]], unmet: Sequence[Unmet] = ()) -> None:
        """Say all that is missing: its words, the command that publishes it, and the roles that may.

        Before it stands why who asks may not ask at all, since publishing would not help them.
        """
        zh = [f"{words}尚未發布，由 {'、'.join(by)} 辦理：{command}" for words, _, command, by in missing]
        en = [f"{words} not published, for {' or '.join(by)}: {command}" for _, words, command, by in missing]
        super().__init__(
            "；".join([*(f"[{u.rule}] {u.zh}" for u in unmet), *zh]),
            "; ".join([*(f"[{u.rule}] {u.en}" for u in unmet), *en]),
            commands=[command for _, _, command, _ in missing],
        )


async def require_published(store: EventStore, ref: SchemeRef, year: int, realm: str, order: Order) -> None:
    """Raise SchemeUnpublished unless those rules are published, and the working days that come with the product.

    ``order`` is what rests on them: if who asks has no business with it, that is said as well.
    """
    where = "" if realm == LIVE else f" --realm {realm}"
    missing: list[tuple[str, str, str, Sequence[str]]] = []
    if scheme_of(await load_state(store, scheme_stream(realm, ref.name)), ref) is None:
        by = PublishPolicyPack.by
        command = f"venture scheme publish {ref.name} --as {by[0]}#1{where}"
        missing.append((f"管理辦法 {ref} ", f"the rules {ref} are", command, by))
    if years := [command.year for command in await _list_unpublished(store, year, realm)]:
        by = PublishCalendar.by
        command = f"venture calendar publish {years[0]} --as {by[0]}#1{where}"  # with the next year's
        both_zh, both_en = ("（一個命令發布兩年）", " (one command for both)") if years[1:] else ("", "")
        zh, en = "、".join(map(str, years)), " and ".join(map(str, years))
        missing.append((f"{zh} 年工作日曆{both_zh}", f"the working days of {en}{both_en} are", command, by))
    if missing:
        raise SchemeUnpublished(missing, refuse_role(order))


async def publish_scheme(
    door: Door, store: EventStore, rules: Scheme, actor: Actor, realm: str, at: datetime | None = None
) -> Receipt | None:
    """Publish that version of the rules, as that actor; None if it is there to the letter. Raises CommandRejected.

    In a manual realm it is dated by ``at``.
    """
    stream = scheme_stream(realm, rules.name)
    if scheme_of(await load_state(store, stream), rules.ref) == rules:
        return None
    return await door.send(stream, PublishPolicyPack(scheme=rules), actor, at=at)


async def publish_calendars(door: Door, store: EventStore, year: int, actor: Actor, realm: str) -> list[Receipt]:
    """Publish the working days of that year and the next that come with the product, as that actor; none twice.

    Raises CommandRejected.
    """
    stream = calendar_stream(realm)
    return [await door.send(stream, command, actor) for command in await _list_unpublished(store, year, realm)]


async def _list_unpublished(store: EventStore, year: int, realm: str) -> list[PublishCalendar]:
    """The notices of that year and the next that come with the product and are not published, or only in older form."""
    published = calendar_of(await load_state(store, calendar_stream(realm))).years
    return [
        days.notice
        for days in load_published(year, year + 1)
        if days.year not in published or published[days.year].version < days.version
    ]
