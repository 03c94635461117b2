"""Money: integer fen, never a float (M9)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field


def _whole(value: object) -> object:
    if isinstance(value, bool | float) or (isinstance(value, str) and not value.removeprefix("-").isdecimal()):
        message = "金額以分為單位的整數 / amounts are whole fen (M9)"
        raise ValueError(message)
    return value


Fen = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=2**53 - 1)]
"""An amount of RMB in fen, not negative, exact in any JSON reader."""

SignedFen = Annotated[int, BeforeValidator(_whole), Field(ge=-(2**53) + 1, le=2**53 - 1)]
"""A movement of RMB in fen; negative takes away."""


def yuan(fen: int) -> str:
    """``5000000`` fen as ``¥50,000.00``."""
    sign = "-" if fen < 0 else ""
    whole, cents = divmod(abs(fen), 100)
    return f"{sign}¥{whole:,}.{cents:02d}"
