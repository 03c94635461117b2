-- migrate:up
-- Files of before 0.2.0 are counted: what their awards take of a round's budget, their supports of a base's year, and
-- their bids of those that wait for a decision. Their events say nothing of it and stay as they are; whatever follows on
-- them is posted by the app, and the audit folds the same (domain/project/uncounted.py).

LOCK TABLE venture.turn IN EXCLUSIVE MODE;

CREATE TEMPORARY TABLE told ON COMMIT DROP AS
SELECT e.position, e.stream, split_part(e.stream, '/', 2) AS realm, e.type, e.occurred_at, e.data::jsonb AS data
  FROM venture.entries e
 WHERE e.kind = 'event' AND starts_with(e.stream, 'project/')
   AND e.type IN ('ApplicationSubmitted', 'ApplicationWithdrawn', 'PreliminaryReviewFailed', 'ApplicationNotSelected',
                  'AwardProposed', 'AwardConfirmed', 'AwardDeclined', 'AwardRevoked', 'ObjectionUpheld',
                  'ContractSigningLapsed', 'ContractAmended', 'TrancheCancelled');
CREATE INDEX ON told (stream, position);
ANALYZE told;

CREATE TEMPORARY TABLE proposed ON COMMIT DROP AS
SELECT p.position, p.stream, p.realm, (p.data ->> 'award')::bigint AS fen, p.data -> 'support' ->> 'base' AS base,
       extract(year FROM p.occurred_at AT TIME ZONE 'Asia/Shanghai')::int AS year,
       COALESCE(p.data -> 'support' ->> 'round',
                (SELECT s.data ->> 'round' FROM told s
                  WHERE s.stream = p.stream AND s.type = 'ApplicationSubmitted' AND s.position < p.position
                  ORDER BY s.position DESC LIMIT 1)) AS round
  FROM told p
 WHERE p.type = 'AwardProposed' AND p.data ->> 'charge' IS NULL;

CREATE TEMPORARY TABLE posted ON COMMIT DROP AS
WITH given_back AS (
  SELECT f.position, f.stream, f.type,
         (SELECT COALESCE(sum(share.value::bigint), 0)
            FROM jsonb_each_text(COALESCE(f.data -> 'freed', f.data -> 'split')) share) AS fen
    FROM told f
   WHERE f.type IN ('AwardDeclined', 'AwardRevoked', 'ObjectionUpheld', 'ContractSigningLapsed', 'ContractAmended',
                    'TrancheCancelled')
), bids AS (
  SELECT DISTINCT ON (b.stream) b.position, b.stream, b.realm, b.data ->> 'round' AS round,
         EXISTS (SELECT FROM jsonb_object_keys(b.data -> 'places') k WHERE starts_with(k, 'undecided/')) AS counted
    FROM told b WHERE b.type = 'ApplicationSubmitted' ORDER BY b.stream, b.position
), ended AS (
  SELECT b.stream, min(e.position) AS position
    FROM bids b JOIN told e ON e.stream = b.stream AND e.position > b.position
   WHERE e.type IN ('ApplicationWithdrawn', 'PreliminaryReviewFailed', 'ApplicationNotSelected', 'AwardConfirmed',
                    'AwardDeclined', 'AwardRevoked')
      OR (e.type = 'ObjectionUpheld' AND e.data ->> 'remedy' = 'DISQUALIFY')
      OR (e.type = 'ApplicationSubmitted'
          AND EXISTS (SELECT FROM jsonb_object_keys(e.data -> 'places') k WHERE starts_with(k, 'undecided/')))
   GROUP BY b.stream
)
SELECT b.position, 1 AS turn, format('world/%s/bids', b.realm) AS source, format('undecided/%s/%s', b.realm, b.round) AS target,
       1::bigint AS fen
  FROM bids b WHERE NOT b.counted
UNION ALL
SELECT e.position, 1, format('undecided/%s/%s', b.realm, b.round), format('world/%s/bids', b.realm), 1
  FROM bids b JOIN ended e USING (stream) WHERE NOT b.counted
UNION ALL
SELECT p.position, 2, format('world/%s/unbudgeted', p.realm), format('awarded/%s/%s', p.realm, p.round), p.fen
  FROM proposed p WHERE p.round IS NOT NULL
UNION ALL
SELECT f.position, 2, format('awarded/%s/%s', p.realm, p.round), format('budget/%s/%s', p.realm, p.round), f.fen
  FROM proposed p JOIN given_back f ON f.stream = p.stream AND f.position > p.position
 WHERE p.round IS NOT NULL AND f.fen > 0;

INSERT INTO venture.postings (position, ordinal, source, target, fen)
SELECT n.position,
       (SELECT COALESCE(max(o.ordinal), 0) FROM venture.postings o WHERE o.position = n.position)
         + row_number() OVER (PARTITION BY n.position ORDER BY n.turn),
       n.source, n.target, n.fen
  FROM posted n;

INSERT INTO venture.accounts AS a (account, balance)
SELECT n.account, sum(n.fen)
  FROM posted p, LATERAL (VALUES (p.source, -p.fen), (p.target, p.fen)) n(account, fen)
 GROUP BY n.account
ON CONFLICT (account) DO UPDATE SET balance = a.balance + excluded.balance;

INSERT INTO venture.claims (key, holder)
SELECT format('support/%s/%s', p.realm, p.base), format('%s/%s', p.year, p.stream)
  FROM proposed p
 WHERE p.round IS NOT NULL AND p.base IS NOT NULL
   AND NOT EXISTS (SELECT FROM told f WHERE f.stream = p.stream AND f.position > p.position
                      AND (f.type IN ('AwardDeclined', 'AwardRevoked', 'ContractSigningLapsed')
                           OR (f.type = 'ObjectionUpheld' AND f.data ->> 'remedy' = 'DISQUALIFY')))
ON CONFLICT DO NOTHING;
