"""What a user gets for an answer: data for machines, words for people, and an exit code that means something."""

from __future__ import annotations

import fcntl
import json
import re
import signal
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from application.builds import Build
from application.reconcile import Discrepancy, ReconcileFinding, Reconciliation
from cli.builds import print_doubtful
from cli.output import Form, Printer
from cli.reconcile import show
from domain.kernel.failure import FailureKind
from languages import Language
from tests.cli.installation import ROOT, S2, in_process
from tests.tables import each_of, mostly

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.installation import Installation

GOLDEN = ROOT / "tests" / "cli" / "golden"
VOLATILE = re.compile(r"S2-[0-9a-f]{8}")

CHINESE = re.compile("階段|情景|版本|名稱|審批編號|命令|狀況|條記錄|項命令|暫不能|辦理人|暫無|環境|年度安排|遷移")
"""Words of our own; the data of a story is Chinese in either language."""

READING = [
    ("project", "list"),
    ("project", "show", "PJ-3"),
    ("round", "list"),
    ("round", "show", "R-FZ-2023"),
    ("round", "schedules"),
    ("inbox",),
    ("audit", "maintenance"),
    ("approval", "list", "--all"),
    ("scheme", "list"),
    ("scheme", "check", "schemes/fuzhou.yaml"),
    ("scenario", "list"),
    ("scenario", "check", "scenarios/s2-fuzhou.yaml"),
    ("commands", "project"),
    ("doctor",),
    ("audit", "verify"),
    ("audit", "as-of", "2023-05-20", "PJ-3"),
    ("audit", "replay", "PJ-3"),
    ("why-not", "close-project", "PJ-3"),
]


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_for_machines_an_answer_is_one_json_value(words: tuple[str, ...], venture: Installation) -> None:
    answer = venture.ask(*words, "-o", "json")
    assert answer.exit_code == (1 if words[0] == "why-not" else 0), answer.output
    json.loads(answer.stdout)


@pytest.mark.parametrize("lang", ["zh-Hant", "en"])
@mostly(8, "words", READING, ids=" ".join)
def test_for_people_an_answer_is_in_their_language(words: tuple[str, ...], lang: str, venture: Installation) -> None:
    answer = venture.ask(*words, "--lang", lang)
    assert answer.exit_code == (1 if words[0] == "why-not" else 0), answer.output
    text = answer.stdout + answer.stderr
    assert (CHINESE.search(text) is not None) == (lang == "zh-Hant"), text


@pytest.mark.parametrize(("lang", "word"), [("zh-Hant", "合同當事方 HOST"), ("en", "party to the contract HOST")])
@pytest.mark.parametrize("words", [("list",), ("show", "HOST#1")], ids=" ".join)
def test_whom_a_seat_acts_for_is_said_in_the_offices_words(
    words: tuple[str, ...], lang: str, word: str, venture: Installation
) -> None:
    text = venture.ask("seat", *words, "--lang", lang, COLUMNS="200").stdout
    assert word in text
    assert "PARTY" not in text


@pytest.mark.parametrize("lang", ["zh-Hans", "zh-Hant", "en"])
def test_the_file_of_a_project_reads_as_ever(lang: str, venture: Installation) -> None:
    """Remove the golden text to have it written anew, and read what has changed."""
    text = venture.ask("project", "show", "PJ-3", "--lang", lang).stdout
    lines = "\n".join(line.rstrip() for line in VOLATILE.sub("S2-########", text).splitlines()) + "\n"
    golden = GOLDEN / f"project-show.{lang}.txt"
    if not golden.exists():
        golden.write_text(lines, "utf-8")
        pytest.fail(f"{golden.name} was missing and has been written: read it")
    assert lines == golden.read_text("utf-8")


def test_a_file_shows_no_digest_no_false_and_no_key_of_ours(venture: Installation) -> None:
    for lang in ("zh-Hant", "en"):
        text = venture.ask("project", "show", "PJ-3", "--lang", lang).stdout
        assert re.search("[0-9a-f]{16}", text) is None
        assert "answer/" not in text
        assert "bound" not in text
    assert "PASS" not in venture.ask("project", "show", "PJ-3").stdout


# ---------------------------------------------------------------------------------------------------- exit codes


def test_0_a_dry_run_says_what_would_happen_and_records_nothing(venture: Installation) -> None:
    before = _entries(venture)
    answer = venture.ask("do", "SubmitNeed", "ND-900", "--as", "COMM#1", "round=R-900", "group=空巢老人", "--dry-run")
    assert answer.exit_code in {0, 1}
    assert _entries(venture) == before


