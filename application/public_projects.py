"""What anybody may know: projects whose award has been posted, with nothing of theirs that is not for everybody.

A list is answered from the view of projects by columns that are named here one by one, so that a column that is added
to the view stays with the office until somebody decides otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from application.pages import Page, PageRequest, SortOrder, read_page
from application.projects import ProjectFilter, list_conditions
from application.realms import require_realm
from domain.kernel.identifier import LIVE, StreamId
from domain.project.stage import Stage
from domain.visibility import UNPUBLISHED
from store.views import AnyOf, Equal, Meets
from views.tags import tag

if TYPE_CHECKING:
    from store.port import EventStore
    from store.views import Condition, Row

POSTED: Final = tuple(stage.value for stage in Stage if stage not in UNPUBLISHED)
"""Stages of a project that is in public notice, or has been."""
IN_NOTICE: Final = (Stage.IN_PUBLICITY.value, Stage.OBJECTION_HOLD.value)
"""Those in which anybody may object."""
_ORDER: Final = SortOrder((("stream", str),))
_Word = Annotated[str | None, Field(min_length=1, max_length=200)]


class PublicFilter(BaseModel):
    """Which posted projects are listed: those that meet all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    realm: Annotated[str, Field(min_length=1, max_length=64)] = LIVE
    round: _Word = None
    district: _Word = None
    field: _Word = None
    stage: _Word = None
    """As in the log, e.g. ``ACTIVE``; one that is not posted finds nothing."""
    search: _Word = None
    """Words of its number, its title or its organisations' names, in either script."""


@dataclass(frozen=True)
class PublicProject:
    """A posted project as anybody sees it. ``award`` is in fen."""

    stream: StreamId
    number: str
    title: str
    organisation: str
    """The name of the organisation that carries it out."""
    round: str
    district: str
    community: str
    fields: tuple[str, ...]
    stage: str
    since: datetime | None
    award: int
    notice_last: date | None
    """The last day of the public notice that is running; None while an objection holds it up, and of any other."""

    @classmethod
    def of(cls, row: Row) -> PublicProject:
        """Read from a row of the view."""
        return cls(
            stream=StreamId(row["stream"]),
            number=row["number"] or "",
            title=row["title"],
            organisation=row["organisation_name"] or row["organisation"],
            round=row["round"] or "",
            district=row["district"],
            community=row["community"],
            fields=tuple(row["fields"]),
            stage=row["stage"],
            since=row["since"],
            award=row["award"],
            notice_last=row["notice_last"],
        )

    def as_json(self) -> dict[str, Any]:
        """For a machine; money in fen."""
        return {
            "id": self.stream.name,
            "number": self.number,
            "title": self.title,
            "organisation": self.organisation,
            "round": self.round,
            "district": self.district,
            "community": self.community,
            "fields": list(self.fields),
            "stage": self.stage,
            "since": self.since.isoformat() if self.since else None,
            "award_fen": self.award,
            "notice_last": self.notice_last.isoformat() if self.notice_last else None,
        }


async def list_posted(
    store: EventStore, filters: PublicFilter, request: PageRequest | None = None, *, in_notice: bool = False
) -> Page[PublicProject]:
    """Posted projects by id; if so asked, only those that anybody may object to. Raises NoSuchRealm, CursorInvalid."""
    await require_realm(store, filters.realm)
    where: list[Condition] = [
        AnyOf("stage", POSTED),
        *list_conditions(ProjectFilter(**filters.model_dump()), datetime.now(UTC)),
    ]
    if in_notice:  # by what is indexed: they are few among many
        where.append(Meets("tags", tuple(tag("stage", stage) for stage in IN_NOTICE)))
    return await read_page(store, "projects", _ORDER, tuple(where), request or PageRequest(), PublicProject.of)


async def find_posted(store: EventStore, stream: StreamId) -> PublicProject | None:
    """That project, if it is posted and the view has it."""
    where = (Equal("stream", str(stream)), AnyOf("stage", POSTED))
    page = await read_page(store, "projects", _ORDER, where, PageRequest(limit=1), PublicProject.of)
    return next(iter(page.rows), None)
