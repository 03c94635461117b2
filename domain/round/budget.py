"""年度預算: what the awards of a round take of its approved budget, and a base of its year (M5, C2, C3).

Two accounts a round hold it: what the budget has left, and what is awarded. The budget's account is opened by the
first award after an approval, so that an approval writes nothing that it did not write before; the append refuses
what would overdraw it, so two proposals at one moment cannot both have the last yuan.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.canonical import digest
from domain.kernel.effects import WORLD, Claim, Effect, Post, Release
from domain.kernel.money import Fen, SignedFen, yuan
from domain.kernel.phrase import or_else
from domain.registers.fund import treasury

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.facts import Facts
    from domain.kernel.identifier import StreamId
    from domain.kernel.refusal import Checks
    from domain.round.plan import Round

LATER = ("aside/", "awarded/", "bid/", "budget/", "numbered/", "support/", "undecided/")
"""How the keys begin that no decision asked for before 0.2.0: what was decided without them is judged without them."""


def awarded(realm: str, round_: str) -> str:
    """The account of all live awards of the round."""
    return f"awarded/{realm}/{round_}"


def budget_left(realm: str, round_: str) -> str:
    """The account of what the round's budget has left for awards."""
    return f"budget/{realm}/{round_}"


def undecided(realm: str, round_: str) -> str:
    """The account that counts, one unit each, the bids of the round that wait for a decision."""
    return f"undecided/{realm}/{round_}"


def support_key(realm: str, base: str) -> str:
    """The key of a base's supports; its holders bear their year."""
    return f"support/{realm}/{base}"


def year_key(realm: str, base: str, year: int | None) -> str:
    """The key of a base's one support of that year: the append itself refuses a second (C3)."""
    return f"{support_key(realm, base)}/{year}"


def aside_key(realm: str, round_: str) -> str:
    """The key whose holders are the awards that count towards a set-aside of the round (M11)."""
    return f"aside/{realm}/{round_}"


def mark_aside(by: str, value: str) -> str:
    """What a holder of that key begins with, for a set-aside: ASCII, whatever the city calls it."""
    return digest([by, value])[:16]


def count_asides(holders: Iterable[str]) -> Counter[str]:
    """By mark, what awards count towards each set-aside, in fen."""
    counted: Counter[str] = Counter()
    for holder in holders:
        mark, fen, _ = holder.split("/", 2)
        counted[mark] += int(fen)
    return counted


class Charge(BaseModel):
    """What an award takes of the round's budget, and of a base its one support a year."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    round: Annotated[str, Field(title="屆次 / round")]
    budgeted: Annotated[bool, Field(title="已批預算 / budget approved")]
    """Whether a budget was approved by then; it binds every later award of the round."""
    approval: Annotated[int | None, Field(title="第幾次批復 / approval")] = None
    """Which approval it is the first to draw on; None if another award did before it."""
    opened: Annotated[SignedFen | None, Field(title="預算增減 / change of the budget")] = None
    """What that approval adds to the budget's account, in fen."""
    base: Annotated[str | None, Field(title="基地 / base")] = None
    year: Annotated[int | None, Field(title="年度 / year")] = None
    """The year of the base's support."""
    supports: Annotated[int | None, Field(title="已有扶持 / supports before")] = None
    """How many supports of the base stood before this one."""
    asides: Annotated[tuple[str, ...] | None, Field(title="預留份額 / set-asides")] = None
    """The marks of the set-asides that it counts towards; None where there are none."""
    counted: Annotated[int | None, Field(title="已計項數 / counted before")] = None
    """How many awards counted towards set-asides of the round before this one."""

    def take(self, stream: StreamId, award: Fen) -> Iterable[Effect]:
        """Set the award aside in the round's budget, and take the base's place in its year."""
        realm = stream.realm
        left = budget_left(realm, self.round)
        if self.approval is not None:
            yield Claim(f"appropriation/{realm}/{self.round}/{self.approval}", stream)
        if self.opened is not None and self.opened > 0:
            yield Post(treasury(realm), left, self.opened)
        elif self.opened:
            yield Post(left, treasury(realm), -self.opened)
        yield Post(left if self.budgeted else f"{WORLD}{realm}/unbudgeted", awarded(realm, self.round), award)
        if self.base is not None and self.supports is not None:
            yield Claim(support_key(realm, self.base), f"{self.year}/{stream}", self.supports + 1)
            yield Claim(year_key(realm, self.base, self.year), stream)
        for number, mark in enumerate(self.asides or (), 1):
            yield Claim(aside_key(realm, self.round), f"{mark}/{award}/{stream}", (self.counted or 0) + number)

    def undo(self, stream: StreamId, award: Fen) -> Iterable[Effect]:
        """Give back everything that the award has drawn: budget, support, set-asides."""
        yield from give_back(stream, self.round, award)
        if self.base is not None:
            yield Release(support_key(stream.realm, self.base), f"{self.year}/{stream}")
            yield Release(year_key(stream.realm, self.base, self.year), stream)
        for mark in self.asides or ():
            yield Release(aside_key(stream.realm, self.round), f"{mark}/{award}/{stream}")


