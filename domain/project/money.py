"""Money of a project: what moved, where it lies fund by fund, and how an amount is split over funds (M3, M9)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from domain.kernel.attachment import Attachment
from domain.kernel.effects import Effect, Post
from domain.kernel.message import Particulars
from domain.kernel.money import Fen
from domain.kernel.state import Part
from domain.registers.fund import committed, envelope, paid, treasury
from domain.round.budget import give_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Order
    from domain.kernel.refusal import Checks


@dataclass(frozen=True)
class Money(Part):
    """What moved, in fen, and where it lies, fund by fund (M3, M9)."""

    paid: Fen = 0
    cancelled: Fen = 0
    returned: Fen = 0
    clawed_back: Fen = 0
    audited: Fen | None = None
    """What the latest audit found eligible; None before one."""
    committed: dict[str, Fen] = field(default_factory=dict)
    """Fund and what is set aside on it for this project, neither paid nor cancelled."""
    out: dict[str, Fen] = field(default_factory=dict)
    """Fund and what was paid from it and has not come back."""

    @property
    def net(self) -> int:
        """Paid less returned less clawed back (M3)."""
        return self.paid - self.returned - self.clawed_back

    def after_payment(self, split: Mapping[str, Fen]) -> Money:
        """The money once that is paid out, in fen by fund."""
        return replace(
            self,
            paid=self.paid + sum(split.values()),
            committed=_shift(self.committed, split, -1),
            out=_shift(self.out, split, 1),
        )

    def after_failure(self, split: Mapping[str, Fen]) -> Money:
        """The same money where that payment came back from the bank, to be asked for again."""
        return replace(
            self,
            paid=self.paid - sum(split.values()),
            committed=_shift(self.committed, split, 1),
            out=_shift(self.out, split, -1),
        )

    def after_cancelling(self, split: Mapping[str, Fen]) -> Money:
        """The same money with that given back to the envelopes unpaid."""
        total = sum(split.values())
        return replace(self, cancelled=self.cancelled + total, committed=_shift(self.committed, split, -1))

    def after_return(self, split: Mapping[str, Fen]) -> Money:
        """The same money with that come back by itself."""
        return replace(self, returned=self.returned + sum(split.values()), out=_shift(self.out, split, -1))

    def after_clawback(self, split: Mapping[str, Fen]) -> Money:
        """The money once that is clawed back, in fen by fund."""
        return replace(self, clawed_back=self.clawed_back + sum(split.values()), out=_shift(self.out, split, -1))


def _shift(funds: Mapping[str, Fen], split: Mapping[str, Fen], sign: int) -> dict[str, Fen]:
    return {name: funds.get(name, 0) + sign * split.get(name, 0) for name in {**funds, **split}}


def apportion(amount: Fen, over: Mapping[str, Fen]) -> dict[str, Fen]:
    """The amount split over what lies on the funds, in proportion; the last fund absorbs the rounding (M9).

    No fund gives more than it has: where the last could not bear all of the rounding, the one before it helps.
    More than all funds have is split as if it were all they have; the rules refuse it before.
    """
    total = sum(over.values())
    amount = min(amount, total)
    names = sorted(over)
    split = {name: amount * over[name] // total for name in names} if total else {}
    left = amount - sum(split.values())
    for name in reversed(names):
        absorbed = min(left, over[name] - split.get(name, 0))
        if absorbed:
            split[name] += absorbed
            left -= absorbed
    return {name: share for name, share in split.items() if share}


Proof = Annotated[tuple[Attachment, ...] | None, Field(max_length=50, title="憑證 / proof")]
"""What shows that money came back; None where it was taken from papers."""


def require_proof(check: Checks, order: Order, proof: tuple[Attachment, ...] | None) -> None:
    """V1: wherever persons are known, money that comes back is shown to have come."""
    check(
        proof or not order.persons,
        "V1",
        "退回的款項須附到賬憑證",
        "attach the proof of payment for money that is returned",
    )


class CommitmentsFreed(Particulars):
    """Committed money that goes back to its envelopes and to the round's budget."""

    split: Annotated[dict[str, Fen], Field(title="資金來源分攤 / split by fund")]
    """Fund and fen (M9)."""
    charged: Annotated[str | None, Field(title="屆（年度） / round")] = None
    """The round to whose budget it goes back; None if its award took nothing of one."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Give each fund's share back to its envelope, and the sum to the budget."""
        for fund, share in sorted(self.split.items()):
            yield Post(committed(stream, fund), envelope(stream.realm, fund), share)
        if self.charged is not None:
            yield from give_back(stream, self.charged, sum(self.split.values()))


class MoneyReturned(Particulars):
    """Money that went from the project back to where funds are filled from."""

    split: Annotated[dict[str, Fen], Field(title="資金來源分攤 / split by fund")]
    """Fund and fen (M9)."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Take each fund's share off what was paid to the project; it is not awarded again."""
        for fund, share in sorted(self.split.items()):
            yield Post(paid(stream, fund), treasury(stream.realm), share)
