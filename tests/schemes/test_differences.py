"""Two schemes are told apart in words."""

from __future__ import annotations

from schemes import packs
from schemes.differences import compare_schemes


def test_a_scheme_does_not_differ_from_itself() -> None:
    fuzhou = packs.load_shipped("fuzhou")
    assert compare_schemes(fuzhou, fuzhou) == ()


def test_each_changed_parameter_is_named_with_both_values() -> None:
    fuzhou = packs.load_shipped("fuzhou")
    longer = packs.vary(fuzhou, {"publicity": {"working_days": 7}, "delivery": {"supervisor_required": False}})
    assert [d.zh for d in compare_schemes(fuzhou, longer)] == [
        "公示·公示期（工作日）：5 → 7",
        "實施與督導·須派督導：是 yes → 否 no",
    ]
    assert compare_schemes(fuzhou, longer)[0].en == "publicity: notice period (working days): 5 → 7"
