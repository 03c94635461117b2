-- migrate:up
-- The log and what is kept beside it. Written for PostgreSQL 15 to 18; no extension is needed.

-- ---------------------------------------------------------------------------------------------------------- the log

-- One leaf of the log: an event, or a command with its outcome. See store/bytes.py for what the chain hash covers.
CREATE TABLE venture.entries (
  position       bigint      NOT NULL PRIMARY KEY CHECK (position > 0),
  version        bigint      NOT NULL,
  occurred_at    timestamptz NOT NULL,
  recorded_at    timestamptz NOT NULL,
  command_id     uuid        NOT NULL,
  schema_version int         NOT NULL CHECK (schema_version > 0),
  kind           text        COLLATE "C" NOT NULL CHECK (kind IN ('command', 'event')),
  stream         text        COLLATE "C" NOT NULL,
  type           text        COLLATE "C" NOT NULL,
  meta           json        NOT NULL,  -- json, not jsonb: the very bytes that were hashed
  data           json        NOT NULL,
  chain          bytea       NOT NULL CHECK (octet_length(chain) = 32),
  CHECK (version >= CASE kind WHEN 'event' THEN 1 ELSE 0 END),
  -- The leaf is a join of lines: nothing but its last part may hold a line end.
  CHECK (strpos(stream, E'\n') = 0 AND strpos(type, E'\n') = 0 AND strpos(meta::text, E'\n') = 0)
);
COMMENT ON TABLE venture.entries IS 'The log: dense by position, in commit order, append-only.';

CREATE UNIQUE INDEX entries_version ON venture.entries (stream, version) WHERE kind = 'event';
CREATE UNIQUE INDEX entries_command ON venture.entries (command_id) WHERE kind = 'command';
CREATE INDEX entries_journal ON venture.entries (stream, position) WHERE kind = 'command';

-- Where each stream stands. A row without events (version 0) is left by a refused command.
CREATE TABLE venture.streams (
  stream  text   COLLATE "C" NOT NULL PRIMARY KEY CHECK (stream ~ '^[a-z]+/[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$'),
  version bigint NOT NULL CHECK (version >= 0),
  chain   bytea  NOT NULL CHECK (octet_length(chain) = 32)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX streams_name ON venture.streams (split_part(stream, '/', 3));

-- The turn: whoever holds this empty table's lock writes the log. A table lock, not an advisory one, because taking
-- it needs a right that only the owner's append function has.
CREATE TABLE venture.turn ();

-- ------------------------------------------------------------------------------------------------------- the guards

CREATE TABLE venture.claims (
  key    text COLLATE "C" NOT NULL,
  holder text COLLATE "C" NOT NULL,
  PRIMARY KEY (key, holder)
);
CREATE INDEX claims_name ON venture.claims (split_part(key, '/', 3)) WHERE starts_with(key, 'name/');

CREATE TABLE venture.accounts (
  account text   COLLATE "C" NOT NULL PRIMARY KEY,
  balance bigint NOT NULL,  -- fen
  CONSTRAINT accounts_solvent CHECK (balance >= 0 OR starts_with(account, 'world/'))
) WITH (fillfactor = 70);

CREATE TABLE venture.postings (
  position bigint   NOT NULL,
  ordinal  smallint NOT NULL CHECK (ordinal > 0),  -- an event may make several, in order
  source   text     COLLATE "C" NOT NULL,
  target   text     COLLATE "C" NOT NULL,
  fen      bigint   NOT NULL CHECK (fen >= 0),
  PRIMARY KEY (position, ordinal)
);

-- --------------------------------------------------------------------------------------------------- agenda, realms

CREATE TABLE venture.agenda (
  stream  text        COLLATE "C" NOT NULL PRIMARY KEY,
  version bigint      NOT NULL,
  stage   text        COLLATE "C" NOT NULL,
  due_at  timestamptz,
  clock   text        COLLATE "C" NOT NULL CHECK (clock IN ('wall', 'manual')),
  summary json        NOT NULL,
  told    boolean     NOT NULL,
  kind    text        COLLATE "C" NOT NULL GENERATED ALWAYS AS (split_part(stream, '/', 1)) STORED,
  realm   text        COLLATE "C" NOT NULL GENERATED ALWAYS AS (split_part(stream, '/', 2)) STORED,
  -- The order of deadlines at one instant (design.md §5).
  rank    smallint    NOT NULL GENERATED ALWAYS AS (CASE split_part(stream, '/', 1)
    WHEN 'scheme' THEN 1 WHEN 'fund' THEN 2 WHEN 'organisation' THEN 3 WHEN 'round' THEN 4
    WHEN 'need' THEN 5 WHEN 'panel' THEN 6 WHEN 'project' THEN 7 ELSE 8 END) STORED
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX agenda_of_realm ON venture.agenda (realm, due_at, rank, stream) WHERE due_at IS NOT NULL;
CREATE INDEX agenda_of_clock ON venture.agenda (clock, due_at, stream) WHERE due_at IS NOT NULL;
CREATE INDEX agenda_untold ON venture.agenda (stream) WHERE NOT told;

-- A realm without a row runs on the wall clock.
CREATE TABLE venture.realms (
  realm text        COLLATE "C" NOT NULL PRIMARY KEY,
  clock text        COLLATE "C" NOT NULL CHECK (clock IN ('wall', 'manual')),
  now   timestamptz,  -- where a manual clock stands
  CHECK (now IS NULL OR clock = 'manual')
) WITH (fillfactor = 70);

CREATE TABLE venture.followers (
  name        text        COLLATE "C" NOT NULL PRIMARY KEY,
  owner       uuid        NOT NULL,
  lease_until timestamptz NOT NULL,
  generation  int         NOT NULL CHECK (generation > 0),
  position    bigint      NOT NULL DEFAULT 0 CHECK (position >= 0)
) WITH (fillfactor = 70);

-- ------------------------------------------------------------------------------------------------------ append only

CREATE FUNCTION venture.refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '只可追加 / append-only: % on %.%', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = '2F002';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON venture.entries
  FOR EACH STATEMENT EXECUTE FUNCTION venture.refuse();
ALTER TABLE venture.entries ENABLE ALWAYS TRIGGER append_only;

-- A stream only grows, and its row never goes. WHEN keeps the function off the append's own path.
CREATE TRIGGER only_grows BEFORE UPDATE ON venture.streams FOR EACH ROW
  WHEN (NEW.version < OLD.version OR NEW.stream <> OLD.stream) EXECUTE FUNCTION venture.refuse();
CREATE TRIGGER never_goes BEFORE DELETE OR TRUNCATE ON venture.streams
  FOR EACH STATEMENT EXECUTE FUNCTION venture.refuse();
ALTER TABLE venture.streams ENABLE ALWAYS TRIGGER only_grows;
ALTER TABLE venture.streams ENABLE ALWAYS TRIGGER never_goes;
