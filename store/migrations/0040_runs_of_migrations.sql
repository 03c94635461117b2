-- migrate:up
-- Files that one run applied are told by when it began (store/migration.py), not by the minute in which each was recorded: a run over
-- the turn of a minute was told as two.
COMMENT ON COLUMN venture.migrations.begun_at IS 'when the run began that applied this file; one instant for all files of a run';
