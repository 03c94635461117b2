-- migrate:up
-- What a log must know of itself: how far from its own clock it lets itself be dated.

-- How far business time may lie ahead of this server's clock. Tests that skip time put another in its place.
CREATE FUNCTION venture.ahead_tolerance() RETURNS interval LANGUAGE sql IMMUTABLE AS $$ SELECT interval '5 seconds' $$;

-- The append answers 'ahead' to a group that is dated later than that: its clock is wrong, and what it closed would be
-- closed for good. It comes before 'behind'. A few lines are new and are put into the text that is in force, each at
-- a place that must be there once; the rest stays as the files before have it.
DO $patch$
DECLARE
  body text;
  change text[];
BEGIN
  SELECT pg_get_functiondef(p.oid) INTO STRICT body
    FROM pg_proc p WHERE p.proname = 'append' AND p.pronamespace = 'venture'::regnamespace;
  FOREACH change SLICE 1 IN ARRAY ARRAY[
    ['  said text; about text;
', '  said text; about text; latest timestamptz;
'],
    ['  -- 2. the realms on a manual clock
', '  latest := clock_timestamp() + venture.ahead_tolerance();

  -- 2. the realms on a manual clock
'],
    ['    IF said IS NULL AND manual THEN
', '    IF said IS NULL THEN
      FOR w IN w1 .. w2 LOOP
        IF w_occurred[w] > latest THEN said := ''ahead''; about := t_stream[w_t[w]]; EXIT; END IF;
      END LOOP;
    END IF;

    IF said IS NULL AND manual THEN
']] LOOP
    IF length(replace(body, change[1], '')) <> length(body) - length(change[1]) THEN
      RAISE EXCEPTION 'append: not once in it: %', change[1];
    END IF;
    body := replace(body, change[1], change[2]);
  END LOOP;
  EXECUTE body;
END $patch$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA venture FROM PUBLIC;
