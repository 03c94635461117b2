"""A provider of identities vouches for people and services; who forges its word, or bends the way back, is kept out."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import RSAKey
from oidc_provider_mock import run_server_in_thread  # type: ignore[import-untyped]

from application.caller import ScopeName
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor
from store.identity import Identity, SeatGrant
from tests.tables import mostly
from tests.web.conftest import UNLOADED, served
from tests.web.routes import GUARDED, ask
from web.app import build
from web.identity.provider import KEYS_AGAIN_S, OidcProvider, ProviderAway, TokenRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from store.identity import IdentityStore
    from tests.web.conftest import Counter

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""The provider that these tests run uses what its own libraries advise against."""

ISSUER = "https://login.bureau.example"
AUDIENCE = "venture"
NOW = datetime.now(UTC)
SEATS = (SeatGrant(seat=Actor("CAB-FIN#1")),)


# ---------------------------------------------------------------------------------------- tokens, forged and sound


@cache
def _make_key(_whose: str) -> RSAKey:
    """One for each, all under one name: a key takes a tenth of a second to make."""
    return RSAKey.generate_key(2048, {"kid": "one"})


class Issuer:
    """A provider's own half: its keys, and what it publishes of them."""

    def __init__(self) -> None:
        self.key = _make_key("ours")
        self.published = [self.key]
        self.away = False
        self.asked: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.away:
            raise httpx.ConnectError("away", request=request)
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"})
        return httpx.Response(200, json={"keys": [key.as_dict(private=False) for key in self.published]})

    def claims(self, **changed: Any) -> dict[str, Any]:
        at = int(NOW.timestamp())
        sound = {"iss": ISSUER, "sub": "s-1", "aud": AUDIENCE, "exp": at + 300, "iat": at, "jti": "t-1"}
        return {name: value for name, value in {**sound, **changed}.items() if value is not None}

    def token(self, *, key: Any = None, header: dict[str, Any] | None = None, **changed: Any) -> str:
        fields = {"alg": "RS256", "kid": "one", **(header or {})}
        return jwt.encode(fields, self.claims(**changed), key or self.key, algorithms=["RS256", "HS256", "PS256"])

    def provider(self) -> OidcProvider:
        return OidcProvider(ISSUER, "web", None, AUDIENCE, transport=httpx.MockTransport(self.answer))


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


