"""At the edge of the process: what a terminal, a pipe, a disk or a stored text may do to a command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from cli.cell import make_visible
from cli.output import Form, Printer
from domain.kernel.failure import FailureKind
from languages import Language
from tests.cli.installation import PATIENCE_S, ROOT, in_process
from tests.tables import mostly

if TYPE_CHECKING:
    from tests.cli.installation import Installation

FULL = Path("/dev/full")
LIST, SHOW = ("project", "list"), ("project", "show", "PJ-3")
JSON = (*LIST, "-o", "json")


def _run(venture: Installation, *words: str | bytes, then: str = "", **environment: str) -> tuple[int, bytes, bytes]:
    """The command as a shell runs it, with what follows it there."""
    command = [sys.executable.encode(), str(ROOT / "starter.py").encode(), *map(os.fsencode, words)]
    if then:
        command = [b"bash", b"-c", f'"$@" {then}; exit ${{PIPESTATUS[0]}}'.encode(), b"bash", *command]
    result = subprocess.run(  # noqa: S603 - our own words
        command, cwd=ROOT, env=venture.environment(**environment), capture_output=True, check=False, timeout=PATIENCE_S
    )
    assert b"Traceback" not in result.stderr, result.stderr.decode(errors="replace")
    assert b"Exception ignored" not in result.stderr
    return result.returncode, result.stdout, result.stderr


def _need(venture: Installation, round_: str, *more: str) -> tuple[str, ...]:
    venture.ask("round", "open", round_, "--year", round_[-4:], "--scheme", "fuzhou", "--as", "CAB-REG#1")
    return ("do", "submit-need", f"ND-{round_[2:]}", "--as", "COMM#1", f"round={round_}", "group=空巢老人", *more)


# ------------------------------------------------------------------------------------------------- where it is to write


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full on this system")
@mostly(1, "words", [JSON, LIST, SHOW, ("--help",)], ids=" ".join)
def test_a_full_disk_is_said_to_be_full(venture: Installation, words: tuple[str, ...]) -> None:
    code, _, stderr = _run(venture, *words, then="> /dev/full")
    assert code == 5
    assert "No space left on device" in stderr.decode()


@mostly(1, "words", [LIST, JSON, ("--help",)], ids=" ".join)
def test_a_closed_output_is_said_to_lose_the_result(venture: Installation, words: tuple[str, ...]) -> None:
    code, _, stderr = _run(venture, *words, then=">&-")
    assert code == 5
    assert "Bad file descriptor" in stderr.decode()


@mostly(1, "then", ["> /dev/full", "| true", ">&-", ">&- 2>&-"])
def test_what_was_recorded_is_never_said_to_be_refused(venture: Installation, then: str) -> None:
    command_id = str(uuid4())
    place = {"> /dev/full": "2051", "| true": "2052", ">&-": "2053", ">&- 2>&-": "2054"}[then]
    words = _need(venture, f"R-EDGE-{place}", "--id", command_id, "-o", "json")
    code, _, _ = _run(venture, *words, then=then)
    assert code in ({5} if "&-" in then else {0, 5, 141})
    assert json.loads(venture.ask(*words).stdout)["repeated"], "it was recorded the first time"


@pytest.mark.full
def test_a_reader_that_has_seen_enough_is_no_failure(venture: Installation) -> None:
    code, stdout, stderr = _run(venture, *SHOW, "-o", "json", then="| head -c 1")
    assert code in {0, 141}
    assert (stdout, stderr) == (b"{", b"")


@pytest.mark.full
def test_closed_messages_lose_messages_only(venture: Installation) -> None:
    assert _run(venture, "project", "show", "PJ-999", then="2>&-")[0] == 3
    assert _run(venture, "project", "show", "PJ-999", then="2> /dev/full")[0] == 3


# ----------------------------------------------------------------------------------------------- in which letters


@pytest.mark.full
def test_a_terminal_in_gbk_reads_chinese_and_marks_like_ours(venture: Installation) -> None:
    code, stdout, _ = _run(venture, *SHOW, PYTHONIOENCODING="gbk")
    assert code == 0
    assert "￥50,000.00" in stdout.decode("gbk")
    assert "守護夕陽" in stdout.decode("gbk")


@mostly(1, "encoding", ["gbk", "ascii", "latin-1", "big5"])
def test_json_is_the_same_json_in_any_encoding(venture: Installation, encoding: str) -> None:
    code, stdout, _ = _run(venture, *LIST, "-o", "json", PYTHONIOENCODING=encoding)
    assert code == 0
    assert json.loads(stdout.decode(encoding)) == json.loads(venture.ask(*LIST, "-o", "json").stdout)


@pytest.mark.full
def test_a_terminal_without_chinese_is_spoken_to_in_english(venture: Installation) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code, _, stderr = _run(venture, "project", "show", "PJ-999", **plain)
    assert code == 3
    assert stderr.decode("ascii").startswith("there is no PJ-999")


@mostly(1, "form", ["json", "table"])
def test_bytes_that_are_no_text_are_a_mistyped_argument(venture: Installation, form: str) -> None:
    code, stdout, stderr = _run(venture, "project", "show", b"PJ-\xff\xfe", "-o", form)
    assert code == 2
    text = json.loads(stdout)["zh"] if form == "json" else stderr.decode()
    assert ("參數不是文字" if form == "json" else "参数不是文字") in text


# --------------------------------------------------------------------------------------------------- interruptions


BEGUN = "import runpy; print(flush=True); runpy.run_path('starter.py', run_name='__main__')"
"""Says when the interpreter has started: until then an interrupt is not ours to answer."""


@mostly(1, "delay_s", [0.1, 0.0, 0.3])
def test_an_interrupt_while_it_loads_ends_it_like_any_program(venture: Installation, delay_s: float) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", BEGUN, "inbox"]
    with subprocess.Popen(command, cwd=ROOT, env=venture.environment(), stdout=pipe, stderr=pipe) as process:  # noqa: S603 - our own words
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay_s)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in {0, 130, -signal.SIGINT}
    assert b"starter.py" not in stderr, stderr.decode()


@pytest.mark.full
def test_a_question_that_nobody_answers_is_no_refusal(venture: Installation) -> None:
    assert _run(venture, "reset", then="< /dev/null")[0] == FailureKind.INTERRUPTED
    assert venture.home.exists()


# ------------------------------------------------------------------------------------------------------ stored text

HOSTILE = "護航[/二期]\x1b[31m紅\u202e倒\u2028行\x85末[bold]"


def test_stored_text_is_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(Form.TABLE, Language.HANT)
    printer.line(HOSTILE)
    printer.tell(HOSTILE, HOSTILE)
    written = capsys.readouterr()
    for text in (written.out, written.err):
        assert "護航[/二期]\\x1b[31m紅\\u202e倒\\u2028行\\x85末[bold]" in text.replace("\n", "")


def test_every_line_of_jsonl_is_one_value(capsys: pytest.CaptureFixture[str]) -> None:
    Printer(Form.JSONL, Language.HANT).rows([{"title": HOSTILE}, {"title": "二"}], (), ("", ""))
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["title"] for line in lines] == [HOSTILE, "二"]
    assert not any(make_visible(line) != line for line in lines)


@pytest.mark.full
def test_an_application_may_be_called_anything(venture: Installation, tmp_path: Path) -> None:
    story = (ROOT / "scenarios" / "s2-fuzhou.yaml").read_text("utf-8")
    story = (
        story.replace("守護夕陽紅助老公益項目", '"護航[/二期] [bold]:smile:"')
        .replace("PJ-3", "PJ-31")
        .replace("AP-5", "AP-51")
        .replace("R-FZ-2023", "R-NAMED")
    )
    path = tmp_path / "named.yaml"
    path.write_text(story.replace("id: S2", "id: NAMED"), "utf-8")
    assert venture.ask("scenario", "play", str(path)).exit_code == 0
    for words in (("project", "show", "PJ-31"), ("project", "list"), ("audit", "as-of", "2030-01-01", "PJ-31")):
        answer = venture.ask(*words)
        assert answer.exit_code == 0, answer.output
        assert "護航[/二期]" in answer.output


# ------------------------------------------------------------------------------------------------- failures as data


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("project", "list", "--limit", "many", "-o", "json"), "usage"),
        (("project", "lst", "-ojson"), "usage"),
        (("nothing", "--output=json"), "usage"),
        (("project", "show", "-o", "jsonl"), "usage"),
        (("project", "show", "PJ-999", "-o", "json"), "not_found"),
        (("do", "dance", "PJ-3", "--as", "CAB-REG#1", "-o", "json"), "usage"),
        (("commands", "dances", "-o", "json"), "usage"),
        (("scheme", "check", "no-such-file.yaml", "-o", "json"), "usage"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_for_machines_every_failure_is_json(venture: Installation, words: tuple[str, ...], error: str) -> None:
    answer = venture.ask(*words)
    body = json.loads(answer.stdout)
    assert body["error"] == error
    assert body["zh"]
    assert body["en"]
    assert answer.exit_code == {"usage": 2, "not_found": 3}[error]


@pytest.mark.parametrize("environment", [{"VENTURE_LANG": "xx"}, {"VENTURE_NO_SUCH": "1"}], ids=str)
def test_settings_that_cannot_be_used_are_json_too(environment: dict[str, str]) -> None:
    answer = in_process(("inbox", "-o", "json"), environment)
    assert answer.exit_code == 2
    assert next(iter(environment)) in json.loads(answer.stdout)["en"]


def test_help_says_that_failures_are_json_too(venture: Installation) -> None:
    assert "failures" in venture.ask("project", "list", "--help").output
