"""The words of pages, kept in one place a room as pairs of Chinese and English, and said in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from web.language import Language

Texts = Mapping[str, tuple[str, str]]
"""By a name that templates know, what is said in Chinese and in English; ``{n}`` stands for what is filled in."""

Speak = Callable[..., str]
"""Of a text's name and what is filled in, the words."""

COMMON: Final[Texts] = {
    "product": ("公益創投業務平臺", "Community venture grants"),
    "skip": ("跳至主要內容", "Skip to main content"),
    "nav": ("主導航", "Main"),
    "nav_inbox": ("我的待辦", "My tasks"),
    "nav_projects": ("項目", "Projects"),
    "nav_portfolio": ("總覽", "Portfolio"),
    "nav_needs": ("需求", "Needs"),
    "nav_rounds": ("屆（年度）", "Rounds"),
    "nav_registers": ("登記冊", "Registers"),
    "nav_reviews": ("我的評審", "My reviews"),
    "nav_audit": ("審計", "Audit"),
    "nav_schemes": ("管理辦法", "Rules"),
    "nav_admin": ("系統管理", "Administration"),
    "nav_public": ("信息公開", "Public register"),
    "nav_notices": ("立項公示", "Public notices"),
    "nav_posted": ("資助項目", "Projects funded"),
    "nav_money": ("資金公開", "Where the money went"),
    "nav_enter": ("登錄", "Sign in"),
    "find": ("查找編號或名稱", "Find a number or a name"),
    "find_button": ("查找", "Find"),
    "sign_in": ("登錄", "Sign in"),
    "sign_out": ("退出", "Sign out"),
    "language": ("語言", "Language"),
    "seat": ("崗位", "Seat"),
    "change": ("更改", "Change"),
    "apply": ("套用", "Apply"),
    "error": ("錯誤", "Error"),
    "error_prefix": ("錯誤：", "Error: "),
    "provisional": ("（暫定）", " (provisional)"),
    "overdue": ("逾期", "overdue"),
    "none": ("無", "none"),
    "realm": ("環境", "Environment"),
    "live": ("正式", "live"),
    "all": ("全部", "All"),
    "next_page": ("下一頁", "Next page"),
    "first_page": ("回到第一頁", "Back to the first page"),
    "as_sheet": ("導出 Excel", "Export to Excel"),
    "behind": (
        "列表尚未包含最近 {n} 條記錄（截至 {at}），請稍後刷新。",
        "The list does not yet show the last {n} records (as of {at}). Reload in a moment.",
    ),
    "beijing": ("時間均為北京時間", "All times are Beijing time"),
    "rule": ("規則 {rule}", "rule {rule}"),
}
"""What every page may say."""


def speaker(language: Language, texts: Texts) -> Speak:
    """What says those texts, and the common ones, in that language. Raises KeyError for a name that is not there."""
    known = {**COMMON, **texts}

    def speak(name: str, /, **values: object) -> str:
        words = language.say(*known[name])
        return words.format(**values) if values else words

    return speak