def _write(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _part(value: object) -> str:
    return _write(json.dumps(value).encode())


def _forge(issuer: Issuer, fault: str) -> str:
    sound, at = issuer.token(), int(NOW.timestamp())
    head, body, signature = sound.split(".")
    stranger = _make_key("a stranger's")
    match fault:
        case "signed by nobody":
            return f"{_part({'alg': 'none'})}.{body}."
        case "signed by nobody, in capitals":
            return f"{_part({'alg': 'NONE', 'kid': 'one'})}.{body}.{signature}"
        case "signed with the public key as a secret":
            content = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{body}".encode()
            return f"{content.decode()}.{_write(hmac.digest(issuer.key.as_pem(private=False), content, 'sha256'))}"
        case "signed by a stranger under our key's name":
            return issuer.token(key=stranger)
        case "signed by a stranger who brings the key along":
            return issuer.token(key=stranger, header={"jwk": stranger.as_dict(private=False)})
        case "signed by a stranger who says where the key lies":
            return issuer.token(key=stranger, header={"jku": "https://evil.example/keys", "kid": "two"})
        case "for another audience":
            return issuer.token(aud="payroll")
        case "of another issuer":
            return issuer.token(iss="https://evil.example")
        case "expired":
            return issuer.token(exp=at - 61)
        case "not valid yet":
            return issuer.token(nbf=at + 120)
        case "without an end":
            return issuer.token(exp=None)
        case "without a subject":
            return issuer.token(sub=None)
        case "with a subject that is no text":
            return issuer.token(sub=["s-1"])
        case "with another body":
            return f"{head}.{_part(issuer.claims(sub='s-2'))}.{signature}"
        case "cut short":
            return sound[:-2]
        case "with a demand that nobody knows":
            content = f"{_part({'alg': 'RS256', 'kid': 'one', 'crit': ['exp2'], 'exp2': 1})}.{body}".encode()
            private = load_pem_private_key(issuer.key.as_pem(private=True), None)
            assert isinstance(private, RSAPrivateKey)
            return f"{content.decode()}.{_write(private.sign(content, PKCS1v15(), SHA256()))}"
        case "of a thousand pieces":
            return ".".join([sound] * 10)
        case _:
            return fault


FORGED = [
    "signed by nobody",
    "signed by nobody, in capitals",
    "signed with the public key as a secret",
    "signed by a stranger under our key's name",
    "signed by a stranger who brings the key along",
    "signed by a stranger who says where the key lies",
    "for another audience",
    "of another issuer",
    "expired",
    "not valid yet",
    "without an end",
    "without a subject",
    "with a subject that is no text",
    "with another body",
    "cut short",
    "with a demand that nobody knows",
    "of a thousand pieces",
    "no token at all",
    "..",
]


async def test_a_sound_token_says_who_it_is_of(issuer: Issuer) -> None:
    claims = await issuer.provider().check(issuer.token(), AUDIENCE, NOW)
    assert (claims["sub"], claims["iss"]) == ("s-1", ISSUER)


@pytest.mark.parametrize("fault", FORGED)
async def test_a_forged_token_proves_nothing(issuer: Issuer, fault: str) -> None:
    with pytest.raises(TokenRefused):
        await issuer.provider().check(_forge(issuer, fault), AUDIENCE, NOW)
    assert all(path in ("/.well-known/openid-configuration", "/keys") for path in issuer.asked)


async def test_keys_that_rotate_are_read_again_but_not_for_every_name_that_is_made_up() -> None:
    issuer = Issuer()
    provider = issuer.provider()
    await provider.check(issuer.token(), AUDIENCE, NOW)
    fresh = RSAKey.generate_key(2048, {"kid": "two"})
    issuer.published = [issuer.key, fresh]
    with pytest.raises(TokenRefused):
        await provider.check(issuer.token(key=fresh, header={"kid": "two"}), AUDIENCE, NOW)
    assert issuer.asked.count("/keys") == 1, "it was read a moment ago"
    provider._read_at = time.monotonic() - KEYS_AGAIN_S
    assert await provider.check(issuer.token(key=fresh, header={"kid": "two"}), AUDIENCE, NOW)
    issuer.published = [fresh]
    provider._read_at = time.monotonic() - 10_000
    with pytest.raises(TokenRefused):
        await provider.check(issuer.token(), AUDIENCE, NOW)


async def test_a_provider_that_goes_away_stops_only_whom_it_has_not_vouched_for_yet() -> None:
    issuer = Issuer()
    known, unknown = issuer.provider(), issuer.provider()
    await known.check(issuer.token(), AUDIENCE, NOW)
    issuer.away = True
    known._read_at = time.monotonic() - 10_000
    assert await known.check(issuer.token(), AUDIENCE, NOW)
    with pytest.raises(ProviderAway):
        await unknown.check(issuer.token(), AUDIENCE, NOW)


async def test_a_services_token_opens_what_it_was_granted_and_a_persons_says_when_it_was_proved(
    issuer: Issuer, identity: IdentityStore
) -> None:
    await identity.put_identity(ISSUER, "svc", Identity(None, "ledger", SEATS))
    await identity.put_identity(ISSUER, "human", Identity(PersonId("P-2"), None, SEATS))
    provider, proved = issuer.provider(), int(NOW.timestamp()) - 5
    service = await provider.find_caller(issuer.token(sub="svc", scope="read other"), identity, NOW)
    human = await provider.find_caller(issuer.token(sub="human", auth_time=proved), identity, NOW)
    nobody = await provider.find_caller(issuer.token(sub="nobody"), identity, NOW)
    assert service is not None
    assert (service.service, service.scopes, service.proved_at) == ("ledger", frozenset({ScopeName.READ}), None)
    assert human is not None
    assert (human.person, human.scopes) == (PersonId("P-2"), frozenset(ScopeName))
    assert human.proved_at == datetime.fromtimestamp(proved, UTC)
    assert nobody is None
    assert await identity.drop_identity(ISSUER, "svc")
    assert await provider.find_caller(issuer.token(sub="svc", scope="read"), identity, NOW) is None


async def test_a_token_comes_in_by_the_door_and_one_for_another_audience_does_not(
    counter: Counter, issuer: Issuer, identity: IdentityStore
) -> None:
    await identity.put_identity(ISSUER, "human", Identity(PersonId("P-2"), None, SEATS))
    async with (
        served(build(replace(counter.house, provider=issuer.provider(), now=lambda: NOW))) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, verify=UNLOADED) as client,
    ):
        good = await client.get("/v1/session", headers={"Authorization": f"Bearer {issuer.token(sub='human')}"})
        bad = await client.get("/v1/session", headers={"Authorization": f"Bearer {issuer.token(sub='human', aud='x')}"})
    assert (good.status_code, good.json()["seats"]) == (200, ["CAB-FIN#1"])
    assert bad.status_code == 401


@mostly(2, "fault", ["for another audience", "signed by nobody", "of another issuer", "expired"])
async def test_no_route_lets_in_who_brings_a_token_that_is_not_good_here(
    counter: Counter, issuer: Issuer, identity: IdentityStore, fault: str
) -> None:
    await identity.put_identity(ISSUER, "s-1", Identity(PersonId("P-2"), None, SEATS))
    async with (
        served(build(replace(counter.house, provider=issuer.provider(), now=lambda: NOW))) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, verify=UNLOADED) as client,
    ):
        client.headers["Authorization"] = f"Bearer {issuer.token()}"
        assert (await client.get("/v1/session")).status_code == 200
        client.headers["Authorization"] = f"Bearer {_forge(issuer, fault)}"
        for method, route in GUARDED:
            answer = await ask(client, method, route)
            assert (answer.status_code, answer.json()["type"]) == (401, "urn:venture:problem:unauthenticated"), route


# ---------------------------------------------------------------------------------------- the way there and back


