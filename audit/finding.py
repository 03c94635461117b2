"""What is found wrong with a log: where, what it must be, and what it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain.kernel.identity import StreamId


class FindingKind(StrEnum):
    """What does not agree."""

    POSITION = "position"
    UNREADABLE = "unreadable"
    CHAIN = "chain"
    VERSION = "version"
    RECORDED_AT = "recorded_at"
    COMMAND_ID = "command_id"
    JOURNAL = "journal"
    UNSIGNED = "unsigned"
    FORGED = "forged"
    FOREIGN_KEY = "foreign_key"
    EXPIRED_KEY = "expired_key"
    WITHDRAWN_KEY = "withdrawn_key"
    WRONG_SEAT = "wrong_seat"
    ORPHAN = "orphan"
    OUTCOME = "outcome"
    GROUP = "group"
    DECODE = "decode"
    FOLD = "fold"
    POSTING = "posting"
    CLAIM = "claim"
    BALANCE = "balance"
    AGENDA = "agenda"
    HEAD = "head"
    REALM = "realm"
    CURSOR = "cursor"
    VIEW = "view"
    CUT = "cut"
    ROOT = "root"

    @property
    def zh(self) -> str:
        """What it is called in the office."""
        return _WORDS[self][0]

    @property
    def en(self) -> str:
        """What it is called in English."""
        return _WORDS[self][1]


_WORDS: dict[FindingKind, tuple[str, str]] = {
    FindingKind.POSITION: ("全局序號不連續", "positions are not dense"),
    FindingKind.UNREADABLE: ("記錄無法讀取", "the entry cannot be read"),
    FindingKind.CHAIN: ("雜湊鏈不符：內容被改動，或其前的記錄被刪改", "chain: it or what stood before it was changed"),
    FindingKind.VERSION: ("檔案內版本號不連續", "versions of the stream do not count on"),
    FindingKind.RECORDED_AT: ("記錄時間早於上一記錄", "recorded before the entry in front of it"),
    FindingKind.COMMAND_ID: ("同一命令編號記錄多次", "one command id is journalled more than once"),
    FindingKind.JOURNAL: ("命令的附註無法解讀", "what the journal notes of the command cannot be read"),
    FindingKind.UNSIGNED: ("命令沒有入口的簽名", "the command has no door's signature"),
    FindingKind.FORGED: ("簽名與命令不符", "the signature is not over this command"),
    FindingKind.FOREIGN_KEY: ("簽名所用的密鑰當時尚未公布", "signed by a key that the log did not know then"),
    FindingKind.EXPIRED_KEY: ("簽名所用的密鑰當時不在有效期內", "signed by a key that was not valid then"),
    FindingKind.WITHDRAWN_KEY: ("簽名所用的密鑰當時已撤回", "signed by a key that had been withdrawn"),
    FindingKind.WRONG_SEAT: ("入口不得為此崗位代言", "the door may not speak for that seat"),
    FindingKind.ORPHAN: ("事件之前沒有產生它的命令", "no command stands directly before this event"),
    FindingKind.OUTCOME: ("命令記載的結果與其後事件不符", "the journalled outcome is not what follows"),
    FindingKind.GROUP: ("事件與其命令的經辦人或時間不符", "the event does not agree with its command"),
    FindingKind.DECODE: ("事件無法以現行程式解讀", "the event does not decode on today's code"),
    FindingKind.FOLD: ("事件無法以現行程式累計", "the event does not fold on today's code"),
    FindingKind.POSTING: ("分錄與事件不符", "the ledger is not what the event posts"),
    FindingKind.CLAIM: ("佔用登記與事件累計不符", "the claims are not what the events add up to"),
    FindingKind.BALANCE: ("賬戶餘額與事件累計不符", "the balance is not what the events add up to"),
    FindingKind.AGENDA: ("待辦登記與檔案現狀不符", "the agenda is not how the stream stands"),
    FindingKind.HEAD: ("檔案末端與登記不符：末尾記錄被刪或被加", "the stream does not end where its row says"),
    FindingKind.REALM: ("時鐘域登記與日誌不符", "the realm does not stand as the log says"),
    FindingKind.CURSOR: ("跟隨者的位置超出日誌末端", "a follower has been beyond the end of the log"),
    FindingKind.VIEW: ("視圖與檔案累計不符", "the rows of a view are not what the stream adds up to"),
    FindingKind.CUT: ("日誌被截短：其後的記錄已不存", "the log was cut: entries after this one are gone"),
    FindingKind.ROOT: ("樹根與留存的不同：該序號以前的歷史被改動", "not the root that was kept: history was changed"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that does not agree, located."""

    kind: FindingKind
    expected: str
    actual: str
    position: int | None = None
    """The entry of the log; of a row beside the log the newest entry that it rests on. None if there is none."""
    stream: StreamId | None = None
    subject: str = ""
    """Which field, key or account."""

    @property
    def zh(self) -> str:
        """In a sentence."""
        subject = f"({self.subject})" if self.subject else ""
        return f"{self.kind.zh}{subject}:應為 {self.expected}，實為 {self.actual}"

    @property
    def en(self) -> str:
        """In a sentence."""
        subject = f" ({self.subject})" if self.subject else ""
        return f"{self.kind.en}{subject}: must be {self.expected}, is {self.actual}"

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "position": self.position,
            "stream": self.stream,
            "what": self.kind,
            "subject": self.subject,
            "expected": self.expected,
            "found": self.actual,
            "zh": self.zh,
            "en": self.en,
        }


NOTHING = "∅"
"""How an absent row or value is written in a finding."""
