"""A provider of identities, spoken to by OpenID Connect: whom it vouches for, by tokens that are checked here.

Algorithms are fixed, keys come from the issuer's own address only, and issuer, audience and times must fit.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.util import urlsafe_b64encode

from application.caller import Caller, ScopeName
from domain.kernel.failure import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from store.identity import IdentityStore

log = structlog.get_logger()

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures with a private half that only the provider has: never ``none``, never a shared secret."""
LEEWAY_S: Final = 60
"""How far the provider's clock may be from ours."""
LONGEST_TOKEN: Final = 8_192
KEYS_LAST_S: Final = 600.0
"""How long keys are taken as they were read."""
KEYS_AGAIN_S: Final = 30.0
"""How soon they are read again for a key that is not among them: it may be new, or made up."""
PATIENCE_S: Final = 5.0


class ProviderAway(Failure):
    """The provider of identities does not answer, or not as one."""

    kind = FailureKind.UNAVAILABLE
    remedy_zh = "已登錄者與服務密鑰不受影響；請稍後再試"
    remedy_en = "Sessions and keys of services go on; try again later"

    def __init__(self, why: str) -> None:
        super().__init__(f"身份提供方沒有回答：{why}", f"the provider of identities did not answer: {why}")


class TokenRefused(Failure):
    """A token proves nothing: forged, for somebody else, or not of this time. The log says which."""

    kind = FailureKind.REFUSED

    def __init__(self) -> None:
        """Say no more: who forges learns nothing."""
        super().__init__("身份憑證無效", "the token is not good")


@dataclass(frozen=True)
class Departure:
    """Where somebody is sent to sign in, and what must come back with them."""

    url: str
    state: str
    nonce: str
    verifier: str


