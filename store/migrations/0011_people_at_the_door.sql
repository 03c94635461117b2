-- Who comes in over HTTP, and how: accounts, sessions, keys of services, and what was asked without waiting for the answer.
-- None of it is a fact of a project: the log holds what was done and by whom, and this may be lost without losing a fact.
CREATE SCHEMA web;

CREATE TABLE web.accounts (
  login      text        NOT NULL PRIMARY KEY,
  person     text        NOT NULL,
  seats      json        NOT NULL,
  secret     text        NOT NULL,  -- argon2id
  made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT only_argon2id CHECK (secret LIKE '$argon2id$%')
);

-- Whom a provider of identities vouches for: its issuer and subject, and who that is here.
CREATE TABLE web.identities (
  issuer     text        NOT NULL,
  subject    text        NOT NULL,
  person     text,                   -- the human; of a service, who answers for it
  service    text,                   -- empty of a human
  seats      json        NOT NULL,
  made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (issuer, subject),
  CONSTRAINT somebody CHECK (person IS NOT NULL OR service IS NOT NULL)
);

CREATE TABLE web.sessions (
  token      bytea       NOT NULL PRIMARY KEY,  -- SHA-256: who reads this table can use none of them
  id         uuid        NOT NULL UNIQUE,       -- the same through every rotation; what a journal may name
  person     text        NOT NULL,
  seats      json        NOT NULL,
  begun_at   timestamptz NOT NULL,
  proved_at  timestamptz NOT NULL,              -- when the person last showed who they are
  seen_at    timestamptz NOT NULL,
  CONSTRAINT a_digest CHECK (octet_length(token) = 32)
);
CREATE INDEX sessions_by_age ON web.sessions (seen_at);

CREATE TABLE web.api_keys (
  id           text        NOT NULL PRIMARY KEY,  -- the part that may be shown
  secret       bytea       NOT NULL,              -- SHA-256
  service      text        NOT NULL,
  person       text,                              -- who answers for it
  seats        json        NOT NULL,
  scopes       text[]      NOT NULL,
  made_at      timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  withdrawn_at timestamptz,
  used_at      timestamptz,
  CONSTRAINT a_digest CHECK (octet_length(secret) = 32),
  CONSTRAINT ends CHECK (expires_at > made_at)
);

-- What was asked without waiting: enough to ask it again under the same id. The outcome is in the log and nowhere else.
CREATE TABLE web.operations (
  id         uuid        NOT NULL PRIMARY KEY,
  asker      text        NOT NULL,
  stream     text        NOT NULL,
  actor      text        NOT NULL,
  command    text        NOT NULL,
  body       json        NOT NULL,
  at         timestamptz,
  person     text,
  session    text        NOT NULL,
  asked_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
