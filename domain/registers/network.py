"""網絡: a Party committee, its district stations, guidance stations and sector centres, 1+7+X+N (CZ-2, CZ-3, CZ-8).

A node hangs from one of the level above and may be hosted by a base. How many there must be is stated by somebody,
as an event of the network itself; whoever compares finds the statement beside what is registered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel.bounds import Name
from domain.kernel.decider import Aggregate, Decider
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Reason, Role, Text
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.phrase import or_else
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import NONE, Part, State, Transition
from domain.kernel.words import Words
from domain.registers.incubation_base import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping


class NodeStage(Words):
    """Whether the node works."""

    NONE = NONE, "未建檔", "not started"
    ESTABLISHED = "ESTABLISHED", "已設立", "established"
    CLOSED = "CLOSED", "已撤銷", "closed"


class NodeLevel(Words):
    """Which of the four levels it is of (CZ-3)."""

    COMMITTEE = "COMMITTEE", "綜合黨委", "comprehensive Party committee"
    STATION = "STATION", "區級試點站", "district pilot station"
    GUIDANCE = "GUIDANCE", "街道社區指導站", "guidance station of a street or community"
    SECTOR = "SECTOR", "行業中心", "sector centre"

    @property
    def above(self) -> NodeLevel | None:
        """The level of its parent."""
        return {
            "COMMITTEE": None,
            "STATION": NodeLevel.COMMITTEE,
            "GUIDANCE": NodeLevel.STATION,
            "SECTOR": NodeLevel.COMMITTEE,
        }[self.value]


class Foundation(Particulars):
    """Which node, of which level, under which, hosted by whom."""

    name: Annotated[Text, Field(title="名稱 / name")]
    level: Annotated[NodeLevel, Field(title="級別 / level")]
    parent: Annotated[Name | None, Field(title="上級節點 / node above")] = None
    base: Annotated[Name | None, Field(title="所在基地 / hosted by")] = None
    """The base that hosts it: its Party-service side (一黨委兩中心, CZ-2)."""


class NodeEstablished(Foundation, Event):
    """The node belongs to the network."""

    zh = "黨建節點設立"
    moves = (
        Transition(
            "NW01",
            (NodeStage.NONE,),
            NodeStage.ESTABLISHED,
            (Role.CAB_DEC,),
            "hangs from one of the level above; hosted by a designated base",
        ),
    )


class EstablishNode(Foundation, Command):
    """Establish the node."""

    records = NodeEstablished
    acts_for = (BUREAU,)


class Closure(Particulars):
    """Why it is no more."""

    reason: Reason


class NodeClosed(Closure, Event):
    """The node is no more."""

    zh = "黨建節點撤銷"
    moves = (Transition("NW02", (NodeStage.ESTABLISHED,), NodeStage.CLOSED, (Role.CAB_DEC,), "reason given"),)


class CloseNode(Closure, Command):
    """Close the node."""

    records = NodeClosed
    acts_for = (BUREAU,)


NodeCommands = EstablishNode | CloseNode
NodeEvents = NodeEstablished | NodeClosed


@dataclass(frozen=True)
class Node(Part):
    """The node as it was established."""

    name: str = ""
    level: NodeLevel | None = None
    parent: str = ""
    base: str = ""


def _read_node(state: State, command: NodeCommands) -> Reads:
    """The node above and the base."""
    if not isinstance(command, EstablishNode):
        return Reads()
    streams = {state.stream.sibling("node", command.parent)} if command.parent else set()
    streams |= {state.stream.sibling("base", command.base)} if command.base else set()
    return Reads(streams=frozenset(streams))


def _decide_node(state: State, facts: Facts, _order: Order, command: NodeCommands) -> list[Event]:
    check = Checks()
    match command:
        case EstablishNode(level=level, parent=parent, base=base):
            above = facts.of(state.stream.sibling("node", parent)) if parent else None
            height = above.part(Node).level if above is not None and above.stage == NodeStage.ESTABLISHED else None
            check(
                height is level.above,
                "NW01",
                "{level}的上級須為{above}，所填為{found}",
                "a {level} hangs from {above}, not from {found}",
                level=level,
                above=or_else(level.above, "無", "nothing"),
                found=or_else(height, "無", "nothing"),
            )
            check(
                base is None or facts.of(state.stream.sibling("base", base)).version,
                "NW01",
                "基地 {base} 尚未認定",
                "the base {base} is not designated",
                base=base,
            )
            return check.grant(NodeEstablished.of(command))
        case CloseNode():
            return check.grant(NodeClosed.of(command))
        case _:
            assert_never(command)


def _evolve_node(state: State, _of: Occurrence, event: NodeEvents) -> State:
    match event:
        case NodeEstablished():
            return state.with_parts(Node(event.name, event.level, event.parent or "", event.base or ""))
        case NodeClosed():
            return state
        case _:
            assert_never(event)


NODE = Aggregate(
    kind="node",
    zh="黨建節點",
    en="Party-building node",
    en_many="Party-building nodes",
    deciders=(
        Decider(
            name="node",
            zh="黨建節點",
            commands=get_args(NodeCommands),
            events=get_args(NodeEvents),
            decide=_decide_node,
            evolve=_evolve_node,
            reads=_read_node,
        ),
    ),
    final=frozenset(NodeStage),
    summary=lambda state: {
        "name": state.part(Node).name,
        "level": state.part(Node).level or "",
        "parent": state.part(Node).parent,
        "base": state.part(Node).base,
    },
)


# ---------------------------------------------------------------- 應有之數


class NetworkStage(Words):
    """Whether anybody has said how many there are."""

    NONE = NONE, "未建檔", "not started"
    STATED = "STATED", "已載明", "stated"


class Statement(Particulars):
    """How many bases and nodes there are, by whoever says so (CZ-3, CZ-8)."""

    bases: Annotated[dict[Tier, Annotated[int, Field(ge=0, le=100_000)]], Field(title="各級基地數 / bases by tier")]
    total: Annotated[int, Field(ge=0, le=1_000_000, title="基地總數 / bases in all")]
    """E.g. 63 = 1 + 7 + 55."""
    nodes: Annotated[
        dict[NodeLevel, Annotated[int, Field(ge=0, le=100_000)]] | None, Field(title="各級節點數 / nodes by level")
    ] = None
    """Of the levels that have a fixed number; a level that is left out is open-ended (X, N)."""
    source: Annotated[Text, Field(title="出處 / source")]


class NetworkStated(Statement, Event):
    """Somebody has said how many there are."""

    zh = "網絡應有數載明"
    moves = (
        Transition(
            "NW03",
            (NetworkStage.NONE, NetworkStage.STATED),
            NetworkStage.STATED,
            (Role.CAB_REG,),
            "the tiers add up to the total",
        ),
    )


class StateNetwork(Statement, Command):
    """Say how many there are; the latest statement holds."""

    records = NetworkStated
    acts_for = (BUREAU,)


@dataclass(frozen=True)
class Network(Part):
    """The numbers that were stated last, and where they come from."""

    bases: Mapping[str, int] = field(default_factory=dict)
    nodes: Mapping[str, int] = field(default_factory=dict)
    source: str = ""


def _decide_network(_state: State, _facts: Facts, _order: Order, command: StateNetwork) -> list[Event]:
    check = Checks()
    parts = " + ".join(str(command.bases.get(tier, 0)) for tier in Tier)
    total = sum(command.bases.values())
    check(
        total == command.total,
        "C1",
        "{parts} = {found}，不是 {total}",
        "{parts} is {found}",
        parts=parts,
        found=total,
        total=command.total,
    )
    return check.grant(NetworkStated.of(command))


def _evolve_network(state: State, _of: Occurrence, event: NetworkStated) -> State:
    bases = {tier.value: count for tier, count in event.bases.items()}
    nodes = {level.value: count for level, count in (event.nodes or {}).items()}
    return state.with_parts(Network(bases, nodes, event.source))


NETWORK = Aggregate(
    kind="network",
    zh="網絡",
    en="network",
    en_many="networks",
    deciders=(
        Decider(
            name="network",
            zh="網絡",
            commands=(StateNetwork,),
            events=(NetworkStated,),
            decide=_decide_network,
            evolve=_evolve_network,
        ),
    ),
    final=frozenset(NetworkStage),
    summary=lambda state: {
        "bases": dict(state.part(Network).bases),
        "nodes": dict(state.part(Network).nodes),
        "source": state.part(Network).source,
    },
)
