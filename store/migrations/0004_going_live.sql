-- migrate:up
-- A realm's turn from a manual clock to the wall clock: its record and its effect in one transaction.

-- The append of the turn, of the same arrays as venture.append: one group, whose first write is on that realm's stream.
-- With it the realm's clock and the clocks in the agenda change; whoever has a deadline is untold, so that a follower
-- sees to its alarm whatever becomes of the caller. It answers 'conflict' with the stream while a deadline lies in the past.
CREATE FUNCTION venture.go_live(
  the_realm text,
  g_writes int[], g_reads int[],
  t_stream text[],
  w_t int[], w_expected bigint[], w_command uuid[], w_occurred timestamptz[], w_leaves int[],
  l_type text[], l_schema int[], l_meta json[], l_data json[],
  x_leaf int[], x_verb text[], x_key text[], x_other text[], x_number bigint[],
  s_group int[], s_t int[], s_stage text[], s_due timestamptz[], s_clock text[], s_summary json[], s_told boolean[],
  r_t int[], r_version bigint[])
RETURNS TABLE (status text, first_position bigint, last_position bigint, recorded_at timestamptz, what text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  LOCK TABLE venture.turn IN EXCLUSIVE MODE;  -- from here on no append can set a deadline
  SELECT 'conflict', a.stream INTO status, what
    FROM venture.agenda a WHERE a.realm = the_realm AND a.due_at <= w_occurred[1] ORDER BY a.due_at, a.stream LIMIT 1;
  IF NOT FOUND THEN
    SELECT q.* INTO STRICT status, first_position, last_position, recorded_at, what
      FROM venture.append(
        g_writes, g_reads, t_stream, w_t, w_expected, w_command, w_occurred, w_leaves, l_type, l_schema, l_meta, l_data,
        x_leaf, x_verb, x_key, x_other, x_number, s_group, s_t, s_stage, s_due, s_clock, s_summary, s_told,
        r_t, r_version) q;
    IF status = 'appended' THEN
      UPDATE venture.realms r SET clock = 'wall', now = NULL WHERE r.realm = the_realm;
      UPDATE venture.agenda a SET clock = 'wall', told = a.told AND a.due_at IS NULL WHERE a.realm = the_realm;
    END IF;
  END IF;
  RETURN NEXT;
END $$;

-- As before, and only while the row's clock is still the one that the standing was made for: a look that began before
-- the turn must not put the manual clock back. Only the row's own columns are compared again after a wait for its lock.
CREATE OR REPLACE FUNCTION venture.restand(
  the_stream text, the_version bigint, the_stage text, due timestamptz, the_clock text, the_summary json, is_told boolean)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE venture.agenda SET stage = the_stage, due_at = due, summary = the_summary, told = is_told
   WHERE stream = the_stream AND version = the_version AND clock = the_clock;
  RETURN FOUND;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA venture FROM PUBLIC;
