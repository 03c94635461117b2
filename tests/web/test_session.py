"""People come in by an account of this machine: their session rotates, ages, and proves who approves a payment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from application.accounts import renew_password
from application.caller import Caller, MachineMayNot, ProofStale, ScopeName, SeatNotHeld
from application.demo_office import SEATS, demo_person
from application.sessions import ABSOLUTE, IDLE, begin_session, find_person
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor, Role
from domain.project.disbursement import ApproveDisbursement
from store.identity import SeatGrant
from tests.web.conftest import UNLOADED, served
from web.app import build
from web.limits import Allowance

if TYPE_CHECKING:
    from application.accounts import FreshAccount
    from store.identity import IdentityStore
    from tests.web.conftest import Counter

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


async def _sign_in(client: httpx.AsyncClient, account: FreshAccount) -> httpx.Response:
    return await client.post("/v1/session", json={"login": account.login, "password": account.password})


async def test_there_is_an_account_for_everybody_of_the_demo_office_and_for_each_role_but_the_clocks(
    accounts: dict[str, FreshAccount],
) -> None:
    assert {account.seat.role for account in accounts.values()} == set(Role) - {Role.SYS}
    assert len({account.person for account in accounts.values()}) == len(accounts)
    on_the_register = {account.person for account in accounts.values() if account.seat in SEATS}
    assert on_the_register == set(map(demo_person, SEATS)), "and nobody else comes in"
    assert {"cab-reg", "cab-reg-2", "expert-5", "admin-2"} < accounts.keys()
    assert len({account.password for account in accounts.values()}) == len(accounts)


async def test_whoever_signs_in_is_known_until_they_leave(counter: Counter, accounts: dict[str, FreshAccount]) -> None:
    async with counter.stranger() as person:
        answer = await _sign_in(person, accounts["cab-fin"])
        assert answer.status_code == 204
        cookie = answer.headers["Set-Cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        known = (await person.get("/v1/session")).json()
        assert (known["person"], known["seats"]) == (accounts["cab-fin"].person, ["CAB-FIN#1"])
        token = person.cookies["venture"]
        assert (await person.delete("/v1/session")).status_code == 204
        person.cookies.set("venture", token)
        assert (await person.get("/v1/session")).status_code == 401, "the session is over on the server"


async def test_showing_again_who_one_is_rotates_the_session_and_the_old_token_is_dead(
    counter: Counter, accounts: dict[str, FreshAccount]
) -> None:
    async with counter.stranger() as person, counter.stranger() as thief:
        await _sign_in(person, accounts["host"])
        thief.cookies.set("venture", person.cookies["venture"])
        assert (await thief.get("/v1/session")).status_code == 200
        await _sign_in(person, accounts["host"])
        assert (await person.get("/v1/session")).status_code == 200
        assert (await thief.get("/v1/session")).status_code == 401


async def test_a_token_that_somebody_else_chose_is_never_taken_over(
    counter: Counter, accounts: dict[str, FreshAccount]
) -> None:
    async with counter.stranger() as person:
        person.cookies.set("venture", "chosen-by-somebody-else")
        answer = await _sign_in(person, accounts["host"])
        assert "chosen-by-somebody-else" not in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "login", [("cab-fin", "wrong"), ("nobody", "wrong"), ("CAB-FIN", "wrong"), ("cab-fin'--", "x")]
)
async def test_a_wrong_password_and_an_unknown_account_are_told_alike(
    counter: Counter, accounts: dict[str, FreshAccount], login: tuple[str, str]
) -> None:
    assert "cab-fin" in accounts
    async with counter.stranger() as stranger:
        answer = await stranger.post("/v1/session", json={"login": login[0], "password": login[1]})
    assert answer.status_code == 401
    assert answer.json()["detail"] == "賬號或密碼不對"
    assert "Set-Cookie" not in answer.headers


async def test_another_password_takes_the_place_of_the_old(
    counter: Counter, accounts: dict[str, FreshAccount], identity: IdentityStore
) -> None:
    old = accounts["disc"]
    password = await renew_password(identity, "disc")
    assert password is not None
    assert await renew_password(identity, "nobody") is None
    async with counter.stranger() as person:
        assert (await _sign_in(person, old)).status_code == 401
        assert (await _sign_in(person, replace(old, password=password))).status_code == 204


async def test_who_guesses_is_slowed_down(counter: Counter, accounts: dict[str, FreshAccount]) -> None:
    assert accounts
    house = replace(counter.house, tries=Allowance(3, 0.001))
    async with (
        served(build(house)) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, verify=UNLOADED) as guesser,
    ):
        tries = [await guesser.post("/v1/session", json={"login": "audit", "password": f"guess-{n}"}) for n in range(4)]
    assert [answer.status_code for answer in tries] == [401, 401, 401, 429]
    assert int(tries[-1].headers["Retry-After"]) > 0


async def test_who_knows_the_password_is_not(counter: Counter, accounts: dict[str, FreshAccount]) -> None:
    house = replace(counter.house, tries=Allowance(3, 0.001))
    async with (
        served(build(house)) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, verify=UNLOADED) as office,
    ):
        for login in ("audit", "cab-dec", "eval", "host", "audit"):
            body = {"login": login, "password": accounts[login].password}
            assert (await office.post("/v1/session", json=body)).status_code == 204
        assert (await office.post("/v1/session", json={"login": "audit", "password": "a-guess"})).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
async def test_a_page_of_another_site_does_nothing_in_a_persons_name(
    counter: Counter, accounts: dict[str, FreshAccount], headers: dict[str, str]
) -> None:
    async with counter.stranger() as person:
        await _sign_in(person, accounts["comm"])
        body = {"subject": "ND-1", "particulars": {}}
        answer = await person.post("/v1/why-not/SubmitNeed", json=body, headers=headers)
        assert answer.status_code == 403
        assert (await person.get("/v1/session", headers=headers)).status_code == 200, "reading shows it nothing"


async def test_a_session_ends_by_idling_and_by_age(identity: IdentityStore) -> None:
    grants = (SeatGrant(seat=Actor("HOST#1")),)
    token = await begin_session(identity, PersonId("P-1"), grants, NOW)
    just = timedelta(seconds=1)
    assert await find_person(identity, token, NOW + IDLE - just) is not None
    assert await find_person(identity, token, NOW + 2 * (IDLE - just)) is not None, "it was used meanwhile"
    assert await find_person(identity, token, NOW + 3 * IDLE) is None
    busy = await begin_session(identity, PersonId("P-1"), grants, NOW)
    at = NOW
    while at < NOW + ABSOLUTE - just:
        assert await find_person(identity, busy, at) is not None
        at += IDLE / 2
    assert await find_person(identity, busy, NOW + ABSOLUTE) is None


def test_a_payment_is_approved_by_a_person_who_has_just_shown_who_they_are() -> None:
    grants = (SeatGrant(seat=Actor("CAB-DEC#1")),)
    person = Caller(PersonId("P-3"), "", grants, frozenset(ScopeName), "s", proved_at=NOW)
    soon, late = NOW + timedelta(minutes=5), NOW + timedelta(minutes=5, seconds=1)
    assert person.act(ApproveDisbursement, Actor("CAB-DEC#1"), soon) == "CAB-DEC#1"
    with pytest.raises(ProofStale):
        person.act(ApproveDisbursement, Actor("CAB-DEC#1"), late)
    with pytest.raises(MachineMayNot):
        replace(person, service="finance").act(ApproveDisbursement, Actor("CAB-DEC#1"), soon)
    with pytest.raises(SeatNotHeld):
        person.act(ApproveDisbursement, Actor("CAB-DEC#2"), soon)
