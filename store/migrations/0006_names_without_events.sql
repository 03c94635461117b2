-- migrate:up
-- A command that was refused on a name without events leaves its entry and the end of that stream's chain, and no row in
-- the agenda: nobody is awaited there. So a group may lack a standing for such a stream, and the stream's first event may
-- find venture.streams at version 0 with or without a row in the agenda. The rest is as in 0002.

CREATE OR REPLACE FUNCTION venture.append(
  g_writes int[], g_reads int[],
  t_stream text[],
  w_t int[], w_expected bigint[], w_command uuid[], w_occurred timestamptz[], w_leaves int[],
  l_type text[], l_schema int[], l_meta json[], l_data json[],
  x_leaf int[], x_verb text[], x_key text[], x_other text[], x_number bigint[],
  s_group int[], s_t int[], s_stage text[], s_due timestamptz[], s_clock text[], s_summary json[], s_told boolean[],
  r_t int[], r_version bigint[])
RETURNS TABLE (status text, first_position bigint, last_position bigint, recorded_at timestamptz, what text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  -- A plan made while the tables were empty must not be kept for full ones: every statement here is a walk by key.
  SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
  SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off
AS $$
#variable_conflict use_column
DECLARE
  groups int; streams int; writes int; leaves int; standings int; reads int; effects int;
  -- the answers, one a group
  o_status text[]; o_what text[]; o_first bigint[]; o_last bigint[];
  -- the streams: version and chain run ahead as groups are appended; t_was is null where there is no row yet, and t_s
  -- is the standing that holds in the end
  t_version bigint[]; t_chain bytea[]; t_was bigint[]; t_before bigint[]; t_moved boolean[]; t_s int[];
  -- what the leaves become
  n_position bigint[]; n_version bigint[]; n_kind text[]; n_stream text[]; n_command uuid[]; n_occurred timestamptz[];
  n_chain bytea[];
  -- commands journalled before, or appended in this call
  w_journal text[]; twins boolean; done uuid[]; done_stream text[];
  -- manual realms
  manual boolean; m_realm text[]; m_now timestamptz[]; w_m int[];
  -- claims and accounts: held and balance run ahead, were_* is what a refused group goes back to
  p_key text[]; p_holder text[]; p_held boolean[]; p_was boolean[]; k_count int[]; x_p int[]; x_k int[];
  a_name text[]; a_balance bigint[]; a_moved boolean[]; x_a int[]; x_b int[];
  were_held boolean[]; were_count int[]; were_balance bigint[];
  -- the first and last of the group's writes, leaves, reads, standings, effects
  w1 int; w2 int; l int; l1 int; l2 int; r1 int; r2 int; s1 int; s2 int; x1 int; x2 int; t int;
  last bigint; recorded timestamptz; recorded_us bigint; occurred_us bigint; v bigint; sort text; hash bytea;
  said text; about text;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append needs READ COMMITTED: an older snapshot would not see the last position' USING ERRCODE = '25001';
  END IF;
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);  -- accepted means durable, whatever the session says
  END IF;

  LOCK TABLE venture.turn IN EXCLUSIVE MODE;
  -- From here on nobody else writes the log, and each statement sees all that was ever committed to it.

  -- 1. Where the log, the streams and the journal stand, and room for the answers. One statement, because PL/pgSQL makes
  -- ready every expression of its own anew in each transaction. Walks by key only, whatever the tables looked like when
  -- this was planned: hence a subquery where a join might one day be turned round.
  SELECT COALESCE(e.position, 0), i.recorded, (extract(epoch FROM i.recorded) * 1000000)::bigint,
         st.version, st.chain, st.was, j.stream, j.twins, EXISTS (SELECT FROM venture.realms m WHERE m.clock = 'manual'),
         n.groups, n.streams, n.writes, n.leaves, n.standings, n.reads, n.effects,
         array_fill(NULL::text, ARRAY[n.groups]), array_fill(NULL::text, ARRAY[n.groups]),
         array_fill(NULL::bigint, ARRAY[n.groups]), array_fill(NULL::bigint, ARRAY[n.groups]),
         array_fill(false, ARRAY[n.streams]), array_fill(NULL::int, ARRAY[n.streams]),
         array_fill(NULL::bigint, ARRAY[n.leaves]), array_fill(NULL::bigint, ARRAY[n.leaves]),
         array_fill(NULL::text, ARRAY[n.leaves]), array_fill(NULL::text, ARRAY[n.leaves]),
         array_fill(NULL::uuid, ARRAY[n.leaves]), array_fill(NULL::timestamptz, ARRAY[n.leaves]),
         array_fill(NULL::bytea, ARRAY[n.leaves]),
         '{}', '{}', array_fill(NULL::int, ARRAY[n.writes]), 0, 0, 0, 0, 0
    INTO last, recorded, recorded_us,
         t_version, t_chain, t_was, w_journal, twins, manual,
         groups, streams, writes, leaves, standings, reads, effects,
         o_status, o_what, o_first, o_last,
         t_moved, t_s,
         n_position, n_version, n_kind, n_stream, n_command, n_occurred, n_chain,
         done, done_stream, w_m, w2, l2, r2, s2, x2
    FROM (SELECT cardinality(g_writes) AS groups, cardinality(t_stream) AS streams, cardinality(w_t) AS writes,
                 cardinality(l_type) AS leaves, cardinality(s_group) AS standings, cardinality(r_t) AS reads,
                 cardinality(x_leaf) AS effects) n
   CROSS JOIN (SELECT array_agg(COALESCE(s.version, 0) ORDER BY u.o) AS version,
                      array_agg(COALESCE(s.chain, decode(repeat('00', 32), 'hex')) ORDER BY u.o) AS chain,
                      array_agg(s.version ORDER BY u.o) AS was
                 FROM unnest(t_stream) WITH ORDINALITY u(stream, o) LEFT JOIN venture.streams s ON s.stream = u.stream) st
   CROSS JOIN (SELECT array_agg((SELECT e.stream FROM venture.entries e WHERE e.command_id = u.id AND e.kind = 'command')
                                ORDER BY u.o) AS stream, count(DISTINCT u.id) < count(*) AS twins
                 FROM unnest(w_command) WITH ORDINALITY u(id, o)) j
    LEFT JOIN LATERAL (SELECT e.position, e.recorded_at FROM venture.entries e ORDER BY e.position DESC LIMIT 1) e ON true
   CROSS JOIN LATERAL (SELECT GREATEST(clock_timestamp(), e.recorded_at) AS recorded) i;
  FOR t IN 2 .. streams LOOP
    IF t_stream[t - 1] COLLATE "C" >= t_stream[t] THEN
      RAISE EXCEPTION 'append: streams out of order' USING ERRCODE = '22023';
    END IF;
  END LOOP;

  -- 2. the realms on a manual clock
  IF manual THEN
    SELECT array_agg(m.realm), array_agg(m.now) INTO m_realm, m_now
      FROM venture.realms m
     WHERE m.clock = 'manual'
       AND m.realm = ANY (SELECT DISTINCT split_part(u.stream, '/', 2) FROM unnest(t_stream) u(stream));
    manual := m_realm IS NOT NULL;
  END IF;
  IF manual THEN
    FOR w IN 1 .. writes LOOP
      w_m[w] := array_position(m_realm, split_part(t_stream[w_t[w]], '/', 2) COLLATE "C");
    END LOOP;
  END IF;

  -- 3. claims and accounts
  IF effects > 0 THEN
    SELECT array_agg(q.p ORDER BY q.o), array_agg(q.k ORDER BY q.o) INTO x_p, x_k
      FROM (SELECT u.o, dense_rank() OVER (ORDER BY u.key COLLATE "C", u.holder COLLATE "C")::int AS p,
                   dense_rank() OVER (ORDER BY u.key COLLATE "C")::int AS k
              FROM unnest(x_verb, x_key, x_other) WITH ORDINALITY u(verb, key, holder, o)
             ) q;
    SELECT array_agg(q.key ORDER BY q.key, q.holder), array_agg(q.holder ORDER BY q.key, q.holder),
           array_agg(c.key IS NOT NULL ORDER BY q.key, q.holder)
      INTO p_key, p_holder, p_held
      FROM (SELECT DISTINCT u.key COLLATE "C" AS key, u.holder COLLATE "C" AS holder FROM unnest(x_key, x_other) u(key, holder)) q
      LEFT JOIN venture.claims c ON c.key = q.key AND c.holder = q.holder;
    p_was := p_held;
    SELECT array_agg(q.n ORDER BY q.key) INTO k_count
      FROM (SELECT d.key, (SELECT count(*)::int FROM venture.claims c WHERE c.key = d.key) AS n
              FROM (SELECT DISTINCT u.key COLLATE "C" AS key FROM unnest(x_key) u(key)) d) q;
    SELECT array_agg(q.name ORDER BY q.name), array_agg(COALESCE(a.balance, 0) ORDER BY q.name) INTO a_name, a_balance
      FROM (SELECT DISTINCT n.name COLLATE "C" AS name
              FROM unnest(x_verb, x_key, x_other) u(verb, source, target), LATERAL (VALUES (u.source), (u.target)) n(name)
             WHERE u.verb = 'post') q
      LEFT JOIN venture.accounts a ON a.account = q.name;
    a_moved := array_fill(false, ARRAY[COALESCE(cardinality(a_name), 0)]);
    SELECT array_agg(array_position(a_name, u.source) ORDER BY u.o), array_agg(array_position(a_name, u.target) ORDER BY u.o)
      INTO x_a, x_b FROM unnest(x_key, x_other) WITH ORDINALITY u(source, target, o);
  END IF;

  -- 4. each group in turn
  FOR g IN 1 .. groups LOOP
    w1 := w2 + 1; w2 := w2 + g_writes[g];
    r1 := r2 + 1; r2 := r2 + g_reads[g];
    l1 := l2 + 1;
    FOR w IN w1 .. w2 LOOP l2 := l2 + w_leaves[w]; END LOOP;
    s1 := s2 + 1;
    WHILE s2 < standings AND s_group[s2 + 1] = g LOOP s2 := s2 + 1; END LOOP;
    x1 := x2 + 1;
    WHILE x2 < effects AND x_leaf[x2 + 1] <= l2 LOOP x2 := x2 + 1; END LOOP;
    said := NULL;

    FOR w IN w1 .. w2 LOOP
      IF w_journal[w] IS NOT NULL OR (twins AND w_command[w] = ANY (done)) THEN
        said := 'duplicate'; about := COALESCE(w_journal[w], done_stream[array_position(done, w_command[w])]); EXIT;
      END IF;
    END LOOP;

    IF said IS NULL THEN
      IF w2 > w1 THEN t_before := t_version; END IF;
      FOR w IN w1 .. w2 LOOP
        t := w_t[w];
        IF t_version[t] <> w_expected[w] THEN said := 'conflict'; about := t_stream[w_t[w]]; EXIT; END IF;
        IF w2 > w1 THEN t_version[t] := t_version[t] + w_leaves[w] - 1; END IF;
      END LOOP;
      IF w2 > w1 THEN t_version := t_before; END IF;
    END IF;
    IF said IS NULL THEN
      FOR r IN r1 .. r2 LOOP
        IF t_version[r_t[r]] <> r_version[r] THEN said := 'conflict'; about := t_stream[r_t[r]]; EXIT; END IF;
      END LOOP;
    END IF;

    IF said IS NULL AND manual THEN
      FOR w IN w1 .. w2 LOOP
        IF w_m[w] IS NOT NULL AND w_occurred[w] < m_now[w_m[w]] THEN said := 'behind'; about := t_stream[w_t[w]]; EXIT; END IF;
      END LOOP;
    END IF;

    IF said IS NULL AND x2 >= x1 THEN
      were_held := p_held; were_count := k_count; were_balance := a_balance;
      FOR x IN x1 .. x2 LOOP
        CASE x_verb[x]
          WHEN 'claim' THEN
            IF NOT p_held[x_p[x]] THEN
              IF k_count[x_k[x]] >= x_number[x] THEN said := 'guarded'; about := x_key[x]; EXIT; END IF;
              p_held[x_p[x]] := true; k_count[x_k[x]] := k_count[x_k[x]] + 1;
            END IF;
          WHEN 'release' THEN
            IF p_held[x_p[x]] THEN p_held[x_p[x]] := false; k_count[x_k[x]] := k_count[x_k[x]] - 1; END IF;
          WHEN 'post' THEN
            a_balance[x_a[x]] := a_balance[x_a[x]] - x_number[x];
            a_balance[x_b[x]] := a_balance[x_b[x]] + x_number[x];
        END CASE;
      END LOOP;
      IF said IS NULL THEN  -- balances are asked at the end of the group: within it the order does not matter
        FOR x IN x1 .. x2 LOOP
          IF x_verb[x] = 'post' AND a_balance[x_a[x]] < 0 AND NOT starts_with(x_key[x], 'world/') THEN
            said := 'guarded'; about := x_key[x]; EXIT;
          END IF;
        END LOOP;
      END IF;
      IF said IS NOT NULL THEN p_held := were_held; k_count := were_count; a_balance := were_balance; END IF;
    END IF;

    IF said IS NOT NULL THEN
      o_status[g] := said; o_what[g] := about;
      CONTINUE;
    END IF;

    o_status[g] := 'appended'; o_first[g] := last + 1;
    l := l1;
    FOR w IN w1 .. w2 LOOP
      t := w_t[w]; about := t_stream[t]; hash := t_chain[t]; v := w_expected[w]; sort := 'command';
      occurred_us := (extract(epoch FROM w_occurred[w]) * 1000000)::bigint;
      FOR i IN l .. l + w_leaves[w] - 1 LOOP
        IF i > l THEN v := v + 1; sort := 'event'; END IF;
        last := last + 1;
        hash := sha256('\x02'::bytea || hash || sha256(convert_to(concat_ws(E'\n', 'venture entry 1', about, sort, v,
          l_type[i], l_schema[i], w_command[w], occurred_us, recorded_us, l_meta[i], l_data[i]), 'UTF8')));
        n_position[i] := last; n_version[i] := v; n_kind[i] := sort; n_stream[i] := about;
        n_command[i] := w_command[w]; n_occurred[i] := w_occurred[w]; n_chain[i] := hash;
      END LOOP;
      l := l + w_leaves[w];
      t_version[t] := v; t_chain[t] := hash; t_moved[t] := true;
      IF twins THEN done := done || w_command[w]; done_stream := done_stream || t_stream[t]; END IF;
      IF w_m[w] IS NOT NULL THEN m_now[w_m[w]] := GREATEST(m_now[w_m[w]], w_occurred[w]); END IF;
    END LOOP;
    FOR i IN s1 .. s2 LOOP t_s[s_t[i]] := i; END LOOP;
    FOR x IN x1 .. x2 LOOP
      IF x_verb[x] = 'post' THEN a_moved[x_a[x]] := true; a_moved[x_b[x]] := true; END IF;
    END LOOP;
    o_last[g] := last;
  END LOOP;

  IF (w2, r2, l2, s2, x2) IS DISTINCT FROM (writes, reads, leaves, standings, effects) THEN
    RAISE EXCEPTION 'append: the counts do not agree with the arrays' USING ERRCODE = '22023';
  END IF;

  -- 5. all of it, set by set
  INSERT INTO venture.entries
    (position, version, occurred_at, recorded_at, command_id, schema_version, kind, stream, type, meta, data, chain)
  SELECT u.position, u.version, u.occurred, recorded, u.command, u.schema, u.kind, u.stream, u.type, u.meta, u.data, u.chain
    FROM unnest(n_position, n_version, n_occurred, n_command, l_schema, n_kind, n_stream, l_type, l_meta, l_data, n_chain)
         u(position, version, occurred, command, schema, kind, stream, type, meta, data, chain)
   WHERE u.position IS NOT NULL;
  UPDATE venture.streams s SET version = u.version, chain = u.chain
    FROM unnest(t_stream, t_version, t_chain, t_was, t_moved) u(stream, version, chain, was, moved)
   WHERE u.moved AND u.was IS NOT NULL AND s.stream = u.stream;
  UPDATE venture.agenda a
     SET version = u.version, stage = s_stage[u.s], due_at = s_due[u.s], clock = s_clock[u.s], summary = s_summary[u.s],
         told = s_told[u.s]
    FROM unnest(t_stream, t_version, t_was, t_s) u(stream, version, was, s)
   WHERE u.s IS NOT NULL AND u.was > 0 AND a.stream = u.stream;
  IF array_position(t_was, NULL) IS NOT NULL OR 0 = ANY (t_was) THEN  -- a stream without events may have no agenda row
    INSERT INTO venture.streams (stream, version, chain)
    SELECT u.stream, u.version, u.chain
      FROM unnest(t_stream, t_version, t_chain, t_was, t_moved) u(stream, version, chain, was, moved)
     WHERE u.moved AND u.was IS NULL;
    INSERT INTO venture.agenda (stream, version, stage, due_at, clock, summary, told)
    SELECT u.stream, u.version, s_stage[u.s], s_due[u.s], s_clock[u.s], s_summary[u.s], s_told[u.s]
      FROM unnest(t_stream, t_version, t_was, t_s) u(stream, version, was, s)
     WHERE u.s IS NOT NULL AND COALESCE(u.was, 0) = 0
    ON CONFLICT (stream) DO UPDATE
      SET version = excluded.version, stage = excluded.stage, due_at = excluded.due_at, clock = excluded.clock,
          summary = excluded.summary, told = excluded.told;
  END IF;
  IF manual THEN
    UPDATE venture.realms m SET now = u.now
      FROM unnest(m_realm, m_now) u(realm, now)
     WHERE m.realm = u.realm AND m.now IS DISTINCT FROM u.now;
  END IF;
  IF effects > 0 THEN
    DELETE FROM venture.claims c USING unnest(p_key, p_holder, p_was, p_held) u(key, holder, was, held)
     WHERE u.was AND NOT u.held AND c.key = u.key AND c.holder = u.holder;
    INSERT INTO venture.claims (key, holder)
    SELECT u.key, u.holder FROM unnest(p_key, p_holder, p_was, p_held) u(key, holder, was, held) WHERE u.held AND NOT u.was;
    INSERT INTO venture.accounts AS a (account, balance)
    SELECT u.name, u.balance FROM unnest(a_name, a_balance, a_moved) u(name, balance, moved) WHERE u.moved
    ON CONFLICT (account) DO UPDATE SET balance = excluded.balance;
    INSERT INTO venture.postings (position, ordinal, source, target, fen)
    SELECT n_position[u.leaf], row_number() OVER (PARTITION BY u.leaf ORDER BY u.o), u.source, u.target, u.fen
      FROM unnest(x_leaf, x_verb, x_key, x_other, x_number) WITH ORDINALITY u(leaf, verb, source, target, fen, o)
     WHERE u.verb = 'post' AND n_position[u.leaf] IS NOT NULL;
  END IF;

  RETURN QUERY
    SELECT u.status, u.first, u.last, CASE WHEN u.status = 'appended' THEN recorded END, u.what
      FROM unnest(o_status, o_first, o_last, o_what) WITH ORDINALITY u(status, first, last, what, o) ORDER BY u.o;
END $$;

-- Such rows as were made before.
DELETE FROM venture.agenda WHERE version = 0;