def give_back(stream: StreamId, round_: str, fen: Fen) -> Iterable[Effect]:
    """Give money that will not be paid back to the round's budget."""
    if fen:
        yield Post(awarded(stream.realm, round_), budget_left(stream.realm, round_), fen)


def charge_budget(check: Checks, facts: Facts, round_: StreamId, known: Round, award: Fen, rule: str) -> Charge | None:
    """Require that the round's budget covers the award; what it takes. None where a recorded decision did not ask."""
    account = awarded(round_.realm, round_.name)
    if account in facts.unasked:
        return None
    if not known.approvals:
        return Charge(round=round_.name, budgeted=False)
    granted, left = facts.balance(account), facts.balance(budget_left(round_.realm, round_.name))
    require_budget(check, round_.name, known.budget, granted, award, rule)
    opened = known.budget - granted - left
    approval = known.approvals if opened else None
    return Charge(round=round_.name, budgeted=True, approval=approval, opened=opened or None)


def require_budget(check: Checks, round_: str, budget: Fen, granted: Fen, award: Fen, rule: str) -> None:
    """M5, C2: all live awards of the round together keep within what was approved for it."""
    room = max(budget - granted, 0)
    check(
        granted + award <= budget,
        rule,
        "{round} 的年度預算 {budget}，已立項 {granted}，餘 {room}，不足 {award}",
        "the budget of {round} is {budget}, of which {granted} is awarded; the {room} left does not cover {award}",
        round=round_,
        budget=yuan(budget),
        granted=yuan(granted),
        room=yuan(room),
        award=yuan(award),
    )


def require_asides(
    check: Checks, facts: Facts, round_: StreamId, known: Round, award: Fen, traits: frozenset[tuple[str, str]]
) -> tuple[tuple[str, ...] | None, int | None]:
    """M11: what is set aside for others stays; the marks of what the award counts towards, and how many counted before.

    ``traits`` are what the project is: pairs such as ``("FIELD", "助老扶幼")``.
    """
    key = aside_key(round_.realm, round_.name)
    if not known.set_asides or key in facts.unasked:
        return None, None
    holders = facts.holders(key)
    counted, granted = count_asides(holders), facts.balance(awarded(round_.realm, round_.name))
    ours = [aside for aside in known.set_asides if (aside.by.value, aside.value) in traits]
    reserved = sum(max(a.least - counted[a.mark] - (award if a in ours else 0), 0) for a in known.set_asides)
    others = "、".join(a.value for a in known.set_asides if a not in ours and a.least > counted[a.mark])
    check(
        granted + award + reserved <= known.budget,
        "M11",
        "{name} 尚須為 {others} 預留 {reserved}：預算 {budget}，已立項 {granted}，不足 {award}",
        "{reserved} of the budget of {name} are set aside for {others}: of {budget}, {granted} are awarded; "
        "what is left does not cover {award}",
        name=round_.name,
        reserved=yuan(reserved),
        budget=yuan(known.budget),
        granted=yuan(granted),
        award=yuan(award),
        others=or_else(others, "預留對象", "others"),
    )
    return tuple(a.mark for a in ours), len(holders)


def require_first_support(check: Checks, facts: Facts, stream: StreamId, base: str, year: int) -> int:
    """C3: one base, one support a year; how many supports of the base stand, in whatever year."""
    holders = facts.holders(support_key(stream.realm, base))
    others = sorted(h.partition("/")[2].rpartition("/")[2] for h in holders if h.startswith(f"{year}/"))
    check(
        not others,
        "C3",
        "{base} {year} 年已獲扶持（{others}），一個基地一年只扶持一次",
        "{base} has its support of {year} ({others}); one base is supported once a year",
        base=base,
        year=year,
        others=others,
    )
    return len(holders)
