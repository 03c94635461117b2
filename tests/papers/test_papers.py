"""What each paper says of the file that it was made from."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from domain.project.evaluation import FinalEvaluationConcluded
from domain.project.publicity import AwardConfirmed
from papers.catalogue import PaperNotYet, PaperUnknown
from papers.paper import Form, Layout
from papers.script import Script
from tests.papers.say import text_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.papers.conftest import Archive

    Archives = Callable[[str], Awaitable[Archive]]


async def test_an_award_notice_says_what_was_awarded_by_whom_and_until_when_to_sign(archive: Archives) -> None:
    paper = await (await archive("s2")).make("PJ-3", "award")
    text = text_of(paper)
    assert (paper.issuer, paper.signer, paper.date) == ("抚州市民政局", "抚州市民政局", "2023年5月22日")
    assert "资助金额50000元（人民币伍万元整）" in text
    assert "请于2023年6月12日24时前（15个工作日内）" in text
    assert paper.number.strip() == "〔　　　　〕　　号"


async def test_words_of_ours_are_in_the_script_of_the_city_and_what_was_typed_stays(archive: Archives) -> None:
    paper = await (await archive("s2")).make("PJ-3", "award")
    assert paper.script is Script.HANS
    assert "关于2023年度公益创投项目立项的通知" in paper.title
    assert paper.addressee == "撫州市宜合公益促進中心："
    assert "“守護夕陽紅助老公益項目”" in text_of(paper)
    assert "「" not in text_of(paper)


async def test_a_payment_form_has_its_three_hands_and_what_the_payment_leaves(archive: Archives) -> None:
    paper = await (await archive("s2")).make("PJ-3", "payment.T2")
    (form,) = (block for block in paper.blocks if isinstance(block, Form))
    boxes = {entry.label: entry.text for row in form.rows for entry in row}
    assert paper.layout is Layout.FORM
    assert [boxes[one] for one in ("此前已拨", "本次拨付", "拨后累计", "拨后余额")] == [
        "¥35,000.00",
        "¥15,000.00",
        "¥50,000.00",
        "¥0.00",
    ]
    assert boxes["大写"] == "人民币壹万伍仟元整"
    assert boxes["拨付条件"] == f"{Script.HANS.write(FinalEvaluationConcluded.zh)}（2023年12月12日达成）"
    signed = [boxes[one] for one in ("申请意见", "财务复核意见", "领导审批意见")]
    assert all(seat in text for seat, text in zip(("CAB-REG#1", "CAB-FIN#1", "CAB-DEC#1"), signed, strict=True))
    assert boxes["支付日期"] == "2023年12月22日"


async def test_a_paper_is_made_as_of_a_day_and_says_from_what(archive: Archives) -> None:
    files = await archive("s2")
    now, then = [await files.make("PJ-3", "payment.T1", day) for day in (None, date(2023, 5, 29))]
    (form,) = (block for block in then.blocks if isinstance(block, Form))
    boxes = {entry.label: entry.text for row in form.rows for entry in row}
    assert "CAB-FIN#1" in text_of(now)
    assert "系统登记" not in boxes["财务复核意见"]
    assert then.source.position < now.source.position
    assert (then.source.as_of, now.source.as_of) == ("2023-05-29", "")
    assert f"日志第{now.source.position}条，校验值{now.source.head[:16]}" in now.note


async def test_what_a_file_does_not_yield_yet_is_listed_with_what_it_waits_for(archive: Archives) -> None:
    files = await archive("s2")
    before = {line.name: line for line in await files.list("PJ-3", date(2023, 5, 20))}
    assert before["award"].day is None
    assert before["award"].missing_zh == f"尚未「{AwardConfirmed.zh}」"
    after = {line.name: line.day for line in await files.list("PJ-3")}
    assert after["award"] == date(2023, 5, 22)
    assert {"payment.T1", "payment.T2"} <= set(after)
    with pytest.raises(PaperNotYet):
        await files.make("PJ-3", "award", date(2023, 5, 20))
    with pytest.raises(PaperUnknown):
        await files.make("PJ-3", "payment.T9")
    with pytest.raises(PaperUnknown):
        await files.make("PJ-3", "poem")
