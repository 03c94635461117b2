"""Two schemes side by side: every parameter that differs, in the office's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.kernel.scheme import Scheme

SECTIONS = {
    "needs": "需求徵集",
    "bidding": "申報",
    "budget": "預算",
    "review": "評審",
    "publicity": "公示",
    "contract": "簽約",
    "payment": "撥付",
    "delivery": "實施與督導",
    "evaluation": "評估",
    "remedy": "整改、終止、追回",
    "closing": "結項與歸檔",
}
PARAMETERS = {
    "name": "名稱",
    "version": "版本",
    "city": "城市",
    "title": "標題",
    "edition": "規則版次",
    "effective": "施行日",
    "route": "方式",
    "window_wd": "窗口（工作日）",
    "per_organisation": "每家可報項數",
    "completion_wd": "補正期限（工作日）",
    "joint": "可聯合申報",
    "cap_fen": "申報上限（分）",
    "blacklist_years": "黑名單年限",
    "minimum_rating": "最低評估等級",
    "rating_bonus": "等級加分",
    "personnel_max": "人員費上限（%）",
    "administration_max": "管理費上限（%）",
    "forbidden": "禁止支出",
    "match_min": "自籌下限（%）",
    "panel": "評審席位",
    "drop_extremes": "去掉最高最低分",
    "line": "入圍分數線",
    "recusal_months": "回避期（月）",
    "rubric": "評分權重",
    "working_days": "公示期（工作日）",
    "objection_decision_wd": "異議處理期限（工作日）",
    "signing_wd": "簽約期限（工作日）",
    "payment_wd": "付款期限（工作日）",
    "supervisor_required": "須指派督導",
    "community_required": "須有社區",
    "minor_variation_percent": "輕微變更上限（%）",
    "pass_mark": "合格分",
    "midterm_rubric": "中期權重",
    "midterm_report_wd": "自評期限（工作日）",
    "grades": "等級",
    "final_report_months": "結項報告期限（月）",
    "standing_team_months": "常態化志願隊活動月數",
    "rectify_wd": "整改期限（工作日）",
    "extensions": "可延期次數",
    "hearing_wd": "申辯期限（工作日）",
    "clawback_days": "追回期限（日）",
    "ban_years": "停報年限",
    "retention_years": "保存年限",
}


@dataclass(frozen=True)
class SchemeDifference:
    """One parameter that differs."""

    section: str
    """Empty for the scheme's own head."""
    parameter: str
    before: str
    after: str

    @property
    def zh(self) -> str:
        """In a sentence."""
        where = f"{SECTIONS[self.section]}・" if self.section else ""
        return f"{where}{PARAMETERS.get(self.parameter, self.parameter)}：{self.before} → {self.after}"

    @property
    def en(self) -> str:
        """In a sentence."""
        where = f"{self.section}." if self.section else ""
        return f"{where}{self.parameter}: {self.before} → {self.after}"


def compare_schemes(one: Scheme, other: Scheme) -> tuple[SchemeDifference, ...]:
    """What changes from one scheme to the other, section by section in the order of life."""
    return tuple(_between("", one.model_dump(mode="json"), other.model_dump(mode="json")))


def _between(section: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[SchemeDifference]:
    for name, value in before.items():
        if name in SECTIONS and not section:
            yield from _between(name, value, after[name])
        elif value != after[name]:
            yield SchemeDifference(section, name, _written(value), _written(after[name]))


def _written(value: object) -> str:
    match value:
        case None:
            return "無 none"
        case bool():
            return "是 yes" if value else "否 no"
        case dict():
            return ", ".join(f"{k} {_written(v)}" for k, v in value.items()) or "無 none"
        case list():
            return (
                ", ".join(" ".join(map(str, v.values())) if isinstance(v, dict) else str(v) for v in value) or "無 none"
            )
        case _:
            return str(value)
