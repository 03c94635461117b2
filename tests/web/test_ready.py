"""``/readyz`` of the pages: what stands in the way of whoever comes in by them."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, cast

from application.door import Door
from deciding.signature import DoorKey
from web.process import say_ready

if TYPE_CHECKING:
    from application.carrier import Carrier
    from web.house import House


async def test_a_house_whose_key_the_log_does_not_know_is_not_ready_and_says_what_mends_it(house: House) -> None:
    assert (await say_ready(house)).status_code == 200
    stray = DoorKey.read(sha256(b"a key that nobody published").hexdigest())
    answer = await say_ready(replace(house, door=Door(cast("Carrier", None), house.store, stray)))
    assert answer.status_code == 503
    (line,) = bytes(answer.body).decode().splitlines()
    assert line.startswith(f"door's key {stray.id}: unknown to the log: ")
    assert "venture key publish" in line


async def test_a_house_without_a_key_serves_readers(house: House) -> None:
    answer = await say_ready(replace(house, door=Door(cast("Carrier", None), house.store, None)))
    assert answer.status_code == 200
