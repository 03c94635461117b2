-- Every statement that the store sends, by name. Words in braces stand for what store/sql.py says.

-- name: append
SELECT status, first_position, last_position, recorded_at, what
  FROM venture.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                      $23, $24, $25, $26);

-- name: go_live
SELECT status, first_position, last_position, recorded_at, what
  FROM venture.go_live($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                       $23, $24, $25, $26, $27);

-- name: journalled
SELECT {entry} FROM venture.entries WHERE command_id = $1::uuid AND kind = 'command';

-- name: commands_of
SELECT {entry} FROM venture.entries {commands_of};

-- name: count_commands
SELECT count(*) FROM (SELECT FROM venture.entries {commands_of}) AS t;

-- name: outcomes
-- One row at least: of a log without such commands its genesis alone.
SELECT g.chain AS genesis, e.*
  FROM (SELECT (SELECT chain FROM venture.entries WHERE position = 1) AS chain) g
  LEFT JOIN (SELECT {entry} FROM venture.entries WHERE command_id = ANY ($1::uuid[]) AND kind = 'command') e ON true;

-- name: genesis
SELECT chain FROM venture.entries WHERE position = 1;

-- name: realms
-- $1 their names. In the columns of consult's realm; recorded_at is the earliest deadline.
SELECT r.realm AS stream, {realm},
       (SELECT a.due_at FROM venture.agenda a
         WHERE r.clock = 'manual' AND a.realm = r.realm AND a.due_at IS NOT NULL ORDER BY a.due_at LIMIT 1) AS recorded_at
  FROM venture.realms r WHERE r.realm = ANY ($1::text[]);

-- name: read_many
-- $1 streams, $2 claims, $3 accounts. One statement, so one moment; a claim is (stream: key, type: holder), an account
-- is (stream: account, position: fen).
SELECT 'event' AS part, {entry} FROM venture.entries WHERE stream = ANY ($1::text[]) AND kind = 'event'
UNION ALL
SELECT 'claim', NULL, key, NULL, NULL, holder, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM venture.claims WHERE key = ANY ($2::text[])
UNION ALL
SELECT 'account', balance, account, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM venture.accounts WHERE account = ANY ($3::text[])
ORDER BY part, stream, version;

