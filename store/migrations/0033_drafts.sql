-- migrate:up
-- What somebody has typed into a form and not sent yet: theirs alone, small, and gone after its day. No fact of a project.

CREATE TABLE web.drafts (
  id         uuid        NOT NULL PRIMARY KEY,
  person     text        NOT NULL,
  command    text        NOT NULL,
  stream     text        NOT NULL,
  seat       text        NOT NULL,
  form       json        NOT NULL,  -- what was typed, by field
  held       boolean     NOT NULL,  -- by this house, as its session was over, not saved by whoever typed it
  saved_at   timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  CONSTRAINT small CHECK (octet_length(form::text) <= 131072),
  CONSTRAINT ends CHECK (expires_at > saved_at)
);
CREATE INDEX drafts_of_person ON web.drafts (person, saved_at);
CREATE INDEX drafts_by_end ON web.drafts (expires_at);
