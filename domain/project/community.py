"""社區: what a project leaves and sets going: case work, assets, deliberation, gifts, who joined in (V3, V4, K2).

FZ-5, FZ-8, FZ-10, FZ-12, HZ-19. Of a client nothing is recorded but a pseudonym that the organisation alone can
resolve, and the digest of a record that stays with it: what is not here, no list, export or reader can show.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, ClassVar, assert_never, get_args

from pydantic import Field

from domain.application import Application
from domain.kernel.attachment import Attachments
from domain.kernel.beneficiaries import is_sensitive
from domain.kernel.bounds import Date
from domain.kernel.calendar import Calendar, local_day
from domain.kernel.codelist import Codelist, require_listed
from domain.kernel.decider import Decider
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Reason, Role, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen
from domain.kernel.phrase import or_else
from domain.kernel.refusal import Checks
from domain.kernel.restriction import Restricted, Restriction
from domain.kernel.state import Part, State
from domain.kernel.words import Words
from domain.project.bidders import PARTNERSHIP
from domain.project.contract import Contract
from domain.project.delivery import UNDERWAY, Delivery
from domain.project.stage import Stage
from domain.project.tranches import Key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.kernel.facts import Facts

LASTING = (*UNDERWAY, Stage.FINAL_REVIEW, Stage.SETTLEMENT, Stage.CLOSED)
"""The stages in which what was handed over may change its keeper, and a deliberation may come to something."""


# ---------------------------------------------------------------- 個案服務


class CaseWork(Particulars):
    """One piece of work with one client, who is not named (FZ-10)."""

    client: Annotated[
        str, Field(pattern=r"^C-[A-Za-z0-9]{1,16}$", title="化名編號 / pseudonym"), Restricted(Restriction.CLIENT)
    ]
    """Made by the organisation, which alone knows whose it is; e.g. ``C-7``."""
    group: Annotated[Text, Field(title="服務對象 / beneficiary group")]
    module: Annotated[Text | None, Field(title="服務環節 / part of the method")] = None
    """Which part of the method it was, e.g. 評估 or 團體輔導."""
    sealed: Annotated[
        str,
        Field(pattern=r"^[0-9a-f]{64}$", title="封存記錄摘要 / digest of the sealed record"),
        Restricted(Restriction.CLIENT),
    ]
    """SHA-256 in hex of the record of what was said and done; the record itself stays with the organisation."""


class ClientServed(CaseWork, Event):
    """A client was served."""

    zh = "個案服務登記"
    served_on: Annotated[Date, Field(title="服務日期 / served on")]


class ServeClient(CaseWork, Command):
    """Record case work."""

    records = ClientServed
    by = (Role.SO_PM,)
    acts_for = (PARTNERSHIP,)
    during = UNDERWAY
    rule = "D3"
    served_on: Annotated[Date | None, Otherwise("當日", "today"), Field(title="服務日期 / served on")] = None
    """The day of it; None for today."""


# ---------------------------------------------------------------- 資產移交


class Asset(Particulars):
    """What is handed over, to whom (FZ-5)."""

    asset: Annotated[Key, Field(title="資產編號 / asset")]
    """A short name within the project, e.g. ``A-1``."""
    title: Annotated[Text, Field(title="名稱 / title")]
    quantity: Annotated[int, Field(ge=1, le=1_000_000, title="數量 / quantity")] = 1
    value: Annotated[Fen | None, Field(title="價值 / value")] = None
    """Fen; None where it is not known."""
    keeper: Annotated[Text, Field(title="保管方 / keeper")]
    """Who keeps it from now on, e.g. ``COMM-1``."""
    site: Annotated[Key | None, Field(title="點位 / site")] = None
    attachments: Attachments = ()
    """The receipt."""


class AssetHandedOver(Asset, Event):
    """What was bought or built belongs to the community and is kept by somebody."""

    zh = "資產移交"


class HandOverAsset(Asset, Command):
    """Hand an asset over."""

    records = AssetHandedOver
    by = (Role.SO_PM,)
    acts_for = (PARTNERSHIP,)
    during = (*UNDERWAY, Stage.FINAL_REVIEW, Stage.SETTLEMENT)
    rule = "V3"
    subject_field: ClassVar[str] = "asset"


class Custody(Particulars):
    """Who keeps an asset now, and why it changed hands."""

    asset: Annotated[Key, Field(title="資產編號 / asset")]
    keeper: Annotated[Text, Field(title="保管方 / keeper")]
    reason: Reason


class AssetMoved(Custody, Event):
    """Somebody else keeps it."""

    zh = "資產保管變更"


class MoveAsset(Custody, Command):
    """Give an asset another keeper."""

    records = AssetMoved
    by = (Role.SO_PM,)
    acts_for = (PARTNERSHIP,)
    during = LASTING
    rule = "V3"
    subject_field: ClassVar[str] = "asset"


# ---------------------------------------------------------------- 社區協商


class DeliberationOutcome(Words):
    """What came of a deliberation."""

    OPEN = "OPEN", "待落實", "to be acted on"
    DONE = "DONE", "已落實", "acted on"
    REFERRED = "REFERRED", "已轉辦", "referred"
    NO_AGREEMENT = "NO_AGREEMENT", "未達成一致", "no agreement"


class Deliberation(Particulars):
    """What residents, the committee and others talked over (FZ-12)."""

    deliberation: Annotated[Key, Field(title="協商編號 / deliberation")]
    topic: Annotated[Text, Field(title="議題 / topic")]
    persons: Annotated[int, Field(ge=2, le=100_000, title="參與人數 / persons taking part")]
    sides: Annotated[tuple[Text, ...] | None, Field(max_length=20, title="參與各方 / sides")] = None
    """Who took part beside residents, e.g. 物業、商戶."""
    attachments: Attachments = ()


class DeliberationHeld(Deliberation, Event):
    """It was talked over; what comes of it is told later."""

    zh = "社區協商記錄"
    held_on: Annotated[Date, Field(title="協商日期 / held on")]


class HoldDeliberation(Deliberation, Command):
    """Record a deliberation."""

    records = DeliberationHeld
    by = (Role.SO_PM,)
    acts_for = (PARTNERSHIP,)
    during = UNDERWAY
    rule = "D3"
    subject_field: ClassVar[str] = "deliberation"
    held_on: Annotated[Date | None, Otherwise("當日", "today"), Field(title="協商日期 / held on")] = None
    """The day of it; None for today."""


class DeliberationResult(Particulars):
    """What came of which deliberation."""

    deliberation: Annotated[Key, Field(title="協商編號 / deliberation")]
    outcome: Annotated[DeliberationOutcome, Field(title="結果 / outcome")]
    outcomes: Annotated[tuple[Text, ...] | None, Field(max_length=20, title="成效 / outcomes")] = None
    """What it was good for, of the city's list (FZ-12)."""
    finding: Annotated[Text, Field(title="落實情況 / what was done")]
    attachments: Attachments = ()


