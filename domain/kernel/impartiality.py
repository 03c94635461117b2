"""Who decides a matter without a stake in it: asked of every order once what it takes to tell is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.kernel.facts import Reads

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.kernel.facts import Facts
    from domain.kernel.message import Order
    from domain.kernel.refusal import Unmet
    from domain.kernel.state import State


def _no_reads(_order: Order, _state: State, _facts: Facts) -> Reads:
    return Reads()


def _nothing(_order: Order, _state: State, _facts: Facts) -> tuple[Unmet, ...]:
    return ()


@dataclass(frozen=True)
class Impartiality:
    """What a kind of stream asks of those who decide in it; by itself nothing. Pure, like all that is asked of rules.

    Whom a matter is about is often known only from what was read for it, and on which seats somebody is only from
    that person's own file: so ``reads`` is asked again with what it named, until it names nothing new.
    """

    reads: Callable[[Order, State, Facts], Reads] = _no_reads
    refuse: Callable[[Order, State, Facts], tuple[Unmet, ...]] = _nothing
