"""All kinds of papers, which of them a file yields, and the making of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from application.queries import NameUnknown, load_file
from domain.kernel.calendar import day_ends, local_day
from domain.kernel.failure import Failure, FailureKind
from domain.project.opening import Openings
from papers import awards, delivery, endings, payments, rounds
from papers.dossier import open_dossier, write_day
from papers.paper import Layout, Paper, PaperSource
from papers.template import DEFAULT, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from domain.kernel.identifier import StreamId
    from domain.kernel.state import State
    from papers.dossier import Dossier
    from papers.kind import PaperKind
    from papers.template import Fact
    from store.port import EventStore

KINDS: tuple[PaperKind[Any], ...] = (
    *rounds.KINDS,
    *awards.KINDS,
    *payments.KINDS,
    *delivery.KINDS,
    *endings.KINDS,
)
"""In the order of a project's life."""


class PaperNotYet(Failure):
    """The file does not yield that paper as it stands."""

    kind = FailureKind.REFUSED


class PaperUnknown(Failure):
    """There is no such paper."""

    kind = FailureKind.NOT_FOUND


@dataclass(frozen=True)
class PaperLine:
    """A paper that a file yields, or one that it does not yet."""

    name: str
    zh: str
    en: str
    day: date | None
    """When it was decided; None while the file does not yield it."""
    missing_zh: str = ""
    """What has to happen first."""
    missing_en: str = ""

    def as_json(self) -> dict[str, Any]:
        """As JSON: ``date`` is null while the paper cannot be made, and only then is said what is missing."""
        missing = {"missing_zh": self.missing_zh, "missing_en": self.missing_en} if self.day is None else {}
        return {
            "name": self.name,
            "zh": self.zh,
            "en": self.en,
            "date": self.day.isoformat() if self.day else None,
            **missing,
        }


def kinds_of(stream: StreamId) -> tuple[PaperKind[Any], ...]:
    """The kinds of papers that such a stream may come to yield."""
    return tuple(kind for kind in KINDS if kind.of == stream.kind)


def list_papers(dossier: Dossier) -> list[PaperLine]:
    """The papers of a file in the order of its life, those that it does not yield yet among them."""
    return [line for kind in kinds_of(dossier.file.stream) for line in _list_kind(kind, dossier)]


def _list_kind(kind: PaperKind[Any], dossier: Dossier) -> Iterator[PaperLine]:
    instances = kind.list_instances(dossier)
    for name, (chapter, _) in instances.items():
        suffix = f" {name.partition('.')[2]}" if "." in name else ""
        yield PaperLine(name, f"{kind.zh}{suffix}", f"{kind.en}{suffix}", local_day(chapter.at))
    if not instances:
        zh, en = f"尚未「{kind.event.zh}」", f"{kind.event.event_type} has not happened yet"
        yield PaperLine(kind.name, kind.zh, kind.en, None, zh, en)


async def open_file(store: EventStore, stream: StreamId, as_of: date | None = None) -> Dossier:
    """What the papers of that stream are made from, to the end of that day. Raises NameUnknown."""
    if not kinds_of(stream):
        raise NameUnknown(stream.name)
    return await open_dossier(store, stream, as_of=as_of, until=day_ends(as_of) if as_of else None)


async def make_paper(store: EventStore, dossier: Dossier, name: str) -> Paper:
    """The paper of that name. Raises PaperUnknown or PaperNotYet."""
    stream = dossier.file.stream
    kind = next((kind for kind in kinds_of(stream) if kind.name == name.partition(".")[0]), None)
    instances = kind.list_instances(dossier) if kind else {}
    if kind is None or (instances and name not in instances):
        names = " ".join(instances or (one.name for one in kinds_of(stream)))
        raise PaperUnknown(f"沒有文書 {name[:80]}；有：{names}", f"there is no paper {name[:80]}; there are: {names}")
    if name not in instances:
        raise PaperNotYet(
            f"尚不能出具{kind.zh}：尚未「{kind.event.zh}」",
            f"there is no {kind.en} yet: {kind.event.event_type} has not happened",
        )
    chapter, _ = instances[name]
    return _make(dossier, kind, name, (await load_file(store, stream, until=chapter.at)).state)


def _make(dossier: Dossier, kind: PaperKind[Any], name: str, before: State) -> Paper:
    draft = kind.make_draft(dossier, name, before)
    scheme = dossier.scheme
    facts: dict[str, Fact] = {
        "bureau": dossier.bureau,
        "department": dossier.say(dossier.office.department),
        "office_number": dossier.say(dossier.office.number),
        "scheme_title": dossier.say(scheme.title) if scheme else "",
        "city": dossier.say(scheme.city) if scheme else "",
        "year": dossier.year,
        "title": str(dossier.file.summary.get("title", "")),
        "project": dossier.number,
        "organisation": dossier.organisation,
        "day": write_day(draft.day),
        "blank": "＿＿＿＿＿＿＿＿",
        **draft.facts,
    }
    text = fill(scheme.name if scheme else DEFAULT, kind.text or kind.name, dossier.script, facts, draft.blocks)
    opened_on = dossier.state.part(Openings).opened_on
    source = PaperSource(
        stream=dossier.file.stream,
        position=dossier.position,
        version=dossier.state.version,
        head=dossier.file.head.hex(),
        as_of=dossier.as_of.isoformat() if dossier.as_of else "",
    )
    return Paper(
        name=name,
        layout=kind.layout,
        script=dossier.script,
        issuer=dossier.bureau,
        number=text.one("number") if kind.layout is Layout.OFFICIAL else "",
        title=text.one("title"),
        addressee=text.one("to"),
        blocks=tuple(text.blocks),
        annexes=tuple(text.elements.get("annex", ())),
        signer=text.one("sign"),
        date=text.one("date"),
        copies=text.one("copy"),
        closing=tuple(text.closing),
        source=source,
        note=dossier.say(
            f"本件由系統生成：{source.stream} 第{source.version}版，日誌第{source.position}條，校驗值{source.head[:16]}"
            + (f"；{write_day(opened_on)}期初登記" if opened_on else "")
        ),
    )
