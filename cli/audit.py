"""``venture audit``: prove that the log is whole, go through a stream's history again, see it as it was on a day."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import bootstrap
from application.access import show_to
from application.maintenance import MaintenanceRecord, list_maintenance
from application.queries import File, load_file
from audit.as_of import AsOf, as_of, calendar_as_of, instant_of, position_by
from audit.attempts import Attempt, iterate_attempts
from audit.histories import ReplaySettings
from audit.invariants import INVARIANTS, TIERS, Report, check
from audit.replay import Replay, replay
from audit.verification import Root, Verification, verify
from cli import project
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.name_resolution import resolve
from cli.options import Reader, Realm, read_actor
from cli.output import ArgumentInvalid, Column, Form, Printer, message_console
from domain.kernel.calendar import local_time
from domain.kernel.explanation import show
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import StreamId
from domain.kernel.input import parse_moment
from payload_codec import replaying_converter
from runtime.documents import open_documents
from runtime.store import OutOfService
from runtime.worker import WORKFLOWS
from runtime.workflow_sandbox import sandbox
from store.migration import MigrationRun, list_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit.redecision import DecisionDifference
    from bootstrap import Settings
    from store.port import EventStore

app = Typer()

Subject = Annotated[str, typer.Argument(help="PJ-3、AP-5、R-FZ-2023 或全稱 project/live/AP-5", show_default=False)]


class NotYetThere(Failure):
    """The stream had no events then."""

    kind = FailureKind.NOT_FOUND


_DAY = "2023-05-20"
"""How a day is written, and so how long."""


# ------------------------------------------------------------------------------------------------------------ verify


@app.command("verify")
@verb
async def verify_command(
    *,
    invocation: Invocation,
    root: Annotated[
        list[str] | None,
        typer.Option(
            "--root", help="留存根校驗值 a kept root, SIZE:ROOT，或其文件 or a file of them(可多次)", show_default=False
        ),
    ] = None,
) -> None:
    """核驗全部日誌：有無改動、缺失、不符 / verify the whole log: was anything changed, cut or made up.

    印出的根校驗值請抄存於數據庫之外，下次以 --root 帶入：其前的歷史若被改寫，必被發現。
    Keep the printed root outside the database; give it by --root next time, and a rewritten history is found.
    留存多個，可知改動在哪兩個之間 / with several it is told between which two it was changed.

    \b
    退出碼 exit: 0 全部相符 all agrees; 6 有不符 findings
    例 examples:
      venture audit verify
      venture audit verify --root 55:10aaa90b9896f557e95634f6848823a3f3ca40593c661810c9792649beeac5e1
      venture audit verify --root roots.txt
      venture audit verify -o jsonl --lang en
    """  # noqa: D301 - a real backspace keeps the lines apart
    printer, roots = invocation.printer, [kept for text in root or () for kept in read_roots(text)]
    async with invocation.open_store() as store:
        documents = open_documents(invocation.settings, store)
        with _bar(printer) as progress:
            verification = await verify(store, progress=_Bar(progress, printer), roots=roots, documents=documents)
    print_verification(verification, printer)
    if not verification.ok:
        raise typer.Exit(FailureKind.INTEGRITY)


def read_roots(text: str) -> list[Root]:
    """The root itself, or those in the file of that name, one a line."""
    lines = [text]
    if Path(text).is_file():
        lines = [line for line in Path(text).read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        return [Root.read(line) for line in lines]
    except ValueError as error:
        raise ArgumentInvalid(
            f"--root {text}：寫作 條數：根校驗值，或每行一個的文件",
            f"--root {text}: write SIZE:ROOT, or a file with one a line",
        ) from error


def _bar(printer: Printer) -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=message_console, transient=True, disable=not printer.is_for_people)


class _Bar:
    """A progress bar over the positions of the log."""

    def __init__(self, progress: Progress, printer: Printer) -> None:
        self._progress = progress
        self._task = progress.add_task(printer.say("核驗", "verifying"), total=None)

    def begin(self, entries: int) -> None:
        """A pass over that many entries begins."""
        self._progress.update(self._task, total=entries)

    def advance(self, position: int) -> None:
        """Everything up to that position is looked at."""
        self._progress.update(self._task, completed=position)


def print_verification(verification: Verification, printer: Printer) -> None:
    """The findings as a table, and the root to be kept; or as data, of which jsonl has a line for each finding."""
    if printer.form is Form.JSON:
        printer.json(verification.as_json())
        return
    rows = [f.as_json() | {"text": printer.say(f.zh, f.en)} for f in verification.findings]
    columns = (
        Column("position", "序號", "position", right=True),
        Column("stream", "卷宗", "stream"),
        Column("text", "不符之處", "finding"),
    )
    if printer.form is Form.JSONL:
        for row in verification.as_json()["findings"]:
            printer.json({"finding": row})
        printer.json({k: v for k, v in verification.as_json().items() if k != "findings"})
        return
    if rows:
        printer.rows(rows, columns, ("", ""))
    v = verification
    mark, verdict = ("✓", printer.say("全部相符", "all agrees")) if v.ok else ("✗", _count(len(rows), printer))
    sizes = printer.say(
        f"{v.entries} 條記錄（{v.events} 事件，{v.commands} 命令），{v.streams} 個卷宗",
        f"{v.entries} entries ({v.events} events, {v.commands} commands) of {v.streams} streams",
    )
    printer.line(f"{mark} {verdict} · {sizes}")
    if (bracket := _bracket(v, printer)) is not None:
        printer.line(bracket)
    if v.documents or v.deferred or v.disposed:
        later = printer.say(
            f"；補錄紙件另有 {v.deferred} 份原件未入庫", f"; {v.deferred} more of papers, whose bytes are not here"
        )
        printer.line(
            printer.say(f"文件原件 {v.documents} 份已重讀", f"{v.documents} documents read again")
            + (later if v.deferred else "")
            + (printer.say(f"；已銷毀 {v.disposed} 份", f"; {v.disposed} disposed of") if v.disposed else "")
        )
    printer.line(printer.say("根校驗值（請存於庫外） ", "root (keep it outside) ") + f"{v.entries}:{v.root}")


def _bracket(v: Verification, printer: Printer) -> str | None:
    """Between which kept roots history was changed; None if no root was given."""
    if v.changed_by is not None:
        return printer.say(
            f"留存根校驗值：至第 {v.unchanged_to} 條未改，其後至第 {v.changed_by} 條之間曾被改動或截短",
            f"kept roots: unchanged up to position {v.unchanged_to}, changed or cut after it and by {v.changed_by}",
        )
    if v.unchanged_to:
        return printer.say(
            f"留存根校驗值：至第 {v.unchanged_to} 條未改", f"kept roots: unchanged up to position {v.unchanged_to}"
        )
    return None


def _count(findings: int, printer: Printer) -> str:
    return printer.say(f"{findings} 處不符", f"{findings} findings")


# ---------------------------------------------------------------------------------------------------------- attempts


@app.command("attempts")
@verb
async def attempts_command(
    *,
    invocation: Invocation,
    subject: Annotated[str | None, typer.Argument(help="PJ-3、AP-5 或全稱；不填即全部 all", show_default=False)] = None,
    realm: Realm = None,
) -> None:
    """被拒的每一次申請：何人、何時、依何規則 / every refused attempt: who, when, by which rules.

    業務時間與記錄時間並列；從未立案的編號也在內。
    Business time and recording time side by side; names under which nothing was ever recorded are among them.

    \b
    例 examples:
      venture audit attempts
      venture audit attempts PJ-3
      venture audit attempts --realm live -o jsonl
    """  # noqa: D301 - a real backspace keeps the lines apart
    printer = invocation.printer
    async with invocation.open_runtime() as runtime:
        stream = None if subject is None else await _resolve_attempted(runtime.store, subject, realm, printer)
        rows = [_attempt_row(attempt, printer) async for attempt in iterate_attempts(runtime.store, stream, realm)]
    columns = (
        Column("position", "序號", "position", right=True),
        Column("recorded", "記錄時間", "recorded"),
        Column("occurred", "業務時間", "business time"),
        Column("stream", "卷宗", "stream"),
        Column("actor", "經辦", "actor"),
        Column("command", "命令", "command"),
        Column("text", "未符條件", "unmet"),
    )
    printer.rows(rows, columns, ("沒有被拒的申請", "nothing was refused"))


async def _resolve_attempted(store: EventStore, name: str, realm: str | None, printer: Printer) -> StreamId:
    """The stream of that name; a whole id may be of one that was only ever attempted."""
    try:
        return StreamId(name)
    except ValueError:
        return await resolve(store, name, realm, printer)


def _attempt_row(attempt: Attempt, printer: Printer) -> dict[str, Any]:
    row = attempt.as_json()
    if printer.is_for_people:
        row["recorded"] = local_time(attempt.recorded_at)
        row["occurred"] = local_time(attempt.occurred_at)
        row["text"] = "; ".join(f"{u.rule} {printer.say(u.zh, u.en)}" for u in attempt.unmet)
    return row


# ------------------------------------------------------------------------------------------------------------- reads


@app.command("reads")
@verb
async def reads_command(
    *,
    invocation: Invocation,
    digest: Annotated[str | None, typer.Argument(help="文件摘要 SHA-256；不填即全部 all", show_default=False)] = None,
    after: Annotated[int, typer.Option("--after", help="自此編號之後 after that number")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="至多幾行 at most so many")] = 500,
) -> None:
    """何人何時看過哪一份文件 / who looked at which document, when, and in which file.

    \b
    例 examples:
      venture audit reads
      venture audit reads 10aaa90b9896f557e95634f6848823a3f3ca40593c661810c9792649beeac5e1 -o jsonl
    """  # noqa: D301 - a real backspace keeps the lines apart
    printer = invocation.printer
    async with invocation.open_store() as store:
        looks = await store.documents.reads(after, limit, digest)
    rows = [
        {
            "id": look.id,
            "at": local_time(look.at) if printer.is_for_people else look.at.isoformat(),
            "reader": look.reader,
            "session": look.session,
            "stream": look.stream,
            "sha256": f"{look.sha256[:12]}…" if printer.is_for_people else look.sha256,
        }
        for look in looks
    ]
    columns = (
        Column("id", "編號", "number", right=True),
        Column("at", "時間", "when"),
        Column("reader", "何人", "who"),
        Column("session", "登錄", "login"),
        Column("stream", "在何卷宗", "in which file"),
        Column("sha256", "文件", "document"),
    )
    printer.rows(rows, columns, ("沒有人看過", "nobody has looked"))


# ------------------------------------------------------------------------------------------------------- maintenance


@app.command("maintenance")
@verb
async def maintenance_command(*, invocation: Invocation) -> None:
    """運維記錄：何人何時為何做了什麼，結果如何 / what was done to the installation: who, when, why, what came of it.

    未見結束者，即中途斷了，或仍在進行。遷移不在日誌內，與所套用之檔同記於庫中。
    One without an end was broken off, or is under way. Migrations stand beside their files, not in the log.

    \b
    例 examples:
      venture audit maintenance
      venture audit maintenance -o jsonl
    """  # noqa: D301 - a real backspace keeps the lines apart
    printer = invocation.printer
    async with invocation.open_runtime() as runtime:
        records = await list_maintenance(runtime.store)
        runs = await list_runs(runtime.postgres_url)
    done: list[MaintenanceRecord | MigrationRun] = sorted([*records, *runs], key=lambda one: one.began_at)
    rows = [_maintenance_row(one, printer) for one in done]
    columns = (
        Column("number", "編號", "number", right=True),
        Column("begun_at", "開始", "begun"),
        Column("ended_at", "結束", "ended"),
        Column("by", "何人", "who"),
        Column("work", "事項", "work"),
        Column("target", "對象", "target"),
        Column("reason", "理由", "why"),
        Column("changed", "已處理", "changed", right=True),
        Column("left", "未成", "left", right=True),
    )
    printer.rows(rows, columns, ("暫無運維記錄", "nothing was done to the installation"))


def _maintenance_row(one: MaintenanceRecord | MigrationRun, printer: Printer) -> dict[str, Any]:
    row = one.as_json()
    if printer.is_for_people:
        row["begun_at"] = local_time(one.began_at)
        row["ended_at"] = local_time(one.ended_at) if one.ended_at else printer.say("未結束", "not ended")
        row["by"] = " ".join(filter(None, (row["seat"], *row["persons"]))) or printer.say("未記", "not recorded")
        if isinstance(one, MaintenanceRecord):
            row["work"] = printer.say(one.begun.work.zh, one.begun.work.en)
        else:
            row["work"] = printer.say("遷移數據庫", "database migrated")
    return row


# -------------------------------------------------------------------------------------------------------- invariants


@app.command("invariants")
@verb
async def invariants_command(
    *,
    invocation: Invocation,
    realm: Realm = None,
    bases: Annotated[
        str | None,
        typer.Option("--bases", help="各級基地應有數 bases by tier, 1+7+55(須指明 --realm)", show_default=False),
    ] = None,
) -> None:
    """由日誌重算每一不變量，不用規則本身的程序 / recompute every invariant from the log, by other code than the rules.

    金額、人員、時間、證據、制度各條，及狀態機 T01–T26;V2(成鏈)另由 venture audit verify 核驗。
    Money, people, time, evidence and scheme, and the state machine; V2 (the chain) is proved by venture audit verify.

    \b
    退出碼 exit: 0 全部成立 all hold; 6 有違反 breaches
    例 examples:
      venture audit invariants
      venture audit invariants --realm live -o json
      venture audit invariants --realm live --bases 1+7+55
    """  # noqa: D301 - a real backspace keeps the lines apart
    printer, stated = invocation.printer, None if bases is None else _read_tiers(bases, realm)
    async with invocation.open_store() as store:
        with _bar(printer) as progress:
            bar = _Bar(progress, printer)
            bar.begin(await store.last_position())
            report = await check(store, realm, bases=stated, onlooker=bar.advance)
    print_invariants(report, printer)
    if not report.ok:
        raise typer.Exit(FailureKind.INTEGRITY)


def _read_tiers(text: str, realm: str | None) -> dict[str, int]:
    """The numbers of a city's bases, from the top tier down. Raises ArgumentInvalid for another form."""
    numbers = text.split("+")
    if realm is None or len(numbers) != len(TIERS) or not all(n.strip().isdecimal() for n in numbers):
        raise ArgumentInvalid(
            f"--bases {text}：寫作 1+7+55，並以 --realm 指明環境",
            f"--bases {text}: write 1+7+55, and name the environment by --realm",
        )
    return dict(zip(TIERS, map(int, numbers), strict=True))


