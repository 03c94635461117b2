from __future__ import annotations

import io
import json
import logging
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import structlog

import bootstrap
from tests.keys import make_key, make_seed
from tests.tables import mostly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "postgresql://venture_app:pa55-w0rd@db.example/venture"
KEY = make_seed("a key of production")
PEM = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
"""
"""The private key of RFC 8032's first example, as ``openssl genpkey`` writes one."""
RSA_PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIAAA\n-----END PRIVATE KEY-----\n"
FIRST_STARTS = """
import os, sys
from pathlib import Path
import bootstrap
from tests.keys import make_key, make_seed
from local import postgres

for number in range(int(sys.argv[2])):
    home = Path(sys.argv[1], str(number))
    begin, let_begin = os.pipe()
    answers, answer = os.pipe()
    for _ in range(4):
        if os.fork() == 0:
            os.close(let_begin)
            os.read(begin, 1)
            of = bootstrap.Settings(home=home)
            key = bootstrap.find_door_key(of).public, bootstrap.load_payload_keys(of).by_id
            os.write(answer, f"{key} {postgres.load_passwords(home)}\\n".encode())
            os._exit(0)
    os.close(let_begin)
    for _ in range(4):
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
    os.close(answer)
    with open(answers) as file:
        print(len(set(file.read().splitlines())))
"""
"""In each of so many folders four processes want the secrets for the first time, all at once."""
PAYLOAD_KEY = f"k1:{'0f' * 32}"
COMPLETE = {
    "env": "production",
    "postgres_url": URL,
    "temporal_address": "t:7233",
    "door_key": KEY,
    "payload_keys": PAYLOAD_KEY,
}


# Settings


def test_a_machine_where_nothing_is_set_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bootstrap.settings().env is bootstrap.Environment.LOCAL
    monkeypatch.setenv("VENTURE_LANG", "en")
    assert bootstrap.settings().lang == "en"


def test_a_setting_that_does_not_exist_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENTURE_POSTGRESS_URL", "x")
    with pytest.raises(bootstrap.SettingsInvalid, match="VENTURE_POSTGRESS_URL"):
        bootstrap.settings()


def test_every_setting_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENTURE_HEALTH_PORT", "70000")
    monkeypatch.setenv("VENTURE_LANG", "fr")
    with pytest.raises(bootstrap.SettingsInvalid, match=r"(?s)(LANG.*HEALTH_PORT|HEALTH_PORT.*LANG)"):
        bootstrap.settings()


def test_a_wrong_setting_is_told_in_our_words_and_a_secret_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENTURE_HEALTH_PORT", "abc")
    monkeypatch.setenv("VENTURE_LANG", "fr")
    monkeypatch.setenv("VENTURE_DOOR_KEY", "hush")
    with pytest.raises(bootstrap.SettingsInvalid) as invalid:
        bootstrap.settings()
    assert "VENTURE_HEALTH_PORT: 須為整數，不可為 「abc」" in invalid.value.zh
    assert "VENTURE_LANG: must be one of zh-Hans, zh-Hant, en; not 「fr」" in invalid.value.en
    assert not [word for word in ("Input", "valid", "hush") if word in str(invalid.value)]


@pytest.mark.parametrize("missing", ["postgres_url", "temporal_address", "payload_keys"])
def test_production_says_which_setting_is_missing(missing: str) -> None:
    with pytest.raises(bootstrap.SettingsInvalid, match=f"VENTURE_{missing.upper()}"):
        bootstrap.settings(**{name: value for name, value in COMPLETE.items() if name != missing})


def test_production_that_is_complete_is_accepted() -> None:
    assert bootstrap.settings(**COMPLETE).env is bootstrap.Environment.PRODUCTION


def test_settings_do_not_show_their_secrets() -> None:
    text = repr(bootstrap.settings(**COMPLETE))
    assert "pa55-w0rd" not in text
    assert KEY not in text
    assert "0f0f" not in text


def test_a_refused_setting_does_not_show_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENTURE_DOOR_KEY", KEY)
    monkeypatch.setenv("VENTURE_LANG", "fr")
    with pytest.raises(bootstrap.SettingsInvalid) as refused:
        bootstrap.settings()
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    "setting",
    ["DOOR_KEY", "PAYLOAD_KEYS", "PAYLOAD_KEYS_FILE", "POSTGRES_URL", "TEMPORAL_ADDRESS", "TEMPORAL_API_KEY", "HOME"],
)
def test_a_setting_that_is_empty_is_refused_by_name(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"VENTURE_{setting}", "")
    with pytest.raises(bootstrap.SettingsInvalid, match=f"VENTURE_{setting}"):
        bootstrap.settings(env="production")


