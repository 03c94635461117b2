"""社會組織: who it is, what it is rated, and what stands against its being funded (D5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal, assert_never, get_args

from pydantic import AfterValidator, Field

from domain.kernel.attachment import Evidence
from domain.kernel.bounds import Date, Name
from domain.kernel.calendar import Calendar, day_begins, local_day
from domain.kernel.codelist import Codelist, require_listed
from domain.kernel.decider import Aggregate, Decider
from domain.kernel.effects import Claim, Effect, Release
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Actor, Reason, Role, Text
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.phrase import or_else, word
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, ENGINE, Names, Relation
from domain.kernel.scope import ScopeKind
from domain.kernel.state import NONE, Part, SchemeRef, State, Transition
from domain.kernel.words import Words
from domain.registers.interest import require_impartial
from domain.registers.scheme import require_published_rules
from domain.round.plan import list_hosts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.kernel.identifier import StreamId
    from domain.kernel.scheme import Scheme

Level = Literal["1A", "2A", "3A", "4A", "5A"]
"""Assessment level of a social organisation [F18]."""

_YEARS_TO_SERIOUS = 2
"""Years on the list of abnormal operations after which an organisation is taken for a serious offender [F19]."""

_CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100-2015, in order of value."""
_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
"""The weights of the 17 places before the check character."""


def check_character(first_17: str) -> str:
    """The 18th character of a unified social credit code (GB 32100-2015 §5)."""
    total = sum(_CODE.index(c) * w for c, w in zip(first_17, _WEIGHTS, strict=True))
    return _CODE[(31 - total % 31) % 31]


def _credit_code(text: str) -> str:
    if re.fullmatch(rf"[{_CODE}]{{18}}", text) is None:
        message = "統一社會信用代碼須為 18 位，不含 I O S V Z / 18 characters of GB 32100, without I O S V Z"
        raise ValueError(message)
    if check_character(text[:17]) != text[17]:
        message = f"統一社會信用代碼校驗位應為 {check_character(text[:17])} / the check character does not agree"
        raise ValueError(message)
    return text


CreditCode = Annotated[str, AfterValidator(_credit_code), Field(max_length=18)]
"""Unified social credit code by GB 32100-2015."""


class OrganisationStage(Words):
    """Whether its identity has been verified."""

    NONE = NONE, "尚未建立", "not started"
    VERIFIED = "VERIFIED", "已核驗", "verified"


class OrganisationKind(Words):
    """社會組織 by registration, and the hub kinds of HZ-18."""

    SOCIAL_GROUP = "SOCIAL_GROUP", "社會團體", "social group"
    SERVICE_AGENCY = "SERVICE_AGENCY", "社會服務機構", "social service agency"
    FOUNDATION = "FOUNDATION", "基金會", "foundation"
    PUBLIC_INSTITUTION = "PUBLIC_INSTITUTION", "事業單位", "public institution"


class Listing(Words):
    """What stands against an organisation."""

    ABNORMAL = "ABNORMAL", "活動異常名錄", "list of abnormal operations"
    SERIOUS = "SERIOUS", "嚴重違法失信名單", "list of serious offenders"
    PENALTY = "PENALTY", "行政處罰", "administrative penalty"


# ---------------------------------------------------------------- whose business an organisation is


def _name_district(state: State, _facts: Facts, command: VerifyOrganisation) -> Names:
    """Its own once it is on file, whatever the command says: nobody takes an organisation over by naming it anew."""
    organisation = state.part(Organisation)
    return frozenset({(organisation.district if organisation.is_verified else command.district) or ""}) - {""}


def _name_intake(state: State, command: VerifyOrganisation | ApplyRatingBonus) -> str | None:
    organisation = state.part(Organisation)
    if isinstance(command, ApplyRatingBonus):
        return command.round
    return organisation.round if organisation.is_verified else command.round


def _read_intake(state: State, command: VerifyOrganisation | ApplyRatingBonus) -> Reads:
    round_ = _name_intake(state, command)
    return Reads() if round_ is None else Reads(streams=frozenset({state.stream.sibling("round", round_)}))


def _name_host(state: State, facts: Facts, command: VerifyOrganisation | ApplyRatingBonus) -> Names:
    round_ = _name_intake(state, command)
    return frozenset() if round_ is None else list_hosts(facts.of(state.stream.sibling("round", round_)))


