"""Keys of services: made once, shown once, kept as digests; each for named seats, for what its scopes say, until a day.

A key is ``vk_<id>_<secret>``. Its secret has 256 random bits, so a plain digest cannot be guessed back.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from application.caller import Caller, ScopeName
from domain.kernel.explanation import show
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import Role
from store.identity import ApiKey

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from domain.kernel.acting import PersonId
    from store.identity import IdentityStore, Seats

LONGEST: Final = timedelta(days=366)
"""No key lives longer than this: who still needs one makes the next."""
PREFIX: Final = "vk_"
"""By which a scanner of leaked secrets knows one."""
_FORM: Final = re.compile(r"vk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_SERVICE: Final = re.compile(r"[a-z][a-z0-9-]{1,31}")


class KeyInvalid(Failure):
    """A key cannot be made as it was asked for."""

    kind = FailureKind.USAGE


class NoSuchApiKey(Failure):
    """There is no key of that id, or it is withdrawn already."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"沒有可撤銷的密鑰 {show(key_id)}", f"there is no key {show(key_id)} to be withdrawn", key=key_id
        )


@dataclass(frozen=True)
class FreshKey:
    """A key as it is shown, once."""

    key: ApiKey
    text: str
    """The whole of it: nobody can be shown it again."""


async def issue_key(
    store: IdentityStore,
    service: str,
    seats: Seats,
    scopes: Collection[ScopeName],
    *,
    lasting: timedelta,
    now: datetime,
    person: PersonId | None = None,
) -> FreshKey:
    """Make a key for that service; ``person`` is who answers for it. Raises KeyInvalid for one that may not be."""
    if _SERVICE.fullmatch(service) is None:
        raise KeyInvalid(
            "服務名稱須為小寫英文字母、數字、連字號，2 至 32 字，如 finance",
            "a service's name is 2 to 32 small letters, digits and hyphens, e.g. finance",
        )
    if not seats or any(grant.seat.role is Role.SYS for grant in seats):
        raise KeyInvalid("須寫明崗位，且不可為 SYS", "name the seats that it acts for, none of them SYS")
    if not scopes:
        raise KeyInvalid("須寫明用途：read、commands", "say what it is for: read, commands")
    if not timedelta(0) < lasting <= LONGEST:
        raise KeyInvalid(f"有效期至多 {LONGEST.days} 日", f"a key lives for {LONGEST.days} days at most")
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    key = ApiKey(
        id=key_id,
        secret=sha256(secret.encode()).digest(),
        service=service,
        person=person,
        seats=seats,
        scopes=tuple(sorted(scopes)),
        made_at=now,
        expires_at=now + lasting,
    )
    await store.add_key(key)
    return FreshKey(key, f"{PREFIX}{key_id}_{secret}")


async def find_service(store: IdentityStore, text: str, now: datetime) -> Caller | None:
    """Whose key that is; None if it opens nothing: unknown, wrong, withdrawn, or past its day."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    key = await store.key(match[1])
    digest = sha256(match[2].encode()).digest()
    known = key.secret if key is not None else bytes(32)
    if not hmac.compare_digest(digest, known) or key is None:
        return None
    if key.withdrawn_at is not None or key.expires_at <= now:
        return None
    await store.use_key(key.id, now)
    return Caller(
        person=key.person,
        service=key.service,
        grants=key.seats,
        scopes=frozenset(ScopeName(scope) for scope in key.scopes),
        session=key.id,
    )


async def withdraw_key(store: IdentityStore, key_id: str, now: datetime) -> bool:
    """From now on it opens nothing; whether it did until now."""
    return await store.withdraw_key(key_id, now)
