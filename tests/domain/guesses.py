"""Any command with any particulars that have the right form: most of them are refused, which is their use."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from domain.catalogue import AGGREGATES
from domain.kernel.calendar import local_day
from domain.kernel.identifier import Actor, Role
from domain.kernel.state import SchemeRef
from domain.registers.draw import commitment_to
from domain.registers.organisation import check_character
from tests.domain.memory_realm import StreamCommand
from tests.domain.pure_realm import EVIDENCE, MINUTES
from tests.domain.written_realm import BUDGET, SIGNED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from domain.kernel.message import Command
    from tests.domain.memory_realm import MemoryRealm

ROUNDS, ORGANISATIONS, NEEDS, FUNDS = (
    ("R-1", "R-2"),
    ("ORG-1", "ORG-2", "ORG-3", "ORG-4"),
    ("ND-1", "ND-2"),
    ("FS-1", "FS-2"),
)
BIDS, PANELS, BASES = ("AP-1", "AP-2", "AP-3", "AP-4", "PJ-9"), ("RP-1", "RP-2", "RP-3"), ("BASE-1", "BASE-2")
ROSTERS = ("ER-1",)
SEED = "5eed" * 16
NAMES: dict[str, Sequence[str]] = {
    "project": BIDS,
    "round": ROUNDS,
    "organisation": ORGANISATIONS,
    "need": NEEDS,
    "panel": PANELS,
    "roster": ROSTERS,
    "base": BASES,
    "fund": FUNDS,
    "scheme": ("hangzhou",),
    "calendar": ("cn",),
    "realm": ("clock",),
}
FEN = (1, 250_000, 400_000, 600_001, 1_000_001, 5_000_000)
GATES = ("ContractSigned", "ProjectStarted", "MidtermEvaluationConcluded", "MilestoneMet/MS-1", "Nothing")


def one(*values: Any) -> Callable[[Random, MemoryRealm], Any]:
    """Any of these."""
    return lambda dice, _office: dice.choice(values)


def day(least: int, most: int) -> Callable[[Random, MemoryRealm], Any]:
    """A day so many days from now."""
    return lambda dice, office: local_day(office.now) + timedelta(days=dice.randint(least, most))


def instant(dice: Random, office: MemoryRealm) -> Any:
    return office.now + timedelta(hours=dice.randint(-48, 480))


def funds(dice: Random, _office: MemoryRealm) -> Any:
    return {name: dice.choice(FEN) for name in dice.sample(FUNDS, dice.randint(1, 2))}


def tranches(dice: Random, _office: MemoryRealm) -> Any:
    return {f"T{n}": {"planned": dice.choice(FEN), "gate": dice.choice(GATES)} for n in range(1, dice.randint(2, 4))}


def budget(dice: Random, _office: MemoryRealm) -> Any:
    return dice.choice((BUDGET, {**BUDGET, "personnel": 900_000}, {"hospitality": 1_000_001}))


def parties(dice: Random, _office: MemoryRealm) -> Any:
    bodies = (*ORGANISATIONS, "ORG-E", "ORG-A")
    return {key: dice.choice(bodies) for key in ("host", "supervisor", "evaluator", "auditor")}


def seats(dice: Random, _office: MemoryRealm) -> Any:
    return [f"E{n}" for n in dice.sample(range(1, 8), dice.randint(2, 6))]


def selected(dice: Random, _office: MemoryRealm) -> Any:
    return [
        {
            "application": name,
            "project": f"PJ-{name[3:]}",
            "award": (share := dice.choice(FEN)),
            "funds": {dice.choice(FUNDS): share},
            "panel": dice.choice(PANELS),
        }
        for name in dice.sample(BIDS, dice.randint(0, 2))
    ]


PARTICULARS: dict[str, Callable[[Random, MemoryRealm], Any]] = {
    "account": one("a" * 64, "b" * 64),
    "adjustment": one("1", "2"),
    "advice": one("補齊簽到", "聯絡 13912345678"),
    "amount": one(*FEN),
    "annual_report_filed": one(True, True, False),
    "answer": one("見公告"),
    "application": one(*BIDS),
    "applications": lambda dice, _: dice.sample(BIDS, dice.randint(1, 3)),
    "attachments": one(EVIDENCE),
    "auditor": one("ORG-A", "ORG-E", *ORGANISATIONS[:2]),
    "award": one(*FEN),
    "brand": one("幸福社區"),
    "budget": budget,
    "challenge": one("1", "2"),
    "clarification": one("1", "2"),
    "custodians": one(("CAB-REG#1", "CAB-FIN#1", "CAB-DEC#1"), ("CAB-REG#1",)),
    "nonce": one("0" * 32),
    "question": one("是否可聯合申報？"),
    "vouchers": one([{"voucher": "V-1", "allowed": 1}]),
    "change": one(-600_000, -1, 300_000),
    "city": one("杭州"),
    "asset": one("A-1", "A-2"),
    "client": one("C-1", "C-2"),
    "clock": one("MANUAL", "WALL"),
    "commitment": one(commitment_to(SEED)),
    "community": one("COMM-1"),
    "contact": one("市民政局"),
    "correction": one("1", "2"),
    "corrects": lambda dice, _: dice.randint(1, 30),
    "credit_code": one(*(first + check_character(first) for first in ("51330000MJ8740000", "52330000MJ8741111"))),
    "criteria": one({"need": Decimal(10)}, {"delivery": Decimal(31)}),
    "cured": one("已改"),
    "day": one(1, 31),
    "deadline": lambda dice, office: dice.choice((instant(dice, office), "LapseContractSigning")),
    "due": day(-1, 40),
    "effective": day(-1, 20),
    "eligible": one(0, *FEN),
    "end": day(-5, 200),
    "ended_on": day(-900, 0),
    "envelope": one(*FEN),
    "evaluator": one("ORG-E", "ORG-A", *ORGANISATIONS[:2]),
    "expert": lambda dice, _: f"E{dice.randint(1, 9)}",
    "experts": lambda dice, _: [f"E{n}" for n in range(dice.randint(1, 3), 9)],
    "extended": one(True, False),
    "falls_at": instant,
    "field": one("助老", "團建"),
    "fields": one(("助老",), ("助老", "助殘"), ("團建",), ()),
    "finding": one("屬實"),
    "findings": one(("簽到不全",)),
    "funds": funds,
    "grade": one("優秀", "良好", "合格", "不合格", "A"),
    "ground": one("FALSE_STATEMENT", "POST_AUDIT", "RISK", "AUDIT", "重複資助"),
    "group": one("獨居老人", "王某 33010119500101001X"),
    "head_count": one(1, 20),
    "hearing_until": day(0, 40),
    "held_on": day(-40, 3),
    "hour": one(9),
    "in_": one("E6", "E7", "E1"),
    "incubated": one("銀齡社", "茶友會"),
    "index": one(MINUTES),
    "into": one(("ND-1", "ND-2"), "ND-1", "ND-2"),
    "issuer": one("甲公司", "乙公司"),
    "kinds": one(("樞紐型",), ()),
    "kind": one("SERVICE_AGENCY", "GOODS", "KIN", "BOARD_24M", "PROGRESS", "SELF_ASSESSMENT", "LOTTERY"),
    "left_out": lambda dice, _: [{"application": name, "reason": "名次"} for name in dice.sample(BIDS, 1)],
    "level": one("MUNICIPAL", "DISTRICT", "3A", "5A"),
    "line": one("activity", "admin", "banquets"),
    "listing": one("ABNORMAL", "SERIOUS"),
    "mark": one(Decimal(55), Decimal(88), Decimal("91.50")),
    "match_pledged": one(0, 500_000),
    "members": one(12),
    "milestone": one("MS-1", "standing-team", "MS-7"),
    "milestones": one({"MS-1": "2024-07-31"}, {"MS-7": "2024-07-31"}, {}),
    "minutes": one(MINUTES),
    "month": one(3, 4),
    "months": one(1, 3),
    "move": one(
        {"activity": -50_000, "admin": 50_000}, {"activity": -1_000_000}, {"activity": -100_000, "venue": 100_000}
    ),
    "name": one("市級基地", "福彩公益金"),
    "need": one(*NEEDS),
    "needs": one(("ND-1",), NEEDS),
    "objection": one("1", "2"),
    "off": one((), ("2024-05-06",), ("2025-01-01",)),
    "on": one((), ("2024-05-11",), ("2024-05-06",)),
    "operator": one(*ORGANISATIONS),
    "opinion": one("UNQUALIFIED", "QUALIFIED"),
    "ordinal": one(12, 13),
    "organisation": one(*ORGANISATIONS),
    "other": one(*NEEDS),
    "out": one("E1", "E2", "E9"),
    "own_accounts": one(True, True, False),
    "panel": one(*PANELS),
    "places": one(4, 5),
    "panels": lambda dice, _: dice.sample(PANELS, 1),
    "parent": one(*BASES),
    "parties": parties,
    "partners": one((), ("ORG-4",), ("ORG-1",)),
    "person_times": one(0, 30, 31),
    "place": one("東糖社區"),
    "preview": one("0" * 64),
    "problem": one("無人探訪"),
    "programme": one("HZ", "HZ-D"),
    "project": one("PJ-1", "PJ-2", "PJ-3", "PJ-9"),
    "purposes": one((), ("助老",)),
    "public_at": instant,
    "public_source": one("開獎號碼"),
    "public_value": one("07", "08"),
    "reason": one("見附件"),
    "received": instant,
    "recheck": one(True, False),
    "record": one(MINUTES),
    "remedy": one("DISQUALIFY", "RESCORE"),
    "representatives": one(("SO-LEGAL#1",), ("SO-LEGAL#1", "SO-LEGAL#2", "SO-LEGAL#3"), ("SO-PM#1",)),
    "requested": one(*FEN),
    "result": one("PASS", "FAIL"),
    "results": lambda dice, _: {name: dice.choice((55, 88)) for name in dice.sample(BIDS, dice.randint(1, 2))},
    "roster": one(*ROSTERS),
    "round": one(*ROUNDS),
    "scheme": one(SchemeRef(name="hangzhou", version=1), SchemeRef(name="hangzhou", version=9)),
    "score": one(Decimal(41), Decimal(60), Decimal(85), Decimal(95)),
    "seats": seats,
    "seed": one(SEED, "0" * 64),
    "services": one(("培訓",), ()),
    "second": one("CAB-REG#2", "HOST#1"),
    "selected": selected,
    "self_assessment_due": day(10, 60),
    "sessions": one(0, 1, 3),
    "share": one("5.00%"),
    "signatures": one(SIGNED, {}),
    "since": day(-60, 1),
    "source": one(MINUTES),
    "stage": one("AWARDED", "ACTIVE", "CLOSED"),
    "awarded_on": day(-90, -30),
    "signed_on": day(-60, 0),
    "started_on": day(-40, 0),
    "site": one("社區活動室"),
    "spent_on": day(-60, 3),
    "split_from": one(*NEEDS),
    "statement": one("獨居老人無人探訪"),
    "strike": one(True, False),
    "supervisor": one("ORG-S", *ORGANISATIONS[:2]),
    "support": lambda dice, _: {
        "round": dice.choice(ROUNDS),
        "organisation": dice.choice(ORGANISATIONS),
        "base": dice.choice(BASES),
        "title": "運營扶持",
        "fields": ("助老",),
    },
    "team": one("銀齡隊", "無名隊"),
    "theme": one("一老一小"),
    "tier": one("MUNICIPAL", "DISTRICT", "STREET_VILLAGE"),
    "title": one("助老", "甲 13812345678"),
    "proposal": one(1, 2),
    "deliberation": one("D-1", "D-2"),
    "sealed": one("d" * 64),
    "keeper": one("COMM-1"),
    "outcome": one("DONE", "REFERRED", "DISMISSED", "UPHELD"),
    "persons": one(2, 8),
    "provider": one("測試商戶"),
    "quantity": one(1, 3),
    "standing": one("VOLUNTEER", "NOTABLE"),
    "topic": one("停車"),
    "newcomers": one(0, 12),
    "form": one("SESSION", "VISIT"),
    "digest": one("0" * 64),
    "to": one("DISC"),
    "tranche": one("T1", "T2", "T3", "T9"),
    "tranches": tranches,
    "until": day(-3, 400),
    "variation": one("1", "2"),
    "version": one(1, 2, 3),
    "voucher": lambda dice, _: f"V-{dice.randint(1, 6)}",
    "where": one("官網"),
    "year": one(2024, 2025),
}
"""For every field of every command what it may be."""

TYPES: tuple[type[Command], ...] = tuple(
    c
    for a in AGGREGATES.values()
    for c in (a.commands if a.kind in NAMES else ())
    if c.command_type not in {"PublishPolicyPack", "SetClock"}
)
"""Every command of business but the two that are a whole document, or would set the office on the wall clock."""
MOST_GUESSES = 40
"""Particulars are guessed field by field; so many tries have the form of any command."""
KINDS = {command: a.kind for a in AGGREGATES.values() if a.kind in NAMES for command in a.commands}


def guess(
    dice: Random, office: MemoryRealm, command: type[Command], fixed: dict[str, Any] | None = None
) -> Command | None:
    """A command of that type with any particulars; None if they have not its form."""
    fields = {name: value for name, value in (fixed or {}).items() if name in command.model_fields}
    for name, info in command.model_fields.items():
        guess = PARTICULARS.get(name)
        if name not in fields and guess is not None and (info.is_required() or dice.randint(0, 2) == 0):
            fields[name] = guess(dice, office)
    try:
        return command.model_validate(fields, by_name=True, by_alias=True)
    except ValidationError:
        return None


DERAILING = frozenset(
    {
        "CancelCall",
        "PublishResult",
        "BanApplicant",
        "RecordCreditListing",
        "VerifyOrganisation",
        "WithdrawApplication",
        "FailPreliminaryReview",
        "DeclineAward",
        "RevokeAward",
        "InitiateTermination",
        "ArchiveProject",
        "LeaveApplicationOut",
        "DraftApplication",
    }
)
"""What ends a story early is asked seldom, so that stories grow long."""


def somebody(dice: Random, command: type[Command]) -> Actor:
    """Mostly one who may; now and then anybody at all."""
    role = dice.choice(list(Role)) if dice.randint(0, 9) == 0 else dice.choice(command.by)
    return Actor(f"{role}#{dice.randint(1, 3)}")


def fitting_command(dice: Random, office: MemoryRealm, kind: str, name: str) -> StreamCommand | None:
    """Something that may be asked at its stage, by who may, with any particulars."""
    stage = office.state(kind, name).stage
    at_this_stage = [c for c in TYPES if KINDS[c] == kind and stage in c.during]
    if not at_this_stage:
        return None
    command_type = dice.choice(at_this_stage)
    if command_type.command_type in DERAILING and dice.randint(0, 4):
        command_type = dice.choice(at_this_stage)
    command = guess(dice, office, command_type)
    if command is None:
        return None
    return StreamCommand(office.id(kind, name), command, Actor(f"{dice.choice(command_type.by)}#{dice.randint(1, 3)}"))


def strangers_command(dice: Random, office: MemoryRealm, command_type: type[Command]) -> StreamCommand | None:
    """That command from somebody whose it is not."""
    guesses = (guess(dice, office, command_type) for _ in range(MOST_GUESSES))
    command = next((c for c in guesses if c is not None), None)
    if command is None:
        return None
    role = dice.choice([r for r in Role if r not in command_type.by])
    kind = KINDS[command_type]
    return StreamCommand(office.id(kind, dice.choice(list(NAMES[kind]))), command, Actor(f"{role}#1"))


def any_command(dice: Random, office: MemoryRealm) -> StreamCommand | None:
    """Anything from anybody."""
    command_type = dice.choice(TYPES)
    if command_type.command_type in DERAILING and dice.randint(0, 4):
        command_type = dice.choice(TYPES)
    kind = KINDS[command_type]
    command = guess(dice, office, command_type)
    if command is None:
        return None
    return StreamCommand(office.id(kind, dice.choice(list(NAMES[kind]))), command, somebody(dice, command_type))