class ProviderVisitor:
    """Somebody with a browser, who signs in at a real provider."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def sign_in(self, subject: str, **query: str) -> httpx.Response:
        """Go to the provider, sign in there, and come back."""
        return await self.client.get(await self.go(subject, **query))

    async def go(self, subject: str, **query: str) -> str:
        """Where the provider sends them back to."""
        away = await self.client.get("/v1/oidc/login", params=query)
        assert away.status_code == 303, away.text
        async with httpx.AsyncClient(trust_env=False, verify=UNLOADED) as provider:
            back = await provider.post(away.headers["Location"], data={"sub": subject})
        return str(back.headers["Location"])


@pytest.fixture(scope="module")
def provider_address() -> Iterator[str]:
    with run_server_in_thread(access_token_max_age=timedelta(minutes=5)) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
async def browser(counter: Counter, identity: IdentityStore, provider_address: str) -> AsyncIterator[ProviderVisitor]:
    provider = OidcProvider(provider_address, "venture-web", "secret", AUDIENCE)
    await identity.put_identity(provider_address, "fin", Identity(PersonId("P-2"), None, SEATS))
    await identity.put_identity(provider_address, "svc", Identity(None, "ledger", SEATS))
    async with (
        served(build(replace(counter.house, provider=provider))) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, verify=UNLOADED) as client,
    ):
        yield ProviderVisitor(client)
    await provider.aclose()


async def test_a_person_signs_in_at_the_provider_and_leaves(browser: ProviderVisitor) -> None:
    back = await browser.sign_in("fin", return_to="/v1/inbox")
    assert (back.status_code, back.headers["Location"]) == (303, "/v1/inbox")
    known = (await browser.client.get("/v1/session")).json()
    assert (known["person"], known["seats"]) == ("P-2", ["CAB-FIN#1"])
    assert known["proved_until"] is not None
    assert (await browser.client.delete("/v1/session")).status_code == 204
    assert (await browser.client.get("/v1/session")).status_code == 401


async def test_the_way_to_the_provider_carries_a_challenge_and_nothing_that_is_secret(browser: ProviderVisitor) -> None:
    away = await browser.client.get("/v1/oidc/login", params={"prove": "true"})
    query = parse_qs(urlsplit(away.headers["Location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
    assert "code_verifier" not in query
    assert "httponly" in away.headers["Set-Cookie"].lower()


async def test_signing_in_again_renews_the_session(browser: ProviderVisitor) -> None:
    await browser.sign_in("fin")
    first = browser.client.cookies["venture"]
    await browser.sign_in("fin", prove="true")
    assert browser.client.cookies["venture"] != first
    browser.client.cookies.set("venture", first, domain=browser.client.base_url.host)
    browser.client.cookies.clear()
    old = await browser.client.get("/v1/session", headers={"Cookie": f"venture={first}"})
    assert old.status_code == 401


@pytest.mark.parametrize("subject", ["nobody", "svc"])
async def test_whom_nobody_has_registered_is_not_let_in(browser: ProviderVisitor, subject: str) -> None:
    back = await browser.sign_in(subject)
    assert back.status_code == 401
    assert "venture" not in browser.client.cookies


async def test_who_comes_back_without_having_gone_is_not_let_in(browser: ProviderVisitor) -> None:
    back = await browser.go("fin")
    bent = [back.replace("state=", "state=x"), back.partition("&state")[0] + "&state=x", f"{back}&code=other"]
    browser.client.cookies.clear()
    assert (await browser.client.get(back)).status_code == 401, "another browser went"
    for target in bent:
        await browser.go("fin")
        assert (await browser.client.get(target)).status_code in {401, 422}
    again = await browser.go("fin")
    assert (await browser.client.get(again)).status_code == 303
    assert (await browser.client.get(again)).status_code == 401, "a code is good once"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nX: 1"])
async def test_nobody_is_sent_on_to_another_site(browser: ProviderVisitor, target: str) -> None:
    assert (await browser.client.get("/v1/oidc/login", params={"return_to": target})).status_code == 422


async def test_with_the_provider_down_nobody_new_comes_in_and_who_is_in_stays(
    counter: Counter, identity: IdentityStore
) -> None:
    with run_server_in_thread() as server:
        address = f"http://localhost:{server.server_port}"
        provider = OidcProvider(address, "venture-web", "secret", AUDIENCE)
        await identity.put_identity(address, "fin", Identity(PersonId("P-2"), None, SEATS))
        house = replace(counter.house, provider=provider)
        stack = served(build(house))
        client = httpx.AsyncClient(base_url=await stack.__aenter__(), trust_env=False, verify=UNLOADED)
        await ProviderVisitor(client).sign_in("fin")
        back = await ProviderVisitor(client).go("fin")
    assert (await client.get("/v1/session")).status_code == 200
    assert (await client.get(back)).status_code == 503
    assert (await client.get("/v1/session")).status_code == 200
    await client.aclose()
    await stack.__aexit__(None, None, None)
    await provider.aclose()


async def test_an_installation_without_a_provider_says_so(counter: Counter) -> None:
    async with counter.stranger() as stranger:
        assert (await stranger.get("/v1/oidc/login")).status_code == 404
