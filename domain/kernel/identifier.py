"""Names of streams and people, and the ids that are derived from them: equal input, equal id, on any machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID, uuid5

from pydantic import AfterValidator, Field, GetCoreSchemaHandler
from pydantic_core import core_schema

from domain.kernel.words import Words

if TYPE_CHECKING:
    from datetime import datetime

NAMESPACE = UUID("6b1f7f0e-52a5-5d0c-9a57-0f3c8c1d2e10")
"""The product's own uuid5 namespace. It is part of every derived id and never changes."""

LIVE = "live"
"""The bureau's own realm, always on the wall clock; the others begin on a manual clock, and may go live once."""

_STREAM = re.compile(r"([a-z]+)/([A-Za-z0-9][A-Za-z0-9._-]{0,63})/([A-Za-z0-9][A-Za-z0-9._-]{0,63})")
_ACTOR = re.compile(r"([A-Z]+(?:-[A-Z]+)?)#([1-9][0-9]{0,8})")


class Role(Words):
    """Who may act. The value is the form used in the log and on the command line."""

    CAB_REG = "CAB-REG", "社會組織科經辦人", "case officer"
    CAB_FIN = "CAB-FIN", "局財務人員", "bureau finance officer"
    CAB_DEC = "CAB-DEC", "局領導（黨組會議議定）", "bureau leadership"
    FISCAL = "FISCAL", "財政部門", "finance department"
    HOST = "HOST", "承辦單位", "managing agency"
    DCAB = "DCAB", "區（縣）民政局", "district civil affairs bureau"
    EXPERT = "EXPERT", "評審專家", "reviewer"
    EVAL = "EVAL", "第三方評估機構", "independent evaluator"
    AUDIT = "AUDIT", "審計機構", "auditor"
    SUPV = "SUPV", "督導機構", "project supervisor"
    DISC = "DISC", "紀檢監察機構", "discipline inspection"
    SO_LEGAL = "SO-LEGAL", "法定代表人（授權代表）", "legal representative"
    SO_PM = "SO-PM", "項目負責人", "project manager"
    SO_ACC = "SO-ACC", "單位財務負責人", "organisation finance officer"
    COMM = "COMM", "社區（村）", "community committee"
    BASE_OP = "BASE-OP", "基地運營單位", "base operator"
    PUBLIC = "PUBLIC", "社會公眾", "the public"
    ADMIN = "ADMIN", "系統管理員", "administrator"
    SYS = "SYS", "系統（到期自動）", "system (automatic)"


_ROLES = {role.value: role for role in Role}


class CheckedText(str):
    """A string of a checked form that pydantic parses and JSON writes as itself."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls, core_schema.str_schema(), serialization=core_schema.to_string_ser_schema()
        )


class Actor(CheckedText):
    """A seat, written ``ROLE#n``: what acts. Who sits on it is ``domain.kernel.acting`` (decision 022).

    Raises ValueError if the role is unknown, the number is missing, or it is written otherwise (``#01``).
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raises ValueError for any other form."""
        match = _ACTOR.fullmatch(text)
        if match is None or match[1] not in _ROLES:
            roles = " ".join(sorted(Role))
            message = f"{text[:40]!r}: 寫作 角色#編號，如 CAB-REG#1 / write ROLE#n, as CAB-REG#1; 角色 roles: {roles}"
            raise ValueError(message)
        return super().__new__(cls, text)

    @property
    def role(self) -> Role:
        """The role in which it acts."""
        return _ROLES[self.partition("#")[0]]

    @property
    def number(self) -> int:
        """Which seat of that role."""
        return int(self.partition("#")[2])


ANY_SEAT = "*"
"""Stands in a list of seats where any seat of the role will do."""

SYSTEM = Actor("SYS#1")
"""The timer: the only actor of a deadline."""
UNNAMED = Actor("PUBLIC#999999999")
"""Stands before readers for whoever acted where that is not told; it asks for nothing and is in no log."""


class StreamId(CheckedText):
    """``kind/realm/name``, e.g. ``project/live/AP-5``: one stream, one workflow of the same id. No personal data.

    Raises ValueError if the form is wrong.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raises ValueError for any other form."""
        if _STREAM.fullmatch(text) is None:
            message = f"{text[:80]!r}: 寫作 類別/環境/編號 / write kind/realm/name, as project/live/AP-5"
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
        """The realm that the stream belongs to, e.g. ``live``."""
        return self.split("/", 2)[1]

    @property
    def name(self) -> str:
        """Its number within the realm, e.g. ``AP-5``."""
        return self.split("/", 2)[2]

    def sibling(self, kind: str, name: str) -> StreamId:
        """The stream of another kind and name in the same realm."""
        return StreamId.of(kind, self.realm, name)


def name_key(realm: str, name: str) -> str:
    """The claim of a stream that bears that name beside its own, as a project does its number."""
    return f"name/{realm}/{name}"


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


Text = Annotated[str, Field(max_length=2000), AfterValidator(_nonempty)]
"""A text that says something."""


def _sha256(text: str) -> str:
    if re.fullmatch(r"[0-9a-f]{64}", text) is None:
        message = "SHA-256 須為 64 位小寫十六進制 / must be 64 lower-case hex digits"
        raise ValueError(message)
    return text


Sha256 = Annotated[str, AfterValidator(_sha256), Field(max_length=64)]
"""64 lower-case hex digits."""


Reason = Annotated[Text, Field(title="理由 / reason")]
"""Why somebody decides or asks so."""