def print_invariants(report: Report, printer: Printer) -> None:
    """The breaches as a table, and every invariant with how often it was judged; or as data."""
    if printer.form is Form.JSON:
        printer.json(report.as_json())
        return
    if printer.form is Form.JSONL:
        for breach in report.breaches:
            printer.json({"breach": breach.as_json()})
        printer.json({k: v for k, v in report.as_json().items() if k != "breaches"})
        return
    broken = Counter(b.rule for b in report.breaches)
    for rule, texts in INVARIANTS.items():
        mark = "✗" if broken[rule] else "✓" if report.judged[rule] else "–"
        count = printer.say(f"判 {report.judged[rule]} 次", f"judged {report.judged[rule]} times")
        if rule == "C1" and not report.bases_reconciled:
            count += printer.say("；應有數未給（--bases），數目未核", "; no numbers given (--bases), none reconciled")
        printer.line(f"{mark} {rule:<4} {printer.say(*texts)} · {count}")
    rows = [b.as_json() | {"text": printer.say(b.zh, b.en)} for b in report.breaches]
    if rows:
        columns = (
            Column("position", "序號", "position", right=True),
            Column("stream", "卷宗", "stream"),
            Column("rule", "規則", "rule"),
            Column("text", "違反之處", "breach"),
        )
        printer.rows(rows, columns, ("", ""))
    moves = sum(n for rule, n in report.judged.items() if rule not in INVARIANTS)
    mark, verdict = ("✓", _verdict(report, printer)) if report.ok else ("✗", _breaches(len(rows), printer))
    sizes = printer.say(
        f"{report.events} 個事件，狀態機判 {moves} 次",
        f"{report.events} events, the state machine judged {moves} times",
    )
    printer.line(f"{mark} {verdict} · {sizes}")


