-- What comes in from bank and e-signature: who may send it, and which command each message is, under one id for ever, so that
-- a message that comes twice is asked once. None of it is a fact of a project; what came of a command stands in the log.

CREATE TABLE web.senders (
  name           text        NOT NULL PRIMARY KEY,  -- in the address that it sends to
  id             uuid        NOT NULL UNIQUE,       -- what a journal names, and what the secrets are bound to
  seats          json        NOT NULL,              -- for whom it speaks, and nobody else
  person         text,                              -- who answers for it
  secret         bytea       NOT NULL,              -- sealed: whsec_… shared with it, or whpk_…, its public key
  previous       bytea,                             -- the one before, sealed; counts too until then
  previous_until timestamptz,
  made_by        text        NOT NULL,
  made_at        timestamptz NOT NULL,
  withdrawn_at   timestamptz
);

CREATE TABLE web.callbacks (
  sender      uuid        NOT NULL REFERENCES web.senders (id),
  message     text        NOT NULL,                 -- its webhook-id
  type        text        NOT NULL,
  subject     text        NOT NULL,
  reason      text        NOT NULL DEFAULT '',      -- of what changes nothing by itself: why
  body        bytea       NOT NULL,                 -- SHA-256: another body under the same id is another message
  command_id  uuid        NOT NULL UNIQUE,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (sender, message),
  CONSTRAINT a_digest CHECK (octet_length(body) = 32)
);
CREATE INDEX callbacks_received ON web.callbacks (sender, received_at DESC);
