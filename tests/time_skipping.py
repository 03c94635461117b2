"""A database beside whose clock time may be skipped: Temporal's runs ahead of it by years, which no real one may."""

from __future__ import annotations

import asyncpg


async def let_time_be_skipped(owner_url: str) -> None:
    """Let what is recorded there be dated as far ahead as a test likes."""
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute(
            "CREATE OR REPLACE FUNCTION venture.ahead_tolerance() RETURNS interval LANGUAGE sql IMMUTABLE"
            " AS $$ SELECT interval '10000 years' $$"
        )
    finally:
        await connection.close()
