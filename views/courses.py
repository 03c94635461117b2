"""歷程: what each project added up to from when until when, so that the portfolio can be asked for of any day.

A row is written only where something changed that is counted; it holds until the next one, by the office's dates and by
what the log had recorded. Whoever adds up a day reads one row a project and folds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from domain.application import Application
from domain.kernel.calendar import local_day
from domain.kernel.state import NONE
from domain.project.aggregate import PROJECT
from domain.project.award import Award
from domain.project.delivery import Delivery
from domain.project.indicators import derive_outputs
from domain.project.money import Money
from views.shares import MONEY
from views.tags import tag
from views.view import FAR, View, list_organisations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from domain.kernel.state import State
    from views.view import Moment, ViewSource

FOREVER: Final = 2**62
"""The position up to which a row holds that no other has taken the place of."""


@dataclass(frozen=True, slots=True)
class CourseStep:
    """A project from one of its events on, as far as it is counted."""

    version: int
    position: int
    occurred_at: datetime
    recorded_at: datetime
    stage: str
    tags: tuple[str, ...]
    figures: dict[str, Any]
    """What is not nothing: ``number``, money in fen, ``funds``, ``outputs``, and the ``path`` of its stages."""


def extend_course(course: Sequence[CourseStep], moment: Moment) -> tuple[CourseStep, ...]:
    """The course with what that event made of the project; the same where nothing moved that is counted."""
    state = moment.state
    if not course and state.stage == NONE:  # a late bid that was turned away makes no project
        return ()
    path = list(course[-1].figures["path"]) if course else []
    if not path or path[-1][0] != state.stage:
        path.append([str(state.stage), local_day(moment.occurred_at).toordinal()])
    figures, tags = {**_count(state), "path": path}, _tag(state)
    if course and (course[-1].figures, course[-1].tags) == (figures, tags):
        return tuple(course)
    step = CourseStep(
        state.version, moment.position, moment.occurred_at, moment.recorded_at, str(state.stage), tags, figures
    )
    return (*course, step)


def _count(state: State) -> dict[str, Any]:
    summary, award, money = PROJECT.summary(state), state.part(Award), state.part(Money)
    delivery = state.part(Delivery)
    funds = {
        fund: [award.funds.get(fund, 0), money.committed.get(fund, 0), money.out.get(fund, 0)]
        for fund in sorted({*award.funds, *money.committed, *money.out})
    }
    counted = {
        **{name: summary[name] for name in MONEY},
        "number": award.project,
        "committed": sum(money.committed.values()),
        "funds": funds,
        "outputs": {output.value: count for output, count in derive_outputs(state).items() if count},
        "match": delivery.match_received,
        "match_proven": delivery.match_proven,
    }
    return {name: value for name, value in counted.items() if value}


def _tag(state: State) -> tuple[str, ...]:
    application, award = state.part(Application), state.part(Award)
    single = {
        "realm": state.stream.realm,
        "stage": str(state.stage),
        "round": application.round or "",
        "kind": application.kind.value,
        "scheme": state.scheme.name if state.scheme is not None else "",
    }
    tags = {tag(by, value) for by, value in single.items() if value}
    tags |= {tag("field", value) for value in application.fields}
    tags |= {tag("fund", fund) for fund in {*award.funds, *state.part(Money).out}}
    return tuple(sorted(tags | {tag("partner", name) for name in list_organisations(state)}))


def _rows(source: ViewSource) -> Iterable[dict[str, Any]]:
    if not source.course:  # a late bid that was turned away, an opening entry that nobody has confirmed
        return
    state = source.state
    common = {tag("year", str(source.year))} if source.year is not None else set()
    common |= {tag("district", source.district)} if source.district else set()
    ends = [(step.occurred_at, step.recorded_at, step.position) for step in source.course] + [(FAR, FAR, FOREVER)]
    for step, (end, recorded_end, position) in zip(source.course, ends[1:], strict=True):
        yield {
            "stream": str(state.stream),
            "version": step.version,
            "realm": state.stream.realm,
            "from_at": step.occurred_at,
            "to_at": end,
            "recorded_at": step.recorded_at,
            "to_recorded_at": recorded_end,
            "position": step.position,
            "to_position": position,
            "organisations": list_organisations(state),
            "stage": step.stage,
            "tags": sorted({*step.tags, *common}),
            "figures": step.figures,
        }


COURSES = View("courses", 1, "歷程", "projects as of a day", _rows, frozenset({"project"}))
