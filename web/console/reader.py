"""Who reads a page: on which of their seats they act, and in which language they are answered. Both are chosen."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from application.access import may_see_all
from domain.kernel.identifier import Actor
from domain.kernel.scope import ScopeKind
from web.language import Language
from web.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection

    from fastapi import Request, Response

    from application.caller import Caller
    from domain.kernel.identifier import Role
    from web.house import House

SEAT: Final = "venture-seat"
"""The cookie of the seat that was chosen; it gives nobody a right."""
_LASTING_S: Final = 365 * 24 * 3600


@dataclass(frozen=True)
class PageReader:
    """Whoever a page is made for."""

    caller: Caller | None
    """None where nobody has come in."""
    seat: Actor | None
    """The seat that they act on."""
    language: Language
    token: str
    """What their forms must bring back."""

    @property
    def seats(self) -> tuple[Actor, ...]:
        """The seats that they may choose from."""
        return self.caller.seats if self.caller is not None else ()


def read_seat(request: Request, caller: Caller | None) -> Actor | None:
    """The seat that was chosen, if it is still theirs; else the first of theirs."""
    if caller is None or not caller.seats:
        return None
    with suppress(ValueError):
        chosen = Actor(request.cookies.get(SEAT, ""))
        if chosen in caller.seats:
            return chosen
    return caller.seats[0]


def list_organisations(caller: Caller, seat: Actor | None) -> tuple[str, ...]:
    """The organisations that the seat acts for; none for the house, and for whoever acts for something else."""
    scope = caller.scope_of(seat) if seat is not None else None
    return scope.names if scope is not None and scope.kind is ScopeKind.ORGANISATION else ()


def may_list(caller: Caller, seat: Actor | None) -> bool:
    """Whether there is a list of projects for that seat: the house's, or an organisation's own."""
    return may_see_all(caller.grants) or bool(list_organisations(caller, seat))


def choose_organisation(caller: Caller, seat: Actor | None, organisation: str) -> str | None:
    """The seat's organisation whose projects are listed, the first unless one is given; None for the house: all.

    Raises Refusal for a seat that has no list.
    """
    if not may_list(caller, seat):
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            "此崗位不可瀏覽全部項目；您的事項見「我的待辦」",
            "this seat may not list all projects; what is yours is under “My tasks”",
        )
    organisations = list_organisations(caller, seat)
    return organisation if organisation in organisations else next(iter(organisations), None)


def require_role(caller: Caller, roles: Collection[Role]) -> None:
    """Raise Refusal unless one of their seats is of these roles."""
    if not any(seat.role in roles for seat in caller.seats):
        zh, en = "、".join(sorted(role.zh for role in roles)), ", ".join(sorted(role.en for role in roles))
        raise Refusal(HTTPStatus.FORBIDDEN, "forbidden", f"此頁供{zh}使用", f"this page is for: {en}")


def keep(response: Response, house: House, name: str, value: str) -> None:
    """Have the browser keep what was chosen."""
    response.set_cookie(
        name, value, max_age=_LASTING_S, path="/", secure=not house.is_local, httponly=True, samesite="lax"
    )
