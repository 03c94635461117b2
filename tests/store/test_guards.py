"""Claims and the ledger: what many streams share, of either store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from domain.kernel.effects import Claim, Post, Release
from store.port import Append, AppendStatus, Posting
from tests.store.appends import appended, event, group, one, project, whole, write

if TYPE_CHECKING:
    from domain.kernel.effects import Effect
    from store.port import EventStore

A, B, C = project("AP-1"), project("AP-2"), project("AP-3")
PURSE = "world/treasury"


def with_effects(n: int, *effects: Effect) -> Append:
    """The first event of the nth project, with those effects."""
    return one(project(f"AP-{n}"), 0, event(*effects))


async def test_a_taken_key_says_no_and_names_itself(store: EventStore) -> None:
    await appended(store, with_effects(1, Claim("bid/R1/ORG-1", A)))
    answer = await store.append(with_effects(2, Claim("bid/R1/ORG-1", B)))
    assert (answer.status, answer.what) == (AppendStatus.GUARDED, "bid/R1/ORG-1")
    assert await store.claims() == [("bid/R1/ORG-1", A)]
    assert await store.last_position() == 2


async def test_the_same_holder_claims_again_without_effect(store: EventStore) -> None:
    await appended(store, with_effects(1, Claim("key", A)))
    await appended(store, with_effects(2, Claim("key", A), Claim("key", A)))
    assert await store.claims() == [("key", A)]


async def test_a_key_has_as_many_places_as_its_limit(store: EventStore) -> None:
    for n in (1, 2, 3):
        await appended(store, with_effects(n, Claim("panel/expert", f"holder-{n}", limit=3)))
    assert (
        await store.append(with_effects(4, Claim("panel/expert", "holder-4", limit=3)))
    ).status is AppendStatus.GUARDED
    await appended(store, with_effects(5, Claim("panel/expert", "holder-2", limit=1)))
    assert (await store.read_many([], ["panel/expert"])).claims["panel/expert"] == {"holder-1", "holder-2", "holder-3"}


async def test_a_released_place_is_free_again(store: EventStore) -> None:
    await appended(store, with_effects(1, Claim("key", A)))
    await appended(store, with_effects(2, Release("key", A), Claim("key", B)))
    await appended(store, with_effects(3, Release("key", "nobody"), Release("unknown", A)))
    assert await store.claims() == [("key", B)]
    assert (await store.append(with_effects(4, Claim("key", C), Release("key", B)))).status is AppendStatus.GUARDED


async def test_claims_of_one_call_count_for_those_behind_it(store: EventStore) -> None:
    answers = await asyncio.gather(
        store.append(with_effects(1, Claim("key", "first"))),
        store.append(with_effects(2, Claim("other", "x"), Claim("key", "second"))),
        store.append(with_effects(3, Claim("other", "y"))),
        store.append(with_effects(4, Release("key", "first"))),
        store.append(with_effects(5, Claim("key", "third"))),
    )
    assert [a.status for a in answers] == [
        AppendStatus.APPENDED, AppendStatus.GUARDED, AppendStatus.APPENDED,
        AppendStatus.APPENDED, AppendStatus.APPENDED,
    ]  # fmt: skip
    assert await store.claims() == [("key", "third"), ("other", "y")]


async def test_money_moves_in_double_entry(store: EventStore) -> None:
    await appended(store, with_effects(1, Post(PURSE, "fund/a", 700), Post("fund/a", "fund/b", 200)))
    assert await store.balances() == {"fund/a": 500, "fund/b": 200, PURSE: -700}
    assert [p async for p in store.postings()] == [
        Posting(2, PURSE, "fund/a", 700), Posting(2, "fund/a", "fund/b", 200),
    ]  # fmt: skip


async def test_an_account_never_goes_below_zero_and_says_its_name(store: EventStore) -> None:
    await appended(store, with_effects(1, Post(PURSE, "fund/a", 700)))
    answer = await store.append(with_effects(2, Post("fund/a", "fund/b", 701)))
    assert (answer.status, answer.what) == (AppendStatus.GUARDED, "fund/a")
    await appended(store, with_effects(3, Post("fund/a", PURSE, 700)))
    assert await store.balances() == {"fund/a": 0, PURSE: 0}


async def test_within_a_group_the_order_of_postings_does_not_matter(store: EventStore) -> None:
    spending_first = group(
        write(A, 0, event(Post("fund/a", "fund/b", 50))),
        write(B, 0, event(Post(PURSE, "fund/a", 50))),
    )
    await appended(store, spending_first)
    assert await store.balances() == {"fund/a": 0, "fund/b": 50, PURSE: -50}


async def test_only_accounts_of_the_world_may_be_negative(store: EventStore) -> None:
    for account in ("fund/a", "world", "worldly/a", "WORLD/a"):
        assert (await store.append(with_effects(1, Post(account, PURSE, 1)))).what == account


async def test_a_posting_of_nothing_is_kept_and_of_less_than_nothing_cannot_be_made(store: EventStore) -> None:
    await appended(store, with_effects(1, Post("fund/a", "fund/b", 0)))
    assert await store.balances() == {"fund/a": 0, "fund/b": 0}
    with pytest.raises(ValueError, match="other way round"):
        with_effects(2, Post("fund/a", "fund/b", -1))


async def test_a_group_that_a_guard_refuses_leaves_nothing_of_its_other_effects(store: EventStore) -> None:
    refused = group(
        write(A, 0, event(Claim("key", A), Post(PURSE, "fund/a", 5))),
        write(B, 0, event(Post("fund/b", "fund/a", 1))),
    )
    assert (await store.append(refused)).what == "fund/b"
    assert (await store.claims(), await store.balances(), await store.last_position()) == ([], {}, 0)
    assert [p async for p in store.postings()] == []


async def test_what_a_refused_group_would_have_done_is_not_there_for_those_behind_it(store: EventStore) -> None:
    refused = with_effects(1, Claim("key", A), Post(PURSE, "fund/b", 5), Post("fund/a", "fund/b", 1))
    answers = await asyncio.gather(
        store.append(refused),
        store.append(with_effects(2, Claim("key", B), Post(PURSE, "fund/b", 1))),
        store.append(with_effects(3, Post("fund/b", PURSE, 2))),
    )
    assert [a.status for a in answers] == [AppendStatus.GUARDED, AppendStatus.APPENDED, AppendStatus.GUARDED]
    assert (await store.claims(), await store.balances()) == ([("key", B)], {"fund/b": 1, PURSE: -1})


async def test_of_sixty_four_racing_for_the_last_yuan_exactly_those_win_that_fit(store: EventStore) -> None:
    await appended(store, one(project("FUND"), 0, event(Post(PURSE, "envelope", 1000))))
    answers = await asyncio.gather(
        *(store.append(with_effects(n, Post("envelope", f"grant/{n}", 100))) for n in range(64)),
    )
    assert [a.status for a in answers] == [AppendStatus.APPENDED] * 10 + [AppendStatus.GUARDED] * 54
    assert {a.what for a in answers[10:]} == {"envelope"}
    balances = await store.balances()
    assert (balances["envelope"], len(balances)) == (0, 12)
    await whole(store)


async def test_a_refused_effect_is_not_asked_for_when_a_conflict_comes_first(store: EventStore) -> None:
    await appended(store, with_effects(1, Claim("key", A)))
    assert (await store.append(with_effects(1, Claim("key", B)))).status is AppendStatus.CONFLICT


async def test_the_ledger_adds_up_to_the_balances(store: EventStore) -> None:
    moves = [Post(PURSE, f"a/{n % 7}", n) for n in range(60)] + [Post(f"a/{n % 7}", f"a/{n % 5}", n) for n in range(30)]
    await asyncio.gather(*(store.append(with_effects(n, move)) for n, move in enumerate(moves)))
    sums: dict[str, int] = {}
    positions = []
    async for posting in store.postings():
        positions.append(posting.position)
        sums[posting.source] = sums.get(posting.source, 0) - posting.fen
        sums[posting.target] = sums.get(posting.target, 0) + posting.fen
    assert sums == await store.balances()
    assert positions == sorted(positions)
