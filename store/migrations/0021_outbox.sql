-- What is told to the outside: who is to be told, what is still to be said, and how each try went. Filled from the log by a
-- follower, each effect under one id for ever; none of it is a fact of a project, and losing it loses none.

CREATE TABLE web.endpoints (
  id             uuid        NOT NULL PRIMARY KEY,
  url            text        NOT NULL,
  seats          json        NOT NULL,              -- whose sight limits what it is told
  types          text[]      NOT NULL,              -- empty: all
  secret         bytea       NOT NULL,              -- sealed: the worker signs with it
  previous       bytea,                             -- the one before, sealed; signs too until then
  previous_until timestamptz,
  from_position  bigint      NOT NULL,              -- nothing at or before it is told
  made_by        text        NOT NULL,
  made_at        timestamptz NOT NULL,
  failing_since  timestamptz,
  disabled_at    timestamptz,
  disabled_why   text        NOT NULL DEFAULT ''
);

CREATE TABLE web.deliveries (
  id           uuid        NOT NULL PRIMARY KEY,    -- of endpoint and event: derived, so that no filling makes two
  endpoint     uuid        NOT NULL REFERENCES web.endpoints ON DELETE CASCADE,
  position     bigint      NOT NULL,
  stream       text        NOT NULL,
  type         text        NOT NULL,
  schema_version int       NOT NULL,
  occurred_at  timestamptz NOT NULL,
  tries        int         NOT NULL DEFAULT 0,
  next_at      timestamptz,                         -- none: delivered, or given up
  delivered_at timestamptz
);
CREATE INDEX deliveries_due ON web.deliveries (endpoint, next_at, position) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_endpoint ON web.deliveries (endpoint, position);

CREATE TABLE web.tries (
  delivery uuid        NOT NULL REFERENCES web.deliveries ON DELETE CASCADE,
  number   int         NOT NULL,
  at       timestamptz NOT NULL,
  status   int,                                     -- none: no answer came
  said     text        NOT NULL,
  took_ms  int         NOT NULL
);
CREATE INDEX tries_delivery ON web.tries (delivery, at);

-- Where persons are written to. The log names them by their numbers alone.
CREATE TABLE web.addresses (
  person  text        NOT NULL PRIMARY KEY,
  address text        NOT NULL,
  lang    text        NOT NULL DEFAULT 'zh',
  made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE web.mails (
  id        uuid        NOT NULL PRIMARY KEY,       -- of person and effect: derived
  person    text        NOT NULL,
  effect    text        NOT NULL,                   -- waits, soon, overdue, decided
  stream    text        NOT NULL,
  position  bigint      NOT NULL,
  about     json        NOT NULL,
  tries     int         NOT NULL DEFAULT 0,
  next_at   timestamptz,                            -- none: sent, or no longer to be said
  sent_at   timestamptz,
  said      text        NOT NULL DEFAULT ''
);
CREATE INDEX mails_due ON web.mails (next_at) WHERE next_at IS NOT NULL;

-- From which position on anything is told: what was in the log before is history.
CREATE TABLE web.outbox_since (
  position bigint  NOT NULL,
  one      boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (one)
);
INSERT INTO web.outbox_since (position) SELECT coalesce(max(position), 0) FROM venture.entries;