class DeliberationConcluded(DeliberationResult, Event):
    """It is known what came of it."""

    zh = "社區協商結果"


class ConcludeDeliberation(DeliberationResult, Command):
    """Say what came of a deliberation."""

    records = DeliberationConcluded
    by = (Role.SO_PM,)
    acts_for = (PARTNERSHIP,)
    during = LASTING
    rule = "V3"
    subject_field: ClassVar[str] = "deliberation"


# ---------------------------------------------------------------- 實物資源與參與者


class ResourceKind(Words):
    """What is given instead of money."""

    VENUE = "VENUE", "場地", "premises"
    GOODS = "GOODS", "物資", "goods"
    SERVICE = "SERVICE", "服務", "services"
    DISCOUNT = "DISCOUNT", "優惠", "discounts"


class Gift(Particulars):
    """What somebody gave in kind; no money, and never added to any (FZ-8, HZ-3)."""

    kind: Annotated[ResourceKind, Field(title="類別 / kind")]
    title: Annotated[Text, Field(title="名稱 / title")]
    provider: Annotated[Text, Field(title="提供方 / provider")]
    attachments: Attachments = ()


class ResourceReceived(Gift, Event):
    """Something was given in kind."""

    zh = "實物資源登記"


class ReceiveResource(Gift, Command):
    """Record what was given in kind."""

    records = ResourceReceived
    by = (Role.SO_PM,)
    acts_for = (PARTNERSHIP,)
    during = (Stage.CONTRACTED, *UNDERWAY)
    rule = "V3"


class Standing(Words):
    """As what people take part who have no contract (HZ-19)."""

    CAPABLE = "CAPABLE", "能人", "able residents"
    NOTABLE = "NOTABLE", "鄉賢", "village notables"
    VOLUNTEER = "VOLUNTEER", "志願者", "volunteers"
    MERCHANT = "MERCHANT", "商戶", "merchants"
    PARTY_MEMBER = "PARTY_MEMBER", "黨員", "Party members"


class Recruitment(Particulars):
    """How many joined in, as what; counted, never named."""

    standing: Annotated[Standing, Field(title="身份 / standing")]
    persons: Annotated[int, Field(ge=1, le=100_000, title="人數 / persons")]


class ParticipantsRecruited(Recruitment, Event):
    """So many more take part."""

    zh = "參與者招募登記"


class RecruitParticipants(Recruitment, Command):
    """Record who joined in."""

    records = ParticipantsRecruited
    by = (Role.SO_PM,)
    acts_for = (PARTNERSHIP,)
    during = UNDERWAY
    rule = "V3"


Commands = (
    ServeClient
    | HandOverAsset
    | MoveAsset
    | HoldDeliberation
    | ConcludeDeliberation
    | ReceiveResource
    | RecruitParticipants
)
Events = (
    ClientServed
    | AssetHandedOver
    | AssetMoved
    | DeliberationHeld
    | DeliberationConcluded
    | ResourceReceived
    | ParticipantsRecruited
)


# ---------------------------------------------------------------- what the decider remembers


