"""Two schemes are told apart in words."""

from __future__ import annotations

from schemes import scheme_file
from schemes.differences import compare_schemes


def test_a_scheme_does_not_differ_from_itself() -> None:
    fuzhou = scheme_file.load_shipped("fuzhou")
    assert compare_schemes(fuzhou, fuzhou) == ()


def test_each_changed_parameter_is_named_with_both_values() -> None:
    fuzhou = scheme_file.load_shipped("fuzhou")
    longer = scheme_file.vary(fuzhou, {"publicity": {"working_days": 7}, "delivery": {"supervisor_required": False}})
    assert [d.zh for d in compare_schemes(fuzhou, longer)] == [
        "公示·公示期（工作日）：5 → 7",
        "實施與督導·須派督導：是 → 否",
    ]
    assert compare_schemes(fuzhou, longer)[0].en == "publicity: notice period (working days): 5 → 7"


def test_what_was_and_what_is_are_each_said_in_one_language() -> None:
    fuzhou = scheme_file.load_shipped("fuzhou")
    rubric = {**fuzhou.review.rubric, **dict.fromkeys(fuzhou.review.rubric, 0)} | {
        next(iter(fuzhou.review.rubric)): 100
    }
    (changed,) = compare_schemes(fuzhou, scheme_file.vary(fuzhou, {"review": {"rubric": rubric}}))
    assert not any(letter.isascii() and letter.isalpha() for letter in changed.after[0])
    assert changed.after[1].isascii()