def _verdict(report: Report, printer: Printer) -> str:
    """Nothing is said to hold that was never judged."""
    if not report.unjudged:
        return printer.say("全部成立", "all hold")
    rules = " ".join(report.unjudged)
    return printer.say(f"所判各條成立；無可判者：{rules}", f"all that could be judged hold; nothing to judge: {rules}")


def _breaches(number: int, printer: Printer) -> str:
    return printer.say(f"{number} 處違反", f"{number} breaches")


# ------------------------------------------------------------------------------------------------------------ replay


@app.command("replay")
@verb
async def replay_command(subject: Subject, *, invocation: Invocation, realm: Realm = None) -> None:
    """復算核對一個卷宗：重新推算、逐項重判、回放工作流 / replay a stream: fold, decide and run it again.

    \b
    一 事件重新推算，與期限台賬比對 / events folded again, held against the agenda
    二 每項命令依當時所讀重判，逐字節比對 / every command decided again by what was read then, byte for byte
    三 工作流歷史在當前程序上回放（若 Temporal 尚存） / workflow histories replayed, if Temporal still keeps them

    \b
    退出碼 exit: 0 相符 no difference; 6 有差異 a difference
    例 examples:
      venture audit replay PJ-3
      venture audit replay project/live/AP-5 -o json
    """  # noqa: D301 - a real backspace keeps the lines apart
    printer = invocation.printer
    try:
        async with invocation.open_runtime(with_temporal=True) as runtime:
            stream = await resolve(runtime.store, subject, realm, printer)
            replayed = await replay(runtime.store, runtime.client, stream, replay_settings(invocation.settings))
    except OutOfService:  # if it is Temporal alone, the log can still be folded and decided again
        async with invocation.open_runtime() as runtime:
            replayed = await replay(runtime.store, None, await resolve(runtime.store, subject, realm, printer))
    if printer.is_for_people:
        print_replay(replayed, printer)
    else:
        printer.json(replayed.as_json())
    if not replayed.ok:
        raise typer.Exit(FailureKind.INTEGRITY)


