"""What is missing: a refusal names every unmet condition at once, each with the id of its rule (PR9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from domain.kernel.failure import Failure, FailureKind

if TYPE_CHECKING:
    from domain.kernel.message import Event


class Unmet(BaseModel):
    """One condition that does not hold, its rule (``M2``, ``T07``, ``Z1``…), and what would satisfy it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    zh: str
    en: str


class CommandRejected(Failure):
    """The rules refuse the command as things stand; ``unmet`` is all that is missing."""

    kind = FailureKind.REFUSED
    remedy_zh = "逐項補齊後，以新命令再辦"
    remedy_en = "Satisfy each, then send a new command"

    def __init__(self, unmet: tuple[Unmet, ...]) -> None:
        """Keep every unmet condition."""
        super().__init__(
            "\n".join(("不予辦理，尚缺：", *(f"  ✗ [{u.rule}] {u.zh}" for u in unmet))),
            "\n".join(("Refused. What is missing:", *(f"  ✗ [{u.rule}] {u.en}" for u in unmet))),
            refused=[u.model_dump() for u in unmet],
        )
        self.unmet = unmet

    def __str__(self) -> str:
        return "; ".join(f"{u.rule}: {u.en}" for u in self.unmet)


class Checks:
    """The conditions of one decision. Call it with each; ``grant`` then gives the events, or refuses with all unmet."""

    def __init__(self) -> None:
        """Nothing is unmet yet."""
        self.unmet: list[Unmet] = []

    def __call__(self, held: object, rule: str, zh: str, en: str) -> bool:
        """Note the condition if it does not hold; say whether it did. The texts say what is missing."""
        if not held:
            self.unmet.append(Unmet(rule=rule, zh=zh, en=en))
        return bool(held)

    def grant(self, *events: Event) -> list[Event]:
        """The events, if everything held. Raises CommandRejected with every unmet condition otherwise."""
        if self.unmet:
            raise CommandRejected(tuple(self.unmet))
        return [event.revalidate() for event in events]

    def refuse(self) -> CommandRejected:
        """The refusal itself, to be raised where no event could even be formed."""
        return CommandRejected(tuple(self.unmet))
