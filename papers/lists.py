"""The lists of the house as spreadsheets: which columns each has, and its rows in the reader's words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from application.access import find_seat
from application.event_text import describe_event
from application.pages import MOST, Page, PageRequest
from domain.catalogue import command_class, is_command, stage_words, stage_zh, value_words
from domain.kernel.approval import Verdict
from domain.kernel.calendar import local_day
from domain.kernel.identifier import Role, StreamId
from domain.kernel.restriction import WITHHELD
from papers.workbook import ListColumn, Sort, write_table

if TYPE_CHECKING:
    from application.approvals import StreamApproval
    from application.attempts import AttemptLine
    from application.inbox import Waiting
    from application.listing import StreamLine
    from application.money import Sums
    from application.organisations import OrganisationLine
    from application.own_commands import OwnCommand
    from application.projects import ProjectLine
    from application.queries import File
    from store.documents import DocumentRead, DocumentRegister

Say = Callable[[str, str], str]
"""One of two texts, Chinese and English, in the reader's language."""
T = TypeVar("T")
MOST_ROWS: Final = 20_000
"""Rows of one spreadsheet; what there is beyond is told on its second sheet."""


@dataclass(frozen=True)
class SheetList(Generic[T]):
    """A list that can be had as a spreadsheet."""

    zh: str
    en: str
    columns: tuple[ListColumn, ...]
    build: Callable[[T, Say], Mapping[str, Any]]
    """The row of a line of it."""


@dataclass(frozen=True)
class Collection(Generic[T]):
    """What a list holds, all its pages together."""

    rows: tuple[T, ...]
    position: int
    """Everything in the log up to there is in it."""
    is_cut: bool
    """Whether there is more than a spreadsheet takes."""


async def collect(read: Callable[[PageRequest], Awaitable[Page[T]]], request: PageRequest) -> Collection[T]:
    """All pages from that one on."""
    rows: list[T] = []
    page = await read(request.model_copy(update={"limit": MOST}))
    rows += page.rows
    position = page.freshness.position
    while page.next is not None and len(rows) < MOST_ROWS:
        page = await read(request.model_copy(update={"limit": MOST, "after": page.next}))
        rows += page.rows
    return Collection(tuple(rows[:MOST_ROWS]), position, page.next is not None or len(rows) > MOST_ROWS)


def write_list(of: SheetList[T], collection: Collection[T], conditions: Mapping[str, object], say: Say) -> bytes:
    """The list as a workbook, with the conditions under which it was asked for."""
    filters = [(name, str(value)) for name, value in conditions.items() if value not in (None, False, "", ())]
    about = [
        (say("名冊", "list"), say(of.zh, of.en)),
        *filters,
        (say("日誌截至第幾條", "log up to position"), str(collection.position)),
        *(
            [(say("未列完", "cut"), say(f"只列前 {MOST_ROWS} 行", f"the first {MOST_ROWS} rows only"))]
            if collection.is_cut
            else []
        ),
    ]
    rows = (of.build(one, say) for one in collection.rows)
    return write_table(say(of.zh, of.en), of.columns, rows, about, say)


def _build_project(one: ProjectLine, say: Say) -> Mapping[str, Any]:
    return {
        **one.as_json(),
        "stage_text": say(stage_zh("project", one.stage), one.stage),
        "organisation_text": one.organisation_name or one.organisation,
        "awaited": "；".join(say(a.zh, a.en) for a in one.awaiting),
        "fields_text": "、".join(one.fields),
        "funds_text": "、".join(one.funds),
    }


def _build_waiting(one: Waiting, say: Say) -> Mapping[str, Any]:
    return {
        **one.as_json(),
        "urgency": say(one.urgency.zh, one.urgency),
        "what": say(one.zh, one.en),
        "who": "、".join(say(Role(role).zh, role) for role in one.roles),
        "command_text": say(one.command_zh or one.command, one.command),
    }


