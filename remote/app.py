"""``venture`` where ``VENTURE_URL`` says which server: the same words as beside the database, asked over HTTP.

What is not here is done on the server's own machine: founding, migrations, audits of the whole log.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import uuid
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remote import login
from remote.arguments import build_parser, find_language
from remote.output import Output, Words, text, yuan
from remote.server import Problem, Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Verb = tuple[Server, argparse.Namespace, Output]
WAIT_S = 30
_DOCUMENTS = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv",
    ".txt": "text/plain",
}
_URGENCY = {
    "overdue": Words("逾期", "逾期", "overdue"),
    "soon": Words("将到期", "將到期", "soon due"),
    "open": Words("待办", "待辦", "open"),
}
SUBJECT = Words("对象", "對象", "subject")
WHAT = Words("事项", "事項", "what")
STATE = Words("状态", "狀態", "state")
NOTHING = Words("没有", "沒有", "none")


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask the server that ``VENTURE_URL`` names, and end with the code that says what came of it."""
    language = find_language(arguments)
    parser = build_parser(language, VERBS)
    words, rest = parser.parse_known_args(arguments)
    if rest and (not hasattr(words, "given") or any(one.startswith("-") for one in rest)):
        parser.error(f"? {' '.join(rest)}")
    words.given = rest
    output = Output(words.output, language)
    try:
        server = Server(os.environ["VENTURE_URL"], {"Accept-Language": output.language})
        login.add_credentials(server)
        code = words.verb(server, words, output)
    except Problem as problem:
        if output.form != "table" and problem.details:
            output.json(problem.details)
        output.tell(str(problem))
        code = problem.code
    except KeyboardInterrupt:
        code = 130
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = code or 141
    sys.exit(code or 0)


# ---------------------------------------------------------------- coming in


def log_in(server: Server, words: argparse.Namespace, output: Output) -> int:
    """Come in, and keep what lets one in for this user alone."""

    def tell(zh: str, en: str) -> None:
        output.tell(en if output.language == "en" else zh)

    who = login.log_in(server, key=words.key, login=words.name, tell=tell)
    output.json(who) if output.form != "table" else output.tell(
        f"✓ {who['person'] or who['service']}  {'、'.join(who['seats'])}"
    )
    return 0


def log_out(server: Server, _words: argparse.Namespace, _output: Output) -> int:
    """End the session at the server, and forget it here even if that fails."""
    try:
        server.ask("DELETE", "/v1/session")
    finally:
        login.forget(server.url)
    return 0


def who_am_i(server: Server, _words: argparse.Namespace, output: Output) -> int:
    """Who one is there, and on which seats."""
    output.json(server.get("/v1/session"))
    return 0


# ---------------------------------------------------------------- commands


def do(server: Server, words: argparse.Namespace, output: Output) -> int:
    """Have a command carried out, once, under an id of its own."""
    command = _find_command(server, words)
    body = _body(server, words, tries=words.dry_run)
    if words.dry_run:
        return _print_dry_run(server.ask("POST", f"/v1/commands/{command}", query={"dry_run": True}, body=body), output)
    headers = {"Idempotency-Key": words.id or str(uuid.uuid4()), "Prefer": "wait"}
    receipt = server.ask("POST", f"/v1/commands/{command}", body=body, headers=headers)
    while receipt.get("done") is False:  # a decision of a body takes longer than one answer
        receipt = server.get(f"/v1/operations/{headers['Idempotency-Key']}", wait=WAIT_S)
    if receipt.get("error"):
        raise Problem(json.dumps(receipt["error"], ensure_ascii=False), 1, receipt["error"])
    return _print_receipt(receipt.get("response") or receipt, output)


def why_not(server: Server, words: argparse.Namespace, output: Output) -> int:
    """Say whether it would be carried out, or everything that is missing."""
    command = _find_command(server, words)
    return _print_dry_run(server.ask("POST", f"/v1/why-not/{command}", body=_body(server, words, tries=True)), output)