-- name: consult
-- $1 streams, $2 up to which version each is known (0: not at all), $3 realms, $4 command ids, $5 claims, $6 accounts.
-- Of a stream that is known comes its last known event again, for its chain hash only. Claims and accounts as in read_many,
-- a realm is (stream: its name, type: clock, occurred_at: now, version: of its own stream, schema_version: of its working
-- days); its first two deadlines, where its clock is manual, are (stream, recorded_at: when); the store's own clock is
-- (recorded_at, chain: of the log's first entry). OFFSET 0 keeps this a walk by key.
SELECT 'event' AS part, e.*
  FROM unnest($1::text[], $2::bigint[]) asked(stream, known)
 CROSS JOIN LATERAL (
   SELECT position, stream, version, kind, type, schema_version, command_id, occurred_at, recorded_at,
          CASE WHEN version > asked.known THEN meta END AS meta, CASE WHEN version > asked.known THEN data END AS data,
          chain
     FROM venture.entries
    WHERE stream = asked.stream AND kind = 'event' AND version >= asked.known OFFSET 0) e
UNION ALL
SELECT 'command', {entry} FROM venture.entries WHERE command_id = ANY ($4::uuid[]) AND kind = 'command'
UNION ALL
SELECT 'realm', NULL, of.stream, of.version, NULL, of.type, of.schema_version, NULL, of.occurred_at, NULL, NULL, NULL, NULL
  FROM (SELECT r.realm AS stream, {realm} FROM venture.realms r WHERE r.realm = ANY ($3::text[])) of
UNION ALL
SELECT 'due', NULL, d.stream, NULL, NULL, NULL, NULL, NULL, NULL, d.due_at, NULL, NULL, NULL
  FROM venture.realms r
 CROSS JOIN LATERAL (SELECT a.stream, a.due_at FROM venture.agenda a
                      WHERE a.realm = r.realm AND a.due_at IS NOT NULL ORDER BY a.due_at LIMIT 2) d
 WHERE r.realm = ANY ($3::text[]) AND r.clock = 'manual'
UNION ALL
SELECT 'clock', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, clock_timestamp(), NULL, NULL,
       (SELECT chain FROM venture.entries WHERE position = 1)
UNION ALL
SELECT 'claim', NULL, key, NULL, NULL, holder, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM venture.claims WHERE key = ANY ($5::text[])
UNION ALL
SELECT 'account', balance, account, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM venture.accounts WHERE account = ANY ($6::text[]);

-- name: read_events
-- $1 stream, $2 after, $3 limit.
SELECT {entry} FROM venture.entries
 WHERE stream = $1::text AND kind = 'event' AND version > $2::bigint ORDER BY version LIMIT $3::int;

-- name: read_all
-- $1 stream, $2 after which version (events), $3 after which position (commands), $4 limit.
SELECT * FROM (
  (SELECT {entry} FROM venture.entries
    WHERE stream = $1::text AND kind = 'event' AND version > $2::bigint ORDER BY version LIMIT $4::int)
  UNION ALL
  (SELECT {entry} FROM venture.entries
    WHERE stream = $1::text AND kind = 'command' AND position > $3::bigint ORDER BY position LIMIT $4::int)
) both_kinds ORDER BY position LIMIT $4::int;

-- name: position_of
SELECT position FROM venture.entries WHERE stream = $1::text AND kind = 'event' AND version = $2::bigint;

-- name: feed
SELECT {entry} FROM venture.entries WHERE position > $1::bigint ORDER BY position LIMIT $2::int;

-- name: migrations
SELECT name FROM venture.migrations;

-- name: replication
-- Whether a commit here would be confirmed. An account without pg_monitor is shown how many are attached, not how they are.
SELECT pg_is_in_recovery() AS in_recovery, current_setting('synchronous_standby_names') AS names,
       current_setting('cluster_name') AS own,
       count(r.pid) AS attached, count(r.pid) FILTER (WHERE r.sync_state IS NULL) AS hidden,
       count(r.pid) FILTER (WHERE r.sync_state IN ('sync', 'quorum') AND r.state = 'streaming') AS confirming,
       array_remove(array_agg(r.application_name), NULL) AS standbys
  FROM pg_stat_replication r;

-- name: archive
-- How long ago a segment was archived, in seconds, or null; and whether the last try failed.
SELECT extract(epoch FROM clock_timestamp() - last_archived_time)::float8 AS age_s,
       coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) AS failing,
       current_setting('archive_mode') AS mode,
       extract(epoch FROM current_setting('archive_timeout')::interval)::int AS every_s
  FROM pg_stat_archiver;

-- name: last_position
SELECT COALESCE((SELECT position FROM venture.entries ORDER BY position DESC LIMIT 1), 0);

-- name: streams_named
-- $1 name, $2 realm or null.
SELECT stream FROM venture.streams
 WHERE split_part(stream, '/', 3) = $1::text AND version > 0 AND ($2::text IS NULL OR split_part(stream, '/', 2) = $2)
UNION
SELECT holder FROM venture.claims
 WHERE starts_with(key, 'name/') AND split_part(key, '/', 3) = $1 AND ($2 IS NULL OR split_part(key, '/', 2) = $2)
ORDER BY 1;

-- name: standing
SELECT stream, version, stage, due_at, clock, summary, told FROM venture.agenda WHERE stream = $1::text;

-- name: standings
-- $1 after which stream, $2 before which: those of a kind, and of a realm of it, lie side by side. $3 stage, $4 limit.
SELECT stream, version, stage, due_at, clock, summary, told FROM venture.agenda
 WHERE stream > $1::text AND stream < $2::text AND ($3::text IS NULL OR stage = $3)
 ORDER BY stream LIMIT $4::int;

-- name: standings_of
SELECT stream, version, stage, due_at, clock, summary, told FROM venture.agenda WHERE stream = ANY ($1::text[]);

-- name: kinds
-- The kinds of streams that there are, in order: a step along the key for each, however many streams it has.
WITH RECURSIVE kinds(kind) AS (
  SELECT (SELECT a.kind FROM venture.agenda a ORDER BY a.stream LIMIT 1)
  UNION ALL
  SELECT (SELECT a.kind FROM venture.agenda a WHERE a.stream > k.kind || '0' ORDER BY a.stream LIMIT 1)
    FROM kinds k WHERE k.kind IS NOT NULL)
SELECT kind FROM kinds WHERE kind IS NOT NULL;