@dataclass(frozen=True)
class Community(Part):
    """What was left and set going."""

    clients: Mapping[str, int] = field(default_factory=dict)
    """Pseudonym, and how often that client was served."""
    keepers: Mapping[str, str] = field(default_factory=dict)
    """Asset and who keeps it."""
    deliberations: Mapping[str, DeliberationOutcome] = field(default_factory=dict)
    gifts: int = 0
    participants: Mapping[Standing, int] = field(default_factory=dict)


# ---------------------------------------------------------------- decide


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the community makes happen. Raises CommandRejected."""
    check, community, today = Checks(), state.part(Community), local_day(order.at)
    match command:
        case ServeClient(group=group):
            served_on = command.served_on or today
            _require_day(check, state, served_on, today)
            require_listed(check, facts.scheme, Codelist.GROUPS, [group])
            _require_served_group(check, state, facts, group)
            return check.grant(ClientServed.of(command, served_on=served_on))
        case HandOverAsset(asset=asset, site=site):
            check(
                asset not in community.keepers,
                "V3",
                "資產 {asset} 已登記",
                "the asset {asset} is on record",
                asset=asset,
            )
            sites = state.part(Contract).sites
            check(
                site is None or site in sites,
                "V3",
                "點位 {site} 不在協議點位 {sites} 之列",
                "{site} is none of the contract's sites: {sites}",
                site=site,
                sites=or_else(sites, "無", "none"),
            )
            return check.grant(AssetHandedOver.of(command))
        case MoveAsset(asset=asset):
            check(
                asset in community.keepers,
                "V3",
                "資產 {asset} 未登記",
                "there is no asset {asset}",
                asset=asset,
            )
            return check.grant(AssetMoved.of(command))
        case HoldDeliberation(deliberation=name):
            held_on = command.held_on or today
            _require_day(check, state, held_on, today)
            check(
                name not in community.deliberations,
                "V3",
                "協商 {name} 已登記",
                "{name} is on record",
                name=name,
            )
            return check.grant(DeliberationHeld.of(command, held_on=held_on))
        case ConcludeDeliberation(deliberation=name):
            check(
                name in community.deliberations,
                "V3",
                "協商 {name} 未登記",
                "there is no deliberation {name}",
                name=name,
            )
            require_listed(check, facts.scheme, Codelist.OUTCOMES, command.outcomes or ())
            return check.grant(DeliberationConcluded.of(command))
        case ReceiveResource():
            return check.grant(ResourceReceived.of(command))
        case RecruitParticipants():
            return check.grant(ParticipantsRecruited.of(command))
        case _:
            assert_never(command)


def _require_day(check: Checks, state: State, day: date, today: date) -> None:
    """D3: nothing before the start, nothing that has not come."""
    started = state.part(Delivery).started_on
    check(
        started is not None and started <= day <= today,
        "D3",
        "{day} 不在啟動日 {started} 至今日 {today} 之間",
        "{day} does not lie between the start ({started}) and today, {today}",
        day=day,
        started=or_else(started, "(未啟動)", "not started"),
        today=today,
    )


def _require_served_group(check: Checks, state: State, facts: Facts, group: str) -> None:
    """K2: case work is with those whom the application is for, or with a group that needs a pseudonym."""
    served = state.part(Application).beneficiaries
    check(
        served is None or group in served.groups or is_sensitive(facts.scheme, group),
        "K2",
        "{group} 不在申報的受益對象 {groups} 之列",
        "{group} is none of those whom the application serves: {groups}",
        group=group,
        groups=served.groups if served else (),
    )


# ---------------------------------------------------------------- evolve


def evolve(state: State, _of: Occurrence, event: Events) -> State:
    """Keep how often each client was served, who keeps the assets, and what came of deliberations."""
    community = state.part(Community)
    match event:
        case ClientServed(client=client):
            return state.with_parts(
                replace(community, clients={**community.clients, client: community.clients.get(client, 0) + 1})
            )
        case AssetHandedOver() | AssetMoved():
            return state.with_parts(replace(community, keepers={**community.keepers, event.asset: event.keeper}))
        case DeliberationHeld(deliberation=name):
            opened = {**community.deliberations, name: DeliberationOutcome.OPEN}
            return state.with_parts(replace(community, deliberations=opened))
        case DeliberationConcluded(deliberation=name):
            return state.with_parts(replace(community, deliberations={**community.deliberations, name: event.outcome}))
        case ResourceReceived():
            return state.with_parts(replace(community, gifts=community.gifts + 1))
        case ParticipantsRecruited(standing=standing, persons=persons):
            return state.with_parts(
                replace(community, participants=Counter(community.participants) + Counter({standing: persons}))
            )
        case _:
            assert_never(event)


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """What is to come of deliberations."""
    if state.stage not in LASTING:
        return
    for name, outcome in state.part(Community).deliberations.items():
        if outcome is DeliberationOutcome.OPEN:
            zh, en = f"社區協商 {name} 的結果", f"what came of the deliberation {name}"
            yield Awaited((Role.SO_PM,), "ConcludeDeliberation", name, zh, en)


DECIDER = Decider(
    name="community",
    zh="社區",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    awaiting=awaiting,
)