def _print_dry_run(answer: dict[str, Any], output: Output) -> int:
    if output.form != "table":
        output.json(answer)
    elif answer["would_be"] == "accepted":
        would = output.say(Words("可以办理", "可以辦理", "it would be carried out"))
        output.tell(f"✓ {would}: {text(answer['events'])}")
    else:
        lines = "\n".join(f"  ✗ [{one['rule']}] {one['detail']}" for one in answer["unmet"])
        output.tell(f"{output.say(Words('尚缺：', '尚缺：', 'what is missing:'))}\n{lines}")
    return 0 if answer["would_be"] == "accepted" else 1


def _print_receipt(receipt: dict[str, Any], output: Output) -> int:
    if output.form != "table":
        output.json(receipt)
        return 0
    done = output.say(Words("已办理", "已辦理", "carried out"))
    output.tell(f"✓ {done}: {text(receipt.get('events'))}  {receipt.get('stream')} v{receipt.get('version')}")
    for one in receipt.get("approvals", ()):
        output.tell(f"  {output.say(Words('审批', '審批', 'approval'))} {one['id']} {one['gate']} {one['role']}")
    return 0


def _find_command(server: Server, words: argparse.Namespace) -> str:
    """The command's own name; any other of its names is asked for."""
    name = words.name
    if re.fullmatch(r"[a-z]+(-[a-z]+)*", name):
        return "".join(part.capitalize() for part in name.split("-"))
    if re.fullmatch(r"[A-Z][A-Za-z]+", name) and not name.endswith("ed"):
        return str(name)
    commands = server.get("/v1/commands", name=name)["commands"]
    if len(commands) != 1:
        message = f"{name}: 没有此命令 / no such command"
        raise Problem(message, 2)
    return str(commands[0]["command"])


def _body(server: Server, words: argparse.Namespace, *, tries: bool = False) -> dict[str, Any]:
    """The command as it is sent. Who only ``tries`` it brings no document, and says which would be brought."""
    body: dict[str, Any] = {"subject": words.subject, "written": "typed", "particulars": {}}
    at_hand: list[str] = []
    for name, value in _split_pairs(words.given):
        if value.startswith("@"):
            attachment = _attach(server, Path(value[1:]), tries=tries)
            at_hand.append(attachment["sha256"])
            body["particulars"][name] = json.dumps(attachment)
        else:
            body["particulars"][name] = value
    if tries and at_hand:
        body["at_hand"] = at_hand
    fields = {"as": words.seat, "realm": words.realm, "at": words.at}
    return body | {name: value for name, value in fields.items() if value is not None}


def _split_pairs(pairs: Sequence[str]) -> Iterator[tuple[str, str]]:
    seen = set[str]()
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or name in seen:
            message = f"{pair}: key=value，一次 / write key=value, once"
            raise Problem(message, 2)
        seen.add(name)
        yield name, value


def _attach(server: Server, path: Path, *, tries: bool) -> dict[str, str]:
    """The document as a command attaches it, its bytes brought there unless one only tries."""
    media_type = _DOCUMENTS.get(path.suffix.lower(), "application/octet-stream")
    try:
        data = path.read_bytes()
    except OSError as fault:
        message = f"{path}: {fault.strerror}"
        raise Problem(message, 2) from None
    digest = sha256(data).hexdigest()
    if not tries:
        server.ask("POST", "/v1/documents", query={"sha256": digest}, data=data, headers={"Content-Type": media_type})
    return {"sha256": digest, "media_type": media_type, "name": path.name}


# ---------------------------------------------------------------- reading