def _build_approval(one: StreamApproval, say: Say) -> Mapping[str, Any]:
    row = one.as_json()
    return {
        **row,
        "subject": f"{one.stream.name} {one.approval.key}".strip(),
        "gate_text": say(command_class(one.approval.gate).zh(), one.approval.gate),
        "role_text": say(Role(row["role"]).zh, row["role"]),
        "verdict_text": say(Verdict(row["verdict"]).zh, row["verdict"]),
        "bound": "；".join(say(f"{d['zh']} {d['value_zh']}", f"{d['en']} {d['value_en']}") for d in row["summary"]),
    }


def _build_organisation(one: OrganisationLine, say: Say) -> Mapping[str, Any]:
    return {
        **one.as_json(),
        "stage_text": say(stage_zh("organisation", one.stage), one.stage),
        "listings_text": "、".join(one.listings),
    }


def _build_file(one: StreamLine, say: Say) -> Mapping[str, Any]:
    return {
        "number": one.stream.name,
        "name": one.name,
        "stage": say(*stage_words(one.stream.kind, one.stage)),
        "awaited": say("；", "; ").join(say(awaited.zh, awaited.en) for awaited in one.awaiting),
        "due": one.due,
        "moved": one.moved_at,
        "realm": one.stream.realm,
    }


def _build_sums(one: Sums, _say: Say) -> Mapping[str, Any]:
    return one.as_json()


@dataclass(frozen=True)
class StoryLine:
    """One event of a file."""

    stream: StreamId
    row: Mapping[str, Any]


def list_story(file: File, say: Say) -> Collection[StoryLine]:
    """The story of a file, one event a row."""
    lines = [
        StoryLine(
            chapter.stream,
            {
                "at": local_day(chapter.at) if chapter.by_day else chapter.at,
                "recorded_at": local_day(chapter.recorded_at) if chapter.by_day else chapter.recorded_at,
                "position": chapter.position,
                "stream": chapter.stream,
                "event": say(chapter.occurrence.event.zh, chapter.occurrence.event.event_type),
                "seat": find_seat(chapter.occurrence) or say(*WITHHELD),
                "persons": "、".join(sorted(chapter.occurrence.persons)),
                "basis": say(basis.zh, basis.en) if (basis := chapter.occurrence.basis) is not None else "",
                "says": describe_event(chapter.occurrence.event, say),
            },
        )
        for chapter in file.story
    ]
    return Collection(
        tuple(lines[:MOST_ROWS]), max((c.position for c in file.story), default=0), len(lines) > MOST_ROWS
    )


def _build_attempt(one: AttemptLine, say: Say) -> Mapping[str, Any]:
    return {
        "position": one.position,
        "recorded_at": one.recorded_at,
        "at": one.occurred_at,
        "stream": one.stream,
        "seat": one.actor,
        "person": one.person or "",
        "command": _say_command(one.command, say),
        "rules": " ".join(one.rules),
        "receipt": str(one.command_id),
    }


def _build_command(one: OwnCommand, say: Say) -> Mapping[str, Any]:
    separator = say("；", "; ")
    return {
        "position": one.position,
        "at": one.at,
        "command": _say_command(one.command, say),
        "stream": one.stream,
        "outcome": separator.join(say(*value_words(event)) for event in one.events),
        "unmet": separator.join(say(unmet.zh, unmet.en) for unmet in one.unmet),
        "receipt": str(one.command_id),
    }


def _build_read(one: DocumentRead, _say: Say) -> Mapping[str, Any]:
    return {"at": one.at, "reader": one.reader, "session": one.session, "stream": one.stream, "document": one.sha256}


def _say_command(command: str, say: Say) -> str:
    """What the office calls it; one of another release by its name."""
    return say(command_class(command).zh(), command_class(command).en()) if is_command(command) else command


