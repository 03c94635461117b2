"""The command line of whoever is elsewhere: over HTTP, as a person or service, at next to no cost, with no rule."""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import sys
import time
from asyncio.subprocess import PIPE
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from application.accounts import renew_password
from application.pages import wait_for_view
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor
from languages.script import simplify
from remote import app
from remote.arguments import build_parser, find_language
from remote.login import credentials_path
from remote.output import LANGUAGES, layout, visible, yuan
from remote.server import Problem, Server
from store.identity import Account, Identity, SeatGrant
from tests.web.conftest import served
from tests.web.test_documents import paper
from tests.web.test_reads import need, posted
from web.app import build
from web.identity.provider import OidcProvider

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from tests.web.conftest import Counter
    from tests.workflows.bureau import Bureau

ROOT = Path(__file__).resolve().parents[2]
LOADED = """
import json, sys
from remote.app import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@dataclass(frozen=True)
class Shell:
    """Somebody's terminal on another machine."""

    address: str
    home: Path
    key: str = ""

    async def run(self, *words: str, stdin: str = "", script: str | None = None) -> tuple[int, str, str]:
        """The exit code, and what was written out and beside it."""
        environment = {"PATH": os.defpath, "VENTURE_URL": self.address, "HOME": str(self.home), "VENTURE_LANG": "en"}
        environment |= {"VENTURE_API_KEY": self.key} if self.key else {}
        program = ["-c", script] if script else [str(ROOT / "starter.py")]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *program,
            *words,
            cwd=ROOT,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        out, err = await process.communicate(stdin.encode())
        return process.returncode or 0, out.decode(), err.decode()


async def key_of(counter: Counter, *seats: str) -> str:
    async with counter.service(*seats) as service:
        return str(service.headers["Authorization"]).removeprefix("Bearer ")


@pytest.mark.full
async def test_every_question_is_answered_and_loads_no_rule(counter: Counter, bureau: Bureau, tmp_path: Path) -> None:
    project, _ = await posted(bureau)
    await need(bureau)
    position = await counter.house.store.last_position()
    for view in ("waiting", "projects", "approvals"):  # a list answers at once with what is there
        assert await wait_for_view(counter.house.store, view, position, 60)
    shell = Shell(counter.address, tmp_path, await key_of(counter, "CAB-REG#1", "CAB-DEC#1"))
    here = ("--realm", bureau.realm)
    for words, text in (
        (("inbox", *here), "AdoptNeed"),
        (("project", "list", *here), "PJ-1"),
        (("project", "show", str(project)), "AwardProposed"),
        (("approval", "list", *here), "confirm award"),
    ):
        code, out, err = await shell.run(*words)
        assert (code, text in out) == (0, True), (words, out, err)
        _, _, modules = await shell.run(*words, script=LOADED)
        loaded = {one.partition(".")[0] for one in json.loads(modules.splitlines()[-1])}
        assert "remote" in loaded
        assert loaded.isdisjoint({"domain", "pydantic", "httpx", "typer", "temporalio"}), words


