-- migrate:up
-- Who had a file applied, and why, stands with it in venture.migrations (store/migration.py); that only grows, as the log does.

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON venture.migrations
  FOR EACH STATEMENT EXECUTE FUNCTION venture.refuse();
ALTER TABLE venture.migrations ENABLE ALWAYS TRIGGER append_only;
