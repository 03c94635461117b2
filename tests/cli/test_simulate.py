"""``venture simulate``: years side by side in processes of their own, told as one table or as data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.installation import Installation

WORDS = ("simulate", "hangzhou", "--from", "2023", "--to", "2024", "--projects", "4", "--seed", "3")


@pytest.mark.full
def test_two_years_are_recorded_side_by_side_and_add_up(venture: Installation) -> None:
    report = json.loads(venture.ask(*WORDS, "-o", "json").stdout)
    assert [year["year"] for year in report["years"]] == [2023, 2024]
    assert (report["total"]["projects"], report["total"]["awarded_fen"]) == (4, 4 * 5_575_000)
    again = json.loads(venture.ask(*WORDS, "-o", "json").stdout)
    assert again == report, "run again, nothing is recorded twice"


def test_a_city_that_cannot_be_simulated_is_named_and_so_are_those_that_can(venture: Installation) -> None:
    result = venture.ask("simulate", "atlantis")
    assert result.exit_code == 2
    assert "hangzhou" in result.stderr


def test_nothing_made_up_goes_into_a_production_log(venture: Installation) -> None:
    result = venture.ask(
        *WORDS,
        VENTURE_ENV="production",
        VENTURE_POSTGRES_URL="postgresql://nobody@127.0.0.1:1/none",
        VENTURE_TEMPORAL_ADDRESS="127.0.0.1:1",
        VENTURE_DOOR_KEY="5" * 64,
        VENTURE_PAYLOAD_KEYS=f"k1:{'5' * 64}",
    )
    assert result.exit_code == 2
    assert "production" in result.stderr or "生產" in result.stderr