-- name: outdated
-- $1 after which stream, $2 before which, $3 calendar, $4 limit. What a row's summary lacks was reckoned by none.
SELECT stream, version, stage, due_at, clock, summary, told FROM venture.agenda
 WHERE stream > $1::text AND stream < $2::text
   AND COALESCE((summary ->> 'calendar')::bigint, 0) < $3::bigint
   AND (due_at IS NOT NULL OR COALESCE(json_array_length(summary -> 'awaiting'), 0) > 0)
 ORDER BY stream LIMIT $4::int;

-- name: moved
-- $1 after which position, $2 up to which, $3 kinds. Streams that events were appended to.
SELECT DISTINCT stream FROM venture.entries
 WHERE position > $1::bigint AND position <= $2::bigint AND kind = 'event'
   AND split_part(stream, '/', 1) = ANY ($3::text[])
 ORDER BY stream;

-- name: falling_due
SELECT stream, version, stage, due_at, clock, summary, told FROM venture.agenda
 WHERE realm = $1::text AND due_at <= $2::timestamptz ORDER BY due_at, rank, stream LIMIT 1;

-- name: overdue
SELECT stream, version, stage, due_at, clock, summary, told FROM venture.agenda
 WHERE clock = $1::text AND due_at < $2::timestamptz ORDER BY due_at, stream LIMIT $3::int;

-- name: unnotified
SELECT stream, version, stage, due_at, clock, summary, told FROM venture.agenda
 WHERE NOT told ORDER BY stream LIMIT $1::int;

-- name: refresh_standing
SELECT venture.restand($1, $2, $3, $4, $5, $6, $7);

-- name: manual_realms
SELECT realm FROM venture.realms WHERE clock = 'manual' ORDER BY realm;

-- name: set_clock
SELECT venture.set_clock($1, $2);

-- name: lease
SELECT venture.lease($1, $2, $3);

-- name: cursor
SELECT COALESCE((SELECT position FROM venture.followers WHERE name = $1::text), 0);

-- name: cursors
SELECT name, position FROM venture.followers ORDER BY name;

-- name: advance
SELECT venture.advance($1, $2, $3, $4);

-- name: claims
SELECT key, holder FROM venture.claims ORDER BY key, holder;

-- name: balances
SELECT account, balance FROM venture.accounts ORDER BY account;

-- name: heads
-- $1 after which stream, $2 limit.
SELECT stream, version, chain FROM venture.streams WHERE stream > $1::text ORDER BY stream LIMIT $2::int;

-- name: postings
-- $1, $2 after which position and ordinal, $3 limit.
SELECT position, ordinal, source, target, fen FROM venture.postings
 WHERE (position, ordinal) > ($1::bigint, $2::smallint) ORDER BY position, ordinal LIMIT $3::int;

-- name: poke
-- A poke need not be durable: nobody is to wait for its flush.
SELECT set_config('synchronous_commit', 'off', true), pg_notify('venture', $1);

-- name: view_heads
SELECT name, generation, version, live, position, reached_at, walked, done, total FROM venture.views ORDER BY name, generation;

-- name: view_live
-- $1 view. How far the live one has come, 0 while it is being built, and where the log ends at that moment.
SELECT v.generation, CASE WHEN v.walked IS NULL THEN v.position ELSE 0 END AS position, v.reached_at, COALESCE(e.position, 0) AS last_position
  FROM (SELECT 1) one
  LEFT JOIN venture.views v ON v.name = $1::text AND v.live
  LEFT JOIN (SELECT position FROM venture.entries ORDER BY position DESC LIMIT 1) e ON true;

-- name: view_begin
SELECT venture.begin_view($1, $2, $3);

-- name: view_write
SELECT venture.write_views($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: view_switch
SELECT venture.switch_view($1, $2);

-- name: view_abandon
SELECT venture.abandon_view($1, $2);

-- name: view_sweep
SELECT venture.sweep_view($1, $2);

-- name: view_streams
-- $1 after which stream, $2 limit.
SELECT stream FROM venture.streams WHERE stream > $1::text ORDER BY stream LIMIT $2::int;

-- name: view_histories
-- Both kinds by the index of each.
SELECT {entry} FROM venture.entries WHERE stream = ANY ($1::text[]) AND kind = 'event'
UNION ALL
SELECT {entry} FROM venture.entries WHERE stream = ANY ($1::text[]) AND kind = 'command';

-- name: view_organisation
SELECT set_config('venture.organisation', $1, true);
