from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata, packages_distributions
from pathlib import Path

import pytest

from tests import releases
from tests.tables import every_row

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OURS = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
NOT_SHIPPED = {"tests", "bench", "docs"}
"""Rooms of the checkout that no user needs."""
HOSTS = ["py" + "pi.org", "python" + "hosted", "npm" + "js.", "deb." + "debian", "mirror" + "s."]
MACHINE = ["/" + "work/", "/" + "root/", "/" + "farm/", "/" + "opt/pypi", "/" + "tmp/bash_jobs", "." + "library"]


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - whichever git there is
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def locked(name: str) -> dict[str, list[str]]:
    """Requirement → the lines that follow it, as the lock has them."""
    versions: dict[str, list[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        if line.startswith("    "):
            versions[list(versions)[-1]].append(line.strip(" \\"))
        elif line and not line.startswith("#"):
            versions[line.strip(" \\")] = []
    return versions


def names(lock: str) -> set[str]:
    return {re.split(r"[=\[ ;]", requirement)[0] for requirement in locked(lock)}


def requirements(*extras: str) -> set[str]:
    """The names that pyproject.toml asks for."""
    optional = PROJECT["project"]["optional-dependencies"]
    lines = [*PROJECT["project"]["dependencies"], *(line for extra in extras for line in optional[extra])]
    return {re.split(r"[<>=\[ ;]", line)[0].lower() for line in lines}


@every_row("name", [Path(one).stem for one in OURS])
@pytest.mark.full
def test_no_other_distribution_claims_a_name_of_ours(name: str) -> None:
    assert set(packages_distributions().get(name, [])) <= {"venture-lifecycle"}


def test_every_room_is_shipped_and_held_to_the_contracts() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - NOT_SHIPPED
    assert rooms == {one for one in OURS if not one.endswith(".py")}
    assert rooms == set(PROJECT["tool"]["importlinter"]["root_packages"])


def test_the_package_cannot_be_uploaded() -> None:
    assert "Private :: Do Not Upload" in PROJECT["project"]["classifiers"]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_requirement_is_exact_and_hashed(lock: str) -> None:
    for requirement, following in locked(lock).items():
        assert "==" in requirement
        assert any(line.startswith("--hash=sha256:") for line in following), requirement


def test_the_locks_hold_what_the_project_asks_for() -> None:
    assert requirements("local") <= names("requirements.lock")
    assert requirements("local", "dev") <= {name.lower() for name in names("requirements-dev.lock")}
    assert set(locked("requirements.lock")) <= set(locked("requirements-dev.lock"))


def test_the_locks_name_no_address() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (ROOT / lock).read_text()


def test_nothing_that_is_shipped_is_under_a_licence_that_binds_its_users() -> None:
    for name in names("requirements.lock"):
        try:
            about = metadata(name).json
        except PackageNotFoundError:
            continue  # for another system than this
        licences = " ".join(str(about.get(part, "")) for part in ("license_expression", "license", "classifier"))
        assert not re.search(r"\b(A|L)?GPL|General Public License", licences), name


def test_no_tracked_file_names_a_registry_or_a_path_of_somebodys_machine() -> None:
    places = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in tracked()
        for word in [*HOSTS, *MACHINE]
        if word in path.read_text(encoding="utf-8", errors="ignore")
    ]
    assert places == []


def test_the_run_script_needs_the_standard_library_only() -> None:
    tree = ast.parse((ROOT / "run").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_one_version_is_named_everywhere() -> None:
    compose = (ROOT / "deploy" / "compose.yaml").read_text("utf-8")
    assert re.findall(r"image: venture:(\S+)", compose) == [PROJECT["project"]["version"]]


def test_what_is_recorded_belongs_to_a_version_that_is_told_or_to_the_one_to_come() -> None:
    recorded = {path.name.removesuffix(".jsonl.xz") for path in (ROOT / "tests" / "corpus").glob("*.jsonl.xz")}
    recorded |= {
        path.name for path in (ROOT / "tests" / "histories").iterdir() if path.is_dir() and path.name[0].isdigit()
    }
    assert recorded <= {*releases.released(), releases.version()}


def test_what_a_released_version_recorded_is_not_recorded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "version", lambda: releases.released()[0])
    with pytest.raises(SystemExit, match=r"(?s)已發布.*is released"):
        releases.require_unreleased()
