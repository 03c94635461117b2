-- migrate:up
-- What may be written beside the log. The app's role has no other right to write than these functions.

-- The clock of that realm; made with the given one if the realm is new. It takes the log's turn, so that no append
-- is between asking for the clock and using it.
CREATE FUNCTION venture.set_clock(the_realm text, the_clock text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  LOCK TABLE venture.turn IN EXCLUSIVE MODE;
  INSERT INTO venture.realms (realm, clock) VALUES (the_realm, the_clock) ON CONFLICT (realm) DO NOTHING;
  RETURN (SELECT r.clock FROM venture.realms r WHERE r.realm = the_realm);
END $$;

-- Writes the row anew if the stream still stands at that version. An append that is under way holds the row's lock,
-- and the version is compared again after the wait.
CREATE FUNCTION venture.restand(
  the_stream text, the_version bigint, the_stage text, due timestamptz, the_clock text, the_summary json, is_told boolean)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE venture.agenda SET stage = the_stage, due_at = due, clock = the_clock, summary = the_summary, told = is_told
   WHERE stream = the_stream AND version = the_version;
  RETURN FOUND;
END $$;

-- Takes or renews a lease: its generation, or null while another owner holds it. The generation grows with every
-- change of owner, so that what a former owner still has in hand no longer fits.
CREATE FUNCTION venture.lease(the_name text, the_owner uuid, lasting interval) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held int;
BEGIN
  INSERT INTO venture.followers AS f (name, owner, lease_until, generation)
  VALUES (the_name, the_owner, clock_timestamp() + lasting, 1)
  ON CONFLICT (name) DO UPDATE
    SET generation = f.generation + (f.owner <> excluded.owner)::int,
        owner = excluded.owner,
        lease_until = clock_timestamp() + lasting
    WHERE f.owner = excluded.owner OR f.lease_until <= clock_timestamp()
  RETURNING f.generation INTO held;
  RETURN held;
END $$;

-- Moves a follower's cursor by compare-and-set under its generation.
CREATE FUNCTION venture.advance(the_name text, the_generation int, old bigint, new bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE venture.followers SET position = new
   WHERE name = the_name AND generation = the_generation AND position = old;
  RETURN FOUND;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA venture FROM PUBLIC;
