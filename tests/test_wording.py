"""What readers are told: in the office's words, nothing of the machinery, and the same particulars in each language."""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from docs.rule_ids import named_rules
from domain.catalogue import AGGREGATES
from domain.kernel.identifier import Role
from domain.kernel.phrase import list_places
from domain.kernel.words import FORMER
from languages.catalogue import CATALOGUE, read_catalogue
from languages.script import simplify
from tests.tables import every_row

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
SAYS = frozenset({"check", "require_another_person", "_require", "of"})
"""What a refusal is said with: a rule, its Chinese and its English."""
BEHIND = re.compile(r"(?i)\b(streams?|realms?|fold(s|ed|ing)?|projections?|followers?|agenda|parked)\b")
"""Words of the machinery that no page says, not even to auditors and administrators."""
TYPED = re.compile(r"--?\w+|\{\w*\}|«\w+»|stream\.parked")
"""What is typed or searched for by just that name."""
RULE = re.compile(r"[A-Z]{1,2}\d{1,2}|CLOCK")
PLACE = re.compile(r"\{\w+\}")
ENGINE = re.compile(
    r"(?i)\b(temporal|workflow|worker|stream|realm|fold|guard|gate|bids?|bidders?|publicity|clawback)\b"
)
"""Words of the machinery, and of a translator: an office says none of them."""
MACHINERY = re.compile("工作流|事件流|時鐘域|撥付閘|累計器|續行|Temporal")
TAIWANESE = re.compile(
    "帳|程式|雜湊|資料庫|資料夾|磁碟|字串|欄位|命令列|試算表|預設|缺省|設定|透過|品質|軟體|硬體|網路|資訊|螢幕|滑鼠|列印|登入|登出"
    "|檢視|使用者|影片|支援|專案|擁有者|呼叫|連線|聯絡|亂數|缺件|法人代表|利益關係|聽證|上海時間|・|【|】"
)
"""Words that a mainland office does not write; the source is free of them, so that simplifying it is enough."""
CODE = re.compile(r"(?<![{\w/-])(?!VENTURE_)(?:[A-Z]{2,}_[A-Z_]+|[A-Z]{5,}|[a-z]+_[a-z_]+)(?![}\w])")
"""The code of a value or of a field; a setting of the command line is typed as it is."""


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _calls(*rooms: str) -> Iterator[ast.Call]:
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield from (node for node in ast.walk(_parse(path)) if isinstance(node, ast.Call))


def _refusals() -> Iterator[tuple[str, str]]:
    for call in _calls("domain", "deciding"):
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        match call.args[-2:]:
            case [ast.Constant(value=str(zh)), ast.Constant(value=str(en))] if name in SAYS and re.search(
                "[一-鿿]", zh
            ):
                yield zh, en
            case _:
                pass


def _say(node: ast.expr) -> str:
    """The text of that node, with a bare ``{}`` in the place of each value; empty where it is none."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_say(part) or "{}" for part in parts)
        case _:
            return ""


def _pages() -> Iterator[tuple[str, str]]:
    """Every text that may come to stand on a page, Chinese beside English."""
    for room in ("application", "audit", "domain", "papers", "web/components", "web/console"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(_parse(path)):
                match node:
                    case ast.Call(args=row) | ast.Tuple(elts=row):
                        texts = [_say(one) for one in row]
                        yield from ((zh, en) for zh, en in pairwise(texts) if re.search("[一-鿿]", zh) and en)
                    case _:
                        pass


@every_row("zh, en", _refusals())
def test_a_refusal_is_in_the_office_s_words_and_says_the_same_in_both(zh: str, en: str) -> None:
    assert not (unknown := list_places(en) - list_places(zh)), f"the Chinese does not say {unknown}"
    assert ENGINE.search(PLACE.sub("", en)) is None
    assert MACHINERY.search(zh) is None
    assert CODE.search(PLACE.sub("", zh)) is None
    assert list_places(simplify(zh)) == list_places(zh)


@pytest.mark.full
def test_no_page_says_a_word_of_the_machinery() -> None:
    pairs = {*_pages(), *((one.zh, word) for one in AGGREGATES.values() for word in (one.en, one.en_many))}
    assert ("視圖", "Views") in pairs
    assert sorted(en for _, en in pairs if BEHIND.search(TYPED.sub("", en))) == []
    assert sorted(zh for zh, _ in pairs if re.search("事件流|時鐘域|跟隨者|投影|折疊|停置", zh)) == []


def test_a_refusal_keeps_what_it_is_about_apart_from_its_words() -> None:
    """An f-string has no other language and escapes every test of words: a template with its particulars has both."""
    calls = [call for call in _calls("domain", "deciding") if getattr(call.func, "id", "") in SAYS - {"of"}]
    assert len(calls) > len(set(_refusals())) / 2
    pieces = {
        ast.unparse(call)
        for call in calls
        for text in call.args
        for n in ast.walk(text)
        if isinstance(n, ast.JoinedStr)
    }
    assert sorted(pieces) == []


def test_every_rule_has_its_words_where_it_can_refuse() -> None:
    """By a condition that names it, or as the rule of a command for other roles and other stages."""
    rules = {command.rule for aggregate in AGGREGATES.values() for command in aggregate.commands}
    for path in [*ROOT.glob("domain/**/*.py"), *ROOT.glob("deciding/**/*.py")]:
        text = path.read_text("utf-8")
        if "check(" in text or "Unmet" in text or "Relation(" in text:
            rules |= set(re.findall(rf'"({RULE.pattern})"', text))
    assert sorted(named_rules() - rules) == []


def test_the_source_has_no_word_that_the_mainland_does_not_write() -> None:
    """By the catalogue, which has every text of the source (tests/docs/test_pages.py)."""
    former = {*FORMER, *FORMER.values()}
    texts = {text for text, _ in read_catalogue(CATALOGUE.read_text("utf-8"))} - former
    assert "需求" in texts
    assert sorted(text for text in texts if TAIWANESE.search(text)) == []


def test_every_command_and_event_is_called_by_words_in_english() -> None:
    commands = [command.en() for aggregate in AGGREGATES.values() for command in aggregate.commands]
    events = [event.en for aggregate in AGGREGATES.values() for event in aggregate.events]
    assert [name for name in (*commands, *events) if not re.fullmatch("[a-z][a-z -]*", name)] == []


@every_row("former", sorted(FORMER))
def test_a_word_of_before_is_no_longer_said(former: str) -> None:
    assert former not in {event.zh for aggregate in AGGREGATES.values() for event in aggregate.events}
    assert former not in {role.zh for role in Role}
