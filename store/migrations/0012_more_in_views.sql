-- migrate:up
-- A project's district and panel, who was refused, and when a register's entry was known to have given way to the next.

ALTER TABLE venture.view_projects
  ADD COLUMN district text NOT NULL DEFAULT '',
  ADD COLUMN panel text NOT NULL DEFAULT '';
ALTER TABLE venture.view_registers ADD COLUMN to_recorded_at timestamptz NOT NULL DEFAULT '9999-01-01 00:00:00+00';
ALTER TABLE venture.view_attempts ADD COLUMN person text COLLATE "C";
