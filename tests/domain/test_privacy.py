"""No number by which a person could be found is kept, however it is written (V4)."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace

import pytest
from pydantic import ValidationError

from domain.kernel.identifier import Actor
from domain.kernel.privacy import describe_error, describe_trace, personal_data, refuse_personal_data
from domain.need import SubmitNeed
from domain.project.delivery import RecordActivity
from domain.project.remedy import OrderRectification
from store.memory import MemoryStore
from tests.domain.memory_realm import MemoryRealm, StreamCommand
from tests.domain.pure_realm import EVIDENCE
from tests.domain.written_realm import Step, project, realm_until
from tests.tables import every_row

WRITTEN = (
    "聯繫13812345678",
    "聯繫 138 1234 5678",
    "電話：138-1234-5678。",
    "１３８－１２３４－５６７８",
    "+86 138 1234 5678",
    "138\u200b1234\u200b5678",
    "138\u20121234\u20125678",
    "13812345678",
    "身份證330102199003078888",
    "33010219900307888X",
    "３３０１０２１９９００３０７８８８ｘ",
    "330102 19900307 888X",
    "330102-1990-0307-8888",
)
INNOCENT = (
    "2024年3月5日至2024-11-30，共 46 人次",
    "預算 1380000000 分",
    "電話 0571-85250000",
    "91330100MA27XY1234",
    "發票號 24332000000012345678",
    "2024-03-05 1390000000",
    "13.912345678",
    "1 3 8 1 2 3 4 5 6 7",
)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    assert personal_data({"reason": ["無", text]}) == ["reason[2]"]


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_no_persons_number_is_none(text: str) -> None:
    assert personal_data({"reason": text}) == []


def test_numbers_of_papers_and_offices_are_nobodys() -> None:
    papers = {"credit_code": "523301005123456789", "reference": "13812345678", "contact": "張科長 13812345678"}
    assert personal_data(papers | {"sha256": "1" * 64, "amount": 13_812_345_678}) == []


def test_a_key_may_hold_none_either() -> None:
    assert personal_data({"budget": {"13812345678": 1}}) == ["budget"]


@pytest.mark.parametrize(
    "name",
    [
        "AP-13812345678",
        "AP-138-1234-5678",
        "AP-TEL13812345678",
        "ND-8613812345678x",
        "ORG-33010219900307888X",
        "R.330102.19900307.8888",
    ],
)
def test_the_name_of_a_stream_holds_no_persons_number_whatever_stands_around_it(name: str) -> None:
    (unmet,) = refuse_personal_data({"reason": "無"}, name)
    assert (unmet.rule, unmet.en.partition(":")[0]) == ("V4", "subject")


@pytest.mark.parametrize(
    "name",
    [
        "AP-5",
        "R-FZ-2027",
        "PJ-2024-000123",
        "ND-20240305-0001",
        "AV-ab13812345678cd0123456789abcdef0",
        "DK-ab13812345678cde",
    ],
)
def test_a_number_of_files_is_no_persons(name: str) -> None:
    assert refuse_personal_data({}, name) == ()


@pytest.mark.parametrize(
    "step",
    [
        project(RecordActivity(person_times=3, title="走訪 138-1234-5678"), "2024-04-03", "SO-PM#1"),
        project(
            OrderRectification(findings=("簽到不全", "張某 １３８１２３４５６７８ 未簽"), attachments=EVIDENCE),
            "2024-04-03",
            "CAB-REG#1",
        ),
        Step(
            "need",
            "ND-7",
            SubmitNeed(round="R-1", group="獨居老人", place="330102 19900307 888X"),
            "2024-04-03",
            "COMM#1",
        ),
    ],
    ids=lambda step: step.command.command_type,
)
def test_every_command_is_refused_for_it_by_its_place_and_not_by_its_value(step: Step) -> None:
    assert "V4" in step.refused(realm_until("started"))
    (unmet,) = refuse_personal_data(step.command)
    assert not re.search(r"5678|888X", unmet.zh + unmet.en)


NUMBER = "13812345678"


def test_an_exception_is_told_by_type_place_and_rule_and_never_by_its_value() -> None:
    def fail() -> None:
        raise KeyError(NUMBER)

    def fail_again() -> None:
        try:
            fail()
        except KeyError as error:
            raise RuntimeError(NUMBER) from error

    with pytest.raises(RuntimeError) as failed:
        fail_again()
    assert re.fullmatch(r"RuntimeError at test_privacy\.py:\d+", describe_error(failed.value))
    trace = describe_trace(failed.value)
    assert trace.startswith("KeyError at")
    assert "in fail\n" in trace
    assert NUMBER not in trace


def test_a_form_that_does_not_fit_is_told_by_its_fields() -> None:
    with pytest.raises(ValidationError) as wrong:
        SubmitNeed.model_validate({"round": f"{NUMBER}/", "head_count": NUMBER})
    assert NUMBER not in describe_error(wrong.value)
    assert "round string_pattern_mismatch" in describe_error(wrong.value)
    assert "group missing" in describe_error(wrong.value)


def test_of_a_command_that_came_past_the_door_nothing_is_kept() -> None:
    with asyncio.Runner() as runner:
        realm = MemoryRealm(MemoryStore(), runner)
        need = SubmitNeed(round="R-1", group="獨居老人", problem=f"王某 {NUMBER}")
        (answer,) = realm.ask(StreamCommand(realm.id("need", "ND-1"), need, Actor("COMM#1")))
        assert [u.rule for u in answer.unmet] == ["V4"]
        assert not [e for e in realm.store._entries if e.type == "SubmitNeed"]
        assert not [row for row in realm.store._agenda if row.kind == "need"]


@every_row("text", [*WRITTEN, *INNOCENT])
def test_the_independent_checker_says_the_same_of_a_number(text: str) -> None:
    realm = realm_until("started")
    project(RecordActivity(person_times=3, title="走訪"), "2024-04-03", "SO-PM#1").ordered(realm)
    data = json.loads(realm.entries[-1].data) | {"title": text}
    realm.entries[-1] = replace(realm.entries[-1], data=json.dumps(data).encode())
    assert ("V4" in {b.rule for b in realm.check().breaches}) is (text in WRITTEN)
