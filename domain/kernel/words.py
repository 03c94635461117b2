"""The office's words for fields and values, in Chinese and English, on the things themselves.

A field bears its words as its title, ``Field(title="理由 / reason")``; a value of a closed list as a member
of ``Words``. What a scheme names freely, budget lines and criteria, has its words here.
"""

from __future__ import annotations

import re
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
    "buildings": ("樓堂館所建設", "office buildings"),
    "capacity": ("能力", "capacity"),
    "delivery": ("執行", "delivery"),
    "design": ("設計", "design"),
    "effect": ("成效", "effect"),
    "effectiveness": ("成效", "effectiveness"),
    "finance": ("財務", "finance"),
    "foreign_travel": ("因公出國（境）費", "overseas travel"),
    "hospitality": ("公務接待費", "hospitality"),
    "innovation": ("創新", "innovation"),
    "inputs": ("投入", "inputs"),
    "irregular_pay": ("違規發放津補貼", "irregular allowances"),
    "materials": ("物資費", "materials"),
    "need": ("需求", "need"),
    "personnel": ("人員費", "personnel"),
    "replicability": ("可複製", "replicability"),
    "resource_linking": ("資源鏈接", "linking of resources"),
    "standing-team": ("常態化志願隊", "standing volunteer team"),
    "sustainability": ("可持續", "sustainability"),
    "training": ("培訓費", "training"),
    "vehicles": ("公務用車購置及運行費", "official vehicles"),
    "venue": ("場地費", "venue"),
    "volunteers": ("志願者補貼", "volunteers"),
}
"""Budget lines and criteria as the shipped schemes name them."""


_CODES: dict[str, tuple[str, str]] = {}


def name_code(code: str, zh: str, en: str) -> None:
    """Say what a code is called that stands in events and schemes: an event's type, where it is a payment condition."""
    _CODES[code] = (zh, en)


def code_words(code: str) -> tuple[str, str] | None:
    """What a budget line, a criterion or a payment condition is called, in Chinese and English; None of another text.

    ``MilestoneMet/x`` is called by its event and by its own name, or what that is called.
    """
    known = NAMED.get(code) or _CODES.get(code)
    event, _, name = code.partition("/")
    if known is None and name.isascii() and event in _CODES:
        (zh, en), (name_zh, name_en) = _CODES[event], NAMED.get(name, (name, name))
        return f"{zh} {name_zh}", f"{en} {name_en}"
    return known


def call_code(code: str) -> tuple[str, str]:
    """The same, and any other text by itself."""
    return code_words(code) or (code, code)


def split_name(name: str) -> str:
    """The name of a class in words: ``AwardConfirmed`` is "award confirmed"."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


FORMER: Mapping[str, str] = {
    "主體核驗": "申報資格核驗",
    "停止申報資格": "取消申報資格",
    "出殼": "孵化期滿（出殼）",
    "列入失信/異常名單": "列入活動異常名錄或嚴重違法失信名單",
    "出國出境": "因公出國（境）費",
    "任理事監事": "近24個月內任理事或監事",
    "任職": "近24個月內任職",
    "作廢": "是否作廢",
    "取酬": "近24個月內領取報酬",
    "回避": "回避專家",
    "利益關係申報": "利害關係申報",
    "協議簽訂": "簽訂資助協議",
    "問責移送": "問題線索移送",
    "專家抽取": "抽取評審專家",
    "專賬備案": "收款賬戶備案",
    "專賬變更核實": "收款賬戶變更核實",
    "年度輪次取消": "年度徵集取消",
    "年度輪次排定": "年度徵集排定",
    "徵集終止": "本屆徵集取消",
    "整改不合格": "整改未通過",
    "整改合格": "整改通過",
    "招待": "公務接待費",
    "摘要": "校驗值",
    "時鐘設定": "時鐘設置",
    "更正提出": "提出更正",
    "更正確認": "確認更正",
    "未入選": "未立項",
    "核減/取消撥付": "核減或取消撥付",
    "申報提交": "提交申報書",
    "申報起草": "填寫申報書",
    "登入綁定": "登錄綁定",
    "立項批復": "立項審批",
    "終止程序啟動": "擬終止告知",
    "評審決議": "審定評審結果",
    "輪次": "屆（年度）",
    "車輛": "公務用車購置及運行費",
    "樓堂館所": "樓堂館所建設",
    "違規發放": "違規發放津補貼",
    "結果公開": "結果公布",
    "第二經辦人": "共同辦理人",
    "遞補": "遞補專家",
    "預算撤回": "預算調減或取消",
    "點位": "實施點",
    "追回到賬": "收回資金到賬",
    "追回決定": "收回資金決定",
    "追繳移送": "逾期移送追繳",
    "逾期拒收": "逾期不予受理",
    "逾期未簽": "逾期未簽約",
    "進度報告/自評": "進度報告（自評報告）",
}
"""What commands and fields were called before, with what they are called now: the old words are still understood."""


def present_word(word: str) -> str:
    """What is called so today; a word that was never replaced is itself."""
    return FORMER.get(word, word)
