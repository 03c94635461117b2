"""The office's words for fields and values, in Chinese and English, on the things themselves.

A field bears its words as its title, ``Field(title="理由 / reason")``; a value of a closed list as a member
of ``Words``. What a scheme names freely, budget lines and criteria, has its words here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self, get_args

from pydantic.fields import FieldInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

BETWEEN = " / "
"""What stands between the Chinese and the English of a title."""
GLUE = "\u00a0"
"""Between a label and its value: no line ends there."""


class Words(StrEnum):
    """A closed list whose values say what they are called: ``PASS = "PASS", "合格", "pass"``."""

    zh: str
    en: str

    def __new__(cls, value: str, zh: str = "", en: str = "") -> Self:
        """The value is what is recorded; the words are what people read, and may not be left out of a member."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.zh, member.en = zh, en
        return member


def label(field: FieldInfo) -> tuple[str, str]:
    """What a field is called, in Chinese and English. Raises LookupError if it is declared without a title."""
    title = next(_titles(field), None)
    if title is None or BETWEEN not in title:
        message = f'declare it with its words, as in Annotated[…, Field(title="理由{BETWEEN}reason")]; it has {title!r}'
        raise LookupError(message)
    zh, _, en = title.partition(BETWEEN)
    return zh, en


def _titles(of: Any) -> Any:  # noqa: ANN401 - any annotation
    """The title of the field itself, else those of the types that it is declared with."""
    if isinstance(of, FieldInfo):
        if of.title is not None:
            yield of.title
        yield from _titles(of.annotation)
        return
    for noted in getattr(of, "__metadata__", ()):
        if isinstance(noted, FieldInfo) and noted.title is not None:
            yield noted.title
    for inner in get_args(of):
        yield from _titles(inner)


class Named:
    """Marks a type whose values a scheme names freely, and which may have words here: budget lines, criteria."""


NAMED: Mapping[str, tuple[str, str]] = {
    "acceptance": ("居民認可", "acceptance by residents"),
    "activity": ("活動費", "activities"),
    "admin": ("管理費", "administration"),
    "beneficiaries": ("受益面", "beneficiaries"),
    "brand": ("品牌建設", "brand"),
    "budget": ("預算", "budget"),
    "buildings": ("樓堂館所", "office buildings"),
    "capacity": ("能力", "capacity"),
    "delivery": ("執行", "delivery"),
    "design": ("設計", "design"),
    "effect": ("成效", "effect"),
    "effectiveness": ("成效", "effectiveness"),
    "finance": ("財務", "finance"),
    "foreign_travel": ("出國出境", "overseas travel"),
    "hospitality": ("招待", "hospitality"),
    "innovation": ("創新", "innovation"),
    "inputs": ("投入", "inputs"),
    "irregular_pay": ("違規發放", "irregular allowances"),
    "materials": ("物資費", "materials"),
    "need": ("需求", "need"),
    "personnel": ("人員費", "personnel"),
    "replicability": ("可複製", "replicability"),
    "resource_linking": ("資源鏈接", "linking of resources"),
    "sustainability": ("可持續", "sustainability"),
    "training": ("培訓費", "training"),
    "vehicles": ("車輛", "official vehicles"),
    "venue": ("場地費", "venue"),
    "volunteers": ("志願者補貼", "volunteers"),
}
"""Budget lines and criteria as the shipped schemes name them."""