def replay_settings(settings: Settings) -> ReplaySettings:
    """How this release's worker runs workflows; histories from before payloads were sealed are read, too."""
    converter = replaying_converter(bootstrap.load_payload_keys(settings))
    return ReplaySettings(WORKFLOWS, sandbox(converter), converter)


def print_replay(replayed: Replay, printer: Printer) -> None:
    """Three sections, each with its mark and what differs first."""
    printer.line(replayed.stream, "bold")
    for mark, title, lines in _sections(replayed, printer):
        printer.line(f"{mark} {title}")
        for line in lines:
            printer.line(f"    {line}")


def _sections(replayed: Replay, printer: Printer) -> Iterator[tuple[str, str, list[str]]]:
    refold, again, histories = replayed.refold, replayed.redecision, replayed.histories
    yield (
        _mark(refold.ok),
        printer.say(
            f"一 重新推算：{refold.version} 個事件，現為 {refold.stage}",
            f"1 folded again: {refold.version} events, now {refold.stage}",
        ),
        [
            printer.say(f"{field}：推算為 {fold}，期限台賬為 {row}", f"{field}: folded {fold}, the agenda says {row}")
            for field, fold, row in refold.differences
        ],
    )
    lines = _difference(again.first, printer) if again.first else []
    if again.others:
        lines.append(printer.say(f"另有 {again.others} 項命令不同", f"{again.others} further commands differ"))
    if again.undecided:
        lines.append(
            printer.say(
                f"{again.undecided} 項拒絕出於其他卷宗，所讀未入日誌，無從重判",
                f"{again.undecided} refusals came from other streams, whose readings were not journalled",
            )
        )
    yield (
        _mark(again.ok),
        printer.say(
            f"二 逐項重判：{again.commands} 項命令（{again.accepted} 受理，{again.refused} 被拒）",
            f"2 decided again: {again.commands} commands ({again.accepted} accepted, {again.refused} refused)",
        ),
        lines,
    )
    if not histories.temporal_answered:
        yield "–", printer.say("三 回放工作流:Temporal 沒有回答，未回放", "3 run again: Temporal did not answer"), []
        return
    if not histories.has_runs:
        gone = printer.say("三 回放工作流:Temporal 已不存其歷史", "3 run again: Temporal no longer keeps its history")
        yield "–", gone, []
        return
    answers = sum(run.answers for run in histories.runs)
    unrecorded = sum(run.unrecorded for run in histories.runs)
    yield (
        _mark(histories.ok),
        printer.say(
            f"三 回放工作流：{len(histories.runs)} 次運行，{answers} 個答覆與日誌相符"
            + (f"；另有 {unrecorded} 個因時鐘不受理，依例不入日誌" if unrecorded else ""),
            f"3 run again: {len(histories.runs)} runs, {answers} answers as journalled"
            + (f"; {unrecorded} refused by the clock, which is never journalled" if unrecorded else ""),
        ),
        [
            f"{run.run_id}: {line}"
            for run in histories.runs
            for line in (*([run.failure] if run.failure else []), *run.differences)
        ],
    )


