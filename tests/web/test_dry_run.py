"""What a page or a service is told beforehand is what the worker will say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor, StreamId
from domain.registers.fund import RegisterFundSource
from store.memory import MemoryStore
from tests.keys import publish

if TYPE_CHECKING:
    from web.house import House


async def test_before_the_founding_nobody_is_told_that_an_act_would_do(house: House) -> None:
    store = MemoryStore()
    await publish(store)
    stream, source = StreamId("fund/live/FS-1"), RegisterFundSource(name="福彩公益金", envelope=1_000)
    for is_local, rules in ((True, []), (False, ["SE10"])):
        dry_run = replace(house, store=store, is_local=is_local).prepare_dry_run()
        step = await dry_run.step(stream, source, Actor("CAB-FIN#1"), person=PersonId("P-1"))
        assert [unmet.rule for unmet in step.unmet] == rules
