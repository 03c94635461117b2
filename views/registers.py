"""登記冊: how each register stood from when until when, so that any day can be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.catalogue import AGGREGATES
from domain.registers.organisation import Organisation
from views.organisations import describe_organisation
from views.view import FAR, View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.state import State
    from views.view import ViewSource

KEPT = frozenset({"organisation", "base", "fund", "scheme", "designation"})
"""Kinds of streams whose history is kept."""


def _rows(source: ViewSource) -> Iterable[dict[str, Any]]:
    stream = source.state.stream
    ends = [(moment.occurred_at, moment.recorded_at) for moment in source.history[1:]] + [(FAR, FAR)]
    for moment, (end, recorded_end) in zip(source.history, ends, strict=False):
        yield {
            "stream": str(stream),
            "realm": stream.realm,
            "kind": stream.kind,
            "version": moment.state.version,
            "from_at": moment.occurred_at,
            "to_at": end,
            "recorded_at": moment.recorded_at,
            "to_recorded_at": recorded_end,
            "stage": str(moment.state.stage),
            "particulars": _describe(moment.state),
        }


def _describe(state: State) -> dict[str, Any]:
    if state.stream.kind == "organisation":
        return describe_organisation(state.part(Organisation))
    return dict(AGGREGATES[state.stream.kind].summary(state))


REGISTERS = View("registers", 3, "登記冊", "registers as of a day", _rows, KEPT)