def test_0_a_rehearsal_takes_for_here_what_the_act_would_bring(venture: Installation, tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.7\n")
    words = ("do", "SubmitNeed", "ND-901", "--as", "COMM#1", "round=R-900", "group=空巢老人")
    answer = venture.ask(*words, f"attachments=@{tmp_path / 'letter.pdf'}", "--dry-run", "-o", "json")
    assert "DC01" not in answer.stdout


def test_0_a_name_that_only_a_trial_has_is_said_to_be_of_that_trial(venture: Installation) -> None:
    answer = venture.ask("project", "show", "PJ-3", "--lang", "en")
    assert "PJ-3 is of the environment S2-" in answer.stderr
    assert venture.ask("project", "show", "PJ-3", "-o", "json").stderr == ""


def test_1_a_refusal_names_everything_that_is_missing(venture: Installation) -> None:
    words = ("do", "request-disbursement", "PJ-3/T2", "--as", "CAB-REG#1", "amount=1", "-o", "json")
    unsaid = venture.ask(*words)
    assert unsaid.exit_code == 2
    (realm,) = set(re.findall(r"--realm (S2-[0-9a-f]+)", unsaid.stdout))
    answer = venture.ask(*words, "--realm", realm)
    assert answer.exit_code == 1
    rules = {unmet["rule"] for unmet in json.loads(answer.stdout)["refused"]}
    assert {"M2", "M8", "M4"} <= rules


@each_of(
    2,
    "words",
    [
        ("project", "shwo"),
        ("nothing",),
        ("project", "show"),
        ("project", "list", "--limit", "many"),
        ("project", "list", "-o", "xml"),
        ("do", "dance", "PJ-3", "--as", "CAB-REG#1"),
        ("do", "close-project", "PJ-3"),
        ("do", "close-project", "PJ-3", "--as", "NOBODY#1"),
        ("do", "close-project", "PJ-3", "--as", "CAB-REG"),
        ("do", "close-project", "PJ-3", "--as", "CAB-REG#1", "--id", "not-a-uuid"),
        ("do", "close-project", "PJ-3", "--as", "CAB-REG#1", "--at", "yesterday"),
        ("do", "close-project", "PJ-3", "--as", "CAB-REG#1", "nonsense"),
        ("do", "close-project", "PJ-3", "--as", "CAB-REG#1", "=1"),
        ("do", "close-project", "PJ-3", "--as", "CAB-REG#1", "no_such=1"),
        ("do", "request-disbursement", "PJ-3/T2", "--as", "CAB-REG#1", "amount=1", "amount=2"),
        ("do", "request-disbursement", "PJ-3/T2", "--as", "CAB-REG#1", "amount=many"),
        ("do", "request-disbursement", "PJ-3/T2", "--as", "CAB-REG#1", "amount=1.005"),
        ("do", "request-disbursement", "PJ-3/T2", "--as", "CAB-REG#1", "amount={[}"),
        ("do", "close-project", "🙂", "--as", "CAB-REG#1"),
        ("do", "🙂", "PJ-3", "--as", "CAB-REG#1"),
        ("do", "close-project", "x" * 10_000, "--as", "CAB-REG#1"),
        ("do", "close-project", "project/live/" + "x" * 10_000, "--as", "CAB-REG#1"),
        ("do", "close-project", "a/b/c/d", "--as", "CAB-REG#1"),
        ("round", "open", "PJ-3", "--scheme", "fuzhou", "--as", "CAB-REG#1"),
        ("round", "open", "R-9", "--scheme", "nowhere", "--as", "CAB-REG#1"),
        ("round", "open", "R-9", "--scheme", "fuzhou", "--as", "🙂"),
        ("scheme", "check", "no-such-file.yaml"),
        ("scenario", "check", "no-such-file.yaml"),
        ("scenario", "play", "."),
        ("audit", "as-of", "yesterday", "PJ-3"),
        ("inbox", "--as", "MAYOR"),
        ("bulk", "no-such-file.csv", "--yes"),
        ("round", "schedule", "甲", "--scheme", "fuzhou", "--month", "3", "--day", "1", "--as", "CAB-REG#1"),
        ("round", "schedule", "FZ", "--scheme", "nowhere", "--month", "3", "--day", "1", "--as", "CAB-REG#1"),
        ("audit", "verify", "--root", "🙂"),
        ("commands", "dances"),
    ],
    ids=lambda words: " ".join(words)[:60],
)
def test_2_rubbish_is_told_what_is_wrong_with_it(words: tuple[str, ...], venture: Installation) -> None:
    answer = venture.ask(*words)
    assert answer.exit_code == 2, answer.output
    assert answer.stderr.strip()
    assert "Traceback" not in answer.output
    assert len(answer.stderr) < 2_000


def test_2_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    for name, text, line in (("a", "id: [1\n", 2), ("b", "", 1), ("c", "id: S2\nid: S3\n", 2), ("d", "\x00", 1)):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, "utf-8")
        answer = in_process(("scenario", "check", str(path)), {})
        assert answer.exit_code == 2
        assert f"{path.name}:{line}" in answer.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("project", "show", "PJ-999"),
        ("project", "show", "PJ-🙂"),
        ("project", "show", "a//b"),
        ("project", "show", "project/live/AP-999"),
        ("project", "show", "PJ-3", "--realm", "nowhere"),
        ("round", "show", "R-999"),
        ("round", "unschedule", "NOBODY", "--as", "CAB-REG#1"),
        ("audit", "replay", "PJ-999"),
        ("audit", "as-of", "1999-01-01", "PJ-3"),
        ("approval", "wait", "00000000-0000-4000-8000-000000000000"),
    ],
    ids=" ".join,
)
def test_3_what_is_not_there_is_said_not_to_be(words: tuple[str, ...], venture: Installation) -> None:
    answer = venture.ask(*words)
    assert answer.exit_code == 3, answer.output
    assert answer.stderr.strip()


