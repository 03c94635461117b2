-- What is told to the outside: every statement of store/outbox.py, by name.

-- name: since
SELECT position FROM web.outbox_since;

-- name: add_endpoint
INSERT INTO web.endpoints (id, url, seats, types, secret, from_position, made_by, made_at)
SELECT $1, $2, $3, $4, $5, coalesce(max(position), 0), $6, $7 FROM venture.entries;

-- name: endpoints
SELECT id, url, seats, types, secret, previous, previous_until, from_position, made_by, made_at, failing_since, disabled_at,
       disabled_why
  FROM web.endpoints ORDER BY made_at, id;

-- name: rotate_endpoint
-- Also what opens one again that was disabled.
UPDATE web.endpoints SET previous = secret, previous_until = $3, secret = $2 WHERE id = $1 RETURNING id;

-- name: enable_endpoint
UPDATE web.endpoints SET disabled_at = NULL, disabled_why = '', failing_since = NULL WHERE id = $1 RETURNING id;

-- name: remove_endpoint
DELETE FROM web.endpoints WHERE id = $1 RETURNING id;

-- name: disable_endpoint
UPDATE web.endpoints SET disabled_at = $2, disabled_why = $3 WHERE id = $1 AND disabled_at IS NULL RETURNING id;

-- name: add_deliveries
INSERT INTO web.deliveries (id, endpoint, position, stream, type, schema_version, occurred_at, next_at)
SELECT d.id, d.endpoint, d.position, d.stream, d.type, d.schema_version, d.occurred_at, $8
  FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::int[], $7::timestamptz[])
       AS d (id, endpoint, position, stream, type, schema_version, occurred_at)
  JOIN web.endpoints e ON e.id = d.endpoint
ON CONFLICT (id) DO NOTHING;

-- name: add_mails
INSERT INTO web.mails (id, person, effect, stream, position, about, next_at)
SELECT m.id, m.person, m.effect, m.stream, m.position, m.about, m.next_at
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::json[], $7::timestamptz[])
       AS m (id, person, effect, stream, position, about, next_at)
ON CONFLICT (id) DO NOTHING;

-- name: advance
SELECT venture.advance($1, $2, $3, $4);

-- name: due_endpoints
SELECT DISTINCT d.endpoint FROM web.deliveries d JOIN web.endpoints e ON e.id = d.endpoint
 WHERE d.next_at <= $1 AND e.disabled_at IS NULL;

-- name: claim_deliveries
-- Each is put off first, so that one whose worker dies is tried again, and never by two at once.
UPDATE web.deliveries d SET tries = d.tries + 1, next_at = $3::timestamptz
  FROM (SELECT id FROM web.deliveries WHERE endpoint = $1 AND next_at <= $2 ORDER BY next_at, position LIMIT $4
           FOR UPDATE SKIP LOCKED) due
 WHERE d.id = due.id
RETURNING d.id, d.endpoint, d.position, d.stream, d.type, d.schema_version, d.occurred_at, d.tries;

-- name: end_try
INSERT INTO web.tries (delivery, number, at, status, said, took_ms) VALUES ($1, $2, $3, $4, $5, $6);

-- name: delivered
UPDATE web.deliveries SET delivered_at = $2, next_at = NULL WHERE id = $1;

-- name: put_off
UPDATE web.deliveries SET next_at = $2 WHERE id = $1 AND delivered_at IS NULL;

-- name: endpoint_answered
UPDATE web.endpoints SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL;

-- name: endpoint_failed
UPDATE web.endpoints SET failing_since = coalesce(failing_since, $2) WHERE id = $1 RETURNING failing_since;

-- name: sweep_deliveries
-- With all their tries. Never mails: their ids keep who was written to from being written to again.
DELETE FROM web.deliveries WHERE id IN (
  SELECT id FROM web.deliveries WHERE next_at IS NULL AND coalesce(delivered_at, occurred_at) < $1
   ORDER BY coalesce(delivered_at, occurred_at) LIMIT $2)
RETURNING id;

-- name: replay
-- Said once more, under the same ids.
UPDATE web.deliveries SET tries = 0, next_at = $4, delivered_at = NULL
 WHERE endpoint = $1 AND position > $2 AND position <= $3 RETURNING id;

-- name: replay_one
UPDATE web.deliveries SET tries = 0, next_at = $3, delivered_at = NULL WHERE endpoint = $1 AND id = $2 RETURNING id;

-- name: deliveries
SELECT d.id, d.position, d.stream, d.type, d.tries, d.next_at, d.delivered_at, t.at, t.status, t.said, t.took_ms
  FROM web.deliveries d
  LEFT JOIN LATERAL (SELECT at, status, said, took_ms FROM web.tries WHERE delivery = d.id ORDER BY at DESC LIMIT 1) t ON true
 WHERE d.endpoint = $1 AND d.position < $2 ORDER BY d.position DESC LIMIT $3;

-- name: put_address
INSERT INTO web.addresses (person, address, lang) VALUES ($1, $2, $3)
ON CONFLICT (person) DO UPDATE SET address = excluded.address, lang = excluded.lang;

-- name: drop_address
DELETE FROM web.addresses WHERE person = $1 RETURNING person;

-- name: addresses
SELECT person, address, lang FROM web.addresses ORDER BY person;

-- name: claim_mails
UPDATE web.mails m SET tries = m.tries + 1, next_at = $2::timestamptz
  FROM (SELECT id FROM web.mails WHERE next_at <= $1 ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED) due
 WHERE m.id = due.id
RETURNING m.id, m.person, m.effect, m.stream, m.position, m.about, m.tries;

-- name: end_mail
UPDATE web.mails SET sent_at = $2, next_at = $3, said = $4 WHERE id = $1;
