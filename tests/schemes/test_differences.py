"""Two schemes are told apart in words."""

from __future__ import annotations

from domain.kernel.scheme import Scheme
from schemes import packs
from schemes.differences import PARAMETERS, SECTIONS, compare_schemes


def test_a_scheme_does_not_differ_from_itself() -> None:
    fuzhou = packs.load_shipped("fuzhou")
    assert compare_schemes(fuzhou, fuzhou) == ()


def test_each_changed_parameter_is_named_with_both_values() -> None:
    fuzhou = packs.load_shipped("fuzhou")
    longer = packs.vary(fuzhou, {"publicity": {"working_days": 7}, "delivery": {"supervisor_required": False}})
    assert [d.zh for d in compare_schemes(fuzhou, longer)] == [
        "公示・公示期（工作日）：5 → 7",
        "實施與督導・須指派督導：是 yes → 否 no",
    ]
    assert compare_schemes(fuzhou, longer)[0].en == "publicity.working_days: 5 → 7"


def test_every_section_and_parameter_has_the_offices_word() -> None:
    for name, field in Scheme.model_fields.items():
        if name in SECTIONS:
            section = field.annotation
            assert section is not None
            assert set(section.model_fields) <= set(PARAMETERS), name
        else:
            assert name in PARAMETERS