def test_0_and_4_an_id_has_one_answer_and_belongs_to_one_request(venture: Installation) -> None:
    venture.ask("round", "open", "R-FZ-2040", "--scheme", "fuzhou", "--as", "CAB-REG#1")
    words = ("do", "submit-need", "ND-940", "--as", "COMM#1", "round=R-FZ-2040", "group=空巢老人")
    same = ("--id", str(uuid4()), "-o", "json")
    first, again = (json.loads(venture.ask(*words, *same).stdout) for _ in range(2))
    assert first == {**again, "repeated": False}
    assert again["repeated"] is True
    other = venture.ask("do", "submit-need", "ND-941", "--as", "COMM#1", "round=R-FZ-2040", "group=老漂族", *same)
    assert other.exit_code == 4, other.output


def test_6_a_root_that_was_kept_and_does_not_agree_is_a_finding(venture: Installation) -> None:
    answer = venture.ask("audit", "verify", "--root", f"1:{'0' * 64}")
    assert answer.exit_code == 6, answer.output


# ---------------------------------------------------------------------------------------------------- the live realm


def test_a_misspelt_command_is_answered_with_what_may_have_been_meant(venture: Installation) -> None:
    answer = venture.ask("do", "confirm-awrad", "PJ-3", "--as", "CAB-DEC#1")
    assert "ConfirmAward" in answer.stderr


@pytest.mark.full
def test_a_round_opens_once_and_says_why_not_twice(venture: Installation) -> None:
    opened = venture.ask("round", "open", "R-FZ-2041", "--scheme", "fuzhou", "--as", "CAB-REG#1")
    assert opened.exit_code == 0, opened.output
    again = venture.ask("round", "open", "R-FZ-2041", "--scheme", "fuzhou", "--as", "CAB-REG#1")
    assert again.exit_code == 1
    assert "RD03" in again.stderr
    rival = venture.ask("round", "open", "R-FZ-2041-B", "--year", "2041", "--scheme", "fuzhou", "--as", "CAB-REG#1")
    assert rival.exit_code == 1
    assert "H1" in rival.stderr
    assert "R-FZ-2041" in venture.ask("round", "list", "--realm", "live").stdout


@pytest.mark.full
def test_a_round_a_year_is_scheduled_told_and_cancelled(venture: Installation) -> None:
    words = (
        "round",
        "schedule",
        "CLI",
        "--scheme",
        "fuzhou",
        "--level",
        "DISTRICT",
        "--month",
        "3",
        "--day",
        "1",
        "--as",
        "CAB-REG#1",
    )
    scheduled = venture.ask(*words, "-o", "json")
    assert scheduled.exit_code == 0, scheduled.output
    for actor in ("CAB-DEC#1", "CAB-REG#1"):
        again = venture.ask(*words, "--as", actor, "--lang", "en")
        assert again.exit_code == 1
        assert "[SC04]" in again.stderr, "who may, and that it is scheduled already"
    assert json.loads(scheduled.stdout) in json.loads(venture.ask("round", "schedules", "-o", "json").stdout)
    assert "R-CLI-" in venture.ask("round", "schedules").stdout
    assert venture.ask("round", "unschedule", "CLI", "--as", "CAB-DEC#1").exit_code == 0
    assert "R-CLI-" not in venture.ask("round", "schedules").stdout