DISTRICT = Relation(
    "organisation.district",
    "該組織所屬區縣；未載明者，區縣不得辦理",
    "the district that the organisation names; where it names none, no district",
    ScopeKind.DISTRICT,
    "AF02",
    _name_district,
)

HOST = Relation(
    "organisation.host",
    "所為屆次的承辦單位；未載明屆次者，承辦單位不得辦理",
    "the host of the round for which it is done; where none is named, no managing agency",
    ScopeKind.PARTY,
    "AF05",
    _name_host,
    _read_intake,
    frozenset({Role.HOST}),
)


# ---------------------------------------------------------------- 申報資格核驗


class Identity(Particulars):
    """Who the organisation is, as checked against the registrar."""

    name: Annotated[Text, Field(title="名稱 / name")]
    credit_code: Annotated[CreditCode | None, Field(title="統一社會信用代碼 / unified social credit code")] = None
    """Unified social credit code; None where the paper file has none."""
    kind: Annotated[OrganisationKind, Field(title="類別 / kind")]
    registrar: Annotated[Text | None, Field(title="登記機關 / registrar")] = None
    """Where it is registered."""
    representatives: Annotated[
        tuple[Actor, ...], Field(max_length=50, min_length=1, title="法定代表人（授權代表） / legal representatives")
    ]
    """Who may act for it, in the role SO-LEGAL (SD10)."""
    annual_report_filed: Annotated[bool, Field(title="年報已報送 / annual report filed")] = True
    own_accounts: Annotated[bool, Field(title="獨立核算 / accounts of its own")] = True
    """Whether it keeps accounts of its own [F5]."""
    district: Annotated[Name | None, Field(title="區縣 / district")] = None
    """The district whose office verifies it, where one does."""
    round: Annotated[Name | None, Field(title="屆（年度） / round")] = None
    """The round for whose intake its managing agency verifies it, where one does."""


class OrganisationVerified(Identity, Event):
    """The organisation is who it says; verified again, it replaces what was known."""

    zh = "申報資格核驗"
    moves = (
        Transition(
            "OG01",
            (OrganisationStage.NONE, OrganisationStage.VERIFIED),
            OrganisationStage.VERIFIED,
            (Role.HOST, Role.DCAB, Role.CAB_REG),
            "register checked; one credit code, one file",
        ),
    )
    changed_code: Annotated[str | None, Field(title="原信用代碼 / credit code before")] = None
    """The credit code that it bore before, if this one is another."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """One credit code stands on one file only."""
        if self.changed_code:
            yield Release(code_key(stream.realm, self.changed_code), stream)
        if self.credit_code:
            yield Claim(code_key(stream.realm, self.credit_code), stream)


class VerifyOrganisation(Identity, Command):
    """Verify who the organisation is."""

    records = OrganisationVerified
    acts_for = (HOST, DISTRICT, BUREAU)


# ---------------------------------------------------------------- 評估等級


class RatingLevel(Particulars):
    """An assessment level with the last day on which it counts."""

    level: Annotated[Level, Field(title="級別 / level")]
    until: Annotated[Date, Field(title="有效至 / until")]
    """Its last day, Shanghai."""


class RatingRecorded(RatingLevel, Event):
    """The organisation was assessed."""

    zh = "評估等級登記"


class RecordRating(RatingLevel, Command):
    """Record an assessment level."""

    records = RatingRecorded
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = (OrganisationStage.VERIFIED,)
    rule = "OG01"


class RatingBonus(Particulars):
    """For which round a rating is to count."""

    round: Annotated[Name, Field(title="屆（年度） / round")]
    """The round whose ranking it is added in."""


class RatingBonusApplied(RatingBonus, Event):
    """The rating counts in that round's ranking, with these points (CZ-5)."""

    zh = "評估等級加分"
    level: Annotated[Level, Field(title="級別 / level")]
    points: Annotated[int, Field(title="分數 / points")]


class ApplyRatingBonus(RatingBonus, Command):
    """Let the rating count in a round."""

    records = RatingBonusApplied
    by = (Role.CAB_REG, Role.HOST)
    acts_for = (BUREAU, HOST)
    during = (OrganisationStage.VERIFIED,)
    rule = "OG01"


# ---------------------------------------------------------------- 名單與停止資格


class ListEntry(Particulars):
    """On which list and why, with evidence (V1)."""

    listing: Annotated[Listing, Field(title="名單 / list")]
    reason: Reason
    attachments: Evidence
    since: Annotated[Date | None, Field(title="列入日期 / on it since")] = None
    """The registrar's day; None where nobody said, and then nothing follows from how long it has been on it."""


