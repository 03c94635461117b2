"""What is missing: a refusal names every unmet condition at once, each with the id of its rule (PR9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.failure import Failure, FailureKind
from domain.kernel.phrase import Param, Phrase, read_params

if TYPE_CHECKING:
    from domain.kernel.message import Event


class Unmet(BaseModel):
    """One condition that does not hold, its rule (``M2``, ``T07``, ``Z1``…), and what would satisfy it."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, defer_build=True)

    rule: str
    zh_template: str = Field(alias="zh")
    """In Traditional Chinese: its key in the catalogue. Of an entry of before, the whole text."""
    en_template: str = Field(alias="en")
    params: Annotated[dict[str, Param], Field(exclude_if=lambda params: not params)] = {}
    """What stands at the templates' places; none in an entry of before, whose texts are whole."""

    @classmethod
    def of(cls, rule: str, zh: str, en: str, /, **params: object) -> Unmet:
        """The condition with its texts, and what stands at their ``{places}`` kept apart from the words."""
        return cls(rule=rule, zh=zh, en=en, params=read_params(params))

    @property
    def zh(self) -> Phrase:
        """The condition in Traditional Chinese."""
        return Phrase.in_chinese(self.zh_template, self.params)

    @property
    def en(self) -> Phrase:
        """The condition in English."""
        return Phrase.in_english(self.en_template, self.params)

    def on(self, file: str) -> Unmet:
        """The same condition, said of that file."""
        if not self.params:
            return Unmet(rule=self.rule, zh=f"{file}：{self.zh}", en=f"{file}: {self.en}")
        zh, en = f"{{file}}：{self.zh_template}", f"{{file}}: {self.en_template}"
        return Unmet(rule=self.rule, zh=zh, en=en, params={**self.params, "file": file})

    def __hash__(self) -> int:
        return hash((self.rule, self.zh, self.en))

    def as_json(self) -> dict[str, str]:
        """For a machine: the rule, and the condition in both languages of the code."""
        return {"rule": self.rule, "zh": self.zh, "en": self.en}


class CommandRejected(Failure):
    """The rules refuse the command as things stand; ``unmet`` is all that is missing."""

    kind = FailureKind.REFUSED
    remedy_zh = "逐項補齊後，以新命令再辦"
    remedy_en = "Satisfy each, then send a new command"

    def __init__(self, unmet: tuple[Unmet, ...]) -> None:
        super().__init__(
            "\n".join(("不予辦理，原因如下：", *(f"  ✗ [{u.rule}] {u.zh}" for u in unmet))),
            "\n".join(
                ("Not carried out. The following conditions are not met:", *(f"  ✗ [{u.rule}] {u.en}" for u in unmet))
            ),
            refused=[u.as_json() for u in unmet],
        )
        self.unmet = unmet

    def __str__(self) -> str:
        return "; ".join(f"{u.rule}: {u.en}" for u in self.unmet)


class Checks:
    """The conditions of one decision. Call it with each; ``grant`` then gives the events, or refuses with all unmet."""

    def __init__(self) -> None:
        self.unmet: list[Unmet] = []

    def __call__(self, held: object, rule: str, zh: str, en: str, /, **params: object) -> bool:
        """Note the condition if it does not hold; say whether it did. The texts say what would satisfy it.

        ``params`` stand at the texts' ``{places}`` and are kept apart from the words, so that another language can be
        put to them and what people typed is never taken for ours.
        """
        if not held:
            self.unmet.append(Unmet.of(rule, zh, en, **params))
        return bool(held)

    def grant(self, *events: Event) -> list[Event]:
        """The events, if everything held. Raises CommandRejected with every unmet condition otherwise."""
        if self.unmet:
            raise CommandRejected(tuple(self.unmet))
        return [event.revalidate() for event in events]

    def refuse(self) -> CommandRejected:
        """The refusal itself, to be raised where no event could even be formed."""
        return CommandRejected(tuple(self.unmet))