def test_a_stream_of_refusals_only_is_not_listed(venture: Installation) -> None:
    venture.ask("do", "close-project", "AP-999", "--as", "CAB-REG#1")
    assert "AP-999" not in venture.ask("project", "list").stdout


# ---------------------------------------------------------------------------------------------------- many at once


def _needs(path: Path, round_: str, *actors: str) -> Path:
    data = {"round": round_, "group": "空巢老人"}
    rows = [
        {"command": "submit-need", "subject": f"ND-{round_[2:]}-{n}", "actor": actor, "data": data}
        for n, actor in enumerate(actors)
    ]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


@pytest.mark.full
def test_what_became_of_the_rows_is_said_in_the_readers_language(venture: Installation, tmp_path: Path) -> None:
    venture.ask("round", "open", "R-BULK", "--year", "2042", "--scheme", "fuzhou", "--as", "CAB-REG#1")
    path = str(_needs(tmp_path / "needs.jsonl", "R-BULK", "COMM#1", "SO-PM#1"))
    answer = venture.ask("bulk", path, "--yes")
    assert answer.exit_code == 1
    assert "合計 2 行：已辦理 1、不予辦理 1" in answer.stderr
    answer = venture.ask("bulk", path, "--yes", "--lang", "en")
    assert "2 rows: 1 repeated, 1 refused" in answer.stderr
    assert CHINESE.search(answer.stdout + answer.stderr) is None


@pytest.mark.full
def test_a_preview_says_of_each_row_what_would_become_of_it_and_records_nothing(
    venture: Installation, tmp_path: Path
) -> None:
    venture.ask("round", "open", "R-PREV", "--year", "2044", "--scheme", "fuzhou", "--as", "CAB-REG#1")
    path = _needs(tmp_path / "needs.jsonl", "R-PREV", "COMM#1", "SO-PM#1")
    adopted = {"command": "adopt-need", "subject": "ND-PREV-0", "actor": "CAB-REG#1"}
    path.write_text(f"{path.read_text('utf-8')}\n{json.dumps(adopted)}", "utf-8")
    answer = venture.ask("bulk", str(path), "--preview")
    assert answer.exit_code == 1
    assert "合計 3 行：可予辦理 2、不予辦理 1" in answer.stderr, "the third rests on the first"
    rows = json.loads(venture.ask("bulk", str(path), "--preview", "-o", "json").stdout)["rows"]
    assert [row["outcome"] for row in rows] == ["grantable", "refused", "grantable"]
    assert rows[1]["unmet"]
    assert venture.ask("bulk", str(path), "--yes").exit_code == 1
    again = json.loads(venture.ask("bulk", str(path), "--preview", "-o", "json").stdout)["rows"]
    outcomes = [row["outcome"] for row in again]
    assert outcomes == ["repeated", "refused", "repeated"], "what stands is not tried again, what was refused is"


@pytest.mark.full
def test_a_run_that_was_interrupted_goes_on_where_it_was(venture: Installation, tmp_path: Path) -> None:
    venture.ask("round", "open", "R-INT", "--year", "2043", "--scheme", "fuzhou", "--as", "CAB-REG#1")
    path = str(_needs(tmp_path / "needs.jsonl", "R-INT", *["COMM#1"] * 60))
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a run in the background ignores it, and so would its children
    with venture.start("bulk", path, "--yes", "-o", "jsonl") as process:
        assert process.stdout is not None
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)  # full after a few rows: it cannot end before it is read
        assert json.loads(process.stdout.readline())["outcome"] == "carried_out", "a row is told when it is done"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == FailureKind.INTERRUPTED, err
    assert "run again" in json.loads(out.splitlines()[-1])["remedy_en"]
    counted = json.loads(venture.ask("bulk", path, "--yes", "-o", "json").stdout)["counted"]
    assert counted["repeated"] >= 1
    assert counted["repeated"] + counted["carried_out"] == 60


def test_what_several_realms_wait_for_is_told_apart(venture: Installation) -> None:
    waiting = json.loads(venture.ask("inbox", "--as", "HOST", "-o", "json").stdout)
    assert all(each["realm"] == each["stream"].split("/")[1] for each in waiting)
    text = venture.ask("inbox", "--as", "HOST").stdout
    assert all(each["realm"] in text for each in waiting)


