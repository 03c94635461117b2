-- migrate:up
-- What concerns a stream's name alone is seen to when its rows are made, since its name never changes. As constraints and
-- generated columns it was made ready anew by every statement that touched a row: a quarter of the append's time at 64
-- in flight (docs/decisions/003-the-log.md).

CREATE FUNCTION venture.well_named() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.stream !~ '^[a-z]+/[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$' THEN
    RAISE EXCEPTION 'no name for a stream: %', NEW.stream USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
-- That version and chain fit is said by the constraints of venture.entries, whose rows carry the same values.
ALTER TABLE venture.streams
  DROP CONSTRAINT streams_stream_check, DROP CONSTRAINT streams_version_check, DROP CONSTRAINT streams_chain_check;
CREATE TRIGGER well_named BEFORE INSERT ON venture.streams FOR EACH ROW EXECUTE FUNCTION venture.well_named();
ALTER TABLE venture.streams ENABLE ALWAYS TRIGGER well_named;

-- The order of deadlines at one instant is that of design.md §5.
CREATE FUNCTION venture.by_its_name() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.kind := split_part(NEW.stream, '/', 1);
  NEW.realm := split_part(NEW.stream, '/', 2);
  NEW.rank := COALESCE(array_position(
    ARRAY['scheme', 'fund', 'organisation', 'round', 'need', 'panel', 'project'], NEW.kind::text), 8);
  RETURN NEW;
END $$;
ALTER TABLE venture.agenda
  ALTER COLUMN kind DROP EXPRESSION, ALTER COLUMN realm DROP EXPRESSION, ALTER COLUMN rank DROP EXPRESSION;
CREATE TRIGGER by_its_name BEFORE INSERT ON venture.agenda FOR EACH ROW EXECUTE FUNCTION venture.by_its_name();
ALTER TABLE venture.agenda ENABLE ALWAYS TRIGGER by_its_name;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA venture FROM PUBLIC;
