"""Mutants that lie in the database: what the owner of the schema may change, and the nemesis must notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from tests.workflows.breakable import Breakable

NO_UNIQUE_VERSION = """
DO $mutant$
DECLARE
  body text := pg_get_functiondef('venture.append'::regproc);
  checks text := 'IF t_version[t] <> w_expected[w] THEN';
BEGIN
  ASSERT strpos(body, checks) > 0, 'append has no such check of the version';
  EXECUTE replace(body, checks, 'IF false THEN');
END $mutant$;
DROP INDEX venture.entries_version;
"""
"""No unique version: two writers who decided on the same version both append."""

ROWS_BESIDE_THE_TRANSACTION = """
CREATE FUNCTION venture.lost() RETURNS trigger LANGUAGE plpgsql AS $mutant$
BEGIN
  RETURN CASE WHEN random() < 0.2 THEN NULL ELSE NEW END;
END $mutant$;
CREATE TRIGGER lost BEFORE INSERT OR UPDATE ON venture.agenda FOR EACH ROW EXECUTE FUNCTION venture.lost();
CREATE TRIGGER lost BEFORE INSERT OR UPDATE ON venture.claims FOR EACH ROW EXECUTE FUNCTION venture.lost();
CREATE TRIGGER lost BEFORE INSERT OR UPDATE ON venture.accounts FOR EACH ROW EXECUTE FUNCTION venture.lost();
"""
"""Projections outside the transaction: the events are committed, and some rows that follow from them never come."""

ANY_TIME = """
CREATE OR REPLACE FUNCTION venture.ahead_tolerance() RETURNS interval LANGUAGE sql IMMUTABLE AS
$mutant$ SELECT interval '100 years' $mutant$;
"""
"""No clock of its own: Postgres takes whatever time a worker says it is."""


async def spoil(house: Breakable, fault: str) -> None:
    """Change the schema so."""
    owner = await asyncpg.connect(house.servers.owner_url)
    try:
        await owner.execute(fault)
    finally:
        await owner.close()
