"""What deploy/ says without being run: forms, pinned images, settings that exist, and the same figures everywhere."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import bootstrap
from application.doctor import RETENTION_WANTED, SHARDS_WANTED, UPDATES_WANTED
from runtime.worker import GRACE
from store.replication import LONGEST_SEGMENT_S
from tests.packaging.test_package import OURS

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
VALUES: dict[str, Any] = yaml.safe_load((DEPLOY / "temporal-values.yaml").read_text("utf-8"))
DYNAMIC: dict[str, Any] = yaml.safe_load((DEPLOY / "dynamic.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_named_by_its_version(name: str) -> None:
    assert re.fullmatch(r"[\w/-]+:\d+\.\d+(\.\d+)?", SERVICES[name]["image"])


def test_every_setting_that_is_named_exists_and_production_is_complete() -> None:
    known = {f"VENTURE_{name.upper()}" for name in bootstrap.Settings.model_fields}
    named = {key for one in SERVICES.values() for key in one.get("environment", {}) if key.startswith("VENTURE_")}
    passwords = {f"VENTURE_{role}_PASSWORD_FILE" for role in ("OWNER", "APP", "AUDITOR")}
    assert named - passwords <= known
    worker = SERVICES["worker"]["environment"]
    assert {
        "VENTURE_POSTGRES_URL_FILE",
        "VENTURE_TEMPORAL_ADDRESS",
        "VENTURE_PAYLOAD_KEYS_FILE",
    } <= worker.keys()
    assert not [name for name in worker if "DOOR_KEY" in name], "a worker signs nothing"
    assert worker["VENTURE_ENV"] == "production"


def test_every_setting_is_told_and_nothing_else_is() -> None:
    page = (DEPLOY.parent / "docs" / "operations.md").read_text("utf-8")
    settings = page[page.index("## 設置") : page.index("## 存活")]
    rows = "\n".join(line.split(" | ")[0] for line in settings.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"VENTURE_[A-Z_]+", rows)) == {
        f"VENTURE_{n.upper()}" for n in bootstrap.Settings.model_fields
    }


def test_every_password_comes_from_outside() -> None:
    for name, service in SERVICES.items():
        secrets = {f"/run/secrets/{secret}" for secret in service.get("secrets", ())}
        assert {path.removeprefix("/run/secrets/") for path in secrets} <= COMPOSE["secrets"].keys()
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|PWD|DOOR_KEY|PAYLOAD|URL", key):
                assert str(value).startswith("${") or value in secrets, (name, key)


def test_no_log_of_a_service_grows_without_end() -> None:
    for name, service in SERVICES.items():
        if service.get("restart"):
            assert service.get("logging", {}).get("options", {}).keys() == {"max-size", "max-file"}, name


def test_every_volume_and_dependency_is_there() -> None:
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= set(SERVICES), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            is_there = source in COMPOSE["volumes"] or source == "./certs" or (DEPLOY / source).exists()
            assert is_there, (name, volume)


def test_both_ways_of_deploying_ask_for_what_doctor_looks_for() -> None:
    for updates in (DYNAMIC, VALUES["server"]["dynamicConfig"]):
        assert updates["history.maxInFlightUpdates"][0]["value"] >= UPDATES_WANTED
    persistence = VALUES["server"]["config"]["persistence"]
    assert persistence["numHistoryShards"] >= SHARDS_WANTED
    assert SERVICES["temporal"]["environment"]["NUM_HISTORY_SHARDS"] >= SHARDS_WANTED
    assert {store["sql"]["pluginName"] for store in persistence["datastores"].values()} == {"postgres12"}
    (namespace,) = VALUES["server"]["config"]["namespaces"]["namespace"]
    made = SERVICES["temporal-namespace"]["command"][0]
    (hours,) = re.findall(r"--retention (\d+)h", made)
    assert min(int(namespace["retention"].rstrip("d")), int(hours) // 24) >= RETENTION_WANTED.days
    for name, kind in bootstrap.SEARCH_ATTRIBUTES.items():
        assert f"--name {name} --type {kind.title()}" in made
    nodes = [one["environment"]["NODE"] for one in SERVICES.values() if "NODE" in one.get("environment", {})]
    conf = (DEPLOY / "postgres" / "init" / "venture.conf").read_text("utf-8")
    assert f"synchronous_standby_names = 'ANY 1 ({', '.join(nodes)})'" in conf
    (seconds,) = re.findall(r"^archive_timeout = (\d+)$", conf, re.MULTILINE)
    assert 0 < int(seconds) <= LONGEST_SEGMENT_S


def test_what_replication_needs_stands_in_no_command_line() -> None:
    for name, service in SERVICES.items():
        assert "-c " not in str(service.get("command", "")), name


UNITS = sorted((DEPLOY / "systemd").iterdir())


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_there_is_with_settings_that_exist(unit: Path) -> None:
    text = unit.read_text("utf-8")
    parsed = configparser.RawConfigParser(strict=False, interpolation=None)
    parsed.read_string(text)
    assert set(parsed.sections()) <= {"Unit", "Service", "Timer", "Install"}
    known = {f"VENTURE_{name.upper()}" for name in bootstrap.Settings.model_fields}
    assert set(re.findall(r"\b(VENTURE_[A-Z_]+)=", text)) <= known
    credentials = set(re.findall(r"^LoadCredential=([\w-]+):", text, re.MULTILINE))
    assert set(re.findall(r"%d/([\w-]+)", text.partition("[Unit]")[2])) == credentials
    if "Service" in parsed:
        program, *words = parsed["Service"]["ExecStart"].split()
        scripts = {f"/opt/venture/bin/{name}" for name in ("venture", "venture-worker", "venture-web")}
        assert program in scripts | {"/usr/bin/env", "/bin/sh"}
        for script in re.findall(r"/opt/venture/postgres/bin/(\S+)", " ".join(words)):
            assert (DEPLOY / "postgres" / "bin" / script).exists()
    if unit.suffix == ".timer":
        assert unit.with_suffix(".service") in UNITS
    if "venture-worker" in unit.name:
        assert int(parsed["Service"]["TimeoutStopSec"]) > GRACE.total_seconds()


@pytest.mark.full
def test_units_are_what_systemd_reads() -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        return  # what there is without it, the test above holds
    for unit in UNITS:
        words = [verify, "verify", "--man=no", str(unit)]
        verification = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        ours = [line for line in verification.stderr.splitlines() if unit.name in line and "not executable" not in line]
        assert not ours


def test_a_worker_is_given_longer_to_stop_than_it_gives_its_commands() -> None:
    assert int(SERVICES["worker"]["stop_grace_period"].rstrip("s")) > GRACE.total_seconds()


def test_the_image_has_every_room() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert set(OURS) <= {name for words in copied for name in words.split()}


@pytest.mark.parametrize("script", sorted(DEPLOY.rglob("*.sh")), ids=lambda path: path.name)
def test_every_script_can_be_read_by_its_shell(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)  # noqa: S603, S607 - our own file, whichever bash there is