def _difference(first: DecisionDifference, printer: Printer) -> list[str]:
    where = f"{first.position} v{first.version} · {first.command} · {first.what}"
    return [
        printer.say("首處 序號 ", "first at position ") + where,
        printer.say("  記錄 ", "  recorded ") + first.recorded,
        printer.say("  重判 ", "  decided  ") + first.decided,
    ]


def _mark(ok: object) -> str:
    return "✓" if ok else "✗"


# ------------------------------------------------------------------------------------------------------------- as of


@app.command("as-of")
@verb
async def as_of_command(
    day: Annotated[
        str, typer.Argument(metavar="DATE", help="2023-05-20，或 2023-05-20T15:00+08:00", show_default=False)
    ],
    subject: Subject,
    *,
    invocation: Invocation,
    realm: Realm = None,
    known: Annotated[
        str | None,
        typer.Option("--known", help="只計到此時已記錄者 only what was recorded by then", show_default=False),
    ] = None,
    seat: Reader = None,
) -> None:
    """某卷宗在某日的樣子 / a stream as it was on a day, up to 24:00 in Shanghai.

    加 --known 即「當時所知」：只計到那時已記錄的事件。
    With --known it is what was known then: only events that had been recorded by that time count.

    \b
    例 examples:
      venture audit as-of 2023-05-20 PJ-3
      venture audit as-of 2023-05-20T15:00+08:00 PJ-3 -o json
      venture audit as-of 2026-03-31 PJ-3 --known 2026-04-02
    """  # noqa: D301 - a real backspace keeps the lines apart
    printer, until = invocation.printer, _read_moment(day)
    seen = None if known is None else instant_of(_read_moment(known))
    async with invocation.open_store() as store:
        stream = await resolve(store, subject, realm, printer)
        past, file = await _then(store, stream, until, seen)
    moment = day if len(day) == len(_DAY) else local_time(past.until)
    printer.tell(
        f"截至 {moment} 的樣子（其後 {past.later} 個事件不計）",
        f"as it was at {moment}; {past.later} later events do not count",
        "bold",
    )
    project.show(show_to(file, read_actor(seat) if seat else None), printer, past.until)


async def _then(
    store: EventStore, stream: StreamId, until: date | datetime, known_at: datetime | None
) -> tuple[AsOf, File]:
    """The stream as it was, and its file for the page. Raises ArgumentInvalid if there was nothing yet."""
    past = await as_of(store, stream, until, known_at)
    if not past.entries:
        raise NotYetThere(f"{stream.name} 那時還不存在", f"there was no {stream.name} then")
    file = await load_file(store, stream, until=past.until)
    last = None if known_at is None else await position_by(store, known_at)
    story = tuple(c for c in file.story if last is None or c.position <= last)
    calendar = await calendar_as_of(store, stream, past.until, known_at)
    return past, replace(file, state=past.state, calendar=calendar, story=story)


def _read_moment(text: str) -> date | datetime:
    """A day, or an instant. Raises ArgumentInvalid for another form."""
    try:
        return parse_moment(text)
    except ValueError as error:
        zh, en = (
            f"{show(text)}：寫作 2023-05-20 或 2023-05-20T15:00",
            f"{show(text)}: write 2023-05-20 or 2023-05-20T15:00",
        )
        raise ArgumentInvalid(zh, en) from error
