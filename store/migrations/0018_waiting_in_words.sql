-- migrate:up
-- What the office calls the command that is awaited: a list of what waits then loads no rules to say it.

ALTER TABLE venture.view_waiting ADD COLUMN command_zh text NOT NULL DEFAULT '';
