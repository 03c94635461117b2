"""What Temporal's screens show of a stream, in the office's words: numbers, terms, roles and dates.

Nothing that somebody wrote is in it, neither a title nor a name: it is sealed like all that Temporal keeps, but
who may open that is not asked whose business the stream is (PR10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deciding.decision import falls_at
from domain.catalogue import AGGREGATES, command_class, stage_zh
from domain.kernel.calendar import closing_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from deciding.decision import Decision
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Awaited, Due
    from domain.kernel.state import State


def summary(stream: StreamId) -> str:
    """Which file it is, for the list: ``項目 AP-5 · live``."""
    return f"{AGGREGATES[stream.kind].zh} {stream.name} · {stream.realm}"


def standing_orders(stream: StreamId) -> str:
    """What whoever opens the workflow's page must know; it never changes."""
    return (
        f"卷宗 `{stream}`。事實以事件日誌為準，此處只有期限與等候；在此終止或重置，不改變任何事實，"
        "下一項命令或 `venture resurrect` 會自日誌重新開始。\n\n"
        f"The file `{stream}`. The event log is the record; here are only dates and who is awaited. Terminating or "
        "resetting this changes no fact: the next command, or `venture resurrect`, begins again from the log."
    )


def stage(state: State) -> str:
    """The stage as the office calls it, with its code: ``公示中 IN_PUBLICITY``."""
    return f"{stage_zh(state.stream.kind, state.stage)} {state.stage}"


def details(decision: Decision) -> str:
    """How the stream stands: the stage, the date that runs, and who is awaited for what, in Markdown."""
    state = decision.state
    lines = [f"**{summary(state.stream)}：{stage(state)}** · v{state.version}"]
    if (running := deadline(decision)) is not None:
        lines += ["", f"期限 deadline：{running}"]
    if decision.awaiting:
        lines += ["", "等候 awaited：", "", *_awaited(decision)]
    return "\n".join(lines)


def _awaited(decision: Decision) -> Iterable[str]:
    for awaited in decision.awaiting:
        roles = "、".join(f"{role.zh} {role}" for role in awaited.roles)
        about = f"{awaited.subject} " if awaited.subject else ""
        until = f"，至 until {_local_time(awaited.until)}{_doubt(awaited)}" if awaited.until else ""
        yield f"- {roles}：{about}{command_class(awaited.command).zh()} {awaited.command}{until}"


def deadline(decision: Decision) -> str | None:
    """The date that runs and what falls due then: ``2026-12-09 24:00 北京時間 需求徵集截止 CloseNeedSolicitation``."""
    due = decision.aggregate.due(decision.state, decision.calendar)
    if due is None:
        return None
    at = f"{_local_time(falls_at(due, decision.calendar))}{_doubt(due)}"
    return f"{at} {due.command.zh()} {due.command.command_type}"


def _doubt(dated: Due | Awaited) -> str:
    """That a notice of working days may still move the date."""
    return "（暫定 provisional）" if dated.provisional else ""


def parked_caption(state: State, reason: str) -> str:
    """That a person must look at it, and why."""
    return (
        f"**{summary(state.stream)}：{stage(state)}** · v{state.version}\n\n"
        f"已停辦，須人工處理，見 `venture doctor` / PARKED, a person must see to it: {reason}"
    )


def _local_time(instant: datetime) -> str:
    """As the office says it: what ends with a day ends at 24:00 of that day. Temporal's pages show UTC beside it."""
    return f"{closing_time(instant)} 北京時間"
