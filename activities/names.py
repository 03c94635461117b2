"""The names that workflows call activities by, and nothing else: no import reaches a database through here."""

CARRY_OUT = "carry_out"
"""``carry_out(CarryOut) -> CarryOutResult``"""
CARRY_OUT_EACH = "carry_out_each"
"""``carry_out_each(BundleRequest) -> BundleResult``"""
OPEN_ROUND = "open_round"
"""``open_round(YearsRound) -> Opened``"""
