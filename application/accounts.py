"""Local accounts, for embedded servers only: made when they are first kept up, their passwords shown once."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from application.access import HOUSE_ROLES
from application.demo_office import ADMINISTRATORS, SEATS, demo_person, demo_scope
from domain.kernel.explanation import show
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import Actor, Role
from store.identity import Account, SeatGrant

if TYPE_CHECKING:
    from domain.kernel.acting import PersonId
    from store.identity import IdentityStore

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""Argon2id with the least that OWASP asks for: the passwords are made here, of 96 random bits."""
_NOBODY: Final = _HASHER.hash(secrets.token_urlsafe(32))
"""Who asks for an account that is not there waits as long as one who has it wrong."""
_AT_ONCE: Final = asyncio.Semaphore(2)
"""Passwords that are tried at one time: each takes 19 MiB."""


@dataclass(frozen=True)
class FreshAccount:
    """An account as it is shown, once."""

    login: str
    password: str
    person: PersonId
    seat: Actor


async def make_accounts(store: IdentityStore) -> list[FreshAccount]:
    """Make the accounts of a trial, one for everybody on a seat of the demo office; none if there are any already.

    Whoever is on a role's first seat comes in by the role's name, as ``cab-reg``; the others by their seat's number
    behind it, ``cab-reg-2``: what one officer may not do after another's part in it takes two, a panel takes five.
    """
    if await store.count_accounts():
        return []
    made = []
    administrators = (Actor(f"{Role.ADMIN}#{number + 1}") for number in range(len(ADMINISTRATORS)))
    for seat in (*SEATS, *administrators):
        login = seat.role.lower() if seat.number == 1 else f"{seat.role.lower()}-{seat.number}"
        fresh = FreshAccount(login, secrets.token_urlsafe(12), demo_person(seat), seat)
        secret = await asyncio.to_thread(_HASHER.hash, fresh.password)
        scope = None if seat.role in HOUSE_ROLES else demo_scope(seat)  # without one, an organisation sees nothing
        if await store.add_account(Account(fresh.login, fresh.person, (SeatGrant(seat=seat, scope=scope),), secret)):
            made.append(fresh)
    return made


async def find_account(store: IdentityStore, login: str, password: str) -> Account | None:
    """The account, if that is its password; the answer takes as long where there is none."""
    account = await store.account(login)
    async with _AT_ONCE:
        is_right = await asyncio.to_thread(_verify, account.secret if account else _NOBODY, password)
    return account if is_right else None


def _verify(secret: str, password: str) -> bool:
    try:
        return _HASHER.verify(secret, password)
    except (VerificationError, InvalidHashError):
        return False


class NoSuchAccount(Failure):
    """There is no account of that name."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, login: str) -> None:
        super().__init__(f"沒有賬號 {show(login)}", f"there is no account {show(login)}", login=login)


class NoSuchLogin(Failure):
    """That login is not admitted."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, issuer: str, subject: str) -> None:
        super().__init__(
            f"{show(issuer)} 的 {show(subject)} 沒有登記", f"{show(subject)} of {show(issuer)} is not admitted"
        )


async def renew_password(store: IdentityStore, login: str) -> str | None:
    """Another password for that account, to be shown once; None if there is no such account."""
    password = secrets.token_urlsafe(12)
    secret = await asyncio.to_thread(_HASHER.hash, password)
    return password if await store.renew_secret(login, secret) else None
