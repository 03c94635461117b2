-- migrate:up
-- Of an approval: what is bound in words, who may decide, votes, and who may see it. Of what waits: for which seats of a
-- role, and who may see the file, so that no list folds a stream to find out.

ALTER TABLE venture.view_approvals
  ADD COLUMN approvers text[] NOT NULL DEFAULT '{}',
  ADD COLUMN readers text[] NOT NULL DEFAULT '{}',
  ADD COLUMN particulars json NOT NULL DEFAULT '{}';
CREATE INDEX view_approvals_approvers ON venture.view_approvals USING gin (approvers);
ALTER TABLE venture.view_waiting
  ADD COLUMN seats text[] NOT NULL DEFAULT '{*}',
  ADD COLUMN readers text[] NOT NULL DEFAULT '{}';
