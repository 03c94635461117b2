"""A client that a public generator makes of the description runs the main path: nothing of ours is in it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.web.conftest import Counter
    from tests.workflows.bureau import Bureau

HERE = Path(__file__).parent / "generated"
DESCRIPTION = Path(__file__).parents[2] / "docs" / "openapi.json"


async def _run(folder: Path, *command: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env={**os.environ, **environment}, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, (command, out.decode(), err.decode())
    return out.decode()


@pytest.mark.release  # it fetches the generator
async def test_a_typescript_client_made_by_openapi_typescript_runs_the_main_path(
    counter: Counter, bureau: Bureau, tmp_path: Path
) -> None:
    await bureau.open_round()
    folder = tmp_path / "service"
    shutil.copytree(HERE, folder)
    await _run(folder, "npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
    await _run(
        folder, "npx", "openapi-typescript", str(DESCRIPTION), "-o", "api.d.ts", "--default-non-nullable", "false"
    )
    await _run(folder, "npx", "tsc", "-p", ".")
    async with counter.service("CAB-REG#1", "COMM#1") as clerk, counter.service("CAB-DEC#1") as leader:
        keys = [str(one.headers["Authorization"]).removeprefix("Bearer ") for one in (clerk, leader)]
        output = await _run(
            folder, "node", "out/main.js", A=counter.address, KEY=keys[0], BOSS=keys[1], REALM=bureau.realm
        )
    assert json.loads(output) == {
        "seats": ["CAB-REG#1", "COMM#1"],
        "trial": "accepted",
        "outcome": "accepted",
        "verdict": "GRANTED",
        "bound": ["年度採購", "¥12,000.00"],
        "refused": ["ND03"],
        "events": ["venture.NeedSubmitted.v1"],
    }
