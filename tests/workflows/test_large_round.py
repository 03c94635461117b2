"""A round as large as a city's: decided for all its bids in one act, by a worker that has seen none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import bootstrap
from application.round_resolution import preview_resolution, resolve_round
from bench.resolution import MINUTES, Round
from domain.kernel.identifier import Actor
from schemes import scheme_file

if TYPE_CHECKING:
    from tests.conftest import Desk

OFFICER = Actor("CAB-REG#1")


@pytest.mark.release
@pytest.mark.timeout(900)
async def test_1300_bids_are_resolved_in_one_act(desk: Desk) -> None:
    round_ = Round(desk.store, bootstrap.ensure_door_key(desk.settings), 1_300)
    await round_.fill(scheme_file.load_shipped("hangzhou"))
    draft = await round_.preview()
    command = draft.command(MINUTES, dict.fromkeys(draft.left_out, "名次"), "市民政局")
    receipt = await resolve_round(desk.door, draft, command, OFFICER, at=round_.now)
    assert receipt.events == ("RoundResolved",)
    stages = [row.stage async for row in desk.store.standings(kind="project", realm=round_.realm)]
    assert (stages.count("IN_PUBLICITY"), stages.count("NOT_SELECTED")) == (650, 650)


async def test_a_round_is_previewed_and_resolved_by_people(desk: Desk) -> None:
    """All that were drawn for it are looked at, the best first; what is not selected needs a reason."""
    round_ = Round(desk.store, bootstrap.ensure_door_key(desk.settings), 4)
    await round_.fill(scheme_file.load_shipped("hangzhou"))
    bare = await preview_resolution(desk.store, round_.id("round", "R-1"))
    assert [ranked.application for ranked in bare.ranking] == ["AP-3", "AP-2", "AP-1", "AP-0"]
    assert bare.left_out == ("AP-3", "AP-2", "AP-1", "AP-0")
    draft = await round_.preview()
    assert (draft.left_out, draft.awards_fen) == (("AP-2", "AP-0"), 2_000_000)
    assert draft.digest != bare.digest
    command = draft.command(MINUTES, dict.fromkeys(draft.left_out, "名次"))
    receipt = await resolve_round(desk.door, draft, command, OFFICER, at=round_.now)
    assert receipt.events == ("RoundResolved",)