class OidcProvider:
    """One issuer, and who we are to it."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        audience: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Speak to that issuer as that client; its access tokens must be for that audience."""
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._audience = audience
        self._http = httpx.AsyncClient(timeout=PATIENCE_S, transport=transport, trust_env=False)
        self._endpoints: Mapping[str, Any] | None = None
        self._keys = KeySet([])
        self._read_at = -KEYS_LAST_S
        self._reading = asyncio.Lock()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    # ------------------------------------------------------------------------------------------ tokens

    async def find_caller(self, token: str, identity: IdentityStore, now: datetime) -> Caller | None:
        """Whose access token that is; None if it proves nothing, or nobody is known by it. Raises ProviderAway."""
        try:
            claims = await self.check(token, self._audience, now)
        except TokenRefused:
            return None
        holder = await identity.identity(self._issuer, claims["sub"])
        if holder is None:
            return None
        proved = claims.get("auth_time")
        granted = set(str(claims.get("scope", "")).split())
        return Caller(
            person=holder.person,
            service=holder.service or "",
            grants=holder.seats,
            scopes=frozenset(s for s in ScopeName if s in granted) if holder.service else frozenset(ScopeName),
            session=sha256(str(claims.get("jti", token)).encode()).hexdigest()[:32],
            proved_at=datetime.fromtimestamp(proved, UTC) if isinstance(proved, int) and not holder.service else None,
        )

    async def check(self, token: str, audience: str, now: datetime) -> dict[str, Any]:
        """What a token of the provider's says. Raises TokenRefused, or ProviderAway."""
        keys = await self._find_keys()
        try:
            return self._decode(token, keys, audience, now)
        except _KeyUnknown:
            pass
        except (JoseError, ValueError, TypeError, KeyError) as wrong:
            raise _refuse(wrong) from wrong
        keys = await self._find_keys(again=True)
        try:
            return self._decode(token, keys, audience, now)
        except (_KeyUnknown, JoseError, ValueError, TypeError, KeyError) as wrong:
            raise _refuse(wrong) from wrong

    def _decode(self, token: str, keys: KeySet, audience: str, now: datetime) -> dict[str, Any]:
        if len(token) > LONGEST_TOKEN:
            message = "too long"
            raise ValueError(message)

        def find_key(of: Any) -> Any:  # noqa: ANN401 - the library's own
            """The key that is named, of the issuer's: whatever address the token itself gives is not looked at."""
            named = of.headers().get("kid")
            fitting = [key for key in keys.keys if named is None or key.kid == named]
            if not fitting or (named is None and len(fitting) != 1):
                raise _KeyUnknown
            return fitting[0]

        decoded = jwt.decode(token, find_key, algorithms=list(ALGORITHMS))
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        registry.validate(decoded.claims)
        claims: dict[str, Any] = dict(decoded.claims)
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= _LONGEST_SUBJECT:
            message = "no subject"
            raise ValueError(message)
        return claims

    # ------------------------------------------------------------------------------------------ the code flow

    async def depart(self, redirect_uri: str, *, prove: bool, secrets: tuple[str, str, str]) -> Departure:
        """Where to send somebody; with ``prove``, to show anew who they are. Raises ProviderAway."""
        state, nonce, verifier = secrets
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **({"prompt": "login", "max_age": "0"} if prove else {}),
        }
        endpoint = (await self._discover())["authorization_endpoint"]
        return Departure(f"{endpoint}?{urlencode(query)}", state, nonce, verifier)

    async def arrive(self, code: str, redirect_uri: str, nonce: str, verifier: str, now: datetime) -> dict[str, Any]:
        """Who came back with that code. Raises TokenRefused, or ProviderAway."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "code_verifier": verifier,
        }
        if self._client_secret is not None:
            form["client_secret"] = self._client_secret
        endpoint = (await self._discover())["token_endpoint"]
        try:
            answer = await self._http.post(endpoint, data=form)
        except httpx.HTTPError as gone:
            raise ProviderAway(type(gone).__name__) from gone
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise ProviderAway(f"HTTP {answer.status_code}")
        try:
            token = answer.json()["id_token"]
        except (ValueError, KeyError, TypeError) as wrong:
            raise _refuse(wrong) from wrong
        claims = await self.check(str(token), self._client_id, now)
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if claims.get("nonce") != nonce or (len(audiences) > 1 and claims.get("azp") != self._client_id):
            raise TokenRefused
        return claims

    # ------------------------------------------------------------------------------------------ the provider

    async def _discover(self) -> Mapping[str, Any]:
        """Its endpoints, by its own word. Raises ProviderAway."""
        if self._endpoints is None:
            endpoints = await self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            if endpoints.get("issuer") != self._issuer:
                raise ProviderAway("it calls itself by another name")
            self._endpoints = endpoints
        return self._endpoints

    async def _find_keys(self, *, again: bool = False) -> KeySet:
        """Its keys: as they were read, unless that is too long ago, or one is missing. Raises ProviderAway."""
        async with self._reading:
            age_s = time.monotonic() - self._read_at
            if age_s < (KEYS_AGAIN_S if again else KEYS_LAST_S):
                return self._keys
            try:
                key_set = await self._fetch((await self._discover())["jwks_uri"])
                self._keys = KeySet.import_key_set(key_set)  # type: ignore[arg-type] # as it came
            except (ProviderAway, JoseError, ValueError, KeyError, TypeError) as gone:
                if not self._keys.keys:
                    raise gone if isinstance(gone, ProviderAway) else ProviderAway("its keys cannot be read") from gone
                log.warning("oidc.keys_not_read", why=type(gone).__name__)  # those that are known go on for now
            self._read_at = time.monotonic()
            return self._keys

    async def _fetch(self, url: str) -> dict[str, Any]:
        try:
            answer = await self._http.get(url)
            answer.raise_for_status()
            document = answer.json()
        except (httpx.HTTPError, ValueError) as gone:
            raise ProviderAway(type(gone).__name__) from gone
        if not isinstance(document, dict):
            raise ProviderAway("it does not answer as a provider")
        return document


_LONGEST_SUBJECT: Final = 255


class _KeyUnknown(Exception):
    """No key of the provider's is called so."""


def _refuse(wrong: Exception) -> TokenRefused:
    log.info("oidc.token_refused", why=type(wrong).__name__)
    return TokenRefused()
