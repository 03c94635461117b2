"""代碼表: what a city calls its fields, themes, kinds, outcomes and groups, as data of its scheme (HZ-6, HZ-12, HZ-18).

A list belongs to a version of the scheme, so what a project was judged by stays readable. A list that the scheme does
not have lets everything pass: it is then nobody's list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.kernel.identifier import Text
from domain.kernel.phrase import or_else
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.refusal import Checks
    from domain.kernel.scheme import Scheme

MOST_TERMS = 200
"""How long a list may be."""


class Codelist(Words):
    """The lists that a city keeps. The value is the name of the list in the scheme."""

    FIELDS = "fields", "領域", "fields"
    """Of welfare (HZ-6)."""
    THEMES = "themes", "優先主題", "priority themes"
    """What the city puts first (HZ-12)."""
    ORGANISATION_KINDS = "organisation_kinds", "組織類型", "kinds of organisations"
    """Hub and support kinds, beside the kind by registration (HZ-18)."""
    OUTCOMES = "outcomes", "成效", "outcomes"
    """What a piece of work was good for (FZ-3, FZ-12)."""
    GROUPS = "groups", "服務對象", "beneficiary groups"


class Term(BaseModel):
    """One entry of a list."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: Annotated[Text, Field(title="名稱 / name")]
    """As it is written in applications and records."""
    en: Annotated[Text, Field(title="英文 / English")]


Terms = Annotated[tuple[Term, ...], Field(max_length=MOST_TERMS)]


class Codelists(BaseModel):
    """The lists of one version of a scheme; None where the city keeps no such list."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    fields: Annotated[Terms | None, Field(title="領域 / fields")] = None
    themes: Annotated[Terms | None, Field(title="優先主題 / priority themes")] = None
    organisation_kinds: Annotated[Terms | None, Field(title="組織類型 / kinds of organisations")] = None
    outcomes: Annotated[Terms | None, Field(title="成效 / outcomes")] = None
    groups: Annotated[Terms | None, Field(title="服務對象 / beneficiary groups")] = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for codelist in Codelist:
            names = [term.name for term in self.terms(codelist) or ()]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                message = f"{codelist}: {'、'.join(twice)} 重複列出 / listed twice"
                raise ValueError(message)
        return self

    def terms(self, codelist: Codelist) -> tuple[Term, ...] | None:
        """The entries of that list, in the city's order; None where it keeps none."""
        terms: tuple[Term, ...] | None = getattr(self, codelist.value)
        return terms


def require_listed(check: Checks, scheme: Scheme | None, codelist: Codelist, values: Iterable[str]) -> None:
    """K1: whatever is said in words of the city stands in the list of the scheme that holds, if it keeps one."""
    lists = scheme.codelists if scheme is not None else None
    terms = lists.terms(codelist) if lists is not None else None
    if terms is None or scheme is None:
        return
    names = [term.name for term in terms]
    strays = sorted(set(values) - set(names))
    check(
        not strays,
        "K1",
        "{strays} 不在 {ref} 的{codelist}代碼表，現有 {names}",
        "{strays} are not among the {codelist} of {ref}: {names}",
        strays=strays,
        ref=scheme.ref,
        codelist=codelist,
        names=or_else(names, "無", "none"),
    )
