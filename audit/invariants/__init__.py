"""Every invariant, recomputed from the log by a checker that shares no code with the rules.

It reads raw entries only: type, particulars, actor, instant, position. It knows nothing of the domain but the words
in which it tells what it found (``wording``); its working days, its state machine and its sums are its own, so that
a fault in the rules cannot hide in the checker too.
V2 (append-only, hash-chained) is proved by ``audit.verification``; counted here is how many entries could be read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from audit.invariants import (
    awards,
    business,
    challenges,
    cities,
    clarifications,
    community,
    contracts,
    delivery,
    draws,
    eligibility,
    endings,
    escalations,
    every_event,
    interests,
    names,
    offices,
    openings,
    panels,
    payments,
    registers,
    reimbursements,
    requests,
    roles,
    seals,
    stages,
    state_machine,
)
from audit.invariants.realm import Realm
from audit.invariants.recorded_events import Breach, Conditions, RecordedEvent
from audit.invariants.rules import check_citations
from audit.invariants.wording import call
from audit.time_slice import TimeSlice
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from store.port import Entry, EventStore

__all__ = ["CHECKS", "INVARIANTS", "TIERS", "Breach", "Invariants", "Report", "check"]

TIERS: Final = ("MUNICIPAL", "DISTRICT", "STREET_VILLAGE")
"""The tiers of bases, from the top (CZ-8)."""
PAGE: Final = 1000
"""Entries fetched at once."""

INVARIANTS: Final[Mapping[str, tuple[str, str]]] = {
    "M1": ("各期撥款合計等於資助金額，每一協議版本皆然", "tranches add up to the award, in every contract version"),
    "M2": ("條件未達成不撥款", "no payment before its condition is met"),
    "M3": ("0 ≤ 撥付 − 繳回 − 收回，撥付總額 ≤ 立項", "0 ≤ paid − returned − clawed back; gross paid ≤ award"),
    "M4": ("了結時 計劃 = 撥付 + 核減", "a settled tranche: planned = paid + cancelled"),
    "M5": (
        "有效立項合計 ≤ 資金額度，用途相符，且 ≤ 屆次年度預算",
        "live awards ≤ the fund's envelope, within its purposes, and ≤ the round's approved budget",
    ),
    "M6": ("預算科目合計等於資助金額，限額不破", "budget lines add up to the award; caps hold"),
    "M7": ("一張憑證只列支一次", "a voucher is claimed once across all projects"),
    "M8": ("已撥付的分期不可更動", "paid tranches are immutable"),
    "M9": ("金額為整數分，末位資金吸收尾差", "integer fen; the last share absorbs the rounding"),
    "M10": ("收回資金到賬 ≤ 決定 ≤ 撥付 − 繳回", "clawback received ≤ ordered ≤ paid − returned"),
    "M12": ("事後補助：撥付合計 ≤ 核定支出", "reimbursed: no more is paid than the checked vouchers come to"),
    "P1": ("評審者與申報單位無利害關係，回避先於評分", "no reviewer related to a bidder; recusal precedes scores"),
    "P2": ("申請、複核、審批為三人", "maker, checker and approver are three persons"),
    "P3": (
        "評估、審計、督導、承辦不是申報單位，審計不是評估",
        "outsiders are not the bidder; auditor is not evaluator",
    ),
    "P4": ("評審專家組為奇數，遞補後亦然", "an odd panel, also after replacement"),
    "P5": ("辦理異議者未參與評審", "who deals with an objection took no part in the review"),
    "P6": ("紀檢只讀，不作決定", "discipline reads everything, writes no decision"),
    "P7": ("抽取依承諾、公開數值與名冊可復算", "a draw is what commitment, public value and roster come to"),
    "D1": ("截止及其後不收申報", "no bid at or after the deadline"),
    "D2": ("公示滿工作日（含調休），異議期間停計", "publicity runs its working days; objections stop the clock"),
    "D3": ("啟動前無活動，協議期外無支出", "no activity before the start; no spend outside the contract"),
    "D4": ("變更先決定，後生效，且在截止前", "a variation is decided before it takes effect and before the end"),
    "D5": ("等級與停止資格以事發當時為準", "ratings and bans are judged at the instant of the event"),
    "D6": ("逾期者報送其當知之人", "what is late is told of to whom it must be"),
    "D7": ("質疑、投訴依法定期限，期間暫停", "challenges keep the law's periods; the award stands still meanwhile"),
    "D8": (
        "提問在期限內，未全部答復前無初審通過",
        "a call is questioned in time, and no bid passes before all is answered",
    ),
    "D9": (
        "密封申報：截止前密封，截止後由足數監督人開啟，所示即所封",
        "sealed bids: before the close; opened by the quorum after it; shown as they were sealed",
    ),
    "V1": ("不利決定有理由與附件", "adverse events carry a reason and an attachment"),
    "V2": ("日誌只增，逐條成鏈（由 audit verify 核驗）", "append-only, hash-chained: audit verify proves it"),
    "V3": ("產出由活動記錄得出", "outputs derive from activity records"),
    "V4": ("受益人不具名，無證件或電話號碼", "beneficiaries are counted, never named"),
    "Z1": ("結項前有志願隊在規定月數活動", "a standing team, active in as many months as the rules ask"),
    "C1": ("基地三級相銜，數目相符", "bases hang together in three tiers and reconcile"),
    "C2": ("基地扶持合計 ≤ 年度預算與資金額度", "base support ≤ the round's approved budget and the fund's envelope"),
    "C3": ("一個基地一年只扶持一次", "one base, one support a year"),
    "C4": ("基地扶持依層級與等級", "a base is supported by what its tier and grade earn"),
    "H1": ("一年一個市級屆次", "one municipal round a year"),
    "K1": ("市的用語在辦法的代碼表內", "what is said in words of the city stands in its lists"),
    "K2": (
        "受益對象合於辦法，敏感對象不具名",
        "who is served is whom the rules are for; the sensitive by pseudonyms",
    ),
    "M11": ("預留份額只用於其所預留者", "what a round sets aside goes to whom it is set aside for"),
    "S1": ("事件所引辦法的數字與辦法一致", "numbers that events take from the rules are those of the rules"),
    "SD1": ("撥付者不是申請者", "who pays did not ask"),
    "SD9": ("收款賬戶經財務核實，並滿 24 小時", "a payee account is confirmed by finance and has rested for 24 hours"),
    "SD10": ("代表人在當時的名單上，崗位代表本組織", "a representative is on the list, on a seat of its organisation"),
    "SD8": ("到崗由另兩人決定，系統管理員不任業務崗位", "seats are given by two others; administrators do no business"),
    "SE10": ("開辦之後，實時鐘上無人不知", "once the office is founded, nobody who acts on the wall clock is unknown"),
    "SE12": ("經辦者當時在其崗位", "whoever acted was on the seat then"),
    "TP03": ("須兩人者，一人提出，另一人確認", "what takes two is proposed by one and confirmed by another"),
    "OE01": (
        "期初登記只在補錄環境、轉為實時之前",
        "opening entries are made where files on paper are entered, before that goes live",
    ),
    "OE02": ("期初登記由兩人作出，所確認即所提出", "an opening entry takes two persons, about one content"),
    "OE03": ("期初登記的階段、日期與賬目相合", "stage, days and ledger of an opening entry hold together"),
    "OE04": ("期初登記時無期限已過", "no deadline lies in the past when a project is taken over"),
    "SD12": ("更正由兩人作出，指明所更正者", "corrections are by two persons and point to what they correct"),
    "SD5": ("評審者不任申報單位的崗位，離任未滿回避期者亦然", "no reviewer is, or was of late, on a seat of a bidder"),
    "SD6": ("經手屆次者不評審，評審者不定立項", "officers of a round review none of it, and reviewers award nothing"),
    "SD15": (
        "辦理者不任該組織的崗位，離任未滿回避期者亦然",
        "who decides about an organisation is, or was of late, on no seat of it",
    ),
    "SD14": ("一人在一案中只在一方", "one human stands on one side of a matter"),
    "AF02": ("區縣只辦本區縣之事", "a district acts in its own matters only"),
    "AF03": ("社區只提本社區之需求", "a community submits its own needs only"),
    "AF04": ("基地運營單位只辦本基地之事", "an operator acts for its own base only"),
    "AF05": ("承辦單位只辦所承辦之屆次、項目", "a managing agency acts where it is the host"),
    "AF06": ("督導者為現任督導", "who supervises is the present supervisor"),
    "AF07": ("評估者為協議載明者", "who evaluates is whom the contract names"),
    "AF08": ("審計者為協議載明者", "who audits is whom the contract names"),
}
"""Every invariant, in Chinese and English; besides them the rows of ``state_machine``, ``stages`` and ``roles``."""

CHECKS: Final[Mapping[str, Callable[[Conditions, Realm, RecordedEvent], None]]] = {
    **registers.CHECKS,
    **panels.CHECKS,
    **draws.CHECKS,
    **challenges.CHECKS,
    **clarifications.CHECKS,
    **seals.CHECKS,
    **escalations.CHECKS,
    **awards.CHECKS,
    **contracts.CHECKS,
    **payments.CHECKS,
    **delivery.CHECKS,
    **reimbursements.CHECKS,
    **endings.CHECKS,
    **cities.CHECKS,
    **community.CHECKS,
    **names.CHECKS,
    **openings.CHECKS,
    **requests.CHECKS,
}


@dataclass(frozen=True)
class Report:
    """What a walk through the log came to."""

    events: int
    realms: int
    judged: Mapping[str, int]
    """Rule and how often a condition of it was judged."""
    breaches: tuple[Breach, ...]
    bases_reconciled: bool = False
    """Whether somebody stated how many bases there must be (C1): nobody's number agrees with nothing."""

    @property
    def unjudged(self) -> tuple[str, ...]:
        """The invariants of which no condition was judged."""
        return tuple(rule for rule in INVARIANTS if not self.judged.get(rule))

    @property
    def ok(self) -> bool:
        """Whether every invariant holds."""
        return not self.breaches

    def as_json(self) -> dict[str, Any]:
        """As JSON: how often each rule was judged, which never, and every breach."""
        return {
            "ok": self.ok,
            "events": self.events,
            "realms": self.realms,
            "bases_reconciled": self.bases_reconciled,
            "unjudged": list(self.unjudged),
            "judged": dict(sorted(self.judged.items())),
            "breaches": [b.as_json() for b in self.breaches],
        }


