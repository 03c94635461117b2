"""What the events of one stream add up to: a stage, a stack of stages to return to, and what each decider remembers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from domain.kernel.approval import Approval
    from domain.kernel.identifier import Role, StreamId

NONE = "NONE"
"""The stage of a stream that has no events."""
ORIGIN = "ORIGIN"
"""As a transition's target: back to the stage on top of the stack."""
SAME = "SAME"
"""As a transition's target: no change of stage."""


@dataclass(frozen=True)
class Transition:
    """One row of the state machine: which event leads from which stages to which, and by whom."""

    id: str
    start: tuple[str, ...]
    to: str
    by: tuple[Role, ...]
    guard: str
    when: Callable[[BaseModel], bool] = lambda _event: True
    """Tells two transitions of one event apart, e.g. by the remedy."""
    push: bool = False
    """Whether the stage that is left goes on the stack."""


class Part:
    """What one decider remembers of a stream: a frozen dataclass that can be made without arguments."""


P = TypeVar("P", bound=Part)


class SchemeRef(BaseModel):
    """Which version of which city's rules holds, e.g. ``fuzhou`` version 1; it never changes by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$", title="名稱 / name")]
    version: Annotated[int, Field(ge=1, le=9999, title="版本 / version")]

    def __str__(self) -> str:
        """The scheme and its version, as people cite them."""
        return f"{self.name}@{self.version}"


_BLANK: dict[type[Part], Part] = {}
"""What a decider that has seen nothing remembers: one for all streams, since parts never change."""


@dataclass(frozen=True)
class State:
    """What the events of one stream add up to."""

    stream: StreamId
    version: int = 0
    stage: str = NONE
    stack: tuple[str, ...] = ()
    scheme: SchemeRef | None = None
    since: datetime | None = None
    """When the present stage began."""
    approvals: tuple[Approval, ...] = ()
    parts: Mapping[type[Part], Part] = field(default_factory=lambda: MappingProxyType({}))

    def part(self, of: type[P]) -> P:
        """What that decider remembers; its blank form if it has seen nothing."""
        part = self.parts.get(of)
        if part is None:
            part = _BLANK.get(of) or _BLANK.setdefault(of, of())
        return cast("P", part)

    def with_parts(self, *parts: Part) -> State:
        """The same state with these parts in place of what the deciders remembered."""
        return replace(self, parts=MappingProxyType({**self.parts, **{type(p): p for p in parts}}))
