-- Who comes in over HTTP: every statement of store/identity.py, by name.

-- name: add_account
INSERT INTO web.accounts (login, person, seats, secret) VALUES ($1, $2, $3, $4) ON CONFLICT (login) DO NOTHING
RETURNING login;

-- name: account
SELECT login, person, seats, secret FROM web.accounts WHERE login = $1;

-- name: renew_secret
UPDATE web.accounts SET secret = $2 WHERE login = $1 RETURNING login;

-- name: count_accounts
SELECT count(*) FROM web.accounts;

-- name: put_identity
INSERT INTO web.identities (issuer, subject, person, service, seats) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (issuer, subject) DO UPDATE SET person = excluded.person, service = excluded.service, seats = excluded.seats;

-- name: identity
SELECT person, service, seats FROM web.identities WHERE issuer = $1 AND subject = $2;

-- name: drop_identity
-- With the sessions of the person that it stood for.
WITH gone AS (DELETE FROM web.identities WHERE issuer = $1 AND subject = $2 RETURNING subject, person),
     over AS (DELETE FROM web.sessions s USING gone WHERE s.person = gone.person)
SELECT subject FROM gone;

-- name: begin_session
INSERT INTO web.sessions (token, id, person, seats, begun_at, proved_at, seen_at) VALUES ($1, $2, $3, $4, $5, $5, $5);

-- name: session
SELECT id, person, seats, begun_at, proved_at, seen_at FROM web.sessions WHERE token = $1;

-- name: see_session
UPDATE web.sessions SET seen_at = $2 WHERE token = $1 AND seen_at < $2;

-- name: rotate_session
-- The token changes; who proved again who they are is of that moment on.
UPDATE web.sessions SET token = $2, seen_at = $3, proved_at = $3 WHERE token = $1 RETURNING id;

-- name: end_session
DELETE FROM web.sessions WHERE token = $1 RETURNING id;

-- name: sweep_sessions
DELETE FROM web.sessions WHERE seen_at < $1 OR begun_at < $2;

-- name: add_key
INSERT INTO web.api_keys (id, secret, service, person, seats, scopes, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: key
SELECT id, secret, service, person, seats, scopes, made_at, expires_at, withdrawn_at, used_at FROM web.api_keys WHERE id = $1;

-- name: keys
SELECT id, secret, service, person, seats, scopes, made_at, expires_at, withdrawn_at, used_at FROM web.api_keys
 ORDER BY service, made_at, id;

-- name: use_key
UPDATE web.api_keys SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2::timestamptz - interval '1 minute');

-- name: withdraw_key
UPDATE web.api_keys SET withdrawn_at = $2 WHERE id = $1 AND withdrawn_at IS NULL RETURNING id;

-- name: put_draft
-- One that is another's stays as it is.
INSERT INTO web.drafts (id, person, command, stream, seat, form, held, saved_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO UPDATE SET form = excluded.form, seat = excluded.seat, held = excluded.held AND drafts.held,
       saved_at = excluded.saved_at, expires_at = excluded.expires_at
 WHERE drafts.person = excluded.person AND drafts.command = excluded.command AND drafts.stream = excluded.stream
RETURNING id;

-- name: draft
SELECT id, person, command, stream, seat, form, held, saved_at, expires_at FROM web.drafts
 WHERE id = $1 AND person = $2 AND expires_at > $3;

-- name: drafts
SELECT id, person, command, stream, seat, form, held, saved_at, expires_at FROM web.drafts
 WHERE person = $1 AND expires_at > $2 ORDER BY saved_at DESC, id LIMIT $3;

-- name: drop_draft
DELETE FROM web.drafts WHERE id = $1 AND person = $2 RETURNING id;

-- name: sweep_drafts
DELETE FROM web.drafts WHERE expires_at <= $1;

-- name: sweep_held
-- Of what is held for that person, all but the newest so many.
DELETE FROM web.drafts WHERE person = $1 AND held AND id NOT IN
  (SELECT id FROM web.drafts WHERE person = $1 AND held ORDER BY saved_at DESC, id LIMIT $2);

-- name: add_operation
INSERT INTO web.operations (id, asker, stream, actor, command, body, at, person, session)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING RETURNING id;

-- name: operation
SELECT id, asker, stream, actor, command, body, at, person, session, asked_at FROM web.operations WHERE id = $1;

-- name: operations
-- Those of that asker, the newest first, after that one; of those without an outcome in the log only, if so asked.
SELECT o.id, o.asker, o.stream, o.actor, o.command, o.body, o.at, o.person, o.session, o.asked_at FROM web.operations o
 WHERE o.asker = $1 AND (o.asked_at, o.id) < ($2, $3)
   AND NOT ($4 AND EXISTS (SELECT FROM venture.entries e WHERE e.command_id = o.id AND e.kind = 'command'))
 ORDER BY o.asked_at DESC, o.id DESC LIMIT $5;

-- name: unanswered_operations
-- Those of which the log has no outcome, oldest first.
SELECT o.id, o.asker, o.stream, o.actor, o.command, o.body, o.at, o.person, o.session, o.asked_at FROM web.operations o
 WHERE o.asked_at > $1
   AND NOT EXISTS (SELECT FROM venture.entries e WHERE e.command_id = o.id AND e.kind = 'command')
 ORDER BY o.asked_at LIMIT $2;

-- name: add_sender
INSERT INTO web.senders (name, id, seats, person, secret, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (name) DO NOTHING RETURNING id;

-- name: sender
SELECT name, id, seats, person, secret, previous, previous_until, made_by, made_at, withdrawn_at FROM web.senders
 WHERE name = $1;

-- name: senders
SELECT name, id, seats, person, secret, previous, previous_until, made_by, made_at, withdrawn_at FROM web.senders
 ORDER BY name;

-- name: rotate_sender
UPDATE web.senders SET previous = secret, previous_until = $3, secret = $2 WHERE name = $1 AND withdrawn_at IS NULL
RETURNING id;

-- name: withdraw_sender
UPDATE web.senders SET withdrawn_at = $2 WHERE name = $1 AND withdrawn_at IS NULL RETURNING id;

-- name: add_callback
INSERT INTO web.callbacks (sender, message, type, subject, reason, body, received_at, command_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (sender, message) DO NOTHING;

-- name: callback
SELECT sender, message, type, subject, reason, body, command_id, received_at FROM web.callbacks
 WHERE sender = $1 AND message = $2;

-- name: callbacks
SELECT sender, message, type, subject, reason, body, command_id, received_at FROM web.callbacks
 WHERE sender = $1 ORDER BY received_at DESC, message LIMIT $2;
