"""The stages of everything but projects, as the independent checker judges them: what was recorded, out of place."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from audit.invariants import Invariants
from audit.invariants.stages import TABLE
from domain.catalogue import AGGREGATES, list_stages, list_transitions
from store.port import EntryKind
from tests.audit.test_corpus import RELEASES
from tests.corpus.reading import read_entries

if TYPE_CHECKING:
    from audit.invariants.stages import Row
    from store.port import Entry

AGAIN = {("maintenance", "MT01", "MaintenanceBegun", "KEPT", "KEPT")}
"""What is said again of a stream that has moved already, and moves it no further: the rules have no row for it."""
OF_ANY_STAGE = {"ActProposed", "ActConfirmed", "ActDropped", "DeadlineSetAside"}


def test_its_own_stages_and_the_rules_say_the_same() -> None:
    """Two tables, written apart, row by row; events that change no stage by the stages of their commands."""
    others = [aggregate for aggregate in AGGREGATES.values() if aggregate.kind != "project"]
    moving = {
        (row.kind, row.id, row.event, stage, row.to)
        for row in list_transitions()
        if row.kind != "project"
        for stage in row.start
    }
    staying = {
        (one.kind, command.rule, command.records.event_type, str(stage), "SAME")
        for one in others
        for command in one.commands
        if not command.records.moves
        for stage in command.during
    }
    ours = [(row.kind, row.id, row.event, stage, row.to) for row in TABLE for stage in row.start.split()]
    assert set(ours) == moving | staying | AGAIN
    assert len(ours) == len(set(ours))
    unlisted = {event.event_type for one in others for event in one.events} - {row.event for row in TABLE}
    assert unlisted == OF_ANY_STAGE


def test_a_second_work_of_maintenance_is_no_breach() -> None:
    (begun,) = (entry for entry in recorded() if entry.type == "MaintenanceBegun")
    invariants = Invariants()
    for number in (1, 2):
        invariants.take(replace(begun, version=number))
    assert "MT01" not in {b.rule for b in invariants.report().breaches if "不得發生於" in b.zh}


@cache
def recorded() -> tuple[Entry, ...]:
    """One entry of every event that is not a project's, from what the releases recorded."""
    kinds = {(row.kind, row.event) for row in TABLE}
    recordings = {
        (entry.stream.kind, entry.type): entry
        for path in RELEASES
        for entry in read_entries(path)
        if entry.kind is EntryKind.EVENT and (entry.stream.kind, entry.type) in kinds
    }
    assert recordings.keys() == kinds
    return tuple(recordings.values())


@pytest.mark.parametrize("kind", sorted({row.kind for row in TABLE}))
def test_every_recorded_event_in_every_stage_that_is_not_its_own_is_found(kind: str) -> None:
    for entry in recorded():
        if entry.stream.kind != kind:
            continue
        rows: list[Row] = [row for row in TABLE if (row.kind, row.event) == (kind, entry.type)]
        legal = {stage for row in rows for stage in row.start.split()}
        for stage in {"NONE", *list_stages(kind)}:
            invariants = Invariants()
            invariants._realms[entry.stream.realm].stages[kind, entry.stream.name] = stage
            invariants.take(entry)
            rules = {b.rule for b in invariants.report().breaches if "不得發生於" in b.zh}
            if stage not in legal:
                assert rules & {row.id for row in rows}, (entry.type, stage)
