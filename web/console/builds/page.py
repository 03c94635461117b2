"""``/administration/builds``: which builds of the worker there are, which is current, and whether they answer.

What moves workflows away from a build that is gone may take minutes, and stays with ``venture builds move``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from temporalio.service import RPCError

from application.builds import NO_BUILD, UNVERSIONED, BuildUnknown, list_builds, list_pollers, set_current
from application.doctor import Examination, examine_each, list_workflow_examinations
from application.maintenance import record_maintenance
from domain.kernel.explanation import InputInvalid
from domain.kernel.failure import Failure, FailureKind
from domain.registers.maintenance import Undertaking, Work
from runtime.health import read_release
from web.console.administration.page import ADMINISTRATORS
from web.console.administration.page import TEXTS as ADMINISTRATION
from web.console.reader import require_role
from web.console.rendering import render
from web.console.route import PageRoute, read_form
from web.guard import ByCaller, ByHouse, Policy, allow

if TYPE_CHECKING:
    from application.caller import Caller
    from web.console.texts import Texts
    from web.house import House, Workers

router = APIRouter(route_class=PageRoute)

PATH: Final = "/administration/builds"
TEXTS: Final[Texts] = {
    **{
        name: ADMINISTRATION[name]
        for name in ("state", "part", "verdict", "found", "mend", "well", "not_well", "not_shown", "release", "rules")
    },
    "title": ("程序版本", "Builds"),
    "builds": ("辦理程序（worker）的版本", "Builds of the worker"),
    "build": ("版本", "Build"),
    "unversioned": ("（未設版本）", "(unversioned)"),
    "current": ("現行", "current"),
    "is_current": ("用途", "Use"),
    "polling": ("在服務", "Working"),
    "silent": ("無聲息", "Silent"),
    "workflows": ("未辦結卷宗", "Open files"),
    "advice": ("處理", "What to do"),
    "stranded": ("擱置：在本機運行 venture builds move", "stranded: run venture builds move on the machine"),
    "workers": ("辦理程序", "Workers"),
    "worker": ("所在", "Where it runs"),
    "last": ("最近聲息", "Last heard of"),
    "none": ("沒有聽到任何辦理程序", "No worker has been heard of"),
    "make_current": ("設為現行", "Make current"),
    "make_lead": (
        "新的辦理由現行版本開始，未辦結者在換運行時轉來；何人、為何記入日誌。",
        "New work begins on the current build, and what is open moves to it. Who and why are in the log.",
    ),
    "reason": ("理由", "Reason"),
    "reason_wrong": ("請填理由，至多 2000 字", "Give a reason of at most 2,000 characters"),
    "done": ("已設現行版本，並記入運維記錄。", "The current build was set, and the work was entered in the log."),
    "examine": ("逐項核對", "Examine each"),
    "examine_lead": (
        "向辦理程序逐項詢問：是否應答、密鑰是否相同、時鐘差多少。約需數秒。",
        "Ask the workers whether they answer, whether keys agree and how far clocks differ. It takes some seconds.",
    ),
    "back": ("返回系統管理", "Back to administration"),
}


class WorkersUnseen(Failure):
    """Temporal does not answer, or this process has no way to it."""

    kind = FailureKind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("Temporal 沒有回答，看不到辦理程序", "Temporal does not answer: the workers cannot be seen")


@router.get(PATH, response_class=Response)
@allow(Policy.READ)
async def show_builds(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    examine: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query
    done: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query
) -> Response:
    """Which builds there are; whether they answer, if that is asked for."""
    require_role(caller, ADMINISTRATORS)
    return await _show(request, house, examine=examine, done=done)


@router.post(PATH, response_class=Response)
@allow(Policy.COMMAND)
async def make_current(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """Have new runs begin on that build; who and why is in the log before."""
    require_role(caller, ADMINISTRATORS)
    form = await read_form(request)
    build_id, reason = (str(form.get(name, "")).strip() for name in ("build", "reason"))
    workers = _find_workers(house)
    try:
        work = Undertaking.model_validate({"work": Work.SET_BUILD, "target": build_id, "reason": reason})
    except (InputInvalid, ValueError):
        return await _show(request, house, typed=(build_id, reason), fault=TEXTS["reason_wrong"])
    try:
        await _set_current(house, workers, caller, work)
    except RPCError as gone:
        raise WorkersUnseen from gone
    except BuildUnknown as unknown:
        return await _show(request, house, typed=(build_id, reason), fault=(unknown.zh, unknown.en))
    return RedirectResponse(f"{PATH}?done=true", HTTPStatus.SEE_OTHER)


async def _set_current(house: House, workers: Workers, caller: Caller, work: Undertaking) -> None:
    seat = next(one for one in caller.seats if one.role in ADMINISTRATORS)
    async with record_maintenance(
        house.store, workers.door, seat, work.work, work.reason, work.target, person=caller.person
    ) as outcome:
        build_id = UNVERSIONED if work.target == NO_BUILD else work.target or ""
        await set_current(workers.client, workers.task_queue, build_id)
        outcome.count([True])


def _find_workers(house: House) -> Workers:
    if house.workers is None:
        raise WorkersUnseen
    return house.workers


async def _show(
    request: Request,
    house: House,
    *,
    examine: bool = False,
    done: bool = False,
    typed: tuple[str, str] = ("", ""),
    fault: tuple[str, str] | None = None,
) -> Response:
    workers = _find_workers(house)
    examinations = [Examination("數據庫結構", "schema", workers.examine_schema)]
    try:
        builds = await list_builds(workers.client, workers.task_queue)
        pollers = await list_pollers(workers.client, workers.task_queue)
    except RPCError as gone:
        raise WorkersUnseen from gone
    if examine:
        examinations += list_workflow_examinations(workers.client, workers.task_queue, house.store)
    return render(
        request,
        "console/builds/builds.html",
        TEXTS,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        release=read_release(),
        builds=builds,
        pollers=pollers,
        diagnoses=[one async for one in examine_each(examinations)],
        path=PATH,
        no_build=NO_BUILD,
        done=done,
        typed=typed,
        fault=fault,
    )
