-- migrate:up
-- The round that a need, a panel or whatever else says of itself, so that a round's page lists them by an index.

ALTER TABLE venture.view_streams ADD COLUMN round text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX view_streams_round ON venture.view_streams (generation, realm, round, kind, stream) WHERE round <> '';
