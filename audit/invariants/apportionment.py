"""How an amount falls on several funds: in proportion, the last absorbs the rounding (M9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def apportion(amount: int, over: Mapping[str, int]) -> dict[str, int]:
    """Fund and fen: each its share rounded down; what is left over falls on the last that still has as much."""
    total = sum(over.values())
    if amount <= 0 or total <= 0:
        return {}
    names = sorted(over)
    shares = [amount * over[name] // total for name in names]
    left = amount - sum(shares)
    for i in range(len(names) - 1, -1, -1):
        more = min(left, over[names[i]] - shares[i])
        shares[i] += more
        left -= more
    return {name: share for name, share in zip(names, shares, strict=True) if share}
