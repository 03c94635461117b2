"""The names that workflows call activities by, and by which commands: no import reaches a database through here."""

CARRY_OUT = "carry_out"
"""``carry_out(CarryOut) -> CarryOutResult``"""
CARRY_OUT_EACH = "carry_out_each"
"""``carry_out_each(BundleRequest) -> BundleResult``"""
OPEN_ROUND = "open_round"
"""``open_round(AnnualOpening) -> AnnualOpeningResult``"""
TELL_CLOCK = "tell_clock"
"""``tell_clock() -> datetime``"""
WAIT_FOR_APPROVAL = "wait_for_approval"
"""``wait_for_approval(ApprovalAsked) -> ApprovalDecided``"""

GROUP_DECISIONS = frozenset({"ResolveRound"})
"""Commands that decide over many streams in one append, which takes longer than a workflow's task may.

Recorded histories tell by the command's name how it was carried out: a name more needs a ``workflow.patched`` more.
"""