@pytest.mark.full
async def test_a_command_is_asked_once_however_often_and_a_refusal_says_all_that_is_missing(
    counter: Counter, bureau: Bureau, tmp_path: Path
) -> None:
    await bureau.open_round()
    shell = Shell(counter.address, tmp_path, await key_of(counter, "COMM#1", "CAB-REG#1"))
    subject = f"need/{bureau.realm}/ND-7"
    words_of_command = ("do", "submit-need", subject, "--as", "COMM#1", "round=R-1", "group=空巢老人", "head_count=30")
    rehearsal = await shell.run(*words_of_command, "--dry-run")
    content, digest = paper()
    (tmp_path / "survey.pdf").write_bytes(content)
    attached = (*words_of_command, f"attachments=@{tmp_path / 'survey.pdf'}")
    for trial in ((*attached, "--dry-run"), ("why-not", *attached[1:])):
        assert (answer := await shell.run(*trial))[0] == 0, (trial, answer)
        assert not await counter.house.store.documents.list_kept({digest}), "trying leaves nothing behind"
    first = await shell.run(*words_of_command, "--id", "2b0c7a52-5d1e-4a6b-9c55-0e4f2f6f1a11", "-o", "json")
    again = await shell.run(*words_of_command, "--id", "2b0c7a52-5d1e-4a6b-9c55-0e4f2f6f1a11", "-o", "json")
    assert (rehearsal[0], first[0]) == (0, 0), (rehearsal, first)
    assert first == again
    refused = await shell.run("do", "需求入庫", subject, "--as", "COMM#1")
    assert (refused[0], "[ND03]" in refused[2]) == (1, True), refused
    why = await shell.run("why-not", "NeedAdopted", subject, "--as", "COMM#1")
    assert (why[0], "[ND03]" in why[2]) == (1, True), why
    for words, code in (
        (("do", "no-such", subject), 3),
        (("do", "submit-need", subject, "--as", "COMM#1", "nonsense"), 2),
        (("do", "submit-need", subject, "--as", "COMM#1", "round=R-1"), 2),
        (("project", "show", "PJ-404"), 3),
        (("do", "submit-need", subject, "--as", "EVAL#1", "round=R-1", "group=x"), 1),
    ):
        assert (await shell.run(*words))[0] == code, words


@pytest.mark.full
async def test_a_decision_is_asked_for_and_given_from_elsewhere(
    counter: Counter, bureau: Bureau, tmp_path: Path
) -> None:
    await bureau.open_round()
    clerk = Shell(counter.address, tmp_path, await key_of(counter, "CAB-REG#1"))
    leader = Shell(counter.address, tmp_path, await key_of(counter, "CAB-DEC#1"))
    code, out, err = await clerk.run("approval", "open", "採購", "--of", "all:CAB-DEC#1", "amount=100", "-o", "json")
    assert code == 0, err
    approval = json.loads(out)["approvals"][0]["id"]
    waiting = asyncio.create_task(clerk.run("approval", "wait", approval))
    declined = await leader.run("approval", "decline", approval, "--reason", "不宜")
    assert declined[0] == 0, declined
    assert (await waiting)[0] == 1
    assert "不宜" in (await clerk.run("approval", "show", approval))[2]


@pytest.mark.usefixtures("accounts")  # a trial's accounts are made where there are none yet
@pytest.mark.full
async def test_a_local_login_is_kept_for_its_owner_alone_until_they_leave(counter: Counter, tmp_path: Path) -> None:
    seats, identity = (SeatGrant(seat=Actor("CAB-FIN#1")),), counter.house.identity
    await identity.add_account(Account("remote-7", PersonId("P-7"), seats, "$argon2id$none"))
    secret = await renew_password(identity, "remote-7")
    assert secret is not None
    shell = Shell(counter.address, tmp_path)
    assert (await shell.run("whoami"))[0] == 1
    assert (await shell.run("login", "remote-7", stdin="wrong\n"))[0] == 1
    came = await shell.run("login", "remote-7", stdin=f"{secret}\n")
    assert (came[0], "P-7" in came[2]) == (0, True), came
    (kept,) = (tmp_path / ".config" / "venture").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert secret not in kept.read_text("utf-8")
    assert json.loads((await shell.run("whoami"))[1])["person"] == "P-7"
    kept.chmod(0o644)
    assert (await shell.run("whoami"))[0] == 2
    kept.chmod(0o600)
    assert (await shell.run("logout"))[0] == 0
    assert not kept.exists()


