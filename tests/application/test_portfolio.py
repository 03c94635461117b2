"""Every number of the portfolio is the length or the sum of a list, on any day, by either reckoning of time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from time import process_time
from typing import Any

import pytest

from application.outputs import read_outputs
from application.pages import PageRequest, wait_for_view
from application.portfolio import (
    MONEY,
    By,
    CourseFilter,
    PortfolioFilter,
    _measure_stays,
    _number_working_days,
    _percentiles,
    list_courses,
    read_portfolio,
)
from application.projects import ProjectFilter, list_projects
from application.queries import load_file, resolve_name
from deciding.fold import fold
from domain.kernel.calendar import Calendar, day_ends
from domain.kernel.identifier import StreamId
from domain.kernel.state import State
from domain.project.aggregate import PROJECT
from domain.project.outputs import Output
from store.memory import MemoryStore
from tests.paper import play_story
from views.courses import COURSES, extend_course
from views.projects import PROJECTS
from views.shares import SHARES
from views.view import Moment, ViewSource

FUZHOU = {"round": "R-FZ-2023"}
ENDED = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
async def store() -> MemoryStore:
    memory = MemoryStore()
    await play_story(memory, ENDED)
    await wait_for_view(memory, "courses", await memory.last_position(), 30)
    return memory


def filters(**conditions: Any) -> PortfolioFilter:
    return PortfolioFilter(**conditions)


@pytest.mark.parametrize(
    "conditions", [{}, FUZHOU, {"field": "助老扶幼"}, {"fund": "FS-FZ"}, {"fund": "FS-9"}], ids=str
)
async def test_the_figures_are_those_of_the_list_of_projects_under_the_same_filter(
    store: MemoryStore, conditions: dict[str, str]
) -> None:
    portfolio = await read_portfolio(store, filters(**conditions))
    lines = (await list_projects(store, ProjectFilter(**conditions))).rows
    assert portfolio.figures.projects == len(lines) == (0 if conditions.get("fund") == "FS-9" else 1)
    for name in {*MONEY} - {"committed", "match", "match_proven"}:
        assert portfolio.figures.money[name] == sum(getattr(line, name) for line in lines)
    for stage, count in portfolio.figures.standing.items():
        assert count == sum(line.stage == stage for line in lines)


@pytest.mark.parametrize("by", By)
async def test_every_number_is_its_list(store: MemoryStore, by: By) -> None:
    portfolio = await read_portfolio(store, filters(), by)
    for key, figures in portfolio.groups.items():
        conditions = {by.value: key} if key else {}
        page, sums = await list_courses(store, CourseFilter(**conditions))
        assert figures.projects == sums.projects == len(page.rows) == 1
        if by is not By.FUND:
            assert figures.as_json() == sums.as_json()
        for stage, count in figures.standing.items():
            assert (await list_courses(store, CourseFilter(stage=stage, **conditions)))[1].projects == count
        for stage, count in figures.reached.items():
            assert (await list_courses(store, CourseFilter(reached=stage, **conditions)))[1].projects == count
    assert (await list_courses(store, CourseFilter(reached="SUSPENDED")))[1].projects == 0
    for output, count in portfolio.figures.outputs.items():
        page, _ = await list_courses(store, CourseFilter(measure=output))
        assert sum(course.amount(output) for course in page.rows) == count


async def test_a_year_is_that_of_its_rounds(store: MemoryStore) -> None:
    assert [(await read_portfolio(store, filters(year=year))).figures.projects for year in (2022, 2023)] == [0, 1]


@pytest.mark.parametrize("day", ["2023-04-18", "2023-04-19", "2023-05-22", "2023-06-02", "2023-09-12", "2023-12-28"])
async def test_as_of_any_day_the_figures_are_those_of_the_file_of_that_day(store: MemoryStore, day: str) -> None:
    until = day_ends(date.fromisoformat(day))
    portfolio = await read_portfolio(store, filters(as_of=until))
    stream = await resolve_name(store, "PJ-3")
    if day == "2023-04-18":
        assert portfolio.figures.projects == 0
        return
    file = await load_file(store, stream, until=until)
    assert portfolio.figures.standing == {file.state.stage: 1}
    assert portfolio.figures.money["paid"] == file.summary["paid"]
    assert {o: n for o, n in read_outputs(file).outputs.items() if n} == portfolio.figures.outputs
    assert portfolio.overdue is None


async def test_as_of_any_position_the_figures_are_those_of_the_log_up_to_there(store: MemoryStore) -> None:
    stream = await resolve_name(store, "PJ-3")
    entries = [entry async for entry in store.read(stream)]

    for count in range(1, len(entries) + 1):
        state = fold(stream, entries[:count])
        portfolio = await read_portfolio(store, filters(position=entries[count - 1].position))
        assert portfolio.figures.standing == {state.stage: 1}
        assert portfolio.figures.money["net"] == PROJECT.summary(state)["net"]
    known = entries[3].recorded_at
    assert (await read_portfolio(store, filters(known_at=known))).figures.projects == 1
    both = filters(as_of=datetime(2023, 5, 13, tzinfo=UTC), position=entries[-1].position)
    assert (await read_portfolio(store, both)).figures.standing == {"PROPOSED": 1}


async def test_persons_and_attendances_are_two_figures_and_what_is_not_whole_is_said(store: MemoryStore) -> None:
    figures = (await read_portfolio(store, filters())).figures
    assert figures.outputs[Output.PERSON_TIMES] == 46 + 52 + 61 + 58
    assert figures.outputs[Output.PERSONS] == 0
    assert figures.uncounted == {"PERSONS": 1}, "who came for the first time nobody wrote down"


async def test_how_long_a_stage_takes_is_counted_in_days_and_in_working_days(store: MemoryStore) -> None:
    (notice,) = [one for one in (await read_portfolio(store, filters())).durations if one.stage == "IN_PUBLICITY"]
    assert (notice.times, notice.days, notice.working_days) == (1, (7, 7), (5, 5)), "15 to 22 May 2023"


def test_a_percentile_is_one_of_the_values() -> None:
    assert _percentiles([4]) == (4, 4)
    assert _percentiles(range(1, 11)) == (5, 9)


def test_working_days_are_numbered_from_the_first_on() -> None:
    friday = date(2023, 5, 19).toordinal()
    assert _number_working_days(Calendar(), friday, friday + 3) == [1, 1, 1, 2]


async def test_pages_of_the_list_are_cut_and_go_on(store: MemoryStore) -> None:
    page, _ = await list_courses(store, CourseFilter(), PageRequest(limit=1))
    assert (len(page.rows), page.next) == (1, None)


async def test_outputs_are_read_from_the_records_of_a_file(store: MemoryStore) -> None:
    sheet = read_outputs(await load_file(store, await resolve_name(store, "PJ-3")))
    assert sheet.outputs[Output.SESSIONS] == 4
    assert sheet.outputs[Output.PERSON_TIMES] == 46 + 52 + 61 + 58
    assert not sheet.is_match_incomplete


def test_a_stream_that_never_became_a_project_is_none() -> None:

    state = State(StreamId.of("project", "live", "AP-9"), version=1)
    assert extend_course((), Moment(state, ENDED, ENDED, 1)) == ()
    source = ViewSource(state, Calendar(), ENDED)
    assert (PROJECTS.rows_of(source), SHARES.rows_of(source)) == ([], [])


async def test_the_time_for_ten_thousand_projects_is_that_of_one_pass_over_their_stays(store: MemoryStore) -> None:
    stays = {("live", "ACTIVE"): [(738_000 + n % 300, 738_400) for n in range(100_000)]}
    begun = process_time()
    (one,) = await _measure_stays(store, stays)
    assert one.times == 100_000
    assert process_time() - begun < 10, "by the square of them it takes an hour"


def test_a_late_bid_that_was_turned_away_has_no_row_and_keeps_no_view_from_going_on() -> None:
    stream = StreamId.of("project", "live", "AP-9")
    assert COURSES.rows_of(ViewSource(State(stream), Calendar(), ENDED)) == []