class Invariants:
    """Takes entries in the order of the log; holds the state of streams, never the log."""

    def __init__(self) -> None:
        self._require = Conditions()
        self._realms: defaultdict[str, Realm] = defaultdict(Realm)
        self._offices = offices.Offices()
        self._events = 0
        self._bases_reconciled = False

    @staticmethod
    def is_of_registers(entry: Entry) -> bool:
        """Whether it says who is on which seat: that is judged for every realm by the live one."""
        return entry.stream.realm == offices.LIVE and entry.stream.kind in offices.KINDS

    def take(self, entry: Entry) -> None:
        """Check one entry."""
        if entry.kind is not EntryKind.EVENT:
            return
        self._events += 1
        event = RecordedEvent.of(entry)
        self._require.of(event)
        try:
            self._check(event)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._require(False, "V2", "記錄無法讀取：{error}", "the entry cannot be read: {error}", error=repr(error))
        else:
            self._require(True, "V2", "", "")

    def _check(self, event: RecordedEvent) -> None:
        realm = self._realms[event.realm]
        realm.look_back_to(event.at)
        every_event.check_every_event(self._require, event)
        roles.check_role(self._require, event)
        stages.check_stage(self._require, realm, event)
        business.check_business(self._require, realm, self._realms.get(offices.LIVE, realm), event)
        self._offices.judge(self._require, event)
        live = self._realms.get(offices.LIVE, realm)
        interests.check_interest(self._require, realm, live, self._offices, event)
        check = CHECKS.get(event.type)
        if check is not None:
            check(self._require, realm, event)
        for module in (cities, community, names, draws, escalations, challenges, clarifications, seals):
            after = module.AFTER.get(event.type)
            if after is not None:
                after(self._require, realm, event)
        eligibility.check_reviewers(self._require, realm, live, self._offices, event)
        cities.check_codes(self._require, realm, event)
        realm.known.add((event.kind, event.name))
        if event.kind == "project":
            project = realm.project(event.name)
            check_citations(self._require, realm.rules(project), event)
            project.gates.setdefault(event.type, True)
            state_machine.check_move(self._require, project, event)

    def reconcile(self, realm: str, stated: Mapping[str, int]) -> None:
        """C1: the bases of that realm are as many of each tier as the city states, e.g. 1 + 7 + 55."""
        self._bases_reconciled = True
        registered = Counter(self._realms[realm].bases.values())
        for tier in sorted({*registered, *stated}):
            self._require(
                registered[tier] == stated.get(tier, 0),
                "C1",
                "{tier} 基地登記 {registered} 個，應為 {stated} 個",
                "bases of tier {tier} on the register: {registered}; there should be {stated}",
                tier=call("tier", tier),
                registered=registered[tier],
                stated=stated.get(tier, 0),
            )

    def reconcile_stated(self) -> None:
        """C1: in every realm whose network somebody has stated, the bases are as many as the latest statement says."""
        for name, realm in self._realms.items():
            if realm.stated is not None:
                self.reconcile(name, realm.stated)

    def report(self) -> Report:
        """What was judged so far, and every breach."""
        judged = dict.fromkeys(INVARIANTS, 0) | self._require.judged
        return Report(self._events, len(self._realms), judged, tuple(self._require.breaches), self._bases_reconciled)


async def check(
    store: EventStore,
    realm: str | None = None,
    *,
    bases: Mapping[str, int] | None = None,
    onlooker: Callable[[int], None] = lambda _position: None,
) -> Report:
    """Walk the log once, or one realm of it, whose bases by tier may be stated (C1). Raises StoreUnavailable."""
    invariants, reached, time_slice = Invariants(), 0, TimeSlice()
    while page := await store.feed(reached, PAGE):
        for entry in page:
            if realm is None or entry.stream.realm == realm or invariants.is_of_registers(entry):
                invariants.take(entry)
            await time_slice.give_way()
        reached = page[-1].position
        onlooker(reached)
    if realm is not None and bases is not None:
        invariants.reconcile(realm, bases)
    else:
        invariants.reconcile_stated()
    return invariants.report()
