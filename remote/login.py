"""Who comes in: a key of a service, a person's own login at the provider (device grant, RFC 8628), or a local account.

What lets somebody in is kept in a file that only they can read, made whole or not at all, and never shown.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
import tempfile
import time
import urllib.parse
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remote.server import Problem, Server

if TYPE_CHECKING:
    from collections.abc import Callable

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_EARLY_S = 60
"""How long before its end a token is asked for anew."""


def credentials_path(url: str) -> Path:
    """The file for that server."""
    named = os.environ.get("VENTURE_CREDENTIALS")
    if named:
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(home) if home else Path.home() / ".config"
    return folder / "venture" / f"{sha256(url.encode()).hexdigest()[:16]}.json"


def keep(url: str, kept: dict[str, Any]) -> None:
    """Store what is known of the login, readable by this user alone."""
    path = credentials_path(url)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # of mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"url": url, **kept}, file)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)


def forget(url: str) -> None:
    """Remove what is kept of the login at that server."""
    credentials_path(url).unlink(missing_ok=True)


def read_kept(url: str) -> dict[str, Any]:
    """What is kept for that server and no other; nothing if there is nothing. Raises Problem for a file others read."""
    path = credentials_path(url)
    try:
        if path.stat().st_mode & 0o077:
            message = f"{path}: 他人可讀，請 chmod 600 / others can read it: chmod 600"
            raise Problem(message, 2)
        kept = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return kept if isinstance(kept, dict) and kept.get("url") == url else {}


def add_credentials(server: Server) -> None:
    """Have the server asked as whoever is logged in: by VENTURE_API_KEY, or by what is kept."""
    key = os.environ.get("VENTURE_API_KEY")
    kept: dict[str, Any] = {"bearer": key} if key else read_kept(server.url)
    if kept.get("expires_at") and kept["expires_at"] - _EARLY_S < time.time() and kept.get("refresh_token"):
        kept = _refresh(server.url, kept)
    if kept.get("bearer"):
        server.headers["Authorization"] = f"Bearer {kept['bearer']}"
    elif kept.get("cookie"):
        server.headers["Cookie"] = kept["cookie"]


def log_in(server: Server, *, key: bool, login: str | None, tell: Callable[[str, str], None]) -> dict[str, Any]:
    """Come in and keep what lets one in; who one is then. Raises Problem."""
    if key:
        kept = {"bearer": _secret("API key: ")}
    else:
        ways = server.get("/v1/login")
        if ways.get("issuer") and login is None:
            kept = _by_device(ways, tell)
        elif ways.get("local"):
            kept = _by_account(server, login)
        else:
            message = "此服務器只接受 API key：venture login --key / this server takes keys only: venture login --key"
            raise Problem(message, 2)
    server.headers.pop("Authorization", None)
    server.headers.pop("Cookie", None)
    name, value = ("Authorization", f"Bearer {kept['bearer']}") if "bearer" in kept else ("Cookie", kept["cookie"])
    server.headers[name] = value
    who: dict[str, Any] = server.get("/v1/session")
    keep(server.url, kept)
    return who


def _secret(prompt: str) -> str:
    """What is typed unseen, or comes in by a pipe."""
    text = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not text or len(text) > 8_000 or not text.isascii():  # noqa: PLR2004 - longer than any credential
        message = "沒有收到 / nothing was given"
        raise Problem(message, 2)
    return text


def _by_account(server: Server, login: str | None) -> dict[str, Any]:
    name = login or (input("login: ") if sys.stdin.isatty() else sys.stdin.readline().strip())
    answer = server.ask("POST", "/v1/session", body={"login": name, "password": _secret("password: ")})
    return {"cookie": answer["set_cookie"].partition(";")[0]}


def _by_device(ways: dict[str, Any], tell: Callable[[str, str], None]) -> dict[str, Any]:
    """RFC 8628: the person opens a page and types a code; meanwhile the token is asked for at the pace that is told."""
    about = _discover(ways["issuer"])
    form = {"client_id": ways["client_id"], "scope": ways.get("scope") or "openid offline_access"}
    begun = _post(about["device_authorization_endpoint"], form)
    page = begun.get("verification_uri_complete") or begun["verification_uri"]
    tell(f"請開啟 {page} 並核對代碼 {begun['user_code']}", f"Open {page} and check the code {begun['user_code']}")
    every_s, ends = float(begun.get("interval", 5)), time.monotonic() + float(begun.get("expires_in", 600))
    while time.monotonic() < ends:
        time.sleep(every_s)
        form = {"client_id": ways["client_id"], "grant_type": GRANT, "device_code": begun["device_code"]}
        try:
            return _token(_post(about["token_endpoint"], form), about, ways["client_id"])
        except Problem as problem:
            match problem.details.get("error"):
                case "authorization_pending":
                    continue
                case "slow_down":
                    every_s += 5
                case _:
                    raise
    message = "登錄未在時限內完成 / nobody signed in in time"
    raise Problem(message, 5)


def _discover(issuer: str) -> dict[str, Any]:
    """The issuer's endpoints, all of them its own word. Raises Problem where it knows no device grant."""
    about: dict[str, Any] = Server(issuer).get("/.well-known/openid-configuration")
    if about.get("issuer", "").rstrip("/") != issuer.rstrip("/") or "device_authorization_endpoint" not in about:
        message = f"{issuer} 不支持設備授權，請用 venture login --key / no device grant there: venture login --key"
        raise Problem(message, 2)
    return about


def _post(url: str, form: dict[str, str]) -> dict[str, Any]:
    parts = urllib.parse.urlsplit(url)
    server = Server(f"{parts.scheme}://{parts.netloc}")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer: dict[str, Any] = server.ask("POST", parts.path, data=urllib.parse.urlencode(form).encode(), headers=headers)
    return answer


def _token(answer: dict[str, Any], about: dict[str, Any], client_id: str) -> dict[str, Any]:
    kept = {"bearer": answer["access_token"], "token_endpoint": about["token_endpoint"], "client_id": client_id}
    if "refresh_token" in answer:
        kept["refresh_token"] = answer["refresh_token"]
    if "expires_in" in answer:
        kept["expires_at"] = time.time() + float(answer["expires_in"])
    return kept


def _refresh(url: str, kept: dict[str, Any]) -> dict[str, Any]:
    """The next token; what is kept, if the provider gives none: the server then says that it is over."""
    form = {
        "client_id": kept["client_id"],
        "grant_type": "refresh_token",
        "refresh_token": kept["refresh_token"],
    }
    try:
        answer = _post(kept["token_endpoint"], form)
    except Problem:
        return kept
    again = {**kept, **_token(answer, kept, kept["client_id"])}
    keep(url, {name: value for name, value in again.items() if name != "url"})
    return again