class CreditListingRecorded(ListEntry, Event):
    """The organisation is on the list from now on."""

    zh = "列入活動異常名錄或嚴重違法失信名單"
    en = "listed"
    ages_on: Annotated[Date | None, Field(title="滿兩年之日 / two years on it")] = None
    """The day on which it is taken for a serious offender, if it is still on the list of abnormal operations [F19].

    None for the other lists, and where nobody said since when it has been on it.
    """


class RecordCreditListing(ListEntry, Command):
    """Record that the organisation is on a list."""

    records = CreditListingRecorded
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = (OrganisationStage.VERIFIED,)
    rule = "OG01"


class ListExit(Particulars):
    """Off which list, and why."""

    listing: Annotated[Listing, Field(title="名單 / list")]
    reason: Reason


class CreditListingLifted(ListExit, Event):
    """The organisation is off the list."""

    zh = "移出名單"
    en = "removed from the list"


class LiftCreditListing(ListExit, Command):
    """Record that the organisation is off a list."""

    records = CreditListingLifted
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = (OrganisationStage.VERIFIED,)
    rule = "OG01"


class CreditListingAged(Event):
    """Two years on the list of abnormal operations: from this day it counts as on that of serious offenders [F19]."""

    zh = "列入異常滿兩年"
    en = "two years on the list of abnormal operations"
    listing: Annotated[Listing, Field(title="名單 / list")] = Listing.SERIOUS


class AgeCreditListing(Command):
    """Look at the list again: the calendar does, on the night on which two years have passed."""

    records = CreditListingAged
    en_words = "look at a listing again after two years"
    by = (Role.SYS,)
    acts_for = (ENGINE,)
    during = (OrganisationStage.VERIFIED,)
    rule = "D6"


class Ban(Particulars):
    """Until when it may not apply, and why, with evidence (V1)."""

    until: Annotated[Date, Field(title="有效至 / until")]
    """Its last day, Shanghai."""
    reason: Reason
    attachments: Evidence


class ApplicantBanned(Ban, Event):
    """The organisation may not apply or be funded until then."""

    zh = "取消申報資格"
    en = "barred from applying"


class BanApplicant(Ban, Command):
    """Bar the organisation."""

    records = ApplicantBanned
    by = (Role.CAB_DEC,)
    acts_for = (BUREAU,)
    during = (OrganisationStage.VERIFIED,)
    rule = "OG01"


# ---------------------------------------------------------------- 組織分類


class Classification(Particulars):
    """What the organisation is to a city beside its kind by registration: hub, support, a city's own kinds (HZ-18)."""

    scheme: Annotated[SchemeRef, Field(title="管理辦法 / scheme")]
    """The city and version whose list the kinds stand in."""
    kinds: Annotated[tuple[Text, ...], Field(max_length=20, title="組織類型 / kinds of organisations")]
    """All of them; none takes it off the list."""


class OrganisationClassified(Classification, Event):
    """The organisation is of these kinds from now on, in place of what was said before."""

    zh = "組織分類登記"


class ClassifyOrganisation(Classification, Command):
    """Say of what kinds the organisation is."""

    records = OrganisationClassified
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = (OrganisationStage.VERIFIED,)
    rule = "OG01"


Commands = (
    VerifyOrganisation
    | RecordRating
    | ApplyRatingBonus
    | RecordCreditListing
    | LiftCreditListing
    | AgeCreditListing
    | BanApplicant
    | ClassifyOrganisation
)
Events = (
    OrganisationVerified
    | RatingRecorded
    | RatingBonusApplied
    | CreditListingRecorded
    | CreditListingLifted
    | CreditListingAged
    | ApplicantBanned
    | OrganisationClassified
)


# ---------------------------------------------------------------- what is remembered of it


@dataclass(frozen=True)
class Rating:
    """A level and the days on which it counts, both included."""

    level: Level
    since: date
    until: date

    def is_valid_on(self, day: date) -> bool:
        """Whether it counts on that day (D5)."""
        return self.since <= day <= self.until


