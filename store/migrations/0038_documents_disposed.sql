-- migrate:up
-- Documents whose bytes were destroyed once their file's keeping period had ended. The row stays, and so does who looked; brought again
-- by another file, they are kept again.

ALTER TABLE venture.documents ADD COLUMN disposed_at timestamptz;

CREATE TABLE venture.document_disposals (
  sha256 text COLLATE "C" NOT NULL REFERENCES venture.documents,
  stream text COLLATE "C" NOT NULL,  -- the file by whose disposal
  who    text COLLATE "C" NOT NULL,
  at     timestamptz      NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX document_disposals_stream ON venture.document_disposals (stream, sha256);

CREATE OR REPLACE FUNCTION venture.keep_document(digest text, bytes bigint, type text, who text, by_session text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO venture.documents AS d (sha256, size, media_type) VALUES (digest, bytes, type)
  ON CONFLICT (sha256) DO UPDATE SET disposed_at = NULL WHERE d.disposed_at IS NOT NULL;
  INSERT INTO venture.document_uploads (sha256, uploader, session) VALUES (digest, who, by_session)
  ON CONFLICT (sha256, uploader) DO NOTHING;
END $$;

-- The caller destroys the bytes before it commits: until then whoever brings the same document waits at its row.
CREATE FUNCTION venture.dispose_document(digest text, of_stream text, by_whom text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE venture.documents SET disposed_at = clock_timestamp() WHERE sha256 = digest AND disposed_at IS NULL;
  IF FOUND THEN
    INSERT INTO venture.document_disposals (sha256, stream, who) VALUES (digest, of_stream, by_whom);
  END IF;
END $$;

REVOKE ALL ON FUNCTION venture.dispose_document FROM PUBLIC;
