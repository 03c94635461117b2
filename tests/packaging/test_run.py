from __future__ import annotations

import os
import subprocess
import sys
import threading
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.installation import PATIENCE_S

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]


def started(*words: str, python: str = sys.executable, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script, under a Python without any installed package."""
    return subprocess.run(  # noqa: S603 - our own
        [python, "-I", "-S", str(ROOT / "run"), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **environment},
    )


def finding(*, pip: bool) -> SimpleNamespace:
    """An import system that has pip, or has not."""
    return SimpleNamespace(util=SimpleNamespace(find_spec=lambda _name: pip or None))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module, in a checkout of its own, its commands heard instead of run."""
    loader = SourceFileLoader("run_script", str(ROOT / "run"))
    spec = spec_from_loader("run_script", loader)
    assert spec is not None
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module: ModuleType = module_from_spec(spec)
    loader.exec_module(module)
    locks = {group: tmp_path / f"{group}.lock" for group in ("app", "dev")}
    for group, lock in locks.items():
        lock.write_text(group)
    for name, value in {
        "HERE": tmp_path,
        "VENV": tmp_path / ".venv",
        "CACHE": tmp_path / ".cache",
        "PYTHON": tmp_path / ".venv" / "bin" / "python",
        "LOCKS": locks,
        "heard": [],
        "importlib": finding(pip=True),
    }.items():
        monkeypatch.setattr(module, name, value, raising=False)

    def ordered(*command: str) -> None:
        module.__dict__["heard"].append(command)
        module.__dict__["PYTHON"].parent.mkdir(parents=True, exist_ok=True)
        module.__dict__["PYTHON"].touch()

    monkeypatch.setattr(module, "ordered", ordered)
    return module


def install(run: Any, group: str) -> int:
    """How many commands it took."""
    run.heard.clear()
    run.install(group)
    return len(run.heard)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_needs_nothing_but_python(words: list[str]) -> None:
    answer = started(*words)
    assert answer.returncode == 0
    assert "./run demo" in answer.stdout
    assert "./run test" in answer.stdout


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="the system has no Python")
def test_help_works_with_the_systems_python() -> None:
    answer = started("--help", python="/usr/bin/python3")
    assert answer.returncode == 0, answer.stderr


def test_what_is_installed_is_not_installed_again(run: Any) -> None:
    assert install(run, "app") > 0
    assert install(run, "app") == 0


def test_another_lock_is_installed_anew(run: Any) -> None:
    install(run, "app")
    run.LOCKS["app"].write_text("app 2")
    assert install(run, "app") > 0


def test_what_tests_need_holds_what_the_application_needs(run: Any) -> None:
    install(run, "dev")
    assert install(run, "app") == 0


def test_the_application_alone_does_not_hold_what_tests_need(run: Any) -> None:
    install(run, "app")
    assert install(run, "dev") > 0


