"""Names of streams and people, and the ids that are derived from them: equal input, equal id, on any machine."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import core_schema

if TYPE_CHECKING:
    from datetime import datetime

NAMESPACE = UUID("6b1f7f0e-52a5-5d0c-9a57-0f3c8c1d2e10")
"""The product's own uuid5 namespace. It is part of every derived id and never changes."""

LIVE = "live"
"""The realm of the wall clock; every other realm is played on a manual one."""

_STREAM = re.compile(r"([a-z]+)/([A-Za-z0-9][A-Za-z0-9._-]{0,63})/([A-Za-z0-9][A-Za-z0-9._-]{0,63})")
_ACTOR = re.compile(r"([A-Z]+(?:-[A-Z]+)?)#([0-9]{1,9})")


class Role(StrEnum):
    """Who may act (domain.md §3.1). The value is the form used in the log and on the command line."""

    CAB_REG = "CAB-REG"
    CAB_FIN = "CAB-FIN"
    CAB_DEC = "CAB-DEC"
    FISCAL = "FISCAL"
    HOST = "HOST"
    DCAB = "DCAB"
    EXPERT = "EXPERT"
    EVAL = "EVAL"
    AUDIT = "AUDIT"
    SUPV = "SUPV"
    DISC = "DISC"
    SO_LEGAL = "SO-LEGAL"
    SO_PM = "SO-PM"
    SO_ACC = "SO-ACC"
    COMM = "COMM"
    BASE_OP = "BASE-OP"
    PUBLIC = "PUBLIC"
    SYS = "SYS"

    @property
    def zh(self) -> str:
        """What the office calls this role."""
        return _ROLES_ZH[self]


_ROLES_ZH = {
    Role.CAB_REG: "社管經辦",
    Role.CAB_FIN: "局財務",
    Role.CAB_DEC: "局黨組會",
    Role.FISCAL: "財政國庫",
    Role.HOST: "承辦機構",
    Role.DCAB: "區縣民政",
    Role.EXPERT: "評審專家",
    Role.EVAL: "第三方評估",
    Role.AUDIT: "審計機構",
    Role.SUPV: "督導",
    Role.DISC: "紀檢監察",
    Role.SO_LEGAL: "組織法人代表",
    Role.SO_PM: "項目負責人",
    Role.SO_ACC: "組織財務",
    Role.COMM: "社區",
    Role.BASE_OP: "基地運營方",
    Role.PUBLIC: "公眾",
    Role.SYS: "系統時鐘",
}


class _Text(str):
    """A string of a checked form that pydantic parses and JSON writes as itself."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls, core_schema.str_schema(), serialization=core_schema.to_string_ser_schema()
        )


class Actor(_Text):
    """A person in a role, written ``ROLE#n``; the whole string is the person (design.md §9).

    Raises ValueError if the role is unknown or the number is missing.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the form once, at the door."""
        found = _ACTOR.fullmatch(text)
        if found is None or found[1] not in set(Role):
            roles = " ".join(sorted(Role))
            message = f"{text!r}: 寫作 角色#編號，如 CAB-REG#1 / write ROLE#n, as CAB-REG#1; 角色 roles: {roles}"
            raise ValueError(message)
        return super().__new__(cls, text)

    @property
    def role(self) -> Role:
        """The role in which the person acts."""
        return Role(self.partition("#")[0])

    @property
    def number(self) -> int:
        """Which person of that role."""
        return int(self.partition("#")[2])


SYSTEM = Actor("SYS#1")
"""The timer: the only actor of a deadline."""


class StreamId(_Text):
    """``kind/realm/name``, e.g. ``project/live/AP-5``: one stream, one workflow of the same id. No personal data.

    Raises ValueError if the form is wrong.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the form once, at the door."""
        if _STREAM.fullmatch(text) is None:
            message = f"{text!r}: 寫作 類別/時鐘域/編號 / write kind/realm/name, as project/live/AP-5"
            raise ValueError(message)
        return super().__new__(cls, text)

    @classmethod
    def of(cls, kind: str, realm: str, name: str) -> StreamId:
        """The stream of that kind and name in that realm."""
        return cls(f"{kind}/{realm}/{name}")

    @property
    def kind(self) -> str:
        """Which aggregate, e.g. ``project``."""
        return self.split("/", 2)[0]

    @property
    def realm(self) -> str:
        """Which clock it lives on."""
        return self.split("/", 2)[1]

    @property
    def name(self) -> str:
        """Its number within the realm, e.g. ``AP-5``."""
        return self.split("/", 2)[2]

    def sibling(self, kind: str, name: str) -> StreamId:
        """The stream of another kind and name in the same realm."""
        return StreamId.of(kind, self.realm, name)


def derive_id(*parts: str) -> UUID:
    """The uuid5 of these parts; parts may not run into each other."""
    return uuid5(NAMESPACE, "\x1f".join(parts))


def deadline_command_id(stream: StreamId, command: str, key: str, at: datetime) -> UUID:
    """The id of a deadline's command: however late, often or in how many clusters it fires, it is one command."""
    return derive_id("deadline", stream, command, key, at.isoformat())


def consequence_command_id(cause: UUID, number: int) -> UUID:
    """The id of a command that another command's events ask for, the ``number``-th of them, from 0."""
    return derive_id("consequence", str(cause), str(number))


def _nonempty(text: str) -> str:
    if not text.strip():
        message = "不可為空 / must not be empty"
        raise ValueError(message)
    return text


Text = Annotated[str, AfterValidator(_nonempty)]
"""A text that says something."""


def _sha256(text: str) -> str:
    if re.fullmatch(r"[0-9a-f]{64}", text) is None:
        message = "SHA-256 須為 64 位小寫十六進制 / must be 64 lower-case hex digits"
        raise ValueError(message)
    return text


class Attachment(BaseModel):
    """A document by its digest; the bytes are kept once, elsewhere (design.md §9)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Annotated[str, AfterValidator(_sha256)]
    """64 lower-case hex digits."""
    media_type: Text
    name: Text
