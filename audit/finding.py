"""What is found wrong with a log: where, what it must be, and what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.kernel.words import Words

if TYPE_CHECKING:
    from domain.kernel.identifier import StreamId


class FindingKind(Words):
    """What does not agree."""

    POSITION = "position", "全局序號不連續", "positions are not dense"
    UNREADABLE = "unreadable", "記錄無法讀取", "the entry cannot be read"
    CHAIN = "chain", "哈希鏈不符：內容被改動，或其前的記錄被刪改", "chain: it or what stood before it was changed"
    VERSION = "version", "卷宗內版本號不連續", "versions of the file are not consecutive"
    RECORDED_AT = "recorded_at", "記錄時間早於上一記錄", "recorded before the entry in front of it"
    COMMAND_ID = "command_id", "同一命令編號記錄多次", "one command id is journalled more than once"
    JOURNAL = "journal", "命令的附註無法解讀", "what the journal notes of the command cannot be read"
    UNSIGNED = "unsigned", "命令沒有入口的簽名", "the command has no door's signature"
    FORGED = "forged", "簽名與命令不符", "the signature is not over this command"
    FOREIGN_KEY = "foreign_key", "簽名所用的密鑰當時尚未公布", "signed by a key that the log did not know then"
    EXPIRED_KEY = "expired_key", "簽名所用的密鑰當時不在有效期內", "signed by a key that was not valid then"
    WITHDRAWN_KEY = "withdrawn_key", "簽名所用的密鑰當時已撤回", "signed by a key that had been withdrawn"
    WRONG_SEAT = "wrong_seat", "入口不得為此崗位代言", "the door may not speak for that seat"
    ORPHAN = "orphan", "事件之前沒有產生它的命令", "no command stands directly before this event"
    OUTCOME = "outcome", "命令記載的結果與其後事件不符", "the journalled outcome is not what follows"
    GROUP = "group", "事件與其命令的經辦人或時間不符", "the event does not agree with its command"
    DECODE = "decode", "事件無法以當前程序解讀", "the event does not decode on today's code"
    FOLD = "fold", "事件無法以當前程序推算", "today's code cannot take the event in"
    POSTING = "posting", "分錄與事件不符", "the ledger is not what the event posts"
    CLAIM = "claim", "名額佔用與事件推算不符", "the claims are not what the events add up to"
    BALANCE = "balance", "賬戶餘額與事件推算不符", "the balance is not what the events add up to"
    AGENDA = "agenda", "期限台賬與卷宗現狀不符", "the list of deadlines is not how the file stands"
    HEAD = "head", "卷宗末端與登記不符：末尾記錄被刪或被加", "the file does not end where its row says"
    REALM = "realm", "環境登記與日誌不符", "the environment does not stand as the log says"
    CURSOR = "cursor", "後台任務的位置超出日誌末端", "a background task has been beyond the end of the log"
    VIEW = "view", "視圖與卷宗推算不符", "the rows of a list are not what the file adds up to"
    DOCUMENT = "document", "文件原件缺失或被改動", "the bytes of a document are gone or changed"
    CUT = "cut", "日誌被截短：其後的記錄已不存", "the log was cut: entries after this one are gone"
    ROOT = "root", "根校驗值與留存的不同：該序號以前的歷史被改動", "not the root that was kept: history was changed"


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
        """The finding as a sentence in Chinese."""
        subject = f"({self.subject})" if self.subject else ""
        return f"{self.kind.zh}{subject}：應為 {self.expected}，實為 {self.actual}"

    @property
    def en(self) -> str:
        """The finding as a sentence in English."""
        subject = f" ({self.subject})" if self.subject else ""
        return f"{self.kind.en}{subject}: must be {self.expected}, is {self.actual}"

    def as_json(self) -> dict[str, Any]:
        """As JSON, in both languages; ``position`` and ``stream`` are null where it is of no one entry."""
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