def list_inbox(server: Server, words: argparse.Namespace, output: Output) -> int:
    """What waits for one's seats."""
    page = server.get("/v1/inbox", **{"as": words.seat}, overdue=words.overdue or None, **_page(words))
    for row in page["waiting"]:
        if output.form == "table":
            row["urgency"] = output.say(_URGENCY.get(row["urgency"], NOTHING))
    columns = (
        ("urgency", STATE),
        ("until", Words("至", "至", "until")),
        ("subject", SUBJECT),
        ("title", Words("名称", "名稱", "title")),
        ("text", WHAT),
        ("seats", Words("岗位", "崗位", "seats")),
        ("command", Words("命令", "命令", "command")),
    )
    return _print_page(page, "waiting", columns, output)


def list_projects(server: Server, words: argparse.Namespace, output: Output) -> int:
    """Which projects there are."""
    narrowed = {name: getattr(words, name) for name in ("stage", "round", "organisation", "fund", "awaits", "search")}
    page = server.get("/v1/projects", **narrowed, overdue=words.overdue or None, **_page(words))
    for row in page["projects"]:
        if output.form == "table":
            row["award"] = yuan(row["award"])
            row["awaiting"] = "; ".join(f"{'/'.join(one['roles'])} {one['text']}" for one in row["awaiting"][:2])
            row["application"] = row["stream"].rpartition("/")[2]
    columns = (
        ("number", Words("项目", "項目", "project")),
        ("application", Words("申报", "申報", "application")),
        ("title", Words("名称", "名稱", "title")),
        ("stage_text", Words("阶段", "階段", "stage")),
        ("award", Words("资助金额", "資助金額", "award")),
        ("awaiting", Words("等候", "等候", "awaited")),
    )
    return _print_page(page, "projects", columns, output)


def show_project(server: Server, words: argparse.Namespace, output: Output) -> int:
    """One project: how it stands, who is awaited, and its story; as it was on a day by --as-of."""
    stream = words.subject
    if stream.count("/") < 2:  # noqa: PLR2004 - kind/realm/name
        streams = server.get(f"/v1/names/{stream}", realm=words.realm)["streams"]
        if len(streams) > 1:
            message = "\n".join(["--realm?", *streams])
            raise Problem(message, 2)
        (stream,) = streams
    file = server.get(f"/v1/files/{stream}", as_of=words.as_of)
    if output.form != "table":
        output.json(file)
        return 0
    output.tell(f"{file['stream']}  {file['stage_text']}  v{file['version']}")
    for one in file["awaiting"]:
        output.tell(f"  → {'/'.join(one['roles'])} {one['text']} {text(one.get('until'))}")
    columns = (
        ("at", Words("时间", "時間", "when")),
        ("text", WHAT),
        ("seat", Words("岗位", "崗位", "seat")),
        ("event", Words("事件", "事件", "event")),
    )
    output.rows(file["story"], columns, NOTHING)
    return 0


def list_approvals(server: Server, words: argparse.Namespace, output: Output) -> int:
    """Which decisions are waited for; with --all the ended ones too."""
    verdict = None if words.all else "OPEN"
    page = server.get("/v1/approvals", verdict=verdict, approver=words.seat, **_page(words))
    for row in page["approvals"]:
        if output.form == "table":
            row["about"] = f"{row['stream'].rpartition('/')[2]} {row['key']}".strip()
            row["bound"] = _bound(row)
    columns = (
        ("id", Words("审批编号", "審批編號", "approval")),
        ("about", SUBJECT),
        ("text", WHAT),
        ("role", Words("由谁", "由誰", "who")),
        ("verdict", STATE),
        ("bound", Words("所批内容", "所批內容", "what is bound")),
    )
    return _print_page(page, "approvals", columns, output)


def show_approval(server: Server, words: argparse.Namespace, output: Output) -> int:
    """One approval."""
    return _print_approval(server.get(f"/v1/approvals/{words.id}"), output)


