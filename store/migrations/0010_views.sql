-- migrate:up
-- The read side (docs/decisions/026-views.md): rows that a follower folds out of the log, for lists, the inbox, search and
-- sums. Whatever is here can be thrown away and made again. No extension is needed.
--
-- A view is kept in *generations* side by side in one table: the one that is read is live, another is built beside it and
-- takes its place in one transaction. Every row bears its generation as the first column of its key.

CREATE TABLE venture.views (
  name       text        COLLATE "C" NOT NULL,
  generation int         NOT NULL CHECK (generation > 0),
  version    int         NOT NULL CHECK (version > 0),  -- of the code that folds it
  live       boolean     NOT NULL,
  position   bigint      NOT NULL CHECK (position >= 0),  -- up to which it is folded
  reached_at timestamptz,                                -- when the entry at that position was recorded
  walked     text        COLLATE "C",  -- while it is built stream by stream, the last one that is done; null afterwards
  done       bigint      NOT NULL DEFAULT 0,  -- streams that are done while it is built
  total      bigint      NOT NULL DEFAULT 0,  -- streams that there were when it was begun
  begun_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (name, generation)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX views_live ON venture.views (name) WHERE live;
COMMENT ON TABLE venture.views IS 'Each generation of each view, and how far it has come.';

-- 項目 projects. tags holds what a list is narrowed by, grams what a search looks for (views/search.py).
CREATE TABLE venture.view_projects (
  generation int NOT NULL,
  stream text COLLATE "C" NOT NULL,
  realm text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  number text NOT NULL,
  title text NOT NULL,
  organisation text NOT NULL,
  organisation_name text NOT NULL,
  organisations text[] NOT NULL,
  round text NOT NULL,
  need text NOT NULL,
  kind text NOT NULL,
  fields text[] NOT NULL,
  community text NOT NULL,
  base text NOT NULL,
  funds text[] NOT NULL,
  scheme text NOT NULL,
  stage text NOT NULL,
  since timestamptz,
  moved_at timestamptz NOT NULL,
  due_at timestamptz,
  until_at timestamptz NOT NULL,
  awaiting json NOT NULL,
  requested bigint NOT NULL,
  award bigint NOT NULL,
  paid bigint NOT NULL,
  cancelled bigint NOT NULL,
  returned bigint NOT NULL,
  clawed_back bigint NOT NULL,
  net bigint NOT NULL,
  outstanding bigint NOT NULL,
  tags text[] NOT NULL,
  words text NOT NULL,
  grams text[] NOT NULL,
  PRIMARY KEY (generation, stream)
);
CREATE INDEX view_projects_tags ON venture.view_projects USING gin (tags);
CREATE INDEX view_projects_grams ON venture.view_projects USING gin (grams);
CREATE INDEX view_projects_until ON venture.view_projects (generation, until_at, stream);

-- 待辦 what waits for whom: one row for each role that is awaited; the first role's row stands for the thing itself.
CREATE TABLE venture.view_waiting (
  generation int NOT NULL,
  stream text COLLATE "C" NOT NULL,
  ordinal int NOT NULL,
  role text COLLATE "C" NOT NULL,
  is_first boolean NOT NULL,
  realm text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  roles text[] NOT NULL,
  command text NOT NULL,
  subject text NOT NULL,
  zh text NOT NULL,
  en text NOT NULL,
  until timestamptz,
  until_at timestamptz NOT NULL,
  provisional boolean NOT NULL,
  title text NOT NULL,
  organisations text[] NOT NULL,
  PRIMARY KEY (generation, stream, ordinal, role)
);
CREATE INDEX view_waiting_role ON venture.view_waiting (generation, role, until_at, stream, ordinal);
CREATE INDEX view_waiting_all ON venture.view_waiting (generation, until_at, stream, ordinal) WHERE is_first;

-- 審批 approvals, open and ended.
CREATE TABLE venture.view_approvals (
  generation int NOT NULL,
  id uuid NOT NULL,
  stream text COLLATE "C" NOT NULL,
  ordinal int NOT NULL,
  realm text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  gate text NOT NULL,
  key text NOT NULL,
  role text COLLATE "C" NOT NULL,
  asked_at timestamptz NOT NULL,
  until timestamptz,
  content text NOT NULL,
  verdict text COLLATE "C" NOT NULL,
  decided_by text COLLATE "C",
  decided_at timestamptz,
  title text NOT NULL,
  organisations text[] NOT NULL,
  PRIMARY KEY (generation, id)
);
CREATE INDEX view_approvals_stream ON venture.view_approvals (generation, stream, ordinal);
CREATE INDEX view_approvals_verdict ON venture.view_approvals (generation, verdict, role, stream, ordinal);
CREATE INDEX view_approvals_decider ON venture.view_approvals (generation, decided_by, stream, ordinal)
  WHERE decided_by IS NOT NULL;

-- 組織 organisations as they stand.
CREATE TABLE venture.view_organisations (
  generation int NOT NULL,
  stream text COLLATE "C" NOT NULL,
  realm text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  stage text NOT NULL,
  level text NOT NULL,
  level_until date,
  listings text[] NOT NULL,
  banned_until date,
  organisations text[] NOT NULL,
  tags text[] NOT NULL,
  words text NOT NULL,
  grams text[] NOT NULL,
  PRIMARY KEY (generation, stream)
);
CREATE INDEX view_organisations_tags ON venture.view_organisations USING gin (tags);
CREATE INDEX view_organisations_grams ON venture.view_organisations USING gin (grams);

-- 各檔案 how every stream stands; calendar is the version of the working days that its dates were reckoned by.
CREATE TABLE venture.view_streams (
  generation int NOT NULL,
  stream text COLLATE "C" NOT NULL,
  realm text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  kind text COLLATE "C" NOT NULL,
  stage text COLLATE "C" NOT NULL,
  due_at timestamptz,
  moved_at timestamptz NOT NULL,
  calendar bigint NOT NULL,
  is_waiting boolean NOT NULL,
  summary json NOT NULL,
  PRIMARY KEY (generation, stream)
);
CREATE INDEX view_streams_kind ON venture.view_streams (generation, kind, stream);
CREATE INDEX view_streams_waiting ON venture.view_streams (generation, realm, calendar) WHERE is_waiting;

-- 登記冊 registers as of a day: how each stood from when until when.
CREATE TABLE venture.view_registers (
  generation int NOT NULL,
  stream text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  realm text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  stage text COLLATE "C" NOT NULL,
  particulars json NOT NULL,
  PRIMARY KEY (generation, stream, version)
);
CREATE INDEX view_registers_kind ON venture.view_registers (generation, kind, stream, version);

-- 嘗試 refused commands, one row each; what was unmet is read from the journal entry itself.
CREATE TABLE venture.view_attempts (
  generation int NOT NULL,
  position bigint NOT NULL,
  stream text COLLATE "C" NOT NULL,
  realm text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  command_id uuid NOT NULL,
  command text NOT NULL,
  actor text COLLATE "C" NOT NULL,
  rules text[] NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  PRIMARY KEY (generation, position)
);
CREATE INDEX view_attempts_stream ON venture.view_attempts (generation, stream, position);
CREATE INDEX view_attempts_realm ON venture.view_attempts (generation, realm, position);

-- 份額 what each stream adds to a sum or a count; view_tallies is their sum, kept with every write.
CREATE TABLE venture.view_shares (
  generation int NOT NULL,
  stream text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  realm text COLLATE "C" NOT NULL,
  dimension text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  measure text COLLATE "C" NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (generation, stream, dimension, key, measure)
);
CREATE TABLE venture.view_tallies (
  generation int NOT NULL,
  realm text COLLATE "C" NOT NULL,
  dimension text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  measure text COLLATE "C" NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (generation, realm, dimension, key, measure)
) WITH (fillfactor = 70);

-- --------------------------------------------------------------------------------------------------------- writing

-- Begins a generation, which is live at once if the view has none. It is folded from the streams as they stand, and
-- follows the log from that position on. Null if one is being built already.
CREATE FUNCTION venture.begin_view(the_name text, the_version int, at bigint) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made int;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('venture.views/' || the_name, 0));
  IF EXISTS (SELECT FROM venture.views v WHERE v.name = the_name AND NOT v.live) THEN
    RETURN NULL;
  END IF;
  INSERT INTO venture.views (name, generation, version, live, position, walked, total)
  SELECT the_name, COALESCE(max(v.generation), 0) + 1, the_version, count(*) = 0, at, '',
         (SELECT count(*) FROM venture.streams)
    FROM venture.views v WHERE v.name = the_name
  RETURNING generation INTO made;
  RETURN made;