async def collect_reads(documents: DocumentRegister, position: int) -> Collection[DocumentRead]:
    """Who looked at which document, from the first on, as far as a spreadsheet takes it. Raises StoreUnavailable."""
    rows = await documents.reads(0, MOST_ROWS + 1)
    return Collection(tuple(rows[:MOST_ROWS]), position, len(rows) > MOST_ROWS)


def _money(*names: tuple[str, str, str]) -> tuple[ListColumn, ...]:
    return tuple(ListColumn(key, zh, en, Sort.MONEY, 16) for key, zh, en in names)


_SUMS = (
    ("requested", "申請資助金額", "applied for"),
    ("award", "資助金額", "award"),
    ("paid", "已撥付", "paid"),
    ("cancelled", "核減", "reduced"),
    ("returned", "結餘繳回", "surplus returned"),
    ("clawed_back", "已收回", "recovered"),
    ("net", "淨撥付額", "net paid"),
    ("outstanding", "待收回", "to be recovered"),
)
PROJECTS: Final[SheetList[ProjectLine]] = SheetList(
    "項目",
    "projects",
    (
        ListColumn("project", "項目編號", "project", width=12),
        ListColumn("application", "申報編號", "application", width=12),
        ListColumn("title", "名稱", "title", width=36),
        ListColumn("opened_on", "期初登記", "taken over", Sort.DAY),
        ListColumn("organisation_text", "實施單位", "organisation", width=30),
        ListColumn("round", "屆（年度）", "round"),
        ListColumn("stage_text", "階段", "stage", width=12),
        *_money(*_SUMS),
        ListColumn("fields_text", "領域", "fields"),
        ListColumn("funds_text", "資金來源", "funds"),
        ListColumn("awaited", "待辦", "awaited", width=30),
        ListColumn("due", "期限", "due", Sort.INSTANT, 18),
        ListColumn("realm", "環境", "environment"),
    ),
    _build_project,
)
WAITING: Final[SheetList[Waiting]] = SheetList(
    "待辦",
    "inbox",
    (
        ListColumn("urgency", "狀態", "state", width=10),
        ListColumn("until", "期限", "until", Sort.INSTANT, 18),
        ListColumn("subject", "項目或事項編號", "subject"),
        ListColumn("title", "名稱", "title", width=36),
        ListColumn("what", "事項", "what", width=30),
        ListColumn("who", "辦理人", "who", width=24),
        ListColumn("command_text", "命令", "command", width=20),
        ListColumn("realm", "環境", "environment"),
    ),
    _build_waiting,
)
APPROVALS: Final[SheetList[StreamApproval]] = SheetList(
    "審批",
    "approvals",
    (
        ListColumn("id", "審批編號", "approval", width=38),
        ListColumn("subject", "項目或事項編號", "subject"),
        ListColumn("title", "名稱", "title", width=36),
        ListColumn("gate_text", "事項", "decision", width=20),
        ListColumn("role_text", "審批人", "who", width=24),
        ListColumn("verdict_text", "狀態", "verdict", width=12),
        ListColumn("asked_at", "提出時間", "asked at", Sort.INSTANT, 18),
        ListColumn("until", "期限", "until", Sort.INSTANT, 18),
        ListColumn("decided_by", "決定崗位", "decided by"),
        ListColumn("decided_at", "決定時間", "decided at", Sort.INSTANT, 18),
        ListColumn("bound", "所批內容", "what is bound", width=60),
    ),
    _build_approval,
)
ORGANISATIONS: Final[SheetList[OrganisationLine]] = SheetList(
    "社會組織",
    "organisations",
    (
        ListColumn("organisation", "編號", "organisation", width=12),
        ListColumn("name", "名稱", "name", width=36),
        ListColumn("kind", "類別", "kind"),
        ListColumn("stage_text", "狀態", "stage", width=12),
        ListColumn("level", "評估等級", "level", width=10),
        ListColumn("level_until", "等級有效期至", "level until", Sort.DAY, 14),
        ListColumn("listings_text", "列入名單", "listings", width=20),
        ListColumn("banned_until", "取消申報資格至", "barred until", Sort.DAY, 16),
        ListColumn("realm", "環境", "environment"),
    ),
    _build_organisation,
)
FILES: Final[SheetList[StreamLine]] = SheetList(
    "登記冊",
    "register",
    (
        ListColumn("number", "編號", "number", width=16),
        ListColumn("name", "名稱", "name", width=36),
        ListColumn("stage", "階段", "stage", width=14),
        ListColumn("awaited", "待辦", "awaited", width=30),
        ListColumn("due", "期限", "due", Sort.INSTANT, 18),
        ListColumn("moved", "最近辦理", "last act", Sort.INSTANT, 18),
        ListColumn("realm", "環境", "environment"),
    ),
    _build_file,
)
MONEY: Final[SheetList[Sums]] = SheetList(
    "資金",
    "money",
    (
        ListColumn("key", "對象", "key", width=20),
        ListColumn("projects", "項目數", "projects", Sort.NUMBER, 10),
        *_money(*_SUMS, ("committed", "已立項未撥", "committed")),
        ListColumn("realm", "環境", "environment"),
    ),
    _build_sums,
)
STORY: Final[SheetList[StoryLine]] = SheetList(
    "經過",
    "story",
    (
        ListColumn("at", "時間", "at", Sort.INSTANT, 18),
        ListColumn("event", "事項", "event", width=24),
        ListColumn("seat", "崗位", "seat", width=14),
        ListColumn("persons", "人員", "persons", width=14),
        ListColumn("basis", "代行或應急", "stand-in or break-glass", width=14),
        ListColumn("says", "內容", "particulars", width=70),
        ListColumn("stream", "卷宗", "file", width=30),
        ListColumn("position", "日誌序號", "position", Sort.NUMBER, 10),
        ListColumn("recorded_at", "記錄時間", "recorded at", Sort.INSTANT, 18),
    ),
    lambda line, _say: line.row,
)
_RECEIPT: Final = ListColumn("receipt", "回執", "receipt", width=38)
_POSITION: Final = ListColumn("position", "日誌序號", "position", Sort.NUMBER, 10)
ATTEMPTS: Final[SheetList[AttemptLine]] = SheetList(
    "未獲辦理",
    "attempts",
    (
        _POSITION,
        ListColumn("recorded_at", "記錄時間", "recorded at", Sort.INSTANT, 18),
        ListColumn("at", "業務時間", "at", Sort.INSTANT, 18),
        ListColumn("stream", "卷宗", "file", width=30),
        ListColumn("seat", "崗位", "seat", width=14),
        ListColumn("person", "人員", "person", width=14),
        ListColumn("command", "事項", "what", width=24),
        ListColumn("rules", "規則", "rules", width=20),
        _RECEIPT,
    ),
    _build_attempt,
)
COMMANDS: Final[SheetList[OwnCommand]] = SheetList(
    "辦理記錄",
    "commands",
    (
        _POSITION,
        ListColumn("at", "業務時間", "at", Sort.INSTANT, 18),
        ListColumn("command", "事項", "what", width=24),
        ListColumn("stream", "卷宗", "file", width=30),
        ListColumn("outcome", "結果", "outcome", width=30),
        ListColumn("unmet", "未獲辦理的原因", "why it was refused", width=60),
        _RECEIPT,
    ),
    _build_command,
)
READS: Final[SheetList[DocumentRead]] = SheetList(
    "文件查閱",
    "reads",
    (
        ListColumn("at", "時間", "at", Sort.INSTANT, 18),
        ListColumn("reader", "何人", "who", width=20),
        ListColumn("session", "登錄", "login", width=38),
        ListColumn("stream", "卷宗", "file", width=30),
        ListColumn("document", "文件", "document", width=66),
    ),
    _build_read,
)