def test_for_machines_rubbish_too_is_answered_in_json(venture: Installation) -> None:
    answer = venture.ask("inbox", "--as", "MAYOR", "-o", "json")
    assert answer.exit_code == 2
    assert "MAYOR" in json.loads(answer.stdout)["en"]


# ---------------------------------------------------------------------------------------------------- differences


@pytest.mark.parametrize("difference", Discrepancy)
def test_a_difference_is_told_with_what_to_do_and_then_with_what_was_done(
    difference: Discrepancy, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = ReconcileFinding("round/live/R-1", difference, 2, None)
    for lang in (Language.HANT, Language.EN):
        voice = Printer(Form.TABLE, lang)
        show(Reconciliation(findings=[finding]), voice)
        to_do = capsys.readouterr().out
        show(Reconciliation(findings=[replace(finding, mended=True)]), voice)
        done = capsys.readouterr().out
        assert "resurrect" in to_do
        assert "resurrect" not in done
        assert "✓" in done
        assert (difference in to_do, CHINESE.search(to_do) is None) == (lang is Language.EN, lang is Language.EN)


def test_what_stays_with_workers_that_may_have_stopped_is_named_with_how_it_is_moved(
    capsys: pytest.CaptureFixture[str],
) -> None:
    doubtful = Build("2026.1", is_current=False, polling=2, silent=0, workflows=5)
    others = (
        replace(doubtful, build_id="current", is_current=True),
        replace(doubtful, build_id="quiet", workflows=0),
        replace(doubtful, build_id="gone", polling=0),
        replace(doubtful, build_id=""),
    )
    for lang in (Language.HANT, Language.EN):
        print_doubtful([*others, doubtful], Printer(Form.TABLE, lang))
        words = capsys.readouterr().err
        assert words.count("venture builds move --from") == words.count("venture builds move --from 2026.1") == 1
        assert ("5 個工作流" in words, "5 workflows" in words) == (lang is Language.HANT, lang is Language.EN)


# ---------------------------------------------------------------------------------------------------- approvals


@pytest.fixture(scope="module")
def part(venture: Installation, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A project of its own that waits for its first payment to be checked."""
    path = tmp_path_factory.mktemp("part") / "part.yaml"
    story = S2.read_text("utf-8").replace("PJ-3", "PJ-30").replace("AP-5", "AP-50").replace("id: S2", "id: PART")
    rows = story.partition("- [2023-05-30,")[0]
    path.write_text(rows + "expect:\n  PJ-30: {state: CONTRACTED, net: 0}\n", "utf-8")
    played = venture.ask("scenario", "play", str(path))
    assert played.exit_code == 0, played.output
    return "PJ-30"


@pytest.mark.full
def test_a_service_waits_and_is_told_when_somebody_else_decides(part: str, venture: Installation) -> None:
    (approval,) = json.loads(venture.ask("approval", "list", part, "-o", "json").stdout)
    assert (approval["gate"], approval["key"], approval["verdict"]) == ("CheckDisbursement", "T1", "OPEN")
    late = venture.ask("approval", "wait", approval["id"], "--timeout", "0.3")
    assert late.exit_code == 5, late.output
    with venture.start("approval", "wait", approval["id"], "--timeout", "60", "-o", "json") as waiting:
        here = ("--realm", approval["stream"].split("/")[1])
        decision = venture.ask("do", "check-disbursement", f"{part}/T1", "--as", "CAB-FIN#1", *here)
        assert decision.exit_code == 0, decision.output
        out, err = waiting.communicate()
    assert waiting.returncode == 0, err
    answer = json.loads(out)
    assert (answer["id"], answer["verdict"], answer["decided_by"]) == (approval["id"], "GRANTED", "CAB-FIN#1")
    end = venture.ask("approval", "wait", approval["id"])
    assert (end.exit_code, "撥款複核" in end.stderr) == (0, True), end.output


def test_a_story_is_told_by_its_own_clock(part: str, venture: Installation) -> None:
    text = venture.ask("project", "show", part).stdout
    assert "等候" in text
    assert "已逾期" not in text


def test_a_name_that_several_realms_know_asks_for_the_realm(part: str, venture: Installation) -> None:
    answer = venture.ask("round", "show", "R-FZ-2023")
    assert answer.exit_code == 2
    assert "--realm" in answer.stderr
    assert part not in answer.stdout


def _entries(venture: Installation) -> int:
    entries: int = json.loads(venture.ask("audit", "verify", "-o", "json").stdout)["entries"]
    return entries