END $$;

-- Puts rows into generations that stand at one position, and moves them on: all of it or nothing. False if the lease has
-- gone to another, or a generation no longer stands there.
--
--   lease          generation of the lease of the follower "views"
--   names, generations, replaces, rows  one a view: its rows as a JSON array. A view that replaces gives up all that it
--                  has of the streams; the others only get rows added.
--   streams        the streams whose rows these are
--   passed         while they are built, how many streams this step has seen to
CREATE FUNCTION venture.write_views(
  lease int, names text[], generations int[], replaces boolean[], rows json[], streams text[],
  old bigint, new bigint, reached timestamptz, walked_to text, passed bigint)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place text;
BEGIN
  PERFORM FROM venture.followers f WHERE f.name = 'views' AND f.generation = lease FOR SHARE;
  IF NOT FOUND THEN RETURN false; END IF;
  FOR i IN 1 .. cardinality(names) LOOP
    place := format('venture.%I', 'view_' || names[i]);
    UPDATE venture.views v SET position = new, reached_at = COALESCE(reached, v.reached_at), walked = walked_to,
           done = v.done + passed
     WHERE v.name = names[i] AND v.generation = generations[i] AND v.position = old;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'view % no longer stands at %', names[i], old USING ERRCODE = '55000';
    END IF;
    IF names[i] = 'shares' THEN
      WITH moved AS (
        SELECT u.realm, u.dimension, u.key, u.measure, sum(u.value)::bigint AS value
          FROM (SELECT s.realm, s.dimension, s.key, s.measure, -s.value AS value FROM venture.view_shares s
                 WHERE s.generation = generations[i] AND s.stream = ANY (streams)
                UNION ALL
                SELECT r.realm, r.dimension, r.key, r.measure, r.value
                  FROM json_populate_recordset(NULL::venture.view_shares, rows[i]) r) u
         GROUP BY u.realm, u.dimension, u.key, u.measure HAVING sum(u.value) <> 0)
      INSERT INTO venture.view_tallies AS t (generation, realm, dimension, key, measure, value)
      SELECT generations[i], m.realm, m.dimension, m.key, m.measure, m.value FROM moved m
      ON CONFLICT (generation, realm, dimension, key, measure) DO UPDATE SET value = t.value + excluded.value;
    END IF;
    IF replaces[i] THEN
      EXECUTE format('DELETE FROM %s WHERE generation = $1 AND stream = ANY ($2)', place) USING generations[i], streams;
      EXECUTE format('INSERT INTO %s SELECT * FROM json_populate_recordset(NULL::%s, $1)', place, place) USING rows[i];
    ELSE
      EXECUTE format('INSERT INTO %s SELECT * FROM json_populate_recordset(NULL::%s, $1) ON CONFLICT DO NOTHING',
        place, place) USING rows[i];
    END IF;
  END LOOP;
  RETURN true;