# The state folder


def test_the_state_folder_is_the_same_from_every_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = bootstrap.settings().home
    monkeypatch.chdir(tmp_path)
    assert bootstrap.settings().home == here
    assert here.is_absolute()


def test_a_relative_state_folder_is_refused_with_the_path_that_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VENTURE_HOME", "elsewhere")
    with pytest.raises(bootstrap.SettingsInvalid, match=str(tmp_path / "elsewhere")):
        bootstrap.settings()


def test_a_state_folder_whose_name_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENTURE_HOME", "/tmp/\udcff")  # noqa: S108 - nothing is made there
    with pytest.raises(bootstrap.SettingsInvalid, match="the path is no text"):
        bootstrap.settings()


# The door's key


@pytest.mark.parametrize("key", ["short", " " * 70, "k" * 64, KEY[:-1], KEY + "0", KEY.upper(), RSA_PEM, PEM[:60]])
def test_a_key_that_is_short_or_malformed_is_refused_wherever_it_is_set(key: str) -> None:
    with pytest.raises(bootstrap.SettingsInvalid, match="VENTURE_DOOR_KEY"):
        bootstrap.settings(**COMPLETE | {"door_key": key})


@pytest.mark.parametrize("content", [b"", b"\n", b"half a ke", b"\xff\xfe" * 40, KEY[:-1].encode(), PEM[:80].encode()])
def test_a_key_file_that_is_not_whole_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "door.key").write_bytes(content)
    for values in ({"home": tmp_path}, {**COMPLETE, "door_key": None, "door_key_file": tmp_path / "door.key"}):
        with pytest.raises(bootstrap.SecretDamaged, match=str(tmp_path / "door.key")):
            bootstrap.find_door_key(bootstrap.settings(**values))


def test_a_key_may_be_pem_or_hex_and_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "door.pem").write_text(PEM)
    key = bootstrap.find_door_key(bootstrap.settings(home=tmp_path, door_key_file=tmp_path / "door.pem"))
    assert key is not None
    assert key.public == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert bootstrap.find_door_key(bootstrap.settings(home=tmp_path, door_key=PEM)) == key
    with pytest.raises(bootstrap.SettingsInvalid, match="DOOR_KEY_FILE"):
        bootstrap.settings(door_key=KEY, door_key_file=tmp_path / "door.pem")
    with pytest.raises(bootstrap.SettingsInvalid, match="cannot be read"):
        bootstrap.find_door_key(bootstrap.settings(door_key_file=tmp_path / "not there"))


def test_in_production_no_key_is_made_up() -> None:
    keyless = bootstrap.settings(**{name: value for name, value in COMPLETE.items() if name != "door_key"})
    assert bootstrap.find_door_key(keyless) is None


@mostly(1, "folders", [2, 20])
def test_processes_that_start_at_once_have_one_key_and_one_password_between_them(tmp_path: Path, folders: int) -> None:
    words = [sys.executable, "-c", FIRST_STARTS, str(tmp_path), str(folders)]
    answer = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - a script of ours
    assert answer.stdout.split() == ["1"] * folders, "secrets read by the processes of one start"
    assert not list(tmp_path.rglob(".*")), "nothing unfinished is left"


def test_the_doors_key_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    key = bootstrap.find_door_key(settings)
    assert bootstrap.find_door_key(settings) == key
    assert stat.S_IMODE((settings.home / "door.key").stat().st_mode) == 0o600


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    one, other = (bootstrap.settings(home=tmp_path / name) for name in ("one", "other"))
    assert bootstrap.find_door_key(one) != bootstrap.find_door_key(other)


def test_a_key_that_is_set_is_used(tmp_path: Path) -> None:
    assert bootstrap.find_door_key(bootstrap.settings(home=tmp_path, door_key=KEY)) == make_key("a key of production")
    assert not (tmp_path / "door.key").exists()


# The keys of payloads