@dataclass(frozen=True)
class Organisation(Part):
    """The organisation as verified, rated and listed."""

    name: str = ""
    credit_code: str | None = None
    kind: OrganisationKind | None = None
    representatives: tuple[Actor, ...] = ()
    annual_report_filed: bool = False
    own_accounts: bool = False
    district: str | None = None
    """The district whose office verified it first."""
    round: str | None = None
    """The round for whose intake it was verified first."""
    ratings: tuple[Rating, ...] = ()
    bonuses: Mapping[str, int] = field(default_factory=dict)
    """Round and the points that its rating adds there."""
    listings: frozenset[Listing] = frozenset()
    banned_until: date | None = None
    """The last day of the longest ban, as decided."""
    banned_on: date | None = None
    """The day of the latest ban."""
    ages_at: datetime | None = None
    """When two years on the list of abnormal operations have passed, or, if later, when that was recorded."""
    blacklisted_on: date | None = None
    """The day on which it was last put on the list of serious offenders, though it may be off it again."""
    kinds: frozenset[str] = frozenset()
    """Hub, support and other kinds that the city's list has (HZ-18)."""

    @property
    def is_verified(self) -> bool:
        """Whether anybody has checked who it is."""
        return self.kind is not None

    def rating(self, day: date) -> Rating | None:
        """The rating that counts on that day: the one recorded last (D5)."""
        return next((r for r in reversed(self.ratings) if r.is_valid_on(day)), None)


def code_key(realm: str, credit_code: str) -> str:
    """The key that one organisation holds for its credit code."""
    return f"credit-code/{realm}/{credit_code}"


# ---------------------------------------------------------------- what others ask


def require_fundable(check: Checks, organisation: State, today: date, scheme: Scheme | None, rule: str) -> None:
    """Note every reason why the organisation may not be funded on that Shanghai day (D5)."""
    record, name = organisation.part(Organisation), organisation.stream.name
    if not check(
        record.is_verified,
        rule,
        "{name} 未經申報資格核驗，請先辦理「申報資格核驗」",
        "{name} has not been verified; verify it first",
        name=name,
    ):
        return
    for listing in sorted(record.listings):
        check(
            False,
            rule,
            "{name} 在{listing}內，移出後才能申報",
            "{name} is listed ({listing}); it can apply once it has been removed",
            name=name,
            listing=listing,
        )
    _require_no_bar(check, organisation, today, scheme, rule)
    check(
        record.annual_report_filed,
        rule,
        "{name} 未按時報送年度報告，補報並重新核驗後才能申報",
        "{name} has not filed its annual report; file it and have the organisation verified again",
        name=name,
    )
    check(
        record.own_accounts,
        rule,
        "{name} 無獨立賬戶，設立並重新核驗後才能申報",
        "{name} does not have its own bank account; open one and have the organisation verified again",
        name=name,
    )
    _require_rating(check, organisation, today, scheme, rule)


def _require_no_bar(check: Checks, organisation: State, today: date, scheme: Scheme | None, rule: str) -> None:
    """A ban holds to its stated day and for the scheme's years at least; a serious listing counts for years."""
    record, name = organisation.part(Organisation), organisation.stream.name
    barred = record.banned_until
    if scheme is not None and record.banned_on is not None and barred is not None:
        barred = max(barred, _years_after(record.banned_on, scheme.remedy.ban_years))
    check(
        barred is None or today > barred,
        rule,
        "{name} 取消申報資格至 {barred}",
        "{name} is barred from applying until {barred}",
        name=name,
        barred=barred,
    )
    if scheme is None or record.blacklisted_on is None or Listing.SERIOUS in record.listings:
        return
    clean = _years_after(record.blacklisted_on, scheme.bidding.blacklist_years)
    check(
        today > clean,
        rule,
        "{name} 於 {blacklisted_on} 列入{serious}，{clean} 之後才能申報",
        "{name} was listed ({serious}) on {blacklisted_on}; it can apply again after {clean}",
        name=name,
        blacklisted_on=record.blacklisted_on,
        clean=clean,
        serious=Listing.SERIOUS,
    )


