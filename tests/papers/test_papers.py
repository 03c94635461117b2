"""What each paper says of the file that it was made from."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from domain.kernel.identifier import Actor, StreamId
from domain.project.evaluation import FinalEvaluationConcluded
from domain.project.publicity import AwardConfirmed
from domain.registers.panel import ReviewReportIssued, ScoreSubmitted
from papers import template
from papers.catalogue import KINDS, PaperNotYet, PaperUnknown
from papers.paper import Form, Layout, Paragraph, Seals, Table
from papers.script import Script
from papers.template import fill
from scenarios.play import play
from store.memory import MemoryStore
from tests.paper import REPORTED, open_paper_door, prepare_resolution, story
from tests.papers.conftest import StoryPapers
from tests.papers.say import text_of
from tests.tables import mostly

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from papers.paper import Paper

    PaperPlays = Callable[[str], Awaitable[StoryPapers]]


async def test_an_award_notice_says_what_was_awarded_by_whom_and_until_when_to_sign(archive: PaperPlays) -> None:
    paper = await (await archive("s2")).make("PJ-3", "award")
    text = text_of(paper)
    assert (paper.issuer, paper.signer, paper.date) == ("抚州市民政局", "抚州市民政局", "2023年5月22日")
    assert "资助金额50000元（人民币伍万元整）" in text
    assert "请于2023年6月12日24时前（15个工作日内）" in text
    assert paper.number.strip() == "〔　　　　〕　　号"


async def test_words_of_ours_are_in_the_script_of_the_city_and_what_was_typed_stays(archive: PaperPlays) -> None:
    paper = await (await archive("s2")).make("PJ-3", "award")
    assert paper.script is Script.HANS
    assert "关于2023年度公益创投项目立项的通知" in paper.title
    assert paper.addressee == "撫州市宜合公益促進中心："
    assert "“守護夕陽紅助老公益項目”" in text_of(paper)
    assert "「" not in text_of(paper)


async def test_a_milestone_that_the_rules_set_is_called_by_its_words(archive: PaperPlays) -> None:
    text = text_of(await (await archive("s2")).make("PJ-3", "final.1"))
    assert "常态化志愿队" in text
    assert "standing-team" not in text


async def test_a_payment_form_has_its_three_hands_and_what_the_payment_leaves(archive: PaperPlays) -> None:
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


async def test_a_paper_is_made_as_of_a_day_and_says_from_what(archive: PaperPlays) -> None:
    files = await archive("s2")
    now, then = [await files.make("PJ-3", "payment.T1", day) for day in (None, date(2023, 5, 29))]
    (form,) = (block for block in then.blocks if isinstance(block, Form))
    boxes = {entry.label: entry.text for row in form.rows for entry in row}
    assert "CAB-FIN#1" in text_of(now)
    assert "系统登记" not in boxes["财务复核意见"]
    assert then.source.position < now.source.position
    assert (then.source.as_of, now.source.as_of) == ("2023-05-29", "")
    assert f"日志第{now.source.position}条，校验值{now.source.head[:16]}" in now.note


async def test_what_a_file_does_not_yield_yet_is_listed_with_what_it_waits_for(archive: PaperPlays) -> None:
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


async def test_a_list_of_destroyed_originals_names_each_by_its_digest_and_where_the_log_has_it(
    archive: PaperPlays,
) -> None:
    files = await archive("s21")
    with pytest.raises(PaperNotYet):
        await files.make("AP-211", "disposal", date(2026, 1, 4))
    paper = await files.make("AP-211", "disposal")
    (contents,) = (block for block in paper.blocks if isinstance(block, Table))
    number, name, digest, day, position = contents.rows[0]
    assert (len(contents.rows), number, name, digest, day) == (
        1,
        "1",
        "案卷目錄.pdf",
        "b16c00eb162c09b8",
        "20240628",
    )
    (archived,) = (e for e in await files.store.feed(int(position) - 1, 1))
    assert archived.type == "ProjectArchived"
    text = text_of(paper)
    assert "保管期限：1年（至2025年12月31日满）" in text
    assert f"2026年1月5日，承办单位（HOST#1）（日志第{paper.source.position}条）" in text
    (form,) = (block for block in paper.blocks if isinstance(block, Form))
    assert [entry.label for row in form.rows for entry in row].count("监销人签名") == 2


STORIES = ("s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s21")


async def made(archive: PaperPlays, story: str) -> dict[str, Paper]:
    """Every paper of every file of a story, by file and name."""
    files = await archive(story)
    papers: dict[str, Paper] = {}
    for stream in await files.streams():
        for line in await files.list(stream):
            if line.day is not None:
                papers[f"{stream.name}/{line.name}"] = await files.make(stream, line.name)
    return papers


@mostly(2, "story", STORIES)
async def test_every_paper_that_a_story_yields_is_made_and_has_no_hole_in_it(archive: PaperPlays, story: str) -> None:
    papers = await made(archive, story)
    assert papers
    for name, paper in papers.items():
        text = text_of(paper)
        assert paper.title.strip(), name
        assert "{" not in text, name
        assert "None" not in text, name
        cities = (
            ("杭州市", "抚州市", "常州市") if name != "AP-4/index" else ("",)
        )  # it came too late to be in any round
        assert paper.issuer in {f"{city}民政局" for city in cities}, name
        assert paper.date or paper.layout in (Layout.FORM, Layout.PLAIN), name


@pytest.mark.full
async def test_the_stories_yield_every_kind_of_paper_but_those_of_a_round_decided_at_once(archive: PaperPlays) -> None:
    kinds = {name.split("/")[1].split(".")[0] for story in STORIES for name in await made(archive, story)}
    assert {kind.name for kind in KINDS} - kinds == {"round-posting"}


async def test_a_round_that_was_decided_at_once_posts_all_its_awards_with_their_sum() -> None:
    store = MemoryStore()
    plan = story(REPORTED)
    door = open_paper_door(store)
    assert not (await play(plan, door, store)).deviations
    resolution = await prepare_resolution(store, plan.realm)
    stream = StreamId.of("round", plan.realm, "R-FZ-2023")
    await door.send(stream, resolution, Actor("CAB-REG#1"), at=REPORTED)
    paper = await StoryPapers(store).make(stream, "round-posting")
    (table,) = (block for block in paper.blocks if isinstance(block, Table))
    row = ("1", "PJ-3", "守護夕陽紅助老公益項目", "撫州市宜合公益促進中心", "¥50,000.00", "¥50,000.00")
    assert table.rows == (row,)
    assert "对下列1个项目予以资助，资助金额合计50000元" in text_of(paper)


async def test_a_notice_of_needs_and_a_call_say_until_when_to_the_hour(archive: PaperPlays) -> None:
    files = await archive("s1")
    notice, call = (
        text_of(await files.make("R-HZ-2024", "needs-notice")),
        text_of(await files.make("R-HZ-2024", "call")),
    )
    assert "自2024年3月4日起，至2024年3月18日24时止（10个工作日）" in notice
    assert "自2024年4月1日起，至2024年4月24日17时止" in call
    assert "本年度资助预算为330000元" in call
    assert "平均分不低于70分" in call


async def test_a_posting_names_its_days_and_that_an_objection_moved_them(archive: PaperPlays) -> None:
    files = await archive("s1")
    plain, moved = text_of(await files.make("PJ-1", "posting")), text_of(await files.make("PJ-2", "posting"))
    assert "公示期自2024年5月14日至2024年5月20日（5个工作日）" in plain
    assert "顺延" not in plain
    assert "顺延至2024年5月28日" in moved


async def test_a_reply_to_an_objection_says_what_was_found_and_what_follows_for_the_notice(archive: PaperPlays) -> None:
    dismissed = next(p for name, p in (await made(archive, "s1")).items() if "/objection-dismissed" in name)
    upheld = next(p for name, p in (await made(archive, "s5")).items() if "/objection-upheld" in name)
    text, other = text_of(dismissed), text_of(upheld)
    assert all(words in text for words in ("指稱重複資助", "兩項專賬分立，未見重複", "异议不成立", "24时止"))
    assert all(words in other for words in ("評分只計牽頭方的能力", "另一评审专家组重新评审", "異議調查報告.pdf"))
    assert "取消该项目" not in other


async def test_an_agreement_has_its_parties_tranches_and_budget_and_a_supplement_what_changed(
    archive: PaperPlays,
) -> None:
    files = await archive("s1")
    agreement, supplement = await files.make("PJ-2", "agreement"), await files.make("PJ-2", "supplement.2")
    tables = [block for block in agreement.blocks if isinstance(block, Table)]
    assert [len(table.rows) for table in tables] == [3, 3, 6]
    assert tables[2].rows[-1] == ("合计", "¥150,000.00")
    (seals,) = (block for block in agreement.closing if isinstance(block, Seals))
    assert [party.name for party in seals.parties] == ["杭州市民政局", "測試社會組織一"]
    (changes,) = (block for block in supplement.blocks if isinstance(block, Table))
    assert ("场地费", "¥30,000.00", "¥18,000.00") in changes.rows


async def test_before_signing_there_is_a_draft_that_leaves_to_both_sides_what_they_agree(archive: PaperPlays) -> None:
    files = await archive("s1")
    draft, signed = text_of(await files.make("PJ-2", "agreement-draft")), await files.make("PJ-2", "agreement")
    assert "（草案，未签署，不具效力" in draft
    assert all(words in draft for words in ("期次、金额及拨付条件：＿", "预算科目及金额：＿", "不得用于"))
    assert "草案" not in text_of(signed)


async def test_a_termination_states_ground_hearing_audit_and_what_comes_back(archive: PaperPlays) -> None:
    files = await archive("s4")
    decision, recovery = text_of(await files.make("PJ-9", "termination")), await files.make("PJ-9", "clawback.1")
    assert "陈述申辩期至2024年9月27日止" in decision
    assert "停止拨付未拨资金100000元" in decision
    assert "应退回67845.20元（人民币陆万柒仟捌佰肆拾伍元贰角整）" in text_of(recovery)
    assert "请于2024年11月8日前（30日内）退回" in text_of(recovery)
    (sums,) = (block for block in recovery.blocks if isinstance(block, Table))
    assert [row[1] for row in sums.rows] == ["¥100,000.00", "¥32,154.80", "¥0.00", "¥67,845.20"]


async def test_who_scored_how_is_not_in_the_index_of_a_file(archive: PaperPlays) -> None:
    files = await archive("s1")
    index = await files.make("PJ-1", "index")
    (contents,) = (block for block in index.blocks if isinstance(block, Table))
    titles = [row[1] for row in contents.rows]
    assert Script.HANS.write(ReviewReportIssued.zh) in titles
    assert Script.HANS.write(ScoreSubmitted.zh) not in titles


async def test_what_the_clock_wrote_is_in_the_citys_script_and_what_people_wrote_is_not(archive: PaperPlays) -> None:
    papers = [paper for name, paper in (await made(archive, "s1")).items() if "rectification" in name]
    assert "1.簽到表不全" in text_of(papers[0])


def test_a_city_may_have_words_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "texts" / "default").mkdir(parents=True)
    (tmp_path / "texts" / "nanchang").mkdir()
    (tmp_path / "texts" / "default" / "award.txt").write_text("% title 立項通知\n{title}", "utf-8")
    (tmp_path / "texts" / "nanchang" / "award.txt").write_text("% title 立項批復", "utf-8")
    monkeypatch.setattr(template, "files", lambda _name: tmp_path)
    template._read_lines.cache_clear()
    titles = [fill(city, "award", Script.HANS, {"title": "x"}, {}).one("title") for city in ("fuzhou", "nanchang")]
    template._read_lines.cache_clear()
    assert titles == ["立项通知", "立项批复"]


FACTS = ["% copy 抄送", "# 一、標題", "[funds]", "?title 空", "*title 空", "{secret}", "// 註"]


@pytest.mark.parametrize("typed", FACTS)
def test_nothing_that_was_typed_changes_the_make_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: str
) -> None:
    (tmp_path / "texts" / "default").mkdir(parents=True)
    (tmp_path / "texts" / "default" / "award.txt").write_text("{title}", "utf-8")
    monkeypatch.setattr(template, "files", lambda _name: tmp_path)
    template._read_lines.cache_clear()
    text = fill("default", "award", Script.HANS, {"title": typed}, {})
    template._read_lines.cache_clear()
    assert (text.elements, text.blocks) == ({}, [Paragraph(text=typed)])