def wait_for(server: Server, words: argparse.Namespace, output: Output) -> int:
    """Wait until an approval is decided, or a tranche is paid, as long as it takes."""
    if "-" in words.id and words.id.count("/") != 1:
        while (approval := server.get(f"/v1/approvals/{words.id}", wait=WAIT_S))["verdict"] == "OPEN":
            pass
        _print_approval(approval, output)
        return 0 if approval["verdict"] == "GRANTED" else 1
    while not (paid := server.get(f"/v1/payments/{words.id}", realm=words.realm, wait=WAIT_S))["done"]:
        pass
    output.json(paid) if output.form != "table" else output.tell(f"{words.id}: {paid['text']} {yuan(paid['paid'])}")
    return 0 if paid["course"] == "PAID" else 1


def decide(server: Server, words: argparse.Namespace, output: Output) -> int:
    """Decide an approval by the stage's own command."""
    body: dict[str, Any] = {"decision": words.decision}
    fields = {"as": words.seat, "reason": words.reason, "at": words.at}
    body |= {name: value for name, value in fields.items() if value is not None}
    headers = {"Idempotency-Key": words.command_id or str(uuid.uuid4())}
    return _print_receipt(server.ask("POST", f"/v1/approvals/{words.id}/decision", body=body, headers=headers), output)


def open_approval(server: Server, words: argparse.Namespace, output: Output) -> int:
    """Ask for a decision of one's own."""
    request: dict[str, Any] = {"title": words.title, "groups": [_group(of) for of in words.of]}
    for pair in words.given:
        name, _, value = pair.partition("=")
        request[name] = json.loads(value) if re.fullmatch(r"\d+", value) else value
    body: dict[str, Any] = {"request": request, **({"as": words.seat} if words.seat else {})}
    headers = {"Idempotency-Key": words.command_id or str(uuid.uuid4())}
    return _print_receipt(server.ask("POST", "/v1/approvals", body=body, headers=headers), output)


def _group(of: str) -> dict[str, Any]:
    needed, _, names = of.partition(":")
    words = [name for name in names.split(",") if name]
    if not words or not (needed in ("all", "any") or needed.isdecimal()):
        message = f"--of {of}: all:CAB-DEC#1,CAB-FIN#1"
        raise Problem(message, 2)
    group = {"seats": [w for w in words if "#" in w], "roles": [w for w in words if "#" not in w]}
    return group if needed == "all" else {**group, "needed": 1 if needed == "any" else int(needed)}


def _print_approval(approval: dict[str, Any], output: Output) -> int:
    if output.form != "table":
        output.json(approval)
        return 0
    output.tell(
        f"{approval['stream']} {approval['key']} {approval['text']}: {approval['verdict']}  {text(approval['until'])}"
    )
    for one in approval["summary"]:
        output.tell(f"  {one['label']} {one['value']}")
    for vote in approval["votes"]:
        output.tell(f"  {vote['at']} {vote['seat']} {vote['text']} {vote['reason']}")
    return 0


def _bound(row: dict[str, Any]) -> str:
    return "；".join(f"{one['label']} {one['value']}" for one in row["summary"])


def _page(words: argparse.Namespace) -> dict[str, Any]:
    return {"realm": words.realm, "limit": words.limit, "after": words.after}


def _print_page(page: dict[str, Any], name: str, columns: tuple[tuple[str, Words], ...], output: Output) -> int:
    output.rows(page[name], columns, NOTHING)
    if page["next"] is not None:
        output.tell(f"--after {page['next']}")
    if page["freshness"]["behind"]:
        behind = page["freshness"]["behind"]
        output.tell(output.say(Words(f"落后 {behind} 条", f"落後 {behind} 條", f"{behind} entries behind")))
    return 0


VERBS = {
    "login": log_in,
    "logout": log_out,
    "whoami": who_am_i,
    "do": do,
    "why-not": why_not,
    "inbox": list_inbox,
    "project list": list_projects,
    "project show": show_project,
    "approval list": list_approvals,
    "approval show": show_approval,
    "approval wait": wait_for,
    "approval approve": decide,
    "approval decline": decide,
    "approval return": decide,
    "approval open": open_approval,
}