def _years_after(day: date, years: int) -> date:
    """The same day so many years later; 28 February where that year has no 29th."""
    return day.replace(year=day.year + years, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _require_rating(check: Checks, organisation: State, today: date, scheme: Scheme | None, rule: str) -> None:
    minimum = scheme.bidding.minimum_rating if scheme else None
    if minimum is None:
        return
    rating = organisation.part(Organisation).rating(today)
    check(
        rating is not None and rating.level >= minimum,
        rule,
        "{name} 當日有效等級為 {level}，須達到 {minimum}",
        "the rating of {name} on that day is {level}; {minimum} is needed",
        name=organisation.stream.name,
        minimum=minimum,
        level=or_else(rating and rating.level, "無", "none"),
    )


def require_authorised(check: Checks, organisation: State, actor: Actor) -> None:
    """Note that the person may not act for the organisation, if so (SD10)."""
    record, name = organisation.part(Organisation), organisation.stream.name
    check(
        actor in record.representatives,
        "SD10",
        "{actor} 不在 {name} 的辦理人員名單內，須由 {representatives} 辦理",
        "{actor} is not an authorised representative of {name}; only {representatives} may do this",
        actor=actor,
        name=name,
        representatives=or_else(record.representatives, "經核驗的代表", "a verified representative"),
    )


# ---------------------------------------------------------------- decide


def governed_by(state: State, command: Command) -> StreamId | None:
    """The round for which a rating is to count."""
    return state.stream.sibling("round", command.round) if isinstance(command, ApplyRatingBonus) else None


def reads(state: State, command: Commands) -> Reads:
    """Who holds the credit code."""
    if isinstance(command, VerifyOrganisation) and command.credit_code:
        return Reads(claims=frozenset({code_key(state.stream.realm, command.credit_code)}))
    if isinstance(command, ClassifyOrganisation):
        return Reads(streams=frozenset({state.stream.sibling("scheme", command.scheme.name)}))
    return Reads()


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the organisation makes happen. Raises CommandRejected."""
    check, organisation, today = Checks(), state.part(Organisation), local_day(order.at)
    match command:
        case VerifyOrganisation():
            return _verify(check, state, facts, command)
        case RecordRating(until=until):
            check(
                until >= today,
                "D5",
                "等級有效期至 {until}，登記時已過期",
                "the rating ended on {until}, before it is recorded",
                until=until,
            )
            return check.grant(RatingRecorded.of(command))
        case ApplyRatingBonus():
            return _apply_bonus(check, state, facts, today, command)
        case RecordCreditListing(listing=listing):
            check(
                listing not in organisation.listings,
                "D5",
                "已列於{listing}",
                "it is already listed ({listing})",
                listing=listing,
            )
            since = command.since if listing is Listing.ABNORMAL else None
            check(
                command.since is None or command.since <= today,
                "D5",
                "列入日期 {since} 尚未到來",
                "the day of listing, {since}, has not come yet",
                since=command.since,
            )
            ages_on = _years_after(since, _YEARS_TO_SERIOUS) if since else None
            return check.grant(CreditListingRecorded.of(command, ages_on=ages_on))
        case LiftCreditListing(listing=listing):
            check(
                listing in organisation.listings,
                "D5",
                "並未列於{listing}",
                "it is not listed ({listing})",
                listing=listing,
            )
            return check.grant(CreditListingLifted.of(command))
        case AgeCreditListing():
            check(
                organisation.ages_at is not None and order.at >= organisation.ages_at,
                "D6",
                "列入活動異常名錄滿兩年（{ages_at}）方轉",
                "it counts as serious once it has been on the list of abnormal operations for two years ({ages_at})",
                ages_at=organisation.ages_at,
            )
            return check.grant(CreditListingAged())
        case BanApplicant(until=until):
            check(
                until > today,
                "D5",
                "停止資格須至今日之後，所填為 {until}",
                "the bar must end after today (it says {until})",
                until=until,
            )
            return check.grant(ApplicantBanned.of(command))
        case ClassifyOrganisation(scheme=ref, kinds=kinds):
            scheme = require_published_rules(check, state, facts, ref)
            require_listed(check, scheme, Codelist.ORGANISATION_KINDS, kinds)
            return check.grant(OrganisationClassified.of(command, kinds=tuple(sorted(set(kinds)))))
        case _:
            assert_never(command)


def _verify(check: Checks, state: State, facts: Facts, command: VerifyOrganisation) -> list[Event]:
    before = state.part(Organisation).credit_code
    if command.credit_code:
        others = facts.holders(code_key(state.stream.realm, command.credit_code)) - {state.stream}
        check(
            not others,
            "OG01",
            "信用代碼 {credit_code} 已登記於 {others}",
            "the credit code {credit_code} is registered to {others}",
            credit_code=command.credit_code,
            others=sorted(others),
        )
    strangers = [a for a in command.representatives if a.role is not Role.SO_LEGAL]
    check(
        not strangers,
        "SD10",
        "{strangers} 不是法定代表人（授權代表）的席位",
        "{strangers} are not seats of a legal representative",
        strangers=strangers,
    )
    changed_code = before if before != command.credit_code else None
    return check.grant(OrganisationVerified.of(command, changed_code=changed_code))


def _apply_bonus(check: Checks, state: State, facts: Facts, today: date, command: ApplyRatingBonus) -> list[Event]:
    organisation, name = state.part(Organisation), state.stream.name
    rating, newest = organisation.rating(today), organisation.ratings[-1] if organisation.ratings else None
    ended = f"{newest.level} 至 {newest.until}" if newest else "無評估等級"
    ended_en = f"{newest.level} until {newest.until}" if newest else "none recorded"
    check(
        rating,
        "D5",
        "{name} 在 {today} 無有效等級（{ended}），不得加分",
        "{name} has no rating valid on {today} ({ended}); no bonus",
        name=name,
        today=today,
        ended=word(ended, ended_en),
    )
    scheme = facts.scheme
    check(scheme, "S1", "{round} 尚未選定管理辦法", "no rules have been chosen for {round}", round=command.round)
    points = scheme.bidding.rating_bonus.get(rating.level, 0) if scheme and rating else 0
    check(
        points or not (scheme and rating),
        "D5",
        "管理辦法對 {level} 不加分",
        "the rules give no bonus for {level}",
        level=rating.level if rating else "",
    )
    check(
        command.round not in organisation.bonuses,
        "D5",
        "{round} 已加過分",
        "the bonus for {round} was applied before",
        round=command.round,
    )
    if check.unmet or rating is None:
        raise check.refuse()
    return [RatingBonusApplied.of(command, level=rating.level, points=points)]


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the organisation as last verified, rated and listed."""
    record, today = state.part(Organisation), local_day(of.at)
    match event:
        case OrganisationVerified():
            organisation = replace(
                record,
                name=event.name,
                credit_code=event.credit_code,
                kind=event.kind,
                representatives=event.representatives,
                annual_report_filed=event.annual_report_filed,
                own_accounts=event.own_accounts,
                district=record.district or event.district,
                round=record.round or event.round,
            )
            return state.with_parts(organisation)
        case RatingRecorded():
            rating = Rating(event.level, today, event.until)
            return state.with_parts(replace(record, ratings=(*record.ratings, rating)))
        case RatingBonusApplied():
            return state.with_parts(replace(record, bonuses={**record.bonuses, event.round: event.points}))
        case CreditListingRecorded():
            since = today if event.listing is Listing.SERIOUS else record.blacklisted_on
            ages_at = max(day_begins(event.ages_on), of.at) if event.ages_on else record.ages_at
            listings = record.listings | {event.listing}
            return state.with_parts(replace(record, listings=listings, blacklisted_on=since, ages_at=ages_at))
        case CreditListingLifted():
            ages_at = None if event.listing is Listing.ABNORMAL else record.ages_at
            return state.with_parts(replace(record, listings=record.listings - {event.listing}, ages_at=ages_at))
        case CreditListingAged(listing=listing):
            aged = replace(record, listings=record.listings | {listing}, blacklisted_on=today, ages_at=None)
            return state.with_parts(aged)
        case ApplicantBanned():
            until = max(event.until, record.banned_until or event.until)
            return state.with_parts(replace(record, banned_until=until, banned_on=today))
        case OrganisationClassified():
            return state.with_parts(replace(record, kinds=frozenset(event.kinds)))
        case _:
            assert_never(event)


def due(state: State, _calendar: Calendar) -> Iterable[Due]:
    """The night on which two years on the list of abnormal operations have passed."""
    ages_at = state.part(Organisation).ages_at
    if ages_at is not None and state.stage == OrganisationStage.VERIFIED:
        yield Due(ages_at, AgeCreditListing())


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """Whether it is still on the list, before two years have passed."""
    ages_at = state.part(Organisation).ages_at
    if ages_at is not None:
        zh, en = "核對是否已移出活動異常名錄", "see whether it is off the list of abnormal operations"
        yield Awaited((Role.CAB_REG,), "LiftCreditListing", "", zh, en, ages_at)


DECIDER = Decider(
    name="organisation",
    zh="社會組織",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    due=due,
    awaiting=awaiting,
)

ORGANISATION = Aggregate(
    kind="organisation",
    zh="社會組織",
    en="organisation",
    en_many="organisations",
    deciders=(DECIDER,),
    final=frozenset(OrganisationStage),
    governed_by=governed_by,
    impartiality=require_impartial("SD15", lambda _order, state, _facts: frozenset({state.stream.name})),
    summary=lambda state: {"name": state.part(Organisation).name},
)
