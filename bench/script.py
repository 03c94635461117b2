"""What a lifecycle was asked and what came of it, recorded once and given to the peers, so that they need not decide.

The peers' sandbox passes this module through: it is constant while a worker lives.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from domain.kernel.envelope import CarryOut, CarryOutResult


class RecordedUpdate(BaseModel):
    """One update: of which stream, what it asks, what came of it."""

    update: str
    """``carry_out`` or ``fall_due``."""
    kind: str
    name: str
    argument: dict[str, Any]
    """The envelope, or what falls due, as JSON."""
    carried: CarryOutResult
    events: list[tuple[str, str]]
    """Type and JSON of each event that it led to, on whatever stream."""


class Script(BaseModel):
    """The updates of one lifecycle, in order."""

    steps: list[RecordedUpdate]


SCRIPTS: dict[str, Script] = {}
"""By name. A step's number stands in the signature of its envelope, which the peers do not check."""
_DUE: dict[tuple[str, str], RecordedUpdate] = {}


def mark(name: str, number: int) -> str:
    """A signature of the usual length that says which step it is."""
    return f"{name}:{number:04d}".ljust(64, "0")


def load(path: Path) -> None:
    """Read the scripts that the controller wrote."""
    for name, raw in json.loads(path.read_text(encoding="utf-8")).items():
        script = SCRIPTS[name] = Script.model_validate(raw)
        for step in script.steps:
            if step.update == "fall_due":
                _DUE[f"{step.kind}/{step.name}", str(step.argument["now"])] = step


def save(path: Path) -> None:
    """Write the scripts for the other processes."""
    path.write_text(json.dumps({name: script.model_dump(mode="json") for name, script in SCRIPTS.items()}))


def step_of(order: CarryOut) -> RecordedUpdate:
    """The recorded step that is asked again."""
    if order.envelope is None:
        now = order.model_dump(mode="json")["now"]
        return _DUE[f"{order.stream.kind}/{order.stream.name}", now]
    name, _, number = order.envelope.signature[:32].rpartition(":")
    return SCRIPTS[name].steps[int(number[:4])]
