"""Three languages: who reads which, and that what people typed is never taken for words of ours."""

from __future__ import annotations

import pytest

from docs.texts import list_texts
from domain.kernel.identifier import Role
from domain.kernel.phrase import word
from domain.kernel.refusal import Checks, Unmet
from languages import Language, choose_language, read_language
from languages.catalogue import CATALOGUE, read_catalogue
from languages.script import simplify
from tests.tables import every_row
from web.language import negotiate, prefer

HANS, HANT, EN = Language
TYPED = "後台「醫療」隊{n}"
"""What an organisation might call itself, in characters of its own choice."""


@every_row(
    "tag, language",
    [
        ("zh", HANS),
        ("zh_CN.UTF-8", HANS),
        ("zh-SG", HANS),
        ("zh-Hans-HK", HANS),
        ("zh_TW.UTF-8", HANT),
        ("zh-HK", HANT),
        ("zh_MO", HANT),
        ("ZH-hant", HANT),
        ("en_GB.UTF-8@euro", EN),
        ("C", None),
        ("C.UTF-8", None),
        ("POSIX", None),
        ("fr", None),
        ("", None),
        ("zh-", None),
        ("../../en", None),
    ],
)
def test_a_tag_or_a_locale_tells_the_language(tag: str, language: Language | None) -> None:
    assert read_language(tag) is language


def test_where_nothing_tells_the_standard_characters_are_read() -> None:
    assert choose_language(["C.UTF-8", None, "", "POSIX"]) is HANS
    assert choose_language([None, "zh_TW", "en"]) is HANT


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-TW,zh;q=0.9,en;q=0.8", HANT),
        ("zh-CN,zh;q=0.9", HANS),
        ("zh-Hant-HK", HANT),
        ("fr, en;q=0.3", EN),
        ("fr", HANS),
        (None, HANS),
        ("en;q=0", HANS),
        ("," * 5_000 + "en", HANS),
    ],
)
def test_a_browser_is_answered_in_what_it_likes_best_of_ours(header: str | None, language: Language) -> None:
    assert negotiate(header, HANS) is language


def test_what_was_chosen_on_a_page_comes_before_the_browser() -> None:
    assert prefer("zh-Hant", "en", HANS) is HANT
    assert prefer("<script>", "en", HANS) is EN


def _refused(zh: str, en: str, **params: object) -> Unmet:
    check = Checks()
    assert not check(False, "AP02", zh, en, **params)
    (unmet,) = check.unmet
    return unmet


def test_a_refusal_keeps_what_was_typed_in_each_language() -> None:
    unmet = _refused("該單位 {name} 無獨立賬戶", "{name} has no account", name=TYPED)
    assert HANS.say(unmet.zh, unmet.en) == f"该单位 {TYPED} 无独立账户"
    assert HANT.say(unmet.zh, unmet.en) == f"該單位 {TYPED} 無獨立賬戶"
    assert EN.say(unmet.zh, unmet.en) == f"{TYPED} has no account"


def test_words_of_ours_in_a_refusal_are_in_the_reader_s_language() -> None:
    unmet = _refused("由{by}辦理，現為{now}", "for {by}; it is {now}", by=Role.AUDIT, now=word("無", "none"))
    assert (HANS.say(unmet.zh, unmet.en), EN.say(unmet.zh, unmet.en)) == (
        "由审计机构办理，现为无",
        "for auditor; it is none",
    )


def test_several_are_listed_as_each_language_lists_them() -> None:
    unmet = _refused("缺簽署方 {parties}", "signatures of {parties} are missing", parties=["民政局", Role.COMM])
    assert HANS.say(unmet.zh, unmet.en) == "缺签署方 民政局、社区（村）"
    assert EN.say(unmet.zh, unmet.en) == "signatures of 民政局, community committee are missing"


def test_a_refusal_is_recorded_as_rule_template_and_particulars_and_read_again() -> None:
    unmet = _refused("該單位 {name} 無獨立賬戶", "{name} has no account", name=TYPED)
    recorded = unmet.model_dump(mode="json")
    assert recorded == {
        "rule": "AP02",
        "zh": "該單位 {name} 無獨立賬戶",
        "en": "{name} has no account",
        "params": {"name": TYPED},
    }
    assert Unmet.model_validate(recorded) == unmet
    assert len({unmet, Unmet.model_validate(recorded)}) == 1


def test_a_refusal_of_before_keeps_its_words_and_what_was_typed_in_them() -> None:
    unmet = Unmet.model_validate({"rule": "AP02", "zh": f"{TYPED} 無獨立賬戶", "en": f"{TYPED} has no account"})
    assert HANT.say(unmet.zh, unmet.en) == f"{TYPED} 無獨立賬戶"
    assert HANS.say(unmet.zh, unmet.en) == f"{TYPED} 无独立账户"


def test_a_value_that_both_languages_show_alike_is_shown_as_it_is() -> None:
    assert HANS.say("後台醫療隊", "後台醫療隊") == "後台醫療隊"


@pytest.mark.full
def test_a_catalogue_is_read_as_it_was_written() -> None:
    """That it is as the code writes it today is asked of all that is generated (``tests/docs/test_pages.py``)."""
    assert dict(read_catalogue(CATALOGUE.read_text("utf-8"))).keys() == list_texts()


def test_what_opencc_leaves_is_an_exception_of_ours() -> None:
    assert simplify("接著「著作」的『後台』，乾隆餘額") == "接着“著作”的‘后台’，乾隆余额"
    assert simplify("套用：字元、底線、連字號；蚌埠 443 埠") == "应用：字符、下划线、连字符；蚌埠 443 端口"
