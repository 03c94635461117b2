-- migrate:up
-- What each project added up to from when until when (views/courses.py), so that the portfolio can be asked for of any day
-- without folding a project; and the last day of a public notice, which a list says without folding one either.

CREATE TABLE venture.view_courses (
  generation int NOT NULL,
  stream text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  realm text COLLATE "C" NOT NULL,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  to_recorded_at timestamptz NOT NULL,
  position bigint NOT NULL,
  to_position bigint NOT NULL,
  organisations text[] NOT NULL,
  stage text NOT NULL,
  tags text[] NOT NULL,
  figures json NOT NULL,
  PRIMARY KEY (generation, stream, version)
);
-- What holds now is asked for far more often than a day that is past: 2^62 is views.courses.FOREVER.
CREATE INDEX view_courses_now ON venture.view_courses (generation, stream) WHERE to_position = 4611686018427387904;
ALTER TABLE venture.view_courses ENABLE ROW LEVEL SECURITY;

ALTER TABLE venture.view_projects ADD COLUMN notice_last date;
