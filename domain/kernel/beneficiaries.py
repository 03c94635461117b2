"""受益對象: whom a project may be for, as data of the scheme: by where people live and by group (HZ-13, FZ-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.codelist import Codelist, require_listed
from domain.kernel.identifier import Text
from domain.kernel.words import Words

if TYPE_CHECKING:
    from domain.kernel.refusal import Checks
    from domain.kernel.scheme import Scheme


class Residence(Words):
    """By what somebody belongs to the place."""

    HUKOU = "HUKOU", "本地戶籍", "registered there"
    RESIDENT = "RESIDENT", "常住", "living there"
    """Whoever lives there, registered or not: e.g. 老漂族 (HZ-13)."""
    ANYBODY = "ANYBODY", "不限", "anybody"


class Beneficiaries(BaseModel):
    """Whom an application serves: groups and numbers, never a person."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    groups: Annotated[tuple[Text, ...], Field(min_length=1, max_length=20, title="服務對象 / beneficiary groups")]
    residence: Annotated[Residence, Field(title="居住條件 / residence")]
    persons: Annotated[Annotated[int, Field(ge=1, le=10_000_000)] | None, Field(title="人數 / persons")] = None
    """How many there are to be; persons, not attendances."""


class BeneficiaryRules(BaseModel):
    """What a scheme asks of whom a project serves."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    required: Annotated[bool, Field(title="申報須載明 / to be named")] = False
    """Whether an application must say whom it serves."""
    residences: Annotated[tuple[Residence, ...] | None, Field(max_length=3, title="居住條件 / residence")] = None
    """By what they may belong to the city; None for anything."""
    sensitive: Annotated[tuple[Text, ...] | None, Field(max_length=50, title="敏感對象 / sensitive groups")] = None
    """Groups of whom every record is under a pseudonym, with its content sealed: no activity names them (FZ-10)."""


def is_sensitive(scheme: Scheme | None, group: str | None) -> bool:
    """Whether of that group nothing but case work under pseudonyms is recorded."""
    rules = scheme.beneficiaries if scheme is not None else None
    return rules is not None and group is not None and group in (rules.sensitive or ())


def require_beneficiaries(check: Checks, scheme: Scheme, served: Beneficiaries | None) -> None:
    """K2: whom an application serves is said where it must be, in the city's words, and is whom the rules are for."""
    rules = scheme.beneficiaries
    if served is not None:
        require_listed(check, scheme, Codelist.GROUPS, served.groups)
    if rules is None:
        return
    check(served or not rules.required, "K2", "請載明受益對象（beneficiaries）", "say whom it serves")
    allowed = rules.residences
    check(
        served is None or allowed is None or served.residence in allowed,
        "K2",
        "受益對象的居住條件須為 {allowed}，所填為 {residence}",
        "those served must be one of: {allowed}; this says {residence}",
        allowed=allowed or (),
        residence=served.residence if served else "",
    )