def test_a_checkout_that_was_moved_is_installed_anew(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    install(run, "app")
    monkeypatch.setattr(run, "HERE", run.HERE / "elsewhere")
    assert install(run, "app") > 0


def test_an_installation_that_failed_is_not_taken_for_done(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_command: str) -> None:
        sys.exit("no network")

    with monkeypatch.context() as down:
        down.setattr(run, "ordered", failing)
        with pytest.raises(SystemExit, match="no network"):
            run.install("app")
    assert install(run, "app") > 0


def test_a_command_that_fails_says_what_to_look_at(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(SystemExit, match=r"(?s)網絡.*network"):
        run.ordered("false")


def test_a_machine_without_pip_is_told_which_package_it_lacks(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "importlib", finding(pip=False))
    with pytest.raises(SystemExit, match=r"(?s)python3-pip.*python3-pip"):
        run.pip("install", "uv")


@pytest.mark.full
def test_a_run_that_executed_no_test_has_failed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "install", lambda _group: None)
    monkeypatch.setattr(run, "PYTHON", Path(sys.executable))
    (run.HERE / "test_one.py").write_text("def test_one() -> None: pass\n")
    assert run.test(["test_one.py", "-k", "no_such_test", "-p", "no:cacheprovider", "-q"]) != 0
    assert run.test(["test_one.py", "-p", "no:cacheprovider", "-q"]) == 0


def test_our_tools_come_first_on_the_path_and_the_state_lies_beside_us(run: Any) -> None:
    environment = run.environment()
    assert environment["PATH"].startswith(str(run.VENV / "bin"))
    assert environment["VENTURE_HOME"] == str(run.HERE / ".venture")


@pytest.mark.parametrize("tier", ["", "--full", "--release"])
def test_rooms_are_asked_beside_each_other_by_the_same_measure_and_none_twice(
    run: Any, monkeypatch: pytest.MonkeyPatch, tier: str
) -> None:
    asked: list[tuple[list[list[list[str]]], list[str]]] = []
    monkeypatch.setattr(run, "install", lambda _group: None)
    monkeypatch.setattr(run, "beside", lambda chains, tests: asked.append((chains, tests)))
    run.test([tier] if tier else [])
    (((checks, *apart), tests),) = asked
    assert checks == run.checks()
    rooms = [word for (command,) in apart for word in command if word.startswith("tests/")]
    assert len(rooms) == len(set(rooms))
    assert [word for word in tests if word.startswith("--ignore=")] == [f"--ignore={room}" for room in rooms]
    assert all((ROOT / room).is_dir() for room in rooms)
    assert all(set(run.TIERS[tier]) <= {*command} for command in (tests, *(command for (command,) in apart)))


class CommandRecorder:
    """Commands that ``run`` would have run: each ends well, unless it is told otherwise."""

    def __init__(self, run: Any, monkeypatch: pytest.MonkeyPatch, fails: str = "") -> None:
        self.commands: list[str] = []
        self._fails = fails
        monkeypatch.setattr(run, "install", lambda _group: None)
        monkeypatch.setattr(run, "subprocess", SimpleNamespace(run=self._hear))

    def _hear(self, command: list[str], **_: object) -> SimpleNamespace:
        program = Path(command[0]).name
        self.commands.append(command[2] if program == "python" else program)
        return SimpleNamespace(returncode=int(self.commands[-1] == self._fails))


def test_a_check_asks_what_needs_no_server(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = CommandRecorder(run, monkeypatch)
    assert run.check() == 0
    assert heard.commands == ["ruff", "ruff", "lint-imports", "mypy", "pytest"]


def test_a_check_ends_with_the_first_that_fails(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = CommandRecorder(run, monkeypatch, fails="lint-imports")
    assert run.check() == 1
    assert heard.commands[-1] == "lint-imports"


@pytest.mark.parametrize(
    ("check", "tests", "code"),
    [("exit 0", 0, 0), ("exit 1", 0, 1), ("exit 0", 4, 4), ("exit 1", 4, 4), ("kill $$", 0, 1)],
)
def test_checks_and_tests_side_by_side_are_both_told_and_either_fails_the_whole(
    run: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], check: str, tests: int, code: int
) -> None:
    monkeypatch.setattr(run, "complete", lambda _: ["/bin/sh", "-c", f"echo tests; exit {tests}"])
    checks = [["/bin/sh", "-c", f"echo first; {check}"], ["/bin/sh", "-c", "echo second"]]
    assert run.beside([checks], ["pytest"]) == code
    told = capfd.readouterr().out
    assert "\ntests\n" in told
    assert "\nfirst\n" in told
    assert ("\nsecond\n" in told) is ("kill" not in check)
    assert (f"✗ $ sh -c echo first; {check}" in told) is (check != "exit 0")


def test_a_check_that_cannot_even_be_started_has_failed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "complete", lambda _: ["/bin/true"])
    monkeypatch.setattr(run.threading, "excepthook", lambda _: None)
    assert run.beside([[["/nowhere/mypy"]]], ["pytest"]) == 1


def test_an_interrupt_ends_what_runs_beside(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    started = threading.Semaphore(0)
    processes: list[subprocess.Popen[str]] = []

    def start(*words: Any, **how: Any) -> subprocess.Popen[str]:
        processes.append(subprocess.Popen(*words, **how))  # noqa: S603 - as it would be
        started.release()
        return processes[-1]

    def interrupt(_: object) -> int:
        assert all(started.acquire(timeout=PATIENCE_S) for _ in range(2))
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "subprocess", SimpleNamespace(**{**vars(subprocess), "Popen": start}))
    monkeypatch.setattr(run, "in_turn", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.beside([[["/bin/sleep", "1000"], ["/bin/sleep", "1001"]], [["/bin/sleep", "1002"]]], ["pytest"])
    assert all(process.wait(PATIENCE_S) < 0 for process in processes)
    assert len(processes) == 2, "and nothing more of either chain is begun"


@pytest.mark.parametrize("chosen", ["corpus", "histories"])
def test_one_thing_or_all_is_recorded(run: Any, monkeypatch: pytest.MonkeyPatch, chosen: str) -> None:
    heard = CommandRecorder(run, monkeypatch)
    assert run.record([chosen]) == 0
    assert heard.commands == [f"tests.{chosen}.record"]
    assert run.record([]) == 0
    assert heard.commands[1:] == run.RECORDERS


def test_what_nobody_records_is_a_mistake_in_typing(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    CommandRecorder(run, monkeypatch)
    with pytest.raises(SystemExit, match="corpus"):
        run.record(["golden"])


def test_what_tests_throw_away_is_in_memory_while_they_run_and_what_a_killed_run_left_goes_with_the_next(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    memory = tmp_path / "memory"
    monkeypatch.setattr(run, "MEMORY", memory)
    beside = [memory / f"venture-tests-{os.getppid()}", memory / "of somebody else"]
    left = memory / f"venture-tests-{2**22 + 1}"  # no process has a number as high as that
    for folder in (*beside, left):
        folder.mkdir(parents=True)
    with run.folder_in_memory() as folder:
        assert Path(folder).parent == memory
        assert not left.exists()
    assert sorted(memory.iterdir()) == sorted(beside)


def test_what_has_no_room_in_memory_stays_on_disk(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not run.has_room(Path("/proc"))
    assert not run.has_room(Path("/nowhere"))
    monkeypatch.setattr(run, "ROOM", 2**62)
    assert not run.has_room(run.MEMORY)