END $$;

-- Makes the generation the live one. Its forerunner is gone at once for whoever asks, its rows bit by bit.
CREATE FUNCTION venture.switch_view(the_name text, the_generation int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM venture.views v WHERE v.name = the_name FOR UPDATE;
  IF NOT EXISTS (SELECT FROM venture.views v
                  WHERE v.name = the_name AND v.generation = the_generation AND v.walked IS NULL) THEN
    RETURN false;
  END IF;
  DELETE FROM venture.views v WHERE v.name = the_name AND v.live AND v.generation < the_generation;
  UPDATE venture.views v SET live = true WHERE v.name = the_name AND v.generation = the_generation;
  EXECUTE format('ANALYZE venture.%I', 'view_' || the_name);
  RETURN true;
END $$;

-- Gives up a generation that is not live, with its rows.
CREATE FUNCTION venture.abandon_view(the_name text, the_generation int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM venture.views v WHERE v.name = the_name AND v.generation = the_generation AND NOT v.live;
  IF NOT FOUND THEN RETURN false; END IF;
  EXECUTE format('DELETE FROM venture.%I WHERE generation = $1', 'view_' || the_name) USING the_generation;
  IF the_name = 'shares' THEN DELETE FROM venture.view_tallies t WHERE t.generation = the_generation; END IF;
  RETURN true;
END $$;

-- Deletes rows of generations that the live one has taken the place of, at most so many; how many there were.
CREATE FUNCTION venture.sweep_view(the_name text, most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place text := format('venture.%I', 'view_' || the_name);
  swept bigint;
  oldest int := (SELECT min(v.generation) FROM venture.views v WHERE v.name = the_name);
BEGIN
  EXECUTE format('DELETE FROM %1$s WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM %1$s t WHERE t.generation < $1 LIMIT $2))',
    place) USING oldest, most;
  GET DIAGNOSTICS swept = ROW_COUNT;
  IF the_name = 'shares' THEN DELETE FROM venture.view_tallies t WHERE t.generation < oldest; END IF;
  RETURN swept;
END $$;

-- --------------------------------------------------------------------------------------------------------- reading

-- Whoever reads for one organisation reads as a role of its own, under policies that let it see that organisation's rows
-- and no others, whatever the query forgets. store/migration.py names the roles and gives each its policy.
ALTER TABLE venture.view_projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE venture.view_waiting ENABLE ROW LEVEL SECURITY;
ALTER TABLE venture.view_approvals ENABLE ROW LEVEL SECURITY;
ALTER TABLE venture.view_organisations ENABLE ROW LEVEL SECURITY;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA venture FROM PUBLIC;