async def test_a_person_signs_in_at_the_provider_by_a_code_that_they_check(counter: Counter, tmp_path: Path) -> None:
    key, grants = RSAKey.generate_key(2048, {"kid": "one"}), list[str]()
    at_provider: list[str] = []

    def answer(what: Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]) -> Callable[..., Awaitable[JSONResponse]]:
        async def route(request: Request) -> JSONResponse:
            status, body = what({**request.query_params, **(await request.form())})
            return JSONResponse(body, status)

        return route

    def token(form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        grants.append(form["grant_type"])
        if len(grants) == 1:
            return 400, {"error": "authorization_pending"}
        at = int(time.time())
        claims = {"iss": at_provider[0], "sub": "s-remote", "aud": "venture", "exp": at + 300, "iat": at}
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, key, algorithms=["RS256"])
        return 200, {"access_token": signed, "expires_in": 1, "refresh_token": f"r-{len(grants)}"}

    about = {"token_endpoint": "/token", "device_authorization_endpoint": "/device", "jwks_uri": "/keys"}
    begun = {"device_code": "d", "user_code": "WDJB-MJHT", "verification_uri": "https://login/device", "interval": 0}
    provider_app = Starlette(
        routes=[
            Route(
                "/.well-known/openid-configuration",
                answer(
                    lambda _: (200, {"issuer": at_provider[0], **{n: at_provider[0] + p for n, p in about.items()}})
                ),
            ),
            Route("/device", answer(lambda _: (200, begun)), methods=["POST"]),
            Route("/token", answer(token), methods=["POST"]),
            Route("/keys", answer(lambda _: (200, {"keys": [key.as_dict(private=False)]}))),
        ]
    )
    async with served(provider_app) as issuer:
        at_provider.append(issuer)
        person = Identity(person=PersonId("P-8"), service=None, seats=(SeatGrant(seat=Actor("CAB-FIN#1")),))
        await counter.house.identity.put_identity(issuer, "s-remote", person)
        provider = OidcProvider(issuer, "web", None, "venture")
        house = replace(counter.house, provider=provider, device_issuer=issuer, device_client="cli", is_local=False)
        async with served(build(house)) as address:
            shell = Shell(address, tmp_path)
            came = await shell.run("login")
            who = await shell.run("whoami")
        await provider.aclose()
    assert (came[0], "WDJB-MJHT" in came[2]) == (0, True), came
    assert (who[0], json.loads(who[1])["person"]) == (0, "P-8"), who
    assert grants[-1] == "refresh_token", "a token that is about to end is asked for anew"


async def test_a_credential_never_travels_in_the_clear_or_to_another_server(tmp_path: Path) -> None:
    code, _, err = await Shell("http://venture.bureau.example", tmp_path, "vk_x").run("inbox")
    assert (code, "https" in err) == (2, True)


async def test_a_server_that_is_away_is_not_known_and_says_under_which_id_to_ask_again() -> None:
    server = Server("http://127.0.0.1:9", patience_s=0.1)
    with pytest.raises(Problem) as problem:
        server.ask("POST", "/v1/commands/X", body={}, headers={"Idempotency-Key": "k-1"})
    assert (problem.value.code, "--id k-1" in str(problem.value)) == (5, True)


ENGLISH = re.compile(r"(?<!-)\b(?:the|of|usage|show this|and|options|arguments)\b")


def test_the_help_of_every_verb_is_in_the_language_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in [*app.VERBS, "project", "approval", ""]:
        helps = {}
        for language in LANGUAGES:
            with pytest.raises(SystemExit):
                build_parser(language, app.VERBS).parse_args([*verb.split(), "--help"])
            helps[language] = capsys.readouterr().out
        assert re.search(r"[\u4e00-\u9fff]", helps["en"]) is None, verb
        assert ENGLISH.search(helps["zh-Hant"]) is None, verb
        assert simplify(helps["zh-Hant"]) == helps["zh-Hans"], verb


def test_the_language_is_asked_for_before_the_verb_or_after_it() -> None:
    for words in (["--lang", "en", "inbox"], ["inbox", "--lang=en"]):
        assert find_language(words) == "en"
        assert build_parser("en", app.VERBS).parse_args(words).verb is app.list_inbox


def test_a_table_stands_straight_and_no_text_steers_the_terminal() -> None:
    lines = layout(["甲", "b"], [["長名稱", "1"], ["x", "2"]]).splitlines()
    assert lines == ["甲      b", "長名稱  1", "x       2"]
    assert "\x1b" not in visible("a\x1b[31mb")
    assert (yuan(123456789), yuan(None)) == ("¥1,234,567.89", "")
    assert credentials_path("https://a") != credentials_path("https://b")
