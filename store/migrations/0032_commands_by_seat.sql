-- migrate:up
-- What somebody did, and what they set going, is read from the journal itself, seat by seat, newest first.

CREATE INDEX entries_of_seat ON venture.entries ((meta ->> 'actor'), position) WHERE kind = 'command';