@pytest.mark.parametrize(
    "keys",
    [
        "k1",
        f"k1:{'0f' * 31}",
        f"k1:{'0f' * 33}",
        f"k1:{'0g' * 32}",
        f":{'0f' * 32}",
        f"{PAYLOAD_KEY},k2:short",
        f"{PAYLOAD_KEY},k1:{'1f' * 32}",
        f"{PAYLOAD_KEY},k2:{'0F' * 32}",
        ",".join(f"k{number}:{number:064x}" for number in range(17)),
        " , ",
    ],
    ids=["no key", "short", "long", "no hex", "no id", "short second", "one id twice", "one key twice", "many", "none"],
)
def test_payload_keys_that_are_no_keys_are_refused_by_name_and_not_shown(keys: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(keys)
    cases = ({"payload_keys": keys}, "VENTURE_PAYLOAD_KEYS"), ({"payload_keys_file": path}, "VENTURE_PAYLOAD_KEYS_FILE")
    for setting, name in cases:
        with pytest.raises(bootstrap.SettingsInvalid, match=name) as refused:
            bootstrap.settings(**{k: v for k, v in COMPLETE.items() if k != "payload_keys"} | setting)
        assert "0f0f" not in str(refused.value)


def test_a_file_of_payload_keys_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(bootstrap.SettingsInvalid, match=str(tmp_path / "none")):
        bootstrap.settings(payload_keys_file=tmp_path / "none")


def test_payload_keys_are_given_in_one_way_and_not_in_two(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(PAYLOAD_KEY)
    with pytest.raises(bootstrap.SettingsInvalid, match="PAYLOAD_KEYS_FILE"):
        bootstrap.settings(payload_keys=PAYLOAD_KEY, payload_keys_file=tmp_path / "keys")


def test_the_newest_key_stands_first_and_a_file_may_hold_them_line_by_line(tmp_path: Path) -> None:
    older = f"k0:{'1f' * 32}"
    (tmp_path / "keys").write_text(f"{PAYLOAD_KEY}\n{older}\n")
    from_file = bootstrap.load_payload_keys(bootstrap.settings(payload_keys_file=tmp_path / "keys"))
    assert from_file.ids == ("k1", "k0")
    assert from_file == bootstrap.load_payload_keys(bootstrap.settings(payload_keys=f"{PAYLOAD_KEY}, {older}"))
    assert "0f0f" not in repr(from_file)


def test_the_key_of_payloads_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path / "home")
    keys = bootstrap.load_payload_keys(settings)
    assert bootstrap.load_payload_keys(settings) == keys
    assert stat.S_IMODE((settings.home / "payload.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"k1:0f0f", b"k1:" + b"0f" * 40, b"\xff" * 80])
def test_a_file_of_payload_keys_that_is_not_whole_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "payload.key").write_bytes(content)
    with pytest.raises((bootstrap.SecretDamaged, bootstrap.SettingsInvalid), match=str(tmp_path / "payload.key")):
        bootstrap.load_payload_keys(bootstrap.settings(home=tmp_path))


# Logs


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged as JSON, under settings that hold secrets."""
    heard = io.StringIO()
    monkeypatch.setattr(sys, "stderr", heard)
    handlers, level = logging.root.handlers[:], logging.root.level
    bootstrap.configure_logging(bootstrap.settings(**COMPLETE, log_format="json"))
    yield heard
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def last(lines: io.StringIO) -> dict[str, object]:
    line: dict[str, object] = json.loads(lines.getvalue().splitlines()[-1])
    return line


def test_our_lines_and_those_of_libraries_have_one_form(lines: io.StringIO) -> None:
    structlog.get_logger().info("project.opened", stream="project/1", name="衛生公益")
    assert last(lines)["stream"] == "project/1"
    assert "衛生公益" in lines.getvalue()
    logging.getLogger("somebody").warning("it is %s", "late")
    assert (last(lines)["event"], last(lines)["level"]) == ("it is late", "warning")


def test_what_is_called_a_secret_is_not_logged(lines: io.StringIO) -> None:
    structlog.get_logger().info("door.asked", api_token="t0ken", password="pa55")
    assert "t0ken" not in lines.getvalue()
    assert "pa55" not in lines.getvalue()


def test_a_secret_in_a_sentence_or_a_traceback_is_not_logged(lines: io.StringIO) -> None:
    logging.getLogger("asyncpg").error("cannot reach %s with %s", URL, KEY)
    gone = ConnectionError(f"{URL} {KEY} postgresql://other:0ther-pw@127.0.0.1/x")
    structlog.get_logger().error("store.gone", exc_info=gone)
    assert "ConnectionError" in lines.getvalue()
    for secret in ("pa55-w0rd", KEY, "0ther-pw"):
        assert secret not in lines.getvalue()
